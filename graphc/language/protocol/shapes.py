"""Shapes: reshape, transpose, join, broadcast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.declare import parse_shape
from graphc.language.protocol.tables import FUNCTIONS, as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.contraction import broadcast_to, transpose
from graphc.ops.elementwise import as_real
from graphc.ops.joining import concatenate as concatenate_nodes
from graphc.ops.structural import reshape
from graphc.types import (
    Dimension,
    Shape,
    broadcast,
    floor_divide,
    normal_axes,
    normal_axis,
    promote,
    shape_text,
    size_of,
)


def reshape_variable(a: Any, shape: Any, order: str = "C", *, copy: Any = None) -> Variable:
    """Reshape; one size may be -1, named sizes stay as they are."""
    if order not in ("C", "F", "A"):
        raise UsageError(f"{here()}: the order of reshape is 'C' or 'F', not {order!r}")
    if order == "F":  # the first axis changes fastest
        target = _completed(shape, as_variable(a).shape)
        return _transposed(reshape_variable(_transposed(a), target[::-1]))

    def make(node: Node) -> Node:
        return reshape(node, _completed(shape, node.shape))

    return build("reshape", make, (a,))


def _completed(shape: Any, old: Shape) -> Shape:
    """Return a new shape as users write it, -1 replaced by what is left over of `old`."""
    single = isinstance(shape, int | float | np.number | str | Dimension)
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
    return reshape_variable(a, -1, "C" if order == "K" else order)


def _transposed(a: Any, axes: Any = None) -> Variable:
    def make(node: Node) -> Node:
        rank = node.type.rank
        order = tuple(reversed(range(rank))) if axes is None else tuple(axes)
        if sorted(a % rank if rank else a for a in order) != list(range(rank)):
            raise ShapeError(f"axes {order} do not name each of {rank} axes once")
        return transpose(node, tuple(a % rank for a in order))

    return build("transpose", make, (a,))


FUNCTIONS[np.transpose] = FUNCTIONS[np.permute_dims] = OPERATORS["transpose"] = _transposed


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Variable:
    """Insert axes of size 1."""

    def make(node: Node) -> Node:
        count = 1 if isinstance(axis, int | np.integer) else len(axis)
        at = normal_axes(axis, node.type.rank + count)
        rest = iter(node.shape)
        return reshape(
            node, tuple(1 if k in at else next(rest) for k in range(node.type.rank + count))
        )

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


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, axis: int | None = 0, **rest: Any) -> Variable:
    """Join along an axis that all have; ``None`` flattens first."""
    no_options("concatenate", rest)
    parts = tuple(arrays)
    if axis is None:
        parts, axis = tuple(reshape_variable(part, -1) for part in parts), 0
    return build("concatenate", lambda *nodes: joined(nodes, axis), parts)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, **rest: Any) -> Variable:
    """Join along a new axis."""
    no_options("stack", rest)

    def make(*nodes: Node) -> Node:
        at = normal_axis(axis, nodes[0].type.rank + 1)
        return joined([reshape(n, (*n.shape[:at], 1, *n.shape[at:])) for n in nodes], at)

    return build("stack", make, tuple(arrays))


def joined(nodes: Sequence[Node], axis: int) -> Node:
    """Return nodes one after the other, made one kind as NumPy promotes."""
    if not nodes:
        raise ShapeError("there is nothing to join")
    if not nodes[0].shape:
        raise ShapeError("numbers cannot be joined along an axis; np.stack gives them one")
    at = normal_axis(axis, nodes[0].type.rank)
    kind = promote(node.kind for node in nodes)
    if kind == "real":
        nodes = [as_real(node) for node in nodes]
    elif kind == "integer":
        nodes = [as_number(node) for node in nodes]
    return concatenate_nodes(nodes, at)


@implements(np.broadcast_to)
def broadcast_variable(array: Any, shape: Any, **rest: Any) -> Variable:
    """Broadcast to a shape."""
    no_options("broadcast_to", {k: v for k, v in rest.items() if v})
    target = _completed(shape, ())

    def make(node: Node) -> Node:
        if broadcast(node.shape, target) != target:
            raise ShapeError(f"{shape_text(node.shape)} does not broadcast to {shape_text(target)}")
        return broadcast_to(node, target)

    return build("broadcast_to", make, (array,))


def _moved(a: Any, order: Callable[[int], Sequence[int]]) -> Variable:
    return build("transpose", lambda node: transpose(node, order(node.type.rank)), (a,))


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Variable:
    """Move axes to other places, the others in their order."""

    def order(rank: int) -> list[int]:
        sources, targets = (
            [normal_axis(int(k), rank) for k in ([axes] if isinstance(axes, int) else axes)]
            for axes in (source, destination)
        )
        if len(sources) != len(targets) or any(len(set(k)) < len(k) for k in (sources, targets)):
            raise ShapeError(f"moveaxis moves as many different axes as places: {source} to "
                             f"{destination}")  # fmt: skip
        found = [k for k in range(rank) if k not in sources]
        for target, axis in sorted(zip(targets, sources, strict=True)):
            found.insert(target, axis)
        return found

    return _moved(a, order)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Variable:
    """Exchange two axes."""

    def order(rank: int) -> list[int]:
        found = list(range(rank))
        one, other = normal_axis(axis1, rank), normal_axis(axis2, rank)
        found[one], found[other] = other, one
        return found

    return _moved(a, order)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Variable:
    """Move an axis backwards until it lies before another."""

    def order(rank: int) -> list[int]:
        at = normal_axis(axis, rank)
        before = start + rank if start < 0 else start
        if not 0 <= before <= rank:
            raise ShapeError(f"start {start} is out of range for an array with {rank} axes")
        found = [k for k in range(rank) if k != at]
        found.insert(before - (at < before), at)
        return found

    return _moved(a, order)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Variable:
    """Exchange the last two axes."""
    if as_variable(x).ndim < 2:
        raise ShapeError(f"{here()}: matrix_transpose takes matrices")
    return swapaxes(x, -1, -2)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Variable, ...]:
    """Broadcast arrays against each other."""
    arrays = [as_variable(value) for value in args]
    shape = broadcast(*(array.shape for array in arrays))
    return tuple(broadcast_variable(array, shape) for array in arrays)


def _at_least(rank: int) -> Callable[..., Any]:
    def atleast(*arys: Any) -> Any:
        found = []
        for value in arys:
            a = as_variable(value)
            front, back = max(rank - a.ndim, 0), 0
            if rank == 3 and a.ndim in (1, 2):
                front, back = (1, 1) if a.ndim == 1 else (0, 1)
            found.append(reshape_variable(a, (*(1,) * front, *a.shape, *(1,) * back)))
        return found[0] if len(found) == 1 else tuple(found)

    atleast.__name__ = f"atleast_{rank}d"
    return atleast


implements(np.atleast_1d)(_at_least(1))
implements(np.atleast_2d)(_at_least(2))
implements(np.atleast_3d)(_at_least(3))


def _stacked(name: str, rank: int, axis: int) -> Callable[..., Variable]:
    def join(tup: Any, **rest: Any) -> Variable:
        no_options(name, rest)
        parts = [OPERATORS[f"atleast_{rank}d"](part) for part in tup]
        return concatenate(parts, axis if axis < parts[0].ndim else 0)

    join.__name__ = name
    return join


implements(np.vstack)(_stacked("vstack", 2, 0))
implements(np.hstack)(_stacked("hstack", 1, 1))
implements(np.dstack)(_stacked("dstack", 3, 2))


@implements(np.column_stack)
def column_stack(tup: Any) -> Variable:
    """Join vectors as columns, and matrices beside them."""
    parts = [as_variable(part) for part in tup]
    return concatenate([reshape_variable(p, (-1, 1)) if p.ndim < 2 else p for p in parts], 1)


@implements(np.block)
def block(arrays: Any) -> Variable:
    """Join nested lists of blocks: the innermost along the last axis."""

    def depth(part: Any) -> int:
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    def leaves(part: Any) -> Iterator[Variable]:
        if isinstance(part, list):
            for inner in part:
                yield from leaves(inner)
        else:
            yield as_variable(part)

    levels = depth(arrays)
    rank = max(levels, *(leaf.ndim for leaf in leaves(arrays)))

    def assembled(part: Any, level: int) -> Variable:
        if not isinstance(part, list):
            a = as_variable(part)
            return reshape_variable(a, (*(1,) * (rank - a.ndim), *a.shape))
        inner = [assembled(one, level - 1) for one in part]
        return concatenate(inner, rank - level)

    return assembled(arrays, levels)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Variable]:
    """Split along an axis: into so many parts, or at places."""
    a = as_variable(ary)
    at = normal_axis(axis, a.ndim)
    size = a.shape[at]
    edges: list[Any]
    if isinstance(indices_or_sections, int | np.integer):
        count = int(indices_or_sections)
        if count < 1:
            raise ShapeError(f"{here()}: an array is split into at least one part, not {count}")
        if isinstance(size, int):
            long, rest = size % count, size // count
            edges = np.cumsum([0, *[rest + 1] * long, *[rest] * (count - long)]).tolist()
        else:
            each = floor_divide(size, count)
            if each * count != size:
                raise ShapeError(
                    f"{here()}: whether {count} parts of {size} are equal is known only when it "
                    "is called"
                )
            edges = [each * k for k in range(count + 1)]
    else:
        places = [int(k) for k in indices_or_sections]
        edges = [0, *places, None]
    front = (slice(None),) * at
    return [a[(*front, _between(one, other, size))] for one, other in pairwise(edges)]


def _between(one: Any, other: Any, size: Any) -> slice:
    return slice(one if one != 0 else None, None if other is None or other == size else other)


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Variable]:
    """Split along an axis into equal parts, or at places."""
    size = as_variable(ary).shape[normal_axis(axis, as_variable(ary).ndim)]
    whole = isinstance(indices_or_sections, int | np.integer)
    if whole and isinstance(size, int) and size % int(indices_or_sections):
        raise ShapeError(
            f"{here()}: {size} elements do not split into {indices_or_sections} equal parts; "
            "np.array_split makes unequal ones"
        )
    return array_split(ary, indices_or_sections, axis)


def _split_along(name: str, axis: int) -> Callable[..., list[Variable]]:
    def apart(ary: Any, indices_or_sections: Any) -> list[Variable]:
        return split(
            ary, indices_or_sections, 0 if axis == 1 and as_variable(ary).ndim == 1 else axis
        )

    apart.__name__ = name
    return apart


for _split, _name, _axis in ((np.vsplit, "vsplit", 0), (np.hsplit, "hsplit", 1),
                             (np.dsplit, "dsplit", 2)):  # fmt: skip
    FUNCTIONS[_split] = _split_along(_name, _axis)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Variable, ...]:
    """Return the parts along an axis."""
    return tuple(moveaxis(x, axis, 0))
