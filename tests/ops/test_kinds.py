"""Every node kind: reference value, both modes to second order, and the sample axis."""

import re

import numpy as np
import pytest

from graphc.batching import batch_nodes
from graphc.calculus.reverse import gradient
from graphc.errors import KindError, ShapeError
from graphc.ops.contraction import (
    Contraction,
    broadcast_to,
    contract,
    identity,
    sum_axes,
    transpose,
)
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.joining import Concatenation
from graphc.ops.leaves import Iota, Size, constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.structural import Pad, Reshape, Slice, reshape
from graphc.ops.windows import Fold, Frame, Windows, windows
from graphc.types import TensorType, named
from tests.numerics import check_batching, check_grads, close, inputs_like, value

N = named("n")


def contraction(inputs, output, extents=None):
    return lambda *args: contract(args, inputs, output, extents)


def square_of(f):
    """`f` squared: of a linear function, the second order would otherwise be zero."""
    return lambda *args: elementwise("square", f(*args))


CONTRACTIONS = {
    "matrix-vector": (contraction([(0, 1), (1,)], (0,)), (3, 2), (2,)),
    "matrix-matrix": (contraction([(0, 1), (1, 2)], (0, 2)), (2, 3), (3, 2)),
    "leading axes": (contraction([(0, 1, 2), (0, 2, 3)], (0, 1, 3)), (2, 2, 3), (2, 3, 2)),
    "outer": (contraction([(0,), (1,)], (0, 1)), (2,), (3,)),
    "inner": (contraction([(0, 1), (0, 1)], ()), (2, 3), (2, 3)),
    "Hadamard": (contraction([(0, 1), (1, 0)], (0, 1)), (2, 3), (3, 2)),
    "trace": (contraction([(0, 0)], ()), (3, 3)),
    "diagonal": (contraction([(0, 0)], (0,)), (3, 3)),
    "diagonal matrix": (contraction([(0,)], (0, 0)), (3,)),
    "diagonal of a product": (contraction([(0, 1), (1, 0)], (0, 0)), (2, 3), (3, 2)),
    "a repeated label in a product": (contraction([(0, 0, 1), (1,)], (0,)), (2, 2, 3), (3,)),
    "a lone label of an operand": (contraction([(0, 1), (2,)], (0, 2)), (2, 3), (2,)),
    "sum over axes": (contraction([(0, 1, 2)], (1,)), (2, 3, 2)),
    "transpose": (contraction([(0, 1, 2)], (2, 0, 1)), (2, 3, 2)),
    "broadcast": (contraction([(1,)], (0, 1, 2), {0: 2, 2: 3}), (3,)),
    "broadcast of a product": (contraction([(0,), (0,)], (1, 0, 1), {1: 2}), (3,), (3,)),
    "a scalar to a diagonal": (contraction([()], (0, 0), {0: 3}), ()),
    "three operands": (contraction([(0, 1), (1, 2), (2,)], (0,)), (2, 3), (3, 2), (2,)),
    "one operand twice": (lambda x: contract([x, x], [(0, 1), (0, 2)], (1, 2)), (3, 2)),
}

STRUCTURAL = {
    "reshape": (lambda x: reshape(x, (3, 2)), (2, 3)),
    "reshape to a scalar": (lambda x: reshape(x, ()), (1, 1)),
    "slice": (lambda x: Slice((x,), ((1, 2, 1), (0, 3, 1))), (4, 3)),
    "slice in steps": (lambda x: Slice((x,), ((0, 3, 2),)), (6,)),
    "slice backwards": (lambda x: Slice((x,), ((4, 3, -2), (1, 2, -1))), (5, 2)),
    "slice to nothing": (lambda x: Slice((x,), ((1, 0, 1), (0, 2, 1))), (3, 2)),
    "pad": (lambda x: Pad((x,), ((1, 2, 1), (2, 3, 1)), (4, 5)), (2, 3)),
    "pad in steps": (lambda x: Pad((x,), ((1, 3, 2),), (7,)), (3,)),
    "join": (lambda x, y, z: Concatenation((x, y, z), 1), (2, 3), (2, 1), (2, 2)),
    "pad backwards": (lambda x: Pad((x,), ((4, 3, -2),), (5,)), (3,)),
}

