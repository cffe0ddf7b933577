"""Functions on sequences: differences, interpolation, convolution, integrals, ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.arranging import flip
from graphc.language.protocol.counting import searchsorted
from graphc.language.protocol.kinds import converted, kind_of
from graphc.language.protocol.shapes import (
    broadcast_variable,
    concatenate,
    moveaxis,
    reshape_variable,
)
from graphc.language.protocol.sorting import argsort
from graphc.language.protocol.tables import implements, no_options
from graphc.language.protocol.windows import windows
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable
from graphc.types import normal_axes, normal_axis


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
    at, points, values = (as_variable(part) for part in (x, xp, fp))
    if period is not None and points.ndim == 1 and points.shape == values.shape:
        at, points = at % abs(period), points % abs(period)
        order = argsort(points)
        points, values = points[order], values[order]
        ends = (points[-1:] - abs(period), points, points[:1] + abs(period))
        points, values = concatenate(ends), concatenate([values[-1:], values, values[:1]])
        left = right = None
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
    """Central differences along axes, of points one distance apart or at places.

    At the ends they are one-sided, of first or second order.
    """
    x = as_variable(f) * 1.0
    if edge_order not in (1, 2):
        raise UsageError(f"{here()}: the edge_order of np.gradient is 1 or 2")
    axes = normal_axes(axis, x.ndim)
    steps: list[Any] = [1.0] * len(axes) if not varargs else list(varargs)
    steps = steps * len(axes) if len(steps) == 1 else steps
    if len(steps) != len(axes):
        raise UsageError(f"{here()}: np.gradient takes one distance, or one for each axis")
    found = []
    for at, h in zip(axes, steps, strict=True):
        size: Any = x.shape[at]
        if isinstance(size, int) and size <= edge_order:
            raise ShapeError(f"{here()}: np.gradient needs {edge_order + 1} points along each axis")
        v = moveaxis(x, at, -1)
        if np.ndim(h) > 1 or (np.ndim(h) and np.shape(h) != v.shape[-1:]):
            raise ShapeError(
                f"{here()}: np.gradient takes a distance or {v.shape[-1]} places for an axis"
            )
        slopes = _slopes(v, diff(h), edge_order) if np.ndim(h) else _even_slopes(v, edge_order) / h
        found.append(moveaxis(slopes, -1, at))
    return found[0] if len(found) == 1 else tuple(found)


def _even_slopes(v: Variable, edge_order: int) -> Variable:
    """Return the differences along the last axis, for points one apart."""
    rise = v[..., 1:] - v[..., :-1]
    inner = (v[..., 2:] - v[..., :-2]) / 2
    first, last = rise[..., :1], rise[..., -1:]
    if edge_order == 2:
        first = first - (rise[..., 1:2] - first) / 2
        last = last + (last - rise[..., -2:-1]) / 2
    return concatenate([first, inner, last], -1)


def _slopes(v: Variable, d: Variable, edge_order: int) -> Variable:
    """Return the differences along the last axis, for points in distances `d`.

    They are exact for parabolas: Fornberg (1988), Generation of Finite Difference Formulas on
    Arbitrarily Spaced Grids, Mathematics of Computation 51(184).
    """
    back, on = d[:-1], d[1:]
    rise = (v[..., 1:] - v[..., :-1]) / d
    inner = (on * rise[..., :-1] + back * rise[..., 1:]) / (back + on)
    first, last = rise[..., :1], rise[..., -1:]
    if edge_order == 2:
        bend = (rise[..., 1:] - rise[..., :-1]) / (back + on)
        first = first - d[:1] * bend[..., :1]
        last = last + d[-1:] * bend[..., -1:]
    return concatenate([first, inner, last], -1)


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Variable:
    """Differences of neighbours among all elements, with others put before and after."""
    inner = diff(reshape_variable(ary, -1))
    parts = [None if p is None else reshape_variable(p, -1) for p in (to_begin, inner, to_end)]
    return concatenate([part for part in parts if part is not None])


@implements(np.unwrap)
def unwrap(
    p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi
) -> Variable:
    """Angles without jumps: whole periods are added where neighbours differ by more than half."""
    x = as_variable(p) * 1.0
    at = normal_axis(axis, x.ndim)
    half = period / 2
    steps = diff(x, axis=at)
    turned = np.remainder(steps + half, period) - half
    turned = np.where((turned == -half) & (steps > 0), half, turned)
    limit = half if discont is None else max(float(discont), half)
    added = np.where(abs(steps) < limit, 0.0, turned - steps)
    front = (slice(None),) * at
    before: Any = np.zeros_like(x[(*front, slice(None, 1))])
    return x + np.concatenate([before, np.cumsum(added, axis=at)], at)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Numbers at equal distances from `start` to `stop`, along a new axis."""
    no_options("linspace", {"device": device})
    if isinstance(num, Variable) or num < 0:
        raise UsageError(f"{here()}: np.linspace takes a known number of points, num=")
    first, last = OPERATORS["broadcast_arrays"](as_variable(start) * 1.0, as_variable(stop) * 1.0)
    gaps = num - 1 if endpoint else num
    step = (last - first) / gaps if gaps > 0 else (last - first) * np.nan
    places = np.arange(num).reshape(-1, *(1,) * first.ndim)
    values = first + places * (step if gaps > 0 else last - first)
    if endpoint and num > 1:  # exactly
        values = concatenate([values[:-1], last[None]])
    values = moveaxis(values, 0, axis)
    if dtype is not None and kind_of(dtype) == "integer":  # rounded down, as NumPy does here alone
        values = np.floor(values)
    values = converted(values, dtype)
    return (values, step) if retstep else values


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Variable:
    """Powers of `base`, their exponents at equal distances."""
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    return converted(OPERATORS["power"](base, exponents), dtype)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Variable:
    """Numbers in equal proportions from `start` to `stop`."""
    first, last = OPERATORS["broadcast_arrays"](as_variable(start) * 1.0, as_variable(stop) * 1.0)
    ratio = last / first
    values = first * np.exp(linspace(np.zeros_like(ratio), np.log(ratio), num, endpoint))
    if endpoint and num > 1:  # exactly
        values = concatenate([values[:-1], last[None]])
    return converted(moveaxis(values, 0, axis), dtype)
