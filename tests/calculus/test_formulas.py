"""Formulas as a textbook prints them, each compared with the code route."""

import numpy as np
import pytest

from graphc.calculus import derived
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.calculus.formulas import backward, forward, gradient, hessian, jacobian
from graphc.calculus.names import math_label, subscripted
from graphc.errors import FormulaError
from graphc.ops.contraction import contract, sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather
from graphc.ops.leaves import constant, new_input
from graphc.ops.reduction import reduction
from graphc.ops.rules import evaluate
from graphc.ops.structural import Slice, reshape
from graphc.types import TensorType, named


def real(*shape):
    return new_input(TensorType(shape))


def integer(*shape):
    return new_input(TensorType(shape, "integer"))


def matvec(a, x):
    return contract((a, x), ((0, 1), (1,)), (0,))


def matmul(a, b):
    return contract((a, b), ((0, 1), (1, 2)), (0, 2))


def dot(a, b):
    return contract((a, b), ((0,), (0,)), ())


W, x, b, s, y, label = real(3, 4), real(4), real(3), real(5), real(5), integer()
A, X, B, Q = real(3, 4), real(4, 5), real(5, 3), real(4, 4)
linear = elementwise("add", matvec(W, x), b)
residual = elementwise("subtract", matvec(A, x), b)
difference = elementwise("subtract", y, s)
squares = sum_axes(elementwise("square", difference), (0,))
negative_log = elementwise("negative", Gather((reduction("log_softmax", s, (0,)), label), 0, 0))
quadratic = contract((x, Q, x), ((0,), (0, 1), (1,)), ())
trace = contract((matmul(A, X), B), ((0, 1), (1, 0)), ())
length = elementwise("sqrt", sum_axes(elementwise("square", s), (0,)))


def along(function):
    return reduction(function, s, (0,))


# result, its names, the variable, index notation, matrix notation
TEXTBOOK = [
    (linear, {W: "W", x: "x", b: "b"}, x, "W_ij", "W"),
    (linear, {W: "W", x: "x", b: "b"}, W, "δ_ij x_k", None),
    (linear, {W: "W", x: "x", b: "b"}, b, "δ_ij", "I"),
    (elementwise("tanh", s), {s: "s"}, s, "δ_ij (1 − z_i²)", "diag(𝟏 − z ⊙ z)"),
    (elementwise("sigmoid", s), {s: "s"}, s, "δ_ij z_i (1 − z_i)", "diag(z ⊙ (𝟏 − z))"),
    (elementwise("relu", s), {s: "s"}, s, "δ_ij [z_i > 0]", "diag([z > 0])"),
    (elementwise("softplus", s), {s: "s"}, s, "δ_ij σ(s_i)", "diag(σ(s))"),
    (elementwise("exp", s), {s: "s"}, s, "δ_ij z_i", "diag(z)"),
    (elementwise("sqrt", s), {s: "s"}, s, "δ_ij / (2 z_i)", "(1/2) diag(𝟏 ⊘ z)"),
    (elementwise("log", s), {s: "s"}, s, "δ_ij / s_i", "diag(𝟏 ⊘ s)"),
    (elementwise("reciprocal", s), {s: "s"}, s, "−δ_ij z_i²", "−diag(z ⊙ z)"),
    (elementwise("absolute", s), {s: "s"}, s, "δ_ij sign(s_i)", "diag(sign(s))"),
    (elementwise("divide", s, y), {s: "a", y: "b"}, s, "δ_ij / b_i", "diag(𝟏 ⊘ b)"),
    (elementwise("divide", s, y), {s: "a", y: "b"}, y, "−δ_ij z_i / b_i", "−diag(z ⊘ b)"),
    (along("softmax"), {s: "s"}, s, "z_i (δ_ij − z_j)", "diag(z) − z zᵀ"),
    (along("log_softmax"), {s: "s"}, s, "δ_ij − exp(z_j)", "I − 𝟏 exp(z)ᵀ"),
    (along("logsumexp"), {s: "s"}, s, "softmax(s)_i", "softmax(s)"),
    (along("prod"), {s: "s"}, s, "z / s_i", "z 𝟏 ⊘ s"),
    (along("max"), {s: "s"}, s, "[s_i = z] / (Σ_j [s_j = z])", "[s = z] / (𝟏ᵀ [s = z])"),
    (squares, {y: "y", s: "ybar"}, s, "2 (ybar_i − y_i)", "2 (ybar − y)"),
    (
        elementwise("divide", squares, constant(5.0)),
        {y: "y", s: "s"}, s, "(2/5) (s_i − y_i)", "(2/5) (s − y)",
    ),
    (negative_log, {s: "s", label: "y"}, s, "softmax(s)_i − δ_yi", "softmax(s) − onehot(y)"),
    (length, {s: "x"}, s, "x_i / z", "x / z"),
    (
        dot(residual, residual), {A: "A", x: "x", b: "b"}, x,
        "2 Σ_j A_ji (Σ_k A_jk x_k − b_j)", "2 Aᵀ (A x − b)",
    ),
    (dot(residual, residual), {A: "A", x: "x", b: "b", residual: "r"}, A, "2 r_i x_j", "2 r xᵀ"),
    (quadratic, {Q: "A", x: "x"}, x, "Σ_j A_ij x_j + Σ_j A_ji x_j", "(A + Aᵀ) x"),
    (quadratic, {Q: "A", x: "x"}, Q, "x_i x_j", "x xᵀ"),
    (trace, {A: "A", X: "X", B: "B"}, X, "Σ_k A_ki B_jk", "Aᵀ Bᵀ"),
    (matmul(A, X), {A: "A", X: "X"}, X, "δ_jl A_ik", None),
    (
        elementwise("tanh", linear), {W: "W", x: "x", b: "b", linear: "s"}, x,
        "W_ij (1 − z_i²)", "diag(𝟏 − z ⊙ z) W",
    ),
]  # fmt: skip

