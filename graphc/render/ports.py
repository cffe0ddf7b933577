"""Ports: where along the sides of functions and costs the edges leave and enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.render.bodies import Body
from graphc.render.ordering import Layers
from graphc.render.ranking import Network, Ranks

# How far an input may move to be straight, and how near it may come to the next one.
SNAP = 14.0
SNUG = 12.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where each vertex stands across the flow, and where each edge meets its two ends.

    ``leave[e]`` and ``enter[e]`` are offsets from the middle of the source and of the target.
    """

    across: tuple[float, ...]
    leave: tuple[float, ...]
    enter: tuple[float, ...]


def assign_ports(
    network: Network,
    ranks: Ranks,
    layers: Layers,
    bodies: Sequence[Body],
    above: list[int],
) -> tuple[list[float], list[float]]:
    """Spread edges over the sides of functions and costs, in an order without crossings."""
    position = layers.position()
    leave = dict.fromkeys(range(len(network.edges)), 0.0)
    enter = dict(leave)
    for i, body in enumerate(bodies[: layers.elements]):
        if body.shape is None or body.shape.form == "ellipse":
            continue
        if body.shape.form == "frame":
            enter.update({e: body.ins[network.edges[e].target_port] for e in network.into[i]})
            leave.update({e: body.outs[network.edges[e].source_port] for e in network.out_of[i]})
            continue
        inputs = [
            (position[v], network.edges[e].target_port, e, above[v] == i)
            for e, v in ((e, [network.source[e], *layers.lanes[e]][-1]) for e in network.into[i])
            if e not in ranks.beside
        ]
        for e, offset in spread(inputs, body.shape.across):
            enter[e] = offset
        by_port: dict[int, tuple[int, int, int, bool]] = {}
        for e in network.out_of[i]:
            v, port = [*layers.lanes[e], network.target[e]][0], network.edges[e].source_port
            straight = above[i] == v or by_port.get(port, (0, 0, 0, False))[3]
            by_port[port] = (position[v], port, port, straight)
        offsets = dict(spread(list(by_port.values()), body.shape.across))
        for e in network.out_of[i]:
            leave[e] = offsets[network.edges[e].source_port]
    return list(leave.values()), list(enter.values())


def spread(ends: list[tuple[int, int, int, bool]], across: float) -> list[tuple[int, float]]:
    """Return an offset for each end: a straight one in the middle, the others around it."""
    ends = sorted(ends)
    straight = next((k for k, end in enumerate(ends) if end[3]), None)
    if straight is None:
        count = len(ends)
        return [(end[2], 2.0 * across * ((k + 0.5) / count - 0.5)) for k, end in enumerate(ends)]
    left, right = straight + 1, len(ends) - straight
    return [
        (end[2], 1.2 * across * (k - straight) / (left if k < straight else right))
        for k, end in enumerate(ends)
    ]


def straighten_inputs(
    network: Network, ranks: Ranks, layers: Layers, bodies: Sequence[Body], places: Places
) -> tuple[float, ...]:
    """Move inputs along their side, by a little, to where their edges arrive straight."""
    enter = list(places.enter)
    for i, body in enumerate(bodies[: layers.elements]):
        inputs = [e for e in network.into[i] if e not in ranks.beside]
        if body.shape is None or body.shape.form in ("ellipse", "frame") or len(inputs) < 2:
            continue
        inputs.sort(key=lambda e: places.enter[e])
        for k, e in enumerate(inputs):
            v = [network.source[e], *layers.lanes[e]][-1]
            left = places.leave[e] if v < layers.elements else 0.0
            goal = places.across[v] + left - places.across[i]
            low = enter[inputs[k - 1]] + SNUG if k else -0.85 * body.shape.across
            last = k + 1 == len(inputs)
            high = 0.85 * body.shape.across if last else enter[inputs[k + 1]] - SNUG
            if abs(goal - enter[e]) < SNAP and low <= goal <= high:
                enter[e] = goal
    return tuple(enter)
