"""Fold: compute at compile time what depends on small constants alone."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import Constant, constant
from graphc.ops.rules import RULES, evaluate

LARGEST = 64  # elements; a folded constant should not be longer than its computation


def fold(program: Program) -> Program:
    """Replace elementwise functions of constants, and other nodes on small constants."""
    return rewrite(program, folded)


def folded(node: Node) -> Node | None:
    """Return the constant that a small node on constants is."""
    if not node.args or not all(isinstance(arg, Constant) for arg in node.args):
        return None
    size = 1
    for dim in node.shape:
        if not isinstance(dim, int):
            return None
        size *= dim
    if size > LARGEST or not isinstance(node, Elementwise):
        return None
    assert type(node) in RULES
    return constant(evaluate([node], {}, {})[0])
