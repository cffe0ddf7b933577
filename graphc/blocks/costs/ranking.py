"""Margins: costs that ask for an order or a distance, and for no more."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, same_shape, usage, within
from graphc.blocks.costs.reducing import reduced, target
from graphc.blocks.distances import cosine, distance
from graphc.blocks.encoding import one_hot_of
from graphc.language.functions import Input, cost
from graphc.language.protocol.scalars import scalar_function
from graphc.language.variable import Variable
from graphc.ops.leaves import Iota
from graphc.types import Dim


@cost
def hinge(s: Variable, y: Variable, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Return the mean of ``max(0, margin - y s)`` for targets y of 1 and -1.

    Cortes and Vapnik (1995), "Support-vector networks".
    """
    same_shape("hinge", s=s, y=target(y, s))
    return reduced(np.maximum(margin - y * s, 0), reduction, "hinge")


@cost
def soft_margin(s: Variable, y: Variable, *, reduction: str = "mean") -> Any:
    """Return the mean of ``log(1 + exp(-y s))`` for targets y of 1 and -1."""
    same_shape("soft_margin", s=s, y=target(y, s))
    return reduced(scalar_function("softplus")(-y * s), reduction, "soft_margin")


@cost
def hinge_embedding(
    d: Variable, y: Variable, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Return the mean of d where y is 1 and of ``max(0, margin - d)`` where y is -1."""
    same_shape("hinge_embedding", d=d, y=target(y, d))
    apart = np.where(y != 1, np.maximum(margin - d, 0), 0.0)
    return reduced(apart + np.where(y != -1, d, 0.0), reduction, "hinge_embedding")


@cost
def margin_ranking(
    a: Variable, b: Variable, y: Variable, *, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """Return the mean of ``max(0, -y (a - b) + margin)``: with y = 1, a should rank above b."""
    same_shape("margin_ranking", a=a, b=target(b, a), y=target(y, a))
    return reduced(np.maximum(margin - y * (a - b), 0), reduction, "margin_ranking")


@cost
def multi_margin(
    s: Any = Input("classes"),
    y: Any = Input("", kind="integer"),
    weight: Any = Input("classes", optional=True),
    *,
    p: int = 1,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Any:
    """Return ``sum_{i != y} max(0, margin - s[y] + s[i])**p / classes``, p being 1 or 2.

    `weight` holds a factor for each true class.
    """
    chosen(p, (1, 2), "multi_margin", "p")
    y = within(y, s.shape[0], "multi_margin", "y")
    short = np.maximum(margin - s[y] + s, 0)
    short = short if p == 1 else np.square(short)
    short = short if weight is None else weight[y] * short
    others = np.where(one_hot_of(y, s.shape[0]), 0.0, short)
    return reduced(np.mean(others), reduction, "multi_margin")


@cost
def multilabel_margin(
    s: Any = Input("classes"),
    y: Any = Input("classes", kind="integer"),
    *,
    reduction: str = "mean",
) -> Any:
    """Return ``sum_ij max(0, 1 - (s[y[j]] - s[i])) / classes`` over targets j and others i.

    The targets are those of y in front of its first negative number, as in PyTorch.
    """
    classes = s.shape[0]
    ended = np.where(y < 0, 1, 0)
    counts = (_not_after(classes) @ ended) == 0
    named: Any = np.where(counts, y, 0)
    right: Any = within(named, classes, "multilabel_margin", "y")
    hits = np.logical_and(one_hot_of(right, classes), counts[:, None])
    is_target = np.any(hits, axis=0)
    short = np.maximum(1.0 - s[right][:, None] + s, 0)
    wrong = np.logical_and(counts[:, None], np.logical_not(is_target))
    total = np.sum(np.where(wrong, short, 0.0), axis=0)
    return reduced(np.mean(total), reduction, "multilabel_margin")


def _not_after(size: Dim) -> Any:
    """Return the matrix that adds up, for every place, what stands there and before it."""
    place: Any = Variable(Iota((), size))
    return np.where(place[:, None] >= place, 1, 0)


@cost
def triplet_margin(
    anchor: Any = Input("... n"),
    positive: Any = Input("... n"),
    negative: Any = Input("... n"),
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return ``max(0, |anchor - positive|_p - |anchor - negative|_p + margin)``.

    With `swap` the positive takes the anchor's place where it is nearer to the negative
    (Balntas et al., 2016). Distances as in :func:`graphc.pairwise_distance`.
    """
    usage(margin > 0, f"triplet_margin: margin is positive, got {margin}")
    near = distance(anchor, positive, p, eps, "triplet_margin")
    far = distance(anchor, negative, p, eps, "triplet_margin")
    if swap:
        far = np.minimum(far, distance(positive, negative, p, eps, "triplet_margin"))
    return reduced(np.maximum(near - far + margin, 0), reduction, "triplet_margin")


@cost
def triplet_margin_with_distance(
    anchor: Variable,
    positive: Variable,
    negative: Variable,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Return ``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` for a distance d.

    `distance_function` takes two variables; by default :func:`graphc.pairwise_distance`. `swap` as
    for :func:`triplet_margin`.
    """
    name = "triplet_margin_with_distance"
    usage(margin > 0, f"{name}: margin is positive, got {margin}")
    usage(
        distance_function is None or callable(distance_function),
        f"{name}: distance_function takes two variables, got {distance_function!r}",
    )

    if distance_function is None:
        same_shape(name, anchor=anchor, positive=positive, negative=negative)

    def apart(a: Any, b: Any) -> Any:
        if distance_function is not None:
            return distance_function(a, b)
        return distance(a, b, 2.0, 1e-6, name)

    near, far = apart(anchor, positive), apart(anchor, negative)
    same_shape(name, near=near, far=far)
    far = np.minimum(far, apart(positive, negative)) if swap else far
    return reduced(np.maximum(near - far + margin, 0), reduction, name)


@cost
def cosine_embedding(
    a: Any = Input("... n"),
    b: Any = Input("... n"),
    y: Any = Input("..."),
    *,
    margin: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """Return ``1 - cos(a, b)`` where y is 1, and ``max(0, cos(a, b) - margin)`` where it is -1.

    As in PyTorch, 1e-12 is added to both squared lengths.
    """
    cosines = cosine(a, b, -1, lambda length: np.hypot(length, 1e-6), "cosine_embedding")
    same_shape("cosine_embedding", cosines=cosines, y=target(y, cosines))
    alike = np.where(y == 1, 1.0 - cosines, 0.0)
    apart = np.where(y == -1, np.maximum(cosines - margin, 0), 0.0)
    return reduced(alike + apart, reduction, "cosine_embedding")
