"""grad, jacobian, hessian, vjp, jvp and hvp, against JAX and autograd; and what refuses them."""

from functools import cache, partial
from types import SimpleNamespace

import autograd
import autograd.numpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from graphc.errors import DerivativeError, ShapeError, UsageError
from graphc.ir.nodes import topological
from tests.numerics import close, value

AT = np.array([2, 0, 2])
OURS = SimpleNamespace(
    **vars(np) | {
        "softmax": gc.softmax, "log_softmax": gc.log_softmax, "logsumexp": gc.logsumexp,
        "sigmoid": gc.sigmoid, "softplus": gc.softplus, "relu": gc.relu,
        "log_sigmoid": gc.log_sigmoid, "places": gc.constant(AT),
    }
)  # fmt: skip
JAXS = SimpleNamespace(
    **vars(jnp) | {
        "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax,
        "logsumexp": jax.nn.logsumexp, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
        "relu": jax.nn.relu, "log_sigmoid": jax.nn.log_sigmoid, "places": AT,
    }
)  # fmt: skip

# Expressions in the names of NumPy, with the shapes of their arguments.
CASES = {
    "layer": (lambda xp, w, x, b: xp.tanh(w @ x + b), (3, 4), (4,), (3,)),
    "two layers": (
        lambda xp, v, w, x: xp.sigmoid(v @ xp.relu(w @ x)), (2, 3), (3, 4), (4,)),
    "quadratic form": (lambda xp, x, a: x @ a @ x / (1 + x @ x), (3,), (3, 3)),
    "trace of a product": (lambda xp, a, b, x: xp.trace(a @ x @ b), (2, 3), (4, 2), (3, 4)),
    "scaled rows": (lambda xp, x: x / xp.sqrt((x**2).sum(axis=1, keepdims=True)), (2, 3)),
    "standardised": (
        lambda xp, x: (x - x.mean(0)) / xp.sqrt(((x - x.mean(0)) ** 2).mean(0) + 0.1), (3, 2)),
    "attention": (
        lambda xp, q, k, v: xp.softmax(q @ k.T / np.sqrt(2), axis=-1) @ v, (2, 3), (4, 3), (4, 2)),
    "log of a softmax": (lambda xp, s: xp.log_softmax(s * s, axis=0)[1], (3, 2)),
    "logsumexp": (lambda xp, x: xp.logsumexp(x * x, axis=1), (2, 3)),
    "powers": (lambda xp, x, y: (x**y) * (x**3) - 2**x + x**-1.5, (3,), (3,)),
    "quotients": (lambda xp, x, y: x / y - 1 / x + (x - y) / (x * y), (2, 3), (3,)),
    "slices": (
        lambda xp, x: x[1:, None, ::-1] * x[:-1, :, None] + x[0, -1] * x[-1, 0], (3, 3)),
    "reads": (lambda xp, x: xp.tanh(x[xp.places]) * x[AT[1]], (3, 2)),
    "reshapes": (
        lambda xp, x, y: (x.reshape(2, 6).T @ y.reshape(-1, 3)).transpose(1, 0), (3, 4), (6,)),
    "extremes": (lambda xp, x: x.max(0) * x.min(1)[:2] + xp.maximum(x[0], x[1]), (3, 2)),
    "choice": (
        lambda xp, x: xp.where(x > 1, xp.log(x), x**2) + xp.clip(x, 0.6, 1.1) * x, (5,)),
    "einsum": (lambda xp, a, b, c: xp.einsum("ij,jk,ik->i", a, b, c), (2, 3), (3, 2), (2, 2)),
    "leading axes": (lambda xp, a, b: xp.tanh(a @ b), (2, 2, 3), (3, 2)),
    "product of all": (lambda xp, x: xp.prod(x, axis=0) + xp.prod(x), (2, 2)),
    "joined": (
        lambda xp, x, y: xp.concatenate([x, x * y])[1:] * xp.stack([x, y])[0, 1], (3,), (3,)),
    "unrolled recurrence": (
        lambda xp, w, h: [h := xp.tanh(w @ h) for _ in range(4)][-1], (3, 3), (3,)),
    "waves": (
        lambda xp, x: xp.sin(x) * xp.cosh(x) + xp.arctan(xp.sinh(x)) / xp.tan(x / 2), (3,)),
    "stable functions": (
        lambda xp, x: xp.softplus(x) * xp.sigmoid(-x) + xp.log_sigmoid(x) * xp.expm1(x), (3,)),
    "matrix of a vector": (lambda xp, x: xp.outer(x, x) @ x, (3,)),
}  # fmt: skip


