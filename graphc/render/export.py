"""PDF and PNG: the SVG document, converted by typst, which the extra ``export`` installs.

Typst brings its own drawing code and fonts in one package, so that nothing has to be installed on
the system; for the same drawing it writes the same bytes.
"""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib
from typing import Any, Literal

from graphc.calculus.names import printable
from graphc.emit.files import MARK
from graphc.emit.version import __version__
from graphc.errors import RenderError
from graphc.render.drawing import Drawing, Frame, Node, Wire
from graphc.render.palettes import Palette
from graphc.render.svg import TEXT_FONTS, print_svg

DOTS = 288.0  # per inch: three for each of the 96 units of SVG
PAGE = """#set document(title: sys.inputs.title, keywords: sys.inputs.mark, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.description)
"""


UNSEEN = ("M", "Z", "Cc", "Cf", "Cs")
# Single characters, a page each; the first is one that there will never be.
NO_CHARACTER = "\U0010fffe"
PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="20" y="30" '
    f'font-family="{TEXT_FONTS}" font-size="20" text-anchor="middle" textLength="20" '
    'lengthAdjust="spacingAndGlyphs">{}</text></svg>'
)
PROBES = """#set page(width: auto, height: auto, margin: 0pt)
#for one in json(bytes(sys.inputs.pages)) { page(image(bytes(one), format: "svg")) }
"""


def print_pdf(drawing: Drawing, palette: Palette) -> bytes:
    """Return a drawing as PDF of one page of its size; the description is its alternative text."""
    return convert(drawing, palette, "pdf")


def print_png(drawing: Drawing, palette: Palette) -> bytes:
    """Return a drawing as PNG, three pixels a point."""
    return signed(convert(drawing, palette, "png"))


def convert(drawing: Drawing, palette: Palette, form: Literal["pdf", "png"]) -> bytes:
    """Have typst convert the SVG document.

    Raises
    ------
    RenderError
        If typst is not installed, or no font has the characters of a label.
    """
    typst = load_typst(form)
    lacking = without_font(typst, characters_of(drawing))
    if lacking:
        raise RenderError(
            f"no font on this machine has {' '.join(lacking)}, so .{form} would show empty boxes; "
            "install one that has, such as Noto, or write .svg, which takes its readers' fonts"
        )
    inputs = {
        "svg": print_svg(drawing, palette),
        "title": printable(drawing.name),
        "description": printable(drawing.description),
        "mark": f"{MARK} {__version__}",
    }
    made: bytes = typst.compile(PAGE.encode(), format=form, ppi=DOTS, sys_inputs=inputs)
    return made


def characters_of(drawing: Drawing) -> str:
    """Return the characters that a drawing leaves to fonts, in order."""
    items: list[Node | Wire | Frame] = [*drawing.nodes, *drawing.wires, *drawing.frames]
    labels = [placed.label for item in items for placed in item.labels]
    texts = {c for label in labels for c in label.text if not c.isascii()}
    # Marks are drawn with their letters, and what is blank or directs others not at all.
    return "".join(sorted(c for c in texts if not unicodedata.category(c).startswith(UNSEEN)))


def without_font(typst: Any, characters: str) -> list[str]:
    """Return those characters that are drawn as what no font has."""
    if not characters:
        return []
    pages = [PROBE.format(c) for c in (NO_CHARACTER, *characters)]
    none, *drawn = typst.compile(
        PROBES.encode(), format="png", ppi=72.0, sys_inputs={"pages": json.dumps(pages)}
    )
    return [c for c, page in zip(characters, drawn, strict=True) if page == none]


def load_typst(form: str) -> Any:
    """Import typst."""
    try:
        import typst
    except ImportError:
        raise RenderError(
            f"drawing .{form} needs typst; install it with: pip install 'graphc[export]'"
        ) from None
    return typst


def signed(png: bytes) -> bytes:
    """Enter the mark into a PNG file, as the chunk after its header."""
    data = b"tEXt" + f"Software\0{MARK} {__version__}".encode("latin-1")
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    end_of_header = 8 + 25
    return png[:end_of_header] + chunk + png[end_of_header:]
