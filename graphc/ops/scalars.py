"""The scalar functions: a table.

A row states a function's derivatives in its inputs and its output ``y``, so that backward code
reuses what the forward pass computed. The same row serves code (the term becomes nodes) and
formulas (the term stays a term).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from graphc.ir.terms import Apply, Num, Term
from graphc.types import Kind, promote

Derivative: TypeAlias = Callable[..., Any]
KindRule: TypeAlias = Callable[..., Kind]
CUT: Literal[None] = None  # piecewise constant: the derivative is 0 wherever it exists


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar function.

    Parameters
    ----------
    name
        Its name in graphc and in the text form.
    derivatives
        One function per argument, from the arguments and the result ``y`` to a term; ``CUT``
        where the derivative is 0 wherever it exists.
    kind
        The kind of the result, from the kinds of the arguments.
    evaluate
        The reference value, in NumPy.
    ufunc
        NumPy's name of it, if it has one.
    infix
        The operator that Python spells it with, if there is one.
    domain
        Bounds of each argument within which it is real and smooth; for tests.
    """

    name: str
    derivatives: tuple[Derivative | None, ...]
    kind: KindRule
    evaluate: Callable[..., Any]
    ufunc: str | None = None
    infix: str | None = None
    domain: tuple[tuple[float, float], ...] = ()

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.derivatives)


SCALARS: dict[str, Scalar] = {}


def real(*_: Kind) -> Kind:
    """Real, whatever the arguments."""
    return "real"


def boolean(*_: Kind) -> Kind:
    """Boolean, whatever the arguments."""
    return "boolean"


def promoted(*kinds: Kind) -> Kind:
    """As NumPy promotes."""
    return promote(kinds)


def numeric(*kinds: Kind) -> Kind:
    """As NumPy promotes, but a number: booleans count as integers."""
    return promote((*kinds, "integer"))


def branches(_: Kind, *kinds: Kind) -> Kind:
    """The kind of the two branches of a condition."""
    return promote(kinds)


def row(
    name: str,
    *derivatives: Derivative | None,
    kind: KindRule = real,
    evaluate: Callable[..., Any] | None = None,
    ufunc: str | None = None,
    infix: str | None = None,
    domain: tuple[tuple[float, float], ...] = (),
) -> None:
    """Add a row; a function that NumPy has under the same name needs no `evaluate`."""
    if evaluate is None:
        ufunc = ufunc or name
        evaluate = getattr(np, ufunc)
    SCALARS[name] = Scalar(name, derivatives, kind, evaluate, ufunc, infix, domain)


def fn(name: str) -> Callable[..., Term]:
    """Return the term constructor of a function of the table."""
    return lambda *args: Apply(name, tuple(a if isinstance(a, Term) else Num(a) for a in args))


_exp, _log, _sign, _where = fn("exp"), fn("log"), fn("sign"), fn("where")
_equal, _sin, _cos, _sigmoid = fn("equal"), fn("sin"), fn("cos"), fn("sigmoid")
_sinh, _cosh, _sqrt, _floor = fn("sinh"), fn("cosh"), fn("sqrt"), fn("floor")
_real, _not = fn("real"), fn("logical_not")

ANY = (-3.0, 3.0)
POSITIVE = (0.1, 5.0)


def _ties(pick: Callable[[Term, Term], Term]) -> Derivative:
    """Derivative of maximum and minimum: 1 for the one picked, a half each at a tie."""
    return lambda a, b, y: _real(pick(a, b)) + 0.5 * _real(_equal(a, b))


def _stable_sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _stable_softplus(x: Any) -> Any:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


