"""What compiling refuses, and what it says."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CompileError, DerivativeError, GraphcError, NamingError
from graphc.language.graph import Graph


@pytest.fixture
def graph():
    x, y = gc.observed("x", shape=4), gc.observed("y", shape=2)
    w, b = gc.parameter("w", shape=(2, 4)), gc.parameter("b", shape=2)
    fit = gc.squared_error(gc.tanh(w @ x, output="z"), y, name="fit")
    return Graph(fit, gc.cost((b * b).sum(), name="size"), name="net")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "fortran"}, "unknown target 'fortran'; the targets are numpy, cupy"),
        ({"target": "NumPy"}, "unknown target 'NumPy'; the targets are numpy, cupy"),
        ({"dtype": "float16"}, "unknown dtype 'float16'; one of 'float32', 'float64'"),
        ({"style": "pretty"}, "unknown style 'pretty'; one of 'fast', 'readable'"),
        ({"cost": "loss"}, "graph 'net' has no cost 'loss'; it has fit, size"),
    ],
)
def test_unknown_options(graph, options, message):
    with pytest.raises(CompileError) as caught:
        gc.compile(graph, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("option", ["target", "dtype", "style"])
def test_unknown_options_of_a_function(option):
    x = gc.observed("x")
    with pytest.raises(CompileError, match=f"unknown {option} 'other'"):
        gc.compile_function([x], x, **{option: "other"})


def test_cupy_in_the_fast_style(graph):
    with pytest.raises(CompileError, match="target 'cupy' is emitted in style 'readable'"):
        gc.compile(graph, target="cupy", style="fast")


def test_a_parameter_without_influence(graph):
    with pytest.raises(DerivativeError) as caught:
        gc.compile(graph, cost="fit")
    message = str(caught.value)
    assert "graph 'net'" in message
    assert "cost 'fit' does not depend on parameter 'b'" in message
    assert "allow_unused=True gives zeros" in message
    for style in ("readable", "fast"):
        program = gc.compile(graph, cost="fit", style=style, allow_unused=True)
        params = program.init_params()
        _, grads = program.loss_and_grad(params, x=np.ones((3, 4)), y=np.ones((3, 2)))
        np.testing.assert_array_equal(grads.b, [0.0, 0.0])
        assert np.any(grads.w)


def cut_graphs():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)

    @gc.function
    def rounder(z):
        return np.floor(z)

    @gc.function
    def chooser(z):
        return np.argmax(z)

    @gc.function
    def switch(z):
        return z > 0

    return {
        "rounder": ("'floor' is piecewise constant", rounder(w * x, name="rounder").sum()),
        "chooser": ("'argmax' gives integer values", x[chooser(w * x, name="chooser")]),
        "switch": ("gives boolean values", np.where(switch(w * x, name="switch"), x, 1.0).sum()),
    }


@pytest.mark.parametrize("block", cut_graphs())
def test_a_path_that_is_cut(block):
    """The message names the block in which the path ends."""
    why, result = cut_graphs()[block]
    graph = Graph(gc.cost(result, name="C"), name="cut")
    with pytest.raises(DerivativeError) as caught:
        gc.compile(graph)
    message = str(caught.value)
    assert "no derivative passes from cost 'C' to parameter 'w'" in message
    assert f"in block '{block}', " in message
    assert why in message
    assert "allow_unused=True" in message
    program = gc.compile(graph, allow_unused=True)
    _, grads = program.loss_and_grad([np.ones(3)], x=np.ones((2, 3)))
    np.testing.assert_array_equal(grads.w, np.zeros(3))


def test_a_discrete_variable_to_differentiate_by():
    y, w = gc.observed("y", classes=3), gc.parameter("w", shape=3)
    graph = Graph(gc.cost(w[y], name="C"), name="g")
    with pytest.raises(DerivativeError, match="observed 'y' is integer"):
        gc.compile(graph, wrt=y)


def test_differentiating_without_a_cost():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    graph = Graph(gc.tanh(w * x, output="z"), name="g")
    with pytest.raises(CompileError, match="graph 'g' has no cost"):
        gc.compile(graph, wrt=w)
    with pytest.raises(CompileError, match="graph 'g' has no cost 'C'; it has none"):
        gc.compile(graph, cost="C")
    gc.compile(graph)


def test_differentiating_by_a_variable_of_another_graph(graph):
    other = gc.parameter("other", shape=3)
    with pytest.raises(NamingError, match=r"'other'.*is not in graph 'net'"):
        gc.compile(graph, wrt=other)


@pytest.mark.parametrize("wrt", ["w", ["w"], 3, [np.ones(2)]])
def test_differentiating_by_what_is_no_variable(graph, wrt):
    with pytest.raises(CompileError, match="wrt= takes a variable or a list of variables, got"):
        gc.compile(graph, wrt=wrt)


def test_differentiating_by_a_variable_twice(graph):
    with pytest.raises(CompileError, match="wrt= names a variable twice"):
        gc.compile(graph, wrt=[graph.parameters[0], graph.parameters[0]])


def test_forward_of_costs_alone():
    """Between the variables and the cost nothing is computed that could be returned."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    program = gc.compile(Graph(gc.cost((w @ x) ** 2, name="C"), name="g"))
    with pytest.raises(CompileError, match="graph 'g' computes nothing before its costs"):
        program.forward([np.ones(3)], x=np.ones((2, 3)))


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (["x"], "x", "inputs are variables, got 'x'"),
        (None, [3.0], "outputs are variables, got 3.0; gc.constant"),
        (None, 3.0, "outputs are variables, got 3.0; gc.constant"),
        (None, {"y": 1}, "outputs are variables, got 'y'"),
        (None, [], "a function without outputs computes nothing"),
    ],
)
def test_a_function_of_what_are_no_variables(inputs, outputs, message):
    x = gc.observed("x", shape=3)
    with pytest.raises(CompileError, match=message):
        gc.compile_function([x] if inputs is None else inputs, outputs)
    with pytest.raises(CompileError, match=r"also of one: write \[x\]"):
        gc.compile_function(x, x)


