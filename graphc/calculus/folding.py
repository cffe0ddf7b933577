"""Folding: what a formula computes anew, though it has a name, gets the name again.

The derivative of ``z_i = tanh(s_i)`` is ``δ_ij (1 − z_i²)``, and that of a softmax
``z_i (δ_ij − z_j)``: the output of a block stands in its own derivative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from graphc.calculus.index_terms import (
    Index,
    LogSumExp,
    Softmax,
    base_and_exponent,
    factors_of,
    free,
    in_range,
)
from graphc.calculus.simplify_functions import call
from graphc.calculus.simplify_numbers import number, split_number
from graphc.calculus.simplify_sums import opened, summed
from graphc.calculus.simplify_terms import plus, raised, replace, rewrite, times
from graphc.ir.nodes import Node
from graphc.ir.terms import Add, Apply, Mul, Num, Ref, Sum, Term, children

Bindings = dict[Term, Term]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for: `term` at any values of `indices`, and what to put in its place."""

    term: Term
    indices: tuple[Index, ...]
    replacement: Term


def fold(term: Term, output: Node, meaning: Term, indices: tuple[Index, ...]) -> Term:
    """Return `term` with elements of `output` put for what they mean.

    Parameters
    ----------
    term
        A simplified term.
    output
        The tensor that has a name.
    meaning
        The term of its element at `indices`.
    indices
        One index for every axis of `output`.
    """
    name: Term = Ref(output, indices)
    patterns = []
    if not _is_plain(meaning):
        patterns.append(Pattern(meaning, indices, name))
    if isinstance(meaning, Add):
        # A log-softmax occurs in its derivative as the exponential of itself.
        exponential = call("exp", meaning)
        if not isinstance(exponential, Apply):
            patterns.append(Pattern(exponential, indices, call("exp", name)))
    for pattern in patterns:
        if set(indices) <= free(pattern.term) | _of_one_value(indices):
            term = rewrite(term, lambda part, p=pattern: _folded(part, p))  # type: ignore[misc]
    return term


def recognise(term: Term) -> Term:
    """Return `term` with softmax and logsumexp put for the exponentials that they mean."""
    return rewrite(term, _recognised)


def _is_plain(meaning: Term) -> bool:
    """Return whether a name would be no shorter than what it means."""
    _, rest = split_number(meaning)
    return all(
        isinstance(base, Ref | Num | Index)
        and isinstance(exponent, Num)
        and isinstance(exponent.value, int)
        and exponent.value > 0
        for base, exponent in map(base_and_exponent, factors_of(rest))
    )


def _of_one_value(indices: Sequence[Index]) -> set[Index]:
    return {index for index in indices if index.extent == 1}


def _folded(part: Term, pattern: Pattern) -> Term:
    if isinstance(part, Num):
        return part
    while True:
        changed = _fold_once(part, pattern)
        if changed is None:
            return part
        part = changed


def _fold_once(part: Term, pattern: Pattern) -> Term | None:
    """Return `part` with one occurrence of the pattern, perhaps to a power, replaced."""
    _, wanted = split_number(pattern.term)
    needs = list(map(base_and_exponent, factors_of(wanted)))
    held = list(map(base_and_exponent, factors_of(split_number(part)[1])))
    for bindings, often in _occurrences(needs, held, pattern.indices, {}, None):
        found: Bindings = {index: bindings.get(index, Num(0)) for index in pattern.indices}
        whole = raised(replace(pattern.term, found), number(often))
        rest = times(part, raised(whole, Num(-1)))
        if len(factors_of(rest)) > len(held) + 1:
            continue  # the division did not come out: at these indices the pattern is another term
        return times(raised(replace(pattern.replacement, found), number(often)), rest)
    return None


def _occurrences(
    needs: list[tuple[Term, Term]],
    held: list[tuple[Term, Term]],
    variables: Sequence[Index],
    bindings: Bindings,
    power: int | None,
) -> Iterator[tuple[Bindings, int]]:
    """Yield the ways in which the powers `needs` divide the powers `held`, and how often."""
    if not needs:
        if power is not None:
            yield bindings, power
        return
    (base, exponent), *rest = needs
    for position, (factor, has) in enumerate(held):
        alone = len(needs) == 1 and power is None
        if alone and _is_root_of(factor, has, exponent):
            continue
        often = _multiple(has, exponent, exact=alone)
        if often is None or (power is not None and often * power < 0):
            continue
        found = match(base, factor, variables, bindings)
        if found is not None and not isinstance(exponent, Num):
            found = match(exponent, has, variables, found)
        if found is not None:
            least = often if power is None or abs(often) < abs(power) else power
            others = held[:position] + held[position + 1 :]
            yield from _occurrences(rest, others, variables, found, least)


def _is_root_of(factor: Term, has: Term, needed: Term) -> bool:
    """Return whether a name stands for a root or an inverse of what is better left as it is.

    A name for √s does not make s the square of it, nor one for 1/s its inverse.
    """
    if not isinstance(has, Num) or not isinstance(needed, Num):
        return False
    inverse = needed.value < 0 < has.value
    root = not isinstance(needed.value, int) and isinstance(has.value, int)
    return inverse or (root and (has.value == 1 or isinstance(factor, Ref)))


def _multiple(has: Term, needed: Term, exact: bool) -> int | None:
    """Return how often one exponent goes into another; once where neither is a number."""
    if not isinstance(has, Num) or not isinstance(needed, Num):
        return None if isinstance(has, Num) or isinstance(needed, Num) else 1
    if isinstance(has.value, float) or isinstance(needed.value, float):
        return None
    one, other = Fraction(has.value), Fraction(needed.value)
    ratio = one / other
    whole = int(ratio)  # towards zero
    return whole if whole and (ratio == whole or not exact) else None


