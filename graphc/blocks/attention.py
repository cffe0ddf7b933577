"""Attention, and where things stand in a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage
from graphc.blocks.sampling import drawn, dropout
from graphc.blocks.starts import by_fan_in, by_width, of_projection
from graphc.language.functions import Input, Parameter, function
from graphc.language.protocol.reductions import along
from graphc.language.protocol.shapes import reshape_variable
from graphc.language.variable import Variable
from graphc.ops.leaves import Iota
from graphc.types import Dim, shape_text

HIDDEN = -1e30  # a score that weighs nothing: its exponential is 0 beside any other


def swapped(x: Any) -> Any:
    """Return x with its last two axes swapped."""
    return x.T if x.ndim == 2 else x.transpose((*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _positions(size: Dim) -> Any:
    return Variable(Iota((), size))


def attend(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    is_causal: bool = False,
    scale: float | None = None,
    noise: Any = None,
    dropout_p: float = 0.0,
) -> tuple[Any, Any]:
    """Return what is attended to, and the weights: ``softmax(scale q k.T) v``."""
    depth = q.shape[-1]
    if scale is None:
        usage(isinstance(depth, int), f"attention over {depth} features needs scale=")
        scale = 1.0 / math.sqrt(depth)
    scores: Any = (q @ swapped(k)) * scale
    if is_causal:
        rows, columns = _positions(scores.shape[-2]), _positions(scores.shape[-1])
        scores = np.where(rows[:, None] >= columns, scores, HIDDEN)
    if mask is not None and mask.kind != "boolean":
        scores = scores + mask
    elif mask is not None:
        scores = np.where(mask, scores, HIDDEN)
    weights: Any = along("softmax")(scores, -1)
    if mask is not None and mask.kind == "boolean":
        weights = np.where(mask, weights, 0.0)  # where a row sees nothing, nothing comes out
    if noise is not None:
        weights = dropout(weights, noise, dropout_p)
    return weights @ v, weights


@function
def scaled_dot_product_attention(
    q: Any = Input("... l e"),
    k: Any = Input("... s e"),
    v: Any = Input("... s d"),
    attn_mask: Any = Input("...", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    training: bool = True,
) -> Any:
    """Return ``softmax(scale q k.T + mask) v``, the softmax along each row.

    Parameters
    ----------
    q, k, v
        Queries (..., L, E), keys (..., S, E) and values (..., S, D).
    attn_mask
        Of a shape that broadcasts to (..., L, S): booleans, true where a key is seen, or numbers
        that are added to the scores. Where a query sees no key, the result is 0.
    noise
        Uniform in [0, 1), of the shape of the weights: where it is below `dropout_p`, a weight is
        dropped. A call with ``training=False`` needs none.
    is_causal
        Whether query i sees the keys up to i alone.
    scale
        By default ``1 / sqrt(E)``.
    enable_gqa
        Whether groups of query heads (the third axis from the end) share a head of keys.

    Notes
    -----
    Vaswani et al. (2017), "Attention is all you need".
    """
    name = "scaled_dot_product_attention"
    noise = drawn(noise, dropout_p, training, name, "(..., L, S)", "dropout_p")
    if not enable_gqa:
        shapes(
            _broadcasts(q.shape[:-2], k.shape[:-2], v.shape[:-2]),
            f"scaled_dot_product_attention: leading axes differ in {shape_text(q.shape)}, "
            f"{shape_text(k.shape)} and {shape_text(v.shape)}; enable_gqa=True shares heads",
        )
        return attend(q, k, v, attn_mask, is_causal, scale, noise, dropout_p)[0]
    usage(
        attn_mask is None and noise is None,
        "scaled_dot_product_attention: enable_gqa works without mask and dropout",
    )
    heads, groups = q.shape[-3], k.shape[-3]
    usage(
        isinstance(heads, int) and isinstance(groups, int) and heads % groups == 0,
        f"scaled_dot_product_attention: {groups} heads of keys do not divide {heads} of queries",
    )
    split = reshape_variable(q, (*q.shape[:-3], groups, heads // groups, *q.shape[-2:]))
    z = attend(split, k[..., None, :, :], v[..., None, :, :], None, is_causal, scale)[0]
    return reshape_variable(z, (*q.shape[:-1], v.shape[-1]))


def _broadcasts(*fronts: tuple[Dim, ...]) -> bool:
    return all(front == fronts[0] for front in fronts[1:])


def heads_of(x: Any, heads: int) -> Any:
    """Return (L, E) as (heads, L, E / heads)."""
    return x.reshape((x.shape[0], heads, -1)).transpose((1, 0, 2))


def joined(z: Any) -> Any:
    """Return (heads, L, D) as (L, heads D)."""
    return z.transpose((1, 0, 2)).reshape((z.shape[1], -1))


def projected(x: Any, w: Any, b: Any) -> Any:
    """Return ``x w.T + b`` for rows x; b may be None."""
    return x @ w.T if b is None else x @ w.T + b


@function
def MultiheadAttention(
    query: Any = Input("l embed_dim"),
    key: Any = Input("s kdim"),
    value: Any = Input("s vdim"),
    attn_mask: Any = Input("...", optional=True),
    key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("num_heads l sources", optional=True),
    *,
    embed_dim: int,
    num_heads: int,
    dropout: float = 0.0,
    bias: bool = True,
    add_bias_kv: bool = False,
    add_zero_attn: bool = False,
    training: bool = True,
    is_causal: bool = False,
    need_weights: bool = False,
    average_attn_weights: bool = True,
    wq: Any = Parameter("embed_dim embed_dim", torch=of_projection),
    wk: Any = Parameter("embed_dim kdim", torch=of_projection),
    wv: Any = Parameter("embed_dim vdim", torch=of_projection),
    wo: Any = Parameter("embed_dim embed_dim", torch=by_fan_in("embed_dim")),
    bq: Any = Parameter("embed_dim", init="zeros", when="bias"),
    bk: Any = Parameter("embed_dim", init="zeros", when="bias"),
    bv: Any = Parameter("embed_dim", init="zeros", when="bias"),
    bo: Any = Parameter("embed_dim", init="zeros", when="bias"),
    bias_k: Any = Parameter("embed_dim", None, "add_bias_kv", by_width("embed_dim")),
    bias_v: Any = Parameter("embed_dim", None, "add_bias_kv", by_width("embed_dim")),
) -> Any:
    """Attend with several heads: query (L, E), key (S, kdim), value (S, vdim), the result (L, E).

    Parameters
    ----------
    attn_mask
        (L, S) or (heads, L, S): booleans, **true where a key is hidden** as in PyTorch's block, or
        numbers that are added to the scores.
    key_padding_mask
        (S,): booleans, true for the keys that nobody sees, or numbers added to their scores.
    noise
        Uniform in [0, 1), of shape (heads, L, S), for dropout of the weights with probability
        `dropout`; a call with ``training=False`` needs none and drops nothing.
    add_bias_kv
        Whether a trained key and its value stand behind the others; every query sees them.
    add_zero_attn
        Whether a key of zeros with a value of zeros stands behind them; every query sees it.
    is_causal
        Whether query i sees the keys up to i alone; PyTorch wants the mask beside it, this not.
    need_weights
        Whether the weights, averaged over heads unless told otherwise, are a second output.
        PyTorch gives them unless told otherwise.

    Notes
    -----
    Weights start Glorot-uniform, biases at zero. ``in_proj_weight`` of PyTorch is `wq`, `wk` and
    `wv` on top of one another.
    """
    usage(
        isinstance(embed_dim, int) and num_heads > 0 and embed_dim % num_heads == 0,
        f"MultiheadAttention: {embed_dim} features do not make {num_heads} equal heads",
    )
    q, k, v = (
        heads_of(projected(x, w, b), num_heads)
        for x, w, b in ((query, wq, bq), (key, wk, bk), (value, wv, bv))
    )
    noise = drawn(noise, dropout, training, "MultiheadAttention", "(num_heads, L, S)")
    mask = _merged(_visible(attn_mask), _visible(key_padding_mask))
    if add_bias_kv or add_zero_attn:
        if is_causal:
            mask = _merged(mask, _positions(q.shape[1])[:, None] >= _positions(k.shape[1]))
        more = [(heads_of(b.reshape(1, -1), num_heads)) for b in (bias_k, bias_v) if add_bias_kv]
        k, v = _with_rows(k, more[:1], add_zero_attn), _with_rows(v, more[1:], add_zero_attn)
        mask, is_causal = _seeing(mask, add_bias_kv + add_zero_attn), False
    z, weights = attend(q, k, v, mask, is_causal, None, noise, dropout)
    result = projected(joined(z), wo, bo)
    if not need_weights:
        return result
    return result, np.mean(weights, axis=0) if average_attn_weights else weights


def _with_rows(x: Any, rows: list[Any], zero: bool) -> Any:
    """Return (heads, S, D) with a row behind each head's, and with zeros behind that."""
    x = np.concatenate([x, *rows], axis=1) if rows else x
    return np.pad(x, ((0, 0), (0, 1), (0, 0))) if zero else x


