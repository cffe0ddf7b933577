"""What an emitted file says of arguments that do not fit, and which it takes all the same."""

import re

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CompileError
from graphc.language.graph import Graph
from tests.emit.models import compiled, numpy_as_cupy

STYLES = ["readable", "fast", "cupy"]
P = 4


def network():
    x, y = gc.observed("x", shape=(3, 2)), gc.observed("y", classes=5)
    n, on = gc.observed("n", shape=2, kind="integer"), gc.observed("on", kind="boolean")
    rate = gc.observed("rate", per_sample=False)
    w, b = gc.parameter("w", shape=(5, 2)), gc.parameter("b", shape=())
    z = gc.computed("z", shape=5)
    z.define(w @ x.sum(axis=0) * rate + b + n.sum())
    return Graph(gc.cross_entropy(np.where(on, z, -z), y, name="C"), name="checked")


def point(**changed):
    params = {"w": np.ones((5, 2)), "b": np.array(0.5)}
    inputs = {
        "x": np.ones((P, 3, 2)),
        "y": np.arange(P),
        "n": np.zeros((P, 2), np.int64),
        "on": np.ones(P, bool),
        "rate": np.array(2.0),
    }
    params |= {k: v for k, v in changed.items() if k in params}
    inputs |= {k: v for k, v in changed.items() if k in inputs}
    return params, inputs


@pytest.fixture(scope="module", params=STYLES)
def program(request):
    return compiled(network(), request.param)


def call(program, params, inputs):
    made = program.Params(**params) if isinstance(params, dict) else params
    return program.loss_and_grad(made, **inputs)


REFUSED = [
    # argument, value, error, message
    ("x", np.ones((P, 3)), ValueError, "x must have shape (P, 3, 2), got (4, 3)"),
    ("x", np.ones((P, 2, 3)), ValueError, "x must have shape (P, 3, 2), got (4, 2, 3)"),
    ("x", np.ones((3, 2)), ValueError, "x must have shape (P, 3, 2), got (3, 2)"),
    ("x", 1.0, ValueError, "x must have shape (P, 3, 2), got ()"),
    ("x", np.ones((0, 3, 2)), ValueError, "x holds no samples: the batch is empty"),
    ("x", np.ones((P, 3, 2), complex), TypeError, "x must hold real numbers, got complex128"),
    ("x", np.full((P, 3, 2), None), TypeError, "x must hold real numbers, got object"),
    ("x", np.full((P, 3, 2), "1"), TypeError, "x must hold real numbers, got <U1"),
    ("x", np.full((P, 3, 2), "2020", "M8[Y]"), TypeError, "x must hold real numbers, got datetime"),
    ("y", np.arange(3), ValueError, "y must have shape (P,) with P = 4, got (3,)"),
    ("y", np.arange(4)[:, None], ValueError, "y must have shape (P,) with P = 4, got (4, 1)"),
    ("y", np.array([0, 1, 2, 5]), ValueError, "y must lie in 0..4, got 0..5"),
    ("y", np.array([0, -1, 2, 3]), ValueError, "y must lie in 0..4, got -1..3"),
    ("y", np.array([0, 0, 0, -(2**63)]), ValueError, "y must lie in 0..4"),
    ("y", np.array([0, 0, 0, 2**63], np.uint64), ValueError, "y must hold integers below 2**63"),
    ("y", np.arange(4.0), TypeError, "y must hold integers, got float64"),
    ("y", np.ones(4, bool), TypeError, "y must hold integers, got bool"),
    ("n", np.zeros((P, 2)), TypeError, "n must hold integers, got float64"),
    ("n", np.zeros((P, 3), int), ValueError, "n must have shape (P, 2) with P = 4, got (4, 3)"),
    ("on", np.ones(P), TypeError, "on must hold booleans, got float64"),
    ("on", np.ones(P, int), TypeError, "on must hold booleans, got int64"),
    ("on", np.ones(P + 1, bool), ValueError, "on must have shape (P,) with P = 4, got (5,)"),
    ("rate", np.ones(P), ValueError, "rate must have shape (), got (4,)"),
    ("rate", 1j, TypeError, "rate must hold real numbers, got complex128"),
    ("w", np.ones((2, 5)), ValueError, "w must have shape (5, 2), got (2, 5)"),
    ("w", np.ones(5), ValueError, "w must have shape (5, 2), got (5,)"),
    ("w", np.ones((5, 2), complex), TypeError, "w must hold real numbers, got complex128"),
    ("b", np.ones(1), ValueError, "b must have shape (), got (1,)"),
    ("b", None, TypeError, "b must hold real numbers, got object"),
]


