"""The simplifier of terms: every constructor here takes simplified terms and returns one.

It collects equal terms and powers, takes common factors out, eliminates Kronecker deltas against
sums, and multiplies brackets out only where that lets a delta or a term vanish. A simplified
:class:`Add` has no common factor, so ``δ_ij − δ_ij z_i²`` is ``δ_ij (1 − z_i²)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from graphc.calculus.index_terms import (
    MINUS,
    ONE,
    ZERO,
    Index,
    base_and_exponent,
    bound_by,
    extent_term,
    factors_of,
    free,
    in_range,
    nest_of,
    order,
    terms_of,
    unused,
)
from graphc.calculus.limits import LengthError, spend
from graphc.calculus.simplify_numbers import content_of, number, number_power, split_number
from graphc.ir.terms import Add, Apply, Delta, Extent, Mul, Num, Number, Ref, Term, rebuild

LARGEST = 400  # terms of a sum; no formula as long as that is read
_COMPARISONS = "greater greater_equal less less_equal equal not_equal"
INDICATORS = frozenset(f"{_COMPARISONS} logical_and logical_or logical_not".split())


# How a kind of term is made anew from changed parts; other files add theirs.
Change: TypeAlias = Callable[[Term], Term]
REMAKE: dict[type[Term], Callable[[Any, Change], Term]] = {
    Num: lambda term, change: number(term.value),
    Extent: lambda term, change: extent_term(term.dim),
    Add: lambda term, change: plus(*map(change, term.terms)),
    Mul: lambda term, change: times(*map(change, term.factors)),
    Delta: lambda term, change: delta(change(term.left), change(term.right)),
}


def normal(term: Term) -> Term:
    """Return `term` simplified."""
    return rewrite(term, lambda part: part)


def replace(term: Term, values: Mapping[Term, Term]) -> Term:
    """Return the simplified `term` with indices replaced, simplified again where that matters."""
    return _remade(term, lambda part: part, dict(values), everywhere=False)


def rewrite(term: Term, rule: Change) -> Term:
    """Return `term` made anew, operands first, with `rule` applied to every part that is made."""
    return _remade(term, rule, {}, everywhere=True)


def _remade(term: Term, rule: Change, done: dict[Term, Term], everywhere: bool) -> Term:
    incoming = frozenset().union(*map(free, done.values()))

    def change(part: Term) -> Term:
        found = done.get(part)
        if found is None:
            # The indices among the keys are those replaced, and those renamed below.
            if not everywhere and free(part).isdisjoint(done):
                return part
            for binder in nest_of(part) or (part,):
                for index in bound_by(binder):
                    # A plain symbol gets its range here; an index gives way to what is put in.
                    if not isinstance(index, Index) or index in incoming:
                        extent = index.extent if isinstance(index, Index) else binder.extent
                        done.setdefault(index, unused(extent))
            remake = REMAKE.get(type(part))
            found = done[part] = rule(remake(part, change) if remake else rebuild(part, change))
        return found

    return change(term)


# Sums of terms.


def plus(*terms: Term) -> Term:
    """Return the sum, equal terms collected and common factors taken out."""
    spend()
    collected = _collect(part for term in terms for part in _summands(term))
    if len(collected) > 1:
        collected = _cancelled(_undivided(collected))
    if not collected:
        return ZERO
    if len(collected) == 1:
        ((rest, coefficient),) = collected.items()
        return _scaled(coefficient, rest)
    if len(collected) > LARGEST:
        raise LengthError(f"the formula has more than {LARGEST} terms; name an intermediate result")
    content, common = content_of(list(collected.values())), _common(list(collected))
    if common:
        inverse = [raised(base, number(-exponent)) for base, exponent in common.items()]
        parts = [times(number(c), rest, *inverse) for rest, c in collected.items()]
        return times(*(raised(b, number(e)) for b, e in common.items()), plus(*parts))
    leading = min(collected, key=order)
    if collected[leading] < 0:
        content = -content
    made: Term = Add(
        tuple(_scaled(c / Fraction(content) if content != 1 else c, rest)
              for rest, c in sorted(collected.items(), key=lambda item: order(item[0])))
    )  # fmt: skip
    return made if content == 1 else Mul((number(content), made))


def minus(term: Term) -> Term:
    """Return the negative of a term."""
    return times(MINUS, term)


def _summands(term: Term) -> Iterable[tuple[Number, Term]]:
    coefficient, rest = split_number(term)
    for part in terms_of(rest):
        inner, atom = split_number(part)
        yield coefficient * inner, atom


def _collect(parts: Iterable[tuple[Number, Term]]) -> dict[Term, Number]:
    total: dict[Term, Number] = {}
    for coefficient, rest in parts:
        total[rest] = number(total.get(rest, 0) + coefficient).value
    return {rest: coefficient for rest, coefficient in total.items() if coefficient != 0}


def _scaled(coefficient: Number, rest: Term) -> Term:
    value = number(coefficient)
    if value is ONE:
        return rest
    if rest is ONE:
        return value
    made: Term = Mul((value, *factors_of(rest)))
    return made


def _undivided(collected: dict[Term, Number]) -> dict[Term, Number]:
    """Put a whole for its remainder and the quotient times the divisor: ``k mod 2 + 2 ⌊k/2⌋``."""
    for rest, coefficient in collected.items():
        match rest:
            case Apply("remainder", (whole, Num(int(divisor)) as by)):
                quotient: Term = Apply("floor_divide", (whole, by))
                if collected.get(quotient) == coefficient * divisor:
                    left = {t: c for t, c in collected.items() if t not in (rest, quotient)}
                    parts = [(coefficient * c, t) for c, t in _summands(whole)]
                    return _undivided(_collect([*((c, t) for t, c in left.items()), *parts]))
    return collected


def _cancelled(collected: dict[Term, Number]) -> dict[Term, Number]:
    """Multiply brackets out if terms then vanish or become one."""
    if not any(isinstance(f, Add) for rest in collected for f in factors_of(rest)):
        return collected
    parts = [
        (coefficient * inner, atom)
        for rest, coefficient in collected.items()
        for inner, atom in map(split_number, expanded(rest))
    ]
    merged = _collect(parts) if len(parts) <= LARGEST else {}
    return merged if len(parts) <= LARGEST and len(merged) < len(parts) else collected


def expanded(term: Term) -> list[Term]:
    """Return the terms of a product with its first bracket multiplied out."""
    factors = factors_of(term)
    for position, factor in enumerate(factors):
        if isinstance(factor, Add):
            rest = factors[:position] + factors[position + 1 :]
            return [times(part, *rest) for part in factor.terms]
    return [term]


def _common(terms: list[Term]) -> dict[Term, Number]:
    """Return the powers that all terms share."""
    shared: dict[Term, Number] | None = None
    for term in terms:
        powers = {b: e.value for b, e in map(base_and_exponent, factors_of(term))
                  if isinstance(e, Num) and b is not ONE}  # fmt: skip
        if shared is None:
            shared = powers
            continue
        shared = {
            base: _nearer_zero(exponent, powers[base])
            for base, exponent in shared.items()
            if base in powers and exponent * powers[base] > 0
        }
    return shared or {}


def _nearer_zero(one: Number, other: Number) -> Number:
    return one if max(one, -one) <= max(other, -other) else other


# Products.


def times(*factors: Term) -> Term:
    """Return the product, powers merged and indices that a delta equates made the same."""
    spend()
    coefficient: Number = 1
    powers: dict[Term, Term] = {}
    for factor in (part for whole in factors for part in factors_of(whole)):
        if isinstance(factor, Num):
            coefficient = number(coefficient * factor.value).value
            continue
        base, exponent = base_and_exponent(factor)
        powers[base] = plus(powers[base], exponent) if base in powers else exponent
    if coefficient == 0:
        return ZERO
    parts: list[Term] = []
    for base, exponent in powers.items():
        part = base if _idempotent(base, exponent) else raised(base, exponent)
        if isinstance(part, Num):
            coefficient = number(coefficient * part.value).value
        else:
            parts.append(part)
    if any(isinstance(part, Mul) for part in parts):
        return times(number(coefficient), *parts)
    unified = _unified(parts)
    if unified is not None:
        return times(number(coefficient), *unified)
    parts.sort(key=order)
    if not parts:
        return number(coefficient)
    return _scaled(coefficient, parts[0] if len(parts) == 1 else Mul(tuple(parts)))


def _idempotent(base: Term, exponent: Term) -> bool:
    return isinstance(exponent, Num) and exponent.value > 0 and is_indicator(base)


def is_indicator(term: Term) -> bool:
    """Return whether a term is 0 or 1 by its kind."""
    match term:
        case Delta():
            return True
        case Ref(tensor):
            return getattr(tensor, "kind", None) == "boolean"
        case Apply(function):
            return function in INDICATORS
    return False


def raised(base: Term, exponent: Term) -> Term:
    """Return a power, taken apart where that holds for every real base."""
    if not isinstance(exponent, Num):
        return base if base is ONE else Apply("power", (base, exponent))
    value = exponent.value
    if value == 0 or base is ONE:
        return ONE
    if value == 1:
        return base
    if isinstance(base, Num):
        return number_power(base.value, value)
    if isinstance(value, int):
        if isinstance(base, Mul):
            return times(*(raised(factor, exponent) for factor in base.factors))
        inner, power = base_and_exponent(base)
        if power is not ONE:
            return raised(inner, times(power, exponent))
    made: Term = Apply("power", (base, exponent))
    return made


# Kronecker's delta.


def delta(left: Term, right: Term) -> Term:
    """Return Kronecker's delta, 0 or 1 where that is certain."""
    if left is right:
        return ONE
    if isinstance(left, Num) and isinstance(right, Num):
        return ONE if left.value == right.value else ZERO
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Num) and isinstance(other, Index) and other.extent == 1:
            return ONE if one.value == 0 else ZERO
    made: Term = Delta(*sorted((left, right), key=order))
    return made


