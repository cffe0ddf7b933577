"""Quantiles of elements that weigh differently, as NumPy's `inverted_cdf`."""

import warnings

import numpy as np
import pytest

import graphc as gc
from graphc.errors import DerivativeError, ShapeError, UsageError

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 5))
A[1, 2] = A[1, 3]
W = RNG.integers(0, 4, size=(4, 5)).astype(float)
W[:, 0] = 1
X, V = gc.observed("x", (4, 5)), gc.observed("v", (4, 5))
METHOD = {"method": "inverted_cdf"}


@pytest.mark.parametrize("function", [np.quantile, np.nanquantile])
@pytest.mark.parametrize(
    "options",
    [{"axis": 1}, {"axis": 0}, {}, {"axis": (1, 0)}, {"axis": -1, "keepdims": True}],
    ids=str,
)
def test_as_in_numpy(function, options):
    for q in (0.3, 0.0, 1.0, [0, 0.25, 0.5, 1]):
        made = function(X, q, weights=V, **METHOD, **options)
        got = gc.compile_function([X, V], made)(A, W)
        np.testing.assert_array_equal(got, function(A, q, weights=W, **METHOD, **options))


def test_weights_along_an_axis():
    for axis, weights in ((1, [0, 1, 2, 0, 3]), (0, [2, 0, 1, 1])):
        made = np.percentile(X, [10, 50], axis=axis, weights=np.array(weights), **METHOD)
        want = np.percentile(A, [10, 50], axis=axis, weights=np.array(weights), **METHOD)
        np.testing.assert_array_equal(gc.compile_function([X], made)(A), want)


def test_what_is_no_number():
    holed = A.copy()
    holed[0, 1], holed[2] = np.nan, np.nan
    for function in (np.quantile, np.nanquantile):
        made = function(X, 0.4, axis=1, weights=V, **METHOD)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = function(holed, 0.4, axis=1, weights=W, **METHOD)
        np.testing.assert_array_equal(gc.compile_function([X, V], made)(holed, W), want)


def test_weights_that_mean_nothing_give_nan():
    f = gc.compile_function([X, V], np.quantile(X, 0.4, axis=1, weights=V, **METHOD))
    wrong = W.copy()
    wrong[0], wrong[1, 1] = 0, -1
    assert np.isnan(f(A, wrong)).tolist() == [True, True, False, False]


def test_the_derivative_is_that_of_the_element():
    made = np.quantile(X, 0.4, weights=V, **METHOD)
    got = gc.compile_function([X, V], [made, gc.grad(made, X)])(A, W)
    np.testing.assert_array_equal(got[1], got[0] == A)
    with pytest.raises(DerivativeError, match="boolean values, which cuts the path"):
        gc.grad(made, V)


def test_with_samples():
    shift = gc.parameter("shift", 5)
    x, v = gc.observed("x", 5), gc.observed("v", 5)
    rows = A + np.linspace(0, 0.1, 5)  # no two of a row are equal
    cost = gc.cost(np.quantile(x + shift, 0.6, weights=v, **METHOD))
    loss, grads = gc.compile(gc.Graph(cost)).loss_and_grad((np.zeros(5),), x=rows, v=W)
    want = np.quantile(rows, 0.6, axis=1, weights=W, **METHOD)
    np.testing.assert_allclose(loss, want.mean())
    np.testing.assert_allclose(grads.shift, (rows == want[:, None]).mean(axis=0))


def test_refused():
    with pytest.raises(UsageError, match="takes weights with method='inverted_cdf'"):
        np.quantile(X, 0.4, weights=V)
    with pytest.raises(ShapeError, match=r"got \(5,\) for \(4, 5\)"):
        np.quantile(X, 0.4, weights=np.ones(5), **METHOD)
    with pytest.raises(UsageError, match="takes known numbers q, got 'a'"):
        np.quantile(X, "a")
