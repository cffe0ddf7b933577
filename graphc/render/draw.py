"""Drawing: a graph becomes a diagram, the diagram gets places, the places are printed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from graphc.errors import RenderError
from graphc.language.graph import Graph
from graphc.render.average import average_of, with_plate
from graphc.render.backward import mirror, overlay
from graphc.render.diagram import Diagram
from graphc.render.drawing import Drawing, find_direction
from graphc.render.folding import fold as fold_repeats
from graphc.render.layout import lay_out
from graphc.render.magnifying import magnify as magnify_block
from graphc.render.model import diagram_of
from graphc.render.options import check_options
from graphc.render.palettes import find_palette
from graphc.render.pinning import pin
from graphc.render.stacking import BEHIND, stack
from graphc.render.svg import print_svg


def drawing_of(
    graph: Graph,
    *,
    direction: str | None = None,
    params: str = "implicit",
    backward: str | None = None,
    average: str | None = None,
    engine: str = "auto",
    width: float | None = None,
    spacing: float = 1.0,
    positions: Mapping[str, tuple[float, float]] | None = None,
    expand: bool | Collection[str] = (),
    loops: str = "loop",
    magnify: str | None = None,
    fold: bool = False,
    shapes: bool = True,
) -> Drawing:
    """Return the figure of a graph; :func:`graphc.render.files.render` describes the options.

    Raises
    ------
    RenderError
        If an option is unknown, or cannot be drawn together with another.
    """
    check_options(
        {
            "direction": direction,
            "params": params,
            "backward": backward,
            "average": average,
            "engine": engine,
            "width": width,
            "spacing": spacing,
            "positions": positions,
            "expand": expand,
            "loops": loops,
            "magnify": magnify,
            "fold": fold,
            "shapes": shapes,
        }
    )
    flow = None if direction is None else find_direction(direction)
    if magnify is not None:
        diagram = magnified(graph, magnify, shapes)
    else:
        diagram = diagram_of(graph, shapes, expand, params, loops, named=backward is not None)
    if fold:
        diagram = fold_repeats(diagram)
    averaged = None
    if average is not None:
        averaged = average_of(diagram, graph, indexed=average == "plate")
        if average == "plate":
            diagram = with_plate(averaged)
    if backward is not None:
        if average == "stack":
            raise RenderError(
                "average='stack' has no room for gradients among its copies; draw backward with "
                "average='plate'"
            )
        diagram = {"mirror": mirror, "overlay": overlay}[backward](diagram)
    drawing = lay_out(
        diagram,
        flow,
        params == "stub",
        engine=engine,
        width=width,
        spacing=spacing,
        behind=BEHIND if average == "stack" else 0.0,
    )
    if positions:
        drawing = pin(drawing, ids_of(positions, graph, drawing))
    if average == "stack" and averaged is not None:
        return stack(drawing, averaged)
    return drawing


def magnified(graph: Graph, name: str, shapes: bool) -> Diagram:
    """Return the diagram of one block with its Jacobians; of its first use, if it has several."""
    for number, use in enumerate(graph.uses):
        if use.name == name and use.kind == "function":
            diagram = diagram_of(graph, shapes, params="shared", loops="closed", named=True)
            return magnify_block(diagram, f"function {name} {number}")
    names = ", ".join(use.name for use in graph.functions)
    raise RenderError(f"magnify: there is no block {name!r} in the graph; it has {names}")


def ids_of(
    positions: Mapping[str, tuple[float, float]], graph: Graph, drawing: Drawing
) -> dict[str, tuple[float, float]]:
    """Return the positions by the ids of elements, given by the names of variables and blocks.

    Raises
    ------
    RenderError
        If there is no such name, or a block has several uses: they cannot stand in one place.
    """
    ids: dict[str, list[str]] = {}
    for number, use in enumerate(graph.uses):
        ids.setdefault(use.name, []).append(f"function {use.name} {number}")
    for v in (*graph.variables, *graph.parameters):
        ids.setdefault(graph.name_of(v), []).append(f"variable {graph.name_of(v)}")
    hints = {node.element.id: node.element.hint for node in drawing.nodes}
    hints |= {frame.group.id: frame.group.hint for frame in drawing.frames}
    inner: dict[str, list[str]] = {}  # in open blocks
    for place, hint in hints.items():
        if " / " in place:
            inner.setdefault(hint.partition(":")[0], []).append(place)
    found = {}
    for name, at in positions.items():
        here = [element for element in ids.get(name, ()) if element in hints]
        here = here or inner.get(name, [])
        if len(here) != 1:
            fault = "is in the figure several times" if here else "is not in the figure"
            raise RenderError(
                f"positions: {name!r} {fault}; pinned are variables and blocks by their names"
            )
        found[here[0]] = at
    return found


def draw_svg(
    diagram: Diagram,
    *,
    direction: str | None = None,
    palette: str = "light",
    params: str = "implicit",
) -> str:
    """Draw a diagram as a self-contained SVG document.

    Parameters
    ----------
    diagram : Diagram
        What is drawn.
    direction : {"LR", "RL", "BT", "TB"}, optional
        Where the flow leads; by default bottom to top for a small model, left to right for a chain.
    palette : {"light", "dark", "classic"}
        The light one turns dark in browsers whose user prefers that.
    params : {"implicit", "stub"}
        Leave the implicit parameters of functions to the labels, or draw a short arrow for them.

    Returns
    -------
    str
        The same bytes for the same arguments, in every process.

    Raises
    ------
    RenderError
        If an option is unknown or the edges close a cycle.
    """
    check_options({"params": params, "direction": direction})
    drawing = lay_out(
        diagram,
        direction=None if direction is None else find_direction(direction),
        stubs=params == "stub",
    )
    return print_svg(drawing, find_palette(palette))
