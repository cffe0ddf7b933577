"""Normalisation: by layer, by group, by instance, by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage
from graphc.language.functions import Function, Input, Parameter, function
from graphc.language.protocol.reductions import dimension_node
from graphc.language.protocol.windows import windows
from graphc.language.samples import over_samples
from graphc.language.variable import Variable
from graphc.types import shape_text, size_of


def standardised(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """Return x minus its mean over `axes`, by its standard deviation; `eps` is in the variance."""
    centred = x - np.mean(x, axis=axes, keepdims=True)
    return centred / np.sqrt(np.mean(np.square(centred), axis=axes, keepdims=True) + eps)


def per_channel(v: Variable, rank: int) -> Variable:
    """Return a vector of channels as what multiplies an array whose first axis they are."""
    return v.reshape((-1, *(1,) * (rank - 1)))


def _scaled(z: Any, w: Any, b: Any) -> Any:
    """Return ``w z + b`` by channel; both may be None."""
    z = z if w is None else z * per_channel(w, z.ndim)
    return z if b is None else z + per_channel(b, z.ndim)


def _last_axes(x: Variable, normalized_shape: Any, block: str) -> tuple[int, ...]:
    several = isinstance(normalized_shape, tuple | list)
    wanted = tuple(normalized_shape) if several else (normalized_shape,)
    shapes(
        len(wanted) <= x.ndim
        and tuple(map(str, x.shape[-len(wanted) :])) == tuple(map(str, wanted)),
        f"{block}: normalises the last axes, of sizes {shape_text(wanted)}, but the input has "
        f"shape {shape_text(x.shape)}",
    )
    return tuple(range(-len(wanted), 0))


@function
def LayerNorm(
    x: Any = Input("..."),
    *,
    normalized_shape: int | tuple[int, ...],
    eps: float = 1e-5,
    elementwise_affine: bool = True,
    bias: bool = True,
    w: Any = Parameter("*normalized_shape", init="ones", when="elementwise_affine"),
    b: Any = Parameter("*normalized_shape", init="zeros", when="elementwise_affine bias"),
) -> Any:
    """Return ``w (x - mean) / sqrt(var + eps) + b``, mean and variance over the last axes.

    Ba, Kiros and Hinton (2016), "Layer normalization". The variance is the biased one.
    """
    z = standardised(x, _last_axes(x, normalized_shape, "LayerNorm"), eps)
    z = z if w is None else z * w
    return z if b is None else z + b


@function
def RMSNorm(
    x: Any = Input("..."),
    *,
    normalized_shape: int | tuple[int, ...],
    eps: float | None = None,
    elementwise_affine: bool = True,
    w: Any = Parameter("*normalized_shape", init="ones", when="elementwise_affine"),
) -> Any:
    """Return ``w x / sqrt(mean(x**2) + eps)``, the mean over the last axes.

    Zhang and Sennrich (2019), "Root mean square layer normalization". By default `eps` is the
    machine epsilon of float64, 2**-52, whatever the dtype of the program.
    """
    axes = _last_axes(x, normalized_shape, "RMSNorm")
    eps = 2.0**-52 if eps is None else eps
    z = x / np.sqrt(np.mean(np.square(x), axis=axes, keepdims=True) + eps)
    return z if w is None else z * w


@function
def GroupNorm(
    x: Any = Input("num_channels ..."),
    *,
    num_groups: int,
    num_channels: int,
    eps: float = 1e-5,
    affine: bool = True,
    bias: bool = True,
    w: Any = Parameter("num_channels", init="ones", when="affine"),
    b: Any = Parameter("num_channels", init="zeros", when="affine bias"),
) -> Any:
    """Normalise each group of channels, the first axis of x; then ``w x + b`` by channel.

    Wu and He (2018), "Group normalization".
    """
    usage(
        num_groups >= 1 and num_channels % num_groups == 0,
        f"GroupNorm: {num_channels} channels do not make {num_groups} equal groups",
    )
    z = standardised(x.reshape((num_groups, -1)), (1,), eps).reshape(x.shape)
    return _scaled(z, w, b)


@function
def local_response_norm(
    x: Any = Input("channels ..."),
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Any:
    """Return ``x / (k + alpha m)**beta``, m the mean of x**2 over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton (2012), whose alpha is PyTorch's, and this one, over `size`.
    """
    usage(
        isinstance(size, int) and size >= 1,
        f"local_response_norm: size is an integer of at least 1, got {size!r}",
    )
    around = ((size // 2, (size - 1) // 2), *((0, 0),) * (x.ndim - 1))
    squares = windows(np.pad(np.square(x), around), size, 0)
    return x / (k + alpha * np.mean(squares, axis=-1)) ** beta


def _instance_norm(dims: int) -> Function:
    def body(
        x: Any = Input("num_features ..."),
        running_mean: Any = Input("num_features", optional=True),
        running_var: Any = Input("num_features", optional=True),
        *,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        bias: bool = True,
        training: bool = True,
        w: Any = Parameter("num_features", init="ones", when="affine"),
        b: Any = Parameter("num_features", init="zeros", when="affine bias"),
    ) -> Any:
        """Normalise each channel, the first axis of x, over the others; then ``w x + b``.

        Given running statistics, the block returns ``(z, running_mean, running_var)`` while
        training, and normalises by them with ``training=False``; see :func:`graphc.BatchNorm1d`.
        They follow the means over the batch of what the samples are normalised by.

        Ulyanov, Vedaldi and Lempitsky (2016), "Instance normalization".
        """
        name = f"InstanceNorm{dims}d"
        _check_rank(x, (dims + 1,), name)
        tracked = _tracked(running_mean, running_var, name)
        if tracked and not training:
            return _scaled(_by_channel(x, running_mean, running_var, eps), w, b)
        space = tuple(range(1, x.ndim))
        z = _scaled(standardised(x, space, eps), w, b)
        if not tracked:
            return z
        mean = np.mean(x, axis=space)
        var = np.mean(np.square(x - per_channel(mean, x.ndim)), axis=space)
        count: Any = Variable(dimension_node(size_of(x.shape[1:])))
        states = ((running_mean, mean), (running_var, var * (count / (count - 1.0))))
        return z, *(
            (1.0 - momentum) * old + momentum * over_samples("mean", new) for old, new in states
        )

    body.__name__ = f"InstanceNorm{dims}d"
    return function(body)


def _batch_norm(dims: int) -> Function:
    ranks = (1, 2) if dims == 1 else (dims + 1,)

    def body(
        x: Any = Input("num_features ..."),
        running_mean: Any = Input("num_features", optional=True),
        running_var: Any = Input("num_features", optional=True),
        num_batches_tracked: Any = Input("", optional=True),
        *,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        bias: bool = True,
        training: bool = True,
        w: Any = Parameter("num_features", init="ones", when="affine"),
        b: Any = Parameter("num_features", init="zeros", when="affine bias"),
    ) -> Any:
        """Normalise each channel over all samples of the batch; then ``w x + b`` by channel.

        The state is explicit. Training, mean and variance are those of the batch; given the
        running ones (observed, ``per_sample=False``), the block returns ``(z, running_mean,
        running_var)``, with ``(1 - momentum) running + momentum batch`` for the next call; the
        running variance is of the unbiased one. With ``training=False`` the running ones are
        what x is normalised by, and the result is z alone. With ``momentum=None`` the running ones
        are the means over all batches; how many there were is `num_batches_tracked`, a scalar,
        and the new count is a fourth result.

        Ioffe and Szegedy (2015), "Batch normalization". ``block(x, mean, var, training=False)``
        shares the parameters of a block that trains.
        """
        name = f"BatchNorm{dims}d"
        _check_rank(x, ranks, name)
        tracked = _tracked(running_mean, running_var, name)
        usage(tracked or training, f"{name}: training=False needs running_mean and running_var")
        usage(
            num_batches_tracked is not None or momentum is not None or not (training and tracked),
            f"{name}: momentum=None needs num_batches_tracked in the call",
        )
        space = tuple(range(1, x.ndim))
        mean, var = running_mean, running_var
        if training:
            mean = over_samples("mean", np.mean(x, axis=space))
            squares = np.square(x - per_channel(mean, x.ndim))
            var = over_samples("mean", np.mean(squares, axis=space))
        z = _scaled(_by_channel(x, mean, var, eps), w, b)
        if not (training and tracked):
            return z
        count = over_samples("sum", Variable(dimension_node(size_of(x.shape[1:]))))
        states = ((running_mean, mean), (running_var, var * (count / (count - 1.0))))
        if momentum is None:
            seen = num_batches_tracked + 1
            return z, *(old + (new - old) / seen for old, new in states), seen
        return z, *((1.0 - momentum) * old + momentum * new for old, new in states)

    body.__name__ = f"BatchNorm{dims}d"
    return function(body)


def _tracked(mean: Any, var: Any, block: str) -> bool:
    """Return whether there are running statistics."""
    usage(
        (mean is None) == (var is None),
        f"{block}: give both running_mean and running_var, or neither",
    )
    return mean is not None


def _by_channel(x: Any, mean: Any, var: Any, eps: float) -> Any:
    return (x - per_channel(mean, x.ndim)) / np.sqrt(per_channel(var, x.ndim) + eps)


def _check_rank(x: Variable, ranks: tuple[int, ...], block: str) -> None:
    expected = " or ".join(str(rank) for rank in ranks)
    shapes(
        x.ndim in ranks,
        f"{block}: takes {expected} axes, channels first and no batch, got {shape_text(x.shape)}",
    )


InstanceNorm1d = _instance_norm(1)
InstanceNorm2d = _instance_norm(2)
InstanceNorm3d = _instance_norm(3)
BatchNorm1d = _batch_norm(1)
BatchNorm2d = _batch_norm(2)
BatchNorm3d = _batch_norm(3)
