"""Blocks with parameters, normalisation, attention, dropout: against torch."""

from functools import partial

import numpy as np

import graphc as gc
from graphc.blocks.from_torch import names_in
from tests.blocks.owning import owning
from tests.operations.activations import F
from tests.operations.case import Case

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


def uniform(*shape):
    return RNG.uniform(size=shape)


def case(name, group, build, oracle, *arrays, second=False):
    return Case(name, group, build, oracle, arrays, second=second, framework="torch")


def torch_module(name, *arguments, parameters=(), **options):
    """``f(*inputs, *parameters)`` of a module of ``torch.nn``; `parameters` are torch's names."""

    def call(*arrays):
        import torch

        module = getattr(torch.nn, name)(*arguments, **options, dtype=torch.float64)
        count = len(arrays) - len(parameters)
        given = dict(zip(parameters, arrays[count:], strict=True))
        result = torch.func.functional_call(module, given, arrays[:count])
        return result[0] if isinstance(result, tuple) and name == "MultiheadAttention" else result

    return call


def module(name, *arguments, own, theirs, inputs, parameters, count=1, second=False, **options):
    """A module of graphc and torch with the same arguments."""
    told = ", ".join([*map(str, arguments), *(f"{k}={v}" for k, v in options.items())])
    told += f"; {len(inputs[0].shape)} axes" if name == "Linear" else ""
    return case(
        f"gc.{name}({told})", "blocks with parameters",
        owning(lambda: getattr(gc, name)(*arguments, **options), *own, count=count),
        torch_module(name, *theirs[0], parameters=theirs[1], **theirs[2]),
        *inputs, *parameters, second=second,
    )  # fmt: skip


def linear(shape, **options):
    own = ("w", "b") if options.get("bias", True) else ("w",)
    theirs = ("weight", "bias")[: len(own)]
    parameters = (normal(3, 4), normal(3))[: len(own)]
    return module("Linear", 3, own=own, theirs=((4, 3), theirs, options), inputs=(normal(*shape),),
                  parameters=parameters, second=True, **options)  # fmt: skip


def norm(name, shape, *arguments, size=None, own=("w", "b"), theirs=None, **options):
    names = ("weight", "bias")[: len(own)]
    size = shape[:1] if size is None else size
    return module(
        name, *arguments, own=own, theirs=(theirs or arguments, names, options),
        inputs=(normal(*shape),), parameters=tuple(uniform(*size) + 0.5 for _ in own), **options,
    )  # fmt: skip


def by_instance(dims, shape, **options):
    """torch's InstanceNorm refuses the unbatched input of one axis, and takes the others."""
    own = ("w", "b") if options.get("affine") else ()
    return norm(f"InstanceNorm{dims}d", shape, 3, own=own, **options)


def attention(*arrays, oracle=None, note="", **options):
    told = ", ".join([*([note] if note else []), *(f"{k}={v}" for k, v in options.items())])
    return case(
        "gc.scaled_dot_product_attention" + (f" ({told})" if told else ""), "attention",
        partial(gc.scaled_dot_product_attention, **options),
        oracle or partial(F("scaled_dot_product_attention"), **options), *arrays,
    )  # fmt: skip


Q, K, V = normal(2, 4, 3), normal(2, 5, 3), normal(2, 5, 6)
SEEN = uniform(4, 5) > 0.4
BLIND = np.where(np.arange(4)[:, None] == 2, False, SEEN)
HIDDEN_KEYS = np.array([False, True, False, False, True])


def dropped_attention(q, k, v, noise):
    import torch

    p = torch.softmax(q @ k.transpose(-1, -2) / 3**0.5, -1)
    return torch.where(noise >= 0.3, p / 0.7, 0.0) @ v


