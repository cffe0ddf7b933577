"""Scalar functions, as operators, ufuncs and helpers."""

from __future__ import annotations

from math import isfinite

from graphc.emit.dialect import (
    ATOM,
    COMPARE,
    POWER,
    PRECEDENCE,
    TIMES,
    UNARY,
    Dialect,
    Spelled,
    Speller,
    typed,
)
from graphc.emit.forms import host_scalars, is_mask
from graphc.emit.helpers import NATIVE, helper
from graphc.ir.nodes import Node, topological
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.scalars import SCALARS


def quick_operands(node: Elementwise, of: Speller, dialect: Dialect) -> Speller:
    """Return a speller that gives fast code its numbers as arrays without axes."""
    if not dialect.fast or not node.shape or all(arg.kind != "real" for arg in node.args):
        return of

    whole = {node.args[i] for i in SCALARS[node.function].discrete}

    def spelled(arg: Node) -> Spelled:
        value = scalar_value(arg)
        if value is None or arg in whole or isinstance(value, bool) or not isfinite(value):
            return of(arg)
        return Spelled(dialect.number(float(value)))

    return spelled


def spell_elementwise(node: Elementwise, of: Speller, dialect: Dialect) -> Spelled:
    """Spell a scalar function: an operator, a ufunc, or a helper that the file carries."""
    of = quick_operands(node, of, dialect)
    function, args, lib = node.function, node.args, dialect.lib
    row = SCALARS[function]
    if function == "real" and _of_numbers(args[0]):
        return Spelled(f"{dialect.dtype}({of(args[0]).text})")
    if function == "real":
        return Spelled(f"{of(args[0]).within(ATOM)}.astype({dialect.dtype})")
    if function == "integer":
        return Spelled(f"{of(args[0]).within(ATOM)}.astype({lib}.int64)")
    if function == "where":
        c, a, b = args
        if scalar_value(a) is not None and scalar_value(b) is not None:
            branches = f"{typed(a, of, dialect).text}, {of(b).text}"
        else:
            branches = f"{of(a).text}, {of(b).text}"
        return Spelled(f"{lib}.where({of(c).text}, {branches})")
    if function == "negative":
        return Spelled(f"-{of(args[0]).within(UNARY)}", UNARY)
    if function == "square" and not dialect.fast:
        return Spelled(f"{of(args[0]).within(POWER + 1)}**2", POWER)
    if function == "reciprocal":
        return Spelled(
            f"{of(constant(1.0)).within(TIMES)} / {of(args[0]).within(TIMES + 1)}", TIMES
        )
    if function == "relu":
        return Spelled(f"{lib}.maximum({of(args[0]).text}, {of(constant(0.0)).text})")
    if function == "invert":
        return Spelled(f"~{of(args[0]).within(UNARY)}", UNARY)
    if function == "multiply":
        args = _masks(args, of)
    if row.infix is not None:
        precedence = PRECEDENCE[row.infix]
        # Right operands bind one tighter: a - (b - c); comparisons never chain; a power's base.
        left = of(args[0]).within(precedence + (row.infix == "**" or precedence == COMPARE))
        right = of(args[1]).within(precedence + (row.infix != "**"))
        tight = "" if row.infix == "**" else " "
        return Spelled(f"{left}{tight}{row.infix}{tight}{right}", precedence)
    inner = ", ".join(of(arg).text for arg in args)
    if row.ufunc is not None or row.function is not None:
        return Spelled(f"{lib}.{row.ufunc or row.function}({inner})")
    rounded = "" if dialect.wide or function in NATIVE else f".astype({dialect.dtype})"
    return Spelled(f"{helper(function, dialect)}({inner}){rounded}")


def _of_numbers(node: Node) -> bool:
    """Return whether a node compares Python numbers: sizes and constants."""
    if node.shape or node.kind != "boolean" or not isinstance(node, Elementwise):
        return False
    return host_scalars(topological(node.args)).issuperset(node.args)


def _masks(args: tuple[Node, ...], of: Speller) -> tuple[Node, ...]:
    """Return the operands of a product, a mask as the booleans that it is.

    A mask that was converted elsewhere has a name, and is taken by it.
    """
    a, b = args
    if is_mask(b) and not is_mask(a) and a.shape and not of(b).text.isidentifier():
        return a, b.args[0]
    if is_mask(a) and not is_mask(b) and b.shape and not of(a).text.isidentifier():
        return a.args[0], b
    return args
