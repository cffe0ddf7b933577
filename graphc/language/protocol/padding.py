"""``np.pad`` in all its modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.kinds import like
from graphc.language.protocol.shapes import broadcast_variable, concatenate
from graphc.language.protocol.tables import implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.structural import Pad, Span
from graphc.types import normal_axis

# What stands at both ends, from what stands there.
_PLACED = ("reflect", "symmetric", "wrap")
_STATISTICS = ("maximum", "mean", "median", "minimum")
_MODES = ("constant", "edge", "linear_ramp", *_STATISTICS, *_PLACED)
_OPTIONS = {
    "constant": ("constant_values",),
    "linear_ramp": ("end_values",),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
    **dict.fromkeys(_STATISTICS, ("stat_length",)),
}


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Variable:
    """Widen at both ends of the axes, with numbers or with what stands there."""
    x = as_variable(array)
    if mode not in _MODES:
        raise UsageError(
            f"{here()}: np.pad on variables knows the modes {', '.join(_MODES)}, not {mode!r}"
        )
    no_options(f"pad with mode='{mode}'",
               {k: v for k, v in options.items() if k not in _OPTIONS.get(mode, ())})  # fmt: skip
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        return _filled(x, widths, options.get("constant_values", 0))
    for axis, pair in enumerate(widths):
        if pair != [0, 0]:
            before, after = _ends(x, axis, pair, mode, options)
            parts = [part for part in (before, x, after) if part is not None]
            x = concatenate(parts, axis)
    return x


def _widths(pad_width: Any, rank: int) -> list[list[int]]:
    if isinstance(pad_width, Mapping):
        widths = [[0, 0] for _ in range(rank)]
        for axis, pair in pad_width.items():
            widths[normal_axis(axis, rank)] = np.broadcast_to(pair, 2).tolist()
    else:
        widths = np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()
    if not all(isinstance(n, int) for pair in widths for n in pair):
        raise ShapeError(f"{here()}: the widths of np.pad are whole numbers, got {pad_width!r}")
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"{here()}: np.pad takes no negative widths")
    return widths


def _filled(x: Variable, widths: Any, values: Any) -> Variable:
    spans: tuple[Span, ...] = tuple(
        (before, dim, 1) for (before, _), dim in zip(widths, x.shape, strict=True)
    )
    target = tuple(b + dim + a for (b, a), dim in zip(widths, x.shape, strict=True))
    if isinstance(values, int | float) and values == 0:

        def make(node: Node) -> Node:
            made: Node = Pad((node,), spans, target)
            return made

        return build("pad", make, (x,))
    for axis, (pair, around) in enumerate(zip(widths, _pairs(values, x.ndim), strict=True)):
        blocks = [_repeated(like(v, x), x, axis, n) for n, v in zip(pair, around, strict=True)]
        x = concatenate([blocks[0], x, blocks[1]], axis)
    return x


def _pairs(values: Any, rank: int) -> Any:
    """Return what belongs before and after each axis."""
    return np.broadcast_to(np.asarray(values, dtype=object), (rank, 2)).tolist()


def _repeated(value: Variable, x: Variable, axis: int, count: int) -> Variable:
    return broadcast_variable(value, (*x.shape[:axis], count, *x.shape[axis + 1 :]))


def _ends(
    x: Variable, axis: int, pair: list[int], mode: str, options: Mapping[str, Any]
) -> tuple[Variable | None, Variable | None]:
    """Return what is put before and after an axis, None for nothing."""
    if mode in _PLACED:
        return _placed(x, axis, pair, mode, options.get("reflect_type", "even"))
    make: Callable[[int, int], Variable]
    if mode == "edge":
        make = lambda n, side: _repeated(_slab(x, axis, -side), x, axis, n)  # noqa: E731
    elif mode == "linear_ramp":
        to = _pairs(options.get("end_values", 0), x.ndim)[axis]
        make = lambda n, side: _ramp(x, axis, n, side, to[side])  # noqa: E731
    else:
        lengths = _pairs(options.get("stat_length"), x.ndim)[axis]
        make = lambda n, side: _statistic(x, axis, n, side, mode, lengths[side])  # noqa: E731
    before, after = (make(n, side) if n else None for side, n in enumerate(pair))
    return before, after


def _slab(x: Variable, axis: int, at: int) -> Variable:
    """Return one slice along an axis, the axis kept."""
    return OPERATORS["expand_dims"](x[(*(slice(None),) * axis, at)], axis)


def _ramp(x: Variable, axis: int, count: int, side: int, end: Any) -> Variable:
    edge = _slab(x, axis, -side)
    if edge.kind != "real":
        raise UsageError(f"{here()}: np.pad with mode='linear_ramp' takes real numbers")
    steps = np.arange(count) / count
    along = (steps if side == 0 else steps[::-1]).reshape(-1, *(1,) * (x.ndim - axis - 1))
    return end + (edge - end) * along.copy()  # type: ignore[no-any-return]


def _statistic(
    x: Variable, axis: int, count: int, side: int, mode: str, length: int | None
) -> Variable:
    size = x.shape[axis]
    if mode == "mean" and x.kind != "real":
        raise UsageError(f"{here()}: np.pad with mode='mean' takes real numbers")
    if length is not None and not (isinstance(size, int) and length >= size):
        part = slice(None, length) if side == 0 else slice(-length, None)
        x = x[(*(slice(None),) * axis, part)]
    name = {"maximum": "max", "minimum": "min"}.get(mode, mode)
    return _repeated(OPERATORS[name](x, axis=axis, keepdims=True), x, axis, count)


def _placed(
    x: Variable, axis: int, pair: list[int], mode: str, reflect_type: str
) -> tuple[Variable | None, Variable | None]:
    size = x.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(
            f"{here()}: np.pad(mode={mode!r}) needs to know the size {size}; mode='constant' and "
            "mode='edge' do not"
        )
    if reflect_type not in ("even", "odd"):
        raise UsageError(f"{here()}: the reflect_type of np.pad is 'even' or 'odd'")
    odd = reflect_type == "odd" and mode != "wrap"
    if odd and max(pair) > size - (mode == "reflect"):
        raise ShapeError(
            f"{here()}: np.pad with reflect_type='odd' on variables reflects once: widths up to "
            f"{size - (mode == 'reflect')}, got {max(pair)}"
        )
    places = np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]
    found = []
    for side, part in enumerate((places[: pair[0]], places[pair[0] + size :])):
        values = x[(*(slice(None),) * axis, part)] if len(part) else None
        if values is not None and odd:
            values = 2 * _slab(x, axis, -side) - values
        found.append(values)
    return found[0], found[1]
