"""SVG: prints a drawing. No font, no script, no link; the same bytes for the same drawing.

Colours are presentation attributes. The light palette adds a style sheet for dark displays on
top: browsers follow it, converters ignore it and stay light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from graphc.calculus.names import printable
from graphc.render.diagram import KINDS
from graphc.render.drawing import Arrow, Drawing, Frame, Node, Path, PlacedLabel, Wire
from graphc.render.labels import TEXT_BASELINE
from graphc.render.palettes import DARK, LIGHT, Palette
from graphc.render.typesetting import Glyph

STROKE = 1.7
OUTLINE = 1.95
RING = 1.1
DASHES = "5 3.2"
FRAME = 1.1
SHAPED = tuple(kind for kind in KINDS if kind not in ("output", "seed", "frame", "port"))
TEXT_FONTS = "STIX Two Text, Noto Serif, Times New Roman, serif"


@dataclass(slots=True)
class Sheet:
    """A document in print: its palette, the prefix of its ids, and the glyphs met so far."""

    palette: Palette
    prefix: str
    glyphs: dict[tuple[str, float], str] = field(default_factory=dict)

    def id_of(self, glyph: Glyph) -> str:
        """Return the id of a glyph's outline, which is printed once."""
        key = glyph.outline, glyph.scale
        return self.glyphs.setdefault(key, f"{self.prefix}-{len(self.glyphs)}")


def print_svg(drawing: Drawing, palette: Palette) -> str:
    """Print a drawing as one SVG document."""
    sheet = Sheet(palette, prefix_of(drawing, palette))
    body = list(print_body(drawing, sheet))
    width, height = number(drawing.width), number(drawing.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{sheet.prefix}" class="graphc" role="img" '
        f'aria-labelledby="{sheet.prefix}-title {sheet.prefix}-text" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<title id="{sheet.prefix}-title">{text(drawing.name)}</title>',
        f'<desc id="{sheet.prefix}-text">{text(drawing.description)}</desc>',
        *(dark_style(sheet.prefix, DARK) if palette is LIGHT else ()),
        "<defs>",
        *print_glyphs(sheet),
        "</defs>",
        f'<rect class="gc-background" width="{width}" height="{height}" '
        f'fill="{palette.background}"/>',
    )
    return "\n".join((*head, *body, "</svg>", ""))


def prefix_of(drawing: Drawing, palette: Palette) -> str:
    """Return what the ids of a document begin with, its own included."""
    return f"gc-{digest(drawing, palette)}"