def _unified(parts: list[Term]) -> list[Term] | None:
    """Return `parts` with indices that a delta equates made the same; None if nothing changes."""
    deltas = [part for part in parts if isinstance(part, Delta)]
    for part in deltas:
        keep, drop = _kept(part)
        if drop is not None and any(drop in free(f) for f in parts if f is not part):
            return [f if f is part else replace(f, {drop: keep}) for f in parts]
    for whole in deltas:
        for rest in deltas:
            if (joined := _rejoined(whole, rest)) is not None:
                return [*(f for f in parts if f not in (whole, rest)), joined]
    return None


def _kept(part: Delta) -> tuple[Term, Index | None]:
    """Return which side takes the place of which; the ranges must be the same."""
    left, right = part.left, part.right
    if isinstance(left, Index) and isinstance(right, Index):
        return (left, right) if left.extent == right.extent else (left, None)
    for keep, drop in ((left, right), (right, left)):
        if isinstance(keep, Num) and isinstance(drop, Index) and in_range(keep, drop.extent):
            return keep, drop
    return left, None


def _rejoined(whole: Delta, rest: Delta) -> Term | None:
    """Return one delta for those of a quotient and its remainder, as a reshape makes them."""
    for quotient, high in ((whole.left, whole.right), (whole.right, whole.left)):
        for remainder, low in ((rest.left, rest.right), (rest.right, rest.left)):
            match quotient, remainder:
                case Apply("floor_divide", of), Apply("remainder", again) if of == again:
                    divisor = of[1]
                    if isinstance(divisor, Num) and in_range(low, int(divisor.value)):
                        return delta(of[0], plus(times(divisor, high), low))
    return None
