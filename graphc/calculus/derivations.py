"""Derivations: a gradient in the steps of the chain rule, from the cost back to a variable.

The steps go between stations: the variables that have names, what a nonlinear function is applied
to, and what it gives where that is used further. What is linear between two stations is one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.calculus.formulas import Formula, Names, backward, forward, jacobian
from graphc.calculus.recursive import RECURSIONS, Recursive
from graphc.calculus.reverse import carriers
from graphc.errors import FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import users
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import scalar_value
from graphc.ops.several import Item
from graphc.ops.structural import Pad, Reshape, Slice
from graphc.ops.windows import Windows
from graphc.types import TupleType

MOST_STATIONS = 200
_REARRANGING = (Reshape, Slice, Pad, Windows)
# What node kinds are called where their own name says little.
_WORDS = {"gather": "element", "slice": "part", "windows": "sliding windows", "item": "",
          "log_softmax": "log softmax", "slogdet": "log det"}  # fmt: skip
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
    recursions
        For the paths without a formula: terms, and the recursions that they come from; None if not
        known.
    """

    name: str
    rules: tuple[str, ...]
    parts: tuple[Formula | None, ...]
    recursions: tuple[Recursive, ...] | None = ()


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
    found = {*wrt, cost} | {node for node in inside if node in named or _is_recursive(node)}
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


def _is_recursive(node: Node) -> bool:
    return isinstance(node, Item) and type(node.args[0]) in RECURSIONS


def _source(node: Node) -> Node:
    """Look through what only rearranges, repeats, takes a part, or multiplies by a number."""
    while True:
        inner = _inside(node)
        if inner is None:
            return node
        node = inner


def _inside(node: Node) -> Node | None:
    if isinstance(node, _REARRANGING) or (isinstance(node, Contraction) and is_shuffle(node)):
        return node.args[0]
    if isinstance(node, Elementwise):
        if node.function in ("negative", "real"):
            return node.args[0]
        if node.function in ("multiply", "divide"):
            one, other = node.args
            if scalar_value(other) is not None:
                return one
            if scalar_value(one) is not None and node.function == "multiply":
                return other
    return None


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
    return isinstance(node, _REARRANGING)


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
        rules = tuple(rule_of(user, node, fence) for user in uses)
        without = [user for user, part in zip(uses, parts, strict=True) if part is None]
        recursions = _recursions(without, node, names, names[cost], fence)
        made.append(Step(names[node], rules, parts, recursions))
    return made


def inside(stations: Sequence[Node]) -> Iterator[Node]:
    """Yield what stands between the stations, in the order in which their definitions read it."""
    fence = set(stations)
    for node in stations:
        yield from topological([node], fence - {node})


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


def _recursions(
    users_: Sequence[Node], node: Node, names: Names, cost: str, fence: set[Node]
) -> tuple[Recursive, ...] | None:
    """Return what loops give to one of their operands, as equations; None if not known of all."""
    loops: dict[Node, list[Node]] = {}
    for user in users_:
        if not _is_recursive(user):
            return None
        loops.setdefault(user.args[0], []).append(user)
    found = []
    for loop, results in loops.items():
        if any(_is_between(arg, node, fence) for arg in loop.args):
            return None
        try:
            found.append(RECURSIONS[type(loop)](results, node, names, cost))
        except FormulaError:
            return None
    return tuple(found)


def _is_between(arg: Node, node: Node, fence: set[Node]) -> bool:
    """Return whether an operand is computed from a station, and none itself."""
    return arg not in fence and node in topological([arg], fence - {node})


def rule_of(user: Node, node: Node, fence: set[Node]) -> str:
    """Return the names of the functions between a station and one before it."""
    between = topological([user], (fence - {user}) | {node})
    on_path = {node}
    for part in between:
        if any(arg in on_path for arg in part.args) and (part is user or part not in fence):
            on_path.add(part)
    found: list[str] = []
    for part in reversed(between):
        word = _word(part) if part in on_path and part is not node else ""
        if word and word not in found:
            found.append(word)
    if found[-2:] == ["sum over an axis", "square"]:
        found[-2:] = ["sum of squares"]
    return ", ".join(found) or ("constant factor" if user is not node else "identity")


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
        if node.function == "power" and scalar_value(node.args[1]) == 2:
            return "square"
        return {"add": "sum", "subtract": "difference", "multiply": "product",
                "divide": "quotient"}.get(node.function, node.function)  # fmt: skip
    if isinstance(node, Contraction):
        if len(node.args) > 1:
            return "product"
        return "" if is_shuffle(node) else "sum over an axis"
    word = str(getattr(node, "function", type(node).__name__.lower()))
    return _WORDS.get(word, word)
