"""Elementwise: one scalar function of the table, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from graphc.errors import DerivativeError, KindError
from graphc.ir.nodes import Node
from graphc.ir.terms import Add, Apply, Mul, Num, Symbol, Term, TermLike, as_term
from graphc.ops.contraction import broadcast_to, unbroadcast
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import reshape
from graphc.types import Dim, TensorType, broadcast


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Elementwise(Node):
    """A scalar function of the table, applied element by element."""

    function: str


def elementwise(function: str, *args: Node) -> Node:
    """Return `function` of `args`; where the result is real, numbers of other kinds become so."""
    row = SCALARS[function]
    kind = row.kind(*(arg.kind for arg in args))
    if kind == "real" and function != "real":
        args = tuple(arg if i in row.discrete else as_real(arg) for i, arg in enumerate(args))
    elif function == "power" and (scalar_value(args[1]) or 0) < 0:
        raise KindError("an integer to a negative power is none; write a real base, such as 2.0")
    made: Node = Elementwise(args, function)
    return made


def as_real(node: Node) -> Node:
    """Return `node` as real numbers."""
    if node.kind == "real":
        return node
    value = scalar_value(node)
    made: Node = Elementwise((node,), "real") if value is None else constant(float(value))
    return made


def interpret(term: Term, values: Mapping[Term, Node]) -> Node:
    """Return a term of the scalar language as nodes, its symbols taken from `values`."""
    if term in values:
        return values[term]
    if isinstance(term, Num):
        value = term.value
        return constant(float(value) if isinstance(value, Fraction) else value)
    if isinstance(term, Mul):
        return _product(term.factors, values)
    if isinstance(term, Add):
        return _sum(term.terms, values)
    if isinstance(term, Apply):
        if term.function == "power" and term.args[1] == Num(2):
            return elementwise("square", interpret(term.args[0], values))
        if term.function == "power" and term.args[1] == Num(Fraction(1, 2)):
            return elementwise("sqrt", interpret(term.args[0], values))
        if not term.args:
            return constant(SCALARS[term.function].evaluate())
        return elementwise(term.function, *(interpret(arg, values) for arg in term.args))
    raise DerivativeError(f"{term} has no meaning element by element")


def _product(factors: Sequence[Term], values: Mapping[Term, Node]) -> Node:
    over = [f for f in factors if isinstance(f, Apply) and _reciprocal(f)]
    sign, rest = 1, []
    for factor in factors:
        if factor == Num(-1):
            sign = -1
        elif factor not in over:
            rest.append(interpret(factor, values))
    result = rest[0] if rest else None
    for node in rest[1:]:
        result = elementwise("multiply", result, node)  # type: ignore[arg-type]
    for factor in over:
        divisor = interpret(factor.args[0], values)
        if result is None:
            result = elementwise("reciprocal", divisor)
        else:
            result = elementwise("divide", result, divisor)
    if result is None:
        return constant(sign)
    return elementwise("negative", result) if sign < 0 else result


def _reciprocal(term: Apply) -> bool:
    return term.function == "power" and term.args[1] == Num(-1)


def _sum(terms: Sequence[Term], values: Mapping[Term, Node]) -> Node:
    plus = [t for t in terms if not _negated(t)]
    minus = [t for t in terms if _negated(t)]
    # A number added last reads as a number taken from: 1 - y**2.
    plus.sort(key=lambda t: not isinstance(t, Num))
    if not plus:
        result = elementwise("negative", interpret(-minus.pop(0), values))
    else:
        result = interpret(plus[0], values)
        for term in plus[1:]:
            result = elementwise("add", result, interpret(term, values))
    for term in minus:
        result = elementwise("subtract", result, interpret(-term, values))
    return result


def _negated(term: Term) -> bool:
    head = term.factors[0] if isinstance(term, Mul) else term
    return isinstance(head, Num) and head.value < 0 and isinstance(term, Mul)


def derivative(function: str, i: int, args: Sequence[Term], y: Term) -> Term:
    """Return the derivative of a scalar function by its `i`-th argument, as a term."""
    rule = SCALARS[function].derivatives[i]
    if rule is None:
        raise DerivativeError(f"{function} is piecewise constant")
    result: TermLike = rule(*args, y)
    return as_term(result)


def _type(node: Elementwise) -> TensorType:
    return _type_of(node.function, tuple([arg.type for arg in node.args]))


@lru_cache(maxsize=4096)  # the layers of a network are alike
def _type_of(function: str, types: tuple[TensorType, ...]) -> TensorType:
    row = SCALARS[function]
    if len(types) != row.arity:
        raise KindError(f"{function} takes {row.arity} arguments, got {len(types)}")
    shape = broadcast(*(t.shape for t in types))
    return TensorType(shape, row.kind(*(t.kind for t in types)))


def _cuts(node: Elementwise, i: int) -> bool:
    discrete = node.kind != "real" or node.args[i].kind != "real"
    return discrete or SCALARS[node.function].derivatives[i] is None


_ARGS = tuple(Symbol(f"arg{i}") for i in range(4))
_RESULT = Symbol("y")


def _vjp(node: Elementwise, i: int, g: Node) -> Node:
    symbols = _ARGS[: len(node.args)]
    term = derivative(node.function, i, _known(node, symbols), _RESULT)
    if term == Num(1):
        local = g
    elif term == Num(-1):
        local = elementwise("negative", g)
    else:
        values: dict[Term, Node] = dict(zip(symbols, node.args, strict=True))
        values[_RESULT] = node
        local = _scaled(g, term, values)
    return unbroadcast(broadcast_to(local, node.shape), node.args[i].shape)


def _known(node: Elementwise, symbols: Sequence[Term]) -> Sequence[Term]:
    """Return `symbols`, in place of a fixed exponent or order its number.

    ``b * a**(b - 1)`` then loses its power where b is 1 or 0, before it can be ``0**-1``; and the
    derivative of a function of order n has order n + 1.
    """
    places = (1,) if node.function == "power" else SCALARS[node.function].discrete
    known = list(symbols)
    for i in places:
        value = scalar_value(node.args[i])
        if value is not None and not isinstance(value, bool):
            known[i] = Num(int(value) if float(value).is_integer() else value)
    return known


def _scaled(g: Node, term: Term, values: Mapping[Term, Node]) -> Node:
    """Return ``g * term``; a reciprocal divides, a negation negates, to save a pass each."""
    factors = term.factors if isinstance(term, Mul) else (term,)
    cotangent = Symbol("g")
    return _product((cotangent, *factors), {**values, cotangent: g})


def _batch(node: Elementwise, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    rank = node.type.rank
    aligned = []
    for arg, old, flag in zip(args, node.args, batched, strict=True):
        if flag and old.type.rank < rank:
            # The sample axis must stay in front of the axes that broadcasting adds.
            fill = (1,) * (rank - old.type.rank)
            arg = reshape(arg, (size, *fill, *old.shape))
        aligned.append(arg)
    made: Node = Elementwise(tuple(aligned), node.function)
    return made


_LOGICAL = {
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}


def _meaning(node: Elementwise, indices: Indices, element: Element) -> Term:
    args = [
        element(i, tuple(
            Num(0) if dim == 1 and full != 1 else index
            for dim, full, index in zip(
                arg.shape,
                node.shape[node.type.rank - arg.type.rank :],
                indices[node.type.rank - arg.type.rank :],
                strict=True,
            )
        ))
        for i, arg in enumerate(node.args)
    ]  # fmt: skip
    if node.kind == "boolean":  # whose bits are truth values
        return applied(_LOGICAL.get(node.function, node.function), args)
    return applied(node.function, args)


def applied(function: str, args: Sequence[Term]) -> Term:
    """Return a scalar function of terms, arithmetic in the terms' own normal form."""
    match function, args:
        case "add", [a, b]:
            return a + b
        case "subtract", [a, b]:
            return a - b
        case "multiply", [a, b]:
            return a * b
        case "divide", [a, b]:
            return a / b
        case "negative", [a]:
            return -a
        case "square", [a]:
            return a**2
        case "reciprocal", [a]:
            return 1 / a
        case "sqrt", [a]:
            return a ** Fraction(1, 2)
        case "deg2rad" | "rad2deg", [a]:
            return a * derivative(function, 0, (a,), a)
        case "power", [a, b]:
            return a**b
        case "real", [a]:
            return a
        case "integer", [a]:
            return Apply("trunc", (a,))
    return Apply(function, tuple(args))


def _evaluate(node: Elementwise, values: Sequence[Any], sizes: Sizes) -> Any:
    return SCALARS[node.function].evaluate(*values)


define(
    Elementwise,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