def case(name):
    """The variables, our expression, a scalar made of it, and the values of the variables."""
    f, *shapes = CASES[name]
    variables = [gc.observed(f"x{i}", shape) for i, shape in enumerate(shapes)]
    y = f(OURS, *variables)
    data, weight = numbers(name)
    return variables, y, (y * weight).sum(), dict(zip(variables, data, strict=True))


def numbers(name):
    f, *shapes = CASES[name]
    rng = np.random.default_rng(len(name))
    data = [rng.uniform(0.4, 1.4, shape) for shape in shapes]
    shape = jax.eval_shape(partial(f, JAXS), *data).shape
    return data, rng.normal(size=shape)


@cache
def oracle(name):
    """JAX's value, Jacobians, and of the scalar gradients and Hessians; compiled at once."""
    data, weight = numbers(name)
    f = partial(CASES[name][0], JAXS)
    every = tuple(range(len(data)))

    def cost(*x):
        return (f(*x) * weight).sum()

    @jax.jit
    def everything(*x):
        first = f(*x), jax.jacrev(f, every)(*x), jax.grad(cost, every)(*x)
        return *first, jax.hessian(cost, every)(*x)

    return everything(*data)


@pytest.mark.parametrize("name", CASES)
def test_first_order(name):
    variables, y, c, feed = case(name)
    expected, jacobians, gradients, _ = oracle(name)
    np.testing.assert_allclose(value(y, feed), expected, rtol=1e-12)
    rng = np.random.default_rng(0)
    cotangent = rng.normal(size=y.shape)
    tangents = [rng.normal(size=x.shape) for x in variables]
    along = np.zeros(y.shape)
    js, vjps = gc.jacobian(y, variables), gc.vjp(y, variables, cotangent)
    ours = zip(js, vjps, gc.grad(c, variables), strict=True)
    for (j, pulled, g), t, j_, g_ in zip(ours, tangents, jacobians, gradients, strict=True):
        assert j.shape == j_.shape
        close(value(j, feed), j_)
        close(value(pulled, feed), np.tensordot(cotangent, j_, cotangent.ndim))
        close(value(g, feed), g_)
        along = along + np.tensordot(j_, t, t.ndim)
    close(value(gc.jvp(y, variables, tangents), feed), along)


@pytest.mark.parametrize("name", CASES)
def test_second_order(name):
    variables, _, c, feed = case(name)
    *_, hessians = oracle(name)
    for row, expected in zip(gc.hessian(c, variables), hessians, strict=True):
        for h, h_ in zip(row, expected, strict=True):
            close(value(h, feed), h_)
    rng = np.random.default_rng(1)
    for i, x in enumerate(variables):
        v = rng.normal(size=x.shape)
        close(value(gc.hvp(c, x, v), feed), np.tensordot(hessians[i][i], v, v.ndim))
        close(value(gc.hessian(c, x), feed), hessians[i][i])


