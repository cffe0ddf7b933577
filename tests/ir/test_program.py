"""Programs: text form, verifier, and the rewrite driver."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from graphc.calculus.reverse import gradient
from graphc.errors import GraphcError
from graphc.ir.nodes import topological
from graphc.ir.program import (
    Origin,
    Program,
    attributes,
    rewrite,
    rewrite_nodes,
    substitute,
    text,
    users,
    verify,
    with_args,
)
from graphc.ops.contraction import contract
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.structural import Slice
from graphc.passes.pipeline import run
from graphc.types import TensorType, named
from tests.numerics import value


def small():
    """A layer and the largest of its results."""
    x = new_input(TensorType((named("n"),)))
    w = new_input(TensorType((2, named("n"))))
    s = elementwise("add", contract([w, x], [(0, 1), (1,)], (0,)), constant(1.0))
    top = reduction("max", s, (0,))
    return Program((x, w), (top, s), {x: "x", w: "w", s: "s"}, {s: Origin("f1"), top: Origin("C")})


def test_text():
    assert text(small()) == textwrap.dedent("""\
        input %x : real (n,)
        input %w : real (2, n)
        %2 = contraction(%w, %x, inputs=((0, 1), (1,)), output=(0,), extents=()) : real (2,)
        %3 = constant(data=b'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?', declared=real ()) : real ()
        %s = elementwise(%2, %3, function=add) : real (2,)  # f1: forward
        %5 = reduction(%s, function=max, axes=(0,)) : real ()  # C: forward
        return %5, %s
        """)


def test_text_does_not_depend_on_what_was_made_before():
    first = text(small())
    [new_input(TensorType(())) for _ in range(10)]
    assert text(small()) == first


MODEL = """
import numpy as np
import graphc as gc
from graphc.ir.program import text
from graphc.passes.pipeline import run

