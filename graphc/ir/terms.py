"""Terms: the scalar language in which rules state derivatives and meanings.

One language serves twice. A row of the scalar table writes its derivative as a term in ``x`` and
``y``, which is interpreted as tensor nodes for code and as SymPy for formulas. A node kind states
its meaning in index notation: the term of one element of its result, in the elements of its
operands (:class:`Ref`), with sums, Kronecker deltas and scalar functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import count
from typing import Any, TypeAlias

from graphc.ir.interning import Interned
from graphc.types import Dim

Number: TypeAlias = int | Fraction | float


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Term(metaclass=Interned):
    """A scalar expression; interned, so that equality is identity."""

    def __add__(self, other: TermLike) -> Term:
        return add(self, as_term(other))

    def __radd__(self, other: TermLike) -> Term:
        return add(as_term(other), self)

    def __mul__(self, other: TermLike) -> Term:
        return mul(self, as_term(other))

    def __rmul__(self, other: TermLike) -> Term:
        return mul(as_term(other), self)

    def __neg__(self) -> Term:
        return mul(Num(-1), self)

    def __sub__(self, other: TermLike) -> Term:
        return add(self, -as_term(other))

    def __rsub__(self, other: TermLike) -> Term:
        return add(as_term(other), -self)

    def __truediv__(self, other: TermLike) -> Term:
        return mul(self, power(as_term(other), Num(-1)))

    def __rtruediv__(self, other: TermLike) -> Term:
        return mul(as_term(other), power(self, Num(-1)))

    def __pow__(self, other: TermLike) -> Term:
        return power(self, as_term(other))

    def __gt__(self, other: TermLike) -> Term:
        return Apply("greater", (self, as_term(other)))

    def __ge__(self, other: TermLike) -> Term:
        return Apply("greater_equal", (self, as_term(other)))

    def __lt__(self, other: TermLike) -> Term:
        return Apply("less", (self, as_term(other)))

    def __le__(self, other: TermLike) -> Term:
        return Apply("less_equal", (self, as_term(other)))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Num(Term):
    """A number."""

    value: Number


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Symbol(Term):
    """An index, an extent, or a placeholder of a derivative."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Extent(Term):
    """The size of a dimension, as a number."""

    dim: Dim


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Ref(Term):
    """One element of a tensor. `tensor` is whatever stands for it: a node."""

    tensor: Any
    indices: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Delta(Term):
    """Kronecker's delta of two index terms."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Sum(Term):
    """The sum of `body` over `index` from 0 to `extent` − 1."""

    index: Symbol
    extent: Dim
    body: Term


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Best(Term):
    """The largest ("max") or smallest ("min") value of `body` over an index."""

    function: str
    index: Symbol
    extent: Dim
    body: Term


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Product(Term):
    """The product of `body` over an index."""

    index: Symbol
    extent: Dim
    body: Term


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Inverse(Term):
    """The element `at` of the inverse of the matrix whose elements are `body`."""

    row: Symbol
    column: Symbol
    extent: Dim
    body: Term
    at: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Determinant(Term):
    """The determinant ("det") of the matrix whose elements are `body`.

    Or the logarithm of its absolute value ("logdet"), or its sign ("signdet").
    """

    function: str
    row: Symbol
    column: Symbol
    extent: Dim
    body: Term


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Add(Term):
    """A sum of terms, flat."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Mul(Term):
    """A product of terms, flat; a number stands first."""

    factors: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Apply(Term):
    """A scalar function of the table, by name."""

    function: str
    args: tuple[Term, ...]


TermLike: TypeAlias = Term | int | float | Fraction
_fresh = count()


def as_term(value: TermLike) -> Term:
    """Return `value` as a term."""
    return value if isinstance(value, Term) else Num(value)


def fresh_index() -> Symbol:
    """Return an index that no other term has."""
    return Symbol(f"#{next(_fresh)}")


def add(*terms: Term) -> Term:
    """Return the flat sum, numbers added up."""
    constant: Number = 0
    rest: list[Term] = []
    for term in terms:
        for part in term.terms if isinstance(term, Add) else (term,):
            if isinstance(part, Num):
                constant = constant + part.value
            else:
                rest.append(part)
    if constant or not rest:
        rest.append(Num(constant))
    return rest[0] if len(rest) == 1 else Add(tuple(rest))


def mul(*factors: Term) -> Term:
    """Return the flat product, numbers multiplied; a factor 0 wins."""
    constant: Number = 1
    rest: list[Term] = []
    for factor in factors:
        for part in factor.factors if isinstance(factor, Mul) else (factor,):
            if isinstance(part, Num):
                constant = constant * part.value
            else:
                rest.append(part)
    if constant == 0:
        return Num(0)
    if constant != 1 or not rest:
        rest.insert(0, Num(constant))
    return rest[0] if len(rest) == 1 else Mul(tuple(rest))


def power(base: Term, exponent: Term) -> Term:
    """Return `base` to the power `exponent`, whole powers of numbers and powers folded."""
    if isinstance(exponent, Num):
        if exponent.value == 1:
            return base
        if exponent.value == 0:
            return Num(1)
        if isinstance(base, Num) and isinstance(exponent.value, int) and base.value:
            value = base.value
            exact = Fraction(value) if isinstance(value, int) else value
            return Num(_plain(exact**exponent.value))
        if isinstance(base, Apply) and base.function == "power":
            inner = base.args[1]
            if isinstance(inner, Num) and isinstance(exponent.value, int):
                return power(base.args[0], Num(_plain(inner.value * exponent.value)))
    return Apply("power", (base, exponent))


def _plain(value: Number) -> Number:
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value


def children(term: Term) -> Iterator[Term]:
    """Yield the terms directly below `term`."""
    for f in fields(term):
        value = getattr(term, f.name)
        if isinstance(value, Term):
            yield value
        elif type(value) is tuple:
            yield from (part for part in value if isinstance(part, Term))


def rebuild(term: Term, change: Callable[[Term], Term]) -> Term:
    """Return `term` with `change` applied to the terms directly below it."""
    parts: list[Any] = []
    for f in fields(term):
        value = getattr(term, f.name)
        if isinstance(value, Term):
            value = change(value)
        elif type(value) is tuple:
            value = tuple(change(part) if isinstance(part, Term) else part for part in value)
        parts.append(value)
    if isinstance(term, Add):
        return add(*parts[0])
    if isinstance(term, Mul):
        return mul(*parts[0])
    if isinstance(term, Apply) and term.function == "power":
        return power(*parts[1])
    made: Term = type(term)(*parts)
    return made


def substitute(term: Term, values: Mapping[Term, Term]) -> Term:
    """Return `term` with every key of `values` replaced."""
    if term in values:
        return values[term]
    return rebuild(term, lambda part: substitute(part, values))
