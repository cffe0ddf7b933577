"""Functions element by element."""

import numpy as np
import scipy.special as sp

import graphc as gc
from tests.operations.case import Case

X = np.array([-1.3, -0.4, 0.2, 0.9, 2.1])
Y = np.array([0.7, -1.9, 0.35, 1.6, -0.8])
COLUMN = np.array([[0.45], [-1.2]])
INSIDE = np.array([-0.9, -0.4, 0.15, 0.5, 0.8])
POSITIVE = np.array([0.15, 0.6, 1.3, 2.8, 7.5])
OTHER = np.array([1.7, 0.3, 4.1, 0.9, 2.2])
PROBABILITY = np.array([0.03, 0.2, 0.55, 0.7, 0.96])
LARGE = np.array([-300.0, -20.5, 0.1, 35.0, 400.0])
WITH_NAN = np.array([np.nan, -1.0, 2.0, np.inf, -np.inf])
INTEGER = np.array([-7, -2, 1, 4, 9])
COUNT = np.array([3, 1, 2, 5, 4])
FLAG = np.array([True, False, True, True, False])
FLAG2 = np.array([True, True, False, True, False])


def jax_of(path):
    """A function below ``jax``, looked up when it is called."""

    def call(*arrays):
        import jax

        found = jax
        for name in path.split("."):
            found = getattr(found, name)
        return found(*arrays)

    return call


def jnp(name):
    return jax_of(f"numpy.{name}")


def jsp(name):
    return jax_of(f"scipy.special.{name}")


def numpy_cases(group, arguments, names, second=True, **options):
    """Functions that JAX has under NumPy's own name."""
    return [
        Case(f"np.{name}", group, getattr(np, name), jnp(name), arguments, second, **options)
        for name in names.split()
    ]


def scipy_cases(group, arguments, names, second=True, **options):
    """Ufuncs of SciPy's, which dispatch on variables."""
    return [
        Case(f"scipy.special.{name}", group, getattr(sp, name), jsp(name), arguments, second,
             **options)
        for name in names.split()
    ]  # fmt: skip


def operator(name, build, arguments, second=True, **options):
    return Case(name, "operators", build, build, arguments, second, **options)


def values(name, group, build, oracle, arguments):
    """Values alone, against NumPy or SciPy."""
    return Case(name, group, build, oracle, arguments, differentiable=False, framework="numpy")


def same(group, arguments, names):
    """Functions without derivatives, against NumPy's own."""
    return [
        values(f"np.{n}", group, getattr(np, n), getattr(np, n), arguments) for n in names.split()
    ]


