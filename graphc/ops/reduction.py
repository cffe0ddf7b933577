"""Reductions that are not sums, and functions along axes that are stable by construction.

``logsumexp``, ``softmax`` and ``log_softmax`` are primitives with derivatives in each other's
terms. Only after the backward pass exists are they written out in maxima, exponentials and sums
(:mod:`graphc.passes.expand`); forward and backward then share the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Apply, Best, Num, Product, Sum, Symbol, Term, fresh_index, mul
from graphc.ops.contraction import broadcast_to, sum_axes, transpose
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import constant
from graphc.ops.recurrence import later, recurrence_back
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.structural import reshape, turned
from graphc.types import Dim, Kind, Shape, TensorType, size_of


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Reduction(Node):
    """A function of the elements along `axes`: sorted, all of them counted from the front."""

    function: str
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reducer:
    """A row of the table of reductions.

    Parameters
    ----------
    keeps
        Whether the result has the operand's shape (softmax) or lacks the axes (max).
    kind
        The kind of the result, from that of the operand.
    vjp
        ``vjp(node, g)``, or ``None`` where no derivative passes.
    meaning
        ``meaning(bound, at, own, places)``: the term, where ``bound`` are index and size of each
        axis, ``at()`` is the operand's element there, and of a function that keeps the axes
        ``own()`` is the element at the result's own ``places``.
    evaluate
        ``evaluate(x, axes)`` in NumPy.
    """

    keeps: bool
    kind: Callable[[Kind], Kind]
    vjp: Callable[[Reduction, Node], Node] | None
    meaning: Callable[..., Term]
    evaluate: Callable[[Any, tuple[int, ...]], Any]


REDUCERS: dict[str, Reducer] = {}


def reduction(function: str, x: Node, axes: tuple[int, ...]) -> Node:
    """Return `function` of `x` along `axes`; along no axes, of single elements."""
    if function in ("logsumexp", "softmax", "log_softmax"):
        x = as_real(x)
    made: Node = Reduction((x,), function, axes)
    return made


def kept(shape: Shape, axes: Sequence[int]) -> Shape:
    """Return `shape` with 1 along `axes`."""
    return tuple(1 if a in axes else dim for a, dim in enumerate(shape))


def spread(node: Node, over: Node, axes: Sequence[int]) -> Node:
    """Return a reduced `node` with axes of size 1 put back, to broadcast against `over`."""
    return reshape(node, kept(over.shape, axes))


def total(node: Node, axes: Sequence[int]) -> Node:
    """Return the sum over `axes`, the axes kept with size 1."""
    return reshape(sum_axes(node, axes), kept(node.shape, axes))


def _extreme_vjp(node: Reduction, g: Node) -> Node:
    """Share the cotangent equally among the elements that attain the extreme."""
    (x,) = node.args
    hit = elementwise("real", elementwise("equal", x, spread(node, x, node.axes)))
    share = elementwise("divide", spread(g, x, node.axes), total(hit, node.axes))
    return elementwise("multiply", hit, share)


def _logsumexp_vjp(node: Reduction, g: Node) -> Node:
    (x,) = node.args
    return elementwise("multiply", spread(g, x, node.axes), reduction("softmax", x, node.axes))


def _softmax_vjp(node: Reduction, g: Node) -> Node:
    inner = total(elementwise("multiply", g, node), node.axes)
    return elementwise("multiply", node, elementwise("subtract", g, inner))


def _log_softmax_vjp(node: Reduction, g: Node) -> Node:
    (x,) = node.args
    carried = elementwise("multiply", reduction("softmax", x, node.axes), total(g, node.axes))
    return elementwise("subtract", g, carried)


def _cumsum_vjp(node: Reduction, g: Node) -> Node:
    (axis,) = node.axes
    return turned(reduction("cumsum", turned(g, axis), node.axes), axis)


def _before(x: Node, axis: int) -> Node:
    """Return at each place along `axis` the product of the elements before it."""
    return later(reduction("cumprod", x, (axis,)), axis, first=1.0)


def _cumprod_vjp(node: Reduction, g: Node) -> Node:
    """Return what comes before each factor times what it carries: exact at zeros, in one pass.

    With R what a change of the product up to a place brings about: R[i] = g[i] + x[i + 1] R[i + 1].
    """
    (x,), (axis,) = node.args, node.axes
    return elementwise("multiply", _before(x, axis), recurrence_back(x, g, axis))


def _prod_vjp(node: Reduction, g: Node) -> Node:
    """Multiply with the product of the others: of those before times that of those after.

    Dividing the product by the element would fail at zeros, and picking cases apart there would
    lose the second derivative.
    """
    (x,) = node.args
    rest = [a for a in range(x.type.rank) if a not in node.axes]
    order = [*rest, *node.axes]
    count = size_of([x.shape[a] for a in node.axes])
    front = tuple(x.shape[a] for a in rest)
    last = len(rest)
    if count in (0, 1):
        return broadcast_to(spread(g, x, node.axes), x.shape)
    factors = reshape(transpose(x, order), (*front, count))
    after = turned(_before(turned(factors, last), last), last)
    others = elementwise("multiply", _before(factors, last), after)
    aligned = reshape(others, tuple(x.shape[a] for a in order))
    back = sorted(range(len(order)), key=order.__getitem__)
    return elementwise("multiply", spread(g, x, node.axes), transpose(aligned, back))


def _norm_vjp(node: Reduction, g: Node) -> Node:
    """Return ``g x / ‖x‖``; 0 where the norm is 0, and so are all further derivatives there.

    Elements are divided before they are multiplied: ``g / ‖x‖`` may overflow, which ``x / ‖x‖``
    cannot.
    """
    (x,) = node.args
    none = elementwise("equal", node, constant(0.0))
    length = elementwise("where", none, constant(float("inf")), node)
    unit = elementwise("divide", x, spread(length, x, node.axes))
    return elementwise("multiply", spread(g, x, node.axes), unit)


def _norm_meaning(bound: Any, at: Callable[..., Term], *_: object) -> Term:
    return _squares(bound, at) ** Fraction(1, 2)


def _squares(bound: Sequence[tuple[Symbol, Dim]], at: Callable[..., Term]) -> Term:
    term: Term = at() ** 2
    for index, dim in reversed(bound):
        term = Sum(index, dim, term)
    return term


def _best(function: str) -> Callable[..., Term]:
    def meaning(bound: Sequence[tuple[Symbol, Dim]], at: Callable[..., Term], *_: object) -> Term:
        term = at()
        for index, dim in reversed(bound):
            term = Best(function, index, dim, term)
        return term

    return meaning


def _product(bound: Sequence[tuple[Symbol, Dim]], at: Callable[..., Term], *_: object) -> Term:
    term = at()
    for index, dim in reversed(bound):
        term = Product(index, dim, term)
    return term


def _exponentials(bound: Sequence[tuple[Symbol, Dim]], at: Callable[..., Term], *_: object) -> Term:
    term: Term = Apply("exp", (at(),))
    for index, dim in reversed(bound):
        term = Sum(index, dim, term)
    return term


def _softmax_meaning(bound: Any, at: Callable[..., Term], own: Any, *_: object) -> Term:
    return Apply("exp", (own(),)) / _exponentials(bound, at)


def _log_softmax_meaning(
    bound: Any, at: Callable[..., Term], own: Callable[[], Term], *_: object
) -> Term:
    return own() - Apply("log", (_exponentials(bound, at),))


def _logsumexp_meaning(bound: Any, at: Callable[..., Term], *_: object) -> Term:
    return Apply("log", (_exponentials(bound, at),))


def _shifted(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    top = np.max(x, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)  # all -inf, or +inf among them
    return top, np.exp(x - top).sum(axis=axes, keepdims=True)


def _logsumexp(x: Any, axes: tuple[int, ...]) -> Any:
    top, total_ = _shifted(x, axes)
    return np.squeeze(np.log(total_) + top, axis=axes)


def _softmax(x: Any, axes: tuple[int, ...]) -> Any:
    top, total_ = _shifted(x, axes)
    return np.exp(x - top) / total_


def _log_softmax(x: Any, axes: tuple[int, ...]) -> Any:
    top, total_ = _shifted(x, axes)
    return x - top - np.log(total_)


def _norm(x: Any, axes: tuple[int, ...]) -> Any:
    """Return the root of the sum of squares, of numbers between -1 and 1."""
    top = np.max(np.abs(x), axis=axes, keepdims=True, initial=0.0)
    top = np.where((top > 0) & (top < np.inf), top, 1.0)
    return np.sqrt(np.sum(np.square(x / top), axis=axes)) * np.squeeze(top, axis=axes)


def _position(find: Callable[..., Any]) -> Callable[[Any, tuple[int, ...]], Any]:
    return lambda x, axes: find(x, axis=axes[0])


def _cumulated(bound: Any, at: Callable[..., Term], own: Any, places: Indices) -> Term:
    ((index, dim),), (place,) = bound, places
    made: Term = Sum(index, dim, mul(Apply("less_equal", (index, place)), at()))
    return made


def _multiplied(bound: Any, at: Callable[..., Term], own: Any, places: Indices) -> Term:
    ((index, dim),), (place,) = bound, places
    so_far = Apply("less_equal", (index, place))
    made: Term = Product(index, dim, Apply("where", (so_far, at(), Num(1))))
    return made


def _stable_order(x: Any, axes: tuple[int, ...]) -> Any:
    return np.argsort(x, axis=axes[0], kind="stable")


def _unprintable(name: str) -> Callable[..., Term]:
    def meaning(bound: Any, at: Callable[..., Term], *_: object) -> Term:
        raise FormulaError(f"{name} has no index form: it is what a search finds")

    return meaning


def _same(kind: Kind) -> Kind:
    return kind


def _integer(kind: Kind) -> Kind:
    return "integer"


def _boolean(kind: Kind) -> Kind:
    return "boolean"


def _real(kind: Kind) -> Kind:
    return "real"


REDUCERS |= {
    "max": Reducer(False, _same, _extreme_vjp, _best("max"), lambda x, a: np.max(x, axis=a)),
    "min": Reducer(False, _same, _extreme_vjp, _best("min"), lambda x, a: np.min(x, axis=a)),
    "prod": Reducer(False, _same, _prod_vjp, _product, lambda x, a: np.prod(x, axis=a)),
    "argmax": Reducer(False, _integer, None, _unprintable("argmax"), _position(np.argmax)),
    "argmin": Reducer(False, _integer, None, _unprintable("argmin"), _position(np.argmin)),
    # Of truth values, 0 and 1, the largest is whether any is true.
    "any": Reducer(False, _boolean, None, _best("max"), lambda x, a: np.any(x, axis=a)),
    "all": Reducer(False, _boolean, None, _best("min"), lambda x, a: np.all(x, axis=a)),
    "cumsum": Reducer(True, _same, _cumsum_vjp, _cumulated, lambda x, a: np.cumsum(x, axis=a[0])),
    "cumprod": Reducer(
        True, _same, _cumprod_vjp, _multiplied, lambda x, a: np.cumprod(x, axis=a[0])
    ),
    "argsort": Reducer(True, _integer, None, _unprintable("argsort"), _stable_order),
    "norm": Reducer(False, _real, _norm_vjp, _norm_meaning, _norm),
    "logsumexp": Reducer(False, _real, _logsumexp_vjp, _logsumexp_meaning, _logsumexp),
    "softmax": Reducer(True, _real, _softmax_vjp, _softmax_meaning, _softmax),
    "log_softmax": Reducer(True, _real, _log_softmax_vjp, _log_softmax_meaning, _log_softmax),
}


ONE_AXIS = ("argmax", "argmin", "argsort", "cumsum", "cumprod")


def _type(node: Reduction) -> TensorType:
    (x,) = node.args
    row = REDUCERS[node.function]
    if node.function in ONE_AXIS and len(node.axes) != 1:
        raise ShapeError(f"{node.function} works along one axis, got {node.axes}")
    shape = x.shape if row.keeps else tuple(d for a, d in enumerate(x.shape) if a not in node.axes)
    return TensorType(shape, row.kind(x.kind))


def _cuts(node: Reduction, i: int) -> bool:
    discrete = node.kind != "real" or node.args[i].kind != "real"
    return discrete or REDUCERS[node.function].vjp is None


def _vjp(node: Reduction, i: int, g: Node) -> Node:
    rule = REDUCERS[node.function].vjp
    assert rule is not None, "nothing passes a cut"
    return broadcast_to(rule(node, g), node.args[i].shape)


def _batch(node: Reduction, args: Sequence[Node], _: object, size: Dim) -> Node:
    made: Node = Reduction((args[0],), node.function, tuple(a + 1 for a in node.axes))
    return made


def _meaning(node: Reduction, indices: Indices, element: Element) -> Term:
    (x,) = node.args
    row = REDUCERS[node.function]
    bound = {a: fresh_index() for a in node.axes}
    others = iter(
        indices if not row.keeps else [i for a, i in enumerate(indices) if a not in bound]
    )
    whole = tuple(bound[a] if a in bound else next(others) for a in range(x.type.rank))
    pairs = [(index, x.shape[a]) for a, index in bound.items()]
    own = tuple(indices[a] for a in node.axes) if row.keeps else ()
    return row.meaning(pairs, lambda: element(0, whole), lambda: element(0, indices), own)


def _evaluate(node: Reduction, values: Sequence[Any], sizes: Sizes) -> Any:
    return REDUCERS[node.function].evaluate(values[0], node.axes)


define(
    Reduction,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
