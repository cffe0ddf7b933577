"""``vmap`` against JAX's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from graphc.errors import ShapeError, UsageError
from tests.numerics import value

RNG = np.random.default_rng(4)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 3))
V = RNG.normal(size=4)


def dot(xp):
    return lambda a, b: xp.tanh(a * b).sum() + a


CASES = {
    "all": (dot, 0, 0, (A, A)),
    "one": (dot, (0, None), 0, (A, V)),
    "another axis": (dot, (0, 1), 0, (A, B)),
    "from behind": (dot, (-2, -1), -1, (A, B)),
    "out": (dot, (0, None), 1, (A, V)),
    "structures": (lambda xp: lambda s, c: {"a": s["x"] * c, "b": (s["y"],)},
                   ({"x": 0, "y": 1}, None), {"a": 1, "b": 0}, ({"x": A, "y": B}, V)),
    "the same for all": (lambda xp: lambda a, b: (a + 1, xp.sin(b)), (0, None), (0, None), (A, V)),
}  # fmt: skip


def compare(build, oracle, arrays):
    leaves, tree = jax.tree.flatten(arrays)
    inputs = [gc.observed(f"x{i}", shape=a.shape) for i, a in enumerate(leaves)]
    got = jax.tree.leaves(build(*jax.tree.unflatten(tree, inputs)))
    expected = jax.tree.leaves(oracle(*arrays))
    feed = dict(zip(inputs, leaves, strict=True))
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(value(a, feed), b, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_axes_in_and_out(name):
    f, in_axes, out_axes, arrays = CASES[name]
    compare(gc.vmap(f(np), in_axes, out_axes), jax.vmap(f(jnp), in_axes, out_axes), arrays)


def test_nested():
    compare(
        lambda a, b: gc.vmap(lambda r: gc.vmap(lambda c: r @ c, 1)(b))(a),
        lambda a, b: jax.vmap(lambda r: jax.vmap(lambda c: r @ c, 1)(b))(a),
        (A, B),
    )


def test_a_gradient_inside_and_outside():
    def inside(of, xp):
        def slope(r, v):
            if of is gc:
                return gc.grad(xp.tanh(r @ v), r)
            return jax.grad(lambda q: xp.tanh(q @ v))(r)

        return of.vmap(slope, (0, None))

    compare(inside(gc, np), inside(jax, jnp), (A, V))
    compare(
        lambda a, v: gc.grad((inside(gc, np)(a, v) ** 2).sum(), v),
        lambda a, v: jax.grad(lambda u: (inside(jax, jnp)(a, u) ** 2).sum())(v),
        (A, V),
    )


def test_a_loop_inside_and_outside():
    def cumulated(of, xp):
        scan = gc.scan if of is gc else jax.lax.scan
        return lambda r: scan(lambda s, v: (s * v + 1, s), xp.sum(r) * 0, r)[1]

    compare(gc.vmap(cumulated(gc, np)), jax.vmap(cumulated(jax, jnp)), (A,))


def test_per_sample_gradients_of_shared_parameters():
    x, w = gc.observed("x", shape=(5, 3), per_sample=False), gc.parameter("w", shape=3)
    slopes = gc.vmap(lambda row: gc.grad(np.tanh(w @ row), w))(x)
    assert slopes.shape == (5, 3)
    weights, rows = RNG.normal(size=3), RNG.normal(size=(5, 3))
    got = gc.compile_function([x, w], slopes)(rows, weights)
    np.testing.assert_allclose(got, (1 - np.tanh(rows @ weights) ** 2)[:, None] * rows)


def test_parameters_of_blocks_inside_a_graph():
    x = gc.observed("x", shape=("n", 3))
    layer = gc.Linear(2, name="inner")
    graph = gc.Graph(gc.cost((gc.vmap(layer)(x) ** 2).sum(), name="C"), name="g")
    program = gc.compile(graph)
    assert program.init_params()._fields == ("inner_w", "inner_b")
    loss, _ = program.loss_and_grad((np.ones((2, 3)), np.zeros(2)), x=np.ones((4, 5, 3)))
    assert loss == pytest.approx(5 * 2 * 9)


X = gc.observed("x", shape=(3, 4))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.vmap(np.sin, None)(X), UsageError, "one argument at least"),
        (lambda: gc.vmap(np.add, (0, 1))(X, X), ShapeError, "got 3 of 'x' and 4 of 'x'"),
        (lambda: gc.vmap(np.sin, 2)(X), ShapeError, "axis 2 is out of range"),
        (lambda: gc.vmap(np.sin, (0, 0))(X), UsageError, "in_axes has 2"),
        (lambda: gc.vmap(np.sin, 0, None)(X), UsageError, "not the same for all"),
        (lambda: gc.vmap(3)(X), UsageError, "vmap takes a function"),
        (lambda: gc.vmap(lambda v: gc.over_samples("mean", v))(X), UsageError, "over_samples"),
    ],
)
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()
