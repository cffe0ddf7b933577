"""The differential that stands in place of a formula, as it is written, against forward mode."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import FormulaError
from graphc.ops.linalg import DIFFERENTIALS
from tests.numerics import close


def test_the_exponential_of_a_matrix():
    """∫₀¹ exp(t A) dA exp((1 − t) A) dt."""
    exponential = pytest.importorskip("scipy.linalg").expm
    rng = np.random.default_rng(3)
    at, change = rng.normal(size=(2, 3, 3))
    a, tangent = gc.observed("A", (3, 3)), gc.observed("T", (3, 3))
    got = gc.compile_function([a, tangent], gc.jvp(gc.expm(a), a, tangent))(at, change)
    places, weights = np.polynomial.legendre.leggauss(30)
    expected = sum(
        w / 2 * exponential(t * at) @ change @ exponential((1 - t) * at)
        for t, w in zip((places + 1) / 2, weights, strict=True)
    )
    close(got, expected, 1e-9)
    assert DIFFERENTIALS.keys() == {"expm"}
    with pytest.raises(FormulaError) as error:
        gc.formula(gc.grad(gc.expm(a).sum(), a))
    assert DIFFERENTIALS["expm"] in str(error.value)
