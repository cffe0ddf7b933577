"""Scalar functions of one's own, from SymPy expressions: `gc.elementwise`.

The expression is split into rows of the scalar table when it is used, so that its derivatives and
formulas are those of the rows, and common subexpressions are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

from graphc.errors import UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.scalars import maximum
from graphc.language.source import here
from graphc.language.variable import Variable, build
from graphc.ops.elementwise import as_real
from graphc.ops.elementwise import elementwise as row
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.stable import is_call


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A function of scalars; called with variables it is applied element by element.

    Parameters
    ----------
    expression
        What it computes, a SymPy expression.
    symbols
        Its arguments, in order.
    """

    expression: Any
    symbols: tuple[Any, ...]

    def __call__(self, *operands: Any) -> Variable:
        """Return the value at `operands`, which broadcast as in NumPy.

        Raises
        ------
        UsageError
            If the number of operands is not that of the symbols.
        """
        if len(operands) != len(self.symbols):
            names = ", ".join(map(str, self.symbols))
            raise UsageError(f"{here()}: this is a function of {names}; got {len(operands)}")
        return build("elementwise", self._nodes, operands)

    def _nodes(self, *operands: Node) -> Node:
        given = dict(zip(self.symbols, map(as_real, operands), strict=True))
        return _translated(self.expression, given)


def elementwise(expression: Any, symbols: Any) -> ScalarFunction:
    """Return a scalar function of one's own, to be applied to variables element by element.

    Parameters
    ----------
    expression
        A SymPy expression of real numbers.
    symbols
        The symbol that it is a function of, or a sequence of them.

    Raises
    ------
    UsageError
        If the expression contains functions that graphc does not know (the message lists them
        all), complex numbers, or symbols that are not among `symbols`.

    Examples
    --------
    >>> import graphc as gc
    >>> import sympy
    >>> t = sympy.Symbol("t", real=True)
    >>> bump = gc.elementwise(sympy.exp(-(t**2)) * sympy.cos(3 * t), t)
    >>> x = gc.observed("x", shape=4)
    >>> gc.grad(bump(x).sum(), x).shape
    (4,)
    """
    import sympy as sp

    several = isinstance(symbols, list | tuple)
    given = tuple(symbols) if several else (symbols,)
    made = sp.sympify(expression) if isinstance(expression, int | float) else expression
    wrong = [s for s in given if not isinstance(s, sp.Symbol)]
    if wrong or len(set(given)) < len(given) or not given:
        raise UsageError(f"{here()}: symbols are distinct SymPy symbols, got {symbols!r}")
    if not isinstance(made, sp.Expr):
        raise UsageError(
            f"{here()}: elementwise takes a SymPy expression, got a {type(expression).__name__}; "
            "a Python function of variables needs no elementwise: call it"
        )
    missing = sorted(str(s) for s in made.free_symbols - set(given))
    if missing:
        raise UsageError(f"{here()}: the expression also contains {', '.join(missing)}")
    unknown = sorted({_name(part) for part in sp.preorder_traversal(made) if not _known(part)})
    if unknown:
        known = sorted(head.__name__ for head in _rules())
        raise UsageError(
            f"{here()}: graphc does not know {', '.join(unknown)}; it knows {', '.join(known)}"
        )
    return ScalarFunction(made, given)


def _name(part: Any) -> str:
    return str(part.func) if part.args else str(part)


def _known(part: Any) -> bool:
    import sympy as sp
    from sympy.functions.elementary.piecewise import ExprCondPair

    if isinstance(part, sp.Symbol | ExprCondPair) or part in (sp.true, sp.false):
        return True
    if not part.args:
        return part is sp.nan or bool(part.is_extended_real)
    if isinstance(part, sp.polygamma | sp.besseli | sp.besselj | sp.jn):
        order = part.args[0]
        return bool(order.is_Integer and order >= 0)
    return part.func in _rules()


def _translated(expression: Any, given: Mapping[Any, Node]) -> Node:
    """Return the nodes of an expression, from its leaves upwards."""
    found: dict[Any, Any] = dict(given)  # a branch of a Piecewise is a pair: value, condition
    pending = [(expression, False)]
    while pending:
        part, ready = pending.pop()
        if part in found:
            continue
        if ready or not part.args:
            found[part] = _node(part, [found[arg] for arg in part.args])
        else:
            pending.append((part, True))
            pending.extend((arg, False) for arg in part.args)
    result: Node = found[expression]
    return as_real(result)


def _node(part: Any, args: Sequence[Any]) -> Any:
    import sympy as sp
    from sympy.functions.elementary.piecewise import ExprCondPair

    if part in (sp.true, sp.false):
        return constant(bool(part))
    if isinstance(part, ExprCondPair):
        return tuple(args)
    if not part.args:
        whole = part.is_Integer and abs(part) < 2**53
        return constant(int(part) if whole else float(part))
    return _rules()[part.func](*args)


