"""Order along an axis, and functions on sequences: sort, quantiles, search, differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.arranging import along_rows, flip
from graphc.language.protocol.shapes import (
    broadcast_variable,
    concatenate,
    moveaxis,
    reshape_variable,
)
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.protocol.windows import windows
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real
from graphc.ops.reduction import reduction
from graphc.types import normal_axes, normal_axis


def _options(name: str, kind: Any, order: Any, stable: Any) -> None:
    """Refuse what orders otherwise; all ways to sort are stable here."""
    if kind not in (None, "stable", "quicksort", "mergesort", "heapsort"):
        raise UsageError(f"{here()}: np.{name} knows no kind={kind!r}")
    no_options(name, {"order": order})


@implements(np.argsort)
def argsort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Variable:
    """Places that sort along an axis; equal elements keep their order."""
    _options("argsort", kind, order, stable)
    if axis is None:
        a, axis = reshape_variable(a, -1), 0
    at = normal_axis(axis, as_variable(a).ndim)
    return build("argsort", lambda x: reduction("argsort", as_number(x), (at,)), (a,))


@implements(np.sort)
def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Variable:
    """Sorted elements along an axis; the derivative puts them back in their places."""
    _options("sort", kind, order, stable)
    if axis is None:
        a, axis = reshape_variable(a, -1), 0
    at = normal_axis(axis, as_variable(a).ndim)
    rows = moveaxis(a, at, -1)
    return moveaxis(along_rows(rows, argsort(rows)), -1, at)


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


@implements(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Variable:
    """Middle element, or the mean of the two in the middle; nan where there is one."""
    no_options("median", {"out": out})
    rows = _sorted_rows(a, axis)
    count = rows.shape[-1]
    if not isinstance(count, int):
        raise ShapeError(
            f"{here()}: np.median needs to know how many of {count} elements there are"
        )
    if count == 0:
        raise ShapeError(f"{here()}: the median of no elements is not defined")
    low, high = (count - 1) // 2, count // 2
    middle = rows[..., low] if low == high else (rows[..., low] + rows[..., high]) / 2
    return _kept(_nan_spreads(middle, rows), a, axis, keepdims)


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


@implements(np.quantile)
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
    """Quantiles along axes; how large they are relative to all must be known."""
    no_options("quantile", {"out": out, "weights": weights})
    if isinstance(q, Variable):
        raise UsageError(f"{here()}: np.quantile on variables takes known numbers q")
    rows = _sorted_rows(a, axis)
    count = rows.shape[-1]
    if not isinstance(count, int):
        raise ShapeError(
            f"{here()}: np.quantile needs to know how many of {count} elements there are"
        )
    numbers = np.asarray(q, float)
    if numbers.size and not (numbers.min() >= 0 and numbers.max() <= 1):
        raise UsageError(f"{here()}: quantiles are between 0 and 1")
    parts = [
        _kept(_nan_spreads(_between(rows, float(one), count, method), rows), a, axis, keepdims)
        for one in numbers.ravel()
    ]
    if not numbers.shape:
        return parts[0]
    return reshape_variable(OPERATORS["stack"](parts), (*numbers.shape, *parts[0].shape))


def _between(rows: Variable, q: float, count: int, method: str) -> Variable:
    place = _place(q, count, method)
    place = min(max(place, 0.0), count - 1.0)
    low = int(place)
    part = place - low
    if part == 0 or low + 1 >= count:
        return rows[..., low]
    return rows[..., low] * (1 - part) + rows[..., low + 1] * part


def _place(q: float, count: int, method: str) -> float:
    even = (count - 1) * q
    match method:
        case "lower":
            return float(np.floor(even))
        case "higher":
            return float(np.ceil(even))
        case "nearest":
            return float(np.rint(even))
        case "midpoint":
            return float(np.floor(even) + np.ceil(even)) / 2
    if method not in _ALPHA_BETA:
        raise UsageError(
            f"{here()}: np.quantile on variables knows the methods "
            f"{', '.join([*_ALPHA_BETA, 'lower', 'higher', 'nearest', 'midpoint'])}"
        )
    alpha, beta = _ALPHA_BETA[method]
    return count * q + (alpha + q * (1 - alpha - beta)) - 1


@implements(np.percentile)
def percentile(a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> Variable:
    """Quantiles, in per cent."""
    if isinstance(q, Variable):
        raise UsageError(f"{here()}: np.percentile on variables takes known numbers q")
    return quantile(a, np.asarray(q, float) / 100, axis, *args, **options)


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Variable:
    """Where numbers would be inserted into sorted ones; counted by comparing each with each."""
    edges, x = as_variable(a), as_variable(v)
    if sorter is not None:
        edges = OPERATORS["getitem"](edges, sorter)
    if edges.ndim != 1 or side not in ("left", "right"):
        raise UsageError(
            f"{here()}: np.searchsorted takes sorted numbers in a vector, side= left or right"
        )
    wide = reshape_variable(x, (*x.shape, 1))
    before = edges < wide if side == "left" else edges <= wide
    return before.sum(axis=-1)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Variable:
    """Between which edges numbers lie; the edges are known, and in order."""
    if isinstance(bins, Variable):
        raise UsageError(
            f"{here()}: np.digitize on variables takes known bins; see np.searchsorted"
        )
    edges = np.asarray(bins)
    steps = np.diff(edges)
    if (steps >= 0).all():
        return searchsorted(edges, x, side="left" if right else "right")
    if not (steps <= 0).all():
        raise UsageError(f"{here()}: the bins of np.digitize rise or fall throughout")
    rank = searchsorted(edges[::-1].copy(), x, side="left" if right else "right")
    return len(edges) - rank


@implements(np.diff)
def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Variable:
    """Differences of neighbours along an axis, `n` times over."""
    x = as_variable(a)
    at = normal_axis(axis, x.ndim)
    ends = [part for part in (prepend, append) if part is not np._NoValue]
    if ends:
        shape = (*x.shape[:at], 1, *x.shape[at + 1 :])
        wide = [
            as_variable(p) if as_variable(p).ndim else broadcast_variable(p, shape) for p in ends
        ]
        x = concatenate([*wide[: prepend is not np._NoValue], x,
                         *wide[prepend is not np._NoValue :]], at)  # fmt: skip
    if n < 0:
        raise UsageError(f"{here()}: np.diff takes differences n ≥ 0 times")
    front = (slice(None),) * at
    for _ in range(n):
        later, earlier = x[(*front, slice(1, None))], x[(*front, slice(None, -1))]
        x = later != earlier if x.kind == "boolean" else later - earlier
    return x


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Variable:
    """Values between known points, on straight lines; outside those at the ends."""
    no_options("interp", {"period": period})
    at, points, values = (as_variable(part) for part in (x, xp, fp))
    if points.ndim != 1 or points.shape != values.shape:
        raise ShapeError(f"{here()}: np.interp takes two vectors of one length")
    count = points.shape[0]
    if not isinstance(count, int) or count < 2:
        raise ShapeError(f"{here()}: np.interp takes two points or more, and must know how many")
    place = OPERATORS["clip"](searchsorted(points, at, side="right") - 1, 0, count - 2)
    x0, x1, y0, y1 = points[place], points[place + 1], values[place], values[place + 1]
    found = y0 + (y1 - y0) / (x1 - x0) * (at - x0)
    first, last = points[0], points[-1]
    where = OPERATORS["where"]
    found = where(at < first, values[0] if left is None else left, found)
    return where(
        at > last, values[-1] if right is None else right, where(at == last, values[-1], found)
    )


def _sliding(name: str, function: Any, turned: bool) -> None:
    def slide(a: Any, v: Any, mode: str = "full" if turned else "valid") -> Variable:
        x, w = as_variable(a), as_variable(v)
        if x.ndim != 1 or w.ndim != 1:
            raise ShapeError(f"{here()}: np.{name} takes two vectors")
        if mode not in ("full", "same", "valid"):
            raise UsageError(f"{here()}: np.{name} knows 'full', 'same' and 'valid', not {mode!r}")
        m, n = x.shape[0], w.shape[0]
        if not isinstance(n, int) or (isinstance(m, int) and m < n):
            if not (isinstance(m, int) and isinstance(n, int)):
                raise ShapeError(
                    f"{here()}: np.{name} needs to know the length of the second vector"
                )
            found = slide(w, x, mode)
            return found if turned else flip(found)
        kernel = flip(w) if turned else w
        if mode != "valid":
            before = n - 1 if mode == "full" else n // 2
            after = n - 1 if mode == "full" else n - 1 - n // 2
            x = OPERATORS["pad"](x, (before, after))
        return windows(x, n, 0) @ kernel

    slide.__name__ = name
    implements(function)(slide)


_sliding("convolve", np.convolve, True)
_sliding("correlate", np.correlate, False)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Variable:
    """Powers of numbers, one row each."""
    v = as_variable(x)
    if v.ndim != 1:
        raise ShapeError(f"{here()}: np.vander takes a vector")
    count = v.shape[0] if N is None else N
    if not isinstance(count, int):
        raise ShapeError(f"{here()}: np.vander needs to know how many powers: N=")
    powers = [OPERATORS["power"](v, k) for k in range(count)]
    return OPERATORS["stack"](powers if increasing else powers[::-1], axis=1)


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Variable:
    """Value of a polynomial, its highest coefficient first."""
    coefficients, at = as_variable(p), as_variable(x)
    result = 0 * at
    for c in coefficients:
        result = result * at + c
    return result


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Variable:
    """Integral along an axis, by straight lines between the points."""
    values = moveaxis(y, axis, -1)
    means = (values[..., 1:] + values[..., :-1]) / 2
    if x is None:
        return (means * dx).sum(axis=-1)
    steps = diff(x) if as_variable(x).ndim == 1 else moveaxis(diff(x, axis=axis), axis, -1)
    return (means * steps).sum(axis=-1)


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Central differences along axes, of points in equal distances; one-sided at the ends."""
    x = as_variable(f)
    if edge_order != 1:
        raise UsageError(f"{here()}: np.gradient on variables knows edge_order=1")
    axes = normal_axes(axis, x.ndim)
    steps = [1.0] * len(axes) if not varargs else list(varargs)
    steps = steps * len(axes) if len(steps) == 1 else steps
    if len(steps) != len(axes) or any(np.ndim(h) for h in steps):
        raise UsageError(f"{here()}: np.gradient on variables takes one distance for each axis")
    found = []
    for at, h in zip(axes, steps, strict=True):
        v = moveaxis(x, at, -1)
        first, last = v[..., 1:2] - v[..., :1], v[..., -1:] - v[..., -2:-1]
        inner = (v[..., 2:] - v[..., :-2]) / 2
        found.append(moveaxis(concatenate([first, inner, last], -1) / h, -1, at))
    return found[0] if len(found) == 1 else tuple(found)
