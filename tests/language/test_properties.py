"""Declared properties: what they are promised of, and what simplification makes of them."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import topological
from graphc.language.formula import formula_of
from graphc.ops.contraction import Contraction
from tests.numerics import close, value

N = 4
RNG = np.random.default_rng(0)
A = gc.observed("A", (N, N), symmetric=True)
D = gc.observed("D", (N, N), diagonal=True)
Q = gc.observed("Q", (N, N), orthogonal=True)
B, x = gc.observed("B", (N, N)), gc.observed("x", N)
y = gc.observed("y", N, positive=True)
FULL = RNG.normal(size=(N, N))
FEED = {
    A: FULL + FULL.T, D: np.diag(RNG.normal(size=N)), Q: np.linalg.qr(FULL)[0], B: FULL,
    x: RNG.normal(size=N), y: RNG.uniform(0.5, 2, N),
}  # fmt: skip

# A scalar, what it is derived by, the gradient, and the number of matrix products to compute it.
CASES = {
    "symmetric": (lambda: x @ A @ x, x, "2 A x", 1),
    "symmetric, turned": (lambda: x @ A.T @ x, x, "2 A x", 1),
    "symmetric, in a chain": (lambda: np.trace(A @ B @ A), B, "A²", 1),
    "symmetric, derived by": (lambda: x @ A @ y, A, "x yᵀ", 0),
    "diagonal": (lambda: x @ D @ x, x, "2 D x", 0),
    "orthogonal": (lambda: np.sum((Q @ x) ** 2), x, "2 x", 0),
    "orthogonal, turned": (lambda: np.sum((Q.T @ x) ** 2), x, "2 x", 0),
    "orthogonal, derived by": (lambda: np.sum((Q @ x) ** 2), Q, "2 Q x xᵀ", 1),
    "orthogonal, in a trace": (lambda: np.trace(Q @ B @ Q.T @ B), B, None, 4),
    "positive": (lambda: np.sum(np.abs(y) * x), y, "x", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    make, by, text, products = CASES[name]
    gradient = gc.grad(make(), by)
    formula = formula_of(gradient)
    assert text is None or formula.text == text
    compiled = gc.compile_function(list(FEED), gradient)
    expected = value(gradient, FEED)
    close(compiled(*FEED.values()), expected, 1e-12)
    leaves = {v.node: array for v, array in FEED.items()}
    close(evaluate_term(formula.term, leaves, free=formula.free), expected, 1e-12)
    nodes = topological(compiled.model.program.outputs)
    assert sum(isinstance(n, Contraction) and len(n.args) > 1 for n in nodes) <= products


def test_a_hessian_of_a_symmetric_form_is_twice_the_matrix():
    assert formula_of(gc.hessian(x @ A @ x, x)).text == "2 A"
    source = gc.compile_function([A], gc.hessian(x @ A @ x, x)).source
    assert "A.T" not in source


def test_properties_pass_to_batched_leaves():
    w = gc.parameter("w", (N, N), symmetric=True, init=np.eye(N))
    cost = gc.cost(x @ w @ x, name="C")
    program = gc.compile(gc.Graph(cost, name="form"), batch=True)
    params = program.Params(w=FEED[A])
    data = RNG.normal(size=(3, N))
    loss, grads = program.loss_and_grad(params, x=data)
    close(loss, np.mean(np.einsum("pi,ij,pj->p", data, FEED[A], data)), 1e-12)
    close(grads.w, data.T @ data / 3, 1e-12)


def test_constants_tell_themselves():
    s = gc.constant(FEED[A], symmetric=True)
    assert formula_of(gc.hessian(x @ s @ x, x)).shape == (N, N)
    assert "+ " not in gc.compile_function([x], gc.grad(x @ s @ x, x)).source.split("_check")[1]
    with pytest.raises(UsageError, match="symmetric"):
        gc.constant(FULL, symmetric=True)
    with pytest.raises(UsageError, match="positive"):
        gc.constant([1.0, 0.0], positive=True)


@pytest.mark.parametrize(
    ("declare", "error", "word"),
    [
        (lambda: gc.observed("a", (2, 3), symmetric=True), ShapeError, "square"),
        (lambda: gc.observed("a", 3, diagonal=True), ShapeError, "square"),
        (lambda: gc.observed("a", 3, kind="integer", positive=True), KindError, "integer"),
        (lambda: gc.parameter("a", (3, 3), orthogonal=True), UsageError, "init"),
        (lambda: gc.parameter("a", (3, 3), symmetric=True), UsageError, "init"),
        (lambda: gc.parameter("a", 3, positive=True), UsageError, "init"),
        (lambda: gc.parameter("a", (3, 3), symmetric=True, init="normal"), UsageError, "normal"),
        (
            lambda: gc.parameter("a", (2, 2), symmetric=True, init=[[1, 2], [3, 4]]),
            UsageError,
            "array",
        ),
    ],
)
def test_what_cannot_be_is_refused(declare, error, word):
    with pytest.raises(error, match=word) as caught:
        declare()
    assert "test_properties.py" in str(caught.value)


def test_what_starts_as_promised_is_allowed():
    gc.parameter("a", (3, 3), symmetric=True, init="zeros")
    gc.parameter("a", (3, 3), orthogonal=True, init=np.eye(3))
    gc.parameter("a", 3, positive=True, init="ones")
    gc.parameter("a", 3, positive=True, init=lambda rng, shape: rng.uniform(1, 2, shape))
