"""Whole Hessians, beside `jax.hessian` and `torch.func.hessian`: the same numbers to all."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.machine import usable_cores
from tests.benchmarks.peers import Step
from tests.benchmarks.tables import advantage, cell, table
from tests.benchmarks.timing import Measured, disagreement, rounds
from tests.benchmarks.workers import PeerError, Worker

DTYPE = "float64"


@dataclass(frozen=True)
class Problem:
    """A scalar function of `arrays`, the first of which the Hessian is taken by.

    Parameters
    ----------
    cost
        ``cost(lib, *arrays)``: written once, in the names that NumPy, JAX and torch share.
    shapes
        Of the arrays.
    """

    name: str
    cost: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]

    def arrays(self) -> list[np.ndarray]:
        """Return the numbers that all peers are given."""
        rng = np.random.default_rng(0)
        return [rng.normal(size=shape) / np.sqrt(shape[-1]) for shape in self.shapes]


def quadratic(lib: Any, x: Any, a: Any) -> Any:
    """A quadratic form."""
    return x @ a @ x


def logistic(lib: Any, w: Any, x: Any, y: Any) -> Any:
    """Logistic regression, labels as ± weights."""
    return lib.softplus(-y * (x @ w)).sum()


def network(lib: Any, w: Any, v: Any, x: Any, t: Any) -> Any:
    """A net of two layers with the squared error, by its first weights."""
    return ((lib.tanh(x @ w.T) @ v.T - t) ** 2).sum()


def classifier(lib: Any, w: Any, v: Any, x: Any, t: Any) -> Any:
    """A net of two layers with a softmax and targets as probabilities, by its first weights."""
    scores = lib.tanh(x @ w.T) @ v.T
    return (lib.logsumexp(scores) - (t * scores).sum(1)).sum()


def by_input(lib: Any, x: Any, w: Any, v: Any, t: Any) -> Any:
    """A net of two layers with the squared error, by its input."""
    return ((v @ lib.tanh(w @ x) - t) ** 2).sum()


PROBLEMS = (
    Problem("quadratic form, n = 2048", quadratic, ((2048,), (2048, 2048))),
    Problem("logistic regression, 4096 × 512", logistic, ((512,), (4096, 512), (4096,))),
    Problem("net 784-256-10, by its input", by_input, ((784,), (256, 784), (10, 256), (10,))),
    Problem("net 64-32-10, 128 samples, by w₁", network,
            ((32, 64), (10, 32), (128, 64), (128, 10))),
    Problem("classifier 64-32-10, 128 samples, by w₁", classifier,
            ((32, 64), (10, 32), (128, 64), (128, 10))),
)  # fmt: skip


def graphc_fast(problem: Problem) -> Step:
    """Emitted source, argument checks included."""
    from types import SimpleNamespace

    import graphc as gc

    lib = SimpleNamespace(
        tanh=np.tanh, softplus=gc.softplus, logsumexp=partial(gc.logsumexp, axis=1)
    )
    inputs = [gc.observed(f"x{i}", shape) for i, shape in enumerate(problem.shapes)]
    hessian = gc.hessian(problem.cost(lib, *inputs), inputs[0])
    compiled = gc.compile_function(inputs, hessian, dtype=DTYPE)
    arrays = problem.arrays()
    return Step(lambda: compiled(*arrays), lambda found: [found])


def jax_jit(problem: Problem) -> Step:
    """``jax.jit(jax.hessian(...))``, the result awaited."""
    from types import SimpleNamespace

    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    lib = SimpleNamespace(
        tanh=jnp.tanh, softplus=jax.nn.softplus, logsumexp=partial(jax.nn.logsumexp, axis=1)
    )
    hessian = jax.jit(jax.hessian(partial(problem.cost, lib)))
    arrays = jax.block_until_ready(jax.device_put(problem.arrays()))
    return Step(lambda: jax.block_until_ready(hessian(*arrays)), lambda found: [np.asarray(found)])


def torch_func(problem: Problem) -> Step:
    """``torch.func.hessian``."""
    from types import SimpleNamespace

    import torch

    torch.set_num_threads(usable_cores())
    lib = SimpleNamespace(
        tanh=torch.tanh,
        softplus=torch.nn.functional.softplus,
        logsumexp=partial(torch.logsumexp, dim=1),
    )
    hessian = torch.func.hessian(partial(problem.cost, lib))
    arrays = [torch.tensor(array) for array in problem.arrays()]
    return Step(lambda: hessian(*arrays), lambda found: [found.numpy()])


HESSIAN_PEERS: dict[str, Callable[[Any], Step]] = {
    "graphc fast": graphc_fast,
    "JAX jit": jax_jit,
    "torch.func": torch_func,
}


def hessians(
    skip: Sequence[str], count: int, seconds: float, tell: Callable[[str], None]
) -> dict[str, dict[str, Measured]]:
    """Time every problem; peers are compared with graphc's first result before."""
    found: dict[str, dict[str, Measured]] = {}
    for problem in PROBLEMS:
        with contextlib.ExitStack() as stack:
            notes, turns, expected = dict.fromkeys(HESSIAN_PEERS, "skipped"), {}, None
            for name, prepare in HESSIAN_PEERS.items():
                if name in skip:
                    continue
                tell(f"Hessian of {problem.name}: {name}")
                worker = stack.enter_context(Worker(prepare))
                try:
                    results = worker.prepare(problem, seconds)
                except PeerError as error:
                    notes[name] = str(error)
                    continue
                expected = expected or results
                wrong = disagreement(results, expected, DTYPE)
                notes[name] = f"disagrees: {wrong}" if wrong else ""
                if not wrong:
                    turns[name] = worker.turn
            taken = rounds(turns, count)
        found[problem.name] = {n: Measured(n, taken.get(n, ()), note) for n, note in notes.items()}
    return found


def hessian_table(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """Return the table; a row per problem."""
    header = ["", *HESSIAN_PEERS, "fast against the best peer"]
    rows = []
    for name, measured in found.items():
        others = [m for peer, m in measured.items() if peer != "graphc fast" and m.seconds]
        best = advantage(measured["graphc fast"], others)
        rows.append([name, *(cell(measured[peer]) for peer in HESSIAN_PEERS), best])
    return table(f"Whole Hessians, {DTYPE}: median (quartiles) of a call", header, rows)
