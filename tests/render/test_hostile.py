"""Whatever a user can write into a label stays a label: every option, every format."""

from xml.etree import ElementTree

import numpy as np
import pytest

import graphc as gc
from graphc.render.draw import drawing_of
from graphc.render.palettes import LIGHT
from graphc.render.writers import WRITERS
from tests.render.test_svg import HOSTILE

TAGS = {"svg", "title", "desc", "style", "defs", "path", "rect", "g", "use", "text"}
OPTIONS = [
    {"backward": "mirror", "params": "stub"},
    {"backward": "overlay", "expand": True},
    {"average": "plate", "params": "shared"},
    {"average": "stack"},
    {"magnify": "f"},
    {"direction": "TB", "width": 200},
]


def model(text):
    label = text or None

    @gc.function
    def inner(z=gc.Input("n"), *, w=gc.Parameter("n n")):
        return np.tanh(w @ z)

    @gc.function
    def outer(z=gc.Input("n")):
        first = inner(name="first", label=label)(z, output="h")
        return inner(name="second", label=label)(first)

    x = gc.observed("x", 3, label=label)
    y = gc.observed("y", 3, label=label)
    z = outer(x, name="f", label=label, output="z")
    return gc.Graph(gc.squared_error(z, y, name="C"), name="hostile")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_labels_stay_labels(text, options):
    drawing = drawing_of(model(text), **options)
    assert all(
        np.isfinite([node.x, node.y, node.width, node.height]).all() for node in drawing.nodes
    )
    for form in (".svg", ".tex", ".dot", ".mmd"):
        WRITERS[form](drawing, LIGHT).encode("utf-8")
    svg = WRITERS[".svg"](drawing, LIGHT)
    assert "<script" not in svg
    root = ElementTree.fromstring(svg)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= TAGS
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


@pytest.mark.parametrize("name", ["한", "שלום", "名前", "x_1", "ybar", "alpha", "W0", "λ1"])
def test_names_in_any_script_have_a_box(name):
    x = gc.observed(name, 3)
    drawing = drawing_of(gc.Graph(gc.tanh(x, output="z"), name="g"), backward=None)
    (node,) = [n for n in drawing.nodes if n.element.kind == "observed"]
    label = node.labels[0].label
    assert label.width > 0
    assert label.glyphs or label.text
    assert label.width < node.width
