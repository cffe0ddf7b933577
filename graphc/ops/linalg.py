"""Linear algebra: functions of matrices, which stand on the last two axes; the others batch.

One node kind and a table. What depends on the function, its type, its derivative and its value,
stands in a row; the rows are in :mod:`graphc.ops.matrices` and :mod:`graphc.ops.decompositions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Determinant, Inverse, Num, Sum, Symbol, Term, fresh_index
from graphc.ops.contraction import broadcast_to, contract, transpose
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Iota, constant
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.structural import reshape
from graphc.types import Dim, Shape, TensorType, shape_text

Option: TypeAlias = bool | float | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Linalg(Node):
    """A row of the table, applied to matrices."""

    function: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixFunction:
    """A row of the table of matrix functions.

    Parameters
    ----------
    type
        ``type(node)``; of several results, a TupleType.
    vjp
        As in :class:`graphc.ops.rules.Rules`; ``None`` where no derivative passes.
    evaluate
        ``evaluate(node, *values)`` in NumPy.
    """

    type: Callable[[Linalg], TensorType]
    vjp: Callable[[Linalg, int, Node], Node] | None
    evaluate: Callable[..., Any]


MATRIX_FUNCTIONS: dict[str, MatrixFunction] = {}


def linalg(function: str, *args: Node, options: tuple[Option, ...] = ()) -> Node:
    """Return a row of the table, applied."""
    made: Node = Linalg(args, function, options)
    return made


# What the rules are written in: products, transposes and masks of matrices.


def flipped(x: Node) -> Node:
    """Return the transposes of matrices."""
    rank = x.type.rank
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def product(a: Node, b: Node, *more: Node) -> Node:
    """Return products of matrices with the same leading axes; the last may be a vector."""
    front = tuple(range(a.type.rank - 2))
    i, j, k = len(front), len(front) + 1, len(front) + 2
    column = () if b.type.rank == 1 else (k,)
    made = contract((a, b), ((*front, i, j), (*front, j, *column)), (*front, i, *column))
    return product(made, *more) if more else made


def outer(a: Node, b: Node) -> Node:
    """Return ``a bᵀ``: of vectors, or of matrices with the same leading axes."""
    if a.type.rank == 1:
        return contract((a, b), ((0,), (1,)), (0, 1))
    return product(a, flipped(b))


def plus(a: Node, b: Node) -> Node:
    """Return the sum."""
    return elementwise("add", a, b)


def minus(a: Node, b: Node) -> Node:
    """Return the difference."""
    return elementwise("subtract", a, b)


def times(a: Node, b: Node) -> Node:
    """Return the product element by element."""
    return elementwise("multiply", a, b)


def negative(a: Node) -> Node:
    """Return the negative."""
    return elementwise("negative", a)


def column(x: Node) -> Node:
    """Return vectors as matrices of one column."""
    return reshape(x, (*x.shape, 1))


def row(x: Node) -> Node:
    """Return vectors as matrices of one row."""
    return reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def matrix_of(x: Node) -> Node:
    """Return numbers as matrices of one element."""
    return reshape(x, (*x.shape, 1, 1))


def diagonal(x: Node) -> Node:
    """Return the diagonals of square matrices."""
    labels = tuple(range(x.type.rank - 1))
    return contract((x,), ((*labels, labels[-1]),), labels)


def diagonal_matrix(x: Node) -> Node:
    """Return the diagonal matrices of vectors."""
    labels = tuple(range(x.type.rank))
    return contract((x,), (labels,), (*labels, labels[-1]))


def symmetric(x: Node) -> Node:
    """Return the symmetric part of matrices."""
    return times(constant(0.5), plus(x, flipped(x)))


def on_triangle(x: Node, lower: bool, *, strictly: bool = False) -> Node:
    """Return matrices with 0 outside of a triangle; `strictly`, on the diagonal too."""
    rows, columns = x.shape[-2:]
    i, j = reshape(_iota(rows), (rows, 1)), _iota(columns)
    compare = ("greater" if lower else "less") + ("" if strictly else "_equal")
    return elementwise("where", elementwise(compare, i, j), x, constant(0.0))


def off_diagonal(x: Node) -> Node:
    """Return square matrices with 0 on the diagonal."""
    return elementwise("where", same_place(x.shape[-1]), constant(0.0), x)


def same_place(size: Dim) -> Node:
    """Return the identity matrix as a mask."""
    return elementwise("equal", reshape(_iota(size), (size, 1)), _iota(size))


def _iota(size: Dim) -> Node:
    made: Node = Iota((), size)
    return made


# Types.


def square(node: Linalg) -> TensorType:
    """Check that the first operand holds square matrices; return its type."""
    (x, *_) = node.args
    if x.type.rank < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{node.function} takes square matrices, got {shape_text(x.shape)}")
    return TensorType(x.shape)


def matrix(node: Linalg) -> tuple[Shape, Dim, Dim]:
    """Check that the operand holds matrices; return leading axes, rows and columns."""
    (x, *_) = node.args
    if x.type.rank < 2:
        raise ShapeError(f"{node.function} takes matrices, got {shape_text(x.shape)}")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


# The kind.


def _batch(node: Linalg, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Give all operands the sample axis; of one, it is one more leading axis."""
    if all(batched):
        vectors = [b.type.rank == 1 for b in node.args]
        if not any(vectors):
            return linalg(node.function, *args, options=node.options)
        # A stack of vectors would be taken for a matrix.
        made = linalg(node.function, args[0], column(args[1]), options=node.options)
        return reshape(made, made.shape[:-1])
    if node.function in SYSTEMS and not batched[0]:
        return _many_right_sides(node, args[0], args[1])
    whole = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]
    return _batch(node, whole, [True] * len(whole), size)


