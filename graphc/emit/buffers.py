"""Memory: into which buffer a statement may write, and what must be copied for the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

from graphc.control.body import depending
from graphc.control.choice import Choice
from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan
from graphc.control.repetition import While
from graphc.emit.forms import is_broadcast, is_view, repeats, same_buffer
from graphc.emit.spell_reduction import keeps_dims
from graphc.emit.steps import SAMPLES, Place
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd, ScatterSet
from graphc.ops.leaves import Constant, Input
from graphc.ops.opaque import Opaque
from graphc.ops.scalars import SCALARS
from graphc.ops.several import Item
from graphc.ops.structural import Reshape
from graphc.types import Shape, TupleType

UNKNOWN = 64  # the size that a named dimension counts as
LARGE = 1 << 15  # elements


def reuse(
    statements: Sequence[Node],
    inline: set[Node],
    order: Sequence[Node],
    wanted: Sequence[Node],
    given: Mapping[Node, str],
    uses: Mapping[Node, int],
    donated: Mapping[Node, Node],
) -> dict[Node, Node]:
    """Return for each statement the node into whose buffer it may write.

    A buffer is free once the last statement that reads it, or a view of it, has run. Functions
    element by element overwrite an operand; a matrix product takes the memory of an earlier one
    that nothing reads any more: fresh memory costs a page fault every few kilobytes. Large results
    of functions take such memory as well, and with it the order in which axes lie there.
    """
    roots = {node: node for node in given}
    # With keepdims=True a reduction gives a buffer of its own; of a named one it is a view.
    computed = {n for n in statements if keeps_dims(n) and n.args[0] in inline}
    for node in order:
        roots[node] = roots[node.args[0]] if is_view(node) and node not in computed else node
    mine = {n for n in statements if roots[n] is n and not is_broadcast(n)}
    kept = {roots[n] for n in wanted}
    # What a loop or a choice is given may be one of its results.
    kept |= {roots.get(a, a) for n in statements if isinstance(n.type, TupleType) for a in n.args}
    last: dict[Node, int] = {}
    reads = [_reads(node, inline) for node in statements]
    for at, read in enumerate(reads):
        for node in read:
            last[roots.get(node, node)] = at
    into: dict[Node, Node] = {}
    heirs = {leaf: _heirs(leaf, new, uses, inline, order) for leaf, new in donated.items()}
    matrices: set[Node] = set()  # whose memory is a matrix product's, so contiguous
    idle: dict[Shape, list[Node]] = {}
    spare: dict[Shape, list[Node]] = {}
    for at, node in enumerate(statements):
        if is_matrix_product(node):
            matrices.add(node)
            if idle.get(node.shape):
                into[node] = idle[node.shape].pop()
        elif writes_into(node):
            for arg in _candidates(node, inline):
                root = roots[arg]
                owned = root in mine or node in heirs.get(root, ())
                free = owned and root not in kept and last.get(root) == at
                # A view of the operand among the others is no harm: ufuncs see that it overlaps.
                # Of a matrix product any shape is a view, which can be written into as well.
                whole = arg is root or (root in matrices and _reshaped(arg))
                if free and whole and same_buffer(node, arg):
                    into[node] = arg
                    if arg in matrices:
                        matrices.add(node)
                    break
            if node not in into and isinstance(node, Elementwise) and spare.get(node.shape):
                into[node] = spare[node.shape].pop()
        for arg in dict.fromkeys(roots.get(n, n) for n in reads[at]):
            taken = node in into and arg is roots[into[node]]
            if arg in kept or last[arg] != at or taken:
                continue
            if arg in matrices:
                idle.setdefault(arg.shape, []).append(arg)
            elif arg in mine and _is_large(arg):
                spare.setdefault(arg.shape, []).append(arg)
    return into


def _is_large(node: Node) -> bool:
    """Return whether a function's result is so large that fresh memory costs page faults."""
    if not isinstance(node, Elementwise) or node.kind != "real":
        return False
    return prod(dim if isinstance(dim, int) else UNKNOWN for dim in node.shape) >= LARGE


def _heirs(
    leaf: Node, new: Node, uses: Mapping[Node, int], inline: set[Node], order: Sequence[Node]
) -> set[Node]:
    """Return the statements through which a value could stay in one memory, from old to new.

    Each but the last is read by the next alone.
    """
    path: list[Node] = []
    node: Node | None = new
    below: set[Node] | None = None
    while node is not None and node is not leaf:
        if node in inline or not writes_into(node) or not same_buffer(node, leaf):
            return set()
        path.append(node)
        if leaf in node.args:
            return set(path)
        steps = [a for a in node.args if uses.get(a) == 1 and a not in inline and a.args]
        if below is None:
            below = depending(order, [leaf])
        node = next((a for a in steps if a in below), None)
    return set()


