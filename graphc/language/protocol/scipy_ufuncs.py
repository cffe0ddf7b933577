"""SciPy's ufuncs that are compositions of others: under SciPy's names, without SciPy.

Definitions are those of SciPy's documentation of ``scipy.special``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from graphc.errors import UsageError
from graphc.language.protocol.scalars import ordered_function
from graphc.language.protocol.tables import COMPOSED
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable

LARGEST_ZETA = 100


def _composed(function: Callable[..., Any]) -> Callable[..., Any]:
    COMPOSED[function.__name__] = function
    return function


def _variables(*values: Any) -> list[Variable]:
    return [as_variable(v) * 1.0 for v in values]


@_composed
def exp10(x: Any) -> Any:
    """Return ten to a power."""
    return OPERATORS["power"](10.0, x)


@_composed
def radian(d: Any, m: Any, s: Any) -> Any:
    """Return degrees, minutes and seconds as radians."""
    d, m, s = _variables(d, m, s)
    return OPERATORS["deg2rad"](d + m / 60 + s / 3600)


def _of_degrees(name: str, make: Callable[[Any], Any]) -> None:
    COMPOSED[name] = lambda x: make(OPERATORS["deg2rad"](as_variable(x)))


_of_degrees("sindg", np.sin)
_of_degrees("cosdg", np.cos)
_of_degrees("tandg", np.tan)
_of_degrees("cotdg", lambda x: 1.0 / np.tan(x))


@_composed
def huber(delta: Any, r: Any) -> Any:
    """Return r²/2 up to `delta`, beyond that the tangent; inf where `delta` is negative."""
    delta, r = _variables(delta, r)
    size = abs(r)
    found = np.where(size <= delta, r * r / 2, delta * (size - delta / 2))
    return np.where(delta < 0, np.inf, found)


@_composed
def pseudo_huber(delta: Any, r: Any) -> Any:
    """Return ``delta² (√(1 + (r/delta)²) − 1)``, 0 where `delta` is 0; inf where it is negative."""
    delta, r = _variables(delta, r)
    none = delta <= 0
    ratio = r / np.where(none, 1.0, delta)
    # √(1 + v²) − 1 without cancellation
    found = delta * delta * ratio * ratio / (np.hypot(1.0, ratio) + 1.0)
    return np.where(none, np.where(delta < 0, np.inf, 0.0), found)


@_composed
def boxcox(x: Any, lmbda: Any) -> Any:
    """Return ``(x^λ − 1) / λ``, log x where λ is 0."""
    x, lmbda = _variables(x, lmbda)
    log = np.log(x)
    return log * OPERATORS["exprel"](lmbda * log)


@_composed
def boxcox1p(x: Any, lmbda: Any) -> Any:
    """Return ``((1 + x)^λ − 1) / λ``, log(1 + x) where λ is 0."""
    x, lmbda = _variables(x, lmbda)
    log = np.log1p(x)
    return log * OPERATORS["exprel"](lmbda * log)


def _inverse_log(y: Any, lmbda: Any) -> Any:
    """Return ``log(1 + λ y) / λ``, y where λ is 0."""
    y, lmbda = _variables(y, lmbda)
    none = lmbda == 0
    return np.where(none, y, np.log1p(lmbda * y) / np.where(none, 1.0, lmbda))


@_composed
def inv_boxcox(y: Any, lmbda: Any) -> Any:
    """Return the inverse of :func:`boxcox`."""
    return np.exp(_inverse_log(y, lmbda))


@_composed
def inv_boxcox1p(y: Any, lmbda: Any) -> Any:
    """Return the inverse of :func:`boxcox1p`."""
    return np.expm1(_inverse_log(y, lmbda))


@_composed
def rgamma(x: Any) -> Any:
    """Return ``1 / Γ(x)``."""
    return 1.0 / OPERATORS["gamma"](x)


@_composed
def binom(n: Any, k: Any) -> Any:
    """Return the binomial coefficient of real numbers, ``1 / ((n + 1) B(n − k + 1, k + 1))``."""
    n, k = _variables(n, k)
    return 1.0 / ((n + 1.0) * OPERATORS["beta"](n - k + 1.0, k + 1.0))


@_composed
def powm1(x: Any, y: Any) -> Any:
    """Return ``x^y − 1`` of positive numbers without cancellation."""
    return np.expm1(OPERATORS["xlogy"](y, x))


COMPOSED["iv"] = lambda order, x: ordered_function("iv")(order, x)
COMPOSED["jv"] = lambda order, x: ordered_function("jv")(order, x)
COMPOSED["j0"], COMPOSED["j1"] = OPERATORS["j0"], OPERATORS["j1"]
COMPOSED["ive"] = lambda order, x: ordered_function("ive")(order, x)


@_composed
def _zeta(s: Any, q: Any) -> Any:
    """Return Hurwitz' zeta function ``sum_k (k + q)^-s`` of a known whole s, by polygamma."""
    order = index(s) if isinstance(s, int | np.integer) else -1
    if isinstance(s, float | np.floating) and float(s).is_integer():
        order = int(s)
    if not 2 <= order <= LARGEST_ZETA:
        raise UsageError(
            f"{here()}: the first argument of scipy.special.zeta is a whole number from 2 to "
            f"{LARGEST_ZETA}, known when the model is declared; got {s!r}"
        )
    sign = 1.0 if order % 2 == 0 else -1.0
    return ordered_function("polygamma")(order - 1, q) * (sign / math.factorial(order - 1))


def _polynomial(
    name: str, first: Callable[[Any], Any], following: Callable[[int, Any, Any, Any], Any]
) -> None:
    """Register orthogonal polynomials of a known order, by their recurrence."""

    def evaluated(n: Any, x: Any) -> Any:
        try:
            order = index(n)
        except TypeError:
            order = -1
        if order < 0:
            raise UsageError(
                f"{here()}: the order of scipy.special.{name} is a whole number from 0 on, known "
                f"when the model is declared; got {n!r}"
            )
        (v,) = _variables(x)
        before: Any = np.ones_like(v)
        now = first(v)
        if order == 0:
            return before
        for k in range(1, order):
            before, now = now, following(k, v, now, before)
        return now

    COMPOSED[name] = evaluated


_polynomial(
    "eval_legendre", lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1)
)
_polynomial("eval_chebyt", lambda x: x, lambda k, x, p, q: 2 * x * p - q)
_polynomial("eval_chebyu", lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - q)
_polynomial("eval_hermite", lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - 2 * k * q)
_polynomial("eval_hermitenorm", lambda x: x, lambda k, x, p, q: x * p - k * q)
_polynomial(
    "eval_laguerre", lambda x: 1 - x, lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1)
)
