"""Linear algebra: single matrices and stacks of them; the oracles are JAX and SciPy's."""

import numpy as np

import graphc as gc
from tests.operations.case import Case

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
B = RNG.normal(size=(3, 2))
V = RNG.normal(size=3)
STACK = RNG.normal(size=(2, 3, 3)) + 2 * np.eye(3)
RIGHT = RNG.normal(size=(2, 3, 2))
TALL, WIDE = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 4))
TALLS, WIDES = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 3, 4))
SYSTEMS, FACTORS = "systems and inverses", "decompositions"
NUMBERS, PRODUCTS = "determinants, norms, ranks", "products of matrices"


def jnp(name):
    """A function of ``jax.numpy.linalg``, looked up when it is called."""

    def call(*arrays, **options):
        import jax.numpy.linalg

        return getattr(jax.numpy.linalg, name)(*arrays, **options)

    return call


def jsp(name, *places, **options):
    """A function of ``jax.scipy.linalg``, looked up when it is called."""

    def call(*arrays):
        import jax.scipy.linalg

        return getattr(jax.scipy.linalg, name)(*arrays, *places, **options)

    return call


def positive(a):
    """A positive definite matrix made of any."""
    return a @ a.mT + 2 * np.eye(a.shape[-1]) if hasattr(a, "mT") else _positive(a)


def _positive(a):
    rank = a.ndim
    turned = a.transpose((*range(rank - 2), rank - 1, rank - 2))
    return a @ turned + 2 * np.eye(3)


def both(f, name=None, **options):
    """A function of NumPy's on variables, and the same of JAX."""
    name = name or f.__name__
    return (lambda *x: f(*x, **options)), (lambda *x: jnp(name)(*x, **options))


def of_positive(f, name=None, **options):
    """The same of a positive definite matrix."""
    ours, theirs = both(f, name, **options)
    return (lambda a: ours(_positive(a))), (lambda a: theirs(positive(a)))


def line(group, label, f, *arguments, note="", name=None, second=True, of=both, **options):
    build, oracle = of(f, name, **options)
    return Case(f"np.linalg.{label}", group, build, oracle, arguments, second=second, note=note)


def signless(f):
    """Of U, s, Vᵀ what does not change with the signs of the vectors."""

    def call(*arrays):
        u, s, vt = f(*arrays)
        return u**2, s, vt**2

    return call


def squared(f):
    """Of eigenvalues and eigenvectors what does not change with the signs of the vectors."""

    def call(*arrays):
        values, vectors = f(*arrays)
        return values, vectors**2

    return call


def triangular(a, b, **options):
    return gc.solve_triangular(a, b, **options)


