"""The choice: one of two bodies, by one boolean for all samples; emitted as ``if`` and ``else``.

``Choice(args, yes, no)`` takes the condition, then the operands of both bodies, and gives what the
body gives that is taken; the other is not computed, so nothing of it can leak into a derivative.

A condition that differs between samples becomes two choices, each made only where a sample wants
it, and the results are selected. Samples that do not want a body are computed with the operands of
one that does: no derivative is taken at a point that no sample takes there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphc.batching import batch_nodes
from graphc.calculus.derived import push
from graphc.calculus.reverse import carriers, sweep
from graphc.control.body import HOLDERS, Body, body, replaced
from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather
from graphc.ops.leaves import Input, constant, new_input, scalar_value
from graphc.ops.reduction import reduction
from graphc.ops.rules import Element, Indices, Sizes, define, evaluate
from graphc.ops.several import bundle, held_at, item, types_of
from graphc.ops.structural import reshape
from graphc.types import Dim, TensorType, TupleType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Choice(Node):
    """One of two bodies with the same leaves; see the module's text."""

    yes: Body
    no: Body


HOLDERS.add(Choice)


def choice(
    condition: Node,
    operands: Mapping[Node, Node],
    results: Sequence[Sequence[Node]],
    names: Mapping[Node, str],
) -> Node:
    """Return a node that gives the first or the second of `results`.

    Parameters
    ----------
    operands
        For each leaf of the two, what it stands for outside.
    """
    yes, no = results
    known = scalar_value(condition)
    if known is not None:
        taken = yes if known else no
        new = replaced(taken, operands)
        return bundle([new[n] for n in taken], [n.type for n in taken])
    inner = {
        leaf: outer
        for leaf, outer in operands.items()
        if not outer.args and not isinstance(outer, Input)
    }
    new = replaced([*yes, *no], inner)
    parts = [[new[n] for n in outputs] for outputs in (yes, no)]
    used = set(topological([*parts[0], *parts[1]]))
    kept = {leaf: outer for leaf, outer in operands.items() if leaf in used and leaf not in inner}
    held = [
        body(Program(tuple(kept), tuple(outputs), _inside(names, outputs))) for outputs in parts
    ]
    made: Node = Choice((condition, *kept.values()), *held)
    return made


def _inside(names: Mapping[Node, str], outputs: Sequence[Node]) -> dict[Node, str]:
    below = set(topological(outputs))
    return {node: name for node, name in names.items() if node in below}


def _operands(node: Choice) -> dict[Node, Node]:
    return dict(zip(node.yes.inputs, node.args[1:], strict=True))


def _type(node: Choice) -> TupleType:
    condition, *operands = node.args
    if condition.type != TensorType((), "boolean"):
        raise KindError(f"a choice goes by one boolean, got {condition.type}")
    for held in (node.yes, node.no):
        for leaf, arg in zip(held.inputs, operands, strict=True):
            if leaf.type != arg.type:
                raise ShapeError(f"a body takes {leaf.type}, got {arg.type}")
    types = [tuple(n.type for n in held.outputs) for held in (node.yes, node.no)]
    if types[0] != types[1]:
        raise ShapeError(f"a choice is between results of one type, not {types[0]} and {types[1]}")
    return TupleType(types[0])


def _cuts(node: Choice, i: int) -> bool:
    if i == 0 or node.kind != "real" or node.args[i].kind != "real":
        return True
    return not any(_passes(held, i - 1) for held in (node.yes, node.no))


@lru_cache(maxsize=1024)
def _passes(held: Body, place: int) -> bool:
    found = carriers(held.nodes(), [held.inputs[place]])
    return any(out in found for out in held.outputs)


def _vjp(node: Choice, i: int, g: Node) -> Node:
    return item(_backward(node, g), _real(node).index(i))


def _real(node: Choice) -> list[int]:
    return [k for k, arg in enumerate(node.args) if k and arg.kind == "real"]


@lru_cache(maxsize=64)
def _backward(node: Choice, g: Node) -> Node:
    """Return the cotangents of all real operands: those of the body that was taken."""
    held_ = {k: held_at(g, k) for k in range(len(types_of(node)))}
    given = {k: t for k, t in held_.items() if t is not None}
    leaves = {k: new_input(t.type) for k, t in given.items()}
    operands = {**_operands(node), **{leaf: given[k] for k, leaf in leaves.items()}}
    results = []
    for held in (node.yes, node.no):
        wrt = [held.inputs[k - 1] for k in _real(node)]
        found = sweep([held.outputs[k] for k in leaves], list(leaves.values()), wrt)
        results.append(_filled(found, wrt))
    return choice(node.args[0], operands, results, dict(node.yes.names))