def match(
    pattern: Term, term: Term, variables: Sequence[Index], bindings: Mapping[Term, Term]
) -> Bindings | None:
    """Return values of `variables` at which `pattern` is `term`, else None."""
    found = dict(bindings)
    if not _bind(pattern, term, variables, found):
        return None
    values: Bindings = {index: found[index] for index in variables if index in found}
    # The proof: what was bound on the way may have hit upon indices of another meaning.
    return found if replace(pattern, values) is term else None


def _bind(pattern: Term, term: Term, variables: Sequence[Index], found: Bindings) -> bool:
    if isinstance(pattern, Index) and pattern in variables:
        return found.setdefault(pattern, term) is term and in_range(term, pattern.extent)
    if pattern is term and free(pattern).isdisjoint(variables):
        return True
    if type(pattern) is not type(term):
        return False
    if isinstance(pattern, Ref) and pattern.tensor is not getattr(term, "tensor", None):
        return False
    if isinstance(pattern, Apply) and pattern.function != getattr(term, "function", None):
        return False
    below, other = list(children(pattern)), list(children(term))
    return len(below) == len(other) and all(
        _bind(one, two, variables, found) for one, two in zip(below, other, strict=True)
    )


def _recognised(part: Term) -> Term:
    if isinstance(part, Apply) and part.function == "log":
        nest = _exponentials(part.args[0])
        if nest is not None:
            made: Term = LogSumExp(nest[1], nest[0])
            return made
    if isinstance(part, Apply) and part.function == "power":
        return _sigmoid_of_inverse(part)
    if isinstance(part, Mul):
        return _sigmoids_in(_softmax_in(part))
    return part


def _sigmoid_of_inverse(part: Apply) -> Term:
    """Put σ(−u) for 1 / (1 + exp(u)), to any power."""
    base, exponent = part.args
    if not _whole(exponent, below=0) or not isinstance(base, Add) or len(base.terms) != 2:
        return part
    one, other = base.terms if isinstance(base.terms[0], Num) else base.terms[::-1]
    if one is not Num(1) or not isinstance(other, Apply) or other.function != "exp":
        return part
    sigmoid = call("sigmoid", times(Num(-1), other.args[0]))
    return raised(sigmoid, times(Num(-1), exponent))


def _sigmoids_in(part: Term) -> Term:
    """Put σ(u) for exp(u) σ(−u)."""
    powers = list(map(base_and_exponent, factors_of(part)))
    exponents = {
        base.args[0]: (base, exponent)
        for base, exponent in powers
        if isinstance(base, Apply) and base.function == "exp" and _whole(exponent)
    }
    for base, exponent in powers:
        if not (isinstance(base, Apply) and base.function == "sigmoid" and _whole(exponent)):
            continue
        opposite = times(Num(-1), base.args[0])
        if opposite in exponents:
            factor, often = exponents[opposite]
            least = min(often.value, exponent.value)  # type: ignore[attr-defined]
            turned = raised(call("sigmoid", opposite), Num(least))
            taken = (raised(base, Num(-least)), raised(factor, Num(-least)))
            return _sigmoids_in(times(part, *taken, turned))
    return part


def _softmax_in(part: Mul) -> Term:
    """Put softmax for a quotient of exponentials, as often as there is one."""
    powers = [base_and_exponent(factor) for factor in part.factors]
    for base, exponent in powers:
        nest = _exponentials(base)
        if nest is None or not _whole(exponent, below=0):
            continue
        for position, factor in enumerate(part.factors):
            softmax = _softmax_of(factor, *nest)
            if softmax is not None:
                rest = part.factors[:position] + part.factors[position + 1 :]
                changed = times(softmax, base, *rest)
                return _softmax_in(changed) if isinstance(changed, Mul) else changed
    return part


def _softmax_of(factor: Term, indices: tuple[Index, ...], body: Term) -> Term | None:
    """Return a factor, over the sum of the exponentials of `body`, with a softmax in it."""
    if isinstance(factor, Sum):
        index, inside = opened(factor)
        share = _softmax_of(inside, indices, body)
        return None if share is None else summed(index, share)
    if isinstance(factor, Add):
        shares = [_softmax_of(part, indices, body) for part in factor.terms]
        whole = [share for share in shares if share is not None]
        return plus(*whole) if len(whole) == len(shares) else None
    if isinstance(factor, Mul):
        for position, inner in enumerate(factor.factors):
            softmax = _softmax_of(inner, indices, body)
            if softmax is not None:
                return times(softmax, *factor.factors[:position], *factor.factors[position + 1 :])
        return None
    base, exponent = base_and_exponent(factor)
    if not isinstance(base, Apply) or base.function != "exp" or not _whole(exponent):
        return None
    found = match(body, base.args[0], indices, {})
    if found is None or not all(index in found for index in indices):
        return None
    at = tuple(found[index] for index in indices)
    return times(Softmax(body, indices, at), factor, raised(base, Num(-1)))


def _exponentials(term: Term) -> tuple[tuple[Index, ...], Term] | None:
    """Return indices and exponent of a sum of exponentials."""
    indices: list[Index] = []
    while isinstance(term, Sum):
        assert isinstance(term.index, Index)
        indices.append(term.index)
        term = term.body
    if indices and isinstance(term, Apply) and term.function == "exp":
        return tuple(indices), term.args[0]
    return None


def _whole(exponent: Term, below: int | None = None) -> bool:
    if not isinstance(exponent, Num) or not isinstance(exponent.value, int):
        return False
    return exponent.value < 0 if below is not None else exponent.value > 0
