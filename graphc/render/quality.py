"""How well a drawing came out: edges that cross, and edges that run through elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from graphc.render.clearance import sample
from graphc.render.drawing import Box, Drawing, Path, Point, Wire

NEAR = 9.0  # around the ends of edges, where those of one element may touch
CELL = 60.0  # of the grid in which edges are compared
PIECES = 10  # of a curve
Segment = tuple[Point, Point]


def crossings(drawing: Drawing) -> int:
    """Count the pairs of edges that cross.

    Edges that share an end may run together and part again; they count where they cross apart
    from it.
    """
    nodes = {node.element.id: node.box for node in drawing.nodes}
    cells: dict[tuple[int, int], list[tuple[int, Segment]]] = {}
    for k, wire in enumerate(drawing.wires):
        for segment in pairwise(polyline(wire.arrow.shaft)):
            for cell in covered(bounds(segment)):
                cells.setdefault(cell, []).append((k, segment))
    found: set[tuple[int, int]] = set()
    for content in cells.values():
        for (a, one), (b, other) in combinations(content, 2):
            if a == b or (a, b) in found or not segments_cross(one, other):
                continue
            middle = (one[0][0] + one[1][0]) / 2, (one[0][1] + one[1][1]) / 2
            shared = shared_ends(drawing.wires[a], drawing.wires[b])
            if not any(inside(middle, grown(nodes[end], NEAR)) for end in shared if end in nodes):
                found.add((a, b))
    return len(found)


def covered(box: Box) -> Iterator[tuple[int, int]]:
    """Iterate over the cells of a grid that a box meets."""
    left, top, right, bottom = (int(side // CELL) for side in box)
    for x in range(left, right + 1):
        for y in range(top, bottom + 1):
            yield x, y


def shared_ends(one: Wire, other: Wire) -> set[str]:
    """Return the elements at which both edges end."""
    return {one.edge.source, one.edge.target} & {other.edge.source, other.edge.target}


def through_nodes(drawing: Drawing) -> int:
    """Count the edges that run through an element that is not one of their ends."""
    count = 0
    for wire in drawing.wires:
        points = list(sample(wire.arrow.shaft[0][1][0], wire.arrow.shaft[1:]))
        box = bounds(points)
        for node in drawing.nodes:
            if node.element.id in (wire.edge.source, wire.edge.target):
                continue
            if meet(box, node.box) and any(inside(point, node.box) for point in points):
                count += 1
                break
    return count


def overlaps(drawing: Drawing) -> int:
    """Count the pairs of elements and labels that overlap, labels in their own shapes excepted."""
    boxes = [(node.element.id, node.box) for node in drawing.nodes if node.outline]
    for node in drawing.nodes:
        boxes += [(node.element.id, label.box) for label in node.labels[1:]]
    boxes += [("", label.box) for wire in drawing.wires for label in wire.labels]
    boxes.sort(key=lambda owned: owned[1][0])
    count = 0
    for k, (owner, box) in enumerate(boxes):
        for other, second in boxes[k + 1 :]:
            if second[0] > box[2] - 1:
                break
            if (owner != other or not owner) and meet(grown(box, -1.0), second):
                count += 1
    return count


def level(drawing: Drawing) -> int:
    """Count the edges that run straight along the flow or across it."""
    count = 0
    for wire in drawing.wires:
        shaft = wire.arrow.shaft
        if len(shaft) == 2 and shaft[1][0] == "L":
            (x, y), (x2, y2) = shaft[0][1][0], shaft[1][1][0]
            count += min(abs(x - x2), abs(y - y2)) < 0.5
    return count


def polyline(path: Path) -> Iterator[Point]:
    """Iterate over the corners of a path, its curves cut into short lines."""
    at = path[0][1][0]
    yield at
    for _, points in path[1:]:
        if len(points) == 3:
            for n in range(1, PIECES):
                t = n / PIECES
                weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                four = (at, *points)
                yield (
                    sum(w * p[0] for w, p in zip(weights, four, strict=True)),
                    sum(w * p[1] for w, p in zip(weights, four, strict=True)),
                )
        yield points[-1]
        at = points[-1]


def bounds(points: Sequence[Point]) -> Box:
    """Return the box around points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def grown(box: Box, by: float) -> Box:
    """Return a box with its sides moved outwards."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def meet(one: Box, other: Box) -> bool:
    """Tell whether two boxes have a point in common."""
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def inside(point: Point, box: Box) -> bool:
    """Tell whether a point is well inside a box."""
    return box[0] + 1 < point[0] < box[2] - 1 and box[1] + 1 < point[1] < box[3] - 1


def segments_cross(one: Segment, other: Segment) -> bool:
    """Tell whether two segments cross properly."""
    (a, b), (c, d) = one, other
    return turn(a, b, c) * turn(a, b, d) < -1e-9 and turn(c, d, a) * turn(c, d, b) < -1e-9


def turn(a: Point, b: Point, c: Point) -> float:
    """Return twice the area of a triangle, positive if its corners turn one way."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
