"""The value of an expression of matrix notation: what tests compare it with code by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from graphc.calculus.evaluating import Values, array_of, evaluate_term, size
from graphc.calculus.matrix_terms import Matrix
from graphc.calculus.styles import ORDERED
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
    if matrix.head != "call":  # which may be one of integers or booleans
        args = [np.asarray(arg, float) for arg in args]
    with np.errstate(all="ignore"):
        match matrix.head:
            case "tensor":
                array = array_of(matrix.value, values)
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
    found = np.asarray(place.value if isinstance(place, Num) else array_of(place.tensor, values))
    # A place outside has a row of zeros, as Kronecker's delta says.
    rows = (found[..., None] == np.arange(size(matrix.shape[-1], sizes))).astype(float)
    return rows[:, None] if rows.ndim == 1 else rows


def _called(name: str, args: list[Any]) -> Any:
    if name in ("max", "min"):
        return getattr(np, name)(args[0])
    if name in ("det", "logdet", "signdet"):
        sign, log = np.linalg.slogdet(args[0])
        return {"det": sign * np.exp(log), "logdet": log, "signdet": sign}[name]
    if name == "logsumexp":
        top = args[0].max()
        return top + np.log(np.exp(args[0] - top).sum())
    if name == "softmax":
        raised = np.exp(args[0] - args[0].max())
        return raised / raised.sum()
    if name in ORDERED:  # the order is a number
        args = [int(np.squeeze(args[0])), *args[1:]]
    return np.asarray(SCALARS[name].evaluate(*args))


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
