"""Derivatives in the form that textbooks give them, and their values by JAX.

The Matrix Cookbook (Petersen and Pedersen, 2012) by its numbers, the examples and functions of
matrixcalculus.org, and costs of machine learning. Each row is written once, in NumPy's names, and
is run by graphc and by JAX.
"""

import inspect
from functools import cache

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.language.formula import formula_of
from tests.numerics import close

SIZES = {"m": 4, "n": 3, "k": 2}
SHAPES = {
    **dict.fromkeys("st", ()),
    **dict.fromkeys("abcxy", ("n",)),
    **dict.fromkeys(("d", "r"), ("m",)),
    **dict.fromkeys("BDMQ", ("n", "n")),
    **dict.fromkeys("XY", ("n", "k")),
    "A": ("m", "n"),
    "C": ("k", "m"),
    "E": ("m", "m"),
    "K": ("k", "k"),
    "S": ("n", "n"),
}


@cache
def variable(name):
    return gc.observed(name, SHAPES[name], symmetric=name == "S")


@cache
def data(name):
    shape = [SIZES[dim] for dim in SHAPES[name]]
    made = np.random.default_rng(list(SHAPES).index(name)).uniform(0.2, 1.5, shape)
    if len(shape) == 2 and shape[0] == shape[1]:
        made = made + 2 * np.eye(shape[0])
    return made + made.T if name == "S" else made


