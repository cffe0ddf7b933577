"""The benchmark's harness: it runs, its peers agree, its tables are complete. No time is judged."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.hessians import HESSIAN_PEERS, PROBLEMS, graphc_fast, hessian_table, jax_jit
from tests.benchmarks.measures import Plan, compared
from tests.benchmarks.peers import PEERS, Step, network_data, reference
from tests.benchmarks.run import parsed, planned
from tests.benchmarks.tables import advantages, cell, compile_table, speed_table, spoken
from tests.benchmarks.timing import Measured, disagreement, rounds
from tests.benchmarks.workers import PeerError, Worker

ROOT = Path(__file__).resolve().parent.parent
COMPARED = ("graphc readable", "graphc fast", "JAX jit", "JAX jit, sync", "HIPS autograd")
WITHOUT_TORCH = ("--skip", "torch eager", "--skip", "torch.compile")


def wrong(data):
    """A peer whose gradients are wrong."""
    return Step(lambda: reference(data), lambda found: [2 * a.astype(data.x.dtype) for a in found])


def missing(data):
    """A peer that is not installed."""
    import no_such_library  # noqa: F401


def broken(data):
    """A peer whose compiler is missing."""
    raise RuntimeError("no compiler\nand much more")


def deadly(data):
    """A peer that ends its process."""
    os._exit(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One run of the command: what it printed, and the numbers that it wrote."""
    file = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    command = [sys.executable, "tests/benchmarks/run.py", "--quick", "--rounds", "1"]
    command += ["--samples", "1", "64", "--blocks", "3", "6", "--json", str(file), *WITHOUT_TORCH]
    environment = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_peers_agree(whole):
    _, numbers = whole
    for dtype in ("float32", "float64"):
        for samples in ("1", "64"):
            found = numbers["speed"][dtype][samples]
            assert set(found) == set(PEERS)
            assert all(found[name].get("median", 0) > 0 for name in COMPARED), found
            assert found["torch eager"] == found["torch.compile"] == {"note": "skipped"}
    for blocks in ("3", "6"):
        assert all("median" in found for found in numbers["compile"][blocks].values())
    assert set(numbers["import"]) == {"numpy", "graphc", "jax", "autograd"}
    peaks = numbers["memory"]["graphc fast"]
    assert 0 < peaks["imported"] < peaks["ready"] <= peaks["called"]


def test_tables_have_their_rows(whole):
    text, numbers = whole
    starts = [line[:40] for line in text.splitlines()]
    for label in (*COMPARED, "torch.compile", "fast against the best peer"):
        assert sum(line.startswith(f"{label} ") for line in starts) >= 2, label
    for label in ("3 blocks", "6 blocks", "import graphc", "numpy:", "cores:", "date:", "The aim"):
        assert any(line.startswith(label) for line in starts), label
    assert numbers["machine"]["graphc"] in text


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        (wrong, "disagrees: the loss is off by 1.0e+00"),
        (missing, "no_such_library is not installed"),
        (broken, "failed: RuntimeError: no compiler"),
        (deadly, "failed: its process ended"),
    ],
)
def test_a_peer_that_cannot_take_part_is_told_and_not_timed(peer, told):
    with Worker(peer) as worker:
        found = compared(Plan(rounds=1), {"JAX jit": worker}, "float32", 1)
    assert found["JAX jit"] == Measured("JAX jit", (), told)
    assert cell(found["JAX jit"]) == told
    assert found["graphc fast"].note == "skipped"
    assert told in speed_table("float32", {1: found})


def test_an_unprepared_worker_says_so():
    with Worker(broken) as worker, pytest.raises(PeerError, match="failed"):
        worker.turn()


@pytest.mark.parametrize("samples", [1, 7])
def test_the_reference_is_the_gradient(samples):
    data, step = network_data(samples, "float64"), 1e-6
    loss, *grads = reference(data)
    assert np.shape(loss) == ()
    for array, grad in zip(data.flat, grads, strict=True):
        u = np.random.default_rng(1).standard_normal(array.shape)
        array += step * u
        plus = reference(data)[0]
        array -= 2 * step * u
        minus = reference(data)[0]
        array += step * u
        assert (plus - minus) / (2 * step) == pytest.approx(np.sum(grad * u), rel=1e-5, abs=1e-8)


def test_disagreements_are_named():
    one, dtype = [np.ones(()), np.ones(2)], "float64"
    assert disagreement(one, one, dtype) is None
    assert disagreement(one[:1], one, dtype) == "1 arrays, not 2"
    assert disagreement([one[0], np.ones(3)], one, dtype) == "gradient 1 has shape (3,), not (2,)"
    assert disagreement([one[0], np.full(2, np.nan)], one, dtype) == "gradient 1 is off by nan"
    single = [one[0], one[1].astype("float32")]
    assert disagreement(single, one, dtype) == "gradient 1 is float32, not float64"


def test_rounds_are_interleaved():
    order = []
    turns = {name: lambda name=name: order.append(name) or float(len(order)) for name in "ab"}
    assert rounds(turns, 2) == {"a": (1.0, 3.0), "b": (2.0, 4.0)}
    assert order == ["a", "b", "a", "b"]


def test_the_best_peer_is_named():
    found = {
        name: Measured(name, (seconds,))
        for name, seconds in {"graphc fast": 2.0, "JAX jit": 8.0, "JAX jit, sync": 3.0}.items()
    }
    assert list(advantages(found).values()) == ["4.00x (JAX jit)", "1.50x (JAX jit, sync)"]
    assert list(advantages({}).values()) == ["–", "–"]


def test_a_chain_without_jax_has_a_row():
    found = {
        "graphc fast": Measured("graphc fast", (0.5,)),
        "JAX jit": Measured("JAX jit", (), "jax is not installed"),
    }
    line = compile_table({10: found}).splitlines()[4]
    assert line.split("  ")[0] == "10 blocks"
    assert "jax is not installed" in line
    assert "–" in line


def test_times_have_three_digits():
    assert [spoken(s) for s in (2.5, 0.123, 12.34e-6, 1.5e-8)] == [
        "2.50 s", "123 ms", "12.3 µs", "0.01 µs",
    ]  # fmt: skip


def test_options():
    plan = planned(parsed(["--quick", "--skip", "torch.compile", "--rounds", "2"]))
    assert (plan.rounds, plan.skip, plan.blocks) == (2, ("torch.compile",), (10, 100))
    with pytest.raises(SystemExit):
        parsed(["--skip", "torch.compiled"])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_hessians_agree(problem):
    """The problems of the benchmark, small."""
    dims = sorted({dim for shape in problem.shapes for dim in shape})
    shapes = tuple(tuple(3 + dims.index(dim) for dim in shape) for shape in problem.shapes)
    small = replace(problem, shapes=shapes)
    (ours,), (theirs,) = (step.read(step.run()) for step in (graphc_fast(small), jax_jit(small)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


def test_the_table_of_hessians():
    found = {"one": {name: Measured(name, (1e-3,)) for name in HESSIAN_PEERS}}
    text = hessian_table(found)
    assert "one" in text
    assert "1.00x" in text


@pytest.mark.parametrize("model", ["LSTM", pytest.param("transformer", marks=pytest.mark.slow)])
def test_whole_models_agree(model):
    command = [sys.executable, "-m", "tests.benchmarks.whole_models", "--only", model]
    done = subprocess.run([*command, "--scale", "0.01"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [
        line for line in done.stdout.splitlines() if line.startswith((f"{model}, 2", f"{model}, 5"))
    ]
    assert len(rows) == (3 if find_spec("torch") and model == "LSTM" else 2)
