"""Convolution and its adjoint, over one, two or three axes of space.

As in PyTorch, "convolution" is correlation: the kernel is not mirrored. Shapes are (channels,
*space), without a batch. See https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
for the arithmetic of sizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage
from graphc.blocks.normalisation import per_channel
from graphc.blocks.space import PADDINGS, Pads, check_space, padded, per_axis
from graphc.blocks.starts import by_fan_in
from graphc.language.functions import Function, Input, Parameter, function
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.protocol.windows import fold, windows
from graphc.language.variable import Variable, as_variable

MODES = ("zeros", "reflect", "replicate", "circular")
SPACE, KERNEL = "xyz", "ijk"


def convolved(
    x: Variable,
    w: Variable,
    b: Variable | None,
    block: str,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    padding_mode: str = "zeros",
) -> Any:
    """Return the convolution of x, (channels, *space), with w, (out, channels/groups, *kernel)."""
    dims = w.ndim - 2
    check_space(x, dims, block)
    strides = per_axis(stride, dims, block, "stride", 1)
    dilations = per_axis(dilation, dims, block, "dilation", 1)
    pads = _pads(padding, w.shape[2:], strides, dilations, block)
    _check_groups(x.shape[0], w.shape[0], groups, block)
    shapes(
        w.shape[1] * groups == x.shape[0],
        f"{block}: the kernel takes {w.shape[1]} channels in {groups} groups, got {x.shape[0]}",
    )
    usage(
        padding_mode in MODES,
        f"{block}: padding_mode is one of {', '.join(MODES)}, got {padding_mode!r}",
    )
    x = padded(x, pads) if padding_mode == "zeros" else _continued(x, pads, padding_mode, block)
    space, kernel = SPACE[:dims], KERNEL[:dims]
    axes = tuple(range(1, dims + 1))
    if groups == 1:
        patches = windows(x, w.shape[2:], axes, strides, dilations)
        z: Any = np.einsum(f"c{space}{kernel},oc{kernel}->o{space}", patches, w)
    else:
        x = reshape_variable(x, (groups, -1, *x.shape[1:]))
        patches = windows(x, w.shape[2:], [a + 1 for a in axes], strides, dilations)
        parts = reshape_variable(w, (groups, -1, *w.shape[1:]))
        z = np.einsum(f"gc{space}{kernel},goc{kernel}->go{space}", patches, parts)
        z = z.reshape((w.shape[0], *z.shape[2:]))
    return z if b is None else z + per_channel(b, dims + 1)


def _continued(x: Any, pads: Pads, mode: str, block: str) -> Any:
    """Return x continued over its borders by its own values, axis by axis."""
    for axis, around in enumerate(pads, 1):
        size = x.shape[axis]
        usage(
            isinstance(size, int),
            f"{block}: padding_mode={mode!r} needs to know the sizes, and axis {axis} has {size}",
        )
        longest = size - 1 if mode == "reflect" else size if mode == "circular" else max(around)
        usage(
            max(around) <= longest,
            f"{block}: padding_mode={mode!r} reaches {max(around)} over an axis of {size}",
        )
        places = np.pad(np.arange(size), around, mode=PADDINGS[mode])  # type: ignore[call-overload]
        x = x[(*(slice(None),) * axis, as_variable(places))]
    return x


def _check_groups(channels: Any, out: Any, groups: int, block: str) -> None:
    usage(
        isinstance(groups, int) and groups >= 1,
        f"{block}: groups is an integer of at least 1, got {groups!r}",
    )
    fits = all(not isinstance(n, int) or n % groups == 0 for n in (channels, out))
    usage(fits, f"{block}: {channels} channels and {out} outputs do not make {groups} groups")


def _pads(padding: Any, kernel: Any, strides: Any, dilations: Any, block: str) -> Pads:
    """Return what is added before and after each axis of space."""
    dims = len(strides)
    if padding == "valid":
        return ((0, 0),) * dims
    if padding != "same":
        usage(
            not isinstance(padding, str),
            f"{block}: padding is a number, 'same' or 'valid', got {padding!r}",
        )
        return tuple((p, p) for p in per_axis(padding, dims, block, "padding"))
    usage(set(strides) == {1}, f"{block}: padding='same' works with stride 1, got {strides}")
    usage(
        all(isinstance(k, int) for k in kernel),
        f"{block}: padding='same' needs a kernel of known size",
    )
    total = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
    return tuple((t // 2, t - t // 2) for t in total)


def transpose_convolved(
    x: Variable,
    w: Variable,
    b: Variable | None,
    block: str,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    """Return the adjoint of a convolution of x, with w of shape (channels, out/groups, *kernel)."""
    dims = w.ndim - 2
    check_space(x, dims, block)
    strides = per_axis(stride, dims, block, "stride", 1)
    dilations = per_axis(dilation, dims, block, "dilation", 1)
    cut = per_axis(padding, dims, block, "padding")
    more = per_axis(output_padding, dims, block, "output_padding")
    usage(
        all(m < max(s, d) for m, s, d in zip(more, strides, dilations, strict=True)),
        f"{block}: output_padding is less than stride or dilation, got {output_padding}",
    )
    _check_groups(x.shape[0], x.shape[0], groups, block)
    shapes(
        w.shape[0] == x.shape[0],
        f"{block}: the kernel takes {w.shape[0]} channels, got {x.shape[0]}",
    )
    space, kernel = SPACE[:dims], KERNEL[:dims]
    xs = reshape_variable(x, (groups, -1, *x.shape[1:]))
    ws = reshape_variable(w, (groups, -1, *w.shape[1:]))
    parts: Any = np.einsum(f"gc{space},gco{kernel}->go{space}{kernel}", xs, ws)
    parts = parts.reshape((w.shape[1] * groups, *parts.shape[2:]))
    whole = tuple(
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[1:], strides, dilations, w.shape[2:], strict=True)
    )
    axes = tuple(range(1, dims + 1))
    z = fold(parts, w.shape[2:], axes, (parts.shape[0], *whole), strides, dilations)
    z = padded(z, tuple((0, max(m - c, 0)) for m, c in zip(more, cut, strict=True)))
    ends = [n - c + m for n, c, m in zip(whole, cut, more, strict=True)]
    usage(
        all(not isinstance(e, int) or e > c for e, c in zip(ends, cut, strict=True)),
        f"{block}: padding={padding} leaves nothing of the result",
    )
    key = [slice(c, e if c or e != n else None) for c, e, n in zip(cut, ends, whole, strict=True)]
    z = z[(slice(None), *key)]
    return z if b is None else z + per_channel(b, dims + 1)


def _convolution(dims: int) -> Function:
    kernel = " ".join(f"kernel_size[{i}]" for i in range(dims))
    name, start = f"Conv{dims}d", by_fan_in(f"in_channels/groups {kernel}")

    def body(
        x: Any = Input("in_channels ..."),
        *,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        w: Any = Parameter(f"out_channels in_channels/groups {kernel}", torch=start),
        b: Any = Parameter("out_channels", "zeros", "bias", start),
    ) -> Any:
        """Return the convolution of x with a kernel: from ``in_channels`` to ``out_channels``.

        Parameters
        ----------
        x
            Channels first, no batch; `in_channels` follows from it.
        padding
            What is added on both sides, or ``"same"`` (with stride 1), or ``"valid"`` for 0.
        dilation
            How far apart the elements of the kernel are.
        groups
            Into how many groups channels and outputs are split, each connected to its own.
        padding_mode
            ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.

        Notes
        -----
        Kernels start Glorot-uniform, the bias at zero. The result has
        ``(n + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1`` places along an axis.
        """
        return convolved(x, w, b, name, stride, padding, dilation, groups, padding_mode)

    body.__name__ = name
    return function(body)


def _transpose_convolution(dims: int) -> Function:
    kernel = " ".join(f"kernel_size[{i}]" for i in range(dims))
    # PyTorch counts the second axis of every kernel as what comes in.
    name, start = f"ConvTranspose{dims}d", by_fan_in(f"out_channels/groups {kernel}")

    def body(
        x: Any = Input("in_channels ..."),
        *,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        output_padding: int | tuple[int, ...] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, ...] = 1,
        w: Any = Parameter(f"in_channels out_channels/groups {kernel}", torch=start),
        b: Any = Parameter("out_channels", "zeros", "bias", start),
    ) -> Any:
        """Return the adjoint of a convolution: what a gradient by its input would be.

        Each element of x, ``(in_channels, *space)``, puts the kernel, weighted, into the result;
        what overlaps is added. `padding` is cut off on both sides, `output_padding` added at the
        end.

        Notes
        -----
        Kernels start Glorot-uniform, the bias at zero. The result has ``(n - 1) stride - 2 padding
        + dilation (kernel_size - 1) + output_padding + 1`` places along an axis.
        """
        return transpose_convolved(x, w, b, name, stride, padding, output_padding, groups, dilation)

    body.__name__ = name
    return function(body)


def _functional(dims: int) -> tuple[Function, Function]:
    def conv(
        x: Any = Input("channels ..."),
        weight: Any = Input("..."),
        bias: Any = Input("out", optional=True),
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
    ) -> Any:
        """Return the convolution of x, ``(channels, *space)``, with a given kernel.

        The kernel has shape ``(out, channels/groups, *size)``. See ``graphc.Conv2d``.
        """
        _check_kernel(weight, dims, f"conv{dims}d")
        return convolved(x, weight, bias, f"conv{dims}d", stride, padding, dilation, groups)

    def transpose(
        x: Any = Input("channels ..."),
        weight: Any = Input("channels ..."),
        bias: Any = Input("out", optional=True),
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        output_padding: int | tuple[int, ...] = 0,
        groups: int = 1,
        dilation: int | tuple[int, ...] = 1,
    ) -> Any:
        """Return the adjoint of a convolution; the kernel: ``(channels, out/groups, *size)``.

        See ``graphc.ConvTranspose2d``.
        """
        name = f"conv_transpose{dims}d"
        _check_kernel(weight, dims, name)
        return transpose_convolved(
            x, weight, bias, name, stride, padding, output_padding, groups, dilation
        )

    conv.__name__, transpose.__name__ = f"conv{dims}d", f"conv_transpose{dims}d"
    return function(conv), function(transpose)


def _check_kernel(weight: Variable, dims: int, block: str) -> None:
    shapes(weight.ndim == dims + 2, f"{block}: a kernel has {dims + 2} axes, got {weight.ndim}")


Conv1d, Conv2d, Conv3d = (_convolution(dims) for dims in (1, 2, 3))
ConvTranspose1d, ConvTranspose2d, ConvTranspose3d = (
    _transpose_convolution(dims) for dims in (1, 2, 3)
)
conv1d, conv_transpose1d = _functional(1)
conv2d, conv_transpose2d = _functional(2)
conv3d, conv_transpose3d = _functional(3)

# `in_channels`, with which PyTorch begins, follows from the input.
for _block in (Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d):
    _block.positional = 2
