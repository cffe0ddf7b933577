"""Products and contractions."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import Variable, build
from graphc.ops.contraction import contract
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.structural import reshape
from graphc.types import (
    Shape,
    broadcast,
    size_of,
)


def _operands(a: Node, b: Node) -> tuple[Node, Node]:
    """Return two operands of a product as numbers of one kind."""
    a, b = as_number(a), as_number(b)
    return (as_real(a), as_real(b)) if "real" in (a.kind, b.kind) else (a, b)


def _matmul(a: Node, b: Node) -> Node:
    if not a.shape or not b.shape:
        raise ShapeError("matmul takes no scalars; use * for them")
    a, b = _operands(a, b)
    left, right = a.type.rank > 1, b.type.rank > 1
    inner = b.shape[-2] if right else b.shape[-1]
    if a.shape[-1] != inner:
        raise ShapeError(f"matmul sums {a.shape[-1]} columns against {inner} rows")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    rank = len(batch)
    row, column, summed = rank, rank + 1, rank + 2
    a, front_a = _batch_labels(a, batch, 2 if left else 1)
    b, front_b = _batch_labels(b, batch, 2 if right else 1)
    inputs = (
        (*front_a, row, summed) if left else (summed,),
        (*front_b, summed, column) if right else (summed,),
    )
    output = (*range(rank), *([row] if left else []), *([column] if right else []))
    return contract((a, b), inputs, output)


def _batch_labels(node: Node, batch: Shape, inner: int) -> tuple[Node, tuple[int, ...]]:
    """Drop axes of size 1 that broadcast; return the labels of the leading axes left."""
    front = node.shape[:-inner] if node.type.rank > inner else ()
    offset = len(batch) - len(front)
    axes = [i for i, dim in enumerate(front) if dim != 1 or batch[i + offset] == 1]
    squeezed = reshape(node, (*(front[i] for i in axes), *node.shape[len(front) :]))
    return squeezed, tuple(i + offset for i in axes)


@implements(np.matmul)
def matmul(a: Any, b: Any) -> Variable:
    """Matrix product, with NumPy's rules for vectors and leading axes."""
    return build("matmul", _matmul, (a, b))


@implements(np.dot)
def dot(a: Any, b: Any) -> Variable:
    """Sum over the last axis of `a` and the last but one of `b`."""

    def make(x: Node, y: Node) -> Node:
        if not x.shape or not y.shape:
            return elementwise("multiply", x, y)
        x, y = _operands(x, y)
        m, n = x.type.rank, y.type.rank
        summed = m + n
        right = [m + i for i in range(n)]
        right[max(n - 2, 0)] = summed
        left = (*range(m - 1), summed)
        output = (*left[:-1], *(i for i in right if i != summed))
        return contract((x, y), (left, tuple(right)), output)

    return build("dot", make, (a, b))


@implements(np.outer)
def outer(a: Any, b: Any) -> Variable:
    """Outer product of two flattened arrays."""

    def make(x: Node, y: Node) -> Node:
        x, y = (reshape(node, (size_of(node.shape),)) for node in _operands(x, y))
        return contract((x, y), ((0,), (1,)), (0, 1))

    return build("outer", make, (a, b))


@implements(np.trace)
def trace(a: Any) -> Variable:
    """Sum of the diagonal of a matrix."""
    return build("trace", lambda x: contract((x,), ((0, 0),), ()), (a,))


@implements(np.einsum)
def einsum(subscripts: str, *operands: Any, **rest: Any) -> Variable:
    """Sum of products in Einstein's notation; letters only, an output may be left out."""
    no_options("einsum", {k: v for k, v in rest.items() if v})
    if not isinstance(subscripts, str):
        raise UsageError(f"{here()}: np.einsum on variables takes its subscripts as a string")
    inputs, output = _subscripts(subscripts, len(operands))

    def make(*nodes: Node) -> Node:
        for labels, node in zip(inputs, nodes, strict=True):
            if len(labels) != node.type.rank:
                raise ShapeError(
                    f"einsum {subscripts!r} names {len(labels)} axes of one of rank "
                    f"{node.type.rank}"
                )
        numbers = [as_number(node) for node in nodes]
        if any(node.kind == "real" for node in numbers):
            numbers = [as_real(node) for node in numbers]
        return contract(numbers, inputs, output)

    return build("einsum", make, operands)


def _subscripts(text: str, count: int) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    left, arrow, right = text.replace(" ", "").partition("->")
    parts = left.split(",")
    letters = "".join(parts)
    if len(parts) != count or (not (letters + right).isalpha() and letters + right):
        raise ShapeError(f"{here()}: einsum subscripts {text!r} do not fit {count} operands")
    if not arrow:
        right = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(set(right)) < len(right) or not set(right) <= set(letters):
        raise ShapeError(f"{here()}: the output of einsum {text!r} has a letter twice or anew")
    return [tuple(map(ord, part)) for part in parts], tuple(map(ord, right))
