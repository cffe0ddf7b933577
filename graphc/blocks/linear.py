"""Linear blocks, and what is linear in each of its inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.blocks.checks import chosen, shapes, usage, within
from graphc.blocks.starts import by_fan_in
from graphc.emit.initial import Normal
from graphc.language.derive import stop_gradient
from graphc.language.functions import Input, Parameter, function


@function
def Linear(
    x: Any = Input("... in_features"),
    *,
    out_features: int,
    bias: bool = True,
    w: Any = Parameter("out_features in_features", torch=by_fan_in("in_features")),
    b: Any = Parameter("out_features", "zeros", "bias", by_fan_in("in_features")),
) -> Any:
    """Return ``w x + b``: x of shape (..., in_features), the result (..., out_features).

    Weights start Glorot-uniform, the bias at zero.
    """
    s = w @ x if x.ndim == 1 else x @ w.T
    return s + b if bias else s


@function
def Bilinear(
    x1: Any = Input("... in1_features"),
    x2: Any = Input("... in2_features"),
    *,
    out_features: int,
    bias: bool = True,
    w: Any = Parameter("out_features in1_features in2_features", torch=by_fan_in("in1_features")),
    b: Any = Parameter("out_features", "zeros", "bias", by_fan_in("in1_features")),
) -> Any:
    """Return ``x1.T w[k] x2 + b[k]`` for every k: the result has shape (..., out_features)."""
    shapes(
        x1.shape[:-1] == x2.shape[:-1],
        f"Bilinear: the inputs have shapes {x1.shape} and {x2.shape}; all axes but the last agree",
    )
    front = "abcdefgh"[: x1.ndim - 1]
    s = np.einsum(f"{front}i,kij,{front}j->{front}k", x1, w, x2)
    return s + b if bias else s


@function
def Maxout(
    x: Any = Input("... in_features"),
    *,
    out_features: int,
    pieces: int,
    bias: bool = True,
    w: Any = Parameter("pieces out_features in_features"),
    b: Any = Parameter("pieces out_features", init="zeros", when="bias"),
) -> Any:
    """Return the largest of several linear functions, ``max_k (w[k] x + b[k])``.

    Goodfellow, Warde-Farley, Mirza, Courville and Bengio (2013), "Maxout networks".
    """
    front = "abcdefgh"[: x.ndim - 1]
    s = np.einsum(f"{front}i,poi->{front}po", x, w)
    return np.max(s + b if bias else s, axis=-2)


def _rows(sizes: Mapping[str, Any]) -> Any:
    """Return how embeddings start: standard normal, the row of padding at zero."""
    padding, rows = sizes["padding_idx"], sizes["num_embeddings"]
    if padding is None:
        return "normal"
    return Normal(zero_row=padding % rows if isinstance(rows, int) else padding)


@function
def Embedding(
    i: Any = Input("...", kind="integer"),
    *,
    num_embeddings: int,
    embedding_dim: int,
    padding_idx: int | None = None,
    w: Any = Parameter("num_embeddings embedding_dim", start=_rows),
) -> Any:
    """Return the rows ``w[i]``, of shape (..., embedding_dim).

    Rows start standard normal. The row of `padding_idx`, which counts from the end where it is
    negative, starts at zero and is never trained: it gets no gradient.
    """
    _check_classes(i, num_embeddings, f"Embedding({i.declaration.classes}, {embedding_dim})")
    i = within(i, num_embeddings, "Embedding", "i")
    if padding_idx is None:
        return w[i]
    padding = _padding(padding_idx, num_embeddings, "Embedding")
    return np.where((i == padding)[..., None], stop_gradient(w[padding]), w[i])


@function
def EmbeddingBag(
    i: Any = Input("... length", kind="integer"),
    per_sample_weights: Any = Input("... length", optional=True),
    *,
    num_embeddings: int,
    embedding_dim: int,
    mode: str = "mean",
    padding_idx: int | None = None,
    w: Any = Parameter("num_embeddings embedding_dim", start=_rows),
) -> Any:
    """Return the mean of the rows ``w[i]`` over the last axis of i, or their sum, or the largest.

    Parameters
    ----------
    per_sample_weights
        Of the shape of i: what the rows are multiplied by, with ``mode="sum"``.
    mode
        ``"mean"``, ``"sum"`` or ``"max"``.
    padding_idx
        The index that does not count; its row starts at zero and is never trained.
    """
    chosen(mode, ("sum", "mean", "max"), "EmbeddingBag", "mode")
    usage(
        per_sample_weights is None or mode == "sum",
        f"EmbeddingBag: per_sample_weights work with mode='sum', not {mode!r}",
    )
    _check_classes(i, num_embeddings, f"EmbeddingBag({i.declaration.classes}, {embedding_dim})")
    i = within(i, num_embeddings, "EmbeddingBag", "i")
    rows = w[i]
    weights: Any = None
    if padding_idx is not None:
        padding = _padding(padding_idx, num_embeddings, "EmbeddingBag")
        weights = np.where(i == padding, 0.0, 1.0)
    if mode == "max":
        return np.max(rows, axis=-2) if weights is None else _largest(rows, weights)
    factors = [v for v in (weights, per_sample_weights) if v is not None]
    if factors:
        rows = rows * math.prod(factors)[..., None]
    if mode == "sum" or weights is None:
        return np.sum(rows, axis=-2) if mode == "sum" else np.mean(rows, axis=-2)
    counts = np.maximum(np.sum(weights, axis=-1), 1.0)
    return np.sum(rows, axis=-2) / np.expand_dims(counts, -1)


def _largest(rows: Any, weights: Any) -> Any:
    """Return the largest of the rows that count; zeros where none does."""
    counting = (weights > 0)[..., None]
    largest = np.max(np.where(counting, rows, -np.inf), axis=-2)
    none = np.logical_not(np.any(counting, axis=-2))
    return np.where(none, 0.0, largest)


def _check_classes(i: Any, rows: Any, better: str) -> None:
    classes = i.declaration.classes
    shapes(
        classes is None or not isinstance(rows, int) or classes <= rows,
        f"{better.split('(')[0]}: the input has {classes} classes, but there are {rows} "
        f"embeddings; did you mean {better}?",
    )


def _padding(index: int, rows: Any, block: str) -> int:
    usage(
        not isinstance(rows, int) or -rows <= index < rows,
        f"{block}: padding_idx names one of {rows} rows, got {index}",
    )
    usage(
        index >= 0 or isinstance(rows, int),
        f"{block}: padding_idx counts from 0 where the number of rows is a name, got {index}",
    )
    return index % rows if isinstance(rows, int) else index


# The sizes of inputs, with which PyTorch begins, follow from the inputs.
Linear.positional = Bilinear.positional = 1
