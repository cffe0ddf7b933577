"""NumPy's functions on variables: named sizes, a sample axis, and what NumPy refuses."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError
from tests.numerics import check_batching, check_grads, on_nodes, value

X = np.random.default_rng(2).normal(size=(5, 2))

NAMED = {
    "flip": lambda x: np.flip(x, 0),
    "roll": lambda x: np.roll(x, 2, 0),
    "roll back": lambda x: np.roll(x, -2, 0),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 3, axis=0),
    "pad": lambda x: np.pad(x, ((1, 2), (0, 0))),
    "concatenate": lambda x: np.concatenate([x, x[1:]]),
    "vstack": lambda x: np.vstack([x, x]),
    "stack": lambda x: np.stack([x, 2 * x], 1),
    "diff": lambda x: np.diff(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x, axis=0),
    "prod": lambda x: np.prod(x, axis=0),
    "sort": lambda x: np.sort(x, axis=0),
    "var": lambda x: np.var(x, axis=0, ddof=1),
    "norm": lambda x: np.linalg.norm(x, axis=0),
    "cov": lambda x: np.cov(x, rowvar=False),
    "tril": lambda x: np.tril(x @ x.T),
    "diag": lambda x: np.diag(x[:, 0], 1),
    "diagonal": lambda x: np.diagonal(x @ x.T, 1),
    "kron": lambda x: np.kron(x, x),
    "einsum": lambda x: np.einsum("i...,ji->j...", x, x @ x.T),
    "convolve": lambda x: np.convolve(x[:, 0], np.array([1.0, -2.0, 0.5])),
    "meshgrid": lambda x: np.meshgrid(x[:, 0], x[0])[1],
    "every second": lambda x: x[::-2],
    "split": lambda x: np.split(np.tile(x, (2, 1)), 2)[1],
    "average": lambda x: np.average(x, axis=0, weights=x[:, 0] ** 2),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_sizes(name):
    f = NAMED[name]
    x = gc.observed("x", shape=("n", 2))
    np.testing.assert_allclose(value(f(x), {x: X}, n=5), f(X), rtol=1e-12)
    run = gc.compile_function([x], f(x))
    np.testing.assert_allclose(run(X), f(X), rtol=1e-12)


BATCHED = {
    "advanced": (lambda x: x[[1, 0, 1], :, [0, 1, 1]], (2, 3, 2)),
    "at_set": (lambda x: gc.at_set(x, ([1, 0], slice(1)), 2 * x[:, 1:2]), (2, 3)),
    "at_add": (lambda x: gc.at_add(x, (slice(1, None), [0, 0]), x[1:, :2]), (2, 3)),
    "sort": (lambda x: np.sort(x, axis=0), (3, 2)),
    "cumprod": (lambda x: np.cumprod(x, axis=1), (2, 3)),
    "median": (lambda x: np.median(x, axis=1), (2, 4)),
    "norm": (lambda x: np.linalg.norm(x, 3, axis=0), (2, 3)),
    "pad": (lambda x: np.pad(x, 1, mode="reflect"), (2, 3)),
    "block": (lambda x: np.block([[x, x], [x[:1], x[1:]]]), (2, 3)),
}


@pytest.mark.parametrize("name", BATCHED)
def test_the_sample_axis(name):
    f, shape = BATCHED[name]
    check_batching(on_nodes(f), shape)
    check_grads(on_nodes(lambda x: f(x) ** 2), shape, order=1)


def test_the_gradient_of_norms_at_zero_is_zero():
    x = gc.observed("x", shape=3)
    for order in (None, 1, 2, 3, 1.5):
        g = gc.grad(np.linalg.norm(x, order), x)
        np.testing.assert_array_equal(value(g, {x: np.zeros(3)}), np.zeros(3))
    np.testing.assert_array_equal(value(gc.grad(np.std(x), x), {x: np.ones(3)}), np.zeros(3))


def test_methods_of_arrays():
    x = gc.observed("x", shape=(5, 2))
    for name in ("prod", "std", "var", "argmax", "cumsum", "flatten", "ravel", "squeeze"):
        np.testing.assert_allclose(value(getattr(x, name)(), {x: X}), getattr(X, name)())
    assert value(x.repeat(2, axis=1), {x: X}).shape == (5, 4)
    assert (x.size, len(x), next(iter(x)).shape) == (10, 5, (2,))
    with pytest.raises(AttributeError, match="nonsense"):
        x.nonsense  # noqa: B018


A, B = gc.observed("a", shape=(2, 3)), gc.observed("b", shape=(4, 5))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: np.einsum("ij,jk", A, B), ["3", "4"]),
        (lambda: np.einsum("ijk", A), ["rank 2"]),
        (lambda: np.einsum("ij->ii", A), ["twice"]),
        (lambda: np.einsum("i...->i", A), ["..."]),
        (lambda: np.tensordot(A, B), ["(2, 3)", "(4, 5)"]),
        (lambda: np.concatenate([A, B]), ["(2, 3)", "(4, 5)"]),
        (lambda: np.kron(A, "x"), []),
        (lambda: np.split(A, 2, axis=1), ["3 elements", "2 equal"]),
        (lambda: np.moveaxis(A, 0, 5), ["axis 5"]),
        (lambda: np.broadcast_to(A, (2, 4)), ["(2, 3)", "(2, 4)"]),
        (lambda: np.pad(A, 1, mode="empty"), ["'empty'", "reflect"]),
        (lambda: np.pad(A, -1), ["negative"]),
        (lambda: np.repeat(A, [1, 2], axis=1), ["2 numbers", "3 elements"]),
        (lambda: np.max(A[:0], axis=0), ["no elements"]),
        (lambda: np.max(A, where=A > 0), ["initial="]),
        (lambda: np.sum(A, dtype=bool), ["np.any"]),
        (lambda: np.quantile(A, 1.5), ["between 0 and 1"]),
        (lambda: np.linalg.norm(A, ord="x", axis=0), ["'x'"]),
        (lambda: np.cross(B, B), ["three elements"]),
        (lambda: gc.at_set(A, 0, np.zeros(4)), ["(4,)", "(3,)"]),
        (lambda: np.take(A, 3, axis=1), ["index 3", "size 3"]),
    ],
)
def test_what_numpy_refuses_is_refused(make, words):
    with pytest.raises(GraphcError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
