"""Matrix step sizes: one step is exact where theory says so."""

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
STYLES = pytest.mark.parametrize("style", ["fast", "readable"])


def least_squares(rule, style="fast", **options):
    x, y = gc.observed("x", shape=3), gc.observed("y")
    w, b = gc.parameter("w", shape=3), gc.parameter("b")

    @gc.function
    def residual(x, y):
        return w @ x + b - y

    r = residual(x, y, output="r")
    return gc.compile(gc.Graph(gc.cost(r * r, name="C"), name="fit"), step=rule, style=style)


Y = X @ np.array([1.0, -2.0, 0.5]) + 0.3 + 0.1 * RNG.standard_normal(40)


def solution():
    return np.linalg.lstsq(np.column_stack([X, np.ones(40)]), Y, rcond=None)[0]


def one_step(program, **data):
    params = program.init_params(seed=1)
    program.train_step(params, program.init_state(params), **data)
    return np.concatenate([np.ravel(p) for p in params])


@STYLES
def test_newton_solves_a_quadratic_in_one_step(style):
    found = one_step(least_squares(gc.newton(), style), x=X, y=Y)
    np.testing.assert_allclose(found, solution(), rtol=1e-10)


@STYLES
def test_gauss_newton_does_too(style):
    found = one_step(least_squares(gc.gauss_newton("r"), style), x=X, y=Y)
    np.testing.assert_allclose(found, solution(), rtol=1e-10)


@STYLES
def test_a_matrix_step_size_can_be_the_inverse_hessian(style):
    # Without the bias's share: the Hessian of the loss is 2/P of these products.
    full = np.linalg.inv(2 * X.T @ X / 40)
    x, y, w = gc.observed("x", shape=3), gc.observed("y"), gc.parameter("w", shape=3)
    net = gc.Graph(gc.cost((w @ x - y) ** 2, name="C"), name="fit")
    program = gc.compile(net, step=gc.scaled({"w": full}), style=style)
    np.testing.assert_allclose(
        one_step(program, x=X, y=Y), np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-10
    )
    diagonal = np.array([0.1, 0.2, 0.3])
    program = gc.compile(net, step=gc.scaled({"w": diagonal}, lr=0.5), style=style)
    params = program.init_params()
    _, grads = program.loss_and_grad(params, x=X, y=Y)
    np.testing.assert_allclose(one_step(program, x=X, y=Y), -0.5 * diagonal * grads.w, rtol=1e-12)


def classifier(rule, style="fast"):
    x, y = gc.observed("x", shape=3), gc.observed("y", classes=2)
    w = gc.parameter("w", shape=(2, 3))
    penalty = gc.cost(0.01 * np.sum(w * w), name="R")
    net = gc.Graph(gc.cross_entropy(w @ x, y, name="C"), penalty, name="net")
    return gc.compile(net, step=rule, style=style)


LABELS = (X[:, 0] + 0.5 * RNG.standard_normal(40) > 0).astype(int)


@STYLES
def test_newton_converges_quadratically_on_logistic_regression(style):
    program = classifier(gc.newton(), style)
    params = program.Params(np.zeros((2, 3)))
    state = program.init_state(params)
    norms = []
    for _ in range(8):
        _, grads = program.loss_and_grad(params, x=X, y=LABELS)
        norms.append(np.linalg.norm(grads.w))
        program.train_step(params, state, x=X, y=LABELS)
    assert norms[-1] < 1e-12
    assert norms[4] < 10 * norms[3] ** 1.8


@STYLES
def test_natural_gradient_is_its_formula(style):
    program = classifier(gc.natural_gradient("C", lr=0.7, damping=0.1), style)
    params = program.init_params()
    before = np.array(params.w)
    _, grads = program.loss_and_grad(params, x=X, y=LABELS)
    scores = []
    x, y = gc.observed("x", shape=3), gc.observed("y", classes=2)
    w = gc.parameter("w", shape=(2, 3))
    alone = gc.compile(gc.Graph(gc.cross_entropy(w @ x, y, name="C")), batch=False)
    for a, label in zip(X, LABELS, strict=True):
        scores.append(alone.loss_and_grad(alone.Params(before), x=a, y=label)[1].w.ravel())
    fisher = np.transpose(scores) @ scores / 40
    step = np.linalg.solve(fisher + 0.1 * np.eye(6), grads.w.ravel())
    program.train_step(params, program.init_state(params), x=X, y=LABELS)
    np.testing.assert_allclose(params.w.ravel(), before.ravel() - 0.7 * step, rtol=1e-10)


def test_levenberg_marquardt_on_a_curve():
    t, y = gc.observed("t"), gc.observed("y")
    a, k = gc.parameter("a", init="ones"), gc.parameter("k", init="ones")

    @gc.function
    def residual(t, y):
        return a * np.exp(-k * t) - y

    r = residual(t, y, output="r")
    net = gc.Graph(gc.cost(r * r, name="C"), name="decay")
    program = gc.compile(net, step=gc.gauss_newton("r", damping=lambda n: 0.1 / n**2))
    times = np.linspace(0, 3, 20)
    run = gc.train(
        program, program.init_params(), {"t": times, "y": 2.5 * np.exp(-0.7 * times)}, steps=30
    )
    assert run.params.a == pytest.approx(2.5, rel=1e-6)
    assert run.params.k == pytest.approx(0.7, rel=1e-6)


class TestErrors:
    def test_an_unknown_parameter(self):
        with pytest.raises(gc.UsageError, match="no parameter 'v' to scale the step of"):
            least_squares(gc.scaled({"v": np.ones(3)}))

    def test_a_matrix_of_the_wrong_shape(self):
        with pytest.raises(gc.ShapeError, match=r"or a matrix of shape \(3, 3\), got \(2, 2\)"):
            least_squares(gc.scaled({"w": np.eye(2)}))

    def test_an_unknown_residual(self):
        with pytest.raises(gc.CompileError, match="has no variable 'q'"):
            least_squares(gc.gauss_newton("q"))

    def test_an_unknown_cost(self):
        with pytest.raises(gc.UsageError, match="there is no cost 'D'; there are C"):
            least_squares(gc.natural_gradient("D"))
