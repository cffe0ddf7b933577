"""LaTeX labels: made from users' names, and turned into outlines of known size.

A label is measured before anything is placed, and drawn as outlines, so that a figure needs no
font and looks the same everywhere. What the label font lacks, or what cannot be parsed, becomes
a line of plain text with an estimated size.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from graphc.render.plain import plain_label
from graphc.render.typesetting import Bar, Glyph, typeset

LABEL_SIZE = 17.0
NOTE_SIZE = 11.0
EDGE_LABEL_SIZE = 13.0
STUB_SIZE = 14.0
GRADIENT_SIZE = 12.5
FRAME_SIZE = 13.0


@dataclass(frozen=True, slots=True)
class Label:
    """A measured label; its own origin is the middle of its box.

    ``text`` is empty unless the label has to be drawn as plain text.
    """

    latex: str
    size: float
    width: float
    height: float
    glyphs: tuple[Glyph, ...] = ()
    bars: tuple[Bar, ...] = ()
    text: str = ""


@lru_cache(maxsize=16384)
def measure(latex: str, size: float = LABEL_SIZE) -> Label:
    """Typeset a label, or estimate its size as plain text."""
    if not latex.strip():
        return Label(latex, size, 0.0, 0.0)
    typeset_label = typeset(latex, size)
    if typeset_label is None:
        text = plain_label(latex)
        return Label(latex, size, text_width(text) * size, 1.1 * size, text=text)
    left, top, right, bottom = typeset_label.box
    x, y = (left + right) / 2, (top + bottom) / 2
    return Label(
        latex,
        size,
        right - left,
        bottom - top,
        glyphs=tuple(glyph.moved(-x, -y) for glyph in typeset_label.glyphs),
        bars=tuple(bar.moved(-x, -y) for bar in typeset_label.bars),
    )


def text_width(text: str) -> float:
    """Estimate the width of a line in units of its size, by the width class of its characters."""
    return sum(character_width(character) for character in text)


def character_width(character: str) -> float:
    """Estimate the width of one character in units of the text size."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.category(character) in ("Lu", "So", "Sm"):
        return 0.75
    return 0.58
