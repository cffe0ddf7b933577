r"""Names as mathematics: ``x1`` is :math:`x_{1}`, ``ybar`` is :math:`\bar{y}`."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import takewhile

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


class Name(str):
    """A name that is written in LaTeX in a way of its own; as text it is what it is."""

    __slots__ = ("latex",)
    latex: str

    def __new__(cls, text: str, latex: str) -> Name:
        """Return the text as a name."""
        made = super().__new__(cls, text)
        made.latex = latex
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.latex  # what copies and pickles are made of


def parameter_labels(
    owned: Mapping[str, tuple[str, str]], others: Iterable[str] = ()
) -> dict[str, str]:
    r"""Return the LaTeX of parameters that belong to blocks: the shortest that names one alone.

    The `w` of a block `f1` is :math:`w_1`, as the lecture writes it, and that of a block without a
    number :math:`w`. Where that would be the name of two, all of this letter have the name of their
    block below.

    Parameters
    ----------
    owned
        For each name in full that of the block, and the short one that the block uses.
    others
        The names of all else.

    Examples
    --------
    >>> parameter_labels({"f1_w": ("f1", "w"), "head_w": ("head", "w")})
    {'f1_w': 'w_{1}', 'head_w': 'w'}
    >>> parameter_labels({"f1_w": ("f1", "w"), "g1_w": ("g1", "w")})
    {'f1_w': 'w_{f_{1}}', 'g1_w': 'w_{g_{1}}'}
    """
    ways = {name: label_ways(name, *owner) for name, owner in owned.items()}
    counts = Counter(math_label(name) for name in others)
    counts.update(way for each in ways.values() for way in dict.fromkeys(each))
    letters: dict[str, list[str]] = {}
    for name, (_, short) in owned.items():
        letters.setdefault(short, []).append(name)
    labels: dict[str, str] = {}
    for names in letters.values():
        level = next((k for k in (0, 1) if all(counts[ways[name][k]] == 1 for name in names)), -1)
        labels |= {name: ways[name][level] for name in names}
    return {name: labels[name] for name in owned}


def told_apart(labels: Mapping[str, str]) -> dict[str, str]:
    r"""Return the LaTeX of names that would be written as another name is: letter by letter.

    Parameters
    ----------
    labels
        For each name its LaTeX.

    Examples
    --------
    >>> told_apart({"z1": "z_{1}", "z_1": "z_{1}", "x": "x"})
    {'z_1': '\\mathrm{z{\\_}1}'}
    """
    first: dict[str, str] = {}
    for name in sorted(labels, key=lambda name: name.count("_")):
        first.setdefault(labels[name], name)
    return {name: upright(name) for name, label in labels.items() if first[label] != name}


def label_ways(name: str, block: str, short: str) -> tuple[str, ...]:
    """Return how a parameter may be written, the shortest first and the surest last."""
    letter, own = _parts(short)
    if own:
        return (math_label(short), math_label(name), math_label(name))
    number = re.search(r"[0-9]+$", block)
    simple = len(short) == 1 or short in GREEK
    numbered = f"{letter}_{{{number[0]}}}" if number and simple else letter
    return (numbered, f"{letter}_{{{math_label(block)}}}", math_label(name))


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
    if isinstance(name, Name):
        whole = name.latex
        if not indices:
            return whole
        return f"[{whole}]_{{{indices}}}" if "_" in whole else f"{whole}_{{{indices}}}"
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
    parts = [part for part in name.split("_") if part]
    if not parts:
        return escape(name), ""
    pieces = [piece for part in parts for piece in split_digits(part)]
    words = list(takewhile(is_word, pieces))
    # A name of several words is no symbol with subscripts: cross_entropy, log_softmax.
    base = upright("_".join(words)) if words else symbol(pieces[0])
    return base, ",".join(symbol(piece) for piece in pieces[max(1, len(words)) :])


def split_digits(part: str) -> list[str]:
    """Split ``W0`` into ``W`` and ``0``; what has no letters or no digits stays whole."""
    match = re.fullmatch(r"(.*?\D)([0-9]+)", part, re.DOTALL)
    return list(match.groups()) if match else [part]


@lru_cache(maxsize=4096)  # names of large models are made of few words
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
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"\s", " ", text)
    return "".join("\ufffd" if is_refused(c) else c for c in spaced)


def is_refused(character: str) -> bool:
    """Tell whether XML refuses a character: controls, lone surrogates, two non-characters."""
    return unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"
