"""Curves in (along, across): the pieces from which routes are put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graphc.render.drawing import Arrow, Path, Point, Segment, reverse
from graphc.render.grid import Grid
from graphc.render.shapes import HEAD, HEAD_SMALL, KAPPA, arrow_head

CORNER = 9.0
# How far beside an edge its gradient returns, and how far that stays off the elements.
BACK_OFFSET = 7.0
BACK_GAP = 2.0
FLOW = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class End:
    """A point of a route with the unit direction of the route there."""

    point: Point
    direction: Point


@dataclass(frozen=True, slots=True)
class Route:
    """The line of an edge, with the flow, and its two ends at what it joins.

    Where a head is to stand, the line stops short of that end.
    """

    path: Path
    start: End
    goal: End


def curve(start: End, goal: End) -> Path:
    """Return one smooth curve between two ends, a line if they lie in line."""
    (x, y), (x2, y2) = start.point, goal.point
    run, rise = x2 - x, y2 - y
    if abs(run * start.direction[1] - rise * start.direction[0]) < 0.01 and (
        start.direction == goal.direction
    ):
        return (("L", (goal.point,)),)
    reach = 0.5 * max(run, 0.0) + 0.12 * abs(rise)
    first = (x + reach * start.direction[0], y + reach * start.direction[1])
    second = (x2 - reach * goal.direction[0], y2 - reach * goal.direction[1])
    return (("C", (first, second, goal.point)),)


def through_rank(grid: Grid, start: End, goal: End, rank: int) -> Path:
    """Run straight to the end of the rank, bend in the gap, run straight to the goal."""
    low = grid.middle[rank] + grid.half[rank]
    high = grid.middle[rank + 1] - grid.half[rank + 1]
    out = End((max(low, start.point[0]), start.point[1]), FLOW)
    in_ = End((min(high, goal.point[0]), goal.point[1]), FLOW)
    middle = (out.point[0] + in_.point[0]) / 2
    bend = ((middle, out.point[1]), (middle, in_.point[1]), in_.point)
    return (("L", (out.point,)), ("C", bend), ("L", (goal.point,)))


def corner(before: Point, at: Point, after: Point) -> Path:
    """Return a line to a corner and a small arc around it."""
    leave = towards(at, before, CORNER)
    arrive = towards(at, after, CORNER)
    arc = towards(leave, at, KAPPA * CORNER), towards(arrive, at, KAPPA * CORNER), arrive
    return (("L", (leave,)), ("C", arc))


def towards(start: Point, goal: Point, distance: float) -> Point:
    """Return the point at a distance from a start on the way to a goal."""
    part = distance / math.dist(start, goal)
    return start[0] + part * (goal[0] - start[0]), start[1] + part * (goal[1] - start[1])


def shifted(point: Point, by: Point) -> Point:
    """Return the sum of two points."""
    return point[0] + by[0], point[1] + by[1]


def base_of(target: End, head: float = HEAD) -> End:
    """Return where the shaft ends and the head begins."""
    (x, y), (p, q) = target.point, target.direction
    return End((x - (head - 0.5) * p, y - (head - 0.5) * q), target.direction)


def turned(end: End) -> End:
    """Return the end as one sees it who comes from the other side."""
    p, q = end.direction
    return End(end.point, (-p, -q))


def finish(route: Route, backwards: bool = False) -> Arrow:
    """Return the arrow of a route, its head at the goal (or, backwards, at the start)."""
    path = without_repeats(route.path)
    if not backwards:
        return Arrow(path, arrow_head(route.goal.point, route.goal.direction))
    tip = turned(route.start)
    return Arrow(reverse(path), arrow_head(tip.point, tip.direction))


def go_back(route: Route, side: float = 1.0) -> Arrow:
    """Return a smaller arrow that leads back beside a route, on one side of it or the other."""
    (x, y), (p, q) = route.goal.point, route.goal.direction
    whole: Path = (("M", (route.start.point,)), *route.path[1:], ("L", (route.goal.point,)))
    start = End(beside(route.start.point, route.start.direction, side), route.start.direction)
    tip = turned(End(shifted(start.point, scaled(start.direction, BACK_GAP)), start.direction))
    tail = beside((x - BACK_GAP * p, y - BACK_GAP * q), (p, q), side)
    foot = base_of(tip, HEAD_SMALL).point
    line = offset(without_repeats(whole), side)
    inner = [("M", (foot,)), *line[1:-1], ("L", (tail,))]
    path = reverse(without_repeats(tuple(inner)))
    return Arrow(path, arrow_head(tip.point, tip.direction, HEAD_SMALL))


def offset(path: Path, side: float) -> Path:
    """Return a path that runs beside another."""
    result: list[Segment] = []
    at = path[0][1][0]
    for command, points in path:
        if len(points) == 3:
            for start, one, two, end in pieces((at, *points)):
                first, last = direction_to(start, one), direction_to(two, end)
                result.append(
                    (
                        "C",
                        (
                            beside(one, first, side),
                            beside(two, last, side),
                            beside(end, last, side),
                        ),
                    )
                )
        else:
            way = direction_to(at, points[0] if points[0] != at else path[1][1][0])
            result.append((command, (beside(points[0], way, side),)))
        at = points[-1]
    return tuple(result)


def pieces(curve: Sequence[Point], depth: int = 3) -> list[Sequence[Point]]:
    """Return a Bézier curve in parts so short that they can be shifted one by one."""
    if not depth:
        return [curve]
    a, b, c, d = curve
    ab, bc, cd = halfway(a, b), halfway(b, c), halfway(c, d)
    abc, bcd = halfway(ab, bc), halfway(bc, cd)
    middle = halfway(abc, bcd)
    first, second = (a, ab, abc, middle), (middle, bcd, cd, d)
    return [*pieces(first, depth - 1), *pieces(second, depth - 1)]


def halfway(one: Point, other: Point) -> Point:
    """Return the point in the middle of two."""
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def direction_to(start: Point, goal: Point) -> Point:
    """Return the unit direction from a point to another; with the flow, if they are one."""
    distance = math.dist(start, goal)
    if distance < 1e-9:
        return FLOW
    return (goal[0] - start[0]) / distance, (goal[1] - start[1]) / distance


def beside(point: Point, way: Point, side: float) -> Point:
    """Return the point beside another, as seen on the way."""
    return point[0] - side * BACK_OFFSET * way[1], point[1] + side * BACK_OFFSET * way[0]


def scaled(vector: Point, by: float) -> Point:
    """Return a multiple of a vector."""
    return vector[0] * by, vector[1] * by


def without_repeats(path: Path) -> Path:
    """Leave out lines that lead nowhere."""
    kept: list[Segment] = []
    at: Point = (math.nan, math.nan)
    for command, points in path:
        if command == "L" and math.dist(at, points[0]) < 0.01:
            continue
        kept.append((command, points))
        at = points[-1]
    return tuple(kept)
