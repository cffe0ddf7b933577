"""Programs: inputs to outputs, with what is known about their nodes in side tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache

from graphc.errors import GraphcError
from graphc.ir.nodes import TYPE_RULES, Node, topological


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from.

    Parameters
    ----------
    block
        The name of a block of the user's.
    use
        Which use of a block in the graph; a shared block has several. -1: what adds up the
        costs to the loss, which belongs to no block.
    rule
        The rule that made the node there: ``"forward"``, or a rule of the backward pass.
    """

    block: str
    use: int = 0
    rule: str = "forward"


@dataclass(frozen=True, slots=True)
class Program:
    """A computation from inputs to outputs.

    Parameters
    ----------
    inputs
        Leaves whose values are given from outside, in the order of the signature.
    outputs
        The results, in order; a node may occur twice.
    names
        The names that users gave to nodes.
    origins
        The block and the rule that a node comes from.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    names: Mapping[Node, str] = field(default_factory=dict)
    origins: Mapping[Node, Origin] = field(default_factory=dict)
    _order: tuple[Node, ...] | None = field(init=False, repr=False, compare=False, default=None)

    def nodes(self) -> tuple[Node, ...]:
        """Return every node that the outputs need down to the inputs, operands before users."""
        if self._order is None:
            order = tuple(topological(self.outputs, set(self.inputs)))
            object.__setattr__(self, "_order", order)  # walked once, asked for by many
            return order
        return self._order


Rule = Callable[[Node], "Node | None"]


def rewrite(program: Program, *rules: Rule, stop: Iterable[Node] = ()) -> Program:
    """Return `program` with `rules` applied to every node, operands first, until none applies.

    A rule returns the node that takes another's place, or ``None``. Names and origins follow.
    The nodes in `stop` stay as they are.
    """
    new, origins = rewrite_nodes(program.outputs, rules, program.origins, stop)
    return rebuilt(program, new, origins)


def rebuilt(program: Program, new: Mapping[Node, Node], origins: Mapping[Node, Origin]) -> Program:
    """Return `program` with what its nodes have become; names follow, `origins` are given."""
    names: dict[Node, str] = {}
    for node, name in program.names.items():
        if node in new or node in program.inputs:  # an input is called so even where unused
            names.setdefault(new.get(node, node), name)
    outputs = tuple(new[node] for node in program.outputs)
    return replace(program, outputs=outputs, names=names, origins=origins)


def rewrite_nodes(
    outputs: Sequence[Node],
    rules: Sequence[Rule],
    origins: Mapping[Node, Origin] | None = None,
    stop: Iterable[Node] = (),
) -> tuple[dict[Node, Node], dict[Node, Origin]]:
    """Return what every node below `outputs` becomes, and the origins of what came to be."""
    marked = dict(origins or {})
    done: dict[Node, Node] = {node: node for node in stop}

    def settle(node: Node, origin: Origin | None) -> Node:
        found = done.get(node)
        if found is not None:
            return found
        if origin is not None:
            marked.setdefault(node, origin)
        args = tuple([done.get(arg) or settle(arg, origin) for arg in node.args])
        current = with_args(node, args)
        result = done.get(current)
        if result is None:
            better = None
            for rule in rules:
                better = rule(current)
                if better is not None:
                    break
            result = current if better is None else settle_all(better, origin)
            done[current] = result
        if origin is not None:
            marked.setdefault(result, origin)
        done[node] = result
        return result

    def settle_all(node: Node, origin: Origin | None) -> Node:
        if all(arg in done for arg in node.args):
            return settle(node, origin)
        # In topological order too: what a rule returns may be as deep as a graph.
        for part in topological([node], done):
            settle(part, origin)
        return done[node]

    order = topological(outputs, done)
    for node in order:
        settle(node, marked.get(node))
    return {node: done[node] for node in order}, marked


def substitute(nodes: Sequence[Node], values: Mapping[Node, Node]) -> list[Node]:
    """Return `nodes` with the keys of `values` replaced, once: values may contain keys."""
    new: dict[Node, Node] = {}
    for node in topological(nodes, values):
        held = values.get(node)
        new[node] = held or with_args(node, tuple(new[arg] for arg in node.args))
    return [new[node] for node in nodes]


def with_args(node: Node, args: tuple[Node, ...]) -> Node:
    """Return the node of the same kind and attributes on other operands."""
    if args == node.args:
        return node
    made: Node = type(node)(args, *attributes(node))
    return made


def attributes(node: Node) -> tuple[object, ...]:
    """Return what a node holds beside its operands."""
    return tuple(getattr(node, name) for name in _attribute_names(type(node)))


@cache
def _attribute_names(kind: type[Node]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.init and f.name != "args")


def users(nodes: Iterable[Node]) -> dict[Node, int]:
    """Return how often each node is an operand of one of `nodes`."""
    counts: dict[Node, int] = {}
    for node in nodes:
        for arg in node.args:
            counts[arg] = counts.get(arg, 0) + 1
    return counts


def verify(program: Program) -> Program:
    """Return `program` after checking that it is well formed.

    Raises
    ------
    GraphcError
        If a leaf that only a caller can fill is missing among the inputs, if a node's type is not
        what its rule says, or if a node is not the interned one. Each would be a fault of graphc.
    """
    closed(program)
    for node in program.nodes():
        if TYPE_RULES[type(node)](node) != node.type:
            raise GraphcError(f"{_describe(program, node)} has a type that its rule does not give")
        if type(node)(node.args, *attributes(node)) is not node:
            raise GraphcError(f"{_describe(program, node)} is not interned")
    return program


def closed(program: Program) -> Program:
    """Return `program` after checking that nothing is used that no caller fills."""
    from_outside = set(program.inputs)
    for node in program.nodes():
        if not node.args and getattr(node, "uid", None) is not None and node not in from_outside:
            raise GraphcError(f"{_describe(program, node)} is used, but not an input")
    return program


def text(program: Program) -> str:
    """Return the program as text, one node a line: ``%3 = contraction(%1, w) ... : real (60,)``.

    Numbers depend on the program alone, so two texts can be compared line by line.
    """
    order = program.nodes()
    labels: dict[Node, str] = {}
    for number, node in enumerate(dict.fromkeys((*program.inputs, *order))):
        labels[node] = f"%{program.names.get(node, number)}"
    lines = [f"input {labels[node]} : {node.type}" for node in program.inputs]
    for node in order:
        if node in program.inputs:
            continue
        held = [labels[arg] for arg in node.args]
        held += [f"{n}={getattr(node, n)}" for n in _attribute_names(type(node))]
        origin = program.origins.get(node)
        comment = f"  # {origin.block}: {origin.rule}" if origin else ""
        kind = type(node).__name__.lower()
        lines.append(f"{labels[node]} = {kind}({', '.join(held)}) : {node.type}{comment}")
    lines.append("return " + ", ".join(labels[node] for node in program.outputs))
    return "\n".join(lines) + "\n"


def _describe(program: Program, node: Node) -> str:
    name = program.names.get(node, "")
    return f"{type(node).__name__} {name}".strip() + f" : {node.type}"
