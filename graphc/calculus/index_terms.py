"""What index notation adds to the terms: indices that know their range, and how they are ordered.

A bound index is called ``#1``, ``#2``, ... by the number of sums nested below it. So two sums that
differ only in the names of their indices are one object, and an outer index never has the name of
an inner one: putting an index in the place of another captures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from graphc.ir.terms import (
    Add,
    Apply,
    Best,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Product,
    Ref,
    Sum,
    Symbol,
    Term,
    children,
)
from graphc.types import Dim


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Index(Symbol):
    """An index that runs from 0 to `extent` − 1."""

    extent: Dim


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Position(Ref):
    """An element of an integer tensor that is itself an index, from 0 to `extent` − 1."""

    extent: Dim


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Softmax(Term):
    """The exponential of `body` at `at`, over the sum of the exponentials along `indices`."""

    body: Term
    indices: tuple[Index, ...]
    at: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class LogSumExp(Term):
    """The logarithm of the sum of the exponentials of `body` along `indices`."""

    body: Term
    indices: tuple[Index, ...]


BINDERS = (Sum, Best, Product)
SQUARE = (Inverse, Determinant)  # of a matrix; they bind the indices of rows and columns
ZERO, ONE, TWO, MINUS = Num(0), Num(1), Num(2), Num(-1)

_free: WeakKeyDictionary[Term, frozenset[Index]] = WeakKeyDictionary()
_keys: WeakKeyDictionary[Term, tuple[Any, ...]] = WeakKeyDictionary()
_heights: WeakKeyDictionary[Term, int] = WeakKeyDictionary()
_numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_next_number = count()
_next_name = count()


def extent_term(dim: Dim) -> Term:
    """Return a size as a term."""
    return Num(dim) if isinstance(dim, int) else Extent(dim)


def unused(extent: Dim) -> Index:
    """Return an index that no other term has; it is bound and renamed before anybody sees it."""
    made: Index = Index(f"~{next(_next_name)}", extent)
    return made


def free(term: Term) -> frozenset[Index]:
    """Return the indices that `term` depends on."""
    found = _free.get(term)
    if found is None:
        own = {term} if isinstance(term, Index) else set()
        found = frozenset(own.union(*map(free, children(term))).difference(bound_by(term)))
        _free[term] = found
    return found


def bound_by(term: Term) -> tuple[Index, ...]:
    """Return the indices that `term` binds in the terms below it."""
    if isinstance(term, BINDERS):
        bound: tuple[Any, ...] = (term.index,)  # a plain symbol in what a node kind's rules write
        return bound
    if isinstance(term, SQUARE):
        both: tuple[Any, ...] = (term.row, term.column)
        return both
    return term.indices if isinstance(term, Softmax | LogSumExp) else ()


def nest_of(term: Term) -> tuple[Any, ...]:
    """Return the sums directly within each other that `term` is made of, outer before inner."""
    nest: list[Sum] = []
    while isinstance(term, Sum):
        nest.append(term)
        term = term.body
    return tuple(nest)


def height(term: Term) -> int:
    """Return the largest number of sums nested in `term`, by the names of their indices."""
    found = _heights.get(term)
    if found is None:
        below = max(map(height, children(term)), default=0)
        own = max((int(index.name[1:]) for index in bound_by(term)), default=0)
        found = _heights[term] = max(below, own)
    return found


def base_and_exponent(factor: Term) -> tuple[Term, Term]:
    """Return a factor as a power."""
    if isinstance(factor, Apply) and factor.function == "power":
        return factor.args[0], factor.args[1]
    return factor, ONE


def factors_of(term: Term) -> tuple[Term, ...]:
    """Return the factors of a product, or the term alone."""
    return term.factors if isinstance(term, Mul) else (term,)


def terms_of(term: Term) -> tuple[Term, ...]:
    """Return the terms of a sum, or the term alone."""
    return term.terms if isinstance(term, Add) else (term,)


def walk(term: Term) -> Iterator[Term]:
    """Yield every term below `term`, itself included, each once."""
    seen = {term}
    pending = [term]
    while pending:
        current = pending.pop()
        yield current
        fresh = [part for part in dict.fromkeys(children(current)) if part not in seen]
        seen.update(fresh)
        pending.extend(fresh)


# A fixed order of terms. What is not told apart by structure (two tensors) is ordered by which was
# seen first: that is stable within a process, and printing sorts anew by name.

_RANKS = (Num, Extent, Delta, Index, Position, Ref, Symbol, Apply, Add, Mul, Sum)


def order(term: Term) -> tuple[Any, ...]:
    """Return a key that orders terms."""
    found = _keys.get(term)
    if found is None:
        found = _keys[term] = _order(term)
    return found


def _order(term: Term) -> tuple[Any, ...]:
    rank = next((i for i, kind in enumerate(_RANKS) if isinstance(term, kind)), len(_RANKS))
    match term:
        case Num(value):
            return (rank, value, type(value).__name__)
        case Extent(dim):
            return (rank, str(dim))
        case Index(name, extent):
            # Free indices before bound ones, outer before inner.
            bound = name[0] in "#~"
            return (rank, bound, -int(name[1:]) if bound else 0, len(name), name, str(extent))
        case Symbol(name):
            return (rank, name)
        case Position(tensor, indices, extent):
            return (rank, number(tensor), tuple(map(order, indices)), str(extent))
        case Ref(tensor, indices):
            return (rank, number(tensor), tuple(map(order, indices)))
        case Apply("power", (base, exponent)):
            # Beside its base, wherever that stands.
            return (*order(base), ("^", order(exponent)))
        case Apply(function, args):
            return (rank, function, tuple(map(order, args)))
    label = getattr(term, "function", "")
    size = str(getattr(term, "extent", ""))
    return (rank, type(term).__name__, label, size, tuple(map(order, children(term))))


def number(tensor: Any) -> int:
    """Return a number that no other tensor has."""
    found = _numbers.get(tensor)
    if found is None:
        found = _numbers[tensor] = next(_next_number)
    return found


# Ranges of index terms.


def bounds(term: Term) -> tuple[int, int] | None:
    """Return the smallest and the largest value of an index term, where they are known."""
    match term:
        case Num(int(value)):
            return value, value
        case Index(_, int(extent)) | Position(_, _, int(extent)):
            return 0, extent - 1
        case Add(terms):
            parts = [bounds(part) for part in terms]
            if any(part is None for part in parts):
                return None
            known = [part for part in parts if part is not None]
            return sum(low for low, _ in known), sum(high for _, high in known)
        case Mul((Num(int(factor)), other)):
            inner = bounds(other)
            if inner is None:
                return None
            low, high = sorted((factor * inner[0], factor * inner[1]))
            return low, high
        case Apply("remainder", (_, Num(int(divisor)))) if divisor > 0:
            return 0, divisor - 1
        case Apply("floor_divide", (dividend, Num(int(divisor)))) if divisor > 0:
            inner = bounds(dividend)
            return inner and (inner[0] // divisor, inner[1] // divisor)
    return None


def in_range(term: Term, extent: Dim) -> bool:
    """Return whether an index term is certain to lie from 0 to `extent` − 1."""
    if isinstance(term, Index | Position) and term.extent == extent:
        return True
    if term is ZERO:
        return True  # an axis without elements has no formula anyway
    known = bounds(term)
    return known is not None and isinstance(extent, int) and known[0] >= 0 and known[1] < extent
