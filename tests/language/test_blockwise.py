"""Formulas of blocks: each says what its block alone does."""

import numpy as np

import graphc as gc
from graphc.language.blockwise import block_formulas


@gc.function
def gated(a=gc.Input("n"), b=gc.Input("n")):
    return np.sin(a) * b


def test_the_jacobian_by_one_input_leaves_the_others_fixed_though_they_depend_on_it():
    x = gc.observed("x", shape=3)
    low = gc.tanh(gc.Linear(3, name="first")(x), output="low")
    high = gc.tanh(gc.Linear(3, name="second")(low), output="high")
    s = gated(high, low, output="s")
    net = gc.Graph(gc.cost((s**2).sum(), name="C"), name="net")
    block = next(made for made in block_formulas(net) if made.use.function == "gated")
    assert [p.jacobian.equation for p in block.partials] == [
        "∂s/∂high = diag(low ⊙ cos(high))",
        "∂s/∂low = diag(sin(high))",
    ]
    assert block.partials[1].backward.equation == "∂L/∂low = ∂L/∂s diag(sin(high))"


@gc.function
def beside(a, b):
    return np.concatenate([a, b])


def test_a_skip_over_convolutions_has_short_formulas():
    x = gc.observed("x", shape=(1, 6, 6))
    down = gc.relu(gc.Conv2d(2, 3, padding=1, name="down")(x), output="down")
    up = gc.relu(gc.Conv2d(2, 3, padding=1, name="up")(down), output="up")
    joined = beside(up, down, output="joined")
    net = gc.Graph(gc.cost((joined**2).sum(), name="C"), name="net")
    last = block_formulas(net)[-2]
    assert [names_in(p) for p in last.partials] == [{"joined", "up"}, {"joined", "down"}]
    for p in last.partials:
        assert "down_w" not in p.jacobian.equation + p.backward.equation


def names_in(p):
    return {p.output.name, p.wrt.name}
