import itertools

import pytest

from graphc.errors import RenderError
from graphc.render.diagram import Diagram, Edge, Element
from graphc.render.drawing import DIRECTIONS
from graphc.render.layout import lay_out
from tests.render import corpus, geometry
from tests.render.architectures import ARCHITECTURES
from tests.render.geometry import side_labels

EVERY_FIGURE = pytest.mark.parametrize(
    ("name", "direction", "stubs"),
    [
        (name, direction, stubs)
        for name in corpus.CORPUS
        for direction in (None, *DIRECTIONS)
        for stubs in (False, True)
    ],
)


@EVERY_FIGURE
def test_nothing_overlaps(name, direction, stubs):
    drawing = lay_out(corpus.CORPUS[name], direction, stubs)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("direction", ["LR", "BT"])
def test_nothing_overlaps_in_tangled_models(seed, direction):
    drawing = lay_out(corpus.random_diagram(seed), direction, stubs=seed % 2 == 0)
    assert geometry.node_overlaps(drawing) == []
    assert geometry.edges_through_nodes(drawing) == []
    assert geometry.label_overlaps(drawing) == []


@EVERY_FIGURE
def test_everything_lies_inside_the_figure(name, direction, stubs):
    drawing = lay_out(corpus.CORPUS[name], direction, stubs)
    boxes = [node.box for node in drawing.nodes]
    boxes += [box for _, box in geometry.side_labels(drawing)]
    boxes += [geometry.hull(wire.arrow.shaft) for wire in drawing.wires]
    for left, top, right, bottom in boxes:
        assert left > 1
        assert top > 1
        assert right < drawing.width - 1
        assert bottom < drawing.height - 1


@EVERY_FIGURE
def test_every_head_touches_its_target(name, direction, stubs):
    drawing = lay_out(corpus.CORPUS[name], direction, stubs)
    boxes = {node.element.id: node.box for node in drawing.nodes}
    for wire in drawing.wires:
        x, y = wire.arrow.head[0][1][0]
        left, top, right, bottom = boxes[wire.edge.target]
        # The tip stays off the stroke; at a circle, off the corner of its box as well.
        assert left - 2 < x < right + 2
        assert top - 2 < y < bottom + 2


def test_the_checks_can_fail():
    drawing = lay_out(corpus.basic())
    wire = drawing.wires[0]
    assert geometry.overlap((0, 0, 10, 10), (5, 5, 15, 15))
    assert not geometry.overlap((0, 0, 10, 10), (10, 0, 20, 10))
    middle = geometry.points_along(wire.arrow.shaft)[20]
    assert geometry.holds((middle[0] - 2, middle[1] - 2, middle[0] + 2, middle[1] + 2), middle)


def centres(drawing):
    return {node.element.id: (node.x, node.y) for node in drawing.nodes}


def test_basic_figure_has_its_prediction_and_cost_level_at_the_top():
    drawing = lay_out(corpus.basic())
    at = centres(drawing)
    assert drawing.direction == "BT"
    assert at["ybar"][1] == pytest.approx(at["C"][1])
    assert at["ybar"][1] < at["G"][1] < at["x"][1]
    assert at["ybar"][0] == pytest.approx(at["G"][0]) == pytest.approx(at["x"][0])
    assert at["y"] == pytest.approx((at["C"][0], at["x"][1]))


def test_the_cost_of_a_chain_comes_last():
    at = centres(lay_out(corpus.basic(), "LR"))
    assert at["x"][0] < at["G"][0] < at["ybar"][0] < at["C"][0]


def test_chains_run_from_left_to_right_in_one_straight_line():
    drawing = lay_out(corpus.layers(5))
    chain = [node for node in drawing.nodes if node.element.id != "y"]
    assert drawing.direction == "LR"
    assert len({round(node.y, 6) for node in chain}) == 1
    assert [node.x for node in chain] == sorted(node.x for node in chain)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_directions(direction):
    at = centres(lay_out(corpus.layers(), direction))
    axis = 0 if direction in ("LR", "RL") else 1
    forward = 1 if direction in ("LR", "TB") else -1
    assert (at["f2"][axis] - at["f1"][axis]) * forward > 0


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_output_side_of_a_function_is_round_and_its_input_side_flat(direction):
    drawing = lay_out(corpus.layers(), direction)
    at = centres(drawing)
    node = next(node for node in drawing.nodes if node.element.id == "f2")
    corners = [points[0] for command, points in node.outline if command in "ML"]
    curves = [points[-1] for command, points in node.outline if command == "C"]
    axis = 0 if direction in ("LR", "RL") else 1
    towards = at["z2"][axis] - at["f2"][axis]
    flat = [p for p in corners if (p[axis] - at["f2"][axis]) * towards < 0]
    assert len(flat) >= 2
    tip = max((p[axis] - at["f2"][axis]) * (1 if towards > 0 else -1) for p in curves)
    assert tip == pytest.approx((node.width if axis == 0 else node.height) / 2)


def test_inputs_stand_next_to_their_user():
    at = centres(lay_out(corpus.layers(5), "LR"))
    assert at["y"][0] == pytest.approx(at["z5"][0])


def test_a_shared_parameter_stands_between_its_users():
    at = centres(lay_out(corpus.siamese()))
    assert at["G1"][1] == pytest.approx(at["w"][1]) == pytest.approx(at["G2"][1])
    assert at["w"][0] == pytest.approx((at["G1"][0] + at["G2"][0]) / 2)
    assert at["D"][0] == pytest.approx(at["w"][0], abs=1)


