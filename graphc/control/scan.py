"""The rules of loops: what cuts, both modes, the sample axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from graphc.batching import batch_nodes
from graphc.calculus.derived import push
from graphc.calculus.recursive import RECURSIONS, Recursive
from graphc.calculus.reverse import carriers
from graphc.control.loop import Loop, Scan, loop_evaluate, loop_type, taken_apart
from graphc.control.loop_backward import loop_vjp
from graphc.ir.nodes import Node
from graphc.ir.terms import Num, Term
from graphc.ops.contraction import broadcast_to, full, transpose
from graphc.ops.leaves import new_input
from graphc.ops.rules import Element, Indices, define
from graphc.ops.several import Item, bundle, item, types_of
from graphc.types import Dim, TensorType


def _cuts(node: Scan, i: int) -> bool:
    return node.kind != "real" or node.args[i].kind != "real" or not _passes(node, i)


@lru_cache(maxsize=1024)
def _passes(node: Scan, i: int) -> bool:
    """Return whether a derivative passes from a result to an operand, over any number of steps."""
    order = node.body.nodes()
    states = node.body.inputs[node.constants : node.constants + node.carries]
    sources = {node.body.inputs[i]}
    while True:
        found = carriers(order, list(sources))
        ends = [out in found for out in node.body.outputs]
        grown = {leaf for leaf, end in zip(states, ends, strict=False) if end} - sources
        if not grown:
            return any(ends) or node.body.inputs[i] in states
        sources |= grown


def _jvp(node: Scan, tangents: Sequence[Node | None]) -> Node:
    """Carry the tangents beside the carries, in one loop: its memory does not grow with steps."""
    loop = taken_apart(node)
    leaves = node.body.inputs
    given = dict(zip(leaves, tangents, strict=True))
    moved = {leaf for leaf in leaves if given[leaf] is not None}
    outputs = node.body.outputs
    while True:  # until no further carry turns out to move
        along = {leaf: new_input(leaf.type) for leaf in leaves if leaf in moved}
        found = push(outputs, list(along), list(along.values()))
        states = leaves[node.constants : node.constants + node.carries]
        grown = {leaf for leaf, t in zip(states, found, strict=False) if t is not None} - moved
        if not grown:
            break
        moved |= grown
    places: list[int | None] = []
    for leaf, t in zip(states, found, strict=False):
        if leaf in along:
            start, after = given[leaf], t
            zeros = full(0.0, leaf.shape)
            loop.carries[along[leaf]] = (start or zeros, after or zeros)
            places.append(list(loop.carries).index(along[leaf]))
        else:
            places.append(None)
    loop.constants |= {along[k]: t for k in loop.constants if (t := given[k]) is not None}
    loop.slices |= {along[k]: t for k in loop.slices if (t := given[k]) is not None}
    loop.stacked = []
    for t in found[node.carries :]:
        places.append(None if t is None else loop.stack(t))
    loop.names = {**loop.names, **_named(loop, along)}
    whole = loop.node()
    return bundle([None if p is None else item(whole, p) for p in places], types_of(node))


def _named(loop: Loop, along: dict[Node, Node]) -> dict[Node, str]:
    return {t: f"{loop.names[leaf]}_dot" for leaf, t in along.items() if leaf in loop.names}


def _batch(node: Scan, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Give the axis to the steps that need it; along stacks it comes after that of the steps."""
    leaves, outputs = node.body.inputs, node.body.outputs
    first, last = node.constants, node.constants + node.carries
    flags = list(batched)
    while True:  # until no further carry turns out to vary
        wide = {
            leaf: new_input(TensorType((size, *leaf.shape), leaf.kind))
            for leaf, flag in zip(leaves, flags, strict=True)
            if flag
        }
        new, varying, origins = batch_nodes(outputs, wide, size, dict(node.body.origins))
        grown = [k for k in range(node.carries) if outputs[k] in varying and not flags[first + k]]
        if not grown:
            break
        for k in grown:
            flags[first + k] = True
    names = {new[n]: name for n, name in node.body.names if n in new}
    names |= {wide.get(n, n): name for n, name in node.body.names if n in leaves}
    loop = Loop(node.length, node.reverse, names=names, origins=origins)
    for place, (leaf, arg) in enumerate(zip(leaves, args, strict=True)):
        own = wide.get(leaf, leaf)
        if place < first:
            loop.constants[own] = arg
        elif place < last:
            after = new[outputs[place - first]]
            if flags[place]:
                arg, after = (broadcast_to(n, (size, *leaf.shape)) for n in (arg, after))
            loop.carries[own] = (arg, after)
        else:
            loop.slices[own] = _swapped(arg) if flags[place] else arg
    loop.stacked = [new[y] for y in outputs[node.carries :]]
    whole = loop.node()
    results = []
    for k, type_ in enumerate(types_of(node)):
        found = item(whole, k)
        state = k < node.carries
        varies = flags[first + k] if state else outputs[k] in varying
        if varies and not state:
            found = _swapped(found)
        results.append(found if varies else broadcast_to(found, (size, *type_.shape)))
    return bundle(results, [TensorType((size, *t.shape), t.kind) for t in types_of(node)])


def _swapped(node: Node) -> Node:
    return transpose(node, (1, 0, *range(2, node.type.rank)))


def _meaning(node: Scan, indices: Indices, element: Element) -> Term:
    from graphc.control.recursion import result_element  # late: formulas are half of graphc

    which, *places = indices
    assert isinstance(which, Num)
    return result_element(node, int(which.value), tuple(places))


def _recursion(
    results: Sequence[Node], node: Node, names: Mapping[Node, str], cost: str
) -> Recursive:
    """Return the cotangent of a loop's operand that comes from some results, and the recursion."""
    from graphc.control.recursion import Recursion

    loop = results[0].args[0]
    assert isinstance(loop, Scan)
    used = [result.index for result in results if isinstance(result, Item)]
    places = [k for k, arg in enumerate(loop.args) if arg is node]
    return Recursion(loop, names).backward(places, cost, used)


RECURSIONS[Scan] = _recursion


define(
    Scan,
    type=loop_type,
    cuts=_cuts,
    vjp=loop_vjp,
    jvp=_jvp,
    batch=_batch,
    meaning=_meaning,
    evaluate=loop_evaluate,
)
