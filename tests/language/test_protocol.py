"""What NumPy code builds from variables is what NumPy computes from arrays."""

import operator

import numpy as np
import pytest
import scipy.special

import graphc as gc
from graphc.errors import KindError, ShapeError, UsageError
from tests.numerics import value

RNG = np.random.default_rng(1)
KIND = {"f": "real", "i": "integer", "b": "boolean"}
ARRAYS = {
    "s": np.array(0.7),
    "v": RNG.uniform(0.2, 2, 3),
    "a": RNG.uniform(-2, 2, (2, 3)),
    "b": RNG.uniform(0.2, 2, (3, 2)),
    "q": RNG.uniform(-2, 2, (3, 3)),
    "t": RNG.uniform(-2, 2, (2, 2, 3)),
    "r": RNG.uniform(-2, 2, (1, 3)),
    "u": RNG.uniform(-2, 2, (4, 1, 3, 2)),
    "i": np.array([2, 0, 1]),
    "j": np.array([[1, -2, 3], [0, 5, -1]]),
    "k": np.array(1),
    "f": np.array([True, False, True]),
    "g": np.array([[True, False, False], [True, True, True]]),
}
VARIABLES = {n: gc.observed(n, shape=x.shape, kind=KIND[x.dtype.kind]) for n, x in ARRAYS.items()}


def same(f, names):
    """Check shape, kind and value of ``f`` of variables against ``f`` of arrays."""
    with np.errstate(all="ignore"):
        expected = np.asarray(f(*(ARRAYS[n] for n in names)))
    made = f(*(VARIABLES[n] for n in names))
    assert made.shape == expected.shape
    assert made.ndim == expected.ndim
    assert made.kind == KIND[expected.dtype.kind]
    got = value(made, {VARIABLES[n]: ARRAYS[n] for n in names})
    assert KIND[np.asarray(got).dtype.kind] == made.kind
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-15)


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
              operator.mod]  # fmt: skip
COMPARISON = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("names", ["av", "va", "sa", "aa", "rt", "jv", "ji", "bs"], ids=str)
@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISON], ids=lambda op: op.__name__)
def test_operators(op, names):
    if op in (operator.floordiv, operator.mod) and names == "ji":
        names = "vi"
    same(op, names)


@pytest.mark.parametrize("other", [2, 2.5, np.float64(1.5), np.array([1.0, 2.0, 3.0]), [1, 2, 3]],
                         ids=repr)  # fmt: skip
@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISON, operator.pow], ids=lambda op: op.__name__)
def test_operators_with_numbers_and_arrays_on_either_side(op, other):
    same(lambda v: op(v, other), "v")
    same(lambda v: op(other, v), "v")
    if not isinstance(other, list):
        same(lambda i: op(i, other), "i")


def test_other_operators():
    same(lambda v: v**2, "v")
    same(lambda v: v**0.5, "v")
    same(lambda i: i**2, "i")
    same(lambda v, a: v ** abs(a), "va")
    same(operator.neg, "j")
    same(operator.pos, "a")
    same(abs, "a")
    same(abs, "j")
    same(lambda f, g: f & g, "fg")
    same(lambda f, g: f | g, "fg")
    same(lambda f: ~f, "f")
    same(lambda f: f & True, "f")
    same(lambda f: ARRAYS["g"] | f, "f")
    same(lambda f: True & f, "f")
    same(lambda f, g: np.logical_and(f, g), "fg")
    same(lambda a, j: np.logical_or(a > 0, j), "aj")
    same(lambda a: np.logical_not(a), "a")


def test_bitwise_operators_of_integers_are_numpys():
    same(lambda i: i & 5, "i")
    same(lambda i: i | 5, "i")
    same(lambda i: i ^ 5, "i")
    same(lambda i: ~i, "i")
    same(lambda i: (i * i) << 2, "i")
    same(lambda i: i >> 1, "i")
    with pytest.raises(KindError, match="integers or booleans"):
        VARIABLES["a"] & 1


