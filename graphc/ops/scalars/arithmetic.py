"""Arithmetic, powers, division with remainder, and functions of integers."""

from __future__ import annotations

import numpy as np

from graphc.ir.terms import Num, Term
from graphc.ops.scalars.table import (
    ANY,
    CUT,
    HALF,
    PI,
    POSITIVE,
    bits,
    divisible,
    fn,
    numeric,
    promoted,
    row,
    signed,
    whole,
)
from graphc.ops.special import elementary

_where, _equal, _power = fn("where"), fn("equal"), fn("power")
_ratio, _xlogy = fn("ratio"), fn("xlogy")
_exp2, _real, _rint, _floor_divide = fn("exp2"), fn("real"), fn("rint"), fn("floor_divide")


def _power_by_base(a: Term, b: Term, y: Term) -> Term:
    if isinstance(b, Num):  # so that b * a**(b - 1) loses its power where b is 1 or 0
        return b * a ** (b - 1)
    flat = _equal(b, 0)  # a**0 is 1 for every a; 0**-1 must not spoil it
    return b * _power(a, _where(flat, 1, b - 1))


row("pi", evaluate=lambda: np.pi, ufunc=None)
row("add", lambda a, b, y: 1, lambda a, b, y: 1, kind=promoted, infix="+")
row("subtract", lambda a, b, y: 1, lambda a, b, y: -1, kind=signed, infix="-")
row("multiply", lambda a, b, y: b, lambda a, b, y: a, kind=promoted, infix="*")
row("divide", lambda a, b, y: 1 / b, lambda a, b, y: -y / b, infix="/", domain=(ANY, POSITIVE))
row("negative", lambda x, y: -1, kind=signed, infix="-")
row(
    "power",
    _power_by_base,
    lambda a, b, y: _xlogy(y, a),  # 0 at a = 0 for every b > 0, though log 0 is none
    kind=numeric,
    infix="**",
    domain=(POSITIVE, ANY),
)
row("square", lambda x, y: 2 * x, kind=numeric)
row("reciprocal", lambda x, y: -y * y, domain=(POSITIVE,))
row("sqrt", lambda x, y: HALF / y, domain=(POSITIVE,))
row("cbrt", lambda x, y: 1 / (3 * y * y), domain=(POSITIVE,))
# y is divided before it is squared: neither overflow nor underflow.
row("hypot", lambda a, b, y: _ratio(a, y), lambda a, b, y: _ratio(b, y))
# x / y, 0 wherever x is 0: in derivatives whose limit is 0, or a convention.
row("ratio", lambda x, y, z: 1 / y, lambda x, y, z: -_ratio(z, y), evaluate=elementary.ratio,
    domain=(ANY, POSITIVE))  # fmt: skip
row("deg2rad", lambda x, y: PI / 180)
row("rad2deg", lambda x, y: 180 / PI)
# Division with remainder. The whole quotient is found from the remainder, which is exact.
row("floor_divide", CUT, CUT, kind=numeric, infix="//", domain=(ANY, POSITIVE))
row("remainder", lambda a, b, y: 1, lambda a, b, y: -_floor_divide(a, b), kind=numeric, infix="%",
    domain=(ANY, POSITIVE))  # fmt: skip
row("fmod", lambda a, b, y: 1, lambda a, b, y: -_rint((a - y) / b), kind=numeric,
    domain=(ANY, POSITIVE))  # fmt: skip
row("ldexp", lambda x, n, y: _exp2(_real(n)), CUT, discrete=(1,))
# Integers, and booleans as bits.
row("bitwise_and", CUT, CUT, kind=bits, infix="&")
row("bitwise_or", CUT, CUT, kind=bits, infix="|")
row("bitwise_xor", CUT, CUT, kind=bits, infix="^")
row("invert", CUT, kind=bits)
row("left_shift", CUT, CUT, kind=whole, infix="<<")
row("right_shift", CUT, CUT, kind=whole, infix=">>")
row("gcd", CUT, CUT, kind=divisible)
row("lcm", CUT, CUT, kind=divisible)
