"""Lower: bring contractions and gathers into the forms that arrays libraries compute fast.

After this pass a contraction has one operand, or is a matrix product: operands ``(..., m, k)``
and ``(..., k, n)`` with shared leading axes; without leading axes also vectors in the place of
either matrix. Of contractions that write on a diagonal, those of a number or a vector remain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from graphc.ir.nodes import Node
from graphc.ir.program import Program, rewrite
from graphc.ops.contraction import (
    Contraction,
    Labels,
    broadcast_to,
    contract,
    extents_of,
    is_shuffle,
    transpose,
)
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.leaves import Iota, constant, scalar_value
from graphc.ops.structural import Reshape, reshape
from graphc.passes.ordering import Tree, cheapest, number_of
from graphc.passes.windowed import lay_windows
from graphc.types import Dim, Shape, size_of


def lower(program: Program) -> Program:
    """Write every product of several operands as matrix products, sums and multiplications."""
    return rewrite(program, _lowered)


def _lowered(node: Node) -> Node | None:
    """Return the node that takes another's place by the first rule that applies, if one does."""
    if isinstance(node, Gather | ScatterAdd | ScatterSet):
        return _gather_axis_first(node)
    if not isinstance(node, Contraction):
        return None
    if len(node.args) == 1:
        return _sum_first(node) or _sum_unmerged(node) or _moves(node) or _on_diagonal(node)
    if len(node.args) > 2:
        return _pairs(node)
    if is_matmul(node):  # as it stands
        return None
    return lay_windows(node) or _product(node)


def _pairs(node: Contraction) -> Node:
    """Multiply two operands first: the first step of the cheapest order."""
    sizes = extents_of(node)
    numbers = {label: number_of(dim) for label, dim in sizes.items()}
    operands = list(zip(node.args, node.inputs, strict=True))
    a, b = _first_pair(cheapest(operands, node.output, numbers)[1])
    others = [i for i in range(len(operands)) if i not in (a, b)]
    outside = set(node.output).union(*(node.inputs[i] for i in others))
    inner = dict.fromkeys((*node.inputs[a], *node.inputs[b]))
    middle = tuple(label for label in inner if label in outside)
    product = contract((node.args[a], node.args[b]), (node.inputs[a], node.inputs[b]), middle)
    args = (product, *(node.args[i] for i in others))
    inputs = (middle, *(node.inputs[i] for i in others))
    return contract(args, inputs, node.output, sizes)


def _first_pair(tree: Tree) -> tuple[int, int]:
    """Return two operands that are multiplied with each other."""
    while not isinstance(tree, int):
        one, two = tree
        if isinstance(one, int) and isinstance(two, int):
            return one, two
        tree = two if isinstance(one, int) else one
    raise AssertionError("a product of one operand has no pair")


def _product(node: Contraction) -> Node:
    """Write a product of two operands as a multiplication or a matrix product."""
    args, inputs = list(node.args), [_distinct(node, i) for i in (0, 1)]
    for i, (arg, labels) in enumerate(inputs):
        alone = [x for x in labels if x not in node.output and x not in inputs[1 - i][1]]
        keep = tuple(x for x in labels if x not in alone)
        inputs[i] = (contract((arg,), (labels,), keep), keep)
    (args[0], left), (args[1], right) = inputs
    if args[0] is not node.args[0] or args[1] is not node.args[1]:
        return contract(args, (left, right), node.output, extents_of(node))
    sizes = extents_of(node)
    summed = [x for x in left if x in right and x not in node.output]
    if summed and set(left) == set(right) and set(node.output) & set(left):
        # A dot product for each place of leading axes: arrays multiply and sum it.
        both = contract(args, (left, right), left)
        return contract((both,), (left,), node.output, sizes)
    core = tuple(dict.fromkeys(x for x in node.output if x in left or x in right))
    if core != node.output:  # a diagonal or a broadcast of a product: the product first
        inner = contract(args, (left, right), core)
        return contract((inner,), (core,), node.output, sizes)
    if not summed:
        return elementwise("multiply", *(_aligned(a, ls, core) for a, ls in inputs))
    return _matmul(inputs, summed, core, sizes)


def _distinct(node: Contraction, i: int) -> tuple[Node, Labels]:
    """Return operand `i` with repeated labels taken to its diagonal."""
    labels = tuple(dict.fromkeys(node.inputs[i]))
    return contract((node.args[i],), (node.inputs[i],), labels), labels


