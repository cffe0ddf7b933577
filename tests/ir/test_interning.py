"""One object for equal nodes, different objects for what differs in kind or in sign."""

import gc
import itertools
import sys
import threading
import weakref

import numpy as np
import pytest

from graphc.ir.interning import Interned
from graphc.ir.terms import Num, Symbol
from graphc.ops.contraction import contract
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Iota, constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.structural import reshape
from graphc.types import TensorType, named

X = new_input(TensorType((2, 3)))
NUMBERS = [1, 1.0, True, 0, 0.0, -0.0, False, -1.0]


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(NUMBERS, 2)), ids=repr)
def test_constants_that_compare_equal_stay_apart(a, b):
    assert constant(a) is not constant(b)
    assert constant([a]) is not constant(a)
    assert Num(a) is not Num(b)


@pytest.mark.parametrize("a", NUMBERS, ids=repr)
def test_equal_constants_are_one(a):
    assert constant(a) is constant(a)
    assert constant(a) is constant(np.asarray(a))
    assert np.signbit(float(constant(a).value)) == np.signbit(a)
    assert Num(a) is Num(a)


def test_the_dtype_of_a_constant_is_of_no_account_but_its_kind_is():
    assert constant(np.float32(0.5)) is constant(0.5)
    assert constant(np.int8(3)) is constant(3)
    assert constant(np.array([1, 2])) is not constant(np.array([1.0, 2.0]))
    assert constant(np.array([[1.0, 2.0]])) is not constant(np.array([1.0, 2.0]))
    assert constant(np.arange(6.0).reshape(2, 3).T) is constant([[0.0, 3], [1, 4], [2, 5]])
    assert constant(float("nan")) is constant(float("nan"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: elementwise("tanh", X),
        lambda: elementwise("add", X, constant(1.0)),
        lambda: contract([X, X], [(5, 7), (6, 7)], (5, 6)),
        lambda: reduction("max", X, (1,)),
        lambda: reshape(X, (3, 2)),
        lambda: Iota((), named("n") + 1),
        lambda: Symbol("x") + Num(1),
    ],
)
def test_equal_structure_is_one_object(make):
    assert make() is make()


def test_labels_are_of_no_account():
    assert contract([X, X], [(0, 1), (2, 1)], (0, 2)) is contract([X, X], [(9, 4), (3, 4)], (9, 3))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (elementwise("tanh", X), elementwise("sin", X)),
        (reduction("max", X, (0,)), reduction("max", X, (1,))),
        (reduction("max", X, (0,)), reduction("min", X, (0,))),
        (elementwise("subtract", X, constant(1.0)), elementwise("subtract", constant(1.0), X)),
        (reshape(X, (3, 2)), contract([X], [(0, 1)], (1, 0))),
        (Iota((), 3), Iota((), named("n"))),
    ],
)
def test_different_structure_is_two_objects(a, b):
    assert a is not b


def test_inputs_are_by_declaration():
    first, second = new_input(TensorType((2,))), new_input(TensorType((2,)))
    assert first is not second
    assert elementwise("tanh", first) is not elementwise("tanh", second)


def test_shared_structure_costs_no_more_than_its_nodes():
    node = X
    for _ in range(200):  # as a tree: 2**200 nodes
        node = elementwise("multiply", node, node)
    again = X
    for _ in range(200):
        again = elementwise("multiply", again, again)
    assert again is node


def test_dead_nodes_leave_the_table():
    made = elementwise("tanh", new_input(TensorType((7,))))
    dead = weakref.ref(made)
    size = len(Interned.table)
    del made
    gc.collect()
    assert dead() is None
    assert len(Interned.table) < size


def test_the_identity_of_a_dead_node_confuses_nobody():
    """Keys hold identities: when one is used anew, it must not find what the dead node left."""
    seen = set()
    reused = 0
    for i in range(3000):
        leaf = constant(float(i))
        made = elementwise("tanh", leaf)
        assert made.args[0] is leaf
        assert made.args[0].value == i
        reused += id(leaf) in seen
        seen.add(id(leaf))
    assert reused, "the test needs identities to come back"


def test_threads_get_one_object():
    """Objects that die and come back all the time, made by several threads at once."""
    count, rounds = 4, 3000
    leaf, found, several = new_input(TensorType((3,))), [None] * count, []
    meet = threading.Barrier(count)

    def work(place):
        for i in range(rounds):
            meet.wait(60)
            found[place] = elementwise("tanh", leaf if i % 2 else constant(float(i)))
            meet.wait(60)
            if place == 0 and len({id(node) for node in found}) > 1:
                several.append(i)
            meet.wait(60)
            found[place] = None

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not several


def test_nodes_are_frozen():
    with pytest.raises(AttributeError):
        X.args = ()
    with pytest.raises((AttributeError, TypeError)):
        X.colour = "red"
    with pytest.raises(ValueError, match="read-only"):
        constant([1.0]).value[0] = 2
