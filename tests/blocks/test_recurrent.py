"""Recurrent blocks and CTC: batches, named lengths, loops in the emitted code, what is refused."""

from itertools import product

import numpy as np
import pytest

import graphc as gc
from graphc.errors import KindError, ShapeError, UsageError

RNG = np.random.default_rng(4)
P, T = 5, 6
X = gc.observed("x", shape=("T", 2))


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_batch_of_sequences(torch, name, style):
    """Both directions, two layers, and a gradient through all steps."""
    block = getattr(gc, name)(3, num_layers=2, bidirectional=True, name="net")
    outputs, *last = block(X)
    c = np.sum(outputs**2) + sum(np.sum(v**3) for v in last)
    program = gc.compile(gc.Graph(gc.cost(c, name="C")), style=style)
    params = [p + 0.1 for p in program.init_params(seed=1)]
    data = RNG.normal(size=(P, T, 2))
    theirs = getattr(torch.nn, name)(
        2, 3, num_layers=2, bidirectional=True, batch_first=True, dtype=torch.float64
    )
    for own, value in zip(theirs.parameters(), params, strict=True):
        own.data = torch.tensor(value)
    z, state = theirs(torch.tensor(data))
    states = state if isinstance(state, tuple) else (state,)
    loss = ((z**2).sum() + sum((s**3).sum() for s in states)) / P
    loss.backward()
    got, grads = program.loss_and_grad(params, x=data)
    assert got == pytest.approx(loss.item(), rel=1e-10)
    for g, own in zip(grads, theirs.parameters(), strict=True):
        np.testing.assert_allclose(g, own.grad, rtol=1e-8, atol=1e-10)


def test_emitted_code_holds_a_loop_forward_and_a_loop_back():
    h, *_ = gc.LSTM(3, name="lstm")(X)
    for style in ("readable", "fast"):
        source = gc.compile(gc.Graph(gc.cost(np.sum(h**2), name="C")), style=style).source
        backward = source.split("def loss_and_grad")[1]
        if style == "readable":
            assert backward.count("for t in range(T)") == 1
            assert backward.count("reversed(range(T))") == 1
        else:
            assert backward.count(" in zip(\n") == 2
            assert backward.count("[::-1],\n    ):") == 1
            assert "concatenate" not in backward  # the gates' cotangents are computed in the whole


def test_dropout_between_layers():
    noise = gc.observed("noise", shape=(1, "T", 3))
    block = gc.GRU(3, num_layers=2, dropout=0.5, name="net")
    z, _ = block(X, None, noise)
    net = gc.Graph(z)
    program = gc.compile(net)
    params, data = program.init_params(seed=1), RNG.normal(size=(P, T, 2))
    everything = program.forward(params, x=data, noise=np.ones((P, 1, T, 3)))
    nothing = program.forward(params, x=data, noise=np.zeros((P, 1, T, 3)))
    # What is kept is doubled; where all is dropped, the second layer is fed zeros.
    silent = gc.compile(gc.Graph(block.l1(gc.observed("x", shape=("T", 3)))[0]))
    second = silent.Params(*params[4:])
    np.testing.assert_allclose(nothing, silent.forward(second, x=np.zeros((P, T, 3))), rtol=1e-12)
    first = gc.compile(gc.Graph(block.l0(X)[0]))
    hidden = first.forward(first.Params(*params[:4]), x=data)
    np.testing.assert_allclose(everything, silent.forward(second, x=2 * hidden), rtol=1e-12)


def test_cells_unroll_to_what_a_sequence_is():
    layer = gc.GRU(3, name="net")
    x = gc.observed("x", shape=(3, 2))
    _, last = layer(x)
    cell = gc.GRUCell(3, name="cell")
    h = cell(x[0])
    for t in (1, 2):
        h = cell(x[t], h)
    a, b = (gc.compile(gc.Graph(v)) for v in (last, h))
    params, data = a.init_params(seed=0), RNG.normal(size=(P, 3, 2))
    np.testing.assert_allclose(
        a.forward(params, x=data)[:, 0], b.forward(b.Params(*params), x=data), rtol=1e-12
    )


