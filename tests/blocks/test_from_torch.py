"""Whole models as users of PyTorch would bring them: its weights, its loss, all its gradients."""

import numpy as np
import pytest

import graphc as gc
from graphc.blocks.from_torch import names_in
from graphc.errors import NamingError, ShapeError

RNG = np.random.default_rng(4)


def normal(*shape):
    return RNG.normal(size=shape)


def agree(torch, cost, module, loss, inputs, states=()):
    """Load the module's weights and compare the loss, and its gradient by every parameter."""
    program = gc.compile(gc.Graph(cost, name="net"))
    module = module.double()
    with torch.no_grad():  # away from zeros and ones, which would hide mistakes
        for p in module.parameters():
            p.copy_(torch.tensor(normal(*p.shape) * (0.3 if p.ndim < 2 else p[0].numel() ** -0.5)))
    state = module.state_dict()
    params = gc.from_torch(state, program.init_params())
    value, grads = program.loss_and_grad(
        params, **inputs, **{n: state[k].numpy() for n, k in states}
    )
    expected = loss(module, **{k: torch.tensor(v) for k, v in inputs.items()})
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-10)
    theirs = {k: p.grad.numpy() for k, p in module.named_parameters()}
    found = gc.to_torch(grads, theirs)
    assert sum(v.size for v in found.values()) == sum(len(g.ravel()) for g in grads)
    largest = max(np.abs(g).max() for g in theirs.values())
    for key, gradient in theirs.items():
        np.testing.assert_allclose(found[key], gradient, rtol=0, atol=1e-10 * largest, err_msg=key)
    back = gc.to_torch(params, state)
    assert all(np.array_equal(back[k], state[k].numpy()) for k in state)


# ResNet: two stages of one residual block each, the second with stride and projection.


def test_resnet(torch):
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self, inside, out, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inside, out, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(out)
            self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(out)
            self.downsample = None
            if stride != 1 or inside != out:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inside, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
                )

        def forward(self, x):
            z = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
            return (z + (x if self.downsample is None else self.downsample(x))).relu()

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(4)
            self.layer1 = nn.Sequential(Residual(4, 4, 1), Residual(4, 4, 1))
            self.layer2 = nn.Sequential(Residual(4, 6, 2), Residual(6, 6, 1))
            self.fc = nn.Linear(6, 5)

        def forward(self, x):
            z = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 2)
            return self.fc(self.layer2(self.layer1(z)).mean((2, 3)))

    def normed(x, name, bn, out, size, **options):
        z = gc.Conv2d(out, size, bias=False, name=name, **options)(x)
        return gc.BatchNorm2d(out, name=bn)(z)

    def residual(x, name, out, stride):
        inside = x.shape[0]
        z = gc.relu(normed(x, f"{name}_conv1", f"{name}_bn1", out, 3, stride=stride, padding=1))
        z = normed(z, f"{name}_conv2", f"{name}_bn2", out, 3, padding=1)
        if stride != 1 or inside != out:
            down = f"{name}_downsample"
            x = normed(x, f"{down}_0", f"{down}_1", out, 1, stride=stride)
        return gc.relu(z + x)

    x, y = gc.observed("x", shape=(3, 8, 8)), gc.observed("y", classes=5)
    z = gc.max_pool2d(gc.relu(normed(x, "conv1", "bn1", 4, 3, padding=1)), 2)
    for stage, out, stride in ((1, 4, 1), (2, 6, 2)):
        z = residual(z, f"layer{stage}_0", out, stride)
        z = residual(z, f"layer{stage}_1", out, 1)
    scores = gc.Linear(5, name="fc")(np.mean(z, axis=(1, 2)))
    agree(
        torch, gc.cross_entropy(scores, y), ResNet(),
        lambda net, x, y: nn.functional.cross_entropy(net(x), y),
        {"x": normal(4, 3, 8, 8), "y": np.array([0, 3, 4, 3])},
    )  # fmt: skip


