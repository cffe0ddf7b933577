"""Constants that repeat a number, and identity matrices, are written as textbooks do."""

import numpy as np
import pytest

import graphc as gc

X, Y = gc.observed("x", shape=(3, 3)), gc.observed("y", shape=3)
W, S = gc.parameter("W", shape=(3, 2)), gc.parameter("s", shape=())
K = W @ W.T + np.exp(S) * np.eye(3)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (X @ np.eye(3), "x"),
        (X + np.zeros((3, 3)), "x"),
        (np.full((3, 3), 2.0) * X, "2*x"),
        (gc.grad(np.linalg.slogdet(K)[1], W), "2*((exp(s)*I + W*W.T)**(-1)*W)"),
        (gc.grad((X * np.ones((3, 3))).sum(), X), "1*1.T"),
        (np.diag([1.0, 1.0, 2.0]) @ Y, "c*y"),
        (np.full(3, np.inf) * Y, "HadamardProduct(c, y)"),
        (gc.observed("e", shape=(0, 0)) + np.zeros((0, 0)), "c + e"),
    ],
)
def test_formulas(expression, text):
    assert str(gc.formula(expression)) == text
