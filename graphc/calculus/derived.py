"""What follows from the reverse sweep: products with tangents, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.batching import batch_nodes
from graphc.calculus.reverse import gradient
from graphc.ir.nodes import Node
from graphc.ops.contraction import broadcast_to, identity
from graphc.ops.leaves import constant, new_input
from graphc.ops.structural import reshape
from graphc.types import TensorType, size_of


def tangent(output: Node, wrt: Sequence[Node], tangents: Sequence[Node]) -> Node:
    """Return the derivative of `output` along `tangents`: forward mode.

    A VJP is linear in the cotangent, and its transpose is the JVP: so it is the VJP of the VJP,
    by a cotangent that then no longer occurs.
    """
    cotangent = new_input(TensorType(output.shape))
    back = gradient([output], [cotangent], wrt)
    return gradient(back, list(tangents), [cotangent])[0]


def jacobian(output: Node, wrt: Node) -> Node:
    """Return the array of derivatives, of shape ``(*output.shape, *wrt.shape)``.

    The VJP is taken for all rows of the identity at once, by giving it a sample axis over the
    elements of the output; contractions with the identity then disappear.
    """
    if not output.shape:
        return gradient([output], [constant(1.0)], [wrt])[0]
    size = size_of(output.shape)
    cotangent = new_input(TensorType(output.shape))
    (row,) = gradient([output], [cotangent], [wrt])
    rows = reshape(identity(size), (size, *output.shape))
    new, varying, _ = batch_nodes([row], {cotangent: rows}, size)
    stacked = new[row] if row in varying else broadcast_to(new[row], (size, *wrt.shape))
    return reshape(stacked, (*output.shape, *wrt.shape))