@pytest.mark.parametrize("name", ["quadratic form", "powers", "log of a softmax", "standardised"])
def test_third_order(name):
    variables, _, c, feed = case(name)
    data, weight = numbers(name)
    x = variables[0]
    third = gc.jacobian(gc.hessian(c, x), x)
    f = jax.jit(jax.jacfwd(jax.hessian(lambda *x: (CASES[name][0](JAXS, *x) * weight).sum())))
    close(value(third, feed), f(*data), 1e-9)
    g = gc.grad(gc.grad(gc.grad(c, x).sum(), x).sum(), x)
    close(value(g, feed), value(third, feed).sum(axis=tuple(range(2 * x.ndim))), 1e-9)


@pytest.mark.parametrize("name", ["layer", "quotients", "standardised", "powers", "extremes"])
def test_autograd_agrees(name):
    variables, _, c, feed = case(name)
    data, weight = numbers(name)
    f = CASES[name][0]
    theirs = autograd.grad(lambda x: autograd.numpy.sum(f(autograd.numpy, x, *data[1:]) * weight))
    close(value(gc.grad(c, variables[0]), feed), theirs(data[0]))


def test_products_with_variables():
    x, v = gc.observed("x", 3), gc.observed("v", 3)
    y = np.sin(x) * x[0]
    data = np.array([0.5, 1.0, 1.5])
    tangent = np.array([1.0, -2.0, 0.5])
    j = jax.jacobian(lambda a: jnp.sin(a) * a[0])(data)
    close(value(gc.jvp(y, x, v), {x: data, v: tangent}), j @ tangent)
    close(value(gc.vjp(y, x, v), {x: data, v: tangent}), tangent @ j)
    # A product is linear in its tangent, and can be derived by it.
    close(value(gc.jacobian(gc.jvp(y, x, v), v), {x: data, v: tangent}), j)
    close(value(gc.jacobian(gc.vjp(y, x, v), v), {x: data, v: tangent}), j.T)


@pytest.mark.parametrize("name", ["layer", "two layers", "quadratic form", "standardised"])
def test_products_with_lists(name):
    """hvp, gnvp and laplacian by one variable and by several, against JAX's whole Hessians."""
    variables, y, c, feed = case(name)
    _, jacobians, _, hessians = oracle(name)
    rng = np.random.default_rng(2)
    tangents = [rng.normal(size=x.shape) for x in variables]
    rows = zip(gc.hvp(c, variables, tangents), hessians, strict=True)
    for got, row in rows:
        expected = sum(np.tensordot(h, t, t.ndim) for h, t in zip(row, tangents, strict=True))
        close(value(got, feed), expected)
    energy = (gc.softplus(y) * 0.5).sum()
    weight = 0.5 * jax.nn.sigmoid(value(y, feed)) * (1 - jax.nn.sigmoid(value(y, feed)))
    along = sum(np.tensordot(j, t, t.ndim) for j, t in zip(jacobians, tangents, strict=True))
    found = gc.gnvp(energy, y, variables, tangents)
    for got, j in zip(found, jacobians, strict=True):
        close(value(got, feed), np.tensordot(weight * along, j, y.ndim))
    for i, x in enumerate(variables):
        square = np.reshape(hessians[i][i], (int(np.prod(x.shape)), -1))
        close(value(gc.laplacian(c, x), feed), np.trace(square))
    assert len(gc.laplacian(c, variables)) == len(variables)


def test_a_laplacian_computes_the_diagonal_alone():
    x, a = gc.observed("x", 20), gc.observed("a", (20, 20))
    compiled = gc.compile_function([x, a], gc.laplacian(np.sum(np.sin(x)) + x @ a @ x, x))
    nodes = topological(compiled.model.program.outputs)
    assert all(node.type.rank < 2 for node in nodes if node.args)
    data = {x: np.linspace(0, 1, 20), a: np.random.default_rng(0).normal(size=(20, 20))}
    close(compiled(*data.values()), -np.sin(data[x]).sum() + 2 * np.trace(data[a]))


