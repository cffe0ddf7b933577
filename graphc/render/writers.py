"""The formats, as a table: a writer turns a drawing into a file's content."""

from __future__ import annotations

from collections.abc import Callable

from graphc.emit.files import MARK
from graphc.emit.version import __version__
from graphc.render.dot import print_dot
from graphc.render.drawing import Drawing
from graphc.render.export import print_pdf, print_png
from graphc.render.mermaid import print_mermaid
from graphc.render.palettes import Palette
from graphc.render.svg import print_svg
from graphc.render.tikz import print_tikz

Writer = Callable[[Drawing, Palette], "str | bytes"]


def marked(comment: str, writer: Callable[[Drawing, Palette], str]) -> Writer:
    """Return a writer whose files begin with graphc's mark, in a comment of their format."""

    def write(drawing: Drawing, palette: Palette) -> str:
        return f"{comment.format(f'{MARK} {__version__}')}\n{writer(drawing, palette)}"

    return write


WRITERS: dict[str, Writer] = {
    ".svg": marked("<!-- {} -->", print_svg),
    ".pdf": print_pdf,
    ".png": print_png,
    ".tex": marked("% {}", print_tikz),
    ".dot": marked("// {}", print_dot),
    ".mmd": marked("%% {}", print_mermaid),
}
