"""What declared properties make of a finished term: A_ji is A_ij, Σ_k Q_ki Q_kj is δ_ij.

Only of a finished one: a derivative is taken as if all elements were free.
"""

from __future__ import annotations

from graphc.calculus.index_terms import Index, factors_of, free, order
from graphc.calculus.simplify_sums import opened, sum_over
from graphc.calculus.simplify_terms import delta, rewrite, times
from graphc.ir.terms import Apply, Num, Ref, Sum, Term
from graphc.ops.properties import has


def declared(term: Term) -> Term:
    """Return a simplified term with the properties of its tensors made use of."""
    return rewrite(term, _simplified)


def _simplified(part: Term) -> Term:
    match part:
        case Ref(tensor, (*front, row, column)) if has(tensor, "symmetric"):
            first, second = sorted((row, column), key=order)
            made: Term = Ref(tensor, (*front, first, second))
            return made
        case Sum():
            return _orthonormal_in(part)
        case Apply("absolute" | "relu", (Ref(tensor) as x,)) if has(tensor, "positive"):
            return x
        case Apply("sign" | "greater", (Ref(tensor), *rest)) if has(tensor, "positive"):
            return Num(1) if not rest or rest[0] is Num(0) else part
    return part


def _orthonormal_in(whole: Sum) -> Term:
    """Return a sum in which rows or columns of an orthogonal matrix have met."""
    indices: list[Index] = []
    factors: list[Term] = []
    pending: list[Term] = [whole]
    while pending:
        part = pending.pop()
        if isinstance(part, Sum):
            index, body = opened(part)
            indices.append(index)
            pending.extend(factors_of(body))
        else:
            factors.append(part)
    for index in indices:
        held = [factor for factor in factors if index in free(factor)]
        met = _orthonormal(held[0], held[1], index) if len(held) == 2 else None
        if met is not None:
            rest = [factor for factor in factors if factor not in held]
            left = sum_over([i for i in indices if i is not index], times(met, *rest))
            return _orthonormal_in(left) if isinstance(left, Sum) else left
    return whole


def _orthonormal(factor: Term, other: Term, index: Index) -> Term | None:
    """Return the delta that two rows or columns of an orthogonal matrix make."""
    if not (isinstance(factor, Ref) and isinstance(other, Ref) and factor.tensor is other.tensor):
        return None
    if not has(factor.tensor, "orthogonal") or factor.indices[:-2] != other.indices[:-2]:
        return None
    for axis in (-1, -2):
        left, right = factor.indices[-3 - axis], other.indices[-3 - axis]
        if factor.indices[axis] is index is other.indices[axis] and index not in (left, right):
            return delta(left, right)
    return None
