"""Sequences, polynomials, quantiles without nan, padding by statistics, counts, kinds."""

import numpy as np

import graphc as gc
from tests.operations.case import Case
from tests.operations.shapes import case as compared

RNG = np.random.default_rng(16)
A, C, V = (RNG.normal(size=shape) for shape in ((3, 4), (2, 3, 4), (6,)))
W = RNG.normal(size=3)
HOLES = np.where(RNG.uniform(size=(3, 5)) < 0.3, np.nan, RNG.normal(size=(3, 5)))
I5 = np.array([3, 0, 2, 2, 5])
S, E = np.array(1.5), np.array(4.0)


def case(name, function, *arguments, group="sequences and polynomials", **options):
    return compared(name, function, *arguments, group=group, **options)


def values(name, function, *arguments, group="sequences and polynomials"):
    """NumPy's own values; JAX has no such function, or another."""
    return Case(name, group, lambda *v: function(np, *v), lambda *a: function(np, *a),
                arguments, differentiable=False, framework="numpy")  # fmt: skip


def padded(mode, **options):
    label = "".join(f", {k}={v}" for k, v in options.items())
    return case(f"np.pad, {mode}{label}",
                lambda m, a: m.pad(a, ((1, 2), (2, 0)), mode=mode, **options), A,
                group="shapes", second=mode == "linear_ramp")  # fmt: skip


def cumulative(name, m, a, axis):
    """JAX has cummax and cummin under names of its own."""
    if m is np:
        return getattr(np, name).accumulate(a, axis=axis)
    import jax

    return {"maximum": jax.lax.cummax, "minimum": jax.lax.cummin}[name](a, axis)


def scipy(name, function, *arguments, **options):
    """A ufunc of SciPy's, whose values SciPy knows."""

    def build(*v):
        import scipy.special

        return function(scipy.special, *v)

    return Case(f"scipy.special.{name}", "compositions of SciPy's", build, build, arguments,
                differentiable=False, framework="numpy", **options)  # fmt: skip


P = RNG.uniform(0.2, 2.0, size=5)

