"""Bessel functions of whole order, in NumPy; emitted files carry the source."""

from typing import Any

import numpy as np

from graphc.ops.special.elementary import wide


def ive(n: Any, x: Any) -> Any:
    """exp(−|x|) I(n, x), the modified Bessel function of the first kind, for whole n up to 8.

    The power series (DLMF 10.25.2), all of whose terms are positive, up to 30, then the asymptotic
    one (DLMF 10.40.1). Largest error: 9 ulp.
    """
    x = wide(x)
    n = abs(n)
    size = np.abs(x)
    half = 0.5 * np.minimum(size, 30)
    near = np.ones_like(half)
    for k in range(55, 0, -1):
        near = 1 + near * (half * half) / (k * (k + n))
    near = near * np.exp(-2 * half)
    for k in range(n):
        near = near * half / (k + 1)
    far = np.maximum(size, 30)
    tail = np.ones_like(far)
    for k in range(22, 0, -1):
        tail = 1 - tail * (4 * n * n - (2 * k - 1) ** 2) / (8 * k * far)
    value = np.where(size < 30, near, tail / np.sqrt(2 * np.pi * far))
    return value if n % 2 == 0 else np.where(x < 0, -value, value)


def iv(n: Any, x: Any) -> Any:
    """I(n, x); the exponential in halves, for it overflows earlier. Largest error: 11 ulp."""
    half = np.exp(0.5 * np.minimum(np.abs(wide(x)), 1500))
    return ive(n, x) * half * half


def spherical_jn(n: Any, x: Any) -> Any:
    """The spherical Bessel function j(n, x), sin(x) / x for n = 0, for whole n.

    The power series (DLMF 10.53.1) up to n + 1, then the recurrence upwards in n.
    """
    x = wide(x)
    near = np.clip(x, -n - 1, n + 1)
    series = np.ones_like(near)
    for k in range(25, 0, -1):
        series = 1 - series * (0.5 * near * near) / (k * (2 * n + 2 * k + 1))
    for k in range(n):
        series = series * near / (2 * k + 3)
    far = np.where(np.abs(x) < n + 1, n + 1, x)
    before, value = np.cos(far) / far, np.sin(far) / far
    for k in range(n):
        before, value = value, (2 * k + 1) * value / far - before
    return np.where(np.abs(x) < n + 1, series, value)
