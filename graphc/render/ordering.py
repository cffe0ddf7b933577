"""The order within each rank: edges cut into steps of one rank, and few crossings.

An edge that passes ranks gets a vertex in each of them, its *lane*; edges that leave one output
share one lane, so that a variable used a thousand times draws one line with a thousand branches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from graphc.render.bodies import Body
from graphc.render.ranking import Network, Ranks

SWEEPS = 16
# Beyond this many steps between ranks, exchanging neighbours one by one takes too long.
MOST_EXCHANGED = 20_000


@dataclass(slots=True)
class Layers:
    """The vertices of each rank in order; vertex ``i`` below ``elements`` is element ``i``.

    ``lanes[e]`` are the lane vertices of edge ``e``, ``labelled[v]`` the edge whose label stands
    at lane vertex ``v``; ``up`` and ``down`` are the neighbours in the next and previous rank.
    ``depth`` and ``height`` go on from the elements to the lanes: a lane is one step deeper than
    its source and one step higher than the farthest of its targets. ``leaves`` and ``enters`` say
    of steps at a frame how far from its middle they meet it, in parts of a position.
    """

    elements: int
    rank: list[int]
    depth: list[int]
    height: list[int]
    order: list[list[int]] = field(default_factory=list)
    up: list[list[int]] = field(default_factory=list)
    down: list[list[int]] = field(default_factory=list)
    lanes: list[list[int]] = field(default_factory=list)
    labelled: dict[int, int] = field(default_factory=dict)
    leaves: dict[tuple[int, int], float] = field(default_factory=dict)
    enters: dict[tuple[int, int], float] = field(default_factory=dict)

    def neighbours(self, v: int, position: list[int], upwards: bool) -> list[float]:
        """The positions at which the steps of ``v`` end in the next (or the previous) rank."""
        if upwards:
            return [position[w] + self.enters.get((v, w), 0.0) for w in self.up[v]]
        return [position[w] + self.leaves.get((w, v), 0.0) for w in self.down[v]]

    def position(self) -> list[int]:
        """The position of each vertex in its rank."""
        position = [0] * len(self.rank)
        for layer in self.order:
            for k, v in enumerate(layer):
                position[v] = k
        return position


def build_layers(network: Network, ranks: Ranks) -> Layers:
    """Cut the edges into steps of one rank."""
    layers = Layers(len(network.elements), list(ranks.rank), list(ranks.depth), list(ranks.height))
    steps: dict[tuple[int, int], None] = {}
    lane_of: dict[tuple[int, int, str, int, int], int] = {}
    for e, edge in enumerate(network.edges):
        i, j = network.source[e], network.target[e]
        chain = [i]
        if e not in ranks.beside and not network.carries(e):
            own = e if edge.label else -1
            for r in range(ranks.rank[i] + 1, ranks.rank[j]):
                key = (i, edge.source_port, edge.kind, own, r)
                if key not in lane_of:
                    lane_of[key] = len(layers.rank)
                    layers.rank.append(r)
                    layers.depth.append(ranks.depth[i] + 1)
                    layers.height.append(0)
                lane = lane_of[key]
                layers.height[lane] = max(layers.height[lane], ranks.height[j] + 1)
                chain.append(lane)
            steps.update(dict.fromkeys(zip(chain, [*chain[1:], j], strict=True)))
        layers.lanes.append(chain[1:])
        if edge.label and len(chain) > 1:
            layers.labelled[chain[len(chain) // 2]] = e
    layers.up = [[] for _ in layers.rank]
    layers.down = [[] for _ in layers.rank]
    for v, w in steps:
        layers.up[v].append(w)
        layers.down[w].append(v)
    return layers


def order_layers(
    network: Network, ranks: Ranks, frames: Mapping[str, Body] | None = None
) -> Layers:
    """Order every rank: the backbone first, then sweep until no crossing goes away.

    ``frames`` are the inner groups, whose ports have their places already.
    """
    layers = build_layers(network, ranks)
    if frames:
        note_ports(layers, network, frames)
    layers.order = first_order(layers)
    # A parameter beside its users is seated later: it has no edges to other ranks.
    guests = {i for i in map(network.source.__getitem__, ranks.beside) if not network.into[i]}
    layers.order = [[v for v in layer if v not in guests] for layer in layers.order]
    reduce_crossings(layers)
    seat_inputs(layers)
    return layers


def note_ports(layers: Layers, network: Network, frames: Mapping[str, Body]) -> None:
    """Note where the steps at frames leave and enter."""
    for e, edge in enumerate(network.edges):
        i, j = network.source[e], network.target[e]
        chain = [i, *layers.lanes[e], j]
        source, target = (frames.get(network.elements[k].id) for k in (i, j))
        if source is not None:
            offset = source.outs[edge.source_port] / (source.before + source.after)
            layers.leaves[chain[0], chain[1]] = 0.9 * offset
        if target is not None:
            offset = target.ins[edge.target_port] / (target.before + target.after)
            layers.enters[chain[-2], chain[-1]] = 0.9 * offset


def first_order(layers: Layers) -> list[list[int]]:
    """Walk depth first from the deepest input, longest continuation first."""
    order: list[list[int]] = [[] for _ in range(max(layers.rank, default=-1) + 1)]
    seen = [False] * len(layers.rank)
    inputs = [v for v in range(len(layers.rank)) if not layers.down[v]]
    for start in sorted(inputs, key=lambda v: -layers.height[v]):
        stack = [start]
        while stack:
            v = stack.pop()
            if seen[v]:
                continue
            seen[v] = True
            order[layers.rank[v]].append(v)
            stack += sorted(layers.up[v], key=lambda w: (layers.height[w], -w))
    return order


def reduce_crossings(layers: Layers) -> None:
    """Sweep up and down by barycentres, exchange neighbours, and keep the best order."""
    best, fewest = [list(layer) for layer in layers.order], count_crossings(layers)
    steps = sum(map(len, layers.up))
    stale = 0
    for sweep in range(SWEEPS):
        if fewest == 0 or stale == 4:
            break
        sweep_barycentres(layers, upwards=sweep % 2 == 0)
        if steps <= MOST_EXCHANGED:
            exchange_neighbours(layers)
        crossings = count_crossings(layers)
        stale += 1
        if crossings < fewest:
            best, fewest, stale = [list(layer) for layer in layers.order], crossings, 0
    layers.order = best


def seat_inputs(layers: Layers) -> None:
    """Move inputs of one block past lanes to the same block, next to its deepest input.

    That changes no crossing: what moves has no edges from before, and both lead to one place.
    """
    for layer in layers.order:
        for v in [v for v in layer if v < layers.elements and not layers.down[v]]:
            if len(layers.up[v]) != 1:
                continue
            deepest = max(layers.down[layers.up[v][0]], key=layers.depth.__getitem__)
            if deepest == v or deepest not in layer:
                continue
            at, step = layer.index(v), 1 if layer.index(deepest) > layer.index(v) else -1
            while (
                layer[at + step] >= layers.elements and layers.up[layer[at + step]] == layers.up[v]
            ):
                layer[at], layer[at + step] = layer[at + step], v
                at += step


def sweep_barycentres(layers: Layers, upwards: bool) -> None:
    """Sort each rank by the mean position of its neighbours in the rank before."""
    position = layers.position()
    for layer in layers.order if upwards else reversed(layers.order):
        centre = {v: mean(layers.neighbours(v, position, not upwards), position[v]) for v in layer}
        layer.sort(key=centre.__getitem__)
        for k, v in enumerate(layer):
            position[v] = k


def mean(values: list[float], otherwise: int) -> float:
    """Return the mean of the values, or another value if there are none."""
    return sum(values) / len(values) if values else otherwise


def exchange_neighbours(layers: Layers) -> None:
    """Exchange neighbours wherever that saves crossings."""
    position = layers.position()
    for layer in layers.order:
        for _ in range(len(layer)):
            changed = False
            for k in range(len(layer) - 1):
                v, w = layer[k], layer[k + 1]
                kept = pair_crossings(layers, position, v, w)
                if kept and pair_crossings(layers, position, w, v) < kept:
                    layer[k], layer[k + 1] = w, v
                    position[v], position[w] = k + 1, k
                    changed = True
            if not changed:
                break


def pair_crossings(layers: Layers, position: list[int], v: int, w: int) -> int:
    """Count the crossings between the steps of ``v`` and of ``w``, if ``v`` stands first."""
    count = 0
    for upwards in (True, False):
        second = sorted(layers.neighbours(w, position, upwards))
        count += sum(bisect_left(second, end) for end in layers.neighbours(v, position, upwards))
    return count


def count_crossings(layers: Layers) -> int:
    """Count the crossings of all steps between ranks."""
    position = layers.position()
    count = 0
    for layer in layers.order:
        passed: list[float] = []
        for v in layer:
            ends = layers.neighbours(v, position, upwards=True)
            starts = [layers.leaves.get((v, w), 0.0) for w in layers.up[v]]
            for end in sorted(ends):
                count += len(passed) - bisect_right(passed, end)
            if any(starts):
                steps = combinations(zip(starts, ends, strict=True), 2)
                count += sum((one[0] - two[0]) * (one[1] - two[1]) < 0 for one, two in steps)
            for end in ends:
                passed.insert(bisect_right(passed, end), end)
    return count