DOWN, ACROSS = Frame(1, 2), Frame(2, 3, 2)
WINDOWS = {
    "windows": (lambda x: Windows((x,), (Frame(0, 3),)), (5,)),
    "windows in steps": (lambda x: Windows((x,), (Frame(0, 2, 3),)), (7,)),
    "windows with gaps": (lambda x: Windows((x,), (Frame(0, 2, 2, 3),)), (7,)),
    "windows of an image": (lambda x: Windows((x,), (ACROSS, DOWN)), (2, 3, 5)),
    "windows of one element": (lambda x: Windows((x,), (Frame(0, 1, 2),)), (3,)),
    "windows that tile": (lambda x: windows(x, (Frame(1, 2, 2), Frame(0, 3, 3))), (3, 4)),
    "fold": (lambda x: Fold((x,), (Frame(0, 3),), (5,)), (3, 3)),
    "fold in steps, with a rest": (lambda x: Fold((x,), (Frame(0, 2, 3),), (6,)), (2, 2)),
    "fold of an image": (lambda x: Fold((x,), (ACROSS, DOWN), (2, 3, 5)), (2, 2, 2, 3, 2)),
}

AT = np.array
INDEXING = {
    "gather a number": (lambda x, i: Gather((x, i), 0, 0), (4,), AT(2)),
    "gather a row": (lambda x, i: Gather((x, i), 0, 0), (3, 2), AT(1)),
    "gather a column": (lambda x, i: Gather((x, i), 1, 0), (2, 3), AT(1)),
    "gather rows, one twice": (lambda x, i: Gather((x, i), 0, 0), (3, 2), AT([2, 0, 2])),
    "gather a table of rows": (lambda x, i: Gather((x, i), 1, 0), (2, 3), AT([[2, 0], [1, 1]])),
    "gather with a batch axis": (lambda x, i: Gather((x, i), 1, 1), (2, 3), AT([2, 0])),
    "gather with a batch axis, far": (lambda x, i: Gather((x, i), 2, 1), (2, 2, 3), AT([[2], [0]])),
    "gather with two": (lambda x, i: Gather((x, i), 2, 2), (2, 2, 3), AT([[2, 0], [1, 1]])),
    "gather with two indices": (
        lambda x, i, j: Gather((x, i, j), 1, 0), (2, 3, 2, 2), AT([2, 0, 2]), AT([1, 1, 0])),
    "gather with two indices and a batch axis": (
        lambda x, i, j: Gather((x, i, j), 2, 1), (2, 2, 3, 2), AT([2, 0]), AT([1, 0])),
    "scatter with two indices": (
        lambda x, i, j, u: ScatterAdd((x, i, j, u), 0, 0),
        (3, 2, 2), AT([2, 0, 2]), AT([1, 1, 1]), (3, 2)),
    "set a number": (lambda x, i, u: ScatterSet((x, i, u), 0, 0), (4,), AT(2), ()),
    "set columns, one twice": (
        lambda x, i, u: ScatterSet((x, i, u), 1, 0), (2, 3), AT([1, 0, 1]), (2, 3)),
    "set with two indices": (
        lambda x, i, j, u: ScatterSet((x, i, j, u), 0, 0),
        (3, 2), AT([2, 0, 2]), AT([1, 1, 1]), (3,)),
    "set with a batch axis": (
        lambda x, i, u: ScatterSet((x, i, u), 2, 1), (2, 2, 3), AT([[2], [0]]), (2, 2, 1)),
    "scatter a number": (lambda x, i, u: ScatterAdd((x, i, u), 0, 0), (4,), AT(2), ()),
    "scatter rows": (
        lambda x, i, u: ScatterAdd((x, i, u), 0, 0), (3, 2), AT([2, 0, 2]), (3, 2)),
    "scatter columns": (
        lambda x, i, u: ScatterAdd((x, i, u), 1, 0), (2, 3), AT([1, 1]), (2, 2)),
    "scatter with a batch axis": (
        lambda x, i, u: ScatterAdd((x, i, u), 1, 1), (2, 3), AT([2, 0]), (2,)),
    "scatter with a batch axis, far": (
        lambda x, i, u: ScatterAdd((x, i, u), 2, 1), (2, 2, 3), AT([[2], [0]]), (2, 2, 1)),
}  # fmt: skip