def _sum(*args: Node) -> Node:
    """Add up; what is negated is subtracted."""
    plus = [a for a in args if not is_call(a, "negative")]
    minus = [a.args[0] for a in args if is_call(a, "negative")]
    result = reduce(_two("add"), plus) if plus else row("negative", minus.pop(0))
    return reduce(_two("subtract"), minus, result)


def _product(*args: Node) -> Node:
    """Multiply; reciprocals divide, and a factor −1 negates."""
    over = [a.args[1] for a in args if _is_reciprocal(a)]
    negative = any(scalar_value(a) == -1 for a in args)
    rest = [a for a in args if not _is_reciprocal(a) and scalar_value(a) != -1]
    result = reduce(_two("multiply"), rest) if rest else constant(1.0)
    if over:
        result = row("divide", result, reduce(_two("multiply"), over))
    return row("negative", result) if negative else result


def _is_reciprocal(node: Node) -> bool:
    return is_call(node, "divide") and scalar_value(node.args[0]) == 1


def _power(base: Node, exponent: Node) -> Node:
    value = scalar_value(exponent)
    base = as_real(base)
    if value is None:
        return row("power", base, exponent)
    size: Node = {
        1: lambda: base,
        2: lambda: row("square", base),
        0.5: lambda: row("sqrt", base),
    }.get(abs(value), lambda: row("power", base, constant(float(abs(value)))))()
    return row("divide", constant(1.0), size) if value < 0 else size


def _piecewise(*pairs: tuple[Node, Node]) -> Node:
    """Choose the first branch whose condition holds; not a number where none does."""
    result = constant(float("nan"))
    for value, condition in reversed(pairs):
        always = scalar_value(condition) is True
        result = as_real(value) if always else row("where", condition, as_real(value), result)
    return result


def _two(name: str) -> Callable[[Node, Node], Node]:
    return lambda a, b: row(name, a, b)


def _named(name: str) -> Callable[..., Node]:
    return lambda *args: row(name, *args)


def _folded(make: Callable[[Node, Node], Node]) -> Callable[..., Node]:
    return lambda *args: reduce(make, args)


def _inverted(name: str) -> Callable[[Node], Node]:
    return lambda x: row("divide", constant(1.0), row(name, x))


_NAMED = {
    "exp log sin cos tan sinh cosh tanh sign floor erf erfc erfinv erfcinv gamma polygamma": "",
    "asin acos atan": "arcsin arccos arctan",
    "asinh acosh atanh": "arcsinh arccosh arctanh",
    "atan2 Abs ceiling Mod loggamma": "arctan2 absolute ceil remainder gammaln",
    "digamma beta besseli besselj jn": "digamma beta iv jv spherical_jn",
    "StrictGreaterThan GreaterThan": "greater greater_equal",
    "StrictLessThan LessThan": "less less_equal",
    "Equality Unequality Not": "equal not_equal logical_not",
}


@cache
def _rules() -> Mapping[Any, Callable[..., Any]]:
    """Return how each SymPy function is written in rows of the table."""
    import sympy as sp
    from sympy.codegen import cfunctions as c

    rules: dict[Any, Callable[..., Any]] = {}
    for heads, names in _NAMED.items():
        for head, name in zip(heads.split(), (names or heads).split(), strict=True):
            rules[getattr(sp, head)] = _named(name)
    for name in ("expm1", "log1p", "exp2", "log2", "log10", "hypot"):
        rules[getattr(c, name)] = _named(name)
    return rules | {
        sp.Add: _sum,
        sp.Mul: _product,
        sp.Pow: _power,
        c.Sqrt: _named("sqrt"),
        c.Cbrt: _named("cbrt"),
        sp.Max: _folded(maximum),
        sp.Min: _folded(_two("minimum")),
        sp.And: _folded(_two("logical_and")),
        sp.Or: _folded(_two("logical_or")),
        sp.Xor: _folded(_two("logical_xor")),
        sp.Piecewise: _piecewise,
        sp.Heaviside: _named("heaviside"),
        sp.conjugate: lambda x: x,
        sp.sinc: lambda x: row("spherical_jn", constant(0), x),
        sp.factorial: lambda x: row("gamma", row("add", as_real(x), constant(1.0))),
        sp.sec: _inverted("cos"),
        sp.csc: _inverted("sin"),
        sp.cot: _inverted("tan"),
        sp.sech: _inverted("cosh"),
        sp.csch: _inverted("sinh"),
        sp.coth: _inverted("tanh"),
    }