CASES = [
    padded("linear_ramp", end_values=2.0),
    padded("maximum"),
    padded("mean", stat_length=2),
    padded("median"),
    padded("minimum", stat_length=1),
    padded("reflect", reflect_type="odd"),
    case("np.nanmedian", lambda m, a: m.nanmedian(a, axis=1), HOLES, group="reductions"),
    case("np.nanquantile", lambda m, a: m.nanquantile(a, 0.3, axis=0), HOLES, group="reductions"),
    case("np.nanpercentile", lambda m, a: m.nanpercentile(a, np.array([20.0, 90.0]), axis=1),
         HOLES, group="reductions", second=True),
    case("np.nanstd", lambda m, a: m.nanstd(a, axis=1), HOLES[:2, :4], group="reductions"),
    case("np.nancumsum", lambda m, a: m.nancumsum(a, axis=1), HOLES, group="reductions"),
    case("np.nanargmax", lambda m, a: m.nanargmax(a, axis=1), HOLES, group="reductions",
         differentiable=False),
    case("np.maximum.accumulate", lambda m, a: cumulative("maximum", m, a, 1), A, second=True,
         group="reductions"),
    case("np.minimum.accumulate", lambda m, a: cumulative("minimum", m, a, 0), C,
         group="reductions"),
    case("np.add.reduce", lambda m, a: m.add.reduce(a, axis=1), C, group="reductions"),
    case("np.logaddexp.reduce", lambda m, a: m.logaddexp.reduce(a, axis=0), A, group="reductions"),
    case("np.subtract.outer", lambda m, a, b: m.subtract.outer(a, b), V, W, second=True),
    case("np.partition, its first part", lambda m, a: m.sort(m.partition(a, 2)[:3]), V),
    case("np.lexsort", lambda m, a, b: m.lexsort((a, b)), V, np.array([1, 0, 1, 0, 1, 2]),
         differentiable=False),
    case("np.bincount, weights", lambda m, w: m.bincount(I5, w, 6) if m is not np else
         gc.at_add(np.zeros(6), I5, w), V[:5]),
    values("np.bincount", lambda m, a: m.bincount(a, minlength=6), I5),
    values("np.histogram", lambda m, a: m.histogram(a, bins=4, range=(-1, 1))[0], A),
    case("np.histogram, weights", lambda m, w: m.histogram(
        gc.constant(V) if m is np else V, np.array([-1.0, 0.0, 1.0]), weights=w)[0], V),
    case("np.isin", lambda m, a: m.isin(a, m.array([0, 2])), I5, differentiable=False),
    case("np.ediff1d", lambda m, a: m.ediff1d(a), A),
    case("np.unwrap", lambda m, a: m.unwrap(a, axis=0), 3 * A),
    case("np.linspace", lambda m, a, b: m.linspace(a, b, 5), S, E, second=True),
    case("np.linspace, endpoint=False", lambda m, a, b: m.linspace(a, b, 4, endpoint=False), W, S),
    case("np.logspace", lambda m, a, b: m.logspace(a, b, 4), S, E / 2, second=True),
    case("np.geomspace", lambda m, a, b: m.geomspace(a, b, 5), S, E, second=True),
    case("np.insert", lambda m, a: m.insert(a, np.array([1, 3]), 9.0, axis=1), A),
    case("np.resize", lambda m, a: m.resize(a, (3, 5)), A),
    case("np.compress", lambda m, a: m.compress(np.array([True, False, True]), a, axis=0), A),
    case("np.piecewise", lambda m, a: m.piecewise(a, [a < 0, a > 1],
         [lambda v: -v, lambda v: v**2, lambda v: v]), A),
    case("np.fft.fftshift", lambda m, a: m.fft.fftshift(a), A),
    case("np.interp, period", lambda m, a, f: m.interp(a, np.array([0.3, 0.5, 0.9]), f,
         period=1.0), A, W),
    values("np.gradient, places", lambda m, a: m.gradient(
        a, np.array([0.0, 1.0, 3.0, 4.5]), axis=1, edge_order=2), A),
    case("np.polyadd", lambda m, a, b: m.polyadd(a, b), V, W),
    case("np.polymul", lambda m, a, b: m.polymul(a, b), V, W, second=True),
    case("np.polyder", lambda m, a: m.polyder(a, 2), V),
    case("np.polyint", lambda m, a: m.polyint(a, 2), V),
    case("np.poly", lambda m, a: m.poly(a), W, second=True),
    case("np.polyfit", lambda m, y: m.polyfit(np.arange(6.0), y, 2), V),
    case("np.polyfit, by the places", lambda m, x: m.polyfit(x, np.arange(6.0) ** 2, 2),
         np.arange(6.0) + 0.1 * V, tolerance=1e-8),
    case("np.allclose", lambda m, a: m.allclose(a, a), A, group="shapes", differentiable=False),
    case("v.astype(int)", lambda m, a: (3 * a).astype(int), A, group="kinds",
         differentiable=False),
    case("v.astype(float)", lambda m, a: a.astype(float) * 0.5, I5, group="kinds",
         differentiable=False),
    case("np.astype(v, bool)", lambda m, a: m.astype(a, bool), I5, group="kinds",
         differentiable=False),
    case("v.mT", lambda m, a: a.mT, C, group="shapes"),
    case('np.reshape, order="F"', lambda m, a: m.reshape(a, (2, 6), order="F"), A, group="shapes"),
    scipy("boxcox", lambda m, x: m.boxcox(x, 0.3), P),
    scipy("inv_boxcox1p", lambda m, x: m.inv_boxcox1p(x, 0.5), P),
    scipy("huber", lambda m, x: m.huber(0.5, x), P),
    scipy("pseudo_huber", lambda m, x: m.pseudo_huber(0.5, x), P),
    scipy("binom", lambda m, x: m.binom(x + 3, x), P),
    scipy("powm1", lambda m, x: m.powm1(x, 1e-3), P),
    scipy("iv", lambda m, x: m.iv(2, x), P),
    scipy("zeta", lambda m, x: m.zeta(3, x), P),
    scipy("j0", lambda m, x: m.j0(3 * x), P),
    scipy("j1", lambda m, x: m.j1(3 * x), P),
    scipy("jv", lambda m, x: m.jv(2, 3 * x), P),
    scipy("eval_legendre", lambda m, x: m.eval_legendre(5, x), P),
    scipy("eval_hermite", lambda m, x: m.eval_hermite(4, x), P),
    scipy("eval_chebyt", lambda m, x: m.eval_chebyt(5, x), P),
    scipy("exp10", lambda m, x: m.exp10(x), P),
]  # fmt: skip