def multihead(note, *inputs, sizes=(4, 4), bias=True, bias_kv=False, zero=False, **options):
    """MultiheadAttention of 4 features and 2 heads; the oracle gets torch's own parameters."""
    import math

    names = ("wq", "wk", "wv", "wo", *(("bq", "bk", "bv", "bo") if bias else ()))
    names += ("bias_k", "bias_v") if bias_kv else ()
    shapes = [(4, 4), (4, sizes[0]), (4, sizes[1]), (4, 4), *[(4,)] * (len(names) - 4)]
    more = {"add_bias_kv": bias_kv, "add_zero_attn": zero}
    parameters = [normal(*s) / math.sqrt(s[-1]) for s in shapes]

    def call(*arrays):
        import torch

        given, own = arrays[: len(inputs)], dict(zip(names, arrays[len(inputs) :], strict=True))
        weights = {f"{n}_proj_weight": own[f"w{n}"] for n in "qkv"}
        if sizes == (4, 4):
            weights = {"in_proj_weight": torch.cat(list(weights.values()))}
        if bias:
            weights["in_proj_bias"] = torch.cat([own["bq"], own["bk"], own["bv"]])
            weights["out_proj.bias"] = own["bo"]
        weights["out_proj.weight"] = own["wo"]
        weights |= {n: own[n][None, None] for n in ("bias_k", "bias_v") if n in own}
        attend = torch.nn.MultiheadAttention(
            4, 2, bias=bias, kdim=sizes[0], vdim=sizes[1], dtype=torch.float64, **more
        )
        masks = dict(zip(("attn_mask", "key_padding_mask"), given[3:], strict=False))
        if options.get("is_causal"):
            masks = {"attn_mask": ~torch.ones(len(given[0]), len(given[1])).tril().bool()}
        need = {k: v for k, v in options.items() if k != "is_causal"}
        found = torch.func.functional_call(
            attend, weights, given[:3], {"need_weights": False} | need | masks
        )
        return found if options.get("need_weights") else found[0]

    def make():
        return gc.MultiheadAttention(4, 2, bias=bias, **more, **options)

    return case(
        "gc.MultiheadAttention" + (f" ({note})" if note else ""), "attention",
        owning(make, *names, count=len(inputs)), call, *inputs, *parameters,
    )  # fmt: skip


ENCODER = [
    ("self_attn_wq", "", (4, 4)), ("self_attn_wk", "", (4, 4)), ("self_attn_wv", "", (4, 4)),
    ("self_attn_wo", "self_attn.out_proj.weight", (4, 4)), ("self_attn_bq", "", (4,)),
    ("self_attn_bk", "", (4,)), ("self_attn_bv", "", (4,)),
    ("self_attn_bo", "self_attn.out_proj.bias", (4,)), ("linear1_w", "linear1.weight", (6, 4)),
    ("linear1_b", "linear1.bias", (6,)), ("linear2_w", "linear2.weight", (4, 6)),
    ("linear2_b", "linear2.bias", (4,)), ("norm1_w", "norm1.weight", (4,)),
    ("norm1_b", "norm1.bias", (4,)), ("norm2_w", "norm2.weight", (4,)),
    ("norm2_b", "norm2.bias", (4,)),
]  # fmt: skip


def encoder(note, *inputs, **options):
    """A transformer's encoder block; torch's own, without dropout."""
    names = [own for own, _, _ in ENCODER]

    def call(src, *rest):
        import torch

        masks, own = rest[: len(inputs)], dict(zip(names, rest[len(inputs) :], strict=True))
        weights = {theirs: own[name] for name, theirs, _ in ENCODER if theirs}
        weights["self_attn.in_proj_weight"] = torch.cat([own[f"self_attn_w{n}"] for n in "qkv"])
        weights["self_attn.in_proj_bias"] = torch.cat([own[f"self_attn_b{n}"] for n in "qkv"])
        layer = torch.nn.TransformerEncoderLayer(
            4, 2, 6, dropout=0.0, dtype=torch.float64, **options
        )
        return torch.func.functional_call(layer, weights, (src, *masks))

    return case(
        "gc.TransformerEncoderLayer" + (f" ({note})" if note else ""), "attention",
        owning(lambda: gc.TransformerEncoderLayer(4, 2, 6, **options), *names,
               count=1 + len(inputs)),
        call, normal(5, 4), *inputs, *(normal(*s) / 2 for _, _, s in ENCODER),
    )  # fmt: skip