# Arithmetic.
row("add", lambda a, b, y: 1, lambda a, b, y: 1, kind=promoted, infix="+")
row("subtract", lambda a, b, y: 1, lambda a, b, y: -1, kind=numeric, infix="-")
row("multiply", lambda a, b, y: b, lambda a, b, y: a, kind=promoted, infix="*")
row("divide", lambda a, b, y: 1 / b, lambda a, b, y: -y / b, infix="/", domain=(ANY, POSITIVE))
row("negative", lambda x, y: -1, kind=numeric, infix="-")
row(
    "power",
    lambda a, b, y: b * a ** (b - 1),
    # At a = 0 the limit of y log a is 0 for every b > 0; log 0 must not spoil it.
    lambda a, b, y: _where(_equal(a, 0), 0, y * _log(_where(_equal(a, 0), 1, a))),
    kind=numeric,
    infix="**",
    domain=(POSITIVE, ANY),
)
row("floor_divide", CUT, CUT, kind=numeric, infix="//", domain=(ANY, POSITIVE))
row("remainder", lambda a, b, y: 1, lambda a, b, y: -_floor(a / b), kind=numeric, infix="%",
    domain=(ANY, POSITIVE))  # fmt: skip
row("square", lambda x, y: 2 * x, kind=numeric)
row("reciprocal", lambda x, y: -y * y, domain=(POSITIVE,))
row("sqrt", lambda x, y: 0.5 / y, domain=(POSITIVE,))
# Exponentials and logarithms.
row("exp", lambda x, y: y)
row("expm1", lambda x, y: y + 1)
row("log", lambda x, y: 1 / x, domain=(POSITIVE,))
row("log1p", lambda x, y: 1 / (x + 1), domain=(POSITIVE,))
# Trigonometric and hyperbolic functions.
row("sin", lambda x, y: _cos(x))
row("cos", lambda x, y: -_sin(x))
row("tan", lambda x, y: 1 + y * y, domain=((-1.4, 1.4),))
row("sinh", lambda x, y: _cosh(x))
row("cosh", lambda x, y: _sinh(x))
row("tanh", lambda x, y: 1 - y * y)
row("arctan", lambda x, y: 1 / (1 + x * x))
# The activations that every network has; stable for every x.
row("relu", lambda x, y: _real(y > 0), kind=numeric, evaluate=lambda x: np.maximum(x, 0))
row("sigmoid", lambda x, y: y * (1 - y), evaluate=_stable_sigmoid)
row("softplus", lambda x, y: _sigmoid(x), evaluate=_stable_softplus)
row("log_sigmoid", lambda x, y: _sigmoid(-x), evaluate=lambda x: -_stable_softplus(-x))
# Piecewise: kinks by the conventions in docs/design.md.
row("absolute", lambda x, y: _sign(x), kind=numeric)
row("sign", CUT, kind=numeric)
row("floor", CUT)
row("ceil", CUT)
row("rint", CUT)
row("maximum", _ties(lambda a, b: a > b), _ties(lambda a, b: b > a), kind=promoted)
row("minimum", _ties(lambda a, b: a < b), _ties(lambda a, b: b < a), kind=promoted)
row("where", CUT, lambda c, a, b, y: _real(c), lambda c, a, b, y: _real(_not(c)), kind=branches)
# Comparison and logic: their results are not real, so nothing is to be derived.
row("greater", CUT, CUT, kind=boolean, infix=">")
row("greater_equal", CUT, CUT, kind=boolean, infix=">=")
row("less", CUT, CUT, kind=boolean, infix="<")
row("less_equal", CUT, CUT, kind=boolean, infix="<=")
row("equal", CUT, CUT, kind=boolean, infix="==")
row("not_equal", CUT, CUT, kind=boolean, infix="!=")
row("logical_and", CUT, CUT, kind=boolean)
row("logical_or", CUT, CUT, kind=boolean)
row("logical_not", CUT, kind=boolean)
row("isfinite", CUT, kind=boolean)
# A number of any kind as a real one.
row("real", lambda x, y: 1, evaluate=lambda x: np.asarray(x, dtype=np.float64))
# The same number, of which no derivative is taken.
row("stop_gradient", CUT, kind=promoted, evaluate=lambda x: x)
