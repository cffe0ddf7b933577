"""Drawings whose parts have moved: everything moves together, and the figure fits again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphc.render.assembly import MARGIN, map_arrow
from graphc.render.drawing import (
    Arrow,
    Drawing,
    Frame,
    Node,
    PlacedLabel,
    Point,
    Wire,
    map_path,
    path_points,
)


def move_node(node: Node, x: float, y: float) -> Node:
    """Return a node with its middle at a point."""
    dx, dy = x - node.x, y - node.y
    return replace(
        node,
        x=x,
        y=y,
        outline=map_path(node.outline, lambda a, b: (a + dx, b + dy)),
        ring=map_path(node.ring, lambda a, b: (a + dx, b + dy)),
        labels=move_labels(node.labels, dx, dy),
        stub=node.stub and move_arrow(node.stub, dx, dy),
        leaving=node.leaving and move_arrow(node.leaving, dx, dy),
    )


def move_wire(wire: Wire, dx: float, dy: float) -> Wire:
    """Return an edge, moved."""
    return replace(
        wire,
        arrow=move_arrow(wire.arrow, dx, dy),
        labels=move_labels(wire.labels, dx, dy),
        returned=wire.returned and move_arrow(wire.returned, dx, dy),
    )


def move_arrow(arrow: Arrow, dx: float, dy: float) -> Arrow:
    """Return an arrow, moved."""
    return map_arrow(arrow, lambda x, y: (x + dx, y + dy))


def move_labels(labels: Sequence[PlacedLabel], dx: float, dy: float) -> tuple[PlacedLabel, ...]:
    """Return labels, moved."""
    return tuple(replace(label, x=label.x + dx, y=label.y + dy) for label in labels)


def corners(nodes: Sequence[Node], wires: Sequence[Wire]) -> Iterator[Point]:
    """Iterate over points between which everything lies."""
    for node in nodes:
        yield from (node.box[:2], node.box[2:])
        for label in node.labels:
            yield from (label.box[:2], label.box[2:])
        for arrow in filter(None, (node.stub, node.leaving)):
            yield from path_points(arrow.shaft)
    for wire in wires:
        for arrow in filter(None, (wire.arrow, wire.returned)):
            yield from path_points(arrow.shaft)
            yield from path_points(arrow.head)
        for label in wire.labels:
            yield from (label.box[:2], label.box[2:])


def move_frame(frame: Frame, dx: float, dy: float) -> Frame:
    """Return a frame, moved."""
    left, top, right, bottom = frame.box
    return replace(
        frame,
        box=(left + dx, top + dy, right + dx, bottom + dy),
        outline=map_path(frame.outline, lambda x, y: (x + dx, y + dy)),
        labels=move_labels(frame.labels, dx, dy),
    )


def refit(drawing: Drawing, nodes: Sequence[Node], wires: Sequence[Wire]) -> Drawing:
    """Return the drawing with other nodes and edges, all in the positive quarter."""
    points = list(corners(nodes, wires))
    points += [point for frame in drawing.frames for point in (frame.box[:2], frame.box[2:])]
    xs, ys = zip(*points, strict=True)
    dx, dy = MARGIN - min(xs), MARGIN - min(ys)
    return replace(
        drawing,
        width=max(xs) + dx + MARGIN,
        height=max(ys) + dy + MARGIN,
        nodes=tuple(move_node(node, node.x + dx, node.y + dy) for node in nodes),
        wires=tuple(move_wire(wire, dx, dy) for wire in wires),
        frames=tuple(move_frame(frame, dx, dy) for frame in drawing.frames),
    )
