import pytest

from graphc.errors import GraphcError, RenderError
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.draw import draw_svg
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
