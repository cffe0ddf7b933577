"""Writing a figure to a file, its format by the file's ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphc.emit.files import MARK, save_text
from graphc.emit.version import __version__
from graphc.errors import RenderError
from graphc.language.graph import Graph

FORMATS = (".svg",)
# Options of the interface whose drawings are still to come, and their only value so far.
FIXED: dict[str, Any] = {"backward": None, "average": None, "engine": "auto"}


def render(
    graph: Graph,
    path: str | Path,
    *,
    direction: str | None = None,
    palette: str = "light",
    params: str = "implicit",
    backward: str | None = None,
    average: str | None = None,
    engine: str = "auto",
    force: bool = False,
) -> Path:
    """Draw a graph and write it to a file.

    Parameters
    ----------
    path
        Where to; the ending chooses the format: ``.svg``.
    direction
        Where the flow leads: ``"LR"``, ``"RL"``, ``"BT"``, ``"TB"``; by default bottom to top
        for a small model, left to right for a chain.
    palette
        ``"light"``, ``"dark"`` or ``"classic"``, the lecture's colours.
    params
        ``"implicit"`` leaves parameters to the labels, ``"stub"`` draws a short arrow for each.
    backward, average, engine
        Not drawn yet; only the defaults are taken.
    force
        Overwrite a file that graphc did not write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RenderError
        For an unknown format or option.
    OutputError
        If the file cannot be written, or exists and is not graphc's.
    """
    for name, value in (("backward", backward), ("average", average), ("engine", engine)):
        if value != FIXED[name]:
            raise RenderError(f"{name}={value!r} is not drawn yet; leave {name} out")
    target = Path(path)
    if target.suffix not in FORMATS:
        raise RenderError(
            f"cannot draw {target.name}: the formats are {', '.join(FORMATS)}, by the file's ending"
        )
    return save_text(target, svg_of(graph, direction, palette, params), force)


def svg_of(
    graph: Graph, direction: str | None = None, palette: str = "light", params: str = "implicit"
) -> str:
    """Return the SVG document of a graph."""
    # Late, so that `import graphc` does not load the layout.
    from graphc.render.draw import draw_svg
    from graphc.render.model import diagram_of

    svg = draw_svg(diagram_of(graph), direction=direction, palette=palette, params=params)
    return f"<!-- {MARK} {__version__} -->\n{svg}\n"
