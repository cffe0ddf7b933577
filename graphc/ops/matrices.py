"""Matrix functions with one result: inverses, systems, determinants, Cholesky, exponential.

The derivatives follow M. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), where no other source is named.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.ops.contraction import broadcast_to, full, transpose
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.linalg import (
    MATRIX_FUNCTIONS,
    Linalg,
    MatrixFunction,
    Option,
    column,
    diagonal,
    diagonal_matrix,
    flipped,
    linalg,
    matrix,
    matrix_of,
    minus,
    negative,
    off_diagonal,
    on_triangle,
    outer,
    plus,
    product,
    row,
    same_place,
    square,
    symmetric,
    times,
)
from graphc.ops.reduction import reduction
from graphc.ops.several import items
from graphc.ops.structural import Pad, Slice, reshape
from graphc.types import TensorType, broadcast, shape_text, size_of


def _inv_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``−A⁻ᵀ Ḡ A⁻ᵀ``."""
    back = flipped(node)
    return negative(product(back, g, back))


def system(function: str, a: Node, b: Node, options: tuple[Option, ...] = ()) -> Node:
    """Solve with NumPy's rule: `b` is a vector if it has one axis, else a stack of matrices.

    A single matrix serves all right-hand sides at once, as columns.
    """
    if a.type.rank < 2 or b.type.rank < 1:
        raise ShapeError(f"{function} takes matrices, got {shape_text(a.shape)}")
    if a.type.rank == 2 and b.type.rank > 2:
        order = (b.type.rank - 2, *range(b.type.rank - 2), b.type.rank - 1)
        moved = transpose(b, order)
        rows = moved.shape[0]
        found = linalg(
            function, a, reshape(moved, (rows, size_of(moved.shape[1:]))), options=options
        )
        back = (*range(1, b.type.rank - 1), 0, b.type.rank - 1)
        return transpose(reshape(found, moved.shape), back)
    if b.type.rank == 1 and a.type.rank == 2:
        return linalg(function, a, b, options=options)
    column = reshape(b, (*b.shape, 1)) if b.type.rank == 1 else b
    front = broadcast(a.shape[:-2], column.shape[:-2])
    a = broadcast_to(a, (*front, *a.shape[-2:]))
    column = broadcast_to(column, (*front, *column.shape[-2:]))
    found = linalg(function, a, column, options=options)
    return reshape(found, found.shape[:-1]) if b.type.rank == 1 else found


def _system_type(node: Linalg) -> TensorType:
    a, b = node.args
    square(node)
    vector = a.type.rank == 2 and b.type.rank == 1
    if not vector and (a.type.rank != b.type.rank or a.shape[:-2] != b.shape[:-2]):
        raise ShapeError(f"cannot solve {shape_text(a.shape)} for {shape_text(b.shape)}")
    rows = b.shape[0] if vector else b.shape[-2]
    if rows != a.shape[-1]:
        raise ShapeError(
            f"{node.function}: a matrix of {a.shape[-1]} columns against {rows} rows on the right"
        )
    return b.type


def _solve_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``B̄ = A⁻ᵀ Ḡ`` and ``Ā = −B̄ Xᵀ``.

    NumPy hands out no factors of A, so the transposed system is factorised anew.
    """
    right = linalg("solve", flipped(node.args[0]), g)
    return right if i == 1 else negative(outer(right, node))


def _triangular_vjp(node: Linalg, i: int, g: Node) -> Node:
    """As of `solve`; of the matrix, only the triangle that is read has a derivative."""
    lower, unit = node.options
    right = linalg("solve_triangular", flipped(node.args[0]), g, options=(not lower, unit))
    if i == 1:
        return right
    return negative(on_triangle(outer(right, node), bool(lower), strictly=bool(unit)))


def _solved_triangular(node: Linalg, a: Any, b: Any) -> Any:
    lower, unit = node.options
    part = np.tril(a) if lower else np.triu(a)
    if unit:
        part = np.where(np.eye(a.shape[-1], dtype=bool), 1.0, part)
    return np.linalg.solve(part, b)


def _det_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``ḡ cof(A)``: the cofactors exist where the inverse does not."""
    return times(matrix_of(g), linalg("cofactors", node.args[0]))