x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
f = gc.Linear(5, name="f")
s = gc.Linear(3)(np.tanh(f(x)))
net = gc.Graph(gc.cross_entropy(s, y, name="C"), gc.cost(np.sum(s**2), name="D"))
w = [gc.grad(gc.cross_entropy(s, y), v) for v in net.parameters]
print(text(net.program(w)), text(run(net.program(w))))
"""


def test_text_is_the_same_in_every_process():
    texts = set()
    root = str(Path(__file__).parents[2])
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": root}
        done = subprocess.run(
            [sys.executable, "-c", MODEL], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    (only,) = texts
    assert "contraction" in only


def test_topological_order():
    x = new_input(TensorType((2,)))
    a = elementwise("tanh", x)
    b = elementwise("multiply", a, x)
    c = elementwise("add", a, b)
    assert topological([c]) == [x, a, b, c]
    assert topological([c, b, c]) == [x, a, b, c]
    assert topological([c], stop=[a]) == [a, x, b, c]
    assert users([b, c]) == {a: 2, x: 1, b: 1}


def test_with_args_keeps_what_else_a_node_holds():
    x, y = new_input(TensorType((3, 2))), new_input(TensorType((3, 2)))
    node = Slice((x,), ((0, 2, 1), (1, 1, 1)))
    assert attributes(node) == (((0, 2, 1), (1, 1, 1)),)
    assert with_args(node, (y,)) is Slice((y,), ((0, 2, 1), (1, 1, 1)))
    assert with_args(node, (x,)) is node


class TestVerify:
    def test_a_good_program_is_returned(self):
        program = small()
        assert verify(program) is program

    def test_an_input_that_nobody_gives(self):
        x, y = new_input(TensorType((2,))), new_input(TensorType((3,)))
        program = Program((x,), (elementwise("tanh", y),), {y: "y"})
        with pytest.raises(GraphcError, match=r"Input y : real \(3,\) is used, but not an input"):
            verify(program)

    def test_a_type_that_the_rule_does_not_give(self):
        node = elementwise("tanh", new_input(TensorType((2,))))
        object.__setattr__(node, "type", TensorType((3,)))
        with pytest.raises(GraphcError, match=r"Elementwise : .* has a type that its rule"):
            verify(Program((node.args[0],), (node,)))

    def test_a_node_that_is_not_interned(self):
        x = new_input(TensorType((2,)))
        known = elementwise("tanh", x)
        twin = type.__call__(Elementwise, (x,), "tanh")
        assert twin is not known
        with pytest.raises(GraphcError, match=r"Elementwise .* is not interned"):
            verify(Program((x,), (twin,)))

    def test_a_fault_below_the_outputs_is_found(self):
        x = new_input(TensorType((2,)))
        node = elementwise("tanh", x)
        object.__setattr__(node, "type", TensorType((2,), "integer"))
        top = type.__call__(Elementwise, (x, x), "add")
        object.__setattr__(top, "args", (node, node))
        with pytest.raises(GraphcError):
            verify(Program((x,), (top,)))

    def test_the_pipeline_says_which_pass_changed_the_interface(self):
        def faulty(p):
            return Program((), p.outputs, p.names)

        with pytest.raises(GraphcError, match="faulty changed the program's interface"):
            run(small(), (faulty,))

    def test_the_pipeline_says_which_pass_broke_a_node(self):
        def sound(p):
            return p

        def faulty(p):
            stranger = new_input(p.outputs[0].type)
            return Program(p.inputs, (stranger, *p.outputs[1:]), p.names)

        with pytest.raises(GraphcError, match=r"after the pass faulty: .* used, but not an input"):
            run(small(), (sound, faulty, sound))


def is_call(node, function):
    return isinstance(node, Elementwise) and node.function == function


def sine_for_tanh(node):
    return elementwise("sin", node.args[0]) if is_call(node, "tanh") else None


class TestRewrite:
    def test_names_and_origins_follow(self):
        x = new_input(TensorType((2,)))
        z = elementwise("tanh", x)
        y = elementwise("multiply", z, z)
        program = Program((x,), (y, z), {x: "x", z: "z"}, {z: Origin("f"), y: Origin("g")})
        done = rewrite(program, sine_for_tanh)
        sine = elementwise("sin", x)
        square = elementwise("multiply", sine, sine)
        assert done.outputs == (square, sine)
        assert dict(done.names) == {x: "x", sine: "z"}
        assert done.origins[sine] == Origin("f")
        assert done.origins[square] == Origin("g")
        assert done.inputs == program.inputs

    def test_what_a_rule_builds_below_its_result_has_the_origin_too(self):
        x = new_input(TensorType((2,)))
        z = elementwise("tanh", x)

        def twice(node):
            if not is_call(node, "tanh"):
                return None
            return elementwise("negative", elementwise("sin", node.args[0]))

        done = rewrite(Program((x,), (z,), {}, {z: Origin("f")}), twice)
        assert done.origins[elementwise("sin", x)] == Origin("f")

    def test_an_input_keeps_its_name_when_nothing_needs_it(self):
        x, y = new_input(TensorType((2,))), new_input(TensorType((2,)))
        program = Program((x, y), (elementwise("tanh", x),), {x: "x", y: "y"})
        assert rewrite(program, sine_for_tanh).names[y] == "y"

    def test_rules_apply_until_none_does(self):
        x = new_input(TensorType(()))
        node = x
        for _ in range(5):
            node = elementwise("negative", node)

        def pair(node):
            if is_call(node, "negative") and is_call(node.args[0], "negative"):
                return node.args[0].args[0]
            return None

        assert rewrite(Program((x,), (node,)), pair).outputs == (elementwise("negative", x),)

    def test_rules_see_operands_that_are_done(self):
        x = new_input(TensorType(()))
        seen = []

        def rule(node):
            seen.append(node)
            return sine_for_tanh(node)

        tanh = elementwise("tanh", x)
        rewrite(Program((x,), (elementwise("exp", tanh),)), rule)
        assert elementwise("exp", elementwise("sin", x)) in seen
        assert elementwise("exp", tanh) not in seen

    def test_the_stop_stays(self):
        x = new_input(TensorType(()))
        inner = elementwise("tanh", x)
        outer = elementwise("tanh", inner)
        new, _ = rewrite_nodes([outer], [sine_for_tanh], stop=[inner])
        assert new[outer] is elementwise("sin", inner)

    def test_a_graph_without_a_fitting_node_is_the_same_object(self):
        program = small()
        assert rewrite(program, sine_for_tanh).outputs == program.outputs

    def test_substitute(self):
        x, y = new_input(TensorType((2,))), new_input(TensorType((2,)))
        z = elementwise("tanh", x)
        both = elementwise("add", x, y)
        (done,) = substitute([z], {x: both})  # what is put in holds the key: it is put in once
        assert done is elementwise("tanh", both)


DEPTH = 6000


def chain(x, function="tanh"):
    node = x
    for _ in range(DEPTH):
        node = elementwise(function, node)
    return node


def test_deep_chains_need_no_recursion():
    x = new_input(TensorType(()))
    program = Program((x,), (chain(x),))
    assert len(topological(program.outputs)) == DEPTH + 1
    assert rewrite(program, sine_for_tanh).outputs == (chain(x, "sin"),)
    assert len(text(verify(program)).splitlines()) == DEPTH + 2
    assert value(chain(x, "negative"), {x: 2.0}) == 2.0


def test_a_deep_chain_is_put_in_for_an_input():
    x, y = new_input(TensorType(())), new_input(TensorType(()))
    (done,) = substitute([elementwise("exp", x)], {x: chain(y)})
    assert done is elementwise("exp", chain(y))


def test_a_deep_chain_runs_through_the_pipeline_and_backwards():
    x = new_input(TensorType(()))
    grads = gradient([chain(x, "sin")], [constant(1.0)], [x])
    done = run(Program((x,), tuple(grads)))
    assert value(done.outputs[0], {x: 0.0}) == 1.0