def test_lone_parameters_stand_beside_their_block():
    at = centres(lay_out(corpus.parameters(), "LR"))
    beside = [name for name in "Wbc" if at[name][0] == pytest.approx(at["f"][0])]
    assert beside == ["W", "b"]


def test_inputs_of_one_function_enter_in_the_order_in_which_they_stand():
    for name in ("dense", "variational", "recurrent", "attention"):
        drawing = lay_out(corpus.CORPUS[name], "LR")
        at = centres(drawing)
        for node in drawing.nodes:
            wires = [wire for wire in drawing.wires if wire.edge.target == node.element.id]
            near = [w for w in wires if abs(at[w.edge.source][0] - node.x) < 200]
            near.sort(key=lambda w: at[w.edge.source][1])
            tips = [w.arrow.head[0][1][0][1] for w in near if len(w.arrow.shaft) <= 2]
            assert tips == sorted(tips)


def test_branches_that_meet_enter_straight_and_keep_level():
    drawing = lay_out(ARCHITECTURES["siamese_net"])
    into = [wire.arrow.shaft for wire in drawing.wires if wire.edge.target == "D"]
    assert [len(path) for path in into] == [2, 2, 2]  # lines, no bends
    at = centres(lay_out(ARCHITECTURES["unrolled_lstm"]))
    cells = [y for name, (_, y) in at.items() if name.startswith("cell")]
    assert len(cells) == 4
    assert max(cells) - min(cells) < 8


def test_the_inputs_of_like_steps_stand_alike():
    at = centres(lay_out(corpus.CORPUS["recurrent"]))
    steps = [at[f"x{k}"][1] - at[f"h{k - 1}"][1] for k in range(2, 6)]
    assert steps == pytest.approx([steps[0]] * 4, abs=1)
    assert at["w"][1] > at["x5"][1]  # the lane of the parameter runs outside


def test_what_is_all_but_straight_is_straight():
    slants = []
    for diagram in (*ARCHITECTURES.values(), *corpus.CORPUS.values()):
        drawing = lay_out(diagram, "LR")
        for wire in drawing.wires:
            (_, (start,)), *rest = wire.arrow.shaft
            if [command for command, _ in rest] == ["L"] and wire.edge.kind == "forward":
                (x, y), (x2, y2) = start, rest[0][1][0]
                slants.append(abs(y2 - y) / abs(x2 - x))
    assert [slant for slant in slants if 0.002 < slant < 0.03] == []


def test_simple_figures_have_no_crossings():
    for name in ("basic", "layers", "siamese", "residual", "unet", "energy", "adversarial"):
        drawing = lay_out(corpus.CORPUS[name])
        shafts = {w.edge: geometry.points_along(w.arrow.shaft, 12) for w in drawing.wires}
        for (one, a), (other, b) in itertools.combinations(shafts.items(), 2):
            if {one.source, one.target}.isdisjoint({other.source, other.target}):
                steps = itertools.product(itertools.pairwise(a), itertools.pairwise(b))
                assert not any(itertools.starmap(crosses, steps)), (name, one, other)


def crosses(one, other):
    def turn(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = one, other
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


@pytest.mark.parametrize("name", ["deep", "deep_residual"])
@pytest.mark.parametrize("direction", ["LR", "RL"])
def test_long_chains_wrap_into_rows(name, direction):
    drawing = lay_out(corpus.CORPUS[name], direction, stubs=True)
    assert drawing.width < 1400
    at = {node.element.id: node for node in drawing.nodes}
    turning = [wire for wire in drawing.wires if len(wire.arrow.shaft) > 8]
    assert len(turning) >= 3
    for wire in turning:
        source, target = at[wire.edge.source], at[wire.edge.target]
        assert target.y > source.y + source.height
        assert (target.x < source.x) == (direction == "LR")
        back = wire.arrow.shaft[5][1][0][1]  # where the line runs back between the rows
        assert all(back < node.box[1] - 10 or back > node.box[3] + 10 for node in drawing.nodes)
        assert all(back < box[1] - 10 or back > box[3] + 10 for _, box in side_labels(drawing))
    backbone = [node for node in drawing.nodes if node.element.id not in ("y", "C")]
    assert len({round(node.y) for node in backbone}) == len(turning) + 1


def test_short_chains_do_not_wrap():
    drawing = lay_out(corpus.layers(6))
    assert len({round(node.y) for node in drawing.nodes}) == 2


def test_long_chains_need_no_recursion():
    drawing = lay_out(corpus.layers(2500))
    assert len(drawing.nodes) == 5003


def test_an_empty_diagram_is_a_figure():
    drawing = lay_out(Diagram("empty", (), ()))
    assert drawing.nodes == ()
    assert drawing.width > 0


def test_a_cycle_is_named():
    elements = tuple(Element(name, "computed", name) for name in "abcd")
    edges = (Edge("d", "a"), Edge("a", "b"), Edge("b", "c"), Edge("c", "a"))
    with pytest.raises(RenderError, match=r"cycle: '(\w)' -> '\w' -> '\w' -> '\1'"):
        lay_out(Diagram("cycle", elements, edges))


def test_an_edge_to_itself_is_a_cycle():
    with pytest.raises(RenderError, match="'a' -> 'a'"):
        lay_out(Diagram("loop", (Element("a", "computed", "a"),), (Edge("a", "a"),)))