MATMULS = ["vv", "av", "vb", "ab", "ba", "qv", "vq", "tv", "tb", "at", "ua", "tu"]


@pytest.mark.parametrize("names", MATMULS)
def test_matmul_in_all_combinations_of_ranks(names):
    fixed = {"at": (lambda a, t: a[:, :2] @ t, "at"), "tu": (lambda t, u: t @ u, "tu")}
    f, names = fixed.get(names, (operator.matmul, names))
    same(f, names)
    if f is operator.matmul:
        same(np.matmul, names)


def test_products():
    same(lambda v: ARRAYS["a"] @ v, "v")
    same(lambda v: v @ ARRAYS["b"], "v")
    same(lambda a, f: a @ f, "af")
    same(lambda j, i: j @ i, "ji")
    same(lambda j, v: j @ v, "jv")
    for names in ("vv", "av", "ab", "tv", "tb", "sa", "as", "ss"):
        same(np.dot, names)
    same(lambda a, v: a.dot(v), "av")
    same(np.outer, "va")
    same(np.outer, "ij")
    same(np.trace, "q")


@pytest.mark.parametrize(
    ("subscripts", "names"),
    [
        ("ij,j->i", "av"),
        ("ij,jk", "ab"),
        ("ij,jk->ki", "ab"),
        ("ij->ji", "a"),
        ("ji", "a"),
        ("ii", "q"),
        ("ii->i", "q"),
        ("ij->", "a"),
        ("i,j->ij", "vv"),
        ("bij,bij->b", "tt"),
        ("i,i,i->i", "vvv"),
        ("ij , j -> i", "av"),
        ("ij,ij->", "ja"),
        ("Aa,a->A", "av"),
        (",i->i", "sv"),
    ],
)
def test_einsum(subscripts, names):
    same(lambda *x: np.einsum(subscripts, *x), names)


@pytest.mark.parametrize(
    "subscripts", ["ij->i,j", "ij", "ijk->i", "i->ii", "i->j", "..., i", "i1->"]
)
def test_wrong_subscripts(subscripts):
    with pytest.raises(ShapeError, match="einsum"):
        np.einsum(subscripts, VARIABLES["v"])


