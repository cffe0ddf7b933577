"""The layout, stage by stage: scopes; in each ranks, orders, bodies, places, routes; then points.

Up to the last stage all coordinates are (along the flow, across it), so that the four directions
share every line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.render.assembly import assemble
from graphc.render.bodies import Body, lane_body, measure_element
from graphc.render.diagram import Diagram
from graphc.render.drawing import Direction, Drawing
from graphc.render.frames import Laid, frame, frame_body
from graphc.render.grid import Grid
from graphc.render.mirroring import mirror_layers
from graphc.render.ordering import Layers, order_layers
from graphc.render.placement import place
from graphc.render.ports import Places
from graphc.render.ranking import (
    MODEL_DEPTH,
    Network,
    Ranks,
    front_of,
    is_model_figure,
    rank_elements,
    read_network,
)
from graphc.render.routing import route
from graphc.render.scopes import Scope, split
from graphc.render.seating import seat
from graphc.render.wrapping import carry, wrap

RANK_GAP = 27.0
PORT_GAP = 23.0
# With the backward pass beside it, a deeper figure still reads best from bottom to top.
MIRROR_DEPTH = 9
WIDEST_GAP = 66.0


def lay_out(diagram: Diagram, direction: Direction | None = None, stubs: bool = False) -> Drawing:
    """Give every element and edge its place.

    Raises
    ------
    RenderError
        If the edges close a cycle.
    """
    whole = front_of(read_network(diagram.elements, diagram.edges))
    mirrored = len(whole.elements) < len(diagram.elements)
    shallow = is_model_figure(whole, MIRROR_DEPTH if mirrored else MODEL_DEPTH)
    direction = direction or ("BT" if shallow else "LR")
    level = is_model_figure(whole) and direction in ("BT", "TB")
    scopes, trails = split(diagram)
    laid: dict[str, Laid] = {}
    for name, scope in scopes.items():
        laid[name] = lay_scope(scope, direction, level, stubs, laid)
    return assemble(diagram, direction, laid, trails)


def lay_scope(
    scope: Scope, direction: Direction, level: bool, stubs: bool, inner: Mapping[str, Laid]
) -> Laid:
    """Lay out one scope, whose inner groups are laid out already."""
    horizontal = direction in ("LR", "RL")
    network = read_network(scope.elements, scope.edges)
    frames = {
        element.id: frame_body(inner[element.id])
        for element in network.elements
        if element.kind == "frame"
    }
    ranks, layers = arrange(network, level, stubs, frames)
    bodies = measure_bodies(network, ranks, layers, horizontal, stubs, frames)
    places = place(network, ranks, layers, bodies)
    middle, half = rank_positions(network, layers, bodies, places)
    grid = Grid(network, ranks, layers, bodies, places, middle, half, horizontal)
    if scope.group is not None:
        grid = carry(grid)
        return frame(scope, grid, route(grid), direction)
    if horizontal:
        grid = wrap(grid)
    return Laid(scope, grid, route(grid), (0.0, 0.0, 0.0, 0.0), None, (0.0, 0.0))


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
    bodies = []
    for i, element in enumerate(network.elements):
        if element.kind == "frame":
            bodies.append(frames[element.id])
            continue
        inputs = sum(e not in ranks.beside for e in network.into[i])
        outputs = len({network.edges[e].source_port for e in network.out_of[i]})
        ports = max(inputs, outputs)
        bodies.append(measure_element(element, horizontal, ports, stubs, taken.get(i, ())))
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
    network: Network, layers: Layers, bodies: Sequence[Body], places: Places
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
        gap = PORT_GAP if all_ports(network, layers, r) else RANK_GAP
        at += 2 * half[r] + min(WIDEST_GAP, gap + 0.25 * max(0.0, rise - 35))
    return tuple(middle), tuple(half)
