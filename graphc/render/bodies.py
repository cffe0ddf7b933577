"""Elements measured, before they have a place: shape, label, note, stub, and the room they take.

All coordinates are (along, across) around the middle of the element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from graphc.render.diagram import Element
from graphc.render.drawing import Arrow, Box, Path, Point, Role, around
from graphc.render.labels import (
    EDGE_LABEL_SIZE,
    LABEL_SIZE,
    NOTE_SIZE,
    STUB_SIZE,
    Label,
    measure,
)
from graphc.render.shapes import HEAD_SMALL, Shape, arrow_head, label_shift, shape_of

NOTE_GAP = 5.0
STUB = 22.0
STUB_GAP = 4.0
EDGE_LABEL_GAP = 5.0
LANE = 2.0


@dataclass(frozen=True, slots=True)
class Body:
    """A measured element, or the room of a lane (then ``shape`` is ``None``).

    ``before`` and ``after`` are the extents towards smaller and greater ``across``, ``along`` is
    half the extent in the other direction.
    """

    shape: Shape | None
    before: float
    after: float
    along: float
    labels: tuple[tuple[Label, Role, Point], ...] = ()
    stub: Arrow | None = None


def measure_element(
    element: Element, horizontal: bool, ports: int, stubs: bool, note_side: int = 1
) -> Body:
    """Measure an element with everything that is drawn at it.

    The note stands at the side of greater (1) or smaller (-1) ``across``, or (0) against the flow.
    """
    label = measure(element.label, LABEL_SIZE)
    shape = shape_of(element, label, horizontal, ports)
    shift = (-label_shift(shape), 0.0)
    body = Body(shape, shape.across, shape.across, shape.along, ((label, "text", shift),))
    if element.note:
        body = with_note(body, measure(element.note, NOTE_SIZE), horizontal, note_side)
    if stubs and element.parameters:
        body = with_stub(body, measure(r",\,".join(element.parameters), STUB_SIZE), horizontal)
    return body


def with_note(body: Body, note: Label, horizontal: bool, side: int) -> Body:
    """Return the body with a small label beside its shape."""
    assert body.shape is not None
    deep, wide = oriented(note, horizontal)
    if side == 0:
        at = (-body.shape.along - NOTE_GAP - deep / 2, 0.0)
        room = replace(body, along=body.shape.along + NOTE_GAP + deep)
    else:
        at = (0.0, side * (body.shape.across + NOTE_GAP + wide / 2))
        more, along = NOTE_GAP + wide, max(body.along, deep / 2)
        after, before = body.after + more * (side > 0), body.before + more * (side < 0)
        room = replace(body, after=after, before=before, along=along)
    return replace(room, labels=(*body.labels, (note, "note", at)))


def with_stub(body: Body, name: Label, horizontal: bool) -> Body:
    """Return the body with a short arrow from its parameters, at the side before it."""
    assert body.shape is not None
    deep, wide = oriented(name, horizontal)
    foot, side = -0.28 * body.shape.along, -body.shape.across
    tail = side - STUB
    shaft: Path = (("M", ((foot, tail),)), ("L", ((foot, side - HEAD_SMALL + 0.5),)))
    return replace(
        body,
        before=body.before + STUB + STUB_GAP + wide,
        along=max(body.along, deep / 2 - foot),
        labels=(*body.labels, (name, "parameter", (foot, tail - STUB_GAP - wide / 2))),
        stub=Arrow(shaft, arrow_head((foot, side), (0.0, 1.0), HEAD_SMALL)),
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
    if body.shape is not None and shape_too:
        along, across = body.shape.along, body.shape.across
        yield -along, -across, along, across
    for label, role, (along, across) in body.labels:
        if role != "text":
            yield around(along, across, *oriented(label, horizontal))
    if body.stub is not None and body.shape is not None:
        (foot, tail), side = body.stub.shaft[0][1][0], -body.shape.across
        yield foot - 3, tail, foot + 3, side


def oriented(label: Label, horizontal: bool) -> Point:
    """Return the extents of a label (along, across)."""
    return (label.width, label.height) if horizontal else (label.height, label.width)
