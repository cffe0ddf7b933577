"""Loops as statements: their variables, and what stands before them, in them and at their end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from graphc.control.body import COTANGENT
from graphc.control.choice import Choice
from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan, needed
from graphc.control.repetition import While
from graphc.emit.forms import SEVERAL_LINES, is_view
from graphc.emit.local_names import wish_of
from graphc.emit.loop_memory import Carry, Slots
from graphc.emit.naming import Namer
from graphc.emit.steps import (
    Along,
    BranchPlan,
    IterationPlan,
    LoopPlan,
    Plan,
    RepetitionPlan,
    Run,
    Step,
)
from graphc.ir.nodes import Node, topological
from graphc.ops.several import Item
from graphc.types import TupleType


def loop_operands(order: Sequence[Node]) -> set[Node]:
    """Return what loops read in every step: it needs a name. Where a carry starts needs none."""
    found: set[Node] = set()
    for node in order:
        if isinstance(node, Scan):
            first, last = node.constants, node.constants + node.carries
            found.update(node.args[:first], node.args[last:])
            found.update(start for start in node.args[first:last] if start.args)
        elif isinstance(node, Choice):
            found.update(node.args[1:])
        elif isinstance(node, FixedPoint | While):
            found.update(node.args[: node.constants])
    return found


def plan_choice(
    node: Choice,
    picked: Sequence[Item],
    names: dict[Node, str],
    namer: Namer,
    make: Callable[..., Plan],
    fast: bool,
) -> tuple[BranchPlan, ...]:
    """Plan both ways of a choice of which the results `picked` are read."""
    branches = []
    for held in (node.yes, node.no):
        given = {leaf: names[arg] for leaf, arg in zip(held.inputs, node.args[1:], strict=True)}
        results = [(names[part], held.outputs[part.index]) for part in picked]
        own = {n: name for name, n in results if n.args}
        told = {n: namer.fresh(name) for n, name in held.names if n.args and n not in own}
        wanted = [n for _, n in results]
        origins = dict(held.origins)
        body = make(
            wanted, given, {**told, **own}, namer, fast=fast, origins=origins, place="branch"
        )
        left = [(name, n) for name, n in results if body.names.get(n) != name]
        branches.append(BranchPlan(body, tuple(left)))
    return tuple(branches)


def plan_loop(
    node: Scan,
    picked: Sequence[Item],
    names: dict[Node, str],
    namer: Namer,
    index: str,
    make: Callable[..., Plan],
    fast: bool,
) -> LoopPlan:
    """Plan a loop of which the results `picked` are read; `make` plans a body.

    The results have names already, in `names`.
    """
    held = node.body
    first = node.constants
    told = dict(held.names)
    live = needed(node, (part.index for part in picked))
    results = {part.index: names[part] for part in picked}
    carries = {
        k: results.get(k) or namer.fresh(told.get(held.inputs[first + k], "carry"))
        for k in range(node.carries)
        if k in live
    }
    given = {leaf: names[arg] for leaf, arg in zip(held.inputs[:first], node.args, strict=False)}
    given |= {held.inputs[first + k]: name for k, name in carries.items()}
    wanted = [held.outputs[k] for k in sorted(live)]
    slices = _slices(node, wanted, names, namer, index, told, fast)
    given |= slices.names
    own = {
        n: name if name.startswith(COTANGENT) else namer.fresh(name)
        for n, name in told.items()
        if n.args
    }
    donated = {} if not fast else _donated(node, carries, results)
    body = make(
        wanted,
        given,
        own,
        namer,
        fast=fast,
        origins=dict(held.origins),
        donated=donated,
        place="loop",
    )
    # A step's product may be the next one's operand: it cannot have the same memory every time.
    body = replace(body, steps=tuple(replace(step, room=None) for step in body.steps))
    into = {step.node: step.into for step in body.steps if step.into is not None}
    written = {leaf for leaf in donated if leaf in into.values()}
    leaves = {k: held.inputs[first + k] for k in carries}
    swapped = {held.outputs[k] for k in carries}  # carries that become others need their old value
    for k, name in carries.items():
        if leaves[k] in swapped and held.outputs[k] is not leaves[k]:
            continue
        body = _kept(body, leaves, k, held.outputs[k], name)
    stacks = [
        (results[k], held.outputs[k]) for k in sorted(live) if k >= node.carries and k in results
    ]
    starts = [(name, node.args[first + k], leaves[k] in written) for k, name in carries.items()]
    made: list[tuple[str, Node]] = []
    runs: list[Run] = []
    rows = list(slices.rows)
    if fast:
        every = [
            Carry(leaves[k], held.outputs[k], name, node.args[first + k])
            for k, name in carries.items()
        ]
        slots = Slots(body, every, namer)
        runs = _runs(slots, every, stacks, namer)
        ran = {name for run in runs for name in (run.before, run.after)}
        starts = [start for start in starts if start[0] not in {run.carry for run in runs}]
        stacks = [pair for pair in stacks if pair[0] not in ran]
        made = [(name, n) for name, n in stacks if slots.place(n, name)]
        stacks = [pair for pair in stacks if pair not in made]
        body = replace(body, steps=slots.steps(body))
        rows += slots.rows
    moves = [
        (name, held.outputs[k])
        for k, name in carries.items()
        if body.names.get(held.outputs[k]) != name
    ]
    return LoopPlan(
        index,
        body,
        tuple(starts),
        tuple(slices.bound),
        tuple(stacks),
        tuple(moves),
        frozenset(held.inputs),
        tuple(made),
        tuple(runs),
        tuple(rows),
    )


def _donated(node: Scan, carries: Collection[int], results: Collection[int]) -> dict[Node, Node]:
    """Return the carries whose memory shall come to hold their next value, and that value.

    What is stacked is computed in the stack instead.
    """
    held, first = node.body, node.constants
    stacked = {_viewed(held.outputs[k]) for k in results if k >= node.carries}
    before = {held.outputs[k] for k in results if k >= node.carries}
    found = {}
    for k in carries:
        leaf, after = held.inputs[first + k], held.outputs[k]
        kept = leaf in before or _viewed(after) in stacked
        if after is not leaf and leaf.shape and not kept:
            found[leaf] = after
    return found


def _viewed(node: Node) -> Node:
    while is_view(node) and node.args:
        node = node.args[0]
    return node


def _runs(
    slots: Slots, carries: Sequence[Carry], stacks: Sequence[tuple[str, Node]], namer: Namer
) -> list[Run]:
    """Return the carries whose values before and after the steps shall be one array."""
    runs: list[Run] = []
    for carry in carries:
        before = next((name for name, n in stacks if n is carry.leaf), None)
        if before is None or carry.after is carry.leaf or not slots.fits(carry.after):
            continue
        taken = {run.after for run in runs}
        told = [name for name, n in stacks if n is carry.after and name not in taken]
        after = told[0] if told else namer.fresh(f"{carry.name}_after")
        slots.place(carry.after, after)
        name = namer.fresh(f"{carry.name}_all")
        runs.append(Run(name, before, after, carry.name, carry.start, carry.after))
    return runs


class _slices:
    """How the slices of a step are spelled; those that are read often get a variable."""

    def __init__(
        self,
        node: Scan,
        wanted: Sequence[Node],
        names: Mapping[Node, str],
        namer: Namer,
        index: str,
        told: Mapping[Node, str],
        fast: bool,
    ) -> None:
        last = node.constants + node.carries
        self.names: dict[Node, str] = {}
        self.bound: list[tuple[str, str]] = []
        self.rows: list[Along] = []
        uses: dict[Node, int] = {}
        for n in [*node.body.nodes()]:
            for arg in n.args:
                uses[arg] = uses.get(arg, 0) + 1
        for leaf, arg in zip(node.body.inputs[last:], node.args[last:], strict=True):
            text = f"{names[arg]}[{index}]"
            if fast:
                local = namer.fresh(f"{told.get(leaf, names[arg])}_t")
                self.rows.append(Along(local, names[arg]))
                text = local
            elif uses.get(leaf, 0) > 1:
                local = namer.fresh(f"{told.get(leaf, 'slice')}_t")
                self.bound.append((local, text))
                text = local
            self.names[leaf] = text


def _kept(body: Plan, leaves: Mapping[int, Node], k: int, after: Node, name: str) -> Plan:
    """Return the plan with the next carry under the carry's own name, if nothing needs the old."""
    own = body.names.get(after)
    at = [i for i, step in enumerate(body.steps) if step.name == own]
    if own is None or own == name or not at:
        return body
    first = body.steps[at[0]]
    odd = isinstance(first.node, SEVERAL_LINES) or isinstance(first.node.type, TupleType)
    if odd or after not in {step.node for step in body.steps}:
        return body
    if any(leaves[k] in _reads(step, body) for step in body.steps[at[0] + 1 :]):
        return body
    steps = tuple(replace(s, name=name) if s.name == own else s for s in body.steps)
    names = {n: name if text == own else text for n, text in body.names.items()}
    return replace(body, steps=steps, names=names)


