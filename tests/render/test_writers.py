"""The formats beside SVG: what they hold, and that other programs read it."""

import re
import shutil
import subprocess
import sys
import zlib

import numpy as np
import pytest

import graphc as gc
from graphc.errors import OutputError, RenderError
from graphc.render.diagram import Diagram, Edge, Element, Group
from graphc.render.draw import drawing_of
from graphc.render.drawing import DIRECTIONS, Frame
from graphc.render.layout import lay_out
from graphc.render.palettes import DARK, LIGHT, PALETTES
from graphc.render.plain import plain_label
from graphc.render.tex import tex_label
from graphc.render.writers import WRITERS
from tests.render import corpus
from tests.render.test_svg import HOSTILE

OPTIONS = ({"backward": "mirror"}, {"backward": "overlay"}, {"average": "plate"},
           {"average": "stack"}, {"magnify": "f1"}, {"params": "shared"})  # fmt: skip
TEXTS = (".svg", ".tex", ".dot", ".mmd")
HOSTILE_TEX = [
    "^^5cinput{x}",
    "x_1_2",
    "x^2'",
    "}{",
    "{",
    r"\left(",
    r"\text{\input{x}}",
    r"\def\x{\x}\x",
    r"\frac{a}",
    r"\sqrt",
    "a_",
    "f'(x)''_1",
    r"\begin{pmatrix}a\\b\end{pmatrix}",
    "~#&%$",
    "``x''",
    r"\\",
    r"\hspace{10pt}x",
]


def hostile_diagram(text):
    elements = (
        Element(text or "empty", "function", text, note=text, hint=text, parameters=(text, text)),
        Element("sink", "computed", text, note=text, discrete=True),
        Element("side", "cost", "C", hint=text),
    )
    edges = (Edge(text or "empty", "sink", label=text), Edge("sink", "side"))
    return Diagram(text, elements, edges, description=text)


def written(diagram, form, palette=LIGHT, **options):
    content = WRITERS[form](lay_out(diagram, **options), palette)
    return content if isinstance(content, bytes) else content.encode()


def model():
    x, y = gc.observed("x", shape=3), gc.observed("y", classes=4)
    s = gc.Linear(4, name="f1")(x, output="s")
    return gc.Graph(gc.cross_entropy(s, y, name="C"), name="small")


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_render_writes_what_the_ending_says_and_may_write_it_again(form, tmp_path):
    need_typst(form)
    path = tmp_path / f"figure{form.upper()}"
    assert gc.render(model(), path) == path
    first = path.read_bytes()
    gc.render(model(), path)
    assert path.read_bytes() == first
    path.write_bytes(b"%PDF-1.7 somebody's own" if form == ".pdf" else b"somebody's own")
    with pytest.raises(OutputError, match="was not written by graphc"):
        gc.render(model(), path)
    gc.render(model(), path, force=True)
    assert path.read_bytes() == first


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    with pytest.raises(RenderError, match=r"figure\.gif: the formats are \.svg, \.pdf"):
        gc.render(model(), tmp_path / "figure.gif")


def test_without_typst_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    for form in ("pdf", "png"):
        with pytest.raises(RenderError, match=rf"\.{form} needs typst; .*graphc\[export\]"):
            gc.render(model(), tmp_path / f"figure.{form}")
    assert not list(tmp_path.iterdir())


def need_typst(form=".pdf"):
    if form in (".pdf", ".png"):
        pytest.importorskip("typst", reason="PDF and PNG were not tested: typst is not installed")


# --- pictures ---------------------------------------------------------------------------------


