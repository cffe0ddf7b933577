"""Polynomials: lists of coefficients, the highest first."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.tables import FUNCTIONS, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Variable:
    """Powers of numbers, one row each."""
    v = as_variable(x)
    if v.ndim != 1:
        raise ShapeError(f"{here()}: np.vander takes a vector")
    count = v.shape[0] if N is None else N
    if not isinstance(count, int):
        raise ShapeError(f"{here()}: np.vander needs to know how many powers: N=")
    powers = [OPERATORS["power"](v, k) for k in range(count)]
    return OPERATORS["stack"](powers if increasing else powers[::-1], axis=1)


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Variable:
    """Value of a polynomial, its highest coefficient first."""
    coefficients, at = as_variable(p), as_variable(x)
    result = 0 * at
    for c in coefficients:
        result = result * at + c
    return result


def _coefficients(p: Any, name: str) -> Variable:
    v = OPERATORS["atleast_1d"](p)
    if v.ndim != 1 or not isinstance(v.shape[0], int):
        raise ShapeError(f"{here()}: np.{name} takes vectors of coefficients, as many as are known")
    return v


def _combined(name: str, function: Any, operator: str) -> None:
    def combine(a1: Any, a2: Any) -> Variable:
        one, other = _coefficients(a1, name), _coefficients(a2, name)
        size = max(len(one), len(other))
        wide = [OPERATORS["pad"](p, (size - len(p), 0)) for p in (one, other)]
        return OPERATORS[operator](*wide)

    combine.__name__ = name
    implements(function)(combine)


_combined("polyadd", np.polyadd, "add")
_combined("polysub", np.polysub, "subtract")


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Variable:
    """Coefficients of the product of two polynomials."""
    return OPERATORS["convolve"](_coefficients(a1, "polymul"), _coefficients(a2, "polymul"))


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Variable:
    """Coefficients of the `m`-th derivative of a polynomial."""
    v = _coefficients(p, "polyder")
    if m < 0:
        raise UsageError(f"{here()}: the order of np.polyder is 0 or more, got {m}")
    for _ in range(m):
        v = v[:-1] * np.arange(len(v) - 1, 0, -1)
    return v


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Variable:
    """Coefficients of the `m`-th antiderivative of a polynomial."""
    v = _coefficients(p, "polyint")
    if m < 0:
        raise UsageError(f"{here()}: the order of np.polyint is 0 or more, got {m}")
    constants = OPERATORS["atleast_1d"](0.0 if k is None else k)
    if len(constants) not in (1, m) or (len(constants) == 1 < m and k is not None):
        raise UsageError(f"{here()}: np.polyint takes one constant for each order, {m}")
    for order in range(m):
        c = constants[order if len(constants) > 1 else slice(None)]
        divided = v / np.arange(len(v), 0, -1)
        v = OPERATORS["concatenate"]([divided, OPERATORS["atleast_1d"](c)])
    return v


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Variable:
    """Coefficients of the polynomial with given roots."""
    roots = OPERATORS["atleast_1d"](seq_of_zeros)
    if roots.ndim != 1 or not isinstance(roots.shape[0], int):
        raise UsageError(
            f"{here()}: np.poly on variables takes a vector of roots; of a symmetric matrix write "
            "np.poly(np.linalg.eigvalsh(a))"
        )
    result = as_variable(np.ones(1))
    for root in roots:
        result = OPERATORS["convolve"](result, OPERATORS["stack"]([as_variable(1.0), -root]))
    return result


@implements(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: Any = None,
    full: bool = False,
    w: Any = None,
    cov: Any = False,
) -> Variable:
    """Coefficients of the polynomial that fits points best, in the sense of least squares."""
    no_options("polyfit", {"full": full or None, "cov": cov or None})
    if rcond is not None and not 0 <= rcond < 1:
        raise UsageError(f"{here()}: the rcond of np.polyfit is at least 0 and below 1")
    at, values = as_variable(x) + 0.0, as_variable(y) + 0.0
    left = vander(at, int(deg) + 1)
    if w is not None:
        weights = as_variable(w)
        left = left * weights[:, None]
        values = values * (weights[:, None] if values.ndim == 2 else weights)
    scale = np.sqrt((left * left).sum(axis=0))
    count = at.shape[0]
    cutoff = rcond if rcond is not None else (count if isinstance(count, int) else 64) * 2.0**-52
    found = FUNCTIONS[np.linalg.lstsq](left / scale, values, rcond=cutoff)[0]
    return found / (scale[:, None] if found.ndim == 2 else scale)  # type: ignore[no-any-return]
