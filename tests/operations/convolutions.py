"""Convolution and pooling, against torch."""

from functools import partial

import graphc as gc
from tests.operations.activations import F
from tests.operations.case import Case
from tests.operations.layers import module, normal


def conv(dims, shape, kernel, out, *, groups=1, second=False, **options):
    """A convolution of `shape` channels and places; torch's module takes the same options."""
    channels = shape[0]
    own = ("w", "b") if options.get("bias", True) else ("w",)
    size = (kernel,) * dims if isinstance(kernel, int) else kernel
    parameters = (normal(out, channels // groups, *size), normal(out))[: len(own)]
    given = {"groups": groups, **options} if groups > 1 else options
    return module(
        f"Conv{dims}d", out, kernel, own=own, inputs=(normal(*shape),), parameters=parameters,
        theirs=((channels, out, kernel), ("weight", "bias")[: len(own)], given), second=second,
        **given,
    )  # fmt: skip


def transposed(dims, shape, kernel, out, *, groups=1, **options):
    channels = shape[0]
    own = ("w", "b") if options.get("bias", True) else ("w",)
    size = (kernel,) * dims if isinstance(kernel, int) else kernel
    parameters = (normal(channels, out // groups, *size), normal(out))[: len(own)]
    given = {"groups": groups, **options} if groups > 1 else options
    return module(
        f"ConvTranspose{dims}d", out, kernel, own=own, inputs=(normal(*shape),),
        parameters=parameters,
        theirs=((channels, out, kernel), ("weight", "bias")[: len(own)], given), **given,
    )  # fmt: skip


def pool(name, shape, *arguments, second=False, **options):
    told = ", ".join([*map(str, arguments), *(f"{k}={v}" for k, v in options.items())])
    theirs = dict(options)
    return Case(
        f"gc.{name}({told})", "pooling", lambda x: getattr(gc, name)(x, *arguments, **options),
        lambda x: F(name)(x, *arguments, **theirs), (normal(*shape),), second=second,
        framework="torch",
    )  # fmt: skip


IMAGE = (2, 5, 6)
CASES = [
    conv(1, (2, 7), 3, 4, second=True),
    conv(1, (2, 7), 3, 4, stride=2, padding=1, bias=False),
    conv(1, (4, 9), 2, 6, groups=2, dilation=3),
    conv(1, (2, 7), 4, 3, padding="same"),
    conv(1, (2, 7), 3, 2, padding=2, padding_mode="circular"),
    conv(2, IMAGE, 3, 4, second=True),
    conv(2, IMAGE, (2, 3), 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    conv(2, IMAGE, (2, 3), 3, padding="same", dilation=2),
    conv(2, IMAGE, 3, 3, padding="valid"),
    conv(2, (4, 5, 5), 3, 6, groups=2, padding=1),
    conv(2, (3, 4, 5), 2, 6, groups=3, stride=2),
    conv(2, IMAGE, 1, 3),
    conv(2, (2, 6, 6), 2, 3, stride=2),
    conv(2, IMAGE, 3, 2, padding=1, padding_mode="reflect"),
    conv(2, IMAGE, 3, 2, padding=2, padding_mode="replicate"),
    conv(3, (2, 3, 4, 3), 2, 3, padding=1),
    conv(3, (2, 4, 4, 5), (2, 1, 3), 4, stride=(2, 1, 2), groups=2, bias=False),
    transposed(1, (2, 4), 3, 3),
    transposed(1, (2, 4), 3, 3, stride=2, padding=1, output_padding=1),
    transposed(1, (4, 5), 2, 6, stride=3, groups=2, dilation=2, bias=False),
    transposed(1, (2, 4), 2, 3, stride=1, dilation=3, output_padding=2),
    transposed(2, IMAGE, 3, 4),
    transposed(2, IMAGE, (2, 3), 4, stride=(2, 3), padding=(1, 2), output_padding=(1, 0), groups=2),
    transposed(3, (2, 2, 3, 2), 2, 3, stride=2),
    Case("gc.conv2d", "convolution", partial(gc.conv2d, stride=2, padding=1),
         partial(F("conv2d"), stride=2, padding=1),
         (normal(*IMAGE), normal(3, 2, 3, 3), normal(3)), framework="torch"),
    Case("gc.conv1d", "convolution", partial(gc.conv1d, groups=2),
         partial(F("conv1d"), groups=2), (normal(4, 6), normal(4, 2, 3)), framework="torch"),
    Case("gc.conv3d", "convolution", gc.conv3d, F("conv3d"),
         (normal(2, 3, 3, 3), normal(2, 2, 2, 2, 2)), framework="torch"),
    Case("gc.conv_transpose1d", "convolution", gc.conv_transpose1d, F("conv_transpose1d"),
         (normal(4, 6), normal(4, 2, 3)), framework="torch"),
    Case("gc.conv_transpose2d", "convolution", partial(gc.conv_transpose2d, stride=2),
         partial(F("conv_transpose2d"), stride=2),
         (normal(*IMAGE), normal(2, 3, 3, 3), normal(3)), framework="torch"),
    Case("gc.conv_transpose3d", "convolution", gc.conv_transpose3d, F("conv_transpose3d"),
         (normal(2, 2, 2, 2), normal(2, 2, 2, 2, 2)), framework="torch"),
    pool("max_pool1d", (2, 8), 2),
    pool("max_pool1d", (2, 9), 3, stride=2, padding=1, dilation=2),
    pool("max_pool2d", IMAGE, 2, second=True),
    pool("max_pool2d", IMAGE, (2, 3), stride=1),
    pool("max_pool2d", IMAGE, 3, stride=2, padding=1, ceil_mode=True),
    pool("max_pool3d", (2, 4, 4, 3), 2, padding=1),
    pool("avg_pool1d", (2, 8), 2),
    pool("avg_pool2d", IMAGE, 2, second=True),
    pool("avg_pool2d", IMAGE, (2, 3), stride=1, padding=1),
    pool("avg_pool2d", IMAGE, 3, stride=2, padding=1, count_include_pad=False),
    pool("avg_pool2d", IMAGE, 3, stride=2, padding=1, ceil_mode=True),
    pool("avg_pool2d", IMAGE, 2, ceil_mode=True, count_include_pad=False),
    pool("avg_pool2d", IMAGE, 2, divisor_override=3),
    pool("avg_pool3d", (2, 4, 4, 3), 2, padding=1),
    pool("adaptive_avg_pool1d", (2, 7), 3),
    pool("adaptive_avg_pool2d", IMAGE, 1),
    pool("adaptive_avg_pool2d", IMAGE, (3, 4)),
    pool("adaptive_avg_pool2d", IMAGE, (None, 3)),
    pool("adaptive_avg_pool3d", (2, 4, 4, 5), (2, 2, 3)),
    pool("adaptive_max_pool1d", (2, 7), 3),
    pool("adaptive_max_pool2d", (2, 4, 6), 2),
    pool("adaptive_max_pool2d", IMAGE, (3, 4)),
    pool("adaptive_max_pool3d", (2, 4, 4, 5), (2, 2, 3)),
]  # fmt: skip
