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
from itertools import takewhile

from graphc.render.typesetting import Bar, Glyph, typeset

LABEL_SIZE = 17.0
NOTE_SIZE = 11.0
EDGE_LABEL_SIZE = 13.0
STUB_SIZE = 14.0

GREEK_NAMES = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi
varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK = frozenset(GREEK_NAMES.split())
ACCENTS = ("bar", "hat", "tilde", "vec", "ddot", "dot")
SPECIAL = str.maketrans(
    {
        "\\": r"\backslash ",
        "{": r"\{",
        "}": r"\}",
        "_": r"{\_}",
        "^": r"\wedge ",
        "~": r"\sim ",
        "$": r"\$",
        "#": r"\#",
        "%": r"\%",
        "&": r"\&",
        "<": r"\lt ",
        ">": r"\gt ",
        " ": r"\ ",
    }
)


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


def math_label(name: str) -> str:
    r"""Turn a user's name into LaTeX mathematics.

    Examples
    --------
    >>> math_label("x1"), math_label("ybar"), math_label("relu")
    ('x_{1}', '\\bar{y}', '\\mathrm{relu}')
    >>> math_label("m0_w")
    'm_{0,w}'
    """
    parts = [part for part in name.split("_") if part]
    if not parts:
        return escape(name)
    pieces = [piece for part in parts for piece in split_digits(part)]
    words = list(takewhile(is_word, pieces))
    # A name of several words is no symbol with subscripts: cross_entropy, log_softmax.
    base = upright("_".join(words)) if words else symbol(pieces[0])
    subscripts = pieces[max(1, len(words)) :]
    if not subscripts:
        return base
    return f"{base}_{{{','.join(symbol(piece) for piece in subscripts)}}}"


def split_digits(part: str) -> list[str]:
    """Split ``W0`` into ``W`` and ``0``; what has no letters or no digits stays whole."""
    match = re.fullmatch(r"(.*?\D)([0-9]+)", part, re.DOTALL)
    return list(match.groups()) if match else [part]


def symbol(word: str) -> str:
    """Return one word without underscores as a symbol, accented if it ends in an accent."""
    for accent in ACCENTS:
        stem = word.removesuffix(accent)
        if stem != word and (len(stem) == 1 or stem in GREEK):
            return f"\\{accent}{{{symbol(stem)}}}"
    if word in GREEK:
        return f"\\{word}"
    if len(word) == 1 or (word.isascii() and word.isdigit()):
        return escape(word)
    return upright(word)


def upright(text: str) -> str:
    """Return a word in upright letters."""
    return f"\\mathrm{{{escape(text)}}}"


def is_word(piece: str) -> bool:
    """Tell whether a piece of a name is a word rather than a symbol or a number."""
    return symbol(piece).startswith(r"\mathrm")


def escape(text: str) -> str:
    """Return LaTeX mathematics that shows ``text`` as it stands."""
    return printable(text).translate(SPECIAL)


def printable(text: str) -> str:
    """Put spaces for line breaks and tabs, and U+FFFD for what no document may hold."""
    spaced = re.sub(r"\s", " ", text)
    return "".join("\ufffd" if is_refused(c) else c for c in spaced)


def is_refused(character: str) -> bool:
    """Tell whether XML refuses a character: controls, lone surrogates, two non-characters."""
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"


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
