"""The plan: which nodes become statements, under which names, in which buffers.

Every decision of emission is made here; printing folds over the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from graphc.emit.forms import (
    copies_elements,
    host_scalars,
    is_broadcast,
    is_fixed,
    is_leaf,
    is_mask,
    is_ones,
    is_view,
    repeats,
    same_buffer,
)
from graphc.emit.naming import Namer
from graphc.emit.spell_reduction import is_mean, keeps_dims
from graphc.ir.nodes import Node, operands, topological
from graphc.ir.program import Origin
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd
from graphc.ops.leaves import Constant, Input
from graphc.ops.scalars import SCALARS
from graphc.ops.several import Item, types_of
from graphc.ops.structural import Pad, Reshape
from graphc.ops.windows import Fold
from graphc.types import Shape, TupleType, named

COTANGENT = "d_"  # in front of the name of a variable
COMMUTATIVE = ("add", "multiply")
SAMPLES = named("P")
MOST_INLINED = 3  # operations in one line of readable code
DEEPEST = 20  # views of views, and the like, in one line


@dataclass(frozen=True, slots=True)
class Step:
    """One node that becomes a statement.

    Parameters
    ----------
    name
        The variable that it is assigned to.
    into
        The operand whose buffer the result is written into, if any.
    room
        The variable of the memory that a matrix product writes into, where it is not `into`.
    """

    node: Node
    name: str
    into: Node | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The body of a function.

    Parameters
    ----------
    steps
        Statements in order; one of a node with several results names them all: ``q, r``.
    uses
        How often each node is used in the body, results included.
    names
        The variable of each node that has one, given ones included.
    copied
        Results that must be copied before they are returned, because their memory is the
        caller's or another result's.
    """

    steps: tuple[Step, ...]
    uses: Mapping[Node, int]
    names: Mapping[Node, str]
    copied: frozenset[Node]

    @property
    def rooms(self) -> tuple[Step, ...]:
        """The steps that write into memory of their own, which one allocation provides."""
        return tuple(step for step in self.steps if step.room is not None)


def plan(
    wanted: Sequence[Node],
    given: Mapping[Node, str],
    user_names: Mapping[Node, str],
    namer: Namer,
    *,
    fast: bool,
    origins: Mapping[Node, Origin],
    returned: Sequence[Node] = (),
    spelled_last: Sequence[Node] = (),
    donated: Mapping[Node, Node] = MappingProxyType({}),
) -> Plan:
    """Plan the computation of `wanted` from the nodes in `given`, which have names already.

    Parameters
    ----------
    returned
        Results among `wanted` that go to the caller.
    spelled_last
        Nodes of `wanted` that may be spelled where they are returned.
    donated
        Given nodes whose memory shall come to hold another value, which is wanted: it is
        computed there if nothing needs the old value any more.
    """
    visit = _masks_first if fast else operands
    order = [n for n in topological(wanted, given, visit) if n not in given]
    uses = _count(order, wanted)
    fused = {n.args[0] for n in order if keeps_dims(n) and uses[n.args[0]] == 1} - set(given)
    # What repeats one number is filled in anew wherever a scatter needs it.
    scatters = [n for n in order if isinstance(n, ScatterAdd)]
    fused |= {n.args[i] for n in scatters for i in (0, 2) if _one_number(n.args[i])} - set(wanted)
    fixed = set(wanted).difference(spelled_last)
    hosts = host_scalars(order)
    elided = _elided_masks(order)
    inline = {n for n in order if is_leaf(n) or (fast and is_fixed(n))} | hosts | elided | fused
    for node in order:
        if node in inline or isinstance(node, Item):
            continue
        if _inlines(node, uses, user_names, fixed, fast, fused):
            inline.add(node)
    weights: dict[Node, int] = {}
    depths: dict[Node, int] = {}
    for node in order:  # a long line is broken at the operand that made it long
        held = [arg for arg in node.args if arg in inline]
        weights[node] = sum(weights[arg] for arg in held)
        weights[node] += 0 if is_view(node) or node in hosts or is_leaf(node) else 1
        depths[node] = 1 + max((depths[arg] for arg in held), default=0)
        too_long = weights[node] > MOST_INLINED or depths[node] > DEEPEST
        if node in inline and too_long and not (is_leaf(node) or node in fused):
            inline.discard(node)
        if node not in inline:
            weights[node] = depths[node] = 0
    # A result of several is there, under a name, once all of them are.
    statements = [n for n in order if n not in inline and not isinstance(n, Item)]
    into = _reuse(statements, inline, order, wanted, given, uses, donated) if fast else {}
    settled = {n: given[leaf] for leaf, new in donated.items() for n in _settled(leaf, new, into)}
    picked = [n for n in order if isinstance(n, Item)]
    names = _name(statements, into, {**given, **settled}, user_names, namer, origins, picked)
    rooms = _rooms(statements, into, wanted) if fast else set()
    steps = tuple(
        Step(n, names[n], into.get(n), namer.fresh("room") if n in rooms else None)
        for n in statements
    )
    copied = copies(returned, given)
    if fast:  # a vector of ones is the file's own
        copied |= {n for n in returned if is_fixed(n)}
    return Plan(steps, uses, names, copied)


