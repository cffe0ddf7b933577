"""How parameters of blocks are written: the same in figures, formulas and on the page."""

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.names import Name, math_label, parameter_labels, subscripted
from graphc.language.blockwise import block_formulas
from graphc.render.draw import drawing_of


@pytest.mark.parametrize(
    ("owned", "others", "labels"),
    [
        ({"G_w": ("G", "w")}, [], ["w"]),
        ({"f1_w": ("f1", "w"), "f2_w": ("f2", "w")}, [], ["w_{1}", "w_{2}"]),
        ({"f1_w": ("f1", "w"), "g1_w": ("g1", "w")}, [], ["w_{f_{1}}", "w_{g_{1}}"]),
        ({"f1_w": ("f1", "w")}, ["w1"], ["w_{f_{1}}"]),
        ({"a_w": ("a", "w"), "b_w": ("b", "w")}, [], ["w_{a}", "w_{b}"]),
        ({"A_f_w": ("f", "w"), "B_f_w": ("f", "w")}, [], ["A_{f,w}", "B_{f,w}"]),
        ({"f1_alpha": ("f1", "alpha")}, [], [r"\alpha_{1}"]),
        ({"head_scale": ("head", "scale")}, [], [r"\mathrm{scale}"]),
        ({"r1_w_ih": ("r1", "w_ih")}, [], [r"w_{\mathrm{ih}}"]),
        ({"f1_w": ("f1", "w"), "head_w": ("head", "w")}, ["x", "y"], ["w_{1}", "w"]),
        ({"f1_w": ("f1", "w"), "g1_w": ("g1", "w"), "h2_w": ("h2", "w")}, [],
         ["w_{f_{1}}", "w_{g_{1}}", "w_{h_{2}}"]),
    ],
)  # fmt: skip
def test_the_shortest_label_that_is_no_other_s(owned, others, labels):
    found = parameter_labels(owned, others)
    assert list(found.values()) == labels
    assert list(found) == list(owned)


def test_a_name_is_text_with_latex_of_its_own():
    name = Name("f1_w", "w_{1}")
    assert name == "f1_w"
    assert {name: 1}["f1_w"] == 1
    assert math_label(name) == "w_{1}"
    assert subscripted(name, "ij") == "[w_{1}]_{ij}"
    assert subscripted(Name("head_w", "w"), "ij") == "w_{ij}"


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), m):
    return np.tanh(w @ z)


@gc.block
def pair(z):
    return layer(m=2, name="g2")(layer(m=3, name="g1")(z, output="h"))


NETS = {
    "numbered": lambda x: layer(m=2, name="f2")(layer(m=3, name="f1")(x, output="z")),
    "clashing": lambda x: layer(m=2, name="g1")(layer(m=3, name="f1")(x, output="z")),
    "nested": lambda x: pair(name="G")(layer(m=3, name="f1")(x, output="z")),
    "unnamed": lambda x: layer(m=2)(layer(m=3)(x, output="z"), output="s"),
}


@pytest.mark.parametrize("name", NETS)
def test_figure_and_formulas_agree(name):
    graph = gc.Graph(NETS[name](gc.observed("x", 4)), name="g")
    labels = {math_label(graph.name_of(v)) for v in graph.parameters}
    assert len(labels) == len(graph.parameters)
    drawing = drawing_of(graph, params="shared", expand=True)
    assert {n.element.label for n in drawing.nodes if n.element.kind == "parameter"} == labels
    told = " ".join(f.latex for b in block_formulas(graph) for f in b.forward if f is not None)
    assert all(label in told for label in labels)


def test_text_keeps_the_names_of_the_code():
    z = layer(m=3, name="f1")(gc.observed("x", 4), output="z")
    assert gc.latex(z) == r"\tanh\left(w_{1} x\right)"
    graph = gc.Graph(z, name="g")
    (formulas,) = block_formulas(graph)
    (forward,) = formulas.forward
    assert forward.text == "tanh(f1_w x)"
    assert forward.latex_equation == r"z = \tanh\left(w_{1} x\right)"
    assert "f1_w" in gc.compile(graph).source


def test_blocks_inside_are_counted_in_order_of_their_making():
    @gc.block
    def two(z):
        return gc.Linear(2)(gc.relu(gc.Linear(5)(z)))

    graph = gc.Graph(two(name="E")(gc.observed("x", 7)), name="g")
    shapes = {graph.name_of(v): v.shape for v in graph.parameters}
    assert shapes["E_Linear1_w"] == (5, 7)
    assert shapes["E_Linear2_w"] == (2, 5)
