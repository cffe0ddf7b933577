"""Repeating, turning, padding, picking: functions that arrange elements anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.shapes import (
    broadcast_variable,
    concatenate,
    moveaxis,
    reshape_variable,
    swapaxes,
)
from graphc.language.protocol.tables import implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.contraction import broadcast_to
from graphc.ops.elementwise import as_real
from graphc.ops.indexing import Gather
from graphc.ops.structural import Pad, Span
from graphc.types import Dim, broadcast, normal_axes, normal_axis


@implements(np.tile)
def tile(A: Any, reps: Any) -> Variable:
    """Repeat a whole array along its axes."""
    a = as_variable(A)
    counts = (reps,) if isinstance(reps, int | np.integer) else tuple(reps)
    rank = max(a.ndim, len(counts))
    counts = (*(1,) * (rank - len(counts)), *map(int, counts))
    shape = (*(1,) * (rank - a.ndim), *a.shape)
    thin = reshape_variable(a, tuple(d for dim in shape for d in (1, dim)))
    wide = tuple(d for n, dim in zip(counts, shape, strict=True) for d in (n, dim))
    whole = tuple(n * dim for n, dim in zip(counts, shape, strict=True))
    return reshape_variable(broadcast_variable(thin, wide), whole)


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Variable:
    """Repeat each element, one number of times or each its own."""
    x = as_variable(a)
    if axis is None:
        x, axis = reshape_variable(x, -1), 0
    at = normal_axis(axis, x.ndim)
    if isinstance(repeats, Variable):
        raise UsageError(f"{here()}: how often np.repeat repeats must be known: a number or a list")
    counts = np.asarray(repeats)
    if counts.size == 1:
        n = int(counts.reshape(()))
        shape = x.shape
        thin = reshape_variable(x, (*shape[: at + 1], 1, *shape[at + 1 :]))
        wide = broadcast_variable(thin, (*shape[: at + 1], n, *shape[at + 1 :]))
        return reshape_variable(wide, (*shape[:at], shape[at] * n, *shape[at + 1 :]))
    if counts.shape != (x.shape[at],):
        raise ShapeError(f"{here()}: {counts.size} numbers of repeats for {x.shape[at]} elements")
    places = np.repeat(np.arange(len(counts)), counts)
    return x[(*(slice(None),) * at, places)]


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Variable:
    """Turn axes around."""
    x = as_variable(m)
    axes = normal_axes(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if k in axes else 1) for k in range(x.ndim))]


@implements(np.flipud)
def flipud(m: Any) -> Variable:
    """Turn the first axis around."""
    return flip(m, 0)


@implements(np.fliplr)
def fliplr(m: Any) -> Variable:
    """Turn the second axis around."""
    return flip(m, 1)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Variable:
    """Rotate by quarters of a turn in the plane of two axes."""
    x = as_variable(m)
    one, other = (normal_axis(axis, x.ndim) for axis in axes)
    if one == other:
        raise ShapeError(f"{here()}: rot90 turns in a plane of two axes, got {axes}")
    match k % 4:
        case 0:
            return x
        case 1:
            return swapaxes(flip(x, other), one, other)
        case 2:
            return flip(x, (one, other))
    return flip(swapaxes(x, one, other), other)


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Variable:
    """Shift along axes; what leaves at one end enters at the other."""
    x = as_variable(a)
    if axis is None:
        return reshape_variable(_rolled(reshape_variable(x, -1), int(shift), 0), x.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for n, k in zip(shifts.ravel().tolist(), axes.ravel().tolist(), strict=True):
        x = _rolled(x, n, normal_axis(k, x.ndim))
    return x


def _rolled(x: Variable, shift: int, axis: int) -> Variable:
    size = x.shape[axis]
    if isinstance(size, int):
        shift = shift % size if size else 0
        shift = shift - size if shift > size // 2 else shift
    if shift == 0:
        return x
    front = (slice(None),) * axis
    if shift > 0 or isinstance(size, int):
        parts = [x[(*front, slice(-shift, None))], x[(*front, slice(None, -shift))]]
    else:  # how many stand before a place is not known of a named size: counted from behind
        turned = (*front, slice(None, None, -1))
        before = x[turned][(*front, slice(shift, None))][turned]
        parts = [x[(*front, slice(-shift, None))], before]
    return concatenate(parts, axis)


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", **rest: Any) -> Variable:
    """Widen at both ends of the axes, with numbers or with what stands there."""
    x = as_variable(array)
    values = rest.pop("constant_values", 0)
    no_options("pad", rest)
    if isinstance(pad_width, dict):
        raise UsageError(f"{here()}: np.pad on variables takes its widths as numbers or pairs")
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"{here()}: np.pad takes no negative widths")
    if mode == "constant":
        return _filled(x, widths, values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise UsageError(
            f"{here()}: np.pad on variables knows the modes 'constant', 'edge', 'reflect', "
            f"'symmetric' and 'wrap', not {mode!r}"
        )
    for axis, pair in enumerate(widths):
        size = x.shape[axis]
        if pair == [0, 0]:
            continue
        if not isinstance(size, int):
            raise ShapeError(
                f"{here()}: np.pad(mode={mode!r}) needs to know the size {size}; "
                "mode='constant' does not"
            )
        places = np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]
        x = x[(*(slice(None),) * axis, places)]
    return x


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
    pairs = np.broadcast_to(np.asarray(values, dtype=object), (x.ndim, 2))
    for axis, (pair, around) in enumerate(zip(widths, pairs.tolist(), strict=True)):
        parts = [x]
        for n, value, where in ((pair[0], around[0], 0), (pair[1], around[1], len(parts) + 1)):
            if n:
                shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
                parts.insert(where, broadcast_variable(_like(value, x), shape))
        x = concatenate(parts, axis)
    return x


def _like(value: Any, x: Variable) -> Variable:
    """Return a number as one of the kind of `x`, as assignment converts it."""
    number = as_variable(value)
    if x.kind == "real":
        return build("real", as_real, (number,))
    if number.kind == "real":
        raise UsageError(f"{here()}: {value!r} is no number of the kind {x.kind}")
    return number


@implements(np.take)
def take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Variable:
    """Elements at places along an axis."""
    no_options("take", {"out": out})
    if mode != "raise":
        raise UsageError(f"{here()}: np.take on variables knows only mode='raise'")
    x = reshape_variable(a, -1) if axis is None else as_variable(a)
    at = 0 if axis is None else normal_axis(axis, x.ndim)
    places = indices if isinstance(indices, int | np.integer | Variable) else np.asarray(indices)
    return x[(*(slice(None),) * at, places)]


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Variable:
    """Elements along an axis, at places that differ from row to row."""
    x, places = as_variable(arr), as_variable(indices)
    if axis is None:
        x, axis = reshape_variable(x, -1), 0
    if x.ndim != places.ndim:
        raise ShapeError(f"{here()}: take_along_axis takes as many axes of places as of elements")
    at = normal_axis(axis, x.ndim)
    return moveaxis(along_rows(moveaxis(x, at, -1), moveaxis(places, at, -1)), -1, at)


def along_rows(x: Variable, places: Variable) -> Variable:
    """Return the elements of each row at the row's own places."""

    def make(node: Node, index: Node) -> Node:
        front = broadcast(node.shape[:-1], index.shape[:-1])
        wide = broadcast_to(node, (*front, node.shape[-1]))
        index = broadcast_to(index, (*front, index.shape[-1]))
        made: Node = Gather((wide, index), len(front), len(front))
        return made

    return build("take_along_axis", make, (x, places))


