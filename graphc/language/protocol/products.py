"""Products and contractions."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, build
from graphc.ops.contraction import Labels, contract, sum_axes
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import Iota, constant
from graphc.ops.structural import Pad, Slice, Span, reshape
from graphc.types import (
    Dim,
    Shape,
    broadcast,
    normal_axis,
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
def dot(a: Any, b: Any, out: Any = None) -> Variable:
    """Sum over the last axis of `a` and the last but one of `b`."""
    no_options("dot", {"out": out})

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
def outer(a: Any, b: Any, out: Any = None) -> Variable:
    """Outer product of two flattened arrays."""
    no_options("outer", {"out": out})

    def make(x: Node, y: Node) -> Node:
        x, y = (reshape(node, (size_of(node.shape),)) for node in _operands(x, y))
        return contract((x, y), ((0,), (1,)), (0, 1))

    return build("outer", make, (a, b))


@implements(np.inner)
def inner(a: Any, b: Any) -> Variable:
    """Sum over the last axes of both."""

    def make(x: Node, y: Node) -> Node:
        if not x.shape or not y.shape:
            return elementwise("multiply", x, y)
        x, y = _operands(x, y)
        m, n = x.type.rank - 1, y.type.rank - 1
        left, right = tuple(range(m)), tuple(range(m, m + n))
        return contract((x, y), ((*left, m + n), (*right, m + n)), (*left, *right))

    return build("inner", make, (a, b))


@implements(np.vdot)
def vdot(a: Any, b: Any) -> Variable:
    """Sum of the products of all elements."""

    def make(x: Node, y: Node) -> Node:
        if size_of(x.shape) != size_of(y.shape):
            raise ShapeError("vdot takes arrays of as many elements")
        x, y = (reshape(node, (size_of(node.shape),)) for node in _operands(x, y))
        return contract((x, y), ((0,), (0,)), ())

    return build("vdot", make, (a, b))


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Variable:
    """Sum over pairs of axes: the last and first so-and-so-many, or those that `axes` lists."""

    def make(x: Node, y: Node) -> Node:
        x, y = _operands(x, y)
        m, n = x.type.rank, y.type.rank
        if isinstance(axes, int | np.integer):
            if not 0 <= axes <= min(m, n):
                raise ShapeError(f"tensordot over {axes} axes")
            left, right = range(m - int(axes), m), range(int(axes))
        else:
            ones, others = (
                (axis,) if isinstance(axis, int | np.integer) else axis for axis in axes
            )
            left = [normal_axis(int(axis), m) for axis in ones]  # type: ignore[assignment]
            right = [normal_axis(int(axis), n) for axis in others]  # type: ignore[assignment]
        if len(set(left)) < len(left) or len(set(right)) < len(right):
            raise ShapeError(f"tensordot sums over each axis once, got {axes}")
        if len(left) != len(right):
            raise ShapeError(f"tensordot pairs {len(left)} axes with {len(right)}")
        labels = list(range(m, m + n))
        for one, other in zip(left, right, strict=True):
            labels[other] = one
        free = [k for k in range(m) if k not in left] + [k for k in labels if k >= m]
        return contract((x, y), (tuple(range(m)), tuple(labels)), tuple(free))

    return build("tensordot", make, (a, b))


def _rows(name: str, subscripts: str) -> None:
    def product(a: Any, b: Any) -> Variable:
        return einsum(subscripts, a, b)

    product.__name__ = name
    product.__doc__ = f"Products ``{subscripts}``."
    OPERATORS[name] = product


_rows("vecdot", "...i,...i->...")
_rows("matvec", "...ij,...j->...i")
_rows("vecmat", "...i,...ij->...j")


@implements(np.cross, np.linalg.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Variable:
    """Cross product of vectors of three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = (OPERATORS["moveaxis"](v, k, -1) for v, k in ((a, axisa), (b, axisb)))
    if x.shape[-1:] != (3,) or y.shape[-1:] != (3,):
        raise ShapeError(f"{here()}: np.cross on variables takes vectors of three elements")
    p, q = ([v[..., k] for k in range(3)] for v in (x, y))
    parts = [p[k - 2] * q[k - 1] - p[k - 1] * q[k - 2] for k in range(3)]
    return OPERATORS["stack"](parts, axis=axisc)


