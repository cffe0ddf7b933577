"""Indexing: gather, and its adjoint, an update that adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full, transpose
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.types import Dim, Shape, TensorType, shape_text


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Gather(Node):
    """Elements of ``args[0]`` along `axis`, at the places that ``args[1]`` holds.

    The first `batch` axes of the two go together; ``axis`` ≥ ``batch``. The result has the
    shape ``x.shape[:axis] + index.shape[batch:] + x.shape[axis+1:]``.
    """

    axis: int
    batch: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ScatterAdd(Node):
    """``args[0]`` plus ``args[2]``, added at the places of ``args[1]`` that Gather would read."""

    axis: int
    batch: int


def gathered_shape(x: Node, index: Node, axis: int, batch: int) -> Shape:
    """Return the shape of what a gather reads; check that it can."""
    if index.kind != "integer":
        raise KindError(f"an index holds integers, got {index.type}")
    if not 0 <= batch <= axis < x.type.rank or x.shape[:batch] != index.shape[:batch]:
        raise ShapeError(
            f"cannot index {shape_text(x.shape)} along axis {axis} with {shape_text(index.shape)}"
        )
    return (*x.shape[:axis], *index.shape[batch:], *x.shape[axis + 1 :])


def _gather_type(node: Gather) -> TensorType:
    x, index = node.args
    return TensorType(gathered_shape(x, index, node.axis, node.batch), x.kind)


def _gather_vjp(node: Gather, i: int, g: Node) -> Node:
    x, index = node.args
    made: Node = ScatterAdd((full(0.0, x.shape), index, g), node.axis, node.batch)
    return made


def _gather_batch(node: Gather, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    x, index = args
    if not batched[1] and node.batch == 0:
        moved: Node = Gather((x, index), node.axis + 1, 0)
        return moved
    if not batched[0] and node.batch == 0:
        # The sample axis comes with the index, in place of `axis`; bring it to the front.
        made: Node = Gather((x, index), node.axis, 0)
        order = [a for a in range(made.type.rank) if a != node.axis]
        return transpose(made, (node.axis, *order))
    x = x if batched[0] else broadcast_to(x, (size, *x.shape))
    index = index if batched[1] else broadcast_to(index, (size, *index.shape))
    both: Node = Gather((x, index), node.axis + 1, node.batch + 1)
    return both


def _gather_meaning(node: Gather, indices: Indices, element: Element) -> Term:
    count = node.args[1].type.rank - node.batch
    place = element(1, indices[: node.batch] + indices[node.axis : node.axis + count])
    return element(0, (*indices[: node.axis], place, *indices[node.axis + count :]))


def places(index: Any, shape: Sequence[int], axis: int, batch: int) -> tuple[Any, ...]:
    """Return index arrays that read from an array of `shape` what a gather reads."""
    rest = len(shape) - axis - 1
    inner = axis - batch
    count = index.ndim - batch
    rank = axis + count + rest
    result = []
    for a, dim in enumerate(shape):
        if a == axis:
            spread = index.reshape(index.shape[:batch] + (1,) * inner + index.shape[batch:])
            result.append(spread.reshape(spread.shape + (1,) * rest))
        else:
            where = a if a < axis else a - 1 + count
            result.append(np.arange(dim).reshape((-1,) + (1,) * (rank - where - 1)))
    return tuple(result)


def _gather_evaluate(node: Gather, values: Sequence[Any], sizes: Sizes) -> Any:
    x, index = values
    return x[places(index, x.shape, node.axis, node.batch)]


def _scatter_type(node: ScatterAdd) -> TensorType:
    base, index, update = node.args
    shape = gathered_shape(base, index, node.axis, node.batch)
    if update.shape != shape or base.kind != update.kind:
        raise ShapeError(f"cannot add {update.type} where {shape_text(shape)} is read")
    return base.type


def _scatter_vjp(node: ScatterAdd, i: int, g: Node) -> Node:
    if i == 0:
        return g
    made: Node = Gather((g, node.args[1]), node.axis, node.batch)
    return made


def _scatter_batch(
    node: ScatterAdd, args: Sequence[Node], batched: Sequence[bool], size: Dim
) -> Node:
    whole = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]
    made: Node = ScatterAdd(tuple(whole), node.axis + 1, node.batch + 1)
    return made


def _scatter_meaning(node: ScatterAdd, indices: Indices, element: Element) -> Term:
    raise FormulaError("a scattered sum has no index form yet")


def _scatter_evaluate(node: ScatterAdd, values: Sequence[Any], sizes: Sizes) -> Any:
    base, index, update = values
    result = np.array(base)
    np.add.at(result, places(index, base.shape, node.axis, node.batch), update)
    return result


def _cuts(node: Node, i: int) -> bool:
    return i == 1 or node.kind != "real"


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
    vjp=_scatter_vjp,
    jvp=derived,
    batch=_scatter_batch,
    meaning=_scatter_meaning,
    evaluate=_scatter_evaluate,
)
