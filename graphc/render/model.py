"""A graph of the language as a diagram: shapes, labels, notes, open blocks."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.calculus.names import escape, math_label
from graphc.errors import RenderError
from graphc.language.graph import Graph, Use, inside, results_inside
from graphc.language.variable import Variable
from graphc.render.diagram import Diagram, Edge, EdgeKind, Element, Group
from graphc.types import Dim, Shape, shape_text

MOST_ARGUMENTS = 4  # in a label such as G(x, w); more make the block too wide
_KINDS = {"observed": "observed", "latent": "latent", "parameter": "parameter"}


def diagram_of(
    graph: Graph,
    shapes: bool = True,
    expand: bool | Collection[str] = (),
    params: str = "implicit",
) -> Diagram:
    """Return the diagram of a graph.

    A parameter of one block stays implicit, in the label; a free-standing one, and one that
    several share, is a circle, and with ``params="shared"`` all are. `shapes` writes the space of
    each variable beside it. `expand` opens all blocks that are made of others, or those of these
    names.

    Raises
    ------
    RenderError
        If `expand` names a block that is not there, or that cannot be opened.
    """
    parts = open_blocks(graph, expand)
    return Drafter(graph, parts, shapes, params == "shared").diagram()


# --- blocks, open and closed ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """One function or cost as it is drawn; ``frame`` is the open block that it is in."""

    use: Use
    id: str
    frame: str


@dataclass(slots=True)
class Parts:
    """All closed blocks, the open ones around them, and what leaves the latter.

    ``alias`` says of a variable inside an open block that it is what the block returns.
    """

    blocks: list[Block] = field(default_factory=list)
    frames: list[Block] = field(default_factory=list)
    alias: dict[int, Variable] = field(default_factory=dict)

    def seen(self, v: Variable) -> Variable:
        """Return the variable that stands for another in the diagram."""
        while id(v) in self.alias:
            v = self.alias[id(v)]
        return v


def open_blocks(graph: Graph, expand: bool | Collection[str]) -> Parts:
    """Sort the blocks into open and closed ones, in the order of the data."""
    wanted: set[str] = set()
    if not isinstance(expand, bool):
        wanted = {expand} if isinstance(expand, str) else set(expand)
    met: dict[str, bool] = {}
    parts = Parts()
    pending = deque(
        Block(use, f"function {use.name} {number}", "") for number, use in enumerate(graph.uses)
    )
    while pending:
        block = pending.popleft()
        use = block.use
        inner = body_of(use) if expand is True or use.name in wanted else ()
        met[use.name] = met.get(use.name, False) or bool(inner)
        if not inner:
            parts.blocks.append(block)
            continue
        parts.frames.append(block)
        for result, output in zip(results_inside(use), use.outputs, strict=True):
            parts.alias[id(result)] = output
        pending.extendleft(
            Block(part, f"{block.id} / {part.name} {number}", block.id)
            for number, part in reversed(list(enumerate(inner)))
        )
    for name in sorted(wanted):
        if not met.get(name):
            fault = "is made of no other blocks" if name in met else "is not in the graph"
            raise RenderError(
                f"expand: the block '{name}' {fault}; it has {', '.join(sorted(met))}"
            )
    return parts


def body_of(use: Use) -> tuple[Use, ...]:
    """Return the blocks that a function opens into; none where it returns what went in."""
    if use.kind == "cost" or use.call is None:
        return ()
    results = results_inside(use)
    given = {id(v) for v in use.call.inputs}
    if len({id(v) for v in results}) < len(results) or any(id(v) in given for v in results):
        return ()
    return inside(use)


# --- elements and edges -----------------------------------------------------------------------


@dataclass(slots=True)
class Drafter:
    """A diagram in the making."""

    graph: Graph
    parts: Parts
    shapes: bool
    explicit: bool
    ids: dict[int, str] = field(default_factory=dict)

    def diagram(self) -> Diagram:
        """Return the diagram."""
        graph, blocks = self.graph, self.parts.blocks
        circles = self._circles()
        inner = self._name_variables(circles)
        hidden = {id(use.outputs[0]) for use in graph.costs}  # a cost's output is implicit
        used = {id(self.parts.seen(v)) for block in blocks for v in block.use.inputs}
        shown = [v for v in graph.variables if id(v) not in hidden or id(v) in used]
        elements = [self._variable(v) for v in shown]
        elements += [self._variable(v, label) for v, label in circles.values()]
        members: dict[str, list[str]] = {frame.id: [] for frame in self.parts.frames}
        for frame in self.parts.frames:
            if frame.frame:
                members[frame.frame].append(frame.id)
        for v, frame_id in inner:
            elements.append(self._variable(v, math_label(v.name) if v.name else ""))
            members[frame_id].append(self.ids[id(v)])
        known = {element.id for element in elements}
        edges: list[Edge] = []
        for block in blocks:
            elements.append(self._function(block.use, block.id, circles))
            if block.frame:
                members[block.frame].append(block.id)
            edges += self._edges(block, circles, known)
        groups = tuple(
            Group(
                frame.id,
                "composite",
                frame.use.label or symbol(frame.use),
                tuple(members[frame.id]),
                hint=self._told(frame.use),
            )
            for frame in reversed(self.parts.frames)
        )
        return Diagram(graph.name, tuple(elements), tuple(edges), self._description(), groups)

    def _circles(self) -> dict[int, tuple[Variable, str]]:
        """Return the parameters that are drawn as circles, with their labels."""
        owners: dict[int, list[tuple[Use, str]]] = {}
        entering: dict[int, Variable] = {}
        for block in self.parts.blocks:
            for short, v in block.use.parameters.items():
                owners.setdefault(id(v), []).append((block.use, short))
            entering.update((id(v), v) for v in block.use.inputs if v.role == "parameter")
        own = {id(v) for use in self.graph.uses for v in use.parameters.values()}
        found: dict[int, tuple[Variable, str]] = {}
        for v in self.graph.parameters:
            users = owners.get(id(v), [])
            label = v.declaration.label or math_label(self.graph.name_of(v))
            if id(v) not in own:
                found[id(v)] = v, label
            elif len(users) > 1 or self.explicit:
                use, short = users[0] if users else (None, "")
                alone = use is not None and all(u.name == use.name for u, _ in users)
                found[id(v)] = v, parameter_label(use, short) if use and alone else label
            elif id(v) in entering and users:
                found[id(v)] = v, label
        return found

    def _name_variables(self, circles: Mapping[int, object]) -> list[tuple[Variable, str]]:
        """Give every variable an id; return those inside open blocks, each with its frame."""
        for v in self.graph.variables:
            self.ids[id(v)] = f"variable {self.graph.name_of(v)}"
        for v in self.graph.parameters:
            if id(v) in circles:
                self.ids[id(v)] = f"variable {self.graph.name_of(v)}"
        inner: list[tuple[Variable, str]] = []
        for block in self.parts.blocks:
            for v in map(self.parts.seen, block.use.outputs):
                if id(v) not in self.ids:
                    self.ids[id(v)] = f"{block.frame} / variable {len(inner)}"
                    inner.append((v, block.frame))
        return inner

    def _edges(self, block: Block, circles: Collection[int], known: Collection[str]) -> list[Edge]:
        """Return the edges at a block."""
        edges: list[Edge] = []
        for port, v in enumerate(map(self.parts.seen, block.use.inputs)):
            kind: EdgeKind = "parameter" if v.role == "parameter" else "forward"
            if self.ids.get(id(v)) in known:
                edges.append(Edge(self.ids[id(v)], block.id, kind, target_port=port))
        for v in block.use.parameters.values():
            if id(v) in circles:
                edges.append(Edge(self.ids[id(v)], block.id, "parameter"))
        for port, v in enumerate(map(self.parts.seen, block.use.outputs)):
            if self.ids.get(id(v)) in known:
                edges.append(Edge(block.id, self.ids[id(v)], source_port=port))
        return edges

    def _variable(self, v: Variable, label: str | None = None) -> Element:
        name = self._name(v)
        classes = v.declaration.classes
        told = v.declaration.label or math_label(name) if label is None else label
        return Element(
            self.ids[id(v)],
            _KINDS.get(v.role, "computed"),  # type: ignore[arg-type]
            told,
            note=space(v.shape, v.kind, classes) if self.shapes else "",
            discrete=v.kind != "real",
            hint=f"{name}: {v.kind} {shape_text(v.shape)}",
            sizes=tuple(map(size, v.shape)) if self.shapes else None,
        )

    def _function(self, use: Use, at: str, circles: Collection[int]) -> Element:
        own = [short for short, v in use.parameters.items() if id(v) not in circles]
        return Element(
            at,
            "cost" if use.kind == "cost" else "function",
            use.label or self._label(use),
            parameters=tuple(parameter_label(use, short) for short in own),
            hint=self._told(use),
            symbol=symbol(use),
        )

    def _label(self, use: Use) -> str:
        """Return the label of a block: its name and what it is a function of."""
        inputs = [self.parts.seen(v) for v in use.inputs]
        if any(id(v) not in self.ids for v in inputs):  # a parameter of the block around
            return symbol(use)
        arguments = [v.declaration.label or math_label(self._name(v)) for v in inputs]
        arguments += [parameter_label(use, short) for short in use.parameters]
        few = len(arguments) <= MOST_ARGUMENTS and all(arguments)
        return f"{symbol(use)}({', '.join(arguments)})" if few else symbol(use)

    def _name(self, v: Variable) -> str:
        if self.ids.get(id(v), "").startswith("variable "):
            return self.graph.name_of(v)
        return v.name or ""

    def _told(self, use: Use) -> str:
        """Return a block in words."""
        ins = ", ".join(self._name(self.parts.seen(v)) or "…" for v in use.inputs)
        outs = ", ".join(self._name(self.parts.seen(v)) or "…" for v in use.outputs)
        return f"{use.name}: {use.function}({ins}) gives {outs}"

    def _description(self) -> str:
        parts = []
        for use in self.graph.uses:
            ins = ", ".join(self.graph.name_of(v) for v in use.inputs)
            outs = ", ".join(self.graph.name_of(v) for v in use.outputs)
            cost = use.kind == "cost"
            parts.append(f"cost {use.name} of {ins}" if cost else f"{outs} = {use.name}({ins})")
        return "; ".join(parts)


# --- labels -----------------------------------------------------------------------------------


def symbol(use: Use) -> str:
    """Return the name of a block: its own, or its function's."""
    named = use.call is not None and use.call.block.name is not None
    return math_label(use.name if named else use.function)


def parameter_label(use: Use, short: str) -> str:
    """Return the label of a block's own parameter; it takes over the number of its block.

    So the `w` of a block `f1` is :math:`w_1`, as the lecture writes it.
    """
    number = re.search(r"\d+$", use.name)
    named = use.call is not None and use.call.block.name is not None
    numbered = named and number and len(short) == 1
    return math_label(f"{short}_{number[0]}" if numbered and number else short)


def space(shape: Shape, kind: str, classes: int | None = None) -> str:
    """Return the space that values live in, as LaTeX: `ℝ⁶⁰⁰`; nothing for a real number."""
    sets = {"real": r"\mathbb{R}", "integer": r"\mathbb{Z}", "boolean": r"\{0,1\}"}
    base = sets[kind]
    if classes is not None:
        base = rf"\{{0..{classes - 1}\}}"
    elif not shape and kind == "real":
        return ""
    return f"{base}^{{{product(map(size, shape))}}}" if shape else base


def product(sizes: Sequence[str] | map[str]) -> str:
    """Return the sizes of several axes as LaTeX."""
    return r" \times ".join(sizes)


def size(dim: Dim) -> str:
    """Return the size of an axis as LaTeX."""
    return escape(str(dim).replace("*", " "))
