"""Expand: write softmax, log-softmax and logsumexp out in the parts that they share.

With m the largest element, t = x − m, e = exp(t) and Z = Σ e: softmax is e / Z, log-softmax
t − log Z, logsumexp log Z + m. The largest exponent is 0, so nothing overflows. Forward and
backward pass name the same parts, which interning makes one.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.reduction import Reduction, reduction, spread, total
from graphc.ops.structural import reshape


def expand(program: Program) -> Program:
    """Replace the stable primitives along axes by their parts."""
    found = [n for n in program.nodes() if isinstance(n, Reduction) and n.function in _FORMS]
    if not found:
        return program
    # The logarithm of a sum is ±inf where the largest element is, which must not be subtracted.
    # What shares its parts must name the same ones.
    guarded = {(n.args[0], n.axes) for n in found if n.function == "logsumexp"}

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Reduction) or node.function not in _FORMS:
            return None
        return _expanded(node, (node.args[0], node.axes) in guarded)

    return rewrite(program, rule)


def _expanded(node: Reduction, guarded: bool) -> Node:
    (x,) = node.args
    top = spread(reduction("max", x, node.axes), x, node.axes)
    if guarded:
        top = elementwise("where", elementwise("isfinite", top), top, constant(0.0))
    shifted = elementwise("subtract", x, top)
    exponentials = elementwise("exp", shifted)
    partition = total(exponentials, node.axes)
    if node.function == "softmax":
        return elementwise("divide", exponentials, partition)
    log = elementwise("log", partition)
    if node.function == "log_softmax":
        return elementwise("subtract", shifted, log)
    return reshape(elementwise("add", log, top), node.shape)


_FORMS = ("softmax", "log_softmax", "logsumexp")
