"""What each pass does, one line a case; that values stay is tested on random programs."""

import numpy as np
import pytest

from graphc.ir.program import Origin, Program
from graphc.ops.contraction import Contraction, broadcast_to, contract, full, identity, transpose
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather, ScatterAdd
from graphc.ops.leaves import Constant, Iota, Size, constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.structural import Reshape, reshape
from graphc.passes.dce import dce
from graphc.passes.expand import expand
from graphc.passes.fold import fold
from graphc.passes.lower import is_matmul, lower
from graphc.passes.pipeline import run
from graphc.passes.simplify import simplify
from graphc.passes.sink import sink
from graphc.types import TensorType, named
from tests.numerics import close, inputs_like, value

N = named("n")
X, Y = new_input(TensorType((2, 3))), new_input(TensorType((2, 3)))
A, B = new_input(TensorType((3, 3))), new_input(TensorType((3, 3)))
V, S = new_input(TensorType((3,))), new_input(TensorType(()))
Z = new_input(TensorType((N, 3)))
AT = new_input(TensorType((2,), "integer"))
K = new_input(TensorType((), "integer"))
LEAVES = (X, Y, A, B, V, S, Z, AT, K)
FEED = {
    leaf: np.random.default_rng(leaf.uid).uniform(0.5, 2, [2 if d == N else d for d in leaf.shape])
    for leaf in (X, Y, A, B, V, S, Z)
} | {AT: np.array([1, 0]), K: np.array(1)}


def f(name, *args):
    return elementwise(name, *(a if hasattr(a, "args") else constant(float(a)) for a in args))


def after(step, *nodes):
    """What nodes become; their values must not change."""
    done = step(Program(LEAVES, nodes))
    for old, new in zip(nodes, done.outputs, strict=True):
        assert new.type == old.type
        close(value(new, FEED, n=2), value(old, FEED, n=2), 1e-13)
    return done.outputs[0] if len(nodes) == 1 else done.outputs


ZEROS = full(0.0, (2, 3))
ONES = full(1.0, (2, 3))

SIMPLER = [
    (f("add", X, 0), X),
    (f("add", 0, X), X),
    (f("add", X, ZEROS), X),
    (f("subtract", X, 0), X),
    (f("subtract", 0, X), f("negative", X)),
    (f("multiply", X, 1), X),
    (f("multiply", ONES, X), X),
    (f("multiply", X, 0), ZEROS),
    (f("multiply", X, -1), f("negative", X)),
    (f("divide", X, 1), X),
    (f("divide", 0, X), ZEROS),
    (f("power", X, 1), X),
    (f("power", X, 2), f("square", X)),
    (f("multiply", X, X), f("square", X)),
    (f("add", V, ZEROS), broadcast_to(V, (2, 3))),
    (f("negative", f("negative", X)), X),
    (f("negative", f("subtract", X, Y)), f("subtract", Y, X)),
    (f("add", X, f("negative", Y)), f("subtract", X, Y)),
    (f("add", f("negative", X), Y), f("subtract", Y, X)),
    (f("subtract", X, f("negative", Y)), f("add", X, Y)),
    (f("multiply", f("negative", X), f("negative", Y)), f("multiply", X, Y)),
    (f("multiply", f("negative", X), Y), f("negative", f("multiply", X, Y))),
    (f("divide", X, f("negative", Y)), f("negative", f("divide", X, Y))),
    (f("multiply", f("multiply", X, 2), 0.5), X),
    (f("tanh", broadcast_to(V, (2, 3))), broadcast_to(f("tanh", V), (2, 3))),
    (f("multiply", X, broadcast_to(V, (2, 3))), f("multiply", X, V)),
    (transpose(transpose(X, (1, 0)), (1, 0)), X),
    (contract([broadcast_to(V, (2, 3))], [(0, 1)], (1,)), f("multiply", V, 2)),
    (contract([identity(3), V], [(0, 1), (1,)], (0,)), V),
    (contract([identity(3), A], [(0, 1), (1, 2)], (0, 2)), A),
    (contract([transpose(A, (1, 0)), V], [(0, 1), (1,)], (0,)),
     contract([A, V], [(1, 0), (1,)], (0,))),
    (contract([A, full(0.0, (3,))], [(0, 1), (1,)], (0,)), full(0.0, (3,))),
    (f("add", X, ScatterAdd((ZEROS, AT, Y), 0, 0)), ScatterAdd((X, AT, Y), 0, 0)),
    (f("subtract", X, ScatterAdd((ZEROS, AT, Y), 0, 0)),
     ScatterAdd((X, AT, f("negative", Y)), 0, 0)),
    (contract([ScatterAdd((full(0.0, (5, 3)), AT, Y), 0, 0)], [(0, 1)], (1,)),
     contract([Y], [(0, 1)], (1,))),
    (Gather((full(2.0, (5, 3)), AT), 0, 0), full(2.0, (2, 3))),
    (reshape(full(2.0, (2, 3)), (6,)), full(2.0, (6,))),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), SIMPLER, ids=range(len(SIMPLER)))
