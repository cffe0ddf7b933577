"""Variances, norms, averages, and what leaves nan out: compositions of sums and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.kinds import real_from
from graphc.language.protocol.reductions import dimension_node, mean, sum
from graphc.language.protocol.shapes import broadcast_variable, moveaxis, reshape_variable
from graphc.language.protocol.tables import FUNCTIONS, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import constant
from graphc.ops.stable import norm_of_squares
from graphc.types import Dim, normal_axes, size_of


def _given(value: Any) -> bool:
    return value is not np._NoValue and value is not None


@implements(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: Any = False,
    *,
    where: Any = np._NoValue,
    mean: Any = np._NoValue,
    correction: Any = np._NoValue,
) -> Variable:
    """Variance along axes, divided by the number of elements less `ddof`."""
    no_options("var", {"out": out})
    a = real_from(a, dtype, "var")
    ddof = correction if _given(correction) else ddof
    x = as_variable(a)
    center = mean if _given(mean) else OPERATORS["mean"](x, axis, keepdims=True, where=where)
    squares = OPERATORS["square"](x - center)
    total = sum(squares, axis, keepdims=keepdims, where=where)
    if _given(where) and where is not True:
        mask = broadcast_variable(where, x.shape)
        return total / OPERATORS["maximum"](sum(mask, axis, keepdims=keepdims) - ddof, 0)
    count = size_of([x.shape[k] for k in normal_axes(axis, x.ndim)])
    found: Variable = total / _less(count, ddof)
    return found


def _less(count: Dim, ddof: float) -> Any:
    """Return a number of elements less `ddof`, 0 at least, as NumPy divides by it."""
    if isinstance(count, int):
        return max(count - ddof, 0)
    left: Any = Variable(dimension_node(count)) - ddof
    return left if ddof <= 1 else OPERATORS["maximum"](left, 0)


@implements(np.std)
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: Any = False,
    *,
    where: Any = np._NoValue,
    mean: Any = np._NoValue,
    correction: Any = np._NoValue,
) -> Variable:
    """Standard deviation along axes; its derivative where all elements are equal is 0."""
    found = var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    return root(found)


def root(x: Variable) -> Variable:
    """Return the square root of a sum of squares; its derivative at 0 is 0."""

    def make(node: Node) -> Node:
        node = as_real(node)
        norm = norm_of_squares(elementwise("sqrt", node))
        if norm is not None:
            return norm
        none = elementwise("equal", node, constant(0.0))
        some = elementwise("sqrt", elementwise("where", none, constant(1.0), node))
        return elementwise("where", none, constant(0.0), some)

    return build("sqrt", make, (x,))


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Variable:
    """Norm of vectors or matrices; the derivative where it is 0 is 0."""
    a = build("real", as_real, (x,))
    if axis is None and (ord is None or (a.ndim == 1 and ord == 2)):
        found = root(sum(OPERATORS["square"](a)))
        return reshape_variable(found, (1,) * a.ndim) if keepdims else found
    if axis is None:
        axes: tuple[int, ...] = tuple(range(a.ndim))
    else:
        axes = (int(axis),) if isinstance(axis, int | np.integer) else tuple(axis)
    if len(axes) == 1:
        return _vector_norm(a, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ShapeError(
            f"{here()}: a norm is of vectors or of matrices, not along {len(axes)} axes"
        )
    at = tuple(k % a.ndim for k in axes)
    if ord in (None, "fro", "f"):
        normal_axes(at, a.ndim)
        return root(sum(OPERATORS["square"](a), axis=at, keepdims=keepdims))
    matrices = moveaxis(a, at, (-2, -1))
    found = FUNCTIONS[np.linalg.matrix_norm](matrices, ord=ord)
    if not keepdims:
        return found  # type: ignore[no-any-return]
    return reshape_variable(found, tuple(1 if k in at else d for k, d in enumerate(a.shape)))


def _vector_norm(a: Variable, ord: Any, axes: Any, keepdims: bool) -> Variable:
    size = OPERATORS["absolute"](a)
    if ord == np.inf:
        return OPERATORS["max"](size, axis=axes, keepdims=keepdims)
    if ord == -np.inf:
        return OPERATORS["min"](size, axis=axes, keepdims=keepdims)
    if ord == 0:
        return OPERATORS["where"](a != 0, 1.0, 0.0).sum(axis=axes, keepdims=keepdims)
    if ord == 1:
        return sum(size, axes, keepdims=keepdims)
    if ord == 2:
        return root(sum(OPERATORS["square"](a), axes, keepdims=keepdims))
    if not isinstance(ord, int | float | np.number) or isinstance(ord, bool):
        raise UsageError(f"{here()}: the order of a norm of vectors is a number, not {ord!r}")
    powers = _power(size, float(ord), 0.0 if ord > 0 else np.inf)
    total = sum(powers, axes, keepdims=keepdims)
    return _power(total, 1 / float(ord), 0.0 if ord > 0 else np.inf)


def _power(x: Variable, exponent: float, at_zero: float) -> Variable:
    """Return a power, with derivative 0 at 0."""
    none = x == 0
    some = OPERATORS["power"](OPERATORS["where"](none, 1.0, x), exponent)
    return OPERATORS["where"](none, at_zero, some)


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Variable:
    """Norm of vectors along axes; of all elements by default."""
    a = build("real", as_real, (x,))
    axes = normal_axes(axis, a.ndim)
    return _vector_norm(a, ord, axes, keepdims)


@implements(np.average)
def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = False,
) -> Any:
    """Weighted mean along axes."""
    x = as_variable(a)
    axes = normal_axes(axis, x.ndim)
    keep = _given(keepdims) and bool(keepdims)
    if weights is None:
        found = mean(x, axes, keepdims=keep)
        count = size_of([x.shape[k] for k in axes])
        total: Any = Variable(dimension_node(count))
    else:
        w = as_variable(weights)
        if w.shape != x.shape:
            if w.shape != tuple(x.shape[k] for k in axes) or axis is None:
                raise ShapeError(f"{here()}: the weights of np.average have the shape of the axes")
            w = reshape_variable(w, tuple(d if k in axes else 1 for k, d in enumerate(x.shape)))
            w = broadcast_variable(w, x.shape)
        total = sum(w, axes, keepdims=keep)
        found = sum(x * w, axes, keepdims=keep) / total
    return (found, broadcast_variable(total, found.shape)) if returned else found


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Variable:
    """Largest less smallest element."""
    no_options("ptp", {"out": out})
    largest, smallest = (OPERATORS[k](a, axis=axis, keepdims=keepdims) for k in ("max", "min"))
    return largest - smallest


def _without_nan(name: str, function: Any, neutral: float) -> None:
    def reduce(a: Any, axis: Any = None, **options: Any) -> Variable:
        x = as_variable(a)
        if x.kind != "real":
            return OPERATORS[name](x, axis=axis, **options)
        lost = OPERATORS["isnan"](x)
        found = OPERATORS[name](OPERATORS["where"](lost, neutral, x), axis=axis, **options)
        if name in ("max", "min"):  # of nothing but nan
            kept = {k: v for k, v in options.items() if k == "keepdims"}
            found = OPERATORS["where"](OPERATORS["all"](lost, axis=axis, **kept), np.nan, found)
        return found

    reduce.__name__ = f"nan{name}"
    implements(function)(reduce)


_without_nan("sum", np.nansum, 0.0)
_without_nan("prod", np.nanprod, 1.0)
_without_nan("max", np.nanmax, -np.inf)
_without_nan("min", np.nanmin, np.inf)
_without_nan("cumsum", np.nancumsum, 0.0)
_without_nan("cumprod", np.nancumprod, 1.0)


def _place_without_nan(name: str, function: Any, neutral: float) -> None:
    def position(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Variable:
        no_options(name, {"out": out})
        x = as_variable(a)
        real = x.kind == "real"
        left = OPERATORS["where"](OPERATORS["isnan"](x), neutral, x) if real else x
        return OPERATORS[name.removeprefix("nan")](left, axis=axis, keepdims=keepdims)

    position.__name__ = name
    implements(function)(position)


# Of nothing but nan they give the first place, where NumPy raises an error.
_place_without_nan("nanargmax", np.nanargmax, -np.inf)
_place_without_nan("nanargmin", np.nanargmin, np.inf)


def _mean_without_nan(name: str, function: Any) -> None:
    def reduce(a: Any, axis: Any = None, *, where: Any = True, **options: Any) -> Variable:
        x = as_variable(a)
        there = OPERATORS["logical_not"](OPERATORS["isnan"](x))
        if where is not True and where is not np._NoValue:
            there = there & where
        return OPERATORS[name](OPERATORS["where"](there, x, 0.0), axis=axis, where=there, **options)

    reduce.__name__ = f"nan{name}"
    implements(function)(reduce)


_mean_without_nan("mean", np.nanmean)
_mean_without_nan("var", np.nanvar)
_mean_without_nan("std", np.nanstd)


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    **rest: Any,
) -> Variable:
    """Covariance matrix of the rows of a matrix."""
    no_options("cov", rest)
    x = _observations(m, rowvar)
    if y is not None:
        x = OPERATORS["concatenate"]([x, _observations(y, rowvar)], 0)
    center = x - mean(x, 1, keepdims=True)
    count = x.shape[1]
    less = (0 if bias else 1) if ddof is None else ddof
    found = center @ center.T / _less(count, less)
    return OPERATORS["squeeze"](found) if x.shape[0] == 1 else found


def _observations(m: Any, rowvar: bool) -> Variable:
    x = OPERATORS["atleast_2d"](m)
    if x.ndim > 2:
        raise ShapeError(f"{here()}: np.cov takes vectors or matrices")
    return x if rowvar or as_variable(m).ndim < 2 else x.T


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **rest: Any) -> Variable:
    """Correlation coefficients of the rows of a matrix."""
    no_options("corrcoef", rest)
    c = cov(x, y, rowvar)
    if not c.shape:
        return c / c
    scale = OPERATORS["sqrt"](OPERATORS["diagonal"](c))
    return c / scale[:, None] / scale[None, :]