def _seeing(mask: Any, more: int) -> Any:
    """Return a mask, (..., S), that shows so many keys behind its own as well."""
    if mask is None:
        return None
    shown = mask.kind == "boolean"
    return np.pad(mask, [*((0, 0),) * (mask.ndim - 1), (0, more)], constant_values=shown)


def _visible(mask: Any) -> Any:
    """Return a mask that hides where it is true as one that shows; numbers as they are."""
    return ~mask if mask is not None and mask.kind == "boolean" else mask


def _merged(a: Any, b: Any) -> Any:
    """Return one mask for two, either of which may be None."""
    if a is None or b is None:
        return b if a is None else a
    if a.kind == b.kind == "boolean":
        return a & b
    return sum(np.where(m, 0.0, HIDDEN) if m.kind == "boolean" else m for m in (a, b))


@function
def positional_encoding(x: Any = Input("... l e"), base: float = 10000.0) -> Any:
    """Return x plus ``sin(p / base**(2i/e))`` in feature 2i and the cosine in feature 2i + 1.

    p is the place along the last axis but one. Vaswani et al. (2017), section 3.5.
    """
    return x + _waves(x.shape[-2], x.shape[-1], base, "positional_encoding")


def _waves(length: Dim, features: Any, base: float, block: str) -> Any:
    usage(isinstance(features, int), f"{block}: the number of features is a name, {features}")
    pairs = np.arange(features) // 2
    rates = base ** (-2.0 * pairs / features)
    if isinstance(length, int):
        angles = np.arange(length)[:, None] * rates
        return np.where(np.arange(features) % 2 == 0, np.sin(angles), np.cos(angles))
    angle = _positions(length)[:, None] * rates
    return np.where(np.arange(features) % 2 == 0, np.sin(angle), np.cos(angle))