def _cofactors(node: Linalg, x: Any) -> Any:
    """With A = U S Vᵀ: det(U) det(V) U diag(∏_{k≠i} s_k) Vᵀ."""
    u, s, vt = np.linalg.svd(x)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    return sign[..., None, None] * (u * others[..., None, :]) @ vt


def _cofactors_vjp(node: Linalg, i: int, g: Node) -> Node:
    """The second derivative of the determinant, which is symmetric: its own transpose.

    With A = U S Vᵀ, F = Uᵀ Ḡ V and P_ij = ∏_{k≠i,j} s_k (P_ii = 0), it is
    det(U) det(V) U [diag(P diag F) − P ∘ Fᵀ] Vᵀ, by expanding the determinant of S + F to second
    order. It needs no inverse, and holds where A is singular.
    """
    (x,) = node.args
    u, s, vt = items(linalg("svd", x))
    size = x.shape[-1]
    own = same_place(size)
    either = elementwise("logical_or", reshape(own, (size, 1, size)), reshape(own, (1, size, size)))
    rest = elementwise("where", either, constant(1.0), row(row(s)))
    pairs = off_diagonal(reduction("prod", rest, (rest.type.rank - 1,)))
    inner = product(flipped(u), g, flipped(vt))
    along = product(pairs, column(diagonal(inner)))
    middle = minus(diagonal_matrix(reshape(along, along.shape[:-1])), times(pairs, flipped(inner)))
    turns = times(linalg("det", u), linalg("det", vt))
    return times(matrix_of(elementwise("sign", turns)), product(u, middle, vt))


