"""What a derivative is taken of: definitions put in, and whether a path carries one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.calculus import reverse
from graphc.errors import DerivativeError, ShapeError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import rewrite_nodes
from graphc.language.declare import sources
from graphc.language.graph import resolved
from graphc.language.source import here
from graphc.language.variable import Variable
from graphc.ops.stable import stable_rules
from graphc.types import shape_text


def check_variable(given: Any, operation: str) -> None:
    """Raise an error unless what is given is a variable."""
    if not isinstance(given, Variable):
        raise UsageError(
            f"{here()}: {operation} is taken of a variable by a variable, got a "
            f"{type(given).__name__}"
        )


def each(wrt: Any, rule: Callable[[Variable], Variable]) -> Any:
    """Return what a rule makes of a variable, or of each in a list."""
    if isinstance(wrt, list | tuple):
        return [rule(v) for v in wrt]
    return rule(wrt)


def prepared(variables: Sequence[Variable]) -> list[Node]:
    """Return nodes with later definitions put in and naive spellings made stable.

    The first is what is derived, the others by what: they stay what they are, so that a path
    to them is not recognised away.
    """
    nodes = defined(variables)
    new, _ = rewrite_nodes(nodes, stable_rules(nodes[1:]), stop=nodes[1:])
    return [new[nodes[0]], *nodes[1:]]


def defined(variables: Sequence[Variable]) -> list[Node]:
    """Return nodes with the definitions of computed variables put in."""
    placeholders = _placeholders(variables)
    values = resolved([v.node for v in variables], placeholders)
    return [values.get(v.node, v.node) for v in variables]


def _placeholders(variables: Sequence[Variable]) -> list[Variable]:
    order: list[Variable] = []
    seen: set[int] = set()
    pending = [(v, False) for v in reversed(variables)]
    while pending:
        v, expanded = pending.pop()
        if expanded:
            if v.definition is not None:
                order.append(v)
        elif id(v) not in seen:
            seen.add(id(v))
            pending.append((v, True))
            pending.extend((s, False) for s in sources(v))
    return order


def reachable(y: Variable, x: Variable, allow_unused: bool) -> bool:
    """Return whether a derivative passes from `y` to `x`; raise unless zeros are allowed."""
    output, wrt = defined([y, x])
    if reverse.reaches(output, wrt):
        return True
    if allow_unused:
        return False
    raise DerivativeError(f"{here()}: {why_not(output, wrt, told(y), told(x), _blocks(y))}")


def why_not(
    output: Node, wrt: Node, told_output: str, told_wrt: str, blocks: dict[Node, str]
) -> str:
    """Return the sentence that says why no derivative passes from `output` to `wrt`."""
    found = reverse.cuts([output], wrt)
    if not found:
        return (
            f"{told_output} does not depend on {told_wrt}; "
            "allow_unused=True gives zeros instead of this error"
        )
    cut = first_cut(found[0], wrt)
    block = blocks.get(cut.node)
    place = f"in block '{block}', " if block else ""
    function = getattr(cut.node, "function", type(cut.node).__name__.lower())
    if cut.operand is wrt and wrt.kind != "real":
        what = f"{told_wrt} is {wrt.kind}, "
        if cut.node is wrt or function == "real":
            what += "and discrete values have no derivative"
        else:
            what += f"and {place}'{function}' takes {wrt.kind} values"
    elif cut.node.kind != "real":
        what = f"{place}'{function}' gives {cut.node.kind} values"
    else:
        what = f"{place}'{function}' is piecewise constant"
    return (
        f"no derivative passes from {told_output} to {told_wrt}: {what}, which cuts the path; "
        "allow_unused=True gives zeros instead of this error"
    )


def first_cut(cut: reverse.Cut, wrt: Node) -> reverse.Cut:
    """Follow discrete values down to what made them so: a function of real ones, or `wrt`."""
    while cut.operand.kind != "real" and cut.operand is not wrt:
        cut = reverse.cuts([cut.operand], wrt)[0]
    return cut


def _blocks(y: Variable) -> dict[Node, str]:
    """Return the block of each node behind `y`, as far as blocks were named or called."""
    blocks: dict[Node, str] = {}
    seen: set[int] = set()
    pending = [y]
    while pending:
        v = pending.pop()
        if id(v) in seen:
            continue
        seen.add(id(v))
        if v.call is not None:
            fence = [i.node for i in (*v.call.inputs, *v.call.parameters.values())]
            for node in topological([v.node], fence):
                if node not in fence:
                    blocks.setdefault(node, v.call.block.name or v.call.block.function)
        pending.extend(sources(v))
    return blocks


def check_fits(tangent: Variable, variable: Variable, what: str) -> None:
    """Raise an error unless a tangent has the shape of its variable."""
    if tangent.shape != variable.shape:
        raise ShapeError(
            f"{here()}: {what} has shape {shape_text(tangent.shape)}, "
            f"but {variable.describe()} has {shape_text(variable.shape)}"
        )


def told(variable: Variable) -> str:
    """Return a variable as a message names it, with its shape."""
    return f"{variable.describe()} of shape {shape_text(variable.shape)}"
