"""Loops of unknown length: values and tangents against JAX, samples, emitted code, refusals."""

import jax
import numpy as np
import pytest

import graphc as gc
from graphc.control.repetition import While
from graphc.errors import DerivativeError, FormulaError, KindError, ShapeError, UsageError
from tests.emit.models import numpy_as_cupy
from tests.numerics import check_batching, on_nodes, value

STYLES = ["readable", "fast"]
POSITIVE = np.array([0.3, 1.7])


def newton(a, where=gc.while_loop):
    """A square root to six digits: one carry is a vector, one a number of steps."""
    return where(
        lambda v: (abs(v[0] * v[0] - a) > 1e-6).any() & (v[1] < 50),
        lambda v: (0.5 * (v[0] + a / v[0]), v[1] + 1),
        (1.0 + 0 * a, 0),
    )[0]


def doubling(x, w, where=gc.while_loop):
    """Until the sum is large; w is read by every step, and its product computed once."""
    return where(lambda v: (v * v).sum() < 50.0, lambda v: 1.5 * v + w @ w, x)


def nested(x, where=gc.while_loop):
    def outer(v):
        total = where(lambda s: s.sum() < v.sum() + 1, lambda s: 1.3 * s + 0.5, v)
        return total * 0.9

    return where(lambda v: v[0] < 30.0, outer, x)


CASES = {
    "vector": (newton, POSITIVE),
    "matrix beside": (doubling, np.array([0.3, 0.9]), np.array([[0.2, 0.1], [0.4, 0.3]])),
    "nested": (nested, np.array([0.1, 0.7])),
}
CASES["matrix beside"] = (
    lambda x, w, where=gc.while_loop: doubling(x, w[0], where),
    *CASES["matrix beside"][1:],
)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_tangents_are_jax_s(name, style, dtype):
    f, *data = CASES[name]
    inputs = [gc.observed(f"x{k}", shape=a.shape) for k, a in enumerate(data)]
    along = [gc.observed(f"t{k}", shape=a.shape) for k, a in enumerate(data)]
    y = f(*inputs)
    g = gc.compile_function([*inputs, *along], [y, gc.jvp(y, inputs, along)],
                            style=style, dtype=dtype)  # fmt: skip
    given = [a.astype(dtype) for a in data]
    moves = [np.cos(1 + a).astype(dtype) for a in given]
    expected = jax.jvp(lambda *a: f(*a, where=jax.lax.while_loop), given, moves)
    for got, want in zip(g(*given, *moves), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4 if dtype == "float32" else 1e-12)
        assert got.dtype == dtype


@pytest.mark.parametrize("style", STYLES)
def test_each_sample_goes_on_as_long_as_its_own_condition_holds(style):
    data = np.array([[0.3, 0.9], [4.0, 3.0], [90.0, 0.5]])
    x, w = gc.observed("x", shape=2), gc.observed("w", shape=2, per_sample=False)
    program = gc.compile(gc.Graph(doubling(x, w), name="g"), style=style)
    expected = jax.vmap(lambda x: doubling(x, POSITIVE, jax.lax.while_loop))(data)
    np.testing.assert_allclose(program.forward((), x=data, w=POSITIVE), expected, rtol=1e-12)
    assert program.source.count("while ") == 1
    mapped = gc.vmap(lambda v: doubling(v, w))(gc.observed("rows", shape=("n", 2)))
    f = gc.compile_function([*mapped_inputs(mapped), w], mapped, style=style)
    np.testing.assert_allclose(f(data, POSITIVE), expected, rtol=1e-12)


def mapped_inputs(variable):
    return [v for v in gc.Graph(variable, name="g").inputs if v.name == "rows"]


def test_nothing_of_samples_that_are_done_gets_into_tangents():
    """A step of one that is done would divide by zero."""
    x, t = gc.observed("x", shape=3), gc.observed("t", shape=3)
    far = gc.vmap(lambda v: gc.while_loop(lambda s: s < 1.0, lambda s: s + 0.5 / (1 - s), v))(x)
    f = gc.compile_function([x, t], [far, gc.jvp(far, x, t)])
    values, tangents = f([1.0, 0.5, 0.0], [1.0, 1.0, 1.0])
    np.testing.assert_allclose(values, [1.0, 1.5, 1.5])
    assert np.isfinite(tangents).all()
    assert tangents[0] == 1.0


