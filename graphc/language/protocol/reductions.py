"""Sums, means and other reductions along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.nodes import Node
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.variable import Variable, build
from graphc.ops.contraction import sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Size, constant
from graphc.ops.reduction import kept, reduction
from graphc.ops.structural import reshape
from graphc.types import (
    Dim,
    normal_axes,
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


@implements(np.sum)
def sum(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
    """Sum over axes."""
    no_options("sum", rest)
    return _reduced("sum", lambda x, axes: sum_axes(as_number(x), axes), a, axis, keepdims)


@implements(np.mean)
def mean(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
    """Mean over axes."""
    no_options("mean", rest)

    def make(x: Node, axes: tuple[int, ...]) -> Node:
        count = size_of([x.shape[axis] for axis in axes])
        return elementwise("divide", sum_axes(as_number(x), axes), dimension_node(count))

    return _reduced("mean", make, a, axis, keepdims)


def _reducer(name: str, *functions: Any) -> None:
    def reduce(a: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Variable:
        no_options(name, rest)
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
