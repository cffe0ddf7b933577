"""The loop: one body for every step, carries from step to step, stacks of what steps give.

``Scan(args, body, carries, slices, length, reverse)`` takes constants, the carries' first values,
and stacks of which each step gets its slice; it gives the carries' last values, and stacks. The
body's leaves are in the same order: constants, carries, slices; its outputs are the next carries
and what is stacked. Step t reads and writes the t-th slices, in whichever direction it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from graphc.control.body import HOLDERS, Body, body, replaced
from graphc.errors import ShapeError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin, Program
from graphc.ops.leaves import Input
from graphc.ops.rules import Sizes, evaluate
from graphc.ops.structural import concrete
from graphc.types import Dim, TensorType, TupleType, count, shape_text

DTYPES = {"real": float, "integer": np.int64, "boolean": bool}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Scan(Node):
    """A loop; see the module's text.

    Parameters
    ----------
    carries, slices
        How many there are; the first operands are the constants.
    length
        The number of steps.
    reverse
        Whether the last step comes first.
    """

    body: Body
    carries: int
    slices: int
    length: Dim
    reverse: bool

    @property
    def constants(self) -> int:
        """How many constants there are."""
        return len(self.args) - self.carries - self.slices


HOLDERS.add(Scan)


class Repeated(Protocol):
    """A node whose body gives the next carries first, and is run again with them."""

    @property
    def body(self) -> Body:
        """What is run."""

    @property
    def constants(self) -> int:
        """How many leaves stand before the carries."""

    @property
    def carries(self) -> int:
        """How many carries there are."""


@dataclass(slots=True)
class Loop:
    """A loop that is being put together, or that was taken apart.

    Parameters
    ----------
    constants, slices
        For a leaf of the body, what it stands for outside: a tensor, a stack.
    carries
        For a leaf of the body, its first value, and what the next step gets.
    stacked
        Nodes of the body, of which the results of all steps are wanted.
    """

    length: Dim
    reverse: bool
    constants: dict[Node, Node] = field(default_factory=dict)
    carries: dict[Node, tuple[Node, Node]] = field(default_factory=dict)
    slices: dict[Node, Node] = field(default_factory=dict)
    stacked: list[Node] = field(default_factory=list)
    names: Mapping[Node, str] = field(default_factory=dict)
    origins: Mapping[Node, Origin] = field(default_factory=dict)

    @property
    def nexts(self) -> list[Node]:
        """What the next step gets."""
        return [after for _, after in self.carries.values()]

    def stack(self, node: Node) -> int:
        """Have the results of a node of the body stacked; return its place among the results."""
        if node not in self.stacked:
            self.stacked.append(node)
        return len(self.carries) + self.stacked.index(node)

    def node(self) -> Node:
        """Return the node.

        Constants and slices that are not used are left out, and equal ones become one. Numbers
        that need no computing go into the body.
        """
        merged: dict[Node, Node] = {}
        firsts: dict[tuple[str, Node], Node] = {}
        for role, held in (("constant", self.constants), ("slice", self.slices)):
            for leaf, outer in held.items():
                if role == "constant" and not outer.args and not isinstance(outer, Input):
                    merged[leaf] = outer
                elif firsts.setdefault((role, outer), leaf) is not leaf:
                    merged[leaf] = firsts[role, outer]
        new = replaced([*self.nexts, *self.stacked], merged)
        outputs = [new[node] for node in (*self.nexts, *self.stacked)]
        used = set(topological(outputs))
        constants = {k: v for k, v in self.constants.items() if k in used and k not in merged}
        slices = {k: v for k, v in self.slices.items() if k in used and k not in merged}
        names = {new.get(n, n): name for n, name in self.names.items()}
        origins = {new[n]: origin for n, origin in self.origins.items() if n in new}
        inputs = (*constants, *self.carries, *slices)
        kept = {n: name for n, name in names.items() if n in used or n in self.carries}
        held_body = body(Program(inputs, tuple(outputs), kept, origins))
        starts = [start for start, _ in self.carries.values()]
        args = (*constants.values(), *starts, *slices.values())
        made: Node = Scan(
            args, held_body, len(self.carries), len(slices), self.length, self.reverse
        )
        return made


def taken_apart(node: Scan) -> Loop:
    """Return the loop that a node is, its parts by the leaves of its body."""
    leaves = node.body.inputs
    first, last = node.constants, node.constants + node.carries
    nexts = node.body.outputs[: node.carries]
    pairs = zip(node.args[first:last], nexts, strict=True)
    return Loop(
        node.length,
        node.reverse,
        dict(zip(leaves[:first], node.args[:first], strict=True)),
        dict(zip(leaves[first:last], pairs, strict=True)),
        dict(zip(leaves[last:], node.args[last:], strict=True)),
        list(node.body.outputs[node.carries :]),
        dict(node.body.names),
        dict(node.body.origins),
    )


def needed(node: Repeated, read: Iterable[int]) -> set[int]:
    """Return the results that a loop must compute for those that are read: carries among them."""
    states = node.body.inputs[node.constants : node.constants + node.carries]
    live = set(read)
    while True:
        below = set(topological([node.body.outputs[k] for k in sorted(live)]))
        grown = {k for k, leaf in enumerate(states) if leaf in below} - live
        if not grown:
            return live
        live |= grown


def loop_type(node: Scan) -> TupleType:
    """Return the types of the last carries and of the stacks; check that the body fits."""
    leaves, outputs = node.body.inputs, node.body.outputs
    first, last = node.constants, node.constants + node.carries
    for place, (leaf, arg) in enumerate(zip(leaves, node.args, strict=True)):
        shape = leaf.shape if place < last else (node.length, *leaf.shape)
        if arg.type != TensorType(shape, leaf.kind):
            raise ShapeError(
                f"a loop of {node.length} steps takes {leaf.kind} {shape_text(shape)}, "
                f"got {arg.type}"
            )
    for leaf, after in zip(leaves[first:last], outputs[: node.carries], strict=True):
        if after.type != leaf.type:
            raise ShapeError(f"a carry starts as {leaf.type}, and a step makes it {after.type}")
    stacks = [TensorType((node.length, *y.shape), y.kind) for y in outputs[node.carries :]]
    return TupleType((*(leaf.type for leaf in leaves[first:last]), *stacks))


def loop_evaluate(node: Scan, values: Sequence[Any], sizes: Sizes) -> Any:
    """Run the steps, one after the other."""
    first, last = node.constants, node.constants + node.carries
    leaves, outputs = node.body.inputs, node.body.outputs
    state, rows = list(values[first:last]), values[last:]
    stacks = [
        np.zeros(concrete((node.length, *y.shape), sizes), DTYPES[y.kind])
        for y in outputs[node.carries :]
    ]
    steps = range(count(node.length, sizes))
    for t in reversed(steps) if node.reverse else steps:
        given = [*values[:first], *state, *(row[t] for row in rows)]
        found = evaluate(outputs, dict(zip(leaves, given, strict=True)), sizes)
        state = found[: node.carries]
        for stack, y in zip(stacks, found[node.carries :], strict=True):
            stack[t] = y
    return (*state, *stacks)
