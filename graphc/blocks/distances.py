"""Distances and angles between vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.blocks.checks import usage
from graphc.language.functions import Input, function
from graphc.language.variable import Variable


def norm(x: Variable, p: float, axis: int, block: str) -> Any:
    """Return ``(sum |x|**p)**(1/p)`` along an axis; its derivative at 0 is 0."""
    usage(p > 0, f"{block}: p is positive, got {p}")
    if p == 2:
        return np.sqrt(np.sum(np.square(x), axis=axis))  # recognised as a norm
    return np.linalg.norm(x, ord=p, axis=axis)


def distance(a: Variable, b: Variable, p: float, eps: float, block: str) -> Any:
    """Return the p-norm of ``a - b + eps`` along the last axis."""
    return norm(a - b + eps, p, -1, block)


def cosine(a: Any, b: Any, axis: int, least: Callable[[Any], Any], block: str) -> Any:
    """Return the product of two directions; `least` keeps lengths from 0.

    Each is divided by its own length first: the product of the lengths may not be a number.
    """
    lengths = [np.expand_dims(least(norm(v, 2, axis, block)), axis) for v in (a, b)]
    return np.sum(a / lengths[0] * (b / lengths[1]), axis=axis)


@function
def pairwise_distance(
    a: Any = Input("... n"),
    b: Any = Input("... n"),
    p: float = 2.0,
    eps: float = 1e-6,
    keepdims: bool = False,
) -> Any:
    """Return the p-norm of ``a - b + eps`` along the last axis."""
    result = distance(a, b, p, eps, "pairwise_distance")
    return result[..., None] if keepdims else result


@function
def pdist(x: Any = Input("rows n"), p: float = 2.0) -> Any:
    """Return the p-norms of the differences of all pairs of rows, the upper triangle row by row."""
    rows = x.shape[0]
    usage(isinstance(rows, int), f"pdist: needs to know how many rows there are, not {rows}")
    first, second = np.triu_indices(rows, 1)
    return norm(x[first] - x[second], p, -1, "pdist")


@function
def cosine_similarity(a: Variable, b: Variable, axis: int = 0, eps: float = 1e-8) -> Any:
    """Return ``a.b / (max(|a|, eps) max(|b|, eps))`` along `axis`.

    By default the first axis, which is PyTorch's second: a sample has no axis for the batch.
    """
    return cosine(a, b, axis, lambda length: np.maximum(length, eps), "cosine_similarity")


@function
def normalize(x: Variable, p: float = 2.0, axis: int = 0, eps: float = 1e-12) -> Any:
    """Return x divided by its p-norm along `axis`, which counts as `eps` at least."""
    length = np.maximum(norm(x, p, axis, "normalize"), eps)
    return x / np.expand_dims(length, axis)
