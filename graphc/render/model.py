"""A graph of the language as a diagram: shapes, labels, notes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from graphc.calculus.names import escape, math_label
from graphc.language.graph import Graph, Use
from graphc.language.variable import Variable
from graphc.render.diagram import Diagram, Edge, EdgeKind, Element
from graphc.types import Dim, Shape, shape_text

MOST_ARGUMENTS = 4  # in a label such as G(x, w); more make the block too wide
_KINDS = {"observed": "observed", "latent": "latent", "parameter": "parameter"}


def diagram_of(graph: Graph, shapes: bool = True) -> Diagram:
    """Return the diagram of a graph.

    A parameter of one block stays implicit, in the label; a free-standing one, and one that
    several share, is a circle. `shapes` writes the space of each variable beside it.
    """
    shorts = _shared(graph)
    hidden = {id(use.outputs[0]) for use in graph.costs}  # a cost's output is implicit
    used = {id(v) for use in graph.uses for v in use.inputs}
    elements: list[Element] = []
    edges: list[Edge] = []
    own = {id(v) for use in graph.uses for v in use.parameters.values()}
    free = [v for v in graph.parameters if id(v) not in own or id(v) in used or id(v) in shorts]
    for v in (*graph.variables, *free):
        if id(v) not in hidden or id(v) in used:
            short = None if id(v) in used else shorts.get(id(v))
            elements.append(_variable(graph, v, shapes, short))
    shown = {element.id for element in elements}
    for number, use in enumerate(graph.uses):
        at = f"function {use.name} {number}"
        elements.append(_function(graph, use, at, shorts))
        for port, v in enumerate(use.inputs):
            kind: EdgeKind = "parameter" if v.role == "parameter" else "forward"
            edges.append(Edge(_id(graph, v), at, kind, target_port=port))
        for v in use.parameters.values():
            if id(v) in shorts:
                edges.append(Edge(_id(graph, v), at, "parameter"))
        for port, v in enumerate(use.outputs):
            if _id(graph, v) in shown:
                edges.append(Edge(at, _id(graph, v), source_port=port))
    return Diagram(graph.name, tuple(elements), tuple(edges), _description(graph))


def _shared(graph: Graph) -> dict[int, str]:
    """Return the parameters that several uses of blocks share, with their short names."""
    found: dict[int, list[str]] = {}
    for use in graph.uses:
        for short, v in use.parameters.items():
            found.setdefault(id(v), []).append(short)
    return {at: shorts[0] for at, shorts in found.items() if len(shorts) > 1}


def _id(graph: Graph, v: Variable) -> str:
    return f"variable {graph.name_of(v)}"


def _variable(graph: Graph, v: Variable, shapes: bool, short: str | None = None) -> Element:
    name = graph.name_of(v)
    classes = v.declaration.classes
    return Element(
        _id(graph, v),
        _KINDS.get(v.role, "computed"),  # type: ignore[arg-type]
        v.declaration.label or math_label(short or name),
        note=space(v.shape, v.kind, classes) if shapes else "",
        discrete=v.kind != "real",
        hint=f"{name}: {v.kind} {shape_text(v.shape)}",
        sizes=tuple(map(size, v.shape)) if shapes else None,
    )


def space(shape: Shape, kind: str, classes: int | None = None) -> str:
    """Return the space that values live in, as LaTeX: `ℝ⁶⁰⁰`; nothing for a real number."""
    sets = {"real": r"\mathbb{R}", "integer": r"\mathbb{Z}", "boolean": r"\{0,1\}"}
    base = sets[kind]
    if classes is not None:
        base = rf"\{{0..{classes - 1}\}}"
    elif not shape and kind == "real":
        return ""
    sizes = r" \times ".join(map(size, shape))
    return f"{base}^{{{sizes}}}" if shape else base


def size(dim: Dim) -> str:
    """Return the size of an axis as LaTeX."""
    return escape(str(dim).replace("*", " "))


def _function(graph: Graph, use: Use, at: str, shared: Collection[int]) -> Element:
    own = [short for short, v in use.parameters.items() if id(v) not in shared]
    ins = ", ".join(graph.name_of(v) for v in use.inputs)
    outs = ", ".join(graph.name_of(v) for v in use.outputs)
    return Element(
        at,
        "cost" if use.kind == "cost" else "function",
        use.label or _label(graph, use),
        parameters=tuple(_parameter(use, short) for short in own),
        hint=f"{use.name}: {use.function}({ins}) gives {outs}",
        symbol=_symbol(use),
    )


def _symbol(use: Use) -> str:
    """Return the name of a block: its own, or its function's."""
    named = use.call is not None and use.call.block.name is not None
    return math_label(use.name if named else use.function)


def _parameter(use: Use, short: str) -> str:
    """Return the label of a block's own parameter; it takes over the number of its block.

    So the `w` of a block `f1` is :math:`w_1`, as the lecture writes it.
    """
    number = re.search(r"\d+$", use.name)
    return math_label(f"{short}_{number[0]}" if number and len(short) == 1 else short)


def _label(graph: Graph, use: Use) -> str:
    """Return the label of a block: its name and what it is a function of."""
    base = _symbol(use)
    arguments = [v.declaration.label or math_label(graph.name_of(v)) for v in use.inputs]
    arguments += [_parameter(use, short) for short in use.parameters]
    return f"{base}({_joined(arguments)})" if len(arguments) <= MOST_ARGUMENTS else base


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(parts)


def _description(graph: Graph) -> str:
    parts = []
    for use in graph.uses:
        ins = ", ".join(graph.name_of(v) for v in use.inputs)
        outs = ", ".join(graph.name_of(v) for v in use.outputs)
        what = f"cost {use.name} of {ins}" if use.kind == "cost" else f"{outs} = {use.name}({ins})"
        parts.append(what)
    return "; ".join(parts)
