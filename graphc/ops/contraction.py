"""Contraction: a sum of products over labelled axes, in the widest sense.

``Contraction(args, inputs, output, extents)`` is the tensor whose element at the output labels is
the sum, over all labels that the output lacks, of the product of the operands' elements. Labels
may repeat in an operand (a diagonal) and in the output (a diagonal matrix), and the output may
have labels that no operand has (a broadcast). In this width the kind is closed under its own
derivative, which swaps an operand with the output, and there is no further kind for transposes,
diagonals, sums over axes, broadcasts, outer products or identity matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Delta, Num, Sum, Symbol, Term, fresh_index, mul
from graphc.ops.leaves import constant
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, derived
from graphc.ops.structural import reshape
from graphc.types import Dim, Shape, TensorType, count, shape_text

Labels: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Contraction(Node):
    """A sum of products; see the module's text.

    Parameters
    ----------
    inputs
        The labels of each operand's axes.
    output
        The labels of the result's axes.
    extents
        Label and size of every output label that no operand has.
    """

    inputs: tuple[Labels, ...]
    output: Labels
    extents: tuple[tuple[int, Dim], ...] = ()


def contract(
    args: Sequence[Node],
    inputs: Sequence[Labels],
    output: Labels,
    extents: Mapping[int, Dim] | None = None,
) -> Node:
    """Return the contraction, labels renumbered in order of appearance.

    A contraction that changes nothing is its operand.
    """
    if len(args) == 1 and inputs[0] == output and len(set(output)) == len(output):
        return args[0]
    renamed, target, lone = _renumbered(tuple(inputs), output)
    sizes = extents or {}
    own = tuple((number, sizes[label]) for label, number in lone)
    made: Node = Contraction(tuple(args), renamed, target, own)
    return made


@lru_cache(maxsize=4096)
def _renumbered(
    inputs: tuple[Labels, ...], output: Labels
) -> tuple[tuple[Labels, ...], Labels, tuple[tuple[int, int], ...]]:
    """Return labels in order of appearance, and old and new label of what no operand has."""
    numbers: dict[int, int] = {}
    for label in (*chain.from_iterable(inputs), *output):
        numbers.setdefault(label, len(numbers))
    renamed = tuple(tuple(numbers[label] for label in labels) for labels in inputs)
    target = tuple(numbers[label] for label in output)
    held = set(chain.from_iterable(inputs))
    lone = dict.fromkeys(label for label in output if label not in held)
    return renamed, target, tuple((label, numbers[label]) for label in lone)


def extents_of(node: Contraction) -> dict[int, Dim]:
    """Return the size of every label."""
    sizes = dict(node.extents)
    for arg, labels in zip(node.args, node.inputs, strict=True):
        sizes.update(zip(labels, arg.shape, strict=True))
    return sizes


def sum_axes(node: Node, axes: Sequence[int]) -> Node:
    """Return the sum over `axes`."""
    labels = tuple(range(node.type.rank))
    return contract((node,), (labels,), tuple(i for i in labels if i not in axes))


def transpose(node: Node, axes: Sequence[int]) -> Node:
    """Return `node` with its axes in the order `axes`."""
    return contract((node,), (tuple(range(node.type.rank)),), tuple(axes))


def broadcast_to(node: Node, shape: Shape) -> Node:
    """Return `node` repeated to `shape`, under NumPy's rules."""
    if node.shape == shape:
        return node
    extra = len(shape) - node.type.rank
    kept = [a for a, dim in enumerate(node.shape) if dim != 1 or shape[a + extra] == 1]
    squeezed = reshape(node, tuple(node.shape[a] for a in kept))
    labels = tuple(a + extra for a in kept)
    return contract((squeezed,), (labels,), tuple(range(len(shape))), dict(enumerate(shape)))


def unbroadcast(node: Node, shape: Shape) -> Node:
    """Return the sum of `node` over the axes along which `shape` was broadcast to its shape."""
    extra = node.type.rank - len(shape)
    grown = [
        axis
        for axis, dim in enumerate(node.shape)
        if axis < extra or (shape[axis - extra] == 1 and dim != 1)
    ]
    return reshape(sum_axes(node, grown), shape)


def full(value: float, shape: Shape) -> Node:
    """Return a tensor of `shape` that is `value` everywhere."""
    return broadcast_to(constant(float(value)), shape)


