"""Functions of vectors and costs where floating point is at its limits, against mpmath.

As in `test_hard_points`: wherever the true number can be represented, values and gradients of both
emitted styles, in float64 and in float32, must have it.
"""

from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest

import graphc as gc

WIDE = [0.0, 1e-320, 1e-300, 1e-200, 1e-38, 1e-20, 1.0, 30.0, 88.0, 200.0, 700.0, 1e19, 1e38,
        1e200, 1e300]  # fmt: skip
SHAPES = [(3.0, -4.0, 0.5), (1.0, 1.0, 1.0), (-1.0, 1.0, 0.0), (-2.0, -2.0, -5.0)]
VECTORS = [tuple(s * x for x in shape) for s in WIDE for shape in SHAPES]
TARGET = (0.2, 0.7, 0.1)


@dataclass(frozen=True)
class Exact:
    """A function of a vector, a function in mpmath that gives its elements, what errors to allow.

    Errors are relative to the true number, or to `floor` times the largest number about.
    """

    f: object
    true: object
    floor: float = 0.0
    ulps: float = 32
    points: tuple = tuple(VECTORS)
    at_zero: bool = True


def length(v):
    return mp.sqrt(sum(x * x for x in v))


def turned(v):
    """The cosine between a vector and the same with its elements moved on by one."""
    return sum(x * y for x, y in zip(v, v[-1:] + v[:-1], strict=True)) / length(v) ** 2


def spread(v):
    mean = sum(v) / len(v)
    return mp.sqrt(sum((x - mean) ** 2 for x in v) / len(v))


def lse(v):
    top = max(v)
    return top + mp.log(sum(mp.exp(x - top) for x in v))


def log_softmax(v):
    whole = lse(v)
    return [x - whole for x in v]


def softmax(v):
    return [mp.exp(x) for x in log_softmax(v)]


def plus(x):
    return mp.log1p(mp.exp(x)) if x < 2000 else x


