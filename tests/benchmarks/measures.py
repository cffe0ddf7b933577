"""What the benchmark measures: speed, compile time, import time, memory."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.chains import CHAINS
from tests.benchmarks.peers import MODULES, PEERS, network_data, reference
from tests.benchmarks.timing import Measured, disagreement, rounds
from tests.benchmarks.workers import PeerError, Worker

HERE = Path(__file__).resolve().parent
SKIPPED = "skipped"
MEASURED_MEMORY = ("graphc fast", "torch eager")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    skip: tuple[str, ...] = ()
    samples: tuple[int, ...] = (1, 64, 4096)
    blocks: tuple[int, ...] = (10, 100, 1000)
    rounds: int = 21
    seconds: float = 0.02  # of calls in a turn
    repeats: int = 3  # fresh processes for each compile time
    imports: int = 11


QUICK = Plan(blocks=(10, 100), rounds=3, seconds=0.005, repeats=1, imports=3)


def speed(plan: Plan) -> dict[str, dict[int, dict[str, Measured]]]:
    """Time the network for each dtype and number of samples."""
    found: dict[str, dict[int, dict[str, Measured]]] = {}
    for dtype in ("float32", "float64"):
        with contextlib.ExitStack() as stack:
            workers = {
                name: stack.enter_context(Worker(prepare))
                for name, prepare in PEERS.items()
                if name not in plan.skip
            }
            found[dtype] = {p: compared(plan, workers, dtype, p) for p in plan.samples}
    return found


def compared(
    plan: Plan, workers: Mapping[str, Worker], dtype: str, samples: int
) -> dict[str, Measured]:
    """Compare the peers' results, then time those that agree; all peers are in the answer."""
    data = network_data(samples, dtype)
    expected = reference(data)
    notes = dict.fromkeys(PEERS, SKIPPED)
    turns = {}
    for name, worker in workers.items():
        tell(f"{dtype}, {samples} samples: {name}")
        try:
            wrong = disagreement(worker.prepare(data, plan.seconds), expected, dtype)
            notes[name] = f"disagrees: {wrong}" if wrong else ""
        except PeerError as error:
            notes[name] = str(error)
        if not notes[name]:
            turns[name] = worker.turn
    tell(f"{dtype}, {samples} samples: {plan.rounds} rounds")
    seconds = rounds(turns, plan.rounds)
    return {name: Measured(name, seconds.get(name, ()), note) for name, note in notes.items()}


def compile_time(plan: Plan) -> dict[int, dict[str, Measured]]:
    """Time the compilation of chains, each in a fresh process."""
    found: dict[int, dict[str, Measured]] = {}
    names = [name for name in CHAINS if name not in plan.skip]
    for blocks in plan.blocks:
        tell(f"chain of {blocks} blocks")
        found[blocks] = _fresh_rounds(
            names, plan.repeats, lambda name, blocks=blocks: fresh("chain", name, str(blocks))
        )
    return found


def import_time(plan: Plan) -> dict[str, Measured]:
    """Time imports in fresh interpreters; a first one fills the caches of the file system."""
    tell("imports")
    modules = ["numpy", *(m for peer, m in MODULES.items() if peer not in plan.skip)]
    for module in modules:
        fresh("import", module)
    return _fresh_rounds(modules, plan.imports, lambda module: fresh("import", module))


def _fresh_rounds(
    names: list[str], count: int, measure: Callable[[str], Mapping[str, Any]]
) -> dict[str, Measured]:
    """Measure in rounds, each time in a fresh process; drop who is missing or wrong."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    notes = dict.fromkeys(names, "")
    for _ in range(count):
        for name in names:
            if notes[name]:
                continue
            answer = measure(name)
            notes[name] = answer.get("fault", "")
            seconds[name].append(answer.get("seconds", 0.0))
    return {n: Measured(n, () if notes[n] else tuple(seconds[n]), notes[n]) for n in names}


def memory(plan: Plan) -> dict[str, dict[str, int] | str]:
    """Measure peaks of memory, each in a fresh process."""
    found: dict[str, dict[str, int] | str] = {}
    for name in MEASURED_MEMORY:
        tell(f"memory: {name}")
        answer = {"fault": SKIPPED} if name in plan.skip else fresh("memory", name)
        found[name] = answer.get("fault") or answer
    return found


def fresh(*arguments: str) -> dict[str, Any]:
    """Return what `fresh.py` prints in a fresh interpreter, or a fault."""
    root = str(HERE.parent.parent)
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, str(HERE / "fresh.py"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"fault": f"failed: {last[:100]}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def tell(what: str) -> None:
    """Say on the error stream what is being done."""
    print(f"... {what}", file=sys.stderr, flush=True)
