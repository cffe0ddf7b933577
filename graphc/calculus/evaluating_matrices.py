"""The value of an expression of matrix notation: what tests compare it with code by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from graphc.calculus.evaluating import Values, evaluate_term, size
from graphc.calculus.matrix_terms import Matrix
from graphc.ir.terms import Num
from graphc.ops.rules import Sizes
from graphc.ops.scalars import SCALARS


def evaluate_matrix(matrix: Matrix, values: Values, sizes: Sizes | None = None) -> Any:
    """Return the value of an expression; a column has two axes, the second of size 1.

    Parameters
    ----------
    values
        An array per tensor that occurs.
    sizes
        The value of every named size.
    """
    sizes = sizes or {}
    args = [evaluate_matrix(part, values, sizes) for part in matrix.args]
    with np.errstate(all="ignore"):
        match matrix.head:
            case "tensor":
                array = np.asarray(values[matrix.value], float)
                return array[:, None] if array.ndim == 1 else array
            case "scalar":
                return evaluate_term(matrix.value, values, sizes)
            case "zero":
                return np.zeros([size(dim, sizes) for dim in (*matrix.shape, 1, 1)[:2]])
            case "ones":
                return np.ones((size(matrix.shape[0], sizes), 1))
            case "identity":
                return np.eye(size(matrix.shape[0], sizes))
            case "onehot":
                return _onehot(matrix, values, sizes)
            case "call":
                return _called(matrix.value, args)
            case "power":
                return np.power(args[0], float(matrix.value.value))
        return (
            _COMPOSED[matrix.head](*args)
            if matrix.shape
            else np.squeeze(_COMPOSED[matrix.head](*args))
        )


def _onehot(matrix: Matrix, values: Values, sizes: Sizes) -> Any:
    place = matrix.value
    found = np.asarray(place.value if isinstance(place, Num) else values[place.tensor])
    rows = np.eye(size(matrix.shape[-1], sizes))[found.astype(int)]
    return rows[:, None] if rows.ndim == 1 else rows


def _called(name: str, args: list[Any]) -> Any:
    if name in ("max", "min"):
        return getattr(np, name)(args[0])
    if name in ("det", "logdet", "signdet"):
        sign, log = np.linalg.slogdet(args[0])
        return {"det": sign * np.exp(log), "logdet": log, "signdet": sign}[name]
    if name == "logsumexp":
        return np.log(np.exp(args[0]).sum())
    if name == "softmax":
        return np.exp(args[0]) / np.exp(args[0]).sum()
    return np.asarray(SCALARS[name].evaluate(*args), float)


_COMPOSED: Mapping[str, Callable[..., Any]] = {
    "add": lambda *args: sum(args),
    "scaled": lambda *args: reduce(np.multiply, args),
    "hadamard": lambda *args: reduce(np.multiply, args),
    "chain": lambda *args: reduce(np.matmul, args),
    "transpose": np.transpose,
    "inverse": np.linalg.inv,
    "kron": np.kron,
    "diag": lambda column: np.diag(column[:, 0]),
    "diagonal": lambda matrix: np.diag(matrix)[:, None],
    "trace": np.trace,
    "norm": lambda matrix: np.sum(matrix**2),
}
