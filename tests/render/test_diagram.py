import numpy as np
import pytest

import graphc as gc
from graphc.calculus import formulas
from graphc.errors import GraphcError, RenderError
from graphc.language.variable import Variable
from graphc.ops.contraction import full, identity
from graphc.ops.leaves import constant
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.draw import draw_svg, drawing_of
from graphc.render.model import constant_label
from tests.render import corpus


def test_a_repeated_id_is_named():
    twins = (Element("a", "computed", "a"), Element("a", "observed", "b"))
    with pytest.raises(RenderError, match="two elements with the id 'a'"):
        Diagram("d", twins, ())


@pytest.mark.parametrize("edge", [Edge("a", "b"), Edge("b", "a")])
def test_an_unknown_end_is_named(edge):
    with pytest.raises(RenderError, match="'b', which is not among its 1 elements"):
        Diagram("d", (Element("a", "computed", "a"),), (edge,))


def test_unknown_kinds_are_refused():
    with pytest.raises(RenderError, match=r"'hidden'.*observed, computed, latent"):
        Element("a", "hidden", "a")
    with pytest.raises(RenderError, match=r"'sideways'.*forward, parameter"):
        Edge("a", "b", kind="sideways")


@pytest.mark.parametrize(
    ("option", "known"),
    [
        ({"direction": "UP"}, "LR, RL, BT, TB"),
        ({"palette": "sepia"}, "light, dark, classic"),
        ({"params": "boxes"}, "implicit, stub"),
    ],
)
def test_unknown_options_list_the_known_ones(option, known):
    with pytest.raises(GraphcError, match=known):
        draw_svg(corpus.basic(), **option)


# --- labels of bare expressions -----------------------------------------------------------------


def labels_of(*roots, **options):
    drawing = drawing_of(gc.Graph(*roots, name="g"), **options)
    return [n.element.label for n in drawing.nodes if n.element.kind == "function"]


def test_a_bare_expression_is_labelled_with_its_formula():
    w, x, b = gc.parameter("w", (3, 5)), gc.observed("x", 5), gc.parameter("b", 3)
    assert labels_of(np.tanh(w @ x + b)) == [r"\tanh\left(w x + b\right)"]
    assert labels_of(2 * x + 1) == [r"2 x + \mathbf{1}"]  # as formulas have it
    assert labels_of(w @ x) == ["w x"]
    assert labels_of(np.exp(x)) == [r"\mathrm{exp}(x)"]


def test_its_formula_takes_the_labels_of_the_figure():
    x, y = gc.observed("x", 5, label=r"\mathbf{x}"), gc.observed("ybar", 5)
    assert labels_of(np.exp(x - 2 * y)) == [r"\exp\left(\mathbf{x} - 2 \bar{y}\right)"]


def test_a_long_expression_says_what_it_does_last():
    x, y = gc.observed("x", 5), gc.observed("y", 5)
    long = np.exp(x * 2 + y * 3) * np.cos(y) * np.sin(x) + np.log(x * y + 1) * np.tanh(x - y)
    assert labels_of(np.sin(long)) == [r"\mathrm{sin}(\cdots)"]
    assert labels_of(long) == [r"\cdots + \cdots"]


def test_an_expression_of_what_has_no_name_says_what_it_does_last():
    x = gc.observed("x", 5)
    assert labels_of(gc.tanh(gc.relu(x) * 2 + 1, output="z"))[1] == r"\cdots + \cdots"


def test_gradients_pass_what_is_declared_before_it_is_defined():
    w, x, h = gc.parameter("w", (3, 5)), gc.observed("x", 5), gc.computed("h", 3)
    h.define(np.tanh(w @ x) + 1)
    drawing = drawing_of(gc.Graph(gc.cost(np.sum(h**2), name="C"), name="g"), backward="mirror")
    twins = {node.element.twin for node in drawing.nodes if node.element.twin}
    assert {"variable w", "variable x", "variable h"} <= twins
    (jacobian,) = [
        n.element.label for n in drawing.nodes if n.element.id == "backward function add1 0"
    ]
    assert r"\partial\! h" in jacobian


def test_expressions_of_one_structure_share_their_derivation(monkeypatch):
    made = []
    forward = formulas.forward
    monkeypatch.setattr(formulas, "forward", lambda *a, **k: made.append(a) or forward(*a, **k))
    z = gc.observed("x", 5)
    for k in range(30):
        v = gc.computed(f"z{k}", 5)
        v.define(np.tanh(gc.parameter(f"w{k}", (5, 5)) @ z + gc.parameter(f"b{k}", 5)))
        z = v
    assert len(set(labels_of(z))) == 30
    assert len(made) < 8


@pytest.mark.parametrize(
    ("node", "label"),
    [
        (constant(0.0), "0"),
        (constant(2.5), "2.5"),
        (full(0.0, (3,)), r"\mathbf{0}"),
        (full(-1.0, (4, 2)), r"\mathbf{-1}"),
        (constant(1e-30), r"\mathrm{const}"),
        (constant(float("inf")), r"\mathrm{const}"),
        (constant(np.arange(3.0)), r"\mathrm{const}"),
        (identity(3), r"\mathrm{const}"),
    ],
)
def test_a_constant_shows_its_number(node, label):
    assert constant_label(Variable(node)) == label
