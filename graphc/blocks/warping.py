"""Pictures looked up at places that are computed: spatial transformers.

Shapes are (channels, *space), without a batch. Jaderberg, Simonyan, Zisserman and Kavukcuoglu
(2015), "Spatial transformer networks".
"""

from __future__ import annotations

import math
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, shapes, usage
from graphc.language.derive import stop_gradient
from graphc.language.functions import Input, function
from graphc.types import shape_text

CUBIC = -0.75  # the free parameter of Keys' kernel (1981), as PyTorch chooses it


@function
def affine_grid(
    theta: Any = Input("axes columns"),
    size: tuple[int, ...] = (1, 2, 2),
    align_corners: bool | None = None,
) -> Any:
    """Return where an affine map sends the places of a picture, for :func:`grid_sample`.

    Parameters
    ----------
    theta
        (2, 3), or (3, 4) for three axes of space: a matrix, and a shift as its last column.
    size
        ``(channels, *space)`` of the picture that is to be made.
    align_corners
        Whether -1 and 1 are the centres of the corners, and not their outer edges; None is no.
    """
    dims = len(size) - 1
    usage(dims in (2, 3), f"affine_grid: size is (channels, *space), two or three axes, got {size}")
    shapes(
        theta.shape == (dims, dims + 1),
        f"affine_grid: theta has shape {(dims, dims + 1)} for {dims} axes, got "
        f"{shape_text(theta.shape)}",
    )
    places = [
        np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1)
        for n in size[1:]
    ]
    around = np.meshgrid(*places, indexing="ij")[::-1]  # the last axis of space comes first
    base = np.stack([*around, np.ones(size[1:])], axis=-1)
    axes = "xyz"[:dims]
    return np.einsum(f"{axes}k,ok->{axes}o", base, theta)


@function
def grid_sample(
    x: Any = Input("channels ..."),
    grid: Any = Input("... axes"),
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """Return a picture looked up at the places of a grid.

    Parameters
    ----------
    x
        ``(channels, *space)``, two or three axes of known sizes.
    grid
        Places, ``(*new space, axes)``, from -1 to 1 across the picture, its last axis first.
    mode
        ``"bilinear"`` (trilinear for three axes), ``"nearest"`` or, for two, ``"bicubic"``.
    padding_mode
        What stands outside: ``"zeros"``, the ``"border"``, or the ``"reflection"`` of what stands
        inside.
    align_corners
        As for :func:`affine_grid`.
    """
    chosen(mode, ("bilinear", "nearest", "bicubic"), "grid_sample", "mode")
    chosen(padding_mode, ("zeros", "border", "reflection"), "grid_sample", "padding_mode")
    dims = x.ndim - 1
    usage(dims in (2, 3), f"grid_sample: takes (channels, *space), got {shape_text(x.shape)}")
    usage(
        dims == 2 or mode != "bicubic",
        "grid_sample: mode='bicubic' takes two axes of space, and there are 3",
    )
    usage(
        all(isinstance(n, int) for n in x.shape[1:]),
        f"grid_sample: needs to know the sizes, and they are {shape_text(x.shape)}",
    )
    shapes(
        grid.shape[-1] == dims,
        f"grid_sample: places in {dims} axes of space are that many numbers, got {grid.shape[-1]}",
    )
    taps = [
        _taps(grid[..., dims - 1 - a], n, mode, padding_mode, bool(align_corners))
        for a, n in enumerate(x.shape[1:])
    ]
    terms = []
    for corner in product(*taps):
        places = tuple(place for place, _ in corner)
        terms.append(math.prod(weight for _, weight in corner) * x[(slice(None), *places)])
    return reduce(np.add, terms)


def _taps(t: Any, size: int, mode: str, padding: str, aligned: bool) -> list[tuple[Any, Any]]:
    """Return the places along an axis that count for a coordinate, and their weights."""
    at = (t + 1.0) * (0.5 * (size - 1)) if aligned else (t + 1.0) * (0.5 * size) - 0.5
    if mode == "nearest":
        return [_tap(np.rint(stop_gradient(_kept(at, size, padding, aligned))), size, 1.0)]
    if mode == "bilinear":
        at = _kept(at, size, padding, aligned)
        first = np.floor(stop_gradient(at))
        part = at - first
        return [_tap(first, size, 1.0 - part), _tap(first + 1.0, size, part)]
    first = np.floor(stop_gradient(at))
    part = at - first
    distances = (part + 1.0, part, 1.0 - part, 2.0 - part)
    return [
        _tap(_kept(first + (k - 1.0), size, padding, aligned), size, _cubic(d, near=k in (1, 2)))
        for k, d in enumerate(distances)
    ]


def _tap(place: Any, size: int, weight: Any) -> tuple[Any, Any]:
    """Return a place inside, as integers, and its weight; one outside weighs nothing."""
    inside = np.logical_and(place >= 0, place <= size - 1)
    return np.clip(place, 0, size - 1).astype(int), np.where(inside, weight, 0.0)


def _kept(at: Any, size: int, padding: str, aligned: bool) -> Any:
    """Return coordinates that the padding has brought inside."""
    if padding == "reflection":
        low, span = (0.0, size - 1.0) if aligned else (-0.5, float(size))
        if span == 0:
            return 0.0 * at
        away = np.abs(at - low)
        turns = np.floor(stop_gradient(away) / span)
        extra = away - turns * span
        at = np.where(np.floor(turns / 2) * 2 == turns, extra, span - extra) + low
    return at if padding == "zeros" else np.clip(at, 0.0, size - 1.0)


def _cubic(t: Any, near: bool) -> Any:
    """Return Keys' cubic weight at a distance up to 1 (`near`), or from 1 to 2."""
    if near:
        return ((CUBIC + 2.0) * t - (CUBIC + 3.0)) * t * t + 1.0
    return (((t - 5.0) * t + 8.0) * t - 4.0) * CUBIC
