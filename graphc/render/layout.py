"""The layout, stage by stage: scopes; in each ranks, orders, bodies, places, routes; then points.

Up to the last stage all coordinates are (along the flow, across it), so that the four directions
share every line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.errors import RenderError
from graphc.render.assembly import assemble
from graphc.render.diagram import Diagram
from graphc.render.dotlayout import has_dot, lay_out_by_dot
from graphc.render.drawing import Direction, Drawing
from graphc.render.frames import Laid, frame_body, frame_scopes
from graphc.render.grid import Grid
from graphc.render.layers import arrange, measure_bodies, rank_positions
from graphc.render.placement import place
from graphc.render.quality import crossings, level, overlaps, through_nodes
from graphc.render.ranking import MODEL_DEPTH, front_of, is_model_figure, read_network
from graphc.render.routing import route
from graphc.render.scopes import WHOLE, Scope, split
from graphc.render.settings import Settings
from graphc.render.wrapping import carry, wrap

# With the backward pass beside it, a deeper figure still reads best from bottom to top.
MIRROR_DEPTH = 9
# Figures with more edges are not drawn a second time to compare.
MOST_COMPARED = 250


def lay_out(
    diagram: Diagram,
    direction: Direction | None = None,
    stubs: bool = False,
    *,
    engine: str = "builtin",
    width: float | None = None,
    spacing: float = 1.0,
    behind: float = 0.0,
) -> Drawing:
    """Give every element and edge its place.

    The settings are described at :class:`graphc.render.settings.Settings`; the engines at
    :func:`graphc.render.files.render`.

    Raises
    ------
    RenderError
        If the edges close a cycle, or a setting cannot be drawn.
    """
    settings = Settings(stubs, width, spacing, behind)
    whole = front_of(read_network(diagram.elements, diagram.edges))
    mirrored = len(whole.elements) < len(diagram.elements)
    shallow = is_model_figure(whole, MIRROR_DEPTH if mirrored else MODEL_DEPTH)
    direction = direction or ("BT" if shallow else "LR")
    plain = not mirrored and not diagram.groups
    if engine == "dot":
        if not plain:
            raise RenderError(
                "engine='dot' draws no frames and no second network; leave engine out for them"
            )
        return by_dot(diagram, direction, settings)
    levelled = is_model_figure(whole) and direction in ("BT", "TB")
    drawing = built_in(diagram, direction, levelled, settings)
    if len(diagram.edges) > MOST_COMPARED:
        return drawing
    others: list[Callable[[], Drawing]] = []
    if levelled:
        others.append(lambda: built_in(diagram, direction, False, settings))
    if engine == "auto" and plain:
        others.append(lambda: by_dot(diagram, direction, settings) if has_dot() else drawing)
    return least_crossed(drawing, others) if others else drawing


def least_crossed(drawing: Drawing, others: Sequence[Callable[[], Drawing]]) -> Drawing:
    """Return the drawing, or another one whose edges cross less often and that is as clean.

    A crossing that is gone may cost a straight line, but not all that the figure stands on.
    """
    fewest = crossings(drawing)
    for draw in others:
        if not fewest:
            break
        other = draw()
        gone = fewest - crossings(other)
        lost = level(drawing) - level(other)
        if 0 < gone >= lost and not overlaps(other) and not through_nodes(other):
            drawing, fewest = other, fewest - gone
    return drawing


def built_in(diagram: Diagram, direction: Direction, levelled: bool, settings: Settings) -> Drawing:
    """Lay out scope by scope; ``levelled`` puts costs level with what they measure."""
    scopes, trails = split(diagram)
    laid: dict[str, Laid] = {}
    for name, scope in scopes.items():
        if scope.group is not None and scope.group.twin:
            continue
        mirror = [s for s in scopes.values() if s.group is not None and s.group.twin == name]
        grid = lay_scope(scope, direction, levelled, settings, laid)
        if scope.group is None:
            laid[name] = whole_of(scope, grid)
        else:
            both = frame_scopes((scope, *mirror), grid, direction)
            laid |= {
                s.group.id: made for s, made in zip((scope, *mirror), both, strict=True) if s.group
            }
    return assemble(diagram, direction, laid, trails)


def by_dot(diagram: Diagram, direction: Direction, settings: Settings) -> Drawing:
    """Lay out with the places of `dot`."""
    horizontal = direction in ("LR", "RL")
    scopes, trails = split(diagram)
    network = read_network(scopes[WHOLE].elements, scopes[WHOLE].edges)
    grid = lay_out_by_dot(network, horizontal, settings)
    if horizontal or settings.width is not None:
        grid = wrap(grid, settings)
    return assemble(diagram, direction, {WHOLE: whole_of(scopes[WHOLE], grid)}, trails)


def whole_of(scope: Scope, grid: Grid) -> Laid:
    """Return the outermost scope, which has no frame."""
    return Laid(scope, grid, route(grid), (0.0, 0.0, 0.0, 0.0), None, (0.0, 0.0))


def lay_scope(
    scope: Scope,
    direction: Direction,
    levelled: bool,
    settings: Settings,
    inner: Mapping[str, Laid],
) -> Grid:
    """Lay out one scope, whose inner groups are laid out already."""
    horizontal = direction in ("LR", "RL")
    network = read_network(scope.elements, scope.edges)
    frames = {
        element.id: frame_body(inner[element.id])
        for element in network.elements
        if element.kind == "frame"
    }
    ranks, layers = arrange(network, levelled, settings.stubs, frames)
    bodies = measure_bodies(network, ranks, layers, horizontal, settings.stubs, frames)
    places = place(network, ranks, layers, bodies, settings)
    middle, half = rank_positions(network, layers, bodies, places, settings)
    grid = Grid(network, ranks, layers, bodies, places, middle, half, horizontal)
    if any(map(network.carries, range(len(network.edges)))):
        return carry(grid)
    if not horizontal and settings.width is None:
        return grid
    return wrap(grid, settings, apart=scope.group is not None)