@pytest.mark.parametrize(("name", "value", "error", "message"), REFUSED)
def test_refused(program, name, value, error, message):
    params, inputs = point(**{name: value})
    with pytest.raises(error, match=re.escape(message)):
        call(program, params, inputs)
    with pytest.raises(error, match=re.escape(message)):
        program.loss(program.Params(**params), **inputs)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_parameters(program, count):
    _, inputs = point()
    with pytest.raises(ValueError, match=f"params must hold 2 arrays, got {count}"):
        call(program, [np.ones((5, 2))] * count, inputs)


def test_a_missing_and_an_unknown_input(program):
    params, inputs = point()
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        call(program, params, {k: v for k, v in inputs.items() if k != "y"})
    with pytest.raises(TypeError, match="unexpected keyword argument 'q'"):
        call(program, params, inputs | {"q": 1})


ACCEPTED = [
    ("x", np.ones((P, 3, 2), np.float32)),
    ("x", np.ones((P, 3, 2), np.float16)),
    ("x", np.ones((P, 3, 2), int)),
    ("x", np.ones((P, 3, 2), bool)),
    ("x", np.ones((P, 3, 2), ">f8")),
    ("x", np.ones((P, 3, 2)).tolist()),
    ("x", np.ones((2, 3, P)).T),
    ("x", np.ones((P * 2, 3, 2))[::2]),
    ("x", np.ma.array(np.ones((P, 3, 2)))),
    ("y", np.arange(P, dtype=np.uint8)),
    ("y", np.arange(P, dtype=">i4")),
    ("y", list(range(P))),
    ("y", np.arange(2 * P)[::2] // 2),
    ("n", np.zeros((P, 2), np.int8)),
    ("on", [True] * P),
    ("rate", 2),
    ("rate", np.float32(2)),
    ("rate", np.float64(2)),
    ("w", np.ones((5, 2), int).tolist()),
    ("w", np.asfortranarray(np.ones((5, 2)))),
    ("b", 0.5),
    ("b", np.float64(0.5)),
]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_accepted_and_converted(program, name, value):
    expected, slopes = call(program, *point())
    loss, grads = call(program, *point(**{name: value}))
    assert loss == pytest.approx(expected, rel=1e-14)
    for got, wanted in zip(grads, slopes, strict=True):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)


def test_parameters_may_come_in_any_sequence(program):
    params, inputs = point()
    expected, _ = call(program, params, inputs)
    for made in (list, tuple):
        loss, grads = program.loss_and_grad(made(params.values()), **inputs)
        assert loss == expected
        assert type(grads) is program.Params


def test_inputs_may_be_given_by_position(program):
    params, inputs = point()
    made = program.Params(**params)
    assert program.loss(made, *inputs.values()) == program.loss(made, **inputs)


def test_forward_needs_only_its_own_inputs(program):
    params, inputs = point()
    outputs = program.forward(
        program.Params(**params), **{k: inputs[k] for k in ("x", "n", "on", "rate")}
    )
    assert outputs.shape == (P, 5)
    with pytest.raises(TypeError, match="'y'"):
        program.forward(program.Params(**params), **inputs)
    with pytest.raises(ValueError, match=r"n must have shape \(P, 2\) with P = 4, got \(3, 2\)"):
        wrong = {k: inputs[k] for k in ("x", "on", "rate")} | {"n": np.zeros((3, 2), int)}
        program.forward(program.Params(**params), **wrong)


def sized():
    x, y = gc.observed("x", shape=("n", "m")), gc.observed("y", shape="m")
    first = gc.observed("first", shape=("k", "k"), per_sample=False)
    w = gc.parameter("w", shape=("n", "k"))
    z = (x * y).sum(axis=1) @ w @ first
    return Graph(gc.cost(np.square(z).sum() + (w * w).sum(), name="C"), name="sized")


