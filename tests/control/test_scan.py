"""Loops: rules, the language, passes, emitted code, memory."""

import tracemalloc
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from graphc.calculus.reverse import gradient, reaches
from graphc.control.loop import Scan
from graphc.errors import KindError, NamingError, ShapeError, UsageError
from graphc.ir.program import Program, text
from graphc.ops.leaves import constant
from graphc.passes.pipeline import DEFAULT, FAST, run
from tests.numerics import check_batching, check_grads, close, inputs_like, on_nodes, value


def recurrent(w, u, b, h, xs):
    """A recurrent net: last state, states, and a number for each step."""

    def step(h, x):
        h = np.tanh(w @ h + u @ x + b)
        return h, (h, (h * h).sum())

    return gc.scan(step, h, xs)


def squeezed(w, u, b, h, xs):
    last, (states, numbers) = recurrent(w, u, b, h, xs)
    return last * numbers.sum() + (states**2).sum(axis=0)


def mixed(a, k, xs):
    """Integers and booleans among the carries; steps from behind."""

    def step(state, x):
        s, n = state
        s = np.where(n > 2, s * a, s + x)
        return (s, n + 1), (s * x, n, s > 0.5)

    (s, n), (ys, ns, flags) = gc.scan(step, (a * 0.5, k), xs, reverse=True)
    return s + (ys * ns[:, None]).sum(axis=0) + np.where(flags, ys, 0.0).sum(axis=0) * n


def decomposed(h, xs):
    """Of every matrix function some results are read, and others needed by its derivative."""

    def step(h, x):
        m = np.outer(np.tanh(h), np.tanh(h)) + np.diag([1.5, 3.0])
        values = np.linalg.eigh(m)[0] + np.linalg.svd(m @ np.array([[1.0, 0.4], [0.2, 1.3]]))[1]
        r = np.linalg.qr(m)[1]
        h = np.sin(h + x) + 0.1 * values + 0.2 * r.sum(axis=0) * np.linalg.slogdet(m)[1]
        return h, np.linalg.cholesky(m)[1]

    last, rows = gc.scan(step, h, xs)
    return last + rows.sum(axis=0)