def test_png_has_three_pixels_a_point_and_the_colours_of_the_figure():
    need_typst()
    resvg_py = pytest.importorskip("resvg_py")
    drawing = lay_out(corpus.basic())
    ours = WRITERS[".png"](drawing, LIGHT)
    assert ours.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(ours[at : at + 4], "big") for at in (16, 20))
    assert width == pytest.approx(3 * drawing.width, abs=1.5)
    assert height == pytest.approx(3 * drawing.height, abs=1.5)
    svg = WRITERS[".svg"](drawing, LIGHT)
    theirs = pixels(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=3)))
    ours = pixels(ours)
    rows, columns = (min(a, b) for a, b in zip(ours.shape, theirs.shape, strict=True))
    difference = np.abs(ours[:rows, :columns].astype(int) - theirs[:rows, :columns])
    assert np.mean(difference > 60) < 0.01


def pixels(png):
    """The grey values of a PNG of 8 bits a channel."""
    at, data, header = 8, b"", b""
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        header = body if kind == b"IHDR" else header
        data += body if kind == b"IDAT" else b""
        at += size + 12
    width, height = (int.from_bytes(header[i : i + 4], "big") for i in (0, 4))
    channels = {2: 3, 6: 4}[header[9]]
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + channels * width)
    rows = np.zeros((height + 1, width + 1, channels), np.uint8)
    for i in range(height):
        line, rule = raw[i, 1:].reshape(width, channels), raw[i, 0]
        row, above = rows[i + 1], rows[i]
        if rule in (0, 2):
            row[1:] = line + (above[1:] if rule == 2 else 0)
        else:
            for j in range(width):
                row[j + 1] = line[j] + predicted(rule, row[j], above[j + 1], above[j])
    return rows[1:, 1:, :3].mean(axis=2)


def predicted(rule, left, up, corner):
    if rule == 1:
        return left
    if rule == 3:
        return ((left.astype(int) + up) // 2).astype(np.uint8)
    a, b, c = (v.astype(int) for v in (left, up, corner))
    pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    return np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c)).astype(np.uint8)


def test_pdf_is_one_page_of_vectors_with_title_and_alternative_text():
    need_typst()
    diagram = Diagram("a title", corpus.basic().elements, corpus.basic().edges, "words for it")
    pdf = written(diagram, ".pdf")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type/Page/") == 1
    assert b"/Subtype/Image" not in pdf
    assert b"a title" in pdf
    assert b"Alt(words for it)" in pdf
    assert pdf == written(diagram, ".pdf")
    box = [float(v) for v in re.search(rb"/MediaBox\[([^\]]*)\]", pdf)[1].split()]
    drawing = lay_out(diagram)
    assert box[2:] == pytest.approx([0.75 * drawing.width, 0.75 * drawing.height], abs=0.1)


# --- hostile names ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE + HOSTILE_TEX)
def test_hostile_text_stays_text_in_every_format(text):
    for direction in DIRECTIONS:
        drawing = lay_out(hostile_diagram(text), direction, stubs=True)
        for form in TEXTS:
            WRITERS[form](drawing, LIGHT).encode("utf-8")
        assert_dot_is_well_formed(WRITERS[".dot"](drawing, LIGHT))
        assert_mermaid_is_well_formed(WRITERS[".mmd"](drawing, LIGHT))
        assert_tex_is_harmless(WRITERS[".tex"](drawing, LIGHT))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_drawn_in_pdf_and_png(text):
    need_typst()
    diagram = hostile_diagram(text)
    for form, start in ((".pdf", b"%PDF-"), (".png", b"\x89PNG")):
        try:
            assert written(diagram, form).startswith(start)
        except RenderError as refused:  # on a machine without a font for the script
            assert "no font on this machine has" in str(refused)
            assert not text.isascii()


def assert_dot_is_well_formed(dot):
    """Outside quoted strings only names, numbers and the signs of the language are left."""
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', "S", dot)
    for line in bare.splitlines()[1:]:
        assert re.fullmatch(r"[\w\s={}\[\],;>-]*", line), line
    assert bare.count("{") == bare.count("}")