SIZED = [
    ("x", (P, 3, 2), "x must have shape (P, n, m) with n = 4, got (4, 3, 2)"),
    ("x", (P, 4), "x must have shape (P, n, m) with n = 4, got (4, 4)"),
    ("y", (P, 3), "y must have shape (P, m) with"),
    ("y", (3, 2), "y must have shape (P, m) with"),
    ("first", (5, 4), "first must have shape (k, k) with k = 5, got (5, 4)"),
    ("first", (4, 4), "first must have shape (k, k) with k = 5, got (4, 4)"),
    ("w", (4, 6), "first must have shape (k, k) with k = 6, got (5, 5)"),
    ("w", (4,), "w must have shape (n, k), got (4,)"),
]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("name", "shape", "message"), SIZED)
def test_named_sizes_must_agree(style, name, shape, message):
    program = compiled(sized_graph, style)
    shapes = {"w": (4, 5), "x": (P, 4, 2), "y": (P, 2), "first": (5, 5)}
    good = {k: np.ones(s) for k, s in shapes.items()}
    assert program.loss([good["w"]], good["x"], good["y"], good["first"]) > 0
    bad = good | {name: np.ones(shape)}
    with pytest.raises(ValueError, match=re.escape(message)):
        program.loss([bad["w"]], bad["x"], bad["y"], bad["first"])
    with pytest.raises(ValueError, match=re.escape(message)):
        program.loss(program.Params(bad["w"]), bad["x"], bad["y"], bad["first"])


sized_graph = sized()


