"""Costs that are negative log-likelihoods or divergences of distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.checks import REDUCTIONS, chosen, same_shape, usage
from graphc.blocks.costs.reducing import reduced, target
from graphc.language.derive import stop_gradient
from graphc.language.functions import cost
from graphc.language.variable import Variable


@cost
def kl_div(
    log_q: Variable, p: Variable, *, reduction: str = "mean", log_target: bool = False
) -> Any:
    """Return the mean of ``p (log p - log_q)``: the divergence of q from p, element by element.

    ``reduction="batchmean"`` is the divergence itself: the sum, of one sample. With `log_target`
    the second argument holds log p.
    """
    chosen(reduction, (*REDUCTIONS, "batchmean"), "kl_div", "reduction")
    same_shape("kl_div", log_q=log_q, p=target(p, log_q))
    if log_target:
        terms = np.exp(p) * (p - log_q)
    else:
        terms = np.where(p > 0, p * np.log(p), 0.0) - p * log_q
    return reduced(terms, "sum" if reduction == "batchmean" else reduction, "kl_div")


@cost
def poisson_nll(
    z: Variable,
    y: Variable,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """Return the mean of ``exp(z) - y z``: a count y of which z is the logarithm of the rate.

    Without `log_input` z is the rate, and the term is ``z - y log(z + eps)``. With `full` it adds
    Stirling's formula for ``log y!``, ``y log y - y + log(2 pi y) / 2``, where y is above 1.
    """
    same_shape("poisson_nll", z=z, y=target(y, z))
    terms = np.exp(z) - y * z if log_input else z - y * np.log(z + eps)
    if full:
        many = np.where(y > 1, y, 1.0)
        stirling = many * np.log(many) - many + 0.5 * np.log(2.0 * math.pi * many)
        terms = terms + np.where(y > 1, stirling, 0.0)
    return reduced(terms, reduction, "poisson_nll")


@cost
def gaussian_nll(
    z: Variable,
    y: Variable,
    var: Variable,
    *,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """Return the mean of ``(log var + (z - y)**2 / var) / 2``; with `full` plus ``log(2 pi) / 2``.

    `var` has the shape of z, or that without the last axis or with 1 for it: one for a whole row. A
    variance below `eps` counts as `eps`; as in PyTorch its derivative is taken as if that were
    its value.
    """
    usage(eps > 0, f"gaussian_nll: eps is positive, got {eps}")
    same_shape("gaussian_nll", z=z, y=target(y, z))
    var = _variances(var, z)
    raised: Any = np.maximum(var, eps) - var
    at_least = var + stop_gradient(raised)
    terms = 0.5 * (np.log(at_least) + np.square(z - y) / at_least)
    terms = terms + 0.5 * math.log(2.0 * math.pi) if full else terms
    return reduced(terms, reduction, "gaussian_nll")


def _variances(var: Variable, z: Variable) -> Any:
    """Return variances as they broadcast: one for a row may lack its axis, as in PyTorch."""
    if var.role == "constant" and not var.shape:
        return var
    if z.ndim and var.shape == z.shape[:-1]:
        return var[..., None]
    if not (z.ndim and var.shape == (*z.shape[:-1], 1)):
        same_shape("gaussian_nll", z=z, var=var)
    return var
