"""Loops in fast code: their steps write into the stacks themselves, and run along them.

A step's result that is stacked is computed in its place of the stack, without a copy; what is
joined is computed in its part of the whole. Where what a carry was before each step is stacked,
one array holds its values before and after, one step apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc.emit.buffers import memory_of, writes_into
from graphc.emit.forms import copies_elements
from graphc.emit.naming import Namer
from graphc.emit.steps import Along, Plan, Step
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.joining import Concatenation, starts
from graphc.ops.structural import Reshape


@dataclass(frozen=True, slots=True)
class Carry:
    """A carry: the leaf of the body, its next value, its variable, where it starts."""

    leaf: Node
    after: Node
    name: str
    start: Node


class Slots:
    """Which statements of a loop's body write into stacks.

    Parameters
    ----------
    body
        The plan of a step.
    carries
        The loop's.
    namer
        Gives the variables that run along the stacks their names.
    """

    def __init__(self, body: Plan, carries: Sequence[Carry], namer: Namer) -> None:
        self._steps = {step.node: step for step in body.steps}
        self._namer = namer
        self._carried = {carry.name for carry in carries}
        into = {step.node: step.into for step in body.steps if step.into is not None}
        self._into = into
        self._overwritten = set(into.values())
        # Steps may write into the memory of a carry: it must not lie in a stack then.
        self._moving = {
            below
            for carry in carries
            if carry.leaf in self._overwritten
            for below in memory_of(carry.after, into)
        }
        self.rows: list[Along] = []
        self.slots: dict[Node, str] = {}
        self._placed: dict[Node, set[Node]] = {}

    def fits(self, node: Node) -> bool:
        """Return whether a result can be computed in a stack."""
        return self._root(node) is not None

    def place(self, node: Node, stack: str) -> bool:
        """Have a result computed in `stack`, if that can be; return whether it is."""
        root = self._root(node)
        if root is None:
            return False
        self._fill(root, Along("", stack, None if root.shape == node.shape else root.shape))
        return True

    def _root(self, node: Node) -> Node | None:
        """Return the statement that first writes into the memory of a result, if it can choose."""
        while node not in self._steps:
            if not isinstance(node, Reshape) or copies_elements(node):
                return None
            (node,) = node.args
        while node in self._into:
            node = self._into[node]
        if node in self._moving or node in self.slots or node not in self._steps:
            return None
        return node if _chooses(node) else None

    def _fill(self, root: Node, place: Along) -> None:
        name = self._steps[root].name
        slot = self._namer.fresh(f"{name}_t") if name in self._carried else name
        self.slots[root] = slot
        self.rows.append(replace(place, variable=slot))
        if not isinstance(root, Concatenation):
            return
        ends = starts(root)
        for arg, first, stop in zip(root.args, ends, ends[1:], strict=False):
            part = None if arg in self._overwritten else self._root(arg)
            known = isinstance(first, int) and isinstance(stop, int)
            if known and part is not None and part.shape == arg.shape and not _contiguous(part):
                key = ", ".join([":"] * (root.axis + 1) + [f"{first}:{stop}"])
                self._fill(part, replace(place, keys=(*place.keys, key)))
                self._placed.setdefault(root, set()).add(arg)

    def steps(self, body: Plan) -> tuple[Step, ...]:
        """Return the steps of the body with what they write into."""
        return tuple(
            replace(
                step,
                room=None,
                slot=self.slots[step.node],
                placed=frozenset(self._placed.get(step.node, ())),
            )
            if step.node in self.slots
            else step
            for step in body.steps
        )


def _contiguous(node: Node) -> bool:
    """Return whether a result can only be written where its rows lie side by side."""
    return isinstance(node, Contraction)


def _chooses(node: Node) -> bool:
    """Return whether a statement can be told where to write its result."""
    if node.kind != "real" or not node.shape:
        return False
    if isinstance(node, Contraction):
        return len(node.args) == 2
    return isinstance(node, Concatenation) or (isinstance(node, Elementwise) and writes_into(node))