STACKS = {
    "TransformerDecoderLayer": (3, 5),
    "TransformerEncoder": (5,),
    "TransformerDecoder": (3, 5),
    "Transformer": (5, 3),
}


def stack(name, options):
    """How a stack is made, with graphc or torch.nn."""

    def layer(library, kind, **more):
        return getattr(library, f"Transformer{kind}Layer")(4, 2, 6, dropout=0.0, **options, **more)

    def made(library, **more):
        if name == "Transformer":
            sizes = {"num_encoder_layers": 1, "num_decoder_layers": 2, "dim_feedforward": 6}
            return library.Transformer(4, 2, dropout=0.0, **sizes, **options, **more)
        if name.endswith("Layer"):
            return layer(library, "Decoder", **more)
        kind = name.removeprefix("Transformer")
        norm = library.LayerNorm(4, **more)
        return getattr(library, name)(layer(library, kind, **more), 2, norm)

    return made


def transformers():
    """Stacks of layers."""
    for name, options, masks in (
        ("TransformerDecoderLayer", {}, {}),
        ("TransformerDecoderLayer", {"norm_first": True, "activation": "gelu"}, {"tgt_mask": 3}),
        ("TransformerEncoder", {}, {}),
        ("TransformerDecoder", {"norm_first": True}, {"tgt_mask": 3}),
        ("Transformer", {"activation": "gelu", "bias": False}, {"tgt_mask": 3}),
    ):
        yield stacked(name, options, masks)


def stacked(name, options, masks):
    made = stack(name, options)
    sequences = [normal(n, 4) for n in STACKS[name]]
    used = made(gc)(*map(gc.constant, sequences)).call
    own = {n: normal(*v.shape) / 2 for n, v in used.parameters.items()}
    hidden = {k: np.arange(n) > np.arange(n)[:, None] for k, n in masks.items()}

    def call(*arrays):
        import torch

        module = made(torch.nn, dtype=torch.float64)
        count, state = len(sequences), module.state_dict()
        held = dict(zip(own, arrays[count:], strict=True))
        given = {
            key: torch.cat([held[n] for n in names]).reshape(state[key].shape)
            for key, names in names_in(state).items()
        }
        told = {k: torch.tensor(m) for k, m in hidden.items()}
        return torch.func.functional_call(module, given, arrays[:count], told)

    def make():
        block = made(gc)
        return lambda *given: block(*given, **hidden)

    note = ", ".join([*(f"{k}={v}" for k, v in options.items()), *hidden])
    return case(
        f"gc.{name}" + (f" ({note})" if note else ""), "attention",
        owning(make, *own, count=len(sequences)), call, *sequences, *own.values(),
    )  # fmt: skip


def rotary(x):
    import torch

    rates = 10000.0 ** (-torch.arange(0, 4, 2, dtype=torch.float64) / 4)
    turn = torch.polar(torch.ones(3, 2).double(), torch.arange(3)[:, None] * rates)
    pairs = torch.view_as_complex(x.reshape(2, 3, 2, 2).contiguous())
    return torch.view_as_real(pairs * turn).reshape(2, 3, 4)


def waves(x):
    import torch

    rates = 10000.0 ** (-torch.arange(0, 4, 2, dtype=torch.float64) / 4)
    angles = torch.arange(3)[:, None] * rates
    return x + torch.stack([angles.sin(), angles.cos()], -1).reshape(3, 4)


def alpha_dropped(x, noise):
    import torch

    a = -1.6732632423543772 * 1.0507009873554805
    scale = (0.8 * (1 + 0.2 * a**2)) ** -0.5
    return scale * torch.where(noise >= 0.2, x, a) - scale * 0.2 * a