def _filled(found: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    return [full(0.0, n.shape) if t is None else t for t, n in zip(found, like, strict=True)]


def _jvp(node: Choice, tangents: Sequence[Node | None]) -> Node:
    moved = {k - 1: t for k, t in enumerate(tangents) if t is not None and k}
    leaves = {k: new_input(t.type) for k, t in moved.items()}
    operands = {**_operands(node), **{leaf: moved[k] for k, leaf in leaves.items()}}
    types = types_of(node)
    results = []
    for held in (node.yes, node.no):
        found = push(held.outputs, [held.inputs[k] for k in leaves], list(leaves.values()))
        results.append(
            [
                t
                for t, own in zip(_filled(found, held.outputs), types, strict=True)
                if own.kind == "real"
            ]
        )
    whole = choice(node.args[0], operands, results, dict(node.yes.names))
    places = iter(range(len(types)))
    return bundle([item(whole, next(places)) if t.kind == "real" else None for t in types], types)


def _batch(node: Choice, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    condition, *operands = args
    flags = list(batched[1:])
    if not batched[0]:
        return _batched(node, condition, operands, flags, size, lambda outputs: outputs)
    types = [TensorType((size, *t.shape), t.kind) for t in types_of(node)]
    zeros = [_zeros(t) for t in types]
    taken = []
    for wanted, flip in ((condition, False), (elementwise("logical_not", condition), True)):
        safe = [
            _of_those(wanted, arg) if flag else arg
            for arg, flag in zip(operands, flags, strict=True)
        ]
        some = reduction("any", wanted, (0,))

        def instead(outputs: Sequence[Sequence[Node]], f: bool = flip) -> Sequence[Sequence[Node]]:
            return (outputs[1], zeros) if f else (outputs[0], zeros)

        taken.append(_batched(node, some, safe, flags, size, instead))
    results: list[Node | None] = []
    for k, type_ in enumerate(types):
        mask = reshape(condition, (size, *(1 for _ in type_.shape[1:])))
        results.append(elementwise("where", mask, item(taken[0], k), item(taken[1], k)))
    return bundle(results, types)


def _batched(
    node: Choice,
    condition: Node,
    operands: Sequence[Node],
    flags: Sequence[bool],
    size: Dim,
    change: Callable[[Sequence[Sequence[Node]]], Sequence[Sequence[Node]]],
) -> Node:
    """Return the choice with the axis in both bodies; `change` puts other results in place."""
    leaves = node.yes.inputs
    wide = {
        leaf: new_input(TensorType((size, *leaf.shape), leaf.kind))
        for leaf, flag in zip(leaves, flags, strict=True)
        if flag
    }
    outer = {wide.get(leaf, leaf): arg for leaf, arg in zip(leaves, operands, strict=True)}
    results = []
    for held in (node.yes, node.no):
        new, varying, _ = batch_nodes(held.outputs, wide, size)
        results.append(
            [
                new[out] if out in varying else broadcast_to(new[out], (size, *out.shape))
                for out in held.outputs
            ]
        )
    names = {wide.get(n, n): name for n, name in node.yes.names if n in leaves}
    return choice(condition, outer, change(results), names)


def _of_those(wanted: Node, arg: Node) -> Node:
    """Return an operand, in place of samples that do not want it that of the first that does."""
    first = reduction("argmax", elementwise("where", wanted, constant(1), constant(0)), (0,))
    one: Node = Gather((arg, first), 0, 0)
    mask = reshape(wanted, (arg.shape[0], *(1 for _ in arg.shape[1:])))
    return elementwise("where", mask, arg, reshape(one, (1, *one.shape)))


def _zeros(type_: TensorType) -> Node:
    zero = {"real": 0.0, "integer": 0, "boolean": False}[type_.kind]
    return broadcast_to(constant(zero), type_.shape)


def _meaning(node: Choice, indices: Indices, element: Element) -> Term:
    raise FormulaError("a choice between bodies has no formula; np.where has one")


def _evaluate(node: Choice, values: Sequence[Any], sizes: Sizes) -> Any:
    held = node.yes if values[0] else node.no
    found = evaluate(held.outputs, dict(zip(held.inputs, values[1:], strict=True)), sizes)
    return tuple(found)


def choice_of(node: Choice, results: Sequence[int]) -> Node:
    """Return the choice with some of its results alone."""
    parts = [[held.outputs[k] for k in results] for held in (node.yes, node.no)]
    return choice(node.args[0], _operands(node), parts, dict((*node.yes.names, *node.no.names)))


define(
    Choice,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=_jvp,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