def test_a_parameter_filled_with_a_number_of_numpys():
    w = gc.parameter("w", shape=3, init=np.float32(2))
    program = gc.compile(Graph(gc.cost(w @ w, name="C"), name="g"))
    np.testing.assert_array_equal(program.init_params().w, [2, 2, 2])


def test_a_function_with_a_free_variable():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    with pytest.raises(CompileError, match=r"depend on .*'w'.*not among the inputs"):
        gc.compile_function([x], x * w)
    with pytest.raises(CompileError, match="occurs twice among the inputs"):
        gc.compile_function([x, x], x)


def test_a_function_of_computed_variables():
    """An input may be computed from another: the function starts from it all the same."""
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    s = w * x
    z = np.tanh(s)
    for style in ("readable", "fast"):
        f = gc.compile_function([s], z, style=style)
        np.testing.assert_allclose(f([1.0, 2.0, 3.0]), np.tanh([1.0, 2.0, 3.0]))
        g = gc.compile_function([s, x, w], [z * x, s - w * x], style=style)
        first, second = g([1.0, 2.0, 3.0], np.ones(3), np.zeros(3))
        np.testing.assert_allclose(first, np.tanh([1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(second, np.zeros(3))


@pytest.mark.parametrize("name", ["two words", "class", "_hidden", "P", ""])
def test_a_function_s_name(name):
    x = gc.observed("x")
    with pytest.raises(NamingError):
        gc.compile_function([x], x, name=name)


def test_what_functions_return():
    """A variable: the array; a list: a tuple, also of one and of none."""
    x = gc.observed("x", shape=2)
    for style in ("readable", "fast"):
        assert gc.compile_function([x], x * 2, style=style)([1, 2]).tolist() == [2.0, 4.0]
        (one,) = gc.compile_function([x], [x * 2], style=style)([1, 2])
        assert one.tolist() == [2.0, 4.0]
        assert isinstance(gc.compile_function([x], (x, x), style=style)([1, 2]), tuple)


def test_functions_add_no_sample_axis():
    x = gc.observed("x", shape="n")
    f = gc.compile_function([x], gc.grad((x**3).sum(), x))
    np.testing.assert_allclose(f([1.0, 2.0]), [3.0, 12.0])
    with pytest.raises(ValueError, match=r"x must have shape \(n,\), got \(1, 2\)"):
        f([[1.0, 2.0]])


def test_every_error_is_graphcs_own(graph):
    """So that one `except` suffices, and the command line shows it without a traceback."""
    for options in ({"target": "x"}, {"style": "x"}, {"dtype": "x"}, {"cost": "x"}):
        with pytest.raises(GraphcError):
            gc.compile(graph, **options)


def test_representations_and_attributes(graph):
    program = gc.compile(graph, style="readable", dtype="float32")
    assert repr(program) == "<compiled net: numpy, float32, readable>"
    assert program.Params._fields == ("w", "b")
    assert program.program.outputs
    assert program.source.startswith('"""net: loss and gradients in float32, generated by graphc')
