"""Indexing: gather, its adjoint, an update that adds, and one that sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Delta, Sum, Term, fresh_index, mul
from graphc.ops.contraction import broadcast_to, full, transpose
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import Iota, constant
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.structural import reshape
from graphc.types import Dim, Shape, TensorType, shape_text, size_of


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Gather(Node):
    """Elements of ``args[0]`` at the places that the other operands hold, all of one shape.

    They index the axes from `axis` on. The first `batch` axes of all operands go together;
    ``axis`` ≥ ``batch``. With one index the result has the shape
    ``x.shape[:axis] + index.shape[batch:] + x.shape[axis+1:]``.
    """

    axis: int
    batch: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ScatterAdd(Node):
    """``args[0]`` plus ``args[-1]``, added at the places that Gather would read."""

    axis: int
    batch: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ScatterSet(Node):
    """``args[0]`` with ``args[-1]`` at the places that Gather would read; the last one stays."""

    axis: int
    batch: int


def gathered_shape(x: Node, indices: Sequence[Node], axis: int, batch: int) -> Shape:
    """Return the shape of what a gather reads; check that it can."""
    for index in indices:
        if index.kind != "integer":
            raise KindError(f"an index holds integers, got {index.type}")
    index = indices[0]
    fits = 0 <= batch <= axis <= x.type.rank - len(indices)
    if not fits or x.shape[:batch] != index.shape[:batch]:
        raise ShapeError(
            f"cannot index {shape_text(x.shape)} along axis {axis} with {shape_text(index.shape)}"
        )
    if any(other.shape != index.shape for other in indices):
        listed = " and ".join(shape_text(other.shape) for other in indices)
        raise ShapeError(f"indices that go together have one shape, got {listed}")
    return (*x.shape[:axis], *index.shape[batch:], *x.shape[axis + len(indices) :])


def _gather_type(node: Gather) -> TensorType:
    x, *indices = node.args
    return TensorType(gathered_shape(x, indices, node.axis, node.batch), x.kind)


def _gather_vjp(node: Gather, i: int, g: Node) -> Node:
    x, *indices = node.args
    made: Node = ScatterAdd((full(0.0, x.shape), *indices, g), node.axis, node.batch)
    return made


def _gather_batch(node: Gather, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    x, *indices = args
    if not any(batched[1:]) and node.batch == 0:
        moved: Node = Gather(tuple(args), node.axis + 1, 0)
        return moved
    indices = _with_samples(indices, batched[1:], size)
    if not batched[0] and node.batch == 0:
        # The sample axis comes with the indices, in place of `axis`; bring it to the front.
        made: Node = Gather((x, *indices), node.axis, 0)
        order = [a for a in range(made.type.rank) if a != node.axis]
        return transpose(made, (node.axis, *order))
    (x,) = _with_samples([x], batched[:1], size)
    both: Node = Gather((x, *indices), node.axis + 1, node.batch + 1)
    return both


def _with_samples(nodes: Sequence[Node], batched: Sequence[bool], size: Dim) -> list[Node]:
    """Repeat along a sample axis what has none."""
    return [
        node if flag else broadcast_to(node, (size, *node.shape))
        for node, flag in zip(nodes, batched, strict=True)
    ]


def _gather_meaning(node: Gather, indices: Indices, element: Element) -> Term:
    held = len(node.args) - 1
    count = node.args[1].type.rank - node.batch
    own = indices[: node.batch] + indices[node.axis : node.axis + count]
    places = [element(k, own) for k in range(1, held + 1)]
    return element(0, (*indices[: node.axis], *places, *indices[node.axis + count :]))


def places(indices: Sequence[Any], shape: Sequence[int], axis: int, batch: int) -> tuple[Any, ...]:
    """Return index arrays that read from an array of `shape` what a gather reads."""
    held = len(indices)
    rest = len(shape) - axis - held
    inner = axis - batch
    count = indices[0].ndim - batch
    rank = axis + count + rest
    result = []
    for a, dim in enumerate(shape):
        if axis <= a < axis + held:
            index = indices[a - axis]
            spread = index.reshape(index.shape[:batch] + (1,) * inner + index.shape[batch:])
            result.append(spread.reshape(spread.shape + (1,) * rest))
        else:
            where = a if a < axis else a - held + count
            result.append(np.arange(dim).reshape((-1,) + (1,) * (rank - where - 1)))
    return tuple(result)


def _gather_evaluate(node: Gather, values: Sequence[Any], sizes: Sizes) -> Any:
    x, *indices = values
    return x[places(indices, x.shape, node.axis, node.batch)]


def _scatter_type(node: ScatterAdd | ScatterSet) -> TensorType:
    base, *indices, update = node.args
    shape = gathered_shape(base, indices, node.axis, node.batch)
    if update.shape != shape or base.kind != update.kind:
        raise ShapeError(f"cannot put {update.type} where {shape_text(shape)} is read")
    return base.type


def _add_vjp(node: ScatterAdd, i: int, g: Node) -> Node:
    return g if i == 0 else _read(g, node)


def _read(x: Node, node: ScatterAdd | ScatterSet) -> Node:
    """Return what `x` holds where a scatter writes."""
    made: Node = Gather((x, *node.args[1:-1]), node.axis, node.batch)
    return made


def _set_vjp(node: ScatterSet, i: int, g: Node) -> Node:
    _, *indices, update = node.args
    if i == 0:
        zeros = full(0.0, update.shape)
        made: Node = ScatterSet((g, *indices, zeros), node.axis, node.batch)
        return made
    # Of several elements set at one place only the last one stays, and gets a cotangent.
    numbers = _numbered(update.shape)
    base = broadcast_to(constant(0), node.shape)
    stays: Node = ScatterSet((base, *indices, numbers), node.axis, node.batch)
    mask: Node = Elementwise((_read(stays, node), numbers), "equal")
    kept: Node = Elementwise((mask, _read(g, node), constant(0.0)), "where")
    return kept


def _numbered(shape: Shape) -> Node:
    """Return the integers 0, 1, 2, ... in an array of `shape`."""
    return reshape(Iota((), size_of(shape)), shape)


def _scatter_batch(
    node: ScatterAdd | ScatterSet, args: Sequence[Node], batched: Sequence[bool], size: Dim
) -> Node:
    if not any(batched[1:-1]) and node.batch == 0:
        base, update = _with_samples([args[0], args[-1]], [batched[0], batched[-1]], size)
        moved: Node = type(node)((base, *args[1:-1], update), node.axis + 1, 0)
        return moved
    whole = _with_samples(args, batched, size)
    made: Node = type(node)(tuple(whole), node.axis + 1, node.batch + 1)
    return made


def _add_meaning(node: ScatterAdd, indices: Indices, element: Element) -> Term:
    """Add, of all places that the indices hold, those that are the one asked for."""
    first, last = node.args[1], len(node.args) - 1
    bound = [(fresh_index(), dim) for dim in first.shape[node.batch :]]
    places = tuple(index for index, _ in bound)
    behind = node.axis + last - 1
    factors = [
        Delta(indices[node.axis + k], element(1 + k, (*indices[: node.batch], *places)))
        for k in range(last - 1)
    ]
    update = element(last, (*indices[: node.axis], *places, *indices[behind:]))
    term = mul(*factors, update)
    for index, dim in reversed(bound):
        term = Sum(index, dim, term)
    return element(0, indices) + term


def _set_meaning(node: ScatterSet, indices: Indices, element: Element) -> Term:
    raise FormulaError("setting elements has no index form, for the last of several stays")


def _add_evaluate(node: ScatterAdd, values: Sequence[Any], sizes: Sizes) -> Any:
    base, *indices, update = values
    result = np.array(base)
    np.add.at(result, places(indices, base.shape, node.axis, node.batch), update)
    return result


def _set_evaluate(node: ScatterSet, values: Sequence[Any], sizes: Sizes) -> Any:
    base, *indices, update = values
    result = np.array(base)
    result[places(indices, base.shape, node.axis, node.batch)] = update
    return result


def _cuts(node: Node, i: int) -> bool:
    return node.kind != "real" or node.args[i].kind != "real"


define(
    Gather,
    type=_gather_type,
    cuts=_cuts,
    vjp=_gather_vjp,
    jvp=derived,
    batch=_gather_batch,
    meaning=_gather_meaning,
    evaluate=_gather_evaluate,
)
define(
    ScatterAdd,
    type=_scatter_type,
    cuts=_cuts,
    vjp=_add_vjp,
    jvp=derived,
    batch=_scatter_batch,
    meaning=_add_meaning,
    evaluate=_add_evaluate,
)
define(
    ScatterSet,
    type=_scatter_type,
    cuts=_cuts,
    vjp=_set_vjp,
    jvp=derived,
    batch=_scatter_batch,
    meaning=_set_meaning,
    evaluate=_set_evaluate,
)
