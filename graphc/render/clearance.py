"""Clearance: which of several ways to draw a piece of a route touches nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from graphc.render.bodies import drawn_boxes
from graphc.render.curves import End
from graphc.render.drawing import Box, Path, Point
from graphc.render.grid import Grid

CLEARANCE = 3.5
# The distance of the points at which a curve is tested.
STEP = 5.0

# Where a piece starts, where it ends, and the curve between.
Option = tuple[End, End, Path]


def first_clear(
    grid: Grid, options: Sequence[Option], ranks: Iterable[int], own: Sequence[int]
) -> Option:
    """Return the first option that touches nothing, or else the last."""
    for start, goal, legs in options:
        points = list(sample(start.point, (*legs, ("L", (goal.point,)))))
        if is_clear(grid, points, ranks, own):
            return start, goal, legs
    return options[-1]


def is_clear(grid: Grid, points: list[Point], ranks: Iterable[int], own: Sequence[int]) -> bool:
    """Tell whether points keep clear of all bodies in these ranks, their own shapes excepted."""
    return not any(
        inside(point, box)
        for rank in ranks
        for point in points
        if abs(point[0] - grid.middle[rank]) < grid.half[rank] + CLEARANCE
        for v in between(grid, rank, point[1] - CLEARANCE, point[1] + CLEARANCE)
        if not (v in own and is_frame(grid, v))
        for box in boxes(grid, v, v in own)
    )


def is_frame(grid: Grid, v: int) -> bool:
    """Tell whether a vertex is the frame of a group."""
    return v < grid.layers.elements and grid.network.elements[v].kind == "frame"


def between(grid: Grid, rank: int, low: float, high: float) -> Iterator[int]:
    """Iterate over the vertices of a rank that reach between two places across."""
    layer, across = grid.layers.order[rank], grid.places.across
    k = bisect_left(layer, low, key=lambda v: across[v] + grid.bodies[v].after)
    for v in layer[k:]:
        if across[v] - grid.bodies[v].before > high:
            return
        yield v


def boxes(grid: Grid, v: int, own: bool) -> Iterator[Box]:
    """Iterate over the boxes (along, across, along, across) of what is drawn at a vertex."""
    along, across = grid.at(v)
    for a, b, c, d in drawn_boxes(grid.bodies[v], grid.horizontal, shape_too=not own):
        yield along + a, across + b, along + c, across + d


def inside(point: Point, box: Box) -> bool:
    """Tell whether a point comes too near to a box."""
    return (
        box[0] - CLEARANCE < point[0] < box[2] + CLEARANCE
        and box[1] - CLEARANCE < point[1] < box[3] + CLEARANCE
    )


def sample(start: Point, path: Path) -> Iterator[Point]:
    """Iterate over points along a path."""
    x, y = start
    for _, points in path:
        x2, y2 = points[-1]
        count = 2 + int((abs(x2 - x) + abs(y2 - y)) / STEP)
        if len(points) == 1:
            for k in range(count + 1):
                t = k / count
                yield x + t * (x2 - x), y + t * (y2 - y)
        else:
            (ax, ay), (bx, by) = points[:2]
            for k in range(count + 1):
                t = k / count
                s = 1 - t
                p, q, r, u = s * s * s, 3 * t * s * s, 3 * t * t * s, t * t * t
                yield p * x + q * ax + r * bx + u * x2, p * y + q * ay + r * by + u * y2
        x, y = x2, y2
