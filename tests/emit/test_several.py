"""Emitted code of nodes with several results: one statement that names them all."""

import numpy as np
import pytest

import graphc as gc
from graphc.language.variable import Variable
from graphc.ops.leaves import constant
from tests import triple as kind
from tests.triple import triple


@pytest.fixture(autouse=True)
def rules(monkeypatch):
    with kind.defined(monkeypatch):
        yield


@gc.function
def turned(x=gc.Input("n"), *, w=gc.Parameter("n", init="ones")):
    sine, cosine, _ = (Variable(node, operands=(x, w)) for node in triple((w * x).node))
    return sine, cosine


def net():
    x, y = gc.observed("x", shape=3), gc.observed("y", shape=3)
    sine, cosine = turned(name="turn")(x, output=("s", "c"))
    return gc.Graph(gc.cost(((sine - y) ** 2).sum() + cosine.sum(), name="C"), name="net")


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_statement_names_the_results_as_the_user_does(style):
    program = gc.compile(net(), style=style)
    assert "s, c, _ = np.sin(" in program.source


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("batch", [True, False])
def test_values_and_gradients(style, batch):
    rng = np.random.default_rng(0)
    shape = (4, 3) if batch else (3,)
    x, y = rng.normal(size=shape), rng.normal(size=shape)
    program = gc.compile(net(), style=style, batch=batch)
    w = rng.normal(size=3)
    loss, grads = program.loss_and_grad((w,), x=x, y=y)
    residual = np.sin(w * x) - y
    each = (residual**2 + np.cos(w * x)).sum(-1)
    slope = (2 * residual * np.cos(w * x) - np.sin(w * x)) * x
    np.testing.assert_allclose(loss, each.mean())
    np.testing.assert_allclose(
        grads.w if hasattr(grads, "w") else grads[0], slope.mean(0) if batch else slope
    )
    for got, expected in zip(
        program.forward((w,), x=x), (np.sin(w * x), np.cos(w * x)), strict=True
    ):
        np.testing.assert_allclose(got, expected)


@pytest.mark.parametrize(("style", "functions"), [("readable", 1), ("fast", 3)])
def test_results_that_only_the_backward_pass_reads_come_along(style, functions):
    """The cosine is computed with the sine, in the forward stage, and handed on."""
    x, y = gc.observed("x", shape=3), gc.observed("y", shape=3)
    sine, _ = turned(name="turn")(x, output=("s", "c"))
    graph = gc.Graph(gc.cost(((sine - y) ** 2).sum(), name="C"), name="net")
    program = gc.compile(graph, style=style)
    assert program.source.count("np.sin(") == functions
    data = np.full((2, 3), 0.5)
    _, grads = program.loss_and_grad((np.ones(3),), x=data, y=0 * data)
    np.testing.assert_allclose(grads[0], 2 * np.sin(0.5) * np.cos(0.5) * 0.5)


def test_a_function_of_several_results():
    x = gc.observed("x", shape="n")
    sine, cosine, at = (Variable(node, operands=(x,)) for node in triple(x.node))
    f = gc.compile_function([x], [at, sine * cosine, cosine])
    found = f(np.array([0.1, 0.9, 0.4]))
    assert found[0] == 1
    np.testing.assert_allclose(found[1], np.sin([0.1, 0.9, 0.4]) * np.cos([0.1, 0.9, 0.4]))


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_result_that_is_a_number_is_no_name_elsewhere(style):
    """The readable file's functions each spell it: `one` is a name in one of them."""
    x = gc.observed("x", shape=2)
    one = Variable(constant(1.0), operands=(x,), name="one")
    costs = gc.cost(1.0 * one, name="C"), gc.cost(np.reciprocal(x * x + 0.5).sum(), name="D")
    program = gc.compile(gc.Graph(*costs, one, name="g"), style=style)
    assert program.loss((), x=np.ones((3, 2))) == pytest.approx(7 / 3)
    assert program.forward(()) == 1.0
