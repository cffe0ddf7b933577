"""Matrix notation as text and as LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from graphc.calculus.matrix_terms import Matrix, is_number, power, scalar
from graphc.calculus.printing import (
    ATOM,
    DETERMINANTS,
    POWER,
    PRODUCT,
    SUM,
    Printed,
    determinant,
    is_decimal,
    printed,
)
from graphc.calculus.simplify_numbers import number
from graphc.calculus.styles import BRACKETS, LATEX, RELATIONS, Style, called
from graphc.ir.nodes import Node
from graphc.ir.terms import Num, Term


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of matrix notation."""

    transpose: str
    hadamard: str
    ones: str
    identity: str
    diag: str
    trace: str
    norm: tuple[str, str]
    square: str
    quotient: str
    inverse: str
    turned: str  # the transpose of an inverse
    kron: str


SIGNS = {
    False: Signs("ᵀ", "⊙", "𝟏", "I", "diag", "tr", ("‖", "‖"), "²", "⊘", "⁻¹", "⁻ᵀ", "⊗"),
    True: Signs(r"^{\top}", r"\odot", r"\mathbf{1}", "I", r"\mathrm{diag}",
                r"\mathrm{tr}", (r"\left\|", r"\right\|"), "^{2}", r"\oslash", "^{-1}",
                r"^{-\top}", r"\otimes"),
}  # fmt: skip


def printed_matrix(
    matrix: Matrix, names: Mapping[Node, str], style: Style, rows: Sequence[Node] = ()
) -> str:
    """Return an expression in the notation of `style`.

    Parameters
    ----------
    rows
        Tensors whose names stand for rows, as cotangents do in the lecture's notation.
    """
    return _Printer(names, style, rows).of(matrix)[0]


