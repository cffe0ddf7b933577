"""A drawing as nothing but elements and edges, for readers that find the places themselves.

What is drawn at an element or beside an edge becomes an element or an edge of its own there: the
arrow of implicit parameters, that of their gradients, and the gradient that returns along an edge.
"""

from __future__ import annotations

from dataclasses import replace

from graphc.render.diagram import Edge, Element
from graphc.render.drawing import Arrow, Drawing, Node, Wire


def listed(drawing: Drawing) -> Drawing:
    """Return the drawing with an element or an edge for everything that it shows."""
    nodes: list[Node] = []
    wires: list[Wire] = []
    beside: dict[str, list[str]] = {}
    for node in drawing.nodes:
        nodes.append(node)
        element = node.element
        if node.stub is not None:
            names = r",\,".join(element.parameters)
            stub = Element(f"parameters of {element.id}", "output", names)
            add(nodes, wires, node, stub, Edge(stub.id, element.id, "parameter"), node.stub)
            beside.setdefault(element.id, []).append(stub.id)
        if node.leaving is not None:
            leaving = Element(f"gradients of {element.id}", "output", element.leaving)
            edge = Edge(element.id, leaving.id, "backward")
            add(nodes, wires, node, leaving, edge, node.leaving)
            beside.setdefault(element.id, []).append(leaving.id)
    for wire in drawing.wires:
        wires.append(wire)
        if wire.returned is not None:
            edge = Edge(wire.edge.target, wire.edge.source, "backward")
            wires.append(Wire(edge, wire.returned))
    frames = []
    for frame in drawing.frames:
        members = [name for m in frame.group.members for name in (m, *beside.get(m, ()))]
        frames.append(replace(frame, group=replace(frame.group, members=tuple(members))))
    return replace(drawing, nodes=tuple(nodes), wires=tuple(wires), frames=tuple(frames))


def add(
    nodes: list[Node], wires: list[Wire], at: Node, element: Element, edge: Edge, arrow: Arrow
) -> None:
    """Enter a bare label with the edge that joins it to an element."""
    nodes.append(Node(element, at.x, at.y, 0.0, 0.0, (), (), ()))
    wires.append(Wire(edge, arrow))