def test_ctc_is_the_sum_over_all_alignments():
    scores, y, blank = RNG.normal(size=(5, 3)), [1, 2, 2], 0
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))

    def collapsed(path):
        kept = [c for i, c in enumerate(path) if i == 0 or path[i - 1] != c]
        return [c for c in kept if c != blank]

    total = sum(
        np.exp(sum(log_p[t, c] for t, c in enumerate(path)))
        for path in product(range(3), repeat=5)
        if collapsed(path) == y
    )
    x = gc.observed("x", shape=(5, 3))
    f = gc.compile_function([x], gc.ctc(x, np.array(y), reduction="sum"))
    assert f(log_p) == pytest.approx(-np.log(total), rel=1e-12)


def test_ctc_of_a_padded_batch(torch):
    scores = gc.observed("scores", shape=("T", 4))
    y, t, s = (gc.observed(n, shape=k, kind="integer") for n, k in (("y", 3), ("t", ()), ("s", ())))
    w = gc.parameter("w", shape=(4, 4), init="normal")
    net = gc.Graph(gc.ctc(gc.log_softmax(scores @ w), y, t, s, name="C"))
    program = gc.compile(net)
    params = program.init_params(seed=3)
    data = RNG.normal(size=(P, T, 4))
    labels = RNG.integers(1, 4, size=(P, 3))
    steps, counts = np.array([6, 5, 6, 5, 6]), np.array([1, 2, 3, 0, 2])
    v = torch.tensor(params.w, requires_grad=True)
    log_p = torch.log_softmax(torch.tensor(data) @ v, -1).transpose(0, 1)
    loss = torch.nn.functional.ctc_loss(log_p, *map(torch.tensor, (labels, steps, counts)))
    loss.backward()
    got, grads = program.loss_and_grad(params, scores=data, y=labels, t=steps, s=counts)
    assert got == pytest.approx(loss.item(), rel=1e-10)
    np.testing.assert_allclose(grads.w, v.grad, rtol=1e-8)


def test_labels_that_do_not_fit_cost_infinitely_much_or_nothing():
    x = gc.observed("x", shape=(2, 3))
    y = np.array([1, 1, 2])
    log_p = np.log(np.full((2, 3), 1 / 3))
    for zero, expected in ((False, np.inf), (True, 0.0)):
        c = gc.ctc(x, y, zero_infinity=zero)
        value, slope = gc.compile_function([x], [c, gc.grad(c, x)])(log_p)
        assert value == expected
        np.testing.assert_array_equal(slope, np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("error", "words", "f"),
    [
        (UsageError, ["test_recurrent.py:", "RNN: nonlinearity is one of 'tanh', 'relu'"],
         lambda: gc.RNN(3, nonlinearity="sin")(X)),
        (UsageError, ["GRU: num_layers is an integer of at least 1"],
         lambda: gc.GRU(3, num_layers=0)(X)),
        (UsageError, ["LSTM: proj_size is less than hidden_size"],
         lambda: gc.LSTM(3, proj_size=3)(X)),
        (ShapeError, ["a start has a row for each layer and direction, 2, got 1"],
         lambda: gc.GRU(3, num_layers=2)(X, np.zeros((1, 3)))),
        (UsageError, ["dropout works between layers"],
         lambda: gc.GRU(3)(X, None, gc.observed("n", shape=(1, "T", 3)))),
        (ShapeError, ["'LSTMCell' expects an input of shape (input_size,)"],
         lambda: gc.LSTMCell(3)(X)),
        (KindError, ["'ctc' expects integer values for 'y'"], lambda: gc.ctc(X, np.ones(2))),
        (UsageError, ["ctc: blank is one of the 2 classes, got 2"],
         lambda: gc.ctc(X, np.array([1]), blank=2)),
    ],
)  # fmt: skip
def test_refused(error, words, f):
    with pytest.raises(error) as caught:
        f()
    for word in words:
        assert word in str(caught.value)
