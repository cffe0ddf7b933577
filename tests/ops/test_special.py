"""The special functions that emitted files carry, against mpmath: errors in ulp.

`measure` with more points gives the largest errors that the docstrings state; the test repeats it
with fewer.
"""

from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest

from graphc.ops.special import bessel, elementary, erf, gamma
from tests.ops.fitting import FITS, coefficients

TINY = 10.0 ** np.arange(-300, -1, 7)


def spread(low, high, count):
    """Points of an interval that no sum of powers of two hits, the same in every run."""
    return low + (high - low) * ((np.arange(count) * 0.6180339887498949 + 0.1234567) % 1)


def both(positive):
    return lambda count: np.concatenate([positive(count), -positive(count)])


def ranges(*bounds, more=()):
    def points(count):
        return np.concatenate([*(spread(a, b, count) for a, b in bounds), np.asarray(more, float)])

    return points


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def mills(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) / normal(x)


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def quantile(p):
    """The normal quantile, by bisection of the logarithm and Newton's method."""
    if p > 0.5:
        return -quantile(1 - p)
    start = mp.mpf(float(erf.ndtri(np.float64(p))))
    with mp.workdps(60):
        for _ in range(4):
            tail = normal(start)
            start -= tail * mp.log(tail / p) * mp.sqrt(2 * mp.pi) * mp.exp(start * start / 2)
    return start


def erfinv(x):
    return quantile((1 + x) / 2) / mp.sqrt(2)


@dataclass(frozen=True)
class Subject:
    """A function, its exact value, its points, and the largest error in ulp that is allowed.

    Errors count relative to `floor` where values are smaller.
    """

    function: object
    exact: object
    points: object
    bound: float
    floor: float = 0.0


SUBJECTS = {
    "logit": Subject(elementary.logit, lambda x: mp.log(x / (1 - x)),
        ranges((0, 1), (0.45, 0.55), more=TINY), 4),
    "cosm1": Subject(elementary.cosm1, lambda x: -2 * mp.sin(x / 2) ** 2,
        both(ranges((0, 10), (0, 1000), more=TINY)), 4),
    "exprel": Subject(lambda x: elementary.exprel(0, x), lambda x: mp.expm1(x) / x,
        both(ranges((0, 10), (0, 700), more=TINY)), 4),
    "exprel_2": Subject(lambda x: elementary.exprel(2, x),
        lambda x: (mp.exp(x) * (x * x - 2 * x + 2) - 2) / x**3,
        both(ranges((0, 10), (0, 700))), 12),
    "erf": Subject(erf.erf, mp.erf, both(ranges((0, 6), (0, 1), more=TINY)), 4),
    "erfc": Subject(erf.erfc, mp.erfc, ranges((-6, 2), (0, 26.5), more=TINY), 8),
    "erfcx": Subject(erf.erfcx, erfcx, ranges((-26, 0), (0, 30), (0, 1000), more=TINY), 8),
    "ierfcx": Subject(erf.ierfcx, lambda x: 1 / mp.sqrt(mp.pi) - x * erfcx(x),
        ranges((-26, 0), (0, 3), (0, 1000)), 30),
    "ndtr": Subject(erf.ndtr, normal, ranges((-37.5, 10), (-3, 3), more=TINY), 8),
    "log_ndtr": Subject(erf.log_ndtr, lambda x: mp.log(normal(x)),
        ranges((-40, 10), (-2000, 0), (-2, 2), more=(-1e4, -1e8)), 8),
    "inverse_mills": Subject(erf.inverse_mills, mills, ranges((-40, 5), (-2000, 0)), 40),
    "normal_mean_excess": Subject(erf.normal_mean_excess, lambda x: x + mills(x),
        ranges((-40, 40), (-2000, 0)), 30),
    "ndtri": Subject(erf.ndtri, quantile,
        ranges((0, 1), (0.2, 0.8), more=10.0 ** np.arange(-300, 0, 9)), 6),
    "erfinv": Subject(erf.erfinv, mp.erfinv, both(ranges((0, 1), more=TINY)), 6),
    "erfcinv": Subject(erf.erfcinv, lambda x: erfinv(1 - x), ranges((0.01, 1.99)), 6),
    "gamma": Subject(gamma.gamma, mp.gamma,
        ranges((0, 6), (0, 171), (-20, 0), (-160, 0), more=TINY), 16),
    "gammaln": Subject(gamma.gammaln, mp.loggamma,
        ranges((0, 5), (0, 100), (0.9, 1.1), (1.9, 2.1), more=[*TINY, 1e10, 1e100, 1e300]), 8),
    "gammaln_negative": Subject(gamma.gammaln, lambda x: mp.log(abs(mp.gamma(x))),
        ranges((-20, 0)), 16, 1.0),
    "digamma": Subject(gamma.digamma, mp.digamma,
        ranges((0, 5), (1.4, 1.5), (0, 1000), more=[*TINY, 1e10, 1e300]), 8),
    "digamma_negative": Subject(gamma.digamma, mp.digamma, ranges((-20, 0)), 40, 1.0),
    "polygamma": Subject(lambda x: gamma.polygamma(1, x), lambda x: mp.polygamma(1, x),
        ranges((0, 5), (0, 1000), more=[1e10, 1e100]), 8),
    "polygamma_4": Subject(lambda x: gamma.polygamma(4, x), lambda x: mp.polygamma(4, x),
        ranges((0, 5), (0, 1000)), 30),
    "ive": Subject(lambda x: bessel.ive(0, x), lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        both(ranges((0, 60), (0, 1000), more=TINY)), 16),
    "ive_1": Subject(lambda x: bessel.ive(1, x), lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        both(ranges((0, 60), (0, 1000), more=TINY)), 16),
    "iv": Subject(lambda x: bessel.iv(0, x), lambda x: mp.besseli(0, x),
        ranges((0, 60), (0, 713), more=TINY), 16),
    "jv": Subject(lambda x: bessel.jv(0, x), lambda x: mp.besselj(0, x),
        both(ranges((0, 30), (0, 1000), more=TINY)), 10, 0.15),
    "jv_1": Subject(lambda x: bessel.jv(1, x), lambda x: mp.besselj(1, x),
        both(ranges((2, 30), (0, 1000))), 10, 0.15),
    "jv_1_small": Subject(lambda x: bessel.jv(1, x), lambda x: mp.besselj(1, x),
        both(ranges((0, 2), more=TINY)), 4),
    "jv_5": Subject(lambda x: bessel.jv(5, x), lambda x: mp.besselj(5, x),
        ranges((0, 30), (0, 1000)), 10, 0.15),
    "spherical_jn": Subject(lambda x: bessel.spherical_jn(1, x),
        lambda x: mp.sqrt(mp.pi / (2 * x)) * mp.besselj(1.5, x), ranges((0, 20)), 8, 0.01),
}  # fmt: skip


