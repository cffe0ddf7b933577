"""Formulas of the site as SVG, made when it is built: no script and no network is needed."""

from __future__ import annotations

import html
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


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

    size = 16 if inline else 18
    try:
        made = ziamath.Latex(text, size=size, inline=inline, color="currentColor")
    except Exception as error:
        logger.warning("this formula cannot be drawn: %s (%s)", text, error)
        return f"<code>{html.escape(text)}</code>"
    below = made.getyofst() if inline else 0
    style = f' style="vertical-align: {below:.2f}px"' if inline else ""
    label = html.escape(" ".join(text.split()), quote=True)
    return made.svg().replace("<svg ", f'<svg role="img" aria-label="{label}"{style} ', 1)
