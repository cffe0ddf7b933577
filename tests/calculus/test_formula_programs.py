"""Two routes to every derivative: formulas of random programs against the code route."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.calculus import derived
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.calculus.formulas import backward, forward, hessian, jacobian
from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import topological
from graphc.ops.contraction import contract, full
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.indexing import Gather
from graphc.ops.leaves import Iota, Size, constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.rules import evaluate
from graphc.ops.structural import Slice, reshape
from graphc.types import TensorType, size_of

UNARY = (
    *("tanh", "sigmoid", "relu", "exp", "softplus", "log_sigmoid", "square", "negative"),
    *("sin", "arctan", "absolute"),
)
BINARY = ("add", "subtract", "multiply", "maximum", "minimum")
REDUCERS = ("max", "min", "logsumexp", "softmax", "log_softmax", "prod")


class Builder:
    """A random program, from a seed."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.values, self.names = [], {}, {}
        for name in "abc":
            node = new_input(TensorType(self.shape()))
            self.values[node] = self.rng.uniform(0.3, 1.5, node.shape)
            self.names[node] = name
            self.nodes.append(node)
        self.places = new_input(TensorType(self.shape(1), "integer"))
        self.values[self.places] = self.rng.integers(0, 2, self.places.shape)
        self.names[self.places] = "y"

    def shape(self, most=2):
        return tuple(int(d) for d in self.rng.integers(2, 4, self.rng.integers(0, most + 1)))

    def pick(self):
        # The latest nodes more often, so that programs grow deep.
        weights = np.arange(1, len(self.nodes) + 1, dtype=float) ** 2
        return self.nodes[self.rng.choice(len(self.nodes), p=weights / weights.sum())]

    def step(self):
        rule = self.rng.choice(
            ["unary", "binary", "contract", "reduce", "reshape", "slice", "gather", "where", "leaf",
             "quotient"]
        )  # fmt: skip
        node = getattr(self, rule)()
        if node.kind == "real" and node.type.rank <= 3 and int(size_of(node.shape)) <= 30:
            self.nodes.append(node)
            if self.rng.random() < 0.5:
                self.names.setdefault(node, f"n{len(self.nodes)}")

    def unary(self):
        return elementwise(str(self.rng.choice(UNARY)), self.pick())

    def binary(self):
        return elementwise(str(self.rng.choice(BINARY)), self.pick(), self.pick())

    def quotient(self):
        below = elementwise("add", elementwise("square", self.pick()), constant(1.0))
        function = self.rng.choice(["reciprocal", "sqrt", "log", "divide"])
        if function == "divide":
            return elementwise("divide", self.pick(), below)
        return elementwise(str(function), below)

    def contract(self):
        args = [self.pick() for _ in range(self.rng.integers(1, 4))]
        by_size = {}
        inputs = []
        for arg in args:
            labels = []
            for dim in arg.shape:
                # Two labels per size: products, diagonals and traces come of themselves.
                labels.append(2 * int(dim) + int(self.rng.integers(0, 2)))
                by_size[labels[-1]] = dim
            inputs.append(tuple(labels))
        held = sorted(by_size)
        extra = {99: 2} if self.rng.random() < 0.1 else {}
        known = held + list(extra)
        count = int(self.rng.integers(0, 3))
        output = [int(self.rng.choice(known)) for _ in range(count)] if known else []
        return contract(args, inputs, tuple(output), {**by_size, **extra})

    def reduce(self):
        node = self.pick()
        if not node.shape:
            return elementwise("tanh", node)
        count = self.rng.integers(1, node.type.rank + 1)
        axes = tuple(sorted(self.rng.choice(node.type.rank, count, replace=False).tolist()))
        return reduction(str(self.rng.choice(REDUCERS)), node, axes)

    def reshape(self):
        node = self.pick()
        size = int(size_of(node.shape))
        shapes = [(size,), (1, *node.shape), tuple(reversed(node.shape)), (*node.shape, 1)]
        return reshape(node, shapes[self.rng.integers(len(shapes))])

    def slice(self):
        node = self.pick()
        spans = []
        for dim in node.shape:
            first = int(self.rng.integers(0, dim))
            step = int(self.rng.choice([1, 2]))
            spans.append((first, (dim - first + step - 1) // step, step))
        return Slice((node,), tuple(spans))

    def gather(self):
        node = self.pick()
        fitting = [a for a, dim in enumerate(node.shape) if dim >= 2]
        if not fitting:
            return elementwise("sin", node)
        return Gather((node, self.places), fitting[0], 0)

    def where(self):
        left, right = self.pick(), self.pick()
        return elementwise("where", elementwise("greater", left, right), left, right)

    def leaf(self):
        node = self.pick()
        if not node.shape:
            return elementwise("multiply", node, Size((), 3))
        return elementwise("multiply", node, as_real(Iota((), node.shape[-1])))


def built(seed, steps):
    builder = Builder(seed)
    for _ in range(steps):
        try:
            builder.step()
        except ShapeError:
            continue
    return builder


def values_of(builder):
    values = dict(builder.values)
    named = [node for node in builder.names if node not in values]
    values.update(zip(named, evaluate(named, values, {}), strict=True))
    return values


def close(got, want):
    """Compare where both are numbers: a formula need not share the code's guards against 0/0."""
    got, want = np.broadcast_arrays(got, want)
    known = np.isfinite(got) & np.isfinite(want)
    return np.allclose(got[known], want[known], rtol=1e-6, atol=1e-9)


def check(formula, want, values):
    assert close(evaluate_term(formula.term, values, {}, formula.free), want), formula.equation
    try:
        formula.presented  # noqa: B018
    except FormulaError as error:
        assert "symbols" in str(error)
        return
    assert close(evaluate_term(formula.presented, values, {}, formula.free), want), formula.text
    assert formula.text and formula.latex


def check_matrix(make, want, values):
    try:
        formula = make()
    except FormulaError:
        return
    got = evaluate_matrix(formula.matrix, values)
    assert close(np.reshape(got, np.shape(want)), want), formula.text
    assert formula.text and formula.latex


def check_program(seed, steps=6):
    builder = built(seed, steps)
    output, values, names = builder.nodes[-1], values_of(builder), builder.names
    leaves = {node: name for node, name in names.items() if not node.args}
    want = evaluate([output], builder.values, {})[0]
    for known in (leaves, {n: name for n, name in names.items() if n is not output}):
        try:
            check(forward(output, known, notation="index"), want, values)
        except FormulaError:
            continue
        check_matrix(lambda k=known: forward(output, k, notation="matrix"), want, values)
    order = topological([output])
    for wrt in builder.nodes[:3]:
        if wrt not in order or wrt is output:
            continue
        want = evaluate([derived.jacobian(output, wrt)], builder.values, {})[0]
        for known in (leaves, names):
            try:
                formula = jacobian(output, wrt, known, notation="index")
            except FormulaError as error:
                if "vanishes" in str(error):
                    assert close(want, 0)
                continue
            check(formula, want, values)
            check_matrix(lambda k=known, w=wrt: jacobian(output, w, k, notation="matrix"), want,
                         values)  # fmt: skip


def check_second(seed):
    builder = built(seed, 4)
    output = contract([builder.nodes[-1]], [tuple(range(builder.nodes[-1].type.rank))], ())
    values, names = values_of(builder), builder.names
    order = topological([output])
    wrt = [node for node in builder.nodes[:3] if node in order]
    for one in wrt:
        for other in wrt:
            try:
                formula = hessian(output, one, other, names, notation="index")
            except FormulaError:
                continue
            first = derived.jacobian(output, one)
            if other not in topological([first]):
                want = np.zeros((*one.shape, *other.shape))
            else:
                want = evaluate([derived.jacobian(first, other)], builder.values, {})[0]
            check(formula, want, values)


def check_backward(seed):
    builder = built(seed, 4)
    output, values, names = builder.nodes[-1], values_of(builder), builder.names
    order = topological([output])
    for wrt in builder.nodes[:3]:
        if wrt not in order or wrt is output:
            continue
        try:
            formula = backward(output, wrt, names, notation="index")
        except FormulaError:
            continue
        (cotangent,) = [node for node in formula.names if node not in names]
        g = builder.rng.uniform(0.5, 1.5, output.shape)
        full_jacobian = evaluate([derived.jacobian(output, wrt)], builder.values, {})[0]
        want = np.tensordot(g, full_jacobian, output.type.rank)
        check(formula, want, {**values, cotangent: g})
        for layout in ("row", "numerator"):
            try:
                formula = backward(output, wrt, names, notation="matrix", layout=layout)
            except FormulaError:
                continue
            (cotangent,) = [node for node in formula.names if node not in names]
            got = evaluate_matrix(formula.matrix, {**values, cotangent: g})
            assert close(np.reshape(got, want.shape), want), formula.text


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.integers(0, 2**31))
def test_formulas_of_random_programs_agree_with_the_code(seed):
    check_program(seed)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**31))
def test_second_derivatives_of_random_programs_agree_with_the_code(seed):
    check_second(seed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**31))
def test_backward_formulas_of_random_programs_agree_with_the_code(seed):
    check_backward(seed)


def test_broadcast_constants_are_simplified():
    x = new_input(TensorType((3,)))
    formula = forward(elementwise("multiply", x, full(2.0, (3,))), {x: "x"}, notation="index")
    assert formula.text == "2 x_i"
