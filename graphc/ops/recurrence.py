"""Linear recurrences along an axis: y[t] = a[t] y[t − 1] + b[t], with y = b at the start.

The kind is closed under differentiation: what comes back is a linear recurrence from the end,
u[t] = g[t] + a[t + 1] u[t + 1]; it is the cotangent of b, and u[t] y[t − 1] that of a. No division
occurs, so all of it is exact where a is 0, and takes as long as the recurrence itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.elementwise import elementwise
from graphc.ops.joining import concatenate
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, derived
from graphc.ops.structural import Slice, Span, turned
from graphc.types import Dim, TensorType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Recurrence(Node):
    """The y of operands a and b, of one shape; the first element of a along `axis` is not read."""

    axis: int


def recurrence(a: Node, b: Node, axis: int) -> Node:
    """Return y with ``y[t] = a[t] * y[t - 1] + b[t]`` along `axis`."""
    made: Node = Recurrence((a, b), axis)
    return made


def recurrence_back(a: Node, g: Node, axis: int) -> Node:
    """Return u with ``u[t] = a[t + 1] * u[t + 1] + g[t]`` along `axis`."""
    return turned(recurrence(later(turned(a, axis), axis), turned(g, axis), axis), axis)


def later(x: Node, axis: int, first: float = 0.0) -> Node:
    """Return the elements one place later along `axis`, the last one lost, `first` in front."""
    spans: list[Span] = [(0, dim, 1) for dim in x.shape]
    spans[axis] = (0, x.shape[axis] - 1, 1)
    rest: Node = Slice((x,), tuple(spans))
    front = full(first, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return concatenate([front, rest], axis)


def _type(node: Recurrence) -> TensorType:
    a, b = node.args
    if a.type != b.type or not 0 <= node.axis < b.type.rank:
        raise ShapeError(f"a recurrence takes tensors of one shape, not {a.type} and {b.type}")
    if b.kind != "real":
        raise KindError(f"a recurrence takes real numbers, not {b.kind} ones")
    return b.type


def _vjp(node: Recurrence, i: int, g: Node) -> Node:
    back = recurrence_back(node.args[0], g, node.axis)
    return back if i else elementwise("multiply", back, later(node, node.axis))


def _batch(node: Recurrence, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    a, b = (
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    )
    return recurrence(a, b, node.axis + 1)


def _meaning(node: Recurrence, indices: Indices, element: Element) -> Term:
    raise FormulaError("a linear recurrence has no index form; it is defined step by step")


def _evaluate(node: Recurrence, values: Sequence[Any], sizes: Sizes) -> Any:
    a, b = (np.moveaxis(x, node.axis, 0) for x in values)
    y = np.array(b)
    for t in range(1, len(y)):
        y[t] += a[t] * y[t - 1]
    return np.moveaxis(y, 0, node.axis)


define(
    Recurrence,
    type=_type,
    cuts=cuts_discrete,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
