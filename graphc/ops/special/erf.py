"""The error function and the normal distribution, in NumPy; emitted files carry the source.

Everything rests on two polynomials, both fitted to mpmath at Chebyshev points: one for erf(x) / x
in x² up to 1, and one for (1 + 2x) erfcx(x) in (x − 3.75) / (x + 3.75), which is bounded for all
x ≥ 0 (the substitution of Shepherd & Laframboise, Math. Comp. 36, 1981).
"""

from typing import Any

import numpy as np

from graphc.ops.special.elementary import polynomial, wide

ERF = (
    -7.795898827002142e-10,
    1.3720064546777686e-08,
    -1.6208483801871705e-07,
    1.6447424703317362e-06,
    -1.492473690741966e-05,
    0.00012055294904839707,
    -0.0008548325975389692,
    0.0052239776071164225,
    -0.02686617064323777,
    0.11283791670945006,
    -0.37612638903183543,
    1.1283791670955126,
)
ERFCX = (
    1.36440240331457e-11,
    1.8240025042776346e-12,
    -1.689091555613124e-10,
    -4.984415284424758e-11,
    1.2007166392684995e-09,
    5.826552475656109e-10,
    -7.094843440843683e-09,
    -4.4541883091544246e-09,
    4.163213221156019e-08,
    2.4363842659574264e-08,
    -2.616930395796968e-07,
    -5.8320394669921715e-08,
    1.7537598965322038e-06,
    -9.728185029677076e-07,
    -1.1445178311518049e-05,
    2.238390038090339e-05,
    5.164944451696205e-05,
    -0.0002901539762990061,
    0.00029371358771431225,
    0.0017556258319139934,
    -0.009746579546733069,
    0.028362277421569364,
    -0.058693398590614,
    0.09230432116019513,
    -0.10880393014170486,
    0.08227673849015112,
    0.00358541548546365,
    -0.14024059858554702,
    1.2375126308378275,
)
NORMAL_CENTRE = (
    1667103268.5284715,
    -442929720.79783946,
    97294412.20334893,
    -5498666.42121839,
    1656386.674893987,
    231760.6632422467,
    75652.9178920332,
    20704.14545761777,
    5874.910634309817,
    1689.8512571988435,
    496.27374824468905,
    149.8297957240095,
    47.03578748689774,
    15.66760896326386,
    5.7725335386117695,
    2.6249349909537365,
    2.5066282746310007,
)
NORMAL_TAIL = (
    -3.4162918473463213,
    3.352083750593331,
    1.4956823964920105,
    -1.4770601178800171,
    -1.1116067638322604,
    1.0761674847214522,
    -0.3726457821610889,
    0.34067764898473046,
    -0.38466230809460156,
    0.3324586024120106,
    -0.2610409848076854,
    0.15914657521798717,
    0.9528238600464298,
)


def gauss(x: Any, factor: Any) -> Any:
    """exp(-factor x²), the square split so that its rounding error does not enter the exponent."""
    x = np.minimum(np.abs(x), 60)
    rough = np.floor(x * 16) / 16
    return np.exp(-factor * rough * rough) * np.exp(-factor * (x - rough) * (x + rough))


def erfcx_positive(x: Any) -> Any:
    """exp(x²) erfc(x) for x ≥ 0: (1 + 2x) erfcx(x) as a polynomial of a bounded variable.

    The substitution is that of Shepherd and Laframboise (1981), the coefficients our own.
    """
    t = np.minimum(x, 1e300)
    return polynomial((t - 3.75) / (t + 3.75), ERFCX) / (1 + 2 * x)


def erf(x: Any) -> Any:
    """2/√π ∫₀ˣ exp(−t²) dt (DLMF 7.2.1), below 1 by a fitted polynomial. Largest error: 2 ulp."""
    x = wide(x)
    size = np.abs(x)
    tail = 1 - gauss(size, 1) * erfcx_positive(size)
    return np.where(size < 1, x * polynomial(np.minimum(x * x, 1), ERF), np.copysign(tail, x))


def erfc(x: Any) -> Any:
    """1 − erf(x), without cancellation. Largest error: 4 ulp."""
    x = wide(x)
    tail = gauss(x, 1) * erfcx_positive(np.abs(x))
    return np.where(x < 0, 2 - tail, tail)