def assert_mermaid_is_well_formed(mermaid):
    for line in mermaid.splitlines()[1:]:
        inner = "".join(re.findall(r'"([^"]*)"', line)).replace("<br>", "")
        assert re.fullmatch(r"(?:[A-Za-z0-9 ,.()=+/]|#\d+;)*", inner), line
        bare = re.sub(r'"[^"]*"', "S", line)
        assert re.fullmatch(r"[\w\s@{}\[\]:,;|#.>-]*", bare), line


ALLOWED = {
    "expandafter", "ifx", "csname", "endcsname", "relax", "let", "gcend", "else", "documentclass",
    "usepackage", "pagestyle", "parindent", "topskip", "def", "end", "begin", "fi", "begingroup",
    "definecolor", "useasboundingbox", "draw", "fill", "path", "node", "endgroup", "ifdefined",
    "gccharacter", "Umathchardef", "text", "iffontchar", "font", "texttt",
    "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar",
    "char", "textasciigrave", "textquotesingle", "frac", "sqrt", "prime", "mathrm", "mathbb",
}  # fmt: skip


def assert_tex_is_harmless(tex):
    code = "\n".join(line for line in tex.splitlines() if not line.startswith("%"))
    assert set(re.findall(r"\\([A-Za-z]+)", code)) <= ALLOWED
    assert code.count(r"\begin{") == 2
    assert code.count(r"\end{") == 2
    assert "^^" not in code
    depth = 0
    for mark in re.findall(r"(?<!\\)(?:\\\\)*([{}])", code):
        depth += 1 if mark == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_labels_that_are_mathematics_stay_mathematics():
    assert tex_label(r"f'(x_{1}^{2})") == r"$f^{\prime }(x_{1}^{2})$"
    assert tex_label(r"\left(\frac{a}{b}\right)^2") == r"$(\frac{a}{b})^{2}$"
    assert tex_label(r"\text{50% off}") == r"$\text{50\% off}$"
    assert tex_label("α") == r"$\alpha $"
    assert tex_label(r"\mathrm{한}") == r"$\mathrm{\gccharacter{한}{D55C}}$"


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"G(x_{1},w)", "G(x₁,w)"),
        (r"\mathbb{R}^{3 \times 10}", "ℝ^(3×10)"),
        (r"\frac{\partial c}{\partial \bar{z}_{1}}", "∂c/∂z̄₁"),
        (r"\mathrm{softmax}(s_{k})", "softmax(sₖ)"),
        (r"x{\_}y", "x_y"),
        (r"\{0,1\}^{n}", "{0,1}ⁿ"),
        ("한_{1}", "한₁"),
        ("", "?"),
    ],
)
def test_labels_as_a_line_of_text(latex, text):
    assert plain_label(latex) == text


# --- other programs ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["basic", "parameters", "siamese", "unet"])
@pytest.mark.parametrize("palette", PALETTES)
def test_graphviz_reads_dot(name, palette):
    graphviz(written(corpus.CORPUS[name], ".dot", PALETTES[palette]))


def graphviz(dot):
    if shutil.which("dot") is None:
        pytest.skip("no DOT file was read: Graphviz is not installed")
    done = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"syntax error" not in done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("options", OPTIONS)
def test_every_kind_of_figure_is_written_in_every_format(options):
    drawing = drawing_of(model(), **options)
    graphviz(WRITERS[".dot"](drawing, LIGHT).encode())
    assert_dot_is_well_formed(WRITERS[".dot"](drawing, LIGHT))
    assert_mermaid_is_well_formed(WRITERS[".mmd"](drawing, LIGHT))
    tex = WRITERS[".tex"](drawing, LIGHT)
    assert tex.count(r"\begin{tikzpicture}") == 1
    for node in drawing.nodes:
        assert f"% {node.element.id}\n" in tex


@pytest.mark.parametrize("text", HOSTILE)
def test_graphviz_shows_hostile_text_as_it_stands(text):
    svg = graphviz(written(hostile_diagram(text), ".dot"))
    assert "<script" not in svg
    assert svg.count('class="node"') == 3


