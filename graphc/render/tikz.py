r"""TikZ: prints a drawing as a picture that a paper takes in.

A document says ``\input{figure.tex}``; compiled by itself the same file gives a page of the
figure's size. Labels are set by TeX, in the document's own fonts; everything else stands where
the drawing has it, scaled so that labels have the size of text of 10 pt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphc.calculus.names import printable
from graphc.render.drawing import Arrow, Drawing, Frame, Node, Path, PlacedLabel, Point, Wire
from graphc.render.labels import LABEL_SIZE
from graphc.render.palettes import DARK, Palette
from graphc.render.svg import DASHES, FRAME, OUTLINE, RING, SHAPED, STROKE, number
from graphc.render.tex import CHARACTER, tex_label

SCALE = round(10 / LABEL_SIZE, 5)  # from the drawing's units to points
SLACK = 0.02  # points more of paper: rounding must not push the figure to another page
PREAMBLE = r"""\expandafter\ifx\csname @nodocument\endcsname\relax
\let\gcend\relax
\else
\documentclass{{article}}
\usepackage[paperwidth={width}pt,paperheight={height}pt,margin=0pt]{{geometry}}
\usepackage{{amsmath,amssymb,tikz}}
\pagestyle{{empty}}\parindent=0pt\topskip=0pt
\def\gcend{{\end{{document}}}}
\begin{{document}}
\fi"""


def print_tikz(drawing: Drawing, palette: Palette) -> str:
    """Print a drawing as a file of TeX."""
    width, height = (number(SCALE * side + SLACK, 3) for side in (drawing.width, drawing.height))
    body = [*print_body(drawing, palette)]
    kinds = [kind for kind in SHAPED if any(n.element.kind == kind for n in drawing.nodes)]
    needs = any(r"\gccharacter" in line for line in body)
    lines = [
        f"% {printable(drawing.name)}",
        r"% \input this file in a document that loads amsmath, amssymb and tikz, or compile it.",
        PREAMBLE.format(width=width, height=height),
        *([CHARACTER] if needs else []),
        r"\begingroup",
        *colours(palette, kinds),
        rf"\begin{{tikzpicture}}[x={number(SCALE, 5)}pt, y={number(-SCALE, 5)}pt,",
        *styles(kinds),
        "]",
        rf"\useasboundingbox (0,0) rectangle {point((drawing.width, drawing.height))};",
        *body,
        r"\end{tikzpicture}%",
        r"\endgroup",
        r"\gcend",
    ]
    return "\n".join(lines) + "\n"


def colours(palette: Palette, kinds: Sequence[str]) -> Iterator[str]:
    """Print the palette, as far as it is used."""
    yield define("background", palette.background)
    for name in ("ink", "text", "note"):
        yield define(name, getattr(palette, name))
    for kind in dict.fromkeys((*kinds, "parameter", "gradient")):
        paint = palette.paint(kind)
        yield define(f"{kind}-stroke", paint.stroke)
        yield define(f"{kind}-fill", paint.fill)


def define(name: str, colour: str) -> str:
    """Print the definition of a colour, which is given as ``#rrggbb``."""
    return rf"\definecolor{{gc-{name}}}{{HTML}}{{{colour.removeprefix('#').upper()}}}%"


def styles(kinds: Sequence[str]) -> Iterator[str]:
    """Print the styles by which a document may change the figure."""
    line, outline, ring, frame = (
        number(SCALE * width, 3) for width in (STROKE, OUTLINE, RING, FRAME)
    )
    on, off = (number(SCALE * float(length), 3) for length in DASHES.split())
    yield f"  gc dashed/.style={{dash pattern=on {on}pt off {off}pt}},"
    for kind in kinds:
        dashes = ", gc dashed" if kind == "latent" else ""
        yield (
            f"  gc {kind}/.style={{draw=gc-{kind}-stroke, fill=gc-{kind}-fill, "
            f"line width={outline}pt{dashes}}},"
        )
    yield f"  gc ring/.style={{fill=none, line width={ring}pt}},"
    yield f"  gc frame/.style={{draw=gc-note, line width={frame}pt}},"
    yield f"  gc shaft/.style={{line width={line}pt}},"
    yield "  gc label/.style={inner sep=0pt, outer sep=0pt},"


