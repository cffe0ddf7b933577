"""Whole models: a transformer, recurrent nets, convolutions, a very long chain, beside JAX.

    PYTHONPATH=. python -m tests.benchmarks.whole_models

Each row is measured in a fresh interpreter: from the declaration to the first gradients, and then
a call. Parameters and data are the same to both, and so must the loss be.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, CALLS = 4, 7
STEPS, WIDTH, HEADS, INNER = 16, 64, 4, 128  # of the transformer
FEATURES, HIDDEN = 8, 32  # of the recurrent net
MANY, WIDE = 64, 64  # samples and width of the recurrent net with many samples
CHANNELS, IMAGE, IMAGES = 32, 16, 16  # of the convolutions
SIDE = 16  # of the chain


def numbers(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Return arrays of the same small numbers in every process."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) / np.sqrt(shape[-1]) for shape in shapes]


def _finished(program: Any, arrays: list[np.ndarray], x: np.ndarray) -> Callable[[], float]:
    params = program.Params(*arrays)
    return lambda: float(program.loss_and_grad(params, x=x)[0])


def graphc_transformer(blocks: int) -> Callable[[], float]:
    """graphc: encoder layers, the mean square of what comes out."""
    import graphc as gc

    z = x = gc.observed("x", shape=(STEPS, WIDTH))
    for i in range(blocks):
        z = gc.TransformerEncoderLayer(WIDTH, HEADS, INNER, name=f"block{i}")(z)
    net = gc.Graph(gc.cost(np.mean(z**2), name="C"), name="transformer")
    program = gc.compile(net)
    shapes = {program.graph.name_of(v): v.shape for v in net.parameters}
    arrays = numbers(*(shapes[name] for name in program.Params._fields))
    (data,) = numbers((SAMPLES, *x.shape))
    return _finished(program, arrays, data)


def jax_transformer(blocks: int) -> Callable[[], float]:
    """JAX: the same layers, unrolled, from the parameters in graphc's order."""
    import jax
    import jax.numpy as jnp

    _configure(jax)
    names, shapes = _transformer_parameters(blocks)
    arrays = dict(zip(names, numbers(*shapes), strict=True))
    (data,) = numbers((SAMPLES, STEPS, WIDTH))

    def norm(z: Any, w: Any, b: Any) -> Any:
        mean = z.mean(-1, keepdims=True)
        spread = ((z - mean) ** 2).mean(-1, keepdims=True)
        return (z - mean) / jnp.sqrt(spread + 1e-5) * w + b

    def layer(p: dict[str, Any], name: str, z: Any) -> Any:
        def of(part: str) -> Any:
            return p[f"{name}_{part}"]

        q, k, v = (
            (z @ of(f"self_attn_w{part}").T + of(f"self_attn_b{part}"))
            .reshape(*z.shape[:-1], HEADS, -1)
            .swapaxes(-2, -3)
            for part in "qkv"
        )
        a = jax.nn.softmax(q @ k.swapaxes(-1, -2) / np.sqrt(WIDTH / HEADS), -1) @ v
        joined = a.swapaxes(-2, -3).reshape(z.shape)
        out = joined @ of("self_attn_wo").T + of("self_attn_bo")
        z = norm(z + out, of("norm1_w"), of("norm1_b"))
        inner = jax.nn.relu(z @ of("linear1_w").T + of("linear1_b"))
        out = inner @ of("linear2_w").T + of("linear2_b")
        return norm(z + out, of("norm2_w"), of("norm2_b"))

    def loss(p: dict[str, Any], x: Any) -> Any:
        for i in range(blocks):
            x = layer(p, f"block{i}", x)
        return (x**2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: float(jax.block_until_ready(step(arrays, data))[0])


def _transformer_parameters(blocks: int) -> tuple[list[str], list[tuple[int, ...]]]:
    """Return names and shapes in graphc's order, without compiling anything."""
    import graphc as gc

    z = gc.observed("x", shape=(STEPS, WIDTH))
    for i in range(blocks):
        z = gc.TransformerEncoderLayer(WIDTH, HEADS, INNER, name=f"block{i}")(z)
    net = gc.Graph(z, name="transformer")
    return [net.name_of(v) for v in net.parameters], [v.shape for v in net.parameters]


def graphc_lstm(steps: int, samples: int = SAMPLES, hidden: int = HIDDEN) -> Callable[[], float]:
    """graphc: an LSTM over so many steps, by a loop."""
    import graphc as gc

    x = gc.observed("x", shape=(steps, FEATURES))
    out, *_ = gc.LSTM(hidden, name="rnn")(x)
    net = gc.Graph(gc.cost(np.mean(out**2), name="C"), name="recurrent")
    program = gc.compile(net)
    shapes = {program.graph.name_of(v): v.shape for v in net.parameters}
    arrays = numbers(*(shapes[name] for name in program.Params._fields))
    (data,) = numbers((samples, steps, FEATURES))
    return _finished(program, arrays, data)


def jax_lstm(steps: int, samples: int = SAMPLES, hidden: int = HIDDEN) -> Callable[[], float]:
    """JAX: the same by ``lax.scan``."""
    import jax
    import jax.numpy as jnp

    _configure(jax)
    shapes = [(4 * hidden, FEATURES), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,)]
    arrays = numbers(*shapes)
    (data,) = numbers((samples, steps, FEATURES))

    def loss(p: Any, x: Any) -> Any:
        w, u, b, c = p

        def step(carry: Any, x: Any) -> Any:
            h, cell = carry
            i, f, g, o = jnp.split(x @ w.T + h @ u.T + b + c, 4, -1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(cell)
            return (h, cell), h

        start = jnp.zeros((samples, hidden))
        _, out = jax.lax.scan(step, (start, start), x.swapaxes(0, 1))
        return (out**2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: float(jax.block_until_ready(step(arrays, data))[0])


def torch_lstm(steps: int, samples: int = SAMPLES, hidden: int = HIDDEN) -> Callable[[], float]:
    """PyTorch: the same by ``torch.nn.LSTM``."""
    import torch

    net = torch.nn.LSTM(FEATURES, hidden, batch_first=True, dtype=torch.float64)
    arrays = numbers(*(tuple(p.shape) for p in net.parameters()))
    (data,) = numbers((samples, steps, FEATURES))
    with torch.no_grad():
        for p, array in zip(net.parameters(), arrays, strict=True):
            p.copy_(torch.from_numpy(array))
    return _torch_call(net, lambda x: (net(x)[0] ** 2).mean(), data)


def _torch_call(net: Any, loss: Callable[[Any], Any], data: np.ndarray) -> Callable[[], float]:
    import torch

    x = torch.from_numpy(data)

    def call() -> float:
        net.zero_grad()
        value = loss(x)
        value.backward()
        return float(value.detach())

    return call


def _convolution_shapes(layers: int) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for _ in range(layers):
        shapes += [(CHANNELS, CHANNELS, 3, 3), (CHANNELS,)]
    return shapes


def graphc_convolutions(layers: int) -> Callable[[], float]:
    """graphc: layers of 3 x 3 convolutions and ReLU."""
    import graphc as gc

    z = x = gc.observed("x", shape=(CHANNELS, IMAGE, IMAGE))
    for i in range(layers):
        z = gc.relu(gc.Conv2d(CHANNELS, 3, padding=1, name=f"conv{i}")(z))
    program = gc.compile(gc.Graph(gc.cost(np.mean(z**2), name="C"), name="convolutions"))
    (data,) = numbers((IMAGES, *x.shape))
    return _finished(program, numbers(*_convolution_shapes(layers)), data)


def jax_convolutions(layers: int) -> Callable[[], float]:
    """JAX: the same."""
    import jax

    _configure(jax)
    arrays = numbers(*_convolution_shapes(layers))
    (data,) = numbers((IMAGES, CHANNELS, IMAGE, IMAGE))

    def loss(p: Any, z: Any) -> Any:
        for w, b in zip(p[::2], p[1::2], strict=True):
            z = jax.lax.conv_general_dilated(z, w, (1, 1), [(1, 1), (1, 1)])
            z = jax.nn.relu(z + b[:, None, None])
        return (z**2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: float(jax.block_until_ready(step(arrays, data))[0])


def torch_convolutions(layers: int) -> Callable[[], float]:
    """PyTorch: the same."""
    import torch

    parts: list[Any] = []
    for _ in range(layers):
        conv = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, dtype=torch.float64)
        parts += [conv, torch.nn.ReLU()]
    net = torch.nn.Sequential(*parts)
    (data,) = numbers((IMAGES, CHANNELS, IMAGE, IMAGE))
    with torch.no_grad():
        arrays = numbers(*_convolution_shapes(layers))
        for p, array in zip(net.parameters(), arrays, strict=True):
            p.copy_(torch.from_numpy(array))
    return _torch_call(net, lambda x: (net(x) ** 2).mean(), data)


def graphc_chain(blocks: int) -> Callable[[], float]:
    """graphc: a chain of one kind of block."""
    import graphc as gc

    @gc.function
    def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), b=gc.Parameter("m")):  # type: ignore[no-untyped-def]
        return np.tanh(w @ z + b)

    z = gc.observed("x", shape=SIDE)
    for i in range(blocks):
        z = layer(m=SIDE, name=f"f{i}")(z)
    program = gc.compile(gc.Graph(gc.cost(np.mean(z**2), name="C"), name="chain"))
    arrays = numbers(*[(SIDE, SIDE), (SIDE,)] * blocks)
    (data,) = numbers((SAMPLES, SIDE))
    return _finished(program, arrays, data)


