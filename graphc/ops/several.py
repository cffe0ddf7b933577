"""Nodes with several results: `Item` picks one of them, `Bundle` makes one node of several.

The cotangent of a node with several results, and its tangent, is a `Bundle`. Results that no
derivative comes from, or goes to, are missing in it, and stand for zeros that nobody makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FormulaError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Num, Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.elementwise import elementwise
from graphc.ops.rules import Element, Indices, Sizes, define
from graphc.ops.structural import concrete
from graphc.types import Dim, TensorType, TupleType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Item(Node):
    """One of the results of ``args[0]``."""

    index: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Bundle(Node):
    """Results of type `whole`: ``args[k]`` at ``places[k]``, zeros at all other places."""

    places: tuple[int, ...]
    whole: TupleType


def types_of(node: Node) -> tuple[TensorType, ...]:
    """Return the types of the results of a node that has several."""
    if not isinstance(node.type, TupleType):
        raise KindError(f"{type(node).__name__} has one result, not several")
    return node.type.items


def item(node: Node, index: int) -> Node:
    """Return one of the results of `node`; of a bundle, what was put there, or zeros."""
    if isinstance(node, Bundle):
        held = held_at(node, index)
        return full(0.0, node.whole.items[index].shape) if held is None else held
    made: Node = Item((node,), index)
    return made


def items(node: Node) -> list[Node]:
    """Return all results of a node that has several."""
    return [item(node, index) for index in range(len(types_of(node)))]


def bundle(nodes: Sequence[Node | None], whole: Sequence[TensorType]) -> Node:
    """Return a bundle of `nodes`, of the types `whole`; ``None`` is missing and stands for 0."""
    places = tuple(i for i, node in enumerate(nodes) if node is not None)
    held = tuple(node for node in nodes if node is not None)
    made: Node = Bundle(held, places, TupleType(tuple(whole)))
    return made


def held_at(node: Node, index: int) -> Node | None:
    """Return what a bundle, such as the cotangent that a rule gets, holds at `index`."""
    assert isinstance(node, Bundle)
    return node.args[node.places.index(index)] if index in node.places else None


def total(parts: Sequence[Node]) -> Node:
    """Return the sum of cotangents: of bundles item by item, what is missing left out."""
    result = parts[0]
    for part in parts[1:]:
        result = _sum(result, part)
    return result


def _sum(a: Node, b: Node) -> Node:
    if not isinstance(a, Bundle):
        return elementwise("add", a, b)
    sums: list[Node | None] = []
    for index in range(len(a.whole.items)):
        left, right = held_at(a, index), held_at(b, index)
        both = left is not None and right is not None
        sums.append(elementwise("add", left, right) if both else left or right)  # type: ignore[arg-type]
    return bundle(sums, a.whole.items)


def _item_type(node: Item) -> TensorType:
    found = types_of(node.args[0])
    if not 0 <= node.index < len(found):
        raise ShapeError(f"there is no result {node.index} among {len(found)}")
    return found[node.index]


def _item_vjp(node: Item, i: int, g: Node) -> Node:
    found = types_of(node.args[0])
    return bundle([g if k == node.index else None for k in range(len(found))], found)


def _item_meaning(node: Item, indices: Indices, element: Element) -> Term:
    """Ask the node with several results for one: its first index tells which."""
    return element(0, (Num(node.index), *indices))


def _bundle_type(node: Bundle) -> TupleType:
    for place, arg in zip(node.places, node.args, strict=True):
        if arg.type != node.whole.items[place]:
            raise ShapeError(f"result {place} is {node.whole.items[place]}, got {arg.type}")
    return node.whole


def _bundle_batch(node: Bundle, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Every result carries the sample axis, as the rule of every kind promises."""
    held: list[Node | None] = [None] * len(node.whole.items)
    for place, arg, flag in zip(node.places, args, batched, strict=True):
        held[place] = arg if flag else broadcast_to(arg, (size, *arg.shape))
    return bundle(held, [TensorType((size, *t.shape), t.kind) for t in node.whole.items])


def _bundle_meaning(node: Bundle, indices: Indices, element: Element) -> Term:
    raise FormulaError("several results together have no index form")


def _bundle_evaluate(node: Bundle, values: Sequence[Any], sizes: Sizes) -> Any:
    held = dict(zip(node.places, values, strict=True))
    return tuple(
        held[i] if i in held else np.zeros(concrete(t.shape, sizes))
        for i, t in enumerate(node.whole.items)
    )


define(
    Item,
    type=_item_type,
    cuts=lambda node, i: node.kind != "real",
    vjp=_item_vjp,
    jvp=lambda node, tangents: held_at(tangents[0], node.index),
    batch=lambda node, args, batched, size: item(args[0], node.index),
    meaning=_item_meaning,
    evaluate=lambda node, values, sizes: values[0][node.index],
)
define(
    Bundle,
    type=_bundle_type,
    cuts=lambda node, i: node.args[i].kind != "real",
    vjp=lambda node, i, g: item(g, node.places[i]),
    jvp=lambda node, tangents: bundle(
        [
            tangents[node.places.index(i)] if i in node.places else None
            for i in range(len(node.whole.items))
        ],
        node.whole.items,
    ),
    batch=_bundle_batch,
    meaning=_bundle_meaning,
    evaluate=_bundle_evaluate,
)