def test_results_have_the_form_of_what_is_derived_by():
    x, w = gc.observed("x", 3), gc.parameter("w", 3)
    c = np.sum((w * x) ** 2)
    assert gc.grad(c, w).shape == (3,)
    assert [g.shape for g in gc.grad(c, [w, x])] == [(3,), (3,)]
    assert [g.shape for g in gc.grad(c, (w,))] == [(3,)]
    assert gc.grad(c, []) == []
    assert gc.hessian(c, w).shape == (3, 3)
    assert [[h.shape for h in row] for row in gc.hessian(c, [w, x])] == [[(3, 3)] * 2] * 2
    assert gc.jacobian(w * x, [w])[0].shape == (3, 3)
    assert gc.jacobian(c, w).shape == (3,)
    assert len(gc.vjp(w * x, [w, x], np.ones(3))) == 2
    assert gc.jvp(w * x, [w, x], [np.ones(3)] * 2).shape == (3,)
    assert gc.jacobian(x, x).shape == (3, 3)
    np.testing.assert_array_equal(value(gc.jacobian(x, x)), np.eye(3))
    np.testing.assert_array_equal(value(gc.grad(x[0], x), {x: np.ones(3)}), [1, 0, 0])
    s = gc.observed("s")
    assert value(gc.grad(s, s)) == 1


def test_named_sizes():
    x = gc.observed("x", ("n", 2))
    c = np.log(np.sum(np.exp(x[1:] - x[:-1])))
    data = np.random.default_rng(0).normal(size=(4, 2))

    def f(a):
        return jnp.log(jnp.sum(jnp.exp(a[1:] - a[:-1])))

    assert str(gc.hessian(c, x).shape) == "(n, 2, n, 2)"
    close(value(gc.grad(c, x), {x: data}, n=4), jax.jit(jax.grad(f))(data))
    close(value(gc.hessian(c, x), {x: data}, n=4), jax.jit(jax.hessian(f))(data))


def test_by_an_expression_between():
    x = gc.observed("x", 3)
    z = np.tanh(x)
    c = np.sum(z**2 * x)
    data = np.array([0.5, 1.0, 1.5])
    # Only through z itself: x stays as it is.
    close(value(gc.grad(c, z), {x: data}), 2 * np.tanh(data) * data)
    close(value(gc.grad(c, x), {x: data}), jax.grad(lambda a: jnp.sum(jnp.tanh(a) ** 2 * a))(data))


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (np.exp, lambda e: np.log(1 + e), lambda x: 1 / (1 + np.exp(x))),
        (np.exp, lambda e: np.log(1 + e) + e, lambda x: 1 / (1 + np.exp(x)) + 1),
        (lambda x: np.sum(np.exp(x)), np.log, lambda x: 1 / np.exp(x).sum()),
        (gc.softmax, np.log, lambda x: np.exp(x).sum() / np.exp(x)),
        (lambda x: 1 + np.exp(-x), lambda d: 1 / d, lambda x: -1 / (1 + np.exp(-x)) ** 2),
        (gc.sigmoid, np.log, lambda x: 1 + np.exp(-x)),
    ],
)
def test_by_a_part_of_a_naive_spelling(part, whole, expected):
    """What is derived by is not recognised away with the spelling that it is part of."""
    x = gc.observed("x", 3)
    data = np.array([-0.5, 0.3, 1.0])
    z = part(x)
    c = whole(z).sum()
    close(value(gc.grad(c, z), {x: data}), expected(data))