def jax_chain(blocks: int) -> Callable[[], float]:
    """JAX: the same, block by block as a model of different blocks would be."""
    import jax
    import jax.numpy as jnp

    _configure(jax)
    arrays = numbers(*[(SIDE, SIDE), (SIDE,)] * blocks)
    (data,) = numbers((SAMPLES, SIDE))

    def loss(p: Any, z: Any) -> Any:
        for w, b in zip(p[::2], p[1::2], strict=True):
            z = jnp.tanh(z @ w.T + b)
        return (z**2).mean()

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: float(jax.block_until_ready(step(arrays, data))[0])


def _configure(jax: Any) -> None:
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)


MODELS: dict[str, tuple[int, dict[str, Callable[[int], Callable[[], float]]]]] = {
    "transformer": (24, {"graphc": graphc_transformer, "JAX": jax_transformer}),
    "LSTM": (512, {"graphc": graphc_lstm, "JAX": jax_lstm, "torch": torch_lstm}),
    "LSTM, many": (
        512,
        {
            "graphc": lambda steps: graphc_lstm(steps, MANY, WIDE),
            "JAX": lambda steps: jax_lstm(steps, MANY, WIDE),
            "torch": lambda steps: torch_lstm(steps, MANY, WIDE),
        },
    ),
    "convolutions": (
        3,
        {
            "graphc": graphc_convolutions,
            "JAX": jax_convolutions,
            "torch": torch_convolutions,
        },
    ),
    "chain": (5000, {"graphc": graphc_chain, "JAX": jax_chain}),
}