# A function of a module and of variables by their names, what it is derived by, and the derivative.
DERIVATIVES = {
    "cookbook 46": (lambda np, B, s: np.linalg.det(s * B), "s", "n det(s B) / s"),
    "cookbook 49": (lambda np, Q: np.linalg.det(Q), "Q", "det(Q) Q⁻ᵀ"),
    "cookbook 50": (lambda np, B, Q: np.linalg.det(B @ Q), "Q", "det(B Q) Bᵀ (B Q)⁻ᵀ"),
    "cookbook 53": (lambda np, X, B: np.linalg.det(X.T @ B @ X), "X",
                    "det(Xᵀ B X) (B X (Xᵀ B X)⁻¹ + Bᵀ X (Xᵀ B X)⁻ᵀ)"),
    "cookbook 55": (lambda np, X: np.log(np.linalg.det(X.T @ X)), "X", "2 X (Xᵀ X)⁻¹"),
    "cookbook 57": (lambda np, Q: np.log(np.abs(np.linalg.det(Q))), "Q", "Q⁻ᵀ"),
    "cookbook 58": (lambda np, Q: np.linalg.det(Q) ** 3, "Q", "3 det(Q)³ Q⁻ᵀ"),
    "cookbook 59": (lambda np, B, D, s: np.linalg.inv(B + s * D), "s",
                    "−(s D + B)⁻¹ D (s D + B)⁻¹"),
    "cookbook 60": (lambda np, Q: np.linalg.inv(Q), "Q", "−[Q⁻¹]_ik [Q⁻¹]_lj"),
    "cookbook 61": (lambda np, Q, a, b: a @ np.linalg.inv(Q) @ b, "Q", "−Q⁻ᵀ a bᵀ Q⁻ᵀ"),
    "cookbook 62": (lambda np, Q: np.linalg.det(np.linalg.inv(Q)), "Q", "−det(Q⁻¹) Q⁻ᵀ"),
    "cookbook 63": (lambda np, Q, B, D: np.trace(B @ np.linalg.inv(Q) @ D), "Q",
                    "−Q⁻ᵀ Bᵀ Dᵀ Q⁻ᵀ"),
    "cookbook 64": (lambda np, Q, B: np.trace(np.linalg.inv(Q + B)), "Q", "−((B + Q)⁻ᵀ)²"),
    "cookbook 69": (lambda np, x, a: x @ a, "x", "a"),
    "cookbook 70": (lambda np, X, a, C, d: a @ X @ C @ d, "X", "a dᵀ Cᵀ"),
    "cookbook 76": (lambda np, X: np.sum(X) ** 2, "X", "2 (𝟏ᵀ X 𝟏) 𝟏 𝟏ᵀ"),
    "cookbook 77": (lambda np, Q, a, b: a @ Q.T @ Q @ b, "Q", "Q b aᵀ + Q a bᵀ"),
    "cookbook 78": (lambda np, x, a, b, B, D, M: (B @ x + a) @ M @ (D @ x + b), "x",
                    "Bᵀ M (D x + b) + Dᵀ Mᵀ (B x + a)"),
    "cookbook 79": (lambda np, Q, D, a, c: a @ Q.T @ D @ Q @ c, "Q", "D Q c aᵀ + Dᵀ Q a cᵀ"),
    "cookbook 80": (lambda np, Q, M, x, b: (Q @ x + b) @ M @ (Q @ x + b), "Q",
                    "(M + Mᵀ) (Q x + b) xᵀ"),
    "cookbook 81": (lambda np, x, B: x @ B @ x, "x", "(B + Bᵀ) x"),
    "cookbook 84": (lambda np, x, a, S: (x - a) @ S @ (x - a), "x", "2 S (x − a)"),
    "cookbook 86": (lambda np, x, y, B, S: (x - B @ y) @ S @ (x - B @ y), "x", "2 S (x − B y)"),
    "cookbook 87": (lambda np, x, y, B, S: (x - B @ y) @ S @ (x - B @ y), "y",
                    "2 Bᵀ S (B y − x)"),
    "cookbook 88": (lambda np, x, y, B, S: (x - B @ y) @ S @ (x - B @ y), "B",
                    "2 S (B y − x) yᵀ"),
    "cookbook 90": (lambda np, Q, a, b: a @ Q @ Q @ Q @ b, "Q",
                    "a bᵀ (Qᵀ)² + (Qᵀ)² a bᵀ + Qᵀ a bᵀ Qᵀ"),
    "cookbook 91": (lambda np, Q, a, b: a @ Q.T @ Q @ Q @ b, "Q",
                    "Q² b aᵀ + Qᵀ Q a bᵀ + Q a bᵀ Qᵀ"),
    "cookbook 97": (lambda np, x, B, b: x @ B @ x + b @ x, "x", "(B + Bᵀ) x + b"),
    "cookbook 99": (lambda np, Q: np.trace(Q), "Q", "I"),
    "cookbook 100": (lambda np, X, K, A: np.trace(X @ K @ X.T), "X", "X K + X Kᵀ"),
    "cookbook 101": (lambda np, X, A, C: np.trace(A @ X @ C), "X", "Aᵀ Cᵀ"),
    "cookbook 106": (lambda np, Q: np.trace(Q @ Q), "Q", "2 Qᵀ"),
    "cookbook 107": (lambda np, Q, B: np.trace(Q @ Q @ B), "Q", "Qᵀ Bᵀ + Bᵀ Qᵀ"),
    "cookbook 108": (lambda np, X, B: np.trace(X.T @ B @ X), "X", "B X + Bᵀ X"),
    "cookbook 110": (lambda np, X, B: np.trace(B @ X @ X.T), "X", "B X + Bᵀ X"),
    "cookbook 111": (lambda np, X, K: np.trace(X.T @ X @ K), "X", "X K + X Kᵀ"),
    "cookbook 114": (lambda np, X, K: np.trace(K @ X.T @ X), "X", "X K + X Kᵀ"),
    "cookbook 115": (lambda np, X: np.trace(X.T @ X), "X", "2 X"),
    "cookbook 117": (lambda np, X, B, K: np.trace(X.T @ B @ X @ K), "X", "B X K + Bᵀ X Kᵀ"),
    "cookbook 119": (lambda np, X, A, C, E: np.trace((A @ X @ C + E) @ (A @ X @ C + E).T), "X",
                     "2 Aᵀ (A X C + E) Cᵀ"),
    "cookbook 121": (lambda np, Q: np.trace(Q @ Q @ Q @ Q), "Q", "4 (Qᵀ)³"),
    "cookbook 122": (lambda np, Q, B: np.trace(B @ Q @ Q @ Q), "Q",
                     "(Qᵀ)² Bᵀ + Bᵀ (Qᵀ)² + Qᵀ Bᵀ Qᵀ"),
    "cookbook 124": (lambda np, Q, B, D: np.trace(D @ np.linalg.inv(Q) @ B), "Q",
                     "−Q⁻ᵀ Dᵀ Bᵀ Q⁻ᵀ"),
    "cookbook 125": (lambda np, X, S, K: np.trace(np.linalg.inv(X.T @ S @ X) @ K), "X",
                     "−S X (Xᵀ S X)⁻¹ (K + Kᵀ) (Xᵀ S X)⁻¹"),
    "cookbook 126": (
        lambda np, X, D, B: np.trace(np.linalg.inv(X.T @ D @ X) @ (X.T @ B @ X)), "X",
        "B X (Xᵀ D X)⁻¹ + Bᵀ X (Xᵀ D X)⁻ᵀ − D X (Xᵀ D X)⁻¹ Xᵀ B X (Xᵀ D X)⁻¹ "
        "− Dᵀ X (Xᵀ D X)⁻ᵀ Xᵀ Bᵀ X (Xᵀ D X)⁻ᵀ"),
    "cookbook 129": (lambda np, x, a: np.linalg.norm(x - a), "x", "(x − a) / ‖x − a‖"),
    "cookbook 130": (lambda np, x, a: (x - a) / np.linalg.norm(x - a), "x",
                     "I / ‖x − a‖ − (x − a) (x − a)ᵀ / ‖x − a‖³"),
    "cookbook 131": (lambda np, x: np.linalg.norm(x) ** 2, "x", "2 x"),
    "cookbook 132": (lambda np, X: np.linalg.norm(X) ** 2, "X", "2 X"),
    "cookbook 140": (lambda np, S: np.linalg.slogdet(S)[1], "S", "S⁻¹"),
    "x'Ax + c'x": (lambda np, x, A, d, E: d @ A @ x + (A @ x) @ E @ (A @ x), "x",
                   "Aᵀ ((E + Eᵀ) A x + d)"),
    "norm1": (lambda np, x, A, d: np.sum(np.abs(A @ x - d)), "x", "Aᵀ sign(A x − d)"),
    "norm2": (lambda np, x, A, d: np.linalg.norm(A @ x - d), "x", "Aᵀ (A x − d) / ‖A x − d‖"),
    "norm, cubed": (lambda np, x: np.linalg.norm(x) ** 3, "x", "3 ‖x‖ x"),
    "Frobenius norm": (lambda np, X, Y, Q: np.linalg.norm(Q - X @ Y.T), "X",
                       "(X Yᵀ − Q) Y / ‖X Yᵀ − Q‖_F"),
    "log(det(inv(X)))": (lambda np, Q: np.log(np.linalg.det(np.linalg.inv(Q))), "Q", "−Q⁻ᵀ"),
    "adjugate": (lambda np, Q: np.linalg.det(Q) * np.trace(np.linalg.inv(Q)), "Q",
                 "det(Q) (tr(Q⁻¹) Q⁻ᵀ − (Q⁻ᵀ)²)"),
    "sin(a)'x": (lambda np, a, x: np.sin(a) @ x, "a", "x ⊙ cos(a)"),
    "exp(-Ax)": (lambda np, A, x: np.sum(np.exp(-A @ x)), "x", "−Aᵀ exp(−A x)"),
    "A diag(x) b": (lambda np, B, x, b: B @ np.diag(x) @ b, "x", "B diag(b)"),
    "Ax as a Jacobian": (lambda np, Q, x: Q @ np.exp(x), "x", "Q diag(exp(x))"),
    "solved, times": (lambda np, Q, b, x: np.linalg.solve(Q, b) * x, "x", "diag(Q⁻¹ b)"),
    "(x'Qx) x": (lambda np, Q, x: (x @ Q @ x) * x, "x", "(xᵀ Q x) I + x xᵀ (Q + Qᵀ)"),
    "outer product": (lambda np, Q, x: np.linalg.norm(Q - np.outer(x, x)) ** 2, "x",
                      "−2 (Q − 2 x xᵀ + Qᵀ) x"),
    "cosine": (lambda np, a, x: a @ x / (np.linalg.norm(x) * np.linalg.norm(a)), "x",
               "(a − (aᵀ x) x / ‖x‖²) / (‖a‖ ‖x‖)"),
    "entropy of a matrix": (lambda np, A: np.sum(A * np.log(A)), "A", "log(A) + 𝟏 𝟏ᵀ"),
    "logistic regression": (lambda np, A, x, d: np.sum(np.log(1 + np.exp(-d * (A @ x)))), "x",
                            "−Aᵀ (d ⊙ σ(−d ⊙ (A x)))"),
    "Poisson regression": (lambda np, A, x, d: np.sum(np.exp(A @ x)) - d @ (A @ x), "x",
                           "Aᵀ (exp(A x) − d)"),
    "Cox regression": (lambda np, A, x, d: d @ (A @ x) - np.log(np.sum(np.exp(A @ x))), "x",
                       "Aᵀ (d − softmax(A x))"),
    "elastic net": (lambda np, A, x, d, s: np.sum((A @ x - d) ** 2) + s * np.sum(np.abs(x)), "x",
                    "2 Aᵀ (A x − d) + s sign(x)"),
    "factorisation": (lambda np, Q, X, Y: np.sum((Q - X @ Y.T) ** 2), "X", "2 (X Yᵀ − Q) Y"),
    "factorisation by Kullback and Leibler": (
        lambda np, B, X, Y: np.sum(X @ Y.T - B * np.log(X @ Y.T)), "X",
        "(𝟏 𝟏ᵀ − B ⊘ (X Yᵀ)) Y"),
    "Mahalanobis distance": (
        lambda np, x, a, S: np.sqrt((x - a) @ np.linalg.inv(S) @ (x - a)), "x",
        "S⁻¹ (x − a) / √((x − a)ᵀ S⁻¹ (x − a))"),
}  # fmt: skip