# Functions of a matrix and right-hand sides; the matrix serves all columns of them.
SYSTEMS = ("solve", "solve_triangular")


def _many_right_sides(node: Linalg, a: Node, b: Node) -> Node:
    """Put the samples side by side as columns: one factorisation serves them all."""
    samples, *rest = b.shape
    if len(rest) == 1:
        found = linalg(node.function, a, transpose(b, (1, 0)), options=node.options)
        return transpose(found, (1, 0))
    front = len(rest) - 2
    moved = transpose(b, (*range(1, front + 2), 0, front + 2))
    wide = reshape(moved, (*rest[:-1], samples * rest[-1]))
    found = reshape(linalg(node.function, a, wide, options=node.options), moved.shape)
    return transpose(found, (front + 1, *range(front + 1), front + 2))


def _meaning(node: Linalg, indices: Indices, element: Element) -> Term:
    """Return an element; of `slogdet`, which has two results, the first index tells which."""
    x = node.args[0]
    size, front = x.shape[-1], x.type.rank - 2

    def matrix(before: Indices) -> tuple[Symbol, Symbol, Term]:
        i, j = fresh_index(), fresh_index()
        return i, j, element(0, (*before, i, j))

    match node.function:
        case "inv":
            i, j, body = matrix(indices[:front])
            return Inverse(i, j, size, body, indices[front:])
        case "det":
            i, j, body = matrix(indices)
            return Determinant("det", i, j, size, body)
        case "slogdet":
            which, *before = indices
            i, j, body = matrix(tuple(before))
            return Determinant("logdet" if which is Num(1) else "signdet", i, j, size, body)
        case "solve":
            i, j, body = matrix(indices[:front])
            k = fresh_index()
            place = (*indices[:front], k, *indices[front + 1 :])
            inverse: Term = Inverse(i, j, size, body, (indices[front], k))
            return Sum(k, size, inverse * element(1, place))
    raise FormulaError(f"'{node.function}' has no formula in the elements of its matrix")


# What textbooks state in place of a formula (Higham, "Functions of Matrices", 2008, chapter 10).
DIFFERENTIALS = {"expm": "∫₀¹ exp(t A) dA exp((1 − t) A) dt"}


def _vjp(node: Linalg, i: int, g: Node) -> Node:
    rule = MATRIX_FUNCTIONS[node.function].vjp
    assert rule is not None, "cut"
    return rule(node, i, g)


def _cuts(node: Linalg, i: int) -> bool:
    return MATRIX_FUNCTIONS[node.function].vjp is None or node.args[i].kind != "real"


def _type(node: Linalg) -> TensorType:
    if any(arg.kind != "real" for arg in node.args):
        raise KindError(f"{node.function} takes real matrices")
    return MATRIX_FUNCTIONS[node.function].type(node)


def _evaluate(node: Linalg, values: Sequence[Any], sizes: Sizes) -> Any:
    return MATRIX_FUNCTIONS[node.function].evaluate(node, *values)


define(
    Linalg,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
