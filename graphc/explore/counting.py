"""What a program costs: operations on numbers, and bytes that are read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan
from graphc.control.override import Override
from graphc.control.repetition import While
from graphc.emit.forms import is_leaf, is_view
from graphc.explore.matrix_costs import COSTS, matrix_operations
from graphc.ir.nodes import Node
from graphc.ir.program import Origin
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.joining import Concatenation
from graphc.ops.linalg import Linalg
from graphc.ops.ranges import InRange
from graphc.ops.recurrence import Recurrence
from graphc.ops.reduction import Reduction
from graphc.ops.several import Bundle, Item
from graphc.ops.structural import Pad, Reshape, Slice
from graphc.ops.windows import Fold, Windows
from graphc.types import Dim, TupleType, size_of

BYTES = {"integer": 8, "boolean": 1}
# They copy or look at numbers, and compute none.
MOVES = (Reshape, Slice, Pad, Gather, ScatterSet, Concatenation, Windows, InRange)
# They only say which of several results is meant, or whose derivative it has.
NAMES = (Bundle, Item, Override)


@dataclass(slots=True)
class Cost:
    """Operations and bytes; `complete` is false where more is done than could be counted.

    An operation is one multiplication, addition or function of a number. Bytes are the operands
    and the result of each operation, as if nothing stayed in a cache. `leading` are the functions
    of which only the leading order is counted.
    """

    operations: Dim = 0
    bytes: Dim = 0
    complete: bool = True
    leading: tuple[str, ...] = ()


def costs_of(
    nodes: Iterable[Node], origins: Mapping[Node, Origin], itemsize: int
) -> dict[tuple[int, bool], Cost]:
    """Return what each use of a block costs, by its number and whether it is the backward pass."""
    found: dict[tuple[int, bool], Cost] = {}
    for node in nodes:
        origin = origins.get(node)
        if origin is None or is_leaf(node):
            continue
        cost = found.setdefault((origin.use, origin.rule != "forward"), Cost())
        add(cost, cost_of(node, itemsize))
    return found


def add(cost: Cost, more: Cost, times: Dim = 1) -> None:
    """Add a cost, so many times, to another."""
    cost.operations = cost.operations + more.operations * times
    cost.bytes = cost.bytes + more.bytes * times
    cost.complete = cost.complete and more.complete
    cost.leading = tuple(sorted({*cost.leading, *more.leading}))


def cost_of(node: Node, itemsize: int) -> Cost:
    """Return what one node costs; a loop, what its body does in every step."""
    if isinstance(node, NAMES):
        return Cost()
    if isinstance(node, Scan):
        whole = Cost()
        for part in node.body.nodes():
            if not is_leaf(part):
                add(whole, cost_of(part, itemsize), node.length)
        return whole
    if isinstance(node, FixedPoint | While):  # at least one step
        step = Cost(complete=False)
        for part in node.body.nodes():
            if not is_leaf(part):
                add(step, cost_of(part, itemsize))
        return step
    operations = operations_of(node)
    moved = bytes_of(node, itemsize)
    if isinstance(node, Linalg) and operations is not None:
        return Cost(operations, moved, COSTS[node.function].whole, (node.function,))
    return Cost(0, moved, False) if operations is None else Cost(operations, moved)


def operations_of(node: Node) -> Dim | None:
    """Return the operations of one node; None where that is not known."""
    if isinstance(node, MOVES):
        return 0
    if isinstance(node, Elementwise):
        return size_of(node.shape)
    if isinstance(node, Reduction):
        return size_of(node.args[0].shape)
    if isinstance(node, Fold):
        return size_of(node.args[0].shape)
    if isinstance(node, Recurrence):
        return 2 * size_of(node.shape)
    if isinstance(node, ScatterAdd):
        return size_of(node.args[2].shape)
    if isinstance(node, Contraction):
        return contraction_operations(node)
    return matrix_operations(node) if isinstance(node, Linalg) else None


def contraction_operations(node: Contraction) -> Dim:
    """Return multiplications and additions over all combinations of the labels."""
    sizes: dict[int, Dim] = {}
    for labels, arg in zip(node.inputs, node.args, strict=True):
        sizes.update(zip(labels, arg.shape, strict=True))
    summed = any(label not in node.output for label in sizes)
    return (len(node.args) - 1 + summed) * size_of(tuple(sizes.values()))


def bytes_of(node: Node, itemsize: int) -> Dim:
    """Return the bytes that one node reads and writes; a view moves none."""
    if is_view(node):
        return 0
    total: Dim = 0
    for part in (*node.args, node):
        types = part.type.items if isinstance(part.type, TupleType) else (part.type,)
        for each in types:
            total = total + BYTES.get(each.kind, itemsize) * size_of(each.shape)
    return total
