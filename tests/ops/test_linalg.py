"""Linear algebra: the rules of the kind, and what happens where matrices are special."""

import mpmath
import numpy as np
import pytest

import graphc as gc
from graphc.errors import KindError, ShapeError, UsageError
from graphc.ops.linalg import MATRIX_FUNCTIONS, flipped, linalg, plus, product
from graphc.ops.several import item
from tests.numerics import check_batching, check_grads, value

RNG = np.random.default_rng(0)
SHIFT = 2.5 * np.eye(3)


def regular(function, *options):
    """A function of 3×3 matrices that are far from singular."""

    def f(x, *more):
        shift = gc.constant(np.broadcast_to(SHIFT, x.shape).copy()).node
        return linalg(function, plus(x, shift), *more, options=options)

    return f


def definite(function, index=None, *options):
    def f(x):
        shift = gc.constant(np.broadcast_to(SHIFT, x.shape).copy()).node
        node = linalg(function, plus(product(x, flipped(x)), shift), options=options)
        return node if index is None else item(node, index)

    return f


KINDS = {
    "inv": (regular("inv"), (3, 3)),
    "inv, stack": (regular("inv"), (2, 3, 3)),
    "solve": (regular("solve"), (3, 3), (3, 2)),
    "solve, vector": (regular("solve"), (3, 3), (3,)),
    "solve, stack": (regular("solve"), (2, 3, 3), (2, 3, 1)),
    "lower": (regular("solve_triangular", True, False), (3, 3), (3, 2)),
    "upper, unit": (regular("solve_triangular", False, True), (3, 3), (3,)),
    "det": (regular("det"), (3, 3)),
    "cofactors": (regular("cofactors"), (3, 3)),
    "slogdet": (definite("slogdet", 1), (3, 3)),
    "cholesky": (definite("cholesky"), (3, 3)),
    "qr": (definite("qr", 0), (3, 3)),
    "r": (definite("qr", 1), (3, 3)),
    "eigenvalues": (definite("eigh", 0), (3, 3)),
    "singular values": (definite("svd", 1), (3, 3)),
    "eigvalsh": (definite("eigvalsh"), (3, 3)),
    "svdvals": (lambda x: linalg("svdvals", x), (3, 2)),
    "pinv": (lambda x: linalg("pinv", x, options=(None,)), (3, 2)),
    "expm": (lambda x: linalg("expm", x), (2, 2)),
    "expm_frechet": (lambda x, e: linalg("expm_frechet", x, e), (2, 2), (2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_both_modes_to_second_order(name):
    f, *operands = KINDS[name]
    check_grads(f, *operands, order=1 if "stack" in name or "cofactors" in name else 2, rtol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_the_sample_axis_is_a_loop_over_samples(name):
    f, *operands = KINDS[name]
    check_batching(f, *operands)


def cofactors(x):
    """By definition: determinants of what is left without a row and a column."""
    minor = lambda i, j: np.delete(np.delete(x, i, 0), j, 1)  # noqa: E731
    return np.array([[(-1) ** (i + j) * np.linalg.det(minor(i, j)) for j in range(3)]
                     for i in range(3)])  # fmt: skip


SINGULAR = {
    "regular": RNG.normal(size=(3, 3)),
    "identity": np.eye(3),
    "reflection": np.diag([1.0, 1.0, -1.0]),
    "rank 2": np.outer([1, 2, 3], [4, 5, 6.0]) + np.outer([1, 0, -1], [1, 1, 0]),
    "rank 1": np.outer([1, 2, 3], [4, 5, 6.0]),
    "zero": np.zeros((3, 3)),
}


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_determinant_has_its_derivatives_where_the_matrix_is_singular(name, style):
    x, direction = gc.observed("x", shape=(3, 3)), RNG.normal(size=(3, 3))
    det = np.linalg.det(x)
    outputs = [gc.grad(det, x), gc.hvp(det, x, gc.constant(direction))]
    first, second = gc.compile_function([x], outputs, style=style)(SINGULAR[name])
    at = SINGULAR[name]
    np.testing.assert_allclose(first, cofactors(at), atol=1e-11)
    # Cofactors of a 3×3 matrix are quadratic: this difference is exact.
    slope = (cofactors(at + direction) - cofactors(at - direction)) / 2
    np.testing.assert_allclose(second, slope, atol=1e-11)


@pytest.mark.parametrize("function", ["eigvalsh", "svdvals"])
def test_equal_values_leave_symmetric_functions_their_derivative(function):
    """The sum of squares of the values is that of the elements: 2 X."""
    x = gc.observed("x", shape=(3, 3))
    values = getattr(np.linalg, function)(x)
    total = (values**2).sum()
    f = gc.compile_function([x], gc.grad(total, x))
    for at in (np.eye(3), np.diag([2.0, 2.0, 1.0])):
        np.testing.assert_allclose(f(at), 2 * at, atol=1e-12)


def test_vectors_of_equal_values_give_nan_and_no_wrong_number():
    """As in JAX. The function is the identity, and no finite rule for ties would know."""
    x, weights = gc.observed("x", shape=(3, 3)), np.arange(9.0).reshape(3, 3)
    w, v = np.linalg.eigh(x)
    f = gc.compile_function([x], gc.grad((((v * w) @ v.T) * weights).sum(), x))
    assert np.isnan(f(np.eye(3))).any()
    np.testing.assert_allclose(f(np.diag([1.0, 2, 3])), (weights + weights.T) / 2, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_expm_against_many_digits(dtype):
    a = gc.observed("a", shape=(4, 4))
    f = gc.compile_function([a], gc.expm(a), dtype=dtype)
    worst = 0.0
    with mpmath.workdps(50):
        for k in range(24):
            x = (RNG.normal(size=(4, 4)) * 10 ** RNG.uniform(-4, 1.2)).astype(dtype)
            x = [x, x + x.T, x - x.T, np.tril(x, -1)][k % 4]
            exact = np.array(mpmath.expm(mpmath.matrix(x.tolist())).tolist(), float)
            worst = max(worst, np.abs(f(x) - exact).max() / np.abs(exact).max())
    assert worst < {"float64": 2e-13, "float32": 2e-4}[dtype]


def test_expm_of_a_stack_scales_each_matrix_for_itself():
    a = gc.observed("a", shape=("k", 2, 2))
    stack = np.array([np.zeros((2, 2)), 100 * np.array([[0, 1], [-1, 0]]), -300 * np.eye(2)])
    found = gc.compile_function([a], gc.expm(a))(stack)
    c, s = np.cos(100), np.sin(100)
    np.testing.assert_array_equal(found[0], np.eye(2))
    np.testing.assert_allclose(found[1], [[c, s], [-s, c]], atol=1e-12)
    np.testing.assert_allclose(found[2], np.exp(-300) * np.eye(2), rtol=1e-12)


@pytest.mark.parametrize("lower", [True, False])
def test_a_triangular_system_of_several_blocks(lower):
    n = 150
    a, b = gc.observed("a", shape=(n, n)), gc.observed("b", shape=(n, 2))
    f = gc.compile_function([a, b], gc.solve_triangular(a, b, lower=lower))
    matrix, right = RNG.normal(size=(n, n)) + 20 * np.eye(n), RNG.normal(size=(n, 2))
    part = np.tril(matrix) if lower else np.triu(matrix)
    np.testing.assert_allclose(part @ f(matrix, right), right, atol=1e-12)


def test_the_logarithm_of_a_determinant_does_not_overflow():
    x = gc.observed("x", shape=("n", "n"))
    value, slope = (lambda v: [v, gc.grad(v, x)])(np.log(np.linalg.det(x)))
    f = gc.compile_function([x], [value, slope])
    assert "slogdet" in f.source
    assert "linalg.det" not in f.source
    big = 1e3 * np.eye(200)
    found, gradient = f(big)
    np.testing.assert_allclose(found, 200 * np.log(1e3))
    np.testing.assert_allclose(gradient, 1e-3 * np.eye(200))
    assert np.isnan(f(np.diag([1.0, -1.0]))[0])  # as log has it


def test_a_product_with_an_inverse_is_a_system():
    a, b, m = (gc.observed(n, shape=s) for n, s in (("a", (3, 3)), ("b", 3), ("m", (3, 2))))
    inverse = np.linalg.inv(a)
    f = gc.compile_function([a, b, m], [inverse @ b, b @ inverse, inverse @ m, m.T @ inverse])
    assert "linalg.inv" not in f.source
    at, right, many = RNG.normal(size=(3, 3)) + SHIFT, RNG.normal(size=3), RNG.normal(size=(3, 2))
    exact = np.linalg.inv(at)
    for got, expected in zip(
        f(at, right, many), [exact @ right, right @ exact, exact @ many, many.T @ exact],
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_one_matrix_for_all_samples_is_factorised_once():
    x, w = gc.observed("x", shape=3), gc.parameter("w", (3, 3), init="normal")
    net = gc.Graph(gc.cost((np.linalg.solve(w, x) ** 2).sum(), name="C"), name="net")
    source = gc.compile(net, style="readable").source
    assert "np.linalg.solve(params.w, x.T)" in source


def test_gradients_through_linear_algebra_inside_a_loop():
    """A filter's likelihood, in two dimensions, and its gradient: as JAX's scan has them."""
    jax = pytest.importorskip("jax")
    rows, start, move = RNG.normal(size=(6, 2)), 0.4 * RNG.normal(size=(2, 2)) + np.eye(2), 0.9

    def likelihood(m, rows, scan, linear, triangular, transposed):
        def step(carry, z):
            mean, covariance = carry
            mean = m @ mean
            spread = m @ covariance @ transposed(m) + np.eye(2)
            factor = linear.cholesky(spread + np.eye(2))
            white = triangular(factor, z - mean, lower=True)
            gain = linear.solve(spread + np.eye(2), spread)
            after = (mean + transposed(gain) @ (z - mean), spread - transposed(gain) @ spread)
            return after, linear.slogdet(spread + np.eye(2))[1] / 2 + (white**2).sum() / 2

        return scan(step, (0 * rows[0], move * np.eye(2)), rows)[1].sum()

    m, z = gc.observed("m", shape=(2, 2)), gc.observed("z", shape=("T", 2))
    ours = likelihood(m, z, gc.scan, np.linalg, gc.solve_triangular, lambda a: a.T)
    theirs = lambda a: likelihood(  # noqa: E731
        a, jax.numpy.asarray(rows), jax.lax.scan, jax.numpy.linalg,
        jax.scipy.linalg.solve_triangular, lambda a: a.T,
    )  # fmt: skip
    for style in ("readable", "fast"):
        f = gc.compile_function([m, z], [ours, gc.grad(ours, m)], style=style)
        value, slope = f(start, rows)
        expected, expected_slope = jax.value_and_grad(theirs)(start)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        np.testing.assert_allclose(slope, expected_slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_vectors_that_nothing_reads_are_not_computed(style):
    x = gc.observed("x", shape=(3, 3))
    values = [np.linalg.eigvalsh(x), np.linalg.svdvals(x)]
    f = gc.compile_function([x], values, style=style)
    assert "np.linalg.eigvalsh(x)" in f.source
    assert "np.linalg.svd(x, compute_uv=False)" in f.source
    at = RNG.normal(size=(3, 3))
    eigenvalues, singular = f(at)
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(at))
    np.testing.assert_allclose(singular, np.linalg.svdvals(at))
    both = gc.compile_function([x], [values[0], np.linalg.eigh(x).eigenvectors], style=style)
    assert "eigvalsh" not in both.source


def test_a_singular_matrix_is_numpys_error():
    x = gc.observed("x", shape=(2, 2))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        gc.compile_function([x], np.linalg.inv(x))(np.zeros((2, 2)))


def test_the_results_have_numpys_names():
    x = gc.observed("x", shape=(3, 3))
    assert np.linalg.qr(x)._fields == ("Q", "R")
    assert np.linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert np.linalg.svd(x)._fields == ("U", "S", "Vh")
    assert np.linalg.slogdet(x)._fields == ("sign", "logabsdet")


X, T = gc.observed("x", shape=(3, 3)), gc.observed("t", shape=(4, 2))
WHOLE, S = gc.observed("i", shape=(2, 2), kind="integer"), gc.observed("s", shape=("m", "n"))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: np.linalg.inv(T), ShapeError, "inv takes square matrices, got (4, 2)"),
        (lambda: np.linalg.det(X[0]), ShapeError, "square"),
        (lambda: np.linalg.solve(X, T), ShapeError, "3 columns against 4 rows"),
        (lambda: gc.expm(S), ShapeError, "square matrices, got (m, n)"),
        (lambda: np.linalg.svd(T), UsageError, "full_matrices=False"),
        (lambda: np.linalg.svd(S, full_matrices=False), ShapeError, "declare them as integers"),
        (lambda: np.linalg.qr(T, mode="complete"), UsageError, "mode='reduced'"),
        (lambda: np.linalg.qr(T, mode="raw"), UsageError, "'reduced', 'complete', 'r'"),
        (lambda: np.linalg.matrix_power(X, 0.5), UsageError, "integer, not 0.5"),
        (lambda: np.linalg.eigh(X, UPLO="X"), UsageError, "UPLO is 'L' or 'U'"),
        (lambda: gc.solve_triangular(X, X, trans=3), UsageError, "trans is 0, 1"),
        (lambda: np.linalg.matrix_norm(X, ord=3), UsageError, "not 3"),
        (lambda: np.linalg.pinv(X, hermitian=True), UsageError, "hermitian"),
        (lambda: linalg("inv", WHOLE.node), KindError, "real matrices"),
        (lambda: np.linalg.lstsq(X, T), ShapeError, "(3, 3)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_every_row_is_tested():
    tested = {name.split(",")[0] for name in KINDS}
    renamed = {"lower": "solve_triangular", "upper": "solve_triangular", "r": "qr",
               "eigenvalues": "eigh", "singular values": "svd"}  # fmt: skip
    assert {renamed.get(name, name) for name in tested} | {"matrix_rank"} == set(MATRIX_FUNCTIONS)


def test_the_reference_of_lstsq_keeps_what_is_not_rounding():
    tall = np.vander(np.arange(1.0, 6.0), 3)
    a = gc.observed("a", shape=(5, 3))
    for cutoff in (None, 1e-3):
        found = value(np.linalg.lstsq(a, np.ones(5), rcond=cutoff)[0], {a: tall})
        np.testing.assert_allclose(found, np.linalg.lstsq(tall, np.ones(5), rcond=cutoff)[0],
                                   atol=1e-12)  # fmt: skip
