"""What callers get is theirs, what they give stays as it was, and calls disturb no other call."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import graphc as gc
from graphc.language.graph import Graph
from tests.emit.models import MODELS, POSITIVE, compiled, model_named, random_data

STYLES = ["readable", "fast", "cupy"]


def arrays(result):
    """All arrays in a result, however nested; numbers cannot be shared."""
    if isinstance(result, tuple):
        return [a for part in result for a in arrays(part)]
    return [result] if isinstance(result, np.ndarray) else []


def check_owned(call, given):
    """Results alias neither the arguments nor each other nor later results; arguments stay."""
    for a in given:
        a.flags.writeable = False
    before = [a.copy() for a in given]
    first, second = arrays(call()), arrays(call())
    kept = [a.copy() for a in first]
    everything = [*first, *second]
    for i, a in enumerate(everything):
        assert a.flags.writeable
        assert not any(np.shares_memory(a, b) for b in given)
        assert not any(np.shares_memory(a, b) for b in everything[:i])
    for a in second:  # what a caller does with one result is nobody else's business
        a[...] = -77
    for got, old, again in zip(first, kept, arrays(call()), strict=True):
        np.testing.assert_array_equal(got, old)
        np.testing.assert_array_equal(again, old)
    for a, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, old)


def check_program(graph, style, **options):
    program = compiled(graph, style, **options)
    params, inputs = random_data(graph, 1 if not options.get("batch", True) else 4,
                                 positive=graph.name in POSITIVE)  # fmt: skip
    if not options.get("batch", True):
        for v in graph.inputs:
            name = graph.name_of(v)
            inputs[name] = np.array(inputs[name][0] if v.declaration.per_sample else inputs[name])
    params, inputs = dict(params), {k: np.array(v) for k, v in inputs.items()}
    point = program.Params(**params)
    given = [*params.values(), *inputs.values()]
    model = program.model
    if model.has_loss:
        held = {f.name: inputs[f.name] for f in model.loss_fields}
        check_owned(lambda: program.loss_and_grad(point, **held), given)
        check_owned(lambda: program.loss(point, **held), given)
        assert isinstance(program.loss(point, **held), float)
    if model.forward:
        held = {f.name: inputs[f.name] for f in model.forward_fields}
        check_owned(lambda: program.forward(point, **held), given)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("style", STYLES)
def test_models(name, style):
    check_program(model_named(name), style)


def views(x, w):
    """Variables whose results are arguments, views of arguments, or of each other."""
    y = gc.tanh(x, output="y")
    return {
        "an input": [x],
        "a parameter": [w],
        "both twice": [x, w, x, w],
        "a view": [x.T],
        "a reversed view": [x[::-1]],
        "a reshape": [np.ravel(x)],
        "broadcasts": [np.broadcast_to(w, (2, 6)), np.broadcast_to(w[:1], (2, 3))],
        "a result and its views": [y, y.T, np.ravel(y), y[0], y],
        "a constant": [gc.constant(np.arange(6.0)), gc.constant(np.arange(100.0))],
        "a view of a constant": [gc.constant(np.arange(100.0))[::2]],
        "a filled array": [gc.grad(w.sum(), w)],
        "sums over nothing": [x.reshape(1, 2, 3).sum(axis=0)],
        "numbers": [w.sum(), w.sum(), w[0], gc.constant(2.0)],
        "relu of a view": [gc.relu(x.T), gc.relu(np.ravel(x))],
    }


CASES = list(views(gc.observed("x", shape=(2, 3)), gc.parameter("w", shape=6)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_functions(case, style):
    x, w = gc.observed("x", shape=(2, 3)), gc.parameter("w", shape=6)
    outputs = views(x, w)[case]
    given = [np.arange(6.0).reshape(2, 3), np.linspace(1, 2, 6)]
    for wanted in (outputs, *outputs):
        made = gc.compile_function([x, w], wanted, style=style)
        check_owned(lambda made=made: made(*given), given)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("batch", [True, False])
def test_outputs_of_graphs(case, style, batch):
    """`forward` of graphs with and without a cost, whose results are views of whatever there is."""
    x, w = gc.observed("x", shape=(2, 3)), gc.parameter("w", shape=6)
    outputs = [v for v in views(x, w)[case] if v.role != "constant"]
    outputs = list({id(v): v for v in outputs}.values())
    cost = gc.cost(sum(v.sum() for v in outputs) * w.sum(), name="C") if outputs else None
    if outputs:
        check_program(Graph(*outputs, name="g"), style, batch=batch)
        check_program(Graph(cost, *outputs, name="g"), style, batch=batch)
        check_program(Graph(cost, name="g"), style, batch=batch)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("batch", [True, False])
def test_gradients_that_are_inputs(style, batch):
    """d(x·w)/dw is x, and d(a + b)/da is that by b."""
    x, w = gc.observed("x", shape=6), gc.parameter("w", shape=6)
    a, b, c = (gc.parameter(n, shape=6) for n in "abc")
    for expression in (x @ w, (a + b).sum() + (c - w).sum(), x @ (a + b), (a * b * c * w).sum()):
        check_program(Graph(gc.cost(expression, name="C"), name="g"), style, batch=batch)


@pytest.mark.parametrize("name", ["two_layers", "attention", "gathers", "reused_buffers"])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_concurrent_calls(name, style):
    graph = model_named(name)
    program = compiled(graph, style)
    points = [random_data(graph, samples, seed) for seed, samples in enumerate([1, 3, 40, 200])]

    def call(at):
        params, inputs = points[at]
        held = {f.name: inputs[f.name] for f in program.model.loss_fields}
        return program.loss_and_grad(program.Params(**params), **held)

    expected = [call(at) for at in range(len(points))]
    with ThreadPoolExecutor(8) as pool:
        for at, (loss, grads) in enumerate(pool.map(call, [0, 1, 2, 3] * 25)):
            assert loss == expected[at % 4][0]
            for got, wanted in zip(grads, expected[at % 4][1], strict=True):
                np.testing.assert_array_equal(got, wanted)


def test_first_use_in_many_threads():
    """The source is run at the first use; threads that meet there get one program."""
    graph = MODELS["linear"]()
    program = gc.compile(graph)
    params, inputs = random_data(graph)
    with ThreadPoolExecutor(16) as pool:
        losses = set(pool.map(lambda _: program.loss(list(params.values()), **inputs), range(64)))
        kinds = set(pool.map(lambda _: program.Params, range(16)))
    assert len(losses) == 1
    assert len(kinds) == 1


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_no_warnings_are_shown(style, recwarn):
    """Overflow and 0/0 give inf and nan, silently, as the arithmetic of a loss has them."""
    x, w = gc.observed("x", shape=2), gc.parameter("w", shape=2)
    graph = Graph(gc.cost((np.exp(x * w) / (w - w) + np.log(w)).sum(), name="C"), name="wild")
    program = gc.compile(graph, style=style)
    loss, _ = program.loss_and_grad(program.Params(np.zeros(2)), x=np.full((1, 2), 1e300))
    assert np.isnan(loss) or np.isinf(loss)
    assert not recwarn.list
    with np.errstate(all="raise"):  # the caller's own settings neither disturb nor change
        program.loss_and_grad(program.Params(np.zeros(2)), x=np.full((1, 2), 1e300))
        with pytest.raises(FloatingPointError):
            np.float64(1) / np.float64(0)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("known", [True, False])
def test_a_row_that_one_number_of_many_picks_is_no_copy(style, known):
    """NumPy reads ``x[:, i[0]]`` as a view; what is computed in place must not write into x."""
    x, y = gc.observed("x", shape=(3, 4)), gc.observed("y", shape=3)
    places = np.array([2, 0])
    i = gc.constant(places) if known else gc.observed("i", shape=2, kind="integer")
    column, row = x[:, i[0]], x[i[1]]
    last, _ = gc.scan(lambda a, k: (np.tanh(a + x[:, k]), None), column + y, i)
    outputs = [column, row, np.exp(column + y) + 1, last, *gc.grad(last.sum() + row.sum(), [x, y])]
    inputs = [x, y] if known else [x, y, i]
    run = gc.compile_function(inputs, outputs, style=style)
    rng = np.random.default_rng(0)
    given = [rng.normal(size=(3, 4)), rng.normal(size=3), *([] if known else [places])]
    check_owned(lambda: run(*given), given)
    expected = given[0][:, 2] + given[1]
    np.testing.assert_allclose(run(*given)[2], np.exp(expected) + 1, rtol=1e-13)
    for k in places:
        expected = np.tanh(expected + given[0][:, k])
    np.testing.assert_allclose(run(*given)[3], expected, rtol=1e-13)


def test_windows_of_a_product_are_not_written_into():
    """They are a view of one memory in several places, which NumPy keeps from being written to."""
    x, w, s = (gc.observed(n, shape=d) for n, d in (("x", (3, 4)), ("w", (4, 5)), ("s", 2)))
    turned = np.moveaxis(np.lib.stride_tricks.sliding_window_view(x @ w, 2, 0), 2, 0)
    f = gc.compile_function([x, w, s], turned * s[:, None, None])
    np.testing.assert_array_equal(
        f(np.ones((3, 4)), np.ones((4, 5)), [1.0, 2.0]),
        np.full((2, 2, 5), 4.0) * [[[1.0]], [[2.0]]],
    )
