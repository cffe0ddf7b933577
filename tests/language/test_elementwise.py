"""Scalar functions of one's own: what SymPy says, values and derivatives, and what is refused."""

import numpy as np
import pytest
import sympy
from sympy import Function, Symbol, symbols

import graphc as gc
from graphc.errors import UsageError
from tests.numerics import value

X, Y = symbols("x y", real=True)
AT = np.array([-1.7, -0.3, 0.4, 2.6])
TO = np.array([0.8, 1.9, -0.6, 0.2])

EXPRESSIONS = [
    sympy.exp(-(X**2)) * sympy.cos(3 * X),
    1 / (1 + sympy.exp(-X)),
    X**3 - 2 * X + 1,
    sympy.sqrt(X**2 + 1) / (2 + X**2),
    sympy.Piecewise((X**2, X < 0), (sympy.sin(X), X < 1), (X, True)),
    sympy.Abs(X) + sympy.Max(X, 1, -X) - sympy.Min(X, 2),
    sympy.erf(X) + sympy.erfc(X / 2) + sympy.gamma(X**2 + 1),
    sympy.loggamma(X**2 + 1) + sympy.digamma(X**2 + 1),
    sympy.atan(X) + sympy.asinh(X) + sympy.tanh(X) ** 2,
    sympy.besseli(1, X) + sympy.besselj(2, X) + sympy.sinc(X),
    sympy.exp(X) / 3 - sympy.pi * X,
    sympy.sech(X) + sympy.cot(X),
    X**-3 + 2**X,
    sympy.Rational(1, 3) * X + sympy.E,
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_values_and_two_derivatives_are_sympys(expression):
    v = gc.observed("v", shape=4)
    made = gc.elementwise(expression, X)(v)
    for order in range(3):
        exact = [float(sympy.diff(expression, X, order).subs(X, at).doit()) for at in AT]
        np.testing.assert_allclose(value(made, {v: AT}), exact, rtol=1e-12, atol=1e-12)
        made = gc.grad(np.sum(made), v, allow_unused=True)


def test_of_several_arguments_with_broadcasting():
    expression = sympy.atan2(X, Y) * sympy.log(1 + X**2)
    f = gc.elementwise(expression, (X, Y))
    a, b = gc.observed("a", shape=4), gc.observed("b", shape=(3, 1))
    made = f(a, b)
    assert made.shape == (3, 4)
    feed = {a: AT, b: TO[:3, None]}
    expected = np.arctan2(AT, TO[:3, None]) * np.log1p(AT**2)
    np.testing.assert_allclose(value(made, feed), expected, rtol=1e-13)
    assert gc.grad(np.sum(made), b).shape == (3, 1)


def test_emitted_and_common_subexpressions_once():
    v = gc.parameter("v", shape=4)
    inner = sympy.exp(X / 2)
    f = gc.compile_function([v], gc.elementwise(inner * sympy.sin(inner), X)(v))
    assert f.source.count("np.exp(") == 1
    np.testing.assert_allclose(f(AT), np.exp(AT / 2) * np.sin(np.exp(AT / 2)), rtol=1e-14)


def test_naive_spellings_are_made_stable():
    v = gc.observed("v", shape=4)
    made = gc.elementwise(sympy.log(1 + sympy.exp(X)), X)(v)
    slope = gc.grad(np.sum(made), v)
    large = np.array([-800.0, 0.0, 800.0, 1e300])
    np.testing.assert_allclose(value(slope, {v: large}), [0, 0.5, 1, 1])


def test_undefined_functions_are_all_listed():
    f, g = Function("f"), Function("g")
    with pytest.raises(UsageError, match=r"does not know f, g; it knows .*Piecewise"):
        gc.elementwise(f(X) + g(X), X)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gc.elementwise(X + Y, X), "also contains y"),
        (lambda: gc.elementwise(sympy.I * X, X), "does not know I"),
        (lambda: gc.elementwise(X, (X, X)), "distinct"),
        (lambda: gc.elementwise(X, ()), "symbols"),
        (lambda: gc.elementwise(np.tanh, X), "SymPy expression"),
        (lambda: gc.elementwise("x", X), "SymPy expression"),
        (lambda: gc.elementwise(X, X)(), "function of x; got 0"),
        (lambda: gc.elementwise(sympy.besseli(Symbol("n"), X), (X, Symbol("n"))), "besseli"),
    ],
)
def test_what_is_refused(make, words):
    with pytest.raises(UsageError, match=words):
        make()
