"""The differentials that stand in place of formulas, as they are written, against forward mode."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import FormulaError
from graphc.ops.linalg import DIFFERENTIALS
from tests.numerics import close

RNG = np.random.default_rng(3)
SQUARE = RNG.normal(size=(3, 3))
TALL, CHANGE = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
POSITIVE = SQUARE @ SQUARE.T + np.eye(3)
SYMMETRIC = CHANGE[:3] + CHANGE[:3].T
inv = np.linalg.inv


def cholesky(a, da):
    low = np.linalg.cholesky(a)
    inner = inv(low) @ da @ inv(low).T
    return low @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)


def qr(a, da):
    q, r = np.linalg.qr(a)
    m = q.T @ da @ inv(r)
    omega = np.tril(m, -1) - np.tril(m, -1).T
    return q @ omega + (np.eye(len(a)) - q @ q.T) @ da @ inv(r), (m - omega) @ r


def eigh(a, da):
    values, v = np.linalg.eigh(a)
    gaps = values[None, :] - values[:, None] + np.eye(len(a))
    f = (1 - np.eye(len(a))) / gaps
    return np.einsum("ki,kl,li->i", v, da, v), v @ (f * (v.T @ da @ v))


def svd(a, da):
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return np.einsum("ki,kl,il->i", u, da, vt)


def pinv(a, da):
    p = np.linalg.pinv(a)
    left, right = np.eye(len(a)) - a @ p, np.eye(a.shape[1]) - p @ a
    return p @ p.T @ da.T @ left + right @ da.T @ p.T @ p - p @ da @ p


def expm(a, da):
    exponential = pytest.importorskip("scipy.linalg").expm
    places, weights = np.polynomial.legendre.leggauss(30)
    return sum(
        w / 2 * exponential(t * a) @ da @ exponential((1 - t) * a)
        for t, w in zip((places + 1) / 2, weights, strict=True)
    )


CASES = {
    "cholesky": (cholesky, np.linalg.cholesky, POSITIVE, SYMMETRIC),
    "qr": (qr, np.linalg.qr, TALL, CHANGE),
    "eigh": (eigh, np.linalg.eigh, POSITIVE, SYMMETRIC),
    "svd": (svd, lambda a: np.linalg.svd(a, full_matrices=False)[1], TALL, CHANGE),
    "pinv": (pinv, np.linalg.pinv, TALL, CHANGE),
    "expm": (expm, gc.expm, SQUARE, CHANGE[:3]),
}


def test_every_differential_is_checked():
    assert CASES.keys() == DIFFERENTIALS.keys()


@pytest.mark.parametrize("name", CASES)
def test_differential(name):
    rule, function, at, change = CASES[name]
    a = gc.observed("A", at.shape)
    results = function(a)
    results = list(results) if isinstance(results, tuple) else [results]
    tangent = gc.observed("T", at.shape)
    moved = [gc.jvp(result, a, tangent) for result in results]
    got = gc.compile_function([a, tangent], moved)(at, change)
    expected = rule(at, change)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for one, other in zip(got, expected, strict=True):
        close(one, other, 1e-9)
    with pytest.raises(FormulaError) as error:
        gc.formula(results[0])
    assert DIFFERENTIALS[name] in str(error.value)
