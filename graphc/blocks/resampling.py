"""Pictures of another size.

Each axis of space is multiplied by a matrix of weights, or its elements are picked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, usage
from graphc.blocks.pooling import averaging
from graphc.blocks.space import check_space, per_axis
from graphc.language.functions import Input, function
from graphc.types import shape_text

KEYS = {"bicubic": -0.75, "antialiased bicubic": -0.5}  # the free parameter of Keys' kernel
LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
MODES = ("nearest", "nearest-exact", *LINEAR, "area")


@function
def interpolate(
    x: Any = Input("channels ..."),
    size: int | tuple[int, ...] | None = None,
    scale_factor: float | tuple[float, ...] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Return a picture of another size.

    Parameters
    ----------
    x
        ``(channels, *space)``, of known sizes.
    size, scale_factor
        One of them: the new size, or by what the size is multiplied, for all axes or for each.
    mode
        ``"nearest"``, ``"nearest-exact"``, ``"linear"`` (one axis of space), ``"bilinear"``,
        ``"bicubic"`` (two), ``"trilinear"`` (three) or ``"area"``.
    align_corners
        Whether the centres of the corners stay in place, and not their outer edges; for the modes
        from ``"linear"`` on.
    recompute_scale_factor
        Whether places follow from the sizes, rounded, and not from `scale_factor` itself.
    antialias
        Whether what is made smaller is smoothed before; for ``"bilinear"`` and ``"bicubic"``.

    Notes
    -----
    Each axis is multiplied by a matrix of weights, except where elements are only picked. Cubic
    weights are those of Keys (1981), "Cubic convolution interpolation", with a = -3/4 (-1/2 when
    antialiased).
    """
    chosen(mode, MODES, "interpolate", "mode")
    dims = x.ndim - 1
    check_space(x, dims, "interpolate")
    usage(
        dims == LINEAR.get(mode, dims),
        f"interpolate: mode={mode!r} takes {LINEAR.get(mode)} axes of space, and there are {dims}",
    )
    usage(
        all(isinstance(n, int) for n in x.shape),
        f"interpolate: needs to know the sizes, and they are {shape_text(x.shape)}",
    )
    usage(
        align_corners is None or mode in LINEAR,
        f"interpolate: mode={mode!r} has no option align_corners",
    )
    usage(
        not antialias or mode in ("bilinear", "bicubic"),
        f"interpolate: antialias works with bilinear and bicubic, not {mode!r}",
    )
    sizes, scales = _target(x.shape[1:], size, scale_factor, bool(recompute_scale_factor))
    for axis, (n, scale) in enumerate(zip(sizes, scales, strict=True), 1):
        if mode.startswith("nearest"):
            x = _picked(x, axis, _nearest(x.shape[axis], n, scale, mode == "nearest-exact"))
        elif mode == "area":
            x = _mixed(x, axis, averaging(x.shape[axis], n))
        else:
            weigh = _smoothing if antialias else _between
            cubic = mode == "bicubic"
            x = _mixed(x, axis, weigh(x.shape[axis], n, scale, bool(align_corners), cubic))
    return x


def _target(
    space: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Return the new sizes, and by what places are multiplied where the sizes do not say it."""
    dims = len(space)
    usage(
        (size is None) != (scale_factor is None),
        "interpolate: give either size or scale_factor",
    )
    if size is not None:
        usage(not recompute, "interpolate: recompute_scale_factor needs a scale_factor")
        return per_axis(size, dims, "interpolate", "size", 1), (None,) * dims
    several = isinstance(scale_factor, tuple | list)
    factors = tuple(scale_factor) if several else (scale_factor,) * dims
    usage(
        len(factors) == dims
        and all(isinstance(f, int | float) and not isinstance(f, bool) for f in factors)
        and min(factors) > 0,
        f"interpolate: scale_factor is a positive number, or one for each of {dims} axes, "
        f"got {scale_factor!r}",
    )
    sizes = tuple(math.floor(n * f) for n, f in zip(space, factors, strict=True))
    usage(min(sizes) >= 1, f"interpolate: scale_factor={scale_factor} leaves nothing of {space}")
    return sizes, (None,) * dims if recompute else tuple(1.0 / f for f in factors)


def _nearest(old: int, new: int, scale: float | None, exact: bool) -> Any:
    """Return the places that are picked; in single precision, as PyTorch computes them."""
    step = np.float32(old) / np.float32(new) if scale is None else np.float32(scale)
    places = np.arange(new, dtype=np.float32) + np.float32(0.5 if exact else 0.0)
    return np.minimum(np.floor(places * step).astype(int), old - 1)


def _picked(x: Any, axis: int, places: Any) -> Any:
    """Return x at places along an axis: by repeating where all are taken equally often."""
    old, new = x.shape[axis], len(places)
    if new % old == 0 and np.array_equal(places, np.arange(new) // (new // old)):
        return x if new == old else np.repeat(x, new // old, axis=axis)
    return np.take(x, places, axis=axis)


def _mixed(x: Any, axis: int, weights: Any) -> Any:
    """Return x with each element along an axis a weighted sum of the old ones."""
    if np.array_equal(weights, np.eye(len(weights))):
        return x
    axes = "abcd"[: x.ndim]
    return np.einsum(f"o{axes[axis]},{axes}->{axes.replace(axes[axis], 'o')}", weights, x)


def _step(old: int, new: int, scale: float | None, aligned: bool) -> float:
    if aligned:
        return (old - 1) / (new - 1) if new > 1 else 0.0
    return old / new if scale is None else scale


def _between(old: int, new: int, scale: float | None, aligned: bool, cubic: bool) -> Any:
    """Return the weights of the old elements around each new one; the ends go on for ever."""
    step = _step(old, new, scale, aligned)
    weights = np.zeros((new, old))
    kernel = _cubic(KEYS["bicubic"]) if cubic else _triangle
    for i, row in enumerate(weights):
        at = step * i if aligned else step * (i + 0.5) - 0.5
        at = at if cubic else max(at, 0.0)
        first = math.floor(at)
        for j in range(first - 1, first + 3) if cubic else (first, first + 1):
            row[min(max(j, 0), old - 1)] += kernel(at - j)
    return weights


def _smoothing(old: int, new: int, scale: float | None, aligned: bool, cubic: bool) -> Any:
    """Return weights of a kernel as wide as what one new element stands for, summing to 1."""
    step = _step(old, new, scale, aligned)
    kernel = _cubic(KEYS["antialiased bicubic"]) if cubic else _triangle
    stretch = max(step, 1.0)
    reach = (2.0 if cubic else 1.0) * stretch
    weights = np.zeros((new, old))
    for i, row in enumerate(weights):
        centre = step * (i + 0.5)
        first, last = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), old)
        row[first:last] = [kernel((j - centre + 0.5) / stretch) for j in range(first, last)]
        row /= row.sum()
    return weights


def _triangle(t: float) -> float:
    return max(0.0, 1.0 - abs(t))


def _cubic(a: float) -> Callable[[float], float]:
    def kernel(t: float) -> float:
        t = abs(t)
        if t <= 1.0:
            return ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0
        return (((t - 5.0) * t + 8.0) * t - 4.0) * a if t < 2.0 else 0.0

    return kernel
