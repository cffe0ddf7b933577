"""What follows from the reverse sweep: products with tangents, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.batching import batch_nodes
from graphc.calculus.reverse import gradient, sweep
from graphc.ir.nodes import Node, topological
from graphc.ops.contraction import broadcast_to, full, identity
from graphc.ops.leaves import constant, new_input
from graphc.ops.rules import RULES, derived
from graphc.ops.several import bundle, types_of
from graphc.types import TensorType, TupleType


def tangent(output: Node, wrt: Sequence[Node], tangents: Sequence[Node]) -> Node:
    """Return the derivative of `output` along `tangents`: forward mode."""
    (found,) = push([output], wrt, tangents)
    return full(0.0, output.shape) if found is None else found


def push(
    outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node]
) -> list[Node | None]:
    """Return the tangents of `outputs`, node by node; None where none arrives."""
    known: dict[Node, Node] = dict(zip(wrt, tangents, strict=True))
    for node in topological(outputs, wrt):
        if node in known:
            continue
        rules = RULES[type(node)]
        held = [
            known[arg] if arg in known and not rules.cuts(node, i) else None
            for i, arg in enumerate(node.args)
        ]
        if any(t is not None for t in held):
            made = transposed(node, held) if rules.jvp is derived else rules.jvp(node, held)
            if made is not None:
                known[node] = made
    return [known.get(output) for output in outputs]


def transposed(node: Node, tangents: Sequence[Node | None]) -> Node:
    """Return the tangent of `node`, for those of its operands, from the VJP rule of its kind.

    A VJP is linear in the cotangent, and its transpose is the JVP: so it is the VJP of the VJP,
    by a cotangent that then no longer occurs.
    """
    types = types_of(node) if isinstance(node.type, TupleType) else (node.type,)
    leaves = {i: new_input(t) for i, t in enumerate(types) if t.kind == "real"}
    cotangent = leaves.get(0)
    if isinstance(node.type, TupleType) or cotangent is None:
        cotangent = bundle([leaves.get(i) for i in range(len(types))], types)
    rule = RULES[type(node)].vjp
    moved = [(i, t) for i, t in enumerate(tangents) if t is not None]
    backs = [rule(node, i, cotangent) for i, _ in moved]
    # What the rule is made of is not looked into: a tangent of a long chain stays linear in time.
    stop = (node, *node.args)
    found = sweep(backs, [t for _, t in moved], list(leaves.values()), stop=stop)
    results = dict(zip(leaves, found, strict=True))
    if isinstance(node.type, TupleType):
        return bundle([results.get(i) for i in range(len(types))], types)
    return results[0] or full(0.0, node.shape)


def jacobian(output: Node, wrt: Node) -> Node:
    """Return the array of derivatives, of shape ``(*output.shape, *wrt.shape)``.

    The VJP is taken for all rows of the identity at once, by giving it a sample axis for each
    axis of the output. The identity is then a product of Kronecker deltas, one per axis, and
    contractions with it disappear axis by axis.
    """
    if not output.shape:
        return gradient([output], [constant(1.0)], [wrt])[0]
    cotangent = new_input(TensorType(output.shape))
    (rows,) = gradient([output], [cotangent], [wrt])
    for axis in reversed(range(output.type.rank)):
        dim = output.shape[axis]
        last = axis == 0
        wider = identity(*output.shape) if last else new_input(TensorType((dim, *cotangent.shape)))
        new, varying, _ = batch_nodes([rows], {cotangent: wider}, dim)
        rows = new[rows] if rows in varying else broadcast_to(new[rows], (dim, *rows.shape))
        cotangent = wider
    return rows
