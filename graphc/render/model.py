"""A graph of the language as a diagram: shapes, labels, notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from graphc.calculus.names import Name, escape, label_ways, math_label
from graphc.calculus.reverse import carriers
from graphc.ir.nodes import topological
from graphc.language.graph import Graph, Use
from graphc.language.variable import Variable
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.leaves import Constant
from graphc.render.diagram import Diagram, Edge, EdgeKind, Element, Group, GroupKind, Kind
from graphc.render.labels import measure
from graphc.render.opening import Block, Parts, Slot, open_blocks
from graphc.types import Dim, Shape, shape_text, size_of

if TYPE_CHECKING:
    from graphc.language.blockwise import Expressions

MOST_ARGUMENTS = 4  # in a label such as G(x, w); more make the block too wide
# Of the formula that labels a bare expression.
MOST_OPERATIONS = 12
WIDEST_FORMULA, TALLEST_FORMULA = 150.0, 36.0
WIDEST_PARAMETER = 60.0  # of several beside a block
_KINDS: dict[str, Kind] = {"observed": "observed", "latent": "latent", "parameter": "parameter"}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Bare expressions of two variables, as they are written.
OPERATORS = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": r"{} \odot {}",
    "divide": "{} / {}",
    "matmul": "{} {}",
}


def diagram_of(
    graph: Graph,
    shapes: bool = True,
    expand: bool | Collection[str] = (),
    params: str = "implicit",
    loops: str = "loop",
    named: bool = False,
) -> Diagram:
    """Return the diagram of a graph.

    A parameter of one block stays implicit, in the label; a free-standing one, and one that
    several share, is a circle, and with ``params="shared"`` all are. `shapes` writes the space of
    each variable beside it. `expand` opens all blocks that are made of others, or those of these
    names. `loops` draws a scan as a ``"loop"``, ``"unrolled"`` or ``"closed"``. A variable that the
    user gave no name is a small circle, unless `named` asks for the names of the graph.

    Raises
    ------
    RenderError
        If `expand` names a block that is not there, or that cannot be opened.
    """
    parts = open_blocks(graph, expand, loops, named)
    return Drafter(parts, shapes, params == "shared", named).diagram()


@dataclass(slots=True)
class Drafter:
    """A diagram in the making; ``traced``, its edges say whether derivatives pass them."""

    parts: Parts
    shapes: bool
    explicit: bool
    traced: bool
    bundles: dict[str, Element] = field(default_factory=dict)
    circled: dict[str, Element] = field(default_factory=dict)
    expressions: Expressions = field(default_factory=dict)

    def diagram(self) -> Diagram:
        """Return the diagram."""
        parts, graph = self.parts, self.parts.graph
        circles = self._circles()
        self._bundle(circles)
        for at, (v, label) in circles.items():
            name = graph.name_of(v)
            parts.whole.slots[at] = Slot(v, f"variable {name}", "", label, name)
            parts.slots.append(parts.whole.slots[at])
        edges = [edge for block in parts.blocks for edge in self._edges(block, circles)]
        edges += parts.edges
        shown = self._shown(edges)
        elements = [self._variable(slot) for slot in shown]
        elements += self.circled.values()
        elements += [self._function(block, circles) for block in parts.blocks]
        elements += parts.extra
        known = {element.id for element in elements}
        members: dict[str, list[str]] = {}
        for name, frame_id in (
            *((slot.id, slot.frame) for slot in shown),
            *((part.id, part.frame) for part in (*parts.blocks, *parts.frames)),
        ):
            members.setdefault(frame_id, []).append(name)
        groups = tuple(self._group(frame, members[frame.id]) for frame in reversed(parts.frames))
        return Diagram(
            graph.name,
            tuple(elements),
            tuple(e for e in edges if e.source in known and e.target in known),
            describe(graph),
            groups,
        )

    def _shown(self, edges: Sequence[Edge]) -> list[Slot]:
        """Return the variables to draw: the value of a cost only where something takes it."""
        hidden = {id(use.outputs[0]) for use in self.parts.graph.costs}
        taken = {edge.source for edge in edges}
        return [s for s in self.parts.slots if id(s.variable) not in hidden or s.id in taken]

    def _group(self, frame: Block, members: Sequence[str]) -> Group:
        """Return the frame of an open block."""
        use = frame.use
        looping = frame.steps is not None
        label = f"t = 1, \\ldots, {frame.steps}" if looping else use.label or symbol(use)
        kind: GroupKind = "loop" if looping else "composite"
        return Group(frame.id, kind, label, tuple(members), hint=self._told(frame))

    def _circles(self) -> dict[int, tuple[Variable, str]]:
        """Return the parameters that are drawn as circles, with their labels."""
        graph = self.parts.graph
        owners: dict[int, list[Use]] = {}
        entering: set[int] = set()
        bundled: dict[int, set[str]] = {}  # closed blocks of blocks that have the parameter inside
        for block in self.parts.blocks:
            for v in block.use.parameters.values():
                if is_bundle(block.use):
                    bundled.setdefault(id(v), set()).add(block.use.name)
                else:
                    owners.setdefault(id(v), []).append(block.use)
            entering.update(id(v) for v in block.use.inputs if v.role == "parameter")
        own = {id(v) for use in graph.uses for v in use.parameters.values()}
        found: dict[int, tuple[Variable, str]] = {}
        for v in graph.parameters:
            users, inside = owners.get(id(v), []), bundled.get(id(v), set())
            label = v.declaration.label or math_label(graph.name_of(v))
            takers = len(users) + len(inside)
            shared = takers > 1 or (takers > 0 and id(v) in entering)
            if id(v) not in own or shared or (users and self.explicit):
                found[id(v)] = v, label
        return found

    def _bundle(self, circles: Collection[int]) -> None:
        """Make one parameter of all those of a closed block of blocks."""
        graph = self.parts.graph
        uses: dict[str, list[Use]] = {}
        for block in self.parts.blocks:
            if is_bundle(block.use):
                uses.setdefault(block.use.name, []).append(block.use)
        hidden = {id(v) for shared in uses.values() for v in shared[0].parameters.values()}
        known = (v for v in (*graph.variables, *graph.parameters) if id(v) not in hidden)
        labels = Counter(math_label(graph.name_of(v)) for v in known)
        ways = {name: label_ways(f"{name}_w", name, "w") for name in uses}
        labels.update(way for each in ways.values() for way in dict.fromkeys(each))
        for name, shared in uses.items():
            rest = [v for v in shared[0].parameters.values() if id(v) not in circles]
            if not rest:
                continue
            total = sum((size_of(v.shape) for v in rest), start=cast(Dim, 0))
            listed = ", ".join(graph.name_of(v) for v in rest)
            self.bundles[name] = Element(
                f"parameters of {name}",
                "parameter",
                next((way for way in ways[name] if labels[way] == 1), ways[name][-1]),
                note=space((total,), "real") if self.shapes else "",
                hint=f"the parameters of {name}: {listed}",
                sizes=(size(total),) if self.shapes else None,
            )
            if len(shared) > 1 or self.explicit:
                self.circled[name] = self.bundles[name]

    def _edges(self, block: Block, circles: Mapping[int, object]) -> list[Edge]:
        """Return the edges at a block."""
        edges: list[Edge] = []
        stopped = find_stopped(block.use) if self.traced else ()
        for port, v in enumerate(block.use.inputs):
            kind: EdgeKind = "parameter" if v.role == "parameter" else "forward"
            slot = block.scope.find(v)
            if slot is not None:
                stop = id(v) in stopped
                edges.append(Edge(slot.id, block.id, kind, target_port=port, stopped=stop))
        for v in block.use.parameters.values():
            if id(v) in circles:
                edges.append(Edge(self.parts.whole.slots[id(v)].id, block.id, "parameter"))
        if is_bundle(block.use) and block.use.name in self.circled:
            edges.append(Edge(self.circled[block.use.name].id, block.id, "parameter"))
        for port, v in enumerate(block.use.outputs):
            slot = block.scope.find(v)
            if slot is not None:
                edges.append(Edge(block.id, slot.id, source_port=port))
        return edges

    def _variable(self, slot: Slot) -> Element:
        v = slot.variable
        return Element(
            slot.id,
            slot.kind or _KINDS.get(v.role, "computed"),
            slot.label,
            note=space(v.shape, v.kind, v.declaration.classes) if self.shapes else "",
            discrete=v.kind != "real",
            hint=f"{slot.name}: {v.kind} {shape_text(v.shape)}",
            sizes=tuple(map(size, v.shape)) if self.shapes else None,
        )

    def _function(self, block: Block, circles: Collection[int]) -> Element:
        use = block.use
        own = [
            self._listed(v, short) for short, v in use.parameters.items() if id(v) not in circles
        ]
        if is_bundle(use):
            bundle = self.bundles.get(use.name) if use.name not in self.circled else None
            own = [bundle.label] if bundle else []
        return Element(
            block.id,
            "cost" if use.kind == "cost" else "function",
            use.label or self._label(block),
            parameters=tuple(own),
            hint=self._told(block),
            symbol=self._symbol(block),
        )

    def _symbol(self, block: Block) -> str:
        """Return what the derivatives of a block are written with.

        A bare expression, and a block that the user has labelled with its formula, goes by the
        name of what it computes.
        """
        slots = [block.scope.find(v) for v in block.use.outputs]
        told = block.use.label or block.use.call is None
        if told and len(slots) == 1 and slots[0] is not None and slots[0].label:
            return symbol(block.use) if block.use.kind == "cost" else slots[0].label
        return symbol(block.use)

    def _label(self, block: Block) -> str:
        """Return the label of a block: its name and what it is a function of."""
        use = block.use
        slots = [block.scope.find(v) for v in use.inputs]
        if not slots and use.call is None:
            return constant_label(use.outputs[0])
        arguments = [slot.label if slot else "" for slot in slots]
        if use.call is None:
            return self._expression(use, slots, arguments)
        if is_bundle(use):
            arguments += [self.bundles[use.name].label] if use.name in self.bundles else []
        else:
            arguments += [self._argument(use, short) for short in use.parameters]
        few = 0 < len(arguments) <= MOST_ARGUMENTS and all(arguments)
        return f"{symbol(use)}({', '.join(arguments)})" if few else symbol(use)

    def _expression(self, use: Use, slots: Sequence[Slot | None], arguments: Sequence[str]) -> str:
        """Return the label of a bare expression: its formula, or what it does last."""
        infix, known = OPERATORS.get(use.function, ""), all(arguments)
        if infix and len(arguments) == 2 and is_plain(use):
            return infix.format(*arguments if known else ("", "")).strip() or r"\cdot"
        if is_plain(use):
            few = known and len(arguments) <= MOST_ARGUMENTS
            return f"{symbol(use)}({', '.join(arguments)})" if few else symbol(use)
        found = self._formula(use, slots) if known and count_operations(use) else ""
        if found:
            return found
        return infix.format(*[r"\cdots"] * 2) if infix else rf"{symbol(use)}(\cdots)"

    def _formula(self, use: Use, slots: Sequence[Slot | None]) -> str:
        """Return the formula of a bare expression in the labels of its inputs, if it is short."""
        from graphc.language.blockwise import expression_formula

        # Texts that differ, in the order of the names, which is that of factors.
        names: list[str] = [
            Name(f"{slot.name} {k}", slot.label) for k, slot in enumerate(slots) if slot is not None
        ]
        formula = expression_formula(use, [*names, ""], self.expressions)
        if formula is None:
            return ""
        label = measure(formula.latex)
        short = label.width <= WIDEST_FORMULA and label.height <= TALLEST_FORMULA
        return formula.latex if short and not label.text else ""

    def _listed(self, v: Variable, short: str) -> str:
        """Return the label of a parameter beside its block, whose name a long one does without."""
        label = self._own(v)
        return label if measure(label).width <= WIDEST_PARAMETER else math_label(short)

    def _own(self, v: Variable) -> str:
        """Return the label of a block's parameter."""
        return v.declaration.label or math_label(self.parts.graph.name_of(v))

    def _argument(self, use: Use, short: str) -> str:
        """Return how a parameter stands in its block's label.

        A block without a name of its own does without it there, too.
        """
        own, label = self._own(use.parameters[short]), self._listed(use.parameters[short], short)
        if label != own or use.call is None or use.call.block.name is not None:
            return label
        shortest = label_ways(label, use.name, short)[0]
        return label if label == shortest else math_label(short)

    def _told(self, block: Block) -> str:
        """Return a block in words."""
        use = block.use
        ins = [slot.name if slot else "…" for slot in map(block.scope.find, use.inputs)]
        outs = [slot.name if slot else "…" for slot in map(block.scope.find, use.outputs)]
        return f"{use.name}: {use.function}({', '.join(ins)}) gives {', '.join(outs)}"


