"""NumPy's functions on variables: what `np.tanh(s)` or `np.sum(e, axis=0)` builds.

The tables map NumPy's functions to functions on variables; NumPy finds them through
``__array_ufunc__`` and ``__array_function__``, Python's operators through ``OPERATORS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.declare import parse_shape
from graphc.language.indexing import index
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.contraction import broadcast_to, contract, sum_axes, transpose
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import Size, constant, scalar_value
from graphc.ops.reduction import kept, reduction
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import Pad, Span, reshape
from graphc.types import (
    Dim,
    Dimension,
    Shape,
    broadcast,
    floor_divide,
    normal_axes,
    normal_axis,
    promote,
    size_of,
)

F = TypeVar("F", bound=Callable[..., Any])
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
UFUNCS = {
    row.ufunc: name for name, row in SCALARS.items() if row.ufunc is not None and name != "real"
} | {
    "abs": "absolute",
    "true_divide": "divide",
    "fabs": "fabs",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "invert": "~",
}


def implements(*functions: Any) -> Callable[[F], F]:
    """Register what a NumPy function does on variables."""

    def register(implementation: F) -> F:
        for function in functions:
            FUNCTIONS[function] = implementation
        OPERATORS.setdefault(implementation.__name__, implementation)
        return implementation

    return register


def scalar_function(name: str) -> Callable[..., Variable]:
    """Return the function on variables that applies a row of the scalar table."""

    def apply(*operands: Any) -> Variable:
        if name in ("maximum", "minimum"):
            return _extreme(name, *operands)
        return build(name, lambda *nodes: elementwise(name, *nodes), operands)

    return apply


def _extreme(name: str, a: Any, b: Any) -> Variable:
    """Apply maximum or minimum; ``maximum(x, 0)`` is relu, whose derivative at 0 is 0."""

    def make(x: Node, y: Node) -> Node:
        for this, other in ((x, y), (y, x)):
            if name == "maximum" and scalar_value(other) == 0 and this.kind == "real":
                return elementwise("relu", this)
        return elementwise(name, x, y)

    return build(name, make, (a, b))


def fabs(x: Any) -> Variable:
    """Return the absolute value as a real number."""
    return build("fabs", lambda node: elementwise("absolute", as_real(node)), (x,))


def _on_booleans(symbol: str, name: str) -> Callable[..., Variable]:
    """Return what ``&``, ``|`` or ``~`` does: of integers, NumPy's would be bitwise."""

    def make(*nodes: Node) -> Node:
        if any(node.kind != "boolean" for node in nodes):
            raise KindError(f"{symbol} takes booleans; np.{name} takes numbers too")
        return elementwise(name, *nodes)

    return lambda *operands: build(symbol, make, operands)


for _name in SCALARS:
    OPERATORS[_name] = scalar_function(_name)
OPERATORS |= {
    "fabs": fabs,
    "&": _on_booleans("&", "logical_and"),
    "|": _on_booleans("|", "logical_or"),
    "~": _on_booleans("~", "logical_not"),
}


def apply_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Variable:
    """Apply a ufunc, or the ``reduce`` of one that is a reduction."""
    if options.get("out") is not None:
        raise UsageError(f"{here()}: out= would assign into a variable; use the result instead")
    name = ufunc.__name__
    if method == "reduce" and name in ("add", "maximum", "minimum", "multiply"):
        reducer = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}[name]
        return OPERATORS[reducer](*inputs, **{"axis": 0, **options})
    if method != "__call__":
        raise UsageError(f"{here()}: np.{name}.{method} does not work on variables")
    if options:
        raise UsageError(f"{here()}: np.{name} on variables takes no {', '.join(options)}=")
    if name in ("matmul", "vecdot"):
        return OPERATORS[name](*inputs)
    if name not in UFUNCS:
        raise UsageError(f"{here()}: np.{name} does not work on graphc variables")
    return OPERATORS[UFUNCS[name]](*inputs)


def apply_function(function: Any, args: Any, options: Any) -> Any:
    """Apply one of NumPy's other functions."""
    implementation = FUNCTIONS.get(function)
    if implementation is None:
        module = str(getattr(function, "__module__", "numpy")).replace("numpy", "np", 1)
        name = getattr(function, "__name__", function)
        raise UsageError(f"{here()}: {module}.{name} does not work on graphc variables")
    return implementation(*args, **options)


