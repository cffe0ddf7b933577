"""Curves in (along, across): the pieces from which routes are put together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from graphc.render.drawing import Arrow, Path, Point, Segment
from graphc.render.grid import Grid
from graphc.render.shapes import HEAD, KAPPA, arrow_head

CORNER = 9.0
FLOW = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class End:
    """A point of a route with the unit direction of the route there."""

    point: Point
    direction: Point


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


def base_of(target: End) -> End:
    """Return where the shaft ends and the head begins."""
    (x, y), (p, q) = target.point, target.direction
    return End((x - (HEAD - 0.5) * p, y - (HEAD - 0.5) * q), target.direction)


def finish(path: Path, target: End, straight: bool = False) -> Arrow:
    """Return the arrow of a path that has arrived at the base of its head."""
    if straight:
        path = (*path, ("L", (base_of(target).point,)))
    return Arrow(without_repeats(path), arrow_head(target.point, target.direction))


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
