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
    frame has the number of the frame's port as its own. A group and the one that mirrors it are
    laid out together: their scopes share elements and edges, and the ports of the latter are those
    of the former, as far as gradients pass them.
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
    scopes: dict[str, Scope] = {}
    for group in diagram.groups:
        front = scopes.get(group.twin)
        shared = (front.elements, front.edges) if front else ([], [])
        numbers = front.numbers if front else {}
        scopes[group.id] = Scope(group, *shared, numbers=numbers)
    scopes[WHOLE] = Scope(None)
    for element in diagram.elements:
        scopes[parent.get(element.id, WHOLE)].elements.append(element)
    for group in diagram.groups:
        frame = Element(group.id, "frame", "", hint=group.hint, twin=group.twin)
        scopes[parent.get(group.id, WHOLE)].elements.append(frame)
    if not any(group.twin for group in diagram.groups):
        return scopes, [trail(edge, parent, scopes) for edge in diagram.edges]
    return scopes, mirrored_trails(diagram, parent, scopes)


def mirrored_trails(diagram: Diagram, parent: dict[str, str], scopes: dict[str, Scope]) -> Trails:
    """Enter all edges, those of the backward pass along the trails of what they mirror."""
    origin = {element.id: element.twin for element in diagram.elements if element.twin}
    mirror = {twin: name for name, twin in origin.items()}
    mirror |= {group.twin: group.id for group in diagram.groups if group.twin}
    front: dict[tuple[str, str, int, int], list[tuple[str, int]]] = {}
    trails: Trails = []
    made: set[tuple[str, str]] = set()
    for edge in diagram.edges:
        ports = edge.source_port, edge.target_port
        if edge.kind != "backward":
            steps = trail(edge, parent, scopes)
            front[(edge.source, edge.target, *ports)] = steps
        else:
            steps = front[(origin[edge.target], origin[edge.source], *ports)]
            steps = [mirrored_step(name, e, mirror, scopes, made) for name, e in steps]
        trails.append(steps)
    for group in diagram.groups:
        if group.twin:
            scope, twin = scopes[group.id], scopes[group.twin]
            scope.ins = [f"backward {name}" for name in twin.ins]
            scope.outs = [f"backward {name}" for name in twin.outs]
    for scope in scopes.values():
        scope.elements.sort(key=lambda element: bool(element.twin))  # what mirrors comes last
    return trails


def mirrored_step(
    name: str, e: int, mirror: dict[str, str], scopes: dict[str, Scope], made: set[tuple[str, str]]
) -> tuple[str, int]:
    """Enter the edge that mirrors one in a scope; ports that it needs are ``made`` there, once."""
    scope = scopes[name]
    step = scope.edges[e]
    for end in (step.source, step.target):
        if end not in mirror and (name, end) not in made:
            made.add((name, end))
            scope.elements.append(Element(f"backward {end}", "port", "", twin=end))
    source, target = (mirror.get(end, f"backward {end}") for end in (step.target, step.source))
    carried = step.kind == "carry"
    back = Edge(source, target, "backward", step.source_port, step.target_port, carried=carried)
    return mirror.get(name, WHOLE), scope.edge(back)


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
