"""What nobody should write: each is refused in a sentence that says what to write instead."""

import warnings

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CompileError, GraphcError, KindError, OutputError, ShapeError, UsageError

X, W = gc.observed("x", 3), gc.parameter("w", 3)
NET = gc.Graph(gc.cost((W * X).sum(), name="C"), name="net")

DECLARED = {
    "a shape of bytes": (lambda: gc.observed("q", b"n"), ShapeError, "a tuple of integers and na"),
    "a set": (lambda: gc.observed("q", {3, 4}), ShapeError, "a tuple of integers and names"),
    "a dictionary": (lambda: gc.observed("q", {"n": 3}), ShapeError, "a tuple of integers"),
    "a size beyond memory": (lambda: gc.observed("q", 2**70), ShapeError, r"and 2\*\*63 - 1"),
    "classes beyond memory": (lambda: gc.observed("q", classes=2**70), KindError, "one class"),
    "boolean classes": (
        lambda: gc.observed("q", classes=2, kind="boolean"), KindError, "integers, not booleans",
    ),
    "a flag that is text": (
        lambda: gc.observed("q", per_sample="no"), UsageError, "per_sample is True or False",
    ),
    "a promise that is a number": (
        lambda: gc.parameter("q", (3, 3), symmetric=1), UsageError, "symmetric is True or False",
    ),
    "a label that is no text": (lambda: gc.latent("q", 3, label=0), UsageError, "label is LaTeX"),
    "a cost that is true": (lambda: gc.cost((X > 0).any()), KindError, "write np.where"),
}  # fmt: skip
COMPILED = {
    "a list of targets": ({"target": ["numpy"]}, "unknown target"),
    "a dtype of NumPy's": ({"dtype": np.float32}, "unknown dtype .*; one of 'float32', 'float64'"),
    "a batch of numbers": ({"batch": 64}, "batch is True or False, got 64"),
    "allow_unused as text": ({"allow_unused": "yes"}, "allow_unused is True or False"),
    "passes by name": ({"passes": ("fold",)}, "a tuple of functions from programs to programs"),
    "a set of variables": ({"wrt": {W}}, "a set has no order"),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declarations(name):
    make, error, told = DECLARED[name]
    with pytest.raises(error, match=rf"test_hostile\.py:\d+.*{told}"):
        make()


@pytest.mark.parametrize("name", COMPILED)
def test_compile(name):
    options, told = COMPILED[name]
    with pytest.raises(CompileError, match=told):
        gc.compile(NET, **options)


def test_numbers_of_numpy_are_numbers():
    y = gc.observed("y", np.int64(3), classes=np.int64(4), per_sample=np.bool_(True))
    assert y.shape == (3,) and y.declaration.classes == 4
    assert gc.compile(NET, batch=np.bool_(False)).loss((np.ones(3),), x=np.ones(3)) == 3


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_what_a_program_is_called_with(style):
    program = gc.compile(NET, style=style)
    for params in (None, 1):
        with pytest.raises(TypeError, match=r"params must hold 1 arrays, as Params\(\.\.\.\) does"):
            program.loss(params, x=np.ones((2, 3)))
    with pytest.raises(UsageError, match=r"it is called as init_params\(seed\)"):
        program.init_params(n=3)
    for path in (None, 3, b"net.py"):
        with pytest.raises(OutputError, match="the name of a file is text or a path"):
            program.save(path)


def test_what_a_function_is_called_with():
    f = gc.compile_function([X, W], X * W, name="product")
    assert repr(f) == "<compiled product(x, w): numpy, float64, fast>"
    for call in (lambda: f(np.ones(3)), lambda: f(), lambda: f(1, 2, 3)):
        with pytest.raises(
            UsageError, match=r"takes 2 arrays in their order, product\(x, w\); got"
        ):
            call()
    with pytest.raises(UsageError, match="got w by name"):
        f(np.ones(3), w=np.ones(3))


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_starts_that_are_no_numbers_or_have_another_shape(style):
    def started(init):
        u = gc.parameter("u", 3, init=init)
        program = gc.compile(gc.Graph(gc.cost((u * X).sum())), style=style)
        return program.init_params().u

    assert np.isnan(started(float("nan"))).all()
    np.testing.assert_array_equal(started(-np.inf), np.full(3, -np.inf))
    with pytest.raises(ValueError, match=r"the init of u must give shape \(3,\), got \(7,\)"):
        started(lambda rng, shape: np.ones(7))
    with pytest.raises(ValueError, match=r"must give shape \(3,\), got \(\)"):
        started(lambda rng, shape: 1.0)


def test_objectives_are_told_in_a_line():
    program = gc.compile(NET)
    objective = program.as_scipy(program.init_params(), x=np.ones((2, 3)))
    assert repr(objective) == "<objective net: 3 numbers>"


def test_all_refusals_are_errors_of_graphc():
    """So that one `except` catches them; and each is of the kind that Python has for it."""
    for make, error, _ in DECLARED.values():
        assert issubclass(error, GraphcError) and issubclass(error, ValueError | TypeError), make


Y = gc.observed("y", (3, 3))
NONE = gc.observed("none", 0)
APPLIED = {
    "half an element": (lambda: np.pad(X, 1.5), ShapeError, "whole numbers, got 1.5"),
    "an axis twice": (
        lambda: np.tensordot(Y, Y, ([0, 0], [1, 1])), ShapeError, "sums over each axis once",
    ),
    "half a size": (lambda: X.reshape(3.0), ShapeError, "an integer or a name, got 3.0"),
    "an order that reshape has not": (
        lambda: Y.reshape(9, order="K"), UsageError, "'C' or 'F', not 'K'",
    ),
    "softmax of nothing": (lambda: gc.softmax(NONE), ShapeError, "of no elements is not defined"),
    "logsumexp of nothing": (lambda: gc.logsumexp(NONE), ShapeError, "of no elements"),
}  # fmt: skip


@pytest.mark.parametrize("name", APPLIED)
def test_functions(name):
    make, error, told = APPLIED[name]
    with pytest.raises(error, match=rf"test_hostile\.py:\d+.*{told}"):
        make()


@pytest.mark.parametrize("ddof", [0, 1, 2, 3, 5])
def test_variances_without_freedom(ddof):
    """NumPy divides by 0 then, not by a negative number."""
    value = np.array([1.0, 2.0, 4.0])
    made = [X.var(ddof=ddof), X.std(ddof=ddof), np.cov(X, ddof=ddof)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = [value.var(ddof=ddof), value.std(ddof=ddof), np.cov(value, ddof=ddof)]
    np.testing.assert_allclose(gc.compile_function([X], made)(value), want)


V = gc.observed("v", (4, 3))
IMAGE = gc.observed("image", (2, 8, 8))
CLASS = gc.observed("label", classes=5)
OPTIONS = {
    "a probability as text": (lambda: gc.dropout(X, gc.noise("n", 3, "uniform"), p="3"), "p is a "),
    "no probability": (lambda: gc.dropout(X, gc.noise("n", 3, "uniform"), p=None), "got None"),
    "an axis that is none": (lambda: gc.glu(V, axis=None), "axis is an integer, got None"),
    "half an axis": (lambda: gc.flatten(IMAGE, 1.5), "start_axis is an integer, got 1.5"),
    "half a class": (lambda: gc.one_hot(CLASS, 2.5), "num_classes is an integer or None, got 2.5"),
    "a slope as a list": (lambda: gc.leaky_relu(X, [0.1]), "negative_slope is a number, got"),
    "a margin as text": (lambda: gc.hinge(X, X, margin="1"), "margin is a number, got '1'"),
    "a flag as text": (
        lambda: gc.scaled_dot_product_attention(V, V, V, is_causal="no"), "True or False, got 'no'",
    ),
    "a row as text": (lambda: gc.Embedding(5, 2, padding_idx="0"), "padding_idx is an integer"),
    "no heads": (lambda: gc.MultiheadAttention(3, 0)(V, V, V), "do not make 0 equal heads"),
    "one width": (lambda: gc.pad(X, 1), "pad: takes several integers, got 1"),
    "several selectors": (lambda: gc.switch((1, 0), X, W), "the selector is one variable"),
    "a label that is a number": (lambda: gc.Linear(2, label=3), "label is LaTeX as text, got 3"),
    "a formula of a number": (lambda: gc.formula(3), "a formula is that of a variable, got 3"),
    "LaTeX of text": (lambda: gc.latex("x"), "a formula is that of a variable"),
    "half a depth": (lambda: gc.latex(X * W, depth=1.5), "depth is a number of blocks"),
    "a step as text": (lambda: gc.adam(lr="3"), "adam: lr is a number or a schedule, got '3'"),
    "symbols as text": (lambda: gc.elementwise("t", "t"), "distinct SymPy symbols"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name):
    make, told = OPTIONS[name]
    with pytest.raises(UsageError, match=told):
        make()


def test_annotations_of_users_are_theirs():
    @gc.function
    def shifted(z, by: float = 1.0, often: int = 1):
        return z + len(by) * often

    assert shifted(X, by="abc", often=2.5).shape == (3,)


def test_a_selector_out_of_range():
    k = gc.observed("k", kind="integer")
    f = gc.compile_function([k, X, W], gc.switch(k, X, W))
    np.testing.assert_array_equal(f(1, np.zeros(3), np.ones(3)), np.ones(3))
    with pytest.raises(ValueError, match=r"k must lie in 0\.\.1, got 5"):
        f(5, np.zeros(3), np.ones(3))