def test_unet(torch):
    nn, F = torch.nn, torch.nn.functional

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down1 = nn.Conv2d(2, 3, 3, padding=1)
            self.down2 = nn.Conv2d(3, 4, 3, padding=1)
            self.norm = nn.GroupNorm(2, 4)
            self.up = nn.ConvTranspose2d(4, 3, 2, stride=2)
            self.join = nn.Conv2d(6, 3, 3, padding=1, padding_mode="reflect")
            self.out = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            a = F.silu(self.down1(x))
            b = F.silu(self.norm(self.down2(F.max_pool2d(a, 2))))
            return self.out(F.silu(self.join(torch.cat([a, self.up(b)], 1))))

    x = gc.observed("x", shape=(2, 6, 6))
    y = gc.observed("y", shape=(6, 6), kind="integer")
    a = gc.silu(gc.Conv2d(3, 3, padding=1, name="down1")(x))
    b = gc.GroupNorm(2, 4, name="norm")(gc.Conv2d(4, 3, padding=1, name="down2")(gc.max_pool2d(a)))
    up = gc.ConvTranspose2d(3, 2, stride=2, name="up")(gc.silu(b))
    join = gc.Conv2d(3, 3, padding=1, padding_mode="reflect", name="join")
    scores = gc.Conv2d(4, 1, name="out")(gc.silu(join(np.concatenate([a, up]))))
    labels = RNG.integers(0, 4, size=(3, 6, 6))
    labels[:, :2] = -100  # not labelled: ignored, as in PyTorch
    agree(
        torch, gc.cross_entropy(scores, y, np.array([1.0, 2.0, 0.5, 1.5])), UNet(),
        lambda net, x, y: F.cross_entropy(net(x), y, torch.tensor([1.0, 2.0, 0.5, 1.5]).double()),
        {"x": normal(3, 2, 6, 6), "y": labels},
    )  # fmt: skip


def test_gpt(torch):
    nn, F = torch.nn, torch.nn.functional
    words, length, width = 7, 5, 8

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte = nn.Embedding(words, width)
            self.wpe = nn.Embedding(length, width)
            layer = nn.TransformerEncoderLayer(
                width, 2, 16, dropout=0.0, activation="gelu", norm_first=True, batch_first=True
            )
            self.h = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width), False)
            self.head = nn.Linear(width, words, bias=False)

        def forward(self, i):
            mask = nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64)
            z = self.wte(i) + self.wpe(torch.arange(length))
            return self.head(self.h(z, mask, is_causal=True))

    i = gc.observed("i", shape=length, classes=words)
    y = gc.observed("y", shape=length, classes=words)
    places = gc.Embedding(length, width, name="wpe")(gc.constant(np.arange(length)))
    z = gc.Embedding(words, width, name="wte")(i) + places
    layer = gc.TransformerEncoderLayer(width, 2, 16, activation="gelu", norm_first=True)
    z = gc.TransformerEncoder(layer, 2, gc.LayerNorm(width), is_causal=True, name="h")(z)
    scores = gc.Linear(words, bias=False, name="head")(z)
    agree(
        torch, gc.cross_entropy(scores.T, y), GPT(),
        lambda net, i, y: F.cross_entropy(net(i).transpose(1, 2), y),
        {"i": RNG.integers(0, words, (3, length)), "y": RNG.integers(0, words, (3, length))},
    )  # fmt: skip


