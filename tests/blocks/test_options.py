"""Options that whole batches, noise and starts belong to."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import UsageError
from tests.blocks.test_costs import LABELS, SCORES, WEIGHT, P, agree, batch_loss, torch_loss

RNG = np.random.default_rng(9)
A, B = RNG.normal(size=(2, P, 4))
W = RNG.uniform(0.5, 2, size=(P, 4))
PROBABILITIES = RNG.uniform(0.1, 0.9, size=(P, 4))
TARGETS = RNG.integers(0, 2, size=(P, 4)).astype(float)
IMAGE, PLACES = RNG.normal(size=(P, 4, 2, 3)), RNG.integers(0, 4, size=(P, 2, 3))
PLACES[0] = PLACES[2, 1] = -100
MARKS = np.array([1, -1, 1, 1, -1, -1, 1])
SIGNS = np.where(B > 0, 1, -1)


def cost(name, *arrays, theirs=None, **options):
    return pytest.param(name, arrays, theirs or f"{name}_loss", options, id=f"{name} {options}")


@pytest.mark.parametrize(
    ("name", "arrays", "theirs", "options"),
    [
        cost("mse", A, B),
        cost("mse", A, B, weight=W),
        cost("l1", A, B, weight=W),
        cost("huber", A, B, weight=W, delta=0.7),
        cost("smooth_l1", A, B, beta=0.5),
        cost("cross_entropy", SCORES, LABELS, weight=WEIGHT, theirs="cross_entropy"),
        cost("cross_entropy", IMAGE, PLACES, theirs="cross_entropy"),
        cost("cross_entropy", IMAGE, PLACES, weight=WEIGHT, label_smoothing=0.2,
             theirs="cross_entropy"),
        cost("cross_entropy", IMAGE, PLACES.clip(0), weight=WEIGHT, ignore_index=2,
             label_smoothing=0.2, theirs="cross_entropy"),
        cost("cross_entropy", SCORES, PROBABILITIES, weight=WEIGHT, label_smoothing=0.1,
             theirs="cross_entropy"),
        cost("nll", IMAGE, PLACES, weight=WEIGHT),
        cost("binary_cross_entropy", PROBABILITIES, TARGETS, weight=WEIGHT,
             theirs="binary_cross_entropy"),
        cost("binary_cross_entropy_with_logits", A, TARGETS, weight=WEIGHT, pos_weight=W[0],
             theirs="binary_cross_entropy_with_logits"),
        cost("multi_margin", SCORES, LABELS, weight=WEIGHT, p=2, margin=0.7),
        cost("multilabel_margin", SCORES, np.array([[0, 2, -1, 1]] * 3 + [[3, -1, 0, 0]] * 4)),
        cost("multilabel_soft_margin", A, TARGETS, weight=WEIGHT),
        cost("kl_div", np.log(PROBABILITIES), W, theirs="kl_div"),
        cost("kl_div", np.log(PROBABILITIES), W, theirs="kl_div", reduction="batchmean"),
        cost("kl_div", A, np.log(W), theirs="kl_div", log_target=True),
        cost("poisson_nll", A, W.round(), full=True),
        cost("gaussian_nll", A, B, W, full=True),
        cost("hinge_embedding", A, SIGNS),
        cost("margin_ranking", A, B, SIGNS, margin=0.3),
        cost("soft_margin", A, SIGNS),
        cost("cosine_embedding", A, B, MARKS, margin=0.2),
        cost("triplet_margin", A, B, W, swap=True),
    ],
)  # fmt: skip
def test_costs_of_a_batch_are_torch_s(torch, name, arrays, theirs, options):
    given = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    mine = dict(options)
    if name in ("mse", "l1", "huber") and "weight" in options:  # one weight for each term
        arrays, mine, given = (*arrays, W), {**options}, {**given}
        mine.pop("weight"), given.pop("weight")

        def oracle(a, b, w):
            return getattr(torch.nn.functional, theirs)(a, b, weight=w, **given)
    else:

        def oracle(*tensors):
            if name in ("hinge_embedding", "margin_ranking", "soft_margin", "cosine_embedding"):
                tensors = [t.double() for t in tensors]
            return getattr(torch.nn.functional, theirs)(*tensors, **given)

    agree(
        batch_loss(lambda *v: getattr(gc, name)(*v, **mine), *arrays),
        torch_loss(torch, oracle, *arrays),
    )


def test_ctc_of_a_batch(torch):
    scores, y = RNG.normal(size=(P, 6, 5)), RNG.integers(1, 5, size=(P, 3))
    steps, labels = np.array([6, 5, 4, 6, 3, 6, 2]), np.array([3, 2, 3, 1, 2, 3, 1])

    def mine(s, y, n, m):
        return gc.ctc(gc.log_softmax(s), y, n, m, zero_infinity=True)

    def theirs(s, y, n, m):
        return torch.nn.functional.ctc_loss(
            s.log_softmax(-1).transpose(0, 1), y, n, m, zero_infinity=True
        )

    agree(
        batch_loss(mine, scores, y, steps, labels),
        torch_loss(torch, theirs, scores, y, steps, labels),
    )


def test_targets_that_cannot_be_ignored_cost_nothing():
    s = gc.observed("s", shape=4)
    sources = [
        gc.compile(gc.Graph(gc.cross_entropy(s, gc.observed("y", classes=4), **options))).source
        for options in ({}, {"ignore_index": None}, {"ignore_index": 7})
    ]
    assert sources[0] == sources[1] == sources[2]


def running(block, x, *states, style="fast", **options):
    """The results of a block on a batch, and its states after it."""
    v = gc.observed("x", shape=x.shape[1:])
    names = [f"state{i}" for i in range(len(states))]
    inputs = [
        gc.observed(n, shape=np.shape(s), per_sample=False)
        for n, s in zip(names, states, strict=True)
    ]
    found = block(v, *inputs, **options)
    several = found if isinstance(found, tuple) else (found,)
    program = gc.compile(gc.Graph(*several), style=style)
    params = [np.full(p.shape, 1.5) for p in program.graph.parameters]
    return program.forward(params, x=x, **dict(zip(names, states, strict=True)))


def test_batch_norm_without_momentum_averages_over_all_batches(torch):
    theirs = torch.nn.BatchNorm1d(3, momentum=None, bias=False, dtype=torch.float64)
    theirs.weight.data.fill_(1.5)
    block = gc.BatchNorm1d(3, momentum=None, bias=False)
    state = np.zeros(3), np.ones(3), np.array(0.0)
    for x in RNG.normal(size=(3, P, 3, 2)):
        expected = theirs(torch.tensor(x))
        z, *state = running(block, x, *state)
        np.testing.assert_allclose(z, expected.detach(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(state[0], theirs.running_mean, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(state[1], theirs.running_var, rtol=1e-10)
        assert state[2] == theirs.num_batches_tracked.item()
    with pytest.raises(UsageError, match="momentum=None needs num_batches_tracked"):
        block(gc.observed("x", shape=3), np.zeros(3), np.ones(3))


def test_instance_norm_follows_and_uses_running_statistics(torch):
    theirs = torch.nn.InstanceNorm2d(
        3, affine=True, bias=False, momentum=0.3, track_running_stats=True, dtype=torch.float64
    )
    theirs.weight.data.fill_(1.5)
    block = gc.InstanceNorm2d(3, affine=True, bias=False, momentum=0.3)
    x, state = RNG.normal(size=(P, 3, 2, 4)), (np.zeros(3), np.ones(3))
    expected = theirs(torch.tensor(x))
    z, *state = running(block, x, *state)
    np.testing.assert_allclose(z, expected.detach(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(state[0], theirs.running_mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(state[1], theirs.running_var, rtol=1e-10)
    z = running(block, x, *state, training=False)
    np.testing.assert_allclose(z, theirs.eval()(torch.tensor(x)).detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_transformers_drop_where_torch_drops(torch, kind, monkeypatch):
    """PyTorch's dropout is given our noise, in the order in which it asks for it."""
    F, p = torch.nn.functional, 0.4
    layer = getattr(torch.nn, f"Transformer{kind}Layer")(4, 2, 6, dropout=p, dtype=torch.float64)
    block = getattr(gc, f"Transformer{kind}Layer")(4, 2, 6, dropout=p, name="layer")
    shapes = [(2, 3, 3), (3, 4), (3, 6), (3, 4)]
    if kind == "Decoder":
        shapes = [(2, 3, 3), (3, 4), (2, 3, 5), (3, 4), (3, 6), (3, 4)]
    noise = [RNG.uniform(size=s) for s in shapes]
    rest = iter(noise)

    def drop(x, *ignored, **options):
        u = torch.tensor(next(rest))
        return torch.where(u.reshape(x.shape) >= p, x / (1 - p), 0.0)

    def attend(q, k, v, mask, dropout_p, is_causal):
        assert mask is None
        assert dropout_p == p
        return drop((q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)) @ v

    monkeypatch.setattr(F, "dropout", drop)
    monkeypatch.setattr(F, "scaled_dot_product_attention", attend)
    given = [RNG.normal(size=(n, 4)) for n in ((3,) if kind == "Encoder" else (3, 5))]
    expected = layer(*map(torch.tensor, given))
    masks = [None] * (2 if kind == "Encoder" else 4)
    z = block(*given, *masks, tuple(noise))
    program = gc.compile(gc.Graph(z), batch=False)
    state = {f"layer.{k}": v for k, v in layer.state_dict().items()}
    params = gc.from_torch(state, program.init_params())
    np.testing.assert_allclose(program.forward(params), expected.detach(), rtol=1e-10, atol=1e-12)
    with pytest.raises(UsageError, match=r"dropout=0.4 needs noise in the call.*\(nhead, .*drop"):
        block(*map(gc.constant, given))
    assert block(*map(gc.constant, given), training=False).shape == (3, 4)


