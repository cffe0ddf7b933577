"""Assembly: scopes that are laid out become one drawing, in points of the figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graphc.render.bodies import Body, drawn_boxes, oriented
from graphc.render.clearance import sample
from graphc.render.curves import End, Route, finish, go_back
from graphc.render.diagram import Diagram, Element, Group
from graphc.render.drawing import (
    ORIENT,
    Arrow,
    Box,
    Direction,
    Drawing,
    Frame,
    Node,
    Path,
    PlacedLabel,
    Point,
    Wire,
    map_path,
    path_points,
)
from graphc.render.frames import Laid, edge_labels, moved, rounded
from graphc.render.labels import Label
from graphc.render.quality import covered, inside
from graphc.render.scopes import WHOLE, Trails
from graphc.render.shapes import RING_GAP, outline

MARGIN = 14.0

Move = Callable[[float, float], Point]


@dataclass(frozen=True, slots=True)
class Places:
    """Everything in (along, across) of the whole: what the figure is then turned from."""

    bodies: Mapping[str, tuple[Body, Point]]
    routes: Sequence[Route]
    labels: Sequence[Sequence[tuple[Label, Point]]]
    frames: Mapping[str, tuple[Box, tuple[Label, Point] | None]]


def assemble(
    diagram: Diagram, direction: Direction, laid: Mapping[str, Laid], trails: Trails
) -> Drawing:
    """Put the scopes together and turn them into a figure."""
    shifts = find_shifts(laid)
    bodies: dict[str, tuple[Body, Point]] = {}
    frames: dict[str, tuple[Box, tuple[Label, Point] | None]] = {}
    for name, part in laid.items():
        by = shifts[name]
        for i, element in enumerate(part.grid.network.elements):
            if element.kind not in ("frame", "port") and part.holds(element):
                bodies[element.id] = part.grid.bodies[i], moved(part.grid.at(i), by)
        if name != WHOLE:
            (a, b, c, d), label = part.box, part.label
            box = (a + by[0], b + by[1], c + by[0], d + by[1])
            frames[name] = box, label and (label[0], moved(label[1], by))
    routes, labels = [], []
    for trail in trails:
        parts = [move_route(laid[name].routes[e], shifts[name]) for name, e in trail]
        routes.append(join(parts))
        labels.append(
            [
                (label, moved(at, shifts[name]))
                for name, e in trail
                for label, at in edge_labels(laid[name].grid, laid[name].routes, e)
            ]
        )
    return to_points(diagram, direction, Places(bodies, routes, labels, frames))


def find_shifts(laid: Mapping[str, Laid]) -> dict[str, Point]:
    """Return how far each scope moves from its own coordinates to those of the whole."""
    shifts = {WHOLE: (0.0, 0.0)}
    for name, part in reversed(list(laid.items())):
        for i, element in enumerate(part.grid.network.elements):
            if element.kind == "frame" and part.holds(element):
                middle = laid[element.id].middle
                at = moved(part.grid.at(i), shifts[name])
                shifts[element.id] = at[0] - middle[0], at[1] - middle[1]
    return shifts


def move_route(route: Route, by: Point) -> Route:
    """Return a route, moved."""
    path = map_path(route.path, lambda along, across: moved((along, across), by))
    start = End(moved(route.start.point, by), route.start.direction)
    return Route(path, start, End(moved(route.goal.point, by), route.goal.direction))


def join(routes: Sequence[Route]) -> Route:
    """Return one route through several scopes."""
    path = routes[0].path
    for route in routes[1:]:
        path = (*path, ("L", route.path[0][1]), *route.path[1:])
    return Route(path, routes[0].start, routes[-1].goal)


# --- points -----------------------------------------------------------------------------------


def to_points(diagram: Diagram, direction: Direction, places: Places) -> Drawing:
    """Turn (along, across) into (x, y) of the figure, all of it in the positive quarter."""
    orient = ORIENT[direction]
    horizontal = direction in ("LR", "RL")
    arrows, returned = [], []
    cells = fill_cells(places, horizontal) if any(e.returned for e in diagram.edges) else {}
    for edge, route in zip(diagram.edges, places.routes, strict=True):
        arrows.append(finish(route, edge.kind == "backward"))
        sides = (go_back(route, side) for side in (1.0, -1.0)) if edge.returned else ()
        own = (edge.source, edge.target)
        returned.append(min(sides, key=lambda back: count_hits(cells, back, own), default=None))
    corners = [orient(*point) for point in extremes(places, [*arrows, *returned], horizontal)]
    corners = corners or [(0.0, 0.0)]
    left, top = (min(point[k] for point in corners) - MARGIN for k in (0, 1))
    right, bottom = (max(point[k] for point in corners) + MARGIN for k in (0, 1))

    def move(along: float, across: float) -> Point:
        x, y = orient(along, across)
        return x - left, y - top

    wires = tuple(
        Wire(
            edge,
            map_arrow(arrow, move),
            tuple(PlacedLabel(label, "note", *move(*at)) for label, at in labels),
            back and map_arrow(back, move),
        )
        for edge, arrow, labels, back in zip(
            diagram.edges, arrows, places.labels, returned, strict=True
        )
    )
    return Drawing(
        diagram.name,
        diagram.description,
        direction,
        right - left,
        bottom - top,
        tuple(place_node(e, *places.bodies[e.id], horizontal, move) for e in diagram.elements),
        wires,
        tuple(place_frame(g, *places.frames[g.id], move) for g in reversed(diagram.groups)),
    )


# What is drawn, by the cells of a grid: the element, the box, and whether it is its shape.
Cells = dict[tuple[int, int], list[tuple[str, Box, bool]]]


def fill_cells(places: Places, horizontal: bool) -> Cells:
    """Enter the shapes and labels of all elements into a grid."""
    cells: Cells = {}
    for name, (body, at) in places.bodies.items():
        for k, (a, b, c, d) in enumerate(drawn_boxes(body, horizontal, shape_too=True)):
            box = (*moved(at, (a, b)), *moved(at, (c, d)))
            for cell in covered(box):
                cells.setdefault(cell, []).append((name, box, k == 0))
    return cells


def count_hits(cells: Cells, arrow: Arrow, own: tuple[str, str]) -> int:
    """Count the points of an arrow that lie on shapes and labels, its own two shapes excepted."""
    points = [*sample(arrow.shaft[0][1][0], arrow.shaft[1:]), *path_points(arrow.head)]
    return sum(
        inside(point, box)
        for point in points
        for cell in covered((*point, *point))
        for name, box, is_shape in cells.get(cell, ())
        if not (is_shape and name in own)
    )


def extremes(places: Places, arrows: Sequence[Arrow | None], horizontal: bool) -> list[Point]:
    """Return points, in (along, across), between which everything lies."""
    points: list[Point] = []
    for body, at in places.bodies.values():
        for a, b, c, d in drawn_boxes(body, horizontal, shape_too=True):
            points += [moved(at, (a, b)), moved(at, (c, d))]
    for arrow in filter(None, arrows):
        points += path_points(arrow.shaft) + path_points(arrow.head)
    for (a, b, c, d), _ in places.frames.values():
        points += [(a, b), (c, d)]
    for labels in places.labels:
        for label, at in labels:
            deep, wide = oriented(label, horizontal)
            points += [moved(at, (-deep / 2, -wide / 2)), moved(at, (deep / 2, wide / 2))]
    return points


def place_node(element: Element, body: Body, at: Point, horizontal: bool, move: Move) -> Node:
    """Place an element with everything drawn at it."""
    assert body.shape is not None

    def here(along: float, across: float) -> Point:
        return move(at[0] + along, at[1] + across)

    size = 2 * body.shape.along, 2 * body.shape.across
    return Node(
        element,
        *here(0.0, 0.0),
        *(size if horizontal else size[::-1]),
        map_path(outline(body.shape), here),
        map_path(outline(body.shape, RING_GAP), here) if element.discrete else (),
        tuple(PlacedLabel(label, role, *here(*offset)) for label, role, offset in body.labels),
        map_arrow(body.stub, here) if body.stub else None,
        map_arrow(body.leaving, here) if body.leaving else None,
    )


def place_frame(group: Group, box: Box, label: tuple[Label, Point] | None, move: Move) -> Frame:
    """Place a frame with its label."""
    path: Path = map_path(rounded(box), move)
    (x, y), (x2, y2) = move(*box[:2]), move(*box[2:])
    labels = (PlacedLabel(label[0], "note", *move(*label[1])),) if label else ()
    return Frame(group, (min(x, x2), min(y, y2), max(x, x2), max(y, y2)), path, labels)


def map_arrow(arrow: Arrow, move: Move) -> Arrow:
    """Move an arrow."""
    return Arrow(map_path(arrow.shaft, move), map_path(arrow.head, move))
