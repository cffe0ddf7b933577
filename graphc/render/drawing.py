"""What lies between the layout and the writers: every place and every curve, in points.

The x axis points right and the y axis down. Writers print these records and decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from graphc.errors import RenderError
from graphc.render.diagram import Edge, Element, Group
from graphc.render.labels import Label

Direction = Literal["LR", "RL", "TB", "BT"]
Role = Literal["text", "note", "parameter", "gradient"]
Point = tuple[float, float]
Segment = tuple[Literal["M", "L", "C", "Z"], tuple[Point, ...]]
Path = tuple[Segment, ...]
Box = tuple[float, float, float, float]  # left, top, right, bottom

DIRECTIONS: tuple[Direction, ...] = ("LR", "RL", "BT", "TB")

# The layout thinks in (along, across): along the flow and across it.
ORIENT: dict[Direction, Callable[[float, float], Point]] = {
    "LR": lambda along, across: (along, across),
    "RL": lambda along, across: (-along, across),
    "TB": lambda along, across: (across, along),
    "BT": lambda along, across: (across, -along),
}


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label and the middle of its box."""

    label: Label
    role: Role
    x: float
    y: float

    @property
    def box(self) -> Box:
        """The rectangle that the label fills."""
        return around(self.x, self.y, self.label.width, self.label.height)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A shaft and the outline of its solid head."""

    shaft: Path
    head: Path

    def line(self, dashed: bool) -> Path:
        """Return the shaft as it is painted.

        Dashes are counted from the head: gradients that meet on their way to one variable run on
        one line there, and would fill each other's gaps.
        """
        return reverse(self.shaft) if dashed else self.shaft


@dataclass(frozen=True, slots=True)
class Node:
    """A placed element.

    ``ring`` is the inner ring of a discrete variable, ``stub`` the arrow of implicit parameters,
    ``leaving`` the dashed one of their gradients. What has the greater ``layer`` lies behind. The
    outline is empty for a bare label.
    """

    element: Element
    x: float
    y: float
    width: float
    height: float
    outline: Path
    ring: Path
    labels: tuple[PlacedLabel, ...]
    stub: Arrow | None = None
    leaving: Arrow | None = None
    layer: int = 0

    @property
    def box(self) -> Box:
        """The rectangle around the shape, without notes and stubs."""
        return around(self.x, self.y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Wire:
    """A placed edge; ``returned`` is the dashed arrow of the gradient beside it."""

    edge: Edge
    arrow: Arrow
    labels: tuple[PlacedLabel, ...] = ()
    returned: Arrow | None = None
    layer: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A placed group: a rounded rectangle with its label."""

    group: Group
    box: Box
    outline: Path
    labels: tuple[PlacedLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure: everything lies in the rectangle from (0, 0) to (width, height).

    Frames come outermost first, and are painted before all else.
    """

    name: str
    description: str
    direction: Direction
    width: float
    height: float
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    frames: tuple[Frame, ...] = ()

    def painted(self) -> Iterator[Wire | Node]:
        """Iterate from back to front: in each layer edges first, so that elements cover ends."""
        for layer in sorted({node.layer for node in self.nodes}, reverse=True):
            yield from (wire for wire in self.wires if wire.layer == layer)
            yield from (node for node in self.nodes if node.layer == layer)


def around(x: float, y: float, width: float, height: float) -> Box:
    """Return the box of this size around a point."""
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def map_path(path: Path, move: Callable[[float, float], Point]) -> Path:
    """Apply a map to every point of a path."""
    return tuple((command, tuple(move(*point) for point in points)) for command, points in path)


def reverse(path: Path) -> Path:
    """Return an open path from its end to its start."""
    result: list[Segment] = [("M", path[-1][1][-1:])]
    for (_, before), (command, points) in zip(path[-2::-1], path[:0:-1], strict=True):
        result.append((command, (*points[-2::-1], before[-1])))
    return tuple(result)


def path_points(path: Path) -> list[Point]:
    """All points of a path, control points included; its curves lie in their hull."""
    return [point for _, points in path for point in points]


def find_direction(name: str) -> Direction:
    """Return the direction of this name.

    Raises
    ------
    RenderError
        If there is none.
    """
    for direction in DIRECTIONS:
        if direction == name:
            return direction
    raise RenderError(f"unknown direction {name!r}; the directions are {', '.join(DIRECTIONS)}")