def print_body(drawing: Drawing, palette: Palette) -> Iterator[str]:
    """Print from back to front."""
    if palette is DARK:
        corner = point((drawing.width, drawing.height))
        yield rf"\fill[gc-background] (0,0) rectangle {corner};"
    for frame in drawing.frames:
        yield from print_frame(frame)
    for item in drawing.painted():
        yield from print_wire(item) if isinstance(item, Wire) else print_node(item)


def print_frame(frame: Frame) -> Iterator[str]:
    """Print the frame of a group."""
    yield f"% {printable(frame.group.id)}"
    yield rf"\path[gc frame] {path_data(frame.outline)};"
    for label in frame.labels:
        yield from print_label(label)


def print_wire(wire: Wire) -> Iterator[str]:
    """Print an edge."""
    kind = wire.edge.kind
    colour = {"parameter": "parameter-stroke", "backward": "gradient-stroke"}.get(kind, "ink")
    yield from print_arrow(wire.arrow, colour, dashed=kind == "backward")
    if wire.returned is not None:
        yield from print_arrow(wire.returned, "gradient-stroke", dashed=True)
    for label in wire.labels:
        yield from print_label(label)


def print_node(node: Node) -> Iterator[str]:
    """Print an element."""
    kind = node.element.kind
    yield f"% {printable(node.element.id)}"
    if node.outline:
        yield rf"\path[gc {kind}] {path_data(node.outline)};"
    if node.ring:
        yield rf"\path[gc {kind}, gc ring] {path_data(node.ring)};"
    if node.stub is not None:
        yield from print_arrow(node.stub, "parameter-stroke")
    if node.leaving is not None:
        yield from print_arrow(node.leaving, "parameter-stroke", dashed=True)
    for label in node.labels:
        yield from print_label(label, node)


def print_arrow(arrow: Arrow, colour: str, dashed: bool = False) -> Iterator[str]:
    """Print a shaft and its head."""
    dashes = ", gc dashed" if dashed else ""
    yield rf"\draw[gc shaft, gc-{colour}{dashes}] {path_data(arrow.line(dashed))};"
    yield rf"\fill[gc-{colour}] {path_data(arrow.head)};"


def print_label(placed: PlacedLabel, beside: Node | None = None) -> Iterator[str]:
    """Print a label around the middle of its box, or with an edge of it where its node is.

    TeX's letters are a little wider or narrower than those that the drawing was made for.
    """
    if not placed.label.latex.strip():
        return
    colour = placed.role if placed.role in ("text", "note") else f"{placed.role}-stroke"
    options = ["gc label", f"gc-{colour}"]
    size = placed.label.size / LABEL_SIZE
    options += [] if size == 1 else [f"scale={number(size, 3)}"]
    x, y = placed.x, placed.y
    if beside is not None and placed.role != "text":
        left, _, right, _ = placed.box
        if left > beside.x:
            options, x = [*options, "anchor=west"], left
        elif right < beside.x:
            options, x = [*options, "anchor=east"], right
    yield rf"\node[{', '.join(options)}] at {point((x, y))} {{{tex_label(placed.label.latex)}}};"


def path_data(path: Path) -> str:
    """Print a path."""
    return "".join(segment(command, [point(p) for p in points]) for command, points in path)


def segment(command: str, points: list[str]) -> str:
    """Print a piece of a path."""
    if command == "C":
        first, second, end = points
        return f" .. controls {first} and {second} .. {end}"
    return {"M": "", "L": " -- ", "Z": " -- cycle"}[command] + "".join(points)


def point(at: Point) -> str:
    """Print a point."""
    return f"({number(at[0])},{number(at[1])})"
