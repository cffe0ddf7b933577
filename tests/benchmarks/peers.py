"""The lecture's network in graphc and in every library that it is compared with.

Each peer is one function. It takes the same numbers (`Data`), does once what need not be done at
each step, and returns a `Step`: how to compute the loss and its gradients once, and how to read
them. Libraries are imported inside, because each peer runs in a process of its own and may be
missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tests.benchmarks.machine import usable_cores

WIDTHS = (600, 60, 40, 10)


@dataclass(frozen=True)
class Data:
    """What all peers are given: for each layer the weight (out, in) and the bias, and samples."""

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    x: np.ndarray  # (P, 600)
    y: np.ndarray  # (P,) classes

    @property
    def flat(self) -> list[np.ndarray]:
        """The parameters in one list: w, b, w, b, ..."""
        return [array for layer in self.layers for array in layer]


@dataclass(frozen=True)
class Step:
    """One computation of the loss and its gradients.

    Parameters
    ----------
    run
        Computes them, and returns when they are there.
    read
        Turns what `run` returned into NumPy arrays: the loss, then the gradients in the order of
        `Data.flat`. Not timed.
    """

    run: Callable[[], Any]
    read: Callable[[Any], list[np.ndarray]]


def network_data(samples: int, dtype: str, seed: int = 0) -> Data:
    """Return parameters and samples."""
    rng = np.random.default_rng(seed)
    layers = []
    for n, m in pairwise(WIDTHS):
        w = rng.standard_normal((m, n)) / np.sqrt(n)
        layers.append((w.astype(dtype), (0.1 * rng.standard_normal(m)).astype(dtype)))
    x = rng.standard_normal((samples, WIDTHS[0]), np.dtype(dtype))  # no copy: see `memory_bytes`
    return Data(tuple(layers), x, rng.integers(0, WIDTHS[-1], samples))


def reference(data: Data) -> list[np.ndarray]:
    """Return loss and gradients by hand in float64: what every peer is compared with."""
    layers = [(w.astype(np.float64), b.astype(np.float64)) for w, b in data.layers]
    states = [data.x.astype(np.float64)]
    for i, (w, b) in enumerate(layers):
        s = states[-1] @ w.T + b
        states.append(s if i == len(layers) - 1 else np.maximum(s, 0))
    each = np.arange(len(data.y))
    shifted = states.pop() - np.max(s, axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    d = np.exp(logarithms)
    d[each, data.y] -= 1
    d /= len(data.y)
    grads: list[np.ndarray] = []
    for (w, _), z in zip(reversed(layers), reversed(states), strict=True):
        grads = [d.T @ z, d.sum(axis=0), *grads]
        d = d @ w * (z > 0)
    return [-logarithms[each, data.y].mean(), *grads]


def _graphc(data: Data, style: str) -> Step:
    """The public function of the compiled program, argument checks included."""
    import graphc as gc

    x, y = gc.observed("x", shape=WIDTHS[:1]), gc.observed("y", classes=WIDTHS[-1])
    state: Any = x
    for i, (w, _) in enumerate(data.layers):
        state = gc.Linear(len(w), name=f"m{i}")(state if i == 0 else gc.relu(state))
    net = gc.Graph(gc.cross_entropy(state, y, name="C"), name="mynet")
    program = gc.compile(net, dtype=data.x.dtype.name, style=style)
    names = [f"m{i}_{field}" for i in range(len(data.layers)) for field in "wb"]
    params = program.Params(**dict(zip(names, data.flat, strict=True)))

    def read(result: Any) -> list[np.ndarray]:
        loss, grads = result
        return [np.asarray(loss), *(getattr(grads, name) for name in names)]

    return Step(lambda: program.loss_and_grad(params, x=data.x, y=data.y), read)


def graphc_readable(data: Data) -> Step:
    """graphc, ``style="readable"``."""
    return _graphc(data, "readable")


def graphc_fast(data: Data) -> Step:
    """graphc, ``style="fast"``."""
    return _graphc(data, "fast")


def _jax(data: Data, asynchronous: bool) -> Step:
    """``jax.jit(jax.value_and_grad(...))`` on arrays that are on the device, results awaited."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", data.x.dtype == np.float64)
    jax.config.update("jax_cpu_enable_async_dispatch", asynchronous)

    def cost(layers: Any, x: Any, y: Any) -> Any:
        state = x
        for i, (w, b) in enumerate(layers):
            state = (state if i == 0 else jax.nn.relu(state)) @ w.T + b
        return -jnp.take_along_axis(jax.nn.log_softmax(state), y[:, None], axis=1).mean()

    step = jax.jit(jax.value_and_grad(cost))
    arguments = jax.block_until_ready(jax.device_put((data.layers, data.x, data.y)))
    return Step(lambda: jax.block_until_ready(step(*arguments)), _read_nested)


def jax_jit(data: Data) -> Step:
    """JAX, settings as shipped."""
    return _jax(data, asynchronous=True)


def jax_synchronous(data: Data) -> Step:
    """JAX told to compute in the calling thread, which saves a small step its hand-over."""
    return _jax(data, asynchronous=False)


def _read_nested(result: Any) -> list[np.ndarray]:
    loss, layers = result
    return [np.asarray(loss), *(np.asarray(array) for layer in layers for array in layer)]


def _torch(data: Data, compiled: bool) -> Step:
    import torch
    from torch.nn import functional

    torch.set_num_threads(usable_cores())
    params = [torch.tensor(array).requires_grad_() for array in data.flat]
    x, y = torch.tensor(data.x), torch.tensor(data.y)

    def cost(x: Any, y: Any, *params: Any) -> Any:
        state = x
        for i in range(0, len(params), 2):
            state = functional.linear(
                state if i == 0 else functional.relu(state), *params[i : i + 2]
            )
        return functional.cross_entropy(state, y)

    chosen = torch.compile(cost, dynamic=False) if compiled else cost

    def run() -> Any:
        for p in params:
            p.grad = None
        loss = chosen(x, y, *params)
        loss.backward()
        return loss

    return Step(run, lambda loss: [loss.detach().numpy(), *(p.grad.numpy() for p in params)])


def torch_eager(data: Data) -> Step:
    """PyTorch as it is: the forward pass and ``backward()``."""
    return _torch(data, compiled=False)


def torch_compile(data: Data) -> Step:
    """PyTorch with ``torch.compile``, for these shapes only; needs a C++ compiler."""
    return _torch(data, compiled=True)


def autograd(data: Data) -> Step:
    """HIPS autograd: ``value_and_grad``."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    x, y, each = data.x, data.y, np.arange(len(data.y))

    def cost(layers: Any) -> Any:
        state = x
        for i, (w, b) in enumerate(layers):
            state = anp.dot(state if i == 0 else anp.maximum(state, 0), w.T) + b
        shifted = state - anp.max(state, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[each, y])

    step = value_and_grad(cost)
    layers = [list(layer) for layer in data.layers]
    return Step(lambda: step(layers), _read_nested)


PEERS: dict[str, Callable[[Data], Step]] = {
    "graphc readable": graphc_readable,
    "graphc fast": graphc_fast,
    "JAX jit": jax_jit,
    "JAX jit, sync": jax_synchronous,
    "torch eager": torch_eager,
    "torch.compile": torch_compile,
    "HIPS autograd": autograd,
}

# The modules that peers import; where two peers share one, it goes by the first.
MODULES = {
    "graphc fast": "graphc",
    "JAX jit": "jax",
    "torch eager": "torch",
    "HIPS autograd": "autograd",
}

# Peers with a setting that few users know: timed as well, and compared with on a line of their own.
TUNED = ("JAX jit, sync",)