def measured(model: str, peer: str, size: int) -> dict[str, float]:
    """Return seconds to the first gradients, medians of later calls, and the loss.

    The processor's time beside the clock's tells how busy the machine was with something else.
    """
    make = MODELS[model][1][peer]
    make(2)()  # what a library does once in a process is not timed
    start = time.perf_counter()
    call = make(size)
    loss = call()
    ready = time.perf_counter() - start
    calls, busy = [], []
    for _ in range(CALLS):
        start, used = time.perf_counter(), time.process_time()
        call()
        calls.append(time.perf_counter() - start)
        busy.append(time.process_time() - used)
    medians = {"call": statistics.median(calls), "processor": statistics.median(busy)}
    return {"ready": ready, **medians, "loss": loss}


def main() -> int:
    """Run every model with every peer; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(MODELS), help="one of the models")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes, for a quick look")
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "PEER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        model, peer = options.one
        size = max(2, round(MODELS[model][0] * options.scale))
        print(json.dumps(measured(model, peer, size)))
        return 0
    columns = f"{'a call':>12}{'processor':>14}{'loss':>22}"
    print(f"{'model':<22}{'peer':<8}{'to first gradients':>20}{columns}")
    for model, (size, peers) in MODELS.items():
        if options.only not in (None, model):
            continue
        losses = []
        for peer in peers:
            command = [sys.executable, "-m", "tests.benchmarks.whole_models"]
            command += ["--one", model, peer, "--scale", str(options.scale)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            losses.append(found["loss"])
            name = f"{model}, {max(2, round(size * options.scale))}"
            print(
                f"{name:<22}{peer:<8}{found['ready']:>18.2f} s{1e3 * found['call']:>9.2f} ms"
                f"{1e3 * found['processor']:>11.2f} ms{found['loss']:>22.15g}",
                flush=True,
            )
        if not np.allclose(losses, losses[0], rtol=1e-9):
            print(f"the losses of {model} disagree", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
