"""Labels in scripts that the label font lacks: true boxes, in a browser and in pictures."""

import io

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.names import math_label
from graphc.errors import RenderError
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.draw import drawing_of
from graphc.render.files import content_of
from graphc.render.labels import measure
from graphc.render.layout import lay_out
from graphc.render.palettes import LIGHT
from graphc.render.svg import print_svg
from graphc.render.writers import WRITERS
from tests.browser import Browser
from tests.render import geometry

SCRIPTS = {
    "Hangul": "한글모델",
    "Hebrew": "שלום",
    "Arabic": "سلام",
    "Han": "神经网络",
    "Kana": "ニューロン",
    "Devanagari": "नमस्ते",
    "Bengali": "নমস্কার",
    "Tamil": "வணக்கம்",
    "Thai": "สวัสดี",
    "Khmer": "សួស្តី",
    "Georgian": "გამარჯობა",
    "Armenian": "Բարև",
    "Ethiopic": "ሰላም",
    "emoji": "🧠🔥",
    "a joined emoji": "👨‍👩‍👧",
    "a flag": "🇰🇷",
    "combining marks": "한x̱̂́",
    "two directions": "xשלוםy한",
    "one letter": "ש",
}


def figure(texts, kind="computed"):
    """A chain of variables and functions with these labels, and notes."""
    elements, edges = [], []
    for k, text in enumerate(texts):
        role = "function" if k % 3 == 1 else kind
        elements.append(Element(f"e{k}", role, math_label(text), note=math_label(text)))
        edges += [Edge(f"e{k - 1}", f"e{k}")] * (k > 0)
    return Diagram("scripts", tuple(elements), tuple(edges))


@pytest.fixture(scope="module")
def browser():
    made = Browser()
    yield made
    made.close()


BOXES = """Array.from(document.querySelectorAll('.gc-node')).map(node => {
  const box = b => [b.x, b.y, b.x + b.width, b.y + b.height];
  const shape = box(node.querySelector('.gc-shape').getBBox());
  return [shape, ...Array.from(node.querySelectorAll('text')).map(t =>
    [...box(t.getBBox()), t.getComputedTextLength()])];
})"""


@pytest.mark.parametrize("direction", ["LR", "BT"])
def test_a_browser_finds_the_boxes_of_the_layout(direction, browser, tmp_path):
    drawing = lay_out(figure(list(SCRIPTS.values())), direction)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.label_overlaps(drawing) == []
    path = tmp_path / "figure.svg"
    path.write_text(print_svg(drawing, LIGHT), encoding="utf-8")
    page = browser.open(path.as_uri())
    found = page.evaluate(BOXES)
    assert len(found) == len(drawing.nodes) == len(SCRIPTS)
    for node, (shape, *texts) in zip(drawing.nodes, found, strict=True):
        assert len(texts) == 2
        for placed, (left, top, right, bottom, length) in zip(node.labels, texts, strict=True):
            assert length == pytest.approx(placed.label.width, abs=0.5)
            own = placed.box
            assert (left, right) == pytest.approx((own[0], own[2]), abs=1.5)  # whole pixels
            assert own[1] - 0.5 < top
            assert bottom < own[3] + 0.5
        left, top, right, bottom, _ = texts[0]
        assert shape[0] < left
        assert shape[1] < top
        assert right < shape[2]
        assert bottom < shape[3]
    assert page.complaints() == []
    page.close()


def ink(png, box, scale):
    """The share of dark pixels in a box, and in a rim of three points around it."""
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png)).convert("L")
    dark = np.asarray(image) < 110

    def count(left, top, right, bottom):
        rows, columns = (
            slice(int(scale * a), int(scale * b)) for a, b in ((top, bottom), (left, right))
        )
        return int(dark[rows, columns].sum())

    left, top, right, bottom = box
    within = count(*box)
    return within, count(left - 3, top - 3, right + 3, bottom + 3) - within


@pytest.mark.parametrize("name", ["Hebrew", "Arabic", "Georgian", "Armenian"])
def test_pictures_keep_text_in_its_box(name):
    pytest.importorskip("typst", reason="PNG was not tested: typst is not installed")
    drawing = lay_out(figure([SCRIPTS[name]], kind="output"))  # a label without a shape
    (label, _) = drawing.nodes[0].labels
    within, beside = ink(WRITERS[".png"](drawing, LIGHT), label.box, 3)
    assert within > 60
    assert beside == 0


@pytest.mark.parametrize("form", [".png", ".pdf"])
def test_what_no_font_has_is_refused_by_name(form):
    pytest.importorskip("typst", reason="the refusal was not tested: typst is not installed")
    unassigned = "\u0378"
    drawing = lay_out(figure(["x\u0301א", f"א{unassigned}"]))
    with pytest.raises(RenderError, match=rf"no font on this machine has .*{unassigned}.* \.svg"):
        WRITERS[form](drawing, LIGHT)
    with pytest.raises(RenderError) as found:
        WRITERS[form](lay_out(figure([unassigned])), LIGHT)
    assert f"has {unassigned}, so {form} would show empty boxes" in str(found.value)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_has_a_box_and_a_length(text):
    label = measure(math_label(text))
    assert label.text
    assert label.glyphs == ()
    assert 0.5 * 17 < label.width < 17 * (1.2 * len(text) + 0.1)
    assert measure(math_label(text), 34.0).width == pytest.approx(2 * label.width)


def test_marks_take_no_room_and_joined_characters_that_of_one():
    assert measure("한̂́").width == measure("한").width
    assert measure("👨‍👩‍👧").width == measure("👨").width
    assert measure("👍🏽").width == measure("👍").width


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_declared_names_and_labels_are_drawn_in_every_format(text):
    x = gc.observed("x", 3, label=text)
    graph = gc.Graph(gc.tanh(x, output="z", label=text), name="g")
    for form in (".svg", ".tex", ".dot", ".mmd"):
        assert content_of(graph, form)
    svg = content_of(graph, ".svg")
    assert svg.count("textLength=") >= 2
    drawing = drawing_of(graph)
    assert geometry.node_overlaps(drawing) == []
    for node in drawing.nodes:
        if node.element.label == text:
            assert node.labels[0].label.width < node.width
            assert node.labels[0].label.height < node.height
