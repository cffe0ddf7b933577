"""The loop that goes on while a condition holds: ``While``, emitted as Python's ``while``.

``While(args, body, carries)`` takes constants, then the carries' first values; the body gives the
next carries and, last, whether the carries that it is given go through the body at all. How often
that is is known only when it runs, which is why this is no :class:`~graphc.control.loop.Scan`:
nothing of the steps can be stacked, so there is no reverse mode. A tangent is carried beside the
carries.

Where the condition differs between samples, the loop goes on while it holds for one of them, and
samples that are done keep their carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphc.batching import batch_nodes
from graphc.calculus.derived import push
from graphc.calculus.reverse import carriers
from graphc.control.body import HOLDERS, Body, body, replaced
from graphc.control.loop import needed
from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import Input, new_input
from graphc.ops.reduction import reduction
from graphc.ops.rules import Element, Indices, Sizes, define, evaluate, undefined
from graphc.ops.several import bundle, item, types_of
from graphc.ops.structural import reshape
from graphc.types import Dim, TensorType, TupleType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class While(Node):
    """A loop of unknown length; see the module's text.

    Parameters
    ----------
    carries
        How many there are; the first operands are the constants.
    """

    body: Body
    carries: int

    @property
    def constants(self) -> int:
        """How many constants there are."""
        return len(self.args) - self.carries


HOLDERS.add(While)


def while_loop(
    constants: Mapping[Node, Node],
    carries: Mapping[Node, tuple[Node, Node]],
    condition: Node,
    names: Mapping[Node, str],
) -> Node:
    """Return the node.

    Parameters
    ----------
    constants
        For a leaf of the body, what it stands for outside.
    carries
        For a leaf of the body, its first value, and what the next step gets.
    condition
        A node of the body: whether there is a next step.
    """
    inner = {
        leaf: outer
        for leaf, outer in constants.items()
        if not outer.args and not isinstance(outer, Input)
    }
    ends = [*(after for _, after in carries.values()), condition]
    new = replaced(ends, inner)
    outputs = tuple(new[n] for n in ends)
    used = set(topological(outputs))
    kept = {leaf: outer for leaf, outer in constants.items() if leaf in used and leaf not in inner}
    told = {new.get(n, n): name for n, name in names.items()}
    told = {n: name for n, name in told.items() if n in used or n in carries}
    made: Node = While(
        (*kept.values(), *(start for start, _ in carries.values())),
        body(Program((*kept, *carries), outputs, told)),
        len(carries),
    )
    return made


def while_of(node: While, results: Sequence[int]) -> tuple[Node, list[int]]:
    """Return the loop with the carries alone that some results need, and which those are."""
    kept = sorted(needed(node, [*results, node.carries]) - {node.carries})
    first = node.constants
    constants = dict(zip(node.body.inputs, node.args[:first], strict=False))
    carries = {
        node.body.inputs[first + k]: (node.args[first + k], node.body.outputs[k]) for k in kept
    }
    return while_loop(constants, carries, node.body.outputs[-1], dict(node.body.names)), kept


def _type(node: While) -> TupleType:
    for leaf, arg in zip(node.body.inputs, node.args, strict=True):
        if leaf.type != arg.type:
            raise ShapeError(f"a body takes {leaf.type}, got {arg.type}")
    *nexts, condition = node.body.outputs
    carries = node.body.inputs[node.constants :]
    for leaf, after in zip(carries, nexts, strict=True):
        if leaf.type != after.type:
            raise ShapeError(f"a carry starts as {leaf.type}, and a step makes it {after.type}")
    if condition.type != TensorType((), "boolean"):
        raise KindError(f"a loop goes on by one boolean, got {condition.type}")
    return TupleType(tuple(leaf.type for leaf in carries))


def _cuts(node: While, i: int) -> bool:
    return node.kind != "real" or node.args[i].kind != "real" or not _passes(node, i)


@lru_cache(maxsize=1024)
def _passes(node: While, i: int) -> bool:
    """Return whether a derivative passes from an operand to a result, over any number of steps."""
    if i >= node.constants:  # there may be no step
        return True
    found = carriers(node.body.nodes(), [node.body.inputs[i]])
    return any(out in found for out in node.body.outputs[: node.carries])


def _jvp(node: While, tangents: Sequence[Node | None]) -> Node:
    """Carry the tangents beside the carries, in one loop."""
    held, first = node.body, node.constants
    given = dict(zip(held.inputs, tangents, strict=True))
    states, nexts = held.inputs[first:], held.outputs[: node.carries]
    moved = {leaf for leaf in held.inputs if given[leaf] is not None}
    while True:  # until no further carry turns out to move
        along = {leaf: new_input(leaf.type) for leaf in held.inputs if leaf in moved}
        found = _pushed(nexts, along)
        grown = {leaf for leaf, t in zip(states, found, strict=True) if t is not None} - moved
        if not grown:
            break
        moved |= grown
    constants = dict(zip(held.inputs, node.args[:first], strict=False))
    constants |= {along[k]: t for k in constants if (t := given[k]) is not None}
    carries = dict(zip(states, zip(node.args[first:], nexts, strict=True), strict=True))
    places: list[int | None] = []
    for leaf, after in zip(states, found, strict=True):
        if leaf in along:
            zeros = full(0.0, leaf.shape)
            places.append(len(carries))
            carries[along[leaf]] = (given[leaf] or zeros, after or zeros)
        else:
            places.append(None)
    told = dict(held.names)
    told |= {t: f"{told[leaf]}_dot" for leaf, t in along.items() if leaf in told}
    whole = while_loop(constants, carries, held.outputs[-1], told)
    return bundle([None if p is None else item(whole, p) for p in places], types_of(node))


def _pushed(nexts: Sequence[Node], along: Mapping[Node, Node]) -> list[Node | None]:
    """Return the tangents of what follows; of choices they are chosen, and not masked.

    A step of a sample that is done may divide by zero, and 0 times nan is nan.
    """
    chosen = [isinstance(n, Elementwise) and n.function == "where" for n in nexts]
    ends = [n.args[1:] if c else (n,) for n, c in zip(nexts, chosen, strict=True)]
    found = iter(push([n for part in ends for n in part], list(along), list(along.values())))
    tangents: list[Node | None] = []
    for n, c in zip(nexts, chosen, strict=True):
        parts = [next(found) for _ in range(2 if c else 1)]
        if c and any(t is not None for t in parts):
            yes, no = (t or full(0.0, a.shape) for t, a in zip(parts, n.args[1:], strict=True))
            parts = [broadcast_to(elementwise("where", n.args[0], yes, no), n.shape)]
        tangents.append(parts[0])
    return tangents


def _batch(node: While, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Give the axis to the carries that need it: all, where the condition differs."""
    held, first = node.body, node.constants
    *nexts, condition = held.outputs
    flags = list(batched)
    while True:  # until no further carry turns out to vary
        wide = {
            leaf: new_input(TensorType((size, *leaf.shape), leaf.kind))
            for leaf, flag in zip(held.inputs, flags, strict=True)
            if flag
        }
        new, varying, _ = batch_nodes(held.outputs, wide, size)
        grown = [
            first + k
            for k, out in enumerate(nexts)
            if (out in varying or condition in varying) and not flags[first + k]
        ]
        if not grown:
            break
        for k in grown:
            flags[k] = True
    constants = {
        wide.get(leaf, leaf): arg for leaf, arg in zip(held.inputs[:first], args, strict=False)
    }
    carries: dict[Node, tuple[Node, Node]] = {}
    for leaf, out, start in zip(held.inputs[first:], nexts, args[first:], strict=True):
        own, after = wide.get(leaf, leaf), new[out]
        if own is not leaf:
            start, after = (broadcast_to(n, (size, *leaf.shape)) for n in (start, after))
        if condition in varying:
            mask = reshape(new[condition], (size, *(1 for _ in leaf.shape)))
            after = elementwise("where", mask, after, own)
        carries[own] = (start, after)
    goes_on = new[condition]
    if condition in varying:
        goes_on = reduction("any", goes_on, (0,))
    names = {wide.get(n, n): name for n, name in held.names if n in held.inputs}
    whole = while_loop(constants, carries, goes_on, names)
    types = [TensorType((size, *t.shape), t.kind) for t in types_of(node)]
    return bundle([broadcast_to(item(whole, k), t.shape) for k, t in enumerate(types)], types)


def _meaning(node: While, indices: Indices, element: Element) -> Term:
    raise FormulaError(
        "a loop that goes on while a condition holds has no formula; ask for those of its step"
    )


def _evaluate(node: While, values: Sequence[Any], sizes: Sizes) -> Any:
    held, first = node.body, node.constants
    *nexts, condition = held.outputs
    state = list(values[first:])
    while True:
        given = dict(zip(held.inputs, (*values[:first], *state), strict=True))
        if not evaluate([condition], given, sizes)[0]:
            return tuple(state)
        state = evaluate(nexts, given, sizes)


define(
    While,
    type=_type,
    cuts=_cuts,
    vjp=undefined(
        "how often gc.while_loop runs is known only when it does, so its steps cannot be gone "
        "back. Write gc.scan over as many steps as there are at most, with np.where for those "
        "that are done; gc.fixed_point where the loop nears a limit; or take gc.jvp"
    ),
    jvp=_jvp,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