REDUCTIONS = {
    f"{function} of {shape} along {axes}": (
        lambda x, f=function, a=axes: reduction(f, x, a),
        shape,
    )
    for function in ("max", "min", "prod", "logsumexp", "softmax", "log_softmax")
    for shape, axes in [((4,), (0,)), ((2, 3), (1,)), ((2, 2, 3), (0, 2)), ((2, 3), (0, 1))]
} | {
    f"{function} of {shape} along {axis}": (
        lambda x, f=function, a=axis: reduction(f, x, (a,)),
        shape,
    )
    for function in ("cumsum", "cumprod")
    for shape, axis in [((4,), 0), ((2, 3), 0), ((2, 3, 2), 1), ((2, 1), 1)]
}

BROADCASTS = {
    "scalar to matrix": (lambda x, y: elementwise("multiply", x, y), (), (2, 3)),
    "row to matrix": (lambda x, y: elementwise("divide", x, y), (2, 3), (3,)),
    "column to matrix": (lambda x, y: elementwise("multiply", x, y), (2, 1), (2, 3)),
    "both": (lambda x, y: elementwise("power", x, y), (2, 1), (3,)),
    "size 1 to size 1": (lambda x, y: elementwise("multiply", x, y), (1, 1), (1,)),
    "where": (
        lambda c, x, y: elementwise("where", c, elementwise("exp", x), elementwise("square", y)),
        AT([True, False, True]), (2, 3), (1,)),
    "maximum": (lambda x, y: elementwise("square", elementwise("maximum", x, y)), (2, 3), (3,)),
    "a number of another kind": (lambda i, x: elementwise("power", x, i), AT([1, 2, 3]), (2, 3)),
}  # fmt: skip

CASES = CONTRACTIONS | STRUCTURAL | WINDOWS | INDEXING | REDUCTIONS | BROADCASTS
LINEAR = CONTRACTIONS | STRUCTURAL | WINDOWS | INDEXING


@pytest.mark.parametrize("name", CASES)
def test_both_modes_to_second_order(name):
    f, *operands = CASES[name]
    check_grads(square_of(f) if name in LINEAR else f, *operands)


@pytest.mark.parametrize("name", CASES)
def test_the_sample_axis_is_a_loop_over_samples(name):
    f, *operands = CASES[name]
    check_batching(f, *operands)


@pytest.mark.parametrize("name", CASES)
def test_two_sample_axes(name):
    """Batching what is batched already: the rules meet operands that carry an axis."""
    f, *operands = CASES[name]
    nodes, feed = inputs_like(operands)
    leaves = {x: new_input(TensorType((2, *x.shape), x.kind)) for x in nodes}
    out = f(*nodes)
    once = batch_nodes([out], leaves, 2)[0][out]
    again = {x: new_input(TensorType((3, *x.shape), x.kind)) for x in leaves.values()}
    twice = batch_nodes([once], again, 3)[0][once]
    data = {
        again[leaf]: np.broadcast_to(feed[x], (3, 2, *feed[x].shape)) for x, leaf in leaves.items()
    }
    got = value(twice, data)
    close(got, np.broadcast_to(value(out, feed), got.shape))


