"""The plan: which nodes become statements, under which names, in which buffers.

Every decision of emission is made here; printing folds over the result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from graphc.control.choice import Choice
from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan
from graphc.control.repetition import While
from graphc.emit.buffers import copies, reuse, rooms_of, settled
from graphc.emit.forms import (
    SEVERAL_LINES,
    copies_elements,
    host_scalars,
    is_broadcast,
    is_fixed,
    is_leaf,
    is_mask,
    is_view,
)
from graphc.emit.local_names import name_statements
from graphc.emit.loops import (
    loop_operands,
    plan_choice,
    plan_iteration,
    plan_loop,
    plan_repetition,
)
from graphc.emit.naming import Namer
from graphc.emit.spell_reduction import keeps_dims
from graphc.emit.steps import (
    BranchPlan,
    IterationPlan,
    LoopPlan,
    Place,
    Plan,
    RepetitionPlan,
    Step,
)
from graphc.ir.nodes import Node, operands, topological
from graphc.ir.program import Origin
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd, ScatterSet
from graphc.ops.several import Item
from graphc.types import TupleType

MOST_INLINED = 3  # operations in one line of readable code
DEEPEST = 20  # views of views, and the like, in one line


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
    place: Place = "function",
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
    place
        Where the statements stand.
    """
    visit = _masks_first if fast else operands
    order = [n for n in topological(wanted, given, visit) if n not in given]
    uses = _count(order, wanted)
    fused = {n.args[0] for n in order if keeps_dims(n) and uses[n.args[0]] == 1} - set(given)
    # What repeats one number is filled in anew wherever a scatter needs it.
    scatters = [n for n in order if isinstance(n, ScatterAdd | ScatterSet)]
    fused |= {n.args[i] for n in scatters for i in (0, -1) if _one_number(n.args[i])}
    fused -= {*wanted, *given}
    looped = loop_operands(order)
    fixed = set(wanted).difference(spelled_last) | looped
    hosts = host_scalars(order)
    elided = _elided_masks(order)
    inline = {n for n in order if is_leaf(n) or (fast and is_fixed(n))} | hosts | elided | fused
    inline -= looped
    spelled = _through_views(order, uses, fixed.union(user_names))
    for node in order:
        if node in inline or isinstance(node, Item):
            continue
        if _inlines(node, spelled, user_names, fixed, fast, fused):
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
    into = reuse(statements, inline, order, wanted, given, uses, donated) if fast else {}
    lasting = {n: given[leaf] for leaf, new in donated.items() for n in settled(leaf, new, into)}
    picked = [n for n in order if isinstance(n, Item)]
    index = namer.fresh("t") if any(isinstance(n, Scan) for n in statements) else ""
    names = name_statements(
        statements, into, {**given, **lasting}, user_names, namer, origins, picked
    )
    rooms = rooms_of(statements, into, wanted, place) if fast else set()
    loops: dict[Node, LoopPlan] = {
        n: plan_loop(n, [p for p in picked if p.args[0] is n], names, namer, index, plan, fast)
        for n in statements
        if isinstance(n, Scan)
    }
    branches: dict[Node, tuple[BranchPlan, ...]] = {
        n: plan_choice(n, [p for p in picked if p.args[0] is n], names, namer, plan, fast)
        for n in statements
        if isinstance(n, Choice)
    }
    iterations: dict[Node, IterationPlan] = {
        n: plan_iteration(n, [p for p in picked if p.args[0] is n], names, namer, plan, fast)
        for n in statements
        if isinstance(n, FixedPoint)
    }
    repetitions: dict[Node, RepetitionPlan] = {
        n: plan_repetition(n, [p for p in picked if p.args[0] is n], names, namer, plan, fast)
        for n in statements
        if isinstance(n, While)
    }
    steps = tuple(
        Step(
            n,
            names[n],
            into.get(n),
            namer.fresh("room") if n in rooms else None,
            loops.get(n),
            branches.get(n, ()),
            iterations.get(n),
            repetitions.get(n),
        )
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


def _through_views(
    order: Sequence[Node], uses: Mapping[Node, int], stated: Collection[Node]
) -> dict[Node, int]:
    """Return how often each node is used where the views of it that are no lines are spelled."""
    found = dict(uses)
    for node in reversed(order):
        again = found.get(node, 0) > 1 and is_view(node) and not is_broadcast(node)
        if again and node.args and node not in stated and not copies_elements(node):
            found[node.args[0]] += found[node] - 1
    return found


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
    if node in wanted or node in user_names or isinstance(node, SEVERAL_LINES):
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
