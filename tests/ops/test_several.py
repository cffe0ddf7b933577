"""Nodes with several results: their items, bundles of cotangents, both modes, samples, passes."""

import numpy as np
import pytest

from graphc.calculus.derived import tangent
from graphc.calculus.reverse import gradient, reaches
from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.program import Program, text, verify
from graphc.ir.terms import Num
from graphc.ops.contraction import sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.rules import RULES, derived
from graphc.ops.several import Bundle, Item, bundle, item, items, total
from graphc.passes.pipeline import DEFAULT, FAST, run
from graphc.types import TensorType, TupleType
from tests import triple as kind
from tests.numerics import check_batching, check_grads, close, value
from tests.triple import Triple, triple

VECTOR = TensorType((3,))


@pytest.fixture(params=["derived", "direct"], autouse=True)
def rules(request, monkeypatch):
    """The kind, with a tangent that is derived, and with one of its own."""
    jvp = derived if request.param == "derived" else kind.direct_jvp
    with kind.defined(monkeypatch, jvp):
        yield


def both(x):
    """Sine times cosine, the one shifted by the other's place."""
    sine, cosine, at = triple(x)
    place = elementwise("real", at)
    return elementwise("multiply", sine, elementwise("add", cosine, place))


@pytest.mark.parametrize("pick", [0, 1])
def test_both_modes_to_second_order_of_one_result(pick):
    check_grads(lambda x: triple(x)[pick], (3,))


def test_both_modes_to_second_order_of_all_results():
    check_grads(both, (3,))


def test_the_sample_axis_of_every_result():
    for pick in range(3):
        check_batching(lambda x, k=pick: triple(x)[k], (3,))
    check_batching(both, (3,))


def test_a_discrete_result_cuts():
    x = new_input(VECTOR)
    assert not reaches(elementwise("real", triple(x)[2]), x)
    assert reaches(triple(x)[1], x)


def test_the_type_of_several():
    x = new_input(VECTOR)
    node = Triple((x,), 0)
    assert isinstance(node.type, TupleType)
    assert node.kind == "real"
    assert str(node.type) == "[real (3,), real (3,), integer ()]"
    with pytest.raises(ShapeError, match="no result 3 among 3"):
        item(node, 3)
    with pytest.raises(KindError, match="Input has one result"):
        item(x, 0)


def test_a_bundle_gives_back_what_was_put_in_and_zeros():
    x, y = new_input(VECTOR), new_input(VECTOR)
    made = bundle([x, None, y], [VECTOR, TensorType((2, 2)), VECTOR])
    assert item(made, 0) is x
    assert items(made)[2] is y
    close(value(item(made, 1)), np.zeros((2, 2)))
    values = value(made, {x: [1.0, 2, 3], y: [4.0, 5, 6]})
    close(values[1], np.zeros((2, 2)))
    close(values[2], [4, 5, 6])
    with pytest.raises(ShapeError, match=r"result 0 is real \(3,\), got real \(2, 2\)"):
        bundle([new_input(TensorType((2, 2)))], [VECTOR])


def test_sums_of_bundles_go_item_by_item_and_make_no_zeros():
    x, y = new_input(VECTOR), new_input(VECTOR)
    whole = [VECTOR] * 3
    added = total([bundle([x, None, None], whole), bundle([y, x, None], whole)])
    assert isinstance(added, Bundle)
    assert added.places == (0, 1)
    assert added.args == (elementwise("add", x, y), x)


def test_a_bundle_is_differentiated_and_batched_like_its_parts():
    def f(x, y):
        made = bundle([elementwise("square", x), None, elementwise("exp", y)], [VECTOR] * 3)
        first, second, third = (Item((made,), k) for k in range(3))
        return elementwise("add", elementwise("multiply", first, third), second)

    check_grads(f, (3,), (3,))
    check_batching(f, (3,), (3,))


def test_nothing_of_several_is_left_where_they_are_known():
    x, y = new_input(VECTOR), new_input(VECTOR)
    made = bundle([x, None], [VECTOR, VECTOR])
    out = elementwise("multiply", elementwise("add", Item((made,), 0), Item((made,), 1)), y)
    program = run(Program((x, y), (out,)))
    assert program.outputs == (elementwise("multiply", x, y),)


@pytest.mark.parametrize("passes", [DEFAULT, FAST])
def test_passes_keep_the_values(passes):
    x = new_input(VECTOR)
    out = both(elementwise("multiply", x, constant(2.0)))
    (g,) = gradient([sum_axes(out, (0,))], [constant(1.0)], [x])
    (h,) = gradient([g], [constant(np.array([1.0, 2.0, 3.0]))], [x])
    before = Program((x,), (out, g, h), {x: "x"})
    after = verify(run(before, passes))
    feed = {x: np.array([0.3, 0.7, -0.2])}
    for old, new in zip(value(before.outputs, feed), value(after.outputs, feed), strict=True):
        close(new, old)


def test_text_shows_items():
    x = new_input(VECTOR)
    shown = text(Program((x,), tuple(triple(x)), {x: "x"}))
    assert "triple(%x, axis=0) : [real (3,), real (3,), integer ()]" in shown
    assert "item(%1, index=2) : integer ()" in shown


def test_there_is_no_index_form():
    x = new_input(VECTOR)
    sine, *_ = triple(x)
    # An item asks the node itself, its place as the first index; most kinds have no answer.
    assert RULES[Item].meaning(sine, (Num(3),), lambda i, at: (i, at)) == (0, (Num(0), Num(3)))
    with pytest.raises(FormulaError, match="several results"):
        RULES[Bundle].meaning(bundle([x], [VECTOR]), (), None)


def test_a_tangent_of_a_long_chain_takes_linear_time():
    x, t = new_input(VECTOR), new_input(VECTOR)
    y = x
    for _ in range(2000):
        y = both(y)
    assert tangent(y, [x], [t]).shape == (3,)


def test_no_tangent_is_zeros():
    x, t = new_input(VECTOR), new_input(VECTOR)
    out = elementwise("real", triple(x)[2])
    close(value(tangent(out, [x], [t])), 0.0)
