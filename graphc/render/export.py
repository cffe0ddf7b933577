"""PDF and PNG: the SVG document, converted by typst, which the extra ``export`` installs.

Typst brings its own drawing code and fonts in one package, so that nothing has to be installed on
the system; for the same drawing it writes the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Literal

from graphc.calculus.names import printable
from graphc.emit.files import MARK
from graphc.emit.version import __version__
from graphc.errors import RenderError
from graphc.render.drawing import Drawing
from graphc.render.palettes import Palette
from graphc.render.svg import print_svg

DOTS = 288.0  # per inch: three for each of the 96 units of SVG
PAGE = """#set document(title: sys.inputs.title, keywords: sys.inputs.mark, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.description)
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
        If typst is not installed.
    """
    typst = load_typst(form)
    inputs = {
        "svg": print_svg(drawing, palette),
        "title": printable(drawing.name),
        "description": printable(drawing.description),
        "mark": f"{MARK} {__version__}",
    }
    made: bytes = typst.compile(PAGE.encode(), format=form, ppi=DOTS, sys_inputs=inputs)
    return made


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
