"""The one place that speaks with ziamath: LaTeX in, glyph outlines out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: an outline in the font's own scale, and where it goes.

    ``name`` identifies the outline (an SVG path with its origin on the baseline).
    """

    name: str
    outline: str
    scale: float
    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Glyph:
        """Return the glyph at another place."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle: the line of a fraction or of a root."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Bar:
        """Return the bar at another place."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Typeset:
    """The outlines of a label around its baseline, and their box (left, top, right, bottom)."""

    glyphs: tuple[Glyph, ...]
    bars: tuple[Bar, ...]
    box: Box


def typeset(latex: str, size: float) -> Typeset | None:
    """Typeset LaTeX mathematics; ``None`` if it cannot be parsed or a glyph is missing.

    Labels that differ in their digits alone share one layout: digits of this font are equally
    wide, and a deep network has thousands of labels such as ``z_{17}``.
    """
    pattern = typeset_once(re.sub(r"[0-9]", "0", latex), size)
    if pattern is None:
        return None
    digits = re.findall(r"[0-9]", latex)
    zeros = [i for i, glyph in enumerate(pattern.glyphs) if glyph.name in digit_glyphs()]
    if len(zeros) != len(digits):  # a digit that is no glyph, as in \hspace{10pt}
        return typeset_once(latex, size)
    glyphs = list(pattern.glyphs)
    for i, digit in zip(zeros, digits, strict=True):
        name, outline = digit_glyphs()[glyphs[i].name][int(digit)]
        glyphs[i] = replace(glyphs[i], name=name, outline=outline)
    return replace(pattern, glyphs=tuple(glyphs))


@lru_cache(maxsize=1)
def digit_glyphs() -> dict[str, tuple[tuple[str, str], ...]]:
    """Name and outline of the ten digits, by the name of the zero, for each script size."""
    found = {}
    for latex in ("0123456789", "x_{0123456789}", "x_{x_{0123456789}}"):
        digits = typeset_once(latex, 12.0)
        if digits is not None:
            ten = tuple((glyph.name, glyph.outline) for glyph in digits.glyphs[-10:])
            found[ten[0][0]] = ten
    return found


@lru_cache(maxsize=4096)
def typeset_once(latex: str, size: float) -> Typeset | None:
    """Typeset LaTeX mathematics as it stands."""
    import ziamath

    try:
        with symbols_apart():
            label = ziamath.Latex(
                bold_digits(tight_commas(latex)), size=size, inline=True, margin=0
            )
            drawing = label.svgxml()
    except Exception:
        # The parsers below raise whatever they stumble upon (IndexError, ParseError,
        # RecursionError, ...); for a label that a user typed, each means the same: not LaTeX.
        return None
    return read_drawing(drawing)


def tight_commas(latex: str) -> str:
    r"""Set commas as TeX does; ziamath leaves too much room after them.

    Examples
    --------
    >>> tight_commas(r"C(y,\bar{y})")
    'C(y{,}\\,\\bar{y})'
    """
    if r"\text" in latex:
        return latex
    return re.sub(r"(?<![\\{]),(?!\})\s*", r"{,}\\,", latex)


BOLD = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")


def bold_digits(latex: str) -> str:
    r"""Name bold digits by their own characters; ziamath sets those of \mathbf as any others.

    Examples
    --------
    >>> bold_digits(r"\mathbf{1} b_{1}")
    '\\mathbf{𝟏} b_{1}'
    """
    return re.sub(r"\\mathbf\{[^{}]*\}", lambda found: found[0].translate(BOLD), latex)


@contextmanager
def symbols_apart() -> Iterator[None]:
    """Have ziamath draw each glyph as a symbol of its own, whatever the user's settings."""
    import ziafont

    settings = ziafont.config.svg2, ziafont.config.precision
    ziafont.config.svg2, ziafont.config.precision = True, 3
    try:
        yield
    finally:
        ziafont.config.svg2, ziafont.config.precision = settings


def read_drawing(drawing: Any) -> Typeset | None:
    """Collect the glyphs and bars of a drawing; ``None`` if it holds anything else."""
    symbols = {element.get("id"): element for element in drawing.iter("symbol")}
    glyphs, bars = [], []
    for element in drawing:
        if element.tag == "use":
            glyph = read_glyph(element, symbols[element.get("href").removeprefix("#")])
            if glyph is None:
                return None
            glyphs.append(glyph)
        elif element.tag == "rect" and element.get("stroke") is None:
            bars.append(Bar(*(float(element.get(k)) for k in ("x", "y", "width", "height"))))
        elif element.tag != "symbol":
            return None
    left, top, width, height = (float(value) for value in drawing.get("viewBox").split())
    if not (glyphs or bars):
        return None
    return Typeset(tuple(glyphs), tuple(bars), (left, top, left + width, top + height))


def read_glyph(use: Any, symbol: Any) -> Glyph | None:
    """Read one placed symbol; ``None`` for the empty box that stands for a missing character."""
    name = symbol.get("id")
    if name.endswith("_0"):  # glyph 0 of every font is .notdef
        return None
    left, top, _, height = (float(value) for value in symbol.get("viewBox").split())
    scale = float(use.get("height")) / height
    path = symbol.find("path")
    outline = "" if path is None else path.get("d").strip()
    x = float(use.get("x")) - left * scale
    y = float(use.get("y")) - top * scale
    return Glyph(name, outline, round(scale, 4), x, y)
