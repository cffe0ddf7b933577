"""Equal parts of deep models, drawn once."""

import numpy as np
import pytest

import graphc as gc
from graphc.render.backward import overlay
from graphc.render.draw import drawing_of
from graphc.render.folding import fold
from graphc.render.layout import lay_out
from tests.render import corpus, geometry
from tests.render.architectures import ARCHITECTURES

GRAPHS = {**ARCHITECTURES, **corpus.CORPUS}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("bert", [r"\times 6"]),
        ("deep_residual", [r"\times 7"]),
        ("resnet50", [r"\times 3", r"\times 5"]),
        ("deep", [r"\times 19"]),
        ("unet5", []),
        ("basic", []),
        ("dense", []),
    ],
)
def test_what_repeats_is_drawn_once(name, labels):
    folded = fold(GRAPHS[name])
    assert [group.label for group in folded.groups] == labels
    dropped = len(GRAPHS[name].elements) - len(folded.elements)
    saved = sum((int(group.label.split()[1]) - 1) * len(group.members) for group in folded.groups)
    assert dropped == saved


@pytest.mark.parametrize("name", GRAPHS)
def test_a_folded_figure_is_whole_and_clean(name):
    folded = fold(GRAPHS[name])
    into = {edge.target for edge in folded.edges}
    before = {edge.target for edge in GRAPHS[name].edges}
    ids = {element.id for element in folded.elements}
    assert into == before & ids  # whatever had an edge before still has one
    drawing = lay_out(folded)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []


def test_parts_that_differ_are_not_folded():
    @gc.function
    def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), m):
        return np.tanh(w @ z)

    def chain(widths):
        z = gc.observed("x", 5)
        for k, width in enumerate(widths):
            z = layer(m=width, name=f"f{k}")(z, output=f"z{k}")
        return gc.Graph(gc.squared_error(z, gc.observed("y", widths[-1]), name="C"), name="chain")

    equal = drawing_of(chain([5] * 8), fold=True)
    assert [frame.group.label for frame in equal.frames] == [r"\times 7"]
    assert drawing_of(chain([9, 8, 7, 6, 5, 4, 3, 2]), fold=True).frames == ()
    assert drawing_of(chain([5] * 8)).frames == ()


def test_a_folded_model_still_shows_its_gradients():
    drawing = lay_out(fold(corpus.deep()))
    assert drawing.height < 600
    returned = lay_out(overlay(fold(corpus.deep())))
    assert sum(wire.returned is not None for wire in returned.wires) == 6


def residual(depth=8):
    @gc.function
    def block(z=gc.Input("n"), *, w=gc.Parameter("n n"), v=gc.Parameter("n n")):
        return z + v @ gc.relu(w @ z)

    z = gc.observed("x", 6)
    for k in range(1, depth + 1):
        z = block(name=f"b{k}")(z, output=f"z{k}")
    y = gc.observed("y", classes=3)
    s = gc.Linear(3, name="head")(z, output="s")
    return gc.Graph(gc.cross_entropy(s, y, name="C"), name="residual")


def stacked(depth=5):
    x, y = gc.observed("x", (7, 16)), gc.observed("y", (7, 16))
    layers = gc.TransformerEncoder(gc.TransformerEncoderLayer(16, 2, 32), depth, name="enc")
    return gc.Graph(gc.mse(layers(x), y, name="C"), name="stacked")


def labels_of(drawing):
    return [frame.group.label for frame in drawing.frames]


@pytest.mark.parametrize(
    ("build", "expand", "labels"),
    [
        (residual, True, ["b_{1}", r"\times 7", "b_{2}"]),
        (residual, ["b1", "b8"], ["b_{1}", r"\times 6", "b_{8}"]),
        (residual, ["b4"], [r"\times 3", "b_{4}", r"\times 4"]),
        (stacked, ["enc"], [r"\mathrm{enc}", r"\times 4"]),
    ],
)
@pytest.mark.parametrize("options", [{}, {"backward": "mirror"}, {"average": "plate"}])
def test_open_blocks_are_folded_and_what_is_in_them(build, expand, labels, options):
    drawing = drawing_of(build(), expand=expand, fold=True, **options)
    shown = [f.group.label for f in drawing.frames if not f.group.twin]
    assert sorted(label for label in shown if label[0] != "p") == sorted(labels)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    plain = drawing_of(build(), expand=expand, **options)
    assert len(drawing.nodes) < len(plain.nodes)
    into = {wire.edge.target for wire in drawing.wires}
    before = {wire.edge.target for wire in plain.wires}
    assert into == before & {node.element.id for node in drawing.nodes}


def test_frames_that_differ_inside_are_not_folded():
    @gc.function
    def one(z):
        return gc.tanh(gc.relu(z))

    @gc.function
    def other(z):
        return gc.relu(gc.tanh(z))

    def chain(blocks):
        z = gc.observed("x", 5)
        for k, block in enumerate(blocks):
            z = block(z, name=f"b{k}", output=f"z{k}")
        return gc.Graph(gc.mse(z, gc.observed("y", 5), name="C"), name="chain")

    assert r"\times 5" in labels_of(drawing_of(chain([one] * 6), expand=True, fold=True))
    mixed = labels_of(
        drawing_of(chain([one, other, other, one, one, other]), expand=True, fold=True)
    )
    assert not any("times" in label for label in mixed)


def test_the_body_of_a_loop_stays_whole():
    def step(h, u):
        for k in range(6):
            h = gc.tanh(h + u, output=f"h{k}") if k == 0 else gc.tanh(h, output=f"h{k}")
        return h, h

    last, _ = gc.scan(step, gc.observed("h0", 2), gc.observed("u", (3, 2)))
    drawing = drawing_of(gc.Graph(gc.cost((last**2).sum(), name="C"), name="net"), fold=True)
    assert [frame.group.kind for frame in drawing.frames] == ["loop"]
    assert len([n for n in drawing.nodes if n.element.label.startswith(r"\mathrm{tanh}")]) == 6
