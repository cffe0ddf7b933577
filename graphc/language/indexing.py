"""Indexing with NumPy's meaning: what ``x[1:, None, [0, 2]]`` builds, and updates of such parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.source import here
from graphc.language.variable import Variable, as_variable, build
from graphc.ops.contraction import Contraction, broadcast_to, full, transpose
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.leaves import Constant, constant, new_input
from graphc.ops.structural import Pad, Reshape, Slice, Span, reshape
from graphc.types import Dim, Dimension, Shape, broadcast, shape_text


@dataclass(frozen=True, slots=True)
class Selection:
    """A key taken apart.

    Parameters
    ----------
    spans
        What is read along each axis of the array.
    dropped
        The axes that an integer reads one element of.
    picked
        The axes that arrays of integers index, and these arrays.
    order
        What the axes of the result are: an axis of the array, ``None`` for a new one, and
        `PICKED` for all those of the arrays.
    """

    spans: tuple[Span, ...]
    dropped: tuple[int, ...]
    picked: tuple[tuple[int, Node], ...]
    order: tuple[int | None, ...]


PICKED = -1


def index(variable: Variable, key: Any) -> Variable:
    """Return a part of a variable: slices, integers, arrays and variables of integers, masks."""
    parts = _parts(key)
    return build("index", lambda node, *_: read(node, parts), (variable, *_variables(parts)))


def at_set(x: Any, key: Any, value: Any) -> Variable:
    """Return `x` with ``x[key]`` replaced by `value`: what ``x[key] = value`` does to arrays.

    Parameters
    ----------
    x
        A variable.
    key
        What one would write in brackets.
    value
        Broadcasts against ``x[key]``. Of several values for one element the last one stays, and
        it alone gets a derivative.

    Examples
    --------
    >>> from graphc.language.declare import observed
    >>> at_set(observed("x", shape=4), slice(1, 3), 0.0)
    <expression at_set: real (4,)>
    """
    return _updated("at_set", x, key, value, _set)


def at_add(x: Any, key: Any, value: Any) -> Variable:
    """Return `x` with `value` added at ``x[key]``, as often as the key names an element.

    Parameters
    ----------
    x
        A variable.
    key
        What one would write in brackets.
    value
        Broadcasts against ``x[key]``.

    Examples
    --------
    >>> from graphc.language.declare import observed
    >>> at_add(observed("x", shape=4), [0, 0, 2], 1.0)
    <expression at_add: real (4,)>
    """
    return _updated("at_add", x, key, value, _add)


def _updated(operation: str, x: Any, key: Any, value: Any, update: Any) -> Variable:
    parts = _parts(key)

    def make(node: Node, new: Node, *_: Node) -> Node:
        if node.kind != new.kind:
            if node.kind != "real":
                raise KindError(f"cannot put {new.kind} numbers into an array of {node.kind} ones")
            new = as_real(new)
        leaf = new_input(node.type)
        path = _path(read(leaf, parts), leaf)
        target = path[-1].shape if path else node.shape
        if len(new.shape) > len(target) or broadcast(new.shape, target) != target:
            raise ShapeError(f"{shape_text(new.shape)} does not fit into {shape_text(target)}")
        made: Node = update(node, path, broadcast_to(new, target))
        return made

    return build(operation, make, (x, value, *_variables(parts)))


def _path(node: Node, leaf: Node) -> list[Node]:
    """Return the nodes from `leaf` to `node`, which each read from the one before."""
    path: list[Node] = []
    while node is not leaf:
        path.append(node)
        node = node.args[0]
    return path[::-1]


def _set(base: Node, path: Sequence[Node], new: Node) -> Node:
    """Return `base` with `new` where the path leads."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, Slice):
        inner = _set(Slice((base,), step.spans), rest, new)
        there = broadcast_to(constant(True), inner.shape)
        mask, put = (Pad((part,), step.spans, base.shape) for part in (there, inner))
        return elementwise("where", mask, put, base)
    if isinstance(step, Gather):
        made: Node = ScatterSet((base, *step.args[1:], _back(rest, new)), step.axis, step.batch)
        return made
    return _undone(step, _set(_redone(step, base), rest, new))


def _add(base: Node, path: Sequence[Node], new: Node) -> Node:
    """Return `base` with `new` added where the path leads."""
    if path and isinstance(path[0], Gather):
        step = path[0]
        places = step.args[1:]
        made: Node = ScatterAdd((base, *places, _back(path[1:], new)), step.axis, step.batch)
        return made
    return elementwise("add", base, _back(path, new))


