"""Declarations, names, and what a variable refuses to be."""

import unicodedata

import numpy as np
import pytest

import graphc as gc
from graphc.errors import CycleError, KindError, NamingError, ShapeError, UsageError
from tests.numerics import value


def test_observed():
    x = gc.observed("x", shape=("n", 3))
    assert (x.name, x.role, x.kind, x.ndim) == ("x", "observed", "real", 2)
    assert x.declaration.per_sample
    assert repr(x) == "<observed x: real (n, 3)>"
    assert gc.observed("x").shape == ()
    assert gc.observed("x", 3).shape == gc.observed("x", [3]).shape == (3,)
    assert gc.observed("x", np.int64(3)).shape == (3,)
    assert gc.observed("x", x.shape).shape == x.shape
    assert gc.observed("x", "n").shape == x.shape[:1]
    assert not gc.observed("x", per_sample=False).declaration.per_sample
    y = gc.observed("y", classes=10)
    assert (y.kind, y.declaration.classes) == ("integer", 10)
    assert gc.observed("b", kind="boolean").kind == "boolean"


def test_the_other_roles():
    w = gc.parameter("w", shape=(2, 3), init="he", label="W")
    assert (w.role, w.declaration.init, w.declaration.label) == ("parameter", "he", "W")
    assert not w.declaration.per_sample
    h = gc.latent("h", shape=3)
    assert (h.role, h.declaration.per_sample) == ("latent", True)
    assert not gc.latent("h", per_sample=False).declaration.per_sample
    c = gc.constant([[1, 2]])
    assert (c.role, c.kind, c.shape) == ("constant", "integer", (1, 2))
    assert (2 * w).role == "expression"


def test_constants_are_copies():
    data = np.zeros(2)
    c = gc.constant(data)
    data[0] = 1
    np.testing.assert_array_equal(value(c), [0, 0])


NAMES = [
    ("", "not an identifier"),
    ("2x", "not an identifier"),
    ("a b", "not an identifier"),
    ("a-b", "not an identifier"),
    ("class", "keyword"),
    ("None", "keyword"),
    ("_x", "underscore"),
    ("__init__", "underscore"),
    ("P", "number of samples"),
    ("\N{FULLWIDTH LATIN CAPITAL LETTER P}", "number of samples"),
    (3, "must be a string"),
    (None, "must be a string"),
]


@pytest.mark.parametrize(("name", "why"), NAMES)
@pytest.mark.parametrize(
    "use",
    [
        lambda name: gc.observed(name),
        lambda name: gc.parameter(name),
        lambda name: gc.latent(name),
        lambda name: gc.computed(name),
    ],
)
def test_bad_names(name, why, use):
    with pytest.raises(NamingError) as caught:
        use(name)
    for word in ["test_declare.py:", why, repr(name)]:
        assert word in str(caught.value)


@pytest.mark.parametrize(("name", "why"), [pair for pair in NAMES if isinstance(pair[0], str)])
@pytest.mark.parametrize(
    "use",
    [
        lambda name: gc.Graph(gc.observed("x"), name=name),
        lambda name: gc.relu(gc.observed("x"), name=name),
        lambda name: gc.relu(gc.observed("x"), output=name),
        lambda name: gc.Linear(3, name=name),
        lambda name: gc.cost(gc.observed("x"), name=name),
        lambda name: gc.observed("x", shape=(name, 2)),
    ],
)
def test_bad_names_elsewhere(name, why, use):
    with pytest.raises(NamingError, match=why) as caught:
        use(name)
    assert repr(name) in str(caught.value)
    assert "test_declare.py:" in str(caught.value)


@pytest.mark.parametrize("name", ["x", "x_1", "θ", "match", "self", "w2", "Q", "é"])
def test_good_names(name):
    assert gc.observed(name).name == unicodedata.normalize("NFKC", name)


def test_names_are_read_as_python_reads_them():
    assert gc.observed("\N{LATIN SMALL LIGATURE FI}t").name == "fit"


