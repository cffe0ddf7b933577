"""Elements measured, before they have a place: shape, label, note, stub, and the room they take.

All coordinates are (along, across) around the middle of the element.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from graphc.render.diagram import Element
from graphc.render.drawing import Arrow, Box, Path, Point, Role, around
from graphc.render.labels import (
    EDGE_LABEL_SIZE,
    GRADIENT_SIZE,
    LABEL_SIZE,
    NOTE_SIZE,
    STUB_SIZE,
    Label,
    abridged,
    measure,
)
from graphc.render.shapes import HEAD_SMALL, Shape, arrow_head, label_shift, shape_of

NOTE_GAP = 5.0
STUB = 22.0
STUB_GAP = 4.0
LEAVING = 30.0
EDGE_LABEL_GAP = 5.0
LANE = 2.0


# Labels that are neither of the usual size nor of the usual colour.
SIZES = {"cotangent": 12.0, "vjp": 12.5, "output": 15.0, "seed": 15.0}
ROLES: dict[str, Role] = {"seed": "gradient"}


@dataclass(frozen=True, slots=True)
class Body:
    """A measured element, or the room of a lane (then ``shape`` is ``None``).

    ``before`` and ``after`` are the extents towards smaller and greater ``across``, ``along`` is
    half the extent in the other direction. ``ins`` and ``outs`` are the places across of the
    ports of a frame.
    """

    shape: Shape | None
    before: float
    after: float
    along: float
    labels: tuple[tuple[Label, Role, Point], ...] = ()
    stub: Arrow | None = None
    leaving: Arrow | None = None
    ins: tuple[float, ...] = ()
    outs: tuple[float, ...] = ()


def measure_element(
    element: Element, horizontal: bool, ports: int, stubs: bool, taken: Collection[int] = ()
) -> Body:
    """Measure an element with everything that is drawn at it.

    Notes stand at the side of greater (1) or smaller (-1) ``across``, if it is not ``taken`` by
    edges, or (0) against the flow.
    """
    label = measure(element.label, SIZES.get(element.kind, LABEL_SIZE))
    shape = shape_of(element, label, horizontal, ports)
    shift = (-label_shift(shape), 0.0)
    role = ROLES.get(element.kind, "text")
    body = Body(shape, shape.across, shape.across, shape.along, ((label, role, shift),))
    stubs = stubs and bool(element.parameters)
    used = {*taken, *([-1] if stubs else [])}
    if element.leaving:
        used.add(1 if shape.flipped else -1)
    notes: tuple[tuple[str, float, Role], ...] = (
        (element.note, NOTE_SIZE, "note"),
        (element.gradient, GRADIENT_SIZE, "gradient"),
    )
    for text, font_size, role in notes:
        if text:
            # Where both sides have something already, labels stand one beyond the other.
            sides = [s for s in (1, -1) if s not in used] or [s for s in (-1, 1) if s not in taken]
            side = sides[0] if sides else 0
            used.add(side)
            body = with_note(body, measure(text, font_size), horizontal, side, role)
    names = measure(r",\,".join(abridged(element.parameters)) if stubs else "", STUB_SIZE)
    foot = -0.28 * shape.along
    if element.leaving:
        gradient = measure(element.leaving, GRADIENT_SIZE)
        foot = foot if horizontal or shape.flipped else -0.6 * shape.along
        free = foot + oriented(names, horizontal)[0] / 2 + NOTE_GAP if stubs else -math.inf
        body = with_leaving(body, gradient, horizontal, free)
    return with_stub(body, names, horizontal, foot) if stubs else body


def with_note(body: Body, note: Label, horizontal: bool, side: int, role: Role = "note") -> Body:
    """Return the body with a small label beside its shape."""
    assert body.shape is not None
    deep, wide = oriented(note, horizontal)
    if side == 0:
        # Edges enter a block there, in its middle, so the label stands at its corner.
        corner = body.shape.across + wide / 2 if body.shape.form != "ellipse" else 0.0
        at = (-body.along - NOTE_GAP - deep / 2, corner)
        after = max(body.after, corner + wide / 2)
        room = replace(body, along=body.along + NOTE_GAP + deep, after=after)
    else:
        reach = body.after if side > 0 else body.before
        at = (0.0, side * (reach + NOTE_GAP + wide / 2))
        more, along = NOTE_GAP + wide, max(body.along, deep / 2)
        after, before = body.after + more * (side > 0), body.before + more * (side < 0)
        room = replace(body, after=after, before=before, along=along)
    return replace(room, labels=(*body.labels, (note, role, at)))


def with_stub(body: Body, name: Label, horizontal: bool, foot: float) -> Body:
    """Return the body with a short arrow from its parameters, at the side before it."""
    assert body.shape is not None
    deep, wide = oriented(name, horizontal)
    side = -body.shape.across
    tail = side - STUB
    shaft: Path = (("M", ((foot, tail),)), ("L", ((foot, side - HEAD_SMALL + 0.5),)))
    return replace(
        body,
        before=max(body.before, body.shape.across + STUB + STUB_GAP + wide),
        along=max(body.along, deep / 2 - foot),
        labels=(*body.labels, (name, "parameter", (foot, tail - STUB_GAP - wide / 2))),
        stub=Arrow(shaft, arrow_head((foot, side), (0.0, 1.0), HEAD_SMALL)),
    )


def with_leaving(body: Body, gradient: Label, horizontal: bool, free: float) -> Body:
    """Return the body with a dashed arrow to the gradient of its parameters.

    It leaves a block of the backward pass on the far side, and any other beside its stub, whose
    label leaves room from ``free`` on.
    """
    assert body.shape is not None
    deep, wide = oriented(gradient, horizontal)
    flipped = body.shape.flipped
    sign, length = (1, LEAVING) if flipped else (-1, STUB)
    foot = 0.28 * body.shape.along
    side = sign * body.shape.across
    tip = side + sign * length
    base = tip - sign * (HEAD_SMALL - 0.5)
    shaft: Path = (("M", ((foot, side),)), ("L", ((foot, base),)))
    centre = max(foot, free + deep / 2)
    more = length + STUB_GAP + wide
    return replace(
        body,
        after=max(body.after, body.shape.across + more) if flipped else body.after,
        before=body.before if flipped else max(body.before, body.shape.across + more),
        along=max(body.along, deep / 2 + centre),
        labels=(
            *body.labels,
            (gradient, "parameter", (centre, tip + sign * (STUB_GAP + wide / 2))),
        ),
        leaving=Arrow(shaft, arrow_head((foot, tip), (0.0, float(sign)), HEAD_SMALL)),
    )


def lane_body(label: str, horizontal: bool) -> Body:
    """Return the room of a lane, with the label of its edge before it."""
    if not label:
        return Body(None, LANE, LANE, 0.0)
    text = measure(label, EDGE_LABEL_SIZE)
    deep, wide = oriented(text, horizontal)
    at = (0.0, -EDGE_LABEL_GAP - wide / 2)
    return Body(None, EDGE_LABEL_GAP + wide, LANE, deep / 2, ((text, "note", at),))


def drawn_boxes(body: Body, horizontal: bool, shape_too: bool) -> Iterator[Box]:
    """Iterate over the boxes of the shape, the stub and the labels outside the shape."""
    if body.shape is not None and body.shape.form == "frame":
        yield -body.along, -body.before, body.along, body.after
    elif body.shape is not None and shape_too:
        along, across = body.shape.along, body.shape.across
        yield -along, -across, along, across
    for k, (label, _, (along, across)) in enumerate(body.labels):
        if k or body.shape is None:
            yield around(along, across, *oriented(label, horizontal))
    for arrow in (body.stub, body.leaving):
        if arrow is not None:
            (foot, one), (_, other) = arrow.shaft[0][1][0], arrow.shaft[-1][1][-1]
            yield foot - 3, min(one, other), foot + 3, max(one, other)


def oriented(label: Label, horizontal: bool) -> Point:
    """Return the extents of a label (along, across)."""
    return (label.width, label.height) if horizontal else (label.height, label.width)