@function
def LearnedPositionalEncoding(
    x: Any = Input("length embed_dim"),
    *,
    max_len: int,
    w: Any = Parameter("max_len embed_dim", init="normal"),
) -> Any:
    """Return x plus a trained vector for each place along its first axis."""
    length = x.shape[0]
    shapes(
        not isinstance(length, int) or length <= max_len,
        f"LearnedPositionalEncoding: a sequence of {length} is longer than max_len={max_len}",
    )
    return x + (w[:length] if isinstance(length, int) else w[_positions(length)])


@function
def rotary_encoding(x: Any = Input("... l e"), base: float = 10000.0) -> Any:
    """Return x with each pair of features (2i, 2i + 1) turned by the angle ``p / base**(2i/e)``.

    Su et al. (2021), "RoFormer": for queries and keys, whose products then depend on distances.
    """
    length, features = x.shape[-2:]
    usage(
        isinstance(features, int) and features % 2 == 0,
        f"rotary_encoding: turns pairs of features, and there are {features}",
    )
    rates = base ** (-2.0 * np.arange(features // 2) / features)
    places: Any = np.arange(length) if isinstance(length, int) else _positions(length)
    angles = places[:, None] * rates
    cos, sin = np.cos(angles), np.sin(angles)
    pairs = x.reshape((*x.shape[:-1], features // 2, 2))
    a, b = pairs[..., 0], pairs[..., 1]
    return np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)
