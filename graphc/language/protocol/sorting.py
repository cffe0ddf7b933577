"""Order along an axis: sort, argsort, partition."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.arranging import along_rows
from graphc.language.protocol.shapes import (
    moveaxis,
    reshape_variable,
)
from graphc.language.protocol.tables import as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.reduction import reduction
from graphc.types import normal_axis


def _options(name: str, kind: Any, order: Any, stable: Any) -> None:
    """Refuse what orders otherwise; all ways to sort are stable here."""
    if kind not in (None, "stable", "quicksort", "mergesort", "heapsort"):
        raise UsageError(f"{here()}: np.{name} knows no kind={kind!r}")
    no_options(name, {"order": order})


@implements(np.argsort)
def argsort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Variable:
    """Places that sort along an axis; equal elements keep their order."""
    _options("argsort", kind, order, stable)
    if axis is None:
        a, axis = reshape_variable(a, -1), 0
    at = normal_axis(axis, as_variable(a).ndim)
    return build("argsort", lambda x: reduction("argsort", as_number(x), (at,)), (a,))


@implements(np.sort)
def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Variable:
    """Sorted elements along an axis; the derivative puts them back in their places."""
    _options("sort", kind, order, stable)
    if axis is None:
        a, axis = reshape_variable(a, -1), 0
    at = normal_axis(axis, as_variable(a).ndim)
    rows = moveaxis(a, at, -1)
    return moveaxis(along_rows(rows, argsort(rows)), -1, at)


def _ends(name: str, kth: Any, size: Any) -> None:
    """Check the places of a partition, which sorting puts right too."""
    places = np.ravel(np.asarray(kth))
    if isinstance(size, int) and not all(-size <= k < size for k in places):
        raise ShapeError(f"{here()}: np.{name}: kth={kth} is out of range of {size} elements")


@implements(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    """Elements with the `kth` in its place, smaller ones before it: here all are sorted."""
    no_options("partition", {"order": order})
    x = as_variable(a)
    _ends("partition", kth, x.size if axis is None else x.shape[axis])
    return sort(x, axis)


@implements(np.argpartition)
def argpartition(
    a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None
) -> Variable:
    """Places of a partition: here those that sort."""
    no_options("argpartition", {"order": order})
    x = as_variable(a)
    _ends("argpartition", kth, x.size if axis is None else x.shape[axis])
    return argsort(x, axis)


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Variable:
    """Places that sort by several keys, the last of them first."""
    parts = [as_variable(key) for key in keys]
    if not parts:
        raise UsageError(f"{here()}: np.lexsort takes at least one key")
    found = argsort(parts[0], axis)
    take = OPERATORS["take_along_axis"]
    for key in parts[1:]:
        found = take(found, argsort(take(key, found, axis), axis), axis)
    return found
