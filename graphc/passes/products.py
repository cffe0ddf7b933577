"""Products: sums along one axis of a matrix or a vector, as products with ones.

BLAS adds up rows and columns several times faster than a reduction does, above all in the long
and narrow arrays that batches are. Only the fast style asks for this.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.contraction import Contraction, contract, full


def products(program: Program) -> Program:
    """Write sums along one axis as matrix products."""
    return rewrite(program, _product)


def _product(node: Node) -> Node | None:
    if not (isinstance(node, Contraction) and len(node.args) == 1 and node.kind == "real"):
        return None
    (x,), (labels,) = node.args, node.inputs
    summed = [label for label in labels if label not in node.output]
    rest = tuple(label for label in labels if label in node.output)
    plain = len(set(labels)) == len(labels) <= 2 and len(summed) == 1 and rest == node.output
    if not plain or node.extents:
        return None
    (label,) = summed
    ones = full(1.0, (x.shape[labels.index(label)],))
    if labels[-1] == label and len(labels) == 2:
        return contract((x, ones), (labels, (label,)), node.output)
    return contract((ones, x), ((label,), labels), node.output)
