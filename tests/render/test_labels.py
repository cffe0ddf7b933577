import pytest

from graphc.calculus.names import GREEK, math_label, printable
from graphc.render.labels import measure
from graphc.render.plain import plain_label


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("x_1", "x_{1}"),
        ("x1", "x_{1}"),
        ("W0", "W_{0}"),
        ("x_12", "x_{12}"),
        ("ybar", r"\bar{y}"),
        ("yhat", r"\hat{y}"),
        ("xtilde", r"\tilde{x}"),
        ("vvec", r"\vec{v}"),
        ("qdot", r"\dot{q}"),
        ("qddot", r"\ddot{q}"),
        ("ybar_2", r"\bar{y}_{2}"),
        ("sigmahat", r"\hat{\sigma}"),
        ("alpha", r"\alpha"),
        ("Sigma", r"\Sigma"),
        ("alpha_1", r"\alpha_{1}"),
        ("m0_w", "m_{0,w}"),
        ("relu", r"\mathrm{relu}"),
        ("conv2", r"\mathrm{conv}_{2}"),
        ("head_w", r"\mathrm{head}_{w}"),
        ("bar", r"\mathrm{bar}"),
        ("_x", "x"),
        ("x__y_", "x_{y}"),
        ("__", r"{\_}{\_}"),
        ("cross_entropy", r"\mathrm{cross{\_}entropy}"),
        ("log_softmax_2", r"\mathrm{log{\_}softmax}_{2}"),
        ("conv2_relu", r"\mathrm{conv}_{2,\mathrm{relu}}"),
        ("x_train", r"x_{\mathrm{train}}"),
        ("한", "한"),
        ("λ1", "λ_{1}"),
    ],
)
def test_names_become_mathematics(name, latex):
    assert math_label(name) == latex


NAMES = [
    "x",
    "x_1",
    "m0_w",
    "a__b",
    "__",
    "relu",
    "ybar",
    "x_y_z",
    "é",
    "ß",
    "Ω",
    "ﬁ",
    "名前",
    "한글",
    "שלום",
    "سلام",
    "x٣",
    "ªb",
    "a" * 200,
    "_" * 50,
    "x" + "_1" * 40,
    "𝒙",
    *sorted(GREEK),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_identifier_has_a_size(name):
    label = measure(math_label(name))
    assert label.width > 0
    assert label.height > 0
    assert label.glyphs or label.text


@pytest.mark.parametrize("name", ["한", "名前", "שלום", "سلام", "한글_1", "x_한"])
def test_what_the_font_lacks_becomes_text(name):
    label = measure(math_label(name))
    assert label.glyphs == ()
    assert label.text
    assert "\\" not in label.text


@pytest.mark.parametrize("name", ["x", "alpha", "relu", "x_12", "ybar", "é", "λ"])
def test_what_the_font_has_becomes_outlines(name):
    label = measure(math_label(name))
    assert label.text == ""
    assert all(glyph.outline for glyph in label.glyphs)


def test_wide_characters_are_estimated_wide():
    assert measure("한글한글").width == pytest.approx(4 * measure("한글").width / 2)
    assert measure("한글").width > measure("אב").width


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{",
        "}",
        "a & b",
        "a < b",
        r"\text{</script>}",
        r"\begin{array}",
        r"\left(",
        "x_",
        "^",
        "_",
        "\\",
        "%",
        "{" * 2000,
        "\x00",
        "x\ud800",
        "\n",
        r"\boxed{x}",
        r"\cancel{x}",
    ],
)
def test_what_cannot_be_parsed_never_raises(latex):
    label = measure(latex)
    assert label.width >= 0
    assert "\ud800" not in label.text
    assert "\x00" not in label.text


def test_digits_share_a_layout_but_not_their_outlines():
    one, two = measure("z_{17}"), measure("z_{28}")
    assert [glyph.x for glyph in one.glyphs] == [glyph.x for glyph in two.glyphs]
    assert one.glyphs[0] == two.glyphs[0]
    assert one.glyphs[1].outline != two.glyphs[1].outline
    assert one.glyphs[1:] != two.glyphs[1:]


def test_digits_that_are_no_glyphs_are_left_alone():
    narrow, wide = measure(r"a\hspace{1pt}b"), measure(r"a\hspace{30pt}b")
    assert wide.width > narrow.width + 20


def test_a_digit_has_the_outline_that_it_has_alone():
    for digit in "0123456789":
        (alone,) = measure(digit).glyphs
        assert measure(f"{digit}+x").glyphs[0].outline == alone.outline


def test_sizes_scale():
    assert measure("x_1", 34.0).width == pytest.approx(2 * measure("x_1", 17.0).width, rel=0.05)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\mathrm{한}_{1}", "한₁"),
        (r"\mathbb{R}^{600}", "ℝ⁶⁰⁰"),
        (r"\alpha", "α"),
        (r"\lambda", "λ"),
        (r"\Lambda", "Λ"),
        (r"\{a\}", "{a}"),
        (r"\mathrm{가{\_}나}\wedge ", "가_나^"),
        ("{}", "?"),
    ],
)
def test_plain_label(latex, text):
    assert plain_label(latex) == text


def test_printable_text_holds_nothing_that_xml_refuses():
    assert printable("a\nb\tc") == "a b c"
    assert printable("\x00\x1b\ud800￾") == "\ufffd" * 4


def test_bold_digits_are_bold():
    plain, bold = measure("1").glyphs, measure(r"\mathbf{1}").glyphs
    assert bold[0].outline == measure("𝟏").glyphs[0].outline != plain[0].outline
    mixed = measure(r"\mathbf{1} b_{1}").glyphs
    assert mixed[0].outline == bold[0].outline
    assert mixed[2].outline not in (bold[0].outline, "")