HESSIANS = {
    "x'Ax + c'x": (lambda np, x, Q, b: x @ Q @ x + b @ x, "x", "Q + Qᵀ"),
    "ridge": (lambda np, x, A, d, s: np.sum((A @ x - d) ** 2) + s * x @ x, "x", "2 s I + 2 Aᵀ A"),
    "logsumexp": (lambda np, A, x: np.log(np.sum(np.exp(A @ x))), "x",
                  "Aᵀ (diag(softmax(A x)) − softmax(A x) softmax(A x)ᵀ) A"),
    "cross-entropy": (lambda np, x, a: np.log(np.sum(np.exp(x))) - a @ x, "x",
                      "diag(softmax(x)) − softmax(x) softmax(x)ᵀ"),
    "logistic regression": (
        lambda np, A, x, d: np.sum(np.log(1 + np.exp(A @ x))) - d @ (A @ x), "x",
        "Aᵀ diag(σ(A x) ⊙ (𝟏 − σ(A x))) A"),
    "Poisson regression": (lambda np, A, x, d: np.sum(np.exp(A @ x)) - d @ (A @ x), "x",
                           "Aᵀ diag(exp(A x)) A"),
    "norm": (lambda np, A, x, d: np.linalg.norm(A @ x - d), "x",
             "Aᵀ (I − (A x − d) (A x − d)ᵀ / ‖A x − d‖²) A / ‖A x − d‖"),
    "Gauss": (lambda np, x: np.exp(-x @ x / 2), "x", "exp(−‖x‖² / 2) (x xᵀ − I)"),
    "quartic": (lambda np, A, x: np.sum((A @ x) ** 4), "x", "12 Aᵀ diag((A x)^(⊙2)) A"),
    "barrier": (lambda np, A, x, d: -np.sum(np.log(9 * d - A @ x)), "x",
                "Aᵀ diag(𝟏 ⊘ (A x − 9 d)^(⊙2)) A"),
    "entropy": (lambda np, x: np.sum(x * np.log(x)), "x", "diag(𝟏 ⊘ x)"),
    "quadratic program": (lambda np, x, S, b: x @ S @ x / 2 - b @ x, "x", "S"),
}  # fmt: skip


