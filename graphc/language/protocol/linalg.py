"""Linear algebra, as ``np.linalg`` has it, and what NumPy lacks: triangular systems, expm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.tables import FUNCTIONS, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.contraction import contract
from graphc.ops.decompositions import shorter
from graphc.ops.elementwise import as_real
from graphc.ops.linalg import Option, flipped, linalg, product
from graphc.ops.linalg import diagonal as ops_diagonal
from graphc.ops.matrices import system
from graphc.ops.several import item
from graphc.ops.structural import Slice, reshape
from graphc.types import shape_text, size_of


class EighResult(NamedTuple):
    """What :func:`numpy.linalg.eigh` returns."""

    eigenvalues: Variable
    eigenvectors: Variable


class QRResult(NamedTuple):
    """What :func:`numpy.linalg.qr` returns."""

    Q: Variable
    R: Variable


class SlogdetResult(NamedTuple):
    """What :func:`numpy.linalg.slogdet` returns."""

    sign: Variable
    logabsdet: Variable


class SVDResult(NamedTuple):
    """What :func:`numpy.linalg.svd` returns."""

    U: Variable
    S: Variable
    Vh: Variable


def _implements(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what a function of ``np.linalg`` does; it is no operator."""

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = implementation
        return implementation

    return register


def _of_matrix(function: str, a: Any, *options: Option, name: str | None = None) -> Variable:
    return build(name or function, lambda x: linalg(function, as_real(x), options=options), (a,))


def _results(function: str, a: Any, count: int) -> list[Variable]:
    """Return the results of a decomposition; the node is one, and shared."""

    def make(x: Node, index: int) -> Node:
        return item(linalg(function, as_real(x)), index)

    return [build(function, make, (a,), index) for index in range(count)]


# Systems.


@_implements(np.linalg.inv)
def inv(a: Any) -> Variable:
    """Return the inverses of matrices."""
    return _of_matrix("inv", a)


def _system(function: str, a: Any, b: Any, *options: Option) -> Variable:
    def make(x: Node, y: Node) -> Node:
        return system(function, as_real(x), as_real(y), options)

    return build(function, make, (a, b))


@_implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Variable:
    """Return x where ``a x = b``."""
    return _system("solve", a, b)


def solve_triangular(
    a: Any,
    b: Any,
    *,
    lower: bool = False,
    trans: Literal[0, 1, "N", "T"] = 0,
    unit_diagonal: bool = False,
) -> Variable:
    """Return x where ``a x = b`` and `a` is triangular.

    Parameters
    ----------
    a
        Square matrices, of which one triangle is read: ``(..., n, n)``.
    b
        A vector ``(n,)``, or matrices ``(..., n, k)``.
    lower
        Whether the lower triangle is read, else the upper one.
    trans
        ``1`` or ``"T"`` solves ``aᵀ x = b``.
    unit_diagonal
        Whether the diagonal is taken for 1, and not read.

    Examples
    --------
    >>> import graphc as gc
    >>> l, b = gc.observed("l", shape=(3, 3)), gc.observed("b", shape=3)
    >>> gc.solve_triangular(l, b, lower=True).shape
    (3,)
    """
    if trans not in (0, 1, "N", "T"):
        raise UsageError(f"{here()}: trans is 0, 1, 'N' or 'T', not {trans!r}")
    turned = trans in (1, "T")

    def make(x: Node, y: Node) -> Node:
        if x.type.rank < 2:
            raise ShapeError(f"solve_triangular takes matrices, got {shape_text(x.shape)}")
        x = flipped(as_real(x)) if turned else as_real(x)
        options = (bool(lower) != turned, bool(unit_diagonal))
        return system("solve_triangular", x, as_real(y), options)

    return build("solve_triangular", make, (a, b))


@_implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Variable:
    """Return x where ``tensordot(a, x, x.ndim) = b``."""
    no_options("linalg.tensorsolve", {"axes": axes})

    def make(x: Node, y: Node) -> Node:
        shape, size = x.shape[y.type.rank :], size_of(y.shape)
        square = reshape(as_real(x), (size, size_of(shape)))
        return reshape(linalg("solve", square, reshape(as_real(y), (size,))), shape)

    return build("tensorsolve", make, (a, b))


@_implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Variable:
    """Return the inverse with respect to ``tensordot(a, b, ind)``."""

    def make(x: Node) -> Node:
        shape = x.shape
        if not 0 < ind < len(shape):
            raise ShapeError(f"ind={ind} must leave axes on both sides of {shape_text(shape)}")
        square = reshape(as_real(x), (size_of(shape[:ind]), size_of(shape[ind:])))
        return reshape(linalg("inv", square), (*shape[ind:], *shape[:ind]))

    return build("tensorinv", make, (a,))


# Determinants and powers.


@_implements(np.linalg.det)
def det(a: Any) -> Variable:
    """Return the determinants of matrices."""
    return _of_matrix("det", a)


@_implements(np.linalg.slogdet)
def slogdet(a: Any) -> SlogdetResult:
    """Return sign and logarithm of the absolute value of determinants."""
    return SlogdetResult(*_results("slogdet", a, 2))


