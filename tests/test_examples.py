"""The examples: built, and then run where graphc cannot be imported."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
FILES = ["digits.md", "digits.svg", "digits_cupy.py", "digits_numpy.py", "digits_numpy_fast.py"]

# Lets a script run in which graphc is nowhere.
ALONE = """
import runpy, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "graphc":
            raise ImportError("graphc is not there")

sys.meta_path.insert(0, Block())
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def run(*command, cwd):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        cwd=cwd,
        # Small products on a shared machine: more threads wait for one another.
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The examples in a folder of their own, built there by the command line."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    built = run("-m", "graphc", "build", "examples/digits.py", "-o", "out/", cwd=folder)
    assert built.returncode == 0, built.stderr
    assert sorted(path.name for path in (folder / "out").iterdir()) == FILES
    for name in FILES:
        assert f"wrote out/{name} (" in built.stderr
    return folder


def test_digits_trains_with_the_emitted_file_alone(copy):
    done = run("-I", "-c", ALONE, copy / "examples" / "digits.py", cwd=copy)
    assert done.returncode == 0, done.stderr
    accuracy = re.search(r"test accuracy: ([0-9.]+)% on 359 held-out images", done.stdout)
    assert accuracy, done.stdout
    assert float(accuracy[1]) >= 95.0
    losses = [float(x) for x in re.findall(r"average loss ([0-9.]+)", done.stdout)]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)


def test_without_the_build_it_says_what_to_run(copy, tmp_path):
    shutil.copytree(copy / "examples", tmp_path / "examples")
    done = run("examples/digits.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "holds no compiled model; run: graphc build examples/digits.py -o out/" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["digits_numpy.py", "digits_numpy_fast.py"])
def test_the_emitted_files_check_their_own_gradients(copy, name):
    done = run("-I", "-W", "error", "-c", ALONE, copy / "out" / name, cwd=copy)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("by formula") == 6


def test_the_command_line_checks_them_too(copy):
    done = run("-m", "graphc", "check", "out/digits_numpy.py", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert "passed: largest relative difference" in done.stdout


def test_the_formulas(copy):
    """For every block the forward formula, its two Jacobians, and its step backwards."""
    text = (copy / "out" / "digits.md").read_text()
    forward, rest = text.split("\n## Jacobians\n")
    jacobians, backward = rest.split("\n## Backward recursion\n")
    for block in ("m0", "relu1", "m1", "relu2", "m2", "C"):
        assert f"### `{block}`" in forward
        assert f"### Jacobians of `{block}`" in jacobians
        assert f"### Back through `{block}`" in backward
    for k in range(3):
        part = jacobians.split(f"### Jacobians of `m{k}`")[1].split("###")[0]
        state, parameters = part.split("By parameters:")
        assert "By state:" in state
        assert state.count("```math") == 1
        assert parameters.count("```math") == 2  # by w and by b
        assert r"\delta" in parameters
    assert "![The block diagram of digits](digits.svg)" in text
    for shape in ("60 × 64", "60 × 60 × 64", "10 × 10 × 40"):
        assert f"Shape: {shape}\n" in jacobians, shape
    assert "[1 × 60] = [1 × 40][40 × 60]" in backward
    assert "softmax" in backward
    assert backward.index("Back through `C`") < backward.index("Back through `m2`")
    assert backward.index("Back through `m2`") < backward.index("Back through `m0`")
    assert text.count("```") % 2 == 0
    for formula in re.findall(r"```math\n(.*?)\n```", text, re.DOTALL):
        assert formula.count("{") == formula.count("}")


def test_the_figure_is_a_figure(copy):
    text = (copy / "out" / "digits.svg").read_text()
    assert "<svg" in text
    assert text.rstrip().endswith("</svg>")


def test_the_lecture_s_network_declares_itself():
    from graphc.modelfile import load_graphs

    (net,) = load_graphs(str(EXAMPLES / "mynet.py"))
    assert net.name == "mynet"
    shapes = {net.name_of(v): v.shape for v in net.parameters}
    assert shapes == {
        "m0_w": (60, 600), "m0_b": (60,), "m1_w": (40, 60), "m1_b": (40,),
        "m2_w": (10, 40), "m2_b": (10,),
    }  # fmt: skip


def test_the_convolutional_net_learns_the_digits(tmp_path):
    done = run(EXAMPLES / "convnet.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    accuracy = re.search(r"test accuracy: ([0-9.]+)% on 359 held-out images", done.stdout)
    assert float(accuracy[1]) >= 96.0


def test_the_transformer_finds_what_it_is_pointed_to(tmp_path):
    done = run(EXAMPLES / "transformer.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    accuracy = re.search(r"test accuracy: ([0-9.]+)% on 1000 questions", done.stdout)
    assert float(accuracy[1]) >= 97.0


def test_the_character_model_learns_to_spell(tmp_path):
    done = run(EXAMPLES / "charlm.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    losses = [float(x) for x in re.findall(r"([0-9.]+) nats per character", done.stdout)]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 2.2  # 62 letters as likely as one another would be 4.1
    assert "Shall I" in done.stdout


def test_newton_finds_the_minimum(tmp_path):
    done = run(EXAMPLES / "newton.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sizes = [float(x) for x in re.findall(r"norm of the gradient (\S+)", done.stdout)]
    assert len(sizes) <= 12
    assert sizes[-1] < 1e-12
    accuracy = re.search(r"test accuracy: ([0-9.]+)% on 71 held-out images", done.stdout)
    assert float(accuracy[1]) >= 95.0


def test_a_gaussian_mixture_tells_digits_apart(tmp_path):
    done = run(EXAMPLES / "gmm.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    losses = [float(x) for x in re.findall(r"average surprise ([0-9.]+)", done.stdout)]
    assert losses == sorted(losses, reverse=True)
    together = re.search(r"kept together: ([0-9.]+)% of 541 images", done.stdout)
    assert float(together[1]) >= 90.0


def test_a_kalman_filter_finds_more_likely_parameters_than_the_true_ones(tmp_path):
    done = run(EXAMPLES / "kalman.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    losses = [float(x) for x in re.findall(r"surprise a measurement ([0-9.]+)", done.stdout)]
    assert losses == sorted(losses, reverse=True)
    true = re.search(r"surprise of the true parameters: ([0-9.]+)", done.stdout)
    assert losses[-1] < float(true[1]) < losses[-1] + 0.02
    found = dict(re.findall(r"(\w+): ([0-9.]+), simulated", done.stdout))
    assert abs(float(found["push"]) - 1.0) < 0.2
    assert abs(float(found["error"]) - 0.3) < 0.05
