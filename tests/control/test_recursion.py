"""The equations of loops: the recurrence of a step, and back-propagation through time."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.errors import FormulaError
from graphc.language.formula import formula_of

W, U = gc.parameter("w", shape=("m", "m")), gc.parameter("u", shape=("m", "n"))
X, H = gc.observed("x", shape=("T", "n")), gc.observed("h0", shape="m")
STEP = "h_t = tanh(u x_t + w h_(t−1)); h_0 = h0"
BACK = "∂c/∂h_t diag(𝟏 − h_t ⊙ h_t)"


def net():
    return gc.scan(lambda h, x: ((h := np.tanh(W @ h + U @ x)), h), H, X)


def last_step(cost, wrt):
    """The last step of a derivation, without its number and its rule."""
    line = str(gc.derive(cost, wrt)).splitlines()[-1]
    return line.partition(". ")[2].rpartition("    [")[0]


def test_a_result_has_the_recurrence_beside_it():
    last, states = net()
    assert formula_of(last).text == f"h_T, where {STEP}"
    assert formula_of((last**2).sum()).text == f"‖h_T‖², where {STEP}"
    assert formula_of(states).text == f"h_(1…T), where {STEP}"
    assert r"{h}_{t} = \tanh\left(u {x}_{t} + w {h}_{t-1}\right)" in gc.latex(last)


def test_a_formula_with_a_loop_in_it_has_its_values():
    last, _ = net()
    rng = np.random.default_rng(0)
    data = {W: rng.normal(size=(2, 2)), U: rng.normal(size=(2, 3)), X: rng.normal(size=(4, 3)),
            H: rng.normal(size=2)}  # fmt: skip
    formula = formula_of((last**2).sum())
    given = {v.node: array for v, array in data.items()}
    got = evaluate_term(formula.term, given, {"m": 2, "n": 3, "T": 4}, formula.free)
    want = gc.compile_function(list(data), (last**2).sum())(*data.values())
    np.testing.assert_allclose(got, want)


def test_back_propagation_through_time():
    last, states = net()
    cost = (last**2).sum()
    recursion = f"∂c/∂h_(t−1) = {BACK} w; ∂c/∂h_T = ∂c/∂u1"
    outer = "((∂c/∂h_t)ᵀ ⊙ (𝟏 − h_t ⊙ h_t))"
    assert last_step(cost, W) == f"∂c/∂w = Σ_t {outer} h_(t−1)ᵀ, where {recursion}"
    assert last_step(cost, U) == f"∂c/∂u = Σ_t {outer} x_tᵀ, where {recursion}"
    assert last_step(cost, X) == f"∂c/∂x = ({BACK} u)_(t=1…T), where {recursion}"
    assert last_step(cost, H) == f"∂c/∂h0 = ∂c/∂h_0, where {recursion}"
    both = (states**2).sum() + last.sum()
    assert last_step(both, H) == (
        f"∂c/∂h0 = ∂c/∂h_0, where ∂c/∂h_(t−1) = ∂c/∂u1_(t−1) + {BACK} w; "
        "∂c/∂h_T = ∂c/∂u2 + ∂c/∂u1_T"
    )
    assert r"\frac{\partial c}{\partial {h}_{t-1}} = \frac{\partial c}{" in gc.derive(cost, W).latex


def test_the_recursion_is_the_gradient():
    """What the derivation of both results says, written out."""
    rng = np.random.default_rng(1)
    w, u = rng.normal(size=(2, 2)), rng.normal(size=(2, 3))
    x, h = rng.normal(size=(4, 3)), [rng.normal(size=2)]
    for row in x:
        h.append(np.tanh(u @ row + w @ h[-1]))
    u1 = 2 * np.array(h[1:])  # by the states
    back = 1 + u1[-1]  # by the last one
    slope, rows = np.zeros((2, 2)), np.zeros((4, 3))
    for t in range(4, 0, -1):
        inner = back * (1 - h[t] * h[t])
        slope += np.outer(inner, h[t - 1])
        rows[t - 1] = inner @ u
        back = (u1[t - 2] if t > 1 else 0) + inner @ w
    last, states = net()
    cost = (states**2).sum() + last.sum()
    got = gc.compile_function([W, U, X, H], gc.grad(cost, [W, X, H]))(w, u, x, h[0])
    for one, other in zip(got, (slope, rows, back), strict=True):
        np.testing.assert_allclose(one, other)


def test_several_carries_and_the_other_direction():
    a, v = gc.parameter("a"), gc.observed("v", shape="T")

    def step(state, x):
        p, q = state
        return (np.sin(a * p + q), q * x), p * q

    (p, _), ys = gc.scan(step, (1.0, 2.0), v, reverse=True)
    formula = formula_of(p).text
    assert formula.startswith("state0_1, where state0_t = sin(a state0_(t+1) + state1_(t+1))")
    assert formula.endswith("state0_(T+1) = 1; state1_(T+1) = 2")
    told = last_step(p * p, a)
    assert "∂c/∂state1_(t+1) = ∂c/∂state0_t cos(a state0_(t+1) + state1_(t+1))" in told
    assert told.endswith("∂c/∂state0_1 = ∂c/∂u1; ∂c/∂state1_1 = 0")
    assert "∂c/∂y0_t" in last_step(ys.sum(), a)


def test_gates_have_equations():
    cell = gc.LSTM(2, name="lstm")
    out = cell(gc.observed("x", shape=(5, 3)))
    out = out[0] if isinstance(out, tuple) else out
    text = formula_of(out, depth=None).text
    assert "where" in text
    assert "_(t−1)" in text


def test_what_cannot_be_listed_is_said():
    last, _ = gc.scan(lambda h, x: (np.sin(h * x), None), np.sin(H).sum() + 0 * H[0], X[:, 0])
    with pytest.raises(FormulaError, match="recursion of its cotangents"):
        gc.formula(gc.grad(last, H))
    computed = W.sum()  # the start is no station of its own, and hangs on the same variable
    last, _ = gc.scan(lambda h, x: (np.sin(h * x * computed), None), 2 * computed, X[:, 0])
    assert "no closed formula" in str(gc.derive(last, W))


def test_loops_in_loops_count_by_other_letters_and_names_are_taken_once():
    h = gc.parameter("h", shape=2)

    def step(h_, x):
        inner, _ = gc.scan(lambda a, b: (a + b * h_.sum(), None), 0.0, x)
        return h_ + inner * h, None

    last, _ = gc.scan(lambda h, x: step(h, x), np.zeros(2), X)
    text = formula_of(last).text
    assert "hʹ_t = a_n h + hʹ_(t−1)" in text
    assert "a_s = " in text
    assert "{h'}_{t}" in gc.latex(last)
