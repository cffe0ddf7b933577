"""The value of a term, by arrays over its indices: what tests compare formulas with code by.

Every part of a term becomes an array with an axis for each index that the part depends on, once
for each part, and sums of products are contracted. Nothing here is shared with the code route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from graphc.calculus.index_terms import Index, LogSumExp, Softmax, nest_of
from graphc.calculus.matrix_factors import part_of
from graphc.ir.nodes import Node
from graphc.ir.terms import (
    Add,
    Apply,
    Best,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Product,
    Ref,
    Sum,
    Symbol,
    Term,
)
from graphc.ops.leaves import Constant
from graphc.ops.rules import Sizes
from graphc.ops.rules import evaluate as evaluate_nodes
from graphc.ops.scalars import SCALARS
from graphc.types import Dim, evaluate

Values = Mapping[Node, Any]
Axes: TypeAlias = tuple[Symbol, ...]
Indexed: TypeAlias = tuple[Axes, Any]  # an array, and the index that each axis runs over


def evaluate_term(
    term: Term, values: Values, sizes: Sizes | None = None, free: tuple[Index, ...] = ()
) -> Any:
    """Return the array of values that `term` has at all values of the indices `free`.

    Parameters
    ----------
    values
        An array per tensor that the term refers to.
    sizes
        The value of every named size.
    free
        The indices of the result's axes.
    """
    sizes = sizes or {}
    with np.errstate(all="ignore"):
        axes, array = _Evaluation(values, sizes).of(term)
    shape = tuple(size(index.extent, sizes) for index in free)
    return np.broadcast_to(_along(np.asarray(array, np.float64), axes, free), shape).copy()


def size(dim: Dim, sizes: Sizes) -> int:
    """Return a size as a number."""
    return int(evaluate(dim, sizes))  # type: ignore[arg-type]


def array_of(tensor: Node, values: Values, sizes: Sizes | None = None) -> Any:
    """Return the values of a tensor; a constant has its own."""
    if part_of(tensor) is not None and tensor not in values:
        return np.asarray(evaluate_nodes([tensor], values, sizes or {})[0])
    return np.asarray(tensor.value if isinstance(tensor, Constant) else values[tensor])


class _Evaluation:
    """One term's value, with those of its parts."""

    def __init__(self, values: Values, sizes: Sizes) -> None:
        self.values, self.sizes = values, sizes
        self.known: dict[Term, Indexed] = {}

    def of(self, term: Term) -> Indexed:
        found = self.known.get(term)
        if found is None:
            found = self.known[term] = self._of(term)
        return found

    def _of(self, term: Term) -> Indexed:
        match term:
            case Index():
                return (term,), np.arange(size(term.extent, self.sizes))
            case Num(value):
                return (), np.asarray(value if isinstance(value, int) else float(value))
            case Extent(dim):
                return (), float(size(dim, self.sizes))
            case Ref(tensor, indices):
                return _picked(
                    array_of(tensor, self.values, self.sizes), [self.of(i) for i in indices]
                )
            case Delta(left, right):
                return self._called(np.equal, (left, right))
            case Add(terms):
                return self._called(lambda *parts: sum(map(_real, parts)), terms)
            case Mul() | Sum():
                return self._contracted(term)
            case Apply("power", args):
                return self._called(lambda base, by: np.power(_real(base), _real(by)), args)
            case Apply("equal", args):
                # Equal in mathematics: two ways to round the same number are no difference.
                return self._called(lambda a, b: np.isclose(a, b, rtol=1e-12, atol=0), args)
            case Apply(function, args):
                return self._called(SCALARS[function].evaluate, args)
            case Product(index, _, body):
                return self._reduced(np.prod, body, (index,))
            case Best(function, index, _, body):
                return self._reduced({"max": np.max, "min": np.min}[function], body, (index,))
            case LogSumExp(body, bound):
                return self._reduced(_logsumexp, body, bound)
            case Softmax(body, bound, at):
                axes, array = self._leading(body, bound)
                return _picked(_softmax(array, len(bound)), [self.of(p) for p in at], axes)
            case Inverse(row, column, _, body, at):
                axes, array = self._leading(body, (row, column))
                found = np.linalg.inv(np.moveaxis(array, (0, 1), (-2, -1)))
                places = [self.of(place) for place in at]
                return _picked(np.moveaxis(found, (-2, -1), (0, 1)), places, axes)
            case Determinant(function, row, column, _, body):
                axes, array = self._leading(body, (row, column))
                sign, log = np.linalg.slogdet(np.moveaxis(array, (0, 1), (-2, -1)))
                return axes, {"det": sign * np.exp(log), "logdet": log, "signdet": sign}[function]
        raise TypeError(f"no value of {type(term).__name__}")

    def _called(self, function: Callable[..., Any], args: Sequence[Term]) -> Indexed:
        parts = [self.of(arg) for arg in args]
        axes = tuple(dict.fromkeys(index for own, _ in parts for index in own))
        return axes, function(*(_along(np.asarray(array), own, axes) for own, array in parts))

    def _contracted(self, term: Term) -> Indexed:
        """Return a product, or nested sums of one."""
        nest = nest_of(term)
        body = nest[-1].body if nest else term
        parts = [self.of(factor) for factor in (body.factors if isinstance(body, Mul) else (body,))]
        held = {index for own, _ in parts for index in own}
        # What does not depend on an index is added up as often as the index has values.
        parts += [(own, np.ones(len(run))) for own, run in
                  (self.of(part.index) for part in nest if part.index not in held)]  # fmt: skip
        bound = {part.index for part in nest}
        axes = tuple(dict.fromkeys(i for own, _ in parts for i in own if i not in bound))
        labels = {index: n for n, index in enumerate(dict.fromkeys((*axes, *held, *bound)))}
        operands = [
            given
            for own, array in parts
            for given in (_real(array), [labels[index] for index in own])
        ]
        return axes, np.einsum(*operands, [labels[i] for i in axes], optimize="greedy")

    def _reduced(self, reduce: Callable[..., Any], body: Term, bound: Sequence[Symbol]) -> Indexed:
        axes, array = self._leading(body, bound)
        return axes, reduce(array, axis=tuple(range(len(bound))))

    def _leading(self, body: Term, bound: Sequence[Symbol]) -> Indexed:
        """Return an array with the axes `bound` in front, and the other axes."""
        own, array = self.of(body)
        axes = tuple(index for index in own if index not in bound)
        shape = [len(self.of(index)[1]) for index in bound]
        whole = _along(_real(array), own, (*bound, *axes))
        return axes, np.broadcast_to(whole, (*shape, *whole.shape[len(bound) :]))


