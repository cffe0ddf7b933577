"""Terms as text and as LaTeX: one printer, and a record per notation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from graphc.calculus.index_terms import (
    ONE,
    LogSumExp,
    Softmax,
    base_and_exponent,
    factors_of,
)
from graphc.calculus.names import math_label
from graphc.calculus.numerals import root_of, scientific
from graphc.calculus.simplify_numbers import split_number
from graphc.calculus.styles import BRACKETS, LATEX, RELATIONS, Style, called
from graphc.ir.nodes import Node
from graphc.ir.terms import (
    Add,
    Apply,
    Best,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Number,
    Product,
    Ref,
    Sum,
    Symbol,
    Term,
)
from graphc.types import Dim

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly what is printed holds together
Printed = tuple[str, int]


def printed(term: Term, names: Mapping[Node, str], style: Style) -> str:
    """Return a presented term in the notation of `style`."""
    return _Printer(names, style).of(term)[0]


class _Printer:
    """Prints one formula; every method returns text and how tightly it holds together."""

    def __init__(self, names: Mapping[Node, str], style: Style) -> None:
        self.names, self.style = names, style

    def at(self, term: Term, level: int) -> str:
        """Return `term` where what stands around it binds at `level`."""
        text, own = self.of(term)
        return text if own >= level else self.style.brackets(text)

    def of(self, term: Term) -> Printed:
        style = self.style
        match term:
            case Num(value):
                return self._number(value)
            case Extent(dim):
                return self._extent(dim)
            case Symbol(name):
                return self._word(name), ATOM
            case Ref(tensor, indices):
                name = self.names.get(tensor, "c")
                return style.subscripted(name, self._indices(indices)), ATOM
            case Delta(left, right):
                # Indices last, in the order of the alphabet: δ_yj, δ_ij.
                pair = sorted((left, right), key=lambda t: getattr(t, "name", ""))
                return style.under(style.signs["δ"], self._indices(pair)), ATOM
            case Add(terms):
                return self._sum(terms), SUM
            case Mul():
                return self._product(term)
            case Sum():
                return self._over(style.signs["Σ"], term), PRODUCT
            case Product():
                return self._over(style.signs["∏"], term), PRODUCT
            case Best(function):
                return self._over(style.signs[function], term), PRODUCT
            case Softmax() | LogSumExp():
                return self._exponentials(term), ATOM
            case Inverse():
                return self._inverse(term), ATOM
            case Determinant(function, row, column):
                name, whole = self._matrix(term)
                inside = name if whole else self.of(term.body)[0]
                under = "" if whole else self._indices((row, column))
                return determinant(function, inside, style, under), ATOM
            case Apply():
                return self._call(term)
        raise AssertionError(f"{type(term).__name__} has no printed form")

    def _number(self, value: Number) -> Printed:
        if value < 0:
            text, level = self._number(-value)
            return self.style.minus + text, min(level, SUM)
        if isinstance(value, Fraction) and not is_decimal(value):
            return self.style.coefficient(str(value.numerator), str(value.denominator)), POWER
        if isinstance(value, int):
            return str(value), ATOM
        return self._float(float(value))

    def _float(self, value: float) -> Printed:
        """Print a float that is no negative: as a root, or with a power of ten, where it is one."""
        style = self.style
        if value == math.inf:
            return style.signs["∞"], ATOM
        found = root_of(value)
        if found is not None:
            inside, over_pi = found
            below = style.signs["π"] if over_pi else ""
            if inside.denominator != 1:
                below = f"{inside.denominator}{' ' if below else ''}{below}"
            if not below:
                return style.root(str(inside)), POWER
            if inside.numerator == 1:
                return style.coefficient("1", style.root(below)), POWER
            return style.root(style.quotient(str(inside.numerator), below)), POWER
        parts = scientific(str(value))
        if parts is None:
            return str(value), ATOM
        power = style.power("10", str(parts[1]).replace("-", style.minus))
        return (power if parts[0] == "1" else f"{parts[0]}{style.signs['·']}{power}"), POWER

    def _extent(self, dim: Dim) -> Printed:
        text = str(dim)
        if text.isidentifier():
            return self._word(text), ATOM
        return text.replace("*", " "), SUM

    def _word(self, name: str) -> str:
        return math_label(name) if self.style is LATEX else name

    def _indices(self, indices: Sequence[Term]) -> str:
        texts = [self.of(index)[0] for index in indices]
        single = all(len(text) == 1 for text in texts) or len(texts) == 1
        return ("" if single else ",").join(texts)

    def _sum(self, terms: Sequence[Term]) -> str:
        text = ""
        for term in terms:
            part = self.at(term, PRODUCT) if isinstance(term, Add) else self.of(term)[0]
            if not text:
                text = part
            elif part.startswith(self.style.minus):
                text += f" {self.style.minus} {part.removeprefix(self.style.minus)}"
            else:
                text += f" + {part}"
        return text

    def _product(self, term: Mul) -> Printed:
        coefficient, _ = split_number(term)
        above, below = _quotient(term)
        sign = self.style.minus if coefficient < 0 else ""
        level = SUM if sign else PRODUCT
        size = -coefficient if coefficient < 0 else coefficient
        if isinstance(size, Fraction) and not is_decimal(size):
            numerator, denominator = str(size.numerator), str(size.denominator)
        else:
            numerator, denominator = self._number(size)[0], ""
        plain = [f for f in below if isinstance(f, Extent)]
        top = [numerator] * (numerator != "1" or not above)
        bottom = [denominator] * bool(denominator)
        if below and len(plain) < len(below):
            return sign + self._ratio(top, above, bottom, below), level
        bottom += [self.at(factor, POWER) for factor in plain]
        if bottom:
            under = " ".join(bottom)
            if not self.style.grouped and len(bottom) > 1:
                under = self.style.brackets(under)
            top = [self.style.coefficient(numerator, under)]
        return sign + self._joined(top, above), level

    def _ratio(
        self, top: list[str], above: list[Term], bottom: list[str], below: list[Term]
    ) -> str:
        """Return a quotient, without brackets where its bar groups already."""
        if self.style.grouped and not top and len(above) == 1:
            over = self.of(above[0])[0]
        else:
            over = self._joined(top, above)
            if above and isinstance(above[-1], Sum | Product | Best) and not self.style.grouped:
                over = self.style.brackets(over)  # else the sum would go on below the bar
        lone = not bottom and len(below) == 1
        under = self._joined(bottom, below)
        if lone:
            under = self.of(below[0])[0] if self.style.grouped else self.at(below[0], POWER)
        elif not self.style.grouped:
            under = self.style.brackets(under)
        return self.style.quotient(over, under)

    def _joined(self, first: list[str], factors: list[Term]) -> str:
        """Return factors side by side; a sum that is not the last of them needs brackets."""
        texts = list(first)
        for position, factor in enumerate(factors):
            last = position == len(factors) - 1
            level = PRODUCT if last and not isinstance(factor, Mul | Add) else POWER
            texts.append(self.at(factor, level))
        return " ".join(texts)

    def _over(self, sign: str, term: Sum | Product | Best) -> str:
        indices: list[Term] = [term.index]
        body = term.body
        while isinstance(term, Sum) and isinstance(body, Sum):
            indices.append(body.index)
            body = body.body
        under = self.style.under(sign, self._indices(indices))
        return f"{under} {self.at(body, PRODUCT)}"

    def _exponentials(self, term: Softmax | LogSumExp) -> str:
        style, body = self.style, term.body
        name = style.function("softmax" if isinstance(term, Softmax) else "logsumexp")
        whole = isinstance(body, Ref) and body.indices == term.indices
        if whole and isinstance(body, Ref):
            tensor = style.subscripted(self.names.get(body.tensor, "c"), "")
            text = name + style.brackets(tensor)
        else:
            text = style.under(name, self._indices(term.indices))
            text += style.brackets(self.of(body)[0])
        if isinstance(term, Softmax):
            text = style.under(text, self._indices(term.at))
        return text

    def _inverse(self, term: Inverse) -> str:
        style = self.style
        name, whole = self._matrix(term)
        if whole:
            text = f"[{style.power(name, f'{style.minus}1')}]"
        else:
            text = style.under(style.function("inv"), self._indices((term.row, term.column)))
            text += style.brackets(self.of(term.body)[0])
        return style.under(text, self._indices(term.at))

    def _matrix(self, term: Inverse | Determinant) -> tuple[str, bool]:
        """Return the name of the tensor that a matrix is as a whole, and whether there is one."""
        body = term.body
        if isinstance(body, Ref) and body.indices == (term.row, term.column):
            return self.style.subscripted(self.names.get(body.tensor, "c"), ""), True
        return "", False

    def _call(self, term: Apply) -> Printed:
        style, column = self.style, self.style.column
        function, args = term.function, term.args
        if function == "power":
            return self._power(*args)
        if function in RELATIONS:
            sign = RELATIONS[function][column]
            return f"[{self.of(args[0])[0]} {sign} {self.of(args[1])[0]}]", ATOM
        if function in BRACKETS:
            left, right = BRACKETS[function][column]
            return f"{left}{self.of(args[0])[0]}{right}", ATOM
        if function == "floor_divide":
            left, right = BRACKETS["floor"][column]
            quotient = f"{self.at(args[0], POWER)}/{self.at(args[1], POWER)}"
            return f"{left}{quotient}{right}", ATOM
        if function == "remainder":
            return f"{self.at(args[0], POWER)}{style.signs[' mod ']}{self.at(args[1], POWER)}", SUM
        return called(style, function, [self.of(arg)[0] for arg in args]), ATOM

    def _power(self, base: Term, exponent: Term) -> Printed:
        if isinstance(exponent, Num):
            if exponent.value == Fraction(1, 2):
                return self.style.root(self.of(base)[0]), ATOM
            if exponent.value < 0:
                inverse: Term = Mul((base_power(base, -exponent.value),))
                return self._ratio(["1"], [], [], [inverse.factors[0]]), PRODUCT  # type: ignore[attr-defined]
        return self.style.power(self.at(base, ATOM), self.of(exponent)[0]), POWER


DETERMINANTS = ("det", "logdet", "signdet")


def determinant(function: str, inside: str, style: Style, under: str = "") -> str:
    """Return a determinant, the logarithm of its absolute value, or its sign."""
    det = style.function("det")
    text = (style.under(det, under) if under else det) + style.brackets(inside)
    if function == "det":
        return text
    if function == "signdet":
        return style.function("sign") + style.brackets(text)
    left, right = BRACKETS["absolute"][style.column]
    return f"{style.function('log')} {left}{text}{right}"


def base_power(base: Term, exponent: Number) -> Term:
    """Return a power, as it is shown."""
    return base if exponent == 1 else Apply("power", (base, Num(exponent)))


def is_decimal(value: Fraction) -> bool:
    """Return whether a fraction is better read as a decimal number."""
    return value.denominator > 8 and 10**6 % value.denominator == 0


def _quotient(term: Mul) -> tuple[list[Term], list[Term]]:
    """Return the factors above and below the bar, without the number."""
    above, below = [], []
    for factor in factors_of(term):
        if isinstance(factor, Num):
            continue
        base, exponent = base_and_exponent(factor)
        if exponent is not ONE and isinstance(exponent, Num) and exponent.value < 0:
            below.append(base_power(base, -exponent.value))
        else:
            above.append(factor)
    return above, below
