"""Frames: the rectangle around a scope that has been laid out, its ports and its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.render.bodies import Body, oriented
from graphc.render.clearance import boxes
from graphc.render.curves import Route
from graphc.render.diagram import Element, Group
from graphc.render.drawing import Box, Direction, Path, Point, path_points
from graphc.render.grid import Grid
from graphc.render.labels import EDGE_LABEL_SIZE, FRAME_SIZE, Label, measure
from graphc.render.placement import mirror_vertices
from graphc.render.routing import route
from graphc.render.scopes import Scope
from graphc.render.shapes import KAPPA, Shape

PAD = 13.0
LABEL_GAP = 7.0
FRAME_CORNER = 10.0


@dataclass(frozen=True, slots=True)
class Laid:
    """A scope whose members have places; ``box`` is its frame (along, across, along, across).

    ``label`` stands in a band of its own within the frame. ``middle`` is the point by which the
    scope around places the frame.
    """

    scope: Scope
    grid: Grid
    routes: Sequence[Route]
    box: Box
    label: tuple[Label, Point] | None
    middle: Point

    def holds(self, element: Element) -> bool:
        """Whether an element of the grid is of this scope, and not of the one that mirrors it."""
        return self.scope.group is None or bool(self.scope.group.twin) == bool(element.twin)


def moved(point: Point, by: Point) -> Point:
    """Return a point, moved."""
    return point[0] + by[0], point[1] + by[1]


def edge_labels(grid: Grid, routes: Sequence[Route], e: int) -> list[tuple[Label, Point]]:
    """Return the label of an edge: at its lane, or beside the edge where it has none."""
    text = grid.network.edges[e].label
    if not text:
        return []
    if e in grid.turns and grid.network.carries(e):
        label, turn = measure(text, EDGE_LABEL_SIZE), grid.turns[e]
        wide = oriented(label, grid.horizontal)[1]
        return [(label, ((turn.left + turn.right) / 2, turn.across + 4 + wide / 2))]
    if e in grid.ranks.beside:
        label = measure(text, EDGE_LABEL_SIZE)
        (along, start), (_, end) = (routes[e].path[k][1][-1] for k in (0, -1))
        deep = oriented(label, grid.horizontal)[0]
        return [(label, (along + deep / 2 + 4, (start + end) / 2))]
    return [
        (label, moved(grid.at(v), offset))
        for v in grid.layers.lanes[e]
        if grid.layers.labelled.get(v) == e
        for label, _, offset in grid.bodies[v].labels
    ]


def extent(grid: Grid, routes: Sequence[Route], mirrored: bool) -> Box:
    """Return the box around everything in a scope but its ports, or in what mirrors it."""
    points: list[Point] = []
    back = set(mirror_vertices(grid.network, grid.layers))
    for v in range(len(grid.bodies)):
        if (v in back) != mirrored:
            continue
        if v >= grid.layers.elements or grid.network.elements[v].kind != "port":
            for a, b, c, d in boxes(grid, v, own=False):
                points += [(a, b), (c, d)]
    for e, way in enumerate(routes):
        if grid.network.flipped(e) != mirrored:
            continue
        ends = (grid.network.source[e], grid.network.target[e])
        if all(grid.network.elements[i].kind != "port" for i in ends):
            points += path_points(way.path)
            for label, at in edge_labels(grid, routes, e):
                deep, wide = oriented(label, grid.horizontal)
                points += [moved(at, (-deep / 2, -wide / 2)), moved(at, (deep / 2, wide / 2))]
        else:
            # Only how far across it runs: along the flow it leads out of the frame.
            low, high = min(p for p, _ in points), max(p for p, _ in points)
            points += [(min(max(p, low), high), q) for p, q in path_points(way.path)]
    alongs, acrosses = zip(*points, strict=True)
    return min(alongs), min(acrosses), max(alongs), max(acrosses)


def frame_scopes(scopes: Sequence[Scope], grid: Grid, direction: Direction) -> list[Laid]:
    """Put frames around a scope and around what mirrors it, level with each other."""
    routes = route(grid)
    boxes = [extent(grid, routes, mirrored) for mirrored in (False, True)[: len(scopes)]]
    low, high = min(box[0] for box in boxes), max(box[2] for box in boxes)
    return [
        frame(scope, grid, routes, (low, box[1], high, box[3]), direction)
        for scope, box in zip(scopes, boxes, strict=True)
    ]


def frame(
    scope: Scope, grid: Grid, routes: Sequence[Route], content: Box, direction: Direction
) -> Laid:
    """Put a frame with a label around the content of a scope."""
    assert scope.group is not None
    low, left, high, right = content
    low, left, high, right = low - PAD, left - PAD, high + PAD, right + PAD
    ports = {
        element.id: grid.at(i)
        for i, element in enumerate(grid.network.elements)
        if element.kind == "port"
    }
    middles = [at[0] for at in ports.values()]  # those of a mirrored scope stand level
    low, high = min([low, *middles]), max([high, *middles])
    box = (low, left, high, right)
    label = None
    if scope.group.label:
        text = measure(scope.group.label, FRAME_SIZE)
        leading_on = (scope.group.kind == "composite") == (direction == "BT")
        sides = scope.outs if leading_on else scope.ins
        crossing = [ports[name][1] for name in sides if name in ports]
        box, at = with_band(box, text, scope.group, direction, crossing)
        label = text, at
    along = (box[0] + box[2]) / 2
    # What leads on is to stand straight over where it leaves.
    names = [name for name in (*scope.outs, *scope.ins) if name in ports]
    across = ports[names[0]][1] if names else (box[1] + box[3]) / 2
    return Laid(scope, grid, routes, box, label, (along, across))


def with_band(
    box: Box, text: Label, group: Group, direction: Direction, crossing: Sequence[float]
) -> tuple[Box, Point]:
    """Return the box with a band for its label, and the middle of the label.

    A composite block has its name at the top left, a plate and a loop their range at the lower
    right; where edges cross the band there, at the other end.
    """
    low, left, high, right = box
    deep, wide = oriented(text, direction in ("LR", "RL"))
    top = group.kind == "composite"
    if direction in ("LR", "RL"):
        at_low = top == (direction == "LR")  # at the left end of the flow from left to right
        need = deep + 2 * LABEL_GAP
        if high - low < need:
            low, high = (low + high - need) / 2, (low + high + need) / 2
        along = low + LABEL_GAP + deep / 2 if at_low else high - LABEL_GAP - deep / 2
        if top:
            left -= wide + LABEL_GAP - PAD / 2
            return (low, left, high, right), (along, left + LABEL_GAP + wide / 2)
        right += wide + LABEL_GAP - PAD / 2
        return (low, left, high, right), (along, right - LABEL_GAP - wide / 2)
    need = wide + 2 * LABEL_GAP
    if right - left < need:
        left, right = (left + right - need) / 2, (left + right + need) / 2
    ends = left + LABEL_GAP + wide / 2, right - LABEL_GAP - wide / 2
    free = [
        end
        for end in (ends if top else ends[::-1])
        if all(abs(end - across) > wide / 2 + LABEL_GAP for across in crossing)
    ]
    if free:
        across = free[0]
    else:
        across = right + LABEL_GAP + wide / 2
        right += wide + 2 * LABEL_GAP
    if top == (direction == "BT"):
        high += deep + LABEL_GAP - PAD / 2
        return (low, left, high, right), (high - LABEL_GAP - deep / 2, across)
    low -= deep + LABEL_GAP - PAD / 2
    return (low, left, high, right), (low + LABEL_GAP + deep / 2, across)


def frame_body(laid: Laid) -> Body:
    """Return a frame as an element of the scope around it."""
    low, left, high, right = laid.box
    before, after = laid.middle[1] - left, right - laid.middle[1]
    across = {
        element.id: laid.grid.at(i)[1] - laid.middle[1]
        for i, element in enumerate(laid.grid.network.elements)
        if element.kind == "port"
    }
    shape = Shape("frame", (high - low) / 2, max(before, after))
    ins = tuple(across.get(name, 0.0) for name in laid.scope.ins)
    outs = tuple(across.get(name, 0.0) for name in laid.scope.outs)
    return Body(shape, before, after, shape.along, ins=ins, outs=outs)


def rounded(box: Box) -> Path:
    """Return the outline of a frame."""
    low, left, high, right = box
    r, k = FRAME_CORNER, FRAME_CORNER * (1 - KAPPA)
    return (
        ("M", ((low + r, left),)),
        ("L", ((high - r, left),)),
        ("C", ((high - k, left), (high, left + k), (high, left + r))),
        ("L", ((high, right - r),)),
        ("C", ((high, right - k), (high - k, right), (high - r, right))),
        ("L", ((low + r, right),)),
        ("C", ((low + k, right), (low, right - k), (low, right - r))),
        ("L", ((low, left + r),)),
        ("C", ((low, left + k), (low + k, left), (low + r, left))),
        ("Z", ()),
    )
