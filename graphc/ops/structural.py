"""Structure: reshape, slice and pad. Transposes and broadcasts are contractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Apply, Delta, Num, Sum, Symbol, Term, fresh_index, mul
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, derived
from graphc.types import Dim, Shape, TensorType, count, shape_text, size_of

Span: TypeAlias = tuple[Dim, Dim, int]  # first element, number of elements, step


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Reshape(Node):
    """The same elements in row-major order under another shape."""

    target: Shape


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Slice(Node):
    """Every `step`-th element from `first` on, `length` of them, along each axis."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pad(Node):
    """Zeros (or False) of shape `target`, with the operand at the places that `spans` name."""

    spans: tuple[Span, ...]
    target: Shape


def turned(node: Node, axis: int) -> Node:
    """Return `node` with its elements along `axis` in the other order."""
    spans: list[Span] = [(0, dim, 1) for dim in node.shape]
    spans[axis] = (node.shape[axis] - 1, node.shape[axis], -1)
    made: Node = Slice((node,), tuple(spans))
    return made


def reshape(node: Node, shape: Shape) -> Node:
    """Return `node` under `shape`; no node is made where nothing changes."""
    if node.shape == shape:
        return node
    if isinstance(node, Reshape):
        return reshape(node.args[0], shape)
    made: Node = Reshape((node,), shape)
    return made


def _reshape_type(node: Reshape) -> TensorType:
    (x,) = node.args
    if size_of(x.shape) != size_of(node.target):
        raise ShapeError(
            f"cannot reshape {shape_text(x.shape)} into {shape_text(node.target)}: "
            f"{size_of(x.shape)} elements against {size_of(node.target)}"
        )
    return TensorType(node.target, x.kind)


def _reshape_batch(node: Reshape, args: Sequence[Node], _: object, size: Dim) -> Node:
    return reshape(args[0], (size, *node.target))


def _reshape_meaning(node: Reshape, indices: Indices, element: Element) -> Term:
    """Axes of size 1 come and go; else the flat position, taken apart again."""
    (x,) = node.args
    matched = match_axes(x.shape, node.target)
    if matched is not None:
        return element(0, tuple(Num(0) if m is None else indices[m] for m in matched))
    if any(not isinstance(dim, int) for dim in (*x.shape, *node.target)):
        raise FormulaError("a reshape that merges or splits named sizes has no index form yet")
    flat: Term = Num(0)
    for dim, index in zip(node.target, indices, strict=True):
        flat = mul(flat, Num(dim)) + index  # type: ignore[arg-type]
    parts: list[Term] = []
    for dim in reversed(x.shape):
        parts.append(Apply("remainder", (flat, Num(dim))))  # type: ignore[arg-type]
        flat = Apply("floor_divide", (flat, Num(dim)))  # type: ignore[arg-type]
    return element(0, tuple(reversed(parts)))


def match_axes(old: Shape, new: Shape) -> list[int | None] | None:
    """Return the new axis of each old one where only axes of size 1 differ, else None."""
    axes = [a for a, dim in enumerate(new) if dim != 1]
    if [dim for dim in old if dim != 1] != [new[a] for a in axes]:
        return None
    rest = iter(axes)
    return [None if dim == 1 else next(rest) for dim in old]


def concrete(shape: Sequence[Dim], sizes: Sizes) -> tuple[int, ...]:
    """Return `shape` with all named sizes put in."""
    return tuple(count(dim, sizes) for dim in shape)


def _positions(spans: Sequence[Span], sizes: Sizes) -> tuple[np.ndarray[Any, Any], ...]:
    runs = [
        count(first, sizes) + step * np.arange(count(length, sizes))
        for first, length, step in spans
    ]
    return np.ix_(*runs)


def _slice_type(node: Slice) -> TensorType:
    (x,) = node.args
    if len(node.spans) != x.type.rank:
        raise ShapeError(f"{len(node.spans)} slices for an array of shape {shape_text(x.shape)}")
    return TensorType(tuple(length for _, length, _ in node.spans), x.kind)


def _along(spans: Sequence[Span], indices: Sequence[Term]) -> Indices:
    result = []
    for (first, _, step), index in zip(spans, indices, strict=True):
        if not isinstance(first, int):
            raise FormulaError("a slice that starts at a named size has no index form yet")
        result.append(mul(Num(step), index) + first)
    return tuple(result)


def _whole(size: Dim) -> Span:
    return (0, size, 1)


def _pad_type(node: Pad) -> TensorType:
    (x,) = node.args
    if tuple(length for _, length, _ in node.spans) != x.shape:
        raise ShapeError(f"spans {node.spans} do not hold an array of shape {shape_text(x.shape)}")
    return TensorType(node.target, x.kind)


def _pad_meaning(node: Pad, indices: Indices, element: Element) -> Term:
    """Sum over the operand's places, of which at most one is the one asked for."""
    own: list[Term] = []
    bound: list[tuple[Symbol, Dim]] = []
    factors: list[Term] = []
    for (first, length, step), dim, index in zip(node.spans, node.target, indices, strict=True):
        if (first, length, step) == _whole(dim):
            own.append(index)
            continue
        if not isinstance(first, int):
            raise FormulaError("padding by a named size has no index form yet")
        place = fresh_index()
        own.append(place)
        bound.append((place, length))
        factors.append(Delta(index, mul(Num(step), place) + first))
    term = mul(*factors, element(0, tuple(own)))
    for place, length in reversed(bound):
        term = Sum(place, length, term)
    return term


def _pad_evaluate(node: Pad, values: Sequence[Any], sizes: Sizes) -> Any:
    result = np.zeros(concrete(node.target, sizes), values[0].dtype)
    result[_positions(node.spans, sizes)] = values[0]
    return result


def _slice_batch(node: Slice, args: Sequence[Node], _: object, size: Dim) -> Node:
    made: Node = Slice((args[0],), (_whole(size), *node.spans))
    return made


def _pad_batch(node: Pad, args: Sequence[Node], _: object, size: Dim) -> Node:
    made: Node = Pad((args[0],), (_whole(size), *node.spans), (size, *node.target))
    return made


define(
    Reshape,
    type=_reshape_type,
    cuts=cuts_discrete,
    vjp=lambda node, i, g: reshape(g, node.args[0].shape),
    jvp=derived,
    batch=_reshape_batch,
    meaning=_reshape_meaning,
    evaluate=lambda node, values, sizes: values[0].reshape(concrete(node.target, sizes)),
)
define(
    Slice,
    type=_slice_type,
    cuts=cuts_discrete,
    vjp=lambda node, i, g: Pad((g,), node.spans, node.args[0].shape),
    jvp=derived,
    batch=_slice_batch,
    meaning=lambda node, indices, element: element(0, _along(node.spans, indices)),
    evaluate=lambda node, values, sizes: values[0][_positions(node.spans, sizes)],
)
define(
    Pad,
    type=_pad_type,
    cuts=cuts_discrete,
    vjp=lambda node, i, g: Slice((g,), node.spans),
    jvp=derived,
    batch=_pad_batch,
    meaning=_pad_meaning,
    evaluate=_pad_evaluate,
)