def _back(path: Sequence[Node], new: Node) -> Node:
    """Return zeros with `new` added where the path leads."""
    for step in reversed(path):
        if isinstance(step, Slice):
            padded: Node = Pad((new,), step.spans, step.args[0].shape)
            new = padded
        elif isinstance(step, Gather):
            zeros = _zeros(step.args[0].shape, new)
            added: Node = ScatterAdd((zeros, *step.args[1:], new), step.axis, step.batch)
            new = added
        else:
            new = _undone(step, new)
    return new


def _zeros(shape: Shape, like: Node) -> Node:
    return full(0.0, shape) if like.kind == "real" else broadcast_to(constant(0), shape)


def _redone(step: Node, base: Node) -> Node:
    """Return `base` reshaped or moved as `step` does it."""
    if isinstance(step, Reshape):
        return reshape(base, step.target)
    assert isinstance(step, Contraction)
    return transpose(base, [step.inputs[0].index(label) for label in step.output])


def _undone(step: Node, new: Node) -> Node:
    if isinstance(step, Reshape):
        return reshape(new, step.args[0].shape)
    assert isinstance(step, Contraction)
    return transpose(new, [step.output.index(label) for label in step.inputs[0]])


def _parts(key: Any) -> tuple[Any, ...]:
    """Return a key as a tuple, its arrays as variables."""
    parts = key if isinstance(key, tuple) else (key,)
    found: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray | list | range) or (isinstance(part, tuple) and part):
            part = _array(part)
        if isinstance(part, Variable) and part.kind == "boolean":
            found.extend(_places(part))
        else:
            found.append(part)
    return tuple(found)


def _array(part: Any) -> Variable:
    array = as_variable(np.zeros(0, int) if isinstance(part, list) and not part else part)
    if array.kind == "real":
        raise KindError(f"{here()}: an index holds integers or booleans, not real numbers")
    return array


def _places(mask: Variable) -> list[Any]:
    """Return where a constant mask is true: an array of integers for each of its axes."""
    if not isinstance(mask.node, Constant) or not mask.shape:
        raise KindError(
            f"{here()}: {mask.describe()} is boolean, and how much a mask selects is known "
            "only when it is computed; write np.where(mask, x, 0) instead"
        )
    value = mask.node.value
    return [_Mask(n, size) for n, size in zip(value.nonzero(), value.shape, strict=True)]


class _Mask(Variable):
    """The places along one axis where a mask is true, and how long that axis must be."""

    __slots__ = ("length",)

    def __init__(self, places: Any, size: int) -> None:
        array = as_variable(places)
        super().__init__(array.node, declaration=array.declaration)
        self.length = size


def _variables(parts: Sequence[Any]) -> list[Variable]:
    return [part for part in parts if isinstance(part, Variable)]


def read(node: Node, parts: tuple[Any, ...]) -> Node:
    """Return what a key reads from a node."""
    found = select(parts, node.shape)
    if found.spans != tuple((0, dim, 1) for dim in node.shape):
        node = Slice((node,), found.spans)
    axes = [axis for axis in range(node.type.rank) if axis not in found.dropped]
    node = reshape(node, tuple(node.shape[axis] for axis in axes))
    order = [part for part in found.order if part is not None]
    if found.picked:
        node, axes = _picked(node, axes, found.picked)
        count = len(found.picked[0][1].shape) if len(found.picked) == 1 else None
        width = count if count is not None else node.type.rank - len(axes) + 1
        at = axes.index(PICKED)
        places: dict[int, list[int]] = {}
        for i, axis in enumerate(axes):
            first = i if i <= at else i + width - 1
            places[axis] = list(range(first, first + (width if axis == PICKED else 1)))
        node = transpose(node, [place for axis in order for place in places[axis]])
    else:
        width = 0
    shape: list[Dim] = []
    rest = iter(node.shape)
    for part in found.order:
        if part is None:
            shape.append(1)
        else:
            shape.extend(next(rest) for _ in range(width if part == PICKED else 1))
    return reshape(node, tuple(shape))


def _picked(
    node: Node, axes: list[int], picked: Sequence[tuple[int, Node]]
) -> tuple[Node, list[int]]:
    """Read the places that arrays name; return the result and what its axes are."""
    shape = broadcast(*(places.shape for _, places in picked))
    indices = [broadcast_to(places, shape) for _, places in picked]
    at = [axes.index(axis) for axis, _ in picked]
    rest = [axis for axis in axes if axis not in dict(picked)]
    if at != list(range(at[0], at[0] + len(at))):
        node = transpose(node, [*at, *(axes.index(axis) for axis in rest)])
        at = list(range(len(at)))
    made: Node = Gather((node, *indices), at[0], 0)
    return made, [*rest[: at[0]], PICKED, *rest[at[0] :]]


