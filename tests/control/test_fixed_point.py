"""Fixed points, roots and minima: values, implicit derivatives, samples, emitted code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from graphc.control.fixed_point import FixedPoint
from graphc.errors import FormulaError, KindError, ShapeError, UsageError
from tests.numerics import check_batching, check_grads, on_nodes, value


def babylonian(a):
    return gc.fixed_point(lambda z: 0.5 * (z + a / z), 1.0 + 0 * a)


def equilibrium(w, u, x):
    """A layer that is applied without end: z = tanh(W z + U x)."""
    return gc.fixed_point(lambda z: np.tanh(0.3 * (w @ z) + u @ x), np.zeros(2))


def two_unknowns(a, x):
    p, q = gc.fixed_point(
        lambda z, b: (np.cos(0.5 * z[1]) * b, 0.3 * np.sin(z[0]) + x), (x, x * 0), a
    )
    return p * q


def newton(a):
    return gc.root(lambda x: np.exp(x) + x - a, 0.0 * a)


def system(a):
    return gc.root(lambda x: x**3 + 0.2 * x[::-1] - a, np.ones(2))


def minimum(a, b):
    return gc.argmin(lambda x: ((x - a) ** 2).sum() + np.exp(b @ x), np.zeros(2))


CASES = {
    "number": (babylonian, ()),
    "vector": (equilibrium, (2, 2), (2, 1), (1,)),
    "two unknowns": (two_unknowns, (2,), (2,)),
    "root": (newton, ()),
    "system": (system, (2,)),
    "minimum": (minimum, (2,), (2,)),
}


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    f, *operands = CASES[name]
    check_grads(on_nodes(f), *operands, order=1 if name in ("system", "minimum") else 2)


@pytest.mark.parametrize("name", CASES)
def test_the_sample_axis_is_a_loop_over_samples(name):
    f, *operands = CASES[name]

    def rounded(*args):  # a sample alone takes fewer steps
        return gc.stop_gradient(np.round(f(*args), 9))

    check_batching(on_nodes(rounded), *operands)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_emitted_against_jax(style, dtype):
    rng = np.random.default_rng(2)
    w, u, x = (rng.normal(size=s).astype(dtype) for s in ((2, 2), (2, 3), (5, 3)))
    vw, vu = gc.parameter("w", shape=(2, 2)), gc.parameter("u", shape=(2, 3))
    vx = gc.observed("x", shape=3)
    graph = gc.Graph(gc.cost((equilibrium(vw, vu, vx) ** 2).sum(), name="C"), name="g")
    program = gc.compile(graph, style=style, dtype=dtype)
    assert (
        'raise ArithmeticError("no fixed point was reached in 1000 iterations")' in program.source
    )

    def loss(w, u):
        def one(x):
            z = jnp.zeros(2)
            for _ in range(80):
                z = jnp.tanh(0.3 * (w @ z) + u @ x)
            return (z**2).sum()

        return jnp.mean(jax.vmap(one)(x))

    got, grads = program.loss_and_grad((w, u), x=x)
    expected, slopes = jax.value_and_grad(loss, (0, 1))(w, u)
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    assert got == pytest.approx(float(expected), rel=tolerance)
    for a, b in zip(grads, slopes, strict=True):
        np.testing.assert_allclose(a, b, rtol=10 * tolerance, atol=tolerance)
        assert a.dtype == dtype


def test_what_does_not_settle_raises():
    a = gc.observed("a")
    away = gc.fixed_point(lambda z: 2 * z + a, 1.0, max_iterations=20)
    for style in ("readable", "fast"):
        with pytest.raises(ArithmeticError, match="in 20 iterations"):
            gc.compile_function([a], away, style=style)(1.0)
    with pytest.raises(ArithmeticError, match="in 20 iterations"):
        value(away, {a: 1.0})
    with pytest.raises(ArithmeticError, match="iterations"):
        gc.compile_function([a], babylonian(a))(np.nan)


def test_the_backward_pass_is_a_fixed_point_of_the_same_kind():
    w, x = gc.parameter("w", shape=(2, 2)), gc.observed("x", shape=2)
    z = gc.fixed_point(lambda z: np.tanh(0.3 * (w @ z) + x), x, tol=1e-9)
    program = gc.compile(gc.Graph(gc.cost(z.sum(), name="C"), name="g"))
    found = [n for n in program.program.nodes() if isinstance(n, FixedPoint)]
    assert [n.tolerance for n in found] == [1e-9, 1e-9]


def test_what_stays_the_same_is_computed_once():
    w, x = gc.parameter("w", shape=(2, 2)), gc.observed("x", shape=2)
    z = gc.fixed_point(lambda z: np.tanh(0.3 * (w @ z) + x), x)
    f = gc.compile_function([w, x], gc.grad(z.sum(), x), style="readable")
    _, _, back = f.source.partition("break")
    assert back.index("**2") < back.index("for _ in range(")


def test_the_start_has_no_influence():
    a, b = gc.observed("a"), gc.observed("b")
    z = gc.fixed_point(lambda z: 0.5 * np.cos(z) + a, b)
    with pytest.raises(gc.DerivativeError, match="cuts the path"):
        gc.grad(z, b)


def test_inside_a_loop_and_of_a_block():
    x = gc.observed("x", shape=3)
    last, _ = gc.scan(
        lambda s, v: (gc.fixed_point(lambda z: 0.5 * np.cos(z + s) + v, s), None), 0.0, x
    )
    f = gc.compile_function([x], gc.grad(last, x))
    data = np.array([0.1, 0.5, -0.2])
    step = 1e-6
    g = gc.compile_function([x], last)
    numeric = [(g(data + step * e) - g(data - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(f(data), numeric, atol=1e-8)
    layer = gc.Linear(2, name="inner")
    z = gc.fixed_point(lambda z: 0.1 * np.tanh(layer(z)), np.zeros(2))
    graph = gc.Graph(gc.cost(z.sum(), name="C"))
    assert [graph.name_of(p) for p in graph.parameters] == ["inner_w", "inner_b"]


V = gc.observed("v", shape=2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.fixed_point(lambda z: z[0], V), ShapeError, r"'z' starts with shape \(2,\)"),
        (lambda: gc.fixed_point(lambda z: (z, z), V), UsageError, "has the structure"),
        (lambda: gc.fixed_point(lambda z: z > 0, V), ShapeError, "boolean"),
        (lambda: gc.fixed_point(np.cos, V > 0), KindError, "starts from real numbers"),
        (lambda: gc.fixed_point(np.cos, V, tol=-1), UsageError, "tol is a positive number"),
        (lambda: gc.fixed_point(np.cos, V, max_iterations=0), UsageError, "1 or more"),
        (lambda: gc.fixed_point(3, V), UsageError, "takes a function"),
        (lambda: gc.root(lambda x: x.sum(), V), ShapeError, "as many unknowns"),
        (lambda: gc.formula(gc.fixed_point(np.cos, V)), FormulaError, "fixed"),
    ],
)
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()
