"""Pooling whose windows are drawn, and what puts pooled elements back where they stood."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.checks import check_noise, same_shape, shapes, usage
from graphc.blocks.pooling import Size
from graphc.blocks.space import check_space, per_axis
from graphc.language.functions import Function, Input, function
from graphc.language.indexing import at_set
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.variable import as_variable
from graphc.types import shape_text


def _max_unpool(dims: int) -> Function:
    name = f"max_unpool{dims}d"

    def body(
        x: Any = Input("channels ..."),
        indices: Any = Input("channels ...", kind="integer"),
        kernel_size: Size = 2,
        stride: Size | None = None,
        padding: Size = 0,
        output_size: tuple[int, ...] | None = None,
    ) -> Any:
        """Return a picture of zeros with the elements of x where they stood before pooling.

        `indices` is the second result of :func:`graphc.max_pool2d` with ``return_indices=True``.
        By default the picture is the smallest that was pooled to x; `output_size` names its sizes.
        """
        check_space(x, dims, name)
        same_shape(name, x=x, indices=indices)
        usage(
            all(isinstance(n, int) for n in x.shape),
            f"{name}: needs to know the sizes, and they are {shape_text(x.shape)}",
        )
        size = per_axis(kernel_size, dims, name, "kernel_size", 1)
        steps = per_axis(size if stride is None else stride, dims, name, "stride", 1)
        pads = per_axis(padding, dims, name, "padding")
        sizes: Any = zip(x.shape[1:], steps, pads, size, strict=True)
        whole = tuple((n - 1) * s - 2 * p + k for n, s, p, k in sizes)
        if output_size is not None:
            wanted = per_axis(tuple(output_size)[-dims:], dims, name, "output_size", 1)
            usage(
                all(abs(w - n) < s for w, n, s in zip(wanted, whole, steps, strict=True)),
                f"{name}: output_size differs from {whole} by less than the stride, got {wanted}",
            )
            whole = wanted
        channels: Any = x.shape[0]
        empty = as_variable(np.zeros((channels, math.prod(whole))))
        rows = np.arange(channels)[:, None]
        places = reshape_variable(indices, (channels, -1))
        filled = at_set(empty, (rows, places), reshape_variable(x, (channels, -1)))
        return reshape_variable(filled, (channels, *whole))

    body.__name__ = name
    return function(body)


def _fractional(dims: int) -> Function:
    name = f"fractional_max_pool{dims}d"

    def body(
        x: Any = Input("channels ..."),
        noise: Any = Input(f"channels {dims}"),
        kernel_size: Size = 2,
        output_size: Size | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
    ) -> Any:
        """Return the largest elements of windows whose places are drawn, channel by channel.

        Parameters
        ----------
        noise
            Uniform in [0, 1), of shape (channels, axes of space), the last axis of a picture first:
            PyTorch's ``_random_samples``.
        output_size, output_ratio
            One of them: how many windows there are along each axis, or their share of the places.

        Notes
        -----
        Graham (2014), "Fractional max-pooling", the pseudorandom, overlapping kind.
        """
        check_space(x, dims, name)
        check_noise(noise, "uniform", name)
        space: Any = x.shape[1:]
        usage(
            all(isinstance(n, int) for n in x.shape),
            f"{name}: needs to know the sizes, and they are {shape_text(x.shape)}",
        )
        size = per_axis(kernel_size, dims, name, "kernel_size", 1)
        usage(
            (output_size is None) != (output_ratio is None),
            f"{name}: give either output_size or output_ratio",
        )
        if output_ratio is not None:
            several = isinstance(output_ratio, tuple | list)
            ratios: Any = output_ratio if several else (output_ratio,) * dims
            usage(
                len(ratios) == dims and all(0 < r < 1 for r in ratios),
                f"{name}: output_ratio lies between 0 and 1, got {output_ratio!r}",
            )
            output_size = tuple(int(n * r) for n, r in zip(space, ratios, strict=True))
        wanted = per_axis(output_size, dims, name, "output_size", 1)
        shapes(
            all(w + k - 1 <= n for w, k, n in zip(wanted, size, space, strict=True)),
            f"{name}: {wanted} windows of {size} places do not fit into {space}",
        )
        # Of three axes PyTorch draws the first one first, of two the last one.
        drawn = range(dims) if dims == 3 else range(dims - 1, -1, -1)
        key: list[Any] = [np.arange(x.shape[0]).reshape((-1, *(1,) * (2 * dims)))]
        for axis, (n, w, k, at) in enumerate(zip(space, wanted, size, drawn, strict=True)):
            places = _starts(noise[:, at], n - k, w)[..., None] + np.arange(k)
            shape = [x.shape[0], *(1,) * (2 * dims)]
            shape[1 + axis], shape[1 + dims + axis] = w, k
            key.append(reshape_variable(places, tuple(shape)))
        return np.max(x[tuple(key)], axis=tuple(range(-dims, 0)))

    body.__name__ = name
    return function(body)


def _starts(noise: Any, last: int, count: int) -> Any:
    """Return where the windows start: ``floor((i + u) a) - floor(u a)``, the last at the end."""
    if count == 1:
        return as_variable(np.full((noise.shape[0], 1), last))
    step = last / (count - 1)
    ends = np.floor((np.arange(count - 1) + noise[:, None]) * step)
    starts: Any = (ends - np.floor(noise[:, None] * step)).astype(int)
    final = 0 * starts[:, :1] + last
    return np.concatenate([starts, final], axis=1)


max_unpool1d, max_unpool2d, max_unpool3d = (_max_unpool(dims) for dims in (1, 2, 3))
fractional_max_pool2d, fractional_max_pool3d = (_fractional(dims) for dims in (2, 3))
