"""The encoder block of a transformer."""

from __future__ import annotations

from typing import Any

from graphc.blocks.activations import relu
from graphc.blocks.attention import MultiheadAttention
from graphc.blocks.checks import usage
from graphc.blocks.linear import Linear
from graphc.blocks.normalisation import LayerNorm
from graphc.blocks.sampling import dropout as dropped
from graphc.language.functions import Input, block


@block
def TransformerEncoderLayer(
    src: Any = Input("s d_model"),
    src_mask: Any = Input("...", optional=True),
    src_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("2 s d_model", optional=True),
    *,
    d_model: int,
    nhead: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Any = relu,
    layer_norm_eps: float = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    is_causal: bool = False,
) -> Any:
    """Attend to oneself, then go through two linear layers, each with a residual and a LayerNorm.

    Parameters
    ----------
    src
        (S, d_model): a sequence.
    src_mask, src_key_padding_mask, is_causal
        As for :func:`graphc.MultiheadAttention`.
    noise
        Uniform in [0, 1), for dropout after the attention and after the second linear layer;
        without it nothing is dropped. PyTorch drops attention weights and hidden units as well.
    activation
        A function of a variable.
    norm_first
        Whether the LayerNorms stand in front of what they normalise for, or behind the sums.

    Notes
    -----
    Vaswani et al. (2017), "Attention is all you need". The blocks inside are ``self_attn``,
    ``linear1``, ``linear2``, ``norm1`` and ``norm2``.
    """
    usage(callable(activation), "TransformerEncoderLayer: activation is a function, e.g. gc.gelu")
    attention = MultiheadAttention(d_model, nhead, bias=bias, name="self_attn")
    linear1 = Linear(dim_feedforward, bias=bias, name="linear1")
    linear2 = Linear(d_model, bias=bias, name="linear2")
    norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, name="norm1")
    norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, name="norm2")

    def attended(z: Any) -> Any:
        result = attention(z, z, z, src_mask, src_key_padding_mask, is_causal=is_causal)
        return result if noise is None else dropped(result, noise[0], dropout)

    def fed_forward(z: Any) -> Any:
        result = linear2(activation(linear1(z)))
        return result if noise is None else dropped(result, noise[1], dropout)

    if norm_first:
        z = src + attended(norm1(src))
        return z + fed_forward(norm2(z))
    z = norm1(src + attended(src))
    return norm2(z + fed_forward(z))
