"""Exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

from graphc.ir.terms import Term
from graphc.ops.scalars.table import INSIDE, PI, POSITIVE, fn, ordered, row
from graphc.ops.special import elementary
from graphc.ops.special.bessel import spherical_jn

_sin, _cos, _sinh, _cosh, _log = fn("sin"), fn("cos"), fn("sinh"), fn("cosh"), fn("log")
_sigmoid, _sqrt, _hypot, _where, _equal = (
    fn("sigmoid"), fn("sqrt"), fn("hypot"), fn("where"), fn("equal"),
)  # fmt: skip
_ratio = fn("ratio")
_spherical, _exprel = fn("spherical_jn"), fn("exprel")

LOG2, LOG10 = _log(2), _log(10)


def _difference(a: Term, b: Term) -> Term:
    """Return ``a - b``, 0 where both are the same infinity."""
    return _where(_equal(a, b), 0, a - b)


# Exponentials and logarithms.
row("exp", lambda x, y: y)
row("exp2", lambda x, y: LOG2 * y)
row("expm1", lambda x, y: y + 1)
row("log", lambda x, y: 1 / x, domain=(POSITIVE,))
row("log2", lambda x, y: 1 / (LOG2 * x), domain=(POSITIVE,))
row("log10", lambda x, y: 1 / (LOG10 * x), domain=(POSITIVE,))
row("log1p", lambda x, y: 1 / (x + 1), domain=(POSITIVE,))
row("logaddexp", lambda a, b, y: _sigmoid(_difference(a, b)),
    lambda a, b, y: _sigmoid(_difference(b, a)))  # fmt: skip
row("logaddexp2", lambda a, b, y: _sigmoid(LOG2 * _difference(a, b)),
    lambda a, b, y: _sigmoid(LOG2 * _difference(b, a)))  # fmt: skip
# exprel(0, x) = (exp(x) − 1) / x, and its derivatives by their orders.
row("exprel", None, lambda n, x, y: _exprel(n + 1, x), kind=ordered, discrete=(0,),
    evaluate=elementary.exprel)  # fmt: skip
row("cosm1", lambda x, y: -_sin(x), evaluate=elementary.cosm1)
# Trigonometric functions.
row("sin", lambda x, y: _cos(x))
row("cos", lambda x, y: -_sin(x))
row("tan", lambda x, y: 1 + y * y, domain=((-1.4, 1.4),))
row("arcsin", lambda x, y: 1 / _sqrt((1 - x) * (1 + x)), domain=(INSIDE,))
row("arccos", lambda x, y: -1 / _sqrt((1 - x) * (1 + x)), domain=(INSIDE,))
row("arctan", lambda x, y: 1 / (1 + x * x))


def _by_radius(part: Term, a: Term, b: Term) -> Term:
    """Return ``part / (a**2 + b**2)`` without overflow; 0 at the origin."""
    radius = _hypot(a, b)
    return _ratio(_ratio(part, radius), radius)


row("arctan2", lambda a, b, y: _by_radius(b, a, b), lambda a, b, y: -_by_radius(a, a, b),
    domain=(POSITIVE, POSITIVE))  # fmt: skip
# sin(πx) / (πx); spherical Bessel functions are closed under derivatives, also at 0.
row("sinc", lambda x, y: -PI * _spherical(1, PI * x), function="sinc")
row(
    "spherical_jn",
    None,
    lambda n, x, y: (n * _spherical(n - 1, x) - (n + 1) * _spherical(n + 1, x)) / (2 * n + 1),
    kind=ordered,
    discrete=(0,),
    evaluate=spherical_jn,
    domain=(POSITIVE, POSITIVE),
)
# Hyperbolic functions.
row("sinh", lambda x, y: _cosh(x))
row("cosh", lambda x, y: _sinh(x))
row("tanh", lambda x, y: 1 - y * y)
row("arcsinh", lambda x, y: 1 / _hypot(1, x))
row("arccosh", lambda x, y: 1 / (_sqrt(x - 1) * _sqrt(x + 1)), domain=((1.2, 5.0),))
row("arctanh", lambda x, y: 1 / ((1 - x) * (1 + x)), domain=(INSIDE,))
# The logistic function and its like, which every network has; stable for every x.
row("sigmoid", lambda x, y: y * (1 - y), evaluate=elementary.sigmoid)
row("softplus", lambda x, y: _sigmoid(x), evaluate=elementary.softplus)
row("log_sigmoid", lambda x, y: _sigmoid(-x), evaluate=elementary.log_sigmoid)
row("logit", lambda x, y: 1 / (x * (1 - x)), evaluate=elementary.logit, domain=((0.1, 0.9),))
