"""LaTeX labels: made from users' names, and turned into outlines of known size.

A label is measured before anything is placed, and drawn as outlines, so that a figure needs no
font and looks the same everywhere. What the label font lacks, or what cannot be parsed, becomes
a line of plain text. Its length is chosen here and fitted by whoever draws it, so that its box is
what the layout took it for, whatever fonts there are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
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
MOST_LISTED = 4  # parameters or gradients beside a block
# Of plain text, in units of its size: scripts such as Thai and Devanagari reach far up and down.
TEXT_HEIGHT = 1.36
TEXT_BASELINE = 0.33  # below the middle


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
    """Typeset a label, or choose the size of its plain text."""
    if not latex.strip():
        return Label(latex, size, 0.0, 0.0)
    typeset_label = typeset(latex, size)
    if typeset_label is None:
        text = plain_label(latex)
        return Label(latex, size, text_width(text) * size, TEXT_HEIGHT * size, text=text)
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


def abridged(texts: Sequence[str]) -> list[str]:
    """Return a list of LaTeX as it is written beside a block: of a long one the ends."""
    few = len(texts) <= MOST_LISTED
    return list(texts) if few else [*texts[:2], r"\ldots", texts[-1]]


def text_width(text: str) -> float:
    """Return the width of a line in units of its size.

    It is a convention, near what fonts have, and no estimate of one: files ask for text of this
    length, and whoever draws them stretches the letters of whatever font is there to it.
    """
    width, joined = 0.0, False
    for c in text:
        if not joined:
            width += character_width(c)
        joined = c == JOINER  # what it joins is drawn as one
    return width


JOINER = "\u200d"
WIDE, EMOJI, SPACING_MARK, CAPITAL, OTHER = 1.0, 1.2, 0.35, 0.75, 0.58
# Units of the size for a letter, by the script: the first word of its name in Unicode.
SCRIPTS = {
    "THAI": 0.6, "LAO": 0.6, "ARMENIAN": 0.6, "DEVANAGARI": 0.62, "GURMUKHI": 0.65,
    "BENGALI": 0.66, "GUJARATI": 0.66, "KHMER": 0.66, "CHEROKEE": 0.7, "CANADIAN": 0.7,
    "ETHIOPIC": 0.75, "TELUGU": 0.75, "KANNADA": 0.75, "MYANMAR": 0.75, "SINHALA": 0.8,
    "ORIYA": 0.66, "TIBETAN": 0.66, "TAMIL": 0.9, "MALAYALAM": 0.9,
}  # fmt: skip


@lru_cache(maxsize=4096)
def character_width(c: str) -> float:
    """Return the width of one character in units of the text size."""
    kind = unicodedata.category(c)
    if kind in ("Mn", "Me", "Cf") or 0x1F3FB <= ord(c) <= 0x1F3FF:  # skin colours are marks, too
        return 0.0
    if kind == "Mc":
        return SPACING_MARK
    if unicodedata.east_asian_width(c) in "WF":
        return EMOJI if kind == "So" else WIDE
    script = unicodedata.name(c, "").partition(" ")[0]
    if script in SCRIPTS and kind[0] == "L":
        return SCRIPTS[script]
    return CAPITAL if kind in ("Lu", "So", "Sm") else OTHER
