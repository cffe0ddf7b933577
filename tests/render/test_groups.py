"""Frames: open composite blocks, plates, loops; and the stack of samples."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import graphc as gc
from graphc.errors import RenderError
from graphc.render.backward import mirror
from graphc.render.diagram import Diagram, Edge, Element, Group
from graphc.render.draw import drawing_of
from graphc.render.drawing import DIRECTIONS
from graphc.render.layout import lay_out
from graphc.render.stacking import COPIES, SHIFT
from tests.render import corpus, geometry

EVERY_WAY = pytest.mark.parametrize("direction", DIRECTIONS)


def loop():
    diagram = corpus.diagram(
        "loop",
        [
            ("o", "h0", "h_0"),
            ("o", "xs", "x"),
            ("c", "h", "h_{t-1}"),
            ("c", "xt", "x_t"),
            ("f", "f", "f(h_{t-1},x_t,w)"),
            ("c", "hn", "h_t"),
            ("f", "g", "g(h_t)"),
            ("c", "yt", "y_t"),
            ("c", "hT", "h_T"),
            ("c", "ys", "y"),
            ("p", "w", "w"),
        ],
        "h0 > h > f > hn > hT",
        "xs > xt > f",
        "hn > g > yt > ys",
        extra=(
            *corpus.parameter_edges("w", "f"),
            Edge("hn", "h", "carry", label=r"t \to t+1"),
        ),
    )
    body = Group("loop", "loop", r"t = 1,\ldots,T", ("h", "xt", "f", "hn", "g", "yt"))
    return replace(diagram, groups=(body,))


def nested():
    inner = Group("attention", "composite", "a", ("Fq", "Fk", "q", "k", "scores"))
    outer = Group("block", "composite", "b", ("attention", "s", "softmax", "a", "Fv", "v", "mix"))
    return replace(corpus.attention(), groups=(inner, outer))


FRAMED = {"loop": loop, "nested": nested}


def contains(outer, inner):
    return (
        outer[0] < inner[0] and outer[1] < inner[1] and outer[2] > inner[2] and outer[3] > inner[3]
    )


@pytest.mark.parametrize("name", FRAMED)
@EVERY_WAY
def test_a_frame_holds_its_members_and_nothing_else(name, direction):
    diagram = FRAMED[name]()
    drawing = lay_out(diagram, direction, stubs=True)
    boxes = {node.element.id: node.box for node in drawing.nodes}
    boxes |= {frame.group.id: frame.box for frame in drawing.frames}
    held = {group.id: set(group.members) for group in diagram.groups}
    for group in diagram.groups:  # inner ones first
        for member in group.members:
            held[group.id] |= held.get(member, set())
        for id_, box in boxes.items():
            if id_ in held[group.id]:
                assert contains(boxes[group.id], box), (group.id, id_)
            elif id_ != group.id and group.id not in held.get(id_, set()):
                assert not geometry.overlap(boxes[group.id], box), (group.id, id_)


@pytest.mark.parametrize("name", FRAMED)
@EVERY_WAY
def test_nothing_overlaps_inside_and_outside_of_frames(name, direction):
    drawing = lay_out(FRAMED[name](), direction)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@EVERY_WAY
def test_edges_through_frames_are_one_line_with_one_head(direction):
    drawing = lay_out(nested(), direction)
    at = {node.element.id: node for node in drawing.nodes}
    wires = [w for w in drawing.wires if (w.edge.source, w.edge.target) == ("x", "Fq")]
    (wire,) = wires
    assert sum(command == "M" for command, _ in wire.arrow.shaft) == 1
    start, tip = wire.arrow.shaft[0][1][0], wire.arrow.head[0][1][0]
    for node, point in ((at["x"], start), (at["Fq"], tip)):
        left, top, right, bottom = node.box
        assert left - 2 < point[0] < right + 2
        assert top - 2 < point[1] < bottom + 2


@EVERY_WAY
def test_a_carried_state_leads_back_around_the_body(direction):
    drawing = lay_out(loop(), direction)
    at = {node.element.id: node for node in drawing.nodes}
    (wire,) = [w for w in drawing.wires if w.edge.kind == "carry"]
    points = geometry.points_along(wire.arrow.shaft)
    (frame,) = drawing.frames
    assert all(geometry.holds(frame.box, point) for point in points)
    axis = 0 if direction in ("LR", "RL") else 1
    across = 1 - axis
    low = max(node.box[2 + across] for node in drawing.nodes if node.element.id in ("f", "g"))
    assert max(point[across] for point in points) > low
    tip = wire.arrow.head[0][1][0]
    assert abs(tip[axis] - (at["h"].x, at["h"].y)[axis]) < at["h"].width
    assert [label.role for label in wire.labels] == ["note"]


def two_states():
    diagram = corpus.diagram(
        "two",
        [
            ("c", "h", "h_{t-1}"),
            ("c", "s", "s_{t-1}"),
            ("f", "f", "f"),
            ("c", "sn", "s_t"),
            ("f", "g", "g"),
            ("c", "hn", "h_t"),
        ],
        "h > f > sn > g > hn",
        "s > f",
        extra=(Edge("hn", "h", "carry"), Edge("sn", "s", "carry", label=r"t \to t+1")),
    )
    return replace(diagram, groups=(Group("loop", "loop", "t", ("h", "s", "f", "sn", "g", "hn")),))


@EVERY_WAY
def test_every_carried_state_has_a_line_of_its_own(direction):
    drawing = lay_out(two_states(), direction)
    lines = [geometry.points_along(w.arrow.shaft) for w in drawing.wires if w.edge.kind == "carry"]
    ends = 12  # near its ends a line may meet others
    inner, outer = (line[3 * ends : -3 * ends] for line in lines)
    assert all(max(abs(a - c), abs(b - d)) > 3 for a, b in inner for c, d in outer)
    assert geometry.label_overlaps(drawing) == []


def chain_in_a_frame(count=12):
    path = " > ".join(["x", *(f"f{k} > z{k}" for k in range(count)), "C"])
    elements = [("o", "x", "x"), ("C", "C", "C"), ("o", "y", "y")]
    for k in range(count):
        elements += [("f", f"f{k}", f"f_{{{k}}}(z,w)"), ("c", f"z{k}", f"z_{{{k}}}")]
    diagram = corpus.diagram("deep", elements, path, "y > C")
    held = tuple(name for k in range(count) for name in (f"f{k}", f"z{k}"))
    return replace(diagram, groups=(Group("g", "composite", "g", held),))


@pytest.mark.parametrize("backward", [False, True])
def test_what_is_long_wraps_inside_its_frame(backward):
    diagram = mirror(chain_in_a_frame()) if backward else chain_in_a_frame()
    drawing = lay_out(diagram, "LR")
    at = {node.element.id: node for node in drawing.nodes}
    assert drawing.width < 1600
    assert len({round(at[f"f{k}"].y) for k in range(12)}) > 1
    assert geometry.node_overlaps(drawing) == geometry.edges_through_nodes(drawing) == []
    boxes = [frame.box for frame in drawing.frames]
    assert len(boxes) == 1 + backward
    assert not backward or not geometry.overlap(*boxes)
    for frame in drawing.frames:
        inside = [n for n in drawing.nodes if contains(frame.box, n.box)]
        assert len(inside) == 24
        assert {bool(n.element.twin) for n in inside} == {bool(frame.group.twin)}
        height = frame.box[3] - frame.box[1]
        assert height < 3.2 * max(n.height for n in inside) * len({round(n.y) for n in inside})


def test_frames_have_their_labels_inside():
    for build in FRAMED.values():
        for direction in DIRECTIONS:
            for frame in lay_out(build(), direction).frames:
                (label,) = frame.labels
                assert contains(frame.box, label.box)


@pytest.mark.parametrize(
    ("groups", "fault"),
    [
        ((Group("g", "plate", "", ("a", "z")),), "'z'.*is not known"),
        ((Group("g", "plate", "", ("a",)), Group("h", "plate", "", ("a",))), "another group"),
        ((Group("g", "plate", "", ("h",)), Group("h", "plate", "", ("a",))), "'h'.*inner groups"),
        ((Group("a", "plate", "", ("b",)),), "two elements with the id 'a'"),
    ],
)
def test_groups_that_overlap_are_refused(groups, fault):
    elements = (Element("a", "computed", "a"), Element("b", "computed", "b"))
    with pytest.raises(RenderError, match=fault):
        Diagram("d", elements, (), groups=groups)


# --- blocks that open -------------------------------------------------------------------------


@gc.function
def attention(x=gc.Input("n d")):
    q = gc.Linear(8, name="Q")(x, output="q")
    k = gc.Linear(8, name="K")(x, output="k")
    return gc.softmax(q @ k.T) @ x


@gc.function
def residual(x=gc.Input("n d")):
    return attention(x, name="att", output="a") + x


def transformer():
    x = gc.observed("x", (5, 8))
    return gc.Graph(residual(x, name="block", output="z"), name="transformer")


def names_of(drawing):
    return [node.element.hint.split(":")[0] for node in drawing.nodes if is_block(node)]


def is_block(node):
    return node.element.kind == "function"


def test_blocks_are_closed_by_default():
    drawing = drawing_of(transformer())
    assert names_of(drawing) == ["block"]
    assert drawing.frames == ()


def test_one_block_opens():
    drawing = drawing_of(transformer(), expand=["block"])
    assert names_of(drawing) == ["att", "add1"]
    assert [frame.group.label for frame in drawing.frames] == [r"\mathrm{block}"]


def test_all_blocks_open():
    drawing = drawing_of(transformer(), expand=True)
    assert names_of(drawing)[:2] == ["Q", "K"]
    assert [frame.group.label for frame in drawing.frames] == [r"\mathrm{block}", r"\mathrm{att}"]
    outer, inner = (frame.box for frame in drawing.frames)
    assert contains(outer, inner)
    (z,) = [node for node in drawing.nodes if node.element.id == "variable z"]
    assert not geometry.overlap(outer, z.box)


@gc.block
def encoder(z):
    return gc.Linear(3)(gc.relu(gc.Linear(5)(z)))


def siamese(penalty=False):
    shared = encoder(name="E")
    first = shared(gc.observed("x1", 7), output="h1")
    second = shared(gc.observed("x2", 7), output="h2")
    costs = [gc.squared_error(first, second, name="D")]
    if penalty:
        costs.append(gc.cost(np.sum(first.call.parameters["Linear1_w"] ** 2), name="R"))
    return gc.Graph(*costs, name="siamese")


def parameters_of(drawing):
    return {n.element.label: n.element for n in drawing.nodes if n.element.kind == "parameter"}


@pytest.mark.parametrize("params", ["implicit", "stub", "shared"])
def test_a_shared_block_of_blocks_has_one_circle_for_its_parameters(params):
    drawing = drawing_of(siamese(), params=params)
    circles = parameters_of(drawing)
    assert set(circles) == {"w"}
    assert circles["w"].note == r"\mathbb{R}^{58}"  # 7 × 5 + 5 + 5 × 3 + 3
    taking = [w.edge.target for w in drawing.wires if w.edge.source == circles["w"].id]
    assert taking == ["function E 0", "function E 1"]
    labels = {n.element.id: n.element.label for n in drawing.nodes}
    assert labels["function E 0"] == "E(x_{1}, w)"
    assert geometry.node_overlaps(drawing) == []
    mirrored = drawing_of(siamese(), params=params, backward="mirror")
    gradients = [n.element for n in mirrored.nodes if n.element.twin == circles["w"].id]
    assert [v.note for v in gradients] == [r"\mathbb{R}^{1 \times 58}"]


def test_opened_it_has_a_circle_for_each():
    assert set(parameters_of(drawing_of(siamese(), expand=True))) == {
        "w_{1}",
        "b_{1}",
        "w_{2}",
        "b_{2}",
    }


def test_a_block_of_blocks_that_is_used_once_has_its_parameters_in_its_label():
    graph = gc.Graph(encoder(name="E")(gc.observed("x", 7), output="h"), name="g")
    assert parameters_of(drawing_of(graph)) == {}
    (stub,) = [node for node in drawing_of(graph, params="stub").nodes if node.stub]
    assert stub.element.parameters == ("w",)
    assert set(parameters_of(drawing_of(graph, params="shared"))) == {"w"}


def test_a_parameter_that_something_else_takes_is_a_circle_of_its_own():
    drawing = drawing_of(siamese(penalty=True))
    circles = parameters_of(drawing)
    assert len(circles) == 2
    (own,) = [v for v in circles.values() if v.id.startswith("variable")]
    taking = {w.edge.target for w in drawing.wires if w.edge.source == own.id}
    assert len(taking) == 3


def test_parameters_of_inner_blocks_are_drawn_there():
    drawing = drawing_of(transformer(), expand=True, params="stub")
    blocks = {node.element.hint.split(":")[0]: node for node in drawing.nodes if is_block(node)}
    assert blocks["Q"].element.parameters == ("w_{Q}", "b_{Q}")
    assert blocks["Q"].stub is not None
    assert blocks["add1"].stub is None


def test_what_cannot_open_is_named():
    with pytest.raises(RenderError, match="'nothing' is not in the graph; it has block"):
        drawing_of(transformer(), expand=["nothing"])
    x = gc.observed("x", 3)
    graph = gc.Graph(gc.relu(x, output="z"), name="g")
    with pytest.raises(RenderError, match="'relu1' is made of no other blocks"):
        drawing_of(graph, expand=["relu1"])


# --- averages ---------------------------------------------------------------------------------


@gc.function
def model(x=gc.Input("n"), *, w=gc.Parameter("m n"), m=10):
    return np.tanh(w @ x)


def basic(penalty=False):
    block = model(name="G")
    prediction = block(gc.observed("x", 600), output="ybar")
    costs = [gc.squared_error(prediction, gc.observed("y", 10), name="C")]
    if penalty:
        costs.append(gc.cost(np.sum(block.w**2), name="R"))
    return gc.Graph(*costs, name="basic")


def test_the_plate_holds_what_differs_between_samples():
    drawing = drawing_of(basic(), average="plate", params="shared")
    boxes = {node.element.id.removeprefix("variable "): node.box for node in drawing.nodes}
    (frame,) = drawing.frames
    inside = {name for name, box in boxes.items() if contains(frame.box, box)}
    assert {"x", "y", "ybar", "function G 0", "function C 1"} == inside
    outside = {"G_w", "average over the samples", "average loss"}
    assert all(not geometry.overlap(frame.box, boxes[name]) for name in outside)
    labels = {node.element.label for node in drawing.nodes}
    assert {"x[p]", r"\bar{y}[p]", "w", r"\mathcal{L}(S, w)"} <= labels


def test_a_cost_without_samples_is_added_once():
    drawing = drawing_of(basic(penalty=True), average="plate")
    (frame,) = drawing.frames
    (penalty,) = [node for node in drawing.nodes if node.element.id == "function R 2"]
    assert not geometry.overlap(frame.box, penalty.box)
    into = [wire.edge.source for wire in drawing.wires if wire.edge.target == "sum of costs"]
    assert into == ["mean loss", "function R 2"]


def test_the_plate_holds_a_loop_with_its_constants():
    x, y = gc.observed("x", shape=("T", 3)), gc.observed("y", shape=4)
    h, *_ = gc.LSTM(4, name="lstm")(x)
    net = gc.Graph(gc.mse(h[-1], y, name="C"), name="net")
    drawing = drawing_of(net, average="plate", expand=True, backward="mirror")
    plates = [f.box for f in drawing.frames if f.group.kind == "plate"]
    others = [f.box for f in drawing.frames if f.group.kind != "plate"]
    assert len(plates) == 2
    assert all(any(contains(plate, box) for plate in plates) for box in others)
    assert geometry.node_overlaps(drawing) == []


@EVERY_WAY
def test_nothing_of_a_stack_is_half_covered(direction):
    drawing = drawing_of(basic(), average="stack", direction=direction)
    copied = [node for node in drawing.nodes if "[" in node.element.id or node.layer]
    assert all(len(node.labels) <= 1 for node in copied)
    x = next(node for node in drawing.nodes if node.element.id == "variable x")
    assert len(x.labels) == 1  # its name; its shape would lie under the copies


@EVERY_WAY
def test_the_stack_shows_copies_behind_one_another(direction):
    drawing = drawing_of(basic(), average="stack", direction=direction)
    xs = sorted(
        (node for node in drawing.nodes if node.element.label.startswith("x[")),
        key=lambda node: node.layer,
    )
    assert [node.element.label for node in xs] == [f"x[{k}]" for k in range(COPIES)]
    assert xs[1].x - xs[0].x == pytest.approx(SHIFT)
    assert xs[1].y - xs[0].y == pytest.approx(SHIFT)
    ids = [node.element.id for node in drawing.nodes]
    assert len(set(ids)) == len(ids)
    painted = [item for item in drawing.painted() if getattr(item, "element", None)]
    assert painted.index(xs[3]) < painted.index(xs[0])
    into = [w for w in drawing.wires if w.edge.target == "average over the samples"]
    assert len(into) == COPIES


def test_averages_need_a_cost_over_samples():
    graph = gc.Graph(model(name="G")(gc.observed("x", 6), output="z"), name="g")
    with pytest.raises(RenderError, match="no cost that depends on a per-sample variable"):
        drawing_of(graph, average="plate")
    with pytest.raises(RenderError, match="use average='plate'"):
        drawing_of(basic(penalty=True), average="stack")
    with pytest.raises(RenderError, match="no room for gradients"):
        drawing_of(basic(), average="stack", backward="mirror")


# --- loops ------------------------------------------------------------------------------------


@gc.function
def cell(h=gc.Input("n"), x=gc.Input("d"), *, w=gc.Parameter("n n"), u=gc.Parameter("n d")):
    return np.tanh(w @ h + u @ x)


def recurrent(steps="T", reverse=False):
    step, head = cell(name="f"), gc.Linear(2, name="g")

    def one(h, x):
        h = step(h, x, output="h")
        return h, head(h, output="y")

    xs, h0 = gc.observed("x", (steps, 3)), gc.observed("h0", 5)
    last, ys = gc.scan(one, h0, xs, reverse=reverse, name="rnn")
    cost = gc.cost(np.sum(ys**2) + np.sum(last**2), name="C")
    return gc.Graph(cost, name="recurrent")


def labels_of(drawing):
    return {node.element.label for node in drawing.nodes}


def test_a_scan_is_a_loop_with_its_carry_led_back():
    drawing = drawing_of(recurrent())
    (frame,) = drawing.frames
    assert frame.group.kind == "loop"
    assert frame.group.label == r"t = 1, \ldots, T"
    assert {"h_{t-1}", "x_{t}", "h_{t}", "y_{t}", "h_{T}", "y_{1:T}"} <= labels_of(drawing)
    at = {node.element.label: node for node in drawing.nodes}
    (carry,) = [wire.edge for wire in drawing.wires if wire.edge.kind == "carry"]
    assert (carry.source, carry.target) == (
        at["h_{t}"].element.id,
        at["h_{t-1}"].element.id,
    )
    for label in ("h_{t-1}", "x_{t}", "h_{t}", "y_{t}"):
        assert contains(frame.box, at[label].box)
    for label in ("x", "h_{0}", "h_{T}", "y_{1:T}"):
        assert not geometry.overlap(frame.box, at[label].box)


@pytest.mark.parametrize("steps", [3, 7, "T"])
def test_an_unrolled_scan_has_a_block_for_each_step(steps):
    drawing = drawing_of(recurrent(steps), loops="unrolled")
    assert drawing.frames == ()
    shown = ["1", "2", "3"] if steps == 3 else ["1", "2", "3", str(steps)]
    labels = labels_of(drawing)
    for step in shown:
        assert {f"x_{{{step}}}", f"h_{{{step}}}", f"y_{{{step}}}"} <= labels
    assert (r"\cdots" in labels) == (steps != 3)
    assert "x" not in labels  # its slices stand for it
    blocks = [node for node in drawing.nodes if node.element.hint.startswith("f: ")]
    assert len(blocks) == len(shown)
    shared = [wire for wire in drawing.wires if wire.edge.kind == "parameter"]
    assert len(shared) == 4 * len(shown)
    assert geometry.node_overlaps(drawing) == []


def test_a_closed_scan_is_one_block():
    drawing = drawing_of(recurrent(), loops="closed")
    assert drawing.frames == ()
    assert names_of(drawing) == ["rnn"]


def test_a_loop_that_runs_from_the_end_starts_there():
    drawing = drawing_of(recurrent(3, reverse=True), loops="unrolled", direction="LR")
    at = {node.element.label: node.x for node in drawing.nodes}
    assert at["h_{3}"] < at["h_{2}"] < at["h_{1}"]


def test_gradients_return_around_a_loop():
    drawing = drawing_of(recurrent(), backward="overlay")
    (carry,) = [wire for wire in drawing.wires if wire.edge.kind == "carry"]
    assert carry.returned is not None


def test_a_loop_starts_from_a_parameter():
    """Drawn as a loop or unrolled, the first state has an edge from where it starts."""
    xs, h0 = gc.observed("x", (3, 5)), gc.parameter("h0", 5)
    last, _ = gc.scan(lambda h, x: (gc.tanh(h + x, output="h"), x), h0, xs)
    graph = gc.Graph(gc.cost(np.sum(last**2), name="C"), name="g")
    for style in ("loop", "unrolled", "closed"):
        drawing = drawing_of(graph, loops=style)
        starts = [wire.edge for wire in drawing.wires if wire.edge.source == "variable h0"]
        assert len(starts) == 1


# --- the backward pass beside frames ------------------------------------------------------------


def deep():
    """An open block in an open block, before a branch that goes around it."""

    @gc.block
    def inner(z):
        return model(m=4, name="b2")(model(m=4, name="b1")(z, output="u"))

    @gc.block
    def outer(z):
        h = inner(name="I")(z, output="h")
        return gc.relu(h + z, name="r")

    x = gc.observed("x", 4)
    z = outer(name="O")(x, output="z")
    k = gc.observed("k", classes=4)
    return gc.Graph(gc.cross_entropy(z, k, name="C"), name="deep")


MIRRORED = {
    "loop": (recurrent, {}),
    "open": (deep, {"expand": True}),
    "half open": (deep, {"expand": ["O"]}),
    "plate": (basic, {"average": "plate"}),
    "plate, parameters outside": (basic, {"average": "plate", "params": "shared"}),
    "penalty": (lambda: basic(penalty=True), {"average": "plate", "params": "shared"}),
    "plate around open blocks": (deep, {"average": "plate", "expand": True}),
    "folded": (lambda: chain(8), {"fold": True}),
}


def chain(depth):
    z = gc.observed("x", 4)
    for k in range(1, depth + 1):
        z = model(m=4, name=f"f{k}")(z, output=f"z{k}")
    return gc.Graph(gc.squared_error(z, gc.observed("y", 4), name="C"), name="chain")


@EVERY_WAY
@pytest.mark.parametrize("name", MIRRORED)
def test_frames_are_mirrored_level_with_what_they_mirror(name, direction):
    make, options = MIRRORED[name]
    drawing = drawing_of(make(), backward="mirror", direction=direction, **options)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []
    horizontal = direction in ("LR", "RL")
    at = {node.element.id: node for node in drawing.nodes}
    twins = [node for node in drawing.nodes if node.element.twin]
    assert len(twins) >= 5
    for node in twins:
        twin = at[node.element.twin]
        one, other = (node.x, twin.x) if horizontal else (node.y, twin.y)
        assert one == pytest.approx(other)
    boxes = {frame.group.id: frame.box for frame in drawing.frames}
    mirrored = [frame for frame in drawing.frames if frame.group.twin]
    assert len(mirrored) * 2 == len(drawing.frames) > 0
    for frame in mirrored:
        box, front = frame.box, boxes[frame.group.twin]
        ends = (0, 2) if horizontal else (1, 3)
        assert [box[k] for k in ends] == pytest.approx([front[k] for k in ends])
        assert not geometry.overlap(box, front)
    for frame in drawing.frames:
        for member in frame.group.members:
            assert contains(frame.box, at[member].box if member in at else boxes[member])
    held = {member for frame in drawing.frames for member in frame.group.members}
    for frame in drawing.frames:
        for node in drawing.nodes:
            if node.element.id not in held:
                assert not geometry.overlap(frame.box, node.box)


@pytest.mark.parametrize("name", MIRRORED)
def test_every_gradient_has_an_edge_of_its_own(name):
    make, options = MIRRORED[name]
    drawing = drawing_of(make(), backward="mirror", **options)
    twin = {node.element.id: node.element.twin for node in drawing.nodes}
    forward = {(w.edge.source, w.edge.target) for w in drawing.wires if w.edge.kind != "backward"}
    backward = [w for w in drawing.wires if w.edge.kind == "backward"]
    assert backward
    for wire in backward:
        assert (twin[wire.edge.target], twin[wire.edge.source]) in forward
    overlaid = drawing_of(make(), backward="overlay", **options)
    assert sum(w.returned is not None for w in overlaid.wires) == len(backward)
    assert geometry.label_overlaps(overlaid) == []


def test_a_folded_model_names_what_really_enters():
    drawing = drawing_of(chain(8), fold=True, backward="mirror")
    at = {node.element.id: node.element for node in drawing.nodes}
    assert r"\partial\! z_{7}" in at["backward function f8 7"].label


def test_a_mirrored_carry_leads_back_in_time():
    drawing = drawing_of(recurrent(), backward="mirror", direction="LR")
    (carry,) = [wire for wire in drawing.wires if wire.edge.kind == "carry"]
    (back,) = [wire for wire in drawing.wires if wire.edge.carried]
    assert back.arrow.head[0][1][0][0] > back.arrow.shaft[0][1][0][0]  # from h_{t-1} to h_t
    assert carry.arrow.head[0][1][0][0] < carry.arrow.shaft[0][1][0][0]


def test_the_gradient_of_an_average():
    drawing = drawing_of(basic(), average="plate", backward="mirror")
    at = {node.element.id: node.element for node in drawing.nodes}
    assert at["backward average over the samples"].label == r"\cdot\,\dfrac{1}{P}"
    assert at["seed of average loss"].label == "1"
    gradient = r"\dfrac{\partial\! \mathcal{L}}{\partial\! \bar{y}[p]}"
    assert at["backward variable ybar"].label == gradient
    leaving = at["backward function G 0"].leaving
    assert leaving.startswith(r"\dfrac{\partial\! \mathcal{L}}{\partial\! w} = ")
    assert r"\sum_p" in leaving
    assert sum(element.kind == "seed" for element in at.values()) == 1
    overlaid = drawing_of(basic(), average="plate", backward="overlay")
    gradients = {node.element.id: node.element.gradient for node in overlaid.nodes}
    assert gradients["average loss"] == "1"
    assert gradients["average over the samples"] == r"\dfrac{1}{P}"


def test_variables_without_a_name_are_small_circles_unless_gradients_name_them():
    x = gc.observed("x", 3)
    graph = gc.Graph(gc.squared_error(gc.tanh(gc.relu(x)), gc.observed("y", 3), name="C"), name="g")
    plain, told = drawing_of(graph), drawing_of(graph, backward="overlay")
    small = [node for node in plain.nodes if node.element.kind == "computed"]
    assert [node.element.label for node in small] == ["", ""]
    assert all(node.width < 20 for node in small)
    assert [node.element.label for node in plain.nodes if is_block(node)] == [
        r"\mathrm{relu}(x)",
        r"\mathrm{tanh}",
    ]
    named = [node.element.label for node in told.nodes if node.element.kind == "computed"]
    assert all(named)


def named_places(drawing):
    """The middles of elements and frames, by the names that their hints begin with."""
    places = {}
    for node in sorted(drawing.nodes, key=lambda node: " / " not in node.element.id):
        places[node.element.hint.partition(":")[0]] = node.x, node.y
    for frame in drawing.frames:
        left, top, right, bottom = frame.box
        places[frame.group.hint.partition(":")[0]] = (left + right) / 2, (top + bottom) / 2
    return places


PINNED = {
    "block": (transformer, {"expand": True}, {"block": (0, 0), "z": (520, 90), "x": (-520, 80)}),
    "inside": (transformer, {"expand": True}, {"Q": (0, 0), "K": (30, 120), "x": (-200, 40)}),
    "plate": (
        basic,
        {"average": "plate", "params": "shared"},
        {"x": (0, 0), "y": (260, -40), "G_w": (-160, 60)},
    ),
    "mirror": (
        basic,
        {"average": "plate", "backward": "mirror"},
        {"y": (30, 0), "C": (0, -160)},
    ),
    "loop": (recurrent, {"direction": "BT"}, {"x": (0, 0), "h0": (-160, 30)}),
}


@pytest.mark.parametrize("name", PINNED)
def test_frames_are_pinned_and_follow_what_is_pinned_in_them(name):
    build, options, places = PINNED[name]
    plain, drawing = (
        drawing_of(build(), **options),
        drawing_of(build(), positions=places, **options),
    )
    at = named_places(drawing)
    (first, origin), *others = places.items()
    for other, (x, y) in others:
        moved = at[other][0] - at[first][0], at[other][1] - at[first][1]
        assert moved == pytest.approx((x - origin[0], y - origin[1]), abs=1.5)
    before = {frame.group.id: frame for frame in plain.frames}
    for frame in drawing.frames:
        own = {n.element.id for n in plain.nodes if contains(before[frame.group.id].box, n.box)}
        inside = {n.element.id for n in drawing.nodes if contains(frame.box, n.box)}
        meeting = {n.element.id for n in drawing.nodes if geometry.overlap(frame.box, n.box)}
        assert own == inside == meeting
        assert all(contains(frame.box, label.box) for label in frame.labels)
        assert contains((0, 0, drawing.width, drawing.height), frame.box)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []


def test_a_carried_state_is_led_around_what_was_pinned():
    plain = drawing_of(basic_loop(), direction="LR")
    (x, y), add = named_places(plain)["first"], named_places(plain)["add1"]
    pinned = {"add1": add, "first": (x, y + 110)}
    drawing = drawing_of(basic_loop(), direction="LR", positions=pinned)
    ((before,), (wire,)) = (
        [w for w in d.wires if w.edge.kind == "carry"] for d in (plain, drawing)
    )
    (frame,) = drawing.frames
    line = geometry.points_along(wire.arrow.shaft)
    assert all(geometry.holds(frame.box, point) for point in line)
    assert max(y for _, y in line) > max(y for _, y in geometry.points_along(before.arrow.shaft))
    assert geometry.edges_through_nodes(drawing) == []


def basic_loop():
    def step(h, u):
        h = gc.tanh(gc.tanh(h + u, name="first"), name="second", output="h")
        return h, h

    h, _ = gc.scan(step, gc.observed("h0", 2), gc.observed("u", (3, 2)))
    return gc.Graph(gc.cost((h**2).sum(), name="C"), name="loop")


@pytest.mark.parametrize(
    ("places", "fault"),
    [
        ({"x": (0, 0), "block": (10, 80)}, "'variable x' .* the frame of 'function block 0"),
        ({"Q": (0, 0), "z": (-10, 150)}, "'variable z' .* the frame of 'function block 0"),
    ],
)
def test_places_inside_of_other_frames_are_refused(places, fault):
    with pytest.raises(RenderError, match=fault):
        drawing_of(transformer(), expand=True, positions=places)


def encoder_of(layers):
    x = gc.observed("x", (3, 8))
    block = gc.TransformerEncoder(gc.TransformerEncoderLayer(8, 2, 8), layers, name="encoder")
    return gc.Graph(gc.mse(block(x), gc.observed("y", (3, 8)), name="C"), name="net")


def test_long_names_and_long_lists_of_parameters_are_shortened():
    drawing = drawing_of(encoder_of(2), expand=True, params="stub", backward="overlay")
    blocks = {n.element.hint.split(":")[0]: n for n in drawing.nodes if is_block(n)}
    assert blocks["linear1"].element.parameters == ("w", "b")  # not encoder_layers_0_linear1_w
    assert blocks["linear1"].element.label.endswith("w, b)")
    attention = blocks["self_attn"]
    assert len(attention.element.parameters) == 8
    texts = [label.label for label in attention.labels if r"\ldots" in label.label.latex]
    assert len(texts) == 2  # the parameters, and the gradients by them
    assert max(text.width for text in texts) < 150
    assert attention.element.leaving.count("frac") == 3


def test_a_block_around_one_block_of_blocks_opens():
    drawing = drawing_of(encoder_of(1), expand=True)
    assert [frame.group.label for frame in drawing.frames] == [
        r"\mathrm{encoder}",
        r"\mathrm{layers}_{0}",
    ]


@gc.block
def wrapper(z):
    return gc.Linear(2)(z)


def test_a_block_around_a_plain_one_does_not_open():
    net = gc.Graph(wrapper(name="head")(gc.observed("x", 3)), name="net")
    with pytest.raises(RenderError, match="'head' is made of no other blocks"):
        drawing_of(net, expand=["head"])


def test_the_rows_of_a_stack_leave_room_for_its_copies():
    z = gc.observed("x", 6)
    for k in range(1, 9):
        z = model(m=6, name=f"layer_{k}")(z, output=f"z{k}")
    net = gc.Graph(gc.squared_error(z, gc.observed("y", 6), name="C"), name="deep")
    drawing = drawing_of(net, average="stack", direction="LR", width=900)
    turning = [w for w in drawing.wires if sum(c == "C" for c, _ in w.arrow.shaft) == 4]
    assert len(turning) >= COPIES
    rows = sorted({n.y for n in drawing.nodes if is_block(n) and not n.layer})
    for wire in turning:
        ends = [points[-1] for _, points in wire.arrow.shaft]
        legs = [(abs(x2 - x), y) for (x, y), (x2, y2) in pairwise(ends) if y == y2]
        _, between = max(legs)  # from one side to the other, between two rows
        boxes = [node.box for node in drawing.nodes]
        assert not any(box[1] - 1 < between < box[3] + 1 for box in boxes)
    assert len(rows) > 1
