"""Reverse mode: one sweep from the results back to the variables.

Names no node kind: everything comes from the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from graphc.batching import mark
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin
from graphc.ops.contraction import full
from graphc.ops.rules import RULES
from graphc.ops.several import total


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a path of dependence stops carrying a derivative: `node` by its operand `operand`."""

    node: Node
    operand: Node


def sweep(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    origins: dict[Node, Origin] | None = None,
    cotangents_of: dict[Node, Node] | None = None,
    stop: Collection[Node] = (),
) -> list[Node | None]:
    """Return the cotangents of `wrt` for those of `outputs`; None where no path carries one.

    The cotangent of a node is complete when all its users have been visited, so each product of
    the chain rule is formed once. Where `origins` is given, what the sweep builds is entered
    under the block of the node that it differentiates; where `cotangents_of` is given, the
    cotangent of each node that it visits. Behind the nodes in `stop` there is nothing of `wrt`.
    """
    fence = _foremost(wrt)
    order = topological(outputs, {*fence, *stop})
    needed = carriers(order, wrt)
    sums: dict[Node, list[Node]] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if output in needed:
            sums.setdefault(output, []).append(cotangent)
    for node in reversed(order):
        parts = sums.get(node)
        if not parts:
            continue
        g = total(parts)
        sums[node] = [g]
        if cotangents_of is not None:
            cotangents_of[node] = g
        rules = RULES[type(node)]
        origin = origins.get(node) if origins is not None else None
        if origin is not None and origins is not None:
            mark(g, replace(origin, rule="sum of cotangents"), origins)
        if node in fence:
            continue
        for i, arg in enumerate(node.args):
            if arg in needed and not rules.cuts(node, i):
                part = rules.vjp(node, i, g)
                if origin is not None and origins is not None:
                    mark(part, replace(origin, rule=f"∂/∂{i}"), origins)
                sums.setdefault(arg, []).append(part)
    return [total(sums[node]) if sums.get(node) else None for node in wrt]


def _foremost(wrt: Sequence[Node]) -> set[Node]:
    """Return the nodes of `wrt` behind which no other one lies: there a sweep can end."""
    chosen = set(wrt)
    if len(chosen) == 1 or not any(node.args for node in chosen):
        return chosen
    behind: set[Node] = set()  # the nodes that depend on one of them
    for node in topological(wrt):
        if any(arg in chosen or arg in behind for arg in node.args):
            behind.add(node)
    return chosen - behind


def gradient(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    origins: dict[Node, Origin] | None = None,
) -> list[Node]:
    """Return the cotangents of `wrt`, zeros where no path carries one."""
    found = sweep(outputs, cotangents, wrt, origins)
    return [full(0.0, node.shape) if g is None else g for g, node in zip(found, wrt, strict=True)]


def carriers(order: Iterable[Node], wrt: Sequence[Node]) -> set[Node]:
    """Return the nodes from which a derivative reaches a node of `wrt`."""
    found = {node for node in wrt if node.kind == "real"}
    for node in order:
        if node in found:
            continue
        rules = RULES[type(node)]
        if any(arg in found and not rules.cuts(node, i) for i, arg in enumerate(node.args)):
            found.add(node)
    return found


def reaches(output: Node, wrt: Node) -> bool:
    """Return whether a derivative passes from `output` to `wrt`."""
    return output in carriers(topological([output], (wrt,)), [wrt])


def cuts(outputs: Sequence[Node], wrt: Node) -> list[Cut]:
    """Return where the paths from `outputs` to `wrt` are cut, nearest to the outputs first.

    Empty where there is no path at all.
    """
    order = topological(outputs, (wrt,))
    depends = {wrt}
    for node in order:
        if any(arg in depends for arg in node.args):
            depends.add(node)
    found: list[Cut] = []
    reached = {node for node in outputs if node in depends}
    for node in reversed(order):
        if node not in reached or node is wrt:
            continue
        for i, arg in enumerate(node.args):
            if arg not in depends:
                continue
            if RULES[type(node)].cuts(node, i):
                found.append(Cut(node, arg))
            else:
                reached.add(arg)
    if wrt in reached and wrt.kind != "real":
        found.append(Cut(wrt, wrt))
    return found
