"""Blocks that open: composite blocks into those of their bodies, loops into one step or several.

Everything that is drawn of a graph is collected here: its blocks as they are shown, and a *slot*
for each variable. One variable of the body of a loop has several slots where the loop is unrolled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from graphc.calculus.names import escape, math_label, subscripted
from graphc.errors import RenderError
from graphc.language.graph import Graph, LoopBody, Use, inside, inside_loop, loop_of, results_inside
from graphc.language.variable import Variable
from graphc.render.diagram import Edge, Element, Kind
from graphc.types import Dim

MOST_STEPS = 5  # of an unrolled loop; of a longer one, the first three and the last
NEXT_STEP = r"t \to t + 1"


@dataclass(eq=False, slots=True)
class Slot:
    """A variable as it is drawn once; ``frame`` is the open block that it is in."""

    variable: Variable
    id: str
    frame: str
    label: str
    name: str = ""
    kind: Kind | None = None


@dataclass(eq=False, slots=True)
class Scope:
    """Where variables are looked up: an open block, or one step of a loop, in what is around it.

    ``index`` is the step that variables made here have in their labels, ``names`` what the step
    of a loop calls its results.
    """

    parts: Parts
    frame: str = ""
    around: Scope | None = None
    index: str = ""
    slots: dict[int, Slot] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def find(self, v: Variable) -> Slot | None:
        """Return the slot of a variable, if it has one."""
        scope: Scope | None = self
        while scope is not None:
            if id(v) in scope.slots:
                return scope.slots[id(v)]
            scope = scope.around
        return None

    def add(self, v: Variable, label: str, name: str, kind: Kind | None = None) -> Slot:
        """Make a slot for a variable of this scope."""
        slot = Slot(v, f"{self.frame} / variable {next(self.parts.numbers)}", self.frame, label)
        slot.name, slot.kind = name, kind
        self.slots[id(v)] = slot
        self.parts.slots.append(slot)
        return slot

    def make(self, v: Variable, use: Use) -> None:
        """Make a slot for what a block in an open one computes, unless there is one."""
        if self.around is not None and self.find(v) is None:
            name = self.names.get(id(v), v.name) or (f"{use.name}_out" if self.parts.named else "")
            told = v.declaration.label or (subscripted(name, self.index) if name else "")
            self.add(v, told, name)


@dataclass(frozen=True, slots=True)
class Block:
    """One function or cost as it is drawn; an open loop has a number of ``steps``."""

    use: Use
    id: str
    frame: str
    scope: Scope
    steps: Dim | None = None


class Parts:
    """What is drawn of a graph.

    Attributes
    ----------
    blocks, frames : list of Block
        The closed blocks, and the open ones around them, outer ones first.
    slots : list of Slot
        All variables but parameters.
    edges : list of Edge
        Those that no block stands at: from outside into a loop, around it, and out of it.
    extra : list of Element
        The dots that stand for the steps that an unrolled loop leaves out.
    """

    def __init__(self, graph: Graph, named: bool) -> None:
        self.graph = graph
        self.named = named
        self.blocks: list[Block] = []
        self.frames: list[Block] = []
        self.slots: list[Slot] = []
        self.edges: list[Edge] = []
        self.extra: list[Element] = []
        self.numbers = count()
        self.whole = Scope(self)
        for v in graph.variables:
            name = graph.name_of(v)
            label = v.declaration.label or (math_label(name) if named or v.name else "")
            self.whole.slots[id(v)] = Slot(v, f"variable {name}", "", label, name)
            self.slots.append(self.whole.slots[id(v)])
        for v in graph.parameters:  # shown where they turn out to be circles
            name = graph.name_of(v)
            label = v.declaration.label or math_label(name)
            self.whole.slots[id(v)] = Slot(v, f"variable {name}", "", label, name)


def open_blocks(
    graph: Graph, expand: bool | Collection[str], loops: str, named: bool = False
) -> Parts:
    """Sort the blocks into open and closed ones, in the order of the data.

    With ``named``, variables that the user gave no name show that of the graph.

    Raises
    ------
    RenderError
        If `expand` names a block that is not there, or that cannot be opened.
    """
    wanted: set[str] = set()
    if not isinstance(expand, bool):
        wanted = {expand} if isinstance(expand, str) else set(expand)
    met: dict[str, bool] = {}
    parts = Parts(graph, named)
    pending = deque(
        Block(use, f"function {use.name} {number}", "", parts.whole)
        for number, use in enumerate(graph.uses)
    )
    while pending:
        block = pending.popleft()
        name = block.use.name
        inner: Sequence[Block] = ()
        if loop_of(block.use) is not None:
            inner = open_loop(parts, block, loops)
        elif expand is True or name in wanted:
            inner = open_composite(parts, block)
        met[name] = met.get(name, False) or bool(inner)
        if inner:
            pending.extendleft(reversed(inner))
            continue
        parts.blocks.append(block)
        for v in block.use.outputs:
            block.scope.make(v, block.use)
    for name in sorted(wanted):
        if not met.get(name):
            fault = "is made of no other blocks" if name in met else "is not in the graph"
            raise RenderError(
                f"expand: the block '{name}' {fault}; it has {', '.join(sorted(met))}"
            )
    return parts


def open_composite(parts: Parts, block: Block) -> list[Block]:
    """Return the blocks that a function opens into; none where it returns what went in."""
    use = block.use
    if use.kind == "cost" or use.call is None:
        return []
    results = results_inside(use)
    given = {id(v) for v in use.call.inputs}
    inner = inside(use)
    if not inner or len({id(v) for v in results}) < len(results):
        return []
    if any(id(v) in given for v in results):
        return []
    scope = Scope(parts, block.id, block.scope, block.scope.index)
    for result, output in zip(results, use.outputs, strict=True):
        block.scope.make(output, use)
        slot = block.scope.find(output)
        if slot is not None:
            scope.slots[id(result)] = slot
    parts.frames.append(block)
    return list(blocks_in(block, inner, scope))


def blocks_in(block: Block, uses: Sequence[Use], scope: Scope, step: str = "") -> Iterator[Block]:
    """Iterate over the blocks of a body."""
    for number, use in enumerate(uses):
        yield Block(use, f"{block.id} / {step}{use.name} {number}", scope.frame, scope)


# --- loops ------------------------------------------------------------------------------------


def open_loop(parts: Parts, block: Block, style: str) -> list[Block]:
    """Return the blocks of one step of a loop, in a frame, or those of several, unrolled."""
    uses = inside_loop(block.use)
    if style == "closed" or not uses:
        return []
    for v in block.use.outputs:
        block.scope.make(v, block.use)
    name_results(block)
    return unroll(parts, block, uses) if style == "unrolled" else one_step(parts, block, uses)


def name_results(block: Block) -> None:
    """Label what a loop returns after what its step does: the last carry, and the stacks."""
    loop, _ = parts_of(block)
    for k, (name, v) in enumerate(zip(loop.names, block.use.outputs, strict=True)):
        slot = block.scope.find(v)
        if slot is not None and v.name is None and not v.declaration.label:
            last = "1" if loop.reverse else str(loop.steps)
            index = last if k < loop.carries else f"1:{loop.steps}"
            slot.label = subscripted(name, escape(index))


def parts_of(block: Block) -> tuple[LoopBody, Sequence[Variable]]:
    """Return the step of a loop, and what the loop was called with."""
    loop = loop_of(block.use)
    assert loop is not None
    assert block.use.call is not None
    return loop, block.use.call.inputs


def one_step(parts: Parts, block: Block, uses: Sequence[Use]) -> list[Block]:
    """Return the blocks of the step, in a frame around which the carry is led back."""
    loop, arguments = parts_of(block)
    frame = Block(block.use, block.id, block.frame, block.scope, loop.steps)
    parts.frames.append(frame)
    scope = Scope(parts, block.id, block.scope, "t")
    for k, v in enumerate(loop.leaves):
        carried = k < loop.carries
        name = v.name or "x"
        slot = scope.add(v, subscripted(name, "t-1" if carried else "t"), name, "computed")
        given = block.scope.find(arguments[k])
        if given is not None:
            parts.edges.append(Edge(given.id, slot.id))
    scope.names.update({id(v): name for v, name in zip(loop.results, loop.names, strict=False)})
    blocks = list(blocks_in(block, uses, scope))
    for inner in blocks:
        for v in inner.use.outputs:
            scope.make(v, inner.use)
    for k, (v, output) in enumerate(zip(loop.results, block.use.outputs, strict=True)):
        source = scope.find(v)
        connect(parts, source, block.scope.find(output))
        if k < loop.carries and source is not None:
            start = scope.slots[id(loop.leaves[k])]
            told = NEXT_STEP if k + 1 == loop.carries else ""  # once, at the outermost
            parts.edges.append(Edge(source.id, start.id, "carry", label=told))
    return blocks


def unroll(parts: Parts, block: Block, uses: Sequence[Use]) -> list[Block]:
    """Return the blocks of several steps, one after the other."""
    loop, arguments = parts_of(block)
    steps, few = ["1", "2", "3", str(loop.steps)], False
    if isinstance(loop.steps, int) and loop.steps <= MOST_STEPS:
        steps, few = [str(k + 1) for k in range(loop.steps)], True
    if loop.reverse:
        steps.reverse()
    state = [block.scope.find(v) for v in arguments[: loop.carries]]
    found: list[Block] = []
    for n, step in enumerate(steps):
        scope = Scope(parts, block.frame, block.scope, step)
        if not few and n == (1 if loop.reverse else 3):
            state = [skip(parts, block, slot) for slot in state]
        for v, slot in zip(loop.leaves, state, strict=False):
            if slot is not None:
                scope.slots[id(v)] = slot
        for k, v in enumerate(loop.leaves[loop.carries :], loop.carries):
            given = block.scope.find(arguments[k])
            name = (given.name if given else "") or v.name or "x"
            observed = arguments[k].role == "observed"
            kind: Kind = "observed" if observed else "computed"
            piece = scope.add(v, subscripted(name, step), name, kind)
            if not observed:
                connect(parts, given, piece)
            elif given in parts.slots:
                parts.slots.remove(given)
        names = dict(zip(map(id, loop.results), loop.names, strict=False))
        scope.names.update(names)
        blocks = list(blocks_in(block, uses, scope, f"step {step} "))
        for inner in blocks:
            for v in inner.use.outputs:
                scope.make(v, inner.use)
        found += blocks
        state = [scope.find(v) for v in loop.results[: loop.carries]]
        for v, output in zip(
            loop.results[loop.carries :], block.use.outputs[loop.carries :], strict=True
        ):
            connect(parts, scope.find(v), block.scope.find(output))
    for last, output in zip(state, block.use.outputs, strict=False):
        result = block.scope.find(output)
        if last is not None and result in parts.slots:  # the last state is the result itself
            parts.slots.remove(result)
            block.scope.slots[id(output)] = last
    return found


def connect(parts: Parts, source: Slot | None, goal: Slot | None) -> None:
    """Enter an edge between two variables."""
    if source is not None and goal is not None and source is not goal:
        parts.edges.append(Edge(source.id, goal.id))


def skip(parts: Parts, block: Block, slot: Slot | None) -> Slot | None:
    """Return dots that stand for the steps left out, fed by the last state before them."""
    if slot is None:
        return None
    at = f"{block.id} / steps left out {len(parts.extra)}"
    parts.extra.append(Element(at, "output", r"\cdots", hint="further steps"))
    parts.edges.append(Edge(slot.id, at))
    return Slot(slot.variable, at, block.frame, r"\cdots")