def largest_error(subject, count):
    """The largest error in ulp, and where it is."""
    points = subject.points(count)
    with np.errstate(all="ignore"):
        got = subject.function(points)
    worst, where = 0.0, None
    with mp.workdps(40):
        for x, y in zip(points, got, strict=True):
            exact = subject.exact(mp.mpf(float(x)))
            size = max(abs(float(exact)), subject.floor)
            if size < 1e-290 or not np.isfinite(size):
                continue
            error = float(abs(mp.mpf(float(y)) - exact) / np.spacing(size))
            assert error == error, x
            if error > worst:
                worst, where = error, x
    return worst, where


@pytest.mark.parametrize("name", SUBJECTS)
def test_error_in_units_of_the_last_place(name):
    worst, where = largest_error(SUBJECTS[name], 60)
    assert worst <= SUBJECTS[name].bound, where


PAIRS = {
    "betaln": Subject(gamma.betaln, lambda a, b: mp.log(abs(mp.beta(a, b))), None, 24, 1.0),
    "beta": Subject(gamma.beta, mp.beta, None, 40),
    "rel_entr": Subject(elementary.rel_entr, lambda x, y: x * mp.log(x / y), None, 8),
    "kl_div": Subject(elementary.kl_div, lambda x, y: x * mp.log(x / y) - x + y, None, 16),
    "xlogy": Subject(elementary.xlogy, lambda x, y: x * mp.log(y), None, 4),
    "xlog1py": Subject(elementary.xlog1py, lambda x, y: x * mp.log1p(y), None, 4),
}


def largest_error_of_pairs(subject, count):
    """As :func:`largest_error`, over squares of several sizes and a band around the diagonal."""
    a = np.concatenate([spread(0.0, size, count) for size in (1, 10, 50)])
    b = np.roll(a, 7) * 1.1
    close = a * (1 + spread(-1e-3, 1e-3, len(a)))
    worst, where = 0.0, None
    with mp.workdps(60), np.errstate(all="ignore"):
        for x, y in [*zip(a, b, strict=True), *zip(a, close, strict=True)]:
            exact = subject.exact(mp.mpf(float(x)), mp.mpf(float(y)))
            size = max(abs(float(exact)), subject.floor)
            got = mp.mpf(float(subject.function(x, y)))
            error = float(abs(got - exact) / np.spacing(size))
            if error > worst:
                worst, where = error, (x, y)
    return worst, where


@pytest.mark.parametrize("name", PAIRS)
def test_error_of_two_arguments(name):
    worst, where = largest_error_of_pairs(PAIRS[name], 25)
    assert worst <= PAIRS[name].bound, where


def test_betaln_of_large_arguments():
    """The logarithms of three gamma functions would cancel to the last digit."""
    for a, b in [(2.0, 1e12), (0.5, 1e15), (1e8, 1e8), (1e300, 3.0), (30.0, 1e10)]:
        with mp.workdps(400):
            exact = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(mp.mpf(a) + mp.mpf(b))
            exact = float(exact)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(gamma.betaln(a, b), exact, rtol=4e-15)
            np.testing.assert_allclose(gamma.betaln(b, a), exact, rtol=4e-15)


@pytest.mark.parametrize("name", FITS)
def test_polynomials_come_from_their_fits(name):
    """As polynomials: single coefficients of high powers depend on the last digits of the ends."""
    stated = getattr(erf, name, None) or getattr(gamma, name)
    fitted = coefficients(FITS[name])
    assert len(stated) == len(fitted)
    t = np.linspace(float(FITS[name].low), float(FITS[name].high), 41)
    rtol = 1e-7 if name == "NORMAL_TAIL" else 2e-15  # the first is only where Newton starts
    np.testing.assert_allclose(
        elementary.polynomial(t, stated), elementary.polynomial(t, fitted), rtol=rtol
    )
