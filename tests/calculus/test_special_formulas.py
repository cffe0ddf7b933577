"""Every row of the scalar table prints in text, LaTeX and SymPy, under its textbook name."""

import numpy as np
import pytest

import graphc as gc
from graphc.language.formula import formula_of
from graphc.language.variable import Variable
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.scalars import SCALARS
from graphc.types import TensorType

X, Y = gc.observed("x"), gc.observed("y")
V, W = gc.observed("v", shape=3), gc.observed("w", shape=3)

TEXTBOOK = [
    (gc.erf(X), "erf(x)", r"\mathrm{erf}\left(x\right)"),
    (gc.grad(gc.erf(X), X), "2 exp(−x²) / √π", r"\frac{2 \exp\left(-x^{2}\right)}{\sqrt{\pi}}"),
    (gc.gammaln(X), "log Γ(x)", r"\log \Gamma\left(x\right)"),
    (gc.grad(gc.gammaln(X), X), "ψ(x)", r"\psi\left(x\right)"),
    (gc.polygamma(2, X), "ψ^(2)(x)", r"\psi^{(2)}\left(x\right)"),
    (gc.i0(X), "I_0(x)", r"I_{0}\left(x\right)"),
    (gc.grad(gc.i0(X), X), "I_1(x)", r"I_{1}\left(x\right)"),
    (gc.ndtr(X), "Φ(x)", r"\Phi\left(x\right)"),
    (gc.ndtri(X), "Φ⁻¹(x)", r"\Phi^{-1}\left(x\right)"),
    (np.expm1(X), "exp(x) − 1", r"\exp\left(x\right) - 1"),
    (np.log1p(X), "log(x + 1)", r"\log\left(x + 1\right)"),
    (np.hypot(X, Y), "√(x² + y²)", r"\sqrt{x^{2} + y^{2}}"),
    (np.log2(X), "log₂(x)", r"\log_2\left(x\right)"),
    (np.deg2rad(X), "x π / 180", r"\frac{x \pi}{180}"),
    (gc.xlogy(X, Y), "x log(y)", r"x \log\left(y\right)"),
    (gc.entr(X), "−x log(x)", r"-x \log\left(x\right)"),
    (gc.grad(X**Y, Y), "x^y log(x)", r"x^{y} \log\left(x\right)"),
    (gc.grad(np.hypot(X, Y), X), "x / √(x² + y²)", r"\frac{x}{\sqrt{x^{2} + y^{2}}}"),
    (gc.erf(V), "erf(v)", r"\mathrm{erf}\left(v\right)"),
    (np.where(X > 0, X, Y), "where([x > 0], x, y)",
     r"\begin{cases} x & x > 0 \\ y & \text{else} \end{cases}"),
]  # fmt: skip


@pytest.mark.parametrize(("v", "text", "latex"), TEXTBOOK, ids=[row[1] for row in TEXTBOOK])
def test_textbook_names(v, text, latex):
    found = formula_of(v)
    assert found.text == text
    assert found.latex == latex


@pytest.mark.parametrize("name", [name for name in SCALARS if name != "pi"])
def test_every_row_prints_and_so_do_its_derivatives(name):
    row = SCALARS[name]
    integers = ["bitwise_", "invert", "shift", "gcd", "lcm"]
    kind = "integer" if any(word in name for word in integers) else "real"
    nodes = [new_input(TensorType((), kind)) for _ in range(row.arity)]
    variables = [Variable(n, name=f"x{i}") for i, n in enumerate(nodes)]
    args = [constant(2) if i in row.discrete else n for i, n in enumerate(nodes)]
    if name == "where":
        args[0] = elementwise("greater", nodes[0], constant(0.0))
    made = Variable(elementwise(name, *args), operands=tuple(variables), operation=name)
    shown = [made]
    if made.kind == "real":
        shown += [
            gc.grad(made, v)
            for i, v in enumerate(variables)
            if i not in row.discrete and row.derivatives[i] is not None
        ]
    for v in shown:
        found = formula_of(v)
        assert found.text
        assert found.latex
        assert found.sympy is not None


def test_what_sympy_has_no_matrix_form_for_comes_in_index_notation():
    assert formula_of(np.arctan2(V, W)).notation == "matrix"
    assert str(gc.formula(np.arctan2(V, W))) == "atan2(v[i], w[i])"