@pytest.mark.parametrize(
    ("second", "name"),
    [
        (lambda: gc.observed("x", 2), "x"),
        (lambda: gc.parameter("x", 2), "x"),
        (lambda: gc.observed("\N{FULLWIDTH LATIN SMALL LETTER X}", 2), "x"),
        (lambda: gc.relu(gc.observed("q", 2), output="x"), "x"),
        (lambda: gc.relu(gc.observed("relu1_out", 2)), "relu1_out"),
    ],
)
def test_a_name_that_occurs_twice(second, name):
    first = gc.observed("x", 2)
    with pytest.raises(NamingError) as caught:
        gc.Graph(gc.cost((first * second()).sum()), name="net")
    message = str(caught.value)
    assert f"the name '{name}' occurs twice" in message
    assert "graph 'net'" in message
    assert message.count("test_declare.py:") == 2


def test_a_name_of_two_blocks():
    x = gc.observed("x", 2)
    with pytest.raises(NamingError, match="'f' is given to two blocks"):
        gc.Graph(gc.tanh(gc.relu(x, name="f"), name="f"))


def test_a_parameter_s_field_that_occurs_twice():
    f = gc.Linear(2, name="f")
    with pytest.raises(NamingError, match="'f_w' occurs twice"):
        gc.Graph(f(gc.observed("x", 2)) + gc.parameter("f_w", 2))


@pytest.mark.parametrize(
    ("declare", "error", "words"),
    [
        (lambda: gc.observed("x", -1), ShapeError, ["not negative", "-1"]),
        (lambda: gc.observed("x", 2.5), ShapeError, ["an integer or a name", "2.5"]),
        (lambda: gc.observed("x", (2.0, 3)), ShapeError, ["an integer or a name", "2.0"]),
        (lambda: gc.observed("x", True), ShapeError, ["an integer or a name", "True"]),
        (lambda: gc.observed("x", None), ShapeError, ["an integer or a name", "None"]),
        (lambda: gc.observed("x", kind="float"), KindError, ["'real'", "'float'"]),
        (lambda: gc.observed("x", kind=float), KindError, ["'real'", "float"]),
        (lambda: gc.observed("y", classes=0), KindError, ["'y'", "at least one class", "0"]),
        (lambda: gc.observed("y", classes=2.0), KindError, ["'y'", "2.0"]),
        (lambda: gc.observed("y", classes=True), KindError, ["'y'", "True"]),
        (lambda: gc.parameter("w", init="xavier"), UsageError, ["glorot", "'xavier'"]),
        (
            lambda: gc.parameter("w", shape=("n", 3), init=np.ones((3, 2))),
            ShapeError,
            ["parameter 'w'", "init has shape (3, 2)", "expected (n, 3) or one number"],
        ),
        (lambda: gc.parameter("w", shape=2, init=[1.0]), ShapeError, ["(1,)", "expected (2,)"]),
        (
            lambda: gc.parameter("w", shape=2, init=[[1], [1, 2]]),
            UsageError,
            ["the rows of init have different lengths"],
        ),
        (lambda: gc.parameter("w", init=1j), UsageError, ["init holds real numbers", "complex128"]),
        (
            lambda: gc.parameter("w", shape=1, init=["1"]),
            UsageError,
            ["init holds real numbers", "<U1"],
        ),
        (
            lambda: gc.Linear(2, name="f", init={"b": np.ones(3)})(gc.observed("x", shape=4)),
            ShapeError,
            ["'f'", "parameter 'b'", "init has shape (3,), expected (2,)"],
        ),
        (lambda: gc.constant(["a"]), KindError, ["a constant holds real numbers"]),
        (lambda: gc.constant(1j), KindError, ["a constant holds real numbers", "complex"]),
        (lambda: gc.constant([[1], [1, 2]]), ShapeError, ["different lengths"]),
        (lambda: gc.observed("x", 2) + "a", KindError, ["a constant holds"]),
        (lambda: gc.observed("x", 2) + None, KindError, ["a constant holds"]),
    ],
)
def test_bad_declarations(declare, error, words):
    with pytest.raises(error) as caught:
        declare()
    for word in ["test_declare.py:", *words]:
        assert word in str(caught.value)


