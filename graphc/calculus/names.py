r"""Names as mathematics: ``x1`` is :math:`x_{1}`, ``ybar`` is :math:`\bar{y}`."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi
pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK = frozenset(_LETTERS.split())
ACCENTS = ("bar", "hat", "tilde", "vec", "ddot", "dot")
SPECIAL = str.maketrans(
    {
        "\\": r"\backslash ",
        "{": r"\{",
        "}": r"\}",
        "_": r"\_",
        "^": r"\hat{}",
        "~": r"\sim ",
        "$": r"\$",
        "#": r"\#",
        "%": r"\%",
        "&": r"\&",
        "<": r"\lt ",
        ">": r"\gt ",
    }
)


def math_label(name: str) -> str:
    r"""Return a name as LaTeX mathematics.

    Examples
    --------
    >>> math_label("x_1"), math_label("ybar"), math_label("relu")
    ('x_{1}', '\\bar{y}', '\\mathrm{relu}')
    >>> math_label("m0_w"), math_label("∂c/∂z1")
    ('m_{0,w}', '\\frac{\\partial c}{\\partial z_{1}}')
    """
    return subscripted(name, "")


def subscripted(name: str, indices: str) -> str:
    r"""Return a name with indices, themselves LaTeX, as LaTeX mathematics.

    Indices of a name that has a subscript of its own stand outside brackets; those of a
    derivative, at the variable below.

    Examples
    --------
    >>> subscripted("W", "ij"), subscripted("z1", "i"), subscripted("∂c/∂z", "i")
    ('W_{ij}', '[z_{1}]_{i}', '\\frac{\\partial c}{\\partial z_{i}}')
    """
    if name.startswith("∂") and "/∂" in name:
        above, below = name.removeprefix("∂").split("/∂", 1)
        return (
            rf"\frac{{\partial {subscripted(above, '')}}}{{\partial {subscripted(below, indices)}}}"
        )
    base, own = _parts(name)
    whole = f"{base}_{{{own}}}" if own else base
    if not indices:
        return whole
    return f"[{whole}]_{{{indices}}}" if own else f"{base}_{{{indices}}}"


def _parts(name: str) -> tuple[str, str]:
    """Return a name's symbol and its subscript."""
    words = [word for word in name.split("_") if word]
    if not words:
        return _escaped(name), ""
    stem, *rest = [piece for word in words for piece in _split_digits(word)]
    return _symbol(stem), ",".join(map(_symbol, rest))


def _split_digits(word: str) -> list[str]:
    found = re.fullmatch(r"(.*?\D)([0-9]+)", word, re.DOTALL)
    return list(found.groups()) if found else [word]


def _symbol(word: str) -> str:
    for accent in ACCENTS:
        stem = word.removesuffix(accent)
        if stem != word and (len(stem) == 1 or stem in GREEK):
            return rf"\{accent}{{{_symbol(stem)}}}"
    if word in GREEK:
        return rf"\{word}"
    if len(word) == 1 or (word.isascii() and word.isdigit()):
        return _escaped(word)
    return rf"\mathrm{{{_escaped(word)}}}"


def _escaped(text: str) -> str:
    """Return LaTeX that shows `text` as it stands."""
    shown = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    return shown.translate(SPECIAL)