def erfcx(x: Any) -> Any:
    """exp(x²) erfc(x), which falls like 1/x. Largest error: 4 ulp."""
    x = wide(x)
    tail = erfcx_positive(np.abs(x))
    return np.where(x < 0, 2 * gauss(np.minimum(x, 0), -1) - tail, tail)


def ierfcx(x: Any) -> Any:
    """exp(x²) ∫ₓ^∞ erfc(t) dt = 1/√π − x erfcx(x), without cancellation.

    From 2 on by the backward recurrence of the ratios of repeated integrals (DLMF 7.18.7).
    Largest error: 25 ulp, just below 2; a few elsewhere.
    """
    x = wide(x)
    far = np.maximum(x, 2)
    ratio = 1 / (far + np.sqrt(far * far + 100))
    for n in range(49, 0, -1):
        ratio = 1 / (2 * far + 2 * (n + 1) * ratio)
    return np.where(x < 2, 0.5641895835477563 - x * erfcx(np.minimum(x, 2)), erfcx(far) * ratio)


def normal_tail(x: Any) -> Any:
    """The probability that a standard normal variable exceeds x ≥ 0."""
    return 0.5 * gauss(x, 0.5) * erfcx_positive(x * 0.7071067811865476)


def ndtr(x: Any) -> Any:
    """The distribution function Φ of the standard normal. Largest error: 6 ulp."""
    x = wide(x)
    tail = normal_tail(np.abs(x))
    return np.where(x < 0, tail, 1 - tail)


def log_ndtr(x: Any) -> Any:
    """Return log Φ(x), finite also where Φ(x) underflows. Largest error: 6 ulp."""
    x = wide(x)
    low = np.minimum(x, 0)
    tail = normal_tail(np.abs(x))
    near = np.log1p(np.where(x < 0, tail - 1, -tail))
    far = np.log(0.5 * erfcx_positive(-0.7071067811865476 * low)) - 0.5 * low * low
    return np.where(x < -1, far, near)


def inverse_mills(x: Any) -> Any:
    """φ(x) / Φ(x), the derivative of log Φ. Largest error: 30 ulp for x ≤ 5."""
    return 0.7978845608028654 / erfcx(-0.7071067811865476 * wide(x))


def normal_mean_excess(x: Any) -> Any:
    """Return x + φ(x) / Φ(x): how far below x a standard normal lies on average, if it does.

    Largest error: 15 ulp.
    """
    x = wide(x)
    u = np.maximum(-0.7071067811865476 * x, 0)
    far = 1.4142135623730951 * ierfcx(u) / erfcx_positive(u)
    return np.where(x < 0, far, x + inverse_mills(np.maximum(x, 0)))


def quantile(centre: Any, tail: Any) -> Any:
    """The number below which a standard normal lies with probability 1/2 + centre.

    tail: the smaller one of the probabilities below and above. In the tails two steps of Newton's
    method on the logarithm improve a fit in (r − 8.03) / (r + 8.03) with r = √(−2 log tail).
    """
    near = centre * polynomial(np.minimum(centre * centre, 0.0625), NORMAL_CENTRE)
    log = np.log(np.minimum(tail, 0.25))
    r = np.sqrt(-2 * np.maximum(log, -750))
    x = r * polynomial((r - 8.03) / (r + 8.03), NORMAL_TAIL)
    for _ in range(2):
        scaled = erfcx_positive(0.7071067811865476 * x)
        x = x + (np.log(0.5 * scaled) - 0.5 * x * x - log) * scaled / 0.7978845608028654
    far = np.copysign(np.where(tail > 0, x, np.inf), centre)
    inside = np.where(np.abs(centre) <= 0.25, near, far)
    return np.where(tail < 0, np.nan, inside + 0 * centre)


def ndtri(p: Any) -> Any:
    """The inverse of Φ. Largest error: 4 ulp."""
    p = wide(p)
    return quantile(p - 0.5, np.minimum(p, 1 - p))


def erfinv(x: Any) -> Any:
    """The inverse of erf. Largest error: 4 ulp."""
    x = wide(x)
    return 0.7071067811865476 * quantile(0.5 * x, 0.5 * (1 - np.abs(x)))


def erfcinv(x: Any) -> Any:
    """The inverse of erfc. Largest error: 5 ulp."""
    x = wide(x)
    return 0.7071067811865476 * quantile(0.5 * (1 - x), 0.5 * np.minimum(x, 2 - x))
