"""Graphs: what belongs to them, in which order, and what it is called."""

from types import SimpleNamespace

import networkx
import numpy as np
import pytest

import graphc as gc
from graphc.errors import NamingError, UsageError
from graphc.ir.program import verify
from tests.numerics import value


@gc.function
def layer(z=gc.Input("n"), *, w=gc.Parameter("m n"), b=gc.Parameter("m")):
    return np.tanh(w @ z + b)


def model():
    """A network of two layers and two costs."""
    x = gc.observed("x", shape=4)
    y = gc.observed("y", classes=3)
    z = layer(m=5, name="f1")(x, output="z1")
    s = gc.Linear(3)(z)
    c = gc.cross_entropy(s, y, name="C")
    d = gc.cost(np.sum(z**2), name="D")
    return gc.Graph(c, d, name="net"), SimpleNamespace(x=x, y=y, z=z, s=s, c=c, d=d)


def names(graph, variables):
    return [graph.name_of(v) for v in variables]


class TestContents:
    def test_by_kind(self):
        net, m = model()
        assert names(net, net.parameters) == ["f1_w", "f1_b", "Linear1_w", "Linear1_b"]
        assert set(names(net, net.variables)) == {"x", "y", "z1", "Linear1_out", "C", "D"}
        assert names(net, net.inputs) == ["x", "y"]
        assert [use.name for use in net.functions] == ["f1", "Linear1"]
        assert [use.name for use in net.costs] == ["C", "D"]
        assert {use.name for use in net.uses} == {"f1", "Linear1", "C", "D"}
        assert net.name == "net"
        assert net.roots[0] is m.c
        assert "2 functions, 2 costs, 4 parameters" in repr(net)

    def test_uses_hold_variables_of_the_graph(self):
        net, m = model()
        first, second = net.functions
        assert first.inputs[0] is m.x
        assert first.outputs[0] is m.z
        assert second.inputs[0] is m.z
        assert list(first.parameters) == ["w", "b"]
        assert [v is e for v, e in zip(net.costs[0].inputs, (m.s, m.y), strict=True)] == [
            True,
            True,
        ]
        assert first.function == "layer"

    def test_outputs_are_the_roots_that_are_no_costs(self):
        net, m = model()
        # Both enter the costs.
        assert names(net, net.outputs) == ["Linear1_out", "z1"]
        only = gc.Graph(m.c, m.z)
        assert names(only, only.outputs) == ["z1"]
        plain = gc.Graph(m.z, m.s)
        assert names(plain, plain.outputs) == ["z1", "Linear1_out"]
        assert plain.costs == ()

    def test_order_is_that_of_the_data(self):
        x = gc.observed("x", 2)
        a, b = gc.relu(x, name="a"), gc.relu(x, name="b")
        c = gc.tanh(a + b, name="c")
        net = gc.Graph(c)
        at = [use.name for use in net.functions]
        assert at.index("c") > max(at.index("a"), at.index("b"))

    def test_inputs_are_in_order_of_declaration(self):
        a, b, c = (gc.observed(n, 2) for n in "abc")
        net = gc.Graph(gc.cost((c * b - a).sum()))
        assert names(net, net.inputs) == ["a", "b", "c"]

    def test_nothing_else_belongs_to_it(self):
        _, m = model()
        only = gc.Graph(m.d)
        assert names(only, only.parameters) == ["f1_w", "f1_b"]
        with pytest.raises(NamingError, match="'y' is not in graph 'graph'"):
            only.name_of(m.y)

    def test_latent_variables_are_inputs(self):
        h = gc.latent("h", 2)
        net = gc.Graph(gc.cost((h**2).sum()))
        assert net.inputs[0] is h

    def test_a_root_twice(self):
        c = gc.cost(gc.observed("x") ** 2, name="C")
        assert len(gc.Graph(c, c).costs) == 1

    @pytest.mark.parametrize("roots", [(), (3.0,), ("x",), ([gc.observed("x")],)])
    def test_a_graph_is_made_of_variables(self, roots):
        with pytest.raises(UsageError) as caught:
            gc.Graph(*roots)
        assert "test_graph.py:" in str(caught.value)
        assert "costs or variables" in str(caught.value)


class TestNames:
    def test_counters_follow_the_order_of_first_use(self):
        x = gc.observed("x", 2)
        late = gc.relu(gc.tanh(gc.relu(x)))
        net = gc.Graph(late)
        assert [use.name for use in net.functions] == ["relu1", "tanh1", "relu2"]
        assert net.name_of(late) == "relu2_out"

    def test_counters_pass_over_names_that_are_taken(self):
        x = gc.observed("x", 2)
        net = gc.Graph(gc.relu(gc.relu(x), name="relu1"))
        assert [use.name for use in net.functions] == ["relu2", "relu1"]

    def test_counters_belong_to_the_graph(self):
        x = gc.observed("x", 2)
        for _ in range(2):
            assert gc.Graph(gc.relu(x)).functions[0].name == "relu1"

    def test_a_shared_block_has_one_name_and_several_uses(self):
        x = gc.observed("x", 3)
        f = layer(m=3)
        net = gc.Graph(f(gc.relu(f(x))))
        assert [use.name for use in net.functions] == ["layer1", "relu1", "layer1"]
        assert names(net, net.parameters) == ["layer1_w", "layer1_b"]
        assert names(net, [use.outputs[0] for use in net.functions]) == [
            "layer1_out", "relu1_out", "layer1_out_2"
        ]  # fmt: skip

    def test_a_shared_cost(self):
        @gc.cost
        def penalty(z=gc.Input("n"), *, w=gc.Parameter("n")):
            return (w * z).sum()

        x = gc.observed("x", 3)
        p = penalty(name="p")
        net = gc.Graph(p(x), p(2 * x))
        assert names(net, net.roots) == ["p", "p_2"]

    def test_bare_expressions_become_functions(self):
        x = gc.observed("x", 3)
        z = np.tanh(2 * x + 1)
        net = gc.Graph(gc.relu(z))
        assert [use.name for use in net.functions] == ["tanh1", "relu1"]
        assert [v.name for v in net.functions[0].inputs] == ["x"]

    def test_a_free_parameter_keeps_its_name(self):
        a = gc.parameter("a", 3)
        net = gc.Graph(gc.relu(a * gc.observed("x", 3)))
        assert names(net, net.parameters) == ["a"]


