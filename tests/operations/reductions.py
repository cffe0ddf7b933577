"""Sums, extremes, norms and order along axes."""

import numpy as np

from tests.operations.case import Case
from tests.operations.shapes import case as compared

RNG = np.random.default_rng(6)
A, C, V = (RNG.normal(size=shape) for shape in ((3, 4), (2, 3, 4), (5,)))
HOLES = np.where(RNG.uniform(size=(3, 4)) < 0.3, np.nan, A)
FLAGS, COUNTS = A > 0.3, np.array([[3, 0, 2], [0, 0, 5]])


def case(name, function, *arguments, **options):
    return compared(name, function, *arguments, group="reductions", **options)


def norm(label, *shape, **options):
    x = RNG.normal(size=shape)
    return case(f"np.linalg.norm, {label}", lambda m, a: m.linalg.norm(a, **options), x)


def values(name, function, *arguments):
    """NumPy's own values; JAX has no such function, or another."""
    return Case(name, "reductions", lambda *v: function(np, *v), lambda *a: function(np, *a),
                arguments, differentiable=False, framework="numpy")  # fmt: skip


CASES = [
    case("np.sum", lambda m, a: m.sum(a, axis=(0, 2), keepdims=True), C),
    case("np.sum, where and initial", lambda m, a: m.sum(a, axis=1, where=FLAGS, initial=2.0), A),
    case("np.sum of booleans", lambda m, a: m.sum(a, axis=0), FLAGS, differentiable=False),
    case("np.mean", lambda m, a: m.mean(a, axis=-1), C),
    case("np.mean, where", lambda m, a: m.mean(a, axis=0, where=FLAGS), A),
    case("np.prod", lambda m, a: m.prod(a, axis=(0, 1)), C, second=True),
    case("np.prod, initial", lambda m, a: m.prod(a, axis=1, initial=3.0), A),
    case("np.max", lambda m, a: m.max(a, axis=1), C),
    case("np.max, where and initial", lambda m, a: m.max(a, axis=1, where=FLAGS, initial=-9.0), A),
    case("np.min", lambda m, a: m.min(a), A),
    case("np.argmax", lambda m, a: m.argmax(a, axis=1), C, differentiable=False),
    case("np.argmax of all", lambda m, a: m.argmax(a, keepdims=True), A, differentiable=False),
    case("np.argmin", lambda m, a: m.argmin(a, axis=0, keepdims=True), A, differentiable=False),
    case("np.any", lambda m, a: m.any(a, axis=1), FLAGS, differentiable=False),
    case("np.all", lambda m, a: m.all(a, axis=0), FLAGS, differentiable=False),
    case("np.any of numbers", lambda m, a: m.any(a, axis=1), COUNTS, differentiable=False),
    case("np.count_nonzero", lambda m, a: m.count_nonzero(a, axis=1), COUNTS, differentiable=False),
    case("np.var", lambda m, a: m.var(a, axis=0), A, second=True),
    case("np.var, ddof", lambda m, a: m.var(a, axis=(0, 1), ddof=1, keepdims=True), C),
    case("np.std", lambda m, a: m.std(a, axis=1), A, second=True),
    norm("all", 3, 4),
    norm("of a vector", 5),
    norm("ord=1", 5, ord=1),
    norm("ord=3", 3, 4, ord=3, axis=1),
    norm("ord=2.5, keepdims", 3, 4, ord=2.5, axis=0, keepdims=True),
    norm("ord=-1", 5, ord=-1),
    norm("ord=inf", 3, 4, ord=np.inf, axis=1),
    norm("ord=-inf", 5, ord=-np.inf),
    norm("fro", 2, 3, 4, ord="fro", axis=(2, 0), keepdims=True),
    norm("of matrices, ord=1", 3, 4, ord=1),
    norm("of matrices, ord=-inf", 2, 3, 4, ord=-np.inf, axis=(0, 2)),
    norm("of matrices, ord=2", 3, 4, ord=2),
    norm("of matrices, nuc", 3, 4, ord="nuc"),
    case("np.linalg.norm, ord=0", lambda m, a: m.linalg.norm(a, 0), np.array([0.0, 2.0]),
         differentiable=False),
    case("np.linalg.vector_norm", lambda m, a: m.linalg.vector_norm(a, axis=(0, 2), ord=3), C),
    case("np.cumsum", lambda m, a: m.cumsum(a, axis=1), C, second=True),
    case("np.cumsum of all", lambda m, a: m.cumsum(a), A),
    case("np.cumulative_sum", lambda m, a: m.cumulative_sum(a, axis=0, include_initial=True), A),
    case("np.cumprod", lambda m, a: m.cumprod(a, axis=1), A, second=True),
    case("np.sort", lambda m, a: m.sort(a, axis=0), A, second=True),
    case("np.sort of all", lambda m, a: m.sort(a, axis=None), A),
    case("np.argsort", lambda m, a: m.argsort(a, axis=1), C, differentiable=False),
    case("np.argsort of equals", lambda m, a: m.argsort(a, axis=1, stable=True), COUNTS,
         differentiable=False),
    case("np.average", lambda m, a, w: m.average(a, axis=1, weights=w), A,
         RNG.uniform(size=(3, 4))),
    case("np.average, weights of an axis", lambda m, a, w: m.average(a, 0, w), A,
         RNG.uniform(size=3)),
    case("np.ptp", lambda m, a: m.ptp(a, axis=1), A),
    case("np.median", lambda m, a: m.median(a), V),
    case("np.median, even", lambda m, a: m.median(a, axis=(0, 2), keepdims=True), C),
    case("np.quantile", lambda m, a: m.quantile(a, np.array([0.1, 0.5, 0.8]), axis=1), A),
    case("np.quantile, lower", lambda m, a: m.quantile(a, 0.3, axis=0, method="lower"), A),
    case("np.percentile", lambda m, a: m.percentile(a, 35.0, axis=-1), C),
    values("np.quantile, hazen", lambda m, a: m.quantile(a, 0.3, axis=1, method="hazen"), A),
    values("np.quantile, weibull", lambda m, a: m.quantile(a, 0.95, axis=1, method="weibull"), A),
    case("np.nansum", lambda m, a: m.nansum(a, axis=1), HOLES),
    case("np.nanprod", lambda m, a: m.nanprod(a, axis=0), HOLES),
    case("np.nanmean", lambda m, a: m.nanmean(a, axis=1), HOLES),
    case("np.nanvar", lambda m, a: m.nanvar(a, axis=1, ddof=1), HOLES),
    case("np.nanmax", lambda m, a: m.nanmax(a, axis=1), HOLES),
    case("np.nanmin", lambda m, a: m.nanmin(a, axis=1, keepdims=True), HOLES),
    case("np.cov", lambda m, a: m.cov(a), A),
    case("np.cov of columns", lambda m, a: m.cov(a, rowvar=False, ddof=0), A),
    case("np.corrcoef", lambda m, a: m.corrcoef(a), A),
]  # fmt: skip
