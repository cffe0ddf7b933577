"""The form in which a term is shown: its factors in textbook order, its bound indices named.

What comes out is for printing only. Sums and products in it keep the order they are shown in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from graphc.calculus.index_notation import index_names
from graphc.calculus.index_terms import (
    Index,
    LogSumExp,
    Softmax,
    base_and_exponent,
    bound_by,
    factors_of,
    free,
    terms_of,
    walk,
)
from graphc.calculus.limits import LengthError
from graphc.calculus.simplify_numbers import split_number
from graphc.ir.nodes import Node
from graphc.ir.terms import (
    Add,
    Apply,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Ref,
    Sum,
    Symbol,
    Term,
    children,
    rebuild,
)
from graphc.types import names_in

LONGEST = 3000  # symbols of a formula
READABLE = 320  # symbols of a formula that is read in one piece


def present(term: Term, names: Mapping[Node, str]) -> Term:
    """Return a simplified term as it is to be shown.

    Raises
    ------
    LengthError
        If the formula would fill pages.
    """
    if length(term) > LONGEST:
        raise LengthError(
            f"the formula has {length(term)} symbols; write it in intermediate variables"
        )
    taken = {*names.values(), *(n for dim in _dims(term) for n in names_in(dim))}
    return _Presentation(names, taken).of(term, {index.name for index in free(term)})


def length(term: Term) -> int:
    """Return the number of symbols of `term`, written out."""
    known: dict[Term, int] = {}

    def of(part: Term) -> int:
        if part not in known:
            known[part] = 1 + sum(map(of, children(part)))
        return known[part]

    return of(term)


def _dims(term: Term) -> list[Any]:
    dims = [part.dim for part in walk(term) if isinstance(part, Extent)]
    return dims + [index.extent for part in walk(term) for index in bound_by(part)]


class _Presentation:
    """One formula on its way to the page."""

    def __init__(self, names: Mapping[Node, str], taken: Collection[str]) -> None:
        self.names, self.taken = names, taken

    def of(self, term: Term, used: Collection[str]) -> Term:
        """Return `term` as shown where the index names `used` are taken."""
        indices = bound_by(term)
        if indices:
            return self._of_bound(term, used)
        if isinstance(term, Add):
            made: Term = Add(tuple(sorted((self.of(t, used) for t in term.terms), key=self._place)))
            return made
        if isinstance(term, Mul):
            turned = self._twins_turned(_with_sign(term))
            factors = [self.of(factor, used) for factor in turned]
            product: Term = Mul(tuple(sorted(factors, key=self._rank)))
            return product if len(factors) > 1 else factors[0]
        if isinstance(term, Apply):
            args = [self.of(arg, used) for arg in term.args]
            if term.function == "power" and isinstance(args[0], Add) and _is_even(args[1]):
                args[0] = self._positive_first(args[0])
            applied: Term = Apply(term.function, tuple(args))
            return applied
        return term

    def _of_bound(self, term: Any, used: Collection[str]) -> Term:
        """Name the indices of nested sums in the order in which they are then read."""
        nest = _nest(term)
        indices = [index for part in nest for index in bound_by(part)]
        names = index_names((*self.taken, *used))
        letters = [next(names) for _ in indices]
        body = self.of(nest[-1].body, {*used, *letters})
        read = [part for part in _reading_order(body) if part in indices]
        named: dict[Any, Any] = {
            index: Index(letter, index.extent)
            for index, letter in zip(dict.fromkeys([*read, *indices]), letters, strict=True)
        }
        body = with_indices(body, named)
        if isinstance(body, Mul):
            body = Mul(tuple(sorted(body.factors, key=self._rank)))
        place = {index: letters.index(new.name) for index, new in named.items()}
        shown = sorted(nest, key=lambda part: [place[index] for index in bound_by(part)])
        for part in reversed(shown):
            new = tuple(named[index] for index in bound_by(part))
            if isinstance(part, Softmax):
                body = Softmax(body, new, part.at)
            elif isinstance(part, LogSumExp):
                body = LogSumExp(body, new)
            elif isinstance(part, Inverse):
                body = Inverse(new[0], new[1], part.extent, body, part.at)
            else:
                label = (part.function,) if hasattr(part, "function") else ()
                body = type(part)(*label, *new, part.extent, body)
        return body

    def _positive_first(self, bracket: Add) -> Term:
        """Return a bracket or its negative, which have the same square."""
        leading = min(bracket.terms, key=lambda t: self._place(_size(t)))
        if split_number(leading)[0] > 0:
            return bracket
        made: Term = Add(tuple(sorted(map(_negative, bracket.terms), key=self._place)))
        return made

    def _twins_turned(self, factors: tuple[Term, ...]) -> tuple[Term, ...]:
        """Turn two brackets that differ in their indices to begin with what reads first."""
        for factor in factors:
            bracket = _bracket_in(factor)
            if bracket is None or _has_number(bracket, 1) or _has_number(bracket, -1):
                continue
            twins = [
                f for f in factors if type(f) is type(factor) and _tensors(f) == _tensors(factor)
            ]
            leading = max(bracket.terms, key=lambda t: (_degree(t), self._key(_size(t))))
            turned = {f: _flipped(f) for f in twins}
            if len(twins) == 2 and split_number(leading)[0] < 0 and None not in turned.values():
                return tuple(turned.get(f) or f for f in factors)
        return factors

    def _rank(self, factor: Term) -> tuple[Any, ...]:
        """Order factors: numbers, deltas, cotangents, elements, functions, brackets, sums."""
        base, _ = base_and_exponent(factor)
        key = self._key(base)
        match base:
            case Num() | Extent():
                return (0, key)
            case Delta():
                return (1, key)
            case Ref():
                name = self.names.get(base.tensor, "")
                return (2, not name.startswith("∂"), -len(base.indices), key)
            case Apply() | Softmax() | LogSumExp() | Inverse() | Determinant() | Symbol():
                return (3, key)
            case Add():
                return (4, key)
        return (5, key)

    def _place(self, term: Term) -> tuple[Any, ...]:
        """Order terms: positive before negative, high degree first, a number last."""
        coefficient, rest = split_number(term)
        constant = isinstance(term, Num)
        return (coefficient < 0, constant, -_degree(rest), self._rank(factors_of(rest)[0]),
                self._key(rest))  # fmt: skip

    def _key(self, term: Term) -> str:
        """Return what tells terms apart by what is read, so that every process prints the same."""
        match term:
            case Ref(tensor, indices):
                return f"{self.names.get(tensor, '?')}({','.join(map(self._key, indices))})"
            case Symbol(name):
                return name
            case Num(value):
                return str(value)
            case Extent(dim):
                return str(dim)
        label = getattr(term, "function", "")
        return f"{type(term).__name__}{label}({','.join(map(self._key, children(term)))})"


def with_indices(term: Term, names: Mapping[Term, Term]) -> Term:
    """Return a presented term with other indices, its sums and products in the same order."""
    if term in names:
        return names[term]
    if isinstance(term, Add):
        made: Term = Add(tuple(with_indices(part, names) for part in term.terms))
        return made
    if isinstance(term, Mul):
        product: Term = Mul(tuple(with_indices(part, names) for part in term.factors))
        return product
    return rebuild(term, lambda part: with_indices(part, names))


def _nest(term: Any) -> list[Any]:
    nest = [term]
    while isinstance(term, Sum) and isinstance(term.body, Sum):
        term = term.body
        nest.append(term)
    return nest


def _reading_order(term: Term) -> list[Term]:
    if isinstance(term, Symbol):
        return [term]
    parts: tuple[Term, ...] = tuple(children(term))
    return [found for part in parts for found in _reading_order(part)]


def read_in_order(term: Term) -> Iterator[Term]:
    """Yield the parts of a presented term as they are read, parts of parts after them."""
    pending = [term]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(reversed(list(children(part))))


def _with_sign(term: Mul) -> tuple[Term, ...]:
    """Put a leading minus into a bracket that can take it: ``2(z − y)``, not ``−2(y − z)``."""
    coefficient, _ = split_number(term)
    if coefficient >= 0:
        return _two_turned(term.factors)
    # Rather not what begins with a number: 1 − z² reads better than z² − 1.
    places = sorted(range(1, len(term.factors)), key=lambda i: _has_number(term.factors[i], 1))
    for position in places:
        factor = term.factors[position]
        flipped = _flipped(factor)
        if flipped is not None and not _has_twin(factor, term.factors):
            rest = term.factors[1:position] + term.factors[position + 1 :]
            return (*(() if coefficient == -1 else (Num(-coefficient),)), *rest, flipped)
    return term.factors


def _two_turned(factors: tuple[Term, ...]) -> tuple[Term, ...]:
    """Turn two brackets round where one then begins with its number: ``(1 − z²) (s − y)``."""
    for position, factor in enumerate(factors):
        if not _has_number(factor, -1) or _has_twin(factor, factors):
            continue
        for other, bracket in enumerate(factors):
            turned = None if other == position else _flipped(bracket)
            if turned is not None and not _has_twin(bracket, factors):
                changed = list(factors)
                changed[position] = _flipped(factor) or factor
                changed[other] = turned
                return tuple(changed)
    return factors


def _bracket_in(term: Term) -> Add | None:
    """Return the bracket that a term is turned round by."""
    match term:
        case Add():
            return term
        case Sum():
            return _bracket_in(term.body)
        case Mul(factors):
            found = (_bracket_in(factor) for factor in factors if _flipped(factor) is not None)
            return next(found, None)
    return None


def _has_number(bracket: Term, sign: int) -> bool:
    """Return whether a bracket holds a number of a sign."""
    terms = bracket.terms if isinstance(bracket, Add) else ()
    return any(isinstance(part, Num) and part.value * sign > 0 for part in terms)


def _has_twin(bracket: Term, factors: Sequence[Term]) -> bool:
    """Return whether a bracket stands in a product twice, at other indices."""
    tensors = _tensors(bracket)
    return sum(isinstance(f, Add | Sum) and _tensors(f) == tensors for f in factors) > 1


def _tensors(term: Term) -> set[Any]:
    return {part.tensor for part in walk(term) if isinstance(part, Ref)}


def _flipped(term: Term) -> Term | None:
    """Return the negative of a term that is as good to read as the term, if there is one."""
    match term:
        case Add(terms) if any(split_number(t)[0] < 0 for t in terms):
            negated: Term = Add(tuple(map(_negative, terms)))
            return negated
        case Sum(index, extent, body):
            below = _flipped(body)
            return None if below is None else Sum(index, extent, below)
        case Mul(factors) if not isinstance(factors[0], Num):
            for position, factor in enumerate(factors):
                below = _flipped(factor)
                if below is not None:
                    return Mul((*factors[:position], below, *factors[position + 1 :]))
    return None


def _negative(term: Term) -> Term:
    coefficient, rest = split_number(term)
    if rest is Num(1):
        return Num(-coefficient)
    if coefficient == -1:
        return rest
    made: Term = Mul((Num(-coefficient), *factors_of(rest)))
    return made


def _is_even(exponent: Term) -> bool:
    return isinstance(exponent, Num) and isinstance(exponent.value, int) and not exponent.value % 2


def _size(term: Term) -> Term:
    return _negative(term) if split_number(term)[0] < 0 else term


def _degree(term: Term) -> int:
    """Return how many elements a term multiplies, at most."""
    match term:
        case Num() | Extent():
            return 0
        case Mul(factors):
            return sum(map(_degree, factors))
        case Sum():
            return _degree(term.body)
        case Add():
            return max(map(_degree, terms_of(term)))
    base, exponent = base_and_exponent(term)
    if isinstance(exponent, Num) and isinstance(exponent.value, int) and exponent.value > 0:
        return exponent.value * (1 if base is term else _degree(base))
    return 1
