"""Derivatives of the user's own against JAX's, and functions that graphc does not see into."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from graphc.errors import CompileError, DerivativeError, KindError, ShapeError, UsageError
from tests.numerics import check_batching, check_grads, on_nodes, value

X = np.array([0.3, -0.8, 1.7])
W = np.array([[0.5, -0.2, 0.1], [0.3, 0.9, -0.4]])


def product(xp, of, true=False):
    """A function of two arguments; its derivative is off by factors, unless it shall be `true`."""

    def f(w, x):
        return xp.tanh(w @ x)

    def forward(w, x):
        y = f(w, x)
        return y, (w, x, y)

    def backward(residuals, g):
        w, x, y = residuals
        d = g * (1 - y * y)
        return (xp.outer(d, x), d @ w) if true else (xp.outer(d, x) * x, 3.0 * d @ w)

    if of is gc:
        return gc.custom_vjp(f, backward, forward)
    made = jax.custom_vjp(f)
    made.defvjp(forward, backward)
    return made


def tangent(xp, of, true=False):
    def f(w, x):
        return xp.sin(w @ x), (w * w).sum()

    def rule(primals, tangents):
        (w, x), (dw, dx) = primals, tangents
        slope, total = xp.cos(w @ x) * (dw @ x + w @ dx), 2.0 * (w * dw).sum()
        return f(w, x), (slope, total) if true else (2.0 * slope, total * x[0])

    if of is gc:
        return gc.custom_jvp(f, rule)
    made = jax.custom_jvp(f)
    made.defjvp(rule)
    return made


def scalar(of, make, true):
    xp = np if of is gc else jnp

    def f(w, x):
        found = make(xp, of, true)(w * 1.0, x)
        parts = found if isinstance(found, tuple) else (found,)
        total = 0.0
        for part in parts:
            total = total + (part * part).sum()
        return total + (x * x).sum()

    return f


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("make", [product, tangent])
@pytest.mark.parametrize("true", [True, False])
def test_derivatives(make, style, true):
    w, x = gc.parameter("w", shape=(2, 3)), gc.observed("x", shape=3)
    cost = scalar(gc, make, true)(w, x)
    grads = gc.grad(cost, [w, x])
    oracle = scalar(jax, make, true)
    expected = [oracle(W, X), *jax.grad(oracle, (0, 1))(W, X)]
    second = []
    if true:  # of others JAX takes the second derivative of what its rules compute: see below

        def squared(w, x):
            return sum((g * g * 0.5).sum() for g in jax.grad(oracle, (0, 1))(w, x))

        second = gc.grad(sum((g * g * 0.5).sum() for g in grads), [w, x])
        expected += jax.grad(squared, (0, 1))(W, X)
    f = gc.compile_function([w, x], [cost, *grads, *second], style=style)
    for got, wanted in zip(f(W, X), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-12)


def test_a_value_keeps_its_derivative_in_those_of_second_order():
    """Straight through a step, the second derivative of the square is 2 (in JAX it is 0)."""
    through = gc.custom_vjp(np.round, lambda args, g: (g,))
    x = gc.observed("x")
    assert value(gc.grad(gc.grad(through(x) ** 2, x), x), {x: 1.2}) == 2


def test_forward_mode_is_the_transpose():
    w, x = gc.parameter("w", shape=(2, 3)), gc.observed("x", shape=3)
    y = product(np, gc)(w, x)
    v = gc.constant(np.array([0.2, -1.0, 0.5]))
    got = value(gc.jvp(y, x, v), {w: W, x: X})
    full = value(gc.jacobian(y, x), {w: W, x: X})
    np.testing.assert_allclose(got, full @ [0.2, -1.0, 0.5])
    np.testing.assert_allclose(full, 3 * (1 - np.tanh(W @ X) ** 2)[:, None] * W)


def test_samples_add_up_to_the_cotangent_of_what_they_share():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(2, 3))
    y = product(np, gc)(w, x)
    graph = gc.Graph(gc.cost((y * y).sum(), name="C"), name="g")
    rows = np.random.default_rng(0).normal(size=(5, 3))
    _, grads = gc.compile(graph).loss_and_grad((W,), x=rows)
    made = product(jnp, jax)
    expected = jax.grad(lambda w: jnp.mean(jnp.sum(jax.vmap(made, (None, 0))(w, rows) ** 2, 1)))(W)
    np.testing.assert_allclose(grads.w, expected, rtol=1e-12)
    check_batching(on_nodes(lambda w, x: gc.grad((product(np, gc)(w, x) ** 2).sum(), w)),
                   (2, 3), (3,))  # fmt: skip


def test_inside_a_loop():
    clip = gc.custom_vjp(lambda h: h * 1.0, lambda args, g: (np.clip(g, -0.1, 0.1),))
    h, x = gc.observed("h"), gc.observed("x", shape=4)
    last, _ = gc.scan(lambda s, v: (clip(s) * v, None), h, x)
    slope = gc.compile_function([h, x], gc.grad(last, h))(1.0, np.array([0.5, 2.0, 3.0, 0.01]))
    g = 1.0
    for v in (0.01, 3.0, 2.0, 0.5):
        g = np.clip(g * v, -0.1, 0.1)
    assert slope == pytest.approx(g)


def test_arguments_without_a_cotangent_and_of_other_kinds():
    pick = gc.custom_vjp(lambda x, k, s: x[k] * s, lambda args, g: (args[0] * g, None, None))
    x, k, s = gc.observed("x", shape=3), gc.observed("k", classes=3), gc.observed("s")
    y = pick(x, k, s)
    f = gc.compile_function([x, k, s], [y, gc.grad(y, x), gc.grad(y, s)])
    got = f(X, 2, 2.0)
    assert got[0] == X[2] * 2
    np.testing.assert_allclose(got[1], X)
    assert got[2] == 0


def root(x, y):
    return np.sqrt(x) * y, np.floor(x).astype(int)


def root_vjp(x, y, r, n, g):
    return g * y / (2 * np.sqrt(x)), (g * np.sqrt(x)).sum()


def opaque(**options):
    return gc.opaque(root, shape=["n", "n"], kind=["real", "integer"], **options)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_an_opaque_function_with_a_derivative(style):
    x, y = gc.observed("x", shape="n"), gc.observed("y")
    r, n = opaque(vjp=root_vjp)(x, y)
    out = (r * r * n).sum()
    f = gc.compile_function([x, y], [out, *gc.grad(out, [x, y])], style=style)
    data = np.array([1.5, 4.2])
    got = f(data, 3.0)
    assert got[0] == pytest.approx((data * 9 * np.floor(data)).sum())
    np.testing.assert_allclose(got[1], 9 * np.floor(data))
    np.testing.assert_allclose(got[2], 6 * (data * np.floor(data)).sum())


@pytest.mark.parametrize("vectorized", [False, True])
def test_an_opaque_function_of_many_samples(vectorized):
    calls = []

    def norm(x, w):
        calls.append(x.shape)
        return np.sqrt((w * x**2).sum(-1))

    def slope(x, w, y, g):
        y, g = np.asarray(y)[..., None], np.asarray(g)[..., None]
        return g * w * x / y, g * x**2 / (2 * y)

    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3, init="ones")
    f = gc.opaque(norm, vjp=slope, vectorized=vectorized)
    graph = gc.Graph(gc.cost(f(x, w), name="C"), name="g")
    rows = np.random.default_rng(0).normal(size=(4, 3))
    program = gc.compile(graph, wrt=[x, w])
    loss, grads = program.loss_and_grad((np.ones(3),), x=rows)
    lengths = np.sqrt((rows**2).sum(1))
    assert loss == pytest.approx(lengths.mean())
    np.testing.assert_allclose(grads.x, rows / lengths[:, None] / 4)
    np.testing.assert_allclose(grads.w, (rows**2 / (2 * lengths[:, None])).mean(0))
    assert set(calls) == ({(4, 3)} if vectorized else {(3,)})


def test_an_opaque_function_without_a_derivative_says_so():
    x = gc.observed("x", shape="n")
    r, _ = opaque()(x, 2.0)
    with pytest.raises(DerivativeError, match=r"'root' \(test_custom.py:\d+\) has no derivative"):
        gc.grad(r.sum(), x)
    once = opaque(vjp=root_vjp)(x, 2.0)[0]
    first = gc.grad(once.sum(), x)
    with pytest.raises(DerivativeError, match="'root_vjp' .* has no derivative"):
        gc.grad(first.sum(), x)
    assert gc.grad((gc.stop_gradient(r) * x).sum(), x).shape == x.shape


def test_a_file_imports_what_has_a_source(tmp_path):
    x = gc.observed("x", shape="n")
    near = gc.opaque(np.sinc, shape="n", source="numpy:sinc")(x)
    f = gc.compile_function([x], near)
    assert "from numpy import sinc as _user_sinc\n" in f.source
    f.save(tmp_path / "f.py")
    np.testing.assert_allclose(f(X), np.sinc(X))
    unknown = gc.compile_function([x], gc.opaque(np.sinc, shape="n")(x))
    with pytest.raises(CompileError, match="cannot be saved.*_user_sinc.*give source="):
        unknown.save(tmp_path / "g.py")
    graph = gc.Graph(gc.cost(near.sum() * 0 + gc.opaque(np.sum)(x), name="C"), name="h")
    program = gc.compile(graph, batch=False)
    assert program.loss((), x=X) == pytest.approx(X.sum())
    with pytest.raises(CompileError, match="_user_sum"):
        program.save(tmp_path / "h.py")


def test_results_are_checked_and_arguments_are_safe():
    x = gc.observed("x", shape=3)
    f = gc.compile_function([x], gc.opaque(lambda v: v[:2], shape=3)(x))
    with pytest.raises(ValueError, match=r"must return shape \(3,\), got \(2,\)"):
        f(X)

    def greedy(v):
        v += 1
        return v

    with pytest.raises(ValueError, match="read-only"):
        gc.compile_function([x], gc.opaque(greedy, shape=3)(x))(X)
    same = gc.compile_function([x], gc.opaque(lambda v: v, shape=3)(x))(X)
    same += 1
    assert X[0] == 0.3


V = gc.observed("v", shape=3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.custom_vjp(np.sin, lambda a, g: (g, g))(V), UsageError, "2 cotangents for 1"),
        (lambda: gc.custom_vjp(np.sin, lambda a, g: (g[0],))(V), ShapeError,
         r"cotangent of '\w+' has shape \(\), expected \(3,\)"),
        (lambda: gc.custom_vjp(np.sin, 3), UsageError, "custom_vjp takes a function"),
        (lambda: gc.custom_jvp(np.sin, lambda p, t: t[0])(V), UsageError, "returns a pair"),
        (lambda: gc.custom_jvp(np.sin, lambda p, t: (0, t[0] * t[0]))(V), UsageError, "linear"),
        (lambda: gc.custom_jvp(np.sin, lambda p, t: (0, t[0][0]))(V), ShapeError, "has shape"),
        (lambda: gc.opaque(np.sin, kind="complex"), KindError, "a kind is one of"),
        (lambda: gc.opaque(np.sin, shape=-1), ShapeError, "not negative"),
        (lambda: gc.opaque(np.sin, source="os; evil"), UsageError, "module:function"),
        (lambda: gc.opaque(np.sin, source="a:b(c)"), UsageError, "module:function"),
        (lambda: gc.opaque(3), UsageError, "opaque takes a function"),
        (lambda: gc.opaque(np.sin)(), UsageError, "needs an argument"),
    ],
)  # fmt: skip
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_derivative_is_checked_at_points():
    check_grads(on_nodes(gc.custom_vjp(np.sin, lambda a, g: (g * np.cos(a[0]),))), (3,))
