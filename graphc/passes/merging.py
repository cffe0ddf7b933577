"""Merging: contractions of contractions as one, their labels made the same."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, contract, extents_of, is_shuffle
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import as_number, constant
from graphc.passes.diagonals import is_diagonal
from graphc.types import Dim


def shuffles(node: Node) -> Node | None:
    """Look through transposes, diagonals and broadcasts below a contraction."""
    if not isinstance(node, Contraction):
        return None
    for i, arg in enumerate(node.args):
        if isinstance(arg, Contraction) and (_shuffles(arg) or is_diagonal(arg)):
            return merged(node, i, arg)
    return None


def _shuffles(node: Contraction) -> bool:
    return is_shuffle(node) and len(node.inputs[0]) <= node.type.rank


def merged(node: Contraction, i: int, inner: Contraction) -> Node:
    """Return `node` with the contraction at operand `i` dissolved into its labels."""
    sizes = extents_of(node)
    offset = 1 + max([*sizes, *extents_of(inner)], default=0)
    rename: dict[int, int] = {}  # labels of `inner` and of `node` to their common name

    def find(label: int) -> int:
        while label in rename:
            label = rename[label]
        return label

    for own, outer in zip(inner.output, node.inputs[i], strict=True):
        a, b = find(own + offset), find(outer)
        if a != b:
            rename[a] = b
    inner_sizes = {find(k + offset): v for k, v in extents_of(inner).items()}
    args = (*node.args[:i], *inner.args, *node.args[i + 1 :])
    inputs = [tuple(find(label) for label in labels) for labels in node.inputs]
    inputs[i : i + 1] = [tuple(find(label + offset) for label in ls) for ls in inner.inputs]
    output = tuple(find(label) for label in node.output)
    extents = {find(k): v for k, v in sizes.items()} | inner_sizes
    held = {label for labels in inputs for label in labels} | set(output)
    lost = [dim for label, dim in extents.items() if label not in held]
    result = contract(args, inputs, output, extents)
    for dim in lost:  # summed, but no operand varies along it any more
        result = elementwise("multiply", result, _number(dim, result))
    return result


def _number(dim: Dim, like: Node) -> Node:
    return as_number(dim) if like.kind == "real" or not isinstance(dim, int) else constant(dim)