class TestNetworkx:
    def test_ports(self):
        @gc.function
        def minus(a, b):
            return a - b, a + b

        x, y = gc.observed("x", 2), gc.observed("y", 2)
        d, s = minus(y, x, name="m", output=("d", "s"))
        g = gc.Graph(d, s, name="g").nx
        assert isinstance(g, networkx.MultiDiGraph)
        block = ("function", "m", 0)
        ports = {(u[1], v[1]): p for u, v, p in g.edges(data="port")}
        assert ports == {("y", "m"): 0, ("x", "m"): 1, ("m", "d"): 0, ("m", "s"): 1}
        assert g.nodes[block]["kind"] == "function"
        assert {n[1]: data["kind"] for n, data in g.nodes(data=True) if n[0] == "variable"} == {
            "x": "observed", "y": "observed", "d": "computed", "s": "computed"
        }  # fmt: skip

    def test_the_same_variable_at_two_ports(self):
        x = gc.observed("x", 2)

        @gc.function
        def product(a, b):
            return a * b

        g = gc.Graph(product(x, x, name="p")).nx
        assert sorted(p for _, _, p in g.in_edges(("function", "p", 0), data="port")) == [0, 1]

    def test_parameters_and_costs(self):
        net, _ = model()
        g = net.nx
        assert networkx.is_directed_acyclic_graph(g)
        assert g.nodes["variable", "f1_w"]["kind"] == "parameter"
        assert g.nodes["function", "C", 0]["kind"] == "cost"
        assert g.has_edge(("variable", "f1_w"), ("function", "f1", 0))
        assert g.has_edge(("function", "C", 0), ("variable", "C"))

    def test_uses_of_a_shared_block(self):
        f = layer(m=3, name="f")
        g = gc.Graph(f(f(gc.observed("x", 3)))).nx
        assert {n for n in g if n[0] == "function"} == {("function", "f", 0), ("function", "f", 1)}
        assert networkx.is_directed_acyclic_graph(g)


class TestProgram:
    def test_inputs_and_outputs(self):
        net, _ = model()
        program = verify(net.program())
        assert [program.names[node] for node in program.inputs] == [
            "x", "y", "f1_w", "f1_b", "Linear1_w", "Linear1_b"
        ]  # fmt: skip
        assert [program.names[node] for node in program.outputs] == ["C", "D", "Linear1_out", "z1"]

    def test_every_node_has_the_block_that_made_it(self):
        net, m = model()
        program = net.program()
        inner = [node for node in program.nodes() if node.args]
        blocks = [program.origins[node].block for node in inner]
        assert set(blocks) == {"f1", "Linear1", "C", "D"}
        assert program.origins[m.z.node].block == "f1"
        assert program.origins[m.s.node].block == "Linear1"

    def test_values(self):
        net, m = model()
        rng = np.random.default_rng(0)
        feed = {v: rng.normal(size=v.shape) for v in (m.x, *net.parameters)} | {m.y: 1}
        w1, b1, w2, b2 = (feed[v] for v in net.parameters)
        hidden = np.tanh(w1 @ feed[m.x] + b1)
        scores = w2 @ hidden + b2
        expected = np.log(np.exp(scores).sum()) - scores[1], (hidden**2).sum()
        np.testing.assert_allclose(value(list(net.program().outputs[:2]), feed), expected)


def test_a_chain_of_5000_blocks():
    x = gc.observed("x", 2)
    z = x
    for _ in range(5000):
        z = gc.tanh(z)
    net = gc.Graph(gc.cost(z.sum(), name="C"))
    assert len(net.functions) == 5000
    assert net.functions[-1].name == "tanh5000"
    program = verify(net.program())
    assert len(program.nodes()) == 5002
    g = gc.grad(net.roots[0], x)
    got = value(g, {x: np.array([1e-9, 0.0])})
    np.testing.assert_allclose(got, [1, 1], rtol=1e-10)
    assert len(net.nx) == 10003


def test_a_cost_in_a_cost_has_its_part_in_that_alone():
    x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3, init="ones")
    parts = gc.mse(w @ x, 0.0, name="fit"), gc.l2_penalty(w, name="size")
    whole = gc.cost(parts[0] + 0.1 * parts[1], name="C")
    data = {"x": np.ones((2, 3))}
    for roots, costs, expected in [
        ((whole,), ["C"], 9.3),
        ((whole, parts[0]), ["fit", "C"], 18.3),  # a root counts, and is what one asks for
        ((whole, 2.0 * whole), ["C"], 9.3),
        (parts, ["fit", "size"], 12.0),
    ]:
        net = gc.Graph(*roots)
        assert [use.name for use in net.costs] == costs
        program = gc.compile(net)
        assert program.loss(program.init_params(), **data) == pytest.approx(expected)
    bare = gc.compile(gc.Graph(parts[0] + 0.1 * parts[1]))
    assert bare.forward(bare.init_params(), **data) == pytest.approx([9.3, 9.3])
    with pytest.raises(gc.CompileError, match="has no cost"):
        bare.loss(bare.init_params(), **data)
