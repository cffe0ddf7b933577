"""Pinned positions: elements that a user has put somewhere, and edges that find their way there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    corner,
    curve,
    direction_to,
    finish,
    go_back,
    shifted,
    turned,
)
from graphc.render.drawing import (
    ORIENT,
    Box,
    Direction,
    Drawing,
    Node,
    Path,
    PlacedLabel,
    Point,
    Wire,
)
from graphc.render.framing import members_of, reframe, walls
from graphc.render.moving import move_node, move_wire, refit
from graphc.render.quality import grown, inside, meet
from graphc.render.shapes import FORMS, Shape, back_at, boundary, front_at

# How far an edge bends aside to keep clear, in tries.
DETOURS = (0.0, 40.0, -40.0, 80.0, -80.0, 130.0, -130.0, 200.0, -200.0)
# How far beside everything an edge runs where there is no other way, and where it turns there.
BYPASSES = (50.0, -50.0, 90.0, -90.0, 150.0, -150.0, 250.0, -250.0, 400.0, -400.0)
BEND = 42.0
OUTERMOST = 0.6  # of half a block's side, where what enters beside others does
LOOP_OUT = 16.0  # how far before and behind its ends a state is led back
STEEPEST = math.radians(62)


def pin(drawing: Drawing, positions: Mapping[str, Point]) -> Drawing:
    """Return the drawing with some elements and frames at the places that were asked for.

    All others keep their places among themselves, about the pinned ones; what is in a pinned frame
    moves with it, and a frame follows what is in it. Edges whose ends have moved apart are drawn
    anew.

    Parameters
    ----------
    positions
        For ids of elements and frames the middle (x, y) in points, y downwards. Only where they
        stand to each other matters: the figure as a whole is moved to its margins.

    Raises
    ------
    RenderError
        If an element does not exist, or elements or frames overlap.
    """
    nodes = {node.element.id: node for node in drawing.nodes}
    held = members_of(drawing)
    shifts = shifts_of(drawing, positions, held)
    moved = {
        name: move_node(node, node.x + shifts[name][0], node.y + shifts[name][1])
        for name, node in nodes.items()
    }
    pinned = {name for at in positions for name in held.get(at, {at})}
    refuse_overlaps(list(moved.values()), pinned)
    # Edges that move with both their ends tell how large a frame has to be, those drawn anew what
    # they find between the frames.
    first = [move_wire(wire, *shifts[wire.edge.source]) for wire in drawing.wires]
    rigid = [shifts[w.edge.source] == shifts[w.edge.target] for w in drawing.wires]
    kept = [w for w, is_rigid in zip(first, rigid, strict=True) if is_rigid]
    before = replace(
        drawing,
        wires=tuple(w for w, is_rigid in zip(drawing.wires, rigid, strict=True) if is_rigid),
    )
    frames = reframe(before, moved, kept)
    wires = []
    for old, wire, is_rigid in zip(drawing.wires, first, rigid, strict=True):
        others = list(walls(frames, held, wire))
        if not (is_rigid and is_clear(points_on(wire.arrow.shaft), wire, moved, others)):
            wire = reroute(wire, moved, drawing.direction, ports_of(old, nodes), others)
        wires.append(wire)
    return refit(replace(drawing, frames=frames), list(moved.values()), wires)


def ports_of(wire: Wire, nodes: Mapping[str, Node]) -> dict[str, Point]:
    """Return where an edge meets its two ends, as seen from their middles."""
    meets = {
        wire.edge.source: wire.arrow.shaft[0][1][0],
        wire.edge.target: wire.arrow.head[0][1][0],
    }
    return {name: (x - nodes[name].x, y - nodes[name].y) for name, (x, y) in meets.items()}


def shifts_of(
    drawing: Drawing, positions: Mapping[str, Point], held: Mapping[str, frozenset[str]]
) -> dict[str, Point]:
    """Return how far each element moves: by its own pin, or else by that of the innermost frame."""
    middles = {node.element.id: (node.x, node.y) for node in drawing.nodes}
    for frame in drawing.frames:
        left, top, right, bottom = frame.box
        middles[frame.group.id] = (left + right) / 2, (top + bottom) / 2
    for name in positions:
        if name not in middles:
            raise RenderError(f"positions: there is no element {name!r} in the figure")
    asked = {
        name: (x - middles[name][0], y - middles[name][1]) for name, (x, y) in positions.items()
    }
    about = tuple(sum(shift[k] for shift in asked.values()) / len(asked) for k in (0, 1))
    shifts: dict[str, Point] = {node.element.id: (about[0], about[1]) for node in drawing.nodes}
    for frame in drawing.frames:  # outer ones first
        if frame.group.id in asked:
            shifts |= dict.fromkeys(held[frame.group.id], asked[frame.group.id])
    return shifts | {name: shift for name, shift in asked.items() if name in shifts}


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


def reroute(
    wire: Wire,
    nodes: Mapping[str, Node],
    direction: Direction,
    ports: Mapping[str, Point],
    others: Sequence[Box],
) -> Wire:
    """Return an edge drawn anew: straight, else curved, else around what is in the way.

    That are all elements but its ends, and frames that it has no business in (``others``). At a
    block it keeps its place among the others, its ``ports`` as seen from the middles of its ends.
    """
    edge = wire.edge
    flipped = edge.kind == "backward"
    first, last = (edge.target, edge.source) if flipped else (edge.source, edge.target)
    source, target = (Stop(nodes[end], direction, ports[end]) for end in (first, last))
    orient = ORIENT[direction]
    carries = edge.kind == "carry" or edge.carried
    options = list((loops if carries else ways)(source, target, flipped))
    chosen = next(
        (
            route
            for route in options
            if is_clear([orient(*p) for p in points_on(route.path)], wire, nodes, others)
        ),
        options[min(1, len(options) - 1)],
    )
    arrow = map_arrow(finish(chosen, flipped), orient)
    returned = map_arrow(go_back(chosen), orient) if edge.returned else None
    return replace(wire, arrow=arrow, returned=returned, labels=labels_on(wire, arrow.shaft))


def labels_on(wire: Wire, path: Path) -> tuple[PlacedLabel, ...]:
    """Return the labels of an edge beside its middle."""
    points = points_on(path)
    x, y = points[len(points) // 2]
    return tuple(
        replace(label, x=x + label.label.width / 2 + 5, y=y - label.label.height / 2 - 3)
        for label in wire.labels
    )


def points_on(path: Path) -> list[Point]:
    """Return points along a path."""
    return list(sample(path[0][1][0], path[1:]))


def is_clear(
    points: list[Point], wire: Wire, nodes: Mapping[str, Node], others: Sequence[Box]
) -> bool:
    """Tell whether points keep clear of all elements, the inside of an edge's ends, and others."""
    ends = (wire.edge.source, wire.edge.target)
    boxes = [grown(box, 3.0) for box in others]
    boxes += [grown(node.box, -4.0 if name in ends else 3.0) for name, node in nodes.items()]
    return not any(inside(point, box) for box in boxes for point in points)