def _masks_first(node: Node) -> Sequence[Node]:
    """Visit the masks of a product first: what they are made of can then be overwritten."""
    if isinstance(node, Elementwise) and node.function == "multiply":
        return sorted(node.args, key=lambda arg: not is_mask(arg))
    return node.args


def _count(order: Sequence[Node], wanted: Sequence[Node]) -> dict[Node, int]:
    uses: dict[Node, int] = {}
    for node in order:
        for arg in node.args:
            uses[arg] = uses.get(arg, 0) + 1
    for node in wanted:
        uses[node] = uses.get(node, 0) + 1
    return uses


def _elided_masks(order: Sequence[Node]) -> set[Node]:
    """Return the conversions of booleans that no statement needs: products take masks."""
    elided = {node for node in order if is_mask(node)}
    for node in order:
        product = isinstance(node, Elementwise) and node.function == "multiply"
        for arg in node.args:
            other = [a for a in node.args if a is not arg]
            fits = product and other and other[0].shape and not is_mask(other[0])
            if arg in elided and not fits:
                elided.discard(arg)
    return elided


def _one_number(node: Node) -> bool:
    """Return whether a node repeats one number, which assignments broadcast by themselves."""
    return is_broadcast(node) and not node.args[0].shape and node.kind == "real"


def _inlines(
    node: Node,
    uses: Mapping[Node, int],
    user_names: Mapping[Node, str],
    wanted: set[Node],
    fast: bool,
    fused: set[Node],
) -> bool:
    """Return whether a node is spelled where it is used and not in a line of its own."""
    if node in wanted or node in user_names or isinstance(node, ScatterAdd | Pad | Fold):
        return False
    if copies_elements(node) and uses.get(node, 0) > 1:
        return False
    if isinstance(node.type, TupleType):
        return False
    if is_view(node) and not is_broadcast(node) and not (node.args and node.args[0] in fused):
        return True
    if uses.get(node, 0) != 1:
        return False
    return not fast


