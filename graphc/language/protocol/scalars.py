"""Functions element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import KindError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.tables import implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.scalars import SCALARS


def scalar_function(name: str) -> Callable[..., Variable]:
    """Return the function on variables that applies a row of the scalar table."""

    def apply(*operands: Any) -> Variable:
        if name in ("maximum", "minimum"):
            return _extreme(name, *operands)
        return build(name, lambda *nodes: elementwise(name, *nodes), operands)

    return apply


def _extreme(name: str, a: Any, b: Any) -> Variable:
    """Apply maximum or minimum; ``maximum(x, 0)`` is relu, whose derivative at 0 is 0."""

    def make(x: Node, y: Node) -> Node:
        for this, other in ((x, y), (y, x)):
            if name == "maximum" and scalar_value(other) == 0 and this.kind == "real":
                return elementwise("relu", this)
        return elementwise(name, x, y)

    return build(name, make, (a, b))


def fabs(x: Any) -> Variable:
    """Return the absolute value as a real number."""
    return build("fabs", lambda node: elementwise("absolute", as_real(node)), (x,))


def _on_booleans(symbol: str, name: str) -> Callable[..., Variable]:
    """Return what ``&``, ``|`` or ``~`` does: of integers, NumPy's would be bitwise."""

    def make(*nodes: Node) -> Node:
        if any(node.kind != "boolean" for node in nodes):
            raise KindError(f"{symbol} takes booleans; np.{name} takes numbers too")
        return elementwise(name, *nodes)

    return lambda *operands: build(symbol, make, operands)


for _name in SCALARS:
    OPERATORS[_name] = scalar_function(_name)


OPERATORS |= {
    "fabs": fabs,
    "&": _on_booleans("&", "logical_and"),
    "|": _on_booleans("|", "logical_or"),
    "~": _on_booleans("~", "logical_not"),
}


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
    result = as_variable(a)
    if low is not None:
        result = where(result < low, low, result)
    if high is not None:
        result = where(result > high, high, result)
    return result
