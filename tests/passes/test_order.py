"""Jacobians and Hessians keep their structure: products in them are taken in a cheap order."""

import numpy as np
import pytest

import graphc as gc
from graphc.ir.nodes import topological
from graphc.ops.contraction import contract, identity
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant, new_input
from graphc.ops.signs import nonnegative
from graphc.ops.structural import reshape
from graphc.passes.order import order
from graphc.passes.ordering import cheapest, pair_cost
from graphc.passes.simplify import simplify
from graphc.types import TensorType, count, size_of
from tests.numerics import close, inputs_like, value

N, H, M, P = 40, 30, 5, 60
x, v, b = gc.observed("x", N), gc.observed("v", N), gc.observed("b", H)
A, W1, W2 = gc.observed("A", (N, N)), gc.observed("W1", (H, N)), gc.observed("W2", (M, H))
X, y, V = gc.observed("X", (P, N)), gc.observed("y", P), gc.observed("V", (H, N))
t, T = gc.observed("t", M), gc.observed("T", (P, M))
ALL = (x, v, b, A, W1, W2, X, y, V, t, T)
RNG = np.random.default_rng(0)
FEED = {i: RNG.normal(size=i.shape) / 3 for i in ALL}
net = np.sum((W2 @ np.tanh(W1 @ x) - t) ** 2)
batch = np.mean(np.sum((np.tanh(X @ W1.T) @ W2.T - T) ** 2, axis=1))
logistic = np.sum(gc.softplus(-y * (X @ x)))
scores = np.tanh(X @ W1.T) @ W2.T
entropy = np.mean(gc.logsumexp(scores, axis=1) - scores[:, 0])

# An expression, and the largest number of elements that anything on the way to it may have.
LARGEST = {
    "Jacobian of a function element by element, times a vector": (
        lambda: gc.jacobian(np.tanh(x), x) @ v, N),
    "the same from the left": (lambda: v @ gc.jacobian(np.tanh(x) / (1 + x * x), x), N),
    "Jacobian of a softmax, times a vector": (lambda: gc.jacobian(gc.softmax(x), x) @ v, N),
    "Hessian of a quadratic form, times a vector": (lambda: gc.hessian(x @ A @ x, x) @ v, N * N),
    "Hessian of a sum of functions, times a vector": (
        lambda: gc.hessian(np.sum(np.sin(x) * x), x) @ v, N),
    "Hessian of logistic regression": (lambda: gc.hessian(logistic, x), P * N),
    "Hessian of logistic regression, times a vector": (
        lambda: gc.hessian(logistic, x) @ v, P * N),
    "Hessian of a net by its input": (lambda: gc.hessian(net, x), N * N),
    "Hessian of a net by its input, times a vector": (lambda: gc.hessian(net, x) @ v, H * N),
    "Hessian of a net by its weights, times a matrix": (
        lambda: np.einsum("aibj,bj->ai", gc.hessian(batch, W1), V), P * N),
    "Hessian of a net by its weights": (lambda: gc.hessian(batch, W1), (H * N) ** 2),
    "Hessian of a classifier by its last weights": (
        lambda: gc.hessian(entropy, W2), max((M * H) ** 2, P * M * H)),
    "diagonal of a Hessian": (
        lambda: np.einsum("ii->i", gc.hessian(logistic, x)), P * N),
    "trace of a Hessian": (lambda: np.trace(gc.hessian(net, x)), max(H * N, M * N)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGEST)
def test_nothing_larger_is_filled_in(name):
    make, largest = LARGEST[name]
    wanted = make()
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-4)):
        compiled = gc.compile_function(ALL, [wanted], dtype=dtype)
        got = compiled(*FEED.values())[0]
        close(got, value(wanted, FEED), tolerance)
    nodes = topological(compiled.model.program.outputs)
    sizes = {count(size_of(node.shape), {}) for node in nodes if node.args}
    assert max(sizes) <= largest


def test_a_weight_that_cannot_be_negative_is_given_to_both_sides():
    """XᵀDX is made of one array and its transpose, which BLAS computes half of."""
    source = gc.compile_function([x, X, y], gc.hessian(logistic, x)).source
    assert "sqrt" in source
    (product,) = [line for line in source.splitlines() if ".T.dot(" in line]
    left, right = product.split("= ")[1].rstrip(")").split(".T.dot(")
    assert left == right


def test_the_hessian_of_a_quadratic_form_is_two_transposes():
    source = gc.compile_function([x, A], gc.hessian(x @ A @ x, x)).source
    assert "A + A.T" in source
    assert ".dot(" not in source


def real(*shape):
    return new_input(TensorType(shape))


