"""Colours, as data; every colour goes with a shape or a dash of its own."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import RenderError


@dataclass(frozen=True, slots=True)
class Paint:
    """Stroke and fill of one kind of element."""

    stroke: str
    fill: str


# Kinds of elements that share their colours with others.
PAINT_OF = {"cotangent": "gradient", "vjp": "gradient", "seed": "gradient", "output": "computed"}


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours of a figure, as ``#rrggbb``."""

    name: str
    background: str
    ink: str
    text: str
    note: str
    observed: Paint
    computed: Paint
    latent: Paint
    parameter: Paint
    function: Paint
    cost: Paint
    gradient: Paint

    def paint(self, kind: str) -> Paint:
        """Stroke and fill of an element of this kind."""
        paint: Paint = getattr(self, PAINT_OF.get(kind, kind))
        return paint

    def edge(self, kind: str) -> str:
        """Colour of an edge of this kind."""
        return {"parameter": self.parameter.stroke, "backward": self.gradient.stroke}.get(
            kind, self.ink
        )

    def label(self, role: str) -> str:
        """Colour of a label with this role."""
        return {
            "text": self.text,
            "note": self.note,
            "parameter": self.parameter.stroke,
            "gradient": self.gradient.stroke,
        }[role]


LIGHT = Palette(
    name="light",
    background="#ffffff",
    ink="#1b1b1f",
    text="#111114",
    note="#5c5c66",
    observed=Paint("#1b1b1f", "#dcdcdf"),
    computed=Paint("#5b6fd8", "#ffffff"),
    latent=Paint("#b77900", "#ffffff"),
    parameter=Paint("#00795a", "#ffffff"),
    function=Paint("#2f4bc4", "#f6f7ff"),
    cost=Paint("#d1350f", "#fdebe4"),
    gradient=Paint("#a8327d", "#fdf5fa"),
)

DARK = Palette(
    name="dark",
    background="#16181d",
    ink="#e8e8ea",
    text="#f2f2f4",
    note="#a6a9b3",
    observed=Paint("#e8e8ea", "#454951"),
    computed=Paint("#9fb0ff", "#16181d"),
    latent=Paint("#f0b94d", "#16181d"),
    parameter=Paint("#4fcfa6", "#16181d"),
    function=Paint("#8aa2ff", "#1c2233"),
    cost=Paint("#ff8a66", "#3a1f18"),
    gradient=Paint("#f08acb", "#2b1a26"),
)

# The colours of the lecture's own figures.
CLASSIC = Palette(
    name="classic",
    background="#ffffff",
    ink="#000000",
    text="#000000",
    note="#666666",
    observed=Paint("#000000", "#dddddd"),
    computed=Paint("#9999ff", "#ffffff"),
    latent=Paint("#ff3333", "#ffffff"),
    parameter=Paint("#00795a", "#ffffff"),
    function=Paint("#6666ff", "#ffffff"),
    cost=Paint("#ff3333", "#ffe1e1"),
    gradient=Paint("#c23b9a", "#ffffff"),
)

PALETTES = {palette.name: palette for palette in (LIGHT, DARK, CLASSIC)}


def find_palette(name: str) -> Palette:
    """Return the palette of this name.

    Raises
    ------
    RenderError
        If there is none.
    """
    if not isinstance(name, str) or name not in PALETTES:
        raise RenderError(f"unknown palette {name!r}; the palettes are {', '.join(PALETTES)}")
    return PALETTES[name]
