"""Derivations of models of the field: as short as a teacher would write them, and right."""

import numpy as np
import pytest

import graphc as gc
from tests.language.test_derivation import check_steps

RNG = np.random.default_rng(5)


def variables(**shapes):
    return [gc.observed(name, shape) for name, shape in shapes.items()]


def logistic_regression():
    X, y, w = variables(X=(5, 3), y=5, w=3)
    return np.sum(np.log(1 + np.exp(-y * (X @ w)))), w, [X, y, w]


def quadratic_form():
    A, x, b = variables(A=(3, 3), x=3, b=3)
    return x @ A @ x / 2 - b @ x, x, [A, x, b]


def gaussian(by):
    S = gc.observed("S", (3, 3), symmetric=True)
    x, mu = variables(x=3, mu=3)
    r = x - mu
    cost = 0.5 * np.linalg.slogdet(S)[1] + 0.5 * r @ np.linalg.solve(S, r)
    return cost, {"S": S, "mu": mu}[by], [S, x, mu]


def two_layers(by):
    x, y = gc.observed("x", 4), gc.observed("y", classes=3)
    f1, f2 = gc.Linear(5, name="f1"), gc.Linear(3, name="f2")
    cost = gc.cross_entropy(f2(gc.relu(f1(x), output="z"), output="s"), y, name="C")
    return cost, {"x": x, "w1": f1.w, "w2": f2.w}[by], [x, y, f1.w, f1.b, f2.w, f2.b]


def attention():
    Q, K, V, Y = variables(Q=(4, 2), K=(4, 2), V=(4, 3), Y=(4, 3))
    A = gc.softmax(Q @ K.T / 2.0, axis=1, output="A")
    return np.sum((A @ V - Y) ** 2), Q, [Q, K, V, Y]


def lstm_cell():
    x, h, c, y = variables(x=3, h=2, c0=2, y=2)
    cell = gc.LSTMCell(2, name="cell")
    out, _ = cell(x, h, c)
    return np.sum((out - y) ** 2), x, [x, h, c, y, cell.w_ih, cell.w_hh, cell.b_ih, cell.b_hh]


def conv_net():
    x, y = gc.observed("x", (1, 6, 6)), gc.observed("y", classes=3)
    conv, head = gc.Conv2d(2, 3, name="conv"), gc.Linear(3, name="head")
    p = gc.max_pool2d(gc.relu(conv(x, output="s"), output="z"), 2, output="p")
    cost = gc.cross_entropy(head(p.reshape(-1), output="t"), y, name="C")
    return cost, conv.w, [x, y, conv.w, conv.b, head.w, head.b]


def mixture():
    x, mu, a = variables(x=3, mu=(4, 3), a=4)
    return -gc.logsumexp(gc.log_softmax(a) - 0.5 * np.sum((x - mu) ** 2, axis=1)), mu, [x, mu, a]


def kalman_step(by):
    Q, R = gc.observed("Q", (3, 3), symmetric=True), gc.observed("R", (2, 2), symmetric=True)
    H, m, y = variables(H=(2, 3), m=3, y=2)
    v, S = y - H @ m, H @ Q @ H.T + R
    cost = 0.5 * (np.linalg.slogdet(S)[1] + v @ np.linalg.solve(S, v))
    return cost, {"m": m, "H": H}[by], [Q, R, H, m, y]


def autoencoder():
    x, W, b, d = variables(x=4, W=(3, 4), b=3, d=4)
    return np.sum((W.T @ np.tanh(W @ x + b) + d - x) ** 2), b, [x, W, b, d]


# The model, the gradient in one formula, and the number of steps. None: too long to be read.
MODELS = {
    "logistic regression": (logistic_regression, "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))", 2),
    "quadratic form": (quadratic_form, "(1/2) (A + Aᵀ) x − b", 2),
    "Gaussian, mean": (lambda: gaussian("mu"), "S⁻¹ (mu − x)", 3),
    "Gaussian, covariance": (
        lambda: gaussian("S"), "(1/2) (S⁻¹ − S⁻¹ (x − mu) (x − mu)ᵀ S⁻¹)", 2,
    ),
    "two layers, input": (
        lambda: two_layers("x"), "f1_wᵀ ([z > 0] ⊙ (f2_wᵀ (softmax(s) − onehot(y))))", 5,
    ),
    "two layers, first": (
        lambda: two_layers("w1"), "([z > 0] ⊙ (f2_wᵀ (softmax(s) − onehot(y)))) xᵀ", 5,
    ),
    "two layers, second": (lambda: two_layers("w2"), "(softmax(s) − onehot(y)) zᵀ", 3),
    "attention": (
        attention, "diag(diag((Y − A V) Vᵀ Aᵀ)) A K − (A ⊙ ((Y − A V) Vᵀ)) K", 4,
    ),
    "LSTM cell": (lstm_cell, None, 9),
    "convolutional net": (conv_net, None, 6),
    "Gaussian mixture": (
        mixture,
        "diag(softmax(a − (1/2) (mu − 𝟏 xᵀ)^(⊙2) 𝟏)) mu"
        " − softmax(a − (1/2) (mu − 𝟏 xᵀ)^(⊙2) 𝟏) xᵀ", 3,
    ),
    "Kalman filter, state": (lambda: kalman_step("m"), "Hᵀ (H Q Hᵀ + R)⁻¹ (H m − y)", 3),
    "Kalman filter, observation": (
        lambda: kalman_step("H"),
        "−(H Q Hᵀ + R)⁻¹ (y − H m) (y − H m)ᵀ (H Q Hᵀ + R)⁻¹ H Q"
        " + (H Q Hᵀ + R)⁻¹ (H m − y) mᵀ + (H Q Hᵀ + R)⁻¹ H Q", 5,
    ),
    "autoencoder": (
        autoencoder, "2 ((𝟏 − tanh(W x + b)^(⊙2)) ⊙ (W (Wᵀ tanh(W x + b) + d − x)))", 4,
    ),
}  # fmt: skip


def number_for(v):
    if v.kind == "integer":
        return np.array(1)
    array = RNG.uniform(-1.0, 1.0, v.shape)
    if v.declaration is not None and v.name in ("S", "Q", "R") and v.ndim == 2:
        array = array @ array.T + np.eye(len(array)) if array.shape[0] == array.shape[1] else array
    return array


@pytest.mark.parametrize("name", MODELS)
def test_gradient(name):
    make, together, count = MODELS[name]
    cost, by, inputs = make()
    derivation = check_steps(cost, by, {v: number_for(v) for v in inputs})
    assert len(derivation) == count
    if together is None:
        assert derivation.result is None and r"\begin{aligned}" in gc.latex(gc.grad(cost, by))
    else:
        assert derivation.result.text == together
