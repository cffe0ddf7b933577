"""Scalar functions of simplified terms: arithmetic put into its normal form, values folded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from graphc.calculus.index_terms import (
    MINUS,
    ONE,
    TWO,
    ZERO,
    base_and_exponent,
    bounds,
    factors_of,
    terms_of,
)
from graphc.calculus.simplify_numbers import number, split_number
from graphc.calculus.simplify_terms import (
    INDICATORS,
    REMAKE,
    is_indicator,
    minus,
    plus,
    raised,
    times,
)
from graphc.ir.terms import Add, Apply, Determinant, Num, Term
from graphc.ops.scalars import SCALARS

FOLDED = INDICATORS | {"floor", "ceil", "sign", "absolute", "relu", "maximum", "minimum"}


def call(function: str, *args: Term) -> Term:
    """Return a scalar function of simplified terms, simplified."""
    rule = RULES.get(function)
    if rule is not None:
        return rule(*args)
    if function in FOLDED and all(isinstance(arg, Num) for arg in args):
        values = [arg.value for arg in args]  # type: ignore[attr-defined]
        return number(SCALARS[function].evaluate(*map(float, values)).item())
    made: Term = Apply(function, tuple(args))
    return made


def _floor_divide(dividend: Term, divisor: Term) -> Term:
    """Take out of a quotient of indices what divides, and drop what is certain to be less."""
    if not isinstance(divisor, Num) or not isinstance(divisor.value, int) or divisor.value <= 0:
        return Apply("floor_divide", (dividend, divisor))
    whole, rest = _divided(dividend, divisor.value)
    known = bounds(rest)
    if known is not None and known[0] // divisor.value == known[1] // divisor.value:
        return plus(whole, number(known[0] // divisor.value))
    match rest:
        case Apply("floor_divide", (inner, Num(int(by)))) if by > 0:
            return plus(whole, _floor_divide(inner, Num(by * divisor.value)))
    return plus(whole, Apply("floor_divide", (rest, divisor)))


def _remainder(dividend: Term, divisor: Term) -> Term:
    if not isinstance(divisor, Num) or not isinstance(divisor.value, int) or divisor.value <= 0:
        return Apply("remainder", (dividend, divisor))
    _, rest = _divided(dividend, divisor.value)
    known = bounds(rest)
    if known is not None and known[0] // divisor.value == known[1] // divisor.value:
        return plus(rest, number(-(known[0] // divisor.value) * divisor.value))
    made: Term = Apply("remainder", (rest, divisor))
    return made


def _divided(dividend: Term, divisor: int) -> tuple[Term, Term]:
    """Return the part of a sum of index terms that `divisor` divides, divided, and the rest."""
    whole, rest = [], []
    for term in terms_of(_spread(dividend)):
        coefficient, atom = split_number(term)
        if bounds(atom) is not None and isinstance(coefficient, int) and coefficient % divisor == 0:
            whole.append(times(number(coefficient // divisor), atom))
        else:
            rest.append(term)
    return plus(*whole), plus(*rest)


def _spread(term: Term) -> Term:
    """Multiply a number into a bracket."""
    coefficient, rest = split_number(term)
    if coefficient == 1 or not isinstance(rest, Add):
        return term
    made: Term = Add(tuple(times(number(coefficient), part) for part in rest.terms))
    return made


def _exp(x: Term) -> Term:
    """Undo logarithms: the exponential of ``a − log b`` is ``exp(a) / b``."""
    outside, inside = [], []
    for term in terms_of(x):
        coefficient, atom = split_number(term)
        if isinstance(atom, Apply) and atom.function == "log":
            outside.append(raised(atom.args[0], number(coefficient)))
        else:
            inside.append(term)
    rest = plus(*inside)
    return times(*outside, ONE if rest is ZERO else Apply("exp", (rest,)))


def _log(x: Term) -> Term:
    """Undo exponentials: the logarithm of ``exp(a) / b`` is ``a − log b``."""
    if x is ONE:
        return ZERO
    terms, rest = [], []
    for factor in factors_of(x):
        base, exponent = base_and_exponent(factor)
        if isinstance(base, Apply) and base.function == "exp":
            terms.append(times(exponent, base.args[0]))
        else:
            rest.append(factor)
    left = times(*rest)
    match left:
        case Apply("absolute", (Determinant("det", row, column, extent, body),)):
            return plus(*terms, Determinant("logdet", row, column, extent, body))
    if isinstance(left, Apply) and left.function == "power" and left.args[1] is MINUS:
        return plus(*terms, minus(_log(left.args[0])))
    return plus(*terms, ZERO if left is ONE else Apply("log", (left,)))


def _where(condition: Term, yes: Term, no: Term) -> Term:
    if isinstance(condition, Num):
        return yes if condition.value else no
    if isinstance(condition, Apply) and condition.function == "logical_not":
        return _where(condition.args[0], no, yes)
    return yes if yes is no else Apply("where", (condition, yes, no))


def _not(condition: Term) -> Term:
    match condition:
        case Num(value):
            return ZERO if value else ONE
        case Apply("logical_not", (inner,)) if is_indicator(inner):
            return inner
    made: Term = Apply("logical_not", (condition,))
    return made


def _equal(left: Term, right: Term) -> Term:
    if left is right:
        return ONE
    if isinstance(left, Num) and isinstance(right, Num):
        return ONE if left.value == right.value else ZERO
    made: Term = Apply("equal", (left, right))
    return made


RULES: dict[str, Callable[..., Term]] = {
    "add": plus,
    "subtract": lambda a, b: plus(a, minus(b)),
    "multiply": times,
    "divide": lambda a, b: times(a, raised(b, MINUS)),
    "negative": minus,
    "square": lambda a: raised(a, TWO),
    "reciprocal": lambda a: raised(a, MINUS),
    "sqrt": lambda a: raised(a, Num(Fraction(1, 2))),
    "power": raised,
    "real": lambda a: a,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "exp": _exp,
    "log": _log,
    "where": _where,
    "logical_not": _not,
    # What has a name of its own only for the sake of accuracy is shown as what it is.
    "ratio": lambda a, b: times(a, raised(b, MINUS)),
    "exp2": lambda x: raised(TWO, x),
    "expm1": lambda x: plus(_exp(x), MINUS),
    "log1p": lambda x: _log(plus(ONE, x)),
    "cosm1": lambda x: plus(Apply("cos", (x,)), MINUS),
    "cbrt": lambda x: raised(x, Num(Fraction(1, 3))),
    "hypot": lambda a, b: raised(plus(raised(a, TWO), raised(b, TWO)), Num(Fraction(1, 2))),
    "logaddexp": lambda a, b: _log(plus(_exp(a), _exp(b))),
    "logit": lambda x: _log(times(x, raised(plus(ONE, minus(x)), MINUS))),
    "xlogy": lambda x, y: times(x, _log(y)),
    "xlog1py": lambda x, y: times(x, _log(plus(ONE, y))),
    "entr": lambda x: minus(times(x, _log(x))),
    "rel_entr": lambda x, y: times(x, _log(times(x, raised(y, MINUS)))),
    "kl_div": lambda x, y: plus(times(x, _log(times(x, raised(y, MINUS)))), minus(x), y),
    "equal": _equal,
}

REMAKE[Apply] = lambda term, change: call(term.function, *map(change, term.args))
