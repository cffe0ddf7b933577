"""Users' names survive, whatever they are; what the emitter adds gives way."""

import itertools

import numpy as np
import pytest

import graphc as gc
from graphc.language.graph import Graph
from tests.emit.models import agree, compiled, random_data

# Names that an emitted file uses itself: modules, functions, locals, builtins.
HOSTILE = [
    "np", "cp", "params", "Params", "DTYPE", "loss", "forward", "loss_and_grad", "init_params",
    "len", "float", "type", "rng", "n", "d_x", "C", "e", "Z", "x_", "tuple", "zip", "abs", "max",
    "min", "print", "map", "bool", "slice", "range", "dict", "seed", "name", "value", "shape",
    "inputs", "point", "gradient", "u", "g", "p", "step", "plus", "minus", "numeric", "symbolic",
    "total", "t", "t2", "top", "mean", "picked", "product", "result", "field", "r",
    "ValueError", "TypeError", "NamedTuple", "Path", "Grads", "Outputs", "count", "index",
    "self", "cls", "np_", "d_w", "d_", "α", "größe", "Σ", "match", "case",
]  # fmt: skip


def network(names):
    """A model in which every kind of name is taken from `names`."""
    a, b, c, d, e, f, g, h = names
    x = gc.observed(a, shape=(3, 4))
    y = gc.observed(b, classes=3)
    w = gc.parameter(c, shape=(4, 2), init="normal")
    v = gc.parameter(d, shape=3, init="he")
    z = gc.sigmoid(x @ w, name=f, output=e)
    s = gc.softmax(z.sum(axis=1) * v, output=g)
    cost = gc.cost(-np.log(s)[y] + np.square(z).sum(), name=h)
    return Graph(cost, z, s, name="named")


def runs(source, name="emitted"):
    """Run a source as a script, gradient check included."""
    exec(compile(source, name, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("at", range(len(HOSTILE)))
def test_a_hostile_name_in_every_role(at, capsys):
    """Each name once as an input, a label, a parameter, a result, a block and a cost."""
    ring = itertools.islice(itertools.cycle(HOSTILE), at, at + 8)
    graph = network(list(ring))
    programs = agree(graph, 3, differences=False)
    for style in ("readable", "fast"):
        runs(programs[style].source)
    check = capsys.readouterr().out
    assert len(check.splitlines()) == 4
    names = programs["fast"].Params._fields
    assert names == tuple(graph.name_of(v) for v in graph.parameters)
    params, inputs = random_data(graph, 3)
    for program in programs.values():
        given = {f.name: inputs[f.name] for f in program.model.forward_fields}
        outputs = program.forward(program.Params(**params), **given)
        assert outputs._fields == tuple(graph.name_of(v) for v in graph.outputs)


DIMS = [
    "np",
    "params",
    "Params",
    "DTYPE",
    "len",
    "float",
    "loss",
    "seed",
    "rng",
    "n",
    "x",
    "w",
    "t",
    "d_x",
    "e",
    "type",
    "abs",
    "α",
    "C",
    "shape",
    "init_params",
    "ValueError",
    "min",
]


@pytest.mark.parametrize("dim", DIMS)
def test_a_dimension_called_like_something_else(dim, capsys):
    """Also like one of the model's own variables: `x` has a size called `x`."""
    x, w = gc.observed("x", shape=(dim, "k")), gc.parameter("w", shape=(dim, 2), init="normal")
    b = gc.parameter("b", shape=dim)
    s = np.tanh(np.einsum("ik,ij->kj", x, w)).mean(axis=0).sum() + (b * b).mean()
    graph = Graph(gc.cost(s * x.mean(), name="C"), name="sized")
    sizes = {dim: 4, "k": 2}
    params, inputs = random_data(graph, 3, sizes=sizes)
    results = []
    for style in ("readable", "fast", "cupy"):
        program = compiled(graph, style)
        start = program.init_params(0, **{dim: 4})
        assert start.w.shape == (4, 2)
        results.append(program.loss_and_grad(program.Params(**params), **inputs))
        if style != "cupy":
            runs(program.source)
    for loss, grads in results:
        assert loss == pytest.approx(results[0][0], rel=1e-14)
        np.testing.assert_allclose(grads.w, results[0][1].w, atol=1e-14)
    assert capsys.readouterr().out.count("by formula") == 4


@pytest.mark.parametrize("name", ["np", "DTYPE", "len", "float", "f", "x", "type", "ValueError"])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_function_with_a_hostile_name(name, style):
    x = gc.observed("x", shape=3)
    f = gc.compile_function([x], np.tanh(x).sum() + x[0], name=name, style=style)
    assert f([1, 2, 3]) == pytest.approx(np.tanh([1, 2, 3]).sum() + 1)
    with pytest.raises(ValueError, match=r"x must have shape \(3,\), got \(2,\)"):
        f(np.zeros(2))


def test_a_computed_variable_called_like_a_cotangent():
    """`d_z` is the user's; the cotangent of `z` takes another name."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=(3, 3))
    z = gc.tanh(w @ x, output="z")
    d_z = gc.tanh(z, output="d_z")
    graph = Graph(gc.cost((d_z * z).sum(), name="C"), z, d_z, name="cotangents")
    programs = agree(graph)
    params, inputs = random_data(graph)
    for program in programs.values():
        out = program.forward(program.Params(**params), x=inputs["x"])
        np.testing.assert_allclose(out.d_z, np.tanh(out.z), rtol=1e-14)


def test_names_are_normalised_as_python_does():
    """ﬁt (with a ligature) is `fit` to Python, and so to the emitted file."""
    x, w = gc.observed("ﬁt", shape=2), gc.parameter("w", shape=2)
    program = gc.compile(Graph(gc.cost((x * w).sum(), name="C"), name="g"))
    assert program.loss(program.Params([1, 2]), fit=[[3, 4]]) == 11.0
