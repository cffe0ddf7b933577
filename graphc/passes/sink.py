"""Sink: read, sum and drop axes before computing with them, where nothing else needs the whole.

This needs to know how often a result is used, which a rewrite rule cannot see from its node.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.batching import mark
from graphc.ir.nodes import Node
from graphc.ir.program import Program, rebuilt, rewrite, users, with_args
from graphc.ops.contraction import Contraction, contract
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.indexing import Gather
from graphc.ops.structural import Reshape, reshape
from graphc.types import Dim


def sink(program: Program) -> Program:
    """Move gathers, reshapes and sums below scalar functions of which they are the only users."""
    program = _sums(program)
    order = program.nodes()
    if not any(isinstance(node, Gather | Reshape) for node in order):
        return program
    counts = _uses(program, order)

    def rule(node: Node) -> Node | None:
        if not isinstance(node, Gather | Reshape) or counts.get(node.args[0], 1) > 1:
            return None
        inner = node.args[0]
        if not isinstance(inner, Elementwise):
            return None
        return _read_first(node, inner) if isinstance(node, Gather) else _shape_first(node, inner)

    return rewrite(program, rule)


def _uses(program: Program, order: Sequence[Node]) -> dict[Node, int]:
    counts = users(order)
    for node in program.outputs:
        counts[node] = counts.get(node, 0) + 1
    return counts


def _sums(program: Program) -> Program:
    """Move sums below what they are the only users of, in the program as it stands."""
    order = program.nodes()
    counts = _uses(program, order)
    new: dict[Node, Node] = {}
    origins = dict(program.origins)
    for node in order:
        current = with_args(node, tuple(new[arg] for arg in node.args))
        if isinstance(current, Contraction) and len(node.args) == 1 and counts[node.args[0]] == 1:
            (inner,) = node.args
            deeper = len(inner.args) == 1 and counts[inner.args[0]] == 1
            current = _summed_first(current, deeper) or current
        new[node] = current
        if current is not node and node in origins:
            mark(current, origins[node], origins)
    if all(new[node] is node for node in program.outputs):
        return program
    return rebuilt(program, new, origins)


def _shape_first(node: Reshape, inner: Elementwise) -> Node | None:
    if not inner.shape or any(arg.shape != inner.shape and arg.shape for arg in inner.args):
        return None
    parts = [reshape(arg, node.target) if arg.shape else arg for arg in inner.args]
    return elementwise(inner.function, *parts)


def _summed_first(node: Contraction, deeper: bool) -> Node | None:
    """Sum before what is the same all along the summed axes multiplies or divides, and signs.

    `deeper` says whether nothing else needs the operand of a sign.
    """
    (inner,), (labels,) = node.args, node.inputs
    if not isinstance(inner, Elementwise) or inner.kind != "real":
        return None
    summed = [a for a, label in enumerate(labels) if label not in node.output]
    plain = len(set(labels)) == len(labels) and not node.extents
    kept = tuple(label for label in labels if label in node.output)
    known = inner.function in ("multiply", "divide", "negative")
    if not summed or not plain or not known or kept != node.output:
        return None
    if inner.function == "negative":
        total = contract(inner.args, (labels,), node.output)
        assert isinstance(total, Contraction)
        return elementwise("negative", _summed_first(total, False) or total if deeper else total)
    for i, (whole, factor) in enumerate((inner.args, inner.args[::-1])):
        if i and inner.function == "divide":
            break
        sizes = (*(1 for _ in inner.shape[factor.type.rank :]), *factor.shape)
        if whole.shape != inner.shape or any(sizes[a] != 1 for a in summed):
            continue
        rest = [size for a, size in enumerate(sizes) if a not in summed]
        while rest and rest[0] == 1:
            rest.pop(0)
        total = contract((whole,), (labels,), node.output)
        return elementwise(inner.function, total, reshape(factor, tuple(rest)))
    return None


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