class TestComputed:
    def test_stands_for_its_definition(self):
        x = gc.observed("x", 2)
        z = gc.computed("z", 2)
        y = gc.relu(z, name="r")
        assert z.define(gc.tanh(x, name="t")) is z
        net = gc.Graph(y)
        assert [use.name for use in net.functions] == ["t", "r"]
        assert [v.name for v in net.variables][:2] == ["x", "z"]
        program = net.program()
        assert set(program.inputs) == {x.node}
        got = value(program.outputs[0], {x: [0.5, -0.5]})
        np.testing.assert_allclose(got, [np.tanh(0.5), 0])

    def test_a_bare_expression(self):
        x = gc.observed("x", 2)
        z = gc.computed("z", 2)
        y = z * z
        z.define(x + 1)
        net = gc.Graph(y, name="n")
        assert len(net.functions) == 2
        np.testing.assert_allclose(value(net.program().outputs[0], {x: [1.0, 2]}), [4, 9])

    def test_definitions_of_definitions(self):
        x = gc.observed("x", 2)
        names = [f"z{i}" for i in range(60)]
        zs = [gc.computed(name, 2) for name in names]
        for previous, z in zip([x, *zs[:-1]], zs, strict=True):
            z.define(previous + 1.0)
        out = zs[-1] * 1.0
        net = gc.Graph(out)
        assert [v.name for v in net.variables if v.role == "computed"] == names
        np.testing.assert_allclose(value(net.program().outputs[0], {x: [1.0, 2]}), [61, 62])

    def test_gradient_through_a_definition(self):
        x = gc.observed("x", 2)
        z = gc.computed("z", 2)
        c = (z**2).sum()
        z.define(np.sin(x))
        got = value(gc.grad(c, x), {x: [0.3, 0.4]})
        np.testing.assert_allclose(got, np.sin([0.6, 0.8]), rtol=1e-14)
        np.testing.assert_allclose(value(gc.grad(c, z), {x: [1.0, 2]}), 2 * np.sin([1.0, 2]))

    @pytest.mark.parametrize(
        ("define", "error", "words"),
        [
            (lambda z: z.define(gc.observed("x", 3)), ShapeError, ["'z'", "(3,)", "(2,)"]),
            (lambda z: z.define(gc.observed("x", 2, kind="integer")), KindError,
             ["'z'", "real", "integer"]),
            (lambda z: gc.observed("x", 2).define(z), UsageError, ["gc.computed"]),
            (lambda z: z.define(z), CycleError, ["'z'", "itself"]),
            (lambda z: [z.define(gc.observed("x", 2)), z.define(gc.observed("x", 2))], UsageError,
             ["'z' is already defined"]),
        ],
    )  # fmt: skip
    def test_bad_definitions(self, define, error, words):
        with pytest.raises(error) as caught:
            define(gc.computed("z", 2))
        for word in ["test_declare.py:", *words]:
            assert word in str(caught.value)

    def test_never_defined(self):
        z = gc.computed("z", 2)
        with pytest.raises(UsageError) as caught:
            gc.Graph(z * 2)
        for word in ["'z'", "test_declare.py:", "never defined", "z.define("]:
            assert word in str(caught.value)