def find_stopped(use: Use) -> set[int]:
    """Return the inputs of a block (by their ids) to which none of its outputs has a derivative."""
    given = [v.node for v in use.inputs]
    computed = [v if v.definition is None else v.definition for v in use.outputs]
    order = topological([v.node for v in computed], given)
    found = set()
    for v in use.inputs:
        reaching = carriers(order, [v.node])
        if not any(output.node in reaching for output in computed):
            found.add(id(v))
    return found


def describe(graph: Graph) -> str:
    """Return a graph in words."""
    parts = []
    for use in graph.uses:
        ins = ", ".join(graph.name_of(v) for v in use.inputs)
        outs = ", ".join(graph.name_of(v) for v in use.outputs)
        cost = use.kind == "cost"
        parts.append(f"cost {use.name} of {ins}" if cost else f"{outs} = {use.name}({ins})")
    return "; ".join(parts)


# --- labels -----------------------------------------------------------------------------------


def is_plain(use: Use) -> bool:
    """Tell whether a bare expression is one operation on its two inputs, and nothing more."""
    (output,) = use.outputs
    source = output.definition if output.definition is not None else output
    return [id(v) for v in source.operands] == [id(v) for v in use.inputs]


def constant_label(v: Variable) -> str:
    """Return the label of a constant: its number, if it is one or the same everywhere."""
    node = v.node
    while isinstance(node, Contraction) and is_shuffle(node):
        if len(set(node.output)) < len(node.output):  # a diagonal, zero elsewhere
            break
        (node,) = node.args
    if not isinstance(node, Constant) or node.value.size != 1:
        return r"\mathrm{const}"
    number = f"{node.value.item():.4g}"
    if not NUMBER.fullmatch(number):  # a truth, what is not finite, a power of ten
        return r"\mathrm{const}"
    return rf"\mathbf{{{number}}}" if v.shape else number


def count_operations(use: Use) -> int:
    """Count the operations of a bare expression; 0 if they are too many for a label."""
    given = {id(v) for v in use.inputs}
    pending, count = list(use.outputs), 0
    while pending:
        v = pending.pop()
        if id(v) in given:
            continue
        count += 1
        if count > MOST_OPERATIONS:
            return 0
        pending.extend(v.operands if v.definition is None else (v.definition,))
    return count


def symbol(use: Use) -> str:
    """Return the name of a block: its own, or its function's."""
    named = use.call is not None and use.call.block.name is not None
    return math_label(use.name if named else use.function)


def is_bundle(use: Use) -> bool:
    """Tell whether the parameters of a block are those of blocks inside."""
    return use.call is not None and bool(use.call.owners)


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
    words = re.split(r"([^\W\d]\w*)", str(dim).replace("*", " "))
    return "".join(math_label(w) if w.isidentifier() else escape(w) for w in words if w)
