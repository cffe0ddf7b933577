"""Scopes: a diagram with frames, cut into parts that are laid out one by one.

A scope holds the direct members of one group, or of the whole diagram. In it, an inner group is
one element of the kind ``frame``; and where an edge crosses the group's own frame, there is an
element of the kind ``port``. So an edge of the diagram becomes one edge in each scope it passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from graphc.render.diagram import Diagram, Edge, Element, Group

WHOLE = ""  # the scope that no frame is around


@dataclass(slots=True)
class Scope:
    """What is laid out at once.

    ``ins`` and ``outs`` are the ports through which edges enter and leave, in order; an edge at a
    frame has the number of the frame's port as its own.
    """

    group: Group | None
    elements: list[Element] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ins: list[str] = field(default_factory=list)
    outs: list[str] = field(default_factory=list)
    numbers: dict[Edge, int] = field(default_factory=dict)

    def port(self, source: str, output: int, inwards: bool) -> int:
        """Return the number of the port for this output of an element, a new one if need be."""
        name = f"{'in' if inwards else 'out'} {output} {source}"
        known = self.ins if inwards else self.outs
        if name not in known:
            known.append(name)
            self.elements.append(Element(name, "port", ""))
        return known.index(name)

    def edge(self, edge: Edge) -> int:
        """Return the number of an edge, which is entered once."""
        if edge not in self.numbers:
            self.numbers[edge] = len(self.edges)
            self.edges.append(edge)
        return self.numbers[edge]


# For each edge of the diagram the scopes that it passes, with the number of the edge there.
Trails = list[list[tuple[str, int]]]


def split(diagram: Diagram) -> tuple[dict[str, Scope], Trails]:
    """Cut a diagram into scopes, inner ones first, and say where each edge runs."""
    parent = {member: group.id for group in diagram.groups for member in group.members}
    scopes = {group.id: Scope(group) for group in diagram.groups}
    scopes[WHOLE] = Scope(None)
    for element in diagram.elements:
        scopes[parent.get(element.id, WHOLE)].elements.append(element)
    for group in diagram.groups:
        frame = Element(group.id, "frame", "", hint=group.hint)
        scopes[parent.get(group.id, WHOLE)].elements.append(frame)
    trails = [trail(edge, parent, scopes) for edge in diagram.edges]
    return scopes, trails


def ancestors(member: str, parent: dict[str, str]) -> list[str]:
    """Return the groups around a member, from the innermost to the whole."""
    found = []
    while member in parent:
        member = parent[member]
        found.append(member)
    return [*found, WHOLE]


def trail(edge: Edge, parent: dict[str, str], scopes: dict[str, Scope]) -> list[tuple[str, int]]:
    """Enter an edge into all scopes that it passes."""
    outwards, inwards = ancestors(edge.source, parent), ancestors(edge.target, parent)
    common = next(name for name in outwards if name in inwards)
    out = outwards[: outwards.index(common)]
    in_ = inwards[: inwards.index(common)]
    at, port = edge.source, edge.source_port
    steps = []
    for name in out:
        number = scopes[name].port(edge.source, edge.source_port, inwards=False)
        step = replace(edge, source=at, source_port=port, target=scopes[name].outs[number])
        steps.append((name, scopes[name].edge(replace(step, target_port=0, label=""))))
        at, port = name, number
    entries = [
        (name, scopes[name].port(edge.source, edge.source_port, inwards=True)) for name in in_
    ]
    target, target_port = entries[-1] if entries else (edge.target, edge.target_port)
    step = replace(edge, source=at, source_port=port, target=target, target_port=target_port)
    steps.append((common, scopes[common].edge(step)))
    for k in range(len(entries) - 1, -1, -1):
        name, number = entries[k]
        target, target_port = entries[k - 1] if k else (edge.target, edge.target_port)
        start = scopes[name].ins[number]
        step = Edge(start, target, edge.kind, 0, target_port, returned=edge.returned)
        steps.append((name, scopes[name].edge(step)))
    return steps