class Stop:
    """An element at the end of an edge, in (along, across), and the edge's port there."""

    def __init__(self, node: Node, direction: Direction, port: Point) -> None:
        into = INTO[direction]
        self.at = into(node.x, node.y)
        horizontal = direction in ("LR", "RL")
        along, across = (node.width, node.height) if horizontal else (node.height, node.width)
        kind = node.element.kind
        self.shape = Shape(FORMS.get(kind, "ellipse"), along / 2, across / 2, kind == "vjp")
        beside = into(*port)[1]  # what came from the side now comes in the flow, on that side
        inner = math.copysign(OUTERMOST * across / 2, beside)
        self.port = beside if abs(beside) < 0.9 * across / 2 else inner

    def out(self, goal: Point) -> End:
        """Where an edge to a goal leaves, with the flow from a function."""
        if self.shape.form != "ellipse":
            return End(shifted(self.at, front_at(self.shape, self.port)), FLOW)
        way = direction_to(self.at, goal)
        return End(shifted(self.at, boundary(self.shape, way)), way)

    def entry(self, origin: Point) -> End:
        """Where an edge from an origin arrives, with the flow at a function."""
        if self.shape.form != "ellipse":
            return End(shifted(self.at, back_at(self.shape, self.port)), FLOW)
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
    if run < 0:
        yield from loops(source, target, flipped)
        return
    for detour in BYPASSES:
        yield trimmed(start, end, detour, flipped, bypass=True)


def loops(source: Stop, target: Stop, flipped: bool) -> Iterator[Route]:
    """Iterate over ways to lead back against the flow, around everything in between."""
    start, end = source.out((math.inf, source.at[1])), target.entry((-math.inf, target.at[1]))
    begin = turned(base_of(turned(start))) if flipped else start
    stop = end if flipped else base_of(end)
    (x, y), (x2, y2) = begin.point, stop.point
    for detour in BYPASSES:
        side = (max if detour > 0 else min)(y, y2) + detour
        right, left = x + LOOP_OUT, x2 - LOOP_OUT
        turns = ((x, y), (right, y), (right, side), (left, side), (left, y2), (x2, y2))
        legs = [leg for k in range(1, 5) for leg in corner(*turns[k - 1 : k + 2])]
        yield Route((("M", (begin.point,)), *legs, ("L", (stop.point,))), start, end)


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
