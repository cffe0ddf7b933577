"""Tracing: what a function of the user's computes from fresh variables, as the body of a node."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.control.body import depending
from graphc.errors import UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import rewrite_nodes
from graphc.language.declare import sources
from graphc.language.source import here
from graphc.language.trees import Rebuild, flatten
from graphc.language.variable import SCOPE, Call, Declaration, Variable, as_variable
from graphc.ops.leaves import Input, new_input
from graphc.ops.samples import OverSamples
from graphc.ops.stable import stable_rules
from graphc.types import Dim, TensorType


@dataclass(eq=False, slots=True)
class Traced:
    """The block of a call whose function was traced: the body of a loop, a branch.

    Parameters
    ----------
    function
        What was called: ``"scan"``.
    name, label
        The user's, as of any block.
    leaves
        The variables that the user's function was given.
    results
        The variables that it returned, in order.
    result_names
        What the results of the call are called, behind the block's name.
    step_names
        What `results` are called in a step: the carries, then what is stacked.
    steps, carries, reverse
        Of a loop: how often its body runs, how many of the leaves and of the results are
        carries, and whether it starts at the end.
    """

    function: str
    name: str | None = None
    label: str | None = None
    kind: str = "function"
    leaves: tuple[Variable, ...] = ()
    results: tuple[Variable, ...] = ()
    result_names: tuple[str, ...] = ()
    step_names: tuple[str, ...] = ()
    steps: Dim | None = None
    carries: int = 0
    reverse: bool = False


@dataclass(slots=True)
class Trace:
    """What a function computes: its results and what they take from around it.

    Parameters
    ----------
    outer
        For each leaf that stands for something from around the function, the tensor outside.
    """

    leaves: tuple[Variable, ...]
    results: list[Variable]
    rebuild: Rebuild
    tree: Any
    nodes: list[Node]
    outer: dict[Node, Node]
    names: dict[Node, str]


def leaf(name: str, type_: TensorType) -> Variable:
    """Return a variable that a traced function is given."""
    return Variable(new_input(type_), name=name, declaration=Declaration("observed"))


def trace(call: Call, function: Callable[..., Any], arguments: Sequence[Any]) -> Trace:
    """Run `function` on structures of leaves, inside `call`.

    Raises
    ------
    UsageError
        If the function returns what is no variable, number or array.
    """
    leaves = tuple(v for tree in arguments for v in flatten(tree)[0])
    outside, SCOPE.current = SCOPE.current, call
    try:
        tree = function(*arguments)
        found, rebuild = flatten(tree)
        results = [as_variable(value) for value in found]
    finally:
        SCOPE.current = outside
    given = [v.node for v in leaves]
    ends = [v.node for v in results]
    stable, _ = rewrite_nodes(ends, stable_rules(given), stop=given)
    nodes = [stable[node] for node in ends]
    names = {stable[v.node]: v.name for v in _inside(call, results) if v.name and v.node in stable}
    names |= {v.node: v.name or "x" for v in leaves}
    outer = _outer(nodes, given)
    _refuse_samples(call, nodes, given)
    return Trace(leaves, results, rebuild, tree, nodes, outer, names)


def _refuse_samples(call: Call, nodes: Sequence[Node], given: Sequence[Node]) -> None:
    order = topological(nodes, given)
    inside = depending(order, given)
    if any(isinstance(node, OverSamples) and node in inside for node in order):
        raise UsageError(
            f"{here()}: gc.over_samples of something that {call.block.function} computes in its "
            f"function is not supported; take it outside, of the results of {call.block.function}"
        )


def _outer(nodes: Sequence[Node], given: Sequence[Node]) -> dict[Node, Node]:
    """Return the largest parts of `nodes` that hang on none of the given leaves.

    Each stands for itself: a loop computes it once, outside. Numbers need no such thing.
    """
    order = topological(nodes, given)
    inside = depending(order, given)
    users = [node for node in order if node in inside and node not in given]
    ends = {arg for node in users for arg in node.args} | set(nodes)
    return {
        node: node
        for node in order
        if node in ends and node not in inside and (node.args or isinstance(node, Input))
    }


def _inside(call: Call, results: Sequence[Variable]) -> list[Variable]:
    """Return the variables below `results` that were made in the body of `call`."""
    found: list[Variable] = []
    seen: set[int] = set()
    pending = list(results)
    while pending:
        v = pending.pop()
        if id(v) in seen or not made_in(call, v) or v.role != "expression":
            continue
        seen.add(id(v))
        found.append(v)
        pending.extend(sources(v))
    return found


def made_in(call: Call, variable: Variable) -> bool:
    """Return whether a variable was made while the body of `call` ran."""
    scope = variable.scope
    while scope is not None and scope is not call:
        scope = scope.parent
    return scope is call


def adopt(call: Call, traces: Sequence[Trace]) -> None:
    """Enter what the bodies took from around them: variables as inputs, blocks' parameters."""
    known = {id(v) for v in call.inputs} | {id(v) for t in traces for v in t.leaves}
    captured: list[Variable] = []
    inside: dict[int, Call] = {}
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    pending = [v for t in traces for v in reversed(t.results)]
    while pending:
        v = pending.pop()
        if id(v) in known:
            continue
        known.add(id(v))
        own = made_in(call, v) and v.role in ("expression", "computed")
        if not own:
            if v.role != "constant":
                captured.append(v)
            continue
        if v.call is not None and id(v.call) not in inside:
            inside[id(v.call)] = v.call
            block = v.call.block
            if id(block) not in names:
                counts[block.function] = counts.get(block.function, 0) + 1
                names[id(block)] = block.name or f"{block.function}{counts[block.function]}"
            for short, parameter in v.call.parameters.items():
                if id(parameter) not in known:
                    known.add(id(parameter))
                    call.parameters[f"{names[id(block)]}_{short}"] = parameter
        pending.extend(reversed(sources(v)))
    call.inside = tuple(inside.values())
    call.inputs += tuple(sorted(captured, key=lambda v: (v.where.line, v.name or "")))


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first arguments of a function, or made-up ones."""
    try:
        found = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    found = [name.strip("_") for name in found]
    return [found[k] if k < len(found) and found[k] else f"x{k}" for k in range(count)]


def check_callable(function: Any, operation: str) -> None:
    """Raise a UsageError unless `function` can be called."""
    if not callable(function):
        raise UsageError(f"{here()}: {operation} takes a function, got {function!r}")
