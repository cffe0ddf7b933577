"""Every row of the table of scalar functions, against SymPy, central differences and mpmath."""

import mpmath
import numpy as np
import pytest
import sympy

from graphc.calculus.formulas_sympy import sympy_function
from graphc.calculus.reverse import gradient, reaches
from graphc.ir.terms import Add, Apply, Mul, Num, Symbol
from graphc.ops.elementwise import derivative, elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.scalars import SCALARS
from graphc.types import TensorType
from tests.numerics import check_batching, close, value

INF, NAN = float("inf"), float("nan")

# Rows whose derivative SymPy cannot confirm: kinks, and two whose argument is a condition or order.
NUMERICALLY = {
    "relu", "absolute", "maximum", "minimum", "fmax", "fmin", "clip", "remainder", "fmod", "where",
    "copysign", "heaviside", "ldexp", "nan_to_num", "polygamma", "iv", "ive", "jv",
    "exprel", "spherical_jn", "sinc", "cbrt", "betaln",
}  # fmt: skip
CONSTANT = {name for name, row in SCALARS.items() if not any(row.derivatives) and row.arity}
SYMBOLIC = sorted(set(SCALARS) - NUMERICALLY - CONSTANT - {"pi"})


def to_sympy(term, symbols):
    """A term of the scalar language in SymPy's."""
    if isinstance(term, Num):
        return sympy.nsimplify(term.value)
    if isinstance(term, Symbol):
        return symbols[term.name]
    if isinstance(term, Add):
        return sum(to_sympy(t, symbols) for t in term.terms)
    if isinstance(term, Mul):
        return sympy.prod([to_sympy(t, symbols) for t in term.factors])
    assert isinstance(term, Apply)
    args = [to_sympy(t, symbols) for t in term.args]
    match term.function, args:
        case "where", [condition, a, b]:
            return sympy.Piecewise((a, condition), (b, True))
        case "equal", [a, b]:
            return sympy.Eq(a, b)
    return sympy_function(term.function)(*args)


@pytest.mark.parametrize("name", SYMBOLIC)
def test_derivatives_are_sympys(name):
    symbols = sympy.symbols("a b c", positive=True)[: SCALARS[name].arity]
    known = sympy_function(name)(*symbols)
    for i, x in enumerate(symbols):
        term = derivative(name, i, [Symbol(s.name) for s in symbols], Symbol("y"))
        ours = to_sympy(term, {s.name: s for s in symbols} | {"y": known})
        difference = ours - sympy.diff(known, x)
        if sympy.simplify(difference.rewrite(sympy.exp)) != 0:
            at = {s: sympy.Rational(3 + k, 7) for k, s in enumerate(symbols)}
            assert abs(difference.subs(at).evalf(30)) < 1e-25, (name, i)


@pytest.mark.parametrize("name", sorted(set(SCALARS) - {"pi", "where"}))
def test_sympy_means_the_same_function(name):
    """The name that a formula prints for SymPy has the value that code computes."""
    row = SCALARS[name]
    made = sympy_function(name)
    if isinstance(made, sympy.core.function.UndefinedFunction):
        assert name in {"isfinite", "isnan", "isinf", "signbit", "nan_to_num", "rint", "invert",
                        "bitwise_and", "bitwise_or", "bitwise_xor",
                        "gcd", "lcm"}  # fmt: skip  # SymPy's are of polynomials
        return
    at = orders(row, [low + (high - low) * 0.37 for low, high in bounds(row)])
    if name.startswith("logical"):
        at = [1] * row.arity
    if name in ("left_shift", "right_shift", "ldexp"):
        at = [12, 3]
    got = made(*(sympy.nsimplify(x) for x in at))
    np.testing.assert_allclose(float(got), float(row.evaluate(*at)), rtol=1e-12)


def bounds(row):
    return row.domain or ((-3.0, 3.0),) * row.arity


def orders(row, at):
    """Put a whole number where a function wants one."""
    return [1 if i in row.discrete else x for i, x in enumerate(at)]


def points(row, count=7):
    rng = np.random.default_rng(5)
    return [rng.uniform(low, high, count) for low, high in bounds(row)]


SMOOTH = sorted(set(SCALARS) - CONSTANT - {"pi", "where", "heaviside", "nan_to_num"})


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_numerically_to_second_order(name):
    row = SCALARS[name]
    reals = [i for i in range(row.arity) if i not in row.discrete]
    nodes = [new_input(TensorType(())) for _ in range(row.arity)]
    args = [nodes[i] if i in reals else constant(2) for i in range(row.arity)]
    wrt = [nodes[i] for i in reals if row.derivatives[i] is not None]
    firsts = gradient([elementwise(name, *args)], [constant(1.0)], wrt)
    for at in zip(*points(row), strict=True):
        at = [x if i in reals else 2 for i, x in enumerate(at)]
        feed = {nodes[i]: at[i] for i in reals}
        for x, first in zip(wrt, firsts, strict=True):
            i = nodes.index(x)
            close(value(first, feed), slope(lambda *x: row.evaluate(*x), at, i), 1e-8, name)
            seconds = gradient([first], [constant(1.0)], wrt)
            for x2, second in zip(wrt, seconds, strict=True):

                def along(*x, first=first):
                    return value(first, {nodes[k]: x[k] for k in reals})

                expected = slope(along, at, nodes.index(x2))
                close(value(second, feed), expected, 1e-7, f"{name} twice")