@pytest.mark.parametrize("name", CASES)
def test_the_sample_axis_is_a_loop_over_samples(name):
    f, *data = CASES[name]
    check_batching(on_nodes(f), *(a.shape for a in data))


def test_a_condition_that_all_samples_share_stays_one():
    """What varies is a carry that nothing asks for."""
    x, n = gc.observed("x", shape=2), gc.observed("n", kind="integer", per_sample=False)
    last = gc.while_loop(lambda v: v[0] < n, lambda v: (v[0] + 1, v[1] * 2), (0, x))[1]
    program = gc.compile(gc.Graph(last, name="g"), style="readable")
    assert "any" not in program.source.partition("while")[2].splitlines()[0]
    assert "where(" not in program.source
    data = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(program.forward((), x=data, n=3), 8 * data)
    np.testing.assert_array_equal(program.forward((), x=data, n=-3), data)


@pytest.mark.parametrize("style", STYLES)
def test_results_belong_to_the_caller(style):
    x = gc.observed("x", shape=2)
    f = gc.compile_function([x], gc.while_loop(lambda v: v.sum() < 0, lambda v: v + 1, x),
                            style=style)  # fmt: skip
    given = np.ones(2)
    f(given)[0] = 7.0
    np.testing.assert_array_equal(given, [1.0, 1.0])


def test_what_does_not_change_is_computed_before_the_loop():
    x, w = gc.observed("x", shape=2), gc.observed("w", shape=(2, 2))
    y = gc.while_loop(lambda v: v.sum() < 9, lambda v: v + np.tanh(w @ w) @ v, x)
    source = gc.compile_function([x, w], y, style="readable").source
    assert source.index("tanh") < source.index("while ")


def test_carries_that_nothing_needs_are_dropped():
    x = gc.observed("x")
    y = gc.while_loop(lambda v: v[0] < 9, lambda v: (v[0] * 2, np.sin(v[1])), (x, x))[0]
    f = gc.compile_function([x], y)
    assert "sin" not in f.source
    assert f(1.0) == 16.0


@pytest.mark.parametrize("style", STYLES)
def test_what_condition_and_step_share_is_computed_once(style):
    """Steepest descent: the residual says whether to go on, and where."""
    a, b = gc.observed("a", shape=(2, 2)), gc.observed("b", shape=2)

    def error(v):
        return np.tanh(a @ v - b)

    y = gc.while_loop(lambda v: abs(error(v)).max() > 1e-9, lambda v: v - 0.5 * error(v), 0 * b)
    f = gc.compile_function([a, b], y, style=style)
    assert "while True:" in f.source
    assert f.source.count("np.tanh(") == 1
    matrix = np.array([[1.0, 0.2], [0.3, 0.8]])
    np.testing.assert_allclose(f(matrix, POSITIVE), np.linalg.solve(matrix, POSITIVE), rtol=1e-6)


def test_a_short_condition_stands_in_the_head():
    f = gc.compile_function(
        [v := gc.observed("v")], gc.while_loop(lambda v: v < 9, lambda v: np.exp(v), v)
    )
    assert "    while v < 9:\n        v = np.exp(v)\n    return" in f.source.replace("v2", "v")


def test_the_target_cupy_prints_the_same_loop():
    f = gc.compile_function([v := gc.observed("v", shape=2)], newton(v), target="cupy",
                            style="readable")  # fmt: skip
    with numpy_as_cupy():
        np.testing.assert_allclose(f(POSITIVE), POSITIVE**0.5, rtol=1e-6)


