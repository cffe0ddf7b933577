"""The methods of ufuncs: reduce, accumulate, outer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.loops import scan
from graphc.language.protocol.reductions import along
from graphc.language.protocol.shapes import concatenate, moveaxis, reshape_variable
from graphc.language.protocol.tables import UFUNC_METHODS, apply_ufunc
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable
from graphc.types import normal_axis

_REDUCERS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "fmax": "nanmax",
    "fmin": "nanmin",
    "logical_and": "all",
    "logical_or": "any",
}
_CUMULATIVE = {"add": "cumsum", "multiply": "cumprod"}


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    UFUNC_METHODS[function.__name__] = function
    return function


@_method
def reduce(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Variable:
    """Combine all elements along axes."""
    name = ufunc.__name__
    x = OPERATORS["astype"](array, dtype) if dtype is not None else as_variable(array)
    if name == "logaddexp" and initial is np._NoValue and where is True:
        return along("logsumexp")(x, axis, keepdims)
    if name not in _REDUCERS:
        known = ", ".join(sorted([*_REDUCERS, "logaddexp"]))
        raise UsageError(
            f"{here()}: np.{name}.reduce does not work on variables, that of {known} does; gc.scan "
            "goes through elements one by one"
        )
    extra = {"initial": initial, "where": where}
    options = {k: v for k, v in extra.items() if v is not np._NoValue and v is not True}
    return OPERATORS[_REDUCERS[name]](x, axis=axis, keepdims=keepdims, **options)


@_method
def accumulate(
    ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Variable:
    """Combine each element with all before it along an axis; a loop, but for sums and products."""
    name = ufunc.__name__
    x = OPERATORS["astype"](array, dtype) if dtype is not None else as_variable(array)
    if not x.shape:
        raise ShapeError(f"{here()}: np.{name}.accumulate goes along an axis; a number has none")
    at = normal_axis(axis, x.ndim)
    if name in _CUMULATIVE:
        return OPERATORS[_CUMULATIVE[name]](x, axis=at)
    rows = moveaxis(x, at, 0)
    if rows.shape[0] in (0, 1):
        return x

    def step(before: Variable, row: Variable) -> tuple[Variable, Variable]:
        combined = apply_ufunc(ufunc, "__call__", before, row)
        return combined, combined

    first = apply_ufunc(ufunc, "__call__", rows[0], rows[0]).kind
    start = OPERATORS["astype"](rows[0], {"real": float, "integer": int, "boolean": bool}[first])
    _, rest = scan(step, start, rows[1:], name=None)
    return moveaxis(concatenate([start[None], rest]), 0, at)


@_method
def outer(ufunc: np.ufunc, A: Any, B: Any, /, **options: Any) -> Variable:
    """Apply to all pairs of elements."""
    a, b = as_variable(A), as_variable(B)
    wide = reshape_variable(a, (*a.shape, *(1,) * b.ndim))
    found: Variable = apply_ufunc(ufunc, "__call__", wide, b, **options)
    return found


@_method
def at(ufunc: np.ufunc, a: Any, indices: Any, b: Any = None, /) -> Variable:
    """Refuse: it writes into its argument."""
    name = ufunc.__name__
    instead = {"add": "gc.at_add(a, indices, b)", "subtract": "gc.at_add(a, indices, -b)"}.get(
        name, f"gc.at_set(a, indices, np.{name}(a[indices], b))"
    )
    raise UsageError(
        f"{here()}: np.{name}.at writes into its argument; write a = {instead}, which makes a new "
        "variable"
    )


@_method
def reduceat(ufunc: np.ufunc, *_: Any, **__: Any) -> Variable:
    """Refuse: parts of different lengths."""
    name = ufunc.__name__
    raise UsageError(
        f"{here()}: np.{name}.reduceat does not work on variables; write np.stack of "
        f"np.{name}.reduce of slices"
    )
