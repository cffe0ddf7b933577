"""Diagonals: what multiplies a tensor that is 0 off a diagonal is needed on the diagonal alone.

The Jacobian of a function element by element is such a tensor. Kept as one (a contraction whose
output repeats a label), it dissolves in the products that it enters and is never filled in.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, Labels, contract, extents_of
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.structural import Reshape, match_axes, reshape
from graphc.types import Dim


def is_diagonal(node: Node) -> bool:
    """Return whether a node writes on a diagonal of its result, and is 0 elsewhere."""
    return isinstance(node, Contraction) and len(set(node.output)) < len(node.output)


def core(node: Contraction) -> tuple[Node, Labels]:
    """Return what stands on a diagonal, without repetition, and its labels in the result."""
    distinct = tuple(dict.fromkeys(node.output))
    return contract(node.args, node.inputs, distinct, extents_of(node)), distinct


def product_on_diagonal(node: Node) -> Node | None:
    """Multiply or divide on the diagonal alone; off it the result is 0."""
    if not isinstance(node, Elementwise) or node.function not in ("multiply", "divide"):
        return None
    if node.kind != "real":
        return None
    for i in (0, 1) if node.function == "multiply" else (0,):
        if is_diagonal(node.args[i]):
            return _product(node, i)
    return None


def _product(node: Elementwise, i: int) -> Node:
    factor = node.args[i]
    assert isinstance(factor, Contraction)
    inner, held = core(factor)
    missing = node.type.rank - factor.type.rank
    fresh = 1 + max(held)
    labels: list[int] = []  # of the axes of the result
    for axis, dim in enumerate(node.shape):
        own = axis - missing
        repeats = own < 0 or factor.shape[own] != dim
        labels.append(fresh + axis if repeats else factor.output[own])
    sizes = dict(zip(labels, node.shape, strict=True))
    distinct = tuple(dict.fromkeys(labels))
    kept = [axis for axis, label in enumerate(held) if label in sizes]
    lean = reshape(inner, tuple(inner.shape[axis] for axis in kept))
    on_it = contract((lean,), (tuple(held[axis] for axis in kept),), distinct, sizes)
    other = _read(node.args[1 - i], tuple(labels), distinct, sizes)
    args = (on_it, other) if i == 0 else (other, on_it)
    return contract((elementwise(node.function, *args),), (distinct,), tuple(labels))


def _read(node: Node, labels: Labels, distinct: Labels, sizes: dict[int, Dim]) -> Node:
    """Return a tensor that broadcasts to axes with `labels` as one over the distinct labels."""
    own = labels[len(labels) - node.type.rank :]
    axes = [a for a, dim in enumerate(node.shape) if dim == sizes[own[a]]]
    lean = reshape(node, tuple(node.shape[a] for a in axes))
    return contract((lean,), (tuple(own[a] for a in axes),), distinct, sizes)


def sign_on_diagonal(node: Node) -> Node | None:
    """Negate what stands on a diagonal, and add what stands on the same one."""
    if not isinstance(node, Elementwise) or node.kind != "real":
        return None
    if node.function not in ("negative", "add", "subtract") or not all(map(is_diagonal, node.args)):
        return None
    patterns, parts = set(), []
    for arg in node.args:
        assert isinstance(arg, Contraction)
        inner, held = core(arg)
        patterns.add((arg.shape, tuple(held.index(label) for label in arg.output)))
        parts.append(inner)
    if len(patterns) > 1:
        return None
    ((_, output),) = patterns
    whole = elementwise(node.function, *parts)
    return contract((whole,), (tuple(range(whole.type.rank)),), output)


def shape_of_diagonal(node: Node) -> Node | None:
    """Give axes of size 1 to what stands on a diagonal, or take them away."""
    if not isinstance(node, Reshape) or not is_diagonal(node.args[0]):
        return None
    (arg,) = node.args
    assert isinstance(arg, Contraction)
    matched = match_axes(arg.shape, node.target)
    if matched is None:
        return None
    sizes = extents_of(arg)
    fresh = 1 + max(sizes)
    output = list(range(fresh, fresh + len(node.target)))
    for old, new in enumerate(matched):
        if new is not None:
            output[new] = arg.output[old]
    sizes.update(zip(output, node.target, strict=True))
    return contract(arg.args, arg.inputs, tuple(output), sizes)
