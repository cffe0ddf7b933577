"""Basic indexing: what ``x[1:, None, -1]`` builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.source import here
from graphc.language.variable import Variable, build
from graphc.ops.contraction import transpose
from graphc.ops.indexing import Gather
from graphc.ops.structural import Slice, Span, reshape
from graphc.types import Dim, Dimension, shape_text


@dataclass(frozen=True, slots=True)
class Selection:
    """A key taken apart: spans to slice, the shape without integer axes, variable indices."""

    spans: tuple[Span, ...]
    shape: tuple[Dim, ...]
    gathers: tuple[tuple[int, Variable], ...]  # axis of the sliced array, index


def index(variable: Variable, key: Any) -> Variable:
    """Return a part of a variable: integers, slices, ``None``, ``...``, an integer variable."""
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(p, list | np.ndarray) for p in parts):
        raise UsageError(
            f"{here()}: index with integers, slices, None, ... or an integer variable, "
            "which gc.constant([...]) makes of an array"
        )
    picks = [p for p in parts if isinstance(p, Variable)]
    if len(picks) > 1:
        raise UsageError(f"{here()}: one integer variable at a time can index; chain the others")
    if picks and picks[0].kind == "boolean":
        raise KindError(
            f"{here()}: {picks[0].describe()} is boolean, and how much a mask selects is known "
            "only when it is computed; write np.where(mask, x, 0) instead"
        )

    apart = _are_apart(parts)

    def make(node: Node, *indices: Node) -> Node:
        selection = select(parts, node.shape)
        whole = tuple((0, dim, 1) for dim in node.shape)
        if selection.spans != whole:
            node = Slice((node,), selection.spans)
        for (axis, _), place in zip(selection.gathers, indices, strict=True):
            node = Gather((node, place), axis, 0)
            selected = selection.shape
            at = selected.index(_PICKED)
            shape = (*selected[:at], *place.shape, *selected[at + 1 :])
            return _in_front(reshape(node, shape), at, place) if apart else reshape(node, shape)
        return reshape(node, selection.shape)

    return build("index", make, (variable, *picks))


def _are_apart(parts: tuple[Any, ...]) -> bool:
    """Return whether something stands between an integer and a variable index.

    NumPy then puts the axes of the variable index in front of all others.
    """
    at = [
        i for i, p in enumerate(parts) if not (p is None or p is Ellipsis or isinstance(p, slice))
    ]
    return bool(at) and at[-1] - at[0] >= len(at)


def _in_front(node: Node, at: int, place: Node) -> Node:
    read = range(at, at + place.type.rank)
    return transpose(node, (*read, *(a for a in range(node.type.rank) if a not in read)))


_PICKED = -1  # marks, in a shape, the axis that a variable index takes the place of


def select(parts: tuple[Any, ...], shape: tuple[Dim, ...]) -> Selection:
    """Take a key apart for an array of `shape`."""
    spans: list[Span] = []
    result: list[Dim] = []
    gathers: list[tuple[int, Variable]] = []
    used = len([p for p in parts if p is not None and p is not Ellipsis])
    if used > len(shape):
        raise ShapeError(f"{used} indices for an array of shape {shape_text(shape)}")
    if sum(p is Ellipsis for p in parts) > 1:
        raise UsageError("an index has one '...' at most")
    if not any(p is Ellipsis for p in parts):
        parts = (*parts, Ellipsis)
    for part in parts:
        axis = len(spans)
        if part is None:
            result.append(1)
        elif part is Ellipsis:
            for dim in shape[axis : axis + len(shape) - used]:
                spans.append((0, dim, 1))
                result.append(dim)
        elif isinstance(part, Variable):
            gathers.append((axis, part))
            spans.append((0, shape[axis], 1))
            result.append(_PICKED)
        elif isinstance(part, slice):
            spans.append(_span(part, shape[axis]))
            result.append(spans[-1][1])
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            spans.append((_position(int(part), shape[axis]), 1, 1))
        else:
            raise UsageError(f"cannot index with {part!r}")
    return Selection(tuple(spans), tuple(result), tuple(gathers))


def _position(at: int, dim: Dim) -> Dim:
    if isinstance(dim, int) and not -dim <= at < dim:
        raise ShapeError(f"index {at} is out of range for an axis of size {dim}")
    return dim + at if at < 0 else at


def _span(part: slice, dim: Dim) -> Span:
    if part.step is not None and part.step == 0:
        raise ShapeError("the step of a slice is not 0")
    if isinstance(dim, int):
        first, last, step = part.indices(dim)
        return (first, len(range(first, last, step)), step)
    if part.step not in (None, 1) or not all(
        isinstance(bound, int | Dimension | None) for bound in (part.start, part.stop)
    ):
        raise ShapeError(f"slicing an axis of the named size {dim} works in steps of 1")
    start = _bound(part.start, dim, 0)
    stop = _bound(part.stop, dim, dim)
    length = stop - start
    if isinstance(part.stop, int) and part.stop > 0:
        raise ShapeError(f"whether {dim} reaches {part.stop} is known only when it is called")
    if (isinstance(part.stop, int) and part.stop == 0) or (isinstance(length, int) and length < 0):
        return (0, 0, 1)
    return (start, length, 1)


def _bound(bound: Any, dim: Dimension, default: Dim) -> Dim:
    if bound is None:
        return default
    return dim + bound if isinstance(bound, int) and bound < 0 else bound