@implements(np.kron)
def kron(a: Any, b: Any) -> Variable:
    """Kronecker product."""

    def make(x: Node, y: Node) -> Node:
        x, y = _operands(x, y)
        rank = max(x.type.rank, y.type.rank)
        x, y = (reshape(n, ((1,) * (rank - n.type.rank) + n.shape)) for n in (x, y))
        outer_labels = tuple(label for k in range(rank) for label in (k, rank + k))
        product = contract((x, y), (tuple(range(rank)), tuple(range(rank, 2 * rank))), outer_labels)
        return reshape(product, tuple(m * n for m, n in zip(x.shape, y.shape, strict=True)))

    return build("kron", make, (a, b))


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """Diagonals of matrices, along a last axis."""
    return build("diagonal", lambda x: _diagonal(x, offset, axis1, axis2), (a,))


def _diagonal(x: Node, offset: int, axis1: int, axis2: int) -> Node:
    if x.type.rank < 2:
        raise ShapeError("a diagonal takes at least two axes")
    one, other = normal_axis(axis1, x.type.rank), normal_axis(axis2, x.type.rank)
    if one == other:
        raise ShapeError("a diagonal takes two different axes")
    rows, columns = x.shape[one] + min(offset, 0), x.shape[other] - max(offset, 0)
    longer = rows - columns
    if not isinstance(longer, int):
        raise ShapeError(f"which of {rows} and {columns} is less is known only when it is called")
    length = rows if longer <= 0 else columns
    if isinstance(length, int):
        length = max(length, 0)
    spans: list[Span] = [(0, dim, 1) for dim in x.shape]
    spans[one], spans[other] = (max(-offset, 0), length, 1), (max(offset, 0), length, 1)
    if length == 0:
        spans[one], spans[other] = (0, 0, 1), (0, 0, 1)
    if tuple(spans) != tuple((0, dim, 1) for dim in x.shape):
        x = Slice((x,), tuple(spans))
    labels = [one if axis == other else axis for axis in range(x.type.rank)]
    rest = [axis for axis in range(x.type.rank) if axis not in (one, other)]
    return contract((x,), (tuple(labels),), (*rest, one))


