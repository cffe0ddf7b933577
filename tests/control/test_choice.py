"""Choices between bodies: derivatives, samples, leaks of nan, emitted code."""

import numpy as np
import pytest

import graphc as gc
from graphc.control.body import body
from graphc.control.choice import Choice
from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.program import Program
from graphc.language.variable import Variable
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.several import item
from graphc.types import TensorType
from tests.numerics import check_batching, check_grads, on_nodes, value


def chosen(flag):
    def f(k, x, w):
        y, z = gc.cond(
            k > 1 if flag else k < 1,
            lambda a, b: (np.sin(a) * b[0], a.sum()),
            lambda a, b: (a * w, np.prod(b)),
            x,
            w,
        )
        return y * z

    return f


CASES = {"yes": (chosen(True), np.array(2), (3,), (3,)),
         "no": (chosen(False), np.array(2), (3,), (3,))}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    f, *operands = CASES[name]
    check_grads(on_nodes(f), *operands)


def by_sample(x, w):
    """The condition differs from sample to sample."""
    return gc.cond(x.sum() > 2.5, lambda a: np.log(a) * w, lambda a: np.exp(-a) + w.sum(), x)


def test_the_sample_axis_is_a_loop_over_samples():
    f, *operands = CASES["yes"]
    check_batching(on_nodes(f), *operands)
    check_batching(on_nodes(by_sample), (3,), (3,), samples=6)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("shift", [0.0, 3.0, -3.0], ids=["mixed", "all yes", "all no"])
def test_nothing_leaks_from_the_function_that_is_not_taken(style, shift):
    x, w = gc.observed("x"), gc.parameter("w", init="ones")
    root = gc.cond(x > 0, lambda v: np.sqrt(v) * w, lambda v: np.log(-v) * w, x)
    graph = gc.Graph(gc.cost(root, name="C"), name="g")
    program = gc.compile(graph, style=style, wrt=[x, w])
    data = np.array([1.0, -2.0, 0.5, -0.25]) + shift
    with np.errstate(all="ignore"):
        expected = np.where(data > 0, np.sqrt(data), np.log(-data))
        slope = np.where(data > 0, 0.5 / np.sqrt(data), 1 / data) / 4
    loss, grads = program.loss_and_grad((np.array(1.0),), x=data)
    assert loss == pytest.approx(expected.mean())
    np.testing.assert_allclose(grads.x, slope)
    np.testing.assert_allclose(grads.w, expected.mean())


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_one_condition_for_all_becomes_a_branch(style):
    k = gc.observed("k", kind="integer", per_sample=False)
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    y = gc.cond(k > 0, lambda v: np.tanh(v * w), lambda v: v, x)
    graph = gc.Graph(gc.cost((y**2).sum(), name="C"), name="g")
    program = gc.compile(graph, style=style)
    assert "    else:\n" in program.source
    data, weights = np.random.default_rng(0).normal(size=(2, 5, 3))
    for at in (0, 1):
        y = np.tanh(data * weights[0]) if at else data
        slope = (2 * y * (1 - y**2) * data).mean(0) if at else np.zeros(3)
        loss, grads = program.loss_and_grad((weights[0],), k=at, x=data)
        assert loss == pytest.approx((y**2).sum(1).mean())
        np.testing.assert_allclose(grads.w, slope, atol=1e-15)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_results_belong_to_the_caller(style):
    k, x = gc.observed("k", kind="boolean"), gc.observed("x", shape=3)
    f = gc.compile_function([k, x], gc.cond(k, lambda v: v, lambda v: 2 * v, x), style=style)
    data = np.ones(3)
    result = f(True, data)
    result += 1
    np.testing.assert_array_equal(data, 1)


def test_a_known_condition_leaves_one_function():
    x = gc.observed("x")
    y = gc.cond(True, np.sin, np.cos, x)
    assert not isinstance(y.node.args[0], Choice)
    assert value(y, {x: 0.5}) == np.sin(0.5)


def test_a_choice_in_a_loop_and_a_loop_in_a_choice():
    x = gc.observed("x", shape=(5,))

    def step(s, v):
        s = gc.cond(s > 1, lambda a: a * v, lambda a: a + v * v, s)
        return s, s

    last, _ = gc.scan(step, 0.5, x)
    data = np.array([0.3, 0.9, 1.2, -0.5, 0.7])
    expected = 0.5
    for v in data:
        expected = expected * v if expected > 1 else expected + v * v
    f = gc.compile_function([x], [last, gc.grad(last, x)])
    got, slope = f(data)
    assert got == pytest.approx(expected)
    assert slope.shape == (5,)

    total = gc.cond(x[0] > 0, lambda r: gc.scan(lambda s, v: (s * v, None), 1.0, r)[0],
                    lambda r: r.sum(), x)  # fmt: skip
    g = gc.compile_function([x], [total, gc.grad(total, x)])
    for sign in (1, -1):
        made, slope = g(sign * data)
        assert made == pytest.approx(data.prod() if sign > 0 else -data.sum())
        close = data.prod() / data if sign > 0 else np.ones(5)
        np.testing.assert_allclose(slope, close)


def test_one_of_many():
    k, x = gc.observed("k", kind="integer"), gc.observed("x")
    y = gc.branch(k, [np.sin, np.cos, np.exp], x)
    f = gc.compile_function([k, x], [y, gc.grad(y, x)])
    for at, expected in ((-3, np.sin), (0, np.sin), (1, np.cos), (2, np.exp), (9, np.exp)):
        assert f(at, 0.4)[0] == pytest.approx(expected(0.4))


def test_parameters_of_blocks_inside():
    x = gc.observed("x", shape=2)
    layer = gc.Linear(2, name="inner")
    y = gc.cond(x[0] > 0, lambda v: layer(v), lambda v: v, x)
    graph = gc.Graph(gc.cost(y.sum(), name="C"))
    assert [graph.name_of(p) for p in graph.parameters] == ["inner_w", "inner_b"]


X = gc.observed("x", shape=2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.cond(X > 0, np.sin, np.cos, X), KindError, "a boolean without axes"),
        (lambda: gc.cond(X[0] > 0, np.sin, lambda v: v[0], X), ShapeError, "must be equal"),
        (lambda: gc.cond(X[0] > 0, np.sin, lambda v: (v, v), X), UsageError, "has the structure"),
        (lambda: gc.cond(X[0] > 0, np.sin, lambda v: v > 0, X), KindError, "real and boolean"),
        (lambda: gc.cond(X[0] > 0, 1, np.sin, X), UsageError, "cond takes a function"),
        (lambda: gc.branch(X[0], [np.sin], X), KindError, "an integer without axes"),
        (lambda: gc.branch(1, [], X), UsageError, "needs a function"),
    ],
)
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_number_for_an_operand_is_numpy_s(style):
    """Passes find out late that one is a number; what comes back of it is copied."""
    x, leaf = gc.observed("x"), new_input(TensorType(()))
    halves = body(Program((leaf,), (elementwise("multiply", leaf, constant(0.5)),)))
    same = body(Program((leaf,), (leaf,)))
    node = Choice(((x > 0).node, constant(3.0)), halves, same)
    f = gc.compile_function([x], Variable(item(node, 0), operands=(x,)), style=style)
    assert (f(1.0), f(-1.0)) == (1.5, 3.0)
