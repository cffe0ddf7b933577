"""The backward pass in figures: mirrored beside the model, and along its edges."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import RenderError
from graphc.render.backward import backward_id, mirror, output_label, overlay
from graphc.render.diagram import Element
from graphc.render.draw import drawing_of
from graphc.render.drawing import DIRECTIONS
from graphc.render.layout import lay_out
from graphc.render.palettes import DARK, LIGHT
from graphc.render.svg import print_svg
from tests.render import corpus, geometry
from tests.render.architectures import ARCHITECTURES

WITH_COSTS = [
    name
    for name, diagram in corpus.CORPUS.items()
    if any(element.kind == "cost" for element in diagram.elements)
]
STYLES = {"mirror": mirror, "overlay": overlay}


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), m=60):
    return np.tanh(w @ z)


def chain(depth=3):
    z = gc.observed("x", 784)
    for k in range(1, depth + 1):
        z = layer(m=60, name=f"f{k}")(z, output=f"z{k}")
    return gc.Graph(gc.squared_error(z, gc.observed("y", 60), name="C"), name="chain")


@pytest.mark.parametrize("name", WITH_COSTS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("direction", [None, *DIRECTIONS])
def test_nothing_overlaps(name, style, direction):
    drawing = lay_out(STYLES[style](corpus.CORPUS[name]), direction, stubs=True)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@pytest.mark.parametrize("name", WITH_COSTS)
def test_the_mirrored_network_has_every_edge_of_the_model_the_other_way_round(name):
    diagram = mirror(corpus.CORPUS[name])
    forward = {(e.source, e.target) for e in diagram.edges if e.kind != "backward"}
    backward = [e for e in diagram.edges if e.kind == "backward"]
    twin = {element.id: element.twin for element in diagram.elements}
    assert backward
    for edge in backward:
        assert (twin[edge.target], twin[edge.source]) in forward


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_what_mirrors_stands_level_with_what_it_mirrors(direction):
    drawing = drawing_of(chain(), backward="mirror", direction=direction)
    at = {node.element.id: node for node in drawing.nodes}
    mirroring = [node for node in drawing.nodes if node.element.twin]
    assert len(mirroring) == 9  # x, three blocks and their outputs, the cost, the seed
    for node in mirroring:
        twin = at[node.element.twin]
        if direction in ("LR", "RL"):
            assert node.x == pytest.approx(twin.x)
            assert node.y > twin.y
        else:
            assert node.y == pytest.approx(twin.y)
            assert node.x > twin.x


def test_gradients_flow_against_the_model():
    drawing = drawing_of(chain(), backward="mirror", direction="LR")
    for wire in drawing.wires:
        tail, tip = wire.arrow.shaft[0][1][0], wire.arrow.head[0][1][0]
        if wire.edge.kind == "backward":
            assert tip[0] < tail[0]
        else:
            assert tip[0] > tail[0]


def test_blocks_of_the_backward_pass_are_round_where_the_gradient_leaves():
    drawing = drawing_of(chain(), backward="mirror", direction="LR")
    blocks = [node for node in drawing.nodes if node.element.kind == "vjp"]
    assert len(blocks) == 4
    for node in blocks:
        corners = [points[0][0] for command, points in node.outline if command == "M"]
        assert corners == [pytest.approx(node.x + node.width / 2)]


def test_labels_of_the_mirrored_network():
    drawing = drawing_of(chain(), backward="mirror")
    elements = {node.element.id: node.element for node in drawing.nodes}
    cotangent = elements["backward variable z2"]
    assert cotangent.label == r"\dfrac{\partial\! c}{\partial\! z_{2}}"
    assert cotangent.note == r"\mathbb{R}^{1 \times 60}"
    block = elements["backward function f3 2"]
    assert r"\partial\! f_{3}" in block.label
    assert block.note == r"60 \times 60"
    assert block.leaving.count(r"\dfrac") == 3  # ∂c/∂w = ∂c/∂z ∂f/∂w
    assert "w_{3}" in block.leaving
    seeds = [node for node in drawing.nodes if node.element.kind == "seed"]
    assert [node.element.label for node in seeds] == ["1"]
    assert seeds[0].outline == ()


def test_overlay_returns_along_every_edge_but_the_target_s():
    drawing = drawing_of(chain(), backward="overlay")
    without = [wire.edge for wire in drawing.wires if wire.returned is None]
    assert [edge.source for edge in without] == ["variable y"]
    for wire in drawing.wires:
        if wire.returned is not None:
            assert wire.returned.head[0][1][0][0] < wire.returned.shaft[0][1][0][0]
    gradients = {
        node.element.id: node.element.gradient for node in drawing.nodes if node.element.gradient
    }
    assert gradients["variable z1"] == r"\dfrac{\partial\! c}{\partial\! z_{1}}"
    assert gradients["function f2 1"].count(r"\dfrac") == 2  # both Jacobians


def test_no_gradient_passes_a_discrete_variable():
    x = gc.observed("x", 5)
    k = gc.observed("k", classes=5)
    z = layer(m=5, name="f")(x, output="z")
    graph = gc.Graph(gc.cross_entropy(z, k, name="E"))
    ids = {node.element.id for node in drawing_of(graph, backward="mirror").nodes}
    assert backward_id(Element("variable z", "computed", "z")) in ids
    assert backward_id(Element("variable k", "observed", "k")) not in ids


def test_a_graph_without_a_cost_has_no_backward_pass():
    graph = gc.Graph(layer(m=3, name="f")(gc.observed("x", 5), output="z"))
    for style in STYLES:
        with pytest.raises(RenderError, match="has no cost"):
            drawing_of(graph, backward=style)


@pytest.mark.parametrize(
    ("symbol", "scalar"),
    [("C", "c"), ("C_{G}", "c_{G}"), ("D", "d"), (r"\mathrm{loss}", r"\ell"), ("Loss", r"\ell")],
)
def test_the_scalar_that_leaves_a_cost(symbol, scalar):
    assert output_label(Element("C", "cost", "C(y)", symbol=symbol)) == scalar


def test_deep_models_wrap_together_with_their_backward_pass():
    drawing = drawing_of(chain(12), backward="mirror", params="stub")
    assert drawing.width < 1300
    turning = [wire for wire in drawing.wires if len(wire.arrow.shaft) > 8]
    kinds = [wire.edge.kind for wire in turning]
    assert kinds.count("forward") == kinds.count("backward") == 2
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@pytest.mark.parametrize("name", [*WITH_COSTS, "vae", "jepa", "transformer", "word2vec", "lenet5"])
def test_returning_gradients_touch_no_other_element(name):
    diagram = {**corpus.CORPUS, **ARCHITECTURES}[name]
    drawing = lay_out(overlay(diagram), stubs=True)
    for wire in drawing.wires:
        if wire.returned is None:
            continue
        points = geometry.points_along(wire.returned.shaft)
        for node in drawing.nodes:
            if node.element.id not in (wire.edge.source, wire.edge.target):
                assert not any(geometry.holds(node.box, point) for point in points)


def test_several_costs_are_told_apart_and_their_sum_is_c():
    x = gc.observed("x", 3)
    costs = [gc.cost(np.sum(x**k), name=name) for k, name in ((2, "near"), (3, "far"))]
    drawing = drawing_of(gc.Graph(*costs, name="g"), backward="mirror")
    labels = {node.element.label for node in drawing.nodes if node.element.kind == "output"}
    assert labels == {"c_{1}", "c_{2}"}
    assert sum(node.element.kind == "seed" for node in drawing.nodes) == 2


def test_a_gradient_shows_all_its_paths_or_none():
    x = gc.observed("x", 5)
    z = layer(m=5, name="f")(x, output="z")
    cost = gc.squared_error(z, x, name="C")  # x is input and target
    drawing = drawing_of(gc.Graph(cost, name="auto"), backward="mirror")
    into = [w.edge.source for w in drawing.wires if w.edge.target == "backward variable x"]
    assert sorted(into) == ["backward function C 1", "backward function f 0"]
    other = gc.Graph(gc.squared_error(z, gc.observed("y", 5), name="C"), name="target")
    ids = {node.element.id for node in drawing_of(other, backward="mirror").nodes}
    assert "backward variable y" not in ids


def test_no_gradient_passes_where_the_derivative_is_cut():
    x, y = gc.observed("x", 5), gc.observed("y", 5)
    z = layer(m=5, name="f")(x, output="z")
    t = layer(m=5, name="g")(y, output="t")

    @gc.cost
    def distance(z, t):
        return np.sum((z - gc.stop_gradient(t)) ** 2)

    graph = gc.Graph(distance(z, t, name="C"), name="stopped")
    ids = {node.element.id for node in drawing_of(graph, backward="mirror").nodes}
    assert "backward function f 0" in ids
    assert not ids & {"backward variable t", "backward function g 1", "backward variable y"}
    drawing = drawing_of(graph, backward="overlay")
    without = {w.edge.source for w in drawing.wires if w.returned is None}
    assert without == {"variable t", "function g 1", "variable y"}


@pytest.mark.parametrize(
    "options",
    [
        {"backward": "mirror", "params": "stub"},
        {"backward": "overlay", "params": "stub"},
        {"average": "plate", "params": "shared"},
    ],
)
def test_a_light_figure_turns_into_the_dark_one(options):
    resvg_py = pytest.importorskip("resvg_py")
    drawing = drawing_of(chain(2), **options)
    light = print_svg(drawing, LIGHT)
    turned = light.replace("@media (prefers-color-scheme:dark){", "").replace(
        "}</style>", "</style>"
    )
    pictures = [
        bytes(resvg_py.svg_to_bytes(svg_string=svg))
        for svg in (light, turned, print_svg(drawing, DARK))
    ]
    assert pictures[0] != pictures[1]
    assert pictures[1] == pictures[2]


def test_dashes_are_counted_from_the_head_so_that_gradients_that_meet_coincide():
    @gc.function
    def twice(z):
        return gc.tanh(gc.tanh(z) + z)

    net = gc.Graph(gc.mse(twice(gc.observed("x", 3), name="f"), gc.observed("y", 3)), name="net")
    drawing = drawing_of(net, expand=True, backward="mirror")
    goal = next(n.element.id for n in drawing.nodes if n.element.twin == "variable x")
    wires = [w for w in drawing.wires if w.edge.target == goal]
    assert len(wires) == 2
    for wire in wires:
        line = wire.arrow.line(dashed=True)
        assert line[0][1][0] == wires[0].arrow.shaft[-1][1][-1]  # where all of them end
    assert wires[0].arrow.line(dashed=False) == wires[0].arrow.shaft
