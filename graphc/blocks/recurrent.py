"""Recurrent blocks: cells, which do one step, and sequences, which are loops over steps.

Inputs are those of one sample: (length, input_size). Parameters are PyTorch's: ``w_ih`` for the
input, ``w_hh`` for the state, and a bias for each, the gates on top of one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, shapes, usage
from graphc.blocks.sampling import drawn
from graphc.blocks.sampling import dropout as dropped
from graphc.blocks.starts import by_fan_in
from graphc.language.functions import Input, Parameter, block, function
from graphc.language.loops import scan
from graphc.language.protocol.scalars import scalar_function
from graphc.language.variable import Variable
from graphc.ops.contraction import full

START = by_fan_in("hidden_size")  # PyTorch starts all parameters of a recurrent block alike
NONLINEARITIES: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}


def _sigmoid(x: Any) -> Any:
    return scalar_function("sigmoid")(x)


def _added(x: Any, b: Any) -> Any:
    return x if b is None else x + b


def _started(state: Any, like: Any) -> Any:
    """Return a state; zeros, of the size that the columns of `like` have, where there is none."""
    return Variable(full(0.0, (like.shape[-1],))) if state is None else state


def lstm_step(gates: Any, c: Any) -> tuple[Any, Any]:
    """Return output and cell state from the four gates, stacked as i, f, g, o."""
    size = gates.shape[0] // 4
    i, f = np.split(_sigmoid(gates[: 2 * size]), 2)
    c = f * c + i * np.tanh(gates[2 * size : 3 * size])
    return _sigmoid(gates[3 * size :]) * np.tanh(c), c


def gru_step(of_input: Any, of_state: Any, h: Any) -> Any:
    """Return the new state from the gates r, z, n, those of the input and of the state apart."""
    size = h.shape[0]
    reset, update = np.split(_sigmoid(of_input[: 2 * size] + of_state[: 2 * size]), 2)
    new = np.tanh(of_input[2 * size :] + reset * of_state[2 * size :])
    return (1.0 - update) * new + update * h


@function
def RNNCell(
    x: Any = Input("input_size"),
    h: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    bias: bool = True,
    nonlinearity: str = "tanh",
    w_ih: Any = Parameter("hidden_size input_size", torch=START),
    w_hh: Any = Parameter("hidden_size hidden_size", torch=START),
    b_ih: Any = Parameter("hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("hidden_size", "zeros", "bias", START),
) -> Any:
    """Return ``tanh(w_ih x + b_ih + w_hh h + b_hh)``; a state that is not given is zero."""
    chosen(nonlinearity, tuple(NONLINEARITIES), "RNNCell", "nonlinearity")
    s = _added(w_ih @ x, b_ih) + _added(w_hh @ _started(h, w_hh), b_hh)
    return NONLINEARITIES[nonlinearity](s)


@function
def LSTMCell(
    x: Any = Input("input_size"),
    h: Any = Input("hidden_size", optional=True),
    c: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    bias: bool = True,
    w_ih: Any = Parameter("4*hidden_size input_size", torch=START),
    w_hh: Any = Parameter("4*hidden_size hidden_size", torch=START),
    b_ih: Any = Parameter("4*hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("4*hidden_size", "zeros", "bias", START),
) -> Any:
    """Return the output and the cell state after one step of a long short-term memory.

    ``c' = sigmoid(f) c + sigmoid(i) tanh(g)`` and ``h' = sigmoid(o) tanh(c')``, where ``(i, f, g,
    o) = w_ih x + b_ih + w_hh h + b_hh``. Hochreiter and Schmidhuber (1997), with forget gates.
    """
    gates = _added(w_ih @ x, b_ih) + _added(w_hh @ _started(h, w_hh), b_hh)
    return lstm_step(gates, _started(c, w_hh))


@function
def GRUCell(
    x: Any = Input("input_size"),
    h: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    bias: bool = True,
    w_ih: Any = Parameter("3*hidden_size input_size", torch=START),
    w_hh: Any = Parameter("3*hidden_size hidden_size", torch=START),
    b_ih: Any = Parameter("3*hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("3*hidden_size", "zeros", "bias", START),
) -> Any:
    """Return the state after one step of a gated recurrent unit.

    ``h' = (1 - sigmoid(z)) n + sigmoid(z) h`` with ``n = tanh(n_x + sigmoid(r) n_h)``; r and z are
    sums of a part from the input and one from the state. Cho et al. (2014).
    """
    h = _started(h, w_hh)
    return gru_step(_added(w_ih @ x, b_ih), _added(w_hh @ h, b_hh), h)


@function
def RNNLayer(
    x: Any = Input("length input_size"),
    h: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    bias: bool = True,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    w_ih: Any = Parameter("hidden_size input_size", torch=START),
    w_hh: Any = Parameter("hidden_size hidden_size", torch=START),
    b_ih: Any = Parameter("hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("hidden_size", "zeros", "bias", START),
) -> Any:
    """Go through a sequence with an :func:`RNNCell`; return the states and the last one."""
    activation = NONLINEARITIES[nonlinearity]

    def step(h: Any, s: Any) -> tuple[Any, Any]:
        h = activation(s + _added(w_hh @ h, b_hh))
        return h, h

    last, states = scan(step, _started(h, w_hh), _added(x @ w_ih.T, b_ih), reverse=reverse)
    return states, last


@function
def LSTMLayer(
    x: Any = Input("length input_size"),
    h: Any = Input("out_size", optional=True),
    c: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    out_size: int,
    bias: bool = True,
    projects: bool = False,
    reverse: bool = False,
    w_ih: Any = Parameter("4*hidden_size input_size", torch=START),
    w_hh: Any = Parameter("4*hidden_size out_size", torch=START),
    b_ih: Any = Parameter("4*hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("4*hidden_size", "zeros", "bias", START),
    w_hr: Any = Parameter("out_size hidden_size", None, "projects", START),
) -> Any:
    """Go through a sequence with an :func:`LSTMCell`; return the outputs and both last states."""

    def step(state: Any, gates: Any) -> tuple[Any, Any]:
        h, c = state
        h, c = lstm_step(gates + _added(w_hh @ h, b_hh), c)
        h = h if w_hr is None else w_hr @ h
        return (h, c), h

    cell = Variable(full(0.0, (hidden_size,))) if c is None else c
    start = (_started(h, w_hh), cell)
    (last, cell), outputs = scan(step, start, _added(x @ w_ih.T, b_ih), reverse=reverse)
    return outputs, last, cell


@function
def GRULayer(
    x: Any = Input("length input_size"),
    h: Any = Input("hidden_size", optional=True),
    *,
    hidden_size: int,
    bias: bool = True,
    reverse: bool = False,
    w_ih: Any = Parameter("3*hidden_size input_size", torch=START),
    w_hh: Any = Parameter("3*hidden_size hidden_size", torch=START),
    b_ih: Any = Parameter("3*hidden_size", "zeros", "bias", START),
    b_hh: Any = Parameter("3*hidden_size", "zeros", "bias", START),
) -> Any:
    """Go through a sequence with a :func:`GRUCell`; return the states and the last one."""

    def step(h: Any, of_input: Any) -> tuple[Any, Any]:
        h = gru_step(of_input, _added(w_hh @ h, b_hh), h)
        return h, h

    last, states = scan(step, _started(h, w_hh), _added(x @ w_ih.T, b_ih), reverse=reverse)
    return states, last


def _layers(
    x: Any,
    starts: tuple[Any, ...],
    make: Callable[..., Any],
    name: str,
    num_layers: int,
    bidirectional: bool,
    dropout: float,
    noise: Any,
    training: bool,
) -> Any:
    """Return the outputs of the last layer, and the last states of all layers and directions."""
    usage(
        isinstance(num_layers, int) and num_layers >= 1,
        f"{name}: num_layers is an integer of at least 1, got {num_layers!r}",
    )
    usage(
        num_layers > 1 or (noise is None and dropout == 0),
        f"{name}: dropout works between layers, and there is one",
    )
    noise = drawn(noise, dropout, training, name, "(num_layers - 1, length, features)")
    ways = (False, True) if bidirectional else (False,)
    for start in starts:
        shapes(
            start is None or start.shape[0] == num_layers * len(ways),
            f"{name}: a start has a row for each layer and direction, {num_layers * len(ways)}, "
            f"got {0 if start is None else start.shape[0]}",
        )
    ends: list[tuple[Any, ...]] = []
    for k in range(num_layers):
        if k and noise is not None:
            x = dropped(x, noise[k - 1], dropout)
        outputs = []
        for reverse in ways:
            layer = make(reverse=reverse, name=f"l{k}_reverse" if reverse else f"l{k}")
            out, *last = layer(x, *(None if s is None else s[len(ends)] for s in starts))
            outputs.append(out)
            ends.append(tuple(last))
        x = np.concatenate(outputs, axis=-1) if bidirectional else outputs[0]
    return x, *(np.stack(states) for states in zip(*ends, strict=True))


@block
def RNN(
    x: Any = Input("length input_size"),
    h: Any = Input("... hidden_size", optional=True),
    noise: Any = Input("... length features", optional=True),
    *,
    hidden_size: int,
    num_layers: int = 1,
    nonlinearity: str = "tanh",
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    training: bool = True,
) -> Any:
    """Go through a sequence with the states ``tanh(w_ih x + b_ih + w_hh h + b_hh)``.

    Parameters
    ----------
    x
        (length, input_size).
    h
        What the layers start with, (layers times directions, hidden_size); by default zeros.
    noise
        Uniform in [0, 1), of shape (layers - 1, length, features), for dropout between layers;
        a call with ``training=False`` needs none and drops nothing.
    bidirectional
        Whether each layer goes both ways, and its outputs stand side by side.

    Returns
    -------
    outputs, h
        The states of the last layer, (length, features), and the last of all layers.

    Notes
    -----
    The layers are blocks inside: ``l0``, ``l0_reverse``, ``l1``, ... Weights start Glorot-uniform,
    biases at zero. Emitted code holds one loop for each layer and direction.
    """
    chosen(nonlinearity, tuple(NONLINEARITIES), "RNN", "nonlinearity")

    def make(**options: Any) -> Any:
        return RNNLayer(hidden_size, bias=bias, nonlinearity=nonlinearity, **options)

    return _layers(x, (h,), make, "RNN", num_layers, bidirectional, dropout, noise, training)


@block
def LSTM(
    x: Any = Input("length input_size"),
    h: Any = Input("...", optional=True),
    c: Any = Input("... hidden_size", optional=True),
    noise: Any = Input("... length features", optional=True),
    *,
    hidden_size: int,
    num_layers: int = 1,
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    proj_size: int = 0,
    training: bool = True,
) -> Any:
    """Go through a sequence with a long short-term memory; see :func:`LSTMCell` and :func:`RNN`.

    With `proj_size` the outputs are projected to that many features, and it is those that go on
    to the next step (Sak, Senior and Beaufays, 2014). The results are the outputs of the last
    layer, (length, features), and the last outputs and cell states of all layers.
    """
    usage(
        0 <= proj_size < hidden_size if isinstance(hidden_size, int) else proj_size == 0,
        f"LSTM: proj_size is less than hidden_size, got {proj_size} and {hidden_size}",
    )

    def make(**options: Any) -> Any:
        out = proj_size or hidden_size
        return LSTMLayer(hidden_size, out, bias=bias, projects=proj_size > 0, **options)

    return _layers(x, (h, c), make, "LSTM", num_layers, bidirectional, dropout, noise, training)


@block
def GRU(
    x: Any = Input("length input_size"),
    h: Any = Input("... hidden_size", optional=True),
    noise: Any = Input("... length features", optional=True),
    *,
    hidden_size: int,
    num_layers: int = 1,
    bias: bool = True,
    dropout: float = 0.0,
    bidirectional: bool = False,
    training: bool = True,
) -> Any:
    """Go through a sequence with gated recurrent units; see :func:`GRUCell` and :func:`RNN`."""

    def make(**options: Any) -> Any:
        return GRULayer(hidden_size, bias=bias, **options)

    return _layers(x, (h,), make, "GRU", num_layers, bidirectional, dropout, noise, training)


# `input_size`, with which PyTorch begins, follows from the input.
for _block in (RNNCell, LSTMCell, GRUCell, RNN, LSTM, GRU):
    _block.positional = 1
