"""Numbers for tests: reference values, and derivatives checked against central differences."""

from itertools import product

import numpy as np

from graphc.batching import batch_nodes
from graphc.calculus import derived
from graphc.calculus.reverse import gradient
from graphc.ir.nodes import Node
from graphc.language.variable import Variable
from graphc.ops.contraction import sum_axes
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import Iota, constant, new_input
from graphc.ops.rules import evaluate
from graphc.ops.structural import reshape
from graphc.types import TensorType
from graphc.types import evaluate as sized


def value(variable, feed=None, **sizes):
    """The reference value of a variable or node (or of a list), its inputs taken from `feed`."""
    many = isinstance(variable, list | tuple)
    nodes = [v if isinstance(v, Node) else v.node for v in (variable if many else [variable])]
    leaves = {v if isinstance(v, Node) else v.node: np.asarray(x) for v, x in (feed or {}).items()}
    found = evaluate(nodes, leaves, sizes)
    return found if many else found[0]


def on_nodes(f):
    """`f`, written for variables, as a function of nodes."""
    return lambda *nodes: f(*map(Variable, nodes)).node


def inputs_like(operands, sizes=None):
    """An input for each operand, and its value: a shape (a real tensor), or an integer array."""
    rng = np.random.default_rng(len(operands))
    nodes, feed = [], {}
    for operand in operands:
        if isinstance(operand, np.ndarray):
            kind = {"i": "integer", "b": "boolean", "f": "real"}[operand.dtype.kind]
            node, held = new_input(TensorType(operand.shape, kind)), operand
        else:
            node = new_input(TensorType(tuple(operand)))
            held = rng.uniform(0.3, 1.6, [sized(d, sizes or {}) for d in operand])
        nodes.append(node)
        feed[node] = held
    return nodes, feed


def central(f, x, h=1e-5):
    """The derivatives of an array-valued `f` by every element of x, to the fourth order in h."""
    x = np.asarray(x, float)
    shape = np.shape(f(x))
    result = np.zeros((*shape, *x.shape))
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = h
        near = (f(x + step) - f(x - step)) / (2 * h)
        far = (f(x + 2 * step) - f(x - 2 * step)) / (4 * h)
        result[(..., *at)] = (4 * near - far) / 3
    return result


def check_grads(f, *operands, order=2, sizes=None, rtol=2e-6):
    """Check VJP, JVP and Jacobian of `f` (from nodes to a node), and those of its gradient.

    An operand is a shape or an array; real ones are derived by.
    """
    nodes, feed = inputs_like(operands, sizes)
    _check([f(*nodes)], nodes, feed, sizes or {}, order, rtol)


def _check(outputs, nodes, feed, sizes, order, rtol):
    rng = np.random.default_rng(7)
    wrt = [node for node in nodes if node.kind == "real"]
    gradients = []
    for out in outputs:
        reference = value(out, feed, **sizes)
        assert reference.shape == tuple(sized(d, sizes) for d in out.shape), "shape inference"
        weight, tangents = new_input(TensorType(out.shape)), [new_input(x.type) for x in wrt]
        feed |= {weight: rng.normal(size=reference.shape)}
        feed |= {t: rng.normal(size=feed[x].shape) for t, x in zip(tangents, wrt, strict=True)}
        grads = gradient([out], [weight], wrt)
        jacobians = [derived.jacobian(out, x) for x in wrt]
        along = value(derived.tangent(out, wrt, tangents), feed, **sizes)
        expected_along = np.zeros_like(along)
        for x, t, g, j in zip(wrt, tangents, grads, jacobians, strict=True):
            numeric = numeric_jacobian(out, x, feed, sizes)
            assert g.shape == x.shape
            assert j.shape == (*out.shape, *x.shape)
            pulled = np.tensordot(feed[weight], numeric, feed[weight].ndim)
            close(value(g, feed, **sizes), pulled, rtol, "VJP")
            close(value(j, feed, **sizes), numeric, rtol, "Jacobian")
            expected_along += np.tensordot(numeric, feed[t], feed[t].ndim)
        close(along, expected_along, rtol, "JVP")
        gradients += grads
    if order > 1:
        _check(gradients, nodes, feed, sizes, order - 1, 10 * rtol)


def numeric_jacobian(out, x, feed, sizes):
    """The derivatives of a node by another, by differences."""
    return central(lambda a: value(out, feed | {x: a}, **sizes), feed[x])


def close(got, expected, rtol=1e-10, what=""):
    """Assert equality up to `rtol` of the largest element."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    np.testing.assert_allclose(got, expected, rtol=0, atol=rtol * scale, err_msg=what)


def check_batching(f, *operands, sizes=None, samples=3):
    """Check the batching rules below ``f(*nodes)`` against a loop, for every choice of operands."""
    nodes, feed = inputs_like(operands, sizes)
    out = f(*nodes)
    for flags in product([False, True], repeat=len(nodes)):
        if not any(flags):
            continue
        rng = np.random.default_rng(11)
        stacked, leaves = dict(feed), {}
        for node, flag in zip(nodes, flags, strict=True):
            if flag:
                leaves[node] = new_input(TensorType((samples, *node.shape), node.kind))
                # Permutations of the values: indices stay in range, samples differ.
                rows = [rng.permutation(feed[node].ravel()) for _ in range(samples)]
                stacked[leaves[node]] = np.reshape(rows, (samples, *feed[node].shape))
        new, varying, _ = batch_nodes([out], leaves, samples)
        assert out in varying
        assert new[out].shape == (samples, *out.shape)
        got = value(new[out], stacked, **(sizes or {}))
        for p in range(samples):
            one = feed | {node: stacked[leaf][p] for node, leaf in leaves.items()}
            close(got[p], value(out, one, **(sizes or {})), 1e-12, f"batched {flags}")


def scalar(node, seed=3):
    """A weighted sum of all elements: a scalar that every element has a hand in."""
    rank = node.type.rank
    for axis, dim in enumerate(node.shape):
        places = elementwise("add", as_real(Iota((), dim)), constant(0.7 * axis + seed))
        weight = reshape(elementwise("sin", places), (dim, *(1,) * (rank - axis - 1)))
        node = elementwise("multiply", node, weight)
    return sum_axes(node, range(rank))