def identity(*sizes: Dim) -> Node:
    """Return the identity on arrays of shape `sizes`: a Kronecker delta for each axis."""
    labels = tuple(range(len(sizes)))
    return contract((constant(1.0),), ((),), labels + labels, dict(enumerate(sizes)))


def is_shuffle(node: Node) -> bool:
    """Return whether `node` only rearranges, repeats or selects elements of its operand."""
    return (
        isinstance(node, Contraction)
        and len(node.args) == 1
        and set(node.inputs[0]) <= set(node.output)
    )


def _type(node: Contraction) -> TensorType:
    types = tuple([arg.type for arg in node.args])
    return _type_of(node.inputs, node.output, node.extents, types)


@lru_cache(maxsize=4096)  # the layers of a network are alike
def _type_of(
    inputs: tuple[Labels, ...],
    output: Labels,
    extents: tuple[tuple[int, Dim], ...],
    types: tuple[TensorType, ...],
) -> TensorType:
    sizes: dict[int, Dim] = dict(extents)
    for type_, labels in zip(types, inputs, strict=True):
        if len(labels) != type_.rank:
            raise ShapeError(f"{len(labels)} labels for an operand of shape {type_.shape}")
        for label, dim in zip(labels, type_.shape, strict=True):
            if sizes.setdefault(label, dim) != dim:
                listed = " and ".join(shape_text(t.shape) for t in types)
                raise ShapeError(f"shapes {listed} do not fit: {sizes[label]} against {dim}")
    shape = tuple(sizes[label] for label in output)
    if len(types) == 1 and set(inputs[0]) <= set(output):
        return TensorType(shape, types[0].kind)
    kinds = {t.kind for t in types}
    if "boolean" in kinds:
        raise KindError("a sum of products takes numbers; a boolean operand must be made one first")
    if len(kinds) > 1:
        raise KindError("a sum of products takes operands of one kind")
    return TensorType(shape, "real" if "real" in kinds else "integer")


def _vjp(node: Contraction, i: int, g: Node) -> Node:
    """Swap operand `i` with the output."""
    args = (g, *node.args[:i], *node.args[i + 1 :])
    inputs = (node.output, *node.inputs[:i], *node.inputs[i + 1 :])
    return contract(args, inputs, node.inputs[i], extents_of(node))


def _batch(node: Contraction, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Give the sample axis a label of its own."""
    sample = 1 + max((*node.output, *(label for ls in node.inputs for label in ls)), default=-1)
    inputs = [
        (sample, *labels) if flag else labels
        for labels, flag in zip(node.inputs, batched, strict=True)
    ]
    return contract(args, inputs, (sample, *node.output), dict(node.extents))


def _meaning(node: Contraction, indices: Indices, element: Element) -> Term:
    values: dict[int, Term] = {}
    factors: list[Term] = []
    for label, index in zip(node.output, indices, strict=True):
        if label in values:
            factors.append(Delta(values[label], index))
        else:
            values[label] = index
    bound: list[tuple[Symbol, Dim]] = []
    for label, dim in extents_of(node).items():
        if label not in values:
            values[label] = fresh_index()
            bound.append((values[label], dim))  # type: ignore[arg-type]
    for i, labels in enumerate(node.inputs):
        factors.append(element(i, tuple(values[label] for label in labels)))
    term = mul(*factors) if factors else Num(1)
    for index, dim in reversed(bound):
        term = Sum(index, dim, term)
    return term


def _evaluate(node: Contraction, values: Sequence[Any], sizes: Sizes) -> Any:
    lone = [label for label, _ in node.extents]
    held = list(dict.fromkeys(label for label in node.output if label not in lone))
    operands = [part for v, ls in zip(values, node.inputs, strict=True) for part in (v, list(ls))]
    core = np.einsum(*operands, held)
    extents = {label: count(dim, sizes) for label, dim in extents_of(node).items()}
    distinct = [*lone, *held]
    core = np.broadcast_to(core, [extents[label] for label in distinct])
    result = np.zeros([extents[label] for label in node.output], core.dtype)
    grid = np.indices(core.shape) if distinct else ()
    result[tuple(grid[distinct.index(label)] for label in node.output)] = core
    return result


define(
    Contraction,
    type=_type,
    cuts=cuts_discrete,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
