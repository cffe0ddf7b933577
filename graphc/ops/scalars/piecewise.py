"""Functions with kinks and steps, comparisons and logic; kinks by the conventions in the docs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphc.ir.terms import Term
from graphc.ops.scalars.table import (
    CUT,
    Derivative,
    boolean,
    branches,
    fn,
    numeric,
    promoted,
    row,
    signed,
)

_sign, _equal, _real, _not = fn("sign"), fn("equal"), fn("real"), fn("logical_not")
_and, _or, _isnan, _isfinite = fn("logical_and"), fn("logical_or"), fn("isnan"), fn("isfinite")
_copysign = fn("copysign")


def _ties(pick: Callable[[Term, Term], Term]) -> Derivative:
    """Derivative of maximum and minimum: 1 for the one picked, a half each at a tie."""
    return lambda a, b, y: _real(pick(a, b)) + 0.5 * _real(_equal(a, b))


row("relu", lambda x, y: _real(y > 0), kind=numeric, evaluate=lambda x: np.maximum(x, 0))
row("absolute", lambda x, y: _sign(x), kind=promoted)
row("sign", CUT, kind=signed)
row("copysign", lambda a, b, y: _sign(a) * _copysign(1, b), CUT)
row("heaviside", CUT, lambda x, h, y: _real(_equal(x, 0)))
row("floor", CUT, kind=promoted)
row("ceil", CUT, kind=promoted)
row("trunc", CUT, kind=promoted)
row("rint", CUT)
row("maximum", _ties(lambda a, b: a > b), _ties(lambda a, b: b > a), kind=promoted)
row("minimum", _ties(lambda a, b: a < b), _ties(lambda a, b: b < a), kind=promoted)
# Of a number and nan these take the number.
row("fmax", _ties(lambda a, b: _or(a > b, _isnan(b))), _ties(lambda a, b: _or(b > a, _isnan(a))),
    kind=promoted)  # fmt: skip
row("fmin", _ties(lambda a, b: _or(a < b, _isnan(b))), _ties(lambda a, b: _or(b < a, _isnan(a))),
    kind=promoted)  # fmt: skip
row(
    "clip",  # the bounds belong to the inside; where they are crossed, the upper one counts
    lambda x, low, high, y: _real(_and(x >= low, x <= high)),
    lambda x, low, high, y: _real(_and(x < low, low <= high)),
    lambda x, low, high, y: _real(_or(x > high, low > high)),
    kind=promoted,
    function="clip",
)
row("nan_to_num", lambda x, y: _real(_isfinite(x)), kind=promoted, function="nan_to_num")
row("where", CUT, lambda c, a, b, y: _real(c), lambda c, a, b, y: _real(_not(c)), kind=branches,
    function="where", discrete=(0,))  # fmt: skip
# Comparison and logic: their results are not real, so nothing is to be derived.
row("greater", CUT, CUT, kind=boolean, infix=">")
row("greater_equal", CUT, CUT, kind=boolean, infix=">=")
row("less", CUT, CUT, kind=boolean, infix="<")
row("less_equal", CUT, CUT, kind=boolean, infix="<=")
row("equal", CUT, CUT, kind=boolean, infix="==")
row("not_equal", CUT, CUT, kind=boolean, infix="!=")
row("logical_and", CUT, CUT, kind=boolean)
row("logical_or", CUT, CUT, kind=boolean)
row("logical_xor", CUT, CUT, kind=boolean)
row("logical_not", CUT, kind=boolean)
row("isfinite", CUT, kind=boolean)
row("isnan", CUT, kind=boolean)
row("isinf", CUT, kind=boolean)
row("signbit", CUT, kind=boolean)
# A number of any kind as a real one.
row("real", lambda x, y: 1, evaluate=lambda x: np.asarray(x, dtype=np.float64))
# A real number as an integer, rounded towards 0.
row("integer", CUT, kind=lambda *_: "integer",
    evaluate=lambda x: np.asarray(x).astype(np.int64))  # fmt: skip
# The same number, of which no derivative is taken.
row("stop_gradient", CUT, kind=promoted, evaluate=lambda x: x)