NOISE = uniform(3, 4)
CASES = [
    linear((4,)),
    linear((2, 5, 4)),
    linear((5, 4), bias=False),
    module("Bilinear", 3, own=("w", "b"), theirs=((4, 5, 3), ("weight", "bias"), {}), count=2,
           inputs=(normal(4), normal(5)), parameters=(normal(3, 4, 5), normal(3)), second=True),
    module("Bilinear", 3, own=("w",), theirs=((4, 5, 3), ("weight",), {"bias": False}), count=2,
           inputs=(normal(2, 4), normal(2, 5)), parameters=(normal(3, 4, 5),), bias=False),
    module("Embedding", 5, 3, own=("w",), theirs=((5, 3), ("weight",), {}),
           inputs=(np.array([[0, 4], [1, 4]]),), parameters=(normal(5, 3),)),
    module("Embedding", 5, 3, own=("w",), theirs=((5, 3), ("weight",), {"padding_idx": 2}),
           inputs=(np.array([0, 2, 1, 2]),), padding_idx=2,
           parameters=(normal(5, 3) * (np.arange(5) != 2)[:, None],)),
    case("gc.Maxout", "blocks with parameters",
         owning(lambda: gc.Maxout(3, 2), "w", "b"),
         lambda x, w, b: (w @ x + b).amax(0), normal(4), normal(2, 3, 4), normal(2, 3)),
    case("gc.Maxout (leading axes)", "blocks with parameters",
         owning(lambda: gc.Maxout(3, 2, bias=False), "w"),
         lambda x, w: (x[:, None, None] * w).sum(-1).amax(1), normal(5, 4), normal(2, 3, 4)),
    norm("LayerNorm", (3, 4), 4, size=(4,)),
    norm("LayerNorm", (2, 3, 4), (3, 4), size=(3, 4), eps=0.01),
    norm("LayerNorm", (3, 4), 4, own=(), elementwise_affine=False),
    norm("LayerNorm", (3, 4), 4, size=(4,), own=("w",), bias=False),
    norm("RMSNorm", (3, 4), 4, size=(4,), own=("w",)),
    norm("RMSNorm", (2, 3, 4), (3, 4), size=(3, 4), own=("w",), eps=0.01),
    norm("RMSNorm", (3, 4), 4, own=(), elementwise_affine=False),
    case("gc.GroupNorm(2, 4)", "blocks with parameters",
         owning(lambda: gc.GroupNorm(2, 4), "w", "b"),
         lambda x, w, b: F("group_norm")(x[None], 2, w, b)[0],
         normal(4, 3, 2), normal(4), normal(4)),
    case("gc.GroupNorm(3, 6, affine=False, eps=0.01)", "blocks with parameters",
         owning(lambda: gc.GroupNorm(3, 6, affine=False, eps=0.01)),
         lambda x: F("group_norm")(x[None], 3, eps=0.01)[0], normal(6)),
    by_instance(1, (3, 5)),
    by_instance(1, (3, 5), affine=True, eps=0.01),
    by_instance(2, (3, 4, 2), affine=True),
    by_instance(3, (3, 2, 2, 3)),
    attention(Q, K, V),
    attention(Q[0], K[0], V[0], scale=0.3),
    attention(Q, K, V, is_causal=True),
    attention(Q, K, V, SEEN, note="mask"),
    attention(Q, K, V, BLIND, note="a row without keys"),
    attention(Q, K, V, normal(4, 5), note="added mask"),
    case("gc.scaled_dot_product_attention (dropout)", "attention",
         lambda q, k, v, n: gc.scaled_dot_product_attention(q, k, v, None, n, dropout_p=0.3),
         dropped_attention, Q, K, V, uniform(2, 4, 5)),
    attention(normal(4, 3, 2), normal(2, 5, 2), normal(2, 5, 3), enable_gqa=True),
    attention(normal(4, 3, 2), normal(2, 5, 2), normal(2, 5, 3), enable_gqa=True, is_causal=True),
    multihead("", normal(3, 4), normal(5, 4), normal(5, 4)),
    multihead("kdim, vdim", normal(3, 4), normal(5, 3), normal(5, 2), sizes=(3, 2)),
    multihead("bias=False, is_causal", normal(3, 4), normal(3, 4), normal(3, 4), bias=False,
              is_causal=True),
    multihead("attn_mask", normal(4, 4), normal(5, 4), normal(5, 4), ~SEEN),
    multihead("attn_mask and key_padding_mask", normal(4, 4), normal(5, 4), normal(5, 4),
              np.arange(5) > np.arange(4)[:, None] + 1, HIDDEN_KEYS),
    multihead("added attn_mask", normal(4, 4), normal(5, 4), normal(5, 4), normal(4, 5)),
    multihead("need_weights", normal(3, 4), normal(5, 4), normal(5, 4), need_weights=True),
    multihead("need_weights by head", normal(3, 4), normal(5, 4), normal(5, 4), need_weights=True,
              average_attn_weights=False),
    multihead("add_bias_kv, add_zero_attn, key_padding_mask", normal(4, 4), normal(5, 4),
              normal(5, 4), ~SEEN, HIDDEN_KEYS, bias_kv=True, zero=True),
    multihead("add_bias_kv, is_causal", normal(3, 4), normal(3, 4), normal(3, 4), bias_kv=True,
              is_causal=True),
    multihead("add_zero_attn", normal(3, 4), normal(5, 4), normal(5, 4), zero=True),
    *transformers(),
    encoder(""),
    encoder("norm_first", norm_first=True, layer_norm_eps=0.01),
    encoder("src_mask", np.arange(5) > np.arange(5)[:, None]),
    case("gc.positional_encoding", "attention", gc.positional_encoding, waves, normal(2, 3, 4)),
    case("gc.LearnedPositionalEncoding", "attention",
         owning(lambda: gc.LearnedPositionalEncoding(5), "w"), lambda x, w: x + w[:3],
         normal(3, 4), normal(5, 4)),
    case("gc.rotary_encoding", "attention", gc.rotary_encoding, rotary, normal(2, 3, 4)),
    case("gc.dropout", "noise", partial(gc.dropout, p=0.3),
         lambda x, u: x * (u >= 0.3) / 0.7, normal(3, 4), NOISE),
    case("gc.dropout (channels)", "noise", gc.dropout,
         lambda x, u: x * (u >= 0.5)[:, None] * 2, normal(3, 4), np.array([0.1, 0.6, 0.5])),
    case("gc.dropout (training=False)", "noise", partial(gc.dropout, training=False),
         lambda x, u: x * 1, normal(3, 4), NOISE),
    case("gc.alpha_dropout", "noise", partial(gc.alpha_dropout, p=0.2), alpha_dropped,
         normal(3, 4), NOISE),
    case("gc.normal_sample", "noise", gc.normal_sample, lambda m, s, n: m + s * n, normal(3),
         uniform(3), normal(3), second=True),
    case("gc.gumbel_softmax", "noise", partial(gc.gumbel_softmax, tau=0.7),
         lambda x, n: F("softmax")((x + n) / 0.7, dim=-1), normal(3, 4), normal(3, 4)),
    case("gc.add", "the lecture's modules", gc.add, lambda a, b, c: a + b + c, normal(3),
         normal(3), normal(3)),
    case("gc.duplicate", "the lecture's modules", partial(gc.duplicate, copies=3),
         lambda x: (x * 1, x * 1, x * 1), normal(3)),
    case("gc.maximum", "the lecture's modules", gc.maximum,
         lambda a, b, c: a.maximum(b).maximum(c), normal(5), normal(5), normal(5)),
    case("gc.switch", "the lecture's modules", gc.switch, lambda i, *z: z[i] * 1, np.array(1),
         normal(3), normal(3), normal(3)),
    case("gc.switch (boolean)", "the lecture's modules", gc.switch, lambda i, *z: z[int(i)] * 1,
         np.array(True), normal(3), normal(3)),
    case("gc.flatten", "the lecture's modules", partial(gc.flatten, start_axis=1),
         lambda x: x.flatten(1), normal(2, 3, 4)),
]  # fmt: skip