X = gc.observed("x", shape=(5, 4))


@pytest.mark.parametrize(
    ("words", "f"),
    [
        ("LSTM: dropout=0.2 needs noise", lambda: gc.LSTM(3, num_layers=2, dropout=0.2)(X)),
        ("dropout works between layers, and there is one", lambda: gc.GRU(3, dropout=0.2)(X)),
        ("MultiheadAttention: dropout=0.1 needs noise",
         lambda: gc.MultiheadAttention(4, 2, dropout=0.1)(X, X, X)),
        ("there is noise, but dropout=0.0 drops nothing",
         lambda: gc.MultiheadAttention(4, 2)(X, X, X, None, None, np.ones((2, 5, 5)))),
        ("noise is a tuple of 4", lambda: gc.TransformerEncoderLayer(4, 2, dropout=0.1)(
            X, None, None, np.ones((5, 4)))),
        ("noise is a tuple of 8, 4 for each of 2 layers",
         lambda: gc.TransformerEncoder(gc.TransformerEncoderLayer(4, 2, dropout=0.1), 2)(
             X, None, None, (np.ones((5, 4)),))),
        ("its layer is a block", lambda: gc.TransformerEncoder(gc.relu, 2)(X)),
        ("rrelu: training=True needs noise", lambda: gc.rrelu(X, training=True)),
        ("give either size or scale_factor", lambda: gc.interpolate(X)),
        ("mode='bilinear' takes 2 axes of space, and there are 1",
         lambda: gc.interpolate(X, size=3, mode="bilinear")),
        ("mode='nearest' has no option align_corners",
         lambda: gc.interpolate(X, size=3, align_corners=True)),
        ("needs to know the sizes",
         lambda: gc.interpolate(gc.observed("q", shape=(3, "n")), scale_factor=2)),
        ("mode is one of 'constant', 'reflect'", lambda: gc.pad(X, (1, 1), mode="mirror")),
        ("two integers for each of the last axes", lambda: gc.pad(X, (1, 1, 1))),
        ("mode='reflect' cuts nothing off", lambda: gc.pad(X, (-1, 1), mode="reflect")),
        ("upscale_factor is an integer", lambda: gc.pixel_shuffle(np.ones((4, 2, 2)), 0.5)),
        ("per_sample_weights work with mode='sum'",
         lambda: gc.EmbeddingBag(3, 2)(gc.constant([1, 2]), np.ones(2))),
        ("give either output_size or output_ratio",
         lambda: gc.fractional_max_pool2d(np.ones((1, 5, 5)), np.ones((1, 2)), 2)),
        ("output_size differs from", lambda: gc.max_unpool1d(
            X, gc.observed("q", shape=(5, 4), kind="integer"), 2, output_size=(12,))),
        ("mode='bicubic' takes two axes", lambda: gc.grid_sample(
            np.ones((1, 2, 2, 2)), np.ones((1, 1, 1, 3)), "bicubic")),
        ("size is .channels, .space., two or three axes",
         lambda: gc.affine_grid(np.ones((2, 3)), (1, 2))),
        ("PReLU.*takes init={name: how it starts}", lambda: gc.PReLU(init=0.1)),
    ],
)  # fmt: skip
def test_refused(words, f):
    with pytest.raises(UsageError, match=words):
        f()


