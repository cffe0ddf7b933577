"""Basic indexing, and an integer variable as an index: what NumPy reads from an array."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, KindError, ShapeError, UsageError
from tests.numerics import value

T = np.arange(60.0).reshape(3, 4, 5)
X = gc.observed("x", shape=T.shape)
AT = {
    "k": (gc.observed("k", classes=3), np.array(2)),
    "i": (gc.observed("i", shape=2, kind="integer"), np.array([2, 0])),
    "j": (gc.observed("j", shape=(2, 3), kind="integer"), np.array([[0, 1, 2], [2, 2, 0]])),
}

S = slice
BASIC = [
    0, -1, np.int64(1), S(None), S(1, None), S(None, -1), S(None, None, 2), S(None, None, -1),
    S(2, 0, -1), S(5, 1), S(1, 100), S(-100, 2), None, Ellipsis, (), (0, 1), (0, 1, 2),
    (-1, -1, -1),
    (S(None), 1), (S(1, None), S(None, 2), S(None, None, -2)), (Ellipsis, 0), (Ellipsis, None),
    (None, 0, None), (0, Ellipsis, -1), (Ellipsis, S(1, 3)), (None, Ellipsis, None),
    (1, None, S(2)),
    (S(None), None, 0, None, S(None, None, 3)), (0, 1, 2, Ellipsis), (S(1, 1), 0),
]  # fmt: skip


@pytest.mark.parametrize("key", BASIC, ids=str)
def test_basic_indexing(key):
    made = X[key]
    assert made.shape == T[key].shape
    np.testing.assert_array_equal(value(made, {X: T}), T[key])


@pytest.mark.parametrize("name", AT)
@pytest.mark.parametrize(
    "key",
    [
        lambda i: i,
        lambda i: (i,),
        lambda i: (Ellipsis, i),
        lambda i: (slice(None), i),
        lambda i: (slice(None), i, slice(1, None)),
        lambda i: (slice(1, None), slice(None, None, -1), i),
        lambda i: (None, i),
        lambda i: (slice(None), i, None),
        lambda i: (0, i),
        lambda i: (i, 0),
        lambda i: (slice(None), 1, i),
        lambda i: (i, Ellipsis, slice(0, 2)),
        # Two indices with a slice between them: NumPy puts what they read in front.
        lambda i: (0, slice(None), i),
        lambda i: (i, slice(None), 0),
        lambda i: (i, None, 0),
        lambda i: (0, None, i, None),
        lambda i: (i, Ellipsis, 0),
        lambda i: (None, 0, slice(1, 3), i),
        lambda i: (slice(None), i, Ellipsis, 0),
        lambda i: (slice(None), Ellipsis, i, 0),
    ],
)
def test_an_integer_variable(name, key):
    i, places = AT[name]
    try:
        expected = T[key(places)]
    except IndexError:
        pytest.fail("the test is out of range")
    made = X[key(i)]
    assert made.shape == expected.shape
    np.testing.assert_array_equal(value(made, {X: T, i: places}), expected)


MASK = np.arange(12).reshape(3, 4) % 5 < 2
ADVANCED = [
    [0, 2], np.array([0, -1]), (S(None), [1, 0]), ([0, 2], [1, -1]), ([0, 2], S(None), [1, -1]),
    (S(1), [[0], [3]], [1, 2, 0]), ([0, 2], 1), (0, [1, 3]), (0, S(1, 3), [1, 3, 3]),
    (None, [0, 2], None, [1, 0]), ([[0, 1], [2, 2]], Ellipsis, [0]), (Ellipsis, [4, 0], None),
    ([0, 1, 2], [0, 1, 2], [0, 1, 2]), MASK, MASK[:, 0], (S(None), MASK[0]),
    (S(None, None, -1), S(None), [True, False, False, True, False]), (MASK, [0] * MASK.sum()),
    (MASK, None), (T > 20), ([],), (S(1, None), [2, 0], S(None, None, 2)),
]  # fmt: skip


@pytest.mark.parametrize("key", ADVANCED, ids=str)
def test_arrays_as_indices(key):
    made = X[key]
    assert made.shape == T[key].shape
    np.testing.assert_array_equal(value(made, {X: T}), T[key])


def test_a_constant_as_an_index():
    np.testing.assert_array_equal(value(X[gc.constant([2, 0])], {X: T}), T[[2, 0]])
    np.testing.assert_array_equal(value(X[gc.constant(MASK)], {X: T}), T[MASK])


def test_several_variables_as_indices():
    (i, a), (j, b) = AT["i"], AT["j"]
    feed = {X: T, i: a, j: b}
    np.testing.assert_array_equal(value(X[i, :, i], feed), T[a, :, a])
    np.testing.assert_array_equal(value(X[j, j + 1], feed), T[b, b + 1])
    np.testing.assert_array_equal(value(X[j, [1, 2, 0]], feed), T[b, [1, 2, 0]])


UPDATES = [
    (0, 7.0), (S(1, None), 0.5), ((S(None), [0, 2]), np.arange(5.0)), ((0, 1, 2), -1.0),
    (S(None, None, -2), np.arange(20.0).reshape(4, 5)), ((Ellipsis, None), 3.0),
    (([0, 2], S(None), [1, -1]), 2.0), (MASK, np.arange(5.0)), (T > 20, 0.0),
    ((S(1, None), [1, 3], S(None, None, 2)), np.array([[1.0], [2.0]])), (Ellipsis, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "new"), UPDATES, ids=str)
def test_updates(key, new):
    expected = T.copy()
    expected[key] = new
    np.testing.assert_array_equal(value(gc.at_set(X, key, new), {X: T}), expected)
    added = T.copy()
    added[key] += new
    np.testing.assert_array_equal(value(gc.at_add(X, key, new), {X: T}), added)


def test_places_that_are_named_twice():
    key = ([0, 1, 0],)
    new = np.arange(15.0).reshape(3, 1, 5)
    expected, added = T.copy(), T.copy()
    expected[key] = new
    np.add.at(added, key, new)
    np.testing.assert_array_equal(value(gc.at_set(X, key, new), {X: T}), expected)
    np.testing.assert_array_equal(value(gc.at_add(X, key, new), {X: T}), added)


def test_updates_of_named_sizes():
    expected = DATA.copy()
    expected[1:] = 3.0
    np.testing.assert_array_equal(
        value(gc.at_set(N, slice(1, None), 3.0), {N: DATA}, n=5), expected
    )


N = gc.observed("z", shape=("n", 4))
DATA = np.arange(20.0).reshape(5, 4)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        (S(None), "(n, 4)"),
        (S(1, None), "(n - 1, 4)"),
        (S(None, -1), "(n - 1, 4)"),
        (S(1, -1), "(n - 2, 4)"),
        (S(-2, None), "(2, 4)"),
        (S(-3, -1), "(2, 4)"),
        (S(-1, -3), "(0, 4)"),
        (S(None, 0), "(0, 4)"),
        (S(2, 0), "(0, 4)"),
        (-1, "(4,)"),
        (1, "(4,)"),
        ((Ellipsis, 1), "(n,)"),
        ((None, S(2, None)), "(1, n - 2, 4)"),
        (S(None, None, 1), "(n, 4)"),
        (S(None, None, 2), "((n + 1)//2, 4)"),
        (S(1, None, 3), "((n + 1)//3, 4)"),
        (S(None, None, -1), "(n, 4)"),
        (S(None, None, -2), "((n + 1)//2, 4)"),
    ],
    ids=str,
)
def test_axes_of_named_sizes(key, shape):
    made = N[key]
    assert str(made.shape).replace("'", "") == shape
    np.testing.assert_array_equal(value(made, {N: DATA}, n=5), DATA[key])


@pytest.mark.parametrize(
    ("variable", "key", "error", "words"),
    [
        (X, 3, ShapeError, ["index 3 is out of range", "size 3"]),
        (X, (0, 4), ShapeError, ["index 4", "size 4"]),
        (X, -4, ShapeError, ["index -4"]),
        (X, (0, 0, 0, 0), ShapeError, ["4 indices", "(3, 4, 5)"]),
        (X, (Ellipsis, Ellipsis), GraphcError, ["..."]),
        (X, "a", UsageError, ["cannot index with 'a'"]),
        (X, 1.0, UsageError, ["cannot index with 1.0"]),
        (X, True, UsageError, ["cannot index with True"]),
        (X, X, GraphcError, ["integers", "real (3, 4, 5)"]),
        (X, X > 0, KindError, ["boolean", "np.where(mask, x, 0)"]),
        (N, S(None, 3), ShapeError, ["whether n reaches 3"]),
        (N, S(3, None, -2), ShapeError, ["named size n", "x[a:b][::-2]"]),
        (X, [0, 3], ShapeError, ["index 3 is out of range", "size 3"]),
        (X, [-4], ShapeError, ["index -4"]),
        (X, [0.5], KindError, ["integers"]),
        (X, [True, False], ShapeError, ["mask of size 2", "axis 0", "(3, 4, 5)"]),
        (X, ([0, 1], [0, 1, 2]), ShapeError, ["(2,)", "(3,)"]),
        (X, gc.observed("l", classes=4), ShapeError, ["'l'", "0 to 3", "3 elements"]),
        (X, S(None, None, 0), GraphcError, ["step"]),
    ],
)
def test_what_cannot_index(variable, key, error, words):
    with pytest.raises(error) as caught:
        variable[key]
    for word in ["test_indexing.py:", *words]:
        assert word in str(caught.value)
