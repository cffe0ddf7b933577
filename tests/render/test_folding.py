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
