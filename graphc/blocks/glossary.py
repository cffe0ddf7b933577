"""What the words of the library mean: the parts of docstrings that the declarations know.

Inputs and parameters say their shapes where they are declared, and options that several blocks
share mean the same in all. So each docstring says what is particular to its block, and the rest of
its sections is written from here.
"""

from __future__ import annotations

import textwrap

from graphc.language.docstrings import completed
from graphc.language.functions import Function, Input

WIDTH = 88
NOISE = 'uniform in [0, 1), as ``gc.noise(name, shape, "uniform")``'
INPUTS = {
    "a": "the one of the two.",
    "anchor": "what the others are compared with.",
    "b": "the other of the two.",
    "bias": "what is added to each channel of the result.",
    "c": "the cell's state before; by default zeros.",
    "cost": "a number; no derivative passes.",
    "d": "distances.",
    "e": "the energy of every answer.",
    "grid": "where to read, in coordinates from -1 to 1, the last axis of a picture first.",
    "h": "the state before; by default zeros.",
    "hard": "what the value is.",
    "indices": "where each element goes, counted over all places of a channel.",
    "k": "keys.",
    "key": "keys.",
    "key_padding_mask": "booleans, True where a key is not attended to.",
    "log_p": "logarithms of probabilities.",
    "log_prob": "the logarithm of the probability of what was drawn.",
    "log_q": "logarithms of probabilities.",
    "logits": "one for each class.",
    "mean": "means.",
    "memory": "what the encoder made.",
    "memory_key_padding_mask": "booleans, True where an element of `memory` is not attended to.",
    "memory_mask": "of shape (t, s): booleans, True where `memory` is not attended to, or addends.",
    "negative": "what should be far from the anchor.",
    "negatives": "vectors that do not belong to `a`.",
    "num_batches_tracked": "how many batches the running statistics have seen.",
    "p": "probabilities.",
    "pos_weight": "what the terms of positive targets are multiplied by; broadcasts.",
    "positive": "what should be near the anchor.",
    "q": "queries.",
    "query": "queries.",
    "running_mean": "the mean of each channel so far.",
    "running_var": "the variance of each channel so far.",
    "s": "scores.",
    "selector": "a weight for each of the others, such as a one-hot vector.",
    "soft": "what the derivative is of.",
    "src": "what the encoder reads.",
    "src_key_padding_mask": "booleans, True where an element of `src` is not attended to.",
    "src_mask": "of shape (s, s): booleans, True where `src` is not attended to, or addends.",
    "std": "standard deviations.",
    "tgt": "what the decoder reads.",
    "tgt_key_padding_mask": "booleans, True where an element of `tgt` is not attended to.",
    "tgt_mask": "of shape (t, t): booleans, True where `tgt` is not attended to, or addends.",
    "mask": "of shape (s, s): booleans, True where `src` is not attended to, or addends.",
    "theta": "the affine map, a row for each axis, the shift in the last column.",
    "threshold": "up to where the value takes the place of z.",
    "v": "values.",
    "value": "values.",
    "var": "variances.",
    "w": "any number of variables.",
    "weight": "what the terms are multiplied by; broadcasts.",
    "x": "what the block is applied to.",
    "x1": "the first of the two.",
    "x2": "the second of the two.",
    "y": "the target.",
    "z": "what the function is applied to.",
}
OPTIONS = {
    "activation": '``"relu"``, ``"gelu"``, or a function of one variable.',
    "affine": "Whether there are a weight and a bias for each channel.",
    "align_corners": "Whether -1 and 1 are the middles of the outermost elements, not their edges.",
    "alpha": "The factor of the part below 0.",
    "approximate": '``"tanh"`` for the approximation by tanh; ``"none"``.',
    "average_attn_weights": "Whether the weights are averaged over the heads.",
    "axis": "The axis to work along.",
    "base": "The longest wavelength, as a multiple of 2π.",
    "baseline": "What is taken from the cost; it changes no gradient on average.",
    "bias": "Whether something is added: a bias.",
    "bidirectional": "Whether each layer goes both ways.",
    "ceil_mode": "Whether windows that go over the end count as well.",
    "count_include_pad": "Whether zeros of the padding count in the mean.",
    "d_model": "The number of features.",
    "delta": "Where the parabola ends and the line begins; positive.",
    "dilation": "How far apart the elements of a window are, in all axes or in each.",
    "dim_feedforward": "The width of the two linear layers between the attentions.",
    "divisor_override": "What sums are divided by, in place of the number of elements.",
    "downscale_factor": "By how much the picture shrinks, each way.",
    "dropout": "The probability of dropping; what drops needs `noise` in the call.",
    "elementwise_affine": "Whether there is a weight for each element.",
    "embed_dim": "The number of features of queries and results.",
    "embedding_dim": "How many features each row has.",
    "eps": "A small number that keeps a divisor or a logarithm from 0.",
    "full": "Whether constant terms are added as well.",
    "groups": "Into how many groups the channels fall, each with weights of its own.",
    "hidden_size": "The number of features of the state.",
    "is_causal": "Whether no element sees those after it.",
    "keepdims": "Whether the axes stay, with size 1.",
    "kernel_size": "The size of the windows, the same in all axes or one for each.",
    "lambd": "Half of the width of what becomes 0.",
    "layer_norm_eps": "What is added to the variances in the layers' normalisation.",
    "lower": "The smallest slope.",
    "margin": "How far apart is far enough.",
    "max_len": "The largest number of positions.",
    "max_val": "The largest result.",
    "memory_is_causal": "Whether no element sees those of `memory` after it.",
    "min_val": "The smallest result.",
    "momentum": "The share of new statistics in the running ones; None: the mean of all so far.",
    "negative_slope": "The slope below 0.",
    "nhead": "The number of heads of the attentions.",
    "nonlinearity": '``"tanh"`` or ``"relu"``.',
    "norm": "A block that the result goes through last; None: none.",
    "norm_first": "Whether normalisation comes before attention, and not after it.",
    "norm_type": "The order of the norm.",
    "normalized_shape": "The sizes of the axes that are normalised over; by default the last.",
    "num_channels": "The number of channels; by default that of the input.",
    "num_classes": "The number of classes.",
    "num_decoder_layers": "How many layers the decoder has.",
    "num_embeddings": "How many rows the table has.",
    "num_encoder_layers": "How many layers the encoder has.",
    "num_features": "The number of channels; by default that of the input.",
    "num_groups": "Into how many groups the channels fall.",
    "num_heads": "The number of heads.",
    "num_layers": "How many layers there are, each on top of the one before.",
    "out_channels": "The number of channels of the result.",
    "out_features": "The number of features of the result.",
    "output_padding": "What is added to the size of the result, in all axes or in each.",
    "output_size": "The size of the result, the same in all axes or one for each.",
    "p": "The order of the norm.",
    "padding": "How many zeros stand at both ends, in all axes or in each.",
    "pieces": "How many linear functions there are.",
    "reduction": '``"mean"`` or ``"sum"`` of the terms, or ``"none"``: all of them.',
    "return_indices": "Whether the places of the largest elements are returned as well.",
    "scale": "What the sum is multiplied by.",
    "src_is_causal": "Whether no element of `src` sees those after it.",
    "stride": "How far a window is from the next, in all axes or in each.",
    "swap": "Whether the positive takes the anchor's place where that is nearer to the negative.",
    "tau": "The temperature; positive.",
    "temperature": "What the products are divided by; positive.",
    "tgt_is_causal": "Whether no element of `tgt` sees those after it.",
    "threshold": "Not needed: the function is exact for every z.",
    "training": "Whether the block is being trained: False drops nothing and takes statistics as "
    "they are.",
    "upper": "The largest slope.",
    "upscale_factor": "By how much the picture grows, each way.",
}
# Where a word means something else, or more can be said.
PARTICULAR = {
    ("Embedding", "padding_idx"): "The row that starts at zero and is never trained; None: none.",
    ("GRU", "h"): "of shape (layers times directions, hidden_size): by default zeros.",
    ("LSTM", "h"): "of shape (layers times directions, features): by default zeros.",
    ("LSTM", "c"): "of shape (layers times directions, hidden_size): by default zeros.",
    ("LSTM", "proj_size"): "The number of features that outputs are projected to; 0: none are.",
    ("PReLU", "num_parameters"): "The number of slopes: 1, or one for each channel.",
    ("TransformerDecoder", "decoder_layer"): "A layer; the others are like it, with parameters of "
    "their own.",
    ("TransformerEncoder", "encoder_layer"): "A layer; the others are like it, with parameters of "
    "their own.",
    ("ctc", "blank"): "The class that stands for no label.",
    ("duplicate", "copies"): "How many there are.",
    ("energy_mee", "beta"): "The inverse temperature; positive.",
    ("energy_nll", "beta"): "The inverse temperature; positive.",
    ("flatten", "end_axis"): "The last axis that is merged.",
    ("flatten", "start_axis"): "The first axis that is merged.",
    ("gumbel_softmax", "hard"): "Whether the value is the one-hot vector of the largest element.",
    ("huber", "weight"): "of the shape of z: what the terms are multiplied by.",
    ("kl_div", "log_target"): "Whether `p` holds logarithms of probabilities.",
    ("kl_div", "p"): "of the shape of `log_q`: probabilities.",
    ("l1", "weight"): "of the shape of z: what the terms are multiplied by.",
    ("local_response_norm", "beta"): "The power of the divisor.",
    ("local_response_norm", "k"): "What is added to the mean of squares.",
    ("local_response_norm", "size"): "How many channels make up a neighbourhood.",
    ("logsumexp", "return_sign"): "Whether the sign of the sum is returned as well.",
    ("mse", "weight"): "of the shape of z: what the terms are multiplied by.",
    ("nll", "ignore_index"): "The class of targets that count for nothing; None: all count.",
    ("pad", "mode"): '``"constant"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.',
    ("pad", "pad"): "How much at both ends of the last axis, then of the one before, and so on.",
    ("pad", "value"): "What a constant padding holds.",
    ("poisson_nll", "log_input"): "Whether z is the logarithm of the rate, and not the rate.",
    ("scaled_dot_product_attention", "dropout_p"): "The probability of dropping weights.",
    ("smooth_l1", "beta"): "Where the parabola ends and the line begins.",
    ("softplus", "beta"): "How sharp the bend is.",
    ("triplet_margin_with_distance", "distance_function"): "A function of two variables; by "
    "default :func:`pairwise_distance`.",
    ("vicreg_variance", "gamma"): "The standard deviation that is wanted.",
    ("alpha_dropout", "p"): "The probability of dropping.",
    ("barlow_twins", "lambd"): "The weight of what is off the diagonal.",
    ("dropout", "p"): "The probability of dropping.",
    ("energy_lvq2", "limit"): "The largest cost.",
    ("energy_square_exponential", "gamma"): "The weight of the wrong answer.",
    ("local_response_norm", "alpha"): "The factor of the mean of squares.",
    ("max_pool1d", "padding"): "How much is added at both ends, all of which count as -inf.",
    ("max_pool2d", "padding"): "How much is added at both ends, all of which count as -inf.",
    ("max_pool3d", "padding"): "How much is added at both ends, all of which count as -inf.",
    ("multi_margin", "p"): "1 or 2: the power of what is short of the margin.",
    ("contrastive", "y"): "of shape (): 0 for a similar pair, 1 for a dissimilar one.",
    ("fold", "x"): "of shape (channels times elements of a window, windows).",
    ("unfold", "stride"): "How far a window is from the next, in all axes or in each.",
}  # fmt: skip


