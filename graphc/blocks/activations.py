"""Pointwise functions and softmax, as in ``torch.nn.functional``, for one sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.checks import check_noise, chosen, same_shape, shapes, usage
from graphc.language.derive import stop_gradient
from graphc.language.functions import Input, Parameter, function
from graphc.language.protocol.reductions import along
from graphc.language.protocol.scalars import scalar_function
from graphc.language.variable import Variable

# Klambauer et al. (2017), "Self-Normalizing Neural Networks": the fixed point of mean and variance.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@function
def relu(z: Variable) -> Any:
    """Return ``max(z, 0)``; its derivative at 0 is 0."""
    return np.maximum(z, 0)


@function
def relu6(z: Variable) -> Any:
    """Return ``min(max(z, 0), 6)``."""
    return np.clip(z, 0.0, 6.0)


@function
def leaky_relu(z: Variable, negative_slope: float = 0.01) -> Any:
    """Return z where it is positive, else ``negative_slope * z``."""
    return np.where(z > 0, z, negative_slope * z)


@function
def prelu(z: Variable, weight: Variable) -> Any:
    """Return z where it is positive, else ``weight * z``.

    `weight` holds one slope, or one for each channel, which is the first axis of `z`.
    """
    return _prelu(z, weight)


@function
def PReLU(
    z: Variable,
    *,
    num_parameters: int = 1,
    slope: Any = Parameter("num_parameters", init=0.25),
) -> Any:
    """Return z where it is positive, else ``slope * z``, the slope a parameter.

    One slope for all, or `num_parameters` for as many channels, which are the first axis of `z`.
    Slopes start at 0.25 (He et al., 2015, "Delving Deep into Rectifiers").
    """
    return _prelu(z, slope)


def _prelu(z: Variable, slope: Variable) -> Any:
    several = slope.ndim == 1 and slope.shape[0] != 1
    per_channel = slope.reshape(-1, *(1,) * (z.ndim - 1)) if several else slope.reshape(())
    return np.where(z > 0, z, per_channel * z)


@function
def rrelu(
    z: Variable,
    noise: Any = Input("...", optional=True),
    lower: float = 1.0 / 8.0,
    upper: float = 1.0 / 3.0,
    training: bool = False,
) -> Any:
    """Return z where it is positive, else z times a slope between `lower` and `upper`.

    Training, the slopes are drawn: `noise`, of the shape of z, is uniform in [0, 1). Else they are
    in the middle. Xu, Wang, Chen and Li (2015), "Empirical evaluation of rectified activations".
    """
    usage(lower <= upper, f"rrelu: lower {lower} is above upper {upper}")
    usage(
        noise is not None or not training,
        "rrelu: training=True needs noise of z's shape: noise=gc.noise(name, shape, 'uniform')",
    )
    if not training:
        return np.where(z > 0, z, 0.5 * (lower + upper) * z)
    same_shape("rrelu", z=z, noise=noise)
    check_noise(noise, "uniform", "rrelu")
    return np.where(z > 0, z, (lower + (upper - lower) * noise) * z)


@function
def elu(z: Variable, alpha: float = 1.0) -> Any:
    """Return z where it is positive, else ``alpha * (exp(z) - 1)`` (Clevert et al., 2016)."""
    return np.where(z > 0, z, alpha * np.expm1(_negative(z)))


@function
def selu(z: Variable) -> Any:
    """Return the scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(_negative(z)))


@function
def celu(z: Variable, alpha: float = 1.0) -> Any:
    """Return z where it is positive, else ``alpha * (exp(z / alpha) - 1)`` (Barron, 2017)."""
    return np.where(z > 0, z, alpha * np.expm1(_negative(z) / alpha))


def _negative(z: Variable) -> Any:
    """Return z where it is not positive, else 0: where it is not used, nothing overflows."""
    return np.where(z > 0, 0.0, z)


@function
def gelu(z: Variable, approximate: str = "none") -> Any:
    """Return ``z * Phi(z)``, Phi being the standard normal distribution function.

    With ``approximate="tanh"``, ``z (1 + tanh(sqrt(2/pi) (z + 0.044715 z**3))) / 2``. Hendrycks
    and Gimpel (2016), "Gaussian error linear units".
    """
    chosen(approximate, ("none", "tanh"), "gelu", "approximate")
    if approximate == "none":
        return z * scalar_function("ndtr")(z)
    inner = math.sqrt(2.0 / math.pi) * (z + 0.044715 * z**3)
    return 0.5 * z * (1.0 + np.tanh(inner))


@function
def silu(z: Variable) -> Any:
    """Return ``z * sigmoid(z)``, also called swish."""
    return z * scalar_function("sigmoid")(z)


@function
def mish(z: Variable) -> Any:
    """Return ``z * tanh(softplus(z))`` (Misra, 2019)."""
    return z * np.tanh(scalar_function("softplus")(z))


@function
def tanh(z: Variable) -> Any:
    """Return the hyperbolic tangent."""
    return np.tanh(z)


@function
def sigmoid(z: Variable) -> Any:
    """Return ``1 / (1 + exp(-z))``, without overflow for any z."""
    result: Variable = scalar_function("sigmoid")(z)
    return result


