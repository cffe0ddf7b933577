"""Decompositions: nodes with several results, and what cotangents of some of them come to."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.ops.contraction import full
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.linalg import (
    MATRIX_FUNCTIONS,
    Linalg,
    MatrixFunction,
    column,
    diagonal_matrix,
    flipped,
    linalg,
    matrix,
    matrix_of,
    minus,
    negative,
    on_triangle,
    plus,
    product,
    row,
    same_place,
    square,
    symmetric,
    times,
)
from graphc.ops.several import bundle, held_at, items, types_of
from graphc.types import Dim, TensorType, TupleType


def _slogdet_type(node: Linalg) -> TensorType:
    number = TensorType(square(node).shape[:-2])
    return TupleType((number, number))


def _slogdet_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``ḡ A⁻ᵀ`` of the logarithm; the sign is piecewise constant."""
    (x,) = node.args
    by_log = held_at(g, 1)
    if by_log is None:
        return full(0.0, x.shape)
    return times(matrix_of(by_log), flipped(linalg("inv", x)))


def _qr_type(node: Linalg) -> TensorType:
    front, rows, columns = matrix(node)
    if isinstance(rows, int) and isinstance(columns, int) and rows < columns:
        raise ShapeError("a wide matrix is decomposed by its square part")
    return TupleType((TensorType((*front, rows, columns)), TensorType((*front, columns, columns))))


