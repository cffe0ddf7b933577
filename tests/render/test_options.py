"""What a user may choose: width, spacing, pinned positions."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import RenderError
from graphc.render.draw import drawing_of
from graphc.render.drawing import DIRECTIONS
from graphc.render.layout import lay_out
from graphc.render.pinning import pin
from tests.render import corpus, geometry


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), m=60):
    return np.tanh(w @ z)


def chain(depth=3):
    z = gc.observed("x", 784)
    for k in range(1, depth + 1):
        z = layer(m=60, name=f"f{k}")(z, output=f"z{k}")
    return gc.Graph(gc.squared_error(z, gc.observed("y", 60), name="C"), name="chain")


@pytest.mark.parametrize("width", [500, 900, 2000])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rows_are_no_longer_than_the_width(width, direction):
    drawing = drawing_of(chain(20), width=width, direction=direction)
    length = drawing.width if direction in ("LR", "RL") else drawing.height
    assert length < width + 80  # and what turns outside of the rows
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []


def test_spacing_changes_gaps_and_not_elements():
    near, far = (drawing_of(chain(), spacing=spacing) for spacing in (0.7, 2.0))
    assert far.width > 1.2 * near.width
    assert [(n.width, n.height) for n in near.nodes] == [(n.width, n.height) for n in far.nodes]
    for drawing in (near, far):
        assert geometry.node_overlaps(drawing) == []
        assert geometry.label_overlaps(drawing) == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"width": 0}, "width=0.*positive"),
        ({"width": float("nan")}, "width=nan"),
        ({"spacing": 0.1}, "spacing=0.1.*between 0.6"),
        ({"engine": "neato"}, "engine='neato'; it is one of auto, builtin, dot"),
        ({"backward": "sideways"}, "it is one of None, mirror, overlay"),
        ({"average": "mean"}, "it is one of None, stack, plate"),
        ({"params": "none"}, "implicit, stub, shared"),
        ({"positions": {"q": (0, 0)}}, "'q' is not in the figure"),
        ({"positions": {"x": (0, float("inf"))}}, "two finite numbers"),
        (
            {"positions": {"x": (0, 0), "z1": (5, 5)}},
            "'variable x' and 'variable z1' would overlap",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(options, fault):
    with pytest.raises(RenderError, match=fault):
        drawing_of(chain(), **options)


def test_pinned_elements_stand_where_they_were_put():
    places = {"x": (0, 0), "f1": (100, 40), "z1": (220, -60), "y": (300, 200)}
    drawing = drawing_of(chain(), positions=places)
    at = {node.element.id: (node.x, node.y) for node in drawing.nodes}
    ids = {"x": "variable x", "f1": "function f1 0", "z1": "variable z1", "y": "variable y"}
    origin = at["variable x"]
    for name, (x, y) in places.items():
        found = at[ids[name]]
        assert (found[0] - origin[0], found[1] - origin[1]) == pytest.approx((x, y))
    for wire in drawing.wires:
        (left, top, right, bottom) = next(
            n.box for n in drawing.nodes if n.element.id == wire.edge.target
        )
        x, y = wire.arrow.head[0][1][0]
        assert left - 2 < x < right + 2
        assert top - 2 < y < bottom + 2
    assert all(box[0] > 0 and box[1] > 0 for box in (node.box for node in drawing.nodes))


def test_edges_go_around_what_was_put_in_their_way():
    drawing = lay_out(corpus.layers(), "LR")
    nodes = {node.element.id: node for node in drawing.nodes}
    between = (nodes["f1"].x + nodes["z1"].x) / 2, nodes["z1"].y
    stretched = {name: (node.x, node.y) for name, node in nodes.items()} | {
        "f1": (nodes["f1"].x - 400, nodes["f1"].y),
        "z0": (nodes["z0"].x - 400, nodes["z0"].y),
        "y": (between[0] - 150, between[1]),
    }
    assert geometry.edges_through_nodes(pin(drawing, stretched)) == []


def test_pinning_everything_where_it_is_changes_nothing():
    drawing = drawing_of(chain())
    names = {f"variable {v}": v for v in ("x", "y", "z1", "z2", "z3")}
    names |= {f"function f{k} {k - 1}": f"f{k}" for k in (1, 2, 3)} | {"function C 3": "C"}
    positions = {names[n.element.id]: (n.x, n.y) for n in drawing.nodes}
    again = drawing_of(chain(), positions=positions)
    for one, other in zip(drawing.nodes, again.nodes, strict=True):
        assert (one.x, one.y) == pytest.approx((other.x, other.y))
    assert again.width == pytest.approx(drawing.width, abs=1)