@implements(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Variable:
    """Sums of diagonals."""
    no_options("trace", {"dtype": dtype, "out": out})

    def make(x: Node) -> Node:
        found = as_number(_diagonal(x, offset, axis1, axis2))
        return sum_axes(found, (found.type.rank - 1,))

    return build("trace", make, (a,))


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Variable:
    """Diagonal of a matrix, or the matrix that has a vector on its diagonal."""

    def make(x: Node) -> Node:
        if x.type.rank == 2:
            return _diagonal(x, k, 0, 1)
        if x.type.rank != 1:
            raise ShapeError("diag takes a vector or a matrix")
        square = contract((x,), ((0,),), (0, 0))
        if k == 0:
            return square
        (n,) = x.shape
        spans: tuple[Span, ...] = ((max(-k, 0), n, 1), (max(k, 0), n, 1))
        padded: Node = Pad((square,), spans, (n + abs(k), n + abs(k)))
        return padded

    return build("diag", make, (v,))


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Variable:
    """Matrix that has the elements on its diagonal."""
    return diag(OPERATORS["ravel"](v), k)


def _triangle(name: str, comparison: str) -> Any:
    def triangle(m: Any, k: int = 0) -> Variable:
        def make(x: Node) -> Node:
            if x.type.rank < 2:
                raise ShapeError(f"{name} takes matrices")
            rows: Node = Iota((), x.shape[-2])
            columns: Node = Iota((), x.shape[-1])
            edge = elementwise("add", reshape(rows, (x.shape[-2], 1)), constant(int(k)))
            zero = constant({"real": 0.0, "integer": 0, "boolean": False}[x.kind])
            return elementwise("where", elementwise(comparison, columns, edge), x, zero)

        return build(name, make, (m,))

    triangle.__name__ = name
    return triangle


implements(np.tril)(_triangle("tril", "less_equal"))
implements(np.triu)(_triangle("triu", "greater_equal"))


@implements(np.einsum)
def einsum(subscripts: Any, *operands: Any, **rest: Any) -> Variable:
    """Sum of products in Einstein's notation, in all forms that NumPy knows."""
    rest.pop("optimize", None)  # the order of the products is the compiler's business
    no_options("einsum", {k: v for k, v in rest.items() if v})
    if isinstance(subscripts, str):
        text = subscripts
    else:
        text, operands = _from_lists((subscripts, *operands))

    def make(*nodes: Node) -> Node:
        numbers = [as_number(node) for node in nodes]
        if any(node.kind == "real" for node in numbers):
            numbers = [as_real(node) for node in numbers]
        inputs, output = _subscripts(text, [node.type.rank for node in numbers])
        return contract(*_without_ones(numbers, inputs), output)

    return build("einsum", make, operands)


def _from_lists(values: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return the form ``op0, [0, 1], op1, [1, ...], [0]`` as subscripts and operands."""

    def letters(labels: Any) -> str:
        return "".join("..." if k is Ellipsis else _LETTERS[k] for k in labels)

    pairs = len(values) // 2
    text = ",".join(letters(labels) for labels in values[1 : 2 * pairs : 2])
    if len(values) % 2:
        text += f"->{letters(values[-1])}"
    return text, tuple(values[: 2 * pairs : 2])


_LETTERS = string.ascii_letters  # label 0 is "a"; the implicit output is in their order
_DOTS = 1000  # labels of the axes under an ellipsis, counted from the last


def _subscripts(text: str, ranks: Sequence[int]) -> tuple[list[Labels], Labels]:
    """Return the labels of all operands and of the result."""
    left, arrow, right = text.replace(" ", "").partition("->")
    parts = left.split(",")
    if len(parts) != len(ranks):
        raise ShapeError(f"einsum {text!r} does not fit {len(ranks)} operands")
    inputs = [_labels(part, rank, text) for part, rank in zip(parts, ranks, strict=True)]
    dots = max((sum(k >= _DOTS for k in labels) for labels in inputs), default=0)
    letters = [c for part in parts for c in part if c != "."]
    if not arrow:
        once = sorted(c for c in set(letters) if letters.count(c) == 1)
        right = ("..." if dots else "") + "".join(once)
    bare = right.replace("...", "", 1)
    if len(set(bare)) < len(bare) or not set(bare) <= set(letters):
        raise ShapeError(f"the output of einsum {text!r} has a letter twice or anew")
    if dots and "..." not in right:
        raise ShapeError(f"the output of einsum {text!r} lacks the axes under '...': write '->...'")
    return inputs, _labels(right, len(bare) + dots, text)


def _labels(part: str, rank: int, text: str) -> Labels:
    before, dots, after = part.partition("...")
    if not (before + after).isalpha() and before + after:
        raise ShapeError(f"einsum {text!r} has something else than letters, '...', ',' and '->'")
    hidden = rank - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise ShapeError(f"einsum {text!r} names {len(before + after)} axes of one of rank {rank}")
    middle = range(_DOTS + hidden - 1, _DOTS - 1, -1)
    return (*map(ord, before), *middle, *map(ord, after))


def _without_ones(
    nodes: Sequence[Node], inputs: Sequence[Labels]
) -> tuple[list[Node], list[Labels]]:
    """Drop axes of size 1 under labels that have another size elsewhere: they broadcast."""
    sizes: dict[int, Dim] = {}
    for node, labels in zip(nodes, inputs, strict=True):
        for label, dim in zip(labels, node.shape, strict=True):
            if sizes.get(label, 1) == 1:
                sizes[label] = dim
    lean, kept = [], []
    for node, labels in zip(nodes, inputs, strict=True):
        axes = [a for a, k in enumerate(labels) if node.shape[a] != 1 or sizes[k] == 1]
        lean.append(reshape(node, tuple(node.shape[a] for a in axes)))
        kept.append(tuple(labels[a] for a in axes))
    return lean, kept
