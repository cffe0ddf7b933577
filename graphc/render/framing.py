"""Frames whose contents have moved: each is as large as it has to be, its label in its corner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from graphc.errors import RenderError
from graphc.render.drawing import Box, Drawing, Frame, Node, PlacedLabel, Wire
from graphc.render.frames import LABEL_GAP, rounded
from graphc.render.moving import corners
from graphc.render.quality import meet

Nodes = Mapping[str, Node]


def members_of(drawing: Drawing) -> dict[str, frozenset[str]]:
    """Return the elements in each frame, those of inner frames among them; inner frames first."""
    held: dict[str, frozenset[str]] = {}
    for frame in reversed(drawing.frames):
        inside = (held.get(member, {member}) for member in frame.group.members)
        held[frame.group.id] = frozenset().union(*inside)
    return held


def reframe(drawing: Drawing, nodes: Nodes, wires: Sequence[Wire]) -> tuple[Frame, ...]:
    """Return the frames around their elements and edges, which have moved.

    Raises
    ------
    RenderError
        If a frame would meet something that is not in it.
    """
    held = members_of(drawing)
    before = {node.element.id: node for node in drawing.nodes}
    made: dict[str, Frame] = {}
    for old in reversed(drawing.frames):
        inside = held[old.group.id]
        inner = [
            old_inner for old_inner in drawing.frames if old_inner.group.id in old.group.members
        ]
        was = hull(before, drawing.wires, inner, inside)
        now = hull(nodes, wires, [made[frame.group.id] for frame in inner], inside)
        left, top, right, bottom = (
            side + new - gone for side, new, gone in zip(old.box, now, was, strict=True)
        )
        wide = max((label.label.width + 2 * LABEL_GAP for label in old.labels), default=0.0)
        made[old.group.id] = framed(old, (left, top, max(right, left + wide), bottom))
    refuse_meetings(made, held, nodes)
    return tuple(made[frame.group.id] for frame in drawing.frames)


def hull(
    nodes: Nodes, wires: Sequence[Wire], inner: Sequence[Frame], inside: frozenset[str]
) -> Box:
    """Return the box around what is in a frame."""
    own = [node for name, node in nodes.items() if name in inside]
    between = [w for w in wires if {w.edge.source, w.edge.target} <= inside]
    points = list(corners(own, between))
    points += [point for frame in inner for point in (frame.box[:2], frame.box[2:])]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def framed(frame: Frame, box: Box) -> Frame:
    """Return a frame of another size, its label as far from its corner as it was."""

    def place(label: PlacedLabel) -> PlacedLabel:
        middles = [(frame.box[k] + frame.box[k + 2]) / 2 for k in (0, 1)]
        side_x, side_y = 0 if label.x < middles[0] else 2, 1 if label.y < middles[1] else 3
        dx, dy = (box[k] - frame.box[k] for k in (side_x, side_y))
        return replace(label, x=label.x + dx, y=label.y + dy)

    return replace(frame, box=box, outline=rounded(box), labels=tuple(map(place, frame.labels)))


def refuse_meetings(
    frames: Mapping[str, Frame], held: Mapping[str, frozenset[str]], nodes: Nodes
) -> None:
    """Refuse frames that would meet each other, or what is not in them."""
    for name, frame in frames.items():
        for other, node in nodes.items():
            if other not in held[name] and meet(frame.box, node.box):
                raise RenderError(
                    f"positions: {other!r} would stand in the frame of {name!r}, which does not "
                    "hold it; move them apart"
                )
    for one, other in combinations(frames, 2):
        apart = not (held[one] <= held[other] or held[other] <= held[one])
        if apart and meet(frames[one].box, frames[other].box):
            raise RenderError(
                f"positions: the frames of {one!r} and {other!r} would overlap; move them apart"
            )


def walls(frames: Sequence[Frame], held: Mapping[str, frozenset[str]], wire: Wire) -> Iterator[Box]:
    """Iterate over the frames that an edge has no business in."""
    ends = (wire.edge.source, wire.edge.target)
    for frame in frames:
        if not any(end in held[frame.group.id] for end in ends):
            yield frame.box
