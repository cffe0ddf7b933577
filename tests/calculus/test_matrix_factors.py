"""Formulas with letters for factors and eigenvectors: as printed, and against the code."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.errors import FormulaError
from graphc.language.formula import formula_of

RNG = np.random.default_rng(7)
SQUARE = RNG.normal(size=(3, 3))
DATA = {
    "A": SQUARE @ SQUARE.T + np.eye(3),
    "B": RNG.normal(size=(3, 3)),
    "T": RNG.normal(size=(4, 3)),
    "G": RNG.normal(size=(4, 3)),
    "b": RNG.normal(size=3),
    "s": RNG.normal(size=(2, 3, 3)),
}
DATA["s"] = DATA["s"] @ DATA["s"].swapaxes(1, 2) + np.eye(3)
V = {name: gc.observed(name, shape=data.shape) for name, data in DATA.items()}
A, B, T, G, b, S = (V[name] for name in "ABTGbs")
low, (values, vectors) = np.linalg.cholesky(A), np.linalg.eigh(A)
q, r = np.linalg.qr(T)
left, sigma, right = np.linalg.svd(T, full_matrices=False)
EIGH, CHOLESKY = "A = V diag(λ) Vᵀ", "L Lᵀ = A"
GAPS = "F_ij = 1 / (λ_j − λ_i), F_ii = 0"
HALF = "Φ_ij = 1 below the diagonal, 1/2 on it, 0 above"
BELOW = "Λ_ij = 1 below the diagonal, else 0"
SVD = "T = U diag(σ) Vᵀ"

# What textbooks print: Giles (2008), Murray (2016), Petersen and Pedersen's Matrix Cookbook.
PRINTED = {
    "factor": (low, f"L, where {CHOLESKY}"),
    "factor times vector": (low @ b, f"L b, where {CHOLESKY}"),
    "factor's gradient": (
        gc.grad((B * low).sum(), A),
        f"(1/2) L⁻ᵀ (Φ ⊙ (Lᵀ B) + Φᵀ ⊙ (Bᵀ L)) L⁻¹, where {CHOLESKY}; {HALF}",
    ),
    "eigenvalues": (np.linalg.eigvalsh(A), f"λ, where {EIGH}"),
    "matrix logarithm": (
        vectors @ np.diag(np.log(values)) @ vectors.T, f"V diag(log(λ)) Vᵀ, where {EIGH}"),
    "log determinant": (
        gc.grad(np.log(values).sum(), A), f"V diag(𝟏 ⊘ λ) Vᵀ, where {EIGH}"),
    "eigenvectors' gradient": (
        gc.grad((B * vectors).sum(), A),
        f"(1/2) V (F ⊙ (Vᵀ B) + Fᵀ ⊙ (Bᵀ V)) Vᵀ, where {EIGH}; {GAPS}",
    ),
    "nuclear norm": (gc.grad(sigma.sum(), T), f"U Vᵀ, where {SVD}"),
    "spectral sums": (gc.grad((sigma**2).sum() / 2, T), f"U diag(σ) Vᵀ, where {SVD}"),
    "exponential": (gc.expm(A + B) @ b, "E b, where E = exp(A + B)"),
    "pseudo-inverse": (np.linalg.pinv(T) @ G, "P G, where P = T⁺"),
    "least squares": (gc.grad((np.linalg.pinv(T) @ G @ b).sum(), b),
                      "Gᵀ Pᵀ 𝟏, where P = T⁺"),
    "triangular factor's gradient": (
        gc.grad((B * r).sum(), T),
        f"Q (Λ ⊙ (R Bᵀ) + B Rᵀ − Λ ⊙ (B Rᵀ)) R⁻ᵀ, where T = Q R; {BELOW}",
    ),
    "triangular system": (gc.solve_triangular(low, b, lower=True), f"L⁻¹ b, where {CHOLESKY}"),
    "triangular system, from behind": (
        gc.solve_triangular(low.T, gc.solve_triangular(low, b, lower=True), lower=False),
        f"L⁻ᵀ L⁻¹ b, where {CHOLESKY}",
    ),
    "triangle of a matrix": (
        gc.solve_triangular(B, b, lower=True),
        "(B ⊙ Δ)⁻¹ b, where Δ_ij = 1 on the diagonal and below, else 0",
    ),
    "of a product": (
        gc.grad(np.log(np.linalg.eigvalsh(B @ B.T)).sum(), B),
        "2 V diag(𝟏 ⊘ λ) Vᵀ B, where B Bᵀ = V diag(λ) Vᵀ",
    ),
}  # fmt: skip
# Longer ones: their values alone.
LONG = {
    "upper triangle": gc.grad((gc.solve_triangular(B, b, lower=False) ** 2).sum(), B),
    "triangle with ones": gc.grad(
        (gc.solve_triangular(B, b, lower=True, unit_diagonal=True) ** 2).sum(), B),
    "log density": gc.grad(
        -0.5 * (gc.solve_triangular(low, b, lower=True) ** 2).sum()
        - np.log(np.diagonal(low)).sum(), A),
    "orthogonal factor": gc.grad((G * q).sum(), T),
    "left vectors": gc.grad((G * left).sum(), T),
    "right vectors": gc.grad((B * right).sum(), T),
    "pseudo-inverse's gradient": gc.grad((G.T * np.linalg.pinv(T)).sum(), T),
    "diagonal of a factor": gc.grad(np.log(np.diagonal(low)).sum(), A),
    "eigenvalues, second order": gc.hessian(np.sin(values).sum(), A),
    "eigenvectors, second order": gc.hessian((B * vectors).sum(), A),
    "factor, second order": gc.hessian((B * low).sum(), A),
    "singular values, second order": gc.hessian(np.sin(sigma).sum(), T),
    "factor of a factor": gc.grad((np.linalg.cholesky(low @ low.T + A) * B).sum(), A),
    "stack": gc.jacobian(np.linalg.cholesky(S)[:, 2, 1], S),
    "stack's eigenvalues": gc.grad(np.log(np.linalg.eigvalsh(S)).sum(), S),
    "two of a kind": gc.grad((low @ np.linalg.cholesky(A + 2 * np.eye(3))).sum(), A),
    "through a function": gc.grad(np.tanh(low @ b).sum(), A),
}  # fmt: skip


def check(variable):
    """Compare the formula with what the code computes, in the notations that it has."""
    formula = formula_of(variable, "auto")
    given = {V[name].node: data for name, data in DATA.items()}
    want = gc.compile_function(list(V.values()), variable)(*DATA.values())
    scale = 1e-9 * (1 + np.abs(want).max())
    got = evaluate_term(formula.term, given, {}, formula.free)
    np.testing.assert_allclose(got, want, atol=scale)
    if formula.matrix is not None:
        got = evaluate_matrix(formula.matrix, given)
        np.testing.assert_allclose(np.reshape(got, want.shape), want, atol=scale)
    assert "where" in formula.text
    assert r"\text{where }" in formula.latex
    return formula


@pytest.mark.parametrize("name", PRINTED)
def test_it_is_printed_as_in_textbooks(name):
    variable, text = PRINTED[name]
    assert check(variable).text == text


@pytest.mark.parametrize("name", LONG)
def test_long_ones_have_the_values_of_the_code(name):
    check(LONG[name])


def test_latex_says_what_letters_are():
    found = gc.latex(gc.grad((B * low).sum(), A))
    assert r"L^{-\top}" in found
    assert found.endswith(
        r", \quad \text{where } L L^\top = A, \; "
        r"\Phi_{ij} = 1, \tfrac{1}{2}, 0 \text{ for } i > j, i = j, i < j"
    )
    assert r"A = V \mathrm{diag}(\lambda) V^\top" in gc.latex(np.linalg.eigvalsh(A))


def test_letters_that_users_took_get_numbers():
    other = gc.observed("L", shape=(3, 3))
    text = formula_of(other @ low).text
    assert text == "L L1, where L1 L1ᵀ = A"
    assert gc.latex(other @ low).startswith("L L_{1}")


def test_sympy_has_the_letters_as_symbols():
    assert str(gc.formula(low @ b)) == "L*b"
    assert str(gc.formula(gc.grad(sigma.sum(), T))) == "U*V.T"


def test_names_of_users_stay():
    @gc.function
    def factor(a):
        return np.linalg.cholesky(a)

    y = gc.cost((factor(A, output="C") ** 2).sum(), name="cost")
    formula = formula_of(gc.grad(y, A))
    assert "C⁻ᵀ" in formula.text
    assert "where C Cᵀ = A" in formula.text


def test_what_has_an_integral_alone_says_so():
    with pytest.raises(FormulaError, match="exp\\(t A\\) dA"):
        gc.formula(gc.grad((gc.expm(A) @ b).sum(), A))
