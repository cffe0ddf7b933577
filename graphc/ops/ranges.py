"""Integers that must lie in a range: labels and rows of tables, for which -1 is not the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError
from graphc.ir.nodes import Node, topological
from graphc.ir.terms import Term
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import Gather
from graphc.ops.leaves import Constant, Iota
from graphc.ops.reduction import Reduction
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, evaluate, undefined
from graphc.ops.structural import Reshape, Slice
from graphc.types import Dim, TensorType

_VIEWS = (Reshape, Slice, Gather)
_DEEPEST = 20


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class InRange(Node):
    """The operand, integers, once it is known that all of them are at least 0 and below `size`.

    Parameters
    ----------
    told
        What a message calls them.
    """

    size: Dim
    told: str


def in_range(node: Node, size: Dim, told: str, classes: Mapping[Node, int]) -> Node:
    """Return `node`, checked when it is computed unless it is known to lie in the range.

    Parameters
    ----------
    classes
        Inputs that emitted functions check themselves, and the number of their classes.

    Raises
    ------
    ShapeError
        If a constant does not lie in the range.
    """
    value = _known(node)
    if value is not None and isinstance(size, int):
        if value.size and not (value.min() >= 0 and value.max() < size):
            worst = value.min() if value.min() < 0 else value.max()
            raise ShapeError(f"{told} must lie in 0..{size - 1}, got {worst}")
        return node
    bound = least_bound(node, classes)
    if bound is not None and (bound == size or _is_at_most(bound, size)):
        return node
    made: Node = InRange((node,), size, told)
    return made


def _known(node: Node) -> Any:
    """Return the value of what is computed from constants alone; None of anything else."""
    leaves = [below for below in topological([node]) if not below.args]
    if not all(isinstance(leaf, Constant) for leaf in leaves):
        return None
    return evaluate([node], {}, {})[0]


def _is_at_most(bound: Dim, size: Dim) -> bool:
    return isinstance(bound, int) and isinstance(size, int) and bound <= size


def least_bound(node: Node, classes: Mapping[Node, int], depth: int = 0) -> Dim | None:
    """Return a size that integers are known to be below, and not negative; None if there is none.

    Examples
    --------
    >>> least_bound(Iota((), 3), {})
    3
    """
    if node in classes:
        return classes[node]
    if isinstance(node, InRange | Iota):
        return node.size
    if isinstance(node, Reduction) and node.function in ("argmax", "argmin"):
        sizes = [node.args[0].shape[axis] for axis in node.axes]
        return sizes[0] if len(sizes) == 1 else None
    if depth > _DEEPEST:
        return None
    if isinstance(node, Constant):
        value = node.value
        fits = node.kind == "integer" and value.size and value.min() >= 0
        return int(value.max()) + 1 if fits else None
    if isinstance(node, _VIEWS) or (isinstance(node, Contraction) and is_shuffle(node)):
        return least_bound(node.args[0], classes, depth + 1)
    if isinstance(node, Elementwise) and node.function == "where":
        bounds = [least_bound(arg, classes, depth + 1) for arg in node.args[1:]]
        known = [bound for bound in bounds if isinstance(bound, int)]
        return max(known) if len(known) == len(bounds) else None
    return None


def _type(node: InRange) -> TensorType:
    (index,) = node.args
    if index.kind != "integer":
        raise KindError(f"{node.told} must hold integers, got {index.type}")
    return index.type


def _batch(node: InRange, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    made: Node = InRange(tuple(args), node.size, node.told)
    return made


def _meaning(node: InRange, indices: Indices, element: Element) -> Term:
    return element(0, indices)


def _evaluate(node: InRange, values: Sequence[Any], sizes: Sizes) -> Any:
    return np.asarray(values[0])


define(
    InRange,
    type=_type,
    cuts=cuts_discrete,
    vjp=undefined("integers have no derivative"),
    jvp=undefined("integers have no derivative"),
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
