"""Every small model in every style: the reference, central differences, and each other."""

import ast

import numpy as np
import pytest

import graphc as gc
from graphc.control.override import Override
from graphc.errors import CompileError
from graphc.language.graph import Graph
from graphc.ops.rules import RULES, evaluate
from graphc.ops.samples import OverSamples
from graphc.ops.several import Bundle
from tests.emit.models import (
    MODELS,
    POSITIVE,
    SIZES,
    agree,
    compiled,
    model_named,
    random_data,
    sizes_of,
)


@pytest.mark.parametrize("name", MODELS)
def test_styles_agree(name):
    """Readable, fast and CuPy's file agree with the reference evaluation and with differences."""
    agree(model_named(name), positive=name in POSITIVE)


@pytest.mark.parametrize("name", MODELS)
def test_one_sample(name):
    """Where an axis of size 1, or a broadcast that should not be, would show."""
    agree(model_named(name), 1, positive=name in POSITIVE, differences=False)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_emitted_code_computes_its_program(name, style):
    """Printing changes nothing: the source gives what its finished program evaluates to."""
    graph = model_named(name)
    program = compiled(graph, style)
    params, inputs = random_data(graph, positive=name in POSITIVE)
    fields = (*program.model.parameters, *program.model.inputs)
    values = {f.node: {**params, **inputs}[f.name] for f in fields}
    expected = evaluate(program.program.outputs, values, {**SIZES, "P": 5})
    given = {f.name: inputs[f.name] for f in program.model.loss_fields}
    loss, grads = program.loss_and_grad(program.Params(**params), **given)
    first = len(program.model.forward)
    for got, wanted in zip((loss, *grads), expected[first:], strict=False):
        scale = max(1.0, np.max(np.abs(wanted)))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-14 * scale)
    given = {f.name: inputs[f.name] for f in program.model.forward_fields}
    if first:
        outputs = program.forward(program.Params(**params), **given)
        for got, wanted in zip(outputs if first > 1 else [outputs], expected, strict=False):
            np.testing.assert_allclose(got, wanted, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("style", ["readable", "fast", "cupy"])
def test_float32_stays_float32(name, style):
    """No step falls back to float64, and the numbers are those of float64 to its accuracy."""
    graph = model_named(name)
    single = compiled(graph, style, dtype="float32")
    double = compiled(graph, style)
    params, inputs = random_data(graph, positive=name in POSITIVE)
    given = {f.name: inputs[f.name] for f in single.model.loss_fields}
    loss, grads = single.loss_and_grad(single.Params(**params), **given)
    expected, slopes = double.loss_and_grad(double.Params(**params), **given)
    assert loss == pytest.approx(expected, rel=2e-4, abs=1e-4)
    for got, wanted in zip(grads, slopes, strict=True):
        assert got.dtype == np.float32
        scale = max(1.0, np.max(np.abs(wanted)))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-3 * scale)
    if single.model.forward:
        given = {f.name: inputs[f.name] for f in single.model.forward_fields}
        outputs = single.forward(single.Params(**params), **given)
        for got in outputs if len(single.model.forward) > 1 else [outputs]:
            assert got.dtype == np.float32


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_one_sample_without_an_axis(name, style):
    """With `batch=False` the loss of one sample is that of a batch of one."""
    graph = model_named(name)
    alone, among = compiled(graph, style, batch=False), compiled(graph, style)
    params, inputs = random_data(graph, 1, positive=name in POSITIVE)
    varying = {graph.name_of(v) for v in graph.inputs if v.declaration.per_sample}
    fields = [f.name for f in alone.model.loss_fields]
    one = {k: inputs[k][0] if k in varying else inputs[k] for k in fields}
    loss, grads = alone.loss_and_grad(alone.Params(**params), **one)
    expected, slopes = among.loss_and_grad(
        among.Params(**params), **{k: inputs[k] for k in fields}
    )  # fmt: skip
    assert loss == pytest.approx(expected, rel=1e-13, abs=1e-13)
    for got, wanted in zip(grads, slopes, strict=True):
        scale = max(1.0, np.max(np.abs(wanted)))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13 * scale)


def test_the_models_cover_every_kind_and_statement():
    """A new node kind, or a form of statement, needs a model here before it can be trusted."""
    nodes, readable, fast = set(), "", ""
    for name in MODELS:
        nodes |= {type(n) for n in gc.compile(model_named(name)).program.nodes()}
        readable += compiled(model_named(name), "readable").source
        fast += compiled(model_named(name), "fast").source
    # Never printed: bundles, what reaches across samples, and derivatives of the user's own.
    assert nodes >= set(RULES) - {Bundle, OverSamples, Override}
    for text in ("add.at(", "[np.arange(P), ", "np.diag(", "np.eye(", "np.einsum(", " @ ", "::-1",
                 "keepdims=True", "np.broadcast_to(", ".transpose(", ".copy()", "np.zeros(",
                 "_sigmoid(", "_softplus(", "np.where(", "_ARRAYS[", ".mean()", "**2"):  # fmt: skip
        assert text in readable, text
    for text in (" += ", " -= ", " *= ", " /= ", ".dot(", "out=", ".reduce(", "add.at("):
        assert text in fast, text


@pytest.mark.parametrize("name", MODELS)
def test_sources_parse(name):
    for style in ("readable", "fast", "cupy"):
        source = compiled(model_named(name), style).source
        ast.parse(source)
        assert not [line for line in source.split("\n") if line != line.rstrip()]
        assert "import graphc" not in source