def _aligned(node: Node, labels: Labels, output: Labels) -> Node:
    """Return `node` transposed and reshaped to broadcast against `output`."""
    order = [label for label in output if label in labels]
    moved = transpose(node, [labels.index(label) for label in order])
    sizes = dict(zip(order, moved.shape, strict=True))
    first = min((output.index(label) for label in order), default=len(output))
    return reshape(moved, tuple(sizes.get(label, 1) for label in output[first:]))


def _matmul(
    operands: Sequence[tuple[Node, Labels]],
    summed: Sequence[int],
    output: Labels,
    sizes: Mapping[int, Dim],
) -> Node:
    """Return the product of two operands as a matrix product, reshaped and transposed around."""
    (a, left), (b, right) = operands
    batch = [x for x in output if x in left and x in right]
    own = [x for x in output if x not in batch]
    # The result's first axis should be the left operand's; beside leading axes a vector on the
    # left is as good.
    if own and own[0] in right and not (batch and set(left).isdisjoint(own)):
        (a, left), (b, right) = (b, right), (a, left)
    rows = [x for x in own if x in left]
    columns = [x for x in own if x in right]
    # Sum in the order in which the larger operand has the labels: it is not copied then.
    larger = max((left, right), key=lambda labels: _elements(labels, sizes))
    inner = [x for x in larger if x in summed]

    def matrix(node: Node, labels: Labels, groups: Sequence[Sequence[int]]) -> Node:
        straight = labels == (*batch, *groups[0], *groups[1])
        if all(groups) and not straight and labels[-1] == groups[0][-1]:
            # Merged as they lie, then turned: a view, or a copy of whole rows.
            turned = matrix(node, labels, groups[::-1])
            rank = turned.type.rank
            return transpose(turned, (*range(rank - 2), rank - 1, rank - 2))
        flat = [x for group in (batch, *groups) for x in group]
        moved = transpose(node, [labels.index(x) for x in flat])
        # Beside leading axes a vector is taken for a matrix: a matrix of one row or column.
        merged = [size_of([sizes[x] for x in group]) for group in groups if group or batch]
        return reshape(moved, (*(sizes[x] for x in batch), *merged))

    x = matrix(a, left, (rows, inner))
    y = matrix(b, right, (inner, columns))
    front = tuple(range(len(batch)))
    m, n, k = len(batch), len(batch) + 1, len(batch) + 2
    above, beside = [m] if rows or batch else [], [n] if columns or batch else []
    x_labels = (*front, *above, k)
    y_labels = (*front, k, *beside)
    z_labels = (*front, *above, *beside)
    product = contract((x, y), (x_labels, y_labels), z_labels)
    order = [*batch, *rows, *columns]
    shaped = reshape(product, tuple(sizes[label] for label in order))
    return transpose(shaped, [order.index(label) for label in output])


def _elements(labels: Labels, sizes: Mapping[int, Dim]) -> float:
    return prod(number_of(sizes[x]) for x in labels)


def is_matmul(node: Node) -> bool:
    """Return whether a contraction is a matrix product as the module's text says."""
    if not isinstance(node, Contraction) or len(node.args) != 2:
        return False
    left, right = node.inputs
    shared = [x for x in left if x in right and x not in node.output]
    if len(shared) != 1 or len(set(left)) < len(left) or len(set(right)) < len(right):
        return False
    (k,) = shared
    batch = tuple(x for x in node.output if x in left and x in right)
    rows = tuple(x for x in left if x not in batch and x != k)
    columns = tuple(x for x in right if x not in batch and x != k)
    fewest = 1 if batch else 0  # beside leading axes, arrays know no vectors
    return (
        fewest <= len(rows) <= 1
        and fewest <= len(columns) <= 1
        and left == (*batch, *rows, k)
        and right == (*batch, k, *columns)
        and node.output == (*batch, *rows, *columns)
    )


def _sum_first(node: Contraction) -> Node | None:
    """Sum one operand before its axes are moved or repeated; diagonals before that."""
    (arg,), (labels,) = node.args, node.inputs
    distinct = tuple(dict.fromkeys(labels))
    kept = tuple(label for label in distinct if label in node.output)
    steps = [distinct != labels, kept != distinct, kept != node.output]
    if sum(steps) < 2:
        return None
    target = distinct if steps[0] else kept
    inner = contract((arg,), (labels,), target)
    return contract((inner,), (target,), node.output, extents_of(node))


