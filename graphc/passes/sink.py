"""Sink: read elements and drop axes before computing with them, where nothing else needs the whole.

This needs to know how often a result is used, which a rewrite rule cannot see from its node.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite, users
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.indexing import Gather
from graphc.ops.structural import Reshape, reshape
from graphc.types import Dim


def sink(program: Program) -> Program:
    """Move gathers and reshapes below elementwise functions of which they are the only users."""
    order = program.nodes()
    if not any(isinstance(node, Gather | Reshape) for node in order):
        return program
    counts = users(order)
    for node in program.outputs:
        counts[node] = counts.get(node, 0) + 1

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Gather | Reshape) or counts.get(node.args[0], 1) > 1:
            return None
        inner = node.args[0]
        if not isinstance(inner, Elementwise):
            return None
        return _read_first(node, inner) if isinstance(node, Gather) else _shape_first(node, inner)

    return rewrite(program, rule)


def _shape_first(node: Reshape, inner: Elementwise) -> Node | None:
    if not inner.shape or any(arg.shape != inner.shape and arg.shape for arg in inner.args):
        return None
    parts = [reshape(arg, node.target) if arg.shape else arg for arg in inner.args]
    return elementwise(inner.function, *parts)


def _read_first(node: Gather, inner: Elementwise) -> Node | None:
    indices = node.args[1:]
    parts: list[Node] = []
    for arg in inner.args:
        if not arg.shape:
            parts.append(arg)
        elif arg.shape == inner.shape:
            parts.append(Gather((arg, *indices), node.axis, node.batch))
        elif len(indices) == 1 and arg.shape == _with_one(inner.shape, node.axis):
            count = indices[0].type.rank - node.batch
            ones = (1,) * count
            shape = (*inner.shape[: node.axis], *ones, *inner.shape[node.axis + 1 :])
            parts.append(reshape(arg, shape))
        else:
            return None
    return elementwise(inner.function, *parts)


def _with_one(shape: tuple[Dim, ...], axis: int) -> tuple[Dim, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])
