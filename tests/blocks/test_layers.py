"""Blocks with state and blocks of blocks: batches against torch, sharing, what is refused."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import KindError, ShapeError, UsageError

RNG = np.random.default_rng(2)
P = 6


def observed_state(n):
    return [gc.observed(f"running_{s}", shape=n, per_sample=False) for s in ("mean", "var")]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    ("dims", "shape", "options"),
    [
        (1, (3,), {}),
        (1, (3, 5), {"momentum": 0.3, "eps": 0.01}),
        (2, (3, 4, 2), {}),
        (3, (2, 3, 2, 2), {"affine": False}),
    ],
)
def test_batch_norm_trains_and_infers(torch, dims, shape, options, style):
    channels = shape[0]
    x = gc.observed("x", shape=shape)
    block = getattr(gc, f"BatchNorm{dims}d")(channels, name="norm", **options)
    z, *state = block(x, *observed_state(channels), output=("z", "mean", "var"))
    target = RNG.normal(size=shape)
    net = gc.Graph(z, *state, gc.cost(np.sum((z - target) ** 3), name="C"))
    theirs = getattr(torch.nn, f"BatchNorm{dims}d")(channels, dtype=torch.float64, **options)
    data, start = RNG.normal(size=(P, *shape)), RNG.uniform(0.5, 2, size=(2, channels))
    params = [RNG.normal(size=channels) for _ in net.parameters]
    for own, value in zip(theirs.parameters(), params, strict=True):
        own.data = torch.tensor(value)
    theirs.running_mean, theirs.running_var = map(torch.tensor, start)
    program = gc.compile(net, style=style)
    given = {"x": data, "running_mean": start[0], "running_var": start[1]}
    got = program.forward(params, **given)
    expected = theirs(torch.tensor(data))
    for a, b in zip(got, (expected, theirs.running_mean, theirs.running_var), strict=True):
        np.testing.assert_allclose(a, b.detach(), rtol=1e-10, atol=1e-12)
    if params:
        loss = ((expected - torch.tensor(target)) ** 3).sum() / P
        loss.backward()
        value, grads = program.loss_and_grad(params, x=data)
        assert value == pytest.approx(loss.item(), rel=1e-10)
        for g, own in zip(grads, theirs.parameters(), strict=True):
            np.testing.assert_allclose(g, own.grad, rtol=1e-9)

    inferred = block(x, *observed_state(channels), training=False, output="inferred")
    running = gc.compile(gc.Graph(inferred), style=style)
    theirs.eval()
    np.testing.assert_allclose(
        running.forward(params, **given | {"running_mean": got[1], "running_var": got[2]}),
        theirs(torch.tensor(data)).detach(),
        rtol=1e-10,
        atol=1e-12,
    )


def test_batch_norm_is_differentiated_through_the_statistics(torch):
    """The gradient by what lies below depends on all samples."""
    w = gc.parameter("w", shape=(3, 4))
    x = gc.observed("x", shape=4)
    block = gc.BatchNorm1d(3, affine=False)
    z = block(np.tanh(w @ x))
    data, weights = RNG.normal(size=(P, 4)), RNG.normal(size=(3, 4))
    v = torch.tensor(weights, requires_grad=True)
    expected = torch.nn.functional.batch_norm(
        torch.tanh(torch.tensor(data) @ v.T), None, None, training=True
    )
    loss = (expected**3).sum() / P
    loss.backward()
    program = gc.compile(gc.Graph(gc.cost(np.sum(z**3), name="C")))
    value, grads = program.loss_and_grad((weights,), x=data)
    assert value == pytest.approx(loss.item())
    np.testing.assert_allclose(grads.w, v.grad, rtol=1e-9)


def test_without_running_statistics_there_is_one_result():
    x = gc.observed("x", shape=3)
    assert gc.BatchNorm1d(3)(x).shape == (3,)


SEQUENCE = gc.observed("sequence", shape=(5, 4))


def test_a_block_of_blocks_shares_them_between_calls():
    layer = gc.TransformerEncoderLayer(4, 2, 6, name="layer")
    z = layer(layer(SEQUENCE))
    net = gc.Graph(z)
    names = [net.name_of(v) for v in net.parameters]
    assert len(names) == 16
    assert names[:4] == [f"layer_self_attn_{n}" for n in ("wq", "wk", "wv", "wo")]
    assert layer.linear1.w.shape == (6, 4)
    assert net.name_of(layer.norm2.b) == "layer_norm2_b"
    assert [use.function for use in net.functions] == ["TransformerEncoderLayer"] * 2


def test_a_body_that_makes_other_blocks_in_its_second_call_is_refused():
    @gc.block
    def wavering(z, *, first=True):
        return gc.Linear(2 if first else 3)(z)

    f = wavering()
    f(SEQUENCE)
    assert f(SEQUENCE).shape == (5, 2)
    with pytest.raises(UsageError, match="'wavering' is called again.*other blocks"):
        f(SEQUENCE, first=False)
    with pytest.raises(UsageError, match="has parameters .*make the block first"):
        wavering(SEQUENCE)


def test_blocks_draw_as_one_block():
    x = gc.observed("x", shape=(3, 4))
    z = gc.MultiheadAttention(4, 2, name="attention")(x, x, x)
    z = gc.LayerNorm(4, name="norm")(gc.add(x, z, name="sum"))
    net = gc.Graph(z)
    assert [use.name for use in net.functions] == ["attention", "sum", "norm"]
    assert len(net.variables) == 4


def test_formulas():
    x = gc.observed("x", shape=4)
    assert str(gc.latex(gc.RMSNorm(4, elementwise_affine=False, eps=1.0)(x))) == (
        r"\frac{x}{\sqrt{\frac{\left\|x\right\|^{2}}{4} + 1}}"
    )
    q, k, v = (gc.observed(n, shape=s) for n, s in (("q", (3, 4)), ("k", (5, 4)), ("v", (5, 2))))
    z = gc.scaled_dot_product_attention(q, k, v)
    assert gc.latex(z) == (
        r"\sum_{l} v_{lj} \mathrm{softmax}_{m}\left(\frac{1}{2} \sum_{n} k_{mn} q_{in}\right)_{l}"
    )


def test_named_sizes():
    """A sequence of any length: masks and encodings are made when it is known."""
    x = gc.observed("x", shape=("t", 4))
    z = gc.scaled_dot_product_attention(x, x, x, is_causal=True)
    z = gc.LearnedPositionalEncoding(9, name="places")(gc.positional_encoding(z))
    program = gc.compile(gc.Graph(gc.rotary_encoding(z)))
    fixed = gc.observed("x", shape=(3, 4))
    same = gc.scaled_dot_product_attention(fixed, fixed, fixed, is_causal=True)
    same = gc.LearnedPositionalEncoding(9, name="places")(gc.positional_encoding(same))
    expected = gc.compile(gc.Graph(gc.rotary_encoding(same)))
    params, data = program.init_params(), RNG.normal(size=(2, 3, 4))
    np.testing.assert_allclose(
        program.forward(params, x=data), expected.forward(params, x=data), rtol=1e-12
    )


X, CLASS = gc.observed("x", shape=(4, 3)), gc.observed("i", classes=7)


@pytest.mark.parametrize(
    ("error", "words", "f"),
    [
        (ShapeError, ["test_layers.py:", "LayerNorm: normalises the last axes", "(4,)", "(4, 3)"],
         lambda: gc.LayerNorm(4)(X)),
        (UsageError, ["GroupNorm: 4 channels do not make 3"], lambda: gc.GroupNorm(3, 4)(X)),
        (ShapeError, ["'GroupNorm'", "(5, ...)", "(4, 3)"], lambda: gc.GroupNorm(1, 5)(X)),
        (ShapeError, ["InstanceNorm2d: takes 3 axes", "no batch", "(4, 3)"],
         lambda: gc.InstanceNorm2d(4)(X)),
        (ShapeError, ["BatchNorm1d: takes 1 or 2 axes"],
         lambda: gc.BatchNorm1d(2)(gc.observed("q", shape=(2, 3, 3)))),
        (UsageError, ["BatchNorm1d: training=False needs running_mean"],
         lambda: gc.BatchNorm1d(4, training=False)(X)),
        (UsageError, ["give both running_mean and running_var"],
         lambda: gc.BatchNorm1d(4)(X, np.ones(4))),
        (ShapeError, ["Embedding: the input has 7 classes", "5 embeddings", "Embedding(7, 3)"],
         lambda: gc.Embedding(5, 3)(CLASS)),
        (KindError, ["'Embedding' expects integer values"], lambda: gc.Embedding(5, 3)(X)),
        (UsageError, ["padding_idx names one of 7 rows, got -8"],
         lambda: gc.Embedding(7, 3, padding_idx=-8)(CLASS)),
        (ShapeError, ["Bilinear: the inputs have shapes"],
         lambda: gc.Bilinear(2)(X, gc.observed("q", shape=(5, 3)))),
        (UsageError, ["dropout: p lies in [0, 1), got 1"], lambda: gc.dropout(X, X, p=1)),
        (ShapeError, ["dropout: the noise has shape (3,)", "(4, 3)"],
         lambda: gc.dropout(X, np.ones(3))),
        (UsageError, ["MultiheadAttention: 3 features do not make 2 equal heads"],
         lambda: gc.MultiheadAttention(3, 2)(X, X, X)),
        (UsageError, ["dropout_p=0.5 needs noise in the call"],
         lambda: gc.scaled_dot_product_attention(X, X, X, dropout_p=0.5)),
        (ShapeError, ["leading axes differ", "enable_gqa"],
         lambda: gc.scaled_dot_product_attention(np.ones((4, 2, 3)), np.ones((2, 5, 3)),
                                                 np.ones((2, 5, 3)))),
        (UsageError, ["needs scale="], lambda: gc.scaled_dot_product_attention(
            *[gc.observed("q", shape=(3, "e"))] * 3)),
        (UsageError, ["3 heads of keys do not divide 4"],
         lambda: gc.scaled_dot_product_attention(np.ones((4, 2, 3)), np.ones((3, 5, 3)),
                                                 np.ones((3, 5, 3)), enable_gqa=True)),
        (UsageError, ["positional_encoding: the number of features is a name"],
         lambda: gc.positional_encoding(gc.observed("q", shape=(3, "e")))),
        (UsageError, ["rotary_encoding: turns pairs", "3"], lambda: gc.rotary_encoding(X)),
        (ShapeError, ["a sequence of 4 is longer than max_len=2"],
         lambda: gc.LearnedPositionalEncoding(2)(X)),
        (UsageError, ["gumbel_softmax: tau is positive"],
         lambda: gc.gumbel_softmax(X, X, tau=0.0)),
        (UsageError, ["activation is 'relu'"],
         lambda: gc.TransformerEncoderLayer(4, 2, activation="swish")(SEQUENCE)),
        (UsageError, ["duplicate: copies is at least 1"], lambda: gc.duplicate(X, 0)),
        (UsageError, ["switch: the selector has 7 classes for 2 inputs"],
         lambda: gc.switch(CLASS, X, X)),
        (UsageError, ["a boolean chooses between 2"],
         lambda: gc.switch(gc.observed("b", kind="boolean"), X, X, X)),
        (KindError, ["the selector is an integer or a boolean"], lambda: gc.switch(X, X, X)),
        (UsageError, ["flatten: start_axis 1 comes after end_axis 0"],
         lambda: gc.flatten(X, 1, 0)),
    ],
)  # fmt: skip
def test_refused(error, words, f):
    with pytest.raises(error) as caught:
        f()
    for word in words:
        assert word in str(caught.value)


def test_the_hard_sample_of_gumbel_softmax_is_one_hot_with_a_soft_derivative():
    logits, noise = gc.observed("logits", shape=4), gc.observed("noise", shape=4)
    weight = np.arange(4.0)
    hard = gc.gumbel_softmax(logits, noise, hard=True)
    soft = gc.gumbel_softmax(logits, noise)
    f = gc.compile_function(
        [logits, noise],
        [hard, *(gc.grad(np.sum(v * weight), logits) for v in (hard, soft))],
    )
    data = RNG.normal(size=(2, 4))
    y, d_hard, d_soft = f(*data)
    np.testing.assert_allclose(y, np.arange(4) == np.argmax(data.sum(0)), atol=1e-15)
    np.testing.assert_allclose(d_hard, d_soft, rtol=1e-12)


def test_the_readable_file_of_a_transformer_takes_no_minutes():
    """Its formulas would fill pages: they are left out, and not derived first."""
    from graphc.language.blockwise import block_formulas

    net = gc.Graph(gc.TransformerEncoderLayer(4, 2, 6, name="layer")(SEQUENCE))
    (made,) = block_formulas(net)
    assert all(p.jacobian is None and p.backward is None for p in made.partials)
    assert "# layer: forward" in gc.compile(net, style="readable").source