def test_seq2seq_with_attention(torch):
    nn, F = torch.nn, torch.nn.functional

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.source = nn.Embedding(6, 4, padding_idx=0)
            self.target = nn.Embedding(7, 4)
            self.encoder = nn.LSTM(4, 3, 2, bidirectional=True, batch_first=True)
            self.start = nn.Linear(6, 5)
            self.decoder = nn.LSTM(4, 5, batch_first=True)
            self.query = nn.Linear(5, 6, bias=False)
            self.out = nn.Linear(11, 7)

        def forward(self, a, b):
            memory, (h, _) = self.encoder(self.source(a))
            first = self.start(torch.cat([h[2], h[3]], -1)).tanh()[None]
            states, _ = self.decoder(self.target(b), (first, torch.zeros_like(first)))
            scores = self.query(states) @ memory.transpose(1, 2)
            scores = scores.masked_fill((a == 0)[:, None], float("-inf"))
            context = scores.softmax(-1) @ memory
            return self.out(torch.cat([states, context], -1))

    a, b = gc.observed("a", shape=5, classes=6), gc.observed("b", shape=4, classes=7)
    y = gc.observed("y", shape=4, classes=7)
    encoder = gc.LSTM(3, num_layers=2, bidirectional=True, name="encoder")
    memory, h, _ = encoder(gc.Embedding(6, 4, padding_idx=0, name="source")(a))
    first = np.tanh(gc.Linear(5, name="start")(np.concatenate([h[2], h[3]])))[None]
    decoder = gc.LSTM(5, name="decoder")
    states, _, _ = decoder(gc.Embedding(7, 4, name="target")(b), first, np.zeros((1, 5)))
    query = gc.Linear(6, bias=False, name="query")(states)
    context = gc.scaled_dot_product_attention(query, memory, memory, a != 0, scale=1.0)
    scores = gc.Linear(7, name="out")(np.concatenate([states, context], axis=-1))
    source = RNG.integers(1, 6, (3, 5))
    source[0, 3:] = source[2, 4:] = 0
    agree(
        torch, gc.cross_entropy(scores.T, y, ignore_index=2), Seq2Seq(),
        lambda net, a, b, y: F.cross_entropy(net(a, b).transpose(1, 2), y, ignore_index=2),
        {"a": source, "b": RNG.integers(0, 7, (3, 4)), "y": RNG.integers(0, 7, (3, 4))},
    )  # fmt: skip


def test_vision_transformer(torch):
    nn, F = torch.nn, torch.nn.functional

    class ViT(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(1, 8, 4, stride=4)
            self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
            self.pos_embed = nn.Parameter(torch.zeros(1, 5, 8))
            self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
            self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
            self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            z = self.patch(x).flatten(2).transpose(1, 2)
            z = torch.cat([self.cls_token.expand(len(x), -1, -1), z], 1) + self.pos_embed
            n = self.norm1(z)
            z = z + self.attn(n, n, n)[0]
            return self.head((z + self.mlp(self.norm2(z)))[:, 0])

    x, y = gc.observed("x", shape=(1, 8, 8)), gc.observed("y", classes=3)
    patches = gc.flatten(gc.Conv2d(8, 4, stride=4, name="patch")(x), start_axis=1).T
    token = gc.parameter("cls_token", shape=(1, 8))
    z = np.concatenate([token, patches]) + gc.parameter("pos_embed", shape=(5, 8))
    n = gc.LayerNorm(8, name="norm1")(z)
    z = z + gc.MultiheadAttention(8, 2, name="attn")(n, n, n)
    hidden = gc.gelu(gc.Linear(16, name="mlp_0")(gc.LayerNorm(8, name="norm2")(z)))
    scores = gc.Linear(3, name="head")((z + gc.Linear(8, name="mlp_2")(hidden))[0])
    agree(
        torch, gc.cross_entropy(scores, y, label_smoothing=0.1), ViT(),
        lambda net, x, y: F.cross_entropy(net(x), y, label_smoothing=0.1),
        {"x": normal(4, 1, 8, 8), "y": np.array([0, 2, 1, 2])},
    )  # fmt: skip


def test_variational_autoencoder(torch):
    nn, F = torch.nn, torch.nn.functional

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 3, 4, stride=2, padding=1)
            self.act = nn.PReLU(3)
            self.mean, self.logvar = nn.Linear(48, 2), nn.Linear(48, 2)
            self.grow = nn.Linear(2, 48)
            self.deconv = nn.ConvTranspose2d(3, 1, 4, stride=2, padding=1)

        def forward(self, x, noise):
            h = self.act(self.conv(x)).flatten(1)
            mean, logvar = self.mean(h), self.logvar(h)
            z = mean + (0.5 * logvar).exp() * noise
            logits = self.deconv(F.elu(self.grow(z)).unflatten(1, (3, 4, 4)))
            kl = 0.5 * (logvar.exp() + mean**2 - 1 - logvar).sum(1).mean()
            return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x) + kl

    x, noise = gc.observed("x", shape=(1, 8, 8)), gc.observed("noise", shape=2)
    h = gc.flatten(gc.PReLU(3, name="act")(gc.Conv2d(3, 4, stride=2, padding=1, name="conv")(x)))
    mean, logvar = gc.Linear(2, name="mean")(h), gc.Linear(2, name="logvar")(h)
    z = gc.normal_sample(mean, np.exp(0.5 * logvar), noise)
    grown = gc.elu(gc.Linear(48, name="grow")(z)).reshape((3, 4, 4))
    logits = gc.ConvTranspose2d(1, 4, stride=2, padding=1, name="deconv")(grown)
    error = gc.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = 0.5 * np.sum(np.exp(logvar) + mean**2 - 1 - logvar)
    agree(
        torch, gc.cost(error + kl, name="C"), VAE(), lambda net, x, noise: net(x, noise),
        {"x": RNG.uniform(size=(3, 1, 8, 8)), "noise": normal(3, 2)},
    )  # fmt: skip


