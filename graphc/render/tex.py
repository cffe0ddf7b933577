r"""Labels for TeX: mathematics that is known to compile and to do nothing else, or escaped text.

A label may hold whatever a user typed. What is passed on to TeX is parsed here first, against a
list of harmless commands; any other label, ``\input{x}`` among them, becomes a line of text.
"""

from __future__ import annotations

import re
import unicodedata

from graphc.calculus.names import GREEK, printable

# Commands of LaTeX with amsmath and amssymb; those in WITH_ARGUMENTS take groups.
WITH_ARGUMENTS = {
    "frac": 2, "dfrac": 2, "tfrac": 2, "sqrt": 1, "bar": 1, "hat": 1, "tilde": 1, "vec": 1,
    "dot": 1, "ddot": 1, "overline": 1, "underline": 1, "widehat": 1, "widetilde": 1,
    "mathrm": 1, "mathbf": 1, "mathit": 1, "mathsf": 1, "mathtt": 1, "mathcal": 1, "mathbb": 1,
    "mathfrak": 1, "boldsymbol": 1, "operatorname": 1,
}  # fmt: skip
_SYMBOLS = """
backslash sim wedge vee times cdot partial nabla odot otimes oplus top bot ell ldots dots cdots
sum prod int in notin to mapsto leftarrow rightarrow Rightarrow infty le leq ge geq neq approx
equiv propto pm mp circ star ast mid vert Vert langle rangle lfloor rfloor lceil rceil quad
qquad forall exists cup cap subset setminus emptyset dagger prime hbar Re Im log exp sin cos
tan tanh sinh cosh max min arg det dim ker lim sup inf Pr
"""
SYMBOLS = GREEK | frozenset(_SYMBOLS.split())
ESCAPED = frozenset("{}_$#%&,;:! |")
SIZED = ("left", "right")  # delimiters that grow; a label is one line, they need not
RENAMED = {"lt": "<", "gt": ">"}
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
DEEPEST = 12  # groups within groups

ASCII_TEXT = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "$": r"\$", "#": r"\#",
    "%": r"\%", "&": r"\&", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\char34{}",
    "-": "{-}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "?": "{?}", "!": "{!}",
    ",": "{,}",
}  # fmt: skip


class Refused(Exception):
    """A label is no mathematics that may be passed on."""


def tex_label(latex: str) -> str:
    r"""Return TeX for a label: mathematics in dollar signs, or a line of escaped text.

    Examples
    --------
    >>> tex_label(r"\bar{y}_{1}"), tex_label(r"\input{x}")
    ('$\\bar{y}_{1}$', '\\textbackslash{}input\\{x\\}')
    """
    try:
        return f"${safe_mathematics(latex)}$"
    except Refused:
        return escaped(latex) or "?"


def safe_mathematics(latex: str) -> str:
    """Return mathematics that compiles.

    Raises
    ------
    Refused
        If the label holds an unknown command, or is not well formed.
    """
    tokens = TOKEN.findall(latex)
    parser = _Parser(tokens)
    made = parser.row(0)
    if parser.at < len(tokens) or not made.strip():
        raise Refused
    return made