SMALL = ((2, 2), (2, 1), (2,), (2,), (3, 1))
CASES = {
    "recurrent": (squeezed, *SMALL),
    "mixed kinds": (mixed, (2,), np.array(1), (4, 2)),
    "no carry": (lambda w, xs: gc.scan(lambda _, x: (None, w @ x), None, xs)[1], (2, 2), (3, 2)),
    "no slices": (
        lambda a, h: gc.scan(lambda v, _: (np.sin(a @ v), None), h, None, 3)[0], (2, 2), (2,)),
    "matrix functions": (decomposed, (2,), (3, 1)),
    "no step": (
        lambda h, xs: gc.scan(lambda v, x: (v * x, v), h, xs)[0] * 2.0, (2,), (0, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    f, *operands = CASES[name]
    check_grads(on_nodes(f), *operands)


@pytest.mark.parametrize("name", CASES)
def test_the_sample_axis_is_a_loop_over_samples(name):
    f, *operands = CASES[name]
    check_batching(on_nodes(f), *operands)


@pytest.mark.parametrize("passes", [DEFAULT, FAST], ids=["default", "fast"])
@pytest.mark.parametrize("name", CASES)
def test_passes_keep_the_values(name, passes):
    f, *operands = CASES[name]
    nodes, feed = inputs_like(operands)
    out = on_nodes(lambda *args: f(*args).sum())(*nodes)
    wrt = [node for node in nodes if node.kind == "real"]
    firsts = gradient([out], [constant(1.0)], wrt)
    seconds = gradient(firsts, [elementwise_cos(g) for g in firsts], wrt)
    before = Program(tuple(nodes), (out, *firsts, *seconds))
    after = run(before, passes)
    for old, new in zip(value(before.outputs, feed), value(after.outputs, feed), strict=True):
        close(new, old, 1e-9)


def elementwise_cos(node):
    return on_nodes(np.cos)(node)


def loops(program):
    return [node for node in program.nodes() if isinstance(node, Scan)]


def test_one_loop_forward_and_one_back():
    """Products with weights are taken for all steps at once, outside."""
    nodes, _ = inputs_like(SMALL)
    out = on_nodes(lambda *args: squeezed(*args).sum())(*nodes)
    program = run(Program(tuple(nodes), (out, *gradient([out], [constant(1.0)], nodes))))
    forward, back = loops(program)
    assert (forward.reverse, back.reverse) == (False, True)
    for loop in (forward, back):
        products = [n for n in loop.body.nodes() if getattr(n, "inputs", None) and len(n.args) > 1]
        assert len(products) == 1, text(program)
        assert loop.carries == 1


def test_a_derivative_that_cannot_pass_is_refused():
    x = gc.observed("x", shape=(4,))
    h = gc.observed("h")
    last, ys = gc.scan(lambda c, v: (c + np.floor(v), np.sign(v) * c), h, x)
    with pytest.raises(gc.DerivativeError, match="cuts the path"):
        gc.grad(last + ys.sum(), x)
    assert not reaches(last.node, x.node)
    assert gc.grad(last, h).shape == ()


def test_memory_of_a_jvp_does_not_grow_with_the_steps():
    def peak(steps):
        x, t = gc.observed("x", shape=(200,)), gc.observed("t", shape=(200,))
        last, _ = gc.scan(lambda h, _: (np.sin(h) * x, None), x, None, length=steps)
        f = gc.compile_function([x, t], gc.jvp(last, x, t))
        data = np.ones(200)
        f(data, data)
        tracemalloc.start()
        f(data, data)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    short, long = peak(50), peak(5000)
    assert long < short + 20_000


def test_a_jvp_is_one_loop():
    x, v = gc.observed("x", shape=3), gc.observed("v", shape=3)
    last, ys = gc.scan(lambda h, _: (np.sin(h) * x, h), x, None, length=4)
    tangent = gc.jvp(last, x, v)
    f = gc.compile_function([x, v], [last, ys, tangent])
    assert f.source.count("\n    for ") == 1


@gc.function
def cell(h=gc.Input("m"), x=gc.Input("n"), *, w=gc.Parameter("m m"), u=gc.Parameter("m n"),
         b=gc.Parameter("m", init="zeros")):  # fmt: skip
    return np.tanh(w @ h + u @ x + b)


def net(steps="T"):
    x, y = gc.observed("x", shape=(steps, 3)), gc.observed("y", shape=(steps, 2))
    layer = cell(m=2, name="rnn")

    def step(h, x):
        h = layer(h, x)
        return h, h

    _, hs = gc.scan(step, np.zeros(2), x)
    return gc.Graph(gc.cost(((hs - y) ** 2).sum(), name="C"), name="net")


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("batch", [True, False])
def test_a_net_compiles_to_loops(style, batch):
    program = gc.compile(net(), style=style, batch=batch)
    rng = np.random.default_rng(1)
    params = program.init_params(seed=3)
    assert params._fields == ("rnn_w", "rnn_u", "rnn_b")
    front = (4,) if batch else ()
    x, y = rng.normal(size=(*front, 6, 3)), rng.normal(size=(*front, 6, 2))
    back = "in reversed(range(T)):" if style == "readable" else "[::-1],\n    ):"
    assert program.source.count(back) == 1
    value_, grads = program.loss_and_grad(params, x=x, y=y)
    step = 1e-6
    for k, name in enumerate(params._fields):
        direction = rng.normal(size=params[k].shape)
        there = params._replace(**{name: params[k] + step * direction})
        back = params._replace(**{name: params[k] - step * direction})
        slope = program.loss(there, x=x, y=y) - program.loss(back, x=x, y=y)
        assert np.sum(grads[k] * direction) == pytest.approx(slope / (2 * step), rel=1e-6)
    again, _ = program.loss_and_grad(params, x=x, y=y)
    assert value_ == again


def test_the_readable_loop_says_what_a_step_does():
    source = gc.compile(net(), style="readable").source
    assert "# scan1: h ← tanh(" in source
    assert "for t in range(T):" in source
    assert "hs[t] = " in source


def test_the_target_cupy_prints_the_same_loops():
    source = gc.compile(net(), target="cupy", style="readable").source
    assert "for t in range(T):" in source
    assert "cp.empty((T, P, 2), DTYPE)" in source


def test_float32_stays_float32():
    program = gc.compile(net(5), dtype="float32")
    params = program.init_params()
    x, y = np.ones((2, 5, 3), np.float32), np.ones((2, 5, 2), np.float32)
    _, grads = program.loss_and_grad(params, x=x, y=y)
    assert {g.dtype for g in grads} == {np.dtype("float32")}
    assert program.forward(params, x=x).dtype == np.float32


def test_results_belong_to_the_caller():
    h, x = gc.observed("h", shape=2), gc.observed("x", shape=("T", 2))
    last, ys = gc.scan(lambda h, x: (h + x, h), h, x)
    for style in ("readable", "fast"):
        f = gc.compile_function([h, x], [last, ys], style=style)
        start = np.ones(2)
        none, _ = f(start, np.ones((0, 2)))
        none += 1
        np.testing.assert_array_equal(start, 1)
        f(start, np.ones((3, 2)))
        np.testing.assert_array_equal(start, 1)


def test_a_loop_inside_a_block_and_blocks_inside_a_loop():
    @gc.function
    def total(x=gc.Input("T n")):
        return gc.scan(lambda s, row: (s + row, None), np.zeros(3), x)[0]

    x = gc.observed("x", shape=("T", 3))
    graph = gc.Graph(gc.cost((total(x) ** 2).sum(), name="C"), name="g")
    data = np.arange(12.0).reshape(2, 2, 3)
    got = gc.compile(graph).loss((), x=data)
    assert got == pytest.approx(np.mean((data.sum(1) ** 2).sum(-1)))


def test_a_block_used_inside_and_outside_shares_its_parameters():
    x = gc.observed("x", shape=("T", 3))
    layer = cell(m=3, name="shared")
    first = layer(np.zeros(3), x[0])
    last, _ = gc.scan(lambda h, row: (layer(h, row), None), first, x)
    graph = gc.Graph(gc.cost(last.sum(), name="C"), name="g")
    assert [graph.name_of(v) for v in graph.parameters] == ["shared_w", "shared_u", "shared_b"]


def test_names_of_blocks_inside_are_unique():
    x = gc.observed("x", shape=("T", 3))
    one, two = cell(m=3, name="same"), cell(m=3, name="same")
    last, _ = gc.scan(lambda h, row: (two(one(h, row), row), None), np.zeros(3), x)
    with pytest.raises(NamingError, match="'same' is given to two blocks"):
        gc.Graph(gc.cost(last.sum()))


def test_unnamed_blocks_inside_get_the_loop_s_name():
    x = gc.observed("x", shape=("T", 3))
    layer = cell(m=3)
    last, _ = gc.scan(lambda h, row: (layer(h, row), None), np.zeros(3), x, name="loop")
    graph = gc.Graph(gc.cost(last.sum()))
    assert next(graph.name_of(v) for v in graph.parameters) == "loop_cell1_w"


X = gc.observed("xs", shape=(4, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gc.scan(1, X, X), UsageError, "scan takes a function"),
        (lambda: gc.scan(lambda h, x: h, X[0], X), UsageError, "returns a pair"),
        (lambda: gc.scan(lambda h, x: ((h, h), x), X[0], X), UsageError,
         r"has the structure \(\*, \*\), expected \*"),
        (lambda: gc.scan(lambda h, x: (h[0], x), X[0], X), ShapeError,
         r"carry 'h' of a scan starts with shape \(3,\), and its step returns \(\)"),
        (lambda: gc.scan(lambda h, x: (h > 0, x), X[0], X), KindError, "returns boolean values"),
        (lambda: gc.scan(lambda h, x: (h, None), X[0]), UsageError, "needs xs or length="),
        (lambda: gc.scan(lambda h, x: (h, None), X[0], X, length=5), ShapeError,
         "got 5 of length and 4 of 'xs'"),
        (lambda: gc.scan(lambda h, x: (h, None), X[0], X[0, 0]), ShapeError, "has none"),
        (lambda: gc.scan(lambda h, x: (h, None), X[0], X, length=-1), ShapeError, "not negative"),
    ],
)  # fmt: skip
def test_faults_are_named_where_they_are_declared(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_whole_numbers_to_start_with_become_real():
    last, _ = gc.scan(lambda s, x: (s + x.sum(), None), 0, X)
    assert last.kind == "real"
    count, _ = gc.scan(lambda n, x: (n + 1, None), 0, X)
    assert count.kind == "integer"


def test_compile_time_does_not_grow_with_the_steps():
    short, long = (gc.compile(net(steps)).source for steps in (5, 512))
    assert short.count("\n") == long.count("\n")


def runs(style):
    """A loop that gives what a carry was before each step and after it, and both ways."""
    x, h = gc.observed("x", shape=("T", 3)), gc.observed("h", shape=3)

    def step(h, x):
        new = np.tanh(h + x)
        return new, (h, new)

    last, (before, after) = gc.scan(step, h, x)
    back, (late, early) = gc.scan(step, h, x, reverse=True)
    results = [last, before, after, back, late, early]
    return gc.compile_function([x, h], results, style=style)


def test_fast_loops_compute_in_the_stacks():
    fast, readable = runs("fast"), runs("readable")
    assert "np.empty((T + 1, 3), DTYPE)" in fast.source
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(5, 3)), rng.normal(size=3)
    for got, expected in zip(fast(x, h), readable(x, h), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_results_of_a_fast_loop_share_no_memory(steps):
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(steps, 3)), rng.normal(size=3)
    results = runs("fast")(x, h)
    expected = [r.copy() for r in results]
    assert not any(np.may_share_memory(r, a) for r in results for a in (x, h))
    for i, one in enumerate(results):
        one[...] = np.nan
        for other, value_ in zip(results[i + 1 :], expected[i + 1 :], strict=True):
            np.testing.assert_array_equal(other, value_)


def test_a_loop_reads_its_input_steps_first():
    """A product for all steps is computed as the loop reads it, and not turned afterwards."""
    x = gc.observed("x", shape=(5, 3))
    w = gc.parameter("w", (4, 3))
    b = gc.parameter("b", (4,))

    def step(h, s):
        h = np.tanh(h + s)
        return h, h

    _, hs = gc.scan(step, np.zeros(4), x @ w.T + b)
    source = gc.compile(gc.Graph(gc.cost((hs**2).sum(), name="C"), name="net")).source
    loss = source.split("def loss_and_grad")[0]
    assert "x.transpose(1, 0, 2).reshape((5*P, 3))" in loss


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_constant_may_be_the_start_of_one_loop_and_the_stack_of_another(style):
    numbers = np.arange(6.0).reshape(2, 3)
    v = gc.observed("v", shape=3)
    last, _ = gc.scan(lambda h, x: (h * x.sum(), None), numbers, np.ones((4, 3)))
    total, _ = gc.scan(lambda h, x: (h * np.sin(h + x), None), v, numbers)
    f = gc.compile_function([v], total + last.sum(), style=style)
    expected = np.array([0.3, 0.2, 0.1])
    for x in numbers:
        expected = expected * np.sin(expected + x)
    np.testing.assert_allclose(f([0.3, 0.2, 0.1]), numbers.sum() * 81 + expected)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_number_of_steps_may_be_the_size_of_an_input_that_is_not_read(style):
    x, rows = gc.parameter("x"), gc.observed("rows", shape=("T",))
    last, _ = gc.scan(lambda h, _: (0.5 * h + 1, None), x, None, length="T")
    program = gc.compile(gc.Graph(gc.cost(last, name="C"), rows.sum(), name="g"), style=style)
    loss, (slope,) = program.loss_and_grad((8.0,), rows=np.ones((2, 3)))
    assert (loss, slope) == (2.75, 0.125)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_discrete_numbers_start_as_numpy_s(style):
    """Python's own have no dtype, and ~True is -2."""
    x = gc.observed("x", shape=("T",))
    (n, odd), _ = gc.scan(lambda v, _: ((v[0] + 1, ~v[1]), None), (0, False), x)
    f = gc.compile_function([x], [n * 1.5, np.where(odd, 1.0, 2.0)], style=style)
    assert f(np.ones(0)) == (0, 2)
    assert f(np.ones(3)) == (4.5, 1)


def kalman(xp, scan, mapped):
    """The log-likelihoods of many series: a scan with linear algebra, for many at once."""

    def one(ys, a, q):
        def step(state, y):
            mean, cov = state
            mean, cov = a @ mean, a @ cov @ a.T + q @ q.T + 0.1 * xp.eye(2)
            s = cov + xp.eye(2) * 0.5
            gain = xp.linalg.solve(s, cov).T
            error = y - mean
            told = -0.5 * (xp.linalg.slogdet(s)[1] + error @ xp.linalg.solve(s, error))
            low = xp.linalg.eigh(cov)[0][0]
            return (mean + gain @ error, cov - gain @ cov), (told, low)

        _, (told, low) = scan(step, (xp.zeros(2), xp.eye(2)), ys)
        return told.sum() + (low**2).sum()

    return lambda rows, a, q: mapped(lambda ys: one(ys, a, q))(rows)


def test_linear_algebra_in_loops_for_many_at_once_is_jax_s():
    rng = np.random.default_rng(3)
    data = [rng.normal(size=(3, 4, 2)), 0.4 * rng.normal(size=(2, 2)), rng.normal(size=(2, 2))]
    v = [gc.observed(n, shape=d.shape) for n, d in zip("raq", data, strict=True)]
    along = [gc.observed(f"t{n}", shape=d.shape) for n, d in zip("raq", data, strict=True)]
    cost = np.tanh(kalman(np, gc.scan, gc.vmap)(*v)).sum()
    outputs = [cost, *gc.grad(cost, v), *gc.hvp(cost, v, along)]
    oracle = kalman(jnp, jax.lax.scan, jax.vmap)
    both = jax.value_and_grad(lambda *d: jnp.tanh(oracle(*d)).sum(), (0, 1, 2))
    moves = [np.cos(7 * d) for d in data]
    # Compiled as a whole, for operation by operation takes JAX ten times as long.
    (first, slopes), (_, curved) = jax.jit(partial(jax.jvp, both))(tuple(data), tuple(moves))
    want = [first, *slopes, *curved]
    for style in ("readable", "fast"):
        f = gc.compile_function([*v, *along], outputs, style=style)
        for got, expected in zip(f(*data, *moves), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("over", ["mean", "all"])
def test_loops_before_and_after_what_reaches_across_samples_are_jax_s(style, over):
    """Sequences, normalised by the batch at every step, gone through by another loop."""
    rng = np.random.default_rng(4)
    w, data = 0.5 * rng.normal(size=(2, 2)), rng.normal(size=(5, 3, 2))

    def states(scan, xp, w, xs):
        return scan(lambda h, x: ((h := xp.tanh(w @ h + x)), h), xp.zeros(2), xs)[1]

    def after(scan, xp, hs):
        return scan(lambda s, h: (xp.sin(s + h), None), xp.zeros(2), hs)[0].sum()

    x, v = gc.observed("x", shape=(3, 2)), gc.parameter("w", shape=(2, 2))
    hs = states(gc.scan, np, v, x)
    reach = gc.over_samples(over, hs)
    centre = reach if over == "mean" else (reach**2).sum(axis=0)
    cost = gc.cost(after(gc.scan, np, hs - centre), name="C")
    program = gc.compile(gc.Graph(cost, name="g"), style=style)

    def loss(w):
        hs = jax.vmap(lambda xs: states(jax.lax.scan, jnp, w, xs))(data)
        centre = hs.mean(axis=0) if over == "mean" else (hs**2).sum(axis=0)
        return jax.vmap(lambda h: after(jax.lax.scan, jnp, h - centre))(hs).mean()

    got, (slope,) = program.loss_and_grad((w,), x=data)
    expected, want = jax.value_and_grad(loss)(w)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(slope, want, rtol=1e-9)


def test_the_gradient_of_a_bias_is_a_sum_of_what_the_weights_need_stacked():
    """As a sum of the gates' parts it took a stack, and a padded copy of it, for each gate."""
    out = gc.LSTM(3, name="lstm")(gc.observed("x", shape=(4, 2)))
    out = out[0] if isinstance(out, tuple) else out
    source = gc.compile(gc.Graph(gc.cost((out**2).sum(), name="C"), name="g"), batch=False).source
    assert "padded" not in source
    back = source.partition("lstm: backward")[2].partition("    for ")[0]
    assert back.count("np.empty(") == 1
