"""What users of PyTorch look for under its names, and where it is here.

Most blocks have PyTorch's names. This table has the others: modules without parameters, which are
functions here; costs, without the suffix; what is written otherwise, and what there is not.
"""

from __future__ import annotations

_BY_AXES = {
    "AdaptiveAvgPool": "adaptive_avg_pool",
    "AdaptiveMaxPool": "adaptive_max_pool",
    "AvgPool": "avg_pool",
    "LPPool": "lp_pool",
    "MaxPool": "max_pool",
    "MaxUnpool": "max_unpool",
}

# A class of torch.nn, or a function of torch.nn.functional: the name here.
CALLED = {
    "AlphaDropout": "alpha_dropout",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "CELU": "celu",
    "CTCLoss": "ctc",
    "ChannelShuffle": "channel_shuffle",
    "CosineEmbeddingLoss": "cosine_embedding",
    "CosineSimilarity": "cosine_similarity",
    "CrossEntropyLoss": "cross_entropy",
    "Dropout": "dropout",
    "ELU": "elu",
    "Flatten": "flatten",
    "Fold": "fold",
    "FractionalMaxPool2d": "fractional_max_pool2d",
    "FractionalMaxPool3d": "fractional_max_pool3d",
    "GELU": "gelu",
    "GLU": "glu",
    "GaussianNLLLoss": "gaussian_nll",
    "Hardshrink": "hardshrink",
    "Hardsigmoid": "hardsigmoid",
    "Hardswish": "hardswish",
    "Hardtanh": "hardtanh",
    "HingeEmbeddingLoss": "hinge_embedding",
    "HuberLoss": "huber",
    "KLDivLoss": "kl_div",
    "L1Loss": "l1",
    "LeakyReLU": "leaky_relu",
    "LocalResponseNorm": "local_response_norm",
    "LogSigmoid": "logsigmoid",
    "LogSoftmax": "log_softmax",
    "MSELoss": "mse",
    "MarginRankingLoss": "margin_ranking",
    "Mish": "mish",
    "MultiLabelMarginLoss": "multilabel_margin",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin",
    "MultiMarginLoss": "multi_margin",
    "NLLLoss": "nll",
    "PairwiseDistance": "pairwise_distance",
    "PixelShuffle": "pixel_shuffle",
    "PixelUnshuffle": "pixel_unshuffle",
    "PoissonNLLLoss": "poisson_nll",
    "RReLU": "rrelu",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "SmoothL1Loss": "smooth_l1",
    "SoftMarginLoss": "soft_margin",
    "Softmax": "softmax",
    "Softmin": "softmin",
    "Softplus": "softplus",
    "Softshrink": "softshrink",
    "Softsign": "softsign",
    "Tanh": "tanh",
    "Tanhshrink": "tanhshrink",
    "Threshold": "threshold",
    "TripletMarginLoss": "triplet_margin",
    "TripletMarginWithDistanceLoss": "triplet_margin_with_distance",
    "Unfold": "unfold",
    "Upsample": "interpolate",
    "upsample": "interpolate",
    "LazyLinear": "Linear",
    "SyncBatchNorm": "BatchNorm2d",
    **{f"{a}{n}d": f"{b}{n}d" for a, b in _BY_AXES.items() for n in (1, 2, 3)},
    **{
        f"Lazy{block}{n}d": f"{block}{n}d"
        for block in ("BatchNorm", "Conv", "ConvTranspose", "InstanceNorm")
        for n in (1, 2, 3)
    },
    **{
        f"{name}_loss": name
        for name in (
            *("cosine_embedding", "ctc", "gaussian_nll", "hinge_embedding", "huber", "l1"),
            *("margin_ranking", "mse", "multi_margin", "multilabel_margin", "nll", "poisson_nll"),
            *("multilabel_soft_margin", "smooth_l1", "soft_margin", "triplet_margin"),
            "triplet_margin_with_distance",
        )
    },
}

