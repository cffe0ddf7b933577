"""Declared: what a declared property makes shorter: Aᵀ is A, QᵀQ is I, a diagonal is a vector."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, Labels, contract, extents_of, full
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.properties import has
from graphc.ops.signs import nonnegative
from graphc.passes.merging import merged


def symmetric(node: Node) -> Node | None:
    """Read a symmetric matrix by the rows that come first in the result."""
    if not isinstance(node, Contraction):
        return None
    seen: dict[int, int] = {label: i for i, label in reversed([*enumerate(node.output)])}
    inputs = list(node.inputs)
    for i, (arg, labels) in enumerate(zip(node.args, node.inputs, strict=True)):
        if len(labels) >= 2 and has(arg, "symmetric"):
            *front, row, column = labels
            late = len(seen) + 1
            if seen.get(column, late) < seen.get(row, late):
                inputs[i] = (*front, column, row)
        for label in inputs[i]:
            seen.setdefault(label, len(seen))
    if tuple(inputs) == node.inputs:
        return None
    return contract(node.args, inputs, node.output, extents_of(node))


def diagonal(node: Node) -> Node | None:
    """Read of a diagonal matrix the diagonal alone, in a product."""
    if not isinstance(node, Contraction):
        return None
    for arg, labels in zip(node.args, node.inputs, strict=True):
        if len(labels) < 2 or labels[-1] == labels[-2] or not has(arg, "diagonal"):
            continue
        if len(node.args) == 1 and set(labels) <= set(node.output):
            continue  # the matrix itself, turned
        inputs, output = _equated(node, labels[-1], labels[-2])
        return contract(node.args, inputs, output, extents_of(node))
    return None


def _equated(node: Contraction, one: int, other: int) -> tuple[list[Labels], Labels]:
    """Return the labels with `other` in the place of `one`."""

    def renamed(labels: Labels) -> Labels:
        return tuple(other if label == one else label for label in labels)

    return [renamed(labels) for labels in node.inputs], renamed(node.output)


def orthogonal(node: Node) -> Node | None:
    """Let an orthogonal matrix and its transpose meet and vanish."""
    if not isinstance(node, Contraction) or node.kind != "real":
        return None
    counts: dict[int, int] = {}
    for labels in (*node.inputs, node.output):
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
    for i, arg in enumerate(node.args):
        if not has(arg, "orthogonal"):
            continue
        for j in range(i):
            left, right = node.inputs[j], node.inputs[i]
            if node.args[j] is not arg or left[:-2] != right[:-2]:
                continue
            for axis in (-1, -2):
                own, kept = left[axis], -3 - axis  # the other of the last two axes
                if own == right[axis] and counts[own] == 2 and left[kept] != right[kept]:
                    return _without(node, (j, i), left[kept], right[kept], left[:-2])
    return None


def met(node: Node) -> Node | None:
    """Let an orthogonal matrix meet its transpose across a product: ``Qᵀ(Q x)`` is x."""
    if not isinstance(node, Contraction):
        return None
    turning = {arg for arg in node.args if has(arg, "orthogonal")}
    for i, arg in enumerate(node.args):
        if turning and isinstance(arg, Contraction) and not turning.isdisjoint(arg.args):
            return orthogonal(merged(node, i, arg))
    return None


def _without(
    node: Contraction, pair: tuple[int, int], one: int, other: int, front: Labels
) -> Node | None:
    """Return the contraction without two operands, and with two labels made one."""
    inputs, output = _equated(node, one, other)
    rest = [i for i in range(len(inputs)) if i not in pair]
    held = {label for i in rest for label in inputs[i]} | set(output)
    if other not in held or not set(front) <= held:
        return None  # a sum over what is gone: the trace of an identity
    args = [node.args[i] for i in rest] or [constant(1.0)]
    return contract(args, [inputs[i] for i in rest] or [()], output, extents_of(node))


def positive(node: Node) -> Node | None:
    """Drop the absolute value, relu, and the like of what cannot be negative."""
    if not isinstance(node, Elementwise):
        return None
    x = node.args[0]
    match node.function:
        case "absolute" | "relu" if nonnegative(x):
            return x
        case "sqrt" if isinstance(x, Elementwise) and x.function == "square":
            return x.args[0] if nonnegative(x.args[0]) else None
        case "sign" if has(x, "positive"):
            return full(1.0, node.shape)
        case "real" if isinstance(x, Elementwise) and x.function == "greater":
            left, right = x.args
            if has(left, "positive") and scalar_value(right) == 0:
                return full(1.0, node.shape)
    return None
