"""LaTeX labels: made from users' names, and turned into outlines of known size.

A label is measured before anything is placed, and drawn as outlines, so that a figure needs no
font and looks the same everywhere. What the label font lacks, or what cannot be parsed, becomes
a line of plain text with an estimated size.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from graphc.calculus.names import printable
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
        text = plain_text(latex)
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


SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")


def plain_text(latex: str) -> str:
    r"""Read LaTeX as a line of text: ``\mathrm{한}_{1}`` becomes ``한₁``."""
    text = re.sub(r"_\{?([0-9]+)\}?", lambda m: m[1].translate(SUBSCRIPTS), latex)
    text = re.sub(r"\^\{?([0-9]+)\}?", lambda m: m[1].translate(SUPERSCRIPTS), text)
    text = re.sub(r"\\(mathrm|text|mathbf|operatorname|mathit)\s*(?=\{)", "", text)
    text = re.sub(r"\\(backslash|lt|gt|sim|wedge) ?", lambda m: PLAIN_SYMBOLS[m[1]], text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda m: greek_letter(m[1]), text)
    # Braces that group go, braces that were escaped stay.
    text = re.sub(r"\\([{}_$#%&, ])|[{}]", lambda m: m[1] or "", text)
    return printable(text).strip() or "?"


PLAIN_SYMBOLS = {"backslash": "\\", "lt": "<", "gt": ">", "sim": "~", "wedge": "^"}


def greek_letter(command: str) -> str:
    """Return the letter of a Greek command, and any other command by its name."""
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    spelt = command.removeprefix("var").replace("lambda", "lamda").replace("Lambda", "lamda")
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelt.upper()}")
    except KeyError:
        return command


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
