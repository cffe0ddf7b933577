"""What no training can start with, and rules that could not lower anything."""

from functools import partial

import numpy as np
import pytest

import graphc as gc
from graphc.errors import OutputError, UsageError

X, Y = gc.observed("x", 3), gc.observed("y", 2)
NET = gc.Graph(gc.mse(gc.Linear(2, name="f")(X), Y, name="C"), name="net")
PROGRAM = gc.compile(NET, step=gc.sgd(lr=0.1))
DATA = {"x": np.ones((6, 3)), "y": np.ones((6, 2))}

REFUSED = {
    "half a sample": ({"batch_size": 1.5}, "batch_size is a whole number from 1 on, or None; got"),
    "true samples": ({"batch_size": True}, "batch_size is a whole number"),
    "half an epoch": ({"epochs": 1.5}, "epochs is a whole number from 0 on"),
    "epochs as text": ({"epochs": "3"}, "got '3'"),
    "steps below 0": ({"steps": -1}, "steps is a whole number from 0 on"),
    "a seed as text": ({"seed": "a"}, "seed is a whole number from 0 on"),
    "a tolerance below 0": ({"tolerance": -1}, "tolerance is a number from 0 on"),
    "a divergence as text": ({"divergence": "a"}, "divergence is a number from 0 on"),
    "validation that is a number": ({"validation": 1}, "a mapping from names to arrays, got 1"),
    "a callback without a list": ({"callbacks": print}, "a list of functions of the run"),
    "a callback that is a number": ({"callbacks": [1]}, "a list of functions of the run"),
    "a file that is a number": ({"checkpoint": 1}, "checkpoint is the path of a file"),
    "checkpoints never": ({"checkpoint_every": 0}, "checkpoint_every is a whole number from 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arguments(name):
    options, told = REFUSED[name]
    with pytest.raises(UsageError, match=told):
        gc.train(PROGRAM, PROGRAM.init_params(), DATA, **{"epochs": 1, **options})


@pytest.mark.parametrize("data", [None, 1, "data.npz"])
def test_data(data):
    with pytest.raises(UsageError, match="data is a mapping from the names of inputs to arrays"):
        gc.train(PROGRAM, PROGRAM.init_params(), data, epochs=1)


def test_params():
    named = PROGRAM.init_params()._asdict()
    with pytest.raises(UsageError, match=r"write program\.Params\(\*\*params\)"):
        gc.train(PROGRAM, named, DATA, epochs=1)
    for params in (None, (), [1]):
        with pytest.raises(UsageError, match=r"those of the program \(f_w, f_b\)"):
            gc.train(PROGRAM, params, DATA, epochs=1)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: gc.sgd(lr=-1), "lr is not negative, got -1"),
        (lambda: gc.adam(lr=float("nan")), "adam: lr is not negative, got nan"),
        (lambda: gc.rmsprop(eps=-1e-8), "rmsprop: eps is not negative"),
        (lambda: gc.adamw(betas=0.9), r"adamw: betas are two numbers in \[0, 1\), got 0.9"),
        (lambda: gc.adamax(betas=(0.9,)), "adamax: betas are two numbers"),
        (lambda: gc.adam(betas=(0.9, 1.0)), "adam: betas are two numbers"),
    ],
)
def test_rules(make, told):
    with pytest.raises(UsageError, match=told):
        make()


def test_rules_of_users_may_have_options_of_any_sign():
    @gc.update_rule
    def climb(w, g, *, lr=0.1):
        return w - lr * g

    assert repr(climb(lr=-0.5)) == "climb(lr=-0.5)"


def test_paths_and_bodies():
    with pytest.raises(OutputError, match="the name of a file is text or a path, got None"):
        gc.render(NET, None)
    for body in (None, int, 3, max, partial(np.dot, np.ones(3))):
        with pytest.raises(UsageError, match="a block is made of a function, got"):
            gc.function(body)
    with pytest.raises(UsageError, match="estimators takes a graph, got a NoneType"):
        gc.estimators(None)