def _reads(step: Step, body: Plan) -> set[Node]:
    """Return the named nodes that a statement reads."""
    found: set[Node] = set()
    pending = list(step.node.args)
    while pending:
        arg = pending.pop()
        if arg in body.names:
            found.add(arg)
        else:
            pending.extend(arg.args)
    return found


def plan_iteration(
    node: FixedPoint,
    picked: Sequence[Item],
    names: dict[Node, str],
    namer: Namer,
    make: Callable[..., Plan],
    fast: bool,
) -> IterationPlan:
    """Plan a fixed point of which the results `picked` are read."""
    given, own = _variables(node, picked, names, namer)
    held = node.body
    local = {n: namer.fresh(name) for n, name in held.names if n.args}
    body = make(held.outputs, given, local, namer, fast=fast, origins=dict(held.origins),
                place="branch")  # fmt: skip
    starts = tuple(zip(own, node.args[node.constants :], strict=True))
    return IterationPlan(
        body, starts, tuple(zip(own, held.outputs, strict=True)), namer.fresh("settled")
    )


def plan_repetition(
    node: While,
    picked: Sequence[Item],
    names: dict[Node, str],
    namer: Namer,
    make: Callable[..., Plan],
    fast: bool,
) -> RepetitionPlan:
    """Plan a loop of unknown length of which the results `picked` are read.

    What both the condition and the step after it compute is computed once.
    """
    given, own = _variables(node, picked, names, namer)
    held = node.body
    *nexts, condition = held.outputs
    local = {n: namer.fresh(name) for n, name in held.names if n.args}
    options = {"fast": fast, "origins": dict(held.origins), "place": "branch"}
    shared = {n: namer.fresh(wish_of(n)) for n in _shared(condition, nexts, given)}
    test = make([*shared, condition], given, {**shared, **local}, namer, **options)
    at_hand = {n: name for n, name in test.names.items() if n is not condition}
    body = make(nexts, {**given, **at_hand}, local, namer, **options)
    leaves = dict(enumerate(held.inputs[node.constants :]))
    moves = []
    for k, (name, after) in enumerate(zip(own, nexts, strict=True)):
        if after is not leaves[k]:
            body = body if leaves[k] in nexts else _kept(body, leaves, k, after, name)
            moves.append((name, after))
    moves = [(name, after) for name, after in moves if body.names.get(after) != name]
    starts = tuple(zip(own, node.args[node.constants :], strict=True))
    return RepetitionPlan(test, condition, body, starts, tuple(moves))


def _shared(condition: Node, nexts: Sequence[Node], given: Mapping[Node, str]) -> list[Node]:
    """Return what a condition computes on its way, and a step reads."""
    before = [n for n in topological([condition], given) if n.args and n not in given]
    step = [n for n in topological(nexts, given) if n not in given and n not in before]
    read = {arg for n in step for arg in n.args} | set(nexts)
    return [n for n in before if n in read and n is not condition and not is_view(n)]


def _variables(
    node: FixedPoint | While, picked: Sequence[Item], names: Mapping[Node, str], namer: Namer
) -> tuple[dict[Node, str], list[str]]:
    """Return the variables of a body's leaves, and among them those that change."""
    held, first = node.body, node.constants
    told, results = dict(held.names), {part.index: names[part] for part in picked}
    changing = held.inputs[first:]
    wish = "unknown" if isinstance(node, FixedPoint) else "carry"
    own = [results.get(k) or namer.fresh(told.get(leaf, wish)) for k, leaf in enumerate(changing)]
    given = {leaf: names[arg] for leaf, arg in zip(held.inputs[:first], node.args, strict=False)}
    return given | dict(zip(changing, own, strict=True)), own