def starts(block, *inputs):
    """The parameters that a block starts with."""
    found = block(*inputs)
    program = gc.compile(gc.Graph(found[0] if isinstance(found, tuple) else found))
    return program.init_params(seed=3), program


@pytest.mark.parametrize(
    ("name", "arguments", "theirs", "shapes"),
    [
        ("Linear", (60,), (50, 60), [(50,)]),
        ("Bilinear", (40,), (30, 20, 40), [(30,), (20,)]),
        ("Conv2d", (30, 5), (8, 30, 5), [(8, 9, 9)]),
        ("ConvTranspose1d", (30, 9), (16, 30, 9), [(16, 12)]),
        ("GRU", (40,), (20, 40), [(5, 20)]),
        ("LSTMCell", (40,), (20, 40), [(20,)]),
        ("MultiheadAttention", (64, 2), (64, 2), [(5, 64)] * 3),
        ("TransformerEncoderLayer", (64, 2, 80), (64, 2, 80), [(5, 64)]),
        ("Embedding", (50, 30, 7), (50, 30, 7), None),
    ],
)
def test_blocks_start_as_torch_s(torch, name, arguments, theirs, shapes):
    """Largest and mean square of every parameter: what tells the distributions apart."""
    inputs = [gc.observed(f"x{i}", shape=s) for i, s in enumerate(shapes or [])]
    inputs = inputs or [gc.observed("i", shape=3, classes=50)]
    block = getattr(gc, name)(*arguments, init="torch", name="b")
    params, program = starts(block, *inputs)
    torch.manual_seed(0)
    state = {f"b.{k}": v for k, v in getattr(torch.nn, name)(*theirs).state_dict().items()}
    for key, other in gc.from_torch(state, params)._asdict().items():
        own = getattr(params, key)
        if own.size >= 200:
            assert np.mean(own**2) == pytest.approx(np.mean(other**2), rel=0.25), key
        assert np.abs(own).max() == pytest.approx(np.abs(other).max(), rel=0.2), key
    if name == "Embedding":
        assert not params.b_w[7].any()
        assert np.all(params.b_w[6])
    else:
        assert "_uniform" in program.source
