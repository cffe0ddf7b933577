"""Expressions of matrix notation, and how they print.

A vector is a column. Sums, products and transposes are put in order as they are made; nothing is
decided while printing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from graphc.calculus.index_terms import MINUS, ONE
from graphc.calculus.simplify_numbers import content_of, number
from graphc.ir.terms import Num, Number, Term
from graphc.ops.properties import has
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


def zero(shape: tuple[Dim, ...]) -> Matrix:
    """Return the expression that is 0 everywhere."""
    return Matrix("zero", shape)


def add(*terms: Matrix) -> Matrix:
    """Return a sum, the scalars that all its terms have in front of it."""
    flat = tuple(p for term in terms for p in (term.args if term.head == "add" else (term,)))
    given = tuple(p for p in flat if p.head != "zero") or flat[:1]
    flat = _collected(given)
    if len(flat) == 1:
        return flat[0]
    content = _content(flat) if len(flat) < len(given) and flat[0].shape else 1
    if content != 1:
        parts = (scaled((scalar(number(1 / Fraction(content))),), p) for p in flat)
        return scaled((scalar(number(content)),), add(*parts))
    common = [s for s in _scalars(flat[0]) if all(s in _scalars(p) for p in flat[1:])]
    if not common or not flat[0].shape:
        return _bracketed(flat) or _grouped(flat) or Matrix("add", flat[0].shape, flat)
    return scaled(tuple(common), add(*(_without(p, common) for p in flat)))


def _collected(terms: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
    """Return the terms of a sum with those that differ in a number alone made one."""
    total: dict[Matrix, Number] = {}
    brackets: dict[frozenset[Matrix], Matrix] = {}
    for term in terms:
        coefficient, rest = _split_number(term)
        sign, rest = _turned(rest, brackets)
        total[rest] = total.get(rest, 0) + sign * coefficient
    if len(total) == len(terms):
        return _plain_first(terms)
    kept = tuple(scaled((scalar(number(c)),), rest) for rest, c in total.items() if c)
    return kept or (zero(terms[0].shape),)


def _content(terms: Sequence[Matrix]) -> Number:
    """Return the number that the terms of a sum have in common."""
    return content_of([_split_number(term)[0] for term in terms])


def _turned(matrix: Matrix, brackets: dict[frozenset[Matrix], Matrix]) -> tuple[int, Matrix]:
    """Return a product with its brackets written as in `brackets`, and the sign that this takes.

    So ``(a − b) (b − a)ᵀ`` is a negative of what ``(a − b) (a − b)ᵀ`` is. New brackets are noted.
    """
    if matrix.head == "add":
        turned = frozenset(map(negated, matrix.args))
        if turned in brackets:
            return -1, brackets[turned]
        return 1, brackets.setdefault(frozenset(matrix.args), matrix)
    if matrix.head not in ("chain", "transpose", "hadamard", "scaled", "diag"):
        return 1, matrix
    parts = [_turned(part, brackets) for part in matrix.args]
    sign = prod(sign for sign, _ in parts)
    return sign, Matrix(matrix.head, matrix.shape, tuple(p for _, p in parts), matrix.value)


def _plain_first(terms: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
    """Put of two terms of the same tensors that with fewer transposes first."""
    if len(terms) != 2 or _split_number(terms[0])[0] != _split_number(terms[1])[0]:
        return terms
    one, other = (sorted(_tensors(term)) for term in terms)
    return tuple(sorted(terms, key=_transposes)) if one == other else terms


def _tensors(matrix: Matrix) -> Iterator[int]:
    if matrix.head == "tensor":
        yield id(matrix.value)
    for part in matrix.args:
        yield from _tensors(part)


def _transposes(matrix: Matrix) -> int:
    return (matrix.head == "transpose") + sum(map(_transposes, matrix.args))


def _split_number(matrix: Matrix) -> tuple[Number, Matrix]:
    """Return an expression as a number times the rest."""
    if is_number(matrix):
        return matrix.value.value, scalar(ONE)
    if matrix.head == "scaled" and is_number(matrix.args[0]):
        return matrix.args[0].value.value, scaled(matrix.args[1:-1], matrix.args[-1])
    return 1, matrix


def _bracketed(terms: tuple[Matrix, ...]) -> Matrix | None:
    """Take out of a sum what its products begin and end with, or the vector they are applied to.

    So it is ``Aᵀ (diag(p) − p pᵀ) A`` and ``(B + Bᵀ) x``; but ``B X + Bᵀ X``, as textbooks have it.
    """
    bare = [p.args[-1] if p.head == "scaled" else p for p in terms]
    if all(p.head == "hadamard" for p in bare):
        return _of_elements(terms, bare)
    if any(p.head != "chain" for p in bare):
        return None
    room = min(len(p.args) for p in bare)
    left = _shared([p.args for p in bare], room)
    right = _shared([p.args[::-1] for p in bare], room - left)
    sandwich = left and right
    applied = (right and len(terms[0].shape) == 1) or (left and is_row(bare[0]))
    columns = len(terms[0].shape) == 1 and not is_row(bare[0]) and left and not right
    if not (sandwich or applied or columns):
        return None
    first = bare[0].args
    if left and len(first[left - 1].shape) == 1:
        return None  # a column, and a row after it
    middles = []
    for term, product in zip(terms, bare, strict=True):
        inside = product.args[left : len(product.args) - right]
        if not inside and not sandwich:
            return None
        scalars = term.args[:-1] if term.head == "scaled" else ()
        whole = chain(*inside) if inside else identity(first[left - 1].shape[1])
        middles.append(scaled(scalars, whole))
    if any(len(part.shape) != 2 - columns or part.shape[0] == 1 for part in middles):
        return None
    numbers = {_split_number(part)[0] for part in middles}
    if len(numbers) == 1:
        middles = [_split_number(part)[1] for part in middles]
    middles.sort(key=lambda part: part.head == "transpose")
    made = chain(*first[:left], add(*middles), *first[len(first) - right :])
    return scaled((scalar(number(numbers.pop())),), made) if len(numbers) == 1 else made


def _of_elements(terms: Sequence[Matrix], bare: Sequence[Matrix]) -> Matrix | None:
    """Take out of a sum of products element by element what all of them hold."""
    shared = [part for part in bare[0].args if all(part in p.args for p in bare[1:])]
    rests = [[part for part in p.args if part not in shared] for p in bare]
    if not shared or not all(rests):
        return None
    inside = [scaled(term.args[:-1] if term.head == "scaled" else (), hadamard(*rest))
              for term, rest in zip(terms, rests, strict=True)]  # fmt: skip
    return hadamard(*shared, add(*inside))


def _grouped(terms: tuple[Matrix, ...]) -> Matrix | None:
    """Take out of some terms of a sum of columns what these have in common."""
    if len(terms) < 3 or len(terms[0].shape) != 1:
        return None
    bare = [_split_number(term)[1] for term in terms]
    for end in (-1, 0):
        for i, product in enumerate(bare):
            alike = [k for k, other in enumerate(bare)
                     if other.head == product.head == "chain"
                     and other.args[end] == product.args[end]]  # fmt: skip
            if 1 < len(alike) < len(terms) and alike[0] == i:
                made = _bracketed(tuple(terms[k] for k in alike))
                if made is not None:
                    rest = [term for k, term in enumerate(terms) if k not in alike]
                    return add(made, *rest)
    return None


def _shared(rows: list[tuple[Matrix, ...]], most: int) -> int:
    """Return how many leading factors products share."""
    often = 0
    while often < most and all(row[often] == rows[0][often] for row in rows):
        often += 1
    return often


def _scalars(matrix: Matrix) -> tuple[Matrix, ...]:
    """Return the scalars in front of an expression that are no numbers."""
    found = matrix.args[:-1] if matrix.head == "scaled" else ()
    return tuple(s for s in found if not is_number(s))


def _without(matrix: Matrix, scalars: list[Matrix]) -> Matrix:
    kept = tuple(s for s in matrix.args[:-1] if s not in scalars)
    return scaled(kept, matrix.args[-1])


def is_number(matrix: Matrix) -> bool:
    """Return whether an expression is a number."""
    return matrix.head == "scalar" and isinstance(matrix.value, Num)


def scaled(scalars: tuple[Matrix, ...], matrix: Matrix) -> Matrix:
    """Return scalars times a matrix, the powers of equal scalars merged."""
    one = scalar(ONE)
    if matrix.head == "scaled":
        scalars, matrix = (*scalars, *matrix.args[:-1]), matrix.args[-1]
    if not matrix.shape:
        scalars, matrix = (*scalars, matrix), one
    kept = _merged(scalars)
    if matrix == one and kept:
        kept, matrix = kept[:-1], kept[-1]
    return Matrix("scaled", matrix.shape, (*kept, matrix)) if kept else matrix


def _merged(scalars: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
    """Return scalars with each base once: the number first, if it is not 1."""
    coefficient: Number = 1
    exponents: dict[Matrix, Number] = {}
    for factor in scalars:
        if is_number(factor):
            coefficient = number(coefficient * factor.value.value).value
            continue
        powered = factor.head == "power" and isinstance(factor.value, Num)
        base = factor.args[0] if powered else factor
        exponents[base] = exponents.get(base, 0) + (factor.value.value if powered else 1)
    kept = [scalar(number(coefficient))] if coefficient != 1 else []
    for base, exponent in exponents.items():
        if exponent:
            kept.append(base if exponent == 1 else power(base, number(exponent)))
    return tuple(kept)


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
        case "zero":
            return zero(turned)
        case "add" if len(matrix.shape) == 2 and turned[0] != 1:
            parts = tuple(map(transposed, matrix.args))
            return matrix if set(parts) == set(matrix.args) else add(*parts)
        case "scaled":
            return scaled(matrix.args[:-1], transposed(matrix.args[-1]))
        case "hadamard" if len(matrix.shape) == 2:
            return hadamard(*map(transposed, matrix.args))
        case "kron" if len(matrix.shape) == 2:
            return kron(*map(transposed, matrix.args))
        case "diag" | "identity":
            return matrix
        case "tensor" if len(matrix.shape) == 2 and has(matrix.value, "symmetric"):
            return matrix
        case "inverse" if transposed(matrix.args[0]) == matrix.args[0]:
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


def kron(left: Matrix, right: Matrix) -> Matrix:
    """Return the Kronecker product."""
    shape = tuple(a * b for a, b in zip(left.shape, right.shape, strict=True))
    return Matrix("kron", shape, (left, right))


def diag(vector: Matrix) -> Matrix:
    """Return the diagonal matrix of a column."""
    if vector.head == "ones":
        return identity(vector.shape[0])
    return Matrix("diag", (vector.shape[0], vector.shape[0]), (vector,))


def diagonal(matrix: Matrix) -> Matrix:
    """Return the diagonal of a matrix, as a column."""
    return Matrix("diagonal", matrix.shape[:1], (matrix,))


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse."""
    if matrix.head == "inverse":
        return matrix.args[0]
    if matrix.head == "tensor" and has(matrix.value, "orthogonal"):
        return transposed(matrix)
    if matrix.head == "transpose":
        return transposed(inverse(matrix.args[0]))
    if matrix.head == "chain" and all(part.head == "transpose" for part in matrix.args):
        return transposed(inverse(transposed(matrix)))
    return Matrix("inverse", matrix.shape, (matrix,))


