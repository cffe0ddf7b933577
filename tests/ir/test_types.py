"""Dimensions in their normal form, broadcasting, promotion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.errors import ShapeError
from graphc.types import (
    Dimension,
    TensorType,
    broadcast,
    evaluate,
    floor_divide,
    named,
    names_in,
    normal_axes,
    normal_axis,
    promote,
    shape_text,
    size_of,
)

N, M, K = named("n"), named("m"), named("k")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (N + M, M + N),
        (N * M, M * N),
        (N + N, 2 * N),
        (N * (M + 1), N * M + N),
        ((N + 1) * (N - 1), N * N - 1),
        ((N + M) * (N + M), N * N + 2 * N * M + M * M),
        (N - 1 + 1, N),
        (3 - (1 - N), N + 2),
        (0 - (0 - N), N),
        ((2 * N) // 2, N),
        ((2 * N + 4) // 2, N + 2),
        ((N * M) // N, M),
        ((N * M + 2 * N) // N, M + 2),
        ((6 * N * M) // (3 * M), 2 * N),
        (((N - 1) * M) // (N - 1), M),
        (((N + M) * (N - M)) // (N + M), N - M),
        ((N * M + M + N + 1) // (N + 1), M + 1),
        (N // N, 1),
        ((N + 1) // (N + 1), 1),
        (N // 1, N),
        (N - N, 0),
        (N * 0, 0),
        (0 * N, 0),
        (N - N + 3, 3),
        (0 // N, 0),
        ((N // 2) * 2, 2 * (N // 2)),
        (N // 2 + M, M + N // 2),
        (size_of((N, 2, M)), 2 * M * N),
        (size_of(()), 1),
        (size_of((N, 0)), 0),
    ],
    ids=str,
)
def test_equal_dimensions_are_equal(left, right):
    assert left == right
    assert hash(left) == hash(right)
    assert str(left) == str(right)
    assert type(left) is type(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(N, M), (N, 1), (N, N + 1), (N * M, N + M), (N // 2, N), (N // 2, N // 3), (N * N, 2 * N),
     (N // 2, (N + 1) // 2), ((N // 2) * 2, N)],
    ids=str,
)  # fmt: skip
def test_different_dimensions_are_different(left, right):
    assert left != right


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (N, "n"),
        (N + 1, "n + 1"),
        (1 + N, "n + 1"),
        (N - 1, "n - 1"),
        (1 - N, "-n + 1"),
        (-N, "-n"),
        (2 * N * M, "2*m*n"),
        (N * N - M, "-m + n*n"),
        (N // 2, "(n)//2"),
        ((N + 1) // 2, "(n + 1)//2"),
        (N // M, "(n)//m"),
        (N // (M + 1), "(n)//(m + 1)"),
        (3 * ((N + 1) // 2) - 1, "3*((n + 1)//2) - 1"),
        ((N // 2) * (M // 2), "((m)//2)*((n)//2)"),
        ((3 * N + 5) // 2, "n + (n + 1)//2 + 2"),
        ((N - 3) // 2 + 1, "(n + 1)//2 - 1"),
    ],
)
def test_dimensions_print_as_python(dim, text):
    assert str(dim) == repr(dim) == text
    for sizes in ({"n": 7, "m": 3}, {"n": 6, "m": 5}):
        assert eval(text, {}, sizes) == evaluate(dim, sizes)


@pytest.mark.parametrize(
    ("dim", "sizes", "expected"),
    [
        (5, {}, 5),
        (N, {"n": 3}, 3),
        (N * M + 1, {"n": 3, "m": 4}, 13),
        ((N + 1) // 2, {"n": 4}, 2),
        (N // M, {"n": 7, "m": 2}, 3),
        (N * M, {"n": 3}, 3 * M),
        (N + M, {"n": M}, 2 * M),
        (N // 2, {"n": 4 * M}, 2 * M),
        (N - M, {"n": M}, 0),
    ],
    ids=str,
)
def test_evaluate(dim, sizes, expected):
    assert evaluate(dim, sizes) == expected


def test_names_in():
    assert names_in(3) == set()
    assert names_in(2 * N + (M + 1) // K) == {"n", "m", "k"}


@st.composite
def dims(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([N, M, K, 1, 2, 3]))
    left, right = draw(dims(depth=depth - 1)), draw(dims(depth=depth - 1))
    return draw(st.sampled_from([left + right, left * right, left - right]))


@settings(max_examples=200, derandomize=True)
@given(dims(), dims(), st.tuples(*[st.integers(1, 9)] * 3))
def test_arithmetic_commutes_with_evaluation(a, b, sizes):
    at = dict(zip("nmk", sizes, strict=True))
    x, y = evaluate(a, at), evaluate(b, at)
    assert isinstance(x, int)
    assert evaluate(a + b, at) == x + y
    assert evaluate(a - b, at) == x - y
    assert evaluate(a * b, at) == x * y
    assert a * b == b * a
    assert (a + b) - b == a
    if y and b != 0:
        assert evaluate(floor_divide(a, b), at) == x // y
        assert floor_divide(a * b, b) == a


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (((2, 3), (3,)), (2, 3)),
        (((2, 1), (1, 3)), (2, 3)),
        (((), (4,)), (4,)),
        (((N, 1), (M,)), (N, M)),
        (((N,), (N,)), (N,)),
        (((N,), (1,)), (N,)),
        (((1, 1), (N,), (M, 1)), (M, N)),
        (((0,), (1,)), (0,)),
        ((), ()),
    ],
    ids=str,
)
def test_broadcast(shapes, expected):
    assert broadcast(*shapes) == expected


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (((2,), (3,)), ["(2,)", "(3,)", "2 against 3"]),
        (((N,), (M,)), ["(n,)", "(m,)", "n against m"]),
        (((N,), (2,)), ["(n,)", "(2,)"]),
        (((2, N), (N, 2)), ["(2, n)", "(n, 2)"]),
        (((N + 1,), (N,)), ["n + 1 against n"]),
        (((0,), (2,)), ["0 against 2"]),
    ],
    ids=str,
)
def test_what_does_not_broadcast(shapes, words):
    with pytest.raises(ShapeError):
        broadcast(*reversed(shapes))
    with pytest.raises(ShapeError) as caught:
        broadcast(*shapes)
    for word in words:
        assert word in str(caught.value)


@settings(max_examples=100, derandomize=True)
@given(
    st.lists(st.lists(st.sampled_from([1, 2, 3]), max_size=3).map(tuple), min_size=1, max_size=3)
)
def test_broadcasting_of_numbers_is_numpys(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError):
            broadcast(*shapes)
    else:
        assert broadcast(*shapes) == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["boolean"], "boolean"),
        (["boolean", "integer"], "integer"),
        (["real", "boolean"], "real"),
        (["integer", "real", "integer"], "real"),
    ],
)
def test_promotion(kinds, expected):
    assert promote(kinds) == expected


def test_axes():
    assert normal_axis(-1, 3) == 2
    assert normal_axes(None, 2) == (0, 1)
    assert normal_axes((-1, 0), 3) == (0, 2)
    assert normal_axes((), 3) == ()
    with pytest.raises(ShapeError, match="axis 2 is out of range for an array with 2 axes"):
        normal_axis(2, 2)
    with pytest.raises(ShapeError, match="twice"):
        normal_axes((0, -2), 2)


def test_text_of_shapes_and_types():
    assert [shape_text(s) for s in [(), (3,), (N, 3), (N + 1,)]] == [
        "()", "(3,)", "(n, 3)", "(n + 1,)"
    ]  # fmt: skip
    assert str(TensorType((N, 2), "integer")) == "integer (n, 2)"
    assert isinstance(N, Dimension)
