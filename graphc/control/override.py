"""Derivatives of the user's own: values that stay what they are, and a body for their cotangents.

``Override(args, backward, values, residuals)`` gives its first operands, the values, as they are;
no derivative goes back to those, nor to the residuals that follow. To the operands after them go
the cotangents that the body computes from the residuals and the cotangents of the real values.
Passes drop the node: it matters to derivatives alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.batching import batch_nodes
from graphc.control.body import HOLDERS, Body, body, replaced
from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.program import Program
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full, sum_axes
from graphc.ops.leaves import new_input
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.several import held_at
from graphc.types import Dim, TensorType, TupleType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Override(Node):
    """Values with a derivative of the user's; see the module's text.

    Parameters
    ----------
    backward
        Leaves: the residuals, then a cotangent for each real value. Results: a cotangent for each
        real one of the operands that are derived by. Linear in the cotangents.
    values, residuals
        How many there are.
    """

    backward: Body
    values: int
    residuals: int


HOLDERS.add(Override)


def _derived_by(node: Override) -> list[int]:
    """Return the places of the operands that cotangents go to."""
    first = node.values + node.residuals
    return [k for k in range(first, len(node.args)) if node.args[k].kind == "real"]


def _type(node: Override) -> TupleType:
    values = node.args[: node.values]
    by = _derived_by(node)
    for out, place in zip(node.backward.outputs, by, strict=True):
        if out.type != node.args[place].type:
            raise ShapeError(f"the cotangent of {node.args[place].type} is {out.type}")
    return TupleType(tuple(v.type for v in values))


def _cuts(node: Override, i: int) -> bool:
    return node.kind != "real" or i not in _derived_by(node)


def _vjp(node: Override, i: int, g: Node) -> Node:
    residuals = node.args[node.values : node.values + node.residuals]
    cotangents = [
        held_at(g, k) or full(0.0, v.shape)
        for k, v in enumerate(node.args[: node.values])
        if v.kind == "real"
    ]
    leaves = dict(zip(node.backward.inputs, (*residuals, *cotangents), strict=True))
    out = node.backward.outputs[_derived_by(node).index(i)]
    return replaced([out], leaves)[out]


def _batch(node: Override, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Give the axis to the backward body too; what samples share gets the sum of cotangents."""
    held = node.backward
    flags = [*batched[node.values : node.values + node.residuals]]
    flags += [True] * (len(held.inputs) - len(flags))
    wide = {
        leaf: new_input(TensorType((size, *leaf.shape), leaf.kind))
        for leaf, flag in zip(held.inputs, flags, strict=True)
        if flag
    }
    new, varying, _ = batch_nodes(held.outputs, wide, size)
    outputs = []
    for out, place in zip(held.outputs, _derived_by(node), strict=True):
        every = new[out] if out in varying else broadcast_to(new[out], (size, *out.shape))
        outputs.append(every if batched[place] else sum_axes(every, (0,)))
    inputs = tuple(wide.get(leaf, leaf) for leaf in held.inputs)
    values = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args[: node.values], batched, strict=False)
    ]
    backward = body(Program(inputs, tuple(outputs)))
    made: Node = Override((*values, *args[node.values :]), backward, node.values, node.residuals)
    return made


def _meaning(node: Override, indices: Indices, element: Element) -> Term:
    raise FormulaError("a function with a derivative of its own has no formula")


def _evaluate(node: Override, values: Sequence[Any], sizes: Sizes) -> Any:
    return tuple(values[: node.values])


define(
    Override,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
