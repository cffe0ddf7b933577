"""Both layouts on a corpus of graphs: what crosses, what overlaps, what runs through what."""

import pytest

from graphc.errors import RenderError
from graphc.render import dotlayout
from graphc.render.diagram import Diagram, Group
from graphc.render.layout import lay_out
from graphc.render.quality import crossings, overlaps, through_nodes
from tests.render import corpus, geometry
from tests.render.architectures import ARCHITECTURES

GRAPHS = {**ARCHITECTURES, **corpus.CORPUS}
# Edges that cross in the built-in drawing. Not all could be avoided: two variables that two blocks
# take both cross once, as do three siblings that share a parameter.
CROSSED = {
    "densenet_block": 1,
    "gru_cell": 2,
    "vae": 1,
    "cyclegan": 2,
    "triplet": 1,
    "coupling_flow": 1,
    "dense": 11,
}

needs_dot = pytest.mark.skipif(
    not dotlayout.has_dot(), reason="the program `dot` of Graphviz is not installed"
)


def measured(drawing):
    return crossings(drawing), overlaps(drawing), through_nodes(drawing)


def test_the_corpus_is_large_enough():
    assert len(ARCHITECTURES) >= 30
    assert {"lenet5", "alexnet", "resnet50", "unet5", "lstm_cell", "transformer", "vae", "gan"} <= (
        set(ARCHITECTURES)
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_the_built_in_layout_is_clean(name):
    drawing = lay_out(GRAPHS[name], engine="builtin")
    crossed, overlapping, through = measured(drawing)
    assert overlapping == 0
    assert through == 0
    assert crossed <= CROSSED.get(name, 0)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@needs_dot
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dot_places_what_graphc_draws(name):
    drawing = lay_out(GRAPHS[name], engine="dot")
    assert {node.element.id for node in drawing.nodes} == {
        element.id for element in GRAPHS[name].elements
    }
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []


@needs_dot
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_auto_takes_what_crosses_least(name):
    drawing = lay_out(GRAPHS[name], engine="auto")
    crossed, overlapping, through = measured(drawing)
    assert overlapping == through == 0
    assert crossed <= crossings(lay_out(GRAPHS[name], engine="builtin"))


def test_a_table_of_both_engines(capsys):
    with capsys.disabled():
        print("\n\ncrossings, overlaps, edges through elements")
        print(f"{'':18}{'edges':>6}{'built-in':>14}{'dot':>14}")
        for name, diagram in GRAPHS.items():
            row = [measured(lay_out(diagram, engine="builtin"))]
            if dotlayout.has_dot():
                row.append(measured(lay_out(diagram, engine="dot")))
            cells = "".join(f"{'  '.join(map(str, cell)):>14}" for cell in row)
            print(f"{name:18}{len(diagram.edges):6}{cells}")
            assert row[0][1:] == (0, 0)


@needs_dot
def test_dot_is_deterministic():
    places = [
        [(node.x, node.y) for node in lay_out(ARCHITECTURES["vae"], engine="dot").nodes]
        for _ in range(2)
    ]
    assert places[0] == places[1]


def test_without_the_program_dot_is_an_error_and_auto_is_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    dotlayout.has_dot.cache_clear()
    try:
        with pytest.raises(RenderError, match="needs Graphviz, whose program `dot` is not on the"):
            lay_out(ARCHITECTURES["vae"], engine="dot")
        drawing = lay_out(ARCHITECTURES["vae"], engine="auto")
        assert measured(drawing) == (CROSSED["vae"], 0, 0)
    finally:
        dotlayout.has_dot.cache_clear()


def test_dot_draws_no_frames():
    diagram = corpus.basic()
    framed = Diagram(
        "framed",
        diagram.elements,
        diagram.edges,
        groups=(Group("plate", "plate", "p", ("x", "G")),),
    )
    with pytest.raises(RenderError, match="draws no frames"):
        lay_out(framed, engine="dot")


def test_what_users_named_never_goes_into_dot(monkeypatch):
    sources = []

    def spy(source):
        sources.append(source)
        raise RenderError("enough")

    monkeypatch.setattr(dotlayout, "run_dot", spy)
    name = '"]; x [label="'
    diagram = corpus.diagram("d", [("o", name, name), ("f", "f", name)], f"{name} > f")
    with pytest.raises(RenderError, match="enough"):
        lay_out(diagram, engine="dot")
    assert name not in sources[0]
    assert "n0 -> n1" in sources[0]


def test_the_measures_can_fail():
    crossed = corpus.diagram(
        "k33",
        [("o", "a", "a"), ("o", "b", "b"), ("o", "c", "c")] + [("f", x, x) for x in "fgh"],
        *[f"{x} > {y}" for x in "abc" for y in "fgh"],
    )
    drawing = lay_out(crossed)
    assert crossings(drawing) >= 1
    one, two = drawing.nodes[:2]
    assert overlaps(drawing) == 0
    moved = type(drawing)(
        *[getattr(drawing, field) for field in ("name", "description", "direction")],
        drawing.width,
        drawing.height,
        (one, type(two)(two.element, one.x, one.y, two.width, two.height, two.outline, (), ())),
        (),
    )
    assert overlaps(moved) == 1