def check(function, by, text, derivative, expected):
    formula = formula_of(derivative)
    assert formula.text == text
    leaves = {variable(name).node: data(name) for name in names_of(function)}
    close(evaluate_term(formula.term, leaves, SIZES, formula.free), expected, 1e-9)
    if formula.matrix is not None:
        found = evaluate_matrix(formula.matrix, leaves, SIZES)
        close(np.reshape(found, expected.shape), expected, 1e-9)
    assert formula.latex.count("{") == formula.latex.count("}")


def names_of(function):
    return [*inspect.signature(function).parameters][1:]


def by_jax(function, by, transform):
    jax = pytest.importorskip("jax")
    names = names_of(function)
    derived = transform(
        lambda value: function(jax.numpy, *(value if n == by else data(n) for n in names))
    )
    return np.asarray(derived(data(by)))


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivative(name):
    jax = pytest.importorskip("jax")
    function, by, text = DERIVATIVES[name]
    of = function(np, *map(variable, names_of(function)))
    derivative = gc.jacobian(of, variable(by)) if of.shape else gc.grad(of, variable(by))
    check(function, by, text, derivative, by_jax(function, by, jax.jacrev))


@pytest.mark.parametrize("name", HESSIANS)
def test_hessian(name):
    jax = pytest.importorskip("jax")
    function, by, text = HESSIANS[name]
    of = function(np, *map(variable, names_of(function)))
    check(function, by, text, gc.hessian(of, variable(by)), by_jax(function, by, jax.hessian))