def slope(f, at, i, h=1e-4):
    def by(step):
        moved = [list(at), list(at)]
        moved[0][i] += step
        moved[1][i] -= step
        with np.errstate(all="ignore"):
            return (f(*moved[0]) - f(*moved[1])) / (2 * step)

    return (4 * by(h / 2) - by(h)) / 3


INTEGERS = (
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "gcd", "lcm",
    "ldexp",
)  # fmt: skip
ORDERED = ("polygamma", "iv", "ive", "jv", "exprel", "spherical_jn")


@pytest.mark.parametrize("name", [name for name in SCALARS if name != "pi"])
def test_every_row_has_a_sample_axis(name):
    row = SCALARS[name]
    data = [np.random.default_rng(i).uniform(0.1, 0.9, (2, 3)) for i in range(row.arity)]
    if name == "where":
        data[0] = data[0] > 0.5
    if name in INTEGERS:
        data = [(10 * x).astype(int) for x in data]
    if name in ORDERED:
        check_batching(lambda x: elementwise(name, constant(2), x), data[1])
        return
    check_batching(lambda *x: elementwise(name, *x), *data)
    if row.arity == 2:
        check_batching(lambda *x: elementwise(name, *x), data[0], data[1][0])


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_piecewise_constant_functions_cut(name):
    row = SCALARS[name]
    kind = "integer" if name in INTEGERS else "real"
    nodes = [new_input(TensorType((), kind)) for _ in range(row.arity)]
    made = elementwise(name, *nodes)
    assert not any(reaches(made, x) for x in nodes)


@pytest.mark.parametrize("name", [n for n, row in SCALARS.items() if row.ufunc])
def test_values_are_numpys(name):
    row = SCALARS[name]
    data = points(row)
    if name.startswith("logical"):
        data = [x > 0 for x in data]
    if name in INTEGERS:
        data = [abs(10 * x).astype(int) for x in data]
    kinds = [{"b": "boolean", "f": "real", "i": "integer"}[x.dtype.kind] for x in data]
    nodes = [new_input(TensorType(x.shape, k)) for x, k in zip(data, kinds, strict=True)]
    got = value(elementwise(name, *nodes), dict(zip(nodes, data, strict=True)))
    expected = getattr(np, row.ufunc)(*data)
    np.testing.assert_array_equal(got, expected)
    assert got.dtype.kind == np.asarray(expected).dtype.kind
    assert {"real": "f", "boolean": "b", "integer": "i"}[elementwise(name, *nodes).kind] == (
        got.dtype.kind
    )


