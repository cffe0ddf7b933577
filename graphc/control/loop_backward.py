"""The VJP of a loop: a loop that goes the other way.

It carries the cotangents of the carries. What the steps of the forward loop computed, and the
steps back need, the forward loop stacks beside its other results; a pass then makes the two
forward loops one (:mod:`graphc.passes.loops`).

The cotangent of a constant is a sum over the steps. Where each step's part is a product of smaller
factors, as dW = ds hᵀ is, the factors are stacked and multiplied once, after the loop; else the
sum is a carry of the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from graphc.calculus.reverse import sweep
from graphc.control.body import COTANGENT, depending, replaced
from graphc.control.loop import Loop, Scan, taken_apart
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin
from graphc.ops.contraction import (
    Contraction,
    contract,
    extents_of,
    full,
    is_shuffle,
    sum_axes,
    transpose,
)
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd
from graphc.ops.leaves import Input, new_input
from graphc.ops.several import Item, held_at, item
from graphc.ops.several import total as total_of
from graphc.ops.structural import Reshape, Slice


def loop_vjp(node: Scan, i: int, g: Node) -> Node:
    """Return the cotangent of an operand; all of them come out of one loop."""
    found = _backward(node, g)[i]
    return full(0.0, node.args[i].shape) if found is None else found


@lru_cache(maxsize=64)
def _backward(node: Scan, g: Node) -> tuple[Node | None, ...]:
    """Return the cotangents of all operands, None for zeros."""
    forward = taken_apart(node)
    states = list(forward.carries)
    origins: dict[Node, Origin] = dict(forward.origins)
    stacked = {j: held_at(g, node.carries + j) for j in range(len(forward.stacked))}
    rows = {
        new_input(forward.stacked[j].type): (forward.stacked[j], given)
        for j, given in stacked.items()
        if given is not None
    }
    last = {leaf: held_at(g, k) for k, leaf in enumerate(states)}
    moving = {leaf for leaf, given in last.items() if given is not None}
    wrt = [leaf for leaf in node.body.inputs if leaf.kind == "real"]
    while True:  # until no further carry turns out to have a cotangent
        carried = {leaf: new_input(leaf.type) for leaf in states if leaf in moving}
        ends = [forward.carries[leaf][1] for leaf in carried] + [y for y, _ in rows.values()]
        seen: dict[Node, Node] = {}
        cotangents = [*carried.values(), *rows]
        found = dict(zip(wrt, sweep(ends, cotangents, wrt, origins, seen), strict=True))
        reached = {leaf for leaf in states if found.get(leaf) is not None}
        if reached <= moving:
            break
        moving |= reached
    names = {seen[n]: COTANGENT + name for n, name in forward.names.items() if n in seen}
    names |= {carried[n]: COTANGENT + name for n, name in forward.names.items() if n in carried}
    back = Loop(node.length, not node.reverse, names={**forward.names, **names}, origins=origins)
    back.slices = {leaf: given for leaf, (_, given) in rows.items()}
    for leaf, cotangent in carried.items():
        start = last[leaf]
        before = found[leaf]
        back.carries[cotangent] = (
            full(0.0, leaf.shape) if start is None else start,
            full(0.0, leaf.shape) if before is None else before,
        )
    sums = {leaf: found.get(leaf) for leaf in forward.constants}
    parts = {leaf: found.get(leaf) for leaf in forward.slices}
    wanted = [v for v in (*back.nexts, *sums.values(), *parts.values()) if v is not None]
    new = _with_residuals(node, forward, back, wanted)
    back.carries = {k: (start, new[after]) for k, (start, after) in back.carries.items()}
    back.names = {new.get(n, n): name for n, name in back.names.items()}
    back.origins = {new.get(n, n): origin for n, origin in origins.items()}
    collected = {leaf: _Sum(back, new[part]) for leaf, part in sums.items() if part is not None}
    _decide(list(collected.values()))
    for summed in collected.values():
        summed.enter()
    places = {leaf: back.stack(new[part]) for leaf, part in parts.items() if part is not None}
    whole = back.node()
    order = list(back.carries)
    results: list[Node | None] = []
    for leaf in node.body.inputs:
        if leaf in carried:
            results.append(item(whole, order.index(carried[leaf])))
        elif leaf in collected:
            results.append(collected[leaf].result(whole))
        elif leaf in places:
            results.append(item(whole, places[leaf]))
        else:
            results.append(None)
    return tuple(results)


def _with_residuals(
    node: Scan, forward: Loop, back: Loop, wanted: Sequence[Node]
) -> dict[Node, Node]:
    """Enter into `back` what it reads of the forward loop; return what the nodes become.

    What hangs on constants and slices alone is computed again, for that will leave both loops;
    views are taken again. All else is stacked by the forward loop.
    """
    order = [*node.body.nodes()]
    inside = set(order) | set(node.body.inputs)
    # Results that the forward loop computes and does not read: eigenvectors beside eigenvalues.
    unread = [n for n in topological(wanted, inside) if isinstance(n, Item) and n not in inside]
    order += [n for n in unread if n.args[0] in inside]
    inside.update(order)
    varying = depending(order, forward.carries)
    residuals: dict[Node, Node] = {}
    pending = [n for n in topological(wanted, inside) if n in varying]
    while pending:
        v = pending.pop()
        if _is_view(v) and v in varying and v not in forward.carries:
            pending.extend(arg for arg in v.args if arg in varying)
        elif v not in residuals:
            residuals[v] = new_input(v.type)
    places = {v: forward.stack(v) for v in residuals}
    whole = forward.node() if residuals else node
    for v, leaf in residuals.items():
        back.slices[leaf] = item(whole, places[v])
    back.constants |= forward.constants
    back.slices |= forward.slices
    return replaced([*wanted, *back.names], residuals)


def _is_view(node: Node) -> bool:
    if isinstance(node, Elementwise):
        return node.function == "real"
    return isinstance(node, Reshape | Slice) or is_shuffle(node)


class _Sum:
    """The cotangent of a constant: a sum over the steps, of terms that are added up somewhere.

    Parameters
    ----------
    back
        The loop.
    part
        What a step adds.
    """

    def __init__(self, back: Loop, part: Node) -> None:
        self.back = back
        self.part = part
        self.shape = part.shape
        self.terms = _terms(part)
        self.outside = [t for t in self.terms if _is_outer(t)]  # products taken after the loop
        self.inside: list[Node] = []  # sums that the loop carries
        self.stacks: list[Node] = []  # terms stacked and added up after the loop
        self._leaf: Node | None = None

    def enter(self) -> None:
        """Enter into the loop what the sum needs of it."""
        for term in self.outside:
            for arg in _factors(term):
                self._stack(arg)
        for term in self.stacks:
            self.back.stack(term)
        if self.inside:
            self._leaf = new_input(self.inside[0].type)
            after = total_of([self._leaf, *self.inside])
            self.back.carries[self._leaf] = (full(0.0, self.shape), after)

    def _stack(self, arg: Node) -> None:
        if arg not in self.back.slices and not _is_fixed(arg, self.back):
            self.back.stack(arg)

    def result(self, whole: Node) -> Node:
        """Return the sum, once the loop is a node."""
        parts = [_after(term, self.back, whole) for term in self.outside]
        for term in self.stacks:
            parts.append(sum_axes(item(whole, self.back.stack(term)), (0,)))
        if self._leaf is not None:
            parts.append(item(whole, list(self.back.carries).index(self._leaf)))
        return total_of(parts)


def _decide(sums: Sequence[_Sum]) -> None:
    """Decide for every term where it is added up.

    Vectors and numbers are stacked: they are small. So are the operands of their sums where a
    product wants them stacked anyway.
    """
    stacked = {arg for s in sums for term in s.outside for arg in _factors(term)}
    for s in sums:
        if s.part in stacked:  # whole, and not term by term
            s.outside, s.stacks = [], [s.part]
            continue
        for term in s.terms:
            if term in s.outside:
                continue
            if isinstance(term, Contraction) and stacked.issuperset(term.args):
                s.outside.append(term)
            elif len(s.shape) <= 1:
                s.stacks.append(term)
            else:
                s.inside.append(term)


def _terms(node: Node) -> list[Node]:
    """Return the terms of a sum of tensors of one shape."""
    found: list[Node] = []
    pending = [node]
    while pending:
        part = pending.pop()
        adds = isinstance(part, Elementwise) and part.function == "add"
        if adds and all(arg.shape == node.shape for arg in part.args):
            pending.extend(reversed(part.args))
        else:
            found.append(part)
    return found


def _is_outer(node: Node) -> bool:
    """Return whether a node is a product of factors that are smaller, or adds into zeros."""
    if isinstance(node, ScatterAdd):
        return node.batch == 0 and _is_zero(node.args[0])
    if not isinstance(node, Contraction) or len(node.args) < 2 or len(node.output) < 2:
        return False
    axes = set(node.output)
    return all(axes - set(labels) for labels in node.inputs)


def _is_zero(node: Node) -> bool:
    return is_shuffle(node) and node.args[0] is full(0.0, ())


def _is_fixed(arg: Node, back: Loop) -> bool:
    """Return whether an operand is the same at every step, and known outside."""
    return arg in back.constants or not (arg.args or isinstance(arg, Input))


def _factors(term: Node) -> tuple[Node, ...]:
    return term.args[1:] if isinstance(term, ScatterAdd) else term.args


def _after(term: Node, back: Loop, whole: Node) -> Node:
    """Return the sum over the steps of a term, from the stacks of its factors."""
    args: list[Node] = []
    along: list[bool] = []
    for arg in _factors(term):
        along.append(not _is_fixed(arg, back))
        if arg in back.slices:
            args.append(back.slices[arg])
        elif _is_fixed(arg, back):
            args.append(back.constants.get(arg, arg))
        else:
            args.append(item(whole, back.stack(arg)))
    if isinstance(term, ScatterAdd):
        return _scattered(term, args, along, back)
    assert isinstance(term, Contraction)
    sizes = extents_of(term)
    step = 1 + max(sizes, default=0)
    inputs = [
        (step, *labels) if a else labels for labels, a in zip(term.inputs, along, strict=True)
    ]
    # Each step's part is the same where nothing varies; the label then only counts the steps.
    if not any(along):
        args.append(full(1.0, (back.length,)))
        inputs.append((step,))
    return contract(args, inputs, term.output, {**sizes, step: back.length})


def _scattered(term: ScatterAdd, args: list[Node], along: list[bool], back: Loop) -> Node:
    """Add the updates of all steps at once: the places of the steps lie side by side."""
    spread = []
    for arg, varies in zip(args, along, strict=True):
        if varies:
            spread.append(arg)
        else:
            rank = arg.type.rank
            labels = tuple(range(1, rank + 1))
            spread.append(contract((arg,), (labels,), (0, *labels), {0: back.length}))
    index, update = spread
    axis = term.axis
    order = [*range(1, axis + 1), 0, *range(axis + 1, update.type.rank)]
    added: Node = ScatterAdd((term.args[0], index, transpose(update, order)), axis, 0)
    return added
