"""Sums, means and other reductions along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.protocol.kinds import real_from, summands
from graphc.language.protocol.shapes import broadcast_variable, reshape_variable
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.contraction import sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Size, constant
from graphc.ops.reduction import kept, reduction
from graphc.ops.structural import reshape
from graphc.types import (
    Dim,
    normal_axes,
    normal_axis,
    size_of,
)


def _reduced(
    operation: str, make: Callable[[Node, tuple[int, ...]], Node], a: Any, axis: Any, keepdims: Any
) -> Variable:
    def reduce_node(node: Node) -> Node:
        axes = normal_axes(axis, node.type.rank)
        result = make(node, axes)
        keep = keepdims is not np._NoValue and bool(keepdims)
        return reshape(result, kept(node.shape, axes)) if keep else result

    return build(operation, reduce_node, (a,))


def masked(a: Any, where: Any, neutral: Any) -> Any:
    """Return `a` with `neutral` where `where` is false; ``True`` and its absence change nothing."""
    if where is True or where is np._NoValue or where is None:
        return a
    return OPERATORS["where"](where, a, neutral)


def _given(value: Any) -> bool:
    return value is not np._NoValue and value is not None


@implements(np.sum)
def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = np._NoValue,
    where: Any = np._NoValue,
) -> Variable:
    """Sum over axes."""
    no_options("sum", {"out": out})
    a = summands(a, dtype)
    a = masked(a, where, 0)
    found = _reduced("sum", lambda x, axes: sum_axes(as_number(x), axes), a, axis, keepdims)
    return found + initial if _given(initial) else found


@implements(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = np._NoValue,
) -> Variable:
    """Mean over axes."""
    no_options("mean", {"out": out})
    a = real_from(a, dtype, "mean")
    if _given(where) and where is not True:
        mask = broadcast_variable(where, as_variable(a).shape)
        return sum(a, axis, keepdims=keepdims, where=where) / sum(mask, axis, keepdims=keepdims)

    def make(x: Node, axes: tuple[int, ...]) -> Node:
        count = size_of([x.shape[axis] for axis in axes])
        return elementwise("divide", sum_axes(as_number(x), axes), dimension_node(count))

    return _reduced("mean", make, a, axis, keepdims)


@implements(np.prod)
def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = np._NoValue,
    where: Any = np._NoValue,
) -> Variable:
    """Product over axes."""
    no_options("prod", {"out": out})
    a = summands(a, dtype)
    make = lambda x, axes: reduction("prod", as_number(x), axes)  # noqa: E731
    found = _reduced("prod", make, masked(a, where, 1), axis, keepdims)
    return found * initial if _given(initial) else found


def _extreme(name: str, *functions: Any) -> None:
    pairwise_name = {"max": "maximum", "min": "minimum"}[name]

    def extreme(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = np._NoValue,
        where: Any = np._NoValue,
    ) -> Variable:
        no_options(name, {"out": out})
        if _given(where) and where is not True:
            if not _given(initial):
                raise UsageError(f"{here()}: np.{name} with where= needs initial=, as in NumPy")
            a = masked(a, where, initial)
        found = _reduced(name, lambda x, axes: _checked(name, x, axes, initial), a, axis, keepdims)
        return OPERATORS[pairwise_name](found, initial) if _given(initial) else found

    extreme.__name__ = name
    implements(*functions)(extreme)


def _checked(name: str, x: Node, axes: tuple[int, ...], initial: Any = np._NoValue) -> Node:
    """Return an extreme; of nothing there is none."""
    if any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"the {name} of no elements is not defined")
    return reduction(name, x, axes)


_extreme("max", np.max, np.amax)
_extreme("min", np.min, np.amin)


def _position(name: str, function: Any) -> None:
    def position(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Variable:
        no_options(name, {"out": out})
        if axis is None:
            flat = _reduced(
                name, lambda x, axes: _checked(name, x, axes), reshape_variable(a, -1), 0, False
            )
            keep = keepdims is not np._NoValue and keepdims
            return reshape_variable(flat, (1,) * as_variable(a).ndim) if keep else flat
        return _reduced(name, lambda x, axes: _checked(name, x, axes), a, axis, keepdims)

    position.__name__ = name
    implements(function)(position)


_position("argmax", np.argmax)
_position("argmin", np.argmin)


def _logical(name: str, function: Any, neutral: bool) -> None:
    def logical(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *,
        where: Any = np._NoValue,
    ) -> Variable:  # fmt: skip
        no_options(name, {"out": out})
        x = as_variable(a)
        x = x if x.kind == "boolean" else x != 0
        make = lambda node, axes: reduction(name, node, axes)  # noqa: E731
        return _reduced(name, make, masked(x, where, neutral), axis, keepdims)

    logical.__name__ = name
    implements(function)(logical)


_logical("any", np.any, False)
_logical("all", np.all, True)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Variable:
    """Number of elements that are not 0."""
    return sum(as_variable(a) != 0, axis, keepdims=keepdims)


def _cumulative(name: str, function: Any) -> None:
    def cumulate(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Variable:
        no_options(name, {"out": out})
        a = summands(a, dtype)
        if axis is None:
            a, axis = reshape_variable(a, -1), 0
        at = normal_axis(axis, as_variable(a).ndim)
        return build(name, lambda x: reduction(name, as_number(x), (at,)), (a,))

    cumulate.__name__ = name
    implements(function)(cumulate)


_cumulative("cumsum", np.cumsum)
_cumulative("cumprod", np.cumprod)


def _cumulative_again(name: str, function: Any) -> None:
    def cumulate(x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None,
                 include_initial: bool = False) -> Variable:  # fmt: skip
        if isinstance(axis, list | tuple) or (as_variable(x).ndim != 1 and axis is None):
            raise ShapeError(f"{here()}: np.{function.__name__} takes one axis")
        found = OPERATORS[name](x, axis or 0, dtype, out)
        if not include_initial:
            return found
        at = normal_axis(axis or 0, found.ndim)
        shape = (*found.shape[:at], 1, *found.shape[at + 1 :])
        first = broadcast_variable(0 if name == "cumsum" else 1, shape)
        return OPERATORS["concatenate"]([first, found], at)

    cumulate.__name__ = function.__name__
    implements(function)(cumulate)


_cumulative_again("cumsum", np.cumulative_sum)
_cumulative_again("cumprod", np.cumulative_prod)


def along(name: str) -> Callable[..., Variable]:
    """Return softmax, log_softmax or logsumexp along axes, stable for every input."""

    def make(node: Node, axes: tuple[int, ...]) -> Node:
        if any(node.shape[axis] == 0 for axis in axes):
            raise ShapeError(f"{name} of no elements is not defined")
        return reduction(name, node, axes)

    def apply(x: Any, axis: Any, keepdims: bool = False) -> Variable:
        return _reduced(name, make, x, axis, keepdims)

    return apply


def dimension_node(dim: Dim) -> Node:
    """Return a dimension as a real number."""
    made: Node = constant(float(dim)) if isinstance(dim, int) else Size((), dim)
    return made
