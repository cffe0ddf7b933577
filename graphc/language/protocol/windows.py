"""Sliding windows and the sum of overlapping ones: what convolution and pooling are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.language.declare import parse_shape
from graphc.language.protocol.tables import implements, no_options
from graphc.language.variable import Variable, build
from graphc.ops.windows import Fold, Frame
from graphc.ops.windows import windows as windows_node
from graphc.types import Dim, Dimension, normal_axis

Sizes: TypeAlias = "int | str | Dimension | Sequence[int | str | Dimension]"


def windows(
    x: Any,
    size: Sizes,
    axes: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Variable:
    """Return all windows of an array along axes.

    Parameters
    ----------
    x
        The array, of shape ``(..., h, w)`` say.
    size
        How many elements a window holds along each of `axes`; a size may be a named one.
    axes
        The axes that windows slide along.
    stride
        How far apart windows start.
    dilation
        How far apart the elements of a window are.

    Returns
    -------
    Variable
        Of shape ``(..., windows down, windows across, height, width)``: along each axis of `axes`
        the ``(n − dilation (size − 1) − 1) // stride + 1`` windows, and the elements of a window
        along new last axes, in the order of `axes`.

    Raises
    ------
    ShapeError
        If a window is longer than its axis.

    Examples
    --------
    >>> from graphc.language.declare import observed
    >>> windows(observed("image", shape=(3, 28, 28)), size=(5, 5), axes=(1, 2)).shape
    (3, 24, 24, 5, 5)
    """

    def make(node: Node) -> Node:
        return windows_node(node, _frames(size, axes, stride, dilation, node.type.rank))

    return build("windows", make, (x,))


def fold(
    x: Any,
    size: Sizes,
    axes: int | Sequence[int],
    shape: Sizes,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Variable:
    """Return windows added up where they came from: the adjoint of :func:`windows`.

    Parameters
    ----------
    x
        Windows, of the shape that `windows` gives for an array of `shape`.
    shape
        The shape of the result; an element that no window covers is 0.

    Examples
    --------
    >>> from graphc.language.declare import observed
    >>> fold(observed("parts", shape=(3, 4, 2)), size=2, axes=1, shape=(3, 5)).shape
    (3, 5)
    """
    target = parse_shape(shape)

    def make(node: Node) -> Node:
        made: Node = Fold((node,), _frames(size, axes, stride, dilation, len(target)), target)
        return made

    return build("fold", make, (x,))


def _frames(size: Any, axes: Any, stride: Any, dilation: Any, rank: int) -> tuple[Frame, ...]:
    chosen = (axes,) if isinstance(axes, int) else tuple(axes)
    sizes: Sequence[Dim] = parse_shape(size)
    strides, dilations = (
        (value,) * len(chosen) if isinstance(value, int) else tuple(value)
        for value in (stride, dilation)
    )
    if not len(chosen) == len(sizes) == len(strides) == len(dilations):
        raise ShapeError(
            f"windows along {len(chosen)} axes need as many sizes, strides and dilations; "
            f"got {len(sizes)}, {len(strides)} and {len(dilations)}"
        )
    parts = zip(chosen, sizes, strides, dilations, strict=True)
    return tuple(Frame(normal_axis(a, rank), s, t, d) for a, s, t, d in parts)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None, **rest: Any) -> Variable:
    """Windows along axes, one step apart; along all axes by default."""
    no_options("lib.stride_tricks.sliding_window_view", {k: v for k, v in rest.items() if v})
    count = 1 if isinstance(window_shape, int) else len(window_shape)
    axes = tuple(range(count)) if axis is None else axis
    rank = len(x.shape)
    if axis is None and count != rank:
        raise ShapeError(f"windows of {count} axes along all {rank} axes of {x.describe()}")
    return windows(x, window_shape, axes)
