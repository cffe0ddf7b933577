"""Identities of textbooks, as gc.grad and its like print them; each is also computed.

The Matrix Cookbook (Petersen and Pedersen, 2012) by its numbers, examples of matrixcalculus.org,
and the losses of machine learning.
"""

import doctest
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.language.formula import formula_of
from tests.numerics import close, value

SIZES = {"m": 2, "n": 3, "k": 4}
v = gc.observed
s, t = v("s"), v("t")
a, b, c, x, y = (v(name, "n") for name in "abcxy")
d, u = v("d", "m"), v("u", "k")
A, X, C = v("A", ("m", "n")), v("X", ("n", "k")), v("C", ("k", "m"))
B, D, M, Q = (v(name, ("n", "n")) for name in "BDMQ")
Y, A4 = v("Y", ("n", "k")), v("A4", ("k", "n"))
M4, S = v("M4", ("k", "k")), v("S", ("n", "n"), symmetric=True)
LEAVES = (A4, M4, S, s, t, a, b, c, x, y, d, u, A, X, C, B, D, M, Q, Y)
norm = np.sqrt(np.sum(x**2))
softplus = np.sum(np.log(1 + np.exp(-y * x)))

# An expression, what it is derived by, and the derivative: a gradient, or else a Jacobian.
IDENTITIES = {
    "cookbook 69": (lambda: x @ a, x, "a"),
    "cookbook 70": (lambda: d @ A @ x, A, "d xᵀ"),
    "cookbook 71": (lambda: x @ A.T @ d, A, "d xᵀ"),
    "cookbook 72": (lambda: a @ Q @ a, Q, "a aᵀ"),
    "cookbook 76": (lambda: np.sum(X) ** 2, X, "2 (𝟏ᵀ X 𝟏) 𝟏 𝟏ᵀ"),
    "cookbook 77": (lambda: a @ X @ X.T @ b, X, "a bᵀ X + b aᵀ X"),
    "cookbook 78": (lambda: (B @ x + b) @ M @ (D @ x + c), x,
                    "Bᵀ M (D x + c) + Dᵀ Mᵀ (B x + b)"),
    "cookbook 81": (lambda: x @ B @ x, x, "(B + Bᵀ) x"),
    "cookbook 84": (lambda: (x - a) @ Q @ (x - a), x, "(Q + Qᵀ) (x − a)"),
    "cookbook 88": (lambda: np.sum((d - A @ x) ** 2), A, "2 (A x − d) xᵀ"),
    "cookbook 90": (lambda: a @ Q @ Q @ b, Q, "a bᵀ Qᵀ + Qᵀ a bᵀ"),
    "cookbook 99": (lambda: np.trace(Q), Q, "I"),
    "cookbook 100": (lambda: np.trace(X @ (C @ A)), X, "Aᵀ Cᵀ"),
    "cookbook 101": (lambda: np.trace(A @ X @ C), X, "Aᵀ Cᵀ"),
    "cookbook 102": (lambda: np.trace(A @ Y @ C), Y, "Aᵀ Cᵀ"),
    "cookbook 103": (lambda: np.trace(X.T @ Y), X, "Y"),
    "cookbook 104": (lambda: np.trace(Y @ X.T), X, "Y"),
    "cookbook 106": (lambda: np.trace(Q @ Q), Q, "2 Qᵀ"),
    "cookbook 107": (lambda: np.trace(Q @ Q @ B), Q, "Qᵀ Bᵀ + Bᵀ Qᵀ"),
    "cookbook 108": (lambda: np.trace(X.T @ B @ X), X, "B X + Bᵀ X"),
    "cookbook 111": (lambda: np.trace(X @ X.T @ B), X, "B X + Bᵀ X"),
    "cookbook 116": (lambda: np.trace(X.T @ X), X, "2 X"),
    "cookbook 117": (lambda: np.trace(B @ X @ X.T @ D), X, "D B X + Bᵀ Dᵀ X"),
    "cookbook 118": (lambda: np.trace(B @ Q @ D @ Q), Q, "Dᵀ Qᵀ Bᵀ + Bᵀ Qᵀ Dᵀ"),
    "cookbook 122": (lambda: np.trace(Q @ Q @ Q), Q, "3 (Qᵀ)²"),
    "cookbook 129": (lambda: np.sqrt(np.sum((x - a) ** 2)), x, "(x − a) / ‖x − a‖"),
    "cookbook 130": (lambda: (x - a) / np.sqrt(np.sum((x - a) ** 2)), x,
                     "I / ‖x − a‖ − (x − a) (x − a)ᵀ / ‖x − a‖³"),
    "cookbook 131": (lambda: np.sum(x**2), x, "2 x"),
    "cookbook 132": (lambda: np.sum(X**2), X, "2 X"),
    "cookbook 49": (lambda: np.linalg.det(Q), Q, "det(Q) Q⁻ᵀ"),
    "cookbook 51": (lambda: np.linalg.det(B @ Q @ D), Q, "det(B Q D) Bᵀ (B Q D)⁻ᵀ Dᵀ"),
    "cookbook 52": (lambda: np.linalg.slogdet(Q)[1], Q, "Q⁻ᵀ"),
    "cookbook 55": (lambda: np.linalg.slogdet(A4.T @ A4)[1], A4, "2 A4 (A4ᵀ A4)⁻¹"),
    "cookbook 57": (lambda: np.log(np.linalg.det(Q)), Q, "Q⁻ᵀ"),
    "cookbook 58": (lambda: np.linalg.det(Q) ** 2, Q, "2 det(Q)² Q⁻ᵀ"),
    "cookbook 61": (lambda: a @ np.linalg.inv(Q) @ b, Q, "−Q⁻ᵀ a bᵀ Q⁻ᵀ"),
    "cookbook 63": (lambda: np.trace(B @ np.linalg.inv(Q) @ D), Q, "−Q⁻ᵀ Bᵀ Dᵀ Q⁻ᵀ"),
    "cookbook 64": (
        lambda: np.trace(np.linalg.inv(Q + B)), Q, "−((B + Q)⁻ᵀ)²"),
    "cookbook 124": (
        lambda: np.trace(D @ np.linalg.inv(Q) @ B), Q, "−Q⁻ᵀ Dᵀ Bᵀ Q⁻ᵀ"),
    "solve": (lambda: a @ np.linalg.solve(Q, x), x, "Q⁻ᵀ a"),
    "solve, by the matrix": (lambda: a @ np.linalg.solve(Q, x), Q, "−Q⁻ᵀ a xᵀ Q⁻ᵀ"),
    "solve, Jacobian": (lambda: np.linalg.solve(Q, x), x, "Q⁻¹"),
    "normal density, by its precision": (
        lambda: 0.5 * np.linalg.slogdet(Q)[1] - 0.5 * (x - a) @ Q @ (x - a), Q,
        "(1/2) (Q⁻ᵀ − (x − a) (x − a)ᵀ)"),
    "normal density, by its covariance": (
        lambda: -0.5 * np.linalg.slogdet(Q)[1] - 0.5 * (x - a) @ np.linalg.inv(Q) @ (x - a), Q,
        "(1/2) (Q⁻ᵀ (x − a) (x − a)ᵀ Q⁻ᵀ − Q⁻ᵀ)"),
    "symmetric log-determinant": (lambda: np.linalg.slogdet(S)[1], S, "S⁻¹"),
    "symmetric form": (lambda: x @ S @ x, x, "2 S x"),
    "symmetric inverse": (lambda: x @ np.linalg.inv(S) @ x, S, "−S⁻¹ x xᵀ S⁻¹"),
    "least squares": (lambda: np.sum((A @ x - d) ** 2), x, "2 Aᵀ (A x − d)"),
    "ridge": (lambda: np.sum((A @ x - d) ** 2) + s * np.sum(x**2), x, "2 (Aᵀ (A x − d) + s x)"),
    "inner product": (lambda: d @ (A @ x), x, "Aᵀ d"),
    "bilinear, by a matrix": (lambda: a @ X @ u, X, "a uᵀ"),
    "factorisation": (lambda: np.sum((Q - X @ Y.T) ** 2), X, "2 (X Yᵀ − Q) Y"),
    "factorisation, other factor": (
        lambda: np.sum((Q - X @ Y.T) ** 2), Y, "2 (Y Xᵀ − Qᵀ) X"),
    "weighted factorisation": (
        lambda: np.sum(B * (Q - X @ Y.T) ** 2), X, "2 (B ⊙ (X Yᵀ − Q)) Y"),
    "Hadamard product": (lambda: a @ (x * y), x, "a ⊙ y"),
    "Hadamard product of matrices": (lambda: np.sum(X * Y), X, "Y"),
    "Frobenius norm": (lambda: np.sqrt(np.sum(X**2)), X, "X / ‖X‖_F"),
    "diagonal": (lambda: np.einsum("ii,i->", Q, x), Q, "diag(x)"),
    "diagonal, by the vector": (lambda: np.einsum("ii,i->", Q, x), x, "diag(Q)"),
    "sum of rows": (lambda: np.sum(Q @ x), Q, "𝟏 xᵀ"),
    "norm of NumPy": (lambda: np.linalg.norm(x - a), x, "(x − a) / ‖x − a‖"),
    "exponential": (lambda: np.sum(np.exp(x)), x, "exp(x)"),
    "entropy": (lambda: np.sum(x * np.log(x)), x, "log(x) + 𝟏"),
    "logistic regression": (lambda: softplus, x, "−y ⊙ σ(−x ⊙ y)"),
    "logistic regression, linear": (
        lambda: np.sum(np.log(1 + np.exp(-(A @ x)))), x, "−Aᵀ σ(−A x)"),
    "logsumexp": (lambda: np.log(np.sum(np.exp(x))), x, "softmax(x)"),
    "Gauss": (lambda: np.exp(-np.sum((x - a) ** 2) / (2 * s)), x,
              "exp(−‖a − x‖² / (2 s)) (a − x) / s"),
    "Rayleigh quotient": (lambda: (x @ Q @ x) / (x @ x), x,
                          "((Q + Qᵀ) x − 2 (xᵀ Q x) x / ‖x‖²) / ‖x‖²"),
    "layer": (lambda: np.tanh(A @ x + d), x, "diag(𝟏 − tanh(A x + d)^(⊙2)) A"),
    "linear map": (lambda: A @ x, x, "A"),
    "normalised": (lambda: x / norm, x, "I / ‖x‖ − x xᵀ / ‖x‖³"),
    "outer product": (lambda: x * (a @ x), x, "(aᵀ x) I + x aᵀ"),
    "elementwise": (lambda: x * y, x, "diag(y)"),
}  # fmt: skip

