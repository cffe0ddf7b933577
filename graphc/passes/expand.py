"""Expand: write softmax, log-softmax and logsumexp out in the parts that they share.

With m the largest element, t = x − m, e = exp(t) and Z = Σ e: softmax is e / Z, log-softmax
t − log Z, logsumexp log Z + m. The largest exponent is 0, so nothing overflows. Forward and
backward pass name the same parts, which interning makes one.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.elementwise import elementwise
from graphc.ops.reduction import Reduction, reduction, spread, total
from graphc.ops.structural import reshape


def expand(program: Program) -> Program:
    """Replace the stable primitives along axes by their parts."""
    return rewrite(program, _expanded)


def _expanded(node: Node) -> Node | None:
    if not isinstance(node, Reduction) or node.function not in _FORMS:
        return None
    (x,) = node.args
    top = spread(reduction("max", x, node.axes), x, node.axes)
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