LEAVES = (W, x, b, s, y, A, X, B, Q)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    made = {node: rng.uniform(0.2, 1.5, node.shape) for node in LEAVES}
    return {**made, label: np.array(2)}


def with_results(values, names):
    inner = [node for node in names if node not in values]
    return {**values, **dict(zip(inner, evaluate(inner, values, {}), strict=True))}


@pytest.mark.parametrize(("output", "names", "wrt", "index", "matrix"), TEXTBOOK)
def test_a_derivative_is_that_of_the_textbook(output, names, wrt, index, matrix, values):
    names = {**names, output: "z"}
    want = evaluate([derived.jacobian(output, wrt)], values, {})[0]
    known = with_results(values, names)
    formula = jacobian(output, wrt, names, notation="index")
    assert formula.text == index
    np.testing.assert_allclose(evaluate_term(formula.term, known, {}, formula.free), want)
    automatic = jacobian(output, wrt, names)
    assert automatic.text == (matrix or index)
    if matrix is None:
        with pytest.raises(FormulaError):
            jacobian(output, wrt, names, notation="matrix")
    else:
        got = evaluate_matrix(automatic.matrix, known)
        np.testing.assert_allclose(np.reshape(got, want.shape), want)


SECOND = [
    (quadratic, {Q: "A", x: "x"}, x, x, "A_ij + A_ji", "A + Aᵀ"),
    (quadratic, {Q: "A", x: "x"}, x, Q, "δ_ij x_k + δ_ik x_j", None),
    (squares, {y: "y", s: "s"}, s, s, "2 δ_ij", "2 I"),
    (
        negative_log, {s: "s", label: "y"}, s, s, "softmax(s)_i (δ_ij − softmax(s)_j)",
        "diag(softmax(s)) − softmax(s) softmax(s)ᵀ",
    ),
    (length, {s: "x", length: "r"}, s, s, "(δ_ij − x_i x_j / r²) / r", None),
    (
        dot(residual, residual), {A: "A", x: "x", b: "b"}, x, x, "2 Σ_k A_ki A_kj", "2 Aᵀ A",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cost", "names", "one", "other", "index", "matrix"), SECOND)
def test_a_second_derivative(cost, names, one, other, index, matrix, values):
    first = derived.jacobian(cost, one)
    want = evaluate([derived.jacobian(first, other)], values, {})[0]
    known = with_results(values, names)
    formula = hessian(cost, one, other, names, notation="index")
    assert formula.text == index
    np.testing.assert_allclose(evaluate_term(formula.term, known, {}, formula.free), want)
    if matrix is not None:
        assert hessian(cost, one, other, names).text == matrix


FORWARD = [
    (linear, {W: "W", x: "x", b: "b"}, "Σ_j W_ij x_j + b_i", "W x + b"),
    (dot(residual, residual), {A: "A", x: "x", b: "b"}, None, "‖A x − b‖²"),
    (squares, {y: "y", s: "z"}, "Σ_i (y_i − z_i)²", "‖y − z‖²"),
    (negative_log, {s: "s", label: "y"}, "logsumexp(s) − s_y", "logsumexp(s) − s_y"),
    (trace, {A: "A", X: "X", B: "B"}, "Σ_ijk A_ij B_ki X_jk", None),
    (quadratic, {Q: "A", x: "x"}, "Σ_ij A_ij x_i x_j", "xᵀ A x"),
    (length, {s: "x"}, "√(Σ_i x_i²)", "‖x‖"),
    (elementwise("multiply", s, y), {s: "a", y: "b"}, "a_i b_i", "a ⊙ b"),
    (along("softmax"), {s: "s"}, "softmax(s)_i", "softmax(s)"),
]


@pytest.mark.parametrize(("node", "names", "index", "matrix"), FORWARD)
def test_what_a_block_computes(node, names, index, matrix, values):
    formula = forward(node, names, notation="index")
    assert index is None or formula.text == index
    want = evaluate([node], values, {})[0]
    np.testing.assert_allclose(evaluate_term(formula.term, values, {}, formula.free), want)
    assert matrix is None or forward(node, names).text == matrix


def test_the_backward_recursion_of_a_layer():
    z = elementwise("tanh", linear)
    names = {W: "W", x: "x", b: "b", linear: "s", z: "z"}
    index = {"notation": "index"}
    assert backward(linear, x, names, **index).equation == "∂c/∂x_j = Σ_i ∂c/∂s_i W_ij"
    assert backward(linear, W, names, **index).equation == "∂c/∂W_ij = ∂c/∂s_i x_j"
    assert backward(linear, b, names, **index).equation == "∂c/∂b_i = ∂c/∂s_i"
    assert backward(z, linear, names, **index).equation == "∂c/∂s_i = ∂c/∂z_i (1 − z_i²)"
    row = backward(linear, x, names)
    assert row.equation == "∂c/∂x = ∂c/∂s W"
    assert row.sizes == "[1×4] = [1×3][3×4]"
    assert backward(z, linear, names).equation == "∂c/∂s = ∂c/∂z diag(𝟏 − z ⊙ z)"
    column = backward(linear, x, names, layout="numerator")
    assert column.equation == "∂c/∂x = Wᵀ ∂c/∂s"


def test_a_gradient_in_rows():
    cost = dot(residual, residual)
    names = {A: "A", x: "x", b: "b", residual: "r"}
    assert gradient(cost, x, names, layout="row").text == "2 rᵀ A"
    with pytest.raises(FormulaError, match="scalar"):
        gradient(linear, x, names)


def test_a_reshape_comes_out_of_the_derivative():
    image = real(2, 1, 2)
    weights = real(3, 4)
    output = matvec(weights, reshape(image, (4,)))
    formula = jacobian(output, image, {weights: "W", image: "x"}, notation="index")
    assert formula.text == "W_{i,2 j + l}"


def test_named_sizes():
    n = named("n")
    v, w = real(n), real(n)
    mean = elementwise("divide", sum_axes(elementwise("square", v), (0,)), constant(3.0))
    assert gradient(mean, v, {v: "x"}).text == "(2/3) x"
    assert jacobian(elementwise("add", v, w), v, {v: "i", w: "j"}, notation="index").text == "δ_kl"


def test_a_power_with_a_variable_exponent_is_found_once():
    """Folding it into its own derivative did not end where the base was no name."""
    above = elementwise("add", elementwise("square", s), constant(0.5))
    z = elementwise("power", above, y)
    names = {s: "s", y: "y", z: "z"}
    assert jacobian(z, y, names, notation="index").text == "δ_ij z_i log(s_i² + (1/2))"
    one = real()
    above = elementwise("add", elementwise("square", one), constant(0.5))
    z = elementwise("power", above, elementwise("absolute", one))
    assert "z log(x² + (1/2)) sign(x)" in jacobian(z, one, {one: "x", z: "z"}).text


def test_a_part_is_not_taken_for_the_whole(values):
    part = Slice((s,), ((0, 3, 1),))
    formula = jacobian(part, s, {s: "s"}, notation="index")
    assert formula.text == "δ_ij"
    with pytest.raises(FormulaError, match="part of an identity"):
        jacobian(part, s, {s: "s"}, notation="matrix")
    total = sum_axes(elementwise("square", part), (0,))
    formula = gradient(total, s, {s: "s"}, notation="index")
    want = evaluate([derived.jacobian(total, s)], values, {})[0]
    np.testing.assert_allclose(evaluate_term(formula.term, values, {}, formula.free), want)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (elementwise("sign", s), "only through sign"),
        (elementwise("floor", s), "only through floor"),
        (reduction("argmax", s, (0,)), "argmax has no index form"),
        (y, "does not depend"),
    ],
)
def test_what_has_no_derivative_raises(node, message):
    with pytest.raises(FormulaError, match=message):
        jacobian(node, s, {s: "s", y: "y"})


