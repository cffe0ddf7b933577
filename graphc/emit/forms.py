"""What a node is in terms of arrays: a view, a number of the host, or a computation.

The plan asks this to decide what becomes a statement and which buffers may be written again.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.leaves import Constant, Input, Iota, Size, scalar_value
from graphc.ops.structural import Pad, Reshape, Slice
from graphc.ops.windows import Fold, Windows

ARITHMETIC = ("add", "subtract", "multiply", "divide", "negative", "reciprocal", "square", "power")


def host_scalars(order: list[Node]) -> set[Node]:
    """Return the nodes that are plain Python numbers: arithmetic of sizes and constants."""
    found: set[Node] = set()
    for node in order:
        if node.shape:
            continue
        arithmetic = isinstance(node, Elementwise) and node.function in ARITHMETIC
        if isinstance(node, Constant | Size) or (arithmetic and found.issuperset(node.args)):
            found.add(node)
    return found


def is_view(node: Node) -> bool:
    """Return whether the result shares memory with the operand, or may."""
    if isinstance(node, Reshape | Slice | Windows):
        return True
    if isinstance(node, Gather):  # what single numbers index is a view: x[:, i]
        return bool(node.shape) and not any(index.shape for index in node.args[1:])
    if not is_shuffle(node):
        return False
    assert isinstance(node, Contraction)
    return len(set(node.output)) == len(node.output) and bool(node.args[0].shape)


def is_broadcast(node: Node) -> bool:
    """Return whether the result repeats its operand, as a read-only view or a filled array."""
    if not (isinstance(node, Contraction) and is_shuffle(node) and node.extents):
        return False
    return len(set(node.output)) == len(node.output)  # an identity matrix is not one number


def repeats(node: Node) -> bool:
    """Return whether elements of the result share memory with each other, as those of views may."""
    return is_broadcast(node) or isinstance(node, Windows)


def copies_elements(node: Node) -> bool:
    """Return whether a node that counts as a view may be a copy in truth.

    A reshape that merges axes of windows, or axes that were moved, writes all elements anew.
    """
    if not isinstance(node, Reshape):
        return False
    inner = node.args[0]
    moved = False
    while isinstance(inner, Slice) or (isinstance(inner, Contraction) and is_view(inner)):
        moved = moved or isinstance(inner, Contraction)
        inner = inner.args[0]
    return isinstance(inner, Windows) or (moved and node.type.rank < node.args[0].type.rank)


def is_ones(node: Node) -> bool:
    """Return whether a node is 1 everywhere."""
    return (
        isinstance(node, Contraction)
        and is_broadcast(node)
        and len(set(node.output)) == len(node.output)  # not an identity matrix
        and scalar_value(node.args[0]) == 1
        and node.kind == "real"
    )


def is_fixed(node: Node) -> bool:
    """Return whether a node is a vector of ones of known length: fast files keep one for all."""
    return is_ones(node) and node.type.rank == 1 and isinstance(node.shape[0], int)


def is_leaf(node: Node) -> bool:
    """Return whether a node needs no computing."""
    return isinstance(node, Input | Constant | Iota | Size)


# What is written in several lines.
SEVERAL_LINES = (ScatterAdd, ScatterSet, Pad, Fold)


def is_mask(node: Node) -> bool:
    """Return whether a node is a boolean made a number, which products take as it is."""
    return (
        isinstance(node, Elementwise) and node.function == "real" and node.args[0].kind == "boolean"
    )


def same_buffer(a: Node, b: Node) -> bool:
    """Return whether results of `a` fit into a buffer of `b`."""
    return a.type == b.type and any(dim != 1 for dim in a.shape)
