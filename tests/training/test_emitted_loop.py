"""A file that carries its training loop, on its own: no graphc, the same numbers."""

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.training.parsing import parse_rule
from tests.training.test_loop import DATA, regression

WITHOUT = "import sys; sys.modules['graphc'] = None\n"


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_the_loop_in_the_file_is_that_of_train(tmp_path, style, batch_size):
    program = regression(gc.adam(lr=0.05), loop=True, style=style, dtype="float32")
    path = tmp_path / "fit.py"
    program.save(path)
    run = gc.train(program, program.init_params(), DATA, batch_size=batch_size, epochs=3, seed=4)
    script = tmp_path / "script.py"
    script.write_text(
        WITHOUT
        + "import numpy as np\nimport fit\n"
        + "held = dict(np.load('data.npz'))\nparams = fit.init_params()\n"
        + "state = fit.init_state(params)\n"
        + f"print(*fit.train(params, state, **held, epochs=3, batch_size={batch_size}, seed=4))\n"
    )
    np.savez(tmp_path / "data.npz", **DATA)
    told = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [float(part) for part in told.stdout.split()] == run.history.epochs


def test_the_command_line_of_the_file(tmp_path):
    program = regression(gc.sgd(lr=0.05, momentum=0.9), loop=True)
    program.save(tmp_path / "fit.py")
    np.savez(tmp_path / "data.npz", **DATA)
    command = [sys.executable, "fit.py", "--train", "data.npz", "--epochs", "4", "--batch-size"]
    told = subprocess.run(
        [*command, "16", "--out", "found.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.count("mean loss") == 4
    run = gc.train(program, program.init_params(), DATA, batch_size=16, epochs=4, seed=0)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["w"], run.params.w)
        np.testing.assert_array_equal(found["b"], run.params.b)
    # Without the flag it checks its gradient, as every emitted file does.
    told = subprocess.run(
        [sys.executable, "fit.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "by differences" in told.stdout


def test_names_of_users_that_the_loop_uses_too(tmp_path):
    x, seed = gc.observed("train_step", shape=3), gc.observed("seed")
    w, b = gc.parameter("loss_and_grad", shape=3), gc.parameter("rows")
    net = gc.Graph(gc.cost((w @ x + b - seed) ** 2, name="C"), name="net")
    for style in ("fast", "readable"):
        program = gc.compile(net, step=gc.adam(lr=0.05), loop=True, style=style)
        data = {"train_step": DATA["x"], "seed": DATA["y"]}
        run = gc.train(program, program.init_params(), data, batch_size=16, epochs=2)
        params = program.init_params()
        state = program.init_state(params)
        names = program.namespace
        means = names["train"](params, state, *data.values(), epochs=2, batch_size=16)
        assert means == run.history.epochs


def test_one_sample_has_no_order():
    w = gc.parameter("w", init="ones")
    net = gc.Graph(gc.cost(w * w, name="C"), name="net")
    program = gc.compile(net, step=gc.sgd(lr=0.1), loop=True, batch=False)
    params = program.init_params()
    means = program.namespace["train"](params, program.init_state(params), epochs=3)
    np.testing.assert_allclose(means, [1, 0.64, 0.4096])


class TestCommandLine:
    def test_build_with_a_rule(self, tmp_path, monkeypatch):
        (tmp_path / "model.py").write_text(
            "import graphc as gc\n"
            "x, y = gc.observed('x', shape=3), gc.observed('y')\n"
            "w = gc.parameter('w', shape=3)\n"
            "net = gc.Graph(gc.cost((w @ x - y) ** 2, name='C'), name='line')\n"
        )
        monkeypatch.chdir(tmp_path)
        assert main(["build", "model.py", "--train", "adam(lr=0.1)", "--style", "fast"]) == 0
        np.savez(tmp_path / "data.npz", **DATA)
        subprocess.run(
            [sys.executable, "line_numpy_fast.py", "--train", "data.npz", "--epochs", "100"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        with np.load("params.npz") as found:
            np.testing.assert_allclose(found["w"], [1, -2, 0.5], atol=0.2)

    @pytest.mark.parametrize(
        "text, message",
        [
            ("adm(lr=1)", "there is no update rule 'adm'; there are sgd, "),
            ("adam(1)", "is written like adam"),
            ("adam(lr=__import__('os'))", "is written like adam"),
            ("adam(lr=0.1", "is written like adam"),
            ("adam(rate=0.1)", "adam has no option rate"),
            ("sgd(rate=0.1)", "sgd does not take these options"),
        ],
    )
    def test_text_that_is_no_rule(self, text, message):
        with pytest.raises(gc.UsageError, match=message):
            parse_rule(text)

    def test_text_that_is_one(self):
        assert repr(parse_rule("adamw(betas=(0.8, 0.9))")).startswith("adamw(lr=0.001, betas=(0.8")
        assert parse_rule("sgd") == gc.sgd()


def test_a_loop_needs_a_rule():
    with pytest.raises(gc.CompileError, match="a training loop needs an update rule"):
        w = gc.parameter("w")
        gc.compile(gc.Graph(gc.cost(w * w, name="C"), name="net"), loop=True)