def test_a_formula_too_deep_to_read_raises():
    node = s
    for _ in range(5000):
        node = elementwise("tanh", node)
    with pytest.raises(FormulaError, match="operations deep"):
        forward(node, {s: "s"})


def test_latex():
    names = {W: "W", x: "x1", b: "ybar", linear: "s"}
    assert forward(linear, names).latex_equation == r"s = W x_{1} + \bar{y}"
    formula = jacobian(along("softmax"), s, {s: "s", along("softmax"): "z"}, notation="index")
    assert formula.latex_equation == (
        r"\frac{\partial z_{i}}{\partial s_{j}} = z_{i} \left(\delta_{ij} - z_{j}\right)"
    )
    back = backward(linear, x, names, notation="index")
    assert back.latex == r"\sum_{i} \frac{\partial c}{\partial s_{i}} W_{ij}"


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x_1", "x_{1}"), ("x1", "x_{1}"), ("ybar", r"\bar{y}"), ("alpha", r"\alpha"),
        ("W0", "W_{0}"), ("relu", r"\mathrm{relu}"), ("m0_w", "m_{0,w}"), ("__", r"{\_}{\_}"),
        ("größe_x", r"\mathrm{größe}_{x}"), ("λ", "λ"),
    ],
)  # fmt: skip
def test_names_become_mathematics(name, latex):
    assert math_label(name) == latex
    assert "ij" in subscripted(name, "ij")
