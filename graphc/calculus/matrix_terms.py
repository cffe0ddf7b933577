"""Expressions of matrix notation, and how they print.

A vector is a column. Sums, products and transposes are put in order as they are made; nothing is
decided while printing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.calculus.index_terms import ONE
from graphc.ir.terms import Num, Term
from graphc.types import Dim


@dataclass(frozen=True, slots=True)
class Matrix:
    """An expression of matrix notation.

    Parameters
    ----------
    head
        What it is: one of the names of the functions below.
    shape
        ``()`` for a scalar, ``(n,)`` for a column, ``(m, n)`` for a matrix; a row is ``(1, n)``.
    args
        The expressions that it is made of.
    value
        What is not an expression: a tensor, a term, an exponent or the name of a function.
    """

    head: str
    shape: tuple[Dim, ...]
    args: tuple[Matrix, ...] = ()
    value: Any = None


def tensor(node: Any, shape: tuple[Dim, ...]) -> Matrix:
    """Return a tensor that has a name."""
    return Matrix("tensor", shape, (), node)


def scalar(term: Term) -> Matrix:
    """Return a scalar that is written in index notation: a number, a size, one element."""
    return Matrix("scalar", (), (), term)


def ones(size: Dim) -> Matrix:
    """Return the column of ones."""
    return Matrix("ones", (size,))


def identity(size: Dim) -> Matrix:
    """Return the identity matrix."""
    return Matrix("identity", (size, size))


def onehot(place: Term, shape: tuple[Dim, ...]) -> Matrix:
    """Return the column that is 1 at `place` and else 0; for several places, a row for each."""
    return Matrix("onehot", shape, (), place)


def add(*terms: Matrix) -> Matrix:
    """Return a sum."""
    flat = tuple(p for term in terms for p in (term.args if term.head == "add" else (term,)))
    return flat[0] if len(flat) == 1 else Matrix("add", flat[0].shape, flat)


def scaled(scalars: tuple[Matrix, ...], matrix: Matrix) -> Matrix:
    """Return scalars times a matrix."""
    one = scalar(ONE)
    if matrix.head == "scaled":
        scalars, matrix = (*scalars, *matrix.args[:-1]), matrix.args[-1]
    kept = tuple(s for s in scalars if s != one)
    if matrix == one and kept:
        kept, matrix = kept[:-1], kept[-1]
    return Matrix("scaled", matrix.shape, (*kept, matrix)) if kept else matrix


def chain(*parts: Matrix) -> Matrix:
    """Return a matrix product."""
    flat: list[Matrix] = []
    scalars: list[Matrix] = []
    for part in parts:
        if part.head == "scaled" and part.shape:
            scalars.extend(part.args[:-1])
            part = part.args[-1]
        if part.head == "identity" and len(parts) > 1:
            continue
        flat.extend(part.args if part.head == "chain" else (part,))
    if not flat:
        return scaled(tuple(scalars), parts[0])
    if len(flat) == 1:
        return scaled(tuple(scalars), flat[0])
    shape = (*flat[0].shape[:1], *flat[-1].shape[1:])
    if is_row(flat[0]) and len(shape) == 1:
        shape = ()  # a row times a column
    return scaled(tuple(scalars), Matrix("chain", shape, tuple(flat)))


def is_row(matrix: Matrix) -> bool:
    """Return whether an expression is a row: the transpose of a column, or its product."""
    first = matrix.args[0] if matrix.head == "chain" else matrix
    return first.head == "transpose" and len(first.args[0].shape) == 1


def transposed(matrix: Matrix) -> Matrix:
    """Return the transpose, taken inside as far as it goes."""
    turned = (1, *matrix.shape) if len(matrix.shape) == 1 else matrix.shape[::-1]
    match matrix.head:
        case "transpose":
            return matrix.args[0]
        case "chain":
            return chain(*map(transposed, reversed(matrix.args)))
        case "add":
            return add(*map(transposed, matrix.args))
        case "scaled":
            return scaled(matrix.args[:-1], transposed(matrix.args[-1]))
        case "hadamard":
            return hadamard(*map(transposed, matrix.args))
        case "diag" | "identity":
            return matrix
    return Matrix("transpose", turned, (matrix,)) if matrix.shape else matrix


def hadamard(*parts: Matrix) -> Matrix:
    """Return the product element by element."""
    flat = [p for part in parts for p in (part.args if part.head == "hadamard" else (part,))]
    scalars = [s for p in flat if p.head == "scaled" for s in p.args[:-1]]
    bare = [p.args[-1] if p.head == "scaled" else p for p in flat]
    kept = tuple(p for p in bare if p.head != "ones") or (bare[0],)
    whole = kept[0] if len(kept) == 1 else Matrix("hadamard", kept[0].shape, kept)
    return scaled(tuple(scalars), whole)


def diag(vector: Matrix) -> Matrix:
    """Return the diagonal matrix of a column."""
    if vector.head == "ones":
        return identity(vector.shape[0])
    return Matrix("diag", (vector.shape[0], vector.shape[0]), (vector,))


def diagonal(matrix: Matrix) -> Matrix:
    """Return the diagonal of a matrix, as a column."""
    return Matrix("diagonal", matrix.shape[:1], (matrix,))


def trace(matrix: Matrix) -> Matrix:
    """Return the trace."""
    if matrix.head == "scaled":
        return scaled(matrix.args[:-1], trace(matrix.args[-1]))
    return Matrix("trace", (), (matrix,))


def inner(left: Matrix, right: Matrix) -> Matrix:
    """Return the inner product of two columns."""
    if left == right:
        return norm(left)
    if left.head == "chain" and right.head != "chain":
        left, right = right, left
    return chain(transposed(left), right)


def norm(matrix: Matrix) -> Matrix:
    """Return the sum of squares."""
    return Matrix("norm", (), (matrix,))


def power(base: Matrix, exponent: Num) -> Matrix:
    """Return a power, element by element."""
    return Matrix("power", base.shape, (base,), exponent)


def call(function: str, shape: tuple[Dim, ...], *args: Matrix) -> Matrix:
    """Return a function: of scalars and, element by element, of tensors; or of a whole column."""
    return Matrix("call", shape, args, function)
