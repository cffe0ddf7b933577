"""Figures of computation graphs: draws the diagram it is handed.

``diagram`` says what is drawn; ``layout`` gives everything a place, a ``Drawing``; a writer such
as ``svg`` prints it.
"""

from __future__ import annotations

from graphc.errors import RenderError
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.drawing import DIRECTIONS, find_direction
from graphc.render.labels import math_label
from graphc.render.layout import lay_out
from graphc.render.palettes import PALETTES, find_palette
from graphc.render.svg import print_svg

__all__ = ["DIRECTIONS", "PALETTES", "Diagram", "Edge", "Element", "draw_svg", "math_label"]

PARAMETER_STYLES = ("implicit", "stub")


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
    if params not in PARAMETER_STYLES:
        raise RenderError(
            f"unknown params={params!r}; the styles are {', '.join(PARAMETER_STYLES)}"
        )
    drawing = lay_out(
        diagram,
        direction=None if direction is None else find_direction(direction),
        stubs=params == "stub",
    )
    return print_svg(drawing, find_palette(palette))
