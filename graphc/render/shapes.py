"""The shapes of the notation: their sizes, outlines and boundaries.

Everything here is in (along, across) around the middle of the shape, so that one formula serves
the four directions; the outputs of a function leave towards growing ``along``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from graphc.render.diagram import Element
from graphc.render.drawing import Path, Point, map_path
from graphc.render.labels import Label

CIRCLE = 34.0  # diameter of a variable with a short label
WIDEST_CIRCLE = 46.0
NAMELESS = 15.0  # of a variable without a label
RING_GAP = 3.4
PORT_PITCH = 15.0
HEAD = 10.5
HEAD_SMALL = 8.5
# A quarter of a circle as a cubic Bézier curve.
KAPPA = 0.5523

Form = Literal["ellipse", "function", "box", "text", "frame"]
FORMS: dict[str, Form] = {
    "function": "function",
    "vjp": "function",
    "cost": "box",
    "output": "text",
    "seed": "text",
    "port": "text",
    "frame": "frame",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Half the extents of an outline of this form; ``flipped``, its round side looks back."""

    form: Form
    along: float
    across: float
    flipped: bool = False

    @property
    def rounding(self) -> float:
        """How far the rounded side of a function reaches back."""
        return min(0.92 * self.across, 1.16 * self.along)


def shape_of(element: Element, label: Label, horizontal: bool, ports: int) -> Shape:
    """Size the shape of an element to its label and to its inputs or outputs, if it has many."""
    form = FORMS.get(element.kind, "ellipse")
    if form == "text":
        width, height = label.width + 4 * bool(label.width), label.height + 4 * bool(label.width)
    elif form == "ellipse":
        growth = 2 * RING_GAP if element.discrete else 0.0
        width, height = (side + growth for side in variable_size(label))
    elif form == "function":
        width, height = function_size(label, horizontal)
    else:
        width, height = cost_size(label)
    along, across = (width, height) if horizontal else (height, width)
    if form in ("function", "box"):
        across = max(across, PORT_PITCH * (ports + 1))
    return Shape(form, along / 2, across / 2, element.kind == "vjp")


def variable_size(label: Label) -> Point:
    """Return the size of the circle around a short label or of the ellipse around a wide one."""
    if not label.width:
        return NAMELESS, NAMELESS
    diameter = max(CIRCLE, 0.92 * math.hypot(label.width, label.height) + 8)
    if diameter <= WIDEST_CIRCLE:
        return diameter, diameter
    height = max(CIRCLE + 2, 1.9 * label.height)
    # The corners of the label's box lie on an ellipse of this width; then some air.
    return label.width / math.sqrt(1 - (label.height / height) ** 2) + 10, height


def function_size(label: Label, horizontal: bool) -> Point:
    """Return the size of a D around a label, with room for its rounded side."""
    if horizontal:
        height = max(46.0, label.height + 22)
        return max(58.0, label.width + 16 + 0.42 * height), height
    return max(62.0, label.width + 24), max(54.0, label.height + 39)


def cost_size(label: Label) -> Point:
    """Return the size of the box around a label, square for a short one."""
    width, height = label.width + 20, max(48.0, label.height + 18)
    return max(width, height), height


def label_shift(shape: Shape) -> float:
    """Return how far the label of a function moves off its round side, to look centred."""
    shift = 0.19 * shape.rounding if shape.form == "function" else 0.0
    return -shift if shape.flipped else shift


def outline(shape: Shape, inset: float = 0.0) -> Path:
    """Return the closed outline; ``inset`` draws it smaller."""
    if shape.flipped:
        front = outline(replace(shape, flipped=False), inset)
        return map_path(front, lambda along, across: (-along, across))
    a, b = shape.along - inset, shape.across - inset
    if shape.form in ("text", "frame"):
        return ()
    if shape.form == "ellipse":
        return (("M", ((-a, 0.0),)), *quarters(0.0, a, b, (2, 3, 0, 1)), ("Z", ()))
    if shape.form == "box":
        corners = ((-a, -b), (a, -b), (a, b), (-a, b))
        return (("M", corners[:1]), *(("L", (corner,)) for corner in corners[1:]), ("Z", ()))
    shoulder = a - shape.rounding
    return (
        ("M", ((-a, -b),)),
        ("L", ((shoulder, -b),)),
        *quarters(shoulder, shape.rounding, b, (3, 0)),
        ("L", ((-a, b),)),
        ("Z", ()),
    )


def quarters(along: float, a: float, b: float, which: tuple[int, ...]) -> Path:
    """Return quarters of an ellipse around (along, 0), counted from (along + a, 0)."""
    curves: list[tuple[Literal["C"], tuple[Point, ...]]] = []
    for k in which:
        (c, s), (c2, s2) = QUARTER[k], QUARTER[(k + 1) % 4]
        points = ((c + KAPPA * c2, s + KAPPA * s2), (c2 + KAPPA * c, s2 + KAPPA * s), (c2, s2))
        curves.append(("C", tuple((along + a * p, b * q) for p, q in points)))
    return tuple(curves)


QUARTER = ((1, 0), (0, 1), (-1, 0), (0, -1))


def boundary(shape: Shape, direction: Point) -> Point:
    """Return where a ray from the middle leaves an ellipse or a rectangle."""
    p, q = direction
    if shape.form == "ellipse":
        reach = 1 / math.hypot(p / shape.along, q / shape.across)
    else:
        reach = min(
            shape.along / abs(p) if p else math.inf, shape.across / abs(q) if q else math.inf
        )
    return p * reach, q * reach


def front_at(shape: Shape, across: float) -> Point:
    """Return the point of the side with the flow at this height."""
    if shape.flipped or shape.form not in ("function", "ellipse"):
        return shape.along, across
    return round_at(shape, across), across


def back_at(shape: Shape, across: float) -> Point:
    """Return the point of the side against the flow at this height."""
    return (-round_at(shape, across) if shape.flipped else -shape.along), across


def round_at(shape: Shape, across: float) -> float:
    """Return how far the round side reaches at this height."""
    rounding = shape.along if shape.form == "ellipse" else shape.rounding
    depth = math.sqrt(max(0.0, 1 - (across / shape.across) ** 2))
    return shape.along - rounding * (1 - depth)


def side_at(shape: Shape, sign: float) -> Point:
    """Return the middle of the side towards smaller (-1) or greater (+1) ``across``."""
    if shape.form != "function":
        return 0.0, sign * shape.across
    beyond = max(0.0, shape.rounding - shape.along)  # how far the middle is on the round part
    return 0.0, sign * shape.across * math.sqrt(1 - (beyond / shape.rounding) ** 2)


def arrow_head(tip: Point, direction: Point, length: float = HEAD) -> Path:
    """Return a long solid head, a little hollow at its back; ``direction`` is a unit vector."""
    (x, y), (p, q) = tip, direction
    x, y = x - 1.2 * p, y - 1.2 * q  # clear of the stroke that it points at
    back, wing = (x - length * p, y - length * q), 0.4 * length
    return (
        ("M", ((x, y),)),
        ("L", ((back[0] - wing * q, back[1] + wing * p),)),
        ("L", ((back[0] + 0.16 * length * p, back[1] + 0.16 * length * q),)),
        ("L", ((back[0] + wing * q, back[1] - wing * p),)),
        ("Z", ()),
    )
