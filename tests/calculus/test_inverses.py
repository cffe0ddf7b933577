"""Inverses and determinants in index and matrix notation, term by term."""

import numpy as np
import pytest

from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.calculus.index_notation import differentiate, free_indices
from graphc.calculus.index_terms import Index
from graphc.calculus.matrix_notation import matrix_form
from graphc.calculus.matrix_printing import printed_matrix
from graphc.calculus.presenting import present
from graphc.calculus.printing import printed
from graphc.calculus.simplify_terms import normal
from graphc.calculus.styles import LATEX, TEXT
from graphc.ir.terms import Determinant, Inverse, Num, Ref, Sum, fresh_index
from graphc.ops.leaves import new_input
from graphc.types import TensorType
from tests.numerics import central, close

N = 3
A, B, X = (new_input(TensorType((N, N))) for _ in range(3))
x, y = (new_input(TensorType((N,))) for _ in range(2))
M = new_input(TensorType((4, N)))
NAMES = {A: "A", B: "B", X: "X", x: "x", y: "y", M: "M"}
RNG = np.random.default_rng(0)
FEED = {node: RNG.uniform(0.2, 1.5, node.shape) for node in NAMES}
FEED |= {node: FEED[node] + 2 * np.eye(N) for node in (A, B, X)}


def total(count, body):
    indices = [fresh_index() for _ in range(count)]
    term = body(*indices)
    for index in indices:
        term = Sum(index, N, term)
    return term


def inv(matrix):
    def at(i, j):
        row, column = fresh_index(), fresh_index()
        return Inverse(row, column, N, matrix(row, column), (i, j))

    return at


def det(matrix, function="det"):
    row, column = fresh_index(), fresh_index()
    return Determinant(function, row, column, N, matrix(row, column))


def of(node):
    return lambda i, j: Ref(node, (i, j))


def product(one, other):
    return lambda i, j: total(1, lambda k: one(i, k) * other(k, j))


def gram(node):
    def at(i, j):
        k = fresh_index()
        return Sum(k, 4, Ref(node, (k, i)) * Ref(node, (k, j)))

    return at


def form(matrix):
    return total(2, lambda i, j: Ref(x, (i,)) * matrix(i, j) * Ref(y, (j,)))


def trace(matrix):
    return total(1, lambda i: matrix(i, i))


# A scalar, what it is derived by, and the gradient.
CASES = {
    "log-determinant": (lambda: det(of(X), "logdet"), X, "X⁻ᵀ"),
    "determinant": (lambda: det(of(X)), X, "det(X) X⁻ᵀ"),
    "square of a determinant": (lambda: det(of(X)) ** 2, X, "2 det(X)² X⁻ᵀ"),
    "form of an inverse": (lambda: form(inv(of(A))), A, "−A⁻ᵀ x yᵀ A⁻ᵀ"),
    "form of an inverse, by a vector": (lambda: form(inv(of(A))), x, "A⁻¹ y"),
    "trace of a product": (
        lambda: trace(product(of(A), product(inv(of(X)), of(B)))), X, "−X⁻ᵀ Aᵀ Bᵀ X⁻ᵀ"),
    "trace of an inverse": (lambda: trace(inv(of(X))), X, "−(X⁻ᵀ)²"),
    "a multiple": (lambda: trace(inv(lambda i, j: 2 * Ref(X, (i, j)))), X, "−(1/2) (X⁻ᵀ)²"),
    "inverse of an inverse": (lambda: trace(product(inv(inv(of(X))), of(B))), X, "Bᵀ"),
    "determinant of a product": (
        lambda: det(product(of(A), product(of(X), of(B))), "logdet"), X, "Aᵀ (A X B)⁻ᵀ Bᵀ"),
    "determinant of a Gram matrix": (
        lambda: det(gram(M), "logdet"), M, "2 M (Mᵀ M)⁻¹"),
    "inverse of a Gram matrix": (
        lambda: form(inv(gram(M))), x, "(Mᵀ M)⁻¹ y"),
    "a matrix times its inverse": (
        lambda: form(product(of(A), inv(of(A)))), x, "y"),
    "an inverse times its matrix": (
        lambda: form(product(inv(of(A)), of(A))), x, "y"),
    "transposed": (
        lambda: form(lambda i, j: inv(of(A))(j, i)), A, "−A⁻ᵀ y xᵀ A⁻ᵀ"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    make, by, text = CASES[name]
    cost = normal(make())
    indices = free_indices(by.shape)
    term = present(differentiate(cost, by, indices), NAMES)
    matrix = matrix_form(term, indices)
    assert printed_matrix(matrix, NAMES, TEXT) == text
    expected = central(lambda a: evaluate_term(cost, {**FEED, by: a}), FEED[by], 1e-4)
    close(evaluate_term(term, FEED, free=indices), expected, 1e-8)
    close(np.reshape(evaluate_matrix(matrix, FEED), expected.shape), expected, 1e-8)


def test_in_index_notation_and_latex():
    indices = i, j = free_indices((N, N))
    term = differentiate(normal(det(of(X), "logdet")), X, indices)
    assert printed(present(term, NAMES), NAMES, TEXT) == "[X⁻¹]_ji"
    assert printed(present(term, NAMES), NAMES, LATEX) == "[X^{-1}]_{ji}"
    shown = matrix_form(present(term, NAMES), indices)
    assert printed_matrix(shown, NAMES, LATEX) == r"X^{-\top}"
    both = normal(inv(lambda r, c: Ref(A, (r, c)) + Ref(X, (r, c)))(i, j))
    assert printed(present(both, NAMES), NAMES, TEXT) == "inv_kl(A_kl + X_kl)_ij"
    log = present(normal(det(of(X), "logdet")), NAMES)
    assert printed(log, NAMES, TEXT) == "log |det(X)|"
    assert printed(present(normal(det(of(X), "signdet")), NAMES), NAMES, TEXT) == "sign(det(X))"


def test_an_identity_matrix():
    from graphc.ir.terms import Delta

    i, j = Index("i", N), Index("j", N)
    assert normal(inv(lambda r, c: Delta(r, c))(i, j)) is normal(Delta(i, j))
    assert normal(det(lambda r, c: Delta(r, c))) is Num(1)
    assert normal(det(lambda r, c: Delta(r, c), "logdet")) is Num(0)