# Values and derivatives where floating point is at its limits: (x, value, derivative).
HARD = {
    "sigmoid": [
        (0.0, 0.5, 0.25), (1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0), (1e300, 1.0, 0.0),
        (-1e300, 0.0, 0.0), (INF, 1.0, 0.0), (-INF, 0.0, 0.0), (NAN, NAN, NAN),
    ],
    "softplus": [
        (0.0, np.log(2), 0.5), (1000.0, 1000.0, 1.0), (-1000.0, 0.0, 0.0), (1e300, 1e300, 1.0),
        (-1e300, 0.0, 0.0), (INF, INF, 1.0), (-INF, 0.0, 0.0), (NAN, NAN, NAN),
    ],
    "log_sigmoid": [
        (0.0, -np.log(2), 0.5), (1000.0, 0.0, 0.0), (-1000.0, -1000.0, 1.0), (1e300, 0.0, 0.0),
        (-1e300, -1e300, 1.0), (INF, 0.0, 0.0), (-INF, -INF, 1.0), (NAN, NAN, NAN),
    ],
    "relu": [
        (0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (1e300, 1e300, 1.0), (-1e300, 0.0, 0.0),
        (INF, INF, 1.0), (-INF, 0.0, 0.0), (NAN, NAN, 0.0), (5e-324, 5e-324, 1.0),
    ],
    "tanh": [
        (0.0, 0.0, 1.0), (1e300, 1.0, 0.0), (-1e300, -1.0, 0.0), (INF, 1.0, 0.0),
        (-INF, -1.0, 0.0), (NAN, NAN, NAN),
    ],
    "absolute": [
        (0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (-1e300, 1e300, -1.0), (INF, INF, 1.0),
        (-INF, INF, -1.0), (NAN, NAN, NAN),
    ],
    "arctan": [(0.0, 0.0, 1.0), (1e300, np.pi / 2, 0.0), (-INF, -np.pi / 2, 0.0)],
    "exp": [(0.0, 1.0, 1.0), (-1e300, 0.0, 0.0), (-INF, 0.0, 0.0), (INF, INF, INF)],
    "expm1": [(0.0, 0.0, 1.0), (-INF, -1.0, 0.0), (1e-300, 1e-300, 1.0)],
    "log": [(0.0, -INF, INF), (INF, INF, 0.0), (1e300, np.log(1e300), 1e-300)],
    "log1p": [(0.0, 0.0, 1.0), (-1.0, -INF, INF), (INF, INF, 0.0), (1e-300, 1e-300, 1.0)],
    "sqrt": [(0.0, 0.0, INF), (INF, INF, 0.0), (1e300, 1e150, 0.5e-150)],
    "square": [(0.0, 0.0, 0.0), (-1e300, INF, -2e300)],
    "sin": [(0.0, 0.0, 1.0)],
    "cosh": [(0.0, 1.0, 0.0), (-INF, INF, -INF)],
    "negative": [(0.0, -0.0, -1.0), (INF, -INF, -1.0)],
    "reciprocal": [(INF, 0.0, 0.0), (1e300, 1e-300, 0.0)],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "x", "y", "dy"), [(name, *row) for name, rows in HARD.items() for row in rows]
)
def test_hard_points(name, x, y, dy):
    node = new_input(TensorType(()))
    made = elementwise(name, node)
    (slope_,) = gradient([made], [constant(1.0)], [node])
    got = value([made, slope_], {node: x})
    np.testing.assert_allclose(got, (y, dy), rtol=1e-15, atol=1e-320)


@pytest.mark.parametrize(
    ("name", "at", "y", "dy"),
    [
        ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)),
        ("maximum", (3.0, 2.0), 3.0, (1, 0)),
        ("maximum", (INF, INF), INF, (0.5, 0.5)),
        ("maximum", (-INF, 0.0), 0.0, (0, 1)),
        ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
        ("minimum", (3.0, 2.0), 2.0, (0, 1)),
        ("power", (0.0, 2.0), 0.0, (0, 0)),
        ("power", (0.0, 1.0), 0.0, (1, 0)),
        ("power", (2.0, 0.0), 1.0, (0, np.log(2))),
        ("power", (0.0, 0.5), 0.0, (INF, 0)),
        ("divide", (1.0, INF), 0.0, (0, 0)),
        ("divide", (0.0, 2.0), 0.0, (0.5, 0)),
        ("remainder", (5.5, 2.0), 1.5, (1, -2)),
        ("remainder", (-0.5, 2.0), 1.5, (1, 1)),
    ],
)
def test_hard_points_of_two_arguments(name, at, y, dy):
    nodes = [new_input(TensorType(())) for _ in at]
    made = elementwise(name, *nodes)
    got = value(
        [made, *gradient([made], [constant(1.0)], nodes)], dict(zip(nodes, at, strict=True))
    )
    np.testing.assert_allclose(got, (y, *dy), rtol=1e-15)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3])
def test_whole_powers_at_zero(exponent):
    """Every derivative of a whole power at 0 is a number, though 0**-1 is none."""
    x = new_input(TensorType(()))
    node, factor = elementwise("power", x, constant(float(exponent))), 1.0
    for order in range(5):
        expected = factor if order == exponent else 0.0
        assert value(node, {x: 0.0}) == expected, order
        (node,) = gradient([node], [constant(1.0)], [x])
        factor *= exponent - order


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "log_sigmoid"])
@pytest.mark.parametrize("x", [-745.0, -300.0, -40.0, -1.0, 1e-8, 1.0, 20.0, 36.0, 700.0])
def test_stable_functions_to_full_accuracy(name, x):
    with mpmath.workdps(400):
        e = mpmath.exp(-mpmath.mpf(x))
        exact = {
            "sigmoid": 1 / (1 + e),
            "softplus": mpmath.log(1 + 1 / e),
            "log_sigmoid": -mpmath.log(1 + e),
        }[name]
        exact = float(exact)
    np.testing.assert_allclose(SCALARS[name].evaluate(x), exact, rtol=4e-16, atol=5e-324)


def test_a_function_of_an_integer_that_gives_a_real_takes_it_as_real():
    i = new_input(TensorType((2,), "integer"))
    made = elementwise("exp", i)
    assert made.args[0].kind == "real"
    np.testing.assert_array_equal(value(made, {i: np.array([0, 1])}), np.exp([0.0, 1.0]))
