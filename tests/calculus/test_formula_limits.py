"""Formulas that are long, or masked: right, and found within a limit."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus import limits, presenting
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.simplify_terms import plus, times
from graphc.errors import FormulaError
from graphc.language.formula import formula_of
from graphc.ops.rules import evaluate
from tests.numerics import close

MASK = np.array([[True, False, True], [False, False, False]])


def attention():
    q, k, v = (gc.observed(n, shape) for n, shape in zip("qkv", [(2, 2), (3, 2), (3, 4)]))  # noqa: B905
    m = gc.observed("m", (2, 3), kind="boolean")
    out = gc.scaled_dot_product_attention(q, k, v, m)
    rng = np.random.default_rng(0)
    feed = {x.node: rng.normal(size=x.shape) for x in (q, k, v)}
    return out, (q, k, v), {**feed, m.node: MASK}


@pytest.mark.parametrize("which", range(3))
def test_attention_that_sees_nothing_has_the_formula_of_the_code(which):
    out, inputs, feed = attention()
    for v in (out, gc.grad(np.sum(out**2), inputs[which]), gc.jacobian(out, inputs[which])):
        for depth in (0, None):
            found = formula_of(v, depth=depth)
            values = {node: evaluate([node], feed, {})[0] for node in found.names}
            got = evaluate_term(found.term, values, {}, found.free)
            close(got, evaluate([v.node], feed, {})[0], 1e-12)
            assert "invert" not in found.text


def test_masks_are_truth_values():
    m, x = gc.observed("m", 3, kind="boolean"), gc.observed("x", 3)
    y = np.where(~m, x, 0.0) ** 2
    assert formula_of(np.where(~m, x, 0.0), "index").text == "where(m_i, 0, x_i)"
    assert "m_i²" not in formula_of(gc.grad(np.sum(y * m), x), "index").text
    assert formula_of(np.any(x > 0)).text == "max([x > 0])"
    assert formula_of(np.cumprod(x), "index").text == "∏_j where([j ≤ i], x_j, 1)"


def test_sympy_does_not_solve_cases():
    """Drawing all cases out of a sum takes SymPy a time exponential in their number."""
    sp = pytest.importorskip("sympy")
    s, v = gc.observed("s", 5), gc.observed("v", 5)
    m, other = (gc.observed(n, 5, kind="boolean") for n in "mo")
    inside = np.where(m, np.where(other, s, -1e30), np.where(s > v, v, 2.0 * s))
    cost = np.sum(np.where(m, gc.softmax(inside), 0.0) * v)
    found = gc.formula(gc.grad(cost, s), depth=None)
    assert found.has(sp.Piecewise) and found.has(sp.Sum)
    numbers = {}
    rng = np.random.default_rng(2)
    masks = np.array([[1, 0, 1, 1, 0], [1, 1, 0, 1, 0]]) > 0
    feed = dict(zip([m.node, other.node], masks, strict=True))
    feed.update({s.node: rng.normal(size=5), v.node: rng.normal(size=5)})
    for variable, name in ((s, "s"), (v, "v"), (m, "m"), (other, "o")):
        base = sp.IndexedBase(name, shape=(5,))
        for i, value in enumerate(feed[variable.node]):
            numbers[base[i]] = sp.Float(float(value)) if value.dtype == float else int(value)
    want = evaluate([gc.grad(cost, s).node], feed, {})[0]
    (free,) = formula_of(gc.grad(cost, s), "index", depth=None).free
    for i in (0, 3):
        at = found.xreplace({sp.Symbol(free.name, integer=True): sp.Integer(i)})
        expanded = at.replace(sp.Sum, lambda body, limit: sp.Add(
            *(body.xreplace({limit[0]: sp.Integer(j)}) for j in range(5))))  # fmt: skip
        close(float(expanded.xreplace(numbers)), want[i], 1e-9)


def test_a_long_formula_is_refused_in_time_and_printed_in_parts(monkeypatch):
    monkeypatch.setattr(limits, "MOST_TERMS", 300)
    x, w = gc.observed("x", (3, 4)), gc.parameter("w", (4, 4))
    z = gc.softmax(np.tanh(x @ w) @ w, axis=1) @ w
    with pytest.raises(FormulaError, match="intermediate variables"):
        formula_of(gc.grad(np.sum(np.exp(z)), w))
    with pytest.raises(FormulaError, match="gc.latex prints it in parts"):
        gc.formula(gc.grad(np.sum(np.exp(z)), w))
    shown = gc.latex(gc.grad(np.sum(np.exp(z)), w))
    in_notebooks = gc.grad(np.sum(np.exp(z)), w)._repr_mimebundle_()["text/latex"]
    assert in_notebooks == f"$\\displaystyle {shown}$"
    assert shown.startswith(r"\begin{aligned}") and r"\frac{\partial c}{\partial w}" in shown
    monkeypatch.setattr(presenting, "LONGEST", 12)
    assert r"u_{3} &= u_{2} w" in gc.latex(np.tanh(np.exp(x @ w) @ w) @ w)
    with pytest.raises(FormulaError, match="intermediate variables"):
        gc.latex(gc.jacobian(z, w))


def test_terms_are_counted_for_one_formula_alone():
    @limits.limited
    def long():
        for _ in range(limits.MOST_TERMS + 1):
            times()

    with pytest.raises(limits.LengthError):
        long()
    plus()  # which nothing limits