MODERATE = tuple(v for v in VECTORS if max(map(abs, v)) <= 700)
FINITE = tuple(v for v in VECTORS if max(map(abs, v)) <= 1e150)
EXACT = {
    "norm": Exact(np.linalg.norm, lambda v: [length(v)]),
    "norm along an axis": Exact(
        lambda v: np.linalg.norm(np.stack([v, v / 4]), axis=1),
        lambda v: [length(v), length(v) / 4],
        points=tuple(v for v in VECTORS if max(map(abs, v)) <= 1e299),
    ),
    "root of squares": Exact(lambda v: np.sqrt((v * v).sum()), lambda v: [length(v)]),
    "hypot": Exact(lambda v: np.hypot(v[0], v[1]), lambda v: [length(v[:2])]),
    "normalised": Exact(
        lambda v: v / np.linalg.norm(v), lambda v: [x / length(v) for x in v],
        at_zero=False, floor=1.0, points=tuple(v for v in VECTORS if max(map(abs, v)) > 1e-30),
    ),
    "cosine": Exact(
        lambda v: gc.cosine_similarity(v, np.roll(v, 1) * 2.0 ** -30), lambda v: [turned(v)],
        at_zero=False, floor=1.0, points=tuple(v for v in VECTORS if max(map(abs, v)) > 1e2),
    ),
    "cosine of tiny vectors": Exact(
        lambda v: gc.cosine_similarity(v, np.roll(v, 1), eps=1e-290), lambda v: [turned(v)],
        at_zero=False, floor=1e22, ulps=0.1, points=((3e-20, -4e-20, 5e-21), (1e-20, 3e-20, 0.0)),
    ),
    "cosine embedding": Exact(
        lambda v: gc.cosine_embedding(v, np.roll(v, 1), gc.constant(1.0)),
        lambda v: [1 - turned(v)], floor=1.0, at_zero=False,
        points=tuple(v for v in VECTORS if max(map(abs, v)) > 1e18),
    ),
    "std": Exact(
        np.std, lambda v: [spread(v)], floor=0.3,
        points=tuple(v for v in VECTORS if len(set(v)) > 1 and max(map(abs, v)) >= 1e-30),
    ),
    "logsumexp": Exact(gc.logsumexp, lambda v: [lse(v)]),
    "softmax": Exact(gc.softmax, softmax, floor=1.0),
    "log_softmax": Exact(gc.log_softmax, log_softmax, floor=1.0),
    "cross_entropy": Exact(
        lambda v: gc.cross_entropy(v, 1), lambda v: [lse(v) - v[1]], floor=1.0
    ),
    "cross_entropy of probabilities": Exact(
        lambda v: gc.cross_entropy(v, np.array(TARGET)),
        lambda v: [lse(v) - sum(mp.mpf(t) * x for t, x in zip(TARGET, v, strict=True))],
        floor=1.0,
    ),
    "binary_cross_entropy_with_logits": Exact(
        lambda v: gc.binary_cross_entropy_with_logits(v, np.array(TARGET), reduction="none"),
        lambda v: [plus(x) - mp.mpf(t) * x for t, x in zip(TARGET, v, strict=True)],
        floor=1.0,
    ),
    "soft_margin": Exact(
        lambda v: gc.soft_margin(v, np.array([1.0, -1.0, 1.0]), reduction="none"),
        lambda v: [plus(-v[0]), plus(v[1]), plus(-v[2])],
    ),
    "huber": Exact(
        lambda v: gc.huber(v, np.zeros(3), reduction="none"),
        lambda v: [x * x / 2 if abs(x) <= 1 else abs(x) - mp.mpf(0.5) for x in v],
    ),
    "smooth_l1": Exact(
        lambda v: gc.smooth_l1(v, np.zeros(3), reduction="none"),
        lambda v: [x * x / 2 if abs(x) < 1 else abs(x) - mp.mpf(0.5) for x in v],
    ),
    "poisson_nll": Exact(
        lambda v: gc.poisson_nll(v, np.array([0.0, 1.0, 3.0]), reduction="none"),
        lambda v: [mp.exp(x) - t * x for t, x in zip((0, 1, 3), v, strict=True)],
        points=MODERATE, floor=1.0,
    ),
    "kl_div": Exact(
        lambda v: gc.kl_div(v, np.array([0.0, 0.7, 0.3]), reduction="none"),
        lambda v: [
            mp.mpf(t) * (mp.log(mp.mpf(t)) - x) if t else mp.mpf(0) * x
            for t, x in zip((0.0, 0.7, 0.3), v, strict=True)
        ],
        floor=1.0,
    ),
    "gaussian_nll": Exact(
        lambda v: gc.gaussian_nll(v, np.ones(3), np.full(3, 2.0), reduction="none"),
        lambda v: [(mp.log(2) + (x - 1) ** 2 / 2) / 2 for x in v],
        points=FINITE, floor=1.0,
    ),
    "log of softmax": Exact(
        lambda v: np.log(np.exp(v) / np.exp(v).sum()), log_softmax, floor=1.0
    ),
}  # fmt: skip
WEIGHTS = (1.0, -0.5, 2.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", EXACT)
def test_wherever_the_truth_can_be_represented(name, dtype):
    exact, info = EXACT[name], np.finfo(dtype)
    v = gc.observed("v", shape=3)
    made = exact.f(v)
    weights = np.array(WEIGHTS[: made.shape[0]]) if made.shape else np.ones(())
    slope = gc.grad((made * weights).sum(), v)
    functions = {
        style: gc.compile_function([v], [made, slope], dtype=dtype.__name__, style=style)
        for style in ("readable", "fast")
    }
    for point in exact.points:
        with np.errstate(all="ignore"):
            at = np.array(point, dtype)
        if not np.isfinite(at).all() or not (at.any() or exact.at_zero):
            continue
        size = max(float(np.max(np.abs(at))), 1e-320)
        with mp.workdps(80 + 2 * int(abs(np.log10(size))) + int(min(size, 700))):
            true, slopes = truth(exact, [mp.mpf(float(x)) for x in at])
        # Numbers this small have few digits, and so has what is a quotient of them.
        few = any(0 < abs(x) < info.tiny for x in at)
        eps = 0.1 if few else exact.ulps * float(info.eps)
        for style, f in functions.items():
            got, got_slopes = f(at)
            where = f"{name}, {style} at {point}"
            for y, z in zip(np.ravel(got), true, strict=True):
                near = max(abs(z), exact.floor * max(1, size))
                judge(y, z, info, eps * near, f"{where}, value")
            most = max(map(abs, slopes))
            for y, z in zip(got_slopes, slopes, strict=True):
                near = max(abs(z), exact.floor * max(1, most))
                judge(y, z, info, eps * near, f"{where}, gradient")


def truth(exact, at):
    """The values, and the gradient of their weighted sum."""
    values = exact.true(at)

    def total(*v):
        return sum(mp.mpf(w) * y for w, y in zip(WEIGHTS, exact.true(list(v)), strict=False))

    step = min(max(map(abs, at)) or 1, 1) * mp.mpf(10) ** -20
    slopes = []
    for i in range(len(at)):
        up, down = list(at), list(at)
        up[i] += step
        down[i] -= step
        slopes.append((total(*up) - total(*down)) / (2 * step))
    return values, slopes


def judge(got, true, info, allowed, where):
    assert not np.isnan(got), where
    if np.isinf(got) or abs(true) > info.max:
        # What is computed from an overflow may overflow a little early.
        assert abs(true) > float(info.max) / 64, f"{where}: {got} for {mp.nstr(true, 17)}"
        assert abs(got) > float(info.max) / 64, f"{where}: {got} for {mp.nstr(true, 17)}"
        return
    error = abs(mp.mpf(float(got)) - true)
    assert error <= max(allowed, float(info.tiny)), f"{where}: {got} for {mp.nstr(true, 17)}"


def test_what_stands_for_nothing():
    """Norms of zero vectors and spreads of equal numbers have gradient 0, and a Hessian of 0."""
    v = gc.observed("v", shape=3)
    for made in (np.linalg.norm(v), np.std(v), np.sqrt((v**2).sum())):
        f = gc.compile_function([v], [made, gc.grad(made, v), gc.hessian(made, v)])
        for y in f(np.zeros(3)):
            np.testing.assert_array_equal(y, np.zeros(np.shape(y)))


def test_choices_and_masks_at_poles():
    """Where a branch is not taken, its pole leaves no trace in values, gradients and Hessians."""
    x = gc.observed("x", shape=4)
    at = np.array([0.0, -1.0, 2.0, -0.0])
    for f, true in (
        (lambda v: np.where(v > 0, np.log(v), 0), [0, 0, 0.5, 0]),
        (lambda v: np.where(v > 0, np.sqrt(v), 0), [0, 0, 0.5**1.5, 0]),
        (lambda v: np.where(v != 0, 1 / v, 0), [0, -1, -0.25, 0]),
        (lambda v: np.where(v > 0, v * np.log(v), 0), [0, 0, 1 + np.log(2), 0]),
        (lambda v: np.where(v > 0, v**0.3, 0), [0, 0, 0.3 * 2**-0.7, 0]),
        (lambda v: np.where(v == 0, 1.0, np.sin(v) / v), [0, None, None, 0]),
    ):
        made = f(x)
        slope = gc.grad(made.sum(), x)
        for style in ("readable", "fast"):
            run = gc.compile_function([x], [made, slope, gc.grad(slope.sum(), x)], style=style)
            value, first, second = run(at)
            assert np.isfinite(value).all()
            assert np.isfinite(first).all()
            assert np.isfinite(second).all()
            for got, expected in zip(first, true, strict=True):
                assert expected is None or abs(got - expected) < 1e-14