def test_simplify(node, expected):
    assert after(lambda p: simplify(fold(simplify(p))), node) is expected


@pytest.mark.parametrize(
    "node",
    [
        f("subtract", X, Y),
        f("divide", 1, X),
        f("power", X, 3),
        elementwise("add", K, constant(1)),
        elementwise("multiply", K, K),
        contract([A, B], [(0, 1), (1, 2)], (0, 2)),
        contract([V], [(0,)], (0, 0)),
        f("multiply", contract([V], [(0,)], (0, 0)), contract([V], [(0,)], (0, 0))),
        f("add", contract([constant(0.0)], [()], (0, 0), {0: 3}), V),
        f("add", contract([constant(1.0)], [()], (0, 0), {0: 3}), A),
        f("exp", contract([V], [(0,)], (0, 0))),
        f("multiply", identity(3), A),
        f("add", identity(3), A),
        f("power", A, identity(3)),
        f("multiply", contract([constant(-1.0)], [()], (0, 0), {0: 3}), A),
        f("maximum", X, V),
        elementwise("where", f("greater", X, 1), X, constant(0.0)),
        ScatterAdd((X, AT, Y), 0, 0),
        Gather((contract([V], [(0,)], (0, 0)), AT), 0, 0),
        contract([broadcast_to(V, (N, 3))], [(0, 1)], (1,)),
        contract([broadcast_to(S, (N, 3))], [(0, 1)], ()),
        contract([broadcast_to(f("exp", V), (N, 3)), Z], [(0, 1), (0, 1)], ()),
        contract([X, X], [(0, 1), (0, 1)], (0, 0)),
    ],
    ids=range(23),
)
def test_simplify_leaves_values(node):
    after(simplify, node)
    after(run, node)


def test_the_sign_of_zero_stays():
    """Not every 0 is neutral: in ``0 - x`` and ``x * -1`` the sign of a zero shows."""
    for node in (f("negative", S), f("subtract", S, 0)):
        for zero in (0.0, -0.0):
            got = value(simplify(Program((S,), (node,))).outputs[0], {S: zero})
            assert np.signbit(got) == np.signbit(value(node, {S: zero}))


def test_fold():
    made = after(fold, f("multiply", f("add", 1, 2), X))
    assert made is f("multiply", constant(3.0), X)
    assert after(fold, f("exp", 1)) is constant(float(np.exp(1.0)))
    assert after(fold, elementwise("add", constant(1), constant(2))) is constant(3)
    assert after(fold, elementwise("less", constant(1), constant(2))) is constant(True)
    small = f("tanh", constant(np.ones(64)))
    assert isinstance(after(fold, small), Constant)
    large = f("tanh", constant(np.ones(65)))
    assert after(fold, large) is large
    assert after(fold, f("tanh", X)) is f("tanh", X)
    assert after(fold, f("multiply", Size((), N), 2)) is f("multiply", Size((), N), 2)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_expand_shares_the_parts(axes):
    names = ("softmax", "log_softmax", "logsumexp")
    nodes = [reduction(name, X, axes) for name in names]
    done = after(expand, *nodes)
    found = Program(LEAVES, done).nodes()
    functions = [getattr(node, "function", "") for node in found]
    assert not set(names) & set(functions)
    assert functions.count("exp") == functions.count("max") == functions.count("log") == 1