def _filled_like(name: str, value: float) -> Any:
    def like(a: Any, dtype: Any = None, order: Any = None, subok: Any = None, shape: Any = None,
             *, device: Any = None) -> Variable:  # fmt: skip
        return full_like(a, value, dtype, order, subok, shape, device=device)

    like.__name__ = name
    return like


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = None,
    subok: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
) -> Variable:
    """Return an array of the same shape and kind, filled with one value."""
    no_options("full_like", {"dtype": dtype, "shape": shape, "device": device})
    x = as_variable(a)
    return broadcast_variable(_like(fill_value, x), x.shape)


implements(np.zeros_like)(_filled_like("zeros_like", 0))
implements(np.ones_like)(_filled_like("ones_like", 1))


@implements(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Variable, ...]:
    """Coordinates of the points of a grid."""
    if indexing not in ("xy", "ij"):
        raise UsageError(f"{here()}: meshgrid knows indexing='xy' and 'ij', not {indexing!r}")
    axes = [reshape_variable(x, -1) for x in xi]
    rank = len(axes)
    order = list(range(rank))
    if indexing == "xy" and rank > 1:
        order[0], order[1] = 1, 0
    shape: list[Dim] = [1] * rank
    thin = []
    for x, at in zip(axes, order, strict=True):
        shape[at] = x.shape[0]
        thin.append(reshape_variable(x, (*(1,) * at, -1, *(1,) * (rank - 1 - at))))
    return tuple(x if sparse else broadcast_variable(x, tuple(shape)) for x in thin)


@implements(np.ix_)
def ix_(*args: Any) -> tuple[Variable, ...]:
    """Indices that together name a grid of elements."""
    return meshgrid(*args, sparse=True, indexing="ij")


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Variable:
    """Choose what belongs to the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise UsageError(f"{here()}: np.select takes as many conditions as choices")
    result = as_variable(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = OPERATORS["where"](condition, choice, result)
    return result


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Variable:
    """Choose element by element, by number."""
    no_options("choose", {"out": out})
    if mode != "raise":
        raise UsageError(f"{here()}: np.choose on variables knows only mode='raise'")
    parts = OPERATORS["broadcast_arrays"](a, *choices)
    index, table = parts[0], moveaxis(OPERATORS["stack"](parts[1:]), 0, -1)
    return along_rows(table, index[..., None])[..., 0]


@implements(np.fill_diagonal)
def fill_diagonal(*_: Any, **__: Any) -> Variable:
    """Refuse: it assigns into its argument."""
    raise UsageError(
        f"{here()}: np.fill_diagonal assigns; write gc.at_set(a, np.diag_indices(n), v)"
    )


@implements(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Variable:
    """Join a second array to a first."""
    return concatenate((arr, values), axis)


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Variable:
    """Leave elements out."""
    x = reshape_variable(arr, -1) if axis is None else as_variable(arr)
    at = 0 if axis is None else normal_axis(axis, x.ndim)
    size = x.shape[at]
    if not isinstance(size, int) or isinstance(obj, Variable):
        raise UsageError(f"{here()}: np.delete on variables needs known sizes and places")
    return x[(*(slice(None),) * at, np.delete(np.arange(size), obj))]
