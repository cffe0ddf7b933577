"""Places across the flow: straight backbones and lanes, everything else near its neighbours.

Vertices that are to stand in one straight line form a *block*. Blocks keep their distances in
every rank; within what that leaves free, each moves to where its edges pull it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import pairwise
from operator import sub

from graphc.render.bodies import Body
from graphc.render.labels import EDGE_LABEL_SIZE, measure
from graphc.render.ordering import Layers
from graphc.render.ports import Places, assign_ports, straighten_inputs
from graphc.render.ranking import Network, Ranks
from graphc.render.settings import Settings

PASSES = 24
STRAIGHT, SLANT = 0.05, 5.0  # what is straight, and what looks like a mistake


def place(
    network: Network,
    ranks: Ranks,
    layers: Layers,
    bodies: Sequence[Body],
    settings: Settings,
) -> Places:
    """Place every vertex across the flow."""
    above = align(layers, skewed_steps(network, layers, bodies))
    block = number_blocks(layers, above)
    leave, enter = assign_ports(network, ranks, layers, bodies, above)
    right = separations(network, ranks, layers, bodies, block, settings)
    pulls = block_pulls(network, ranks, layers, block, leave, enter, [body.ins for body in bodies])
    settled = settle(right, pulls, heaviest(block, layers))
    across = push_mirror(network, layers, bodies, [settled[b] for b in block], settings.mirror_gap)
    places = Places(tuple(across), tuple(leave), tuple(enter))
    return replace(places, enter=straighten_inputs(network, ranks, layers, bodies, places))


def push_mirror(
    network: Network, layers: Layers, bodies: Sequence[Body], across: list[float], gap: float
) -> list[float]:
    """Move everything that mirrors beyond all that it mirrors."""
    back = set(mirror_vertices(network, layers))
    if not back:
        return across
    end = max(across[v] + bodies[v].after for v in range(len(across)) if v not in back)
    start = min(across[v] - bodies[v].before for v in back)
    shift = end + gap - start
    return [at + shift if v in back else at for v, at in enumerate(across)]


def mirror_vertices(network: Network, layers: Layers) -> list[int]:
    """Return the vertices of the backward pass, lanes included."""
    back = [i for i, twin in enumerate(network.twin) if twin >= 0]
    lanes = [v for e, lane in enumerate(layers.lanes) if network.flipped(e) for v in lane]
    return [*back, *dict.fromkeys(lanes)]


# --- blocks -----------------------------------------------------------------------------------


def skewed_steps(network: Network, layers: Layers, bodies: Sequence[Body]) -> set[tuple[int, int]]:
    """Return the steps that cannot be straight: the port of a frame is not at its middle."""
    skewed: set[tuple[int, int]] = set()
    for e, edge in enumerate(network.edges):
        chain = [network.source[e], *layers.lanes[e], network.target[e]]
        outs, ins = bodies[chain[0]].outs, bodies[chain[-1]].ins
        if outs and abs(outs[edge.source_port]) > 0.5:
            skewed.add((chain[0], chain[1]))
        if ins and abs(ins[edge.target_port]) > 0.5:
            skewed.add((chain[-2], chain[-1]))
    return skewed


def align(layers: Layers, skewed: Set[tuple[int, int]]) -> list[int]:
    """Return for each vertex the one in the next rank that stands straight above it, or -1.

    No two of these lines cross, so that the blocks they form have an order from left to right.
    """
    position = layers.position()
    above = [-1] * len(layers.rank)
    for layer in layers.order:
        wishes = sorted(
            (importance(layers, position, v, w), position[v], position[w], v, w)
            for v in layer
            for w in layers.up[v]
            if (v, w) not in skewed
        )
        lines: list[tuple[int, int]] = []
        for wish, p, q, v, w in wishes:
            k = bisect_left(lines, (p, q))
            free_left = k == 0 or (lines[k - 1][0] < p and lines[k - 1][1] < q)
            free_right = k == len(lines) or (p < lines[k][0] and q < lines[k][1])
            if wish < UNALIGNED and free_left and free_right:
                lines.insert(k, (p, q))
                above[v] = w
    return above


UNALIGNED = 9


def importance(layers: Layers, position: list[int], v: int, w: int) -> int:
    """Rank the wish that a step be straight: backbones, then lanes, then what is left over."""
    lanes = (v >= layers.elements) + (w >= layers.elements)
    if lanes == 2:
        return 1
    onward = favourite(layers.up[v], layers.height, position)
    back = favourite(layers.down[w], layers.depth, position)
    if onward == w and back == v:
        return 0 if lanes == 0 else 2
    lone = len(layers.up[v]) == 2 if w >= layers.elements else len(layers.down[w]) == 1
    return 3 if lanes == 1 and lone else UNALIGNED


def favourite(candidates: list[int], length: Sequence[int], position: list[int]) -> int:
    """Return the neighbour on the longest path; of equals the middle one, of even many none."""
    longest = max(length[v] for v in candidates)
    equals = sorted((v for v in candidates if length[v] == longest), key=position.__getitem__)
    return equals[len(equals) // 2] if len(equals) % 2 else -1


def number_blocks(layers: Layers, above: list[int]) -> list[int]:
    """Number the blocks in order of their lowest vertices."""
    block = [-1] * len(above)
    count = 0
    for layer in layers.order:
        for v in layer:
            if block[v] < 0:
                block[v] = count
                count += 1
            if above[v] >= 0:
                block[above[v]] = block[v]
    return block


def heaviest(block: list[int], layers: Layers) -> int:
    """Return the block with the most elements; it stays where it is."""
    size: dict[int, int] = {}
    for v in range(layers.elements):
        size[block[v]] = size.get(block[v], 0) + 1
    return max(size, key=lambda b: (size[b], -b), default=-1)


# --- distances --------------------------------------------------------------------------------


def separations(
    network: Network,
    ranks: Ranks,
    layers: Layers,
    bodies: Sequence[Body],
    block: list[int],
    settings: Settings,
) -> list[dict[int, float]]:
    """Return for each block the blocks to its right, with the least distances."""
    right: list[dict[int, float]] = [{} for _ in range(max(block, default=-1) + 1)]
    beside = {
        frozenset((network.source[e], network.target[e])): beside_gap(
            network.edges[e].label, settings
        )
        for e in ranks.beside
    }
    back = set(mirror_vertices(network, layers))
    for layer in layers.order:
        for v, w in pairwise(layer):
            if (v in back) != (w in back):
                continue
            gap = beside.get(frozenset((v, w)), node_gap(layers, v, w, settings))
            distance = bodies[v].after + gap + bodies[w].before
            a, b = block[v], block[w]
            right[a][b] = max(right[a].get(b, 0.0), distance)
    return right


def beside_gap(label: str, settings: Settings) -> float:
    """Return the length of an arrow within a rank, with room for its label."""
    text = measure(label, EDGE_LABEL_SIZE)
    room = 24 + max(text.width, text.height) if label else 0.0
    return max(settings.beside_gap, room)


def node_gap(layers: Layers, v: int, w: int, settings: Settings) -> float:
    """Lanes may run closer to others than elements stand."""
    return settings.lane_gap if max(v, w) >= layers.elements else settings.node_gap


# --- forces -----------------------------------------------------------------------------------

# A pull (other block, offset, weight): this block wants to stand at the other one + offset.
Pull = tuple[int, float, float]
MEETING = 12.0


def block_pulls(
    network: Network,
    ranks: Ranks,
    layers: Layers,
    block: list[int],
    leave: list[float],
    enter: list[float],
    ins: Sequence[Sequence[float]],
) -> list[list[Pull]]:
    """Return what pulls at each block: its edges, those of lanes weaker."""
    pulls: list[list[Pull]] = [[] for _ in range(max(block, default=-1) + 1)]
    for e, (i, j) in enumerate(zip(network.source, network.target, strict=True)):
        if network.carries(e):
            continue
        if e in ranks.beside:
            # A parameter comes to its users, a cost to its variable; they do not move for it.
            guest, host = (i, j) if network.elements[i].kind == "parameter" else (j, i)
            pulls[block[guest]].append((block[host], 0.0, 1.0))
            continue
        chain = [i, *layers.lanes[e], j]
        weight = pull_of(layers, chain)
        # Where branches meet, the block stands in their middle, whatever else enters beside them.
        beside = any(layers.depth[v] < layers.depth[chain[-2]] for v in layers.down[j])
        entering = 0.0 if weight == MEETING and beside and not ins[j] else enter[e]
        ends = [leave[e], *([0.0] * (len(chain) - 2)), entering]
        for k in {0, len(chain) - 2}:
            v, w = block[chain[k]], block[chain[k + 1]]
            offset = leave[e] * (k == 0) - ends[k + 1]
            if v != w:
                pulls[v].append((w, -offset, weight))
                pulls[w].append((v, offset, weight))
    # The rest of a lane, where it is not one block.
    for v in range(layers.elements, len(layers.rank)):
        for w in layers.up[v]:
            if w >= layers.elements and block[v] != block[w]:
                pulls[block[v]].append((block[w], 0.0, 2.0))
                pulls[block[w]].append((block[v], 0.0, 2.0))
    return pulls


def pull_of(layers: Layers, chain: list[int]) -> float:
    """Return how hard an edge pulls: most where branches of equal depth meet."""
    if len(chain) > 2:
        return 1.0
    i, j = chain
    meeting = layers.down[j]
    deepest = layers.depth[i] == max(layers.depth[v] for v in meeting)
    return MEETING if deepest and len(meeting) > 1 else 4.0


def settle(right: list[dict[int, float]], pulls: list[list[Pull]], fixed: int) -> list[float]:
    """Pack the blocks to the left, then let each move to its pulls as far as there is room."""
    left: list[dict[int, float]] = [{} for _ in right]
    for a, others in enumerate(right):
        for b, distance in others.items():
            left[b][a] = distance
    order = block_order(left, right)
    at = [0.0] * len(right)
    for b in order:
        at[b] = max((at[a] + distance for a, distance in left[b].items()), default=0.0)
    for turn in range(PASSES):
        before = list(at)
        for b in order if turn % 2 else reversed(order):
            if b != fixed and pulls[b]:
                low = max((at[a] + d for a, d in left[b].items()), default=-math.inf)
                high = min((at[a] - d for a, d in right[b].items()), default=math.inf)
                at[b] = max(low, min(high, wish(at, pulls[b])))
        move_groups(at, left, right, pulls, fixed)
        if max(map(abs, map(sub, at, before)), default=0.0) < 0.05:
            break
    snap(at, left, right, pulls, fixed)
    return at


def snap(
    at: list[float],
    left: list[dict[int, float]],
    right: list[dict[int, float]],
    pulls: list[list[Pull]],
    fixed: int,
) -> None:
    """Straighten edges that are all but straight, where that bends no other."""
    for b in range(len(at)):
        gaps = [(-weight, at[other] + offset - at[b]) for other, offset, weight in pulls[b]]
        if b == fixed or any(abs(gap) < STRAIGHT for _, gap in gaps):
            continue
        low = max((at[a] + d for a, d in left[b].items()), default=-math.inf)
        high = min((at[a] - d for a, d in right[b].items()), default=math.inf)
        low, high = low - SLANT, high + SLANT  # of the distance to what is beside it
        near = [(w, gap) for w, gap in gaps if abs(gap) < SLANT and low <= at[b] + gap <= high]
        if near:
            at[b] += min(near)[1]


def wish(at: list[float], pulls: list[Pull]) -> float:
    """Return where these pulls balance."""
    weight = sum(pull[2] for pull in pulls)
    return sum((at[other] + offset) * w for other, offset, w in pulls) / weight


def move_groups(
    at: list[float],
    left: list[dict[int, float]],
    right: list[dict[int, float]],
    pulls: list[list[Pull]],
    fixed: int,
) -> None:
    """Move blocks that push each other together, to where all their pulls balance."""
    strain = [wish(at, pulls[b]) - at[b] if pulls[b] else 0.0 for b in range(len(at))]
    for group in touching_groups(at, right, strain):
        if fixed in group:
            continue
        weights = {b: sum(pull[2] for pull in pulls[b]) for b in group}
        total = sum(weights.values())
        shift = sum(strain[b] * weights[b] for b in group) / total if total else 0.0
        room_left = [at[b] - at[a] - d for b in group for a, d in left[b].items() if a not in group]
        room_right = [
            at[c] - at[b] - d for b in group for c, d in right[b].items() if c not in group
        ]
        shift = max(shift, -min(room_left, default=math.inf))
        shift = min(shift, min(room_right, default=math.inf))
        for b in group:
            at[b] += shift


def touching_groups(
    at: list[float], right: list[dict[int, float]], strain: list[float]
) -> list[set[int]]:
    """Return the groups of blocks that touch and push each other."""
    group_of: dict[int, set[int]] = {}
    for a, others in enumerate(right):
        for b, distance in others.items():
            touch = at[b] - at[a] - distance < 0.01
            if touch and strain[a] - strain[b] > 0.01:
                joined = group_of.get(a, {a}) | group_of.get(b, {b})
                group_of.update(dict.fromkeys(joined, joined))
    return list({min(group): group for group in group_of.values()}.values())


def block_order(left: list[dict[int, float]], right: list[dict[int, float]]) -> list[int]:
    """Order the blocks from left to right."""
    missing = [len(others) for others in left]
    ready = deque(b for b, count in enumerate(missing) if not count)
    order = []
    while ready:
        b = ready.popleft()
        order.append(b)
        for other in right[b]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return order