ARITHMETIC = [
    operator("x + y", lambda x, y: x + y, (X, COLUMN)),
    operator("x - y", lambda x, y: x - y, (X, COLUMN)),
    operator("x * y", lambda x, y: x * y, (X, COLUMN)),
    operator("x / y", lambda x, y: x / y, (X, POSITIVE)),
    operator("x ** y", lambda x, y: x**y, (POSITIVE, X)),
    operator("x ** 3", lambda x: x**3, (X,)),
    operator("x ** -2", lambda x: x**-2.0, (X,)),
    operator("x ** 0.5", lambda x: x**0.5, (POSITIVE,)),
    operator("2 ** x", lambda x: 2.0**x, (X,)),
    operator("-x", lambda x: -x, (X,)),
    operator("+x", lambda x: +x, (X,)),
    operator("abs(x)", abs, (X,)),
    operator("x % y", lambda x, y: x % y, (X, OTHER), second=False),
    values("x // y", "operators", lambda x, y: x // y, lambda x, y: x // y, (X, OTHER)),
    values("round(x, 1)", "operators", lambda x: round(x, 1), lambda x: np.round(x, 1), (X,)),
    values("x & y", "operators", lambda x, y: x & y, lambda x, y: x & y, (INTEGER, COUNT)),
    values("x | y", "operators", lambda x, y: x | y, lambda x, y: x | y, (INTEGER, COUNT)),
    values("x ^ y", "operators", lambda x, y: x ^ y, lambda x, y: x ^ y, (INTEGER, COUNT)),
    values("~x", "operators", lambda x: ~x, lambda x: ~x, (FLAG,)),
    values("x << y", "operators", lambda x, y: x << y, lambda x, y: x << y, (INTEGER, COUNT)),
    values("x >> y", "operators", lambda x, y: x >> y, lambda x, y: x >> y, (INTEGER, COUNT)),
    values("x < y", "operators", lambda x, y: x < y, lambda x, y: x < y, (X, Y)),
    values("x <= y", "operators", lambda x, y: x <= y, lambda x, y: x <= y, (X, X)),
    values("x > y", "operators", lambda x, y: x > y, lambda x, y: x > y, (X, Y)),
    values("x >= y", "operators", lambda x, y: x >= y, lambda x, y: x >= y, (X, X)),
    values("x == y", "operators", lambda x, y: x == y, lambda x, y: x == y, (X, X)),
    values("x != y", "operators", lambda x, y: x != y, lambda x, y: x != y, (X, Y)),
    *numpy_cases("arithmetic", (X, COLUMN), "add subtract multiply"),
    *numpy_cases("arithmetic", (X, POSITIVE), "divide true_divide"),
    *numpy_cases("arithmetic", (X,), "negative positive square reciprocal conjugate"),
    *numpy_cases("arithmetic", (X, OTHER), "remainder mod fmod", second=False),
    Case("divmod", "arithmetic", divmod, jnp("divmod"), (X, OTHER)),
    Case("np.divmod", "arithmetic", np.divmod, jnp("divmod"), (X, OTHER)),
    Case("np.modf", "arithmetic", np.modf, jnp("modf"), (X,)),
    *same("arithmetic", (INTEGER, COUNT), "gcd lcm floor_divide left_shift right_shift"),
    *same("arithmetic", (INTEGER, COUNT), "bitwise_and bitwise_or bitwise_xor"),
    *same("arithmetic", (INTEGER,), "invert"),
]
POWERS = [
    *numpy_cases("powers", (POSITIVE, X), "power float_power"),
    *numpy_cases("powers", (POSITIVE,), "sqrt cbrt"),
    *numpy_cases("powers", (X, Y), "hypot"),
    Case("np.ldexp", "powers", np.ldexp, jnp("ldexp"), (X, COUNT)),
]
EXPONENTIALS = [
    *numpy_cases("exponentials and logarithms", (X,), "exp exp2 expm1"),
    *numpy_cases("exponentials and logarithms", (POSITIVE,), "log log2 log10 log1p"),
    *numpy_cases("exponentials and logarithms", (X, Y), "logaddexp logaddexp2"),
    *scipy_cases("exponentials and logarithms", (X,), "expit"),
    *scipy_cases("exponentials and logarithms", (PROBABILITY,), "logit"),
    Case("scipy.special.log_expit", "exponentials and logarithms", sp.log_expit,
         jax_of("nn.log_sigmoid"), (X,), second=True),
    Case("gc.sigmoid", "exponentials and logarithms", gc.sigmoid, jax_of("nn.sigmoid"), (X,), True),
    Case("gc.softplus", "exponentials and logarithms", gc.softplus, jax_of("nn.softplus"),
         (LARGE,), second=True),
    Case("gc.log_sigmoid", "exponentials and logarithms", gc.log_sigmoid,
         jax_of("nn.log_sigmoid"), (LARGE,), second=True),
    Case("scipy.special.exprel", "exponentials and logarithms", sp.exprel,
         lambda x: (jnp("exp")(x) - 1) / x, (X,), second=True),
    Case("scipy.special.cosm1", "exponentials and logarithms", sp.cosm1,
         lambda x: jnp("cos")(x) - 1, (X,), second=True),
    Case("scipy.special.expm1", "exponentials and logarithms", sp.expm1, jnp("expm1"), (X,), True),
    Case("scipy.special.log1p", "exponentials and logarithms", sp.log1p, jnp("log1p"),
         (POSITIVE,), second=True),
]  # fmt: skip
TRIGONOMETRIC = [
    *numpy_cases("trigonometric functions", (X,), "sin cos tan arctan deg2rad rad2deg degrees"),
    *numpy_cases("trigonometric functions", (X,), "radians sinc"),
    *numpy_cases("trigonometric functions", (INSIDE,), "arcsin arccos"),
    *numpy_cases("trigonometric functions", (X, Y), "arctan2"),
    *numpy_cases("hyperbolic functions", (X,), "sinh cosh tanh arcsinh"),
    *numpy_cases("hyperbolic functions", (1 + POSITIVE,), "arccosh"),
    *numpy_cases("hyperbolic functions", (INSIDE,), "arctanh"),
]
PIECEWISE = [
    *numpy_cases("with kinks", (X,), "absolute abs fabs"),
    *numpy_cases("with kinks", (X, COLUMN), "maximum minimum fmax fmin"),
    *numpy_cases("with kinks", (X, Y), "copysign heaviside", second=False),
    Case("np.fmax", "with nan", np.fmax, np.fmax, (WITH_NAN, X), differentiable=False,
         framework="numpy"),
    Case("np.clip(x, a, b)", "with kinks", lambda x, a, b: np.clip(x, a, b), jnp("clip"),
         (X, X - 1 + Y / 5, np.array([-2.0, 0.1, 0.1, 1.2, 0.4])), second=True),
    Case("np.clip(x, -1, 1)", "with kinks", lambda x: np.clip(x, -1, 1),
         lambda x: jnp("clip")(x, -1, 1), (X,), second=True),
    Case("np.clip(x, min=0)", "with kinks", lambda x: np.clip(x, min=0),
         lambda x: jnp("clip")(x, 0), (X,)),
    Case("np.where", "with kinks", np.where, jnp("where"), (FLAG, X, Y), second=True),
    Case("gc.relu", "with kinks", gc.relu, jax_of("nn.relu"), (X,)),
    Case("np.nan_to_num", "with kinks", np.nan_to_num, jnp("nan_to_num"), (WITH_NAN,)),
    Case("np.nan_to_num(nan=1, posinf=2, neginf=3)", "with kinks",
         lambda x: np.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0),
         lambda x: np.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0), (WITH_NAN,),
         differentiable=False, framework="numpy"),
    *same("steps", (10 * X,), "sign floor ceil trunc rint fix round around"),
    *same("of integers", (INTEGER,), "sign floor ceil trunc absolute square round"),
]  # fmt: skip
LOGIC = [
    *same("comparison and logic", (X, Y), "greater greater_equal less less_equal equal"),
    *same("comparison and logic", (X, Y), "not_equal isclose"),
    *same("comparison and logic", (FLAG, FLAG2), "logical_and logical_or logical_xor"),
    *same("comparison and logic", (FLAG,), "logical_not"),
    *same("comparison and logic", (WITH_NAN,), "isfinite isnan isinf signbit isposinf isneginf"),
]
SPECIAL = [
    *scipy_cases("error functions", (X,), "erf erfc ndtr log_ndtr"),
    *scipy_cases("error functions", (INSIDE,), "erfinv"),
    *scipy_cases("error functions", (PROBABILITY,), "ndtri"),
    Case("scipy.special.erfcx", "error functions", sp.erfcx,
         lambda x: jnp("exp")(x * x) * jsp("erfc")(x), (X,), second=True),
    Case("scipy.special.erfcinv", "error functions", sp.erfcinv,
         lambda x: jsp("erfinv")(1 - x), (PROBABILITY,), second=True),
    *scipy_cases("gamma family", (POSITIVE,), "gammaln digamma", tolerance=1e-9),
    *scipy_cases("gamma family", (POSITIVE,), "gamma"),
    *scipy_cases("gamma family", (POSITIVE, OTHER), "beta betaln", tolerance=1e-9),
    Case("scipy.special.psi", "gamma family", sp.psi, jsp("digamma"), (POSITIVE,), second=True),
    Case("gc.polygamma(1, x)", "gamma family", lambda x: gc.polygamma(1, x),
         lambda x: jsp("polygamma")(1, x), (POSITIVE,), second=True),
    Case("gc.polygamma(2, x)", "gamma family", lambda x: gc.polygamma(2, x),
         lambda x: jsp("polygamma")(2, x), (POSITIVE,), second=True),
    *scipy_cases("entropies", (POSITIVE, OTHER), "xlogy xlog1py rel_entr kl_div"),
    *scipy_cases("entropies", (POSITIVE,), "entr"),
    *scipy_cases("Bessel functions", (X,), "i0 i0e i1 i1e", tolerance=1e-9,
                 ),
    Case("np.i0", "Bessel functions", np.i0, jsp("i0"), (X,), True),
]  # fmt: skip
OWN_NAMES = [  # the same nodes as SciPy's ufuncs build, so values suffice
    values(f"gc.{name}", "graphc's own names", lambda *v, name=name: getattr(gc, name)(*v),
           getattr(sp, name), arguments)
    for names, arguments in [
        ("erf erfc erfcx expit log_expit exprel cosm1 ndtr log_ndtr i0 i0e i1 i1e j0 j1", (X,)),
        ("erfinv", (INSIDE,)),
        ("gamma gammaln digamma entr", (POSITIVE,)),
        ("beta betaln xlogy xlog1py rel_entr", (POSITIVE, OTHER)),
        ("logit ndtri erfcinv", (PROBABILITY,)),
    ]
    for name in names.split()
]  # fmt: skip
OWN_FUNCTIONS = [
    Case("gc.elementwise", "own functions", lambda x, y: own_function()(x, y),
         lambda x, y: jnp("tanh")(x * y) + jnp("sqrt")(1 + x**2) * jsp("erf")(y), (X, COLUMN),
         second=True),
]  # fmt: skip


def own_function():
    import sympy

    x, y = sympy.symbols("x y", real=True)
    return gc.elementwise(sympy.tanh(x * y) + sympy.sqrt(1 + x**2) * sympy.erf(y), (x, y))


CASES = [
    *ARITHMETIC, *POWERS, *EXPONENTIALS, *TRIGONOMETRIC, *PIECEWISE, *LOGIC, *SPECIAL, *OWN_NAMES,
    *OWN_FUNCTIONS,
]  # fmt: skip
