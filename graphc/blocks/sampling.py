"""Randomness: the noise is an observed variable, so that a program is a function of its inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.activations import SELU_ALPHA, SELU_SCALE
from graphc.blocks.checks import check_noise, same_shape, shapes, usage
from graphc.language.derive import stop_gradient
from graphc.language.functions import function
from graphc.language.protocol.reductions import along
from graphc.language.variable import Variable
from graphc.types import shape_text


def _kept(x: Variable, noise: Variable, p: float, block: str) -> Any:
    """Return where x is kept: where the noise, uniform in [0, 1), is not below p."""
    check_noise(noise, "uniform", block)
    usage(0 <= p < 1, f"{block}: p lies in [0, 1), got {p}")
    shapes(
        noise.shape == x.shape[: noise.ndim],
        f"{block}: the noise has shape {shape_text(noise.shape)}, which is neither that of the "
        f"input, {shape_text(x.shape)}, nor its first axes",
    )
    return (noise >= p).reshape((*noise.shape, *(1,) * (x.ndim - noise.ndim)))


def drawn(
    noise: Any, p: float, training: bool, block: str, shape: str, option: str = "dropout"
) -> Any:
    """Return the noise that a block drops by, None where it drops nothing.

    Raises
    ------
    UsageError
        If something is to be dropped and there is no noise, or the other way round.
    """
    usage(0 <= p < 1, f"{block}: {option} lies in [0, 1), got {p}")
    usage(
        noise is None or p > 0,
        f"{block}: there is noise, but {option}={p} drops nothing",
    )
    usage(
        noise is not None or p == 0 or not training,
        f"{block}: {option}={p} needs noise in the call: noise=gc.noise(name, shape, 'uniform') "
        f"of shape {shape}; {option}=0 or training=False drop nothing",
    )
    return noise if training and p > 0 else None


@function
def dropout(x: Variable, noise: Variable, p: float = 0.5, training: bool = True) -> Any:
    """Return x with elements set to 0 with probability p, the others divided by ``1 - p``.

    `noise` is uniform in [0, 1), as ``gc.noise(name, shape, "uniform")``, of the shape of x. With
    the shape of its first axes alone it drops whole channels, as ``torch.nn.Dropout2d`` does.
    Srivastava et al. (2014). With ``training=False`` the result is x.
    """
    kept = _kept(x, noise, p, "dropout")
    return np.where(kept, x / (1.0 - p), 0.0) if training else x


@function
def alpha_dropout(x: Variable, noise: Variable, p: float = 0.5, training: bool = True) -> Any:
    """Return x with elements set to SELU's limit, rescaled to keep mean and variance.

    `noise` as for :func:`dropout`. Klambauer et al. (2017), "Self-normalizing neural networks".
    """
    limit = -SELU_ALPHA * SELU_SCALE
    kept = _kept(x, noise, p, "alpha_dropout")
    scale = 1.0 / math.sqrt((1.0 - p) * (1.0 + p * limit**2))
    return scale * np.where(kept, x, limit) - scale * p * limit if training else x


@function
def normal_sample(mean: Variable, std: Variable, noise: Variable) -> Any:
    """Return ``mean + std * noise``: a normal sample of which both are derived by.

    `noise` is standard normal, as ``gc.noise(name, shape)``. Kingma and Welling (2014),
    "Auto-encoding variational Bayes".
    """
    check_noise(noise, "normal", "normal_sample")
    return mean + std * noise


@function
def gumbel_softmax(
    logits: Variable, noise: Variable, tau: float = 1.0, hard: bool = False, axis: int = -1
) -> Any:
    """Return ``softmax((logits + noise) / tau)``, the noise being standard Gumbel.

    Gumbel noise, ``gc.noise(name, shape, "gumbel")``, is ``-log(-log(u))`` of a uniform u. With
    `hard` the result is the one-hot vector of its largest element, with the derivative of the soft
    one. Jang, Gu and Poole (2017).
    """
    usage(tau > 0, f"gumbel_softmax: tau is positive, got {tau}")
    same_shape("gumbel_softmax", logits=logits, noise=noise)
    check_noise(noise, "gumbel", "gumbel_softmax")
    soft = along("softmax")((logits + noise) / tau, axis)
    if not hard:
        return soft
    best: Any = np.where(soft == np.max(soft, axis=axis, keepdims=True), 1.0, 0.0)
    return stop_gradient(best - soft) + soft
