"""Values and derivatives where floating point is at its limits, against mpmath.

For every row of one real argument: wherever the true number can be represented, the reference and
both emitted styles, in float64 and in float32, must have it; where it overflows they must say inf,
where it vanishes 0.
"""

from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest

import graphc as gc
from graphc.language.variable import Variable
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.scalars import SCALARS
from tests.numerics import value

SIZES = [0.0, 1e-300, 1e-38, 1e-20, 1e-8, 1e-3, 0.3, 0.5, 0.999, 1.0, 1.5, 2.0, 3.7, 9.0, 20.0,
         38.0, 88.0, 89.0, 104.0, 150.0, 200.0, 710.0, 746.0, 1e4, 1e20, 1e38, 1e160,
         1e300]  # fmt: skip
POINTS = [s * x for x in SIZES for s in (1, -1)]
ABOVE_ZERO = (0.0, np.inf)
UNIT = (-1.0, 1.0)


@dataclass(frozen=True)
class Exact:
    """A function and its derivative in mpmath, where they are real, and what errors to allow.

    Errors are relative to the value or to `floor`, whichever is larger: a derivative that is
    computed from the result, as ``1 - y * y`` is, is exact relative to 1 only.
    """

    f: object
    df: object
    domain: tuple = (-np.inf, np.inf)
    floor: float = 0.0
    ulps: float = 16
    largest: float = np.inf  # the argument beyond which the oracle itself is at its end


def sg(x):
    return 1 / (1 + mp.exp(-x))


