"""Bodies: programs inside of nodes.

A body is closed: it uses nothing but its own leaves, and the node's operands say what those are.
The leaves are numbered by their place, so that equal bodies are one object, like equal nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.interning import Interned
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin, Program, attributes, rewrite, text, verify, with_args
from graphc.ops.leaves import Input
from graphc.ops.properties import properties_of

COTANGENT = "d_"  # in front of the name of a variable


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Body(metaclass=Interned):
    """A closed program, as an attribute of a node.

    Parameters
    ----------
    inputs
        The leaves, numbered by place; made by :func:`body`.
    outputs
        The results.
    names, origins
        As of a :class:`Program`, in pairs.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    names: tuple[tuple[Node, str], ...] = ()
    origins: tuple[tuple[Node, Origin], ...] = ()

    @property
    def program(self) -> Program:
        """The body as a program."""
        return Program(self.inputs, self.outputs, dict(self.names), dict(self.origins))

    def nodes(self) -> list[Node]:
        """Return every node down to the leaves, operands before users."""
        return topological(self.outputs, set(self.inputs))

    def __str__(self) -> str:
        return "{" + "; ".join(text(self.program).splitlines()) + "}"


def body(program: Program) -> Body:
    """Return a program as a body, its inputs replaced by leaves that are numbered by place."""
    leaves: dict[Node, Node] = {}
    for place, leaf in enumerate(program.inputs):
        leaves[leaf] = Input((), -1 - place, leaf.type, properties_of(leaf))
    new = replaced(program.outputs, leaves)
    names = {new[n]: name for n, name in program.names.items() if n in new}
    names |= {leaves[n]: name for n, name in program.names.items() if n in leaves}
    origins = {new[n]: origin for n, origin in program.origins.items() if n in new}
    made: Body = Body(
        tuple(leaves[leaf] for leaf in program.inputs),
        tuple(new[node] for node in program.outputs),
        tuple(names.items()),
        tuple(origins.items()),
    )
    return made


def replaced(outputs: Sequence[Node], values: Mapping[Node, Node]) -> dict[Node, Node]:
    """Return what nodes become when those in `values` are replaced, all at the same time."""
    new: dict[Node, Node] = {}
    for node in topological(outputs, values.keys()):
        found = values.get(node)
        new[node] = with_args(node, tuple(new[a] for a in node.args)) if found is None else found
    return new


def bodies(node: Node) -> list[Body]:
    """Return the bodies that a node holds."""
    if type(node) not in HOLDERS:
        return []
    return [part for part in attributes(node) if type(part) is Body]


def on_bodies(program: Program, step: Callable[[Program], Program]) -> Program:
    """Return `program` with the bodies of its nodes as `step` makes them, innermost first."""
    if not any(type(node) in HOLDERS for node in program.nodes()):
        return program

    def within(held: Body) -> Body:
        return body(step(on_bodies(held.program, step)))

    def rule(node: Node) -> Node | None:
        if type(node) not in HOLDERS or node in made:
            return None
        parts = [within(p) if type(p) is Body else p for p in attributes(node)]
        found: Node = type(node)(node.args, *parts)
        made.add(found)
        return found

    made: set[Node] = set()
    return rewrite(program, rule)


def verify_bodies(program: Program) -> Program:
    """Return `program` after checking the programs in its nodes, and in theirs."""
    pending = [program]
    while pending:
        for node in pending.pop().nodes():
            pending += [verify(held.program) for held in bodies(node)]
    return program


def depending(order: Iterable[Node], leaves: Iterable[Node]) -> set[Node]:
    """Return the nodes of a topological `order` that depend on one of `leaves`, those included."""
    found = set(leaves)
    for node in order:
        if any(arg in found for arg in node.args):
            found.add(node)
    return found


HOLDERS: set[type[Node]] = set()  # the kinds that hold bodies