class TestCycles:
    def test_names_its_blocks_in_order(self):
        a = gc.computed("a", 2)
        b = gc.tanh(a, name="first")
        c = gc.sigmoid(b + gc.observed("x", 2), name="second")
        d = gc.relu(2 * c, name="third")
        with pytest.raises(CycleError) as caught:
            a.define(d)
        message = str(caught.value)
        assert "test_declare.py:" in message
        assert "'a'" in message
        order = "block 'first' → block 'second' → block 'third' → block 'first'"
        assert order in message

    def test_through_two_definitions(self):
        a, b = gc.computed("a", 2), gc.computed("b", 2)
        to_b = gc.tanh(a, name="f")
        to_a = gc.tanh(b, name="g")
        b.define(to_b)
        with pytest.raises(CycleError, match=r"block 'f' → block 'g' → block 'f'"):
            a.define(to_a)

    def test_of_bare_expressions(self):
        a = gc.computed("a", 2)
        with pytest.raises(CycleError, match="'a'"):
            a.define(a + 1.0)

    def test_inside_a_captured_variable(self):
        a = gc.computed("a", 2)

        @gc.function
        def f(z):
            return z + a

        with pytest.raises(CycleError, match="block 'f' → block 'f'"):
            a.define(f(gc.observed("x", 2)))

    def test_after_a_refused_definition_another_is_possible(self):
        a = gc.computed("a", 2)
        with pytest.raises(CycleError):
            a.define(gc.relu(a))
        a.define(gc.observed("x", 2))


X = gc.observed("x", 3)
S = gc.observed("s")


def assign(key):
    X[key] = 1.0


def add_into():
    X[0] += 1


def into_array():
    data = np.zeros(3)
    data += X


def branch():
    if X[0] > 0:
        return 1
    return 0


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: bool(X), ["variable 'x'", "truth value", "np.where(condition, a, b)"]),
        (branch, ["truth value", "np.where"]),
        (lambda: not X, ["truth value"]),
        (lambda: X and X, ["truth value"]),
        (lambda: 0 < X[0] < 1, ["truth value"]),
        (lambda: max(X[0], X[1]), ["truth value", "np.maximum"]),
        (lambda: float(S), ["variable 's'", "no number", "gc.compile"]),
        (lambda: int(S), ["no number", "gc.compile"]),
        (lambda: complex(S), ["no number", "gc.compile"]),
        (lambda: list(range(3))[S], ["no number"]),
        (lambda: range(S), ["no number"]),
        (lambda: np.array([X, X]), ["variable 'x'", "array", "np.stack"]),
        (lambda: np.array(X), ["array", "gc.compile"]),
        (lambda: np.asarray(X), ["array"]),
        (lambda: np.array([S, 1.0]), ["array", "np.stack"]),
        (lambda: np.array([S]), ["array"]),
        (lambda: np.array([[S, S], [S, S]]), ["array"]),
        (lambda: np.float64(S), ["variable 's'"]),
        (lambda: [S, 1.0, 2.0] * X, ["array", "np.stack"]),
        (lambda: gc.constant([S]), ["array", "np.stack"]),
        (lambda: assign(0), ["variable 'x'", "assigned into", "np.where"]),
        (lambda: assign(slice(None)), ["assigned into"]),
        (add_into, ["assigned into"]),
        (into_array, ["out="]),
        (lambda: np.add(X, X, out=np.zeros(3)), ["out=", "use the result"]),
        (lambda: np.sum(X, out=np.zeros(())), ["np.sum", "out"]),
        (lambda: np.add(X, X, dtype=complex), ["np.add", "dtype"]),
        (lambda: np.sum(X, dtype="float16"), ["float16", "gc.compile"]),
        (lambda: np.hypot.reduce(X), ["np.hypot.reduce", "gc.scan"]),
        (lambda: np.log(X, where=X > 0), ["np.log", "np.where"]),
        (lambda: np.put_along_axis(X, np.array([0]), 1.0, 0), ["put_along_axis", "gc.at_set"]),
        (lambda: np.unique(X), ["np.unique", "np.where"]),
        (lambda: np.bincount(gc.observed("i", 3, kind="integer")), ["minlength="]),
        (lambda: np.polydiv(X, X), ["gc.opaque"]),
        (lambda: X.astype(complex), ["complex"]),
        (lambda: X.reshape(3, order="B"), ["'C' or 'F'"]),
        (lambda: np.busday_count(X, X), ["gc.opaque"]),
        (lambda: np.add.at(X, [0], 1), ["np.add.at"]),
        (lambda: np.nextafter(X, 0.0), ["nextafter"]),
        (lambda: np.spacing(X), ["spacing", "finfo"]),
        (lambda: np.fft.fft(X), ["fft"]),
        (lambda: np.linalg.eig(X), ["np.linalg.eig"]),
        (lambda: np.histogram(X), ["np.histogram"]),
        (lambda: np.where(X > 0), ["np.where", "three arguments"]),
        (lambda: len(S), ["'s' is a scalar"]),
        (lambda: iter(S), ["'s' is a scalar"]),
    ],
)
def test_what_only_an_array_can_do(use, words):
    with pytest.raises(UsageError) as caught:
        use()
    for word in ["test_declare.py:", *words]:
        assert word in str(caught.value)


