"""One scope, stage by stage: ranks and orders, sizes, places of the ranks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphc.render.bodies import Body, lane_body, measure_element
from graphc.render.mirroring import mirror_layers
from graphc.render.ordering import Layers, order_layers
from graphc.render.ports import Places
from graphc.render.ranking import Network, Ranks, front_of, rank_elements
from graphc.render.seating import seat
from graphc.render.settings import Settings


def arrange(
    network: Network, model_figure: bool, stubs: bool, frames: Mapping[str, Body]
) -> tuple[Ranks, Layers]:
    """Rank and order; parameters that find no seat beside their users become inputs."""
    front = front_of(network)
    stubbed = {i for i, element in enumerate(front.elements) if stubs and element.parameters}
    standing: frozenset[int] = frozenset()
    while True:
        ranks = rank_elements(front, model_figure, standing)
        layers = order_layers(front, ranks, frames)
        unseated = seat(layers, front, ranks, stubbed)
        if not unseated:
            return (ranks, layers) if front is network else mirror_layers(network, ranks, layers)
        standing |= unseated


def measure_elements(
    network: Network,
    beside: Collection[int],
    taken: Mapping[int, Collection[int]],
    horizontal: bool,
    stubs: bool,
    frames: Mapping[str, Body],
) -> list[Body]:
    """Measure all elements; on the sides that are ``taken`` edges arrive within the rank."""
    bodies = []
    for i, element in enumerate(network.elements):
        if element.kind == "frame":
            bodies.append(frames[element.id])
            continue
        inputs = sum(e not in beside for e in network.into[i])
        outputs = len({network.edges[e].source_port for e in network.out_of[i]})
        ports = max(inputs, outputs)
        bodies.append(measure_element(element, horizontal, ports, stubs, taken.get(i, ())))
    return bodies


def measure_bodies(
    network: Network,
    ranks: Ranks,
    layers: Layers,
    horizontal: bool,
    stubs: bool,
    frames: Mapping[str, Body],
) -> list[Body]:
    """Measure all vertices."""
    position = layers.position()
    taken: dict[int, set[int]] = {}
    for e in ranks.beside:
        i, j = network.source[e], network.target[e]
        side = 1 if position[j] > position[i] else -1
        taken.setdefault(i, set()).add(side)
        taken.setdefault(j, set()).add(-side)
    bodies = measure_elements(network, ranks.beside, taken, horizontal, stubs, frames)
    for v in range(layers.elements, len(layers.rank)):
        e = layers.labelled.get(v, -1)
        bodies.append(lane_body(network.edges[e].label if e >= 0 else "", horizontal))
    return bodies


def all_ports(network: Network, layers: Layers, r: int) -> bool:
    """Tell whether a rank or the next one holds nothing but the ports of a frame."""
    return any(
        bool(layer)
        and all(v < layers.elements and network.elements[v].kind == "port" for v in layer)
        for layer in layers.order[r : r + 2]
    )


def rank_positions(
    network: Network, layers: Layers, bodies: Sequence[Body], places: Places, settings: Settings
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the middle and half the thickness of each rank; steep edges get more room."""
    half = [max((bodies[v].along for v in layer), default=0.0) for layer in layers.order]
    middle: list[float] = []
    at = 0.0
    for r, layer in enumerate(layers.order):
        middle.append(at + half[r])
        rise = max(
            (abs(places.across[v] - places.across[w]) for v in layer for w in layers.up[v]),
            default=0.0,
        )
        gap = settings.port_gap if all_ports(network, layers, r) else settings.rank_gap
        at += 2 * half[r] + min(settings.widest_gap, gap + 0.3 * max(0.0, rise - 35))
    return tuple(middle), tuple(half)
