"""Seats beside a user, within its rank: for parameters and for levelled costs."""

from __future__ import annotations

from collections.abc import Iterable, Set

from graphc.render.ordering import Layers
from graphc.render.ranking import Network, Ranks

BEFORE, AFTER = -1, 1


def parameters_beside(network: Network, ranks: Ranks) -> list[int]:
    """The parameters level with their users, shared ones first: they have the fewest seats."""
    sources = {network.source[e] for e in ranks.beside}
    parameters = [i for i in sources if network.elements[i].kind == "parameter"]
    return sorted(parameters, key=lambda i: (-len(network.out_of[i]), i))


def seat(layers: Layers, network: Network, ranks: Ranks, stubbed: Set[int]) -> frozenset[int]:
    """Seat levelled costs and parameters beside their users; return who found no seat.

    The side before a block in ``stubbed`` is taken by its stub.
    """
    taken = {(i, BEFORE) for i in stubbed}
    for e in sorted(ranks.beside):
        if network.elements[network.source[e]].kind != "parameter":
            taken |= seat_cost(layers.order[ranks.rank[network.target[e]]], network, e)
    unseated = set()
    for i in parameters_beside(network, ranks):
        layer = layers.order[ranks.rank[i]]
        position = {v: k for k, v in enumerate(layer)}
        users = sorted(network.after(i), key=position.__getitem__)
        if not seat_parameter(layer, i, users, taken, position):
            unseated.add(i)
    return frozenset(unseated)


def seat_cost(layer: list[int], network: Network, edge: int) -> set[tuple[int, int]]:
    """Move a cost next to the variable it measures; return the sides this takes."""
    variable, cost = network.source[edge], network.target[edge]
    side = AFTER if layer.index(cost) > layer.index(variable) else BEFORE
    layer.remove(cost)
    layer.insert(layer.index(variable) + (side == AFTER), cost)
    return {(variable, side), (cost, -side)}


def seat_parameter(
    layer: list[int],
    parameter: int,
    users: list[int],
    taken: set[tuple[int, int]],
    position: dict[int, int],
) -> bool:
    """Insert a parameter between its two users or at a free side of its only one."""
    first, last = users[0], users[-1]
    if first != last:
        # Others may sit between the two by now: those seats are taken.
        if position[last] != position[first] + 1:
            return False
        return take(layer, parameter, layer.index(last), {(first, AFTER), (last, BEFORE)}, taken)
    sides: Iterable[int] = (BEFORE, AFTER) if layer[-1] != first or layer[0] == first else (AFTER,)
    return any(
        take(layer, parameter, layer.index(first) + (side == AFTER), {(first, side)}, taken)
        for side in sides
    )


def take(
    layer: list[int],
    parameter: int,
    place: int,
    sides: set[tuple[int, int]],
    taken: set[tuple[int, int]],
) -> bool:
    """Sit down unless somebody else did."""
    if sides & taken:
        return False
    layer.insert(place, parameter)
    taken |= sides
    return True
