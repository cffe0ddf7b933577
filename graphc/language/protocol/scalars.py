"""Functions element by element."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np

from graphc.errors import KindError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.scalars import SCALARS


def scalar_function(name: str) -> Callable[..., Variable]:
    """Return the function on variables that applies a row of the scalar table."""
    make = MAKERS.get(name) or (lambda *nodes: elementwise(name, *nodes))
    arity = SCALARS[name].arity

    def apply(*operands: Any) -> Variable:
        if len(operands) != arity:
            raise UsageError(f"{here()}: {name} takes {arity} arguments, got {len(operands)}")
        return build(name, make, operands)

    return apply


def ordered_function(name: str) -> Callable[[Any, Any], Variable]:
    """Return the function on variables of a row whose first argument is its order."""

    def apply(order: Any, x: Any) -> Variable:
        try:
            n = index(order)
        except TypeError:
            n = -1
        if n < 0:
            raise UsageError(
                f"{here()}: the order of {name} is a whole number from 0 on, known when the model "
                f"is declared; got {order!r}"
            )
        return build(name, lambda node: elementwise(name, constant(n), node), (x,))

    return apply


def maximum(x: Node, y: Node) -> Node:
    """Apply maximum; ``maximum(x, 0)`` is relu, whose derivative at 0 is 0."""
    for this, other in ((x, y), (y, x)):
        if scalar_value(other) == 0 and this.kind == "real":
            return elementwise("relu", this)
    return elementwise("maximum", x, y)


def _reciprocal(x: Node) -> Node:
    if x.kind != "real":
        raise KindError("NumPy rounds the reciprocal of an integer to an integer; write 1 / x")
    return elementwise("reciprocal", x)


def _float_power(a: Node, b: Node) -> Node:
    return elementwise("power", as_real(a), as_real(b))


def _ldexp(x: Node, n: Node) -> Node:
    if n.kind == "real":
        raise KindError("the exponent of ldexp is an integer; np.exp2 takes real ones")
    return elementwise("ldexp", x, n)


def _positive(x: Node) -> Node:
    if x.kind == "boolean":
        raise KindError("booleans have no signs; write 1 * x for the numbers 0 and 1")
    return x


MAKERS: dict[str, Callable[..., Node]] = {
    "maximum": maximum,
    "reciprocal": _reciprocal,
    "ldexp": _ldexp,
}


for _name in SCALARS:
    OPERATORS[_name] = scalar_function(_name)


def _composed(name: str, make: Callable[..., Node]) -> Callable[..., Variable]:
    return lambda *operands: build(name, make, operands)


OPERATORS |= {
    "fabs": _composed("fabs", lambda x: elementwise("absolute", as_real(x))),
    "float_power": _composed("float_power", _float_power),
    "positive": _composed("positive", _positive),
    "i0": lambda x: ordered_function("iv")(0, x),
    "i1": lambda x: ordered_function("iv")(1, x),
    "j0": lambda x: ordered_function("jv")(0, x),
    "j1": lambda x: ordered_function("jv")(1, x),
    "i0e": lambda x: ordered_function("ive")(0, x),
    "i1e": lambda x: ordered_function("ive")(1, x),
    "exprel": lambda x: ordered_function("exprel")(0, x),
    "conjugate": _composed("conjugate", as_number),
}

implements(np.sinc)(OPERATORS["sinc"])
implements(np.i0)(OPERATORS["i0"])
implements(np.real)(OPERATORS["conjugate"])


def _modf(x: Any) -> tuple[Variable, Variable]:
    """Split into the fraction, with the sign of the number, and the whole part."""
    v = as_variable(x)
    whole = OPERATORS["trunc"](build("real", as_real, (v,)))
    return where(OPERATORS["isinf"](v), 0.0, v - whole), whole


def _divmod(a: Any, b: Any) -> tuple[Variable, Variable]:
    return divmod(as_variable(a), as_variable(b))


OPERATORS |= {"modf": _modf, "divmod": _divmod}  # type: ignore[dict-item]


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Variable:
    """Choose element by element."""
    if x is None or y is None:
        raise UsageError(f"{here()}: np.where on variables takes three arguments")

    def make(c: Node, a: Node, b: Node) -> Node:
        if c.kind != "boolean":
            c = elementwise("not_equal", c, constant(0))
        return elementwise("where", c, a, b)

    return build("where", make, (condition, x, y))


@implements(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, **rest: Any) -> Variable:
    """Limit to an interval; the derivative is 1 inside and at the bounds."""
    low, high = rest.pop("min", a_min), rest.pop("max", a_max)
    no_options("clip", rest)
    if low is not None and high is not None:
        return build("clip", lambda *nodes: elementwise("clip", *nodes), (a, low, high))
    result = as_variable(a)
    if low is not None:
        result = where(_beyond(result < low, low), low, result)
    if high is not None:
        result = where(_beyond(result > high, high), high, result)
    return result


def _beyond(outside: Variable, bound: Any) -> Variable:
    """Return where a bound takes a number's place: also where the bound is nan."""
    if isinstance(bound, Variable) or np.isnan(bound).any():
        return outside | OPERATORS["isnan"](bound)
    return outside


@implements(np.round, np.around)
def round(a: Any, decimals: int = 0, **rest: Any) -> Variable:
    """Round to a number of decimals, halves to the even digit."""
    no_options("round", rest)
    v = as_variable(a)
    if v.kind != "real" and decimals >= 0:
        return OPERATORS["positive"](v)
    if v.kind != "real":
        raise KindError(f"{here()}: integers are not rounded to tens; write 10 * (x // 10)")
    if decimals == 0:
        return OPERATORS["rint"](v)
    scale = 10.0 ** abs(decimals)
    scaled = OPERATORS["rint"](v * scale if decimals > 0 else v / scale)
    return scaled / scale if decimals > 0 else scaled * scale


@implements(np.fix)
def fix(x: Any, **rest: Any) -> Variable:
    """Round towards 0."""
    no_options("fix", rest)
    return OPERATORS["trunc"](x)


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Variable:
    """Replace what is not finite; the derivative is 0 there."""
    v = as_variable(x)
    result = OPERATORS["nan_to_num"](v)
    if v.kind != "real":
        return v
    for at, value in ((np.inf, posinf), (-np.inf, neginf)):
        if value is not None:
            result = where(v == at, value, result)
    return result if isinstance(nan, float) and nan == 0 else where(v != v, nan, result)


@implements(np.isposinf)
def isposinf(x: Any, **rest: Any) -> Variable:
    """Say where an element is inf."""
    no_options("isposinf", rest)
    v = as_variable(x)
    return v == np.inf


@implements(np.isneginf)
def isneginf(x: Any, **rest: Any) -> Variable:
    """Say where an element is −inf."""
    no_options("isneginf", rest)
    v = as_variable(x)
    return v == -np.inf


@implements(np.isclose)
def isclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Variable:
    """Say where two tensors agree up to ``atol + rtol * abs(b)``."""
    x, y = as_variable(a), as_variable(b)
    near = abs(x * 1.0 - y) <= atol + rtol * abs(y)
    result = (near & OPERATORS["isfinite"](y)) | (x == y)
    return result | ((x != x) & (y != y)) if equal_nan else result