STABLE = {
    "softplus": (lambda x: np.log(1 + np.exp(x)), jax.nn.softplus),
    "softplus of log1p": (lambda x: np.log1p(np.exp(x)), jax.nn.softplus),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), jax.nn.sigmoid),
    "log of a sigmoid": (lambda x: np.log(1 / (1 + np.exp(-x))), jax.nn.log_sigmoid),
    "logsumexp": (lambda x: np.log(np.sum(np.exp(x))), jax.nn.logsumexp),
    "logsumexp by method": (lambda x: np.log(np.exp(x).sum()), jax.nn.logsumexp),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x)), jax.nn.softmax),
    "log of a softmax": (lambda x: np.log(gc.softmax(x)), jax.nn.log_softmax),
    "log of a naive softmax": (
        lambda x: np.log(np.exp(x) / np.exp(x).sum()), jax.nn.log_softmax),
    "cross-entropy, naively": (
        lambda x: -np.log(np.exp(x) / np.exp(x).sum())[1], lambda x: -jax.nn.log_softmax(x)[1]),
    "ours: softplus": (gc.softplus, jax.nn.softplus),
    "ours: sigmoid": (gc.sigmoid, jax.nn.sigmoid),
    "ours: log_sigmoid": (gc.log_sigmoid, jax.nn.log_sigmoid),
    "ours: softmax": (gc.softmax, jax.nn.softmax),
    "ours: log_softmax": (gc.log_softmax, jax.nn.log_softmax),
    "ours: logsumexp": (gc.logsumexp, jax.nn.logsumexp),
    "ours: cross-entropy": (
        lambda x: gc.cross_entropy(x, gc.constant(2)), lambda x: -jax.nn.log_softmax(x)[2]),
}  # fmt: skip


WEIGHT = np.array([1.0, 2.0, 3.0])


@cache
def stable_oracle(name):
    f = STABLE[name][1]

    def cost(x):
        return (f(x) * WEIGHT).sum()

    return jax.jit(lambda x: (jax.jacrev(f)(x), jax.hessian(cost)(x)))


