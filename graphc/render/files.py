"""Writing a figure to a file, its format by the file's ending."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from graphc.emit.files import path_of, save_data
from graphc.errors import RenderError
from graphc.language.graph import Graph, check_graph

FORMATS = (".svg", ".pdf", ".png", ".tex", ".dot", ".mmd", ".html")
# The interactive page is made further down the house; ``graphc/__init__`` puts its maker in.
PAGES: dict[str, Callable[..., str]] = {}


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
    width: float | None = None,
    spacing: float = 1.0,
    positions: Mapping[str, tuple[float, float]] | None = None,
    expand: bool | Collection[str] = (),
    loops: str = "loop",
    magnify: str | None = None,
    fold: bool = False,
    shapes: bool = True,
    data: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Path:
    """Draw a graph and write it to a file.

    Parameters
    ----------
    path
        Where to; the ending chooses the format: ``.svg``; ``.pdf`` and ``.png``, which need the
        extra ``export``, and for labels in other scripts a font on this machine; ``.tex`` (TikZ),
        ``.dot`` (Graphviz), ``.mmd`` (Mermaid); ``.html``, an interactive page with figure,
        formulas and emitted code.
    direction
        Where the flow leads: ``"LR"``, ``"RL"``, ``"BT"``, ``"TB"``; by default bottom to top
        for a small model, left to right for a chain.
    palette
        ``"light"``, ``"dark"`` or ``"classic"``, the lecture's colours.
    params
        ``"implicit"`` leaves the parameters of a block to its label, ``"stub"`` draws a short
        arrow for them, ``"shared"`` one circle for each, from which all its users take it. A
        parameter that several blocks share is always a circle.
    backward
        ``"mirror"`` draws the backward pass as a second network beside the model, ``"overlay"``
        along its edges, with cotangents and Jacobians as labels.
    average
        The average loss over a set of samples: ``"plate"`` draws a frame around what happens to
        one sample, ``"stack"`` four copies of it behind one another.
    engine
        Who finds the places: ``"builtin"``, or ``"dot"``, the program of Graphviz, which has to be
        installed. ``"auto"`` takes the built-in layout, and that of ``dot``, if it is there, where
        its edges cross less often.
    width
        The length of a row, in points, at which a deep model wraps.
    spacing
        A factor for the gaps between elements.
    positions
        Places (x, y) in points, y downwards, for the variables and blocks of these names, also
        those in open blocks. What is in an open block moves with it, and its frame, as that of a
        plate, follows what is pinned inside.
    expand
        Open the blocks of these names, or with True all that are made of others.
    loops
        ``"loop"`` draws one step of a scan in a frame, with its carry led back; ``"unrolled"``
        several steps one after the other; ``"closed"`` a single block.
    magnify
        Draw the block of this name alone, with its Jacobians and the gradients around it.
    fold
        Draw equal parts that follow one another once, in a frame that says how often they occur.
    shapes
        Write the space of each variable beside it.
    data
        For the interactive page: arrays by the names of the inputs, whose numbers it shows. One
        sample, or several along a leading axis, from which the page's reader chooses; their
        average is there, too. Parameters may be among them; else they are as training would start
        them.
    force
        Overwrite a file that graphc did not write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RenderError
        For an unknown format, and for an option that is unknown or that this figure cannot show:
        one that places elements in files whose readers do that themselves, or one that changes
        nothing beside another; for ``.pdf`` and ``.png`` also where no font has a label's
        characters.
    OutputError
        If the file cannot be written, or exists and is not graphc's.
    """
    check_graph(graph, "render")
    target = path_of(path)
    form = target.suffix.lower()
    if form not in FORMATS:
        raise RenderError(
            f"cannot draw {target.name}: the formats are {', '.join(FORMATS)}, by the file's ending"
        )
    options: dict[str, Any] = {
        "palette": palette,
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
        "data": data,
    }
    # Late, so that `import graphc` does not load the layout.
    from graphc.render.options import check_format

    check_format(form, target.name, options)
    if data is None:
        del options["data"]
    content = content_of(graph, form, **options)
    return save_data(target, content, force)


def content_of(graph: Graph, form: str, palette: str = "light", **options: Any) -> str | bytes:
    """Return a figure in one of the formats; `options` are those of :func:`render`."""
    if form in PAGES:
        return PAGES[form](graph, palette, **options)
    from graphc.render.draw import drawing_of
    from graphc.render.palettes import find_palette
    from graphc.render.writers import WRITERS

    return WRITERS[form](drawing_of(graph, **options), find_palette(palette))
