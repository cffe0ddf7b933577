"""A loss as a function of one flat vector, with SciPy's optimisers."""

import numpy as np
import pytest
import scipy.optimize as so

import graphc as gc

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 4))
Y = RNG.integers(0, 3, 30)


def classifier(**options):
    x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
    w = gc.parameter("w", shape=(3, 4))
    b = gc.parameter("b", shape=3)
    penalty = gc.cost(0.05 * (np.sum(w * w) + np.sum(b * b)), name="R")
    net = gc.Graph(gc.cross_entropy(w @ x + b, y, name="C"), penalty, name="net")
    return gc.compile(net, **options)


def objective():
    program = classifier()
    return program.as_scipy(program.init_params(), x=X, y=Y)


def test_the_vector_holds_the_parameters_in_order():
    program = classifier()
    start = program.Params(w=np.arange(12.0).reshape(3, 4), b=np.array([20.0, 21, 22]))
    f = program.as_scipy(start, x=X, y=Y)
    np.testing.assert_array_equal(f.x0, [*range(12), 20, 21, 22])
    loss, grads = program.loss_and_grad(start, x=X, y=Y)
    value, gradient = f.fun(f.x0)
    assert value == loss
    np.testing.assert_array_equal(gradient, np.concatenate([grads.w.ravel(), grads.b]))
    np.testing.assert_array_equal(f.params(f.x0).w, start.w)


def test_the_hessian_is_the_derivative_of_the_gradient():
    f = objective()
    x, v = RNG.standard_normal((2, 15))
    numeric = (f.fun(x + 1e-6 * v)[1] - f.fun(x - 1e-6 * v)[1]) / 2e-6
    np.testing.assert_allclose(f.hessp(x, v), numeric, rtol=1e-6, atol=1e-8)
    hessian = f.hess(x)
    np.testing.assert_allclose(hessian @ v, f.hessp(x, v), rtol=1e-12)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12, atol=1e-15)


def test_every_optimiser_finds_the_same_minimum():
    f = objective()
    found = {}
    for method in ("L-BFGS-B", "CG", "BFGS", "Newton-CG", "trust-ncg", "trust-krylov"):
        second = {"hessp": f.hessp} if method[0] in "Nt" else {}
        found[method] = (
            so.minimize(f.fun, f.x0, jac=True, method=method, options={"gtol": 1e-9}, **second)
            if method != "Newton-CG"
            else so.minimize(f.fun, f.x0, jac=True, method=method, **second)
        )
    exact = so.minimize(f.fun, f.x0, jac=True, hess=f.hess, method="trust-exact")
    for method, result in found.items():
        assert result.fun == pytest.approx(exact.fun, rel=1e-9), method
    assert exact.fun < f.fun(f.x0)[0]


def test_least_squares():
    t = gc.observed("t")
    y = gc.observed("y")
    a, k = gc.parameter("a"), gc.parameter("k")

    @gc.function
    def residual(t, y):
        return a * np.exp(-k * t) - y

    r = residual(t, y, output="r")
    program = gc.compile(gc.Graph(gc.cost(r * r / 2, name="C"), name="decay"))
    times = np.linspace(0, 3, 20)
    f = program.as_scipy(program.Params(1.0, 1.0), t=times, y=2.5 * np.exp(-0.7 * times))
    found = so.least_squares(
        lambda x: f.residuals(x, "r"), f.x0, lambda x: f.residuals_jacobian(x, "r")
    )
    np.testing.assert_allclose(found.x, [2.5, 0.7], rtol=1e-8)
    jacobian = f.residuals_jacobian(f.x0, "r")
    assert jacobian.shape == (20, 2)
    np.testing.assert_allclose(jacobian.T @ f.residuals(f.x0, "r") / 20, f.fun(f.x0)[1])


def test_one_sample_and_float32():
    w, b = gc.parameter("w", shape=2), gc.parameter("b")
    x = gc.observed("x", shape=2)
    net = gc.Graph(gc.cost((w @ x + b - 1) ** 2, name="C"), name="net")
    program = gc.compile(net, dtype="float32", batch=False)
    f = program.as_scipy(program.init_params(), x=np.array([1.0, 2.0]))
    assert f.fun(f.x0)[1].dtype == np.float64
    np.testing.assert_allclose(f.hess(f.x0), 2 * np.outer([1, 2, 1], [1, 2, 1]))


class TestErrors:
    def test_inputs(self):
        program = classifier()
        with pytest.raises(gc.CompileError, match="'y' is missing or unknown; the inputs are x, y"):
            program.as_scipy(program.init_params(), x=X)

    def test_a_vector_of_another_length(self):
        with pytest.raises(ValueError, match=r"must have shape \(15,\), got \(3,\)"):
            objective().fun(np.zeros(3))

    def test_no_such_variable(self):
        f = objective()
        with pytest.raises(gc.CompileError, match="has no variable 'r'"):
            f.residuals(f.x0, "r")

    def test_wrt(self):
        x = gc.observed("x")
        w = gc.parameter("w")
        program = gc.compile(gc.Graph(gc.cost(w * x, name="C")), wrt=x)
        with pytest.raises(gc.CompileError, match="differentiated by its parameters"):
            program.as_scipy(program.init_params(), x=X[:, 0])
