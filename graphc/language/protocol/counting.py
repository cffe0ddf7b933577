"""Counts and membership: bins, histograms, which elements are among others."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError, UsageError
from graphc.language.indexing import at_add
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.protocol.tables import implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Variable:
    """Where numbers would be inserted into sorted ones; counted by comparing each with each."""
    edges, x = as_variable(a), as_variable(v)
    if sorter is not None:
        edges = OPERATORS["getitem"](edges, sorter)
    if edges.ndim != 1 or side not in ("left", "right"):
        raise UsageError(
            f"{here()}: np.searchsorted takes sorted numbers in a vector, side= left or right"
        )
    wide = reshape_variable(x, (*x.shape, 1))
    before = edges < wide if side == "left" else edges <= wide
    return before.sum(axis=-1)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Variable:
    """Between which edges numbers lie; the edges are known, and in order."""
    if isinstance(bins, Variable):
        raise UsageError(
            f"{here()}: np.digitize on variables takes known bins; see np.searchsorted"
        )
    edges = np.asarray(bins)
    steps = np.diff(edges)
    if (steps >= 0).all():
        return searchsorted(edges, x, side="left" if right else "right")
    if not (steps <= 0).all():
        raise UsageError(f"{here()}: the bins of np.digitize rise or fall throughout")
    rank = searchsorted(edges[::-1].copy(), x, side="left" if right else "right")
    return len(edges) - rank


@implements(np.bincount)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Variable:
    """How often each of the numbers 0, 1, ... below `minlength` occurs, or their weights' sums.

    The length of the result must be known: a number that is not below it is an error when the
    result is computed, where NumPy makes the result longer.
    """
    v = as_variable(x)
    if v.kind == "real":
        raise KindError(f"{here()}: np.bincount counts integers; write x.astype(int)")
    if v.ndim != 1:
        raise ShapeError(f"{here()}: np.bincount takes a vector, got {v.describe()} {v.shape}")
    size = minlength or v.declaration.classes
    if not size:
        raise UsageError(
            f"{here()}: np.bincount on variables needs to know how long its result is: minlength="
        )
    ones: Any = 1 if weights is None else as_variable(weights) * 1.0
    start = np.zeros(size, int if weights is None else float)
    return at_add(start, OPERATORS["where"](v < 0, size, v), ones)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Variable, Any]:
    """How many elements lie between edges that are known, or the sums of their weights."""
    x = reshape_variable(a, -1)
    if isinstance(bins, int | np.integer) and range is not None:
        edges = np.histogram_bin_edges(np.zeros(0), int(bins), range)
    elif isinstance(bins, str | int | np.integer | Variable):
        raise UsageError(
            f"{here()}: np.histogram on variables needs to know its edges: bins= a list of them, "
            "or bins= a number and range=(low, high)"
        )
    else:
        edges = np.asarray(bins, float)
    wide = reshape_variable(x, (-1, 1))
    low, high = edges[:-1], edges[1:]
    last = np.arange(len(low)) == len(low) - 1
    inside = (wide >= low) & ((wide < high) | (last & (wide == high)))
    found = inside.sum(axis=0)
    if weights is not None:
        found = OPERATORS["matmul"](reshape_variable(weights, -1) * 1.0, 1.0 * inside)
    if density:
        found = found / np.diff(edges) / found.sum()
    return found, edges


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Variable:
    """Say of each element whether it is one of others; each is compared with each."""
    no_options("isin", {"kind": kind})
    x = as_variable(element)
    found = (reshape_variable(x, (*x.shape, 1)) == reshape_variable(test_elements, -1)).any(axis=-1)
    return ~found if invert else found  # type: ignore[no-any-return]
