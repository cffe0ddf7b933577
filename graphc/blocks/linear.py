"""Linear blocks, and what is linear in each of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage
from graphc.language.functions import Input, Parameter, function


@function
def Linear(
    x: Any = Input("... in_features"),
    *,
    out_features: int,
    bias: bool = True,
    w: Any = Parameter("out_features in_features"),
    b: Any = Parameter("out_features", init="zeros", when="bias"),
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
    w: Any = Parameter("out_features in1_features in2_features"),
    b: Any = Parameter("out_features", init="zeros", when="bias"),
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


@function
def Embedding(
    i: Any = Input("...", kind="integer"),
    *,
    num_embeddings: int,
    embedding_dim: int,
    padding_idx: int | None = None,
    w: Any = Parameter("num_embeddings embedding_dim", init="normal"),
) -> Any:
    """Return the rows ``w[i]``, of shape (..., embedding_dim).

    Rows start standard normal. For the index `padding_idx` the result is zero, and its row of `w`
    is never trained (PyTorch starts that row at zero instead).
    """
    classes = i.declaration.classes
    known = classes is not None and isinstance(num_embeddings, int)
    shapes(
        not known or classes <= num_embeddings,
        f"Embedding: the input has {classes} classes, but there are {num_embeddings} embeddings; "
        f"did you mean Embedding({classes}, {embedding_dim})?",
    )
    if padding_idx is None:
        return w[i]
    usage(padding_idx >= 0, f"Embedding: padding_idx counts from 0, got {padding_idx}")
    return np.where((i == padding_idx)[..., None], 0.0, w[i])
