"""The outlines of the letters of a page's formulas, with the measures to set them by.

The page's own script sets the formulas, when they are looked at: a page of hundreds of blocks
stays small, and opens at once. The letters are those of the figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Glyph = tuple[int, int, int, str]  # advance, lowest and highest point, outline; 1000 units an em

# What LaTeX commands stand for, those that formulas and labels use.
COMMANDS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "varpi": "ϖ", "rho": "ρ",
    "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω", "partial": "∂", "nabla": "∇", "infty": "∞", "ell": "ℓ",
    "backslash": "\\", "sim": "∼", "wedge": "∧", "vee": "∨", "times": "×", "cdot": "·",
    "odot": "⊙", "oslash": "⊘", "otimes": "⊗", "oplus": "⊕", "circ": "∘", "star": "⋆", "pm": "±",
    "mp": "∓", "top": "⊤", "lt": "<", "gt": ">", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "ne": "≠", "neq": "≠", "approx": "≈", "in": "∈", "notin": "∉", "to": "→", "mapsto": "↦",
    "sum": "∑", "prod": "∏", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "langle": "⟨", "rangle": "⟩", "ldots": "…", "dots": "…", "cdots": "⋯", "mid": "|",
    "vert": "|", "Vert": "‖", "prime": "′", "dagger": "†", "setminus": "∖", "neg": "¬",
    "land": "∧", "lor": "∨", "emptyset": "∅", "forall": "∀", "exists": "∃", "hbar": "ℏ",
}  # fmt: skip
# Functions that LaTeX sets upright; `bmod` stands between its operands.
_WORDS = """
arccos arcsin arctan arg cos cosh cot coth det dim exp inf ker lim log ln max min sec sin sinh sup
tan tanh bmod
"""
WORDS = tuple(_WORDS.split())
ACCENTS = {"hat": "ˆ", "widehat": "ˆ", "tilde": "˜", "widetilde": "˜", "vec": "→", "dot": "˙",
           "ddot": "¨", "bar": "", "overline": ""}  # fmt: skip
STRETCHED = "()[]{}|‖⌊⌋⌈⌉⟨⟩√"
ALWAYS = "0123456789()[]=+−,.′⊤∂|‖√L/"
HEIGHTS = (1000, 1400, 1900, 2500, 3300, 4500)  # of the larger delimiters that the font offers
LARGE = 1400  # a sum sign in a display


def letters_for(formulas: Iterable[str]) -> dict[str, Any]:
    """Return what the page's script needs to set these formulas.

    Returns
    -------
    dict
        ``glyphs`` by their character; ``larger``: the names of a delimiter's larger forms;
        ``commands``, ``words`` and ``accents``: what LaTeX commands mean.
    """
    text = "\n".join(formulas)
    used = set(re.findall(r"\\([A-Za-z]+)", text))
    commands = {name: c for name, c in COMMANDS.items() if name in used}
    plain = re.sub(r"\\[A-Za-z]+", " ", text)
    # The letters of names of functions are among those of the words themselves.
    plain += "".join(word for word in WORDS if word in used)
    plain += "{" if "begin" in used else ""
    wanted = {*plain, *ALWAYS, *commands.values(), *ACCENTS.values()} - {" ", "\n", "\\", ""}
    font = load_font()
    glyphs: dict[str, Glyph] = {}
    for c in sorted(wanted):
        for form in forms_of(c, used):
            add(font, glyphs, form)
    larger = {c: enlarged(font, glyphs, c) for c in STRETCHED if c in glyphs}
    for c in "∑∏":
        if c in glyphs:
            index = font.glyphindex(c)
            glyphs[f"{c}+"] = outline(font.math.variant(index, LARGE))
    return {
        "glyphs": glyphs,
        "larger": larger,
        "commands": commands,
        "words": WORDS,
        "accents": ACCENTS,
    }


def forms_of(c: str, used: set[str]) -> list[str]:
    """Return the characters that a letter may be set as: itself, italic, bold, double-struck."""
    forms = [c, italic(c)]
    if "mathbf" in used and (c.isascii() and c.isalnum()):
        forms.append(bold(c))
    if "mathbb" in used and c in DOUBLE_STRUCK:
        forms.append(DOUBLE_STRUCK[c])
    return list(dict.fromkeys(forms))


DOUBLE_STRUCK = {"R": "ℝ", "Z": "ℤ", "N": "ℕ", "C": "ℂ", "E": "𝔼", "P": "ℙ"}


def italic(c: str) -> str:
    """Return the mathematical italic of a letter."""
    if c == "h":
        return "ℎ"
    for first, last, start in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("α", "ω", 0x1D6FC)):
        if first <= c <= last:
            return chr(start + ord(c) - ord(first))
    return {"ϵ": "𝜖", "ϑ": "𝜗", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛"}.get(c, c)


def bold(c: str) -> str:
    """Return the mathematical bold of a letter or digit."""
    for first, last, start in (("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("0", "9", 0x1D7CE)):
        if first <= c <= last:
            return chr(start + ord(c) - ord(first))
    return c


def load_font() -> Any:
    """Load the font of the figure's labels."""
    import ziamath
    from ziamath.mathfont import MathFont

    return MathFont(Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf")


def add(font: Any, glyphs: dict[str, Glyph], c: str) -> None:
    """Enter the outline of a character, if the font has it."""
    if c not in glyphs and font.glyphindex(c) > 0:
        glyphs[c] = outline(font.glyph(c))


def enlarged(font: Any, glyphs: dict[str, Glyph], c: str) -> list[str]:
    """Enter the larger forms of a delimiter, and return their names."""
    names = [c]
    for height in HEIGHTS:
        made = outline(font.math.variant(font.glyphindex(c), height))
        if made != glyphs[names[-1]]:
            names.append(f"{c}{len(names)}")
            glyphs[names[-1]] = made
    return names


def outline(glyph: Any) -> Glyph:
    """Return measures and outline, y down, in whole units."""
    parts: list[str] = []
    for operator in operators_of(glyph):
        segment = operator.path(0, 0, scale=1)
        if segment[0] == "M" and parts:
            parts.append("Z")
        parts.append(re.sub(r"-?[\d.]+", lambda m: f"{float(m[0]):.0f}", segment))
    drawn = re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join([*parts, "Z"] if parts else []))
    box = glyph.bbox
    return int(glyph.advance()), int(box.ymin), int(box.ymax), drawn.replace(" -", "-").strip()


def operators_of(glyph: Any) -> list[Any]:
    """Return the drawing operations of a glyph, also of one that is put together from pieces."""
    pieces = zip(getattr(glyph, "glyphs", ()), getattr(glyph, "offsets", ()), strict=False)
    moved = [
        operator.xform(1, 0, 0, 1, 0, up, 1, 1)
        for part, up in pieces
        for operator in part.operators
    ]
    return [*glyph.operators, *moved]