def test_groups_become_clusters_and_subgraphs():
    elements = tuple(Element(i, "computed", i) for i in "abc")
    drawing = lay_out(Diagram("groups", elements, (Edge("a", "b"), Edge("b", "c"))))
    inner = Group("inner", "composite", "f", ("b",))
    outer = Group("outer", "plate", "p", ("inner", "a"))
    frames = tuple(Frame(g, (0, 0, 1, 1), ()) for g in (outer, inner))
    drawing = type(drawing)(**{**fields_of(drawing), "frames": frames})
    dot = WRITERS[".dot"](drawing, LIGHT)
    assert re.findall(r"subgraph \w+ \{ label=\"\w\"; \w+|  \}", dot) == [
        'subgraph cluster0 { label="p"; n0',
        'subgraph cluster1 { label="f"; n1',
        "  }",
        "  }",
    ]
    mermaid = WRITERS[".mmd"](drawing, LIGHT)
    assert mermaid.count("subgraph") == 2
    assert len(re.findall(r"^ +end$", mermaid, re.M)) == 2


def fields_of(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


# Each run of TeX takes a second or more: one document takes all figures, another all hostile text.

TEX_ENGINES = ("pdflatex", "lualatex")


def need_tex(engine):
    if shutil.which(engine) is None:
        pytest.skip(f"no TikZ was compiled: {engine} is not installed")


def run_tex(engine, path):
    done = subprocess.run(
        [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.mark.parametrize("name", ["basic", "variational"])
def test_a_figure_compiles_by_itself_to_a_page_of_its_size_and_looks_like_the_svg(name, tmp_path):
    need_tex("pdflatex")
    drawing = lay_out(corpus.CORPUS[name])
    path = tmp_path / "figure.tex"
    path.write_text(WRITERS[".tex"](drawing, LIGHT))
    log = run_tex("pdflatex", path)
    assert "Overfull" not in log
    assert "(1 page" in log
    if shutil.which("pdftoppm") is None:
        pytest.skip("the TikZ figure was not compared with the SVG one: pdftoppm is not installed")
    resvg_py = pytest.importorskip("resvg_py")
    scale = 2.0
    dots = scale * 72.27 * 17 / 10  # so that a unit of the drawing is two pixels
    command = ["pdftoppm", "-r", f"{dots:.4f}", "-png", "figure.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (page,) = tmp_path.glob("page*.png")
    ours = pixels(page.read_bytes())
    svg = WRITERS[".svg"](drawing, LIGHT)
    theirs = pixels(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2)))
    assert ours.shape == pytest.approx(theirs.shape, abs=2)
    rows, columns = (min(a, b) for a, b in zip(ours.shape, theirs.shape, strict=True))
    difference = np.abs(ours[:rows, :columns] - theirs[:rows, :columns])
    assert np.mean(difference > 100) < 0.02  # the letters are those of another font


@pytest.mark.parametrize("engine", TEX_ENGINES)
def test_a_document_takes_in_figures_with_any_labels(engine, tmp_path):
    need_tex(engine)
    figures = {
        f"corpus{i}": lay_out(diagram, stubs=True)
        for i, diagram in enumerate(map(corpus.CORPUS.get, ("siamese", "unet", "variational")))
    }
    for i, options in enumerate(OPTIONS):
        figures[f"model{i}"] = drawing_of(model(), **options)
    for i, text in enumerate(HOSTILE + HOSTILE_TEX):
        figures[f"hostile{i}"] = lay_out(hostile_diagram(text), stubs=True)
    for name, drawing in figures.items():
        (tmp_path / f"{name}.tex").write_text(WRITERS[".tex"](drawing, DARK), encoding="utf-8")
    inputs = "\n\n".join(rf"\input{{{name}}}" for name in figures)
    paper = tmp_path / "paper.tex"
    paper.write_text(
        "\\documentclass{article}\n\\usepackage{amsmath,amssymb,tikz}\n"
        f"\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    )
    run_tex(engine, paper)