HESSIANS = {
    "least squares": (lambda: np.sum((A @ x - d) ** 2), x, "2 Aᵀ A"),
    "quadratic form": (lambda: x @ Q @ x, x, "Q + Qᵀ"),
    "logistic regression": (
        lambda: np.sum(np.log(1 + np.exp(A @ x))), x, "Aᵀ diag(σ(A x) ⊙ (𝟏 − σ(A x))) A"),
    "norm": (lambda: norm, x, "I / ‖x‖ − x xᵀ / ‖x‖³"),
    "exponential": (lambda: np.sum(np.exp(x)), x, "diag(exp(x))"),
    "logsumexp": (lambda: np.log(np.sum(np.exp(x))), x,
                  "diag(softmax(x)) − softmax(x) softmax(x)ᵀ"),
    "linear": (lambda: a @ x, x, "0"),
    "quartic": (lambda: (x @ x) ** 2, x, "4 ‖x‖² I + 8 x xᵀ"),
}  # fmt: skip


@pytest.fixture(scope="module")
def feed():
    rng = np.random.default_rng(0)
    made = {w: rng.uniform(0.2, 1.5, [SIZES[str(dim)] for dim in w.shape]) for w in LEAVES}
    made |= {w: made[w] + 2 * np.eye(len(made[w])) for w in (B, D, M, Q, M4)}
    return made | {S: made[Q] + made[Q].T}