def phi(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def Phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_normal(x):
    return mp.log(Phi(x)) if x < 5 else mp.log1p(-Phi(-x))


def log1p_exp(x):
    return mp.log1p(mp.exp(x)) if x < 1000 else x


def gauss(x):
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


EXACT = {
    "negative": Exact(lambda x: -x, lambda x: -1),
    "absolute": Exact(abs, mp.sign),
    "square": Exact(lambda x: x * x, lambda x: 2 * x),
    "reciprocal": Exact(lambda x: 1 / x, lambda x: -1 / x**2, ABOVE_ZERO),
    "sqrt": Exact(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), ABOVE_ZERO),
    "cbrt": Exact(mp.cbrt, lambda x: 1 / (3 * mp.cbrt(x) ** 2), ABOVE_ZERO),
    "deg2rad": Exact(mp.radians, lambda x: mp.pi / 180),
    "rad2deg": Exact(mp.degrees, lambda x: 180 / mp.pi),
    "exp": Exact(mp.exp, mp.exp),
    "exp2": Exact(lambda x: mp.mpf(2) ** x, lambda x: mp.log(2) * mp.mpf(2) ** x),
    "expm1": Exact(mp.expm1, mp.exp, floor=1.0),
    "log": Exact(mp.log, lambda x: 1 / x, ABOVE_ZERO),
    "log2": Exact(lambda x: mp.log(x, 2), lambda x: 1 / (x * mp.log(2)), ABOVE_ZERO),
    "log10": Exact(mp.log10, lambda x: 1 / (x * mp.log(10)), ABOVE_ZERO),
    "log1p": Exact(mp.log1p, lambda x: 1 / (1 + x), (-0.9995, np.inf), ulps=2000),
    "sin": Exact(mp.sin, mp.cos),
    "cos": Exact(mp.cos, lambda x: -mp.sin(x)),
    "tan": Exact(mp.tan, lambda x: mp.sec(x) ** 2),
    "arcsin": Exact(mp.asin, lambda x: 1 / mp.sqrt(1 - x * x), UNIT),
    "arccos": Exact(mp.acos, lambda x: -1 / mp.sqrt(1 - x * x), UNIT),
    "arctan": Exact(mp.atan, lambda x: 1 / (1 + x * x)),
    "sinh": Exact(mp.sinh, mp.cosh),
    "cosh": Exact(mp.cosh, mp.sinh),
    "tanh": Exact(mp.tanh, lambda x: mp.sech(x) ** 2, floor=1.0),
    "arcsinh": Exact(mp.asinh, lambda x: 1 / mp.sqrt(1 + x * x)),
    "arccosh": Exact(mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1), (1.0, np.inf)),
    "arctanh": Exact(mp.atanh, lambda x: 1 / (1 - x * x), UNIT),
    "cosm1": Exact(lambda x: -2 * mp.sin(x / 2) ** 2, lambda x: -mp.sin(x)),
    "sinc": Exact(lambda x: mp.sinc(mp.pi * x),
        lambda x: mp.mpf(0) if x == 0 else
        (mp.cos(mp.pi * x) - mp.sinc(mp.pi * x)) / x if abs(x) > 1e-9 else -mp.pi**2 * x / 3,
        floor=1.0, largest=1e4, ulps=1e4),
    "relu": Exact(lambda x: max(x, 0), lambda x: int(x > 0)),
    "sigmoid": Exact(sg, lambda x: sg(x) * sg(-x), floor=1.0),
    "softplus": Exact(log1p_exp, sg),
    "log_sigmoid": Exact(lambda x: -log1p_exp(-x), lambda x: sg(-x)),
    "logit": Exact(lambda x: mp.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), (0.0, 0.9999),
        ulps=2000),
    "erf": Exact(mp.erf, gauss, ulps=2000),
    "erfc": Exact(mp.erfc, lambda x: -gauss(x), ulps=2000, largest=1e4),
    "erfcx": Exact(lambda x: mp.exp(x * x) * mp.erfc(x),
        lambda x: 2 * x * mp.exp(x * x) * mp.erfc(x) - gauss(0), largest=2000, ulps=64),
    "erfinv": Exact(mp.erfinv, lambda x: 1 / gauss(mp.erfinv(x)), (-0.9995, 0.9995), ulps=200),
    "ndtr": Exact(Phi, phi, ulps=2000, largest=1e4),
    "log_ndtr": Exact(log_normal, lambda x: phi(x) / Phi(x), ulps=2000, largest=1e4),
    "gamma": Exact(mp.gamma, lambda x: mp.gamma(x) * mp.digamma(x), ABOVE_ZERO, ulps=64),
    "gammaln": Exact(mp.loggamma, mp.digamma, ABOVE_ZERO),
    "digamma": Exact(mp.digamma, lambda x: mp.polygamma(1, x), ABOVE_ZERO, largest=1e38),
    "entr": Exact(lambda x: -x * mp.log(x), lambda x: -mp.log(x) - 1, ABOVE_ZERO),
    "i0": Exact(lambda x: mp.besseli(0, x), lambda x: mp.besseli(1, x), largest=1e4),
    "i0e": Exact(lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        lambda x: (mp.besseli(1, x) - mp.sign(x) * mp.besseli(0, x)) * mp.exp(-abs(x)),
        largest=1e4, ulps=64, floor=1e-3),
    "j0": Exact(lambda x: mp.besselj(0, x), lambda x: -mp.besselj(1, x), largest=1e4, floor=1.0),
    "exprel": Exact(lambda x: mp.expm1(x) / x if x else mp.mpf(1),
        lambda x: mp.mpf(0.5) if abs(x) < 1e-15 else (mp.exp(x) - mp.expm1(x) / x) / x, ulps=64,
        largest=1e4, floor=1e-3),
}  # fmt: skip
SAME_FORM = {
    "i0": lambda node: elementwise("iv", constant(0), node),
    "j0": lambda node: elementwise("jv", constant(0), node),
    "i0e": lambda node: elementwise("ive", constant(0), node),
    "exprel": lambda node: elementwise("exprel", constant(0), node),
}
LEFT_OUT = {
    # Steps, of which no derivative is taken; conversions.
    "sign", "floor", "ceil", "trunc", "rint", "real", "stop_gradient", "nan_to_num",
    # Derivatives of others, or inverses of them, tested in test_special.py.
    "ierfcx", "inverse_mills", "normal_mean_excess", "erfcinv", "ndtri",
}  # fmt: skip