def _real(array: Any) -> Any:
    return np.asarray(array, np.float64)


def _along(array: Any, own: Axes, axes: Sequence[Symbol]) -> Any:
    """Return an array with its axes in the order `axes`, of length 1 where it has none."""
    if not own:
        return array  # an order of a Bessel function has no axes, and gets none
    there = [index for index in axes if index in own]
    turned = array.transpose([own.index(index) for index in there])
    return turned.reshape([turned.shape[there.index(i)] if i in own else 1 for i in axes])


def _picked(array: Any, places: Sequence[Indexed], rest: Axes = ()) -> Indexed:
    """Return the elements at `places` of the first axes; the other axes are those in `rest`."""
    runs = [((index,), np.arange(n)) for index, n in zip(rest, array.shape[len(places) :],
                                                         strict=True)]  # fmt: skip
    every = [*places, *runs]
    axes = tuple(dict.fromkeys(index for own, _ in every for index in own))
    at = [_along(np.asarray(place), own, axes).astype(int) for own, place in every]
    inside = [(place >= 0) & (place < n) for place, n in zip(at, array.shape, strict=True)]
    if all(map(np.all, inside)):
        return axes, array[tuple(at)]
    # An element that is not there counts only in a case that is not the one.
    near = tuple(np.clip(place, 0, n - 1) for place, n in zip(at, array.shape, strict=True))
    return axes, np.where(reduce(np.logical_and, inside), array[near], np.nan)


def _logsumexp(array: Any, axis: tuple[int, ...]) -> Any:
    top = array.max(axis, keepdims=True)
    return np.log(np.exp(array - top).sum(axis)) + top.reshape(array.sum(axis).shape)


def _softmax(array: Any, count: int) -> Any:
    """Return the softmax along the first `count` axes."""
    axis = tuple(range(count))
    raised = np.exp(array - array.max(axis, keepdims=True))
    return raised / raised.sum(axis, keepdims=True)
