"""Where the coefficients of `graphc.ops.special` come from: interpolation at Chebyshev points.

``python -m tests.ops.fitting`` prints all tables anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

DIGITS = 60


@dataclass(frozen=True)
class Fit:
    """A function, the ends of the interval as text, and the degree of the polynomial."""

    function: Callable
    low: str
    high: str
    degree: int


def coefficients(fit):
    """The interpolating polynomial in powers of its variable, the highest first."""
    with mp.workdps(DIGITS):
        low, high, count = mp.mpf(fit.low), mp.mpf(fit.high), fit.degree + 1
        angles = [mp.pi * (2 * k + 1) / (2 * count) for k in range(count)]
        middle, half = (high + low) / 2, (high - low) / 2
        values = [fit.function(middle + half * mp.cos(a)) for a in angles]
        series = [
            2 * sum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / count
            for j in range(count)
        ]
        series[0] /= 2
        before, current, powers = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)], [mp.mpf(0)] * count
        powers[0] = series[0]
        for c in series[1:]:
            for i, x in enumerate(current):
                powers[i] += c * x
            after = [mp.mpf(0), *(2 * x for x in current)]
            for i, x in enumerate(before):
                after[i] -= x
            before, current = current, after
        result = [mp.mpf(0)]
        for c in reversed(powers):  # Horner's rule in (t - middle) / half
            shifted = [mp.mpf(0)] * (len(result) + 1)
            for i, x in enumerate(result):
                shifted[i + 1] += x / half
                shifted[i] -= x * middle / half
            shifted[0] += c
            result = shifted[:count]
        return [float(x) for x in reversed(result)]


def moebius(function, centre):
    """`function` of x as one of t = (x − centre) / (x + centre)."""
    return lambda t: function(mp.mpf(centre) * (1 + t) / (1 - t))


def scaled_erfcx(x):
    if x > 1000:
        inverse = 1 / (2 * x * x)
        series = sum((-inverse) ** k * mp.fac2(2 * k - 1) for k in range(12))
        return (2 + 1 / x) / mp.sqrt(mp.pi) * series
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def reduced_gammaln(x):
    if abs(x - 1) < mp.mpf(10) ** -25:
        return mp.euler
    return 1 - mp.euler if abs(x - 2) < mp.mpf(10) ** -25 else mp.loggamma(x) / ((x - 1) * (x - 2))


def stirling(u):
    x = 1 / mp.sqrt(u)
    return x * (mp.loggamma(x) - (x - mp.mpf(0.5)) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def reduced_digamma(x):
    root = mp.findroot(mp.digamma, 1.46)
    return mp.digamma(x) / (x - root)


def digamma_tail(u):
    x = 1 / mp.sqrt(u)
    return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))


def normal_centre(u):
    return mp.sqrt(2) * mp.erfinv(2 * mp.sqrt(u)) / mp.sqrt(u)


def normal_tail(r):
    """The quantile of exp(−r²/2), divided by r."""
    start = r - (mp.log(2 * mp.pi) + 2 * mp.log(r)) / (2 * r) if r > 2.2 else mp.mpf(0.7)
    found = mp.findroot(lambda z: mp.log(mp.erfc(z / mp.sqrt(2)) / 2) + r * r / 2, start)
    return found / r


ROOT2 = 1.4142135623730951
FITS = {
    "ERF": Fit(lambda u: mp.erf(mp.sqrt(u)) / mp.sqrt(u), "0", "1", 11),
    "ERFCX": Fit(moebius(scaled_erfcx, 3.75), "-1", "1", 28),
    "NORMAL_CENTRE": Fit(normal_centre, "0", "0.0625", 16),
    "NORMAL_TAIL": Fit(moebius(normal_tail, 8.03), "-0.6565", "0.6563", 12),
    "GAMMALN": Fit(moebius(reduced_gammaln, ROOT2), "-0.4776", "0.4776", 26),
    "GAMMA": Fit(moebius(mp.gamma, ROOT2), "-0.17157", "0.17157", 20),
    "STIRLING": Fit(stirling, "0", "0.1111111111111111", 12),
    "DIGAMMA": Fit(moebius(reduced_digamma, 2), "-0.33333333", "0.33333333", 22),
    "DIGAMMA_TAIL": Fit(digamma_tail, "0", "0.0625", 10),
}


if __name__ == "__main__":
    for name, fit in FITS.items():
        print(name, "= (", *(f"    {c!r}," for c in coefficients(fit)), ")", sep="\n")
