"""The value of a term, by brute force: what tests compare formulas with code by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.calculus.index_terms import Index, LogSumExp, Softmax
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
    Term,
)
from graphc.ops.leaves import Constant
from graphc.ops.rules import Sizes
from graphc.ops.scalars import SCALARS
from graphc.types import Dim, evaluate

Values = Mapping[Node, Any]
Indices = Mapping[Term, Any]


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
    shape = tuple(size(index.extent, sizes) for index in free)
    grid = np.indices(shape)
    at: dict[Term, Any] = dict(zip(free, grid, strict=True))
    with np.errstate(all="ignore"):
        result = _value(term, values, sizes, at)
    return np.broadcast_to(np.asarray(result, np.float64), shape).copy()


def size(dim: Dim, sizes: Sizes) -> int:
    """Return a size as a number."""
    return int(evaluate(dim, sizes))  # type: ignore[arg-type]


def _value(term: Term, values: Values, sizes: Sizes, at: Indices) -> Any:
    def of(part: Term) -> Any:
        return _value(part, values, sizes, at)

    match term:
        case Index():
            return at[term]
        case Num(value):
            return float(value)
        case Extent(dim):
            return float(size(dim, sizes))
        case Ref(tensor, indices):
            array = tensor.value if isinstance(tensor, Constant) else np.asarray(values[tensor])
            return array[tuple(np.asarray(of(index)).astype(int) for index in indices)]
        case Delta(left, right):
            return np.equal(of(left), of(right)).astype(float)
        case Add(terms):
            return sum(np.asarray(of(part), float) for part in terms)
        case Mul(factors):
            return np.prod(np.broadcast_arrays(*(np.asarray(of(f), float) for f in factors)), 0)
        case Apply("power", (base, exponent)):
            return np.power(np.asarray(of(base), float), of(exponent))
        case Apply("equal", (left, right)):
            # Equal in mathematics: two ways to round the same number are no difference.
            return np.isclose(of(left), of(right), rtol=1e-12, atol=0)
        case Apply(function, args):
            return SCALARS[function].evaluate(*map(of, args))
        case Softmax(body, indices, places):
            total = _stacked(body, indices, values, sizes, at).sum(0)
            own: dict[Term, Any] = dict(at)
            own.update(zip(indices, map(of, places), strict=True))
            return np.exp(_value(body, values, sizes, own)) / total
        case LogSumExp(body, indices):
            return np.log(_stacked(body, indices, values, sizes, at).sum(0))
        case Inverse(_, _, _, _, places):
            found = np.linalg.inv(_matrix(term, values, sizes, at))
            return _picked(found, [np.asarray(of(place)).astype(int) for place in places])
        case Determinant(function):
            sign, log = np.linalg.slogdet(_matrix(term, values, sizes, at))
            return {"det": sign * np.exp(log), "logdet": log, "signdet": sign}[function]
    assert isinstance(term, Sum | Product | Best), term
    parts = _along(term.body, (term.index,), values, sizes, at)
    reducers = {"max": np.max, "min": np.min}
    if isinstance(term, Best):
        return reducers[term.function](parts, axis=0)
    return parts.sum(0) if isinstance(term, Sum) else parts.prod(0)


def _stacked(body: Term, indices: Any, values: Values, sizes: Sizes, at: Indices) -> Any:
    return np.exp(_along(body, indices, values, sizes, at))


def _along(body: Term, indices: Any, values: Values, sizes: Sizes, at: Indices) -> Any:
    """Return the values of `body` along `indices`, stacked on a first axis."""
    runs = [range(size(index.extent, sizes)) for index in indices]
    places = np.array(np.meshgrid(*runs, indexing="ij")).reshape(len(runs), -1)
    parts = [
        _value(body, values, sizes, {**at, **dict(zip(indices, place, strict=True))})
        for place in places.T
    ]
    return np.stack(np.broadcast_arrays(*(np.asarray(part, float) for part in parts)))


def _matrix(term: Any, values: Values, sizes: Sizes, at: Indices) -> Any:
    """Return the matrices of which an inverse or a determinant is taken, on the last two axes."""
    count = range(size(term.extent, sizes))
    rows = []
    for i in count:
        own = [dict(at) | {term.row: np.asarray(i), term.column: np.asarray(j)} for j in count]
        rows.append([np.asarray(_value(term.body, values, sizes, o), float) for o in own])
    flat = np.broadcast_arrays(*(part for row in rows for part in row))
    stacked = np.stack(flat, axis=-1)
    return stacked.reshape((*stacked.shape[:-1], len(count), len(count)))


def _picked(matrices: Any, places: Sequence[Any]) -> Any:
    """Return an element of each matrix."""
    shape = np.broadcast_shapes(matrices.shape[:-2], *(place.shape for place in places))
    whole = np.broadcast_to(matrices, (*shape, *matrices.shape[-2:]))
    grid = np.indices(shape)
    return whole[(*grid, *(np.broadcast_to(place, shape) for place in places))]