def _cholesky_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``½ (S + Sᵀ)`` with ``S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹``; Φ halves the diagonal, drops what is above.

    I. Murray, "Differentiation of the Cholesky decomposition" (2016), arXiv:1602.07527, eq. 10.
    The function reads one triangle of its argument, but the argument is a symmetric matrix, and
    so is its cotangent: what moves the one triangle moves the other.
    """
    inner = on_triangle(product(flipped(node), g), lower=True)
    middle = minus(inner, times(constant(0.5), diagonal_matrix(diagonal(inner))))
    back = flipped(node)
    half = linalg("solve_triangular", back, middle, options=(False, False))
    whole = linalg("solve_triangular", back, flipped(half), options=(False, False))
    return symmetric(whole)


def _pinv_type(node: Linalg) -> TensorType:
    front, rows, columns = matrix(node)
    return TensorType((*front, columns, rows))


def _pseudo_inverse(node: Linalg, x: Any) -> Any:
    """Return the reference value; the cut-off ``True`` is the rounding error of such a matrix."""
    (cutoff,) = node.options
    rounding = max(x.shape[-2:]) * np.finfo(float).eps
    return np.linalg.pinv(x, rcond=rounding if cutoff is True else cutoff)


def _pinv_vjp(node: Linalg, i: int, g: Node) -> Node:
    """Where the rank stays the same, with P = A⁺: three terms, two of which project.

    ``Ā = −Pᵀ Ḡ Pᵀ + (I − A P) Ḡᵀ P Pᵀ + Pᵀ P Ḡᵀ (I − P A)``: the transpose of theorem 4.3 of
    G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", SIAM J. Numer. Anal. 10 (1973).
    """
    (a,) = node.args
    p, pt, gt = node, flipped(node), flipped(g)
    across = product(gt, p, pt)
    down = product(pt, p, gt)
    first = product(pt, g, pt)
    second = minus(across, product(a, p, across))
    third = minus(down, product(down, p, a))
    return minus(plus(second, third), first)


def _rank_type(node: Linalg) -> TensorType:
    front, _, _ = matrix(node)
    return TensorType(front, "integer")


# The matrix exponential. With a second operand E, the derivative along E.


def _expm_vjp(node: Linalg, i: int, g: Node) -> Node:
    """The derivative at Aᵀ along Ḡ."""
    return linalg("expm_frechet", flipped(node.args[0]), g)


def _frechet_type(node: Linalg) -> TensorType:
    a, e = node.args
    square(node)
    if a.shape != e.shape:
        raise ShapeError(f"a derivative at {shape_text(a.shape)} along {shape_text(e.shape)}")
    return a.type


def _frechet_vjp(node: Linalg, i: int, g: Node) -> Node:
    """Linear in the second operand; by the first, the second derivative along two directions.

    That is the corner of the derivative of a matrix of twice the size: N. Higham, "Functions of
    Matrices" (2008), theorem 3.6, applied twice.
    """
    a, e = (flipped(arg) for arg in node.args)
    if i == 1:
        return linalg("expm_frechet", a, g)
    zero = full(0.0, a.shape)
    return corner(linalg("expm_frechet", blocks(a, e, zero, a), blocks(g, zero, zero, g)))


def blocks(a: Node, b: Node, c: Node, d: Node) -> Node:
    """Return the matrices of four square blocks of the same size."""
    size = a.shape[-1]
    parts = []
    for k, part in enumerate((a, b, c, d)):
        front = [(0, dim, 1) for dim in part.shape[:-2]]
        spans = (*front, (size * (k // 2), size, 1), (size * (k % 2), size, 1))
        made: Node = Pad((part,), spans, (*part.shape[:-2], 2 * size, 2 * size))
        parts.append(made)
    return plus(plus(parts[0], parts[3]), plus(parts[1], parts[2]))


def corner(x: Node) -> Node:
    """Return the upper right one of four blocks; the sizes are even."""
    size = x.shape[-1] // 2
    front = [(0, dim, 1) for dim in x.shape[:-2]]
    made: Node = Slice((x,), (*front, (0, size, 1), (size, size, 1)))
    return made


def _exponential(node: Linalg, x: Any) -> Any:
    """The series, of a small fraction of the matrix, squared as often as needed."""
    norms = np.abs(x).sum(-1).max(initial=0.0)
    halvings = max(0, int(np.ceil(np.log2(max(norms, 1e-300)))) + 3) if np.isfinite(norms) else 0
    small = x / 2.0**halvings
    term = result = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 19):
        term = term @ small / k
        result = result + term
    for _ in range(halvings):
        result = result @ result
    return result


def _frechet(node: Linalg, a: Any, e: Any) -> Any:
    size = a.shape[-1]
    whole = np.block([[a, e], [np.zeros_like(a), a]])
    return _exponential(node, whole)[..., :size, size:]


MATRIX_FUNCTIONS |= {
    "inv": MatrixFunction(square, _inv_vjp, lambda node, x: np.linalg.inv(x)),
    "solve": MatrixFunction(_system_type, _solve_vjp, lambda node, a, b: np.linalg.solve(a, b)),
    "solve_triangular": MatrixFunction(_system_type, _triangular_vjp, _solved_triangular),
    "det": MatrixFunction(
        lambda node: TensorType(square(node).shape[:-2]),
        _det_vjp,
        lambda node, x: np.linalg.det(x),
    ),
    "cofactors": MatrixFunction(square, _cofactors_vjp, _cofactors),
    "cholesky": MatrixFunction(square, _cholesky_vjp, lambda node, x: np.linalg.cholesky(x)),
    "pinv": MatrixFunction(_pinv_type, _pinv_vjp, _pseudo_inverse),
    "matrix_rank": MatrixFunction(
        _rank_type, None, lambda node, x: np.linalg.matrix_rank(x, node.options[0])
    ),
    "expm": MatrixFunction(square, _expm_vjp, _exponential),
    "expm_frechet": MatrixFunction(_frechet_type, _frechet_vjp, _frechet),
}
