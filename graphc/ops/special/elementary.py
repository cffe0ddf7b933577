"""Stable forms of elementary functions, in NumPy; emitted files carry the source."""

from typing import Any

import numpy as np


def wide(x: Any) -> Any:
    """Return x as float64, in which the special functions are computed."""
    return np.asarray(x, np.float64)


def polynomial(x: Any, coefficients: Any) -> Any:
    """Horner's rule; the coefficient of the highest power comes first."""
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y


def ratio(x: Any, y: Any) -> Any:
    """Return x / y, 0 wherever x is 0."""
    return x / np.where(x == 0, 1, y)


def sigmoid(x: Any, out: Any = None) -> Any:
    """exp(x) / (1 + exp(x)); beyond 40 that is 1 to the last digit, and nothing overflows."""
    e = np.exp(np.minimum(x, 40))
    return np.divide(e, 1 + e, out)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)); exp only of what is not positive, so that it cannot overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + exp(-x))); exp only of what is not positive, so that it cannot overflow."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def logit(x: Any) -> Any:
    """log(x / (1 − x)); near 1/2, its zero, as 2 artanh(2x − 1). Largest error: 2 ulp."""
    x = wide(x)
    near = np.clip(x, 0.25, 0.75)
    return np.where(x == near, 2 * np.arctanh(2 * near - 1), np.log(x) - np.log1p(-x))


def cosm1(x: Any) -> Any:
    """cos(x) − 1 without cancellation. Largest error: 2 ulp."""
    return -2 * np.sin(0.5 * wide(x)) ** 2


def xlogy(x: Any, y: Any) -> Any:
    """Return x log(y), 0 where x is 0 unless y is nan."""
    x, y = wide(x), wide(y)
    nothing = (x == 0) & ~np.isnan(y)
    return np.where(nothing, 0, x * np.log(np.where(nothing, 1, y)))


def xlog1py(x: Any, y: Any) -> Any:
    """Return x log(1 + y), 0 where x is 0 unless y is nan."""
    x, y = wide(x), wide(y)
    nothing = (x == 0) & ~np.isnan(y)
    return np.where(nothing, 0, x * np.log1p(np.where(nothing, 0, y)))


def entr(x: Any) -> Any:
    """−x log(x), 0 at 0 and −inf below."""
    x = wide(x)
    return np.where(x < 0, -np.inf, -xlogy(x, np.where(x < 0, 1, x)))


def rel_entr(x: Any, y: Any) -> Any:
    """Return x log(x / y); 0 where x is 0 and y is not negative, inf outside the domain."""
    x, y = wide(x), wide(y)
    inside = (x > 0) & (y > 0)
    p, q = np.where(inside, x, 1), np.where(inside, y, 1)
    d = (p - q) / q
    near = np.abs(d) < 0.5
    value = p * np.where(near, np.log1p(np.where(near, d, 0)), np.log(p) - np.log(q))
    outside = np.where((x == 0) & (y >= 0), 0, np.where(np.isnan(x) | np.isnan(y), np.nan, np.inf))
    return np.where(inside, value, outside)


def kl_div(x: Any, y: Any) -> Any:
    """Return x log(x / y) − x + y, also where x and y are close; inf outside the domain."""
    x, y = wide(x), wide(y)
    inside = (x > 0) & (y > 0)
    d = np.where(inside, (x - y) / np.where(inside, y, 1), 0)
    near = (d > -0.5) & (d < 1)
    d = np.where(near, d, 0)
    r = d / (2 + d)  # log(1 + d) − d = 2 (artanh r − r) − d r
    series = 1 / 39
    for k in range(37, 1, -2):
        series = series * (r * r) + 1 / k
    close = y * (2 * r**3 * series - d * r + d * np.log1p(d))
    return np.where(near & inside, close, rel_entr(x, y) - x + y)


def exprel(n: Any, x: Any) -> Any:
    """∫₀¹ tⁿ exp(xt) dt: (exp(x) − 1) / x for n = 0, for other n its n-th derivative.

    Sums of positive terms near 0 (DLMF 13.2.2, 13.2.39), else the recurrence in n, with half of the
    exponent put in last, for exp(x) overflows earlier. Largest error: 4 ulp for n = 0.
    """
    x = wide(x)
    z = np.minimum(np.abs(x), 4)
    rising, falling = np.ones_like(z), np.ones_like(z)
    for j in range(40, 0, -1):
        rising = 1 + z * ((n + j) / ((n + 1 + j) * j)) * rising
        falling = 1 + z / (n + 1 + j) * falling
    near = np.where(x < 0, np.exp(np.minimum(x, 0)) * falling, rising) / (n + 1)
    far = np.where(np.abs(x) < 4, 4, np.minimum(x, 1400))
    half = np.exp(0.5 * np.maximum(far, -1400))
    value = (half - 1 / half) / far
    for k in range(1, n + 1):
        value = (half - k * value) / far
    return np.where(np.abs(x) < 4, near, value * half)