@pytest.mark.parametrize("name", MODELS)
def test_parameters_start_as_declared(name):
    graph = model_named(name)
    made = [compiled(graph, s).init_params(seed=3, **sizes_of(graph)) for s in ("readable", "fast")]
    for f, a, b in zip(made[0]._fields, *made, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f)
        assert a.dtype == np.float64
    params, _ = random_data(graph)
    assert {f: p.shape for f, p in made[0]._asdict().items()} == {
        f: p.shape for f, p in params.items()
    }


def test_a_size_that_comes_merged_with_another_is_found_elsewhere():
    x = gc.observed("x", shape=(2, 7))
    rows, weight = np.ones((3, 7)), np.arange(6.0).reshape(2, 3)
    net = gc.Graph(gc.cost(np.sum((x @ rows.T) * weight), name="C"))
    data = np.arange(28.0).reshape(2, 2, 7)
    for style in ("readable", "fast"):
        program = gc.compile(net, style=style, wrt=[x])
        loss, _ = program.loss_and_grad((), x=data)
        assert loss == np.mean(np.sum((data @ rows.T) * weight, axis=(1, 2)))


# Shrunk from random programs.


def every_style(graph, params, inputs, **options):
    """The loss, the gradients and what `forward` returns, in each style."""
    for style in ("readable", "fast", "cupy"):
        made = compiled(graph, style, **options)
        given = {f.name: inputs[f.name] for f in made.model.loss_fields}
        early = {f.name: inputs[f.name] for f in made.model.forward_fields}
        point = made.Params(**params)
        yield *made.loss_and_grad(point, **given), made.forward(point, **early)


def test_an_input_is_taken_for_its_size():
    x, u = gc.observed("x", shape=("n", 3)), gc.observed("u", shape=2)
    w = gc.parameter("w", shape=3)
    y = np.cos(0 * x[:, 0]).sum() * w
    graph = Graph(gc.cost(y.sum(), name="C"), y, name="sized")
    inputs = {"x": np.zeros((5, 4, 3)), "u": np.ones((5, 2))}
    whole = Graph(gc.cost(y.sum() + 0 * u.sum(), name="C"), y, name="sized")
    for loss, grads, result in every_style(graph, {"w": np.ones(3)}, inputs):
        assert loss == 12
        np.testing.assert_array_equal(result, np.full((5, 3), 4))
        np.testing.assert_array_equal(grads.w, [4, 4, 4])
    for _, grads, _ in every_style(whole, {"w": np.ones(3)}, inputs, wrt=(x, u), allow_unused=True):
        np.testing.assert_array_equal(grads.x, np.zeros((5, 4, 3)))
        np.testing.assert_array_equal(grads.u, np.zeros((5, 2)))


def test_a_size_that_nothing_has():
    x, y = gc.observed("x", shape="n"), gc.observed("y")
    with pytest.raises(CompileError, match="needs the size n, which no argument has"):
        gc.compile_function([y], y * np.ones_like(x).sum())


def test_a_fixed_number_is_returned_as_an_array():
    w = gc.parameter("w")
    y = np.ones_like(gc.observed("x", shape=3)).sum() - 4
    for _, _, result in every_style(Graph(gc.cost(w * y, name="C"), y), {"w": np.ones(())}, {}):
        assert isinstance(result, np.ndarray | np.generic)
        assert result == -1


def test_zeros_that_a_loop_starts_from_and_a_scatter_fills():
    x, i = gc.observed("x", shape=3), gc.observed("i", classes=3, shape=2)
    w = gc.parameter("w", shape=3)
    zeros = np.zeros(3) * w
    z = gc.fixed_point(lambda z: 0.4 * np.sin(z * w) + x, zeros)
    y = z[i]
    c = gc.cost((gc.at_add(np.zeros(3), i, np.sin(y)) * [1.0, 2.0, 3.0]).sum(), name="C")
    agree(Graph(c, y, name="shared"))


def test_a_mask_that_another_function_converted():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    z = gc.cond(w.sum() > -1, np.square, np.sin, w)
    t = np.signbit(np.tanh(z)) * 1.0
    c = gc.cost((t * [1.0, 2.0, 3.0]).sum() + (np.cos(t) * w * x).sum(), name="C")
    agree(Graph(c, np.broadcast_to(t, (2, 3)), name="masked"))


def test_reductions_of_numbers():
    """Along no axes, of a size and of numbers: the elements themselves."""
    x, w = gc.observed("x", shape="n"), gc.parameter("w")
    n = np.cos(0 * x).sum()
    parts = [np.max(n), np.prod(w), np.min(w * n), np.linalg.norm(w), gc.logsumexp(n), np.max(3)]
    softened = gc.softmax(np.stack([n, w]), axis=0)[0] + np.linalg.norm(n) + (n > 2) * w
    graph = Graph(gc.cost(sum(parts[1:], parts[0]) * softened, name="C"), n, name="single")
    agree(graph)


def test_the_turned_end_of_a_vector_is_turned_again():
    x, w = gc.observed("x", shape=4), gc.parameter("w", shape=3)
    y = np.tanh(x[2::-1])[::-1] * w + x[2::-1][::-1] + w[::-1][::-1]
    agree(Graph(gc.cost((y**2).sum(), name="C"), name="turned"))