@_implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Variable:
    """Return a whole power of matrices, by squaring."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise UsageError(f"{here()}: the exponent of matrix_power is an integer, not {n!r}")

    def make(x: Node) -> Node:
        base = linalg("inv", as_real(x)) if n < 0 else as_real(x)
        if x.type.rank < 2 or x.shape[-1] != x.shape[-2]:
            raise ShapeError(f"matrix_power takes square matrices, got {shape_text(x.shape)}")
        if n == 0:
            front = tuple(range(x.type.rank - 2))
            sizes = dict(enumerate(x.shape[:-1]))
            one = as_real(as_variable(1.0).node)
            return contract((one,), ((),), (*front, len(front), len(front)), sizes)
        result = None
        for bit in reversed(f"{abs(n):b}"):
            if bit == "1":
                result = base if result is None else product(result, base)
            base = product(base, base)
        assert result is not None
        return result

    return build("matrix_power", make, (a,))


def expm(a: Any) -> Variable:
    """Return the matrix exponentials of square matrices ``(..., n, n)``.

    Examples
    --------
    >>> import graphc as gc
    >>> gc.expm(gc.observed("a", shape=(3, 3))).shape
    (3, 3)
    """
    return _of_matrix("expm", a)


# Decompositions.


@_implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Variable:
    """Return L with ``a = L Lᵀ``, or U with ``a = Uᵀ U``; one triangle of `a` is read."""

    def make(x: Node) -> Node:
        if not upper:
            return linalg("cholesky", as_real(x))
        if x.type.rank < 2:
            raise ShapeError(f"cholesky takes square matrices, got {shape_text(x.shape)}")
        return flipped(linalg("cholesky", flipped(as_real(x))))

    return build("cholesky", make, (a,))


@_implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Return Q and R of ``a = Q R``, or R alone."""
    a = as_variable(a)
    if mode not in ("reduced", "complete", "r"):
        raise UsageError(f"{here()}: np.linalg.qr on variables knows 'reduced', 'complete', 'r'")
    if a.ndim < 2:
        raise ShapeError(f"{here()}: qr takes matrices, got {shape_text(a.shape)}")
    rows, columns = a.shape[-2:]
    wide = shorter(rows, columns) != columns
    if mode == "complete" and not wide and rows != columns:
        raise UsageError(
            f"{here()}: qr with mode='complete' of a tall matrix has no derivative; "
            "use mode='reduced'"
        )
    if not wide:
        q, r = _results("qr", a, 2)
    else:  # the square part in front determines Q; the rest is a product
        q, front = _results("qr", a[..., :, :rows], 2)
        rest = build("matmul", lambda x, y: product(flipped(x), y), (q, a[..., :, rows:]))
        r = np.concatenate([front, rest], axis=-1)  # type: ignore[assignment]
    return r if mode == "r" else QRResult(q, r)


def _triangle_read(a: Any, UPLO: str) -> Variable:
    """Return a symmetric matrix so that its lower triangle is the one to read."""
    if UPLO not in ("L", "U", "l", "u"):
        raise UsageError(f"{here()}: UPLO is 'L' or 'U', not {UPLO!r}")
    a = as_variable(a)
    return a if UPLO in "Ll" or a.ndim < 2 else build("transpose", flipped, (a,))


@_implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Return eigenvalues, ascending, and eigenvectors of symmetric matrices."""
    return EighResult(*_results("eigh", _triangle_read(a, UPLO), 2))


@_implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Variable:
    """Return the eigenvalues of symmetric matrices, ascending."""
    return eigh(a, UPLO).eigenvalues  # type: ignore[no-any-return]


@_implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Return U, s and Vᵀ of ``a = U diag(s) Vᵀ``, or the singular values alone."""
    no_options("linalg.svd", {"hermitian": hermitian or None})
    a = as_variable(a)
    square = a.ndim >= 2 and a.shape[-1] == a.shape[-2]
    if compute_uv and full_matrices and not square:
        raise UsageError(
            f"{here()}: np.linalg.svd on variables needs full_matrices=False: the vectors beside "
            "the singular values are not determined, and have no derivative"
        )
    result = SVDResult(*_results("svd", a, 3))
    return result if compute_uv else result.S


@_implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Variable:
    """Return the singular values of matrices, descending."""
    return _results("svd", x, 3)[1]


def _cutoff(function: str, rcond: Any, rtol: Any) -> Option:
    """Return what counts as 0, relative to the largest singular value."""
    given = [v for v in (rcond, rtol) if v is not None and v is not np._NoValue]
    if len(given) > 1 or not all(isinstance(v, float | int) for v in given):
        raise UsageError(f"{here()}: np.linalg.{function} takes one cut-off, a number")
    return float(given[0]) if given else None


@_implements(np.linalg.pinv)
def pinv(
    a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue
) -> Variable:
    """Return the pseudo-inverses of matrices."""
    no_options("linalg.pinv", {"hermitian": hermitian or None})
    return _of_matrix("pinv", a, _cutoff("pinv", rcond, rtol))