def digest(drawing: Drawing, palette: Palette) -> str:
    """Return a short digest of what is drawn: figures that differ can share a page."""
    content = (
        palette.name,
        drawing.direction,
        drawing.name,
        drawing.description,
        [(node.element, number(node.x), number(node.y), bool(node.stub)) for node in drawing.nodes],
        [wire.edge for wire in drawing.wires],
        [frame.group for frame in drawing.frames],
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()[:10]


def print_body(drawing: Drawing, sheet: Sheet) -> Iterator[str]:
    """Print from back to front."""
    for frame in drawing.frames:
        yield from print_frame(frame, sheet)
    for item in drawing.painted():
        yield from print_wire(item, sheet) if isinstance(item, Wire) else print_node(item, sheet)


def print_frame(frame: Frame, sheet: Sheet) -> Iterator[str]:
    """Print the frame of a group."""
    group = frame.group
    yield f'<g class="gc-group gc-{group.kind}" data-id={attribute(group.id)}>'
    yield f"<title>{text(group.hint or group.id)}</title>"
    yield (
        f'<path class="gc-frame" d="{path_data(frame.outline)}" fill="none" '
        f'stroke="{sheet.palette.note}" stroke-width="{FRAME}"/>'
    )
    for label in frame.labels:
        yield print_label(label, sheet)
    yield "</g>"


def print_wire(wire: Wire, sheet: Sheet) -> Iterator[str]:
    """Print an edge."""
    edge, palette = wire.edge, sheet.palette
    ends = f"data-source={attribute(edge.source)} data-target={attribute(edge.target)}"
    yield f'<g class="gc-edge gc-{edge.kind}" {ends}>'
    yield from print_arrow(wire.arrow, palette.edge(edge.kind), edge.kind == "backward")
    if wire.returned is not None:
        yield '<g class="gc-returned">'
        yield from print_arrow(wire.returned, palette.gradient.stroke, dashed=True)
        yield "</g>"
    for label in wire.labels:
        yield print_label(label, sheet)
    yield "</g>"


def print_node(node: Node, sheet: Sheet) -> Iterator[str]:
    """Print an element."""
    element, paint = node.element, sheet.palette.paint(node.element.kind)
    dashes = f' stroke-dasharray="{DASHES}"' if element.kind == "latent" else ""
    stroke = f'stroke="{paint.stroke}"{dashes}'
    twin = f" data-twin={attribute(element.twin)}" if element.twin else ""
    yield f'<g class="gc-node gc-{element.kind}" data-id={attribute(element.id)}{twin}>'
    yield f"<title>{text(element.hint or element.id)}</title>"
    if node.outline:
        yield (
            f'<path class="gc-shape" d="{path_data(node.outline)}" fill="{paint.fill}" {stroke} '
            f'stroke-width="{OUTLINE}"/>'
        )
    if node.ring:
        yield (
            f'<path class="gc-ring" d="{path_data(node.ring)}" fill="none" {stroke} '
            f'stroke-width="{RING}"/>'
        )
    if node.stub is not None:
        yield '<g class="gc-stub">'
        yield from print_arrow(node.stub, sheet.palette.parameter.stroke)
        yield "</g>"
    if node.leaving is not None:
        yield '<g class="gc-leaving">'
        yield from print_arrow(node.leaving, sheet.palette.parameter.stroke, dashed=True)
        yield "</g>"
    for label in node.labels:
        yield print_label(label, sheet)
    yield "</g>"


def print_arrow(arrow: Arrow, colour: str, dashed: bool = False) -> Iterator[str]:
    """Print a shaft and its head."""
    dashes = f' stroke-dasharray="{DASHES}"' if dashed else ""
    yield (
        f'<path class="gc-shaft" d="{path_data(arrow.line(dashed))}" fill="none" stroke="{colour}" '
        f'stroke-width="{STROKE}"{dashes}/>'
    )
    yield f'<path class="gc-head" d="{path_data(arrow.head)}" fill="{colour}"/>'


def print_label(placed: PlacedLabel, sheet: Sheet) -> str:
    """Print a label: glyphs, or text if the label font cannot write it."""
    label = placed.label
    frame = f'class="gc-{placed.role}-label" fill="{sheet.palette.label(placed.role)}"'
    if label.text:
        return (
            f'<text {frame} x="{number(placed.x)}" '
            f'y="{number(placed.y + TEXT_BASELINE * label.size)}" '
            f'font-family="{TEXT_FONTS}" font-size="{number(label.size)}" text-anchor="middle" '
            f'textLength="{number(label.width)}" lengthAdjust="spacingAndGlyphs">'
            f"{text(label.text)}</text>"
        )
    parts = [
        f'<use href="#{sheet.id_of(glyph)}" x="{number(glyph.x)}" y="{number(glyph.y)}"/>'
        for glyph in label.glyphs
        if glyph.outline
    ]
    parts += [
        f'<rect x="{number(bar.x)}" y="{number(bar.y)}" width="{number(bar.width)}" '
        f'height="{number(bar.height)}"/>'
        for bar in label.bars
    ]
    place = f"translate({number(placed.x)} {number(placed.y)})"
    return f'<g {frame} transform="{place}">{"".join(parts)}</g>'


def print_glyphs(sheet: Sheet) -> Iterator[str]:
    """Print the outline of every glyph that is used, once for each size."""
    for (outline, scale), name in sheet.glyphs.items():
        yield f'<path id="{name}" transform="scale({number(scale, 4)})" d="{outline}"/>'


def dark_style(prefix: str, palette: Palette) -> Iterator[str]:
    """Print the colours for dark displays, for this document alone."""
    yield "<style>@media (prefers-color-scheme:dark){"
    yield from colour_rules(f"#{prefix}", palette)
    yield "}</style>"


def colour_rules(scope: str, palette: Palette) -> Iterator[str]:
    """Print a palette as rules of a style sheet, for what is within `scope`, a selector."""
    parameter, gradient = palette.parameter.stroke, palette.gradient.stroke
    green = ".gc-parameter>.gc-{0},.gc-stub>.gc-{0},.gc-leaving>.gc-{0}"
    red = ".gc-backward>.gc-{0},.gc-returned>.gc-{0}"
    rules = {
        ".gc-background": f"fill:{palette.background}",
        ".gc-text-label": f"fill:{palette.text}",
        ".gc-note-label": f"fill:{palette.note}",
        ".gc-parameter-label": f"fill:{parameter}",
        ".gc-gradient-label": f"fill:{gradient}",
        ".gc-frame": f"stroke:{palette.note}",
        ".gc-shaft": f"stroke:{palette.ink}",
        ".gc-head": f"fill:{palette.ink}",
        green.format("shaft"): f"stroke:{parameter}",
        green.format("head"): f"fill:{parameter}",
        red.format("shaft"): f"stroke:{gradient}",
        red.format("head"): f"fill:{gradient}",
    }
    for kind in SHAPED:
        paint = palette.paint(kind)
        rules[f".gc-{kind}>.gc-shape"] = f"stroke:{paint.stroke};fill:{paint.fill}"
        rules[f".gc-{kind}>.gc-ring"] = f"stroke:{paint.stroke}"
    for selectors, colours in rules.items():
        scoped = ",".join(f"{scope} {selector}" for selector in selectors.split(","))
        yield f"{scoped}{{{colours}}}"


def path_data(path: Path) -> str:
    """Print a path."""
    return "".join(command + coordinates(points) for command, points in path)


def coordinates(points: Iterable[tuple[float, float]]) -> str:
    """Print points."""
    return " ".join(f"{number(x)} {number(y)}" for x, y in points)


def number(value: float, digits: int = 2) -> str:
    """Print a number, as short as it goes."""
    printed = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if printed in ("-0", "") else printed


def text(value: str) -> str:
    """Print text between tags."""
    return escape(printable(value))


def attribute(value: str) -> str:
    """Print an attribute's value with its quotes."""
    return quoteattr(printable(value))
