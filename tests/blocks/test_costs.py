"""Costs: whole batches against torch, extreme logits, what is refused."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import KindError, ShapeError, UsageError
from tests.numerics import close

mpmath = pytest.importorskip("mpmath")
RNG = np.random.default_rng(0)
P, K = 7, 4
SCORES, LABELS = RNG.normal(size=(P, K)), np.array([0, 3, 2, 2, 1, 3, 0])
WEIGHT = np.array([0.5, 1.5, 0.7, 2.0])


def batch_loss(cost, *arrays, style="fast"):
    """The loss of a compiled batch and its gradients by the first real inputs."""
    kinds = {"f": "real", "i": "integer"}
    inputs = [
        gc.observed(f"x{i}", shape=a.shape[1:], kind=kinds[a.dtype.kind])
        for i, a in enumerate(arrays)
    ]
    shift = [gc.parameter(f"d{i}", shape=v.shape, init="zeros") for i, v in enumerate(inputs)]
    reals = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    moved = [v + shift[i] if i in reals else v for i, v in enumerate(inputs)]
    costs = cost(*moved)
    net = gc.Graph(*costs) if isinstance(costs, tuple) else gc.Graph(costs)
    program = gc.compile(net, style=style)
    given = {f"x{i}": a for i, a in enumerate(arrays)}
    loss, grads = program.loss_and_grad(program.init_params(), **given)
    return loss, list(grads)


def torch_loss(torch, cost, *arrays):
    tensors = [torch.tensor(a) for a in arrays]
    moves = [
        torch.zeros(a.shape[1:], dtype=torch.float64, requires_grad=True)
        for a in arrays
        if a.dtype.kind == "f"
    ]
    rest = iter(moves)
    moved = [t + next(rest) if t.is_floating_point() else t for t in tensors]
    loss = cost(*moved)
    return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, moves)]


def agree(got, expected):
    (a, grads), (b, wanted) = got, expected
    assert a == pytest.approx(b, rel=1e-10)
    for g, w in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=1e-10 * max(1, np.abs(w).max()))


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight": WEIGHT},
        {"ignore_index": 2},
        {"weight": WEIGHT, "ignore_index": 2},
        {"weight": WEIGHT, "ignore_index": 0, "label_smoothing": 0.3},
        {"label_smoothing": 0.3},
        {"ignore_index": 3, "label_smoothing": 0.1},
    ],
    ids=str,
)
def test_cross_entropy_is_normalised_over_the_whole_batch(torch, options, style):
    F = torch.nn.functional
    given = {k: torch.tensor(v) if k == "weight" else v for k, v in options.items()}
    agree(
        batch_loss(lambda s, y: gc.cross_entropy(s, y, **options), SCORES, LABELS, style=style),
        torch_loss(torch, lambda s, y: F.cross_entropy(s, y, **given), SCORES, LABELS),
    )


def test_a_sequence_in_a_batch(torch):
    scores, y = RNG.normal(size=(P, K, 3)), RNG.integers(0, K, size=(P, 3))
    weight = torch.tensor(WEIGHT)
    agree(
        batch_loss(lambda s, y: gc.cross_entropy(s, y, WEIGHT, ignore_index=1), scores, y),
        torch_loss(
            torch,
            lambda s, y: torch.nn.functional.cross_entropy(s, y, weight, ignore_index=1),
            scores,
            y,
        ),
    )


def test_nll_is_normalised_too(torch):
    agree(
        batch_loss(lambda s, y: gc.nll(s, y, WEIGHT, ignore_index=1), SCORES, LABELS),
        torch_loss(
            torch,
            lambda s, y: torch.nn.functional.nll_loss(
                s, y, torch.tensor(WEIGHT), ignore_index=1
            ),
            SCORES,
            LABELS,
        ),
    )  # fmt: skip


def test_contrast_within_the_batch(torch):
    a, b = RNG.normal(size=(2, P, K))

    def info_nce(a, b):
        a, b = (torch.nn.functional.normalize(v, dim=1) for v in (a, b))
        return torch.nn.functional.cross_entropy(a @ b.T / 0.2, torch.arange(P))

    agree(
        batch_loss(lambda a, b: gc.info_nce(a, b, temperature=0.2), a, b),
        torch_loss(torch, info_nce, a, b),
    )


def test_barlow_twins(torch):
    a, b = RNG.normal(size=(2, P, K))

    def twins(a, b):
        a, b = ((v - v.mean(0)) / v.std(0, correction=0) for v in (a, b))
        c = a.T @ b / P
        on = ((1 - c.diagonal()) ** 2).sum()
        return on + 0.01 * ((c**2).sum() - (c.diagonal() ** 2).sum())

    agree(
        batch_loss(lambda a, b: gc.barlow_twins(a, b, lambd=0.01), a, b),
        torch_loss(torch, twins, a, b),
    )


def test_vicreg(torch):
    z = 1.3 * RNG.normal(size=(P, K))

    def terms(z):
        variance = torch.relu(1.5 - (z.var(0) + 1e-4).sqrt()).mean()
        c = torch.cov(z.T)
        return variance + ((c**2).sum() - (c.diagonal() ** 2).sum()) / K

    agree(
        batch_loss(lambda z: (gc.vicreg_variance(z, gamma=1.5), gc.vicreg_covariance(z)), z),
        torch_loss(torch, terms, z),
    )


EXTREME = [-1e4, -800.0, -100.0, -40.0, -1e-300, 0.0, 1e-20, 36.0, 100.0, 800.0, 1e4]


def of_numbers(cost, *values, classes=None):
    """Value and gradients of a cost of scalars, or of a vector of scores."""
    inputs = [gc.observed(f"x{i}", shape=np.shape(v)) for i, v in enumerate(values)]
    c = cost(*inputs)
    f = gc.compile_function(inputs, [c, *gc.grad(c, inputs)])
    return f(*(np.asarray(v, float) for v in values))


def log1p_exp(x):
    return mpmath.log1p(mpmath.exp(x))


@pytest.mark.parametrize("s", EXTREME)
@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_logits_are_exact_however_large(s, y):
    with mpmath.workdps(60):
        exact = y * log1p_exp(mpmath.mpf(-s)) + (1 - mpmath.mpf(y)) * log1p_exp(mpmath.mpf(s))
        slope = 1 / (1 + mpmath.exp(-mpmath.mpf(s))) - mpmath.mpf(y)
    value, d_s, d_y = of_numbers(gc.binary_cross_entropy_with_logits, s, y)
    assert value == pytest.approx(float(exact), rel=1e-14, abs=0)
    assert d_s == pytest.approx(float(slope), rel=1e-12, abs=1e-17)
    assert d_y == pytest.approx(-s, rel=1e-14, abs=1e-16)


@pytest.mark.parametrize("s", EXTREME)
def test_scores_are_exact_however_large(s):
    scores = np.array([s, 0.0, -3.0])
    with mpmath.workdps(60):
        total = sum(mpmath.exp(mpmath.mpf(x)) for x in scores)
        exact = [mpmath.log(total) - mpmath.mpf(x) for x in scores]
        p = [mpmath.exp(mpmath.mpf(x)) / total for x in scores]
    for y in range(3):
        value, d_s = of_numbers(lambda s, y=y: gc.cross_entropy(s, gc.constant(y)), scores)
        assert value == pytest.approx(float(exact[y]), rel=1e-13, abs=1e-15)
        wanted = [float(p[i] - (i == y)) for i in range(3)]
        np.testing.assert_allclose(d_s, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("cost", "values"),
    [
        (gc.binary_cross_entropy, (0.0, 0.0)),
        (gc.binary_cross_entropy, (1.0, 0.0)),
        (gc.binary_cross_entropy, (0.0, 1.0)),
        (gc.soft_margin, (1e4, -1.0)),
        (gc.multilabel_soft_margin, ([1e4, -1e4], [0.0, 1.0])),
        (gc.kl_div, ([-2.0, -1e3], [1.0, 0.0])),
        (gc.triplet_margin, ([1.0, 2.0], [1.0, 2.0], [0.0, 0.0])),
        (lambda *v: gc.triplet_margin(*v, eps=0.0), ([1.0], [1.0], [1.0])),
        (lambda *v: gc.contrastive(*v, np.array(1.0)), ([1.0, 2.0], [1.0, 2.0])),
        (gc.huber, (1e200, -1e200)),
        (gc.smooth_l1, (1e200, -1e200)),
        (lambda a, b: np.sum(gc.cosine_similarity(a, b)), ([0.0, 0.0], [1.0, 0.0])),
        (lambda z, y, v: gc.gaussian_nll(z, y, v), (1.0, 1.0, 0.0)),
        (lambda z: np.sum(gc.elu(z) + gc.celu(z) + gc.selu(z)), ([1e4, -1e4, 0.0],)),
        (lambda z: np.sum(gc.mish(z) + gc.silu(z)), ([1e4, -1e4, 0.0],)),
    ],
)
def test_gradients_are_finite_where_they_exist(cost, values):
    for got in of_numbers(cost, *values):
        assert np.all(np.isfinite(got)), got


def test_a_cost_that_is_not_reduced_is_a_function():
    z, y = gc.observed("z", shape=3), gc.observed("y", shape=3)
    terms = gc.mse(z, y, reduction="none", output="terms")
    net = gc.Graph(gc.cost(np.max(terms), name="C"))
    assert [use.function for use in net.functions] == ["mse"]
    assert [use.name for use in net.costs] == ["C"]
    assert terms.shape == (3,)


def test_ignoring_takes_what_a_class_cannot_be():
    y = np.array([0, -100, 2, -100, 1, 3, 0])
    loss, _ = batch_loss(lambda s, y: gc.cross_entropy(s, y, ignore_index=-100), SCORES, y)
    kept = y >= 0
    log_p = SCORES - np.log(np.exp(SCORES).sum(1, keepdims=True))
    assert loss == pytest.approx(-log_p[kept, y[kept]].mean())


X, Y1 = gc.observed("x", shape=3), gc.observed("y1", classes=3)
Y3 = gc.observed("y3", shape=4)


@pytest.mark.parametrize(
    ("error", "words", "f"),
    [
        (UsageError, ["test_costs.py:", "mse: reduction is one of 'mean'", "'avg'"],
         lambda: gc.mse(X, X, reduction="avg")),
        (UsageError, ["label_smoothing", "1.5"],
         lambda: gc.cross_entropy(X, Y1, label_smoothing=1.5)),
        (ShapeError, ["'cross_entropy' expects an input of shape (3,)", "(4,)"],
         lambda: gc.cross_entropy(X, Y1, np.ones(4))),
        (ShapeError, ["for scores of shape (4, 3)", "got (4,)", "write np.moveaxis(scores, -1, 0)"],
         lambda: gc.cross_entropy(gc.observed("s", shape=(4, 3)),
                                  gc.observed("k", shape=4, classes=3))),
        (ShapeError, ["for scores of shape (3,) the classes have shape ()", "got (2,)"],
         lambda: gc.cross_entropy(X, np.array([1, 2]))),
        (ShapeError, ["'y' has shape (4,)", "'s' has (3,)"], lambda: gc.cross_entropy(X, Y3)),
        (KindError, ["'y' holds classes, which are integers", "classes=K"],
         lambda: gc.cross_entropy(X, gc.observed("q"))),
        (UsageError, ["huber: delta is positive"], lambda: gc.huber(X, X, delta=0)),
        (UsageError, ["smooth_l1: beta"], lambda: gc.smooth_l1(X, X, beta=-1)),
        (ShapeError, ["huber: 'y' has shape (4,)"], lambda: gc.huber(X, Y3)),
        (UsageError, ["multi_margin: p is one of 1, 2"], lambda: gc.multi_margin(X, Y1, p=3)),
        (UsageError, ["triplet_margin: p is positive"], lambda: gc.triplet_margin(X, X, X, p=0)),
        (UsageError, ["block 'l1_penalty' needs the input"], lambda: gc.l1_penalty()),
        (UsageError, ["temperature is positive"], lambda: gc.info_nce(X, X, temperature=0)),
        (UsageError, ["gelu: approximate is one of"], lambda: gc.gelu(X, approximate="erf")),
        (UsageError, ["softplus: beta is positive"], lambda: gc.softplus(X, beta=0)),
        (UsageError, ["min_val 1 is not below max_val 0"], lambda: gc.hardtanh(X, 1, 0)),
        (ShapeError, ["glu halves", "odd size 3"], lambda: gc.glu(X)),
        (ShapeError, ["glu: axis 1 is out of range"], lambda: gc.glu(X, axis=1)),
        (UsageError, ["one_hot: num_classes is needed"],
         lambda: gc.one_hot(gc.observed("i", kind="integer"))),
        (UsageError, ["over samples", "'median'"], lambda: gc.over_samples("median", X)),
    ],
)  # fmt: skip
def test_refused(error, words, f):
    with pytest.raises(error) as caught:
        f()
    for word in words:
        assert word in str(caught.value)


PAIRS = (
    "mse", "l1", "squared_error", "smooth_l1", "huber", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "kl_div", "poisson_nll",
    "gaussian_nll", "hinge", "soft_margin", "hinge_embedding", "margin_ranking",
)  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", [(16, 1), (1,), (), (2, 16)])
def test_targets_never_broadcast(name, shape):
    """A target of another shape is an error in every cost; a known number is not."""
    z, y = gc.observed("z", 16), gc.observed("y", shape)
    third = (gc.observed("v", 16),) if name in ("gaussian_nll", "margin_ranking") else ()
    with pytest.raises(ShapeError, match="shape"):
        getattr(gc, name)(z, y, *third)
    assert getattr(gc, name)(z, 1.0, *third).shape == ()


def test_the_way_out_of_another_shape():
    z = gc.observed("z", 16)
    with pytest.raises(ShapeError, match=r"'y' has shape \(16, 1\).* write y\.reshape\(z\.shape"):
        gc.mse(z, gc.observed("y", (16, 1)))
    with pytest.raises(ShapeError, match=r"that is meant, write np\.broadcast_to\(y, s\.shape\)"):
        gc.hinge(z, gc.observed("y"))
    with pytest.raises(ShapeError, match=r"'weight' has shape \(3, 16\), which does not broadcast"):
        gc.binary_cross_entropy(z, z, gc.observed("w", (3, 16)))
    with pytest.raises(ShapeError, match="triplet_margin_with_distance: 'negative' has"):
        gc.triplet_margin_with_distance(z, z, gc.observed("n", (16, 1)))


@pytest.mark.parametrize("shape", [(3, 1), (3,), ()])
def test_a_variance_for_whole_rows(shape):
    torch = pytest.importorskip("torch")
    z, y, var = gc.observed("z", (3, 4)), gc.observed("y", (3, 4)), gc.observed("v", shape)
    rng = np.random.default_rng(3)
    data = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.uniform(0.5, 2, shape)
    if shape == ():
        with pytest.raises(ShapeError, match="gaussian_nll: 'var' has shape"):
            gc.gaussian_nll(z, y, var)
        return
    got = gc.compile_function([z, y, var], gc.gaussian_nll(z, y, var))(*data)
    expected = torch.nn.functional.gaussian_nll_loss(*map(torch.tensor, data))
    close(got, expected.item(), 1e-13, "gaussian_nll")