def test_no_row_of_one_argument_is_left_out():
    rows = {n for n, row in SCALARS.items() if row.arity == 1 and any(row.derivatives)}
    assert rows - set(EXACT) <= LEFT_OUT
    assert set(EXACT) - rows == set(SAME_FORM)


def made_of(name):
    x = gc.observed("x", shape="n")
    y = Variable(SAME_FORM.get(name, lambda node: elementwise(name, node))(x.node), operands=(x,))
    return x, y, gc.grad(np.sum(y), x)


def ways(name, dtype):
    """What computes the value and the derivative, three times over."""
    x, y, dy = made_of(name)
    if dtype == np.float64:
        yield "reference", lambda at: value([y, dy], {x: at}, n=len(at))
    for style in ("readable", "fast"):
        yield style, gc.compile_function([x], [y, dy], dtype=dtype.__name__, style=style)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", EXACT)
def test_wherever_the_truth_can_be_represented(name, dtype):
    exact, info = EXACT[name], np.finfo(dtype)
    low, high = exact.domain
    with np.errstate(all="ignore"):
        at = np.array(POINTS, dtype)
        inside = np.isfinite(at) & (abs(at) <= exact.largest)
        inside &= (at > low) & (at < high)
        at = at[inside]
        found = {way: f(at) for way, f in ways(name, dtype)}
    with mp.workdps(700 if name in ("sin", "cos", "tan", "cosm1") else 60):
        truth = [[f(mp.mpf(float(x))) for x in at] for f in (exact.f, exact.df)]
    for way, got in found.items():
        for numbers, true, what in zip(got, truth, ("value", "derivative"), strict=True):
            floor = exact.floor if what == "derivative" or name == "sinc" else 0.0
            for x, y, z in zip(at, numbers, true, strict=True):
                judge(y, z, info, floor, exact.ulps, f"{way}, {what} at {x}")


def judge(got, true, info, floor, ulps, where):
    assert not np.isnan(got), where
    if abs(true) > info.max:
        # What is computed from an overflow may overflow a little early, but never turns its sign.
        assert np.isinf(got) or abs(got) > float(info.max) / 64, where
        assert np.sign(got) == int(mp.sign(true)), where
        return
    error = abs(mp.mpf(float(got)) - true) if np.isfinite(got) else mp.inf
    # Numbers so small that they have fewer digits may be given as 0.
    allowed = max(ulps * float(info.eps) * max(abs(true), floor), float(info.tiny))
    assert error <= allowed, f"{where}: {got} for {mp.nstr(true, 17)}"


