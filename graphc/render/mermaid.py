"""Mermaid: prints what is drawn for the pages that turn Mermaid into a figure, 11.3 and later.

Its half-rounded box (``delay``) is the shape of a deterministic function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.calculus.names import printable
from graphc.render.diagram import KINDS, Element, Group
from graphc.render.drawing import Drawing, Frame, Node, Wire
from graphc.render.listing import listed
from graphc.render.palettes import Palette
from graphc.render.plain import plain_label

SHAPES = {
    "function": "delay", "vjp": "delay", "cost": "rect", "output": "text", "seed": "text",
}  # fmt: skip
PLAIN = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.()=+/")


def print_mermaid(drawing: Drawing, palette: Palette) -> str:
    """Print the elements and edges of a drawing in the language of Mermaid."""
    drawing = listed(drawing)
    names = {node.element.id: f"n{i}" for i, node in enumerate(drawing.nodes)}
    lines = [f"flowchart {drawing.direction}"]
    for node in drawing.nodes:
        name, text = names[node.element.id], label(node.element)
        lines.append(f'    {name}@{{ shape: {shape(node)}, label: "{text}" }}')
    lines += print_subgraphs(drawing.frames, names)
    lines += [f"    {print_wire(wire, names)}" for wire in drawing.wires]
    for kind in ("parameter", "backward"):
        found = [str(i) for i, wire in enumerate(drawing.wires) if wire.edge.kind == kind]
        if found:
            lines.append(f"    linkStyle {','.join(found)} stroke:{palette.edge(kind)}")
    for kind in KINDS:
        members = [names[n.element.id] for n in drawing.nodes if n.element.kind == kind]
        if members:
            lines += [f"    {style(kind, palette)}", f"    class {','.join(members)} {kind}"]
    return "\n".join(lines) + "\n"


def print_subgraphs(frames: Sequence[Frame], names: dict[str, str]) -> Iterator[str]:
    """Print the groups, each with all that it holds; the outermost come first."""
    held = {frame.group.id: frame.group for frame in frames}
    inner = {member for group in held.values() for member in group.members}
    number = {id_: i for i, id_ in enumerate(held)}
    pending: list[Group | str] = [g for g in reversed(held.values()) if g.id not in inner]
    while pending:
        group = pending.pop()
        if isinstance(group, str):
            yield group
            continue
        yield f'    subgraph g{number[group.id]} ["{encoded(plain_label(group.label))}"]'
        yield from (f"    {names[m]}" for m in group.members if m in names)
        pending += ["    end", *(held[m] for m in reversed(group.members) if m in held)]


def print_wire(wire: Wire, names: dict[str, str]) -> str:
    """Print an edge."""
    edge = wire.edge
    arrow = "-.->" if edge.kind == "backward" else "-->"
    beside = f'|"{encoded(plain_label(edge.label))}"|' if edge.label else ""
    return f"{names[edge.source]} {arrow}{beside} {names[edge.target]}"


def shape(node: Node) -> str:
    """Return Mermaid's name of a shape."""
    if node.element.kind in SHAPES:
        return SHAPES[node.element.kind]
    if node.element.discrete:
        return "dbl-circ"
    return "stadium" if node.width > 1.3 * node.height else "circle"


def label(element: Element) -> str:
    """Print the label of an element with its space, and a gradient in a line of its own."""
    first = plain_label(element.label)
    if element.note:  # in one line: Mermaid fits its circles to the width alone
        first += f" ∈ {plain_label(element.note)}"
    lines = [first, *([plain_label(element.gradient)] if element.gradient else [])]
    return "<br>".join(map(encoded, lines))


def style(kind: str, palette: Palette) -> str:
    """Print the colours of a kind."""
    paint = palette.paint(kind)
    dashes = ",stroke-dasharray:5 3" if kind == "latent" else ""
    return (
        f"classDef {kind} fill:{paint.fill},stroke:{paint.stroke},color:{palette.text},"
        f"stroke-width:2px{dashes}"
    )


def encoded(text: str) -> str:
    """Print text as Mermaid's character codes, all but letters and digits."""
    return "".join(c if c in PLAIN else f"#{ord(c)};" for c in printable(text))
