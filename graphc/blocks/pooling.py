"""Pooling over windows of one, two or three axes of space: (channels, *space), without a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.checks import usage
from graphc.blocks.space import Pads, check_space, padded, per_axis
from graphc.language.functions import Function, Input, function
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.protocol.windows import windows
from graphc.language.variable import Variable, as_variable

Size = int | tuple[int, ...]


class Pooling:
    """The options of a pooling, checked: one number for each axis of space."""

    def __init__(
        self,
        x: Variable,
        dims: int,
        block: str,
        kernel_size: Size,
        stride: Size | None,
        padding: Size,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        check_space(x, dims, block)
        self.space: tuple[Any, ...] = x.shape[1:]
        self.block = block
        self.size = per_axis(kernel_size, dims, block, "kernel_size", 1)
        self.stride = per_axis(self.size if stride is None else stride, dims, block, "stride", 1)
        self.padding = per_axis(padding, dims, block, "padding")
        self.dilation = per_axis(dilation, dims, block, "dilation", 1)
        usage(
            all(2 * p <= k for p, k in zip(self.padding, self.size, strict=True)),
            f"{block}: padding is at most half of kernel_size, got {padding} and {kernel_size}",
        )
        usage(
            not ceil_mode or all(isinstance(n, int) for n in self.space),
            f"{block}: ceil_mode needs to know the sizes, and they are {self.space}",
        )
        self.pads: Pads = tuple(
            (p, p + (self._missing(a) if ceil_mode else 0)) for a, p in enumerate(self.padding)
        )
        self.axes = tuple(range(1, dims + 1))
        self.inner = tuple(range(-dims, 0))

    def _missing(self, axis: int) -> int:
        """Return how much the last window reaches over the end; it must start before it."""
        size: int = self.space[axis]
        stride, pad = self.stride[axis], self.padding[axis]
        span = self.dilation[axis] * (self.size[axis] - 1) + 1
        steps = math.ceil((size + 2 * pad - span) / stride)
        if steps * stride >= size + pad:
            steps -= 1
        return max(0, steps * stride + span - size - 2 * pad)

    def windows(self, x: Variable) -> Variable:
        """Return the windows of x, already padded."""
        return windows(x, self.size, self.axes, self.stride, self.dilation)

    def places(self, parts: Variable) -> Any:
        """Return where the largest elements of the windows stand, counted through all of space."""
        space = _known(self)
        flat = reshape_variable(parts, (*parts.shape[: -len(self.size)], math.prod(self.size)))
        offsets = np.indices(self.size).reshape(len(self.size), -1)
        best: Any = np.argmax(flat, axis=-1)
        result: Any = 0
        for axis, n in enumerate(space):
            count: Any = parts.shape[1 + axis]
            starts = np.arange(count) * self.stride[axis] - self.padding[axis]
            starts = starts.reshape((-1, *(1,) * (len(space) - axis - 1)))
            steps = as_variable(offsets[axis] * self.dilation[axis])
            result = result * n + (starts + steps[best])
        return result

    def counts(self, include_pad: bool) -> Any:
        """Return how many elements each window holds; of the padding those of both sides alone."""
        held = []
        for size, pads, pad, axis in zip(
            self.space, self.pads, self.padding, range(len(self.size)), strict=True
        ):
            inside = np.zeros(size + sum(pads))
            first, last = (0, size + 2 * pad) if include_pad else (pad, size + pad)
            inside[first:last] = 1.0
            view = np.lib.stride_tricks.sliding_window_view(inside, self.size[axis])
            held.append(view[:: self.stride[axis]].sum(-1))
        total = held[0]
        for more in held[1:]:
            total = total[..., None] * more
        return total


def _max_pool(dims: int) -> Function:
    name = f"max_pool{dims}d"

    def body(
        x: Any = Input("channels ..."),
        kernel_size: Size = 2,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        """Return the largest element of each window, channel by channel.

        The stride is by default the size of the window. Padding never counts. Equal largest
        elements share the gradient (PyTorch gives it to the first). With `return_indices` the
        second result says where the first of them stands, counted through all axes of space.
        """
        pool = Pooling(x, dims, name, kernel_size, stride, padding, dilation, ceil_mode)
        around = padded(x, pool.pads)
        if around is not x:
            edge = np.pad(np.ones((1, *_known(pool))), ((0, 0), *pool.pads))
            around = np.where(edge == 1, around, -np.inf)  # type: ignore[assignment]
        parts = pool.windows(around)
        largest = np.max(parts, axis=pool.inner)
        return (largest, pool.places(parts)) if return_indices else largest

    body.__name__ = name
    return function(body)


def _known(pool: Pooling) -> tuple[int, ...]:
    usage(
        all(isinstance(n, int) for n in pool.space),
        f"{pool.block}: padding needs to know the sizes, and they are {pool.space}",
    )
    return pool.space


def _avg_pool(dims: int) -> Function:
    name = f"avg_pool{dims}d"

    def body(
        x: Any = Input("channels ..."),
        kernel_size: Size = 2,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: float | None = None,
    ) -> Any:
        """Return the mean of each window, channel by channel.

        The stride is by default the size of the window. The mean counts the zeros of the padding
        unless `count_include_pad` is false; `divisor_override` divides in place of the count.
        """
        pool = Pooling(x, dims, name, kernel_size, stride, padding, 1, ceil_mode)
        usage(
            divisor_override is None or divisor_override != 0, f"{name}: divisor_override is not 0"
        )
        total = np.sum(pool.windows(padded(x, pool.pads)), axis=pool.inner)
        if divisor_override is not None:
            return total / divisor_override
        everything = math.prod(pool.size)
        if not any(map(any, pool.pads)):
            return total / everything
        _known(pool)
        counts = pool.counts(count_include_pad)
        return total / (everything if np.all(counts == everything) else counts)

    body.__name__ = name
    return function(body)


def _power_pool(dims: int) -> Function:
    name = f"lp_pool{dims}d"

    def body(
        x: Any = Input("channels ..."),
        norm_type: float = 2.0,
        kernel_size: Size = 2,
        stride: Size | None = None,
        ceil_mode: bool = False,
    ) -> Any:
        """Return ``(sum x**p)**(1/p)`` of each window, channel by channel, p being `norm_type`.

        As in PyTorch the sum is of x itself, not of its absolute value, and the derivative at a sum
        of 0 is 0. With ``norm_type=float("inf")`` it is the largest absolute value.
        """
        usage(norm_type > 0, f"{name}: norm_type is positive, got {norm_type}")
        pool = Pooling(x, dims, name, kernel_size, stride, 0, 1, ceil_mode)
        parts = pool.windows(padded(x, pool.pads))
        if norm_type == math.inf:
            return np.max(np.abs(parts), axis=pool.inner)
        total: Any = np.sum(parts**norm_type, axis=pool.inner)
        if any(map(any, pool.pads)):  # a window that reaches over the end counts as a whole one
            total = total * (math.prod(pool.size) / pool.counts(include_pad=True))
        zero = total == 0
        return np.where(zero, 0.0, np.where(zero, 1.0, total) ** (1.0 / norm_type))

    body.__name__ = name
    return function(body)


def _adaptive(dims: int, kind: str) -> Function:
    name = f"adaptive_{kind}_pool{dims}d"

    def pooled(x: Any, output_size: Any, return_indices: bool = False) -> Any:
        check_space(x, dims, name)
        several = isinstance(output_size, tuple | list)
        wanted = tuple(output_size) if several else (output_size,) * dims
        whole = tuple(n if w is None else w for w, n in zip(wanted, x.shape[1:], strict=False))
        sizes = per_axis(whole, dims, name, "output_size", 1)
        known: Any = x.shape[1:]
        reduce = np.max if kind == "max" else np.mean
        if set(sizes) == {1} and not return_indices:
            return reduce(x, axis=tuple(range(1, dims + 1)), keepdims=True)
        usage(
            all(isinstance(n, int) for n in known),
            f"{name}: needs to know the sizes, and they are {known}",
        )
        if return_indices:
            return _largest_of(x, _members(known, sizes), sizes)
        if all(n % o == 0 for n, o in zip(known, sizes, strict=True)):
            steps = tuple(n // o for n, o in zip(known, sizes, strict=True))
            parts = windows(x, steps, tuple(range(1, dims + 1)), steps)
            return reduce(parts, axis=tuple(range(-dims, 0)))
        for axis, size in enumerate(sizes, 1):
            x = _along(x, axis, size, kind)
        return x

    def average(x: Any = Input("channels ..."), output_size: Any = 1) -> Any:
        """Return as many places as are wanted along each axis of space, whatever there are.

        Place i of o stands for the elements from ``floor(i n / o)`` to ``ceil((i + 1) n / o)``,
        of n. None keeps the size of an axis.
        """
        return pooled(x, output_size)

    def largest(
        x: Any = Input("channels ..."), output_size: Any = 1, return_indices: bool = False
    ) -> Any:
        """Return as many places as are wanted along each axis of space, whatever there are.

        Places as for :func:`graphc.adaptive_avg_pool2d`. With `return_indices` the second result
        says where the first of the largest elements stand, counted through all axes of space.
        """
        return pooled(x, output_size, return_indices)

    body = largest if kind == "max" else average
    body.__name__ = name
    return function(body)


def _spans(n: int, size: int) -> Any:
    """Return the elements of each window along an axis; shorter ones repeat their last element."""
    starts = np.arange(size) * n // size
    ends = -(-(np.arange(size) + 1) * n // size)
    return np.minimum(starts[:, None] + np.arange((ends - starts).max()), ends[:, None] - 1)


def _members(space: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """Return which elements, counted through all of space, each window holds, one row each."""
    dims = len(space)
    total: Any = np.zeros((1,) * (2 * dims), int)
    for axis, (n, size) in enumerate(zip(space, sizes, strict=True)):
        spans = _spans(n, size)
        shape = [1] * (2 * dims)
        shape[axis], shape[dims + axis] = spans.shape
        total = total * n + spans.reshape(shape)
    return total.reshape((math.prod(sizes), -1))


def _largest_of(x: Any, members: Any, sizes: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the largest of some elements of each channel, and which they are."""
    parts = reshape_variable(x, (x.shape[0], -1))[:, as_variable(members)]
    best: Any = np.argmax(parts, axis=-1)
    places = as_variable(members)[as_variable(np.arange(len(members))), best]
    shape = (x.shape[0], *sizes)
    return reshape_variable(np.max(parts, axis=-1), shape), reshape_variable(places, shape)


