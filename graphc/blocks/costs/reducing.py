"""From the terms of a cost to the cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import REDUCTIONS, chosen
from graphc.language.samples import over_samples


def reduced(terms: Any, reduction: str, cost: str) -> Any:
    """Return the mean or the sum of the terms, or all of them."""
    chosen(reduction, REDUCTIONS, cost, "reduction")
    if reduction == "none":
        return terms
    return np.mean(terms) if reduction == "mean" else np.sum(terms)


def weighted_mean(terms: Any, weights: Any) -> Any:
    """Return the sum of `terms`, already weighted, by the mean over samples of all `weights`.

    Averaged over the samples, this is the weighted mean over the whole batch.
    """
    return np.sum(terms) / over_samples("mean", np.sum(weights))
