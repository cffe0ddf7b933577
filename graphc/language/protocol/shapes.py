"""Shapes: reshape, transpose, join, broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.declare import parse_shape
from graphc.language.protocol.tables import FUNCTIONS, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, build
from graphc.ops.contraction import broadcast_to, transpose
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.structural import Pad, Span, reshape
from graphc.types import (
    Dim,
    Dimension,
    Shape,
    broadcast,
    floor_divide,
    normal_axes,
    normal_axis,
    promote,
    size_of,
)


def reshape_variable(a: Any, shape: Any, order: str = "C") -> Variable:
    """Reshape; one size may be -1, named sizes stay as they are."""
    if order != "C":
        raise UsageError(f"{here()}: reshape on variables knows only order='C'")

    def make(node: Node) -> Node:
        return reshape(node, _completed(shape, node.shape))

    return build("reshape", make, (a,))


def _completed(shape: Any, old: Shape) -> Shape:
    """Return a new shape as users write it, -1 replaced by what is left over of `old`."""
    single = isinstance(shape, int | np.integer | str | Dimension)
    sizes = [shape] if single else list(shape)
    unknown = [
        i for i, size in enumerate(sizes) if isinstance(size, int | np.integer) and size == -1
    ]
    if len(unknown) > 1:
        raise ShapeError(f"only one size can be -1, got {tuple(sizes)}")
    dims = list(parse_shape(1 if i in unknown else size for i, size in enumerate(sizes)))
    if unknown:
        dims[unknown[0]] = floor_divide(size_of(old), size_of(dims))
    return tuple(dims)


FUNCTIONS[np.reshape] = OPERATORS["reshape"] = reshape_variable


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Variable:
    """Flatten."""
    return reshape_variable(a, -1, order)


def _transposed(a: Any, axes: Any = None) -> Variable:
    def make(node: Node) -> Node:
        rank = node.type.rank
        order = tuple(reversed(range(rank))) if axes is None else tuple(axes)
        if sorted(a % rank if rank else a for a in order) != list(range(rank)):
            raise ShapeError(f"axes {order} do not name each of {rank} axes once")
        return transpose(node, tuple(a % rank for a in order))

    return build("transpose", make, (a,))


FUNCTIONS[np.transpose] = OPERATORS["transpose"] = _transposed


@implements(np.expand_dims)
def expand_dims(a: Any, axis: int) -> Variable:
    """Insert an axis of size 1."""

    def make(node: Node) -> Node:
        at = axis % (node.type.rank + 1)
        return reshape(node, (*node.shape[:at], 1, *node.shape[at:]))

    return build("expand_dims", make, (a,))


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Variable:
    """Remove axes of size 1."""

    def make(node: Node) -> Node:
        ones = [i for i, dim in enumerate(node.shape) if dim == 1]
        axes = ones if axis is None else normal_axes(axis, node.type.rank)
        if not set(axes) <= set(ones):
            raise ShapeError(f"cannot squeeze axes {axis} of an array of shape {node.shape}")
        return reshape(node, tuple(d for i, d in enumerate(node.shape) if i not in axes))

    return build("squeeze", make, (a,))


@implements(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0, **rest: Any) -> Variable:
    """Join along an axis that all have; ``None`` flattens first."""
    no_options("concatenate", rest)
    parts = tuple(arrays)
    if axis is None:
        parts, axis = tuple(reshape_variable(part, -1) for part in parts), 0
    return build("concatenate", lambda *nodes: _joined(nodes, axis), parts)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, **rest: Any) -> Variable:
    """Join along a new axis."""
    no_options("stack", rest)

    def make(*nodes: Node) -> Node:
        at = normal_axis(axis, nodes[0].type.rank + 1)
        return _joined([reshape(n, (*n.shape[:at], 1, *n.shape[at:])) for n in nodes], at)

    return build("stack", make, tuple(arrays))


def _joined(nodes: Sequence[Node], axis: int) -> Node:
    """Return the sum of all parts, each padded to the whole."""
    at = normal_axis(axis, nodes[0].type.rank)
    if promote(node.kind for node in nodes) == "real":
        nodes = [as_real(node) for node in nodes]
    others = {(*node.shape[:at], *node.shape[at + 1 :]) for node in nodes}
    if len(others) > 1 or any(node.type.rank != nodes[0].type.rank for node in nodes):
        raise ShapeError(f"the shapes differ in more than axis {at}")
    start: Dim = 0
    parts: list[Node] = []
    length = reduce(lambda n, node: n + node.shape[at], nodes, start)
    for node in nodes:
        spans: list[Span] = [(0, dim, 1) for dim in node.shape]
        spans[at] = (start, node.shape[at], 1)
        whole = (*node.shape[:at], length, *node.shape[at + 1 :])
        parts.append(Pad((node,), tuple(spans), whole))
        start = start + node.shape[at]
    return reduce(lambda a, b: elementwise("add", a, b), parts)


@implements(np.broadcast_to)
def broadcast_variable(array: Any, shape: Any, **rest: Any) -> Variable:
    """Broadcast to a shape."""
    no_options("broadcast_to", {k: v for k, v in rest.items() if v})
    target = _completed(shape, ())

    def make(node: Node) -> Node:
        if broadcast(node.shape, target) != target:
            raise ShapeError(f"cannot broadcast to {target}")
        return broadcast_to(node, target)

    return build("broadcast_to", make, (array,))