def _qr_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``Ā = (Q̄ + Q copyltu(M)) R⁻ᵀ`` with ``M = R R̄ᵀ − Q̄ᵀ Q``, of full column rank.

    M. Seeger et al., "Auto-differentiating linear algebra" (2017), arXiv:1710.08717; S. Walter and
    L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010). `copyltu` puts
    the lower triangle above the diagonal too.
    """
    q, r = items(node)
    by_q, by_r = held_at(g, 0), held_at(g, 1)
    middle = None
    if by_r is not None:
        middle = product(r, flipped(by_r))
    if by_q is not None:
        inner = product(flipped(by_q), q)
        middle = negative(inner) if middle is None else minus(middle, inner)
    assert middle is not None
    below = on_triangle(middle, lower=True, strictly=True)
    mirrored = plus(on_triangle(middle, lower=True), flipped(below))
    outer = product(q, mirrored)
    if by_q is not None:
        outer = plus(by_q, outer)
    return flipped(linalg("solve_triangular", r, flipped(outer), options=(False, False)))


def _eigh_type(node: Linalg) -> TensorType:
    whole = square(node)
    return TupleType((TensorType(whole.shape[:-1]), whole))


def _eigh_vjp(node: Linalg, i: int, g: Node) -> Node:
    """``V (diag(w̄) + F ∘ (Vᵀ V̄)) Vᵀ``, its symmetric part, with ``F_ij = 1 / (w_j − w_i)``.

    Giles (2008), section 3.1. Of equal eigenvalues only the space of the eigenvectors is
    determined, and a function of the vectors has no derivative by this formula: it gives nan,
    as JAX's does. A finite number in place of the infinite F_ij would be wrong for functions
    that do have a derivative, such as V diag(w) Vᵀ. Functions of the eigenvalues alone that are
    symmetric in them are right.
    """
    w, v = items(node)
    by_w, by_v = held_at(g, 0), held_at(g, 1)
    middle = None if by_w is None else diagonal_matrix(by_w)
    if by_v is not None:
        gaps = minus(row(w), column(w))
        turned = times(_inverse_gaps(gaps), product(flipped(v), by_v))
        middle = turned if middle is None else plus(middle, turned)
    assert middle is not None
    return symmetric(product(v, middle, flipped(v)))


def _inverse_gaps(gaps: Node) -> Node:
    """Return 1 over gaps between values, and 0 on the diagonal, where there are none."""
    own = same_place(gaps.shape[-1])
    safe = elementwise("where", own, constant(1.0), gaps)
    return elementwise("where", own, constant(0.0), elementwise("reciprocal", safe))


def _svd_type(node: Linalg) -> TensorType:
    front, rows, columns = matrix(node)
    short = shorter(rows, columns)
    return TupleType(
        (
            TensorType((*front, rows, short)),
            TensorType((*front, short)),
            TensorType((*front, short, columns)),
        )
    )


def shorter(rows: Dim, columns: Dim) -> Dim:
    """Return the smaller of the sizes of a matrix."""
    if rows == columns:
        return rows
    if isinstance(rows, int) and isinstance(columns, int):
        return min(rows, columns)
    raise ShapeError(
        f"which of {rows} rows and {columns} columns is smaller must be known here; "
        "declare them as integers"
    )


def _svd_vjp(node: Linalg, i: int, g: Node) -> Node:
    """The formula of J. Townsend, "Differentiating the singular value decomposition" (2016).

    ``U [(F ∘ (UᵀŪ − ŪᵀU)) S + S (F ∘ (VᵀV̄ − V̄ᵀV)) + diag(s̄)] Vᵀ`` with
    ``F_ij = 1 / (s_j² − s_i²)``, and what Ū and V̄ have outside of the spaces of U and V, divided
    by the singular values. Equal singular values, and a singular value 0 where the matrix is not
    square, are what equal eigenvalues are to eigh.
    """
    u, s, vt = items(node)
    by_u, by_s, by_vt = (held_at(g, k) for k in range(3))
    rows, columns = node.args[0].shape[-2:]
    # As a product of differences and sums, F stays exact where the squares would not.
    inverse_gaps = _inverse_gaps(times(minus(row(s), column(s)), plus(row(s), column(s))))
    parts: list[Node] = []
    beside: list[Node] = []
    if by_s is not None:
        parts.append(diagonal_matrix(by_s))
    if by_u is not None:
        inner = product(flipped(u), by_u)
        turned = times(inverse_gaps, minus(inner, flipped(inner)))
        parts.append(times(turned, row(s)))
        if rows != u.shape[-1]:
            outside = minus(by_u, product(u, inner))
            beside.append(product(times(outside, row(elementwise("reciprocal", s))), vt))
    if by_vt is not None:
        inner = product(vt, flipped(by_vt))
        turned = times(inverse_gaps, minus(inner, flipped(inner)))
        parts.append(times(column(s), turned))
        if columns != u.shape[-1]:
            outside = minus(by_vt, product(flipped(inner), vt))
            beside.append(product(times(u, row(elementwise("reciprocal", s))), outside))
    middle = parts[0]
    for part in parts[1:]:
        middle = plus(middle, part)
    result = product(u, middle, vt)
    for part in beside:
        result = plus(result, part)
    return result


def _eigvalsh_vjp(node: Linalg, i: int, g: Node) -> Node:
    """Those of the decomposition, which the backward pass needs."""
    whole = linalg("eigh", *node.args)
    return _eigh_vjp(whole, i, bundle([g, None], types_of(whole)))  # type: ignore[arg-type]


def _svdvals_vjp(node: Linalg, i: int, g: Node) -> Node:
    """Those of the decomposition, which the backward pass needs."""
    whole = linalg("svd", *node.args)
    return _svd_vjp(whole, i, bundle([None, g, None], types_of(whole)))  # type: ignore[arg-type]


def _svdvals_type(node: Linalg) -> TensorType:
    front, rows, columns = matrix(node)
    return TensorType((*front, shorter(rows, columns)))


def _svd(node: Linalg, x: Any) -> Any:
    return tuple(np.linalg.svd(x, full_matrices=False))


MATRIX_FUNCTIONS |= {
    "slogdet": MatrixFunction(
        _slogdet_type, _slogdet_vjp, lambda node, x: tuple(np.linalg.slogdet(x))
    ),
    "qr": MatrixFunction(_qr_type, _qr_vjp, lambda node, x: tuple(np.linalg.qr(x))),
    "eigh": MatrixFunction(_eigh_type, _eigh_vjp, lambda node, x: tuple(np.linalg.eigh(x))),
    "eigvalsh": MatrixFunction(
        lambda node: TensorType(square(node).shape[:-1]),
        _eigvalsh_vjp,
        lambda node, x: np.linalg.eigvalsh(x),
    ),
    "svdvals": MatrixFunction(
        _svdvals_type, _svdvals_vjp, lambda node, x: np.linalg.svd(x, compute_uv=False)
    ),
    "svd": MatrixFunction(_svd_type, _svd_vjp, _svd),
}