@pytest.mark.parametrize("data", [
    [1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -999.0], [1e4, 1e4, 1e4], [-800.0, 700.0, 710.0],
    [0.1, 0.2, 0.3],
], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", STABLE)
def test_stable_far_out(name, data):
    x = gc.observed("x", 3)
    y = STABLE[name][0](x)
    feed = {x: np.array(data)}
    jacobian = value(gc.jacobian(y, x), feed)
    expected, expected_second = stable_oracle(name)(feed[x])
    assert np.isfinite(jacobian).all()
    np.testing.assert_allclose(jacobian, expected, atol=1e-15)
    second = value(gc.hessian((y * WEIGHT).sum(), x), feed)
    assert np.isfinite(second).all()
    np.testing.assert_allclose(second, expected_second, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "data", "expected"),
    [
        (lambda x: np.maximum(x, 0), [-1.0, 0.0, 2.0], [0, 0, 1]),
        (lambda x: np.maximum(0, x), [-1.0, 0.0, 2.0], [0, 0, 1]),
        (gc.relu, [-1.0, 0.0, 2.0], [0, 0, 1]),
        (lambda x: np.maximum(x, 1), [0.0, 1.0, 2.0], [0, 0.5, 1]),
        (lambda x: np.minimum(x, 0), [-1.0, 0.0, 2.0], [1, 0.5, 0]),
        (np.abs, [-1.0, 0.0, 2.0], [-1, 0, 1]),
        (lambda x: np.clip(x, 0, 1), [0.0, 0.5, 1.0], [1, 1, 1]),
        (lambda x: np.clip(x, 0, 1), [-0.1, 1.1, 5.0], [0, 0, 0]),
        (lambda x: x.max() * np.ones(3) / 3, [1.0, 2.0, 2.0], [0, 0.5, 0.5]),
        (lambda x: x.min() * np.ones(3) / 3, [1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
        (lambda x: x**2, [0.0, -1.0, 2.0], [0, -2, 4]),
        (lambda x: x**0, [0.0, -1.0, 2.0], [0, 0, 0]),
        (lambda x: x**1, [0.0, -1.0, 2.0], [1, 1, 1]),
    ],
)
def test_where_a_derivative_is_a_convention(f, data, expected):
    x = gc.observed("x", 3)
    got = value(gc.grad(f(x).sum(), x), {x: np.array(data)})
    np.testing.assert_allclose(got, expected)


class TestUnused:
    x = gc.observed("x", 3)
    u = gc.parameter("u", (2, 2))
    k = gc.observed("k", 3, kind="integer")

    def cost(self):
        return gc.cost(np.sum(gc.relu(self.x, name="r") ** 2), name="C")

    def test_names_both(self):
        for use in (
            lambda c: gc.grad(c, self.u),
            lambda c: gc.jacobian(c, self.u),
            lambda c: gc.hessian(c, self.u),
            lambda c: gc.vjp(c, self.u, 1.0),
            lambda c: gc.jvp(c, self.u, np.ones((2, 2))),
            lambda c: gc.hvp(c, self.u, np.ones((2, 2))),
            lambda c: gc.grad(c, [self.x, self.u]),
        ):
            with pytest.raises(DerivativeError) as caught:
                use(self.cost())
            for word in ["test_derivatives.py:", "'C'", "does not depend on 'u'", "(2, 2)",
                         "allow_unused=True"]:  # fmt: skip
                assert word in str(caught.value)

    def test_zeros_where_they_are_allowed(self):
        c, x, u = self.cost(), self.x, self.u
        feed = {x: np.ones(3), u: np.ones((2, 2))}
        v = np.ones((2, 2))
        for made, shape in [
            (gc.grad(c, u, allow_unused=True), (2, 2)),
            (gc.grad(c, [x, u], allow_unused=True)[1], (2, 2)),
            (gc.jacobian(2 * x, u, allow_unused=True), (3, 2, 2)),
            (gc.hessian(c, u, allow_unused=True), (2, 2, 2, 2)),
            (gc.hessian(c, [x, u], allow_unused=True)[0][1], (3, 2, 2)),
            (gc.vjp(2 * x, u, x, allow_unused=True), (2, 2)),
            (gc.jvp(2 * x, u, v, allow_unused=True), (3,)),
            (gc.hvp(c, u, v, allow_unused=True), (2, 2)),
        ]:
            assert made.shape == shape
            np.testing.assert_array_equal(value(made, feed), np.zeros(shape))
        used, _ = gc.grad(c, [x, u], allow_unused=True)
        np.testing.assert_array_equal(value(used, feed), [2, 2, 2])
        along = gc.jvp(2 * x, [x, u], [np.ones(3), v], allow_unused=True)
        np.testing.assert_array_equal(value(along, feed), [2, 2, 2])

    def test_a_hessian_of_a_linear_cost_is_zero(self):
        np.testing.assert_array_equal(
            value(gc.hessian(2 * self.x.sum(), self.x), {self.x: np.ones(3)}), np.zeros((3, 3))
        )

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda x: np.floor(gc.tanh(x, name="t")).sum(), ["'floor'", "piecewise constant"]),
            (lambda x: rounded(x, name="q").sum(), ["block 'q'", "'rint'", "piecewise constant"]),
            (lambda x: np.argmax(x) * 1.5, ["'argmax' gives integer"]),
            (lambda x: np.where(x > 0, 1.0, 2.0).sum(), ["'greater' gives boolean"]),
            (lambda x: picked(x, name="p").sum(), ["in block 'p', 'argmax' gives integer"]),
            (lambda x: (x // 2.0).sum(), ["'floor_divide'", "piecewise constant"]),
        ],
    )
    def test_a_cut_path_names_what_cuts_it(self, make, words):
        x = gc.observed("x", 3)
        with pytest.raises(DerivativeError) as caught:
            gc.grad(gc.cost(make(x), name="C"), x)
        for word in ["test_derivatives.py:", "'C'", "'x'", "cuts", "allow_unused=True", *words]:
            assert word in str(caught.value)
        got = value(gc.grad(make(x), x, allow_unused=True), {x: np.ones(3)})
        np.testing.assert_array_equal(got, np.zeros(3))

    def test_a_discrete_variable(self):
        x, k = gc.observed("x", 3), gc.observed("k", classes=3)
        c = gc.cross_entropy(x, k, name="C")
        with pytest.raises(DerivativeError) as caught:
            gc.grad(c, k)
        for word in ["'k' of shape () is integer", "in block 'C', 'gather' takes integer"]:
            assert word in str(caught.value)
        with pytest.raises(DerivativeError, match="is integer, and discrete values have no der"):
            gc.grad(k * 1.0, k)

    def test_one_open_path_is_enough(self):
        x = gc.observed("x", 3)
        c = (np.floor(x) * x).sum()
        got = value(gc.grad(c, x), {x: np.array([1.5, 2.5, 3.5])})
        np.testing.assert_array_equal(got, [1, 2, 3])


@gc.function
def rounded(z):
    return 2 * np.rint(z)


@gc.function
def picked(z):
    return gc.constant([1.0, 2.0, 3.0])[np.argmax(z)]


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda x: gc.grad(x, x), ShapeError, ["grad takes a scalar", "'x'", "(3,)", "jacobian"]),
        (lambda x: gc.hessian(x, x), ShapeError, ["scalar", "'x'", "(3,)"]),
        (lambda x: gc.vjp(x * x, x, np.ones(2)), ShapeError, ["cotangent", "(2,)", "(3,)"]),
        (lambda x: gc.jvp(x * x, x, np.ones(2)), ShapeError, ["tangent", "(2,)", "'x'", "(3,)"]),
        (lambda x: gc.hvp(x @ x, x, np.ones((3, 1))), ShapeError, ["tangent", "(3, 1)", "(3,)"]),
        (lambda x: gc.jvp(x * x, [x], []), UsageError, ["1 variables", "0 tangents"]),
        (lambda x: gc.grad(x.sum(), "x"), UsageError, ["grad", "variable", "str"]),
        (lambda x: gc.grad(x.sum(), None), UsageError, ["grad", "variable", "NoneType"]),
        (lambda x: gc.grad(3.0, x), UsageError, ["grad", "variable", "float"]),
        (lambda x: gc.jacobian(np.ones(3), x), UsageError, ["jacobian", "variable", "ndarray"]),
        (lambda x: gc.vjp(np.ones(3), x, np.ones(3)), UsageError, ["vjp", "ndarray"]),
        (lambda x: gc.jvp(x, "x", np.ones(3)), UsageError, ["jvp", "str"]),
    ],
)
def test_bad_use(use, error, words):
    with pytest.raises(error) as caught:
        use(gc.observed("x", 3))
    for word in ["test_derivatives.py:", *words]:
        assert word in str(caught.value)


