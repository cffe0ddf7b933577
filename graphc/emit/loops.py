"""Loops as statements: their variables, and what stands before them, in them and at their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graphc.control.body import COTANGENT
from graphc.control.choice import Choice
from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan
from graphc.emit.buffers import memory_of
from graphc.emit.forms import SEVERAL_LINES
from graphc.emit.naming import Namer
from graphc.emit.steps import BranchPlan, IterationPlan, LoopPlan, Plan, Step
from graphc.ir.nodes import Node
from graphc.ops.several import Item
from graphc.passes.loops import needed
from graphc.types import TupleType


def loop_operands(order: Sequence[Node]) -> set[Node]:
    """Return what loops read in every step: it needs a name. Where a carry starts needs none."""
    found: set[Node] = set()
    for node in order:
        if isinstance(node, Scan):
            starts = slice(node.constants, node.constants + node.carries)
            found.update(node.args)
            found.difference_update(n for n in node.args[starts] if not n.args)
        elif isinstance(node, Choice):
            found.update(node.args[1:])
        elif isinstance(node, FixedPoint):
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
    slices = _slices(node, wanted, names, namer, index, told)
    given |= slices.names
    own = {
        n: name if name.startswith(COTANGENT) else namer.fresh(name)
        for n, name in told.items()
        if n.args
    }
    donated = {held.inputs[first + k]: held.outputs[k] for k in carries} if fast else {}
    donated = {leaf: after for leaf, after in donated.items() if after is not leaf and leaf.shape}
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
    written = {leaf for leaf, after in donated.items() if leaf in memory_of(after, into)}
    leaves = {k: held.inputs[first + k] for k in carries}
    swapped = {held.outputs[k] for k in carries}  # carries that become others need their old value
    for k, name in carries.items():
        if leaves[k] in swapped and held.outputs[k] is not leaves[k]:
            continue
        body = _kept(body, leaves, k, held.outputs[k], name)
    stacks = [
        (results[k], held.outputs[k]) for k in sorted(live) if k >= node.carries and k in results
    ]
    moves = [
        (name, held.outputs[k])
        for k, name in carries.items()
        if body.names.get(held.outputs[k]) != name
    ]
    starts = [(name, node.args[first + k], leaves[k] in written) for k, name in carries.items()]
    return LoopPlan(
        index,
        body,
        tuple(starts),
        tuple(slices.bound),
        tuple(stacks),
        tuple(moves),
        frozenset(held.inputs),
    )


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
    ) -> None:
        last = node.constants + node.carries
        self.names: dict[Node, str] = {}
        self.bound: list[tuple[str, str]] = []
        uses: dict[Node, int] = {}
        for n in [*node.body.nodes()]:
            for arg in n.args:
                uses[arg] = uses.get(arg, 0) + 1
        for leaf, arg in zip(node.body.inputs[last:], node.args[last:], strict=True):
            text = f"{names[arg]}[{index}]"
            if uses.get(leaf, 0) > 1:
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
    held, first = node.body, node.constants
    told = dict(held.names)
    results = {part.index: names[part] for part in picked}
    unknowns = held.inputs[first:]
    own = [
        results.get(k) or namer.fresh(told.get(leaf, "unknown")) for k, leaf in enumerate(unknowns)
    ]
    given = {leaf: names[arg] for leaf, arg in zip(held.inputs[:first], node.args, strict=False)}
    given |= dict(zip(unknowns, own, strict=True))
    local = {n: namer.fresh(name) for n, name in told.items() if n.args}
    body = make(held.outputs, given, local, namer, fast=fast, origins=dict(held.origins),
                place="branch")  # fmt: skip
    starts = tuple(zip(own, node.args[first:], strict=True))
    return IterationPlan(
        body, starts, tuple(zip(own, held.outputs, strict=True)), namer.fresh("settled")
    )
