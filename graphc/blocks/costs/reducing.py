"""From the terms of a cost to the cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import REDUCTIONS, chosen, same_shape
from graphc.language.samples import over_samples


def target(y: Any, z: Any) -> Any:
    """Return a target as the costs compare its shape: a single known number fits every shape."""
    return z if y.role == "constant" and not y.shape else y


def reduced(terms: Any, reduction: str, cost: str) -> Any:
    """Return the mean or the sum of the terms, or all of them."""
    chosen(reduction, REDUCTIONS, cost, "reduction")
    if reduction == "none":
        return terms
    return np.mean(terms) if reduction == "mean" else np.sum(terms)


def averaged(terms: Any, weight: Any, reduction: str, cost: str) -> Any:
    """Return terms with a weight each, reduced; the mean is over all weights of the batch."""
    terms = weighted(terms, weight, cost)
    if weight is None or reduction != "mean":
        return reduced(terms, reduction, cost)
    return weighted_mean(terms, weight)


def weighted(terms: Any, weight: Any, cost: str) -> Any:
    """Return terms with a weight each, or without where there are none."""
    if weight is None:
        return terms
    same_shape(cost, terms=terms, weight=weight)
    return terms * weight


def weighted_mean(terms: Any, weights: Any) -> Any:
    """Return the sum of `terms`, already weighted, by the mean over samples of all `weights`.

    Averaged over the samples, this is the weighted mean over the whole batch.
    """
    return np.sum(terms) / over_samples("mean", np.sum(weights))
