"""Joining tensors along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Delta, Extent, Num, Sum, Term, add, fresh_index, mul
from graphc.ops.contraction import broadcast_to
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, derived
from graphc.ops.structural import Slice, Span
from graphc.types import Dim, TensorType, shape_text


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Concatenation(Node):
    """The operands one after the other along `axis`; else their shapes agree."""

    axis: int


def concatenate(nodes: Sequence[Node], axis: int) -> Node:
    """Return `nodes` joined along `axis`; of one node, the node."""
    if len(nodes) == 1:
        return nodes[0]
    made: Node = Concatenation(tuple(nodes), axis)
    return made


def starts(node: Concatenation) -> list[Dim]:
    """Return where each operand starts, and after them where the last one ends."""
    found: list[Dim] = [0]
    for arg in node.args:
        found.append(found[-1] + arg.shape[node.axis])
    return found


def _type(node: Concatenation) -> TensorType:
    first, *others = node.args
    axis = node.axis
    for other in others:
        fits = other.type.rank == first.type.rank and all(
            a == axis or d == first.shape[a] for a, d in enumerate(other.shape)
        )
        if not fits:
            raise ShapeError(
                f"{shape_text(first.shape)} and {shape_text(other.shape)} cannot be joined along "
                f"axis {axis}: they differ elsewhere"
            )
        if other.kind != first.kind:
            raise KindError(f"what is joined is of one kind, not {first.kind} and {other.kind}")
    zero: Dim = 0
    length = reduce(lambda n, arg: n + arg.shape[axis], node.args, zero)
    return TensorType((*first.shape[:axis], length, *first.shape[axis + 1 :]), first.kind)


def _vjp(node: Concatenation, i: int, g: Node) -> Node:
    spans: list[Span] = [(0, dim, 1) for dim in node.shape]
    spans[node.axis] = (starts(node)[i], node.args[i].shape[node.axis], 1)
    made: Node = Slice((g,), tuple(spans))
    return made


def _batch(node: Concatenation, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    whole = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]
    return concatenate(whole, node.axis + 1)


def _meaning(node: Concatenation, indices: Indices, element: Element) -> Term:
    """Return the sum, over the operands, of their elements where they stand."""
    axis, terms = node.axis, []
    for i, (start, arg) in enumerate(zip(starts(node), node.args, strict=False)):
        place = fresh_index()
        first = Num(start) if isinstance(start, int) else Extent(start)
        here = Delta(indices[axis], add(place, first))
        own = element(i, (*indices[:axis], place, *indices[axis + 1 :]))
        terms.append(Sum(place, arg.shape[axis], mul(here, own)))
    return add(*terms)


def _evaluate(node: Concatenation, values: Sequence[Any], sizes: Sizes) -> Any:
    return np.concatenate(values, axis=node.axis)


define(
    Concatenation,
    type=_type,
    cuts=cuts_discrete,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