def check(derivative, text, feed):
    formula = formula_of(derivative)
    assert formula.text == text
    expected = value(derivative, feed, **SIZES)
    leaves = {w.node: array for w, array in feed.items()}
    close(evaluate_term(formula.term, leaves, SIZES, formula.free), expected, 1e-10)
    if formula.matrix is not None:
        found = evaluate_matrix(formula.matrix, leaves, SIZES)
        close(np.reshape(found, expected.shape), expected, 1e-10)
    assert "\\" in formula.latex or formula.latex.isascii()


@pytest.mark.parametrize("name", IDENTITIES)
def test_identity(name, feed):
    make, by, text = IDENTITIES[name]
    of = make()
    check(gc.jacobian(of, by) if of.shape else gc.grad(of, by), text, feed)


def test_kronecker_products(feed):
    one, other, w = v("E", (2, 3)), v("F", (4, 5)), v("w", 15)
    data = {p: np.random.default_rng(3).normal(size=p.shape) for p in (one, other, w)}
    product = np.kron(one, other)
    check(product, "E ⊗ F", feed | data)
    check(product @ w, "(E ⊗ F) w", feed | data)
    check(gc.jacobian(product @ w, w), "E ⊗ F", feed | data)
    check(gc.grad(np.sum((product @ w) ** 2), w), "2 (Eᵀ ⊗ Fᵀ) (E ⊗ F) w", feed | data)
    assert formula_of(product).latex == r"E \otimes F"


