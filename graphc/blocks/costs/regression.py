"""Costs between real targets and predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import same_shape, usage
from graphc.blocks.costs.reducing import averaged, reduced, target, weighted
from graphc.language.functions import Input, cost
from graphc.language.variable import Variable

WEIGHT = Input("...", optional=True)


@cost
def squared_error(z: Variable, y: Variable) -> Any:
    """Return ``sum((z - y)**2)``, the lecture's squared distance; the shapes are equal."""
    same_shape("squared_error", z=z, y=target(y, z))
    return np.sum(np.square(z - y))


@cost
def mse(z: Variable, y: Variable, weight: Any = WEIGHT, *, reduction: str = "mean") -> Any:
    """Return ``mean((z - y)**2)``; the shapes are equal.

    `weight`, of the shape of the terms, weighs them; the mean is divided by all weights.
    """
    same_shape("mse", z=z, y=target(y, z))
    return averaged(np.square(z - y), weight, reduction, "mse")


@cost
def l1(z: Variable, y: Variable, weight: Any = WEIGHT, *, reduction: str = "mean") -> Any:
    """Return ``mean(|z - y|)``; `weight` as for :func:`mse`."""
    same_shape("l1", z=z, y=target(y, z))
    return averaged(np.abs(z - y), weight, reduction, "l1")


@cost
def smooth_l1(z: Variable, y: Variable, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Return the mean of ``d**2 / (2 beta)`` where ``d = |z - y| < beta``, else ``d - beta/2``.

    With ``beta=0`` it is :func:`l1`. Girshick (2015), "Fast R-CNN".
    """
    same_shape("smooth_l1", z=z, y=target(y, z))
    usage(beta >= 0, f"smooth_l1: beta is not negative, got {beta}")
    d = np.abs(z - y)
    if beta == 0:
        return reduced(d, reduction, "smooth_l1")
    near = np.square(d) * (0.5 / beta)
    return reduced(np.where(d < beta, near, d - 0.5 * beta), reduction, "smooth_l1")


@cost
def huber(
    z: Variable,
    y: Variable,
    weight: Any = WEIGHT,
    *,
    reduction: str = "mean",
    delta: float = 1.0,
) -> Any:
    """Return the mean of ``d**2 / 2`` where ``d = |z - y| <= delta``, else ``delta (d - delta/2)``.

    `weight` weighs the terms; as in PyTorch, their mean is not divided by the weights. Huber
    (1964), "Robust estimation of a location parameter".
    """
    same_shape("huber", z=z, y=target(y, z))
    usage(delta > 0, f"huber: delta is positive, got {delta}")
    d = np.abs(z - y)
    terms = np.where(d <= delta, 0.5 * np.square(d), delta * (d - 0.5 * delta))
    return reduced(weighted(terms, weight, "huber"), reduction, "huber")
