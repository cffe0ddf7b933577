r"""Labels as a line of Unicode text, where no mathematics can be set: ``\bar{y}_1`` is ``ȳ₁``."""

from __future__ import annotations

import re
import unicodedata

from graphc.calculus.names import printable

SUBSCRIPTS = dict(
    zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
SUPERSCRIPTS = dict(zip("0123456789+-=()niT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵀ", strict=True))
ACCENTS = {
    "bar": "\u0304", "overline": "\u0304", "hat": "\u0302", "widehat": "\u0302",
    "tilde": "\u0303", "widetilde": "\u0303", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308",
}  # fmt: skip
SYMBOLS = {
    "backslash": "\\", "lt": "<", "gt": ">", "sim": "~", "wedge": "^", "times": "×", "cdot": "·",
    "partial": "∂", "nabla": "∇", "odot": "⊙", "top": "T", "ell": "ℓ", "ldots": "…", "dots": "…",
    "cdots": "⋯", "sum": "∑", "prod": "∏", "in": "∈", "to": "→", "infty": "∞", "le": "≤",
    "leq": "≤", "ge": "≥", "geq": "≥", "pm": "±", "circ": "∘", "mid": "|", "quad": " ",
}  # fmt: skip
DOUBLE_STRUCK = {"R": "ℝ", "Z": "ℤ", "N": "ℕ", "C": "ℂ", "E": "𝔼", "P": "ℙ"}
FONTS = r"\\(?:mathrm|mathbf|mathit|mathsf|mathtt|mathcal|text|operatorname|boldsymbol|left|right)"


def plain_label(latex: str) -> str:
    r"""Read LaTeX as a line of text.

    Examples
    --------
    >>> plain_label(r"G(x_{1},w)"), plain_label(r"\mathbb{R}^{600}"), plain_label(r"\mathrm{relu}")
    ('G(x₁,w)', 'ℝ⁶⁰⁰', 'relu')
    """
    text = re.sub(rf"{FONTS}(?![A-Za-z])\s*", "", latex)
    text = re.sub(r"\\mathbb\s*\{([A-Z])\}", lambda m: DOUBLE_STRUCK.get(m[1], m[1]), text)
    text = re.sub(r"\\[dt]?frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*\{", r"\1/{", text)
    accents = "|".join(ACCENTS)
    text = re.sub(rf"\\({accents})\s*\{{([^{{}}]*)\}}", lambda m: m[2] + ACCENTS[m[1]], text)
    text = re.sub(r"\\([A-Za-z]+) ?", lambda m: symbol(m[1]), text)
    text = re.sub(r"_(?:\{([^{}]*)\}|([^{}\\]))", lambda m: script(m, "_", SUBSCRIPTS), text)
    text = re.sub(r"\^(?:\{([^{}]*)\}|([^{}\\]))", lambda m: script(m, "^", SUPERSCRIPTS), text)
    # Braces that group go, braces that were escaped stay; so do other escaped characters.
    text = re.sub(r"\\[,;:!]", "", text)
    text = re.sub(r"\\([{}_$#%& |])|[{}]", lambda m: m[1] or "", text)
    text = unicodedata.normalize("NFC", printable(text))
    return re.sub(r"(?<=\S)\s+(?=\S)", " ", text).strip() or "?"


def script(found: re.Match[str], mark: str, letters: dict[str, str]) -> str:
    """Lower or raise what Unicode can, and mark the rest with ``_`` or ``^``."""
    inner = (found[1] if found[1] is not None else found[2]).replace(" ", "")
    if all(c in letters for c in inner):
        return "".join(letters[c] for c in inner)
    return mark + inner if len(inner) == 1 else f"{mark}({inner})"


def symbol(command: str) -> str:
    """Return the character of a command: a symbol, a Greek letter, or the command's name."""
    if command in SYMBOLS:
        return SYMBOLS[command]
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    spelt = command.removeprefix("var").replace("lambda", "lamda").replace("Lambda", "lamda")
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelt.upper()}")
    except KeyError:
        return command
