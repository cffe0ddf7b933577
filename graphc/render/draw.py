"""Drawing: layout, then print."""

from __future__ import annotations

from graphc.errors import RenderError
from graphc.render.diagram import Diagram
from graphc.render.drawing import find_direction
from graphc.render.layout import lay_out
from graphc.render.palettes import find_palette
from graphc.render.svg import print_svg

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