def test_what_others_use_stays():
    """A product that is used twice is computed once."""
    nodes, feed = inputs_like([(4, 4), (4,), (4,)])
    a, d, u = nodes
    scaled = elementwise("multiply", a, d)
    outputs = (scaled, contract((scaled, u), ((0, 1), (1,)), (0,)))
    done = after(order, nodes, outputs)
    assert done == outputs
    close(value(list(done), feed)[1], value(list(outputs), feed)[1])


def after(step, inputs, outputs):
    from graphc.ir.program import Program

    return step(Program(tuple(inputs), tuple(outputs))).outputs


@pytest.mark.parametrize("dims", [(2, 50, 3, 50), (50, 2, 50, 3), (7, 7, 7, 7)])
def test_a_chain_of_matrices_in_the_order_of_least_work(dims):
    sizes = dict(enumerate(dims))
    operands = [(str(i), (i, i + 1)) for i in range(3)]
    cost, tree = cheapest(operands, (0, 3), sizes)
    f = frozenset
    left = pair_cost(f({0, 1}), f({1, 2}), f({0, 2}), sizes)
    left += pair_cost(f({0, 2}), f({2, 3}), f({0, 3}), sizes)
    right = pair_cost(f({1, 2}), f({2, 3}), f({1, 3}), sizes)
    right += pair_cost(f({0, 1}), f({1, 3}), f({0, 3}), sizes)
    assert cost == min(left, right)
    assert tree in (((0, 1), 2), (0, (1, 2)))


@pytest.mark.parametrize("count_", [2, 5, 9])
def test_many_operands(count_):
    """The search is greedy above a few operands, and right all the same."""
    shapes = [(3, 4) if i % 2 == 0 else (4, 3) for i in range(count_)]
    nodes, feed = inputs_like(shapes)
    whole = contract(nodes, [(i, i + 1) for i in range(count_)], (0, count_))
    expected = np.linalg.multi_dot([feed[node] for node in nodes])
    close(value(after(lambda p: order(simplify(p)), nodes, [whole])[0], feed), expected, 1e-12)


s = real(4)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (elementwise("square", s), True),
        (elementwise("exp", s), True),
        (s, False),
        (constant(2.0), True),
        (constant(-2.0), False),
        (constant([1.0, 2.0]), True),
        (constant([1.0, -2.0]), False),
        (elementwise("multiply", elementwise("exp", s), elementwise("sigmoid", s)), True),
        (elementwise("multiply", elementwise("exp", s), s), False),
        (elementwise("subtract", constant(1.0), elementwise("sigmoid", s)), True),
        (elementwise("subtract", constant(1.0), elementwise("square", elementwise("tanh", s))),
         True),
        (elementwise("subtract", constant(1.0), elementwise("square", s)), False),
        (elementwise("subtract", constant(0.5), elementwise("sigmoid", s)), False),
        (elementwise("sign", s), False),
        (elementwise("real", elementwise("greater", s, s)), True),
        (elementwise("real", new_input(TensorType((4,), "integer"))), False),
        (contract((elementwise("exp", s),), ((0,),), ()), True),
        (reshape(elementwise("relu", s), (2, 2)), True),
    ],
)  # fmt: skip
def test_signs(node, expected):
    assert nonnegative(node) is expected


DIAGONALS = [
    lambda d, a, s, m: elementwise("multiply", d, a),
    lambda d, a, s, m: elementwise("multiply", a, d),
    lambda d, a, s, m: elementwise("multiply", d, s),
    lambda d, a, s, m: elementwise("multiply", reshape(s, (3, 1)), d),
    lambda d, a, s, m: elementwise("divide", d, s),
    lambda d, a, s, m: elementwise("negative", d),
    lambda d, a, s, m: elementwise("add", d, elementwise("multiply", d, s)),
    lambda d, a, s, m: elementwise("multiply", d, d),
    lambda d, a, s, m: elementwise("multiply", reshape(d, (3, 1, 3)), m),
    lambda d, a, s, m: elementwise("multiply", d, reshape(m, (2, 3, 1))),
    lambda d, a, s, m: reshape(d, (1, 3, 1, 3)),
]


@pytest.mark.parametrize("make", DIAGONALS, ids=range(len(DIAGONALS)))
def test_products_stay_on_a_diagonal(make):
    """Nothing is filled in: what comes out still repeats a label."""
    nodes, feed = inputs_like([(3,), (3, 3), (3,), (2, 3)])
    u, a, s_, m = nodes
    for d in (contract((u,), ((0,),), (0, 0)), identity(3)):
        before = make(d, a, s_, m)
        (done,) = after(simplify, nodes, [before])
        close(value(done, feed), value(before, feed), 1e-15)
        assert len(set(done.output)) < len(done.output)
