"""Indices of simplified terms under other names: a term stays simplified, only its order changes.

Simplifying anew at each renaming would cost a power of the depth to which sums are nested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.calculus.index_terms import (
    Index,
    LogSumExp,
    Softmax,
    bound_by,
    free,
    nest_of,
    order,
)
from graphc.calculus.simplify_numbers import split_number
from graphc.calculus.simplify_terms import REMAKE, Change, plus, times
from graphc.ir.terms import Add, Apply, Best, Delta, Mul, Product, Term, rebuild

# How a kind of term is relabelled; where none is given, as it is made anew, else part by part.
RELABEL: dict[type[Term], Callable[[Any, Change], Term]] = {
    Best: rebuild,
    Product: rebuild,
    Softmax: rebuild,
    LogSumExp: rebuild,
}


def relabelled(term: Term, names: Mapping[Term, Index]) -> Term:
    """Return a simplified `term` with other indices, of the same extents, for some of its own.

    No two of the new ones may be the same, and none may occur in `term`.
    """
    return _relabelled(term, names, {})


def _relabelled(
    term: Term, names: Mapping[Term, Index], known: dict[frozenset[Term], dict[Term, Term]]
) -> Term:
    done = known.setdefault(frozenset(names), dict(names))

    def change(part: Term) -> Term:
        found = done.get(part)
        if found is None:
            if free(part).isdisjoint(names):
                return part
            own = {index for binder in nest_of(part) or (part,) for index in bound_by(binder)}
            if own.isdisjoint(names):
                rule = RELABEL.get(type(part)) or REMAKE.get(type(part))
                found = rule(part, change) if rule else rebuild(part, change)
            else:  # below, some of the names are those of other indices
                outer = {index: new for index, new in names.items() if index not in own}
                found = _relabelled(part, outer, known)
            done[part] = found
        return found

    return change(term)


def _product(term: Mul, change: Change) -> Term:
    factors = [change(factor) for factor in term.factors]
    # Of two indices that a delta equates, the first is kept: that may now be the other.
    if _same_kinds(term.factors, factors) and not any(isinstance(f, Delta) for f in factors):
        made: Term = Mul(tuple(sorted(factors, key=order)))
        return made
    return times(*factors)


def _sum(term: Add, change: Change) -> Term:
    terms = [change(part) for part in term.terms]
    terms.sort(key=lambda part: order(split_number(part)[1]))
    # The term that comes first has no minus; else the sum is made anew, as a negative.
    if split_number(terms[0])[0] > 0 and not any(isinstance(part, Add) for part in terms):
        made: Term = Add(tuple(terms))
        return made
    return plus(*terms)


def _call(term: Apply, change: Change) -> Term:
    args = tuple(map(change, term.args))
    if _same_kinds(term.args, args):
        made: Term = Apply(term.function, args)
        return made
    return REMAKE[Apply](Apply(term.function, args), lambda part: part)


def _same_kinds(old: Sequence[Term], new: Sequence[Term]) -> bool:
    """Return whether no bracket has become a negative."""
    return all(type(one) is type(other) for one, other in zip(old, new, strict=True))


RELABEL[Mul] = _product
RELABEL[Add] = _sum
RELABEL[Apply] = _call
