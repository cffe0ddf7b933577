"""Long chains: nothing recurses over the graph."""

import sys

import numpy as np
import pytest

import graphc as gc
from graphc.language.graph import Graph

DEPTH = 5000


def chain(step, depth=DEPTH):
    x, w = gc.observed("x", shape=(3, 3)), gc.parameter("w", shape=(3, 3), init="ones")
    z = x * w
    for k in range(depth):
        z = step(z, k)
    return Graph(gc.cost((z * z).sum(), name="C"), name="chain")


def loss_and_grad(graph, **options):
    program = gc.compile(graph, **options)
    return program.loss_and_grad([np.full((3, 3), 0.5)], x=np.ones((2, 3, 3)))


def test_blocks():
    """Five thousand blocks, declared to callable, and run; the loss is that of the loop."""
    graph = chain(lambda z, k: gc.tanh(z, output=f"z{k}", name=f"f{k}"))
    loss, grads = loss_and_grad(graph)
    z = np.full((3, 3), 0.5)
    slope = np.ones((3, 3))
    for _ in range(DEPTH):
        z = np.tanh(z)
        slope *= 1 - z * z
    assert loss == pytest.approx((z * z).sum(), rel=1e-12)
    np.testing.assert_allclose(grads.w, 2 * z * slope, rtol=1e-10)


STEPS = {
    "bare expressions": lambda z, k: z * 0.999 + 0.001,
    "views": lambda z, k: z[::-1] if k % 2 else z.T,
    "reshapes": lambda z, k: z.reshape(9) if k % 2 == 0 else z.reshape(3, 3),
    "masks": lambda z, k: np.where(z > 2, z, z * 0.999),
    "sums": lambda z, k: z - z.mean(axis=0, keepdims=True) * 1e-3,
    "products": lambda z, k: z @ gc.constant(np.eye(3)),
}


@pytest.mark.parametrize("kind", STEPS)
def test_other_forms(kind):
    """A chain of each form of statement, among them those that are spelled where they are used."""
    loss, grads = loss_and_grad(chain(STEPS[kind], 1500))
    assert np.isfinite(loss)
    assert np.all(np.isfinite(grads.w))


def test_a_deep_step_of_a_loop():
    """The body of a loop is a program like any other."""
    x, w = gc.observed("x", shape=(4, 3)), gc.parameter("w", shape=3)

    def step(h, row):
        for _ in range(400):
            h = np.tanh(h * w)
        return h + row, None

    last, _ = gc.scan(step, np.zeros(3), x)
    program = gc.compile(gc.Graph(gc.cost(last.sum(), name="C"), name="deep"))
    loss, grads = program.loss_and_grad((np.ones(3),), x=np.ones((2, 4, 3)))
    assert np.isfinite(loss)
    assert np.all(np.isfinite(grads.w))


def test_readable_files_too():
    loss, _ = loss_and_grad(chain(lambda z, k: gc.tanh(z, output=f"z{k}"), 300), style="readable")
    assert np.isfinite(loss)


def test_with_the_default_limit():
    """The depth above is beyond the interpreter's own limit, which nothing has raised."""
    assert sys.getrecursionlimit() < DEPTH