OPERATORS["ufunc"] = apply_ufunc
OPERATORS["function"] = apply_function
OPERATORS["getitem"] = index


def _number(node: Node) -> Node:
    """Return a node that can be summed: booleans count as integers."""
    if node.kind != "boolean":
        return node
    return elementwise("where", node, constant(1), constant(0))


def _reduced(
    operation: str, make: Callable[[Node, tuple[int, ...]], Node], a: Any, axis: Any, keepdims: Any
) -> Variable:
    def reduce_node(node: Node) -> Node:
        axes = normal_axes(axis, node.type.rank)
        result = make(node, axes)
        keep = keepdims is not np._NoValue and bool(keepdims)
        return reshape(result, kept(node.shape, axes)) if keep else result

    return build(operation, reduce_node, (a,))


def _options(function: str, given: dict[str, Any]) -> None:
    wrong = [
        name for name, value in given.items() if value is not None and value is not np._NoValue
    ]
    if wrong:
        raise UsageError(f"{here()}: np.{function} on variables takes no {', '.join(wrong)}=")


@implements(np.sum)
def sum(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
    """Sum over axes."""
    _options("sum", rest)
    return _reduced("sum", lambda x, axes: sum_axes(_number(x), axes), a, axis, keepdims)


@implements(np.mean)
def mean(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
    """Mean over axes."""
    _options("mean", rest)

    def make(x: Node, axes: tuple[int, ...]) -> Node:
        count = size_of([x.shape[axis] for axis in axes])
        return elementwise("divide", sum_axes(_number(x), axes), dimension_node(count))

    return _reduced("mean", make, a, axis, keepdims)


def _reducer(name: str, *functions: Any) -> None:
    def reduce(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
        _options(name, rest)
        make = lambda x, axes: reduction(name, x, axes)  # noqa: E731
        if name.startswith("arg") and axis is None:
            a = reshape_variable(a, -1)
        return _reduced(name, make, a, axis, keepdims)

    reduce.__name__ = name
    implements(*functions)(reduce)


_reducer("max", np.max, np.amax)
_reducer("min", np.min, np.amin)
_reducer("prod", np.prod)
_reducer("argmax", np.argmax)
_reducer("argmin", np.argmin)
_reducer("any", np.any)
_reducer("all", np.all)


def along(name: str) -> Callable[..., Variable]:
    """Return softmax, log_softmax or logsumexp along axes, stable for every input."""

    def apply(x: Any, axis: Any, keepdims: bool = False) -> Variable:
        return _reduced(name, lambda node, axes: reduction(name, node, axes), x, axis, keepdims)

    return apply


def dimension_node(dim: Dim) -> Node:
    """Return a dimension as a real number."""
    made: Node = constant(float(dim)) if isinstance(dim, int) else Size((), dim)
    return made


def reshape_variable(a: Any, shape: Any, order: str = "C") -> Variable:
    """Reshape; one size may be -1, named sizes stay as they are."""
    if order != "C":
        raise UsageError(f"{here()}: reshape on variables knows only order='C'")

    def make(node: Node) -> Node:
        return reshape(node, _completed(shape, node.shape))

    return build("reshape", make, (a,))


def _completed(shape: Any, old: Shape) -> Shape:
    """Return a new shape as users write it, -1 replaced by what is left over of `old`."""
    single = isinstance(shape, int | np.integer | str | Dimension)
    sizes = [shape] if single else list(shape)
    unknown = [
        i for i, size in enumerate(sizes) if isinstance(size, int | np.integer) and size == -1
    ]
    if len(unknown) > 1:
        raise ShapeError(f"only one size can be -1, got {tuple(sizes)}")
    dims = list(parse_shape(1 if i in unknown else size for i, size in enumerate(sizes)))
    if unknown:
        dims[unknown[0]] = floor_divide(size_of(old), size_of(dims))
    return tuple(dims)


FUNCTIONS[np.reshape] = OPERATORS["reshape"] = reshape_variable


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Variable:
    """Flatten."""
    return reshape_variable(a, -1, order)


def _transposed(a: Any, axes: Any = None) -> Variable:
    def make(node: Node) -> Node:
        rank = node.type.rank
        order = tuple(reversed(range(rank))) if axes is None else tuple(axes)
        if sorted(a % rank if rank else a for a in order) != list(range(rank)):
            raise ShapeError(f"axes {order} do not name each of {rank} axes once")
        return transpose(node, tuple(a % rank for a in order))

    return build("transpose", make, (a,))


FUNCTIONS[np.transpose] = OPERATORS["transpose"] = _transposed


@implements(np.expand_dims)
def expand_dims(a: Any, axis: int) -> Variable:
    """Insert an axis of size 1."""

    def make(node: Node) -> Node:
        at = axis % (node.type.rank + 1)
        return reshape(node, (*node.shape[:at], 1, *node.shape[at:]))

    return build("expand_dims", make, (a,))


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Variable:
    """Remove axes of size 1."""

    def make(node: Node) -> Node:
        ones = [i for i, dim in enumerate(node.shape) if dim == 1]
        axes = ones if axis is None else normal_axes(axis, node.type.rank)
        if not set(axes) <= set(ones):
            raise ShapeError(f"cannot squeeze axes {axis} of an array of shape {node.shape}")
        return reshape(node, tuple(d for i, d in enumerate(node.shape) if i not in axes))

    return build("squeeze", make, (a,))


@implements(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0, **rest: Any) -> Variable:
    """Join along an axis that all have; ``None`` flattens first."""
    _options("concatenate", rest)
    parts = tuple(arrays)
    if axis is None:
        parts, axis = tuple(reshape_variable(part, -1) for part in parts), 0
    return build("concatenate", lambda *nodes: _joined(nodes, axis), parts)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, **rest: Any) -> Variable:
    """Join along a new axis."""
    _options("stack", rest)

    def make(*nodes: Node) -> Node:
        at = normal_axis(axis, nodes[0].type.rank + 1)
        return _joined([reshape(n, (*n.shape[:at], 1, *n.shape[at:])) for n in nodes], at)

    return build("stack", make, tuple(arrays))


def _joined(nodes: Sequence[Node], axis: int) -> Node:
    """Return the sum of all parts, each padded to the whole."""
    at = normal_axis(axis, nodes[0].type.rank)
    if promote(node.kind for node in nodes) == "real":
        nodes = [as_real(node) for node in nodes]
    others = {(*node.shape[:at], *node.shape[at + 1 :]) for node in nodes}
    if len(others) > 1 or any(node.type.rank != nodes[0].type.rank for node in nodes):
        raise ShapeError(f"the shapes differ in more than axis {at}")
    start: Dim = 0
    parts: list[Node] = []
    length = reduce(lambda n, node: n + node.shape[at], nodes, start)
    for node in nodes:
        spans: list[Span] = [(0, dim, 1) for dim in node.shape]
        spans[at] = (start, node.shape[at], 1)
        whole = (*node.shape[:at], length, *node.shape[at + 1 :])
        parts.append(Pad((node,), tuple(spans), whole))
        start = start + node.shape[at]
    return reduce(lambda a, b: elementwise("add", a, b), parts)


@implements(np.broadcast_to)
def broadcast_variable(array: Any, shape: Any, **rest: Any) -> Variable:
    """Broadcast to a shape."""
    _options("broadcast_to", {k: v for k, v in rest.items() if v})
    target = _completed(shape, ())

    def make(node: Node) -> Node:
        if broadcast(node.shape, target) != target:
            raise ShapeError(f"cannot broadcast to {target}")
        return broadcast_to(node, target)

    return build("broadcast_to", make, (array,))


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Variable:
    """Choose element by element."""
    if x is None or y is None:
        raise UsageError(f"{here()}: np.where on variables takes three arguments")

    def make(c: Node, a: Node, b: Node) -> Node:
        if c.kind != "boolean":
            c = elementwise("not_equal", c, constant(0))
        return elementwise("where", c, a, b)

    return build("where", make, (condition, x, y))


@implements(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, **rest: Any) -> Variable:
    """Limit to an interval; the derivative is 1 inside and at the bounds."""
    low, high = rest.pop("min", a_min), rest.pop("max", a_max)
    _options("clip", rest)
    result = as_variable(a)
    if low is not None:
        result = where(result < low, low, result)
    if high is not None:
        result = where(result > high, high, result)
    return result


def _operands(a: Node, b: Node) -> tuple[Node, Node]:
    """Return two operands of a product as numbers of one kind."""
    a, b = _number(a), _number(b)
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
    _options("einsum", {k: v for k, v in rest.items() if v})
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
        numbers = [_number(node) for node in nodes]
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
