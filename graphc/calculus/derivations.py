"""Derivations: a gradient in the steps of the chain rule, from the cost back to a variable.

The steps go between stations: the variables that have names, what a nonlinear function is applied
to, and what it gives where that is used further. What is linear between two stations is one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.calculus.formulas import Formula, backward, forward, jacobian
from graphc.calculus.reverse import carriers
from graphc.errors import FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import users
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import scalar_value
from graphc.ops.structural import Reshape
from graphc.types import TupleType

MOST_STATIONS = 200
_SUMS = frozenset(("add", "subtract", "negative", "real"))


@dataclass(frozen=True)
class Definition:
    """A station, by a formula of those before it; None where there is no formula."""

    name: str
    formula: Formula | None


@dataclass(frozen=True)
class Step:
    """The derivative of the cost by one station, from those by the stations that use it.

    Parameters
    ----------
    rules
        Of each path: the functions whose derivative it takes, outermost first.
    parts
        A formula for each path; None where there is none. The derivative is their sum.
    """

    name: str
    rules: tuple[str, ...]
    parts: tuple[Formula | None, ...]


def stations_between(cost: Node, wrt: Sequence[Node], named: Mapping[Node, str]) -> list[Node]:
    """Return the stations from those in `wrt` to `cost`, the last.

    Raises
    ------
    FormulaError
        If there are too many for a derivation to be read.
    """
    order = topological([cost], wrt)
    moving = carriers(order, wrt)
    inside = [node for node in order if node in moving]
    counts = users(inside)
    found = {*wrt, cost} | {node for node in inside if node in named}
    for node in inside:
        if node in wrt or _is_linear(node, moving):
            continue
        found.update(_source(arg) for arg in node.args if arg in moving)
        if counts.get(node, 0) > 1 or any(
            node in user.args and _multiplies(user) for user in inside
        ):
            found.add(node)
    if len(found) > MOST_STATIONS:
        raise FormulaError(
            f"the derivation would have {len(found)} steps; derive an intermediate variable"
        )
    return [node for node in order if node in found and not isinstance(node.type, TupleType)]


def _source(node: Node) -> Node:
    """Look through what only rearranges or repeats."""
    while isinstance(node, Reshape) or (isinstance(node, Contraction) and is_shuffle(node)):
        node = node.args[0]
    return node


def _multiplies(node: Node) -> bool:
    return isinstance(node, Contraction) and len(node.args) > 1


def _is_linear(node: Node, moving: set[Node]) -> bool:
    """Return whether a node is linear in its operands that move."""
    carried = [arg for arg in node.args if arg in moving]
    if isinstance(node, Elementwise):
        if node.function in _SUMS:
            return True
        if node.function == "multiply":
            return len(carried) == 1
        return node.function == "divide" and carried == [node.args[0]]
    if isinstance(node, Contraction):
        return len(carried) == 1
    return isinstance(node, Reshape)


def definitions(stations: Sequence[Node], names: Mapping[Node, str]) -> list[Definition]:
    """Return what each station is, in those before it; what has none before it is given."""
    made = []
    fence = set(stations)
    for node in stations:
        if not _directly_below(node, fence):
            continue
        try:
            formula = forward(node, names)
        except FormulaError:
            formula = None
        made.append(Definition(names[node], formula))
    return made


def steps(stations: Sequence[Node], names: Mapping[Node, str]) -> list[Step]:
    """Return the derivatives of the last station, the cost, by the others, backwards."""
    *before, cost = stations
    fence = set(stations)
    below = {node: _directly_below(node, fence) for node in stations}
    made = []
    for node in reversed(before):
        uses = [user for user in stations if node in below[user]]
        parts = tuple(_part(user, node, cost, names) for user in uses)
        rules = tuple(rule_of(user, fence) for user in uses)
        made.append(Step(names[node], rules, parts))
    return made


def _directly_below(node: Node, fence: set[Node]) -> set[Node]:
    return set(topological([node], fence - {node})) & (fence - {node})


def _part(user: Node, node: Node, cost: Node, names: Mapping[Node, str]) -> Formula | None:
    try:
        if user is cost:
            row = node.type.rank == 1
            return jacobian(user, node, names, layout="row" if row else "numerator", through=False)
        return backward(user, node, names, cost=names[cost], through=False)
    except FormulaError:
        return None


def rule_of(node: Node, fence: set[Node]) -> str:
    """Return the names of the functions between a station and those before it."""
    found: list[str] = []
    for part in reversed(topological([node], fence - {node})):
        word = _word(part) if part is node or part not in fence else ""
        if word and word not in found:
            found.append(word)
    return ", ".join(found) or "identity"


def _word(node: Node) -> str:
    if not node.args:
        return ""
    if isinstance(node, Elementwise):
        if node.function in ("negative", "real"):
            return ""
        if node.function in ("multiply", "divide") and any(
            scalar_value(arg) is not None for arg in node.args
        ):
            return ""
        return {"add": "sum", "subtract": "difference", "multiply": "product",
                "divide": "quotient"}.get(node.function, node.function)  # fmt: skip
    if isinstance(node, Contraction):
        if len(node.args) > 1:
            return "product"
        return "" if is_shuffle(node) else "sum over an axis"
    return str(getattr(node, "function", type(node).__name__.lower()))
