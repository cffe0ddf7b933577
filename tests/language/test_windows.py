"""Windows and folds as users write them."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.windows import fold, windows
from tests.numerics import value

X = np.arange(24.0).reshape(2, 3, 4)


def image():
    return gc.observed("x", shape=X.shape)


def test_windows_of_numpy():
    view = np.lib.stride_tricks.sliding_window_view
    x = image()
    np.testing.assert_array_equal(value(view(x, (2, 3), (1, 2)), {x: X}), view(X, (2, 3), (1, 2)))
    np.testing.assert_array_equal(value(view(x, (1, 2, 2)), {x: X}), view(X, (1, 2, 2)))
    np.testing.assert_array_equal(value(view(x, 2, -1), {x: X}), view(X, 2, -1))


def test_folding_windows_counts_how_often_an_element_is_covered():
    x = image()
    back = fold(windows(x, (2, 2), (1, 2)), (2, 2), (1, 2), (2, 3, 4))
    covered = np.outer([1, 2, 1], [1, 2, 2, 1])
    np.testing.assert_array_equal(value(back, {x: X}), X * covered)


def test_a_named_size():
    x = gc.observed("x", shape=("n", 2))
    w = windows(x, 3, 0, stride=2)
    assert str(w.shape) == "((n + 1)//2 - 1, 2, 3)"
    run = gc.compile_function([x], w)
    data = np.arange(14.0).reshape(7, 2)
    np.testing.assert_array_equal(
        run(data), np.lib.stride_tricks.sliding_window_view(data, 3, 0)[::2]
    )


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: windows(x, (2, 5), (1, 2)), ShapeError, ["span 5", "axis 2", "(2, 3, 4)"]),
        (lambda x: windows(x, (2, 2), 1), ShapeError, ["1 axes", "2"]),
        (lambda x: windows(x, 2, 3), ShapeError, ["axis 3"]),
        (lambda x: windows(x, 2, 1, stride=0), ShapeError, ["at least 1"]),
        (lambda x: fold(x, 3, 1, (2, 5)), ShapeError, ["(2, 3, 3)", "(2, 3, 4)"]),
        (
            lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
            ShapeError,
            ["3 axes", "'x'"],
        ),
        (
            lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 0, writeable=True),
            UsageError,
            ["writeable"],
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error) as caught:
        make(image())
    for word in words:
        assert word in str(caught.value)