@pytest.mark.parametrize(
    ("f", "operands", "expected"),
    [
        (CONTRACTIONS["leading axes"], ((2, 2, 3), (2, 3, 2)), np.matmul),
        (CONTRACTIONS["Hadamard"], ((2, 3), (3, 2)), lambda a, b: a * b.T),
        (CONTRACTIONS["diagonal matrix"], ((3,),), np.diag),
        (CONTRACTIONS["diagonal"], ((3, 3),), np.diag),
        (CONTRACTIONS["trace"], ((3, 3),), np.trace),
        (CONTRACTIONS["a scalar to a diagonal"], ((),), lambda a: a * np.eye(3)),
        (CONTRACTIONS["diagonal of a product"], ((2, 3), (3, 2)), lambda a, b: np.diag(
            np.sum(a * b.T, axis=1))),
        (CONTRACTIONS["a lone label of an operand"], ((2, 3), (2,)), lambda a, b: np.outer(
            a.sum(1), b)),
        (CONTRACTIONS["broadcast"], ((3,),), lambda a: np.broadcast_to(
            a[None, :, None], (2, 3, 3))),
        (STRUCTURAL["slice backwards"], ((5, 2),), lambda a: a[4::-2, ::-1]),
        (STRUCTURAL["pad in steps"], ((3,),), lambda a: np.array([0, a[0], 0, a[1], 0, a[2], 0])),
        (STRUCTURAL["pad backwards"], ((3,),), lambda a: np.array([a[2], 0, a[1], 0, a[0]])),
        (WINDOWS["windows in steps"], ((7,),), lambda a: np.array([a[0:2], a[3:5]])),
        (WINDOWS["windows with gaps"], ((7,),), lambda a: np.array([a[[0, 3]], a[[2, 5]]])),
        (WINDOWS["windows of an image"], ((2, 3, 5),), lambda a:
         np.lib.stride_tricks.sliding_window_view(a, (3, 2), (2, 1))[:, :, ::2]),
        (WINDOWS["windows that tile"], ((3, 4),), lambda a:
         np.lib.stride_tricks.sliding_window_view(a, (2, 3), (1, 0))[::3, ::2]),
        (WINDOWS["fold in steps, with a rest"], ((2, 2),), lambda a: np.array(
            [a[0, 0], a[0, 1], 0, a[1, 0], a[1, 1], 0])),
        (STRUCTURAL["join"], ((2, 3), (2, 1), (2, 2)), lambda *a: np.concatenate(a, 1)),
        (INDEXING["gather with two indices"], ((2, 3, 2, 2), AT([2, 0, 2]), AT([1, 1, 0])),
         lambda a, i, j: a[:, i, j]),
        (INDEXING["set columns, one twice"], ((2, 3), AT([1, 0, 1]), (2, 3)),
         lambda a, i, u: np.stack([u[:, 1], u[:, 2], a[:, 2]], 1)),
        (INDEXING["gather a table of rows"], ((2, 3), AT([[2, 0], [1, 1]])), lambda a, i: a[:, i]),
        (INDEXING["gather with a batch axis"], ((2, 3), AT([2, 0])), lambda a, i: a[[0, 1], i]),
        (INDEXING["gather with a batch axis, far"], ((2, 2, 3), AT([[2], [0]])),
         lambda a, i: np.take_along_axis(a, i[:, None, :], 2)),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)  # fmt: skip
def test_reference_values(f, operands, expected):
    nodes, feed = inputs_like(operands)
    np.testing.assert_allclose(value(f[0](*nodes), feed), expected(*feed.values()), rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("max", np.max),
        ("min", np.min),
        ("prod", np.prod),
        ("any", np.any),
        ("all", np.all),
        ("logsumexp", lambda x, axis: np.log(np.sum(np.exp(x), axis=axis))),
        ("softmax", lambda x, axis: np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)),
        (
            "log_softmax",
            lambda x, axis: x - np.log(np.exp(x).sum(axis=axis, keepdims=True)),
        ),
    ],
)
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (0, 1, 2), ()])
def test_reductions_are_numpys(function, expected, axes):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    node = new_input(TensorType(x.shape))
    np.testing.assert_allclose(
        value(reduction(function, node, axes), {node: x}),
        expected(x, axis=axes),
        rtol=1e-13,
        atol=1e-15,
    )


