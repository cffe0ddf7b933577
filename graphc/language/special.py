"""SciPy's special functions under graphc's own names: no SciPy is needed, in models or files.

SciPy's own ufuncs work on variables too; both build the same nodes. Emitted files carry these
functions as helpers, whose docstrings state their accuracy.
"""

from __future__ import annotations

from typing import Any

from graphc.language.protocol.scalars import ordered_function
from graphc.language.variable import OPERATORS, Variable

__all__ = [
    "beta",
    "betaln",
    "cosm1",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "expit",
    "exprel",
    "gamma",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "j0",
    "j1",
    "log_expit",
    "log_ndtr",
    "logit",
    "ndtr",
    "ndtri",
    "polygamma",
    "rel_entr",
    "xlog1py",
    "xlogy",
]


def erf(x: Any) -> Variable:
    """Return the error function of `x`, ``2/√π ∫ exp(−t²) dt`` from 0 to x."""
    return OPERATORS["erf"](x)


def erfc(x: Any) -> Variable:
    """Return ``1 − erf(x)`` without cancellation."""
    return OPERATORS["erfc"](x)


def erfcx(x: Any) -> Variable:
    """Return ``exp(x²) erfc(x)``, which neither overflows nor vanishes for large `x`."""
    return OPERATORS["erfcx"](x)


def erfinv(x: Any) -> Variable:
    """Return the inverse of :func:`erf` at `x`."""
    return OPERATORS["erfinv"](x)


def erfcinv(x: Any) -> Variable:
    """Return the inverse of :func:`erfc` at `x`."""
    return OPERATORS["erfcinv"](x)


def ndtr(x: Any) -> Variable:
    """Return Φ(x), the distribution function of the standard normal."""
    return OPERATORS["ndtr"](x)


def log_ndtr(x: Any) -> Variable:
    """Return ``log Φ(x)``, also where Φ(x) underflows."""
    return OPERATORS["log_ndtr"](x)


def ndtri(p: Any) -> Variable:
    """Return the inverse of Φ at `p`: the quantile of the standard normal."""
    return OPERATORS["ndtri"](p)


def gamma(x: Any) -> Variable:
    """Return the gamma function of `x`."""
    return OPERATORS["gamma"](x)


def gammaln(x: Any) -> Variable:
    """Return ``log |Γ(x)|``."""
    return OPERATORS["gammaln"](x)


def digamma(x: Any) -> Variable:
    """Return ψ(x), the derivative of ``log Γ(x)``."""
    return OPERATORS["digamma"](x)


def beta(a: Any, b: Any) -> Variable:
    """Return the beta function ``Γ(a) Γ(b) / Γ(a + b)``."""
    return OPERATORS["beta"](a, b)


def betaln(a: Any, b: Any) -> Variable:
    """Return ``log |B(a, b)|`` without the cancellation of large arguments."""
    return OPERATORS["betaln"](a, b)


def expit(x: Any) -> Variable:
    """Return the logistic function ``1 / (1 + exp(−x))``; the same as :func:`sigmoid`."""
    return OPERATORS["sigmoid"](x)


def log_expit(x: Any) -> Variable:
    """Return ``log(expit(x))``; the same as :func:`log_sigmoid`."""
    return OPERATORS["log_sigmoid"](x)


def logit(x: Any) -> Variable:
    """Return ``log(x / (1 − x))``, the inverse of :func:`expit`."""
    return OPERATORS["logit"](x)


def xlogy(x: Any, y: Any) -> Variable:
    """Return ``x log(y)``, 0 where `x` is 0."""
    return OPERATORS["xlogy"](x, y)


def xlog1py(x: Any, y: Any) -> Variable:
    """Return ``x log(1 + y)``, 0 where `x` is 0."""
    return OPERATORS["xlog1py"](x, y)


def entr(x: Any) -> Variable:
    """Return the entropy of one probability, ``−x log(x)``."""
    return OPERATORS["entr"](x)


def rel_entr(x: Any, y: Any) -> Variable:
    """Return the relative entropy of two probabilities, ``x log(x / y)``."""
    return OPERATORS["rel_entr"](x, y)


def exprel(x: Any) -> Variable:
    """Return ``(exp(x) − 1) / x``, 1 at 0."""
    return OPERATORS["exprel"](x)


def cosm1(x: Any) -> Variable:
    """Return ``cos(x) − 1`` without cancellation."""
    return OPERATORS["cosm1"](x)


def i0(x: Any) -> Variable:
    """Return the modified Bessel function of the first kind and order 0 at `x`."""
    return OPERATORS["i0"](x)


def i0e(x: Any) -> Variable:
    """Return ``exp(−|x|) i0(x)``."""
    return OPERATORS["i0e"](x)


def i1(x: Any) -> Variable:
    """Return the modified Bessel function of the first kind and order 1 at `x`."""
    return OPERATORS["i1"](x)


def i1e(x: Any) -> Variable:
    """Return ``exp(−|x|) i1(x)``."""
    return OPERATORS["i1e"](x)


def j0(x: Any) -> Variable:
    """Return the Bessel function of the first kind and order 0 at `x`."""
    return OPERATORS["j0"](x)


def j1(x: Any) -> Variable:
    """Return the Bessel function of the first kind and order 1 at `x`."""
    return OPERATORS["j1"](x)


def polygamma(n: int, x: Any) -> Variable:
    """Return the `n`-th derivative of :func:`digamma`.

    Raises
    ------
    UsageError
        If `n` is no whole number from 0 on.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x")
    >>> gc.grad(gc.polygamma(1, x), x)
    <expression grad: real ()>
    """
    return ordered_function("polygamma")(n, x)
