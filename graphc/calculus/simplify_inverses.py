"""Inverses and determinants of matrices, in index notation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.calculus.index_terms import MINUS, ZERO, Index, factors_of, free, order, unused
from graphc.calculus.simplify_relabelled import relabelled
from graphc.calculus.simplify_sums import PAIRS, named_by_height, renamed
from graphc.calculus.simplify_terms import REMAKE, Change, delta, raised, replace, times
from graphc.ir.terms import Delta, Determinant, Inverse, Num, Ref, Term


def inverse(row: Index, column: Index, body: Term, at: Sequence[Term]) -> Term:
    """Return an element of the inverse of the matrix with the simplified elements `body`."""
    own = {row, column}
    inside = [factor for factor in factors_of(body) if free(factor) & own]
    outside = [raised(factor, MINUS) for factor in factors_of(body) if not free(factor) & own]
    body = times(*inside)
    i, j = at
    if isinstance(body, Delta) and {body.left, body.right} == own:
        return times(*outside, delta(i, j))
    if isinstance(body, Inverse) and body.at == (row, column):
        return times(*outside, _element(body, i, j))
    named, turned, new = _both_ways(row, column, body)
    if turned is named:  # a symmetric matrix has a symmetric inverse
        i, j = sorted((i, j), key=order)
    elif order(turned) < order(named):
        named, i, j = turned, j, i
    made: Term = Inverse(new[0], new[1], row.extent, named, (i, j))
    return times(*outside, made)


def determinant(function: str, row: Index, column: Index, body: Term) -> Term:
    """Return the determinant, or what is made of it, of the matrix with the elements `body`."""
    if isinstance(body, Delta) and {body.left, body.right} == {row, column}:
        return ZERO if function == "logdet" else Num(1)
    named, turned, new = _both_ways(row, column, body)
    first = min(named, turned, key=order)
    made: Term = Determinant(function, new[0], new[1], row.extent, first)
    return made


def _both_ways(row: Index, column: Index, body: Term) -> tuple[Term, Term, list[Index]]:
    """Return the elements of a matrix and of its transpose, and the indices that both have."""
    new = named_by_height((row, column), body)
    return renamed(body, (row, column), new), renamed(body, (column, row), new), new


def opened_matrix(term: Any) -> tuple[Index, Index, Term]:
    """Return row, column and elements of a matrix, the indices renamed to new ones."""
    row, column = unused(term.extent), unused(term.extent)
    return row, column, relabelled(term.body, {term.row: row, term.column: column})


def _element(term: Inverse, i: Term, j: Term) -> Term:
    """Return an element of the matrix that `term` is the inverse of."""
    return replace(term.body, {term.row: i, term.column: j})


def cancelled(factor: Term, other: Term, index: Index) -> Term | None:
    """Return what a matrix times its own inverse is, summed over `index`: a delta.

    None where the two factors are not the elements of a matrix and of its inverse.
    """
    if not isinstance(factor, Inverse) or not isinstance(factor.body, Ref):
        return None
    i, j = factor.at
    for own, left, right in ((j, index, None), (i, None, index)):
        if own is not index or i is j:
            continue
        free_place = unused(index.extent)
        places = (left or free_place, right or free_place)
        pattern = replace(factor.body, {factor.row: places[0], factor.column: places[1]})
        if not isinstance(other, Ref) or other.tensor is not factor.body.tensor:
            return None
        at = dict(zip(pattern.indices, other.indices, strict=True))  # type: ignore[attr-defined]
        if at.get(index) is index and free_place in at:
            return delta(i if own is j else at[free_place], at[free_place] if own is j else j)
    return None


def _bound(index: Any, change: Change) -> Index:
    new = change(index)
    assert isinstance(new, Index), "a bound index gives way to no other term"
    return new


PAIRS.append(cancelled)
REMAKE[Inverse] = lambda term, change: inverse(
    _bound(term.row, change),
    _bound(term.column, change),
    change(term.body),
    tuple(map(change, term.at)),
)
REMAKE[Determinant] = lambda term, change: determinant(
    term.function, _bound(term.row, change), _bound(term.column, change), change(term.body)
)
