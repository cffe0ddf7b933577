"""The grid: everything that has a place, before the edges are routed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.render.bodies import Body
from graphc.render.drawing import Point
from graphc.render.ordering import Layers
from graphc.render.ports import Places
from graphc.render.ranking import Network, Ranks


@dataclass(frozen=True, slots=True)
class Turn:
    """The way of an edge that leads on to the next row.

    It runs out to ``right``, back at ``across``, and down again at ``left``.
    """

    right: float
    across: float
    left: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The middle and half the thickness of each rank, and the places across of all bodies.

    ``turns`` holds the edges that lead from one row to the next.
    """

    network: Network
    ranks: Ranks
    layers: Layers
    bodies: Sequence[Body]
    places: Places
    middle: tuple[float, ...]
    half: tuple[float, ...]
    horizontal: bool
    turns: Mapping[int, Turn] = field(default_factory=dict)

    def at(self, v: int) -> Point:
        """The middle of a vertex."""
        return self.middle[self.layers.rank[v]], self.places.across[v]