_DROPPED = "gc.dropout(x, noise, p), the noise of shape (channels,): whole channels are dropped"
_GIVEN = "then multiply and add your own parameters"
# What is written in other words.
WRITTEN = {
    "AdaptiveLogSoftmaxWithLoss": "gc.Linear, then gc.cross_entropy: no class is approximated",
    "Dropout1d": _DROPPED,
    "Dropout2d": _DROPPED,
    "Dropout3d": _DROPPED,
    "dropout1d": _DROPPED,
    "dropout2d": _DROPPED,
    "dropout3d": _DROPPED,
    "FeatureAlphaDropout": "gc.alpha_dropout(x, noise, p), the noise of shape (channels,)",
    "feature_alpha_dropout": "gc.alpha_dropout(x, noise, p), the noise of shape (channels,)",
    "Identity": "the variable itself",
    "LinearCrossEntropyLoss": "gc.Linear, then gc.cross_entropy",
    "linear_cross_entropy": "gc.Linear, then gc.cross_entropy",
    "NLLLoss2d": "gc.nll, which takes scores of shape (classes, height, width)",
    "CrossMapLRN2d": "gc.local_response_norm",
    "Softmax2d": "gc.softmax(x, axis=0): channels are the first axis",
    "Unflatten": "x.reshape",
    "UpsamplingBilinear2d": "gc.interpolate(x, mode='bilinear', align_corners=True)",
    "UpsamplingNearest2d": "gc.interpolate(x)",
    "upsample_bilinear": "gc.interpolate(x, mode='bilinear', align_corners=True)",
    "upsample_nearest": "gc.interpolate(x)",
    **{f"CircularPad{n}d": "gc.pad(x, widths, mode='circular')" for n in (1, 2, 3)},
    **{f"ConstantPad{n}d": "gc.pad(x, widths, value=value)" for n in (1, 2, 3)},
    **{f"ReflectionPad{n}d": "gc.pad(x, widths, mode='reflect')" for n in (1, 2, 3)},
    **{f"ReplicationPad{n}d": "gc.pad(x, widths, mode='replicate')" for n in (1, 2, 3)},
    **{f"ZeroPad{n}d": "gc.pad(x, widths)" for n in (1, 2, 3)},
    "Sequential": "call each block on the result of the one before; @gc.block makes one of several",
    "ModuleList": "a list of blocks; give them names",
    "ModuleDict": "a dictionary of blocks; give them names",
    "ParameterList": "a list of gc.parameter",
    "ParameterDict": "a dictionary of gc.parameter",
    "Module": "@gc.function for a block with parameters, @gc.block for a block made of blocks",
    "Container": "@gc.block",
    "linear": "x @ w.T + b",
    "bilinear": "np.einsum('i,kij,j->k', x1, w, x2) + b",
    "embedding": "w[i]",
    "embedding_bag": "np.mean(w[i], axis=-2)",
    "batch_norm": f"gc.BatchNorm2d(..., affine=False), {_GIVEN}",
    "group_norm": f"gc.GroupNorm(..., affine=False), {_GIVEN}",
    "instance_norm": f"gc.InstanceNorm2d(..., affine=False), {_GIVEN}",
    "layer_norm": f"gc.LayerNorm(..., elementwise_affine=False), {_GIVEN}",
    "rms_norm": f"gc.RMSNorm(..., elementwise_affine=False), {_GIVEN}",
    "multi_head_attention_forward": "gc.MultiheadAttention",
}

# What there is not.
ABSENT = {
    "DataParallel": "a program runs on one device",
    "conv_tbc": "use gc.conv1d",
    "RNNBase": "use gc.RNN, gc.LSTM or gc.GRU",
    "RNNCellBase": "use gc.RNNCell, gc.LSTMCell or gc.GRUCell",
}

_REDUCED = "write reduction='mean', 'sum' or 'none'"
_TRACKED = (
    "the running statistics are inputs: give them in the call, block(x, mean, var), or do not"
)
_BAG = "each bag is an input of its own"
_RENORMED = (
    "reading changes no parameter here; limit the rows where you update them, or in the model"
)
# Options that PyTorch has and graphc has not, of every block ...
EVERYWHERE = {
    "device": "the program's target says where it runs: gc.compile(target=...)",
    "dtype": "the program's dtype is that of all its arrays: gc.compile(dtype=...)",
    "inplace": "the compiler decides which arrays are reused",
    "out": "the compiler decides which arrays are reused",
    "dim": "it is called axis, as in NumPy, and does not count the batch",
    "keepdim": "it is called keepdims, as in NumPy",
    "size_average": _REDUCED,
    "reduce": _REDUCED,
    "batch_first": "a model is one sample, without an axis for the batch",
    "_weight": "give the values by init={'w': array}",
    "_freeze": "wrap the parameter: gc.stop_gradient",
}
# ... and of one.
REFUSED = {
    **{
        f"{norm}{n}d": {"track_running_stats": _TRACKED}
        for norm in ("BatchNorm", "InstanceNorm")
        for n in (1, 2, 3)
    },
    "Embedding": {
        "max_norm": _RENORMED,
        "norm_type": _RENORMED,
        "scale_grad_by_freq": "the gradient is that of the cost",
        "sparse": "gradients are arrays of the parameter's shape",
    },
    "EmbeddingBag": {
        "max_norm": _RENORMED,
        "norm_type": _RENORMED,
        "scale_grad_by_freq": "the gradient is that of the cost",
        "sparse": "gradients are arrays of the parameter's shape",
        "include_last_offset": _BAG,
        "offsets": _BAG,
    },
    **{
        f"ConvTranspose{n}d": {"padding_mode": "only zeros are known, as in PyTorch"}
        for n in (1, 2, 3)
    },
    **{
        f"fractional_max_pool{n}d": {
            "return_indices": "gc.max_pool2d and gc.adaptive_max_pool2d have it",
            "_random_samples": "give them as the input noise",
        }
        for n in (2, 3)
    },
    "TransformerEncoder": {
        "enable_nested_tensor": "a sample has no padding that could be left out",
        "mask_check": "there are no nested tensors, so nothing is to be checked",
    },
    "Transformer": {
        "custom_encoder": "call a block of your own, then gc.TransformerDecoder",
        "custom_decoder": "call gc.TransformerEncoder, then a block of your own",
    },
    **{name: {"input_size": "it follows from the input"} for name in ("RNN", "LSTM", "GRU")},
    "PReLU": {"init": "write init={'slope': 0.25}"},
    "BatchNorm2d": {"track_running_stats": _TRACKED, "process_group": "there is one process"},
    "flatten": {"start_dim": "it is called start_axis", "end_dim": "it is called end_axis"},
    "hardtanh": {"min_value": "it is called min_val", "max_value": "it is called max_val"},
    "gumbel_softmax": {"eps": "the noise is given, so no logarithm is taken"},
}


def told(name: str) -> str | None:
    """Return what to use in place of a name of PyTorch; None where it has no such name."""
    if name in CALLED:
        return f"use gc.{CALLED[name]}"
    if name in WRITTEN:
        return f"write {WRITTEN[name]}"
    return f"it has no counterpart: {ABSENT[name]}" if name in ABSENT else None