def _sum_unmerged(node: Contraction) -> Node | None:
    """Sum over the first axes before the others are merged: then only the sums are copied."""
    if node.extents:
        return None
    (whole,), (labels,) = node.args, node.inputs
    count = len(labels) - len(node.output)
    if not isinstance(whole, Reshape) or not count or labels[count:] != node.output:
        return None
    if len(set(labels)) < len(labels):  # a diagonal is no sum
        return None
    (inner,) = whole.args
    if inner.type.rank <= whole.type.rank or inner.shape[:count] != whole.shape[:count]:
        return None
    own = tuple(range(inner.type.rank))
    return reshape(contract((inner,), (own,), own[count:]), node.shape)


def _moves(node: Contraction) -> Node | None:
    """Move axes once and not twice."""
    (inner,) = node.args
    if not (is_transpose(node) and isinstance(inner, Contraction) and is_transpose(inner)):
        return None
    places = dict(zip(node.inputs[0], inner.output, strict=True))
    moved = tuple(places[label] for label in node.output)
    return contract(inner.args, inner.inputs, moved)


def is_transpose(node: Node) -> bool:
    """Return whether a node only moves the axes of its operand."""
    if not is_shuffle(node):
        return False
    assert isinstance(node, Contraction)
    (labels,) = node.inputs
    return len(set(labels)) == len(labels) == len(node.output) and not node.extents


def _on_diagonal(node: Contraction) -> Node | None:
    """Write what stands on a diagonal as a choice: the element there, 0 elsewhere.

    Two forms are left as they are, the identity matrix and the diagonal matrix of a vector.
    """
    distinct = tuple(dict.fromkeys(node.output))
    (arg,), (labels,) = node.args, node.inputs
    if distinct == node.output or (len(node.output) == 2 and _is_simple(arg, labels)):
        return None
    rank, shape = len(node.output), node.shape
    spread = contract((arg,), (labels,), distinct, extents_of(node))
    first = [node.output.index(label) for label in node.output]
    there = reshape(spread, tuple(d if first[a] == a else 1 for a, d in enumerate(shape)))
    result = there
    for axis in range(rank):
        if first[axis] != axis:
            same = elementwise("equal", *(_run(shape, a) for a in (first[axis], axis)))
            result = elementwise("where", same, result, _zero(node))
    return broadcast_to(result, shape)


def _is_simple(arg: Node, labels: Labels) -> bool:
    """Return whether arrays have a function for the diagonal matrix: ``eye`` or ``diag``."""
    return len(labels) == 1 or scalar_value(arg) == 1


def _run(shape: Shape, axis: int) -> Node:
    """Return 0, 1, 2, ... along one axis of an array of `shape`."""
    return reshape(Iota((), shape[axis]), (shape[axis], *(1 for _ in shape[axis + 1 :])))


def _zero(node: Node) -> Node:
    return constant({"real": 0.0, "integer": 0, "boolean": False}[node.kind])


def _gather_axis_first(node: Gather | ScatterAdd | ScatterSet) -> Node | None:
    """Bring the axis that is read behind the shared ones, where array indexing expects it."""
    if node.batch == 0 or node.axis == node.batch:
        return None
    batch, axis = node.batch, node.axis
    indices = node.args[1:] if isinstance(node, Gather) else node.args[1:-1]
    count = indices[0].type.rank - batch
    rank = node.args[0].type.rank
    held = range(axis, axis + len(indices))
    order = [*range(batch), *held, *(a for a in range(batch, rank) if a not in held)]
    moved = transpose(node.args[0], order)
    # Of what is read: shared axes, the index's own axes, then the rest.
    read = rank - len(indices) + count
    places = range(axis, axis + count)
    read_order = [*range(batch), *places, *(a for a in range(batch, read) if a not in places)]
    if isinstance(node, Gather):
        result: Node = Gather((moved, *indices), batch, batch)
        return transpose(result, _inverse(read_order))
    update = transpose(node.args[-1], read_order)
    added: Node = type(node)((moved, *indices, update), batch, batch)
    return transpose(added, _inverse(order))


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)
