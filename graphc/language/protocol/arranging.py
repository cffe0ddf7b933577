"""Repeating, turning, padding, picking: functions that arrange elements anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.kinds import like
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
from graphc.ops.indexing import Gather
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


@implements(np.take)
def take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Variable:
    """Elements at places along an axis."""
    no_options("take", {"out": out})
    x = reshape_variable(a, -1) if axis is None else as_variable(a)
    at = 0 if axis is None else normal_axis(axis, x.ndim)
    places = indices if isinstance(indices, int | np.integer | Variable) else np.asarray(indices)
    places = _within(places, x.shape[at], mode, "take")
    return x[(*(slice(None),) * at, places)]


def _within(places: Any, size: Dim, mode: str, function: str) -> Any:
    """Return places that lie in an axis, as ``mode=`` brings them there."""
    if mode == "raise":
        return places
    if mode not in ("clip", "wrap") or not isinstance(size, int):
        raise UsageError(
            f"{here()}: np.{function} on variables knows mode='raise', and 'clip' and 'wrap' where "
            f"sizes are known, not {mode!r}"
        )
    return np.clip(places, 0, size - 1) if mode == "clip" else places % size


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
    parts = OPERATORS["broadcast_arrays"](_within(a, len(choices), mode, "choose"), *choices)
    index, table = parts[0], moveaxis(OPERATORS["stack"](parts[1:]), 0, -1)
    return along_rows(table, index[..., None])[..., 0]


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


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Variable:
    """Put elements before others, at known places."""
    x = reshape_variable(arr, -1) if axis is None else as_variable(arr)
    at = 0 if axis is None else normal_axis(axis, x.ndim)
    size: Any = x.shape[at]
    if not isinstance(size, int) or isinstance(obj, Variable):
        raise UsageError(f"{here()}: np.insert on variables needs known sizes and places")
    new = as_variable(values)
    new = reshape_variable(new, (*(1,) * (x.ndim - new.ndim), *new.shape))
    places = np.arange(size)[obj] if isinstance(obj, slice) else np.asarray(obj)
    if places.ndim == 0:  # one place takes all values, which lie along its first axis
        new = moveaxis(new, 0, at)
    count: Any = new.shape[at] if places.ndim == 0 or places.size == 1 else places.size
    new = broadcast_variable(new, (*x.shape[:at], count, *x.shape[at + 1 :]))
    if places.ndim == 0 or places.size == 1:
        order = np.insert(np.arange(size), int(places.reshape(())), size + np.arange(count))
    else:
        order = np.insert(np.arange(size), places, size + np.arange(count))
    return concatenate([x, new], at)[(*(slice(None),) * at, order)]


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Variable:
    """Return an array of another shape, its elements repeated as often as needed."""
    x = reshape_variable(a, -1)
    size = x.shape[0]
    shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    if not isinstance(size, int) or not all(isinstance(d, int | np.integer) for d in shape):
        raise ShapeError(f"{here()}: np.resize needs to know all sizes; np.reshape does not")
    if size == 0:
        return broadcast_variable(0.0, shape)
    return reshape_variable(x[np.arange(int(np.prod(shape))) % size], shape)


def _selected(name: str, function: Any) -> None:
    def select(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Variable:
        no_options(name, {"out": out})
        if isinstance(condition, Variable):
            raise UsageError(
                f"{here()}: how many elements np.{name} keeps must be known: np.where(condition, "
                "a, 0) keeps the shape"
            )
        chosen = np.flatnonzero(np.asarray(condition))
        return take(a, chosen, axis)

    select.__name__ = name
    implements(function)(select)


_selected("compress", np.compress)
_selected("extract", np.extract)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Variable:
    """Apply to each element the function of the last condition that holds, or the extra one.

    All of them are applied everywhere, as in :func:`numpy.where`.
    """
    v = as_variable(x)
    conditions = list(condlist) if isinstance(condlist, list | tuple) else [condlist]
    functions = list(funclist)
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise UsageError(
            f"{here()}: np.piecewise takes as many functions as conditions, or one more"
        )
    values = [f(v, *args, **kw) if callable(f) else f for f in functions]
    other = values.pop() if len(values) > len(conditions) else 0
    result = broadcast_variable(like(other, v), v.shape)
    for condition, value in zip(conditions, values, strict=True):
        result = OPERATORS["where"](condition, value, result)
    return result


def _indices_from(name: str, function: Any, make: Any) -> None:
    def indices(arr: Any, k: int = 0) -> Any:
        sizes: tuple[Any, ...] = as_variable(arr).shape
        if not all(isinstance(size, int) for size in sizes):
            raise ShapeError(f"{here()}: np.{name} needs to know the sizes {sizes}")
        return make(np.empty(sizes), k)

    indices.__name__ = name
    implements(function)(indices)
    OPERATORS.pop(name)


_indices_from("diag_indices_from", np.diag_indices_from, lambda a, k: np.diag_indices_from(a))
_indices_from("tril_indices_from", np.tril_indices_from, np.tril_indices_from)
_indices_from("triu_indices_from", np.triu_indices_from, np.triu_indices_from)


def _shifted(name: str, function: Any, sign: int) -> None:
    def shift(x: Any, axes: Any = None) -> Variable:
        v = as_variable(x)
        chosen = normal_axes(axis=axes, rank=v.ndim)
        sizes: list[Any] = [v.shape[k] for k in chosen]
        if not all(isinstance(size, int) for size in sizes):
            raise ShapeError(f"{here()}: np.fft.{name} needs to know the sizes {v.shape}")
        return roll(v, tuple(sign * (int(size) // 2) for size in sizes), chosen)

    shift.__name__ = name
    implements(function)(shift)


_shifted("fftshift", np.fft.fftshift, 1)
_shifted("ifftshift", np.fft.ifftshift, -1)