def _reuse(
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
    that nothing reads any more: fresh memory costs a page fault every few kilobytes.
    """
    roots = {node: node for node in given}
    # With keepdims=True a reduction gives a buffer of its own; of a named one it is a view.
    computed = {n for n in statements if keeps_dims(n) and n.args[0] in inline}
    for node in order:
        roots[node] = roots[node.args[0]] if is_view(node) and node not in computed else node
    mine = {n for n in statements if roots[n] is n and not is_broadcast(n)}
    kept = {roots[n] for n in wanted}
    last: dict[Node, int] = {}
    reads = [_reads(node, inline) for node in statements]
    for at, read in enumerate(reads):
        for node in read:
            last[roots.get(node, node)] = at
    into: dict[Node, Node] = {}
    heirs = {leaf: _heirs(leaf, new, uses, inline) for leaf, new in donated.items()}
    matrices: set[Node] = set()  # whose memory is a matrix product's, so contiguous
    idle: dict[Shape, list[Node]] = {}
    for at, node in enumerate(statements):
        if is_matrix_product(node):
            matrices.add(node)
            if idle.get(node.shape):
                into[node] = idle[node.shape].pop()
        elif _writes_into(node):
            for arg in _candidates(node, inline):
                root = roots[arg]
                owned = root in mine or node in heirs.get(root, ())
                free = owned and root not in kept and last.get(root) == at
                # A view of the operand among the others is no harm: ufuncs see that it overlaps.
                if free and arg is root and same_buffer(node, arg):
                    into[node] = arg
                    if arg in matrices:
                        matrices.add(node)
                    break
        for arg in dict.fromkeys(roots.get(n, n) for n in reads[at]):
            taken = arg is into.get(node)
            if arg in matrices and arg not in kept and last[arg] == at and not taken:
                idle.setdefault(arg.shape, []).append(arg)
    return into


def _heirs(leaf: Node, new: Node, uses: Mapping[Node, int], inline: set[Node]) -> set[Node]:
    """Return the statements through which a value could stay in one memory, from old to new.

    Each but the last is read by the next alone.
    """
    path: list[Node] = []
    node: Node | None = new
    while node is not None and node is not leaf:
        if node in inline or not _writes_into(node) or not same_buffer(node, leaf):
            return set()
        path.append(node)
        if leaf in node.args:
            return set(path)
        steps = [a for a in node.args if uses.get(a) == 1 and a not in inline and a.args]
        node = next((a for a in steps if leaf in topological([a], (leaf,))), None)
    return set()


def _settled(leaf: Node, new: Node, into: Mapping[Node, Node]) -> Iterator[Node]:
    """Yield the nodes that live in the memory of `leaf`, where the last of them is `new`."""
    memory = list(memory_of(new, into))
    if leaf in memory:
        yield from memory[: memory.index(leaf)]


def _rooms(
    statements: Sequence[Node], into: Mapping[Node, Node], wanted: Sequence[Node]
) -> set[Node]:
    """Return the matrix products of one row a sample that no caller gets to see.

    Their memory is asked for in one piece. The C library hands freed pieces of middling size back
    to the system after each call, and taking them again costs a page fault every few kilobytes.
    """
    seen = {below for node in wanted for below in memory_of(node, into)}
    return {
        n
        for n in statements
        if is_matrix_product(n) and n not in into and n.shape[0] == SAMPLES and n not in seen
    }


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


def _writes_into(node: Node) -> bool:
    if isinstance(node, ScatterAdd):
        return True
    if not isinstance(node, Elementwise) or node.kind != "real" or not node.shape:
        return False
    row = SCALARS[node.function]
    return row.ufunc is not None or row.infix is not None or node.function == "relu"


def _candidates(node: Node, inline: set[Node]) -> list[Node]:
    if isinstance(node, ScatterAdd):
        return [node.args[0]] if node.args[0] not in inline else []
    if node.function == "where":  # type: ignore[attr-defined]
        return []
    return [arg for arg in node.args if arg not in inline]


def _name(
    statements: Sequence[Node],
    into: Mapping[Node, Node],
    given: Mapping[Node, str],
    user_names: Mapping[Node, str],
    namer: Namer,
    origins: Mapping[Node, Origin],
    picked: Sequence[Item],
) -> dict[Node, str]:
    """Name the statements; what is written over at once goes under its successor's name."""
    names = dict(given)
    results: dict[Node, list[Item]] = {}
    for part in picked:
        results.setdefault(part.args[0], []).append(part)
    heirs = {operand: node for node, operand in into.items() if augments(node, operand)}
    for node in statements:
        if node in names:
            continue
        if isinstance(node.type, TupleType):
            _name_results(node, results[node], names, user_names, namer)
            continue
        chain = [node]
        while chain[-1] not in user_names and chain[-1] in heirs:
            following = heirs[chain[-1]]
            if origins.get(following) != origins.get(chain[-1]):
                break  # another block, or the backward pass: a name of its own reads better
            chain.append(following)
        name = _named(chain[-1], user_names.get(chain[-1]), namer)
        for member in chain:
            names[member] = name
    return names


def _name_results(
    node: Node,
    picked: Sequence[Item],
    names: dict[Node, str],
    user_names: Mapping[Node, str],
    namer: Namer,
) -> None:
    """Name the results of one node that has several; ``_`` is one that nothing uses."""
    known = {part.index: part for part in picked}
    told = []
    for index in range(len(types_of(node))):
        part = known.get(index)
        if part is not None:
            names[part] = _named(part, user_names.get(part), namer)
        told.append("_" if part is None else names[part])
    names[node] = ", ".join(told) + ("," if len(told) == 1 else "")


def _named(node: Node, wish: str | None, namer: Namer) -> str:
    if wish is None:
        return namer.fresh(_wish(node))
    # A cotangent's name is the emitter's wish, a variable's name is the user's.
    return namer.fresh(wish) if wish.startswith(COTANGENT) else wish


def augments(node: Node, operand: Node) -> bool:
    """Return whether a node that overwrites an operand is written ``a += b``."""
    if isinstance(node, ScatterAdd):
        return True
    if not isinstance(node, Elementwise):
        return False
    first = node.args[0] is operand or node.function in COMMUTATIVE
    return SCALARS[node.function].infix is not None and len(node.args) == 2 and first


def _wish(node: Node) -> str:
    """Return a name that says what an unnamed node is."""
    if isinstance(node, Item):
        told = RESULTS.get(type(node.args[0]).__name__.lower(), ())
        return told[node.index] if node.index < len(told) else "result"
    if keeps_dims(node):
        node = node.args[0]
    if node.kind == "boolean":
        return "mask"
    if is_mean(node) is not None:
        return "mean"
    if isinstance(node, Contraction):
        terms = [arg for arg in node.args if not is_ones(arg)]
        if len(terms) == 1 and len(node.args) == 2:
            return "Z" if getattr(terms[0], "function", "") == "exp" else "total"
        if len(node.args) == 1 and len(node.output) < len(node.inputs[0]):
            inner = node.args[0]
            exponentials = isinstance(inner, Elementwise) and inner.function == "exp"
            return "Z" if exponentials else "total"
        if len(node.args) == 2:
            return "product"
        if len(set(node.output)) < len(node.output):
            return "identity"
        return "ones" if is_ones(node) else "filled"
    if isinstance(node, Reshape):
        return "columns" if copies_elements(node) else "t"
    function = getattr(node, "function", type(node).__name__.lower())
    return _WISHES.get(function, function)


# What the results of a kind that has several are called, where the user does not name them.
RESULTS: dict[str, tuple[str, ...]] = {}

_WISHES = {
    "exp": "e",
    "real": "t",
    "max": "top",
    "min": "low",
    "subtract": "t",
    "add": "t",
    "multiply": "t",
    "divide": "t",
    "negative": "t",
    "square": "sq",
    "where": "t",
    "scatteradd": "t",
    "slice": "part",
    "gather": "picked",
    "pad": "padded",
    "fold": "folded",
    "sum": "total",
    "abs": "t",
}


def copies(returned: Sequence[Node], given: Iterable[Node]) -> frozenset[Node]:
    """Return the results that share memory with arguments, constants or earlier results."""
    outside = set(given)
    copied: set[Node] = set()
    taken: set[Node] = set()
    for node in returned:
        root, repeated = node, False
        while is_view(root) and root not in outside:
            repeated = repeated or repeats(root)
            root = root.args[0]
        if isinstance(root, Input | Constant) or root in outside or repeated or root in taken:
            copied.add(node)
        taken.add(root)
    return frozenset(copied)
