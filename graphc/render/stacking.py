"""The stack: copies of a figure behind one another, one for each sample, averaged in front."""

from __future__ import annotations

from dataclasses import replace

from graphc.errors import RenderError
from graphc.render.average import MEAN, TOTAL, Averaged
from graphc.render.curves import End, Route, base_of, finish
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.drawing import ORIENT, Arrow, Direction, Drawing, Node, Path, Point, Wire
from graphc.render.labels import measure
from graphc.render.layout import lay_out
from graphc.render.moving import move_node, move_wire, refit

COPIES = 4
SHIFT = 17.0
BEHIND = (COPIES - 1) * SHIFT
INDEXED = 14.0  # size of a label such as x[0]
GAP = 34.0
# The side of a copy that no copy in front of it covers: where its arrow starts, in units of
# (width, height) from the middle, and how far inside the corner.
STARTS: dict[Direction, tuple[float, float, float, float]] = {
    "BT": (0.5, -0.5, -SHIFT / 2, 0.0),
    "TB": (-0.5, 0.5, SHIFT / 2, 0.0),
    "LR": (0.5, -0.5, 0.0, SHIFT / 2),
    "RL": (-0.5, 0.5, 0.0, -SHIFT / 2),
}


def stack(drawing: Drawing, averaged: Averaged) -> Drawing:
    """Return a drawing with copies of all that differs between samples, and their average.

    Parameters
    ----------
    drawing
        The figure of one sample.
    averaged
        What is copied, and what it is averaged by.

    Raises
    ------
    RenderError
        If there are several costs.
    """
    sampled = averaged.sampled
    costs = [node for node in drawing.nodes if node.element.kind == "cost"]
    if len(costs) != 1 or drawing.frames:
        raise RenderError(
            "average='stack' draws a model with one cost and closed blocks; "
            "use average='plate' for this one"
        )
    nodes: list[Node] = []
    wires: list[Wire] = []
    for k in range(COPIES):
        nodes += [copy_node(n, k) for n in drawing.nodes if n.element.id in sampled]
        wires += [copy_wire(w, k) for w in drawing.wires if w.edge.source in sampled]
    nodes += [n for n in drawing.nodes if n.element.id not in sampled]
    wires += [w for w in drawing.wires if w.edge.source not in sampled]
    top = average_on(costs[0], drawing.direction, averaged)
    return refit(drawing, [*nodes, *top[0]], [*wires, *top[1]])


def average_on(
    cost: Node, direction: Direction, averaged: Averaged
) -> tuple[list[Node], list[Wire]]:
    """Return the averaging block over the copies of a cost, and the average loss over it."""
    elements = {element.id: element for element in averaged.diagram.elements}
    ends = [Element(f"cost {k}", "cost", "") for k in range(COPIES)]
    edges = [Edge(end.id, MEAN, target_port=k) for k, end in enumerate(ends)]
    small = Diagram("", (elements[MEAN], elements[TOTAL], *ends), (*edges, Edge(MEAN, TOTAL)))
    mean, total, *_ = lay_out(small, direction).nodes
    along = ORIENT[direction](1.0, 0.0)
    starts = [start_of(cost, k, direction) for k in range(COPIES)]
    front = max(starts, key=lambda p: p[0] * along[0] + p[1] * along[1])
    centre = sum(p[0] for p in starts) / COPIES, sum(p[1] for p in starts) / COPIES
    half, half_total = (
        abs(node.width * along[0] + node.height * along[1]) / 2 for node in (mean, total)
    )
    at = on_axis(centre, front, along, GAP + half)
    end = on_axis(at, at, along, half + GAP - 6 + half_total)
    wires = [
        Wire(
            Edge(copy_id(cost.element.id, k), MEAN, target_port=k),
            straight(start, on_axis(start, at, along, -half), along),
            layer=k,
        )
        for k, start in enumerate(starts)
    ]
    tip, tail = on_axis(at, end, along, -half_total), on_axis(at, at, along, half)
    wires.append(Wire(Edge(MEAN, TOTAL), straight(tail, tip, along)))
    return [move_node(mean, *at), move_node(total, *end)], wires


def on_axis(beside: Point, level: Point, along: Point, by: float) -> Point:
    """Return the point across where one point is, farther by so much than another along."""
    x, y = along
    return level[0] + by * x if x else beside[0], level[1] + by * y if y else beside[1]


def straight(start: Point, goal: Point, along: Point) -> Arrow:
    """Return a straight arrow."""
    target = End(goal, along)
    line: Path = (("M", (start,)), ("L", (base_of(target).point,)))
    return finish(Route(line, End(start, along), target))


def start_of(cost: Node, k: int, direction: Direction) -> Point:
    """Return where the arrow of a copy of the cost starts."""
    p, q, dx, dy = STARTS[direction]
    return cost.x + p * cost.width + dx + SHIFT * k, cost.y + q * cost.height + dy + SHIFT * k


def copy_id(name: str, k: int) -> str:
    """Return the id of a copy; the front one keeps the id."""
    return f"{name} [{k}]" if k else name


def copy_node(node: Node, k: int) -> Node:
    """Return the copy of an element for sample `k`; inputs have the index in their labels."""
    element = replace(node.element, id=copy_id(node.element.id, k))
    # Behind others, only the names of variables can be read; shapes would be covered in front, too.
    named = element.kind not in ("function", "cost")
    labels = node.labels[: named if k else 1]
    if element.kind in ("observed", "latent"):
        element = replace(element, label=f"{element.label}[{k}]")
        label = measure(element.label, INDEXED)
        labels = (replace(labels[0], label=label), *labels[1:])
    node = replace(node, element=element, layer=k, labels=labels)
    return move_node(node, node.x + SHIFT * k, node.y + SHIFT * k)


def copy_wire(wire: Wire, k: int) -> Wire:
    """Return the copy of an edge for sample `k`."""
    edge = replace(
        wire.edge, source=copy_id(wire.edge.source, k), target=copy_id(wire.edge.target, k)
    )
    return move_wire(replace(wire, edge=edge, layer=k), SHIFT * k, SHIFT * k)