CASES = [
    line(SYSTEMS, "inv", np.linalg.inv, A),
    line(SYSTEMS, "inv (stack)", np.linalg.inv, STACK),
    line(SYSTEMS, "solve", np.linalg.solve, A, V),
    line(SYSTEMS, "solve (matrix)", np.linalg.solve, A, B),
    line(SYSTEMS, "solve (stack)", np.linalg.solve, STACK, RIGHT),
    line(SYSTEMS, "solve (one matrix, stack)", np.linalg.solve, A, RIGHT, note="one factorisation"),
    line(SYSTEMS, "solve (stack, one right side)", np.linalg.solve, STACK, B),
    line(SYSTEMS, "solve (stack, vector)", np.linalg.solve, STACK, V),
    line(SYSTEMS, "tensorsolve", np.linalg.tensorsolve, RNG.normal(size=(4, 2, 2)),
         RNG.normal(size=4)),
    line(SYSTEMS, "tensorinv", np.linalg.tensorinv, RNG.normal(size=(4, 2, 2)), ind=1),
    line(SYSTEMS, "pinv (tall)", np.linalg.pinv, TALL),
    line(SYSTEMS, "pinv (wide, stack)", np.linalg.pinv, WIDES),
    Case("np.linalg.lstsq", SYSTEMS, lambda a, b: np.linalg.lstsq(a, b)[:2],
         lambda a, b: jnp("lstsq")(a, b)[:2], (TALL, RNG.normal(size=(4, 2))), second=True,
         tolerance=1e-9),
    Case("np.linalg.lstsq (vector, wide)", SYSTEMS, lambda a, b: np.linalg.lstsq(a, b)[0],
         lambda a, b: jnp("lstsq")(a, b)[0], (WIDE, RNG.normal(size=2)), second=True),
    *(
        Case(f"gc.solve_triangular(lower={lower}, trans={trans}, unit_diagonal={unit})", SYSTEMS,
             lambda a, b, o=(lower, trans, unit): triangular(
                 a, b, lower=o[0], trans=o[1], unit_diagonal=o[2]),
             jsp("solve_triangular", trans, lower, unit), (A, right), second=True)
        for lower, trans, unit, right in [
            (True, 0, False, B), (False, 0, False, V), (True, 1, True, V), (False, 1, False, B),
            (False, 0, True, B),
        ]
    ),
    Case("gc.solve_triangular (stack)", SYSTEMS,
         lambda a, b: triangular(a, b, lower=True),
         jsp("solve_triangular", 0, True), (STACK, RIGHT), second=True),
    line(NUMBERS, "det", np.linalg.det, A),
    line(NUMBERS, "det (stack)", np.linalg.det, STACK),
    line(NUMBERS, "slogdet", np.linalg.slogdet, A),
    line(NUMBERS, "slogdet (stack)", np.linalg.slogdet, STACK),
    line(NUMBERS, "cond", np.linalg.cond, TALL),
    line(NUMBERS, "cond(p=1)", np.linalg.cond, A, p=1),
    *(line(NUMBERS, f"matrix_norm(ord={o!r})", np.linalg.matrix_norm, TALLS, ord=o)
      for o in ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)),
    Case("np.linalg.matrix_rank", NUMBERS, np.linalg.matrix_rank, np.linalg.matrix_rank,
         (np.stack([A, np.ones((3, 3)), 0 * A]),), differentiable=False, framework="numpy"),
    line(NUMBERS, "trace", np.linalg.trace, TALLS, offset=-1),
    line(NUMBERS, "diagonal", np.linalg.diagonal, WIDES, offset=1),
    line(FACTORS, "cholesky", np.linalg.cholesky, A, of=of_positive),
    line(FACTORS, "cholesky (stack)", np.linalg.cholesky, STACK, of=of_positive),
    line(FACTORS, "cholesky(upper=True)", np.linalg.cholesky, A, of=of_positive, upper=True),
    line(FACTORS, "qr", np.linalg.qr, A),
    line(FACTORS, "qr (tall, stack)", np.linalg.qr, TALLS),
    Case("np.linalg.qr(mode='r')", FACTORS, lambda a: np.linalg.qr(a, mode="r"),
         lambda a: jnp("qr")(a)[1], (TALL,), second=True),
    line(FACTORS, "qr (wide)", np.linalg.qr, WIDE, second=False),
    Case("np.linalg.eigh", FACTORS, squared(lambda a: np.linalg.eigh(_positive(a))),
         squared(lambda a: jnp("eigh")(positive(a))), (STACK,), second=True),
    line(FACTORS, "eigvalsh", np.linalg.eigvalsh, A, of=of_positive),
    line(FACTORS, "eigvalsh(UPLO='U')", np.linalg.eigvalsh, A, of=of_positive, UPLO="U"),
    *(
        Case(f"np.linalg.svd ({what})", FACTORS,
             signless(lambda a: np.linalg.svd(a, full_matrices=False)),
             signless(lambda a: jnp("svd")(a, full_matrices=False)), (x,), second=True,
             tolerance=1e-9)
        for what, x in [("square", A), ("tall, stack", TALLS), ("wide", WIDE)]
    ),
    line(FACTORS, "svdvals", np.linalg.svdvals, TALLS),
    *(line(PRODUCTS, f"matrix_power(n={n})", np.linalg.matrix_power, STACK, n=n)
      for n in (-2, 0, 1, 3, 6)),
    Case("gc.expm", PRODUCTS, gc.expm, jsp("expm"), (A,), second=True),
    Case("gc.expm (stack)", PRODUCTS, gc.expm, jsp("expm"), (3 * STACK,), second=True),
    Case("np.linalg.multi_dot", PRODUCTS, lambda *x: np.linalg.multi_dot(x),
         lambda *x: jnp("multi_dot")(x), (V, A, B, WIDE), second=True),
    line(PRODUCTS, "matmul", np.linalg.matmul, STACK, B),
    line(PRODUCTS, "outer", np.linalg.outer, V, V),
    line(PRODUCTS, "vecdot", np.linalg.vecdot, A, V),
]  # fmt: skip