def select(parts: tuple[Any, ...], shape: tuple[Dim, ...]) -> Selection:
    """Take a key apart for an array of `shape`."""
    used = len([p for p in parts if p is not None and p is not Ellipsis])
    if used > len(shape):
        raise ShapeError(f"{used} indices for an array of shape {shape_text(shape)}")
    if sum(p is Ellipsis for p in parts) > 1:
        raise UsageError("an index has one '...' at most")
    if not any(p is Ellipsis for p in parts):
        parts = (*parts, Ellipsis)
    spans: list[Span] = []
    dropped: list[int] = []
    picked: list[tuple[int, Node]] = []
    order: list[int | None] = []
    first: int | None = None  # where in the result the axes of the arrays stand
    for part in parts:
        axis = len(spans)
        if part is None:
            order.append(None)
        elif part is Ellipsis:
            for dim in shape[axis : axis + len(shape) - used]:
                order.append(len(spans))
                spans.append((0, dim, 1))
        elif isinstance(part, slice):
            order.append(axis)
            spans.append(span(part, shape[axis]))
        else:
            first = len(order) if first is None else first
            if isinstance(part, Variable):
                picked.append((axis, _checked(part, axis, shape)))
                spans.append((0, shape[axis], 1))
            elif isinstance(part, int | np.integer) and not isinstance(part, bool | np.timedelta64):
                dropped.append(axis)
                spans.append((_position(int(part), shape[axis]), 1, 1))
            else:
                raise UsageError(f"cannot index with {part!r}")
    if picked:
        order.insert(0 if _are_apart(parts) else first or 0, PICKED)
    return Selection(tuple(spans), tuple(dropped), tuple(picked), tuple(order))


def _are_apart(parts: tuple[Any, ...]) -> bool:
    """Return whether something stands between indices that are integers or arrays of them.

    NumPy then puts the axes of the arrays in front of all others.
    """
    at = [
        i for i, p in enumerate(parts) if not (p is None or p is Ellipsis or isinstance(p, slice))
    ]
    return bool(at) and at[-1] - at[0] >= len(at)


def _checked(part: Variable, axis: int, shape: Shape) -> Node:
    """Return an array of integers as an index; what is known of its range is checked."""
    node, dim = part.node, shape[axis]
    if node.kind != "integer":
        raise KindError(f"an index holds integers, got {node.type}")
    if isinstance(part, _Mask) and part.length != dim:
        raise ShapeError(f"a mask of size {part.length} along axis {axis} of {shape_text(shape)}")
    classes = part.declaration.classes
    if isinstance(dim, int) and classes is not None and classes > dim:
        raise ShapeError(
            f"{part.describe()} goes from 0 to {classes - 1}, and axis {axis} of "
            f"{shape_text(shape)} has {dim} elements"
        )
    if not isinstance(node, Constant) or not isinstance(dim, int):
        return node
    value = node.value
    if value.size and not (-dim <= value.min() and value.max() < dim):
        worst = value.min() if value.min() < -dim else value.max()
        raise ShapeError(f"index {worst} is out of range for an axis of size {dim}")
    return constant(np.where(value < 0, value + dim, value))


def _position(at: int, dim: Dim) -> Dim:
    if isinstance(dim, int) and not -dim <= at < dim:
        raise ShapeError(f"index {at} is out of range for an axis of size {dim}")
    return dim + at if at < 0 else at


def span(part: slice, dim: Dim) -> Span:
    """Return what a slice reads from an axis of size `dim`."""
    if part.step is not None and part.step == 0:
        raise ShapeError("the step of a slice is not 0")
    if isinstance(dim, int):
        try:
            first, last, step = part.indices(dim)
        except TypeError:
            raise UsageError(f"cannot slice with {part!r}") from None
        return (first, len(range(first, last, step)), step)
    step = 1 if part.step is None else int(part.step)
    if not all(isinstance(bound, int | Dimension | None) for bound in (part.start, part.stop)):
        raise UsageError(f"cannot slice with {part!r}")
    if step < 0:
        if part.start is not None or part.stop is not None:
            raise ShapeError(
                f"slicing an axis of the named size {dim} backwards works as a whole: "
                f"write x[a:b][::{step}]"
            )
        return (dim - 1, (dim - step - 1) // -step, step)
    start = _bound(part.start, dim, 0)
    stop = _bound(part.stop, dim, dim)
    length = stop - start
    if isinstance(part.stop, int) and part.stop > 0:
        raise ShapeError(f"whether {dim} reaches {part.stop} is known only when it is called")
    if (isinstance(part.stop, int) and part.stop == 0) or (isinstance(length, int) and length < 0):
        return (0, 0, 1)
    return (start, (length + step - 1) // step, step)


def _bound(bound: Any, dim: Dimension, default: Dim) -> Dim:
    if bound is None:
        return default
    return dim + bound if isinstance(bound, int) and bound < 0 else bound
