"""Costs between classes and scores, probabilities or logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import known_classes, labels, same_shape, shapes, spreads, usage, within
from graphc.blocks.costs.reducing import reduced, target, weighted_mean
from graphc.blocks.encoding import one_hot_of
from graphc.language.functions import Input, cost
from graphc.language.protocol.reductions import along
from graphc.language.protocol.scalars import scalar_function
from graphc.language.variable import Variable
from graphc.types import shape_text

# PyTorch cuts the logarithms of binary_cross_entropy off at -100, and so is its derivative there.
LOWEST_LOG = -100.0


@cost
def cross_entropy(
    s: Any = Input("classes ..."),
    y: Any = Input("..."),
    weight: Any = Input("classes", optional=True),
    *,
    reduction: str = "mean",
    ignore_index: int | None = -100,
    label_smoothing: float = 0.0,
) -> Any:
    """Return ``-log softmax(s)[y]`` for scores s of shape (classes,) and a class y.

    Parameters
    ----------
    s
        Scores of shape (classes, ...): classes along the first axis.
    y
        Classes of shape (...), or probabilities of the shape of `s`.
    weight
        One weight per class. The mean is weighted by those of the true classes, over all samples.
    ignore_index
        The class of targets that count for nothing; None: every target counts.
    label_smoothing
        The share of the uniform distribution in the target, between 0 and 1.
    """
    usage(
        0.0 <= label_smoothing <= 1.0,
        f"cross_entropy: label_smoothing lies between 0 and 1, got {label_smoothing}",
    )
    log_p = along("log_softmax")(s, 0)
    if y.kind == "real":
        usage(
            ignore_index in (None, -100),
            "cross_entropy: probabilities have no class to be ignored",
        )
        if y.shape == s.shape[1:]:
            labels(y, "cross_entropy", "y")
        same_shape("cross_entropy", s=s, y=y)
        wanted = y if label_smoothing == 0 else _smoothed(y, label_smoothing)
        terms = -np.sum(wanted * _weighted(log_p, weight), axis=0)
        return reduced(terms, reduction, "cross_entropy")
    return _of_classes("cross_entropy", log_p, y, weight, reduction, ignore_index, label_smoothing)


@cost
def nll(
    log_p: Any = Input("classes ..."),
    y: Any = Input("...", kind="integer"),
    weight: Any = Input("classes", optional=True),
    *,
    reduction: str = "mean",
    ignore_index: int | None = -100,
) -> Any:
    """Return ``-log_p[y]`` for log-probabilities of shape (classes, ...) and classes y.

    `weight`, `ignore_index` and `reduction` as for :func:`cross_entropy`.
    """
    return _of_classes("nll", log_p, y, weight, reduction, ignore_index, 0.0)


def _of_classes(
    name: str,
    log_p: Variable,
    y: Any,
    weight: Any,
    reduction: str,
    ignore_index: int | None,
    smoothing: float,
) -> Any:
    labels(y, name, "y")
    hint = "; write np.moveaxis(scores, -1, 0)" if y.shape == log_p.shape[:-1] else ""
    shapes(
        y.shape == log_p.shape[1:],
        f"{name}: for scores of shape {shape_text(log_p.shape)} the classes have shape "
        f"{shape_text(log_p.shape[1:])}, got {shape_text(y.shape)}; the scores of the classes "
        f"stand along the first axis{hint}",
    )
    classes = known_classes(y)
    counts: Any = None
    if ignore_index is not None:
        possible = not isinstance(classes, int) or 0 <= ignore_index < classes
        counts = y != ignore_index if possible else None
    y = y if counts is None else np.where(counts, y, 0)
    y = within(y, log_p.shape[0], name, "y")
    terms = -_read(log_p, y)
    weights = None if weight is None else weight[y]
    if weights is not None:
        terms = weights * terms
    if smoothing:
        uniform = -np.mean(_weighted(log_p, weight), axis=0)
        terms = (1.0 - smoothing) * terms + smoothing * uniform
    if counts is not None:
        terms = np.where(counts, terms, 0.0)
        weights = np.where(counts, 1.0 if weights is None else weights, 0.0)
    if reduction == "mean" and weights is not None:
        return weighted_mean(terms, weights)
    return reduced(terms, reduction, name)


def _read(log_p: Variable, y: Variable) -> Any:
    """Return the elements along the first axis that y names."""
    if not y.shape:
        return log_p[y]
    return np.sum(np.where(one_hot_of(y, log_p.shape[0], 0), log_p, 0.0), axis=0)


def _weighted(log_p: Variable, weight: Variable | None) -> Variable:
    if weight is None:
        return log_p
    return log_p * weight.reshape(-1, *(1,) * (log_p.ndim - 1))


def _smoothed(y: Variable, share: float) -> Any:
    classes = y.shape[0]
    shapes(
        isinstance(classes, int),
        f"cross_entropy: smoothing probabilities needs to know how many classes there are, not "
        f"{classes}; smooth them before",
    )
    return y * (1.0 - share) + share / classes  # type: ignore[operator]


@cost
def binary_cross_entropy(
    p: Variable,
    y: Variable,
    weight: Any = Input("...", optional=True),
    *,
    reduction: str = "mean",
) -> Any:
    """Return the mean of ``-(y log p + (1 - y) log(1 - p))`` for probabilities p.

    As in PyTorch the logarithms are never below -100; their derivatives are 0 there. See
    :func:`binary_cross_entropy_with_logits` for what needs no such limit.
    """
    same_shape("binary_cross_entropy", p=p, y=target(y, p))
    spreads("binary_cross_entropy", "weight", weight, p)
    terms = -(y * _log(p) + (1.0 - y) * _log(1.0 - p))
    terms = terms if weight is None else weight * terms
    return reduced(terms, reduction, "binary_cross_entropy")


def _log(p: Variable) -> Any:
    inside = p > float(np.exp(LOWEST_LOG))
    return np.where(inside, np.log(p), LOWEST_LOG)


@cost
def binary_cross_entropy_with_logits(
    s: Variable,
    y: Variable,
    weight: Any = Input("...", optional=True),
    pos_weight: Any = Input("...", optional=True),
    *,
    reduction: str = "mean",
) -> Any:
    """Return the mean of ``y log(1 + exp(-s)) + (1 - y) log(1 + exp(s))`` for logits s.

    Exact for every s. `weight` weighs the terms, `pos_weight` those of the positive targets.
    """
    name = "binary_cross_entropy_with_logits"
    same_shape(name, s=s, y=target(y, s))
    spreads(name, "weight", weight, s)
    spreads(name, "pos_weight", pos_weight, s)
    softplus = scalar_function("softplus")
    positive = y * softplus(-s)
    positive = positive if pos_weight is None else pos_weight * positive
    terms = positive + (1.0 - y) * softplus(s)
    terms = terms if weight is None else weight * terms
    return reduced(terms, reduction, name)


@cost
def multilabel_soft_margin(
    s: Any = Input("... classes"),
    y: Any = Input("... classes"),
    weight: Any = Input("classes", optional=True),
    *,
    reduction: str = "mean",
) -> Any:
    """Return the mean over classes of the binary cross-entropy with logits, weighed by class."""
    same_shape("multilabel_soft_margin", s=s, y=target(y, s))
    softplus = scalar_function("softplus")
    terms = y * softplus(-s) + (1.0 - y) * softplus(s)
    terms = terms if weight is None else weight * terms
    return reduced(np.mean(terms, axis=-1), reduction, "multilabel_soft_margin")
