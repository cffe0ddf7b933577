"""The training loop: data, stopping, checkpoints, and what it says when it cannot go on."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((64, 3))
Y = X @ np.array([1.0, -2.0, 0.5]) + 0.3


def regression(rule=None, **options):
    x, y = gc.observed("x", shape=3), gc.observed("y")
    w, b = gc.parameter("w", shape=3), gc.parameter("b")
    z = gc.tanh(0.1 * (w @ x + b)) * 10
    net = gc.Graph(gc.cost((z - y) ** 2, name="C"), name="fit")
    return gc.compile(net, step=rule or gc.sgd(lr=0.05), **options)


DATA = {"x": X, "y": Y}


class TestData:
    def test_full_batch_is_gradient_descent(self):
        program = regression()
        start = program.init_params()
        run = gc.train(program, start, DATA, steps=20)
        params = program.init_params()
        state = program.init_state(params)
        losses = [program.train_step(params, state, **DATA) for _ in range(20)]
        assert run.history.losses == losses
        assert run.epoch == 20
        assert run.reason == "steps"
        np.testing.assert_array_equal(run.params.w, params.w)
        np.testing.assert_array_equal(start.w, 0)  # the caller's stay

    def test_mini_batches_go_through_all_samples_once_an_epoch(self):
        program = regression()
        seen = []
        data = {"x": _Watched(X, seen), "y": Y}
        run = gc.train(program, program.init_params(), data, batch_size=10, epochs=3)
        assert run.step == 3 * 7
        assert [len(rows) for rows in seen] == [10, 10, 10, 10, 10, 10, 4] * 3
        epochs = [np.concatenate(seen[i : i + 7]) for i in (0, 7, 14)]
        for rows in epochs:
            np.testing.assert_array_equal(np.sort(rows), np.arange(64))
        assert not np.array_equal(epochs[0], epochs[1])

    def test_the_seed_decides(self):
        def losses(seed):
            program = regression()
            run = gc.train(program, program.init_params(), DATA, batch_size=8, epochs=2, seed=seed)
            return run.history.losses

        assert losses(1) == losses(1)
        assert losses(1) != losses(2)

    def test_stochastic_descent_learns(self):
        program = regression(gc.sgd(lr=gc.inverse_decay(0.02, 0.01)))
        run = gc.train(program, program.init_params(), DATA, batch_size=1, epochs=20)
        assert run.history.epochs[-1] < 0.01 * run.history.epochs[0]

    def test_a_memory_mapped_file(self, tmp_path):
        np.save(tmp_path / "x.npy", X)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        program = regression()
        whole = gc.train(program, program.init_params(), DATA, batch_size=8, epochs=2)
        run = gc.train(
            program, program.init_params(), {"x": mapped, "y": Y}, batch_size=8, epochs=2
        )
        assert run.history.losses == whole.history.losses

    def test_batches_from_a_list_and_from_a_function(self):
        program = regression()
        batches = [{"x": X[i : i + 16], "y": Y[i : i + 16]} for i in range(0, 64, 16)]
        listed = gc.train(program, program.init_params(), batches, epochs=2)
        made = gc.train(program, program.init_params(), lambda epoch: iter(batches), epochs=2)
        assert listed.history.losses == made.history.losses
        assert listed.step == 8

    def test_an_iterator_lasts_one_epoch(self):
        program = regression()
        with pytest.raises(gc.UsageError, match="an iterator, which can be gone through once"):
            gc.train(program, program.init_params(), iter([DATA]), epochs=2)

    @pytest.mark.parametrize(
        "data, message",
        [
            ({"x": X}, "'y' is missing from the data"),
            ({**DATA, "z": Y}, "'z' is no input of the program"),
            ({"x": X, "y": Y[:3]}, "different numbers of samples: 'x' 64, 'y' 3"),
            ({"x": X[:0], "y": Y[:0]}, "holds no samples"),
            ([], "holds no batches"),
        ],
    )
    def test_data_that_does_not_fit(self, data, message):
        program = regression()
        with pytest.raises(gc.UsageError, match=message):
            gc.train(program, program.init_params(), data, epochs=1)


class _Watched:
    """An array that notes which rows are read."""

    def __init__(self, array, seen):
        self.array, self.seen, self.shape = array, seen, array.shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        self.seen.append(np.arange(len(self.array))[rows])
        return self.array[rows]


class TestStopping:
    def test_convergence(self):
        program = regression()
        run = gc.train(program, program.init_params(), DATA, tolerance=1e-3)
        assert run.reason == "converged"
        a, b = run.history.epochs[-2:]
        assert abs(b - a) <= 1e-3 * a
        assert all(
            abs(b - a) > 1e-3 * a
            for a, b in zip(run.history.epochs[:-2], run.history.epochs[1:-1], strict=True)
        )

    def test_early_stopping_keeps_the_best(self):
        noise = RNG.standard_normal(64)
        program = regression(gc.sgd(lr=0.3))
        validation = {"x": X, "y": noise}
        run = gc.train(
            program,
            program.init_params(),
            DATA,
            epochs=200,
            batch_size=16,
            validation=validation,
            patience=3,
        )
        assert run.reason == "stopped early"
        best = int(np.argmin(run.history.validation))
        assert len(run.history.validation) == best + 4
        assert program.loss(run.params, **validation) == run.history.validation[best]

    def test_a_callback_ends_it(self):
        program = regression()
        seen = []

        def watch(run):
            seen.append((run.step, run.loss))
            return run.step == 5

        run = gc.train(program, program.init_params(), DATA, epochs=100, callbacks=[watch])
        assert run.reason == "callback"
        assert [step for step, _ in seen] == [1, 2, 3, 4, 5]
        assert [loss for _, loss in seen] == run.history.losses

    @pytest.mark.parametrize(
        "options, message",
        [
            ({}, "say when to stop"),
            ({"epochs": 1, "patience": 2}, "give validation="),
            ({"epochs": 1, "resume": True}, "give checkpoint="),
            ({"epochs": 1, "batch_size": 0}, "batch_size is a whole number from 1 on"),
        ],
    )
    def test_arguments_that_do_not_fit(self, options, message):
        program = regression()
        with pytest.raises(gc.UsageError, match=message):
            gc.train(program, program.init_params(), DATA, **options)

    def test_without_a_rule(self):
        x = gc.observed("x")
        program = gc.compile(gc.Graph(gc.cost(x * gc.parameter("w"), name="C")))
        with pytest.raises(gc.UsageError, match="compiled without an update rule"):
            gc.train(program, program.init_params(), {"x": X}, epochs=1)

    def test_progress(self, capsys):
        program = regression()
        gc.train(program, program.init_params(), DATA, epochs=3, progress=True)
        told = capsys.readouterr().err
        assert "epoch 3/3, step 3" in told
        assert "epochs after 3 steps" in told


class TestNotFinite:
    @pytest.mark.parametrize("style", ["fast", "readable"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_the_step_and_the_block(self, style, dtype):
        x = gc.observed("x", shape=2)
        w = gc.parameter("w", shape=2, init="ones")

        @gc.function
        def inner(a):
            return a * 2.0

        @gc.function
        def root(a):
            return np.log(a)

        z = root(inner(w * x, output="doubled"), output="r")
        net = gc.Graph(gc.cost(np.sum(z) ** 2, name="C"), name="net")
        program = gc.compile(net, step=gc.sgd(lr=0.0), style=style, dtype=dtype)
        good, bad = np.ones((4, 2)), np.array([[1.0, -1.0]])
        batches = [{"x": good}, {"x": good}, {"x": bad}]
        with pytest.raises(
            gc.TrainingError,
            match="in step 3 the loss is not finite: the first block whose value is not is "
            "'root1', which gives 'r'",
        ):
            gc.train(program, program.init_params(), batches, epochs=1)

    def test_nothing_was_updated(self):
        program = regression(gc.adam())
        params = program.init_params(seed=1)
        state = program.init_state(params)
        before = [np.array(a) for a in (*params, *state)]
        with pytest.raises(FloatingPointError, match="nothing was updated"):
            program.train_step(params, state, x=np.full((2, 3), np.inf), y=Y[:2])
        for now, old in zip((*params, *state), before, strict=True):
            np.testing.assert_array_equal(now, old)

    def test_bad_data_is_named(self):
        program = regression()
        bad = {"x": np.where(np.arange(64)[:, None] == 5, np.nan, X), "y": Y}
        with pytest.raises(gc.TrainingError, match="the data for 'x' is not finite"):
            gc.train(program, program.init_params(), bad, epochs=1)

    def test_a_gradient_that_is_not_finite(self):
        x, w = gc.observed("x"), gc.parameter("w", init="zeros")
        program = gc.compile(gc.Graph(gc.cost(np.sqrt(w * x), name="C"), name="net"), step=gc.sgd())
        with pytest.raises(gc.TrainingError, match="parameter 'w' is not finite, so the gradient"):
            gc.train(program, program.init_params(), {"x": np.ones(3)}, epochs=5)

    def test_divergence(self):
        x, w = gc.observed("x"), gc.parameter("w", init="ones")
        program = gc.compile(
            gc.Graph(gc.cost((w * x) ** 2, name="C"), name="net"), step=gc.sgd(lr=10.0)
        )
        with pytest.raises(gc.TrainingError, match="the loss diverges: .* in step 5, 1 in the"):
            gc.train(program, program.init_params(), {"x": np.ones(3)}, epochs=50)


OPTIONS = {"batch_size": 8, "epochs": 6, "seed": 3}


class TestCheckpoints:
    def rule(self):
        return gc.chain(gc.clip_by_norm(max_norm=1.0), gc.langevin(lr=1e-2, temperature=1e-4))

    def test_resumed_bit_for_bit(self, tmp_path):
        whole = gc.train(regression(self.rule()), _zeros(), DATA, **OPTIONS)
        path = tmp_path / "run.npz"

        def interrupt(run):
            if run.step == 19:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            gc.train(
                regression(self.rule()),
                _zeros(),
                DATA,
                **OPTIONS,
                checkpoint=path,
                checkpoint_every=5,
                callbacks=[interrupt],
            )
        run = gc.train(
            regression(self.rule()), _zeros(), DATA, **OPTIONS, checkpoint=path, resume=True
        )
        assert run.history == whole.history
        for a, b in zip((*run.params, *run.state), (*whole.params, *whole.state), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_after_a_kill(self, tmp_path):
        """A process that is killed while it trains leaves a checkpoint that can be read."""
        script = tmp_path / "run.py"
        script.write_text(
            textwrap.dedent(
                """
                import sys
                import numpy as np
                sys.path.insert(0, sys.argv[2])
                import graphc as gc
                from tests.training.test_loop import DATA, regression
                program = regression(gc.adam())
                gc.train(program, program.init_params(), DATA, batch_size=8, epochs=100000,
                         checkpoint=sys.argv[1], checkpoint_every=3)
                """
            )
        )
        path = tmp_path / "run.npz"
        child = subprocess.Popen([sys.executable, script, path, ROOT], cwd=ROOT)
        try:
            while not path.exists():
                assert child.poll() is None
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        program = regression(gc.adam())
        run = gc.train(
            program,
            program.init_params(),
            DATA,
            batch_size=8,
            epochs=100000,
            checkpoint=path,
            resume=True,
            callbacks=[lambda run: True],
        )
        steps = run.step
        assert steps >= 4
        whole = gc.train(
            regression(gc.adam()), program.init_params(), DATA, batch_size=8, steps=steps
        )
        assert run.history.losses == whole.history.losses
        np.testing.assert_array_equal(run.params.w, whole.params.w)

    def test_what_is_no_checkpoint(self, tmp_path):
        path = tmp_path / "run.npz"
        path.write_text("hello")
        with pytest.raises(gc.TrainingError, match="is no checkpoint"):
            gc.train(regression(), _zeros(), DATA, epochs=1, checkpoint=path, resume=True)

    def test_of_another_program(self, tmp_path):
        path = tmp_path / "run.npz"
        gc.train(regression(), _zeros(), DATA, epochs=1, checkpoint=path)
        with pytest.raises(gc.TrainingError, match="of another program: see 'step'"):
            gc.train(regression(gc.adam()), _zeros(), DATA, epochs=1, checkpoint=path, resume=True)


def _zeros():
    return regression().init_params()


class TestNewcomers:
    def test_options_are_given_by_name(self):
        with pytest.raises(gc.UsageError, match=r"by name: adam\(lr=0.01\)"):
            gc.adam(0.01)

    def test_a_graph_is_no_program(self):
        x = gc.observed("x")
        with pytest.raises(gc.UsageError, match="train takes a program"):
            gc.train(gc.Graph(gc.tanh(x), name="net"), None, {}, epochs=1)

    def test_data_as_a_pair(self):
        with pytest.raises(
            gc.UsageError, match=r"from names to arrays: \{'x': \.\.\., 'y': \.\.\.\}"
        ):
            gc.train(regression(), _zeros(), (X, Y), epochs=1)

    def test_a_run_is_told_in_a_line(self):
        run = gc.train(regression(), _zeros(), DATA, epochs=2)
        assert repr(run).startswith("<run: 2 epochs, 2 steps, loss ")

    def test_a_cost_is_no_graph(self, tmp_path):
        cost = gc.cost(gc.parameter("w") ** 2, name="C")
        with pytest.raises(gc.UsageError, match="compile takes a graph, got a Variable"):
            gc.compile(cost)
        with pytest.raises(gc.UsageError, match="render takes a graph, got a Variable"):
            gc.render(cost, tmp_path / "c.svg")

    def test_a_block_without_its_size(self):
        @gc.function
        def layer(z=gc.Input("n"), *, w=gc.Parameter("m n")):
            return w @ z

        with pytest.raises(gc.UsageError, match=r"the size 'm' of its parameter 'w'; .* layer\(m="):
            layer()(gc.observed("x", shape=3))

    def test_a_number_where_a_choice_belongs(self):
        with pytest.raises(gc.UsageError, match="bias is True or False, got 16"):
            gc.Linear(3, bias=16)
