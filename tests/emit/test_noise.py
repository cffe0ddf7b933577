"""Noise that is declared: who draws it, from what, and that nobody draws from anything else."""

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc
from graphc.errors import NamingError, UsageError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 4)), RNG.normal(size=(50, 2))
KINDS = ("normal", "uniform", "exponential", "gumbel")


def dropped(step=None, name="noise", **options):
    x, y = gc.observed("x", 4), gc.observed("y", 2)
    z = gc.dropout(gc.relu(gc.Linear(8, name="a")(x)), gc.noise(name, 8, "uniform"))
    cost = gc.mse(gc.Linear(2, name="b")(z), y, name="C")
    return gc.compile(gc.Graph(cost, name="net"), step=step, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn(kind, dtype):
    """Shapes, dtype, moments of each distribution, and the same numbers from the same seed."""
    e, shared = gc.noise("e", ("n", 3), kind), gc.noise("s", (), kind, per_sample=False)
    program = gc.compile(gc.Graph(gc.cost((gc.parameter("w") * e).sum() + shared)), dtype=dtype)
    drawn = program.draw_noise(np.random.default_rng(7), 100, n=200)
    assert {k: (v.shape, v.dtype) for k, v in drawn.items()} == {
        "e": ((100, 200, 3), np.dtype(dtype)),
        "s": ((), np.dtype(dtype)),
    }
    mean, std = {
        "normal": (0.0, 1.0),
        "uniform": (0.5, 12**-0.5),
        "exponential": (1.0, 1.0),
        "gumbel": (np.euler_gamma, np.pi / 6**0.5),
    }[kind]
    assert abs(drawn["e"].mean() - mean) < 0.03
    assert abs(drawn["e"].std() - std) < 0.03
    again = program.draw_noise(7, 100, n=200)
    np.testing.assert_array_equal(again["e"], drawn["e"])
    assert np.isfinite(program.loss(program.init_params(), **drawn))


def test_a_program_without_noise_draws_nothing():
    x = gc.observed("x", 4)
    program = gc.compile(gc.Graph(gc.cost((gc.parameter("w", 4) * x).sum())))
    assert program.draw_noise(0, 5) == {}
    assert "draw_noise" not in program.source


@pytest.mark.parametrize("target", ["numpy", "cupy"])
def test_every_file_draws(target):
    source = dropped(target=target, style="readable").source
    made = (
        "cp.asarray(rng.random((P, 8), DTYPE), DTYPE)"
        if target == "cupy"
        else ("rng.random((P, 8), DTYPE)")
    )
    assert f'"noise": {made},' in source
    assert "Return noise for P samples by name: noise uniform in [0, 1)." in source


@pytest.mark.parametrize("name", ["noise", "draw_noise", "rng", "np", "dict"])
def test_names_of_users_stay(name):
    program = dropped(step=gc.sgd(lr=0.1), name=name, loop=True)
    drawn = program.draw_noise(0, 5)
    assert list(drawn) == [name]
    assert np.isfinite(program.loss(program.init_params(), x=X[:5], y=Y[:5], **drawn))
    params = program.init_params()
    losses = program.namespace["train"](params, program.init_state(params), X, Y, batch_size=10)
    assert len(losses) == 1


def test_training_draws_in_every_step():
    program = dropped(step=gc.sgd(lr=0.01))
    seen = []

    def look(run):
        seen.append(run.loss)

    options = {"batch_size": 25, "epochs": 2, "validation": {"x": X, "y": Y}}
    one = gc.train(program, program.init_params(), {"x": X, "y": Y}, callbacks=[look], **options)
    two = gc.train(program, program.init_params(), {"x": X, "y": Y}, **options)
    other = gc.train(program, program.init_params(), {"x": X, "y": Y}, seed=1, **options)
    assert one.history.losses == two.history.losses != other.history.losses
    assert one.history.validation == two.history.validation
    given = {"x": X, "y": Y, "noise": np.zeros((50, 8))}  # all are dropped
    fixed = gc.train(program, program.init_params(), given, epochs=3)
    assert len(set(fixed.history.losses)) == 3


def test_training_resumes_with_the_same_noise(tmp_path):
    program = dropped(step=gc.adam(lr=0.01))
    data, start = {"x": X, "y": Y}, program.init_params()
    whole = gc.train(program, start, data, epochs=4, batch_size=20)
    path = tmp_path / "run.npz"
    gc.train(program, start, data, epochs=2, batch_size=20, checkpoint=path)
    rest = gc.train(program, start, data, epochs=4, batch_size=20, checkpoint=path, resume=True)
    assert rest.history.losses == whole.history.losses


def test_batches_may_leave_noise_out():
    program = dropped(step=gc.sgd(lr=0.01))
    batches = [{"x": X[:20], "y": Y[:20]}, {"x": X[20:], "y": Y[20:]}]
    run = gc.train(program, program.init_params(), batches, epochs=2)
    assert np.isfinite(run.history.losses).all()


def test_noise_alone_tells_no_size():
    w = gc.parameter("w", 3)
    cost = gc.cost(((w - gc.noise("e", 3)) ** 2).sum())
    program = gc.compile(gc.Graph(cost), step=gc.sgd(lr=0.1))
    with pytest.raises(UsageError, match="does not tell how many samples there are to draw e"):
        gc.train(program, program.init_params(), [{}], epochs=1)


def test_files_train_and_check_themselves(tmp_path):
    program = dropped(step=gc.sgd(lr=0.1), loop=True)
    path, data, out = tmp_path / "net.py", tmp_path / "data.npz", tmp_path / "out.npz"
    program.save(path)
    np.savez(data, x=X, y=Y)
    command = [sys.executable, path, "--train", data, "--out", out, "--batch-size", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("mean loss") == 10
    params = program.init_params()
    means = program.namespace["train"](
        params, program.init_state(params), X, Y, epochs=10, batch_size=10
    )
    np.testing.assert_allclose(np.load(out)["a_w"], params.a_w)
    assert f"epoch 10: mean loss {means[-1]:.6g}" in done.stdout
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert "a_w: " in done.stdout


def test_the_gradient_check_draws_what_was_declared():
    """Positive numbers, and matrices of the declared kind, where a random one would be none."""
    p = gc.observed("p", 3, positive=True)
    s = gc.observed("s", (3, 3), symmetric=True)
    d = gc.observed("d", (3, 3), diagonal=True)
    q = gc.observed("q", (3, 3), orthogonal=True, per_sample=False)
    w = gc.parameter("w", 3, init="ones")
    cost = gc.cost((np.log(p) * w).sum() + w @ s @ w + (d @ w).sum() + (q @ w).sum())
    program = gc.compile(gc.Graph(cost, name="net"))
    assert "_defined(" not in program.source
    _, inputs = program.namespace["_example"]()
    assert (inputs["p"] > 0).all()
    np.testing.assert_array_equal(inputs["s"], np.swapaxes(inputs["s"], -1, -2))
    np.testing.assert_array_equal(inputs["d"], inputs["d"] * np.eye(3))
    np.testing.assert_allclose(inputs["q"] @ inputs["q"].T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (lambda n: gc.dropout(gc.observed("x", 3), n), "dropout: the noise is uniform, but 'n' is"),
        (lambda n: gc.alpha_dropout(gc.observed("x", 3), n), "alpha_dropout: the noise is uniform"),
        (
            lambda n: gc.gumbel_softmax(gc.observed("x", 3), n),
            "gumbel_softmax: the noise is gumbel",
        ),
        (lambda n: gc.categorical_sample(gc.observed("x", 3), n), "categorical_sample: the noise"),
        (lambda n: gc.rrelu(gc.observed("x", 3), n, training=True), "rrelu: the noise is uniform"),
    ],
)
def test_noise_of_another_kind(use, told):
    with pytest.raises(UsageError, match=told):
        use(gc.noise("n", 3))
    assert use(gc.observed("n", 3)) is not None


def test_bad_declarations():
    with pytest.raises(UsageError, match="is 'normal', 'uniform', 'exponential', 'gumbel', got"):
        gc.noise("n", 3, "cauchy")
    with pytest.raises(NamingError):
        gc.noise("not a name", 3)
    with pytest.raises(UsageError, match=r"it is called as draw_noise\(rng, P\)"):
        dropped().draw_noise(0)