def test_no_object_array_comes_to_be():
    for make in (lambda: np.array([X, X]), lambda: np.array([S, 2.0]), lambda: np.asarray([[S]])):
        with pytest.raises(UsageError):
            make()


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: X + np.ones(4), ["'add'", "'x' (3,)", "(4,)", "3 against 4"]),
        (lambda: X + gc.observed("n", "n"), ["'add'", "'x' (3,)", "'n' (n,)", "3 against n"]),
        (lambda: gc.observed("a", "n") * gc.observed("b", "m"), ["'multiply'", "n against m"]),
        (lambda: np.ones((2, 2)) @ X, ["'matmul'", "(2, 2)", "'x' (3,)", "2 columns against 3"]),
        (lambda: X @ S, ["'matmul'", "no scalars", "'s' ()"]),
        (lambda: np.dot(X, np.ones((4, 2))), ["'dot'", "(3,)", "(4, 2)"]),
        (lambda: np.einsum("i,i->", X, np.ones(4)), ["'einsum'", "3 against 4"]),
        (lambda: np.einsum("i,i", X), ["einsum", "'i,i'", "1 operands"]),
        (lambda: np.einsum("ij->i", X), ["einsum", "2 axes", "'x' (3,)"]),
        (lambda: np.sum(X, axis=1), ["'sum'", "axis 1", "1 axes", "'x' (3,)"]),
        (lambda: np.sum(X, axis=(0, 0)), ["'sum'", "twice"]),
        (lambda: X.reshape(2, 2), ["'reshape'", "(3,)", "(2, 2)", "3 elements against 4"]),
        (lambda: X.reshape(2, -1), ["'reshape'", "3", "2"]),
        (lambda: X.reshape(-1, -1), ["'reshape'", "only one size can be -1"]),
        (lambda: X.reshape(-3, -1), ["'reshape'", "not negative"]),
        (lambda: X.reshape(0, -1), ["'reshape'", "0"]),
        (lambda: X.reshape(1.5, 2), ["'reshape'", "1.5"]),
        (lambda: np.transpose(X, (0, 1)), ["'transpose'", "(0, 1)"]),
        (lambda: np.squeeze(X, 0), ["'squeeze'", "(3,)"]),
        (lambda: np.broadcast_to(X, (3, 2)), ["'broadcast_to'", "(3, 2)"]),
        (lambda: np.trace(X), ["'trace'", "'x' (3,)"]),
        (lambda: np.argmax(gc.observed("a", (2, 2)), axis=(0, 1)), ["'argmax'", "one axis"]),
    ],
)  # fmt: skip
def test_shape_errors_name_operation_variables_shapes_and_line(use, words):
    with pytest.raises(ShapeError) as caught:
        use()
    for word in ["test_declare.py:", *words]:
        assert word in str(caught.value), str(caught.value)


def test_the_line_is_the_user_s():
    line = test_the_line_is_the_user_s.__code__.co_firstlineno + 3
    with pytest.raises(ShapeError) as caught:
        X + np.ones(4)
    assert f"test_declare.py:{line}:" in str(caught.value)


def test_a_fault_in_a_ready_made_block_is_reported_at_the_call():
    with pytest.raises(ShapeError) as caught:
        gc.mse(X, np.ones(4))
    assert str(caught.value).startswith("test_declare.py:")
    assert ": mse: 'y' has shape (4,)" in str(caught.value)