def test_forward_work_is_shared():
    """The gradient reuses what the cost computes: no node of the layer is made a second time."""
    x, w = gc.observed("x", 3), gc.parameter("w", (3, 3))
    z = np.tanh(w @ x)
    g = gc.grad(np.sum(z), w)
    assert z.node in topological([g.node])
    assert sum(getattr(n, "function", "") == "tanh" for n in topological([g.node])) == 1


def test_a_deep_chain_needs_no_recursion():
    x = gc.observed("x")
    y = x
    for _ in range(6000):
        y = np.sin(y)
    g = gc.grad(y, x)
    assert value(g, {x: 0.0}) == 1
    assert value(gc.jvp(y, x, 1.0), {x: 0.0}) == 1


@pytest.mark.parametrize("at", [[2.0, 3.0, 4.0], [0.0, 2.0, 3.0], [0.0, 0.0, 3.0]])
def test_a_product_with_zeros(at):
    x = gc.observed("x", shape=3)
    product = np.prod(x)
    derivatives = gc.compile_function([x], [gc.grad(product, x), gc.hessian(product, x)])
    first, second = derivatives(np.array(at))
    np.testing.assert_allclose(first, jax.grad(jnp.prod)(jnp.array(at)), rtol=1e-14)
    np.testing.assert_allclose(second, jax.hessian(jnp.prod)(jnp.array(at)), rtol=1e-14)
