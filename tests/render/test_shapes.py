import math

import pytest

from graphc.render.diagram import Element
from graphc.render.labels import measure
from graphc.render.shapes import (
    CIRCLE,
    Shape,
    arrow_head,
    boundary,
    front_at,
    outline,
    shape_of,
    side_at,
)

ELLIPSE = Shape("ellipse", 20.0, 10.0)
FUNCTION = Shape("function", 30.0, 20.0)
BOX = Shape("box", 30.0, 20.0)


@pytest.mark.parametrize("shape", [ELLIPSE, FUNCTION, BOX])
@pytest.mark.parametrize("inset", [0.0, 3.0])
def test_outlines_fill_their_extents(shape, inset):
    points = [points[-1] for _, points in outline(shape, inset) if points]
    assert max(abs(p) for p, _ in points) == pytest.approx(shape.along - inset)
    assert max(abs(q) for _, q in points) == pytest.approx(shape.across - inset)


@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_rays_end_on_the_boundary(angle):
    p, q = boundary(ELLIPSE, (math.cos(math.radians(angle)), math.sin(math.radians(angle))))
    assert math.hypot(p / 20, q / 10) == pytest.approx(1)
    p, q = boundary(BOX, (math.cos(math.radians(angle)), math.sin(math.radians(angle))))
    assert max(abs(p) / 30, abs(q) / 20) == pytest.approx(1)


def test_outputs_leave_on_the_round_side():
    assert front_at(FUNCTION, 0.0) == (30.0, 0.0)
    along, across = front_at(FUNCTION, 12.0)
    shoulder = 30.0 - FUNCTION.rounding
    assert across == 12.0
    assert math.hypot((along - shoulder) / FUNCTION.rounding, 12 / 20) == pytest.approx(1)
    assert front_at(BOX, 12.0) == (30.0, 12.0)


@pytest.mark.parametrize("shape", [ELLIPSE, FUNCTION, BOX])
def test_sides(shape):
    for sign in (-1.0, 1.0):
        along, across = side_at(shape, sign)
        assert along == 0.0
        assert across == pytest.approx(sign * shape.across, rel=0.05)


def test_short_labels_share_one_circle():
    for name in ("x", "y", "z_1", r"\bar{y}"):
        shape = shape_of(Element(name, "computed", name), measure(name), True, 1)
        assert (shape.along, shape.across) == (CIRCLE / 2, CIRCLE / 2)


@pytest.mark.parametrize("kind", ["observed", "computed", "latent", "function", "cost"])
@pytest.mark.parametrize("latex", [r"\mathcal{L}(S,w)", r"f(x_1,x_2,x_3,w)", r"\frac{a}{b}"])
@pytest.mark.parametrize("horizontal", [True, False])
def test_labels_fit_into_their_shapes(kind, latex, horizontal):
    label = measure(latex)
    shape = shape_of(Element("x", kind, latex), label, horizontal, 1)
    wide, high = (shape.along, shape.across) if horizontal else (shape.across, shape.along)
    assert label.width / 2 < wide
    assert label.height / 2 < high
    if shape.form == "ellipse":
        assert math.hypot(label.width / 2 / wide, label.height / 2 / high) < 1


def test_functions_grow_with_their_inputs():
    few, many = (
        shape_of(Element("f", "function", "f"), measure("f"), True, ports) for ports in (1, 9)
    )
    assert many.across > 2 * few.across


def test_heads_are_long_and_point_forward():
    (_, (tip,)), *rest = arrow_head((0.0, 0.0), (1.0, 0.0))[:-1]
    back = [points[0] for _, points in rest]
    length = tip[0] - min(p for p, _ in back)
    width = max(q for _, q in back) - min(q for _, q in back)
    assert length > width > 0
    assert all(p < tip[0] for p, _ in back)
