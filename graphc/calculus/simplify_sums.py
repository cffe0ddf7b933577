"""Sums, products and extremes over an index: the part of the simplifier that closes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, groupby, permutations, product
from typing import Any
from weakref import WeakSet

from graphc.calculus.index_terms import (
    ZERO,
    Index,
    LogSumExp,
    Softmax,
    extent_term,
    factors_of,
    free,
    height,
    in_range,
    nest_of,
    number,
    order,
    unused,
    walk,
)
from graphc.calculus.simplify_functions import call
from graphc.calculus.simplify_numbers import split_number
from graphc.calculus.simplify_relabelled import RELABEL, relabelled
from graphc.calculus.simplify_terms import REMAKE, Change, plus, raised, replace, times
from graphc.ir.terms import Add, Apply, Best, Delta, Mul, Num, Product, Ref, Sum, Symbol, Term

# Rules for two factors that are all that depends on a summed index: what their sum is, or None.
PAIRS: list[Callable[[Term, Term, Index], Term | None]] = []

# Nested sums whose order the names of other indices decide.
_NAMED_ALIKE: WeakSet[Term] = WeakSet()

MOST_ORDERS = 3  # that many nested sums are tried in every order, to find the first


def summed(index: Index, body: Term) -> Term:
    """Return the sum of a simplified `body` over `index`."""
    if index not in free(body):
        return times(extent_term(index.extent), body)
    if index.extent == 1:
        return replace(body, {index: ZERO})
    if isinstance(body, Add):
        return _sum_of_terms(index, body)
    return _sum_of_product([index], list(factors_of(body)))


def sum_over(indices: Sequence[Index], body: Term) -> Term:
    """Return the sum of `body` over several indices."""
    together = [index for index in indices if index in free(body) and index.extent != 1]
    if len(together) == len(indices) > 1 and not isinstance(body, Add):
        return _sum_of_product(together, list(factors_of(body)))
    for index in reversed(indices):
        body = summed(index, body)
    return body


def _sum_of_terms(index: Index, body: Add) -> Term:
    """Sum term by term what then closes, the rest together."""
    closing = [t for t in body.terms if index not in free(t) or has_delta(t, index)]
    rest = plus(*(t for t in body.terms if t not in closing))
    if not closing:
        return _closed([index], [body])
    return plus(*(summed(index, term) for term in closing), summed(index, rest))


def _sum_of_product(indices: list[Index], factors: list[Term]) -> Term:
    """Return the sum over `indices`; nested sums are opened into one."""
    bound = set(indices)
    for position, factor in enumerate(factors):
        rest = factors[:position] + factors[position + 1 :]
        if isinstance(factor, Sum) and free(factor) & bound:
            opened_here, body = opened_nest(factor)
            return _sum_of_product([*indices, *opened_here], [*rest, *factors_of(body)])
        if isinstance(factor, Delta):
            for index in indices:
                others = [i for i in indices if i is not index]
                target = solution(factor, index)
                if target is not None:
                    return sum_over(others, replace(times(*rest), {index: target}))
                digits = _digits(factor, indices)
                if digits is not None:
                    others = [i for i in indices if i not in digits]
                    return sum_over(others, replace(times(*rest), digits))
                split = _split(factor, index)
                if split is not None:
                    target, inner = split
                    return sum_over([*others, inner], replace(times(*rest), {index: target}))
    shares = _all_shares(indices, factors)
    if shares is not None:
        return sum_over(*shares)
    paired = _paired(indices, factors)
    if paired is not None:
        return paired
    for factor in factors:
        if isinstance(factor, Add) and any(has_delta(factor, index) for index in indices):
            rest = [f for f in factors if f is not factor]
            return plus(*(sum_over(indices, times(term, *rest)) for term in factor.terms))
    inside = [f for f in factors if free(f) & bound]
    outside = [f for f in factors if not free(f) & bound]
    return times(*outside, _closed(indices, inside))


def _all_shares(indices: list[Index], factors: list[Term]) -> tuple[list[Index], Term] | None:
    """Return a sum without a softmax that is summed over all its elements: they make 1."""
    for factor in factors:
        if not isinstance(factor, Softmax) or not set(factor.at) <= set(indices):
            continue
        others = [f for f in factors if f is not factor]
        own = set(factor.at)
        if len(own) == len(factor.at) and own.isdisjoint(
            index for part in (factor.body, *others) for index in free(part)
        ):
            return [index for index in indices if index not in own], times(*others)
    return None


def _paired(indices: list[Index], factors: list[Term]) -> Term | None:
    """Return the sum with two factors replaced that make a delta; None if there are none."""
    for index in indices:
        held = [factor for factor in factors if index in free(factor)]
        if len(held) != 2:
            continue
        for one, other in (held, held[::-1]):
            for rule in PAIRS:
                made = rule(one, other, index)
                if made is not None:
                    rest = [factor for factor in factors if factor not in held]
                    left = [i for i in indices if i is not index]
                    return sum_over(left, times(made, *rest))
    return None


def solution(part: Delta, index: Index) -> Term | None:
    """Return the term that takes the place of `index` when a delta is summed over it."""
    for one, other in ((part.left, part.right), (part.right, part.left)):
        if one is index and index not in free(other) and in_range(other, index.extent):
            return other
    return None


def _digits(part: Delta, indices: Sequence[Index]) -> dict[Term, Term] | None:
    """Return what takes the place of summed indices that are the digits of what a delta fixes.

    For ``i + m j = k``, i below m, these are ``k mod m`` and ``⌊k/m⌋``.
    """
    for sum_, whole in ((part.left, part.right), (part.right, part.left)):
        if not isinstance(sum_, Add) or not free(whole).isdisjoint(indices):
            continue
        digits = sorted(map(split_number, sum_.terms), key=lambda digit: digit[0])
        found: dict[Term, Term] = {}
        size = 1
        for weight, index in digits:
            if weight != size or index not in indices or not isinstance(index, Index):
                break
            if not isinstance(index.extent, int):
                break
            rest = call("floor_divide", whole, Num(size))
            last = len(found) == len(digits) - 1
            found[index] = rest if last else call("remainder", rest, Num(index.extent))
            size *= index.extent
        else:
            if in_range(whole, size):
                return found
    return None


def _split(part: Delta, index: Index) -> tuple[Term, Index] | None:
    """Return what takes the place of `index` where a delta fixes its quotient or its remainder.

    For ``⌊k/m⌋ = i`` that is ``m i + r``, and for ``k mod m = i`` it is ``m r + i``, summed over r.
    """
    for one, other in ((part.left, part.right), (part.right, part.left)):
        match one:
            case Apply("floor_divide" | "remainder" as kind, (whole, Num(int(divisor)))):
                pass
            case _:
                continue
        if whole is not index or not isinstance(index.extent, int) or index.extent % divisor:
            continue
        often = index.extent // divisor
        quotient = kind == "floor_divide"
        if index in free(other) or not in_range(other, often if quotient else divisor):
            continue
        inner = unused(divisor if quotient else often)
        high, low = (other, inner) if quotient else (inner, other)
        return plus(times(Num(divisor), high), low), inner
    return None


def has_delta(term: Term, index: Index) -> bool:
    """Return whether `term`, multiplied out, has a delta that a sum over `index` takes away."""
    if index not in free(term):
        return False
    if isinstance(term, Delta):
        return solution(term, index) is not None
    if isinstance(term, Add | Mul):
        parts = term.terms if isinstance(term, Add) else term.factors
        return any(has_delta(part, index) for part in parts)
    return isinstance(term, Sum) and has_delta(term.body, index)


def opened(term: Any) -> tuple[Index, Term]:
    """Return index and body of a sum (or product, or extreme), the index renamed to a new one."""
    index = unused(term.index.extent)
    return index, relabelled(term.body, {term.index: index})


def opened_nest(term: Term) -> tuple[list[Index], Term]:
    """Return the indices of nested sums, outer before inner, renamed to new ones, and the body."""
    nest = nest_of(term)
    names = {part.index: unused(part.extent) for part in nest}
    return list(names.values()), relabelled(nest[-1].body, names)


def _closed(indices: list[Index], factors: list[Term]) -> Term:
    """Return the nested sum in the first of its orders, its indices named by height.

    The order goes by extents, then by where an index occurs; only indices that occur alike are
    tried in every order.
    """
    body = times(*factors)
    if len(indices) == 1:
        return _nested(indices, body)
    places = _occurrences(indices, body)
    keyed = sorted((str(index.extent), places[index], position)
                   for position, index in enumerate(indices))  # fmt: skip
    groups = [
        [indices[position] for *_, position in alike]
        for _, alike in groupby(keyed, key=lambda entry: entry[:2])
    ]
    if len(groups) == len(indices) or max(map(len, groups)) > MOST_ORDERS:
        return _nested([index for group in groups for index in group], body)
    orders = product(*map(permutations, groups))
    nests = (_nested([i for group in found for i in group], body) for found in orders)
    first = min(nests, key=order)
    _NAMED_ALIKE.update(nest_of(first))
    return first


def _occurrences(indices: Sequence[Index], body: Term) -> dict[Index, tuple[tuple[int, int], ...]]:
    """Return for each index the tensors and axes that it stands at, whatever it is called."""
    found: dict[Index, list[tuple[int, int]]] = {index: [] for index in indices}
    for part in walk(body):
        if isinstance(part, Ref):
            for axis, place in enumerate(part.indices):
                for index in free(place):
                    if index in found:
                        found[index].append((number(part.tensor), axis))
    return {index: tuple(sorted(places)) for index, places in found.items()}


def _nested(indices: Sequence[Index], body: Term) -> Term:
    """Return a nest of sums, the factors all together inside the innermost."""
    new = named_by_height(indices, body)
    body = renamed(body, indices, new)
    for bound in reversed(new):
        body = Sum(bound, bound.extent, body)
    return body


def named_by_height(indices: Sequence[Index], body: Term) -> list[Index]:
    """Return the names that `indices`, outer before inner, have when bound over `body`."""
    taken = {index.name for index in free(body).difference(indices)}
    names = (f"#{n}" for n in count(height(body) + 1))
    usable = (name for name in names if name not in taken)
    return [Index(next(usable), index.extent) for index in reversed(indices)][::-1]


def renamed(body: Term, old: Sequence[Index], new: Sequence[Index]) -> Term:
    """Return `body` with indices renamed."""
    names: dict[Term, Index] = {
        one: other for one, other in zip(old, new, strict=True) if one is not other
    }
    return relabelled(body, names) if names else body


def multiplied(index: Index, body: Term) -> Term:
    """Return the product of a simplified `body` over `index`."""
    if index not in free(body):
        return raised(body, extent_term(index.extent))
    (bound,) = named_by_height([index], body)
    made: Term = Product(bound, index.extent, renamed(body, [index], [bound]))
    return made


def best(function: str, index: Index, body: Term) -> Term:
    """Return the extreme of a simplified `body` over `index`."""
    if index not in free(body):
        return body
    (bound,) = named_by_height([index], body)
    made: Term = Best(function, bound, index.extent, renamed(body, [index], [bound]))
    return made


def _bound(index: Symbol, change: Change) -> Index:
    new = change(index)
    assert isinstance(new, Index), "a bound index gives way to no other term"
    return new


def _remade_nest(term: Sum, change: Change) -> Term:
    """Make nested sums anew, all at once."""
    nest = nest_of(term)
    return sum_over([_bound(part.index, change) for part in nest], change(nest[-1].body))


def _relabelled_nest(term: Sum, change: Change) -> Term:
    nest = nest_of(term)
    body = change(nest[-1].body)
    indices: list[Any] = [part.index for part in nest]
    if isinstance(factors_of(body)[0], Num):
        return sum_over(indices, body)  # a bracket in it has become a negative
    if term in _NAMED_ALIKE:
        return _closed(indices, list(factors_of(body)))
    for index in reversed(indices):
        body = Sum(index, index.extent, body)
    return body


REMAKE[Sum] = _remade_nest
RELABEL[Sum] = _relabelled_nest
REMAKE[Product] = lambda term, change: multiplied(_bound(term.index, change), change(term.body))
REMAKE[Best] = lambda term, change: best(
    term.function, _bound(term.index, change), change(term.body)
)


def _reclosed(indices: Sequence[Symbol], body: Term, change: Change) -> tuple[Any, Term]:
    """Return indices named by height, and the body with them."""
    old = [_bound(index, change) for index in indices]
    new = named_by_height(old, body)
    return tuple(new), renamed(body, old, new)


def _softmax(term: Softmax, change: Change) -> Term:
    indices, body = _reclosed(term.indices, change(term.body), change)
    made: Term = Softmax(body, indices, tuple(map(change, term.at)))
    return made


def _logsumexp(term: LogSumExp, change: Change) -> Term:
    indices, body = _reclosed(term.indices, change(term.body), change)
    made: Term = LogSumExp(body, indices)
    return made


REMAKE[Softmax] = _softmax
REMAKE[LogSumExp] = _logsumexp
