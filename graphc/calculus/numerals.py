"""How numbers are written: roots as roots, powers of ten as powers."""

from __future__ import annotations

import math
from fractions import Fraction

LARGEST = 1000  # below a root
_NEAR = 5e-16  # relative: as many digits as a float has


def root_of(value: float) -> tuple[Fraction, bool] | None:
    """Return what a positive float is the root of, and whether over π: 0.7071067811865476 of 1/2.

    None where it is not, to all its digits, the root of a whole number or of its inverse, or of a
    few of these over π.
    """
    if not 1e-2 < value < LARGEST or value == int(value):
        return None
    square = value * value
    for inside in (Fraction(round(square)), _inverse(square)):
        few = 0 < max(inside.numerator, inside.denominator) <= LARGEST
        if few and math.isclose(math.sqrt(inside), value, rel_tol=_NEAR):
            return inside, False
    inside = Fraction(square * math.pi).limit_denominator(8)
    if 0 < inside <= 8 and math.isclose(math.sqrt(inside / math.pi), value, rel_tol=_NEAR):
        return inside, True
    return None


def _inverse(square: float) -> Fraction:
    whole = round(1 / square)
    return Fraction(1, whole) if whole else Fraction(0)


def scientific(text: str) -> tuple[str, int] | None:
    """Return a float's mantissa and its power of ten, if it is written with one."""
    mantissa, e, exponent = text.partition("e")
    return (mantissa.removesuffix(".0"), int(exponent)) if e else None
