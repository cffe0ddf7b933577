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


def jv(n: Any, x: Any) -> Any:
    """J(n, x), the Bessel function of the first kind, for whole n up to 20.

    The power series (DLMF 10.2.2) up to 2; up to 25 Miller's backward recurrence (DLMF 3.6), scaled
    by the sum that is 1 (DLMF 10.12.4); then the asymptotic series (DLMF 10.17.3) of the orders 0
    and 1, and the recurrence upwards. Largest error: 7 ulp, relative to the amplitude √(2 / πx)
    where that is more, as it is beside zeros.
    """
    x = wide(x)
    size = np.abs(x)
    half = 0.5 * np.minimum(size, 2)
    near = np.ones_like(half)
    for k in range(18, 0, -1):
        near = 1 - near * (half * half) / (k * (k + n))
    for k in range(n):
        near = near * half / (k + 1)
    middle = np.clip(size, 2, 25)
    after, now = np.zeros_like(middle), np.ones_like(middle)
    total, found = np.zeros_like(middle), np.zeros_like(middle)
    for k in range(80, 0, -1):
        after, now = now, 2 * k / middle * now - after
        found = now if k - 1 == n else found
        total = total + (now if k == 1 else 2 * now if k % 2 == 1 else 0)
    far = np.where(np.isinf(size), 25, np.maximum(size, 25))
    # The next of a pair of orders, from the orders 0 and 1.
    before, value = far_jv(0, far), far_jv(1, far)
    for k in range(1, n):
        before, value = value, 2 * k / far * value - before
    value = before if n == 0 else value
    value = np.where(np.isinf(size), 0, value)
    value = np.where(size <= 2, near, np.where(size <= 25, found / total, value))
    value = np.where(np.isnan(x), x, value)
    return value if n % 2 == 0 else np.where(x < 0, -value, value)


def far_jv(n: Any, x: Any) -> Any:
    """J(n, x) for n = 0 or 1 and x ≥ 25, by Hankel's expansion (DLMF 10.17.3)."""
    even, odd = np.ones_like(x), np.ones_like(x)
    for k in range(20, 0, -2):
        ratio = (4 * n * n - (2 * k - 1) ** 2) * (4 * n * n - (2 * k - 3) ** 2)
        even = 1 - even * ratio / (64.0 * k * (k - 1)) / x / x
        ratio = (4 * n * n - (2 * k + 1) ** 2) * (4 * n * n - (2 * k - 1) ** 2)
        odd = 1 - odd * ratio / (64.0 * k * (k + 1)) / x / x
    odd = odd * (4 * n * n - 1) / (8 * x)
    sine, cosine = np.sin(x), np.cos(x)
    if n == 0:  # the cosine and the sine of x − π/4, and of x − 3π/4
        first, second = cosine + sine, sine - cosine
    else:
        first, second = sine - cosine, -sine - cosine
    return (even * first - odd * second) / np.sqrt(np.pi * x)


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