@pytest.mark.parametrize("function", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize(
    "data", [[1e4, -1e4, 0.0], [-np.inf, 0.0, 1.0], [-1e308, 1e308, 0.0], [5.0, 5.0, 5.0]], ids=str
)
def test_expand_is_stable(function, data):
    node = reduction(function, V, (0,))
    expected = value(node, {V: np.array(data)})
    assert not np.isnan(expected).any()
    got = value(expand(Program((V,), (node,))).outputs[0], {V: np.array(data)})
    np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_sink_reads_before_it_computes():
    made = after(sink, Gather((f("tanh", X), K), 0, 0))
    assert made is f("tanh", Gather((X, K), 0, 0))
    row = Gather((f("subtract", X, reshape(V, (1, 3))), K), 1, 0)
    assert after(sink, row) is row
    column = new_input(TensorType((2, 1)))
    program = Program((X, column, K), (Gather((f("subtract", X, column), K), 1, 0),))
    (made,) = sink(program).outputs
    assert made is f("subtract", Gather((X, K), 1, 0), reshape(column, (2,)))
    made = after(sink, reshape(f("tanh", X), (6,)))
    assert made is f("tanh", reshape(X, (6,)))


def test_sink_leaves_what_others_use():
    t = f("tanh", X)
    read = Gather((t, K), 0, 0)
    assert after(sink, read, t) == (read, t)
    twice = f("add", Gather((t, K), 0, 0), Gather((t, K), 0, 0))
    assert after(sink, twice).args[0] is f("tanh", Gather((X, K), 0, 0))
    both = f("multiply", read, contract([t], [(0, 1)], (1,)))
    assert after(sink, both) is both


def test_dce_forgets_what_is_gone():
    gone = f("sin", X)
    t = f("tanh", X)
    names = {X: "x", Y: "y", t: "t", gone: "gone"}
    origins = {t: Origin("a"), gone: Origin("b")}
    done = dce(Program((X, Y), (t,), names, origins))
    assert done.names == {X: "x", Y: "y", t: "t"}
    assert done.origins == {t: Origin("a")}
    assert done.inputs == (X, Y)


PRODUCTS = {
    "matrix-vector": ([(0, 1), (1,)], (0,), (2, 3), (3,)),
    "transposed matrix-vector": ([(1, 0), (1,)], (0,), (2, 3), (2,)),
    "matrix-matrix": ([(0, 1), (1, 2)], (0, 2), (2, 3), (3, 4)),
    "both transposed": ([(1, 0), (2, 1)], (0, 2), (3, 2), (4, 3)),
    "result transposed": ([(0, 1), (1, 2)], (2, 0), (2, 3), (3, 4)),
    "leading axes": ([(0, 1, 2), (0, 2, 3)], (0, 1, 3), (2, 3, 2), (2, 2, 4)),
    "leading axis of one": ([(0, 1), (2, 1, 3)], (2, 0, 3), (2, 3), (4, 3, 2)),
    "leading axes, vector": ([(0, 1, 2), (0, 2)], (0, 1), (2, 3, 2), (2, 2)),
    "two summed axes": ([(0, 1, 2), (1, 2)], (0,), (2, 3, 2), (3, 2)),
    "two summed axes, other order": ([(0, 1, 2), (2, 1, 3)], (0, 3), (2, 3, 2), (2, 3, 4)),
    "many axes": ([(0, 1, 2), (2, 3, 4)], (0, 1, 3, 4), (2, 2, 3), (3, 2, 2)),
    "interleaved result": ([(0, 1, 2), (2, 3, 4)], (0, 3, 1, 4), (2, 2, 3), (3, 2, 2)),
    "outer": ([(0,), (1,)], (0, 1), (2,), (3,)),
    "Hadamard": ([(0, 1), (1, 0)], (0, 1), (2, 3), (3, 2)),
    "inner": ([(0, 1), (0, 1)], (), (2, 3), (2, 3)),
    "rows by rows": ([(0, 1), (0, 1)], (0,), (2, 3), (2, 3)),
    "diagonal of a product": ([(0, 1), (1, 0)], (0, 0), (2, 3), (3, 2)),
    "repeated label": ([(0, 0), (0, 1)], (1,), (3, 3), (3, 2)),
    "lone labels": ([(0, 1), (2, 3)], (0, 3), (2, 3), (2, 4)),
    "nothing kept": ([(0,), (1,)], (), (2,), (3,)),
    "three": ([(0, 1), (1, 2), (2, 3)], (0, 3), (2, 3), (3, 4), (4, 2)),
    "three, broadcast": ([(0,), (0,), (1,)], (1, 0, 2), (2,), (2,), (3,)),
    "four with a number": ([(0,), (), (0,), (1,)], (1,), (2,), (), (2,), (3,)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_lower_leaves_matrix_products(name):
    inputs, output, *shapes = PRODUCTS[name]
    nodes, feed = inputs_like(shapes)
    made = contract(nodes, inputs, output, {2: 2})
    done = lower(Program(tuple(nodes), (made,)))
    close(value(done.outputs[0], feed), value(made, feed), 1e-13)
    products = [n for n in done.nodes() if isinstance(n, Contraction) and len(n.args) > 1]
    assert all(is_matmul(node) for node in products)
    assert done.outputs[0].type == made.type


def test_lower_takes_no_diagonal_for_a_sum():
    x = new_input(TensorType((2, 1, 2)))
    made = contract([reshape(x, (2, 2))], [(0, 0)], (0,))
    feed = {x: np.arange(4.0).reshape(2, 1, 2)}
    done = lower(Program((x,), (made,)))
    close(value(done.outputs[0], feed), value(made, feed), 1e-13)


def test_lower_takes_the_cheaper_order():
    a, b, c = (new_input(TensorType(shape)) for shape in [(50, 50), (50, 50), (50,)])
    made = contract([a, b, c], [(0, 1), (1, 2), (2,)], (0,))
    done = lower(Program((a, b, c), (made,)))
    assert all(node.type.rank == 1 for node in done.nodes() if node.args)


@pytest.mark.parametrize(("axis", "batch"), [(1, 1), (2, 1), (2, 2)])
def test_lower_brings_the_axis_that_is_read_behind_the_shared_ones(axis, batch):
    shape = (2, 2, 3)
    x = new_input(TensorType(shape))
    index = new_input(TensorType((*shape[:batch], 2), "integer"))
    data = {x: np.arange(12.0).reshape(shape), index: np.ones((*shape[:batch], 2), int)}
    read = Gather((x, index), axis, batch)
    added = ScatterAdd((x, index, f("sin", read)), axis, batch)
    done = lower(Program((x, index), (read, added)))
    for new, old in zip(done.outputs, (read, added), strict=True):
        np.testing.assert_array_equal(value(new, data), value(old, data))
    places = [n for n in done.nodes() if isinstance(n, Gather | ScatterAdd)]
    assert all(node.axis == node.batch for node in places)


def test_names_and_origins_survive_the_pipeline():
    s = contract([A, V], [(0, 1), (1,)], (0,))
    z = reduction("softmax", f("add", s, 0), (0,))
    names = {A: "w", V: "x", z: "z"}
    origins = {s: Origin("f"), f("add", s, 0): Origin("f"), z: Origin("g")}
    done = run(Program((A, V), (z,), names, origins))
    assert done.names[done.outputs[0]] == "z"
    assert done.names[A] == "w"
    blocks = {node: origin.block for node, origin in done.origins.items()}
    assert blocks[done.outputs[0]] == "g"
    inner = [node for node in done.nodes() if node.args]
    assert {blocks[node] for node in inner} == {"f", "g"}


def test_iota_and_reshape_stay():
    assert after(run, Iota((), 4)) is Iota((), 4)
    assert isinstance(after(run, reshape(X, (3, 2))), Reshape)
