"""A batch is what a loop over its samples is: losses and gradients, as emitted in both styles."""

import importlib

import numpy as np
import pytest

import graphc as gc

SAMPLES = 3
CASES = {
    f"{module}: {case.name}": case
    for module in ("activations", "costs", "layers", "convolutions", "recurrent", "resampling")
    for case in importlib.import_module(f"tests.operations.{module}").CASES
}
CHOSEN = [
    "activations: gc.prelu (by channel)",
    "activations: gc.glu (axis=0)",
    "costs: gc.cross_entropy (sequence)",
    "costs: gc.multilabel_margin",
    "costs: gc.triplet_margin (p=3, margin=2.0, swap=True)",
    "costs: gc.gaussian_nll",
    "costs: gc.info_nce (temperature=0.5)",
    "layers: gc.Bilinear(3)",
    "layers: gc.Embedding(5, 3, padding_idx=2)",
    "layers: gc.Maxout (leading axes)",
    "layers: gc.GroupNorm(2, 4)",
    "layers: gc.scaled_dot_product_attention (a row without keys)",
    "layers: gc.MultiheadAttention (attn_mask and key_padding_mask)",
    "layers: gc.TransformerEncoderLayer (norm_first)",
    "layers: gc.rotary_encoding",
    "layers: gc.switch",
    "convolutions: gc.Conv2d(6, 2, groups=3, stride=2)",
    "convolutions: gc.Conv2d(2, 3, padding=1, padding_mode=reflect)",
    "convolutions: gc.ConvTranspose2d(4, (2, 3), groups=2, stride=(2, 3), padding=(1, 2), "
    "output_padding=(1, 0))",
    "convolutions: gc.max_pool2d(3, stride=2, padding=1, ceil_mode=True)",
    "convolutions: gc.avg_pool2d(3, stride=2, padding=1, count_include_pad=False)",
    "convolutions: gc.adaptive_avg_pool2d((3, 4))",
    "recurrent: gc.LSTM (proj_size=2, num_layers=2, bias=False, started)",
    "recurrent: gc.ctc (lengths)",
    "layers: gc.MultiheadAttention (add_bias_kv, add_zero_attn, key_padding_mask)",
    "resampling: gc.EmbeddingBag(4, 3) (mode=max, padding_idx=0)",
    "resampling: gc.unfold (kernel_size=(2, 3), dilation=(1, 2), padding=2, stride=(2, 1))",
    "resampling: gc.fold (output_size=(4, 5), kernel_size=2)",
    "resampling: gc.interpolate (mode=nearest, size=(3, 7))",
    "resampling: gc.interpolate (mode=bicubic, scale_factor=2)",
    "resampling: gc.grid_sample (mode=bicubic, padding_mode=reflection, align_corners=False; "
    "2 axes)",
    "resampling: gc.max_unpool2d, gc.max_pool2d (return_indices=True; 2)",
    "resampling: gc.fractional_max_pool2d (2, output_size=(4, 5))",
    "resampling: gc.adaptive_max_pool2d ((3, None), return_indices=True)",
    "resampling: gc.pixel_shuffle (upscale_factor=2)",
    "resampling: gc.pad (pad=(1, -2, -1, 3), value=0.5)",
]


@pytest.mark.parametrize("name", CHOSEN)
def test_a_batch_is_a_loop_over_samples(name):
    case = CASES[name]
    kinds = {"f": "real", "i": "integer", "b": "boolean"}
    inputs = [
        gc.observed(f"x{i}", shape=a.shape, kind=kinds[a.dtype.kind])
        for i, a in enumerate(case.arguments)
    ]
    built = case.build(*inputs)
    rng = np.random.default_rng(0)
    results = [v for v in (built if isinstance(built, tuple) else (built,)) if v.kind == "real"]
    total = sum(np.sum(v * rng.normal(size=v.shape)) for v in results)
    net = gc.Graph(gc.cost(total, name="C"))
    data = {
        f"x{i}": np.stack([a * rng.uniform(0.98, 1.02, a.shape) for _ in range(SAMPLES)])
        if a.dtype.kind == "f"
        else np.stack([a] * SAMPLES)
        for i, a in enumerate(case.arguments)
    }
    wrt = [v for v in inputs if v.kind == "real"]
    single = gc.compile(net, batch=False, wrt=wrt, allow_unused=True)
    taken = [field.name for field in single.model.inputs]
    each = [single.loss_and_grad((), **{k: data[k][p] for k in taken}) for p in range(SAMPLES)]
    for style in ("readable", "fast"):
        program = gc.compile(net, style=style, wrt=wrt, allow_unused=True)
        loss, grads = program.loss_and_grad((), **{k: data[k] for k in taken})
        assert loss == pytest.approx(np.mean([one for one, _ in each]), rel=1e-10)
        for i, g in enumerate(grads):
            alone = np.stack([own[i] for _, own in each]) / SAMPLES
            np.testing.assert_allclose(g, alone, rtol=1e-8, atol=1e-10)
