"""Routes: the curve of every edge, in (along, across).

Each piece of a route tries the handsomest curve first and takes the first one that keeps clear
of everything drawn; the last resort runs straight through its own rank and bends between ranks,
where nothing stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from graphc.render.bodies import Body
from graphc.render.clearance import Option, first_clear
from graphc.render.curves import (
    FLOW,
    End,
    Route,
    base_of,
    corner,
    curve,
    shifted,
    through_rank,
    turned,
)
from graphc.render.drawing import Path, Point
from graphc.render.grid import Grid
from graphc.render.shapes import HEAD, back_at, boundary, front_at, side_at

STEEPEST = math.radians(62)
# How much farther than the flow a straight line may lead sideways.
STRAIGHT_SLOPE = 1.9
INNER_SLOPE = 0.6
HEAD_ROOM = 8.0  # between two heads that come from one side


@dataclass(frozen=True, slots=True)
class Station:
    """A straight stretch of a lane: from one rank to another at one place across."""

    first: int
    last: int
    across: float


def route(grid: Grid) -> list[Route]:
    """Return the route of every edge."""
    return [route_edge(grid, e) for e in range(len(grid.network.edges))]


def route_edge(grid: Grid, e: int) -> Route:
    """Return the route of one edge, with the flow."""
    if e in grid.ranks.beside:
        return route_beside(grid, e)
    if e in grid.turns:
        return route_turn(grid, e)
    return route_forward(grid, e)


def route_beside(grid: Grid, e: int) -> Route:
    """Draw a straight line within a rank."""
    i, j = grid.network.source[e], grid.network.target[e]
    sign = 1.0 if grid.places.across[i] < grid.places.across[j] else -1.0
    start = shifted(grid.at(i), side_of(grid.bodies[i], sign))
    tip = shifted(grid.at(j), side_of(grid.bodies[j], -sign))
    begin, end = End(start, (0.0, sign)), End(tip, (0.0, sign))
    return Route(
        (("M", (takeoff(grid, e, begin).point,)), ("L", (landing(grid, e, end).point,))), begin, end
    )


def route_turn(grid: Grid, e: int) -> Route:
    """Draw an edge to the next row: out, back between the rows, and in again."""
    turn = grid.turns[e]
    start, target = exit_(grid, e, (math.inf, 0.0)), entry(grid, e, (-math.inf, 0.0))
    corners = (
        (turn.right, start.point[1]),
        (turn.right, turn.across),
        (turn.left, turn.across),
        (turn.left, target.point[1]),
    )
    ways = (takeoff(grid, e, start).point, *corners, landing(grid, e, target).point)
    legs = [leg for k in range(1, 5) for leg in corner(*ways[k - 1 : k + 2])]
    return Route((("M", ways[:1]), *legs, ("L", ways[-1:])), start, target)


def side_of(body: Body, sign: float) -> Point:
    """Return the middle of a side of an element."""
    return side_at(body.shape, sign) if body.shape else (0.0, 0.0)


def route_forward(grid: Grid, e: int) -> Route:
    """Draw an edge to a higher rank."""
    stations = lane_stations(grid, e)
    if not stations:
        return direct(grid, e)
    i, j = grid.network.source[e], grid.network.target[e]
    path, at, origin = best_start(grid, e, stations[0])
    for here, there in pairwise(stations):
        path, at = best_change(grid, path, at, here, there)
    ends = [
        End((along, stations[-1].across), FLOW)
        for along in stops(grid, stations[-1], leaving=True)
        if along >= at[0]
    ]
    near = (stations[-1].last, stations[-1].last + 1)
    options = [
        (start, target, curve(start, landing(grid, e, target)))
        for start in ends
        for target in (entry(grid, e, start.point),)
    ]
    start, target, legs = first_clear(grid, options, near, (i, j))
    return Route((*path, ("L", (start.point,)), *legs), origin, target)


def lane_stations(grid: Grid, e: int) -> list[Station]:
    """Return the straight stretches of the lane of an edge."""
    stations: list[Station] = []
    for v in grid.layers.lanes[e]:
        rank, across = grid.layers.rank[v], grid.places.across[v]
        if stations and abs(stations[-1].across - across) < 0.5:
            stations[-1] = Station(stations[-1].first, rank, stations[-1].across)
        else:
            stations.append(Station(rank, rank, across))
    return stations


def stops(grid: Grid, station: Station, leaving: bool) -> list[float]:
    """Return where a curve may end on a station (or, leaving, start), boldest first."""
    rank = station.last if leaving else station.first
    sign = -1 if leaving else 1
    middle, half = grid.middle[rank], grid.half[rank]
    bold = [middle + sign * half] if station.first < station.last else []
    return [*bold, middle, middle - sign * half]


def best_start(grid: Grid, e: int, station: Station) -> tuple[Path, Point, End]:
    """Draw from the source of an edge onto the first station."""
    i, j = grid.network.source[e], grid.network.target[e]
    options = []
    for along in stops(grid, station, leaving=False):
        goal = End((along, station.across), FLOW)
        start = exit_(grid, e, goal.point)
        options.append((start, goal, curve(takeoff(grid, e, start), goal)))
    goal = options[-1][1]
    start = exit_(grid, e, (math.inf, grid.at(i)[1]))
    legs = through_rank(grid, takeoff(grid, e, start), goal, grid.layers.rank[i])
    options.append((start, goal, legs))
    near = (station.first - 1, station.first)
    start, goal, legs = first_clear(grid, options, near, (i, j))
    return (("M", (takeoff(grid, e, start).point,)), *legs), goal.point, start


def best_change(
    grid: Grid, path: Path, at: Point, here: Station, there: Station
) -> tuple[Path, Point]:
    """Draw from one station onto the next."""
    options = [
        (start, goal, curve(start, goal))
        for from_, to in zip(
            stops(grid, here, leaving=True)[-2:],
            stops(grid, there, leaving=False)[-2:],
            strict=True,
        )
        if from_ >= at[0]
        for start, goal in ((End((from_, here.across), FLOW), End((to, there.across), FLOW)),)
    ]
    start, goal, legs = first_clear(grid, options, (here.last, there.first), ())
    return (*path, ("L", (start.point,)), *legs), goal.point


def direct(grid: Grid, e: int) -> Route:
    """Draw from one rank to the next: straight, else curved, else curved between the ranks."""
    i, j = grid.network.source[e], grid.network.target[e]
    options: list[Option] = []
    start, target = exit_(grid, e, aim(grid, e)), entry(grid, e, aim_back(grid, e))
    run, rise = (target.point[k] - start.point[k] for k in (0, 1))
    passing = not (is_end(grid, i) and is_end(grid, j))
    if abs(rise) <= (0.01 if passing else steepest_line(grid, e, rise)) * run:
        unit = (run / math.hypot(run, rise), rise / math.hypot(run, rise))
        begin, line = End(start.point, unit), End(target.point, unit)
        options.append((begin, line, (("L", (landing(grid, e, line).point,)),)))
    options.append((start, target, curve(takeoff(grid, e, start), landing(grid, e, target))))
    start = exit_(grid, e, (math.inf, grid.at(i)[1]))
    target = entry(grid, e, (-math.inf, grid.at(j)[1]))
    begin, end = takeoff(grid, e, start), landing(grid, e, target)
    options.append((start, target, through_rank(grid, begin, end, grid.layers.rank[i])))
    near = (grid.layers.rank[i], grid.layers.rank[j])
    start, target, legs = first_clear(grid, options, near, (i, j))
    return Route((("M", (takeoff(grid, e, start).point,)), *legs), start, target)


def steepest_line(grid: Grid, e: int, rise: float) -> float:
    """Return the steepest slope of a straight line into its target.

    Where another edge enters farther out, a slanted head would cover the other one's.
    """
    enter = grid.places.enter
    outer = [
        abs(enter[e] - enter[other])
        for other in grid.network.into[grid.network.target[e]]
        if other not in grid.ranks.beside and (enter[e] - enter[other]) * rise > 0
    ]
    free = (min(outer, default=math.inf) - HEAD_ROOM) / HEAD
    return max(INNER_SLOPE, min(STRAIGHT_SLOPE, free))


# --- ends -------------------------------------------------------------------------------------


def landing(grid: Grid, e: int, target: End) -> End:
    """Return where the line ends before its target: at the base of its head, if it has one."""
    headed = not grid.network.flipped(e) and is_end(grid, grid.network.target[e])
    return base_of(target) if headed else target


def takeoff(grid: Grid, e: int, start: End) -> End:
    """Return where the line of an edge begins; of one that is drawn backwards, at its head."""
    headed = grid.network.flipped(e) and is_end(grid, grid.network.source[e])
    return turned(base_of(turned(start))) if headed else start


def is_end(grid: Grid, i: int) -> bool:
    """Tell whether edges end at an element, rather than pass through."""
    return grid.network.elements[i].kind not in ("port", "frame")


def exit_(grid: Grid, e: int, goal: Point) -> End:
    """Return where an edge leaves its source on the way to a goal."""
    i = grid.network.source[e]
    shape, at = grid.bodies[i].shape, grid.at(i)
    assert shape is not None
    if shape.form != "ellipse":
        return End(shifted(at, front_at(shape, grid.places.leave[e])), FLOW)
    direction = heading(at, goal)
    return End(shifted(at, boundary(shape, direction)), direction)


def entry(grid: Grid, e: int, origin: Point) -> End:
    """Return where an edge that comes from an origin enters its target."""
    j = grid.network.target[e]
    shape, at = grid.bodies[j].shape, grid.at(j)
    assert shape is not None
    if shape.form != "ellipse":
        return End(shifted(at, back_at(shape, grid.places.enter[e])), FLOW)
    p, q = heading(origin, at)
    return End(shifted(at, boundary(shape, (-p, -q))), (p, q))


def heading(start: Point, goal: Point) -> Point:
    """Return the unit direction from a point to another, never too steep across the flow."""
    run, rise = goal[0] - start[0], goal[1] - start[1]
    if math.isinf(run):
        return FLOW
    angle = math.atan2(rise, max(run, 1e-9))
    angle = max(-STEEPEST, min(STEEPEST, angle))
    return math.cos(angle), math.sin(angle)


def aim(grid: Grid, e: int) -> Point:
    """Return the point of the target that the source sees."""
    j = grid.network.target[e]
    shape, at = grid.bodies[j].shape, grid.at(j)
    if shape is None or shape.form == "ellipse":
        return at
    return shifted(at, back_at(shape, grid.places.enter[e]))


def aim_back(grid: Grid, e: int) -> Point:
    """Return the point of the source that the target sees."""
    i = grid.network.source[e]
    shape, at = grid.bodies[i].shape, grid.at(i)
    if shape is None or shape.form == "ellipse":
        return at
    return shifted(at, front_at(shape, grid.places.leave[e]))