def averaging(n: int, size: int) -> Any:
    """Return the weights of adaptive average pooling along an axis, one row for each place."""
    weights = np.zeros((size, n))
    for i, row in enumerate(weights):
        start, end = i * n // size, -((i + 1) * n // -size)
        row[start:end] = 1.0 / (end - start)
    return weights


def _along(x: Any, axis: int, size: int, kind: str) -> Any:
    """Pool along one axis, into windows of unequal sizes."""
    n = x.shape[axis]
    if kind == "avg":
        weights = averaging(n, size)
        axes = "abcd"[: x.ndim]
        moved = axes.replace(axes[axis], "o")
        return np.einsum(f"o{axes[axis]},{axes}->{moved}", weights, x)
    key = (*(slice(None),) * axis, as_variable(_spans(n, size)))
    return np.max(x[key], axis=axis + 1)


max_pool1d, max_pool2d, max_pool3d = (_max_pool(dims) for dims in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (_avg_pool(dims) for dims in (1, 2, 3))
lp_pool1d, lp_pool2d, lp_pool3d = (_power_pool(dims) for dims in (1, 2, 3))
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = (
    _adaptive(dims, "avg") for dims in (1, 2, 3)
)
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (
    _adaptive(dims, "max") for dims in (1, 2, 3)
)
