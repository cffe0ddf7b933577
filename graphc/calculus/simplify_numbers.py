"""Numbers in terms: exact wherever they can be."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd

from graphc.calculus.index_terms import ONE
from graphc.ir.terms import Apply, Mul, Num, Number, Term


def number(value: Number | bool) -> Num:
    """Return a number, exact where a float is plainly meant to be a fraction."""
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, float) and value == value and abs(value) < 1e15:
        exact = Fraction(value).limit_denominator(1000)
        if float(exact) == value:
            value = exact
    if isinstance(value, Fraction) and value.denominator == 1:
        value = value.numerator
    made: Num = Num(value)
    return made


def split_number(term: Term) -> tuple[Number, Term]:
    """Return a term as a number times the rest."""
    if isinstance(term, Num):
        return term.value, ONE
    if isinstance(term, Mul) and isinstance(term.factors[0], Num):
        rest = term.factors[1:]
        return term.factors[0].value, rest[0] if len(rest) == 1 else Mul(rest)
    return 1, term


def content_of(coefficients: Sequence[Number]) -> Number:
    """Return the number to take out of a sum with these coefficients, 1 if there is none."""
    if all(isinstance(c, int) for c in coefficients):
        return gcd(*(int(c) for c in coefficients))
    first: Number = coefficients[0]
    return max(first, -first) if all(c in (first, -first) for c in coefficients) else 1


def number_power(base: Number, exponent: Number) -> Term:
    """Return a power of a number, a number again where that is exact."""
    if isinstance(exponent, int) and (base != 0 or exponent > 0):
        exact = Fraction(base) if isinstance(base, int) else base
        return number(exact**exponent)
    if isinstance(base, int | Fraction) and base >= 0 and exponent == Fraction(1, 2):
        root = number(float(base) ** 0.5)
        if isinstance(root.value, int | Fraction) and root.value**2 == base:
            return root
    made: Term = Apply("power", (number(base), number(exponent)))
    return made