def settled(leaf: Node, new: Node, into: Mapping[Node, Node]) -> Iterator[Node]:
    """Yield the nodes that live in the memory of `leaf`, where the last of them is `new`."""
    memory = list(memory_of(new, into))
    if leaf in memory:
        yield from memory[: memory.index(leaf)]


def rooms_of(
    statements: Sequence[Node], into: Mapping[Node, Node], wanted: Sequence[Node], place: Place
) -> set[Node]:
    """Return the matrix products that get memory of their own: no caller gets to see them.

    In a function, those of one row a sample: their memory is asked for in one piece. The C library
    hands freed pieces of middling size back to the system after each call, and taking them again
    costs a page fault every few kilobytes. In a loop, all: every step writes into the same memory.
    """
    if place == "branch":
        return set()
    seen = {below for node in wanted for below in memory_of(node, into)}
    rows = [n for n in statements if is_matrix_product(n) and n not in into and n not in seen]
    return {n for n in rows if place == "loop" or n.shape[0] == SAMPLES}


def memory_of(node: Node, into: Mapping[Node, Node]) -> Iterator[Node]:
    """Yield a node and those whose memory its value lives in."""
    yield node
    while node in into or (is_view(node) and node.args):
        node = into[node] if node in into else node.args[0]
        yield node


def is_matrix_product(node: Node) -> bool:
    """Return whether a node is a product of matrices that gives a matrix."""
    return isinstance(node, Contraction) and len(node.args) == 2 and node.type.rank == 2


def _reads(node: Node, inline: set[Node]) -> list[Node]:
    """Return the nodes whose variables a statement reads."""
    read: list[Node] = []
    pending = list(node.args)
    while pending:
        arg = pending.pop()
        if arg in inline:
            if is_view(arg):
                read.append(arg)
            pending.extend(arg.args)
        else:
            read.append(arg)
    return read


def writes_into(node: Node) -> bool:
    """Return whether a statement can write its result into a buffer that it is given."""
    if isinstance(node, ScatterAdd | ScatterSet):
        return True
    if not isinstance(node, Elementwise) or node.kind != "real" or not node.shape:
        return False
    row = SCALARS[node.function]
    return row.ufunc is not None or row.infix is not None or node.function in ("relu", "sigmoid")


def _candidates(node: Node, inline: set[Node]) -> list[Node]:
    if isinstance(node, ScatterAdd | ScatterSet):
        return [node.args[0]] if node.args[0] not in inline else []
    if node.function == "where":  # type: ignore[attr-defined]
        return []
    return [arg for arg in node.args if arg not in inline or _reshaped(arg)]


def _reshaped(node: Node) -> bool:
    """Return whether a node is all of another result, its axes merged, split or moved."""
    seen = False
    while is_view(node) and isinstance(node, Reshape | Contraction):
        if repeats(node) or (isinstance(node, Contraction) and not _turns(node)):
            return False
        (node,) = node.args
        seen = True
    return seen and not is_view(node)  # windows overlap, and cannot be written into


def _turns(node: Contraction) -> bool:
    return len(set(node.inputs[0])) == len(node.inputs[0]) == len(node.output)


def copies(returned: Sequence[Node], given: Iterable[Node]) -> frozenset[Node]:
    """Return the results that share memory with arguments, constants or earlier results."""
    outside = set(given)
    copied: set[Node] = set()
    taken: set[object] = set()
    for node in returned:
        root, repeated = node, False
        while is_view(root) and root not in outside:
            repeated = repeated or repeats(root)
            root = root.args[0]
        outer = isinstance(root, Input | Constant) or root in outside or _may_be_given(root)
        memory = _stack_of(root)
        if outer or repeated or memory in taken:
            copied.add(node)
        taken.add(memory)
    return frozenset(copied)


def _stack_of(node: Node) -> object:
    """Return what stands for the memory of a result.

    What a carry was before each step of a loop, and after it, is one array where both are stacked.
    """
    whole = node.args[0] if isinstance(node, Item) else None
    if not isinstance(whole, Scan) or node.index < whole.carries:  # type: ignore[attr-defined]
        return node
    of = whole.body.outputs[node.index]  # type: ignore[attr-defined]
    leaves = whole.body.inputs[whole.constants : whole.constants + whole.carries]
    for k, (leaf, after) in enumerate(zip(leaves, whole.body.outputs, strict=False)):
        if of in (leaf, after):
            return whole, k
    return node


def _may_be_given(node: Node) -> bool:
    """Return whether a result of several may be an operand as it is.

    The last carry of a loop of no steps is the first one; a choice may give what it was given.
    """
    if not isinstance(node, Item):
        return False
    (whole,) = node.args
    return isinstance(whole, Choice | Opaque | FixedPoint | While) or (
        isinstance(whole, Scan) and node.index < whole.carries
    )