def trace(matrix: Matrix) -> Matrix:
    """Return the trace."""
    if matrix.head == "scaled":
        return scaled(matrix.args[:-1], trace(matrix.args[-1]))
    return Matrix("trace", (), (matrix,))


def inner(left: Matrix, right: Matrix) -> Matrix:
    """Return the inner product of two columns."""
    if left == right:
        return norm(left)
    if left.head == "ones" and right.head == "diagonal":
        return trace(right.args[0])
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


def oriented(matrix: Matrix) -> Matrix:
    """Return an expression with differences in norms written as they are elsewhere.

    The norm of ``a − x`` beside ``x − a`` is that of ``x − a``.
    """
    brackets = set(_brackets(matrix))

    def turn(part: Matrix) -> Matrix:
        args = tuple(map(turn, part.args))
        if part.head == "norm" and args[0].head == "add" and args[0] not in brackets:
            turned = Matrix("add", args[0].shape, tuple(map(negated, args[0].args)))
            for order in (turned.args, turned.args[::-1]):
                if Matrix("add", turned.shape, order) in brackets:
                    return norm(Matrix("add", turned.shape, order))
        made = Matrix(part.head, part.shape, args, part.value) if args != part.args else part
        return _minus_inside(made)

    return turn(matrix)


def _minus_inside(matrix: Matrix) -> Matrix:
    """Put the minus before a product into a difference in it."""
    coefficient, rest = _split_number(matrix)
    front = rest.args[:-1] if rest.head == "scaled" else ()
    product = rest.args[-1] if front else rest
    if coefficient >= 0 or product.head != "chain":
        return matrix
    bare = [p.args[0] if p.head == "transpose" else p for p in product.args]
    if sum(part.head == "add" for part in bare) != 1:
        return matrix  # a bracket and its transpose are read as one square
    for i, part in enumerate(product.args):
        negative = sum(_split_number(p)[0] < 0 for p in part.args)
        if part.head == "add" and 2 * negative >= len(part.args):
            terms = sorted(map(negated, part.args), key=lambda p: _split_number(p)[0] < 0)
            turned = chain(*product.args[:i], add(*terms), *product.args[i + 1 :])
            return scaled((scalar(number(-coefficient)), *front), turned)
    return matrix


def negated(matrix: Matrix) -> Matrix:
    """Return the negative."""
    return scaled((scalar(MINUS),), matrix)


def _brackets(matrix: Matrix) -> Iterator[Matrix]:
    """Yield the sums in an expression that are not in a norm."""
    if matrix.head == "add":
        yield matrix
    if matrix.head != "norm":
        for part in matrix.args:
            yield from _brackets(part)
