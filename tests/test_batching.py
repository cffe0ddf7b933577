"""The sample axis comes before differentiation: no gradient of a parameter carries it."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.batching import batch_nodes
from graphc.language.graph import Graph
from graphc.modelfile import load_graphs
from graphc.ops.leaves import new_input
from graphc.ops.rules import evaluate
from graphc.ops.samples import SAMPLES
from graphc.types import TensorType
from tests.emit.models import MODELS, SIZES, compiled, model_named, random_data

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def widened(program):
    """The nodes of a finished program that are a copy of a parameter's shape for every sample.

    Of matrices and more: the models are chosen such that no value of one sample has such a shape.
    (A bias has the shape of what it is added to.)
    """
    shapes = {(SAMPLES, *f.shape) for f in program.model.parameters if len(f.shape) > 1}
    return [n for n in program.program.nodes() if n.shape in shapes]


def table_lookup():
    """A table of 5000 words, six of them looked up for each sample."""
    words, y = gc.observed("words", classes=5000, shape=6), gc.observed("y", classes=7)
    table = gc.parameter("table", shape=(5000, 64), init="normal")
    z = gc.tanh(table[words].mean(axis=0), output="z")
    head = gc.Linear(7, name="head")(z, output="s")
    return Graph(gc.cross_entropy(head, y, name="C"), name="words")


def wide_blocks():
    x, y = gc.observed("x", shape=11), gc.observed("y", shape=3)
    f = gc.Linear(11, name="f")
    z = gc.softmax(f(gc.sigmoid(f(x, output="s1"), output="z1"), output="s2"), output="z2")
    scale = gc.parameter("scale", shape=(3, 11))
    w = scale * gc.parameter("gain", shape=(3, 1)) + 1.0
    return Graph(gc.mse(w @ z, y, name="C"), gc.cost((scale**2).sum(), name="D"), name="wide")


def convolution_like():
    x, w = gc.observed("x", shape=(13, 2)), gc.parameter("w", shape=(3, 2, 5))
    windows = [x[k : k + 11] @ w[k] for k in range(3)]
    z = gc.relu(windows[0] + windows[1] + windows[2], output="z")
    v = gc.parameter("v", shape=(11, 5, 4))
    return Graph(gc.cost((np.einsum("tk,tkj->j", z, v) ** 2).sum(), name="C"), name="windows")


CASES = {
    "mynet": lambda: load_graphs(str(EXAMPLES / "mynet.py"))[0],
    "digits": lambda: load_graphs(str(EXAMPLES / "digits.py"))[0],
    "table": table_lookup,
    "wide": wide_blocks,
    "windows": convolution_like,
    "attention": MODELS["attention"],
    "embedding": MODELS["embedding"],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_no_intermediate_is_a_parameter_for_every_sample(case, style):
    graph = CASES[case]()
    program = gc.compile(graph, style=style)
    assert not widened(program)
    params, _ = random_data(graph, sizes=SIZES)
    gradients = program.model.gradients
    assert [g.shape for g in gradients] == [f.shape for f in program.model.parameters]
    assert len(params) == len(gradients)


def test_the_check_itself_can_fail():
    """Differentiating one sample and batching afterwards makes what the test above looks for."""
    graph = table_lookup()
    program = graph.program()
    from graphc.calculus.reverse import gradient
    from graphc.ops.leaves import constant

    (table,) = [v for v in graph.parameters if graph.name_of(v) == "table"]
    (one,) = gradient(program.outputs[:1], [constant(1.0)], [table.node])
    leaves = {v.node: new_input(TensorType((SAMPLES, *v.shape), v.node.kind)) for v in graph.inputs}
    new, _, _ = batch_nodes([one], leaves, SAMPLES)
    assert new[one].shape == (SAMPLES, 5000, 64)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_large_table_needs_memory_once(style):
    """128 samples: a gradient per sample would take 164 MB in float32, the table takes 1.3 MB."""
    graph = table_lookup()
    program = gc.compile(graph, style=style, dtype="float32")
    params = program.init_params()
    rng = np.random.default_rng(0)
    inputs = {"words": rng.integers(0, 5000, (128, 6)), "y": rng.integers(0, 7, 128)}
    program.loss_and_grad(params, **inputs)
    tracemalloc.start()
    try:
        _, grads = program.loss_and_grad(params, **inputs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grads.table.shape == (5000, 64)
    assert peak < 3 * params.table.nbytes
    used = np.unique(inputs["words"])
    assert np.all(np.any(grads.table[used] != 0, axis=1))
    assert not np.any(np.delete(grads.table, used, axis=0))


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_the_mean_over_its_samples(name):
    """Loss and gradients of many samples against those of one at a time."""
    graph = model_named(name)
    many, alone = compiled(graph, "fast"), compiled(graph, "fast", batch=False)
    params, inputs = random_data(graph, 4, positive=True)
    varying = {graph.name_of(v) for v in graph.inputs if v.declaration.per_sample}
    names = [f.name for f in many.model.loss_fields]
    loss, grads = many.loss_and_grad(many.Params(**params), **{k: inputs[k] for k in names})
    losses, slopes = [], []
    for p in range(4):
        one = {k: inputs[k][p] if k in varying else inputs[k] for k in names}
        value, slope = alone.loss_and_grad(alone.Params(**params), **one)
        losses.append(value)
        slopes.append(slope)
    assert loss == pytest.approx(np.mean(losses), rel=1e-12)
    for i, g in enumerate(grads):
        expected = np.mean([s[i] for s in slopes], axis=0)
        scale = max(1.0, np.max(np.abs(expected)))
        np.testing.assert_allclose(g, expected, rtol=0, atol=1e-12 * scale)


def test_what_does_not_vary_gets_no_axis():
    """Only what depends on a per-sample leaf is batched; the rest is computed once."""
    x, a = gc.observed("x", shape=3), gc.observed("a", shape=3, per_sample=False)
    w = gc.parameter("w", shape=3)
    shared = np.exp(w * a)
    graph = Graph(gc.cost((x * shared).sum(), name="C"), name="g")
    program = gc.compile(graph)
    exponentials = [n for n in program.program.nodes() if getattr(n, "function", "") == "exp"]
    assert [n.shape for n in exponentials] == [(3,)]


def test_all_rules_at_once():
    """A batched program, evaluated by the reference, is the stack of single evaluations."""
    rng = np.random.default_rng(3)
    for name in MODELS:
        graph = model_named(name)
        program = graph.program()
        leaves = {
            v.node: new_input(TensorType((4, *v.shape), v.node.kind))
            for v in graph.inputs
            if v.declaration.per_sample
        }
        new, varying, _ = batch_nodes(program.outputs, leaves, 4)
        params, inputs = random_data(graph, 4, seed=int(rng.integers(99)), positive=True)
        held = {v.node: params[graph.name_of(v)] for v in graph.parameters}
        held |= {v.node: inputs[graph.name_of(v)] for v in graph.inputs}
        stacked = {leaves.get(node, node): value for node, value in held.items()}
        together = evaluate([new[n] for n in program.outputs], stacked, SIZES)
        for node, got in zip(program.outputs, together, strict=True):
            for p in range(4):
                one = {n: v[p] if n in leaves else v for n, v in held.items()}
                (expected,) = evaluate([node], one, SIZES)
                mine = got[p] if node in varying else got
                np.testing.assert_allclose(mine, expected, rtol=1e-12, atol=1e-12, err_msg=name)
