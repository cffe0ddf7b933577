"""Pinned positions: elements that a user has put somewhere, and edges that find their way there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from graphc.errors import RenderError
from graphc.render.assembly import map_arrow
from graphc.render.clearance import sample
from graphc.render.curves import (
    FLOW,
    End,
    Route,
    base_of,
    curve,
    direction_to,
    finish,
    go_back,
    shifted,
    turned,
)
from graphc.render.drawing import (
    ORIENT,
    Direction,
    Drawing,
    Node,
    Path,
    PlacedLabel,
    Point,
    Wire,
)
from graphc.render.moving import move_node, move_wire, refit
from graphc.render.quality import grown, inside, meet
from graphc.render.shapes import FORMS, Shape, back_at, boundary, front_at

# How far an edge bends aside to keep clear, in tries.
DETOURS = (0.0, 40.0, -40.0, 80.0, -80.0, 130.0, -130.0, 200.0, -200.0)
# How far beside everything an edge runs where there is no other way, and where it turns there.
BYPASSES = (50.0, -50.0, 90.0, -90.0, 150.0, -150.0, 250.0, -250.0, 400.0, -400.0)
BEND = 42.0
STEEPEST = math.radians(62)


def pin(drawing: Drawing, positions: Mapping[str, Point]) -> Drawing:
    """Return the drawing with some elements at the places that were asked for.

    All others keep their places among themselves, about the pinned ones; edges whose ends have
    moved apart are drawn anew.

    Parameters
    ----------
    positions
        For ids of elements the middle (x, y) in points, y downwards. Only where the elements stand
        to each other matters: the figure as a whole is moved to its margins.

    Raises
    ------
    RenderError
        If an element does not exist, or two elements overlap.
    """
    nodes = {node.element.id: node for node in drawing.nodes}
    for name in positions:
        if name not in nodes:
            raise RenderError(f"positions: there is no element {name!r} in the figure")
    dx, dy = (
        sum(at[k] - (nodes[name].x, nodes[name].y)[k] for name, at in positions.items())
        / len(positions)
        for k in (0, 1)
    )
    moved = {
        name: move_node(node, *positions.get(name, (node.x + dx, node.y + dy)))
        for name, node in nodes.items()
    }
    refuse_overlaps(list(moved.values()), set(positions))
    wires = []
    for wire in drawing.wires:
        ends = (wire.edge.source, wire.edge.target)
        if positions.keys().isdisjoint(ends) and passes(wire, dx, dy, moved):
            wires.append(move_wire(wire, dx, dy))
        else:
            wires.append(reroute(wire, moved, drawing.direction))
    return refit(drawing, list(moved.values()), wires)


def refuse_overlaps(nodes: list[Node], pinned: set[str]) -> None:
    """Refuse places at which elements would cover each other."""
    for one, other in combinations(nodes, 2):
        names = {one.element.id, other.element.id}
        if names & pinned and meet(grown(one.box, -1.0), other.box):
            raise RenderError(
                f"positions: {one.element.id!r} and {other.element.id!r} would overlap, at "
                f"({one.x:.0f}, {one.y:.0f}) and ({other.x:.0f}, {other.y:.0f}); "
                "move them apart, or pin both"
            )


def passes(wire: Wire, dx: float, dy: float, nodes: Mapping[str, Node]) -> bool:
    """Tell whether an edge, moved, still keeps clear of all elements."""
    moved = move_wire(wire, dx, dy)
    path = moved.arrow.shaft
    return is_clear(list(sample(path[0][1][0], path[1:])), moved, nodes)


def reroute(wire: Wire, nodes: Mapping[str, Node], direction: Direction) -> Wire:
    """Return an edge drawn anew: straight, else curved, else around what is in the way."""
    edge = wire.edge
    flipped = edge.kind == "backward"
    first, last = (edge.target, edge.source) if flipped else (edge.source, edge.target)
    source, target = Stop(nodes[first], direction), Stop(nodes[last], direction)
    orient = ORIENT[direction]
    options = list(ways(source, target, flipped))
    chosen = next(
        (
            route
            for route in options
            if is_clear([orient(*p) for p in points_of(route)], wire, nodes)
        ),
        options[min(1, len(options) - 1)],
    )
    arrow = map_arrow(finish(chosen, flipped), orient)
    returned = map_arrow(go_back(chosen), orient) if edge.returned else None
    return replace(wire, arrow=arrow, returned=returned, labels=labels_on(wire, arrow.shaft))


def labels_on(wire: Wire, path: Path) -> tuple[PlacedLabel, ...]:
    """Return the labels of an edge beside its middle."""
    points = list(sample(path[0][1][0], path[1:]))
    x, y = points[len(points) // 2]
    return tuple(
        replace(label, x=x + label.label.width / 2 + 5, y=y - label.label.height / 2 - 3)
        for label in wire.labels
    )


def points_of(route: Route) -> list[Point]:
    """Return points along a route."""
    return list(sample(route.path[0][1][0], route.path[1:]))


def is_clear(points: list[Point], wire: Wire, nodes: Mapping[str, Node]) -> bool:
    """Tell whether points keep clear of all elements but the ends of an edge."""
    ends = (wire.edge.source, wire.edge.target)
    return not any(
        inside(point, grown(node.box, 3.0))
        for name, node in nodes.items()
        if name not in ends
        for point in points
    )


class Stop:
    """An element at the end of an edge, in (along, across)."""

    def __init__(self, node: Node, direction: Direction) -> None:
        into = INTO[direction]
        self.at = into(node.x, node.y)
        horizontal = direction in ("LR", "RL")
        along, across = (node.width, node.height) if horizontal else (node.height, node.width)
        kind = node.element.kind
        self.shape = Shape(FORMS.get(kind, "ellipse"), along / 2, across / 2, kind == "vjp")

    def out(self, goal: Point) -> End:
        """Where an edge to a goal leaves, with the flow from a function."""
        if self.shape.form != "ellipse":
            return End(shifted(self.at, front_at(self.shape, 0.0)), FLOW)
        way = direction_to(self.at, goal)
        return End(shifted(self.at, boundary(self.shape, way)), way)

    def entry(self, origin: Point) -> End:
        """Where an edge from an origin arrives, with the flow at a function."""
        if self.shape.form != "ellipse":
            return End(shifted(self.at, back_at(self.shape, 0.0)), FLOW)
        p, q = direction_to(origin, self.at)
        return End(shifted(self.at, boundary(self.shape, (-p, -q))), (p, q))


# From points of the figure to (along, across): the inverse of ORIENT.
INTO: dict[Direction, Callable[[float, float], Point]] = {
    "LR": lambda x, y: (x, y),
    "RL": lambda x, y: (-x, y),
    "TB": lambda x, y: (y, x),
    "BT": lambda x, y: (-y, x),
}


def ways(source: Stop, target: Stop, flipped: bool) -> Iterator[Route]:
    """Iterate over ways to draw an edge, the handsomest first."""
    goal = target.at if target.shape.form == "ellipse" else target.entry(source.at).point
    start = source.out(goal)
    end = target.entry(source.at if source.shape.form == "ellipse" else start.point)
    run, rise = (end.point[k] - start.point[k] for k in (0, 1))
    if run > 0 and math.atan2(abs(rise), run) < STEEPEST:
        way = direction_to(start.point, end.point)
        yield trimmed(End(start.point, way), End(end.point, way), None, flipped)
    for detour in DETOURS:
        yield trimmed(start, end, detour, flipped)
    for detour in BYPASSES:
        yield trimmed(start, end, detour, flipped, bypass=True)


def trimmed(
    start: End, end: End, detour: float | None, flipped: bool, bypass: bool = False
) -> Route:
    """Return the route between two ends, short of where its head is to stand.

    It bends aside by a ``detour``, at its middle, or for most of its way.
    """
    begin = turned(base_of(turned(start))) if flipped else start
    stop = end if flipped else base_of(end)
    if detour is None:
        path: Path = (("L", (stop.point,)),)
    elif not detour:
        path = curve(begin, stop)
    elif bypass:
        (x, y), (x2, y2) = begin.point, stop.point
        side = (max if detour > 0 else min)(y, y2) + detour
        near, far = End((x + BEND, side), FLOW), End((x2 - BEND, side), FLOW)
        path = (*curve(begin, near), ("L", (far.point,)), *curve(far, stop))
    else:
        (x, y), (x2, y2) = begin.point, stop.point
        middle = End(((x + x2) / 2, (y + y2) / 2 + detour), direction_to(begin.point, stop.point))
        path = (*curve(begin, middle), *curve(middle, stop))
    return Route((("M", (begin.point,)), *path), start, end)
