"""Naive spellings of stable functions: recognised exactly where they are what they look like."""

import numpy as np
import pytest

import graphc as gc
from graphc.ir.program import rewrite_nodes
from graphc.language.declare import observed
from graphc.ops.stable import STABLE, stable_rules
from tests.numerics import value

X = observed("x", shape=(3, 3))
V = observed("v", shape=3)
DATA = {X: np.random.default_rng(0).normal(size=(3, 3)), V: np.array([0.3, -1.0, 2.0])}


def exp_sum(x, axis=None, keepdims=False):
    return np.sum(np.exp(x), axis=axis, keepdims=keepdims)


def recognised(y, keep=()):
    """The functions in `y` after the rewrite; its value must not change."""
    new, _ = rewrite_nodes([y.node], stable_rules(keep), stop=keep)
    node = new[y.node]
    np.testing.assert_allclose(value(node, DATA), value(y, DATA), rtol=1e-12)
    found, pending = set(), [node]
    while pending:
        n = pending.pop()
        found.add(getattr(n, "function", type(n).__name__))
        pending += n.args
    return found


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (np.log(1 + np.exp(X)), "softplus"),
        (np.log(np.exp(X) + 1.0), "softplus"),
        (np.log1p(np.exp(X)), "softplus"),
        (1 / (1 + np.exp(-X)), "sigmoid"),
        (1.0 / (np.exp(-X) + 1), "sigmoid"),
        (1 / (1 + np.exp(X)), "sigmoid"),
        (np.log(1 / (1 + np.exp(-X))), "log_sigmoid"),
        (np.log(X**2 + 1), "log1p"),
        (np.log(1 - X / 9), "log1p"),
        (np.log(1 - 1 / (1 + np.exp(-X))), "log_sigmoid"),
        (np.log1p(-(1 / (1 + np.exp(-X)))), "log_sigmoid"),
        (np.log(np.exp(X) + np.exp(V)), "logaddexp"),
        (np.exp(X) - 1, "expm1"),
        (-1 + np.exp(X), "expm1"),
        (1 - np.exp(X), "expm1"),
        (np.reciprocal(1 + np.exp(-X)), "sigmoid"),
        (np.exp(X) / (1 + np.exp(X)), "sigmoid"),
        (np.sqrt(X**2 + V**2), "hypot"),
        (np.sqrt(X * X + np.square(V)), "hypot"),
        ((X**2 + V**2) ** 0.5, "hypot"),
        (np.log(exp_sum(V)), "logsumexp"),
        (np.log(exp_sum(X)), "logsumexp"),
        (np.log(exp_sum(X, 0)), "logsumexp"),
        (np.log(exp_sum(X, 1, True)), "logsumexp"),
        (np.log(exp_sum(X, (0, 1), True)), "logsumexp"),
        (np.exp(V) / exp_sum(V), "softmax"),
        (np.exp(X) / exp_sum(X), "softmax"),
        (np.exp(X) / exp_sum(X, 0), "softmax"),
        (np.exp(X) / exp_sum(X, 0, True), "softmax"),
        (np.exp(X) / exp_sum(X, 1, True), "softmax"),
        (np.exp(X) / exp_sum(X, 1)[:, None], "softmax"),
        (np.exp(X) / exp_sum(X, 1).reshape(3, 1), "softmax"),
        (np.log(np.exp(X) / exp_sum(X, 1, True)), "log_softmax"),
    ],
)
def test_what_is_recognised(y, name):
    found = recognised(y)
    assert name in found
    assert not ({"exp", "log", "log1p"} - {name}) & found


@pytest.mark.parametrize(
    "y",
    [
        np.exp(X) / exp_sum(X, 1),  # the sums of the rows, along the columns
        np.exp(X) / exp_sum(X, 0)[:, None],
        np.exp(X) / exp_sum(X, 0).reshape(3, 1),
        np.exp(X) / exp_sum(X, 1).reshape(1, 3),
        np.exp(X) / exp_sum(X.T, 0),
        np.exp(V) / exp_sum(X, 0),
        np.exp(X) / exp_sum(V),
        np.log(2 + np.exp(X)),
        np.log(X + np.exp(X)),
        np.log(np.einsum("ii->i", np.exp(X))),
        np.log(np.einsum("ii->", np.exp(X))),
        2 / (1 + np.exp(-X)),
        np.log1p(2 * np.exp(X)),
        np.sqrt(X**2 + 1),
        np.sqrt(X**2 - V**2 + 90),
        np.exp(X) - 2,
        np.exp(X) / (2 + np.exp(X)),
        np.exp(X) / (1 + np.exp(V)),
    ],
)
def test_what_only_looks_alike_is_left_alone(y):
    assert not {
        "softmax",
        "softplus",
        "sigmoid",
        "logsumexp",
        "log_softmax",
        "hypot",
        "expm1",
    } & recognised(y)


def test_what_is_to_be_derived_by_is_not_recognised_away():
    e = np.exp(X)
    assert "softplus" in recognised(np.log(1 + e))
    assert "softplus" not in recognised(np.log(1 + e), keep=[e.node])
    s = np.tanh(X)
    assert "softplus" in recognised(np.log(1 + np.exp(s)), keep=[s.node])
    total = exp_sum(s)
    assert "logsumexp" not in recognised(np.log(total), keep=[total.node, s.node])
    assert stable_rules([X.node]) == STABLE


@pytest.mark.parametrize(
    "y",
    [
        np.sqrt(np.maximum(V, 0)),
        np.sqrt(np.where(V > 0, V, 0.0)),
        np.sqrt(np.where(V <= 0, 0.0, V)),
    ],
)
def test_the_root_of_what_is_cut_off_has_no_slope_there(y):
    slope = gc.grad(np.sum(y), V)
    at = np.array([-1.0, 0.0, 4.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(value(slope, {V: at}), [0, 0, 0.25])
        np.testing.assert_array_equal(value(y, {V: at}), [0, 0, 2])
    for style in ("readable", "fast"):
        f = gc.compile_function([V], [y, slope], style=style)
        np.testing.assert_array_equal(f(at), [[0, 0, 2], [0, 0, 0.25]])


def test_the_root_of_a_cut_nan_is_nan():
    slope = gc.grad(np.sum(np.sqrt(np.maximum(V, 0))), V)
    y, dy = gc.compile_function([V], [np.sqrt(np.maximum(V, 0)), slope])(np.full(3, np.nan))
    assert np.isnan(y).all() and np.isnan(dy).all()
