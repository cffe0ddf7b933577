"""Settings of the layout: what a user chooses, and the distances that follow."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import RenderError

CLOSEST, WIDEST = 0.6, 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen for a figure.

    Parameters
    ----------
    stubs : bool
        Draw short arrows for implicit parameters.
    width : float or None
        The length of a row, in points; by default long models wrap at a width that suits a page.
    spacing : float
        A factor for all distances between elements.
    behind : float
        How far copies stand out behind the figure, to the right and below.
    """

    stubs: bool = False
    width: float | None = None
    spacing: float = 1.0
    behind: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises
        ------
        RenderError
            If the width is not positive, or the spacing leaves no room for arrows.
        """
        if self.width is not None and not 0 < self.width < float("inf"):
            raise RenderError(f"width={self.width!r}: the length of a row is a positive number")
        if not CLOSEST <= self.spacing <= WIDEST:
            raise RenderError(
                f"spacing={self.spacing!r}: it is a factor between {CLOSEST} and {WIDEST}"
            )

    @property
    def rank_gap(self) -> float:
        """Between ranks, with room for an arrow."""
        return 27.0 * self.spacing

    @property
    def port_gap(self) -> float:
        """Between a frame and what is in it."""
        return 23.0 * self.spacing

    @property
    def widest_gap(self) -> float:
        """Between ranks with steep edges, at most."""
        return 66.0 * self.spacing

    @property
    def node_gap(self) -> float:
        """Between elements of one rank."""
        return 24.0 * self.spacing

    @property
    def lane_gap(self) -> float:
        """Beside an edge that passes a rank."""
        return 13.0 * self.spacing

    @property
    def beside_gap(self) -> float:
        """Of an arrow within a rank."""
        return 34.0 * max(1.0, self.spacing)

    @property
    def mirror_gap(self) -> float:
        """Between a model and its backward pass."""
        return 56.0 * self.spacing

    @property
    def row_gap(self) -> float:
        """Between the rows of a model that wraps: copies of a row, then of the lines between."""
        return 46.0 * max(1.0, self.spacing) + 2 * self.behind

    @property
    def longest_row(self) -> float:
        """The length up to which a figure stays in one row."""
        return 1500.0 if self.width is None else self.width
