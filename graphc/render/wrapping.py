"""Turns: a long chain is cut into rows, like a line of text; a loop leads back to its start.

A row ends where a single edge leads on, beside that of the backward pass if it is drawn. These
edges turn: out to the right, back between the two rows, and into the next row from the left.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence, Set
from dataclasses import replace

from graphc.render.bodies import oriented
from graphc.render.grid import Grid, Turn
from graphc.render.labels import EDGE_LABEL_SIZE, measure
from graphc.render.placement import mirror_vertices
from graphc.render.settings import Settings

# A row ends at a variable if that makes it no shorter than this part of what fits.
SHORTEST_ROW = 0.7
ROWS = (1040.0, 1140.0, 1240.0, 1340.0)
# A row shorter than this part of the longest joins another if both together are no longer than so.
SHORT_ROW = 0.3
ROOMY = 1.3
# How far the turning edges run outside the rows.
OUTSIDE = 22.0
TURN_GAP = 11.0
# How far a carried state runs outside everything, and beside its first and last rank.
CARRY_GAP = 14.0
CARRY_OUT = 12.0
CARRY_LANE = 6.0  # between the lines of two states


def wrap(grid: Grid, settings: Settings, apart: bool = False) -> Grid:
    """Cut a long grid into rows; a short one, and one without a place to cut, stays as it is.

    A row of the backward pass stands below that of the model, or, ``apart``, all of them below all
    of the model, so that each gets a frame of its own.
    """
    starts = row_starts(grid, settings)
    if len(starts) == 1:
        return grid
    row_of = [sum(r >= start for start in starts[1:]) for r in range(len(grid.middle))]
    grid = close_up(grid, row_of, settings.mirror_gap)
    left = [grid.middle[start] - grid.half[start] for start in starts]
    middle = tuple(along - left[row] for along, row in zip(grid.middle, row_of, strict=True))
    right = max(m + h for m, h in zip(middle, grid.half, strict=True))
    right += OUTSIDE + settings.behind
    back = set(mirror_vertices(grid.network, grid.layers))
    everything = set(range(len(grid.bodies)))
    sides = [everything - back, back] if apart and back else [everything]
    across = list(grid.places.across)
    single = single_edges(grid)
    turns, end = {}, -math.inf
    for side in sides:
        tops, bottoms = row_extents(grid, row_of, len(starts), side)
        down = [max(0.0, end + settings.mirror_gap - tops[0])]
        for k in range(1, len(starts)):
            down.append(down[-1] + bottoms[k - 1] - tops[k] + settings.row_gap)
        end = bottoms[-1] + down[-1]
        for v in side:
            across[v] += down[row_of[grid.layers.rank[v]]]
        for k, start in enumerate(starts[1:], 1):
            between = tops[k] + down[k] - settings.row_gap / 2
            leading = [e for e in single[start - 1] if grid.network.source[e] in side]
            # The edge of the backward pass starts and ends further down, so it runs inside the
            # other on the right and outside of it on the left.
            for turn, e in enumerate(leading):
                nested = TURN_GAP * (turn - (len(leading) - 1) / 2)
                turns[e] = Turn(right - nested, between - nested, -OUTSIDE - 2 - nested)
    places = replace(grid.places, across=tuple(across))
    return replace(grid, middle=middle, places=places, turns=turns)


def close_up(grid: Grid, row_of: Sequence[int], gap: float) -> Grid:
    """Move the backward pass of each row as close to the model as that row allows."""
    back = set(mirror_vertices(grid.network, grid.layers))
    if not back:
        return grid
    ends, starts = [-math.inf] * (row_of[-1] + 1), [math.inf] * (row_of[-1] + 1)
    for v, body in enumerate(grid.bodies):
        row, at = row_of[grid.layers.rank[v]], grid.places.across[v]
        if v in back:
            starts[row] = min(starts[row], at - body.before)
        else:
            ends[row] = max(ends[row], at + body.after)
    across = tuple(
        at + ends[row_of[rank]] + gap - starts[row_of[rank]] if v in back else at
        for v, (at, rank) in enumerate(zip(grid.places.across, grid.layers.rank, strict=True))
    )
    return replace(grid, places=replace(grid.places, across=across))


def carry(grid: Grid) -> Grid:
    """Lead the edges that carry a state back to the start of a loop around everything in it."""
    turns = {}
    carries = [e for e in range(len(grid.network.edges)) if grid.network.carries(e)]
    back = set(mirror_vertices(grid.network, grid.layers))
    for mirrored in (False, True):
        side = [v for v in range(len(grid.bodies)) if (v in back) == mirrored]
        across = CARRY_GAP + max(
            (grid.places.across[v] + grid.bodies[v].after for v in side), default=0.0
        )
        mine = [e for e in carries if grid.network.flipped(e) == mirrored]
        for lane, e in enumerate(sorted(mine, key=lambda e: nesting(grid, e))):
            last = grid.layers.rank[grid.network.source[e]]
            first = grid.layers.rank[grid.network.target[e]]
            right = grid.middle[last] + grid.half[last] + CARRY_OUT + lane * CARRY_LANE
            left = grid.middle[first] - grid.half[first] - CARRY_OUT - lane * CARRY_LANE
            text = measure(grid.network.edges[e].label, EDGE_LABEL_SIZE)
            turns[e] = Turn(right, across, left)
            across += CARRY_GAP + (oriented(text, grid.horizontal)[1] if text.width else 0.0)
    return replace(grid, turns={**grid.turns, **turns})


def nesting(grid: Grid, e: int) -> tuple[float, ...]:
    """Order edges that carry states: those that others are led around come first."""
    i, j = grid.network.source[e], grid.network.target[e]
    span = grid.layers.rank[i] - grid.layers.rank[j]
    return (span, -grid.places.across[i], -grid.places.across[j])


def row_starts(grid: Grid, settings: Settings) -> list[int]:
    """Return the first rank of each row."""
    if not grid.middle or grid.middle[-1] + grid.half[-1] <= settings.longest_row:
        return [0]
    low = [middle - half for middle, half in zip(grid.middle, grid.half, strict=True)]
    high = [middle + half for middle, half in zip(grid.middle, grid.half, strict=True)]
    if settings.width is not None:
        return cut_rows(grid, low, high, settings.width, roomy=1.0)
    # Repeated parts of awkward length fill rows of one length better than those of another.
    found = [(row, cut_rows(grid, low, high, row, ROOMY)) for row in ROWS]
    return min(found, key=lambda cut: (cut[0] + settings.row_gap) * len(cut[1]) * cut[0] ** 0.5)[1]


def cut_rows(
    grid: Grid, low: Sequence[float], high: Sequence[float], row: float, roomy: float
) -> list[int]:
    """Fill rows of a length one by one; return the first rank of each."""
    cuts = deque(single_edges(grid).items())
    starts = [0]
    while cuts and high[-1] - low[starts[-1]] > row:
        start = low[starts[-1]]
        fitting: list[tuple[int, list[int]]] = []
        while cuts and (not fitting or high[cuts[0][0]] - start <= row):
            fitting.append(cuts.popleft())
        last = fitting[-1][0]
        variables = [r for r, edges in fitting if starts_at_variable(grid, edges[0])]
        if variables and high[variables[-1]] - start > SHORTEST_ROW * (high[last] - start):
            last = variables[-1]
        cuts.extendleft(cut for cut in reversed(fitting) if cut[0] > last)
        starts.append(last + 1)
    return without_short_rows(starts, low, high, row, roomy)


def without_short_rows(
    starts: list[int], low: Sequence[float], high: Sequence[float], row: float, roomy: float
) -> list[int]:
    """Return the starts of rows without those that hold next to nothing.

    A part without a place to cut may be longer than a row; what comes before or after it then
    had better stand in the same row.
    """
    ends = [*(start - 1 for start in starts[1:]), len(high) - 1]
    lengths = [high[end] - low[start] for start, end in zip(starts, ends, strict=True)]
    longest = max(row, *lengths)
    kept, begin = [starts[0]], starts[0]
    for k in range(1, len(starts)):
        whole = high[ends[k]] - low[begin]
        before = high[ends[k - 1]] - low[begin]
        # The last row may be short, as that of a paragraph.
        after = lengths[k] if k + 1 < len(starts) or longest > row else longest
        if min(before, after) < SHORT_ROW * longest and whole < roomy * longest:
            continue
        begin = starts[k]
        kept.append(begin)
    return kept


def single_edges(grid: Grid) -> dict[int, list[int]]:
    """Return the ranks after which one edge alone leads on, to the next rank, with that edge.

    Of the backward pass, too, one edge at most may lead on there; it comes second.
    """
    crossing = [[0, 0] for _ in range(len(grid.middle) + 1)]
    step: dict[int, list[int]] = {}
    rank = grid.ranks.rank
    for e, (i, j) in enumerate(zip(grid.network.source, grid.network.target, strict=True)):
        back = grid.network.flipped(e)
        crossing[rank[i]][back] += 1
        crossing[rank[j]][back] -= 1
        if rank[j] == rank[i] + 1:
            step.setdefault(rank[i], []).append(e)
    single, front, mirrored = {}, 0, 0
    for r, (change, back_change) in enumerate(crossing):
        front, mirrored = front + change, mirrored + back_change
        if front == 1 and mirrored <= 1 and len(step.get(r, ())) == front + mirrored:
            single[r] = step[r]
    return single


def starts_at_variable(grid: Grid, edge: int) -> bool:
    """Tell whether an edge starts at a variable: there a row ends best."""
    return grid.network.elements[grid.network.source[edge]].kind not in ("function", "cost")


def row_extents(
    grid: Grid, row_of: Sequence[int], count: int, side: Set[int]
) -> tuple[list[float], list[float]]:
    """Return how far what is on a side reaches across in each row."""
    tops, bottoms = [math.inf] * count, [-math.inf] * count
    for v in sorted(side):
        body = grid.bodies[v]
        row, across = row_of[grid.layers.rank[v]], grid.places.across[v]
        tops[row] = min(tops[row], across - body.before)
        bottoms[row] = max(bottoms[row], across + body.after)
    return tops, bottoms
