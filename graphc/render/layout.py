"""The layout, stage by stage: ranks, orders, bodies, places, routes, and then points.

Up to the last stage all coordinates are (along the flow, across it), so that the four directions
share every line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.render.bodies import Body, lane_body, measure_element, oriented
from graphc.render.clearance import boxes
from graphc.render.curves import Route, finish, go_back
from graphc.render.diagram import Diagram
from graphc.render.drawing import (
    ORIENT,
    Arrow,
    Direction,
    Drawing,
    Node,
    PlacedLabel,
    Point,
    Wire,
    map_path,
    path_points,
)
from graphc.render.grid import Grid
from graphc.render.labels import EDGE_LABEL_SIZE, Label, measure
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
from graphc.render.seating import seat
from graphc.render.shapes import RING_GAP, outline
from graphc.render.wrapping import wrap

RANK_GAP = 27.0
# With the backward pass beside it, a deeper figure still reads best from bottom to top.
MIRROR_DEPTH = 9
WIDEST_GAP = 66.0
MARGIN = 14.0


def lay_out(diagram: Diagram, direction: Direction | None = None, stubs: bool = False) -> Drawing:
    """Give every element and edge its place.

    Raises
    ------
    RenderError
        If the edges close a cycle.
    """
    network = read_network(diagram.elements, diagram.edges)
    mirrored = any(twin >= 0 for twin in network.twin)
    shallow = is_model_figure(front_of(network), MIRROR_DEPTH if mirrored else MODEL_DEPTH)
    direction = direction or ("BT" if shallow else "LR")
    horizontal = direction in ("LR", "RL")
    level = is_model_figure(front_of(network)) and not horizontal
    ranks, layers = arrange(network, level, stubs)
    bodies = measure_bodies(network, ranks, layers, horizontal, stubs)
    places = place(network, ranks, layers, bodies)
    middle, half = rank_positions(layers, bodies, places)
    grid = Grid(network, ranks, layers, bodies, places, middle, half, horizontal)
    if horizontal:
        grid = wrap(grid)
    return to_points(diagram, direction, grid, route(grid))


def arrange(network: Network, model_figure: bool, stubs: bool) -> tuple[Ranks, Layers]:
    """Rank and order; parameters that find no seat beside their users become inputs."""
    front = front_of(network)
    stubbed = {i for i, element in enumerate(front.elements) if stubs and element.parameters}
    standing: frozenset[int] = frozenset()
    while True:
        ranks = rank_elements(front, model_figure, standing)
        layers = order_layers(front, ranks)
        unseated = seat(layers, front, ranks, stubbed)
        if not unseated:
            return (ranks, layers) if front is network else mirror_layers(network, ranks, layers)
        standing |= unseated


def measure_bodies(
    network: Network, ranks: Ranks, layers: Layers, horizontal: bool, stubs: bool
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
        inputs = sum(e not in ranks.beside for e in network.into[i])
        outputs = len({network.edges[e].source_port for e in network.out_of[i]})
        ports = max(inputs, outputs)
        bodies.append(measure_element(element, horizontal, ports, stubs, taken.get(i, ())))
    for v in range(layers.elements, len(layers.rank)):
        e = layers.labelled.get(v, -1)
        bodies.append(lane_body(network.edges[e].label if e >= 0 else "", horizontal))
    return bodies


def rank_positions(
    layers: Layers, bodies: Sequence[Body], places: Places
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
        at += 2 * half[r] + min(WIDEST_GAP, RANK_GAP + 0.25 * max(0.0, rise - 35))
    return tuple(middle), tuple(half)


# --- points -----------------------------------------------------------------------------------

Move = Callable[[float, float], Point]


def to_points(
    diagram: Diagram, direction: Direction, grid: Grid, routes: Sequence[Route]
) -> Drawing:
    """Turn (along, across) into (x, y) of the figure, all of it in the positive quarter."""
    orient = ORIENT[direction]
    arrows = [finish(route, grid.network.flipped(e)) for e, route in enumerate(routes)]
    returned = [
        go_back(route) if edge.returned else None
        for edge, route in zip(diagram.edges, routes, strict=True)
    ]
    corners = [orient(*point) for point in extremes(grid, arrows)] or [(0.0, 0.0)]
    left, top = (min(point[k] for point in corners) - MARGIN for k in (0, 1))
    right, bottom = (max(point[k] for point in corners) + MARGIN for k in (0, 1))

    def move(along: float, across: float) -> Point:
        x, y = orient(along, across)
        return x - left, y - top

    nodes = tuple(place_node(grid, i, move) for i in range(len(diagram.elements)))
    wires = tuple(
        Wire(
            edge,
            map_arrow(arrow, move),
            place_edge_label(grid, e, arrow, move),
            map_arrow(back, move) if back else None,
        )
        for e, (edge, arrow, back) in enumerate(zip(diagram.edges, arrows, returned, strict=True))
    )
    size = right - left, bottom - top
    return Drawing(diagram.name, diagram.description, direction, *size, nodes, wires)


def extremes(grid: Grid, arrows: Sequence[Arrow]) -> list[Point]:
    """Return points, in (along, across), between which everything lies."""
    points: list[Point] = []
    for v in range(len(grid.bodies)):
        for a, b, c, d in boxes(grid, v, own=False):
            points += [(a, b), (c, d)]
    for e, arrow in enumerate(arrows):
        points += path_points(arrow.shaft) + path_points(arrow.head)
        for label, (along, across) in beside_labels(grid, e, arrow):
            deep, wide = oriented(label, grid.horizontal)
            points += [(along - deep / 2, across - wide / 2), (along + deep / 2, across + wide / 2)]
    return points


def place_node(grid: Grid, i: int, move: Move) -> Node:
    """Place an element with everything drawn at it."""
    body, element, at = grid.bodies[i], grid.network.elements[i], grid.at(i)
    assert body.shape is not None

    def here(along: float, across: float) -> Point:
        return move(at[0] + along, at[1] + across)

    size = 2 * body.shape.along, 2 * body.shape.across
    return Node(
        element,
        *here(0.0, 0.0),
        *(size if grid.horizontal else size[::-1]),
        map_path(outline(body.shape), here),
        map_path(outline(body.shape, RING_GAP), here) if element.discrete else (),
        tuple(PlacedLabel(label, role, *here(*offset)) for label, role, offset in body.labels),
        map_arrow(body.stub, here) if body.stub else None,
        map_arrow(body.leaving, here) if body.leaving else None,
    )


def place_edge_label(grid: Grid, e: int, arrow: Arrow, move: Move) -> tuple[PlacedLabel, ...]:
    """Place the label of an edge: at its lane, or beside the edge where it has none."""
    labels = beside_labels(grid, e, arrow)
    for v in grid.layers.lanes[e]:
        if grid.layers.labelled.get(v) == e:
            along, across = grid.at(v)
            labels += [
                (label, (along + a, across + b)) for label, _, (a, b) in grid.bodies[v].labels
            ]
    return tuple(PlacedLabel(label, "note", *move(*at)) for label, at in labels)


def beside_labels(grid: Grid, e: int, arrow: Arrow) -> list[tuple[Label, Point]]:
    """Return the label of an edge within a rank: over the middle of its shaft."""
    text = grid.network.edges[e].label
    if not text or e not in grid.ranks.beside:
        return []
    label = measure(text, EDGE_LABEL_SIZE)
    (along, start), (_, end) = arrow.shaft[0][1][0], arrow.shaft[-1][1][-1]
    return [(label, (along + oriented(label, grid.horizontal)[0] / 2 + 4, (start + end) / 2))]


def map_arrow(arrow: Arrow, move: Move) -> Arrow:
    """Move an arrow."""
    return Arrow(map_path(arrow.shaft, move), map_path(arrow.head, move))