class _Printer:
    """Prints one expression."""

    def __init__(self, names: Mapping[Node, str], style: Style, rows: Sequence[Node]) -> None:
        self.names, self.style, self.rows = names, style, rows
        self.signs = SIGNS[style is LATEX]

    def at(self, matrix: Matrix, level: int) -> str:
        text, own = self.of(matrix)
        return text if own >= level else self.style.brackets(text)

    def of(self, matrix: Matrix) -> Printed:
        rule = getattr(self, f"_{matrix.head}")
        result: Printed = rule(matrix)
        return result

    def term(self, term: Term) -> str:
        return printed(term, self.names, self.style)

    def _tensor(self, matrix: Matrix) -> Printed:
        name = self.style.subscripted(self.names.get(matrix.value, "c"), "")
        if matrix.value in self.rows:
            return self.style.brackets(name) + self.signs.transpose, ATOM
        return name, ATOM

    def _transpose(self, matrix: Matrix) -> Printed:
        (inner,) = matrix.args
        if inner.head == "tensor" and inner.value in self.rows:
            return self.style.subscripted(self.names.get(inner.value, "c"), ""), ATOM
        if inner.head == "inverse":
            return self.at(inner.args[0], ATOM) + self.signs.turned, POWER
        text = self.at(inner, ATOM)
        if inner.head == "tensor" and self.names.get(inner.value, "").startswith("∂"):
            text = self.style.brackets(text)
        return text + self.signs.transpose, ATOM

    def _inverse(self, matrix: Matrix) -> Printed:
        return self.at(matrix.args[0], ATOM) + self.signs.inverse, POWER

    def _scalar(self, matrix: Matrix) -> Printed:
        text = self.term(matrix.value)
        return text, SUM if text.startswith(self.style.minus) else ATOM

    def _ones(self, matrix: Matrix) -> Printed:
        return self.signs.ones, ATOM

    def _identity(self, matrix: Matrix) -> Printed:
        return self.signs.identity, ATOM

    def _onehot(self, matrix: Matrix) -> Printed:
        return self.style.function("onehot") + self.style.brackets(self.term(matrix.value)), ATOM

    def _add(self, matrix: Matrix) -> Printed:
        text = ""
        for part in matrix.args:
            one = self.of(part)[0]
            if not text:
                text = one
            elif one.startswith(self.style.minus):
                text += f" {self.style.minus} {one.removeprefix(self.style.minus)}"
            else:
                text += f" + {one}"
        return text, SUM

    def _scaled(self, matrix: Matrix) -> Printed:
        """Print scalars in front, those with negative powers below a bar."""
        sign, above, below = "", [], []
        for part in matrix.args:
            top, bottom = _above_and_below(part)
            number = top.value.value if top is not None and is_number(top) else None
            if number is not None and number < 0:
                sign, number = self.style.minus, -number
                top = scalar(Num(number))
            if top is not None and number != 1:
                above.append(top)
            if bottom is not None:
                below.append(bottom)
        if not below:
            return sign + self._joined(above), SUM if sign else PRODUCT
        numeric = all(not part.shape for part in above) or all(map(is_number, below))
        under = self._joined(below) if self.style.grouped or len(below) == 1 else ""
        under = under or self.style.brackets(self._joined(below))
        if len(below) == 1 and not self.style.grouped:
            under = self.at(below[0], POWER)
        if numeric and above and above[-1].shape:
            first = [part for part in above if not part.shape]
            over = self._joined(first) if first else "1"
            rest = [part for part in above if part.shape]
            text = f"{self.style.coefficient(over, under)} {self._joined(rest)}"
            return sign + text, SUM if sign else PRODUCT
        over = self._joined(above) if above else "1"
        return sign + self.style.quotient(over, under), SUM if sign else PRODUCT

    def _joined(self, parts: Sequence[Matrix]) -> str:
        texts = [self.at(part, POWER) for part in parts[:-1]]
        last = parts[-1]
        level = POWER if last.head == "hadamard" and len(parts) > 1 else PRODUCT
        alone = len(parts) == 1 and last.head == "hadamard"
        return " ".join([*texts, self.of(last)[0] if alone else self.at(last, level)])

    def _zero(self, matrix: Matrix) -> Printed:
        return "0", ATOM

    def _chain(self, matrix: Matrix) -> Printed:
        texts = []
        for part, run in groupby(matrix.args):
            often = len(list(run))
            if often == 1 or part.shape[0] == 1 or len(part.shape) < 2:
                texts.extend([self._beside(part)] * often)
            else:
                texts.append(self.style.power(self._base(part), str(often)))
        return " ".join(texts), PRODUCT

    def _beside(self, matrix: Matrix) -> str:
        """Return a factor of a matrix product, other products in brackets."""
        return self.at(matrix, ATOM if matrix.head == "kron" else POWER)

    def _base(self, matrix: Matrix) -> str:
        """Return what a power is taken of."""
        text, level = self.of(matrix)
        plain = level == ATOM and matrix.head != "transpose"
        return text if plain else self.style.brackets(text)

    def _hadamard(self, matrix: Matrix) -> Printed:
        """Print products and quotients element by element."""
        above = [p for p in matrix.args if not _is_inverse(p)]
        below = [_inverse(p) for p in matrix.args if _is_inverse(p)]
        text = f" {self.signs.hadamard} ".join(self.at(p, POWER) for p in above)
        text = text or self.signs.ones
        return text + "".join(f" {self.signs.quotient} {self.at(p, POWER)}" for p in below), PRODUCT

    def _kron(self, matrix: Matrix) -> Printed:
        return f" {self.signs.kron} ".join(self.at(part, POWER) for part in matrix.args), PRODUCT

    def _diag(self, matrix: Matrix) -> Printed:
        return self.signs.diag + self.style.brackets(self.of(matrix.args[0])[0]), ATOM

    _diagonal = _diag

    def _trace(self, matrix: Matrix) -> Printed:
        return self.signs.trace + self.style.brackets(self.of(matrix.args[0])[0]), ATOM

    def _norm(self, matrix: Matrix) -> Printed:
        return self._length(matrix) + self.signs.square, POWER

    def _length(self, matrix: Matrix) -> str:
        left, right = self.signs.norm
        frobenius = "_F" if len(matrix.args[0].shape) == 2 else ""
        return f"{left}{self.of(matrix.args[0])[0]}{right}{frobenius}"

    def _power(self, matrix: Matrix) -> Printed:
        (base,) = matrix.args
        exponent = matrix.value.value
        if exponent < 0:
            inverse = _inverse(matrix)
            if base.shape:
                return self._hadamard(Matrix("hadamard", base.shape, (matrix,)))
            return self.style.quotient("1", self.at(inverse, POWER)), PRODUCT
        if exponent == Fraction(1, 2):
            if base.head == "norm":
                return self._length(base), ATOM
            return self.style.root(self.of(base)[0]), ATOM
        if base.head == "norm":
            doubled = 2 * exponent
            return self.style.power(self._length(base), self.term(number(doubled))), POWER
        if base.shape and exponent == 2 and base.head == "tensor":
            text = self.at(base, POWER)
            return f"{text} {self.signs.hadamard} {text}", PRODUCT
        shown = self.term(matrix.value)
        if base.shape:
            shown = f"{self.signs.hadamard}{'' if self.style.grouped else ' '}{shown}"
            if not self.style.grouped:
                return f"{self.at(base, ATOM)}^({shown.replace(' ', '')})", POWER
        return self.style.power(self.at(base, ATOM), shown), POWER

    def _call(self, matrix: Matrix) -> Printed:
        name, style = matrix.value, self.style
        args = [self.of(part)[0] for part in matrix.args]
        if name in RELATIONS:
            return f"[{args[0]} {RELATIONS[name][style.column]} {args[1]}]", ATOM
        if name in BRACKETS:
            left, right = BRACKETS[name][style.column]
            return f"{left}{args[0]}{right}", ATOM
        if name in DETERMINANTS:
            return determinant(name, args[0], style), ATOM
        return called(style, name, args), ATOM


def _above_and_below(part: Matrix) -> tuple[Matrix | None, Matrix | None]:
    """Return what of a factor stands above the bar, and what below."""
    value = part.value.value if is_number(part) else None
    if isinstance(value, Fraction) and not is_decimal(value):
        return scalar(Num(value.numerator)), scalar(Num(value.denominator))
    if not part.shape and _is_inverse(part):
        return None, _inverse(part)
    return part, None


def _is_inverse(part: Matrix) -> bool:
    return part.head == "power" and part.value.value < 0


def _inverse(part: Matrix) -> Matrix:
    exponent = -part.value.value
    return part.args[0] if exponent == 1 else power(part.args[0], Num(exponent))
