"""Formulas of the site as SVG, made when it is built: no script and no network is needed."""

from __future__ import annotations

import html
from functools import cache
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
SIZE = 16


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the renderer; ``html_math_renderer = "svg"`` chooses it."""
    app.add_html_math_renderer("svg", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{drawn(node.astext(), True)}</span>')
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    lines = [part for part in node.astext().split("\n\n") if part.strip()]
    for text in lines:
        translator.body.append(f'<div class="math">{drawn(text, False)}</div>')
    raise nodes.SkipNode


@cache
def drawn(text: str, inline: bool) -> str:
    """Return a formula as SVG in the colour of the text around it, readable aloud."""
    import ziamath

    from graphc.render.typesetting import bold_digits

    try:
        made = ziamath.Latex(bold_digits(text), size=SIZE, inline=inline, color="currentColor")
    except Exception as error:
        logger.warning("this formula cannot be drawn: %s (%s)", text, error)
        return f"<code>{html.escape(text)}</code>"
    svg = made.svgxml()
    _, top, width, height = map(float, svg.get("viewBox").split())
    # In the letters' size, so that a formula grows with its heading; its baseline is y = 0.
    svg.set("width", f"{width / SIZE:.3f}em")
    svg.set("height", f"{height / SIZE:.3f}em")
    if inline:
        svg.set("style", f"vertical-align: {-(top + height) / SIZE:.3f}em")
    svg.set("role", "img")
    svg.set("aria-label", " ".join(text.split()))
    return ElementTree.tostring(svg, encoding="unicode")
