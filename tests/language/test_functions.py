"""Blocks: inputs, parameters, options, sharing, nesting, several outputs."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import KindError, NamingError, ShapeError, UsageError
from tests.numerics import value


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n", init="glorot"), b=gc.Parameter("m")):
    """A layer."""
    return np.tanh(w @ z + b)


@gc.function
def scaled(z, factor=2.0, *, shift=0.0):
    return factor * z + shift


@gc.function
def both(z):
    return np.sin(z), np.cos(z)


@gc.function
def gate(z=gc.Input("... n"), u=gc.Input("k"), *, w=gc.Parameter("n k"), power: int):
    return z * (w @ u) ** power


X = gc.observed("x", shape=4)


class TestParameters:
    def test_known_after_the_first_call(self):
        f = layer(m=3, name="f")
        for name in ("w", "b"):
            with pytest.raises(UsageError) as caught:
                getattr(f, name)
            for word in ["test_functions.py:", "block 'f'", f"'{name}'", "call the block first"]:
                assert word in str(caught.value)
        z = f(X)
        assert (z.shape, f.w.shape, f.b.shape) == ((3,), (3, 4), (3,))
        assert f.w.role == f.b.role == "parameter"
        assert f.w.declaration.init == "glorot"
        assert f.b.declaration.init is None

    def test_known_at_once_where_all_sizes_are_given(self):
        f = layer(m=3, n=4)
        w = f.w
        assert w.shape == (3, 4)
        f(X)
        assert f.w is w

    def test_no_such_attribute(self):
        with pytest.raises(AttributeError, match="'v'"):
            layer(m=3).v  # noqa: B018
        assert not hasattr(layer(m=3), "v")

    def test_value(self):
        f = layer(m=3)
        z = f(X)
        feed = {X: np.ones(4), f.w: np.arange(12.0).reshape(3, 4) / 9, f.b: np.ones(3)}
        got = value(z, feed)
        np.testing.assert_allclose(got, np.tanh(feed[f.w] @ feed[X] + 1), rtol=1e-14)

    def test_sizes_by_name(self):
        f = layer(m="hidden", name="f")
        z = f(gc.observed("z", shape="inputs"))
        assert str(z.shape) == "(hidden,)"
        assert str(f.w.shape) == "(hidden, inputs)"

    def test_a_literal_size(self):
        @gc.function
        def triple(z, *, a=gc.Parameter("3")):
            return a * z

        f = triple()
        assert f.a.shape == (3,)

    def test_sharing_by_calling_twice(self):
        f = layer(m=4, name="f")
        z = f(f(X))
        net = gc.Graph(z)
        assert [net.name_of(p) for p in net.parameters] == ["f_w", "f_b"]
        assert [use.name for use in net.functions] == ["f", "f"]
        assert [net.name_of(use.outputs[0]) for use in net.functions] == ["f_out", "f_out_2"]
        feed = {X: np.ones(4), f.w: np.eye(4) / 2, f.b: np.zeros(4)}
        np.testing.assert_allclose(value(z, feed), np.tanh(np.tanh(np.ones(4) / 2) / 2))

    def test_not_shared_between_blocks(self):
        f, g = layer(m=4), layer(m=4)
        z = g(f(X))
        assert f.w is not g.w
        assert len(gc.Graph(z).parameters) == 4

    def test_order_is_that_of_declaration(self):
        f = layer(m=3, name="f")
        a = gc.parameter("a", shape=3)
        z = a * f(X)
        net = gc.Graph(z)
        assert [net.name_of(p) for p in net.parameters] == ["a", "f_w", "f_b"]

    def test_only_when_an_option_is_set(self):
        assert gc.Linear(3, in_features=4, bias=False).b is None
        f = gc.Linear(3, bias=False)
        assert len(gc.Graph(f(X)).parameters) == 1
        assert f.b is None
        assert gc.Linear(3, in_features=4).b.shape == (3,)

    def test_sizes_are_products_quotients_and_elements_of_options(self):
        @gc.function
        def shaped(
            z=gc.Input("n ..."),
            *,
            k,
            size=(5,),
            a=gc.Parameter("k[1] n/2"),
            b=gc.Parameter("4*n k[0]*3"),
            c=gc.Parameter("*size"),
        ):
            return z

        f = shaped((2, 3), size=(6, 7))
        f(X)
        assert (f.a.shape, f.b.shape, f.c.shape) == ((3, 2), (16, 6), (6, 7))
        f = shaped("k")
        f(gc.observed("q", shape=(2, "t")))
        assert [str(v.shape) for v in (f.a, f.b, f.c)] == ["(k, 1)", "(8, 3*k)", "(5,)"]

    def test_init_by_name(self):
        f = layer(m=3, n=4, init={"w": "zeros", "b": 0.5})
        assert (f.w.declaration.init, f.b.declaration.init) == ("zeros", 0.5)
        params = gc.compile(gc.Graph(f(X))).init_params()
        np.testing.assert_array_equal(params[1], np.full(3, 0.5))

    def test_what_shapes_no_parameter_may_change_from_call_to_call(self):
        @gc.function
        def scale(z=gc.Input("n t"), *, w=gc.Parameter("n")):
            return w[:, None] * z

        f = scale()
        shapes = [f(gc.observed("q", shape=(2, t))).shape for t in (3, 4)]
        assert shapes == [(2, 3), (2, 4)]

    def test_linear_on_leading_axes(self):
        x = gc.observed("x", shape=(5, "t", 4))
        f = gc.Linear(3)
        assert str(f(x).shape) == "(5, t, 3)"
        data = np.random.default_rng(0).normal(size=(5, 2, 4))
        w = np.arange(12.0).reshape(3, 4)
        np.testing.assert_allclose(
            value(f(x), {x: data, f.w: w, f.b: np.ones(3)}, t=2), data @ w.T + 1
        )


class TestInputsAndOptions:
    def test_options_have_defaults_and_can_be_given(self):
        x = np.arange(4.0)
        for made, expected in [
            (scaled(X), 2 * x),
            (scaled(X, 3), 3 * x),
            (scaled(X, factor=3, shift=1), 3 * x + 1),
            (scaled(X, shift=X), 3 * x),
            (scaled(z=X), 2 * x),
        ]:
            np.testing.assert_allclose(value(made, {X: x}), expected)

    def test_options_of_a_block_are_chosen_when_it_is_made(self):
        u = gc.observed("u", shape=2)
        f = gate(power=2)
        g = gate(3)
        feed = {X: np.ones(4), u: np.ones(2)}
        for block, power in [(f, 2), (g, 3)]:
            z = block(X, u)
            got = value(z, feed | {block.w: np.full((4, 2), 1.5)})
            np.testing.assert_allclose(got, np.full(4, 3.0**power))
            assert block.w.shape == (4, 2)

    def test_inputs_by_keyword(self):
        u = gc.observed("u", shape=2)
        f = gate(power=1)
        assert f(u=u, z=X).shape == (4,)

    def test_arrays_become_constants(self):
        np.testing.assert_allclose(value(scaled(np.ones(2))), [2, 2])
        assert layer(m=2)([1.0, 2.0]).shape == (2,)

    def test_several_inputs_at_once(self):
        @gc.function
        def total(*terms):
            return sum(terms[1:], terms[0])

        made = total(X, X, 2 * X)
        np.testing.assert_allclose(value(made, {X: np.ones(4)}), np.full(4, 4.0))

    def test_an_optional_input(self):
        @gc.function
        def plus(z, shift=gc.Input("n", optional=True)):
            return z if shift is None else z + shift

        assert len(plus(X).call.inputs) == 1
        assert len(plus(X, gc.observed("s", shape=4)).call.inputs) == 2

    def test_equal_names_are_equal_sizes(self):
        @gc.function
        def dot(a=gc.Input("n"), b=gc.Input("n")):
            return a @ b

        assert dot(X, X).shape == ()
        with pytest.raises(ShapeError, match=r"expects an input of shape \(4,\), got \(3,\)"):
            dot(X, np.ones(3))

    def test_a_failed_call_teaches_a_block_nothing(self):
        @gc.function
        def weighted(a=gc.Input("n"), b=gc.Input("n"), *, w=gc.Parameter("n")):
            return (w * a) @ b

        f = weighted()
        with pytest.raises(ShapeError):
            f(X, np.ones(3))
        assert f(gc.constant(np.ones(3)), np.ones(3)).shape == ()
        assert f.w.shape == (3,)


class TestOutputs:
    def test_names(self):
        assert layer(m=2)(X, output="z1").name == "z1"
        s, c = both(X, output=("s", "c"))
        assert (s.name, c.name) == ("s", "c")
        net = gc.Graph(*both(X, name="b"))
        assert [net.name_of(v) for v in net.roots] == ["b_out1", "b_out2"]
        np.testing.assert_allclose(value(c, {X: np.ones(4)}), np.cos(np.ones(4)))

    def test_one_call_of_several_outputs_is_one_function(self):
        s, c = both(X)
        net = gc.Graph(s, c)
        assert len(net.functions) == 1
        assert net.functions[0].outputs == (s, c)

    def test_one_of_several_outputs(self):
        s, c = both(X)
        net = gc.Graph(gc.cost(s.sum()))
        assert any(v is s for v in net.variables)
        assert not any(v is c for v in net.variables)
        assert net.functions[0].outputs[0] is s


class TestNesting:
    def test_inner_blocks_belong_to_the_outer_one(self):
        @gc.function
        def two(z, *, a=gc.Parameter("1")):
            return a * gc.relu(gc.tanh(z))

        net = gc.Graph(two(name="t")(X))
        assert [use.name for use in net.functions] == ["t"]
        assert [net.name_of(p) for p in net.parameters] == ["t_a"]

    def test_parameters_of_blocks_made_around(self):
        inner = layer(m=4, name="inner")

        @gc.function
        def residual(z):
            return z + inner(z)

        z = residual(X, name="r")
        net = gc.Graph(z)
        assert {net.name_of(p) for p in net.parameters} == {"r_inner_w", "r_inner_b"}
        assert [v.name for v in net.functions[0].inputs] == ["x"]

    def test_variables_taken_from_around_are_inputs(self):
        a = gc.parameter("a", shape=4)
        u = gc.observed("u", shape=4)

        @gc.function
        def shifted(z):
            return z + a * u

        z = shifted(X)
        net = gc.Graph(z)
        assert {v.name for v in net.functions[0].inputs} == {"x", "a", "u"}
        assert [net.name_of(p) for p in net.parameters] == ["a"]

    def test_an_expression_taken_from_around_is_a_variable_of_the_graph(self):
        e = 2 * X

        @gc.function
        def f(z):
            return z + e

        net = gc.Graph(f(np.ones(4)))
        assert any(v is e for v in net.variables)
        assert len(net.functions) == 2

    def test_methods_and_lambdas(self):
        class Model:
            def __init__(self):
                self.f = layer(m=2, name="f")

            def __call__(self, x):
                return self.f(x)

        assert Model()(X).shape == (2,)
        with pytest.raises(NamingError, match="<lambda>"):
            gc.function(lambda z: z)


class TestCosts:
    def test_decorated(self):
        @gc.cost
        def distance(z, y):
            return np.sum((z - y) ** 2)

        c = distance(X, np.zeros(4), name="C")
        net = gc.Graph(c)
        assert [(use.name, use.kind) for use in net.uses] == [("C", "cost")]
        assert c.shape == ()

    def test_with_parameters(self):
        @gc.cost
        def penalty(z=gc.Input("n"), *, w=gc.Parameter("n")):
            return np.sum(w * z)

        p = penalty(name="p")
        net = gc.Graph(p(X))
        assert [net.name_of(v) for v in net.parameters] == ["p_w"]

    def test_of_an_expression(self):
        z = gc.relu(X, name="r")
        c = gc.cost(np.sum(z**2), name="C", label="C_0")
        net = gc.Graph(c)
        (use,) = net.costs
        assert (use.name, use.label) == ("C", "C_0")
        assert [v is z for v in use.inputs] == [True]
        assert [use.name for use in net.functions] == ["r"]

    def test_every_program_knows_block_and_rule(self):
        net = gc.Graph(gc.cost(gc.relu(X, name="r").sum(), name="C"))
        program = net.program()
        assert {o.block for o in program.origins.values()} == {"r", "C"}


def test_documentation_stays():
    assert layer.__doc__ == "A layer."
    assert layer.__name__ == "layer"
    assert "layer" in repr(layer)
    assert "f1" in repr(layer(name="f1"))


def fails(error, words, f):
    with pytest.raises(error) as caught:
        f()
    message = str(caught.value)
    for word in words:
        assert word in message, message


Y = gc.observed("y", classes=4)


@pytest.mark.parametrize(
    ("error", "words", "f"),
    [
        (UsageError, ["layer has parameters (w, b)", "make the block first", "layer(m=...)(x)"],
         lambda: layer(X)),
        (UsageError, ["make the block first"], lambda: layer(m=3, output="z")),
        (ShapeError, ["block 'f'", "(n,)", "(2, 2)", "'q' (declared at test_functions.py:"],
         lambda: layer(m=3, name="f")(gc.observed("q", shape=(2, 2)))),
        (ShapeError, ["block 'f'", "(4,)", "(5,)", "'q'", "n = 4 since its first call"],
         lambda: [f := layer(m=3, name="f"), f(X), f(gc.observed("q", shape=5))]),
        (ShapeError, ["block 'Linear'", "(..., 5)", "(4,)", "mean Linear(..., in_features=4)"],
         lambda: gc.Linear(3, in_features=5)(X)),
        (ShapeError, ["'matmul'", "in block 'wrong'", "(3, 3)", "'x' (4,)", "test_functions.py:"],
         lambda: wrong()(X)),
        (KindError, ["block 'nll'", "integer", "'y'", "real", "'x'"], lambda: gc.nll(X, X)),
        (UsageError, ["layer has no option 'k'", "m, n"], lambda: layer(m=3, k=3)),
        (UsageError, ["scaled", "'k'"], lambda: scaled(X, k=3)),
        (UsageError, ["layer", "'m' twice"], lambda: layer(3, m=3)),
        (UsageError, ["'out_features' twice", "mean Linear(out_features=16)?"],
         lambda: gc.Linear(3, out_features=16)),
        (UsageError, ["'kernel_size' twice", "mean Conv2d(4, kernel_size=3, padding=1)?"],
         lambda: gc.Conv2d(1, 4, kernel_size=3, padding=1)),
        (UsageError, ["layer takes 1 options, got 2"], lambda: layer(3, 4)),
        (UsageError, ["gate needs the option 'power'"], lambda: gate()),
        (UsageError, ["block 'gate'", "'u'"], lambda: gate(power=2)(X)),
        (UsageError, ["block 'f'", "too many"], lambda: layer(m=3, name="f")(X, X)),
        (UsageError, ["block 'f' takes init=", "(w, b)", "'he'"],
         lambda: layer(m=3, name="f", init="he")),
        (UsageError, ["takes init=", "'v'"], lambda: layer(m=3, init={"v": "he"})),
        (ShapeError, ["grouped", "'w'", "n/groups: 4 cannot be divided by groups = 3"],
         lambda: grouped(3)(X)),
        (ShapeError, ["layer", "m", "2.5"], lambda: layer(m=2.5)),
        (ShapeError, ["layer", "m", "-1"], lambda: layer(m=-1)),
        (NamingError, ["dimension", "'2x'"], lambda: layer(m="2x")),
        (UsageError, ["has 2 outputs", "names 1"], lambda: both(X, output="a")),
        (UsageError, ["has 1 outputs", "names 2"], lambda: scaled(X, output=("a", "b"))),
        (NamingError, ["a variable cannot be called 'class'", "keyword"],
         lambda: scaled(X, output="class")),
        (NamingError, ["a block cannot be called '1f'"], lambda: layer(m=3, name="1f")),
        (ShapeError, ["a cost is a scalar", "block 'cost'", "(4,)", "np.sum"], lambda: gc.cost(X)),
        (ShapeError, ["a cost is a scalar", "block 'C'", "(4,)"], lambda: vector_cost(X, name="C")),
        (UsageError, ["the output of a cost is implicit"], lambda: scalar_cost(X, output="c")),
        (UsageError, ["scalar variable or a function", "3.0"], lambda: gc.cost(3.0)),
        (UsageError, ["parameter 'w' after a *"], lambda: gc.function(positional_parameter)),
        (UsageError, ["**options"], lambda: gc.function(hidden_options)),
        (NamingError, ["'name' is an argument that every block has"],
         lambda: gc.function(own_name)),
        (UsageError, ["init is one of glorot", "xavier"], lambda: wrong_init()),
        (UsageError, ["block 'nothing'", "None"], lambda: nothing(X)),
    ],
)  # fmt: skip
def test_bad_use(error, words, f):
    fails(error, words, f)


@gc.function
def grouped(z=gc.Input("n"), *, groups, w=gc.Parameter("n/groups")):
    return z * w[0]


@gc.function
def wrong(z, *, w=gc.Parameter("3 3")):
    return w @ z


@gc.cost
def vector_cost(z):
    return 2 * z


@gc.cost
def scalar_cost(z):
    return z.sum()


def positional_parameter(z, w=gc.Parameter("n")):
    return z


def hidden_options(z, **options):
    return z


def own_name(z, *, name="f"):
    return z


@gc.function
def wrong_init(z=gc.Input("n"), *, w=gc.Parameter("3", init="xavier")):
    return z


@gc.function
def nothing(z):
    2 * z
