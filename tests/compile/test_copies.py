"""Copies and pickles: what computes can travel, what stands for itself is itself."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CompileError, UsageError

ROOT = Path(__file__).parents[2]
X = np.random.default_rng(0).normal(size=(5, 3))


def declared():
    x = gc.observed("x", 3)
    layer = gc.Linear(2, name="f")
    cost = gc.cost((layer(x, output="z") ** 2).sum(), name="C")
    return x, layer, cost, gc.Graph(cost, name="net")


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_of_what_stands_for_itself_is_it(make):
    x, layer, cost, graph = declared()
    program, f = gc.compile(graph), gc.compile_function([x], x * 2)
    for thing in (x, layer.w, cost, graph, x.node, program, f, gc.Linear, gc.relu):
        assert make(thing) is thing
    assert make([{"x": x}])[0]["x"] is x
    held = copy.deepcopy((x, cost))
    assert gc.Graph(held[1]).variables[0] is x


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_block_is_not_copied(make):
    _, layer, _, _ = declared()
    with pytest.raises(UsageError, match="block 'f' is not copied: call it again to share"):
        make(layer)


def test_what_cannot_be_pickled_says_what_can():
    x, layer, cost, graph = declared()
    for thing in (x, cost, graph, x.node, layer):
        with pytest.raises(UsageError, match=r"cannot be pickled.*gc\.compile"):
            pickle.dumps(thing)


def test_functions_are_found_by_their_names():
    assert pickle.loads(pickle.dumps(gc.Linear)) is gc.Linear
    assert pickle.loads(pickle.dumps([gc.mse, gc.relu])) == [gc.mse, gc.relu]


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_program_travels(style, tmp_path):
    _, _, cost, _ = declared()
    z = gc.Graph(cost, name="net")
    program = gc.compile(z, style=style, step=gc.sgd(lr=0.1))
    params = program.init_params(seed=3)
    sent = pickle.loads(pickle.dumps(program))
    assert sent.source == program.source
    mine, others = program.loss_and_grad(params, x=X), sent.loss_and_grad(params, x=X)
    assert mine[0] == others[0]
    np.testing.assert_array_equal(mine[1].f_w, others[1].f_w)
    np.testing.assert_array_equal(sent.forward(params, x=X), program.forward(params, x=X))
    np.testing.assert_array_equal(sent.init_params(seed=3).f_w, params.f_w)
    own = sent.Params(*map(np.array, params))
    assert sent.train_step(own, sent.init_state(own), x=X) == mine[0]
    sent.save(tmp_path / "net.py")
    assert (tmp_path / "net.py").read_text() == program.source
    assert sent.inputs_per_sample == program.inputs_per_sample
    assert pickle.loads(pickle.dumps(sent)).source == program.source
    with pytest.raises(CompileError, match="'net' is not in this process"):
        _ = sent.graph


def test_another_process_computes_the_same(tmp_path):
    x, _, _, graph = declared()
    program, f = gc.compile(graph), gc.compile_function([x], np.tanh(x) * np.arange(3.0))
    params = program.init_params()
    path = tmp_path / "sent.pickle"
    path.write_bytes(pickle.dumps((program, f, params, X)))
    code = (
        "import pickle, sys; program, f, params, X = pickle.load(open(sys.argv[1], 'rb'));"
        "print(repr(program.loss(params, x=X)), repr(f(X[0]).tolist()), params._fields)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    expected = f"{program.loss(params, x=X)!r} {f(X[0]).tolist()!r} {params._fields}"
    assert done.stdout.strip() == expected


def test_large_constants_travel():
    x, big = gc.observed("x", 100), np.random.default_rng(1).normal(size=100)
    f = pickle.loads(pickle.dumps(gc.compile_function([x], x * big)))
    np.testing.assert_array_equal(f(np.ones(100)), big)


def test_parameters_and_gradients_are_pickled_by_name():
    *_, graph = declared()
    program = gc.compile(graph)
    _, grads = program.loss_and_grad(program.init_params(), x=X)
    again = pickle.loads(pickle.dumps(grads))
    assert again._fields == grads._fields
    np.testing.assert_array_equal(again.f_w, grads.f_w)
    assert program.loss(again, x=X) == program.loss(grads, x=X)
    assert pickle.loads(pickle.dumps(again))._fields == grads._fields
    np.testing.assert_array_equal(copy.deepcopy(grads).f_w, grads.f_w)


def test_what_no_other_process_could_import():
    x = gc.observed("x", 3)
    f = gc.compile_function([x], gc.opaque(lambda a: a, shape=3)(x))
    with pytest.raises(CompileError, match="cannot be pickled: the other process would need"):
        pickle.dumps(f)
    w = gc.parameter("w", 3, init=lambda rng, shape: np.ones(shape))
    program = gc.compile(gc.Graph(gc.cost((w * x).sum()), name="net"))
    with pytest.raises(CompileError, match="give source='module:function'"):
        pickle.dumps(program)