@pytest.mark.parametrize("style", STYLES)
def test_sizes_computed_from_named_ones(style):
    """`x` joined of two halves: a parameter of 2n rows is checked, also where n comes later."""
    x = gc.observed("x", shape=("n", 3))
    n = x.shape[0]
    w, v = gc.parameter("w", shape=(2 * n, n + 1)), gc.parameter("v", shape=(n * 3,))
    flat = x.reshape(-1)
    z = (w.sum(axis=0)[1:] @ x).sum() + flat @ v + (w * w).sum()
    program = compiled(Graph(gc.cost(z, name="C"), name="halves"), style)
    params = program.init_params(0, n=4)
    assert params.w.shape == (8, 5)
    params = program.Params(np.ones((8, 5)), np.ones(12))
    loss, grads = program.loss_and_grad(params, x=np.ones((P, 4, 3)))
    assert loss == 8 * 4 * 3 + 12 + 40
    assert grads.w.shape == (8, 5)
    for wrong, message in [
        ((np.ones((9, 5)), np.ones(12)), "w must have shape (2*n, n + 1) with 2*n = 8"),
        ((np.ones((8, 4)), np.ones(12)), "w must have shape (2*n, n + 1) with n + 1 = 5"),
        ((np.ones((8, 5)), np.ones(11)), "v must have shape (3*n,) with 3*n = 12"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            program.loss(program.Params(*wrong), x=np.ones((P, 4, 3)))


@pytest.mark.parametrize("style", STYLES)
def test_labels_of_no_elements(style):
    """A named size may be 0; then there is no largest label."""
    y, w = gc.observed("y", classes=3, shape="n"), gc.parameter("w", shape=3)
    program = compiled(Graph(gc.cost(w[y].sum(), name="C"), name="none"), style)
    assert program.loss(program.Params(np.ones(3)), y=np.zeros((P, 0), int)) == 0.0
    assert program.loss(program.Params(np.ones(3)), y=np.zeros((P, 2), int)) == 2.0
    with pytest.raises(ValueError, match=re.escape("y must lie in 0..2, got 0..3")):
        program.loss(program.Params(np.ones(3)), y=np.array([[0, 3]] * P))


@pytest.mark.parametrize("style", STYLES)
def test_a_function_checks_its_arguments(style):
    x, y = gc.observed("x", shape=("n", 2)), gc.observed("y", classes=3)
    made = gc.compile_function(
        [x, y], [x.sum(axis=0), x[:, 0] * y], style="readable" if style == "cupy" else style,
        target="cupy" if style == "cupy" else "numpy", name="g",
    )  # fmt: skip
    with numpy_as_cupy():
        first, second = made(np.ones((3, 2), int), 2)
        np.testing.assert_array_equal(first, [3, 3])
        np.testing.assert_array_equal(second, [2, 2, 2])
        with pytest.raises(ValueError, match=re.escape("x must have shape (n, 2), got (3, 1)")):
            made(np.ones((3, 1)), 2)
        with pytest.raises(ValueError, match=re.escape("y must lie in 0..2, got 3..3")):
            made(np.ones((3, 2)), 3)
        with pytest.raises(TypeError, match="y must hold integers, got float64"):
            made(np.ones((3, 2)), 1.0)


SLICES = [
    # what is taken of an axis of n, and the least n for which it is what was declared
    (slice(-3, None), 3),
    (slice(None, -3), 3),
    (slice(-5, -2), 5),
    (slice(1, -1), 2),
    (slice(1, -1, 2), 1),
    (slice(None, None, 2), 0),
    (slice(None, None, -1), 0),
    (slice(None, None, -2), 0),
]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("key", "least"), SLICES)
def test_a_named_size_too_small_for_a_slice(style, key, least):
    """`x[-3:]` has 3 elements; of an array of 2, NumPy would silently take other ones."""
    x, w = gc.observed("x", shape=(2, "n")), gc.parameter("w")
    graph = Graph(gc.cost((w * x[:, key] ** 2).sum() + 1.0, name="C"), name="sliced")
    program = compiled(graph, style)
    for n in range(7):
        data = np.arange(2.0 * P * n).reshape(P, 2, n)
        if n < least:
            with pytest.raises(ValueError, match=f"the size n must be at least {least}, got {n}"):
                program.loss_and_grad(program.Params(np.array(2.0)), x=data)
        else:
            loss, grads = program.loss_and_grad(program.Params(np.array(2.0)), x=data)
            slope = (data[:, :, key] ** 2).sum() / P
            assert (loss, grads.w) == (2 * slope + 1, slope)


@pytest.mark.parametrize("style", STYLES)
def test_sizes_that_must_not_fall_below_each_other(style):
    """A slice that starts at one named size and ends at another."""
    x, m = gc.observed("x", shape="n"), gc.observed("m", shape="k")
    rest = x[m.shape[0] :]
    program = compiled(Graph(rest, gc.cost(rest.sum() + m.sum(), name="C"), name="rest"), style)
    assert program.loss((), x=np.ones((P, 5)), m=np.ones((P, 3))) == 5
    assert program.forward((), np.ones((P, 3)), np.ones((P, 3))).shape == (P, 0)
    with pytest.raises(ValueError, match=r"-k \+ n must not be negative, got k = 5, n = 3"):
        program.loss((), x=np.ones((P, 3)), m=np.ones((P, 5)))


@pytest.mark.parametrize("style", STYLES)
def test_a_slice_that_starts_at_a_size_of_another_input(style):
    """`forward` has to be given `m` too, for k is where it starts; its result has no such axis."""
    x, m = gc.observed("x", shape="n"), gc.observed("m", shape="k")
    part = x[m.shape[0] : m.shape[0] + 2]
    program = compiled(Graph(part, gc.cost(part.sum() + m.sum(), name="C"), name="part"), style)
    out = program.forward((), np.arange(5.0) * np.ones((P, 1)), np.ones((P, 3)))
    np.testing.assert_array_equal(out, [[3, 4]] * P)


def test_a_size_that_no_argument_has():
    """`m` is no input of the graph, so nothing in the file could tell what k is."""
    x, m = gc.observed("x", shape="n"), gc.observed("m", shape="k")
    rest = x[m.shape[0] :]
    told = "needs the size k, which no argument has"
    for style in ("readable", "fast"):
        with pytest.raises(CompileError, match=f"'rest' {told}"):
            gc.compile(Graph(gc.cost(rest.sum(), name="C"), name="rest"), style=style)
        with pytest.raises(CompileError, match=f"'f' {told}"):
            gc.compile_function([x], rest, style=style)
        made = gc.compile_function([x, m], rest, style=style)
        np.testing.assert_array_equal(made(np.arange(5.0), np.ones(3)), [3, 4])


@pytest.mark.parametrize("style", STYLES)
def test_many_parameters_are_checked_by_a_table(style):
    x = gc.observed("x", shape=3)
    ws = [gc.parameter(f"w{i}", shape=(3, 2) if i % 2 else 3) for i in range(20)]
    total = sum((w.sum(axis=1) if w.ndim == 2 else w) for w in ws)
    net = Graph(gc.cost((total * x).sum(), name="C"), name="many")
    made = compiled(net, style)
    arrays = [np.full((3, 2) if i % 2 else 3, i / 10) for i in range(20)]
    given = {"x": np.ones((P, 3))}
    loss, grads = made.loss_and_grad(made.Params(*arrays), **given)
    assert loss == pytest.approx(sum(a.sum() for a in arrays))
    assert grads.w7.shape == (3, 2)
    lists = made.Params(*[a.tolist() for a in arrays])  # converted, not refused
    assert made.loss_and_grad(lists, **given)[0] == pytest.approx(loss)
    for wrong in (np.ones((2, 3)), np.ones(3)):
        bad = made.Params(*arrays)._replace(w7=wrong)
        with pytest.raises(
            ValueError, match=re.escape(f"w7 must have shape (3, 2), got {wrong.shape}")
        ):
            made.loss_and_grad(bad, **given)
    with pytest.raises(TypeError, match="w3 must hold real numbers, got complex128"):
        made.loss_and_grad(made.Params(*arrays)._replace(w3=np.ones((3, 2), complex)), **given)
