"""The SymPy form of formulas, evaluated by SymPy, against the code route."""

import numpy as np
import pytest
import sympy as sp

from graphc.calculus import derived
from graphc.calculus.formulas import jacobian
from graphc.errors import FormulaError
from graphc.ops.contraction import contract, sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather
from graphc.ops.leaves import new_input
from graphc.ops.reduction import reduction
from graphc.ops.rules import evaluate
from graphc.types import TensorType

W, x, s, Q = (new_input(TensorType(shape)) for shape in ((2, 3), (3,), (3,), (3, 3)))
label = new_input(TensorType((), "integer"))
NAMES = {W: "W", x: "x", s: "s", Q: "A", label: "y"}
product = contract((W, x), ((0, 1), (1,)), (0,))
CASES = [
    (product, x),
    (product, W),
    *((elementwise(name, s), s) for name in ("tanh", "sigmoid", "relu", "softplus", "sqrt")),
    *((reduction(name, s, (0,)), s) for name in ("softmax", "log_softmax", "logsumexp", "max")),
    (Gather((reduction("log_softmax", s, (0,)), label), 0, 0), s),
    (sum_axes(elementwise("square", elementwise("subtract", x, s)), (0,)), s),
    (contract((x, Q, x), ((0,), (0, 1), (1,)), ()), x),
    (elementwise("tanh", product), x),
]


def values_of(output):
    rng = np.random.default_rng(1)
    values = {node: rng.uniform(0.2, 1.5, node.shape) for node in (W, x, s, Q)}
    values[label] = np.array(1)
    return {**values, output: evaluate([output], values, {})[0]}


def index_value(formula, values):
    """Evaluate at every place, elements put in one by one."""
    numbers = {}
    for node, name in formula.names.items():
        if node.shape:
            base = sp.IndexedBase(name, shape=node.shape)
            places = np.ndindex(*node.shape)
            numbers.update({base[place]: sp.Float(values[node][place]) for place in places})
        elif node.kind == "real":
            numbers[sp.Symbol(name, real=True)] = sp.Float(float(values[node]))
    result = np.zeros(formula.shape)
    for place in np.ndindex(*formula.shape):
        free = {sp.Symbol(i.name, integer=True): v for i, v in zip(formula.free, place)}  # noqa: B905
        expression = formula.sympy.subs({**free, sp.Symbol("y", integer=True): 1}).doit()
        result[place] = float(sp.sympify(expression).xreplace(numbers).doit())
    return result


def matrix_value(formula, values):
    expression = formula.sympy
    for node, name in formula.names.items():
        if node.shape:
            array = values[node].reshape(node.shape[0], -1)
            symbol = sp.MatrixSymbol(name, *array.shape)
            expression = expression.subs(symbol, sp.Matrix(array))
        else:
            kind = {"real": True} if node.kind == "real" else {"integer": True}
            number = sp.Integer(1) if node.kind == "integer" else sp.Float(float(values[node]))
            expression = expression.subs(sp.Symbol(name, **kind), number)
    expression = expression.doit()
    if hasattr(expression, "as_explicit"):
        expression = expression.as_explicit()
    return np.array(sp.Matrix(expression).evalf().tolist(), float)


@pytest.mark.parametrize(("output", "wrt"), CASES)
def test_sympy_evaluates_to_the_same_numbers(output, wrt):
    values = values_of(output)
    want = evaluate([derived.jacobian(output, wrt)], values, {})[0]
    names = {**NAMES, output: "z"}
    index = jacobian(output, wrt, names, notation="index")
    np.testing.assert_allclose(index_value(index, values), want)
    try:
        matrix = jacobian(output, wrt, names, notation="matrix")
    except FormulaError:
        return
    np.testing.assert_allclose(matrix_value(matrix, values).reshape(want.shape), want)


def test_the_kinds_of_expressions():
    index = jacobian(product, W, {**NAMES, product: "z"}, notation="index").sympy
    assert index.atoms(sp.KroneckerDelta)
    assert index.atoms(sp.Indexed)
    assert jacobian(product, x, NAMES).sympy == sp.MatrixSymbol("W", 2, 3)