class _Parser:
    """A cursor over tokens; each method reads one piece of the grammar and returns its TeX."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def row(self, depth: int) -> str:
        """Read atoms with their scripts, up to the end or a closing brace."""
        if depth > DEEPEST:
            raise Refused
        parts = []
        while self.peek() not in ("", "}"):
            parts.append(self.scripted(depth))
        return "".join(parts)

    def scripted(self, depth: int) -> str:
        """Read an atom and at most one subscript and one superscript."""
        if self.peek() in ("_", "^"):
            raise Refused  # a script of nothing
        made = self.atom(depth)
        free = {"_", "^"}
        while self.peek() in ("_", "^", "'"):
            primes = self.primes()
            mark = "^" if primes else self.peek()
            if mark not in free:
                raise Refused  # TeX stops at a double script
            free.discard(mark)
            self.at += not primes
            made += f"{mark}{primes or self.argument(depth)}"
        return made

    def primes(self) -> str:
        """Read the primes that stand here."""
        start = self.at
        while self.peek() == "'":
            self.at += 1
        count = self.at - start
        return "{" + r"\prime " * count + "}" if count else ""

    def argument(self, depth: int) -> str:
        """Read a group, or one atom as a group."""
        while self.peek().isspace():
            self.at += 1
        if self.peek() == "{":
            return self.atom(depth)
        if self.peek() in ("", "}", "_", "^"):
            raise Refused
        return "{" + self.atom(depth) + "}"

    def atom(self, depth: int) -> str:
        token = self.peek()
        self.at += 1
        if token == "{":
            inner = self.row(depth + 1)
            if self.peek() != "}":
                raise Refused
            self.at += 1
            return "{" + inner + "}"
        if token.startswith("\\"):
            return self.command(token[1:], depth)
        if token.isspace():
            return " "
        if token in "$#%&~`\"'" or not token.isprintable():
            raise Refused
        return token if token.isascii() else mathematical(token)

    def command(self, name: str, depth: int) -> str:
        if name in ESCAPED:
            return "\\" + name
        if name in RENAMED:
            return RENAMED[name]
        if name in SYMBOLS:
            return f"\\{name} "
        if name in SIZED:
            return self.delimiter()
        if name == "text":
            return self.text()
        if name not in WITH_ARGUMENTS:
            raise Refused
        return f"\\{name}" + "".join(self.argument(depth) for _ in range(WITH_ARGUMENTS[name]))

    def delimiter(self) -> str:
        r"""Read what follows ``\left`` or ``\right``."""
        token = self.peek()
        self.at += 1
        if token == ".":
            return ""
        if token not in ("(", ")", "[", "]", "|", "/", r"\{", r"\}", r"\langle", r"\rangle"):
            raise Refused
        return f"{token} " if token.startswith("\\") else token

    def text(self) -> str:
        r"""Read the group after ``\text``; what is in it is no mathematics."""
        if self.peek() != "{" or "}" not in self.tokens[self.at :]:
            raise Refused
        end = self.tokens.index("}", self.at)
        inner, self.at = self.tokens[self.at + 1 : end], end + 1
        if "{" in inner:
            raise Refused
        return r"\text{" + escaped("".join(inner)) + "}"


def escaped(text: str) -> str:
    """Return text that TeX shows as it stands, on one line."""
    line = " ".join(printable(text).split())
    return "".join(ASCII_TEXT.get(c, c) if c.isascii() else character(c) for c in line)


def mathematical(c: str) -> str:
    """Return a character beyond ASCII in mathematics: a Greek letter as its command."""
    words = unicodedata.name(c, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"] and len(words) == 4:
        letter = words[3].lower().replace("lamda", "lambda")
        command = letter if words[1] == "SMALL" else letter.capitalize()
        if command in SYMBOLS:
            return f"\\{command} "
    return character(c)


def character(c: str) -> str:
    """Return a call that shows a character beyond ASCII, or its number where TeX cannot."""
    if unicodedata.category(c) == "Cf" or c == "\ufffd":  # LuaTeX stops at the latter
        return rf"\text{{\texttt{{U+{ord(c):04X}}}}}"
    return rf"\gccharacter{{{c}}}{{{ord(c):04X}}}"


# In XeTeX and LuaTeX a character is what it is, if the font has it; elsewhere its number stands.
CHARACTER = r"""\ifdefined\gccharacter\else
\ifdefined\Umathchardef
\def\gccharacter#1#2{\text{\iffontchar\font"#2 #1\else\texttt{U+#2}\fi}}%
\else
\def\gccharacter#1#2{\text{\texttt{U+#2}}}%
\fi\fi"""
