"""What a user may choose: width, spacing, pinned positions."""

import inspect

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.errors import RenderError
from graphc.render.dotlayout import has_dot
from graphc.render.draw import drawing_of
from graphc.render.drawing import DIRECTIONS
from graphc.render.files import FORMATS, content_of
from graphc.render.layout import lay_out
from graphc.render.options import DEFAULTS, check_format, check_options
from graphc.render.pinning import pin
from tests.render import corpus, geometry


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), m=60):
    return np.tanh(w @ z)


def chain(depth=3):
    z = gc.observed("x", 784)
    for k in range(1, depth + 1):
        z = layer(m=60, name=f"f{k}")(z, output=f"z{k}")
    return gc.Graph(gc.squared_error(z, gc.observed("y", 60), name="C"), name="chain")


@pytest.mark.parametrize("width", [500, 900, 2000])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rows_are_no_longer_than_the_width(width, direction):
    drawing = drawing_of(chain(20), width=width, direction=direction)
    length = drawing.width if direction in ("LR", "RL") else drawing.height
    assert length < width + 80  # and what turns outside of the rows
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []


def test_spacing_changes_gaps_and_not_elements():
    near, far = (drawing_of(chain(), spacing=spacing) for spacing in (0.7, 2.0))
    assert far.width > 1.2 * near.width
    assert [(n.width, n.height) for n in near.nodes] == [(n.width, n.height) for n in far.nodes]
    for drawing in (near, far):
        assert geometry.node_overlaps(drawing) == []
        assert geometry.label_overlaps(drawing) == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"width": 0}, "width=0.*positive"),
        ({"width": float("nan")}, "width=nan"),
        ({"spacing": 0.1}, "spacing=0.1.*between 0.6"),
        ({"engine": "neato"}, "engine='neato'; it is one of auto, builtin, dot"),
        ({"backward": "sideways"}, "it is one of None, mirror, overlay"),
        ({"average": "mean"}, "it is one of None, stack, plate"),
        ({"params": "none"}, "implicit, stub, shared"),
        ({"positions": {"q": (0, 0)}}, "'q' is not in the figure"),
        ({"positions": {"x": (0, float("inf"))}}, "two finite numbers"),
        (
            {"positions": {"x": (0, 0), "z1": (5, 5)}},
            "'variable x' and 'variable z1' would overlap",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(options, fault):
    with pytest.raises(RenderError, match=fault):
        drawing_of(chain(), **options)


def test_pinned_elements_stand_where_they_were_put():
    places = {"x": (0, 0), "f1": (100, 40), "z1": (220, -60), "y": (300, 200)}
    drawing = drawing_of(chain(), positions=places)
    at = {node.element.id: (node.x, node.y) for node in drawing.nodes}
    ids = {"x": "variable x", "f1": "function f1 0", "z1": "variable z1", "y": "variable y"}
    origin = at["variable x"]
    for name, (x, y) in places.items():
        found = at[ids[name]]
        assert (found[0] - origin[0], found[1] - origin[1]) == pytest.approx((x, y))
    for wire in drawing.wires:
        (left, top, right, bottom) = next(
            n.box for n in drawing.nodes if n.element.id == wire.edge.target
        )
        x, y = wire.arrow.head[0][1][0]
        assert left - 2 < x < right + 2
        assert top - 2 < y < bottom + 2
    assert all(box[0] > 0 and box[1] > 0 for box in (node.box for node in drawing.nodes))


def test_edges_go_around_what_was_put_in_their_way():
    drawing = lay_out(corpus.layers(), "LR")
    nodes = {node.element.id: node for node in drawing.nodes}
    between = (nodes["f1"].x + nodes["z1"].x) / 2, nodes["z1"].y
    stretched = {name: (node.x, node.y) for name, node in nodes.items()} | {
        "f1": (nodes["f1"].x - 400, nodes["f1"].y),
        "z0": (nodes["z0"].x - 400, nodes["z0"].y),
        "y": (between[0] - 150, between[1]),
    }
    assert geometry.edges_through_nodes(pin(drawing, stretched)) == []


def test_pinning_everything_where_it_is_changes_nothing():
    drawing = drawing_of(chain())
    names = {f"variable {v}": v for v in ("x", "y", "z1", "z2", "z3")}
    names |= {f"function f{k} {k - 1}": f"f{k}" for k in (1, 2, 3)} | {"function C 3": "C"}
    positions = {names[n.element.id]: (n.x, n.y) for n in drawing.nodes}
    again = drawing_of(chain(), positions=positions)
    for one, other in zip(drawing.nodes, again.nodes, strict=True):
        assert (one.x, one.y) == pytest.approx((other.x, other.y))
    assert again.width == pytest.approx(drawing.width, abs=1)


# --- every option with every format and every other option --------------------------------------


@gc.block
def pair(z):
    first = layer(m=4, name="first")(z, output="h")
    return layer(m=4, name="second")(first)


def everything():
    """A model in which every option has something to change."""
    x = gc.observed("x", 4)
    z = pair(name="p")(x, output="z0")
    for k in range(1, 7):
        z = layer(m=4, name=f"f{k}")(z, output=f"z{k}")
    z, _ = gc.scan(lambda h, u: (np.tanh(h + u), h), z, gc.observed("u", (3, 4)))
    return gc.Graph(gc.squared_error(z, gc.observed("y", 4), name="C"), name="everything")


# For each option values that differ from the default.
ASKED = {
    "direction": ["TB", "RL"],
    "palette": ["dark", "classic"],
    "params": ["stub", "shared"],
    "backward": ["mirror", "overlay"],
    "average": ["plate"],
    "engine": ["builtin", "dot"],
    "width": [300],
    "spacing": [2.0, 0.7],
    "positions": [{"x": (0.0, 0.0), "y": (0.0, 500.0)}],
    "expand": [True, ["p"]],
    "loops": ["unrolled", "closed"],
    "magnify": ["f2"],
    "fold": [True],
    "shapes": [False],
    "data": [{"x": np.ones(4), "u": np.ones((3, 4)), "y": np.ones(4)}],
}
PLACES = {"engine", "width", "spacing", "positions"}
REFUSED = {
    ".svg": {"data"},
    ".pdf": {"data"},
    ".png": {"data"},
    ".tex": {"data"},
    ".dot": {"data", *PLACES},
    ".mmd": {"data", *PLACES},
    ".html": set(),
}
CASES = [(name, value) for name, values in ASKED.items() for value in values]
# What these need besides: they draw no frames, or say nothing on one row.
BESIDE = {"engine": {"loops": "closed"}}


def test_the_table_of_options_is_complete():
    given = set(inspect.signature(gc.render).parameters) - {"graph", "path", "force"}
    assert set(ASKED) == given == set(DEFAULTS)
    assert set(REFUSED) == set(FORMATS)
    for name, default in DEFAULTS.items():
        assert inspect.signature(gc.render).parameters[name].default == default


@pytest.fixture(scope="module")
def whole():
    return everything()


@pytest.fixture(scope="module")
def plainly(whole):
    made = {}

    def content(form, **options):
        key = form, repr(sorted(options.items()))
        if key not in made:
            made[key] = content_of(whole, form, **options)
        return made[key]

    return content


@pytest.mark.parametrize("form", [f for f in FORMATS if f not in (".pdf", ".png")])
@pytest.mark.parametrize(("name", "value"), CASES)
def test_every_option_changes_the_file_or_is_refused(form, name, value, whole, plainly, tmp_path):
    if (name, value) == ("engine", "dot") and not has_dot():
        pytest.skip("the engine dot was not tried: Graphviz is not installed")
    if name in REFUSED[form]:
        with pytest.raises(RenderError, match=rf"^{name} has no effect in figure\{form}: .*leave"):
            gc.render(whole, tmp_path / f"figure{form}", **{name: value})
        assert not list(tmp_path.iterdir())
    elif (name, value) != ("engine", "builtin"):  # it may be what "auto" takes
        beside = BESIDE.get(name, {})
        path = gc.render(whole, tmp_path / f"figure{form}", **beside, **{name: value})
        assert path.read_text(encoding="utf-8") != plainly(form, **beside)


@pytest.mark.parametrize("form", [".pdf", ".png"])
@pytest.mark.parametrize(("name", "value"), CASES)
def test_pictures_take_the_options_that_svg_takes(form, name, value):
    if name in REFUSED[form]:
        with pytest.raises(RenderError, match=f"^{name} has no effect in figure{form}"):
            check_format(form, f"figure{form}", {name: value})
    else:
        check_format(form, f"figure{form}", {name: value})


@pytest.mark.parametrize("form", FORMATS)
def test_defaults_are_welcome_everywhere(form):
    check_format(form, f"figure{form}", DEFAULTS)
    check_options({**DEFAULTS, "magnify": "f2"})
    check_options({**DEFAULTS, "expand": [], "positions": {}, "spacing": 1})


BESIDE_MAGNIFY = {"params", "backward", "average", "expand", "loops", "fold"}


@pytest.mark.parametrize(("name", "value"), [case for case in CASES if case[0] != "magnify"])
def test_beside_magnify_every_option_changes_the_figure_or_is_refused(name, value, whole, plainly):
    if name in ("data", "width") or (name, value) == ("engine", "builtin"):
        return  # of the page, and of deeper figures
    if (name, value) == ("engine", "dot") and not has_dot():
        pytest.skip("the engine dot was not tried: Graphviz is not installed")
    if name == "positions":
        name, value = "positions", {"z1": (-90.0, 40.0), "f2": (60.0, 0.0)}
    options = {"magnify": "f2", name: value}
    if name in BESIDE_MAGNIFY:
        with pytest.raises(RenderError, match=rf"^{name} has no effect beside magnify: .*leave"):
            content_of(whole, ".svg", **options)
    else:
        assert content_of(whole, ".svg", **options) != plainly(".svg", magnify="f2")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"palette": "sepia"}, "unknown palette 'sepia'; the palettes are light, dark, classic"),
        ({"palette": ["dark"]}, "unknown palette"),
        ({"palette": None}, "unknown palette None"),
        ({"direction": "up"}, "unknown direction 'up'; the directions are LR, RL, BT, TB"),
        ({"direction": 1}, "unknown direction 1"),
        ({"spacing": -1}, "spacing=-1: it is a factor between"),
        ({"spacing": "wide"}, "spacing='wide': it is a number"),
        ({"spacing": float("nan")}, "spacing=nan"),
        ({"width": -10}, "width=-10"),
        ({"width": "9cm"}, "width='9cm': it is a number"),
        ({"width": True}, "width=True: it is a number"),
        ({"expand": 3}, "expand=3: it is True, or a list"),
        ({"expand": [3.5]}, "expand="),
        ({"expand": ["q"]}, "the block 'q' is not in the graph"),
        ({"fold": "yes"}, "fold='yes': it is True or False"),
        ({"shapes": None}, "shapes=None: it is True or False"),
        ({"magnify": 2}, "magnify=2: it is the name of a block"),
        ({"magnify": "q"}, "there is no block 'q'"),
        ({"positions": [(0, 0)]}, "positions=.*dictionary"),
        ({"positions": {"x": 1}}, "'x' needs two finite numbers"),
        ({"positions": {"x": ("a", "b")}}, "'x' needs two finite numbers"),
        ({"data": 3}, "data=3: it is a dictionary"),
        ({"params": ["stub"]}, "unknown params"),
        ({"params": None}, "unknown params=None"),
        ({"loops": "open"}, "loops='open'; it is one of loop, unrolled, closed"),
        ({"engine": "dot"}, "engine='dot' draws no frames"),
        ({"average": "stack"}, "average='stack' draws a model with one cost and closed blocks"),
        ({"backward": "mirror", "engine": "dot", "loops": "closed"}, "no second network"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_told_in_a_sentence(options, fault, whole, tmp_path):
    with pytest.raises(RenderError, match=fault) as told:
        gc.render(whole, tmp_path / "figure.html" if "data" in options else tmp_path / "figure.svg",
                  **options)  # fmt: skip
    assert len(str(told.value)) < 200
    assert not list(tmp_path.iterdir())


MODEL = """
import graphc as gc
x = gc.observed("x", 3)
net = gc.Graph(gc.squared_error(gc.tanh(x, name="h"), gc.observed("y", 3), name="C"), name="net")
"""


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [
        (["-o", "n.dot", "--spacing", "2"], 1, "spacing has no effect in n.dot"),
        (["-o", "n.mmd", "--engine", "dot"], 1, "engine has no effect in n.mmd"),
        (["-o", "n.svg", "--data", "s.npz"], 1, "data has no effect in n.svg"),
        (["-o", "n.svg", "--magnify", "h", "--fold"], 1, "fold has no effect beside magnify"),
        (["-o", "n.svg", "--spacing", "-1"], 1, "spacing=-1.0: it is a factor"),
        (["-o", "n.svg", "--width", "0"], 1, "width=0.0"),
        (["-o", "n.svg", "--width", "wide"], 2, "invalid float value"),
        (["-o", "n.svg", "--palette", "sepia"], 2, "invalid choice: 'sepia'"),
        (["-o", "n.svg", "--direction", "up"], 2, "invalid choice: 'up'"),
        (["-o", "n.gif"], 1, "the formats are .svg"),
    ],
)
def test_the_command_line_tells_it_too(arguments, code, fault, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    np.savez(tmp_path / "s.npz", x=np.ones(3))
    try:
        found = main(["render", "model.py", *arguments])
    except SystemExit as exit_:
        found = exit_.code
    told = capsys.readouterr().err
    assert found == code
    assert fault in told
    assert "Traceback" not in told
    assert {path.name for path in tmp_path.iterdir()} <= {"model.py", "s.npz", "__pycache__"}


def test_explore_writes_pages_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    assert main(["explore", "model.py", "-o", "net.svg", "--no-open"]) == 1
    assert "name it net.html" in capsys.readouterr().err