@function
def softplus(z: Variable, beta: float = 1.0, threshold: float | None = None) -> Any:
    """Return ``log(1 + exp(beta * z)) / beta``, without overflow for any z.

    PyTorch gives z itself where ``beta * z`` is above a `threshold` of 20, against overflow. Here
    there is none to guard against, so it does so only where a threshold is asked for.
    """
    usage(beta > 0, f"softplus: beta is positive, got {beta}")
    if beta == 1.0:
        result = scalar_function("softplus")(z)
    else:
        result = scalar_function("softplus")(beta * z) / beta
    return result if threshold is None else np.where(beta * z > threshold, z, result)


@function
def log_sigmoid(z: Variable) -> Any:
    """Return ``log(sigmoid(z))``, without overflow for any z."""
    return scalar_function("log_sigmoid")(z)


logsigmoid = log_sigmoid  # as torch.nn.functional spells it


@function
def softsign(z: Variable) -> Any:
    """Return ``z / (1 + |z|)``."""
    return z / (1.0 + np.abs(z))


@function
def hardtanh(z: Variable, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """Return z, limited to ``min_val`` and ``max_val``; its derivative at the bounds is 1."""
    usage(min_val < max_val, f"hardtanh: min_val {min_val} is not below max_val {max_val}")
    return np.clip(z, min_val, max_val)


@function
def hardsigmoid(z: Variable) -> Any:
    """Return ``min(max(z + 3, 0), 6) / 6``."""
    return np.clip(z + 3.0, 0.0, 6.0) / 6.0


@function
def hardswish(z: Variable) -> Any:
    """Return ``z * min(max(z + 3, 0), 6) / 6`` (Howard et al., 2019)."""
    return z * np.clip(z + 3.0, 0.0, 6.0) / 6.0


@function
def tanhshrink(z: Variable) -> Any:
    """Return ``z - tanh(z)``."""
    return z - np.tanh(z)


@function
def softshrink(z: Variable, lambd: float = 0.5) -> Any:
    """Return z moved towards 0 by `lambd`, and 0 within that distance."""
    usage(lambd >= 0, f"softshrink: lambd is not negative, got {lambd}")
    return np.where(z > lambd, z - lambd, np.where(z < -lambd, z + lambd, 0.0))


@function
def hardshrink(z: Variable, lambd: float = 0.5) -> Any:
    """Return z, and 0 where ``|z| <= lambd``."""
    return np.where(np.abs(z) > lambd, z, 0.0)


@function
def threshold(z: Variable, threshold: float, value: float) -> Any:
    """Return z where it is above `threshold`, else `value`."""
    return np.where(z > threshold, z, value)


@function
def glu(z: Variable, axis: int = -1) -> Any:
    """Return ``a * sigmoid(b)`` for the two halves a and b of z along `axis` (Dauphin et al.)."""
    a, b = halves(z, axis, "glu")
    return a * scalar_function("sigmoid")(b)


def halves(z: Variable, axis: int, block: str) -> tuple[Variable, Variable]:
    """Return the two halves of a variable along an axis of even size."""
    shapes(-z.ndim <= axis < z.ndim, f"{block}: axis {axis} is out of range for {z.ndim} axes")
    size = z.shape[axis]
    even = size % 2 == 0 if isinstance(size, int) else (size // 2) * 2 == size
    shapes(even, f"{block} halves an axis, but axis {axis} has the odd size {size}")
    front = (slice(None),) * (axis % z.ndim)
    return z[(*front, slice(None, size // 2))], z[(*front, slice(size // 2, None))]


@function
def softmax(z: Variable, axis: Any = -1) -> Any:
    """Return ``exp(z) / sum(exp(z))`` along `axis`."""
    return along("softmax")(z, axis)


@function
def softmin(z: Variable, axis: Any = -1) -> Any:
    """Return ``softmax(-z)`` along `axis`."""
    return along("softmax")(-z, axis)


@function
def log_softmax(z: Variable, axis: Any = -1) -> Any:
    """Return ``z - logsumexp(z)`` along `axis`."""
    return along("log_softmax")(z, axis)


@function
def logsumexp(
    z: Variable,
    axis: Any = None,
    keepdims: bool = False,
    *,
    b: Any = Input(optional=True),
    return_sign: bool = False,
) -> Any:
    """Return ``log(sum(exp(z)))`` over `axis`, by default over all.

    With weights `b` it is ``log(sum(b * exp(z)))``; with `return_sign` the logarithm of its size,
    and its sign, as in SciPy.
    """
    if b is None:
        found = along("logsumexp")(z, axis, keepdims)
        return (found, np.ones_like(found)) if return_sign else found
    counted: Any = np.where(b == 0, -np.inf, z)
    top: Any = stop_gradient(np.max(counted, axis=axis, keepdims=True))
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.sum(b * np.exp(counted - top), axis=axis, keepdims=True)
    size = np.log(np.abs(total) if return_sign else total) + top
    sign = np.sign(total)
    if not keepdims:
        size, sign = (np.squeeze(part, axis=axis) for part in (size, sign))
    return (size, sign) if return_sign else size