def test_loops_in_loops_in_branches():
    x = gc.observed("x", shape=3)

    def step(h, v):
        near = gc.while_loop(lambda s: s < h, lambda s: s + 1.0, v)
        return gc.cond(near > 2, lambda: near * 0.5, lambda: near + 1.0), near

    last, ys = gc.scan(step, 0.5, x)
    data, h, found = np.array([0.1, 0.9, -3.0]), 0.5, []
    for v in data:
        while v < h:
            v += 1
        found.append(v)
        h = v * 0.5 if v > 2 else v + 1
    for style in STYLES:
        got = gc.compile_function([x], [last, ys], style=style)(data)
        np.testing.assert_allclose(got[0], h)
        np.testing.assert_allclose(got[1], found)
    np.testing.assert_allclose(value(ys, {x: data}), found)


def test_a_gradient_is_refused_with_what_to_write_instead():
    x = gc.parameter("x", shape=2)
    y = newton(x).sum()
    with pytest.raises(DerivativeError, match=r"gc\.scan.*np\.where.*gc\.fixed_point.*gc\.jvp"):
        gc.grad(y, x)
    with pytest.raises(DerivativeError, match=r"gc\.scan"):
        gc.compile(gc.Graph(gc.cost(y, name="C"), name="g"))
    steps = gc.while_loop(lambda n: n < x.sum(), lambda n: n + 1, 0)  # discrete: nothing to refuse
    assert gc.compile_function([x], gc.grad((steps * x).sum(), x))([1.0, 2.5]).tolist() == [4, 4]


def test_what_the_refusal_recommends_has_the_gradient():
    a = gc.observed("a")

    def goes_on(z):
        return abs(z * z - a) > 1e-12 * a

    def step(z):
        return 0.5 * (z + a / z)

    exact = gc.while_loop(goes_on, step, a)
    bounded = gc.scan(lambda z, _: (np.where(goes_on(z), step(z), z), None), a, None, length=30)[0]
    near = gc.fixed_point(step, a)
    f = gc.compile_function([a], [exact, bounded, near, gc.grad(bounded, a), gc.grad(near, a)])
    np.testing.assert_allclose(f(4.0), [2, 2, 2, 0.25, 0.25], rtol=1e-12)


def test_a_block_in_the_loop_owns_its_parameters_once():
    layer = gc.Linear(2, name="inner")
    y = gc.while_loop(lambda v: v.sum() < 5, lambda v: v + layer(v) ** 2, np.ones(2))
    graph = gc.Graph(y, name="g")
    assert [graph.name_of(p) for p in graph.parameters] == ["inner_w", "inner_b"]
    program = gc.compile(graph)
    assert program.forward(program.init_params(seed=1)).sum() >= 5
    assert isinstance(y.node.args[0], While)


V = gc.observed("v", shape=2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.while_loop(lambda v: v < 1, np.sin, V), KindError, r"boolean \(2,\).*np\.any"),
        (lambda: gc.while_loop(lambda v: v.sum(), np.sin, V), KindError, "condition is real"),
        (lambda: gc.while_loop(lambda v: None, np.sin, V), KindError, "condition is None"),
        (lambda: gc.while_loop(lambda v: v.sum() < 1, np.sum, V), ShapeError, "a while_loop start"),
        (lambda: gc.while_loop(lambda v: v.sum() < 1, lambda v: (v, v), V), UsageError,
         "what the body of a while_loop returns"),
        (lambda: gc.while_loop(lambda v: v[0] < 1, lambda v: v > 0, V), KindError, "boolean"),
        (lambda: gc.while_loop(3, np.sin, V), UsageError, "takes a function"),
        (lambda: gc.formula(gc.while_loop(lambda v: v[0] < 1, np.sin, V)), FormulaError, "while"),
    ],
)  # fmt: skip
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_whole_numbers_to_start_with_become_real():
    f = gc.compile_function([], gc.while_loop(lambda v: v < 2, lambda v: v + 0.75, 0))
    assert f() == 2.25


def test_booleans_may_be_carried():
    last = gc.while_loop(lambda v: v[0], lambda v: (~v[0], v[1] * 2), (True, 1.0))[1]
    assert gc.compile_function([], last)() == 2.0