@pytest.mark.parametrize("function", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [0, 1])
def test_positions(function, axis):
    x = np.array([[3.0, 1.0, 3.0], [0.0, 4.0, 0.0]])
    node = new_input(TensorType(x.shape))
    made = reduction(function, node, (axis,))
    assert made.kind == "integer"
    np.testing.assert_array_equal(value(made, {node: x}), getattr(np, function)(x, axis=axis))
    check_batching(lambda n: reduction(function, n, (axis,)), (2, 3))


@pytest.mark.parametrize("function", ["max", "min"])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_ties_share_equally(function, axes):
    x = np.array([[2.0, 2.0, 1.0], [1.0, 2.0, 1.0]])
    node = new_input(TensorType(x.shape))
    out = reduction(function, node, axes)
    summed = sum_axes(out, range(out.type.rank))
    (g,) = gradient([summed], [constant(1.0)], [node])
    hit = x == getattr(np, function)(x, axis=axes, keepdims=True)
    np.testing.assert_array_equal(value(g, {node: x}), hit / hit.sum(axis=axes, keepdims=True))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Iota((), 4), np.arange(4)),
        (Iota((), N + 1), np.arange(4)),
        (Size((), 2 * N), 6.0),
        (identity(3), np.eye(3)),
        (identity(N), np.eye(3)),
        (broadcast_to(constant([1.0, 2.0]), (N, 2)), np.tile([1.0, 2.0], (3, 1))),
    ],
    ids=repr,
)
def test_leaves(made, expected):
    got = value(made, n=3)
    np.testing.assert_array_equal(got, expected)
    assert np.shape(got) == np.shape(expected)


