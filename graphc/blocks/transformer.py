"""Transformers: the layers of encoder and decoder, stacks of them, and both together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.blocks.activations import gelu, relu
from graphc.blocks.attention import MultiheadAttention
from graphc.blocks.checks import usage
from graphc.blocks.linear import Linear
from graphc.blocks.normalisation import LayerNorm
from graphc.blocks.sampling import drawn
from graphc.blocks.sampling import dropout as dropped
from graphc.language.functions import Block, Input, block

ACTIVATIONS = {"relu": relu, "gelu": gelu}
ENCODER_NOISE = ("(nhead, S, S)", "(S, d_model)", "(S, dim_feedforward)", "(S, d_model)")
DECODER_NOISE = (
    *("(nhead, T, T)", "(T, d_model)", "(nhead, T, S)"),
    *("(T, d_model)", "(T, dim_feedforward)", "(T, d_model)"),
)


class Noise:
    """The noise of all places where a layer drops, one after the other."""

    def __init__(
        self, noise: Any, p: float, training: bool, layer: str, shapes: tuple[str, ...]
    ) -> None:
        told = f"a tuple of {len(shapes)}, {', '.join(shapes)}"
        self.p, self.training = p, training
        found = drawn(noise, p, training, layer, told)
        usage(
            found is None or (isinstance(found, tuple) and len(found) == len(shapes)),
            f"{layer}: noise is {told}",
        )
        self._rest = iter(found or ())

    def next(self) -> Any:
        """Return the noise of the next place; None where nothing is dropped."""
        return next(self._rest, None)

    def drop(self, z: Any) -> Any:
        """Return what the next place lets through."""
        noise = self.next()
        return z if noise is None else dropped(z, noise, self.p)


def _activation(activation: Any, layer: str) -> Callable[[Any], Any]:
    known: Any = ACTIVATIONS.get(activation) if isinstance(activation, str) else activation
    usage(callable(known), f"{layer}: activation is 'relu', 'gelu' or a function such as gc.silu")
    return known  # type: ignore[no-any-return]


def _feed_forward(linear1: Any, linear2: Any, activate: Any, drop: Noise) -> Callable[[Any], Any]:
    return lambda z: drop.drop(linear2(drop.drop(activate(linear1(z)))))


def _residual(z: Any, parts: Sequence[Any], norms: Sequence[Any], norm_first: bool) -> Any:
    """Add to z what each part makes of it, with a LayerNorm in front of the part or behind."""
    for part, norm in zip(parts, norms, strict=True):
        z = z + part(norm(z)) if norm_first else norm(z + part(z))
    return z


@block
def TransformerEncoderLayer(
    src: Any = Input("s d_model"),
    src_mask: Any = Input("...", optional=True),
    src_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    d_model: int,
    nhead: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.0,
    activation: Any = relu,
    layer_norm_eps: float = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    is_causal: bool = False,
    training: bool = True,
) -> Any:
    """Attend to oneself, then go through two linear layers, each with a residual and a LayerNorm.

    Parameters
    ----------
    src
        (S, d_model): a sequence.
    src_mask, src_key_padding_mask, is_causal
        As for :func:`graphc.MultiheadAttention`.
    noise
        Uniform in [0, 1), a tuple of four: for the weights of attention, (nhead, S, S); for what
        is attended to, (S, d_model); for the hidden units, (S, dim_feedforward); for the result of
        the second linear layer, (S, d_model).
    dropout
        The probability of all four. PyTorch drops a tenth unless told otherwise; here nothing is
        dropped unless one says so and gives the noise. ``training=False`` in a call drops nothing.
    activation
        ``"relu"``, ``"gelu"`` or a function of a variable.
    norm_first
        Whether the LayerNorms stand in front of what they normalise for, or behind the sums.

    Notes
    -----
    Vaswani et al. (2017), "Attention is all you need". The blocks inside are ``self_attn``,
    ``linear1``, ``linear2``, ``norm1`` and ``norm2``.
    """
    name = "TransformerEncoderLayer"
    activate = _activation(activation, name)
    drop = Noise(noise, dropout, training, name, ENCODER_NOISE)
    attention = MultiheadAttention(d_model, nhead, dropout, bias=bias, name="self_attn")
    linear1 = Linear(dim_feedforward, bias=bias, name="linear1")
    linear2 = Linear(d_model, bias=bias, name="linear2")
    norms = [LayerNorm(d_model, eps=layer_norm_eps, bias=bias, name=f"norm{i}") for i in (1, 2)]

    def attended(z: Any) -> Any:
        masks = src_mask, src_key_padding_mask, drop.next()
        return drop.drop(attention(z, z, z, *masks, is_causal=is_causal, training=training))

    fed_forward = _feed_forward(linear1, linear2, activate, drop)
    return _residual(src, (attended, fed_forward), norms, norm_first)


@block
def TransformerDecoderLayer(
    tgt: Any = Input("t d_model"),
    memory: Any = Input("s d_model"),
    tgt_mask: Any = Input("...", optional=True),
    memory_mask: Any = Input("...", optional=True),
    tgt_key_padding_mask: Any = Input("t", optional=True),
    memory_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    d_model: int,
    nhead: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.0,
    activation: Any = relu,
    layer_norm_eps: float = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    training: bool = True,
) -> Any:
    """Attend to oneself, then to a memory, then go through two linear layers, each with a residual.

    Parameters
    ----------
    tgt, memory
        (T, d_model) and (S, d_model): the sequence, and what an encoder made of another.
    tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        As for :func:`graphc.MultiheadAttention`, of the sequence and of the memory.
    noise
        As for :func:`graphc.TransformerEncoderLayer`, a tuple of six: (nhead, T, T), (T, d_model);
        for the memory (nhead, T, S), (T, d_model); (T, dim_feedforward), (T, d_model).

    Notes
    -----
    The blocks inside are ``self_attn``, ``multihead_attn``, ``linear1``, ``linear2`` and ``norm1``
    to ``norm3``.
    """
    name = "TransformerDecoderLayer"
    activate = _activation(activation, name)
    drop = Noise(noise, dropout, training, name, DECODER_NOISE)
    itself = MultiheadAttention(d_model, nhead, dropout, bias=bias, name="self_attn")
    other = MultiheadAttention(d_model, nhead, dropout, bias=bias, name="multihead_attn")
    linear1 = Linear(dim_feedforward, bias=bias, name="linear1")
    linear2 = Linear(d_model, bias=bias, name="linear2")
    norms = [LayerNorm(d_model, eps=layer_norm_eps, bias=bias, name=f"norm{i}") for i in (1, 2, 3)]

    def to_itself(z: Any) -> Any:
        masks = tgt_mask, tgt_key_padding_mask, drop.next()
        return drop.drop(itself(z, z, z, *masks, is_causal=tgt_is_causal, training=training))

    def to_memory(z: Any) -> Any:
        masks = memory_mask, memory_key_padding_mask, drop.next()
        return drop.drop(
            other(z, memory, memory, *masks, is_causal=memory_is_causal, training=training)
        )

    fed_forward = _feed_forward(linear1, linear2, activate, drop)
    return _residual(tgt, (to_itself, to_memory, fed_forward), norms, norm_first)


def _stacked(layer: Any, count: int, made: str, stack: str) -> list[Block]:
    """Return copies of a layer, called ``layers_0``, ``layers_1``, ... as in PyTorch."""
    usage(
        isinstance(layer, Block) and layer.function == made,
        f"{stack}: its layer is a block, e.g. gc.{made}(512, 8), got {layer!r}",
    )
    usage(
        isinstance(count, int) and count >= 1,
        f"{stack}: num_layers is an integer of at least 1, got {count!r}",
    )
    return [layer.like(f"layers_{i}") for i in range(count)]


def _parts(noise: Any, count: int, size: int, stack: str) -> list[Any]:
    """Return the noise of each layer, of noise for all of them in a row."""
    if noise is None:
        return [None] * count
    usage(
        isinstance(noise, tuple) and len(noise) == count * size,
        f"{stack}: noise is a tuple of {count * size}, {size} for each of {count} layers",
    )
    return [noise[i * size : (i + 1) * size] for i in range(count)]


def _normed(z: Any, norm: Any) -> Any:
    return z if norm is None else norm.like("norm")(z)


@block
def TransformerEncoder(
    src: Any = Input("s d_model"),
    mask: Any = Input("...", optional=True),
    src_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    encoder_layer: Any,
    num_layers: int,
    norm: Any = None,
    is_causal: bool = False,
    training: bool = True,
) -> Any:
    """Go through layers like `encoder_layer`, one after the other, then through `norm`.

    Parameters
    ----------
    encoder_layer
        A block made by :func:`graphc.TransformerEncoderLayer`. Each layer has its options and
        parameters of its own; the block itself is not used.
    noise
        The noise of all layers in a row, four for each.
    norm
        A block, such as ``gc.LayerNorm(512)``, or None.

    Notes
    -----
    The blocks inside are ``layers_0``, ``layers_1``, ... and ``norm``.
    """
    z = src
    layers = _stacked(encoder_layer, num_layers, "TransformerEncoderLayer", "TransformerEncoder")
    noises = _parts(noise, num_layers, len(ENCODER_NOISE), "TransformerEncoder")
    for layer, drawn_for in zip(layers, noises, strict=True):
        told: dict[str, Any] = {"is_causal": True} if is_causal else {}
        z = layer(z, mask, src_key_padding_mask, drawn_for, training=training, **told)
    return _normed(z, norm)


@block
def TransformerDecoder(
    tgt: Any = Input("t d_model"),
    memory: Any = Input("s d_model"),
    tgt_mask: Any = Input("...", optional=True),
    memory_mask: Any = Input("...", optional=True),
    tgt_key_padding_mask: Any = Input("t", optional=True),
    memory_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    decoder_layer: Any,
    num_layers: int,
    norm: Any = None,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    training: bool = True,
) -> Any:
    """Go through layers like `decoder_layer`, one after the other, then through `norm`.

    As :func:`graphc.TransformerEncoder`, with a memory; noise is six for each layer.
    """
    z = tgt
    layers = _stacked(decoder_layer, num_layers, "TransformerDecoderLayer", "TransformerDecoder")
    noises = _parts(noise, num_layers, len(DECODER_NOISE), "TransformerDecoder")
    masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
    causal = {"tgt_is_causal": tgt_is_causal, "memory_is_causal": memory_is_causal}
    told: dict[str, Any] = {name: True for name, value in causal.items() if value}
    for layer, drawn_for in zip(layers, noises, strict=True):
        z = layer(z, memory, *masks, drawn_for, training=training, **told)
    return _normed(z, norm)


@block
def Transformer(
    src: Any = Input("s d_model"),
    tgt: Any = Input("t d_model"),
    src_mask: Any = Input("...", optional=True),
    tgt_mask: Any = Input("...", optional=True),
    memory_mask: Any = Input("...", optional=True),
    src_key_padding_mask: Any = Input("s", optional=True),
    tgt_key_padding_mask: Any = Input("t", optional=True),
    memory_key_padding_mask: Any = Input("s", optional=True),
    noise: Any = Input("...", optional=True),
    *,
    d_model: int = 512,
    nhead: int = 8,
    num_encoder_layers: int = 6,
    num_decoder_layers: int = 6,
    dim_feedforward: int = 2048,
    dropout: float = 0.0,
    activation: Any = relu,
    layer_norm_eps: float = 1e-5,
    norm_first: bool = False,
    bias: bool = True,
    src_is_causal: bool = False,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
    training: bool = True,
) -> Any:
    """Encode a sequence (S, d_model), and decode with it another, (T, d_model).

    Options and masks are those of the layers; noise is that of all layers in a row, four for each
    of the encoder, then six for each of the decoder.

    Notes
    -----
    The blocks inside are ``encoder`` and ``decoder``; both end with a LayerNorm, ``norm``.
    """
    options = {
        "dim_feedforward": dim_feedforward,
        "dropout": dropout,
        "activation": activation,
        "layer_norm_eps": layer_norm_eps,
        "norm_first": norm_first,
        "bias": bias,
    }
    usage(
        noise is None or isinstance(noise, tuple),
        "Transformer: noise is a tuple, four for each layer of the encoder, six of the decoder",
    )
    split = num_encoder_layers * len(ENCODER_NOISE)
    first, second = (None, None) if noise is None else (noise[:split], noise[split:])
    norm = {"eps": layer_norm_eps, "bias": bias}
    encoder = TransformerEncoder(
        TransformerEncoderLayer(d_model, nhead, **options),
        num_encoder_layers,
        norm=LayerNorm(d_model, **norm),
        name="encoder",
    )
    decoder = TransformerDecoder(
        TransformerDecoderLayer(d_model, nhead, **options),
        num_decoder_layers,
        norm=LayerNorm(d_model, **norm),
        name="decoder",
    )
    memory = encoder(
        src, src_mask, src_key_padding_mask, first, is_causal=src_is_causal, training=training
    )
    return decoder(
        tgt,
        memory,
        tgt_mask,
        memory_mask,
        tgt_key_padding_mask,
        memory_key_padding_mask,
        second,
        tgt_is_causal=tgt_is_causal,
        memory_is_causal=memory_is_causal,
        training=training,
    )
