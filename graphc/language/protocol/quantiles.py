"""Medians and quantiles, with and without what is not a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.arranging import along_rows
from graphc.language.protocol.reductions import dimension_node
from graphc.language.protocol.shapes import broadcast_variable, reshape_variable
from graphc.language.protocol.sorting import argsort, sort
from graphc.language.protocol.tables import implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real
from graphc.ops.leaves import Iota
from graphc.types import normal_axes, normal_axis, shape_text


def _sorted_rows(a: Any, axis: Any) -> Variable:
    """Return elements sorted along a last axis that holds all of `axis`."""
    x = build("real", as_real, (a,))
    axes = normal_axes(axis, x.ndim)
    rest = [k for k in range(x.ndim) if k not in axes]
    moved = OPERATORS["transpose"](x, (*rest, *axes))
    return sort(reshape_variable(moved, (*(x.shape[k] for k in rest), -1)))


def _kept(found: Variable, a: Any, axis: Any, keepdims: Any) -> Variable:
    if keepdims is np._NoValue or not keepdims:
        return found
    x = as_variable(a)
    axes = normal_axes(axis, x.ndim)
    return reshape_variable(found, tuple(1 if k in axes else d for k, d in enumerate(x.shape)))


def _nan_spreads(found: Variable, rows: Variable) -> Variable:
    """Return nan where a row has one: it is sorted to the end."""
    last = rows[..., -1]
    return OPERATORS["where"](OPERATORS["isnan"](last), last, found)


# Where between two elements a quantile lies: Hyndman and Fan (1996), Sample Quantiles in
# Statistical Packages, The American Statistician 50(4), under NumPy's names.
_ALPHA_BETA = {
    "linear": (1.0, 1.0),
    "weibull": (0.0, 0.0),
    "hazen": (0.5, 0.5),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
    "interpolated_inverted_cdf": (0.0, 1.0),
}


def _halfway(place: Any) -> Any:
    """Return the place after this one, halfway to it from a whole place."""
    low = np.floor(place)
    return low + np.where(place == low, 0.5, 1.0)


def _even(place: Any) -> Any:
    """Return the next place; from halfway between two the one that is counted even from 1."""
    low = np.floor(place)
    return low + np.where((place == low) & (np.floor(low / 2) * 2 != low), 0.0, 1.0)


_PLACES: dict[str, Callable[[Any, float], Any]] = {
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "inverted_cdf": lambda n, q: np.ceil(n * q) - 1,
    "averaged_inverted_cdf": lambda n, q: _halfway(n * q - 1),
    "closest_observation": lambda n, q: _even(n * q - 1.5),
}


def _place(q: float, count: Any, method: str) -> Any:
    """Return where among `count` sorted elements a quantile lies, counted from 0."""
    if method in _PLACES:
        return _PLACES[method](count, q)
    if method not in _ALPHA_BETA:
        known = ", ".join([*_ALPHA_BETA, *_PLACES])
        raise UsageError(f"{here()}: np.quantile knows the methods {known}, not {method!r}")
    alpha, beta = _ALPHA_BETA[method]
    return count * q + (alpha + q * (1 - alpha - beta)) - 1


def _between(rows: Variable, q: float, count: Any, method: str) -> Any:
    """Return what lies at a quantile of sorted rows of `count` elements each."""
    place = _place(q, count, method)
    if isinstance(count, Variable):
        return _interpolated(rows, np.clip(place, 0.0, np.maximum(count - 1.0, 0.0)))
    place = min(max(float(place), 0.0), count - 1.0)
    low = int(place)
    part = place - low
    if part == 0 or low + 1 >= count:
        return rows[..., low]
    return rows[..., low] * (1 - part) + rows[..., low + 1] * part


def _interpolated(rows: Variable, place: Any) -> Variable:
    """Return what lies at a place that only the numbers tell: the two neighbours, weighted."""
    columns = Variable(Iota((), rows.shape[-1]))
    weights = np.maximum(1.0 - abs(columns - place[..., None]), 0.0)
    return (weights * np.where(weights > 0, rows, 0.0)).sum(axis=-1)  # type: ignore[no-any-return]


def _quantiles(
    name: str, a: Any, q: Any, axis: Any, method: str, keepdims: Any, skips_nan: bool
) -> Variable:
    rows = _sorted_rows(a, axis)
    size = rows.shape[-1]
    if size == 0:
        raise ShapeError(f"{here()}: np.{name} of no elements is not defined")
    numbers = np.asarray(q, float)
    count: Any = size if isinstance(size, int) else Variable(dimension_node(size))
    if skips_nan:  # they stand at the end
        count = 1.0 * np.sum(rows == rows, axis=-1)
    parts = []
    for one in numbers.ravel():
        found = _between(rows, float(one), count, method)
        none: Any = np.where(count == 0, np.nan, found) if skips_nan else _nan_spreads(found, rows)
        parts.append(_kept(none, a, axis, keepdims))
    if not numbers.shape:
        return parts[0]
    return reshape_variable(OPERATORS["stack"](parts), (*numbers.shape, *parts[0].shape))


def _numbers(name: str, q: Any, scale: float) -> Any:
    """Return what quantiles are asked for, between 0 and 1."""
    try:
        if isinstance(q, Variable):
            raise TypeError
        numbers = np.asarray(q, float) / scale
    except (TypeError, ValueError):
        raise UsageError(
            f"{here()}: np.{name} on variables takes known numbers q, got {q!r}"
        ) from None
    if numbers.size and not (numbers.min() >= 0 and numbers.max() <= 1):
        raise UsageError(f"{here()}: quantiles are between 0 and 1")
    return numbers


def _weighted(
    name: str, a: Any, q: Any, axis: Any, keepdims: Any, weights: Any, skips_nan: bool
) -> Variable:
    """Return the least elements up to which elements weigh a share of at least q.

    Where weights are negative or all 0, the result is nan: NumPy raises there.
    """
    x = build("real", as_real, (a,))
    axes = normal_axes(axis, x.ndim)
    rest = [k for k in range(x.ndim) if k not in axes]
    w = _spread(name, weights, x, axis)
    if skips_nan:
        w = OPERATORS["where"](OPERATORS["isnan"](x), 0.0, w)
    shape = (*(x.shape[k] for k in rest), -1)
    rows, shares = (
        reshape_variable(OPERATORS["transpose"](v, (*rest, *axes)), shape) for v in (x, w)
    )
    order = argsort(rows)
    rows, shares = along_rows(rows, order), along_rows(shares, order)
    total: Any = np.sum(shares, axis=-1)
    sums: Any = np.cumsum(shares, axis=-1) / total[..., None]
    sums = np.where(sums == 0, -1.0, sums)  # what weighs nothing is no quantile, nor that of 0
    last = dimension_node(rows.shape[-1])
    parts = []
    for one in np.asarray(q, float).ravel():
        place: Any = np.minimum(np.sum(sums < one, axis=-1), Variable(last) - 1.0)
        found: Any = _interpolated(rows, place)
        found = found if skips_nan else _nan_spreads(found, rows)
        valid = np.logical_and(np.all(shares >= 0, axis=-1), total > 0)
        parts.append(_kept(np.where(valid, found, np.nan), a, axis, keepdims))  # type: ignore[arg-type]
    if not np.shape(q):
        return parts[0]
    return reshape_variable(OPERATORS["stack"](parts), (*np.shape(q), *parts[0].shape))


def _spread(name: str, weights: Any, x: Variable, axis: Any) -> Variable:
    """Return weights in the shape of x; they may be given along the axes alone."""
    w = build("real", as_real, (weights,))
    if w.shape == x.shape:
        return w
    given = () if axis is None else (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    own = [normal_axis(int(k), x.ndim) for k in given]
    if not own or w.shape != tuple(x.shape[k] for k in own):
        raise ShapeError(
            f"{here()}: the weights of np.{name} have the shape of the array or, with axis=, that "
            f"along the axis; got {shape_text(w.shape)} for {shape_text(x.shape)}"
        )
    turned = OPERATORS["transpose"](w, tuple(np.argsort(own).tolist()))
    sizes = tuple(d if k in own else 1 for k, d in enumerate(x.shape))
    return broadcast_variable(reshape_variable(turned, sizes), x.shape)


def _quantile_function(function: Any, scale: float, skips_nan: bool) -> None:
    name = function.__name__

    def quantile(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
    ) -> Variable:
        no_options(name, {"out": out})
        numbers = _numbers(name, q, scale)
        if weights is not None:
            if method != "inverted_cdf":
                raise UsageError(
                    f"{here()}: np.{name} takes weights with method='inverted_cdf', as NumPy does"
                )
            return _weighted(name, a, numbers, axis, keepdims, weights, skips_nan)
        return _quantiles(name, a, numbers, axis, method, keepdims, skips_nan)

    quantile.__name__ = name
    implements(function)(quantile)


_quantile_function(np.quantile, 1.0, False)
_quantile_function(np.percentile, 100.0, False)
_quantile_function(np.nanquantile, 1.0, True)
_quantile_function(np.nanpercentile, 100.0, True)


def _median_function(function: Any, skips_nan: bool) -> None:
    name = function.__name__

    def median(
        a: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        keepdims: Any = False,
    ) -> Variable:
        no_options(name, {"out": out})
        return _quantiles(name, a, 0.5, axis, "midpoint", keepdims, skips_nan)

    median.__name__ = name
    implements(function)(median)


_median_function(np.median, False)
_median_function(np.nanmedian, True)