def documented(function: Function) -> str:
    """Return the docstring of a function or block with all its arguments and parameters.

    Examples
    --------
    >>> from graphc.blocks.linear import Linear
    >>> "out_features" in documented(Linear)
    True
    """
    return completed(
        function.__wrapped__.__doc__,
        {name: _told(function, name) for name in (*function.inputs, *function.options)},
        {
            name: f"Of shape {_shape(p.shape)}.{_when(p.when)}"
            for name, p in function.parameters.items()
        },
    )


def _lines(text: str) -> list[str]:
    return [text] if len(text) <= WIDTH else textwrap.wrap(text, WIDTH)


def _told(function: Function, name: str) -> list[str]:
    """Return what is known of an argument that its docstring does not describe."""
    particular = PARTICULAR.get((function.name, name))
    spec = function.inputs.get(name)
    if spec is None:
        return _lines(particular or OPTIONS.get(name, ""))
    if particular is not None:
        return _lines(particular[:1].upper() + particular[1:])
    return _lines(_input(function, name, spec))


def _input(function: Function, name: str, spec: Input) -> str:
    shape = "of any shape" if spec.shape == "..." else f"of shape {_shape(spec.shape)}"
    first_input = next(iter(function.inputs))
    if function.kind == "cost" and spec.shape == "..." and name == "y":
        shape = f"of the shape of `{first_input}`"
    kind = {None: "", "real": "", "integer": "integers ", "boolean": "booleans "}[spec.kind]
    told = f"{NOISE}." if name == "noise" else INPUTS.get(name, "")
    first = f"{kind}{shape}"
    if told.startswith("of shape"):
        first, told = "", told
    text = ": ".join(part for part in (first, told) if part) if told else f"{first}."
    text += " May be left out." if spec.optional and "by default" not in told else ""
    return text[:1].upper() + text[1:]


def _shape(words: str) -> str:
    parts = words.split()
    if len(parts) == 1 and words.startswith("*"):
        return f"`{words[1:]}`"
    return f"``({', '.join(parts)}{',' if len(parts) == 1 else ''})``"


def _when(option: str | None) -> str:
    without = " or ".join(f"``{name}=False``" for name in (option or "").split())
    return f" None with {without}." if without else ""