SYMBOLIC = {
    "product": (contraction([(0, 1), (1,)], (0,)), (2, N), (N,)),
    "mean": (
        lambda x: elementwise("divide", contract([x], [(0,)], ()), Size((), N)),
        (N,),
    ),
    "reshape": (lambda x: reshape(x, (2 * N,)), (N, 2)),
    "slice": (lambda x: Slice((x,), ((1, N - 1, 1),)), (N,)),
    "pad": (lambda x: Pad((x,), ((1, N, 1),), (N + 2,)), (N,)),
    "windows": (lambda x: Windows((x,), (Frame(0, 2, 2),)), (N + 2,)),
    "fold": (lambda x: Fold((x,), (Frame(0, 2),), (N + 1,)), (N, 2)),
    "softmax": (lambda x: reduction("softmax", x, (0,)), (N, 2)),
    "cumulative sum": (lambda x: reduction("cumsum", x, (0,)), (N, 2)),
    "cumulative product": (lambda x: reduction("cumprod", x, (0,)), (N, 2)),
    "product of a column": (lambda x: reduction("prod", x, (0,)), (N, 2)),
    "join": (lambda x, y: Concatenation((x, y), 0), (N, 2), (2 * N, 2)),
    "maximum of all": (lambda x: reduction("max", x, (0, 1)), (N, 2)),
    "gather": (lambda x, i: Gather((x, i), 0, 0), (N, 2), AT([1, 1])),
    "broadcast": (lambda x, y: elementwise("multiply", x, y), (N, 1), (2,)),
    "transpose": (lambda x: transpose(x, (1, 0)), (N, 2)),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_named_sizes(name):
    f, *operands = SYMBOLIC[name]
    check_grads(square_of(f), *operands, sizes={"n": 3})
    check_batching(f, *operands, sizes={"n": 3})


def real(*shape):
    return new_input(TensorType(shape))


def integer(*shape):
    return new_input(TensorType(shape, "integer"))


FLAG = new_input(TensorType((2,), "boolean"))


@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("function", ["prod", "cumprod"])
def test_the_gradient_of_products_holds_at_zeros(function, zeros):
    x = np.array([2.0, -3.0, 0.5, 7.0])
    x[zeros] = 0.0
    node = new_input(TensorType((4,)))
    out = reduction(function, node, (0,))
    weight = np.array([1.0, 10.0, 100.0, 1000.0]) if function == "cumprod" else np.array(1.0)
    (g,) = gradient([out], [constant(weight)], [node])
    expected = np.zeros(4)
    for k in range(4):
        factors = np.where(np.arange(4) == k, 1.0, x)
        partial = np.where(np.arange(4) >= k, np.cumprod(factors), 0.0)
        expected[k] = weight @ partial if function == "cumprod" else partial[-1]
    np.testing.assert_allclose(value(g, {node: x}), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: elementwise("add", real(2), real(3)), ShapeError, ["(2,)", "(3,)"]),
        (lambda: contract([real(2, 3), real(2)], [(0, 1), (1,)], (0,)), ShapeError,
         ["(2, 3)", "(2,)", "3 against 2"]),
        (lambda: Contraction((real(2, 3),), ((0,),), (0,)), ShapeError, ["1 labels", "(2, 3)"]),
        (lambda: contract([FLAG], [(0,)], ()), KindError, ["boolean"]),
        (lambda: contract([real(2), integer(2)], [(0,), (0,)], ()), KindError, ["one kind"]),
        (lambda: reshape(real(2, 3), (4,)), ShapeError, ["(2, 3)", "(4,)", "6", "4"]),
        (lambda: Reshape((real(N),), (3,)), ShapeError, ["(n,)", "(3,)"]),
        (lambda: Slice((real(2, 3),), ((0, 2, 1),)), ShapeError, ["1 slices", "(2, 3)"]),
        (lambda: Pad((real(2),), ((0, 3, 1),), (5,)), ShapeError, ["(2,)"]),
        (lambda: Windows((real(2, 3),), (Frame(1, 4),)), ShapeError, ["span 4", "axis 1"]),
        (lambda: Windows((real(2, 3),), (Frame(1, 0),)), ShapeError, ["at least 1"]),
        (lambda: Windows((real(2, 3),), (Frame(1, 1), Frame(1, 2))), ShapeError, ["(1, 1)"]),
        (lambda: Fold((real(2, 3),), (Frame(0, 2),), (3,)), ShapeError, ["(2, 2)", "(2, 3)"]),
        (lambda: Fold((FLAG,), (Frame(0, 2),), (3,)), ShapeError, ["(2,)"]),
        (lambda: Concatenation((real(2, 3), real(2, 2)), 0), ShapeError, ["(2, 3)", "(2, 2)"]),
        (lambda: Concatenation((real(2), FLAG), 0), KindError, ["real and boolean"]),
        (lambda: reduction("cumsum", real(2, 3), (0, 1)), ShapeError, ["one axis"]),
        (lambda: Gather((real(2, 3), integer(2), integer(3)), 0, 0), ShapeError, ["(2,)", "(3,)"]),
        (lambda: Gather((real(2), real(2)), 0, 0), KindError, ["integers", "real (2,)"]),
        (lambda: Gather((real(2), integer(2)), 1, 0), ShapeError, ["axis 1", "(2,)"]),
        (lambda: Gather((real(2, 3), integer(3)), 1, 1), ShapeError, ["(2, 3)", "(3,)"]),
        (lambda: ScatterAdd((real(4), integer(2), real(3)), 0, 0), ShapeError, ["(3,)", "(2,)"]),
        (lambda: reduction("argmax", real(2, 3), (0, 1)), ShapeError, ["one axis"]),
        (lambda: constant([1j]), KindError, ["complex"]),
        (lambda: constant(["a"]), KindError, ["not <U1"]),
        (lambda: constant([None]), KindError, ["object"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
