"""What is not the same is not written the same: constants, and names that differ in underscores."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.constants import named_constants
from graphc.document import document
from graphc.language.formula import formula_of
from graphc.ops.leaves import constant

A, B = np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, 2.0])
x, z1, z_1, w, w_ = (gc.observed(name, 3) for name in ("x", "z1", "z_1", "w", "w_"))


def test_constants_are_numbered_as_they_are_read():
    assert formula_of(B * x + A, "index").text == "c1_i x_i + c2_i"
    assert formula_of(np.tanh(B * x) - B).text == "tanh(c ⊙ x) − c"
    assert formula_of(B * x).text == "c ⊙ x" and formula_of(x + 2.0).text == "x + 2 𝟏"


def test_a_constant_is_not_called_as_a_variable_is():
    c = gc.observed("c", 3)
    assert formula_of(A * c).text == "c ⊙ c1"
    sp = pytest.importorskip("sympy")
    i = sp.Symbol("i", integer=True)
    shape = (3,)
    product = sp.IndexedBase("c", shape=shape)[i] * sp.IndexedBase("c1", shape=shape)[i]
    assert gc.formula(A * c, "index") == product
    assert named_constants([constant(A), constant(2.0), constant(B)], ["c1"]) == {
        constant(A): "c2", constant(B): "c3",
    }  # fmt: skip


def test_a_derivation_calls_a_constant_the_same_all_along():
    derivation = gc.derive(np.sum(A * np.tanh(B * x) ** 2), x)
    assert [d.formula.text for d in derivation.definitions] == [
        "c1 ⊙ x",
        "tanh(u1)",
        "c2ᵀ (u2 ⊙ u2)",
    ]
    assert derivation.result.text == ("2 (c1 ⊙ c2 ⊙ tanh(c1 ⊙ x) ⊙ (𝟏 − tanh(c1 ⊙ x)^(⊙2)))")


@pytest.mark.parametrize(("one", "other"), [(z1, z_1), (w, w_)])
def test_names_that_differ_in_underscores_look_different(one, other):
    left, right = gc.latex(one * other).split(r" \odot ")
    assert left != right
    both = gc.Graph(gc.cost(np.sum(one * other), name="C"), name="net")
    assert gc.latex(one * x) == gc.latex(x * one)
    assert document(both).count(f"$`{right}`$") == 1


def test_the_document_says_how_names_are_written():
    f1 = gc.Linear(2, name="f1")
    page = document(gc.Graph(gc.cost(np.sum(f1(A * x) ** 2), name="C"), name="net"))
    assert "| `f1_w` | $`w_{1}`$ | parameter |" in page
    assert "| `c` | $`c`$ | constant | ℝ³ | 3 |" in page


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (1 / np.sqrt(2), "(1/√2) x_i", r"\frac{1}{\sqrt{2}} x_{i}"),
        (np.sqrt(48.0), "√48 x_i", r"\sqrt{48} x_{i}"),
        (np.sqrt(2 / np.pi), "√(2 / π) x_i", r"\sqrt{\frac{2}{\pi}} x_{i}"),
        (1 / np.sqrt(2 * np.pi), "(1/√(2 π)) x_i", r"\frac{1}{\sqrt{2 \pi}} x_{i}"),
        (1e-5, "10⁻⁵ x_i", "10^{-5} x_{i}"),
        (-2.5e-7, "−2.5·10⁻⁷ x_i", r"-2.5 \cdot 10^{-7} x_{i}"),
        (0.123, "0.123 x_i", "0.123 x_{i}"),
        (1.0507009873554805, "1.0507009873554805 x_i", "1.0507009873554805 x_{i}"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, text, latex):
    assert formula_of(x * value, "index").text == text
    assert gc.latex(x * value, "index") == latex
    assert formula_of(np.where(x > 0, x, -np.inf), "index").text == "where([x_i > 0], x_i, −∞)"


def test_a_matrix_with_one_column_reads_as_a_column():
    X, d = gc.observed("X", (4, 3)), gc.observed("d", (4, 1))
    mean = np.mean(X, axis=1, keepdims=True)
    assert formula_of(mean).text == "(1/3) X 𝟏"
    assert formula_of(d + mean).text == "d + (1/3) X 𝟏"
    assert formula_of(gc.grad(np.sum((d - mean) ** 2), d)).text == "2 (d − (1/3) X 𝟏)"