UNARY = [
    "negative", "absolute", "abs", "fabs", "sign", "square", "reciprocal", "sqrt", "exp", "expm1",
    "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "floor", "ceil", "rint",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_unary_ufuncs(name):
    for operand in "svb":
        same(getattr(np, name), operand)
    if name not in ("reciprocal", "log", "sqrt", "floor", "ceil"):  # of integers: other rules
        same(getattr(np, name), "i")


BINARY = [
    "add", "subtract", "multiply", "divide", "true_divide", "power", "maximum", "minimum",
    "floor_divide", "remainder", "mod", "greater", "greater_equal", "less", "less_equal", "equal",
    "not_equal",
]  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("names", ["vb", "vs", "vv"])
def test_binary_ufuncs(name, names):
    if names == "vb":
        same(lambda v, b: getattr(np, name)(v, b.T), names)
    else:
        same(getattr(np, name), names)


def test_where_clip_and_extremes():
    same(lambda f, a: np.where(f, a, 0.0), "fa")
    same(lambda f, a, v: np.where(f, a, v), "fav")
    same(lambda j, a: np.where(j, a, -a), "ja")
    same(lambda g, i: np.where(g, i, 1.5), "gi")
    same(lambda a: np.clip(a, -1, 1), "a")
    same(lambda a: np.clip(a, None, 0.5), "a")
    same(lambda a: np.clip(a, -0.5, None), "a")
    same(lambda a: np.clip(a, min=-0.5, max=0.5), "a")
    same(lambda a, v: np.clip(a, -v, v), "av")
    same(lambda a: np.maximum(a, 0), "a")
    same(lambda a: np.maximum(0, a), "a")
    same(lambda j: np.maximum(j, 0), "j")
    same(lambda a, j: np.minimum(a, j), "aj")


REDUCERS = [np.sum, np.mean, np.max, np.min, np.amax, np.prod, np.any, np.all]
AXES = [None, 0, 1, -1, (0, 2), (-1, 0), (0, 1, 2), ()]


@pytest.mark.parametrize("keepdims", [False, True, 1, 0])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("reduce", REDUCERS, ids=lambda f: f.__name__)
def test_reductions(reduce, axis, keepdims):
    same(lambda t: reduce(t, axis=axis, keepdims=keepdims), "t")


@pytest.mark.parametrize("reduce", REDUCERS, ids=lambda f: f.__name__)
def test_reductions_of_other_kinds(reduce):
    same(reduce, "j")
    same(reduce, "s")
    if reduce is not np.prod:
        same(lambda g: reduce(g, axis=0), "g")


@pytest.mark.parametrize("function", [np.argmax, np.argmin])
def test_positions(function):
    same(function, "a")
    same(lambda a: function(a, axis=0), "a")
    same(lambda a: function(a, axis=-1, keepdims=True), "a")


@pytest.mark.parametrize("method", ["sum", "mean", "max", "min"])
def test_methods(method):
    same(lambda t: getattr(t, method)(), "t")
    same(lambda t: getattr(t, method)(axis=(0, -1), keepdims=True), "t")
    same(lambda t: getattr(t, method)(1), "t")


def test_reduce_of_a_ufunc_starts_at_the_first_axis():
    same(np.add.reduce, "t")
    same(np.maximum.reduce, "a")
    same(lambda t: np.add.reduce(t, axis=(0, 1)), "t")
    same(lambda t: np.multiply.reduce(t, axis=None), "t")
    same(lambda t: np.add.reduce(t, 1, keepdims=True), "t")


@pytest.mark.parametrize(
    ("f", "names"),
    [
        (lambda a: a.reshape(3, 2), "a"),
        (lambda a: a.reshape((3, 2)), "a"),
        (lambda a: a.reshape(-1), "a"),
        (lambda t: t.reshape(2, -1), "t"),
        (lambda t: np.reshape(t, (-1, 2)), "t"),
        (lambda s: s.reshape(1, 1), "s"),
        (lambda a: a.reshape(6)[..., None].reshape([2, 3]), "a"),
        (np.ravel, "t"),
        (lambda a: a.T, "a"),
        (lambda t: t.T, "t"),
        (lambda v: v.T, "v"),
        (np.transpose, "t"),
        (lambda t: np.transpose(t, (1, 2, 0)), "t"),
        (lambda t: t.transpose(2, 0, 1), "t"),
        (lambda t: t.transpose((2, 0, 1)), "t"),
        (lambda t: t.transpose(-1, 0, 1), "t"),
        (lambda t: t.transpose(), "t"),
        (lambda a: np.expand_dims(a, 1), "a"),
        (lambda a: np.expand_dims(a, -1), "a"),
        (np.squeeze, "r"),
        (lambda u: np.squeeze(u, axis=1), "u"),
        (lambda r: np.squeeze(r, 0), "r"),
        (lambda v: np.broadcast_to(v, (2, 3)), "v"),
        (lambda r: np.broadcast_to(r, (4, 2, 3)), "r"),
        (lambda s: np.broadcast_to(s, (2,)), "s"),
    ],
)
def test_shapes(f, names):
    same(f, names)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joining(axis):
    same(lambda a, g: np.concatenate([a, 2 * a, ARRAYS["a"]], axis=axis), "ag")
    same(lambda a, j: np.concatenate((a, j), axis), "aj")
    same(lambda a: np.stack([a, -a], axis=axis), "a")
    same(lambda s, k: np.stack([s, 1.0, k]), "sk")
    same(lambda a, v: np.concatenate([a, v], axis=None), "av")
    same(lambda j, i: np.concatenate([j, i[None]]), "ji")
    with pytest.raises(ShapeError, match="cannot be joined along axis"):
        np.concatenate([VARIABLES["a"], VARIABLES["q"]], axis=1)
    x = gc.observed("x", shape="n")
    assert str(np.concatenate([x, x[1:], np.ones(2)]).shape) == "(2*n + 1,)"


def test_named_sizes():
    x = gc.observed("x", shape=("n", 3))
    data = RNG.normal(size=(4, 3))
    n = x.shape[0]
    for made, expected in [
        (x.reshape(-1), data.ravel()),
        (x.reshape(3, "n"), data.reshape(3, 4)),
        (x.reshape((3, n)), data.reshape(3, 4)),
        (x.reshape(n, 1, -1), data[:, None]),
        (x.reshape(3 * n), data.ravel()),
        (x[1:].reshape(n - 1, -1), data[1:]),
        (x[1:].reshape(-1, 3), data[1:]),
        (x.mean(), data.mean()),
        (x.mean(0), data.mean(0)),
        (x.T @ x, data.T @ data),
        (np.broadcast_to(x, (2, n, 3)), np.broadcast_to(data, (2, 4, 3))),
        (np.broadcast_to(x[0], ("n", 3)), np.broadcast_to(data[0], (4, 3))),
        (x - x.max(axis=0, keepdims=True), data - data.max(0)),
        (np.ravel(x[-1:] * x), (data[-1:] * data).ravel()),
    ]:
        got = value(made, {x: data}, n=4)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_graphc_s_own_functions():
    for axis in (-1, 0, (0, 2)):
        x = VARIABLES["t"]
        data = ARRAYS["t"]
        for ours, theirs in [
            (gc.softmax, scipy.special.softmax),
            (gc.log_softmax, scipy.special.log_softmax),
            (gc.logsumexp, scipy.special.logsumexp),
        ]:
            got = value(ours(x, axis=axis), {x: data})
            np.testing.assert_allclose(got, theirs(data, axis=axis), rtol=1e-13)
    assert gc.logsumexp(x).shape == ()
    assert gc.logsumexp(x, axis=1, keepdims=True).shape == (2, 1, 3)
    a, data = VARIABLES["a"], ARRAYS["a"]
    for ours, expected in [
        (gc.relu, np.maximum(data, 0)),
        (gc.tanh, np.tanh(data)),
        (gc.sigmoid, scipy.special.expit(data)),
        (gc.softplus, np.log1p(np.exp(data))),
        (gc.log_sigmoid, scipy.special.log_expit(data)),
        (lambda z: gc.mse(z, 1.0), np.mean((data - 1) ** 2)),
        (lambda z: gc.squared_error(z, 1.0), np.sum((data - 1) ** 2)),
    ]:
        np.testing.assert_allclose(value(ours(a), {a: data}), expected, rtol=1e-13)
    v, k = VARIABLES["v"], VARIABLES["k"]
    got = value(gc.cross_entropy(v, k), {v: ARRAYS["v"], k: 1})
    assert got == pytest.approx(-scipy.special.log_softmax(ARRAYS["v"])[1], rel=1e-14)


def test_comparison_builds_and_identity_compares():
    x = VARIABLES["v"]
    assert (x == x).kind == "boolean"
    assert x is not (x + 0)
    assert len({x, VARIABLES["a"], x}) == 2  # hashed by identity


def test_length_and_iteration():
    a, data = VARIABLES["a"], ARRAYS["a"]
    assert len(a) == 2
    rows = list(a)
    assert [row.shape for row in rows] == [(3,), (3,)]
    np.testing.assert_array_equal(value(rows[1], {a: data}), data[1])
    with pytest.raises(UsageError, match="'s' is a scalar: it has no length"):
        len(VARIABLES["s"])
    with pytest.raises(UsageError, match=r"has n rows, a size known only when it is called"):
        list(gc.observed("x", shape="n"))


def test_an_integer_to_a_negative_power_is_refused():
    with pytest.raises(gc.KindError, match="negative power"):
        gc.observed("k", kind="integer") ** -1
