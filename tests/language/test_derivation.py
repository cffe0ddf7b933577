"""gc.derive: the chain rule step by step, each step computed and the last compared with code."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.errors import DerivativeError, ShapeError, UsageError
from graphc.ops.rules import evaluate
from tests.numerics import close, value

RNG = np.random.default_rng(0)
A, Q = gc.observed("A", (2, 3)), gc.observed("Q", (3, 3))
x, b, c = gc.observed("x", 3), gc.observed("b", 2), gc.observed("c", 2)
W1, W2, u = gc.parameter("W1", (4, 3)), gc.parameter("W2", (2, 4)), gc.parameter("u", 4)
FEED = {v: RNG.uniform(0.3, 1.2, v.shape) for v in (A, Q, x, b, c, W1, W2, u)}
FEED[Q] = FEED[Q] + 2 * np.eye(3)


def net():
    return np.sum((W2 @ np.tanh(W1 @ x + u) - b) ** 2)


CASES = {
    "least squares": (lambda: np.sum((A @ x - b) ** 2), x),
    "least squares, by the matrix": (lambda: np.sum((A @ x - b) ** 2), A),
    "net": (net, x),
    "net, by the first weights": (net, W1),
    "net, by the bias": (net, u),
    "several paths": (lambda: (x @ Q @ x) / (x @ x), x),
    "stable functions": (lambda: gc.logsumexp(A @ x) - np.sum(np.log(gc.softmax(b * (A @ x)))), x),
    "inverse": (lambda: x @ np.linalg.inv(Q) @ x + np.linalg.slogdet(Q)[1], Q),
    "one step": (lambda: b @ A @ x, x),
    "of itself": (lambda: np.exp(-(x[0] ** 2)), x),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_steps_lead_to_the_gradient(name):
    make, by = CASES[name]
    check_steps(make(), by, FEED)


def check_steps(cost, by, feed):
    """Compute a derivation step by step, and compare the last with the code; return it."""
    derivation = gc.derive(cost, by)
    arrays = {v.node: array for v, array in feed.items()}
    defined = {d.name for d in derivation.definitions}
    names = {node: name for d in derivation.definitions for node, name in d.formula.names.items()}
    given = {name: evaluate([node], arrays, {})[0] for node, name in names.items()
             if name not in defined}  # fmt: skip
    for definition in derivation.definitions:
        formula = definition.formula
        given[definition.name] = evaluate_term(
            formula.term, named(formula, given), free=formula.free
        )
    for step in derivation:
        total = 0
        for part in step.parts:
            found = evaluate_term(part.term, named(part, given), free=columns(part))
            total = total + found
        given[f"∂{derivation.cost}/∂{step.name}"] = total
    close(given[f"∂{derivation.cost}/∂{derivation.wrt}"], value(gc.grad(cost, by), feed), 1e-10)
    return derivation


def named(formula, numbers):
    return {node: numbers[name] for node, name in formula.names.items() if name in numbers}


def columns(formula):
    """The indices of what is derived by: the cost has none."""
    return formula.below[0][1]


def test_text():
    text = str(gc.derive(net(), W1))
    assert (
        text
        == """\
∂c2/∂W1, step by step

Definitions:
  u1 = W1 x + u
  u2 = tanh(u1)
  u3 = W2 u2 − b
  c2 = ‖u3‖²

Chain rule:
  1. ∂c2/∂u3 = 2 u3ᵀ    [sum of squares]
  2. ∂c2/∂u2 = ∂c2/∂u3 W2    [difference, product]
  3. ∂c2/∂u1 = ∂c2/∂u2 diag(𝟏 − u2 ⊙ u2)    [tanh]
  4. ∂c2/∂W1 = (∂c2/∂u1)ᵀ xᵀ    [sum, product]

Together: ∂c2/∂W1 = 2 ((𝟏 − tanh(W1 x + u)^(⊙2)) ⊙ (W2ᵀ (W2 tanh(W1 x + u) − b))) xᵀ""".replace(
            "c2", "c"
        )
    )


def test_names_of_blocks_and_costs():
    layer = gc.Linear(2, name="f1")
    z = gc.tanh(layer(x, output="s"), output="z")
    cost = gc.cost(np.sum((z - b) ** 2), name="C")
    derivation = gc.derive(cost, layer.w)
    assert (derivation.cost, derivation.wrt) == ("C", "f1_w")
    assert [step.name for step in derivation][-2:] == ["s", "f1_w"]
    assert [rule for step in derivation for rule in step.rules][-2] == "tanh"
    assert len(derivation) == len(derivation.steps)


def test_latex_and_markdown():
    derivation = gc.derive(np.sum((A @ x - b) ** 2), x)
    assert derivation.latex.startswith(r"\begin{aligned}")
    assert r"\frac{\partial c}{\partial x} &= 2 A^{\top}" in derivation.latex
    assert derivation._repr_latex_() == f"$\\displaystyle {derivation.latex}$"
    markdown = derivation._repr_markdown_()
    assert "1. sum of squares: $`" in markdown
    assert markdown.count("```") == 2


def test_several_paths_are_summed():
    last = gc.derive((x @ Q @ x) / (x @ x), x).steps[-1]
    assert len(last.parts) == 3
    assert "sum of 3 paths" in str(gc.derive((x @ Q @ x) / (x @ x), x))


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda: gc.derive(A @ x, x), ShapeError),
        (lambda: gc.derive(np.sum(x), b), DerivativeError),
        (lambda: gc.derive(3.0, x), UsageError),
        (lambda: gc.derive(np.sum(x), "x"), UsageError),
    ],
)
def test_bad_use(use, error):
    with pytest.raises(error, match="test_derivation.py"):
        use()
