import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.draw import draw_svg
from graphc.render.drawing import DIRECTIONS
from graphc.render.palettes import PALETTES
from tests.render import corpus

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("observed", "computed", "latent", "parameter", "function", "cost")


def parse(svg):
    return ElementTree.fromstring(svg.encode("utf-8"))


def node_of(root, id_):
    return next(g for g in root.iter(f"{SVG}g") if g.get("data-id") == id_)


def shape_of(root, id_):
    return next(p for p in node_of(root, id_) if p.get("class") == "gc-shape")


def one_of_each():
    elements = [Element(kind, kind, "x") for kind in KINDS]
    elements.append(Element("twice", "observed", "x", discrete=True))
    elements.append(Element("wide", "computed", r"\mathcal{L}(S,w)"))
    return Diagram("kinds", tuple(elements), (Edge("observed", "function"),))


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("name", corpus.CORPUS)
@pytest.mark.parametrize("params", ["implicit", "stub"])
def test_every_figure_is_valid_xml_without_dangling_references(name, palette, params):
    svg = draw_svg(corpus.CORPUS[name], palette=palette, params=params)
    root = parse(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == name
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    uses = {use.get("href").removeprefix("#") for use in root.iter(f"{SVG}use")}
    named = root.get("aria-labelledby").split()
    assert [root.find(f"{SVG}{tag}").get("id") for tag in ("title", "desc")] == named
    assert uses == set(ids) - {root.get("id"), *named}
    assert "nan" not in svg
    assert "inf" not in re.sub(r">[^<]*<", "><", svg)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_colours_of_its_palette(kind, palette):
    shape = shape_of(parse(draw_svg(one_of_each(), palette=palette)), kind)
    paint = PALETTES[palette].paint(kind)
    assert shape.get("stroke") == paint.stroke
    assert shape.get("fill") == paint.fill


def commands(path):
    return re.sub(r"[^A-Z]", "", path.get("d"))


def test_shapes():
    root = parse(draw_svg(one_of_each(), direction="LR"))
    assert commands(shape_of(root, "observed")) == "MCCCCZ"
    assert commands(shape_of(root, "function")) == "MLCCLZ"
    assert commands(shape_of(root, "cost")) == "MLLLZ"


def test_only_latent_variables_are_dashed():
    root = parse(draw_svg(one_of_each()))
    dashed = [kind for kind in KINDS if shape_of(root, kind).get("stroke-dasharray")]
    assert dashed == ["latent"]


def test_only_discrete_variables_have_a_second_ring():
    root = parse(draw_svg(one_of_each()))
    rings = [
        g.get("data-id")
        for g in root.iter(f"{SVG}g")
        if any(p.get("class") == "gc-ring" for p in g)
    ]
    assert rings == ["twice"]


def extents(path):
    numbers = [float(value) for value in re.findall(r"-?[\d.]+", path.get("d"))]
    return max(numbers[::2]) - min(numbers[::2]), max(numbers[1::2]) - min(numbers[1::2])


def test_wide_labels_get_an_ellipse_and_short_ones_a_circle():
    root = parse(draw_svg(one_of_each()))
    width, height = extents(shape_of(root, "observed"))
    assert width == pytest.approx(height, abs=0.05)
    width, height = extents(shape_of(root, "wide"))
    assert width > 1.5 * height


def test_implicit_parameters_are_drawn_on_request_only():
    implicit = draw_svg(corpus.layers())
    stub = draw_svg(corpus.layers(), params="stub")
    assert len([g for g in parse(implicit).iter(f"{SVG}g") if g.get("class") == "gc-stub"]) == 0
    assert len([g for g in parse(stub).iter(f"{SVG}g") if g.get("class") == "gc-stub"]) == 3


def test_parameter_edges_take_the_colour_of_parameters():
    root = parse(draw_svg(corpus.siamese(), palette="dark"))
    shafts = [
        g.find(f"{SVG}path").get("stroke")
        for g in root.iter(f"{SVG}g")
        if g.get("class") == "gc-edge gc-parameter"
    ]
    assert shafts == [PALETTES["dark"].parameter.stroke] * 2


def test_only_the_light_palette_follows_the_display():
    for name in PALETTES:
        svg = draw_svg(corpus.basic(), palette=name)
        assert ("prefers-color-scheme" in svg) == (name == "light")


def test_the_style_sheet_concerns_its_own_figure_only():
    svg = draw_svg(corpus.basic())
    name = parse(svg).get("id")
    style = re.search(r"<style>(.*)</style>", svg, re.DOTALL)[1]
    selectors = re.findall(r"([^{}\n]+)\{[^{}]*\}", style)
    assert len(selectors) > 10
    for selector in ",".join(selectors).split(","):
        assert selector.startswith(f"#{name} ")


def test_the_style_sheet_turns_the_light_figure_into_the_dark_one():
    resvg_py = pytest.importorskip("resvg_py")
    for name in ("basic", "parameters", "variational"):
        light = draw_svg(corpus.CORPUS[name], params="stub")
        turned = light.replace("@media (prefers-color-scheme:dark){", "").replace(
            "}</style>", "</style>"
        )
        dark = draw_svg(corpus.CORPUS[name], params="stub", palette="dark")
        pictures = [bytes(resvg_py.svg_to_bytes(svg_string=svg)) for svg in (light, turned, dark)]
        assert pictures[0] != pictures[1]
        assert pictures[1] == pictures[2]


def test_several_figures_share_a_page():
    figures = [draw_svg(corpus.CORPUS[name]) for name in ("basic", "siamese", "unet")]
    figures.append(draw_svg(corpus.basic(), palette="dark"))
    figures.append(draw_svg(corpus.basic(), params="stub"))
    ids = [set(re.findall(r' id="([^"]+)"', figure)) for figure in figures]
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_elements_carry_what_a_page_needs():
    elements = (Element("a b", "computed", "x", hint="shape (3,)"), Element("c", "computed", "y"))
    root = parse(draw_svg(Diagram("d", elements, (Edge("a b", "c"),), description="two")))
    assert root.find(f"{SVG}desc").text == "two"
    node = node_of(root, "a b")
    assert node.get("class") == "gc-node gc-computed"
    assert node.find(f"{SVG}title").text == "shape (3,)"
    edge = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "gc-edge gc-forward")
    assert (edge.get("data-source"), edge.get("data-target")) == ("a b", "c")


HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><svg onload="x">',
    "a'b\"c",
    "a & b &amp; c",
    "50%",
    r"\input{x}",
    r"\end{document}",
    "${x}",
    "line\nbreak",
    "tab\tnul\x00escape\x1b",
    "lone \ud800 surrogate",
    "]]>",
    "<!--",
    "{{7*7}}",
    "שלום",
    "\u202egnol",
    "한글",
    "名",
    "🙂",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    elements = (
        Element(text, "function", text, note=text, hint=text, parameters=(text, text)),
        Element("sink", "computed", text, note=text),
        Element("side", "cost", "C", hint=text),
    )
    edges = (Edge(text, "sink", label=text), Edge("sink", "side"))
    for direction in DIRECTIONS:
        svg = draw_svg(
            Diagram(text, elements, edges, description=text), direction=direction, params="stub"
        )
        tags = {element.tag.removeprefix(SVG) for element in parse(svg).iter()}
        assert tags <= {"svg", "title", "desc", "style", "defs", "path", "rect", "g", "use", "text"}
        assert "<script" not in svg
        names = {name for element in parse(svg).iter() for name in element.attrib}
        assert not any(name.startswith("on") for name in names)
        svg.encode("utf-8")


PROGRAM = """
from graphc.render.draw import draw_svg
from tests.render.corpus import CORPUS
import hashlib
for name in CORPUS:
    for params in ("implicit", "stub"):
        svg = draw_svg(CORPUS[name], params=params)
        print(name, params, hashlib.sha256(svg.encode()).hexdigest())
"""


def run_program(seed):
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_same_bytes_in_every_process():
    first, second = run_program("1"), run_program("2")
    assert len(first.splitlines()) == 2 * len(corpus.CORPUS)
    assert first == second
    svg = draw_svg(corpus.basic())
    assert hashlib.sha256(svg.encode()).hexdigest() in first


def test_converters_draw_it():
    resvg_py = pytest.importorskip("resvg_py")
    png = bytes(resvg_py.svg_to_bytes(svg_string=draw_svg(corpus.basic())))
    assert png.startswith(b"\x89PNG")
    assert len(png) > 2000


def test_importing_the_package_loads_no_font():
    program = "import sys, graphc.render; print('ziamath' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
