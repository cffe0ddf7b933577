"""Chains of equal blocks (linear 32 → 32, tanh): how long each library needs to compile them.

Each function declares, compiles and returns the loss and the gradients of the first call. Both
are given the chain block by block, as a model with different blocks would be.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.peers import Data

WIDTH = 32
SAMPLES = 16


def chain_data(blocks: int, seed: int = 0) -> Data:
    """Return the parameters of a chain, and samples; `y` is what its end is compared with."""
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(blocks):
        w = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]  # so that nothing vanishes
        layers.append((w, 0.1 * rng.standard_normal(WIDTH)))
    x, y = rng.standard_normal((2, SAMPLES, WIDTH))
    return Data(tuple(layers), x, y)


def chain_reference(data: Data) -> list[np.ndarray]:
    """Return loss and gradients by hand."""
    states = [data.x]
    for w, b in data.layers:
        states.append(np.tanh(states[-1] @ w.T + b))
    d = 2 * (states[-1] - data.y) / len(data.y)
    grads: list[np.ndarray] = []
    for (w, _), z, out in zip(data.layers[::-1], states[-2::-1], states[:0:-1], strict=True):
        d = d * (1 - out * out)
        grads = [d.T @ z, d.sum(axis=0), *grads]
        d = d @ w
    return [((states[-1] - data.y) ** 2).sum(axis=1).mean(), *grads]


def graphc_chain(data: Data) -> list[np.ndarray]:
    """graphc: declare, compile in the fast style, call."""
    import graphc as gc

    x, y = gc.observed("x", shape=(WIDTH,)), gc.observed("y", shape=(WIDTH,))
    state: Any = x
    for i in range(len(data.layers)):
        state = gc.tanh(gc.Linear(WIDTH, name=f"m{i}")(state))
    net = gc.Graph(gc.squared_error(state, y, name="C"), name="chain")
    program = gc.compile(net, dtype="float64", style="fast")
    names = [f"m{i}_{field}" for i in range(len(data.layers)) for field in "wb"]
    params = program.Params(**dict(zip(names, data.flat, strict=True)))
    loss, grads = program.loss_and_grad(params, x=data.x, y=data.y)
    return [np.asarray(loss), *(getattr(grads, name) for name in names)]


def jax_chain(data: Data) -> list[np.ndarray]:
    """JAX: trace, compile, call, wait."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)

    def cost(layers: Any, x: Any, y: Any) -> Any:
        state = x
        for w, b in layers:
            state = jnp.tanh(state @ w.T + b)
        return ((state - y) ** 2).sum(axis=1).mean()

    step = jax.jit(jax.value_and_grad(cost))
    loss, grads = jax.block_until_ready(step(data.layers, data.x, data.y))
    return [np.asarray(loss), *(np.asarray(array) for layer in grads for array in layer)]


CHAINS: dict[str, Callable[[Data], list[np.ndarray]]] = {
    "graphc fast": graphc_chain,
    "JAX jit": jax_chain,
}