@_implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Variable:
    """Return how many singular values are not 0: integers, without a derivative."""
    no_options("linalg.matrix_rank", {"hermitian": hermitian or None, "rtol": rtol})
    return _of_matrix("matrix_rank", A, _cutoff("matrix_rank", tol, None))


@_implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Variable, Variable, Variable, Variable]:
    """Return the shortest x that minimises ``‖a x − b‖``, the sums of squares, rank, and s.

    The sums of squares are those of every rank, where NumPy returns an empty array for a rank
    that is not full.
    """
    a, b = as_variable(a), as_variable(b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise ShapeError(f"{here()}: lstsq takes one matrix, got {shape_text(a.shape)}")
    if rcond is not None and not rcond < 1:
        raise UsageError(f"{here()}: the rcond of np.linalg.lstsq is below 1, got {rcond!r}")
    cutoff: Option = True if rcond is None else _cutoff("lstsq", rcond, None)
    x = _of_matrix("pinv", a, cutoff, name="lstsq") @ b
    sums = ((a @ x - b) ** 2).sum(axis=0, keepdims=b.ndim == 1)
    s = svdvals(a)
    rank = matrix_rank(a) if rcond is None else (s > s[0] * float(rcond)).sum()
    return x, sums, rank, s


# Norms and products under the names of ``np.linalg``.


@_implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Variable:
    """Return norms of matrices: ``"fro"``, ``"nuc"``, 2, −2, 1, −1, inf, −inf."""
    x = as_variable(x)
    if x.ndim < 2:
        raise ShapeError(f"{here()}: matrix_norm takes matrices, got {shape_text(x.shape)}")
    found: Variable = _norm(x, ord)
    return found[..., None, None] if keepdims else found


def _norm(x: Any, ord: Any) -> Any:
    match ord:
        case "fro":
            return np.sqrt((x**2).sum(axis=(-2, -1)))
        case "nuc":
            return svdvals(x).sum(axis=-1)
        case 2 | -2:
            return svdvals(x)[..., 0 if ord == 2 else -1]
    if ord in (1, -1, np.inf, -np.inf):
        sums = abs(x).sum(axis=-2 if abs(ord) == 1 else -1)
        return sums.max(axis=-1) if ord > 0 else sums.min(axis=-1)
    raise UsageError(f"{here()}: the norms of a matrix are 'fro', 'nuc', ±1, ±2, ±inf, not {ord!r}")


@_implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Variable:
    """Return condition numbers of matrices, in a norm of :func:`numpy.linalg.matrix_norm`."""
    x = as_variable(x)
    if p in (None, 2, -2):
        s = svdvals(x)
        first, last = (s[..., 0], s[..., -1]) if p != -2 else (s[..., -1], s[..., 0])
        return first / last  # type: ignore[no-any-return]
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)  # type: ignore[no-any-return]


@_implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Variable:
    """Return the product of matrices, of which the first and the last may be vectors."""
    no_options("linalg.multi_dot", {"out": out})
    first, *rest = arrays
    if not rest:
        raise UsageError(f"{here()}: multi_dot takes two arrays or more")
    for array in rest:
        first = OPERATORS["matmul"](first, array)
    return as_variable(first)


@_implements(np.linalg.trace)
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Variable:
    """Return the sums of the diagonals of matrices."""
    no_options("linalg.trace", {"dtype": dtype})
    return diagonal(x, offset=offset).sum(axis=-1)  # type: ignore[no-any-return]


@_implements(np.linalg.diagonal)
def diagonal(x: Any, /, *, offset: int = 0) -> Variable:
    """Return the diagonals of matrices."""

    def make(node: Node) -> Node:
        if node.type.rank < 2:
            raise ShapeError(f"diagonal takes matrices, got {shape_text(node.shape)}")
        rows, columns = node.shape[-2:]
        if offset == 0 and rows == columns:
            return ops_diagonal(node)
        below, right = max(-offset, 0), max(offset, 0)
        length = shorter(rows - below, columns - right)
        if isinstance(length, int):
            length = max(length, 0)
        front = [(0, dim, 1) for dim in node.shape[:-2]]
        made: Node = Slice((node,), (*front, (below, length, 1), (right, length, 1)))
        return ops_diagonal(made)

    return build("diagonal", make, (x,))


@_implements(np.linalg.outer)
def outer(x1: Any, x2: Any, /) -> Variable:
    """Return the outer product of two vectors."""
    return OPERATORS["outer"](x1, x2)


@_implements(np.linalg.matmul)
def matmul(x1: Any, x2: Any, /) -> Variable:
    """Return the product of matrices."""
    return OPERATORS["matmul"](x1, x2)


@_implements(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Return the inner products of vectors along an axis."""
    x1, x2 = as_variable(x1), as_variable(x2)
    if axis != -1:
        raise UsageError(f"{here()}: np.linalg.vecdot on variables takes axis=-1")
    return (x1 * x2).sum(axis=-1)  # type: ignore[no-any-return]
