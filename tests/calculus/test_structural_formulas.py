"""Index forms of paddings and scattered sums, against the reference evaluation."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus import derived
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.formulas import forward, jacobian
from graphc.errors import FormulaError
from graphc.language.formula import formula_of
from graphc.ops.contraction import contract, full
from graphc.ops.indexing import ScatterAdd, ScatterSet
from graphc.ops.leaves import new_input
from graphc.ops.rules import evaluate
from graphc.ops.structural import Pad
from graphc.types import TensorType
from tests.numerics import close

x, m, w = (new_input(TensorType(shape)) for shape in [(3,), (2, 3), (4, 3)])
at, grid = (new_input(TensorType(shape, "integer")) for shape in [(2,), (2, 2)])
two, base = new_input(TensorType((2, 3))), new_input(TensorType((2, 4)))
up = new_input(TensorType((2, 2)))
NAMES = {x: "x", m: "M", w: "w", at: "y", grid: "k", two: "u", base: "B", up: "v"}
RNG = np.random.default_rng(0)
FEED = {node: RNG.normal(size=node.shape) for node in NAMES if node.kind == "real"}
FEED |= {at: np.array([2, 2]), grid: np.array([[0, 3], [1, 1]])}

CASES = {
    "pad": (Pad((x,), ((1, 3, 1),), (6,)), x),
    "pad with steps": (Pad((x,), ((1, 3, 2),), (7,)), x),
    "pad one axis": (Pad((m,), ((0, 2, 1), (2, 3, 1)), (2, 6)), m),
    "sum of a pad": (contract((Pad((x,), ((1, 3, 1),), (6,)),), ((0,),), ()), x),
    "scatter": (ScatterAdd((w, at, two), 0, 0), two),
    "scatter, by the base": (ScatterAdd((w, at, two), 0, 0), w),
    "scatter into zeros": (ScatterAdd((full(0.0, (4, 3)), at, two), 0, 0), two),
    "scatter of samples": (ScatterAdd((base, grid, up), 1, 1), up),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_forward_and_jacobian(name):
    node, wrt = CASES[name]
    found = forward(node, NAMES, notation="index")
    (expected,) = evaluate([node], FEED, {})
    close(evaluate_term(found.term, FEED, free=found.free), expected, 1e-12)
    by = jacobian(node, wrt, NAMES, notation="index")
    (expected,) = evaluate([derived.jacobian(node, wrt)], FEED, {})
    close(evaluate_term(by.term, FEED, free=by.free), expected, 1e-12)


def test_a_sum_over_a_padding_is_that_of_the_operand():
    node, _ = CASES["sum of a pad"]
    assert forward(node, NAMES).text == "𝟏ᵀ x"


def test_setting_has_none():
    with pytest.raises(FormulaError, match="setting elements"):
        forward(ScatterSet((w, at, two), 0, 0), NAMES)


def test_sums_over_digits_of_an_index_are_taken():
    """Heads are split off and joined again: no delta of a sum of indices is left."""
    q, k = gc.observed("q", (3, 4)), gc.observed("k", (3, 4))
    heads = [v.reshape(3, 2, 2).transpose(1, 0, 2) for v in (q, k)]
    scores = np.tanh(heads[0] @ heads[1].transpose(0, 2, 1))
    step = gc.derive(np.sum(scores**3), q).steps[-1]
    assert step.parts[0].text == "Σ_i ∂c/∂u1_{⌊n/2⌋,m,i} k_in"
    whole = q.reshape(3, 2, 2).reshape(12).reshape(3, 4)
    assert formula_of(gc.jacobian(whole, q), "index").text == "δ_ik δ_jl"