LIMITS = {  # at -inf, inf, nan: the value, then the derivative; None where there is none
    "sigmoid": ((0, 0), (1, 0)),
    "softplus": ((0, 0), (np.inf, 1)),
    "log_sigmoid": ((-np.inf, 1), (0, 0)),
    "tanh": ((-1, 0), (1, 0)),
    "relu": ((0, 0), (np.inf, 1)),
    "absolute": ((np.inf, -1), (np.inf, 1)),
    "exp": ((0, 0), (np.inf, np.inf)),
    "expm1": ((-1, 0), (np.inf, np.inf)),
    "exp2": ((0, 0), (np.inf, np.inf)),
    "arctan": ((-np.pi / 2, 0), (np.pi / 2, 0)),
    "arcsinh": ((-np.inf, 0), (np.inf, 0)),
    "log": (None, (np.inf, 0)),
    "log2": (None, (np.inf, 0)),
    "log1p": (None, (np.inf, 0)),
    "sqrt": (None, (np.inf, 0)),
    "cbrt": ((-np.inf, 0), (np.inf, 0)),
    "erf": ((-1, 0), (1, 0)),
    "erfc": ((2, 0), (0, 0)),
    "erfcx": ((np.inf, -np.inf), (0, 0)),
    "ndtr": ((0, 0), (1, 0)),
    "log_ndtr": ((-np.inf, np.inf), (0, 0)),
    "gammaln": (None, (np.inf, np.inf)),
    "digamma": (None, (np.inf, 0)),
    "gamma": (None, (np.inf, np.inf)),
    "i0e": ((0, 0), (0, 0)),
    "exprel": ((0, 0), (np.inf, None)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_at_infinity_and_nan(name):
    at = np.array([-np.inf, np.inf, np.nan])
    for way, f in ways(name, np.float64):
        with np.errstate(all="ignore"):
            y, dy = f(at)
        for i, expected in enumerate(LIMITS[name]):
            for got, limit in zip((y[i], dy[i]), expected or (), strict=bool(expected)):
                if limit is not None:
                    np.testing.assert_allclose(got, limit, err_msg=f"{way} at {at[i]}")
        assert np.isnan(y[2])


SECOND = {
    "sigmoid": lambda x: sg(x) * sg(-x) * (sg(-x) - sg(x)),
    "softplus": lambda x: sg(x) * sg(-x),
    "log_sigmoid": lambda x: -sg(x) * sg(-x),
    "tanh": lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
    "arctan": lambda x: -2 * x / (1 + x * x) ** 2,
    "arcsinh": lambda x: -x / (1 + x * x) ** 1.5,
    "erf": lambda x: -2 * x * gauss(x),
    "ndtr": lambda x: -x * phi(x),
    "log_ndtr": lambda x: -(phi(x) / Phi(x)) * (x + phi(x) / Phi(x)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives_do_not_overflow(name, dtype):
    x, _, dy = made_of(name)
    second = gc.grad(np.sum(dy), x)
    largest = 1e4 if name == "log_ndtr" else 1e300
    with np.errstate(all="ignore"):
        at = np.array([p for p in POINTS if abs(p) <= largest], dtype)
        at = at[np.isfinite(at)]
    for style in ("readable", "fast"):
        got = gc.compile_function([x], second, dtype=dtype.__name__, style=style)(at)
        with mp.workdps(60):
            true = [float(SECOND[name](mp.mpf(float(p)))) for p in at]
        np.testing.assert_allclose(got, true, rtol=0, atol=64 * np.finfo(dtype).eps)


PAIRS = [  # function, arguments, value, derivatives; None where there is none
    ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("maximum", (3.0, 2.0), 3.0, (1, 0)),
    ("maximum", (np.inf, np.inf), np.inf, (0.5, 0.5)),
    ("maximum", (-np.inf, 0.0), 0.0, (0, 1)),
    ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("fmax", (np.nan, 2.0), 2.0, (0, 1)),
    ("fmin", (1.0, np.nan), 1.0, (1, 0)),
    ("hypot", (0.0, 0.0), 0.0, (0, 0)),
    ("hypot", (-0.0, 3.0), 3.0, (0, 1)),
    ("hypot", (1e300, 1e300), np.sqrt(2) * 1e300, (0.5**0.5, 0.5**0.5)),
    ("hypot", (3e-300, 4e-300), 5e-300, (0.6, 0.8)),
    ("hypot", (2.0, np.inf), np.inf, (0, None)),
    ("arctan2", (0.0, 0.0), 0.0, (0, 0)),
    ("arctan2", (1e-200, 1e-200), np.pi / 4, (0.5e200, -0.5e200)),
    ("arctan2", (1e200, 1e200), np.pi / 4, (0.5e-200, -0.5e-200)),
    ("arctan2", (0.0, -1.0), np.pi, (-1, 0)),
    ("logaddexp", (np.inf, 1.0), np.inf, (1, 0)),
    ("logaddexp", (-np.inf, 1.0), 1.0, (0, 1)),
    ("logaddexp", (np.inf, np.inf), np.inf, (0.5, 0.5)),
    ("logaddexp", (-np.inf, -np.inf), -np.inf, (0.5, 0.5)),
    ("logaddexp", (1e300, -1e300), 1e300, (1, 0)),
    ("logaddexp2", (1000.0, 1000.0), 1001.0, (0.5, 0.5)),
    ("logaddexp2", (-np.inf, -np.inf), -np.inf, (0.5, 0.5)),
    ("xlogy", (0.0, 0.0), 0.0, (-np.inf, 0)),
    ("xlogy", (0.0, np.inf), 0.0, (np.inf, 0)),
    ("xlogy", (2.0, 1e300), 2 * np.log(1e300), (np.log(1e300), 2e-300)),
    ("xlog1py", (0.0, -1.0), 0.0, (-np.inf, 0)),
    ("rel_entr", (0.0, 2.0), 0.0, (-np.inf, 0)),
    ("rel_entr", (1e300, 1e300), 0.0, (1, -1)),
    ("kl_div", (0.0, 2.0), 2.0, (-np.inf, 1)),
    ("power", (0.0, 0.0), 1.0, (0, -np.inf)),
    ("power", (0.0, 2.0), 0.0, (0, 0)),
    ("power", (0.0, 1.0), 0.0, (1, 0)),
    ("power", (2.0, 0.0), 1.0, (0, np.log(2))),
    ("power", (0.0, 0.5), 0.0, (np.inf, 0)),
    ("power", (-2.0, 3.0), -8.0, (12, None)),
    ("power", (-2.0, 0.0), 1.0, (0, None)),
    ("power", (1e300, 0.5), 1e150, (0.5e-150, 1e150 * np.log(1e300))),
    ("divide", (1.0, np.inf), 0.0, (0, 0)),
    ("divide", (1e300, 1e300), 1.0, (1e-300, -1e-300)),
    ("copysign", (3.0, -0.0), -3.0, (-1, None)),
    ("copysign", (0.0, 2.0), 0.0, (0, None)),
    ("heaviside", (0.0, 0.3), 0.3, (None, 1)),
    ("fmod", (-5.5, 2.0), -1.5, (1, 2)),
    ("fmod", (5.0, np.inf), 5.0, (1, 0)),
    ("remainder", (-0.5, 2.0), 1.5, (1, 1)),
    ("remainder", (5.0, np.inf), 5.0, (1, 0)),
    ("betaln", (1e15, 0.5), None, (None, None)),
]


@pytest.mark.parametrize(("name", "at", "y", "dy"), PAIRS)
def test_two_arguments(name, at, y, dy):
    a, b = gc.observed("a", shape=2), gc.observed("b", shape=2)
    made = Variable(elementwise(name, a.node, b.node), operands=(a, b))
    slopes = gc.grad(np.sum(made), [a, b], allow_unused=True)
    arrays = [np.array([x, x]) for x in at]
    for style in ("reference", "readable", "fast"):
        with np.errstate(all="ignore"):
            if style == "reference":
                got = value([made, *slopes], {a: arrays[0], b: arrays[1]})
            else:
                got = gc.compile_function([a, b], [made, *slopes], style=style)(*arrays)
        for number, expected in zip(got, (y, *dy), strict=True):
            if expected is None:
                continue
            np.testing.assert_allclose(number[0], expected, rtol=1e-14, err_msg=style)


def test_hypot_of_float32_does_not_overflow():
    a, b = gc.observed("a", shape=2), gc.observed("b", shape=2)
    naive = np.sqrt(a**2 + b**2)
    slopes = gc.grad(np.sum(naive), [a, b])
    at = np.array([1e20, 0.0], np.float32), np.array([1e20, 0.0], np.float32)
    for style in ("readable", "fast"):
        f = gc.compile_function([a, b], [naive, *slopes], dtype="float32", style=style)
        y, da, db = f(*at)
        np.testing.assert_allclose(y, [2**0.5 * 1e20, 0], rtol=1e-6)
        np.testing.assert_allclose([da, db], [[0.5**0.5, 0]] * 2, rtol=1e-6)


def test_clip_at_its_bounds():
    x = gc.observed("x", shape=5)
    for made in (np.clip(x, -1, 1), np.clip(x, -1, None)):
        f = gc.compile_function([x], [made, gc.grad(np.sum(made), x)])
        y, dy = f(np.array([-2.0, -1.0, 0.0, 1.0, -np.inf]))
        np.testing.assert_array_equal(y, [-1, -1, 0, 1, -1])
        np.testing.assert_array_equal(dy, [0, 1, 1, 1, 0])