def test_running_statistics_come_along_as_inputs(torch):
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()).double()
    data = torch.tensor(normal(4, 2, 5, 5))
    module(data)  # moves the running statistics
    state = module.eval().state_dict()
    x = gc.observed("x", shape=(2, 5, 5))
    names = ("1_running_mean", "1_running_var")
    mean, var = (gc.observed(f"net_{n}", shape=3, per_sample=False) for n in names)
    norm = gc.BatchNorm2d(3, name="net_1")
    z = gc.relu(norm(gc.Conv2d(3, 3, name="net_0")(x), mean, var, training=False))
    program = gc.compile(gc.Graph(z))
    arrays = gc.from_torch({f"net.{k}": v for k, v in state.items()})
    params = gc.from_torch({f"net.{k}": v for k, v in state.items()}, program.init_params())
    states = {v.name: arrays[v.name] for v in (mean, var)}
    got = program.forward(params, x=data.numpy(), **states)
    np.testing.assert_allclose(got, module(data).detach(), rtol=1e-10, atol=1e-12)


def test_names_that_do_not_fit_are_told():
    x = gc.observed("x", shape=3)
    program = gc.compile(gc.Graph(gc.cost(gc.Linear(1, name="head")(x)[0], name="C")))
    params = program.init_params()
    state = {"head.weight": np.ones((1, 3)), "head.bias": np.ones(1)}
    assert gc.from_torch(state, params).head_w.tolist() == [[1.0, 1.0, 1.0]]
    with pytest.raises(NamingError, match=r"without a value: head_w; without a parameter: body_w"):
        gc.from_torch({"body.weight": np.ones((1, 3)), "head.bias": np.ones(1)}, params)
    with pytest.raises(NamingError, match="without a parameter: other"):
        gc.from_torch({**state, "other": np.ones(1)}, params)
    assert gc.from_torch({**state, "other": np.ones(1)}, params, strict=False) is not None
    assert gc.from_torch({**state, "head.running_mean": np.ones(1)}, params) is not None
    with pytest.raises(ShapeError, match=r"head_w has shape \(1, 3\), and its value \(3, 2\)"):
        gc.from_torch({**state, "head.weight": np.ones((3, 2))}, params)
    with pytest.raises(NamingError, match="are both called a_b_w here"):
        names_in({"a.b.weight": 0, "a_b.weight": 0})
