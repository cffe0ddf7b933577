"""Sliding windows, and their adjoint, which adds up what overlaps.

With these two, convolution is a contraction of windows with weights, and pooling a reduction of
windows. Each is the other's derivative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from graphc.errors import KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Delta, Num, Sum, Term, fresh_index, mul
from graphc.ops.contraction import transpose
from graphc.ops.rules import Element, Indices, Sizes, cuts_discrete, define, derived
from graphc.ops.structural import concrete, reshape
from graphc.types import Dim, Shape, TensorType, count, floor_divide, shape_text


@dataclass(frozen=True, slots=True)
class Frame:
    """How a window moves along one axis.

    Parameters
    ----------
    axis
        The axis, counted from the front.
    size
        How many elements a window holds.
    stride
        How far apart windows start.
    dilation
        How far apart the elements of a window are.
    """

    axis: int
    size: Dim
    stride: int = 1
    dilation: int = 1

    @property
    def span(self) -> Dim:
        """From the first element of a window to its last, both counted."""
        return (self.size - 1) * self.dilation + 1


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Windows(Node):
    """All windows of the operand: each framed axis holds the windows, new last axes hold theirs.

    The new axes come in the order of `frames`: an image of shape (C, H, W) with frames along
    axes 1 and 2 becomes (C, windows down, windows across, height, width).
    """

    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Fold(Node):
    """Windows put back where they came from in zeros of shape `target`, overlaps added up."""

    frames: tuple[Frame, ...]
    target: Shape


def windows(x: Node, frames: Sequence[Frame]) -> Node:
    """Return the windows of `x`; where they tile it, that is a reshape and a transpose."""
    shape = windowed_shape(x.shape, frames)
    rank = x.type.rank
    by_axis = {frame.axis: frame for frame in frames}
    tiles = all(
        f.dilation == 1 and f.stride == f.size and shape[f.axis] * f.stride == x.shape[f.axis]
        for f in frames
    )
    if not tiles:
        made: Node = Windows((x,), tuple(frames))
        return made
    split: list[Dim] = []
    places: dict[int, int] = {}
    for axis in range(rank):
        split.append(shape[axis])
        if axis in by_axis:
            places[axis] = len(split)
            split.append(by_axis[axis].size)
    last = [places[frame.axis] for frame in frames]
    front = [a for a in range(len(split)) if a not in last]
    return transpose(reshape(x, tuple(split)), (*front, *last))


def windowed_shape(shape: Shape, frames: Sequence[Frame]) -> Shape:
    """Return the shape of the windows of an array of `shape`.

    Raises
    ------
    ShapeError
        If a window is longer than its axis, or a frame makes no sense.
    """
    result = list(shape)
    axes = [frame.axis for frame in frames]
    if len(set(axes)) < len(axes) or not all(0 <= axis < len(shape) for axis in axes):
        raise ShapeError(f"windows along the axes {tuple(axes)} of {shape_text(shape)}")
    for frame in frames:
        dim = shape[frame.axis]
        size = frame.size if isinstance(frame.size, int) else 1
        if min(size, frame.stride, frame.dilation) < 1:
            raise ShapeError("size, stride and dilation of windows are at least 1")
        if isinstance(dim, int) and isinstance(frame.span, int) and frame.span > dim:
            raise ShapeError(
                f"windows that span {frame.span} elements do not fit into axis {frame.axis} "
                f"of {shape_text(shape)}"
            )
        result[frame.axis] = floor_divide(dim - frame.span, frame.stride) + 1
    return (*result, *(frame.size for frame in frames))


def positions(frames: Sequence[Frame], shape: Shape, sizes: Sizes) -> Iterator[tuple[Any, Any]]:
    """Yield each place in a window, with the key of the elements that stand there in windows."""
    starts = windowed_shape(shape, frames)
    for place in product(*(range(count(frame.size, sizes)) for frame in frames)):
        key = [slice(None)] * len(shape)
        for frame, k in zip(frames, place, strict=True):
            first = k * frame.dilation
            last = first + frame.stride * (count(starts[frame.axis], sizes) - 1)
            key[frame.axis] = slice(first, last + 1, frame.stride)
        yield place, tuple(key)


def _windows_type(node: Windows) -> TensorType:
    (x,) = node.args
    return TensorType(windowed_shape(x.shape, node.frames), x.kind)


def _moved(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    return tuple(replace(frame, axis=frame.axis + 1) for frame in frames)


def _windows_meaning(node: Windows, indices: Indices, element: Element) -> Term:
    rank = node.args[0].type.rank
    places = list(indices[:rank])
    for frame, inner in zip(node.frames, indices[rank:], strict=True):
        places[frame.axis] = _place(frame, places[frame.axis], inner)
    return element(0, tuple(places))


def _place(frame: Frame, window: Term, inner: Term) -> Term:
    return mul(Num(frame.stride), window) + mul(Num(frame.dilation), inner)


def _windows_evaluate(node: Windows, values: Sequence[Any], sizes: Sizes) -> Any:
    (x,) = values
    result = np.zeros(concrete(node.shape, sizes), x.dtype)
    for place, key in positions(node.frames, node.args[0].shape, sizes):
        result[(..., *place)] = x[key]
    return result


def _fold_type(node: Fold) -> TensorType:
    (x,) = node.args
    expected = windowed_shape(node.target, node.frames)
    if x.shape != expected:
        raise ShapeError(
            f"windows of {shape_text(node.target)} have the shape {shape_text(expected)}, "
            f"not {shape_text(x.shape)}"
        )
    if x.kind == "boolean":
        raise KindError("what overlaps is added up, which takes numbers")
    return TensorType(node.target, x.kind)


def _fold_meaning(node: Fold, indices: Indices, element: Element) -> Term:
    """Sum over all windows and places in them that lie on the element."""
    (x,) = node.args
    rank = len(node.target)
    places = list(indices)
    inner: list[Term] = []
    bound, hits = [], []
    for frame, size in zip(node.frames, x.shape[rank:], strict=True):
        window, place = fresh_index(), fresh_index()
        bound += [(window, x.shape[frame.axis]), (place, size)]
        hits.append(Delta(indices[frame.axis], _place(frame, window, place)))
        places[frame.axis] = window
        inner.append(place)
    term = mul(*hits, element(0, (*places, *inner)))
    for index, dim in reversed(bound):
        term = Sum(index, dim, term)
    return term


def _fold_evaluate(node: Fold, values: Sequence[Any], sizes: Sizes) -> Any:
    result = np.zeros(concrete(node.target, sizes), values[0].dtype)
    for place, key in positions(node.frames, node.target, sizes):
        result[key] += values[0][(..., *place)]
    return result


def _windows_batch(node: Windows, args: Sequence[Node], _: object, size: Dim) -> Node:
    made: Node = Windows((args[0],), _moved(node.frames))
    return made


def _fold_batch(node: Fold, args: Sequence[Node], _: object, size: Dim) -> Node:
    made: Node = Fold((args[0],), _moved(node.frames), (size, *node.target))
    return made


define(
    Windows,
    type=_windows_type,
    cuts=cuts_discrete,
    vjp=lambda node, i, g: Fold((g,), node.frames, node.args[0].shape),
    jvp=derived,
    batch=_windows_batch,
    meaning=_windows_meaning,
    evaluate=_windows_evaluate,
)
define(
    Fold,
    type=_fold_type,
    cuts=cuts_discrete,
    vjp=lambda node, i, g: Windows((g,), node.frames),
    jvp=derived,
    batch=_fold_batch,
    meaning=_fold_meaning,
    evaluate=_fold_evaluate,
)
