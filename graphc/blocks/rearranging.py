"""The same numbers in other places: shuffling, windows as columns, padding.

Shapes are (channels, *space), without a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, shapes, usage
from graphc.blocks.space import PADDINGS, padded, per_axis
from graphc.language.functions import Input, function
from graphc.language.protocol.windows import fold as folded
from graphc.language.protocol.windows import windows
from graphc.types import shape_text


def _split(x: Any, factor: int, block: str, name: str, least_axes: int) -> None:
    usage(
        isinstance(factor, int) and factor >= 1,
        f"{block}: {name} is an integer of at least 1, got {factor!r}",
    )
    shapes(x.ndim >= least_axes, f"{block}: takes (..., channels, height, width), got {x.shape}")


@function
def pixel_shuffle(x: Any = Input("... channels h w"), upscale_factor: int = 2) -> Any:
    """Return (C r**2, H, W) as (C, H r, W r): channels become places (Shi et al., 2016)."""
    _split(x, upscale_factor, "pixel_shuffle", "upscale_factor", 3)
    *front, channels, h, w = x.shape
    r = upscale_factor
    shapes(
        not isinstance(channels, int) or channels % r**2 == 0,
        f"pixel_shuffle: {channels} channels are no multiple of {r}**2",
    )
    n = len(front)
    parts = x.reshape((*front, channels // r**2, r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return parts.transpose(order).reshape((*front, channels // r**2, h * r, w * r))


@function
def pixel_unshuffle(x: Any = Input("... channels h w"), downscale_factor: int = 2) -> Any:
    """Return (C, H r, W r) as (C r**2, H, W): the inverse of :func:`pixel_shuffle`."""
    _split(x, downscale_factor, "pixel_unshuffle", "downscale_factor", 3)
    *front, channels, h, w = x.shape
    r = downscale_factor
    shapes(
        all(not isinstance(size, int) or size % r == 0 for size in (h, w)),
        f"pixel_unshuffle: {h} and {w} places are no multiples of {r}",
    )
    n = len(front)
    parts = x.reshape((*front, channels, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return parts.transpose(order).reshape((*front, channels * r**2, h // r, w // r))


@function
def channel_shuffle(x: Any = Input("channels ..."), groups: int = 2) -> Any:
    """Return x with the channels of its groups taken in turns (Zhang et al., 2018, ShuffleNet)."""
    _split(x, groups, "channel_shuffle", "groups", 1)
    channels, *space = x.shape
    shapes(
        not isinstance(channels, int) or channels % groups == 0,
        f"channel_shuffle: {channels} channels do not make {groups} equal groups",
    )
    parts = x.reshape((groups, channels // groups, *space))
    return parts.transpose((1, 0, *range(2, x.ndim + 1))).reshape(x.shape)


@function
def unfold(
    x: Any = Input("channels ..."),
    kernel_size: int | tuple[int, ...] = 3,
    dilation: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, ...] = 1,
) -> Any:
    """Return the windows of x as columns: (channels times kernel size, number of windows).

    It is what turns a convolution into a product of matrices; :func:`fold` is its adjoint.
    """
    dims = x.ndim - 1
    size = per_axis(kernel_size, dims, "unfold", "kernel_size", 1)
    pads = per_axis(padding, dims, "unfold", "padding")
    x = padded(x, tuple((p, p) for p in pads))
    axes = tuple(range(1, dims + 1))
    strides = per_axis(stride, dims, "unfold", "stride", 1)
    parts = windows(x, size, axes, strides, per_axis(dilation, dims, "unfold", "dilation", 1))
    order = (0, *range(dims + 1, 2 * dims + 1), *axes)
    return parts.transpose(order).reshape((x.shape[0] * math.prod(size), -1))


@function
def fold(
    x: Any = Input("rows columns"),
    output_size: int | tuple[int, ...] = 2,
    kernel_size: int | tuple[int, ...] = 3,
    dilation: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, ...] = 1,
) -> Any:
    """Return the picture in which each column is added where its window stands.

    The adjoint of :func:`unfold`: `output_size` is the size of the picture, by default of two axes.
    """
    lists = [v for v in (output_size, kernel_size) if isinstance(v, tuple | list)]
    dims = len(lists[0]) if lists else 2
    size = per_axis(kernel_size, dims, "fold", "kernel_size", 1)
    pads = per_axis(padding, dims, "fold", "padding")
    strides = per_axis(stride, dims, "fold", "stride", 1)
    dilations = per_axis(dilation, dims, "fold", "dilation", 1)
    output = per_axis(output_size, dims, "fold", "output_size", 1)
    whole = tuple(n + 2 * p for n, p in zip(output, pads, strict=True))
    places = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(whole, dilations, size, strides, strict=True)
    )
    rows, columns = x.shape
    held = math.prod(size)
    shapes(
        (not isinstance(rows, int) or rows % held == 0)
        and (not isinstance(columns, int) or columns == math.prod(places)),
        f"fold: takes (channels * {held}, {math.prod(places)}) for these sizes, got "
        f"{shape_text(x.shape)}",
    )
    parts = x.reshape((rows // held, *size, *places))
    axes = tuple(range(1, dims + 1))
    parts = parts.transpose((0, *range(dims + 1, 2 * dims + 1), *axes))
    z = folded(parts, size, axes, (rows // held, *whole), strides, dilations)
    return z[(slice(None), *(slice(p, p + n) for p, n in zip(pads, output, strict=True)))]


@function
def pad(
    x: Any = Input("..."),
    pad: Sequence[int] = (0, 0),
    mode: str = "constant",
    value: float | None = None,
) -> Any:
    """Return x widened at the ends of its last axes; negative numbers cut off.

    `pad` holds (before, after) of the last axis, then of the last but one, and so on. `mode` is
    ``"constant"`` (by `value`, or 0), ``"reflect"``, ``"replicate"`` or ``"circular"``.
    """
    chosen(mode, tuple(PADDINGS), "pad", "mode")
    usage(isinstance(pad, Sequence | np.ndarray), f"pad: takes several integers, got {pad!r}")
    widths = tuple(pad)
    usage(
        len(widths) % 2 == 0
        and len(widths) <= 2 * x.ndim
        and all(isinstance(n, int | np.integer) for n in widths),
        f"pad: takes two integers for each of the last axes, at most {x.ndim}, got {pad!r}",
    )
    usage(value is None or mode == "constant", f"pad: mode={mode!r} takes no value")
    pairs = [widths[i : i + 2] for i in range(0, len(widths), 2)][::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    usage(
        mode == "constant" or all(n >= 0 for pair in pairs for n in pair),
        f"pad: mode={mode!r} cuts nothing off, got {pad!r}",
    )
    more = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if any(a or b for a, b in more):
        options = {"constant_values": value} if value is not None else {}
        x = np.pad(x, more, mode=PADDINGS[mode], **options)  # type: ignore[call-overload]
    key = tuple(slice(-a if a < 0 else None, b if b < 0 else None) for a, b in pairs)
    return x[key] if any(n < 0 for pair in pairs for n in pair) else x
