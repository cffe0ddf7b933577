"""Values alone: decompositions of which nobody reads the vectors are several times cheaper."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.linalg import Linalg, linalg
from graphc.ops.several import Item

# The decomposition, the place of the values among its results, and what computes these alone.
ALONE = {"eigh": (0, "eigvalsh"), "svd": (1, "svdvals")}


def values(program: Program) -> Program:
    """Compute eigenvalues and singular values without the vectors that nothing reads."""
    read: dict[Node, set[int]] = {}
    for node in program.nodes():
        if isinstance(node, Item) and getattr(node.args[0], "function", None) in ALONE:
            read.setdefault(node.args[0], set()).add(node.index)
    if not read:
        return program

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Item) or read.get(node.args[0]) != {node.index}:
            return None
        (maker,) = node.args
        assert isinstance(maker, Linalg)
        place, function = ALONE[maker.function]
        return linalg(function, *maker.args) if node.index == place else None

    return rewrite(program, rule)
