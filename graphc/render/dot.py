"""DOT: prints what is drawn for Graphviz, which finds places of its own.

Graphviz has no shape for a deterministic function, so there it is a box with rounded corners.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphc.calculus.names import printable
from graphc.render.diagram import Group
from graphc.render.drawing import Drawing, Frame, Node, Wire
from graphc.render.listing import listed
from graphc.render.palettes import Palette
from graphc.render.plain import plain_label

SHAPES = {
    "function": "box", "vjp": "box", "cost": "box", "output": "plaintext", "seed": "plaintext",
}  # fmt: skip
STYLES = {"function": "rounded,filled", "vjp": "rounded,filled", "latent": "dashed,filled"}
FONT = "STIX Two Text, Times"


def print_dot(drawing: Drawing, palette: Palette) -> str:
    """Print the elements and edges of a drawing in the language of Graphviz."""
    drawing = listed(drawing)
    names = {node.element.id: f"n{i}" for i, node in enumerate(drawing.nodes)}
    figure = {"rankdir": drawing.direction, "bgcolor": palette.background}
    frame = {"color": palette.note, "style": "rounded", "fontname": FONT}
    lines = [
        f"digraph {quoted(drawing.name)} {{",
        f"  graph {printed({**figure, **frame})};",
        f"  node {printed({'fontname': FONT, 'fontcolor': palette.text, 'penwidth': '1.5'})};",
        f"  edge {printed({'color': palette.ink, 'fontcolor': palette.note, 'penwidth': '1.3'})};",
        *(f"  {names[node.element.id]} {print_node(node, palette)};" for node in drawing.nodes),
        *print_clusters(drawing.frames, names),
        *(f"  {print_wire(wire, names, palette)};" for wire in drawing.wires),
        "}",
    ]
    return "\n".join(lines) + "\n"


def print_node(node: Node, palette: Palette) -> str:
    """Print the attributes of an element."""
    element, paint = node.element, palette.paint(node.element.kind)
    notes = [note for note in (element.note, element.gradient) if note]
    attributes = {
        "label": "\n".join(plain_label(line) for line in (element.label, *notes)),
        "shape": SHAPES.get(element.kind, "doublecircle" if element.discrete else "ellipse"),
        "style": STYLES.get(element.kind, "filled"),
        "color": paint.stroke,
        "fillcolor": paint.fill,
        "tooltip": element.hint or element.id,
    }
    return printed(attributes)


def print_clusters(frames: Sequence[Frame], names: Mapping[str, str]) -> Iterator[str]:
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
        members = [names[m] for m in group.members if m in names]
        label = quoted(plain_label(group.label))
        yield f"  subgraph cluster{number[group.id]} {{ label={label}; {' '.join(members)}"
        pending += ["  }", *(held[m] for m in reversed(group.members) if m in held)]


def print_wire(wire: Wire, names: Mapping[str, str], palette: Palette) -> str:
    """Print an edge."""
    edge = wire.edge
    attributes = {}
    if edge.kind in ("parameter", "backward"):
        attributes["color"] = palette.edge(edge.kind)
    if edge.kind == "backward":
        attributes["style"] = "dashed"
    if edge.kind == "carry":
        attributes["constraint"] = "false"
    if edge.label:
        attributes["label"] = plain_label(edge.label)
    shown = f" {printed(attributes)}" if attributes else ""
    return f"{names[edge.source]} -> {names[edge.target]}{shown}"


def printed(attributes: dict[str, str]) -> str:
    """Print an attribute list."""
    return "[" + ", ".join(f"{name}={quoted(value)}" for name, value in attributes.items()) + "]"


def quoted(text: str) -> str:
    """Print lines of text as a string of DOT, in which Graphviz finds no other escapes."""
    lines = [
        printable(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
        for line in text.split("\n")
    ]
    return '"' + "\\n".join(lines) + '"'