def test_a_form_of_the_fourth_degree(feed):
    formula = formula_of(gc.grad(a @ X @ X.T @ D @ X @ X.T @ b, X))
    terms = "a bᵀ X Xᵀ Dᵀ X + D X Xᵀ b aᵀ X + b aᵀ X Xᵀ D X + Dᵀ X Xᵀ a bᵀ X"
    assert sorted(formula.text.split(" + ")) == sorted(terms.split(" + "))


PRODUCTS = {
    "Hessian product of least squares": (
        lambda: gc.hvp(np.sum((A @ x - d) ** 2), x, y), "2 Aᵀ A y"),
    "tangent of a layer": (
        lambda: gc.jvp(np.tanh(A @ x), x, y), "(𝟏 − tanh(A x)^(⊙2)) ⊙ (A y)"),
    "cotangent of a layer": (
        lambda: gc.vjp(np.tanh(A @ x), x, d), "Aᵀ (d ⊙ (𝟏 − tanh(A x)^(⊙2)))"),
    "Laplacian of a quadratic form": (lambda: gc.laplacian(x @ Q @ x, x), "2 tr(Q)"),
    "Laplacian of exponentials": (lambda: gc.laplacian(np.sum(np.exp(x)), x), "𝟏ᵀ exp(x)"),
    "Hessian times a vector": (
        lambda: gc.hessian(np.sum(np.exp(A @ x)), x) @ y, "Aᵀ (exp(A x) ⊙ (A y))"),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_product(name, feed):
    make, text = PRODUCTS[name]
    check(make(), text, feed)


@pytest.mark.parametrize("name", HESSIANS)
def test_hessian(name, feed):
    make, by, text = HESSIANS[name]
    check(gc.hessian(make(), by), text, feed)


def test_the_page_of_the_docs():
    page = Path(__file__).resolve().parents[2] / "docs" / "calculus.md"
    found = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert found.attempted > 5
    assert not found.failed
