"""Across samples: batching resolves it, one sample is alone, no derivative inside a model."""

import numpy as np
import pytest

import graphc as gc
from graphc.batching import batch_nodes
from graphc.errors import DerivativeError, FormulaError
from graphc.ir.nodes import topological
from graphc.ops.leaves import new_input
from graphc.ops.samples import SAMPLES, OverSamples
from graphc.types import TensorType
from tests.numerics import value

X = gc.observed("x", shape=(2, 3))
DATA = np.random.default_rng(0).normal(size=(5, 2, 3))


def batched(v, data=DATA, leaf=X):
    new = new_input(TensorType((SAMPLES, *leaf.shape), leaf.kind))
    made, varying, _ = batch_nodes([v.node], {leaf.node: new}, SAMPLES)
    assert not any(isinstance(n, OverSamples) for n in topological([made[v.node]]))
    return value(made[v.node], {new: data}, P=len(data)), v.node in varying


@pytest.mark.parametrize(
    ("f", "expected"), [("mean", DATA.mean(0)), ("sum", DATA.sum(0)), ("all", DATA)]
)
def test_of_what_varies(f, expected):
    got, varies = batched(gc.over_samples(f, X))
    np.testing.assert_allclose(got, expected, rtol=1e-14)
    assert not varies


@pytest.mark.parametrize(("f", "expected"), [("mean", 2.0), ("sum", 10.0), ("all", [2.0] * 5)])
def test_of_what_does_not(f, expected):
    got, varies = batched(gc.over_samples(f, gc.constant(2.0)) + 0.0 * np.sum(X))
    np.testing.assert_allclose(got, [expected] * 5)
    assert varies


def test_of_integers_and_booleans():
    y = gc.observed("y", kind="integer")
    data = np.array([0, 2, 2, 5])
    assert batched(gc.over_samples("mean", y), data, y)[0] == pytest.approx(2.25)
    assert batched(gc.over_samples("sum", y == 2), data, y)[0] == 2
    np.testing.assert_array_equal(batched(gc.over_samples("all", y == 2), data, y)[0], data == 2)


def test_one_sample_is_alone():
    everything = [gc.over_samples(f, X) for f in ("mean", "sum", "all")]
    flat = everything[2].reshape(-1) * gc.over_samples("sum", 1.0)
    got = gc.compile_function([X], [*everything, flat])(DATA[0])
    for a, b in zip(got, [DATA[0], DATA[0], DATA[:1], DATA[0].ravel()], strict=True):
        np.testing.assert_array_equal(a, b)
    net = gc.Graph(gc.over_samples("all", X) + 1.0)
    program = gc.compile(net, batch=False)
    np.testing.assert_array_equal(program.forward(program.init_params(), x=DATA[0]), DATA[:1] + 1)
    np.testing.assert_array_equal(value(everything[2], {X: DATA[0]}, P=1), DATA[:1])


def test_gradients_of_a_compiled_graph_go_through(torch):
    w = gc.parameter("w", shape=3)
    h = np.tanh(X @ w)
    everyone = gc.over_samples("all", h)
    c = np.sum((h - gc.over_samples("mean", h)) ** 2) + np.sum(np.exp(everyone @ h))
    data = torch.tensor(DATA)
    v = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    t = torch.tanh(data @ v)
    loss = (((t - t.mean(0)) ** 2).sum(1) + torch.exp(t @ t.T).sum(0)).mean()
    everyone_shape = (SAMPLES, 2)
    assert everyone.shape == everyone_shape
    loss.backward()
    for style in ("readable", "fast"):
        program = gc.compile(gc.Graph(gc.cost(c, name="C")), style=style)
        got, grads = program.loss_and_grad((v.detach().numpy(),), x=DATA)
        assert got == pytest.approx(loss.item())
        np.testing.assert_allclose(grads.w, v.grad.numpy(), rtol=1e-10)


def test_a_cost_that_all_samples_share_is_added_once():
    net = gc.Graph(gc.cost(gc.over_samples("mean", np.sum(X)), name="C"))
    program = gc.compile(net)
    assert program.loss(program.init_params(), x=DATA) == pytest.approx(DATA.sum((1, 2)).mean())


def test_no_derivative_inside_a_model():
    m = gc.over_samples("mean", X)
    for derive in (
        lambda: gc.grad(np.sum(m * m), X),
        lambda: gc.jvp(np.sum(m * m), X, X),
        lambda: gc.jacobian(m, X),
    ):
        with pytest.raises(DerivativeError, match=r"over_samples.*Compile the graph"):
            derive()
    assert gc.grad(np.sum(gc.stop_gradient(m) * X), X).shape == (2, 3)
    with pytest.raises(FormulaError, match="reaches across samples"):
        gc.latex(m)


def test_a_jacobian_beside_it():
    """A Jacobian gives another axis to what lies beside its path, and to what is shared."""
    d = gc.jacobian(np.tanh(X[0] * gc.over_samples("sum", 2.0)), X)
    got, varies = batched(d)
    assert varies
    assert got.shape == (5, 3, 2, 3)
    slope = 10 * (1 - np.tanh(10 * DATA[:, 0]) ** 2)
    np.testing.assert_allclose(got[:, range(3), 0, range(3)], slope, rtol=1e-9)
