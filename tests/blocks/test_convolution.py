"""Convolution and pooling: sizes, sharing, named sizes, what is refused."""

import numpy as np
import pytest

import graphc as gc
from graphc.errors import ShapeError, UsageError

IMAGE = gc.observed("image", shape=(3, 8, 9))


@pytest.mark.parametrize(
    ("z", "shape"),
    [
        (gc.Conv2d(5, 3)(IMAGE), (5, 6, 7)),
        (gc.Conv2d(5, (3, 2), stride=(2, 1), padding=(1, 0))(IMAGE), (5, 4, 8)),
        (gc.Conv2d(5, 4, padding="same")(IMAGE), (5, 8, 9)),
        (gc.ConvTranspose2d(2, 3, stride=2, output_padding=1)(IMAGE), (2, 18, 20)),
        (gc.max_pool2d(IMAGE, 2), (3, 4, 4)),
        (gc.max_pool2d(IMAGE, 2, ceil_mode=True), (3, 4, 5)),
        (gc.adaptive_avg_pool2d(IMAGE, (None, 2)), (3, 8, 2)),
    ],
)
def test_sizes(z, shape):
    assert z.shape == shape


def test_a_kernel_fits_images_of_any_size():
    conv = gc.Conv2d(4, 3, name="conv")
    assert conv(IMAGE).shape == (4, 6, 7)
    assert conv(gc.observed("larger", shape=(3, 20, 20))).shape == (4, 18, 18)
    assert conv.w.shape == (4, 3, 3, 3)
    assert gc.Conv2d(4, 3, in_channels=3).w.shape == (4, 3, 3, 3)
    sized = conv(gc.observed("named", shape=(3, "h", "w")))
    assert [str(n) for n in sized.shape] == ["4", "h - 2", "w - 2"]


def test_an_image_of_a_named_size(torch):
    x = gc.observed("x", shape=(2, "h", 6))
    conv = gc.Conv2d(3, 3, stride=2, padding=1, name="conv")
    net = gc.Graph(gc.cost(np.sum(gc.avg_pool2d(conv(x), (1, 3)) ** 2), name="C"))
    program = gc.compile(net)
    params = program.init_params(seed=1)
    data = np.random.default_rng(0).normal(size=(4, 2, 7, 6))
    loss, grads = program.loss_and_grad(params, x=data)
    w, b = (torch.tensor(p, requires_grad=True) for p in params)
    z = torch.nn.functional.conv2d(torch.tensor(data), w, b, 2, 1)
    expected = (torch.nn.functional.avg_pool2d(z, (1, 3)) ** 2).sum() / 4
    expected.backward()
    assert loss == pytest.approx(expected.item())
    np.testing.assert_allclose(grads[0], w.grad, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(grads[1], b.grad, rtol=1e-9)


def test_no_intermediate_has_a_kernel_for_every_sample():
    x = gc.observed("x", shape=(2, 6, 6))
    net = gc.Graph(gc.cost(np.sum(gc.Conv2d(3, 3)(x) ** 2), name="C"))
    for node in gc.compile(net).program.nodes():
        assert tuple(map(str, node.shape)) != ("P", "3", "2", "3", "3")


def test_formulas():
    x = gc.observed("x", shape=(2, 5))
    assert gc.latex(gc.Conv1d(3, 2, name="c")(x)) == (r"\sum_{kl} w_{ikl} x_{k,j + l} + b_{i}")


@pytest.mark.parametrize(
    ("error", "words", "f"),
    [
        (ShapeError, ["test_convolution.py:", "Conv1d: takes 2 axes", "no batch", "(3, 8, 9)"],
         lambda: gc.Conv1d(2, 3)(IMAGE)),
        (UsageError, ["Conv2d: stride is an integer of at least 1", "got 0"],
         lambda: gc.Conv2d(2, 3, stride=0)(IMAGE)),
        (UsageError, ["Conv2d: padding is an integer", "(1, 2, 3)"],
         lambda: gc.Conv2d(2, 3, padding=(1, 2, 3))(IMAGE)),
        (UsageError, ["Conv2d: padding is a number, 'same' or 'valid', got 'full'"],
         lambda: gc.Conv2d(2, 3, padding="full")(IMAGE)),
        (UsageError, ["padding='same' works with stride 1"],
         lambda: gc.Conv2d(2, 3, padding="same", stride=2)(IMAGE)),
        (ShapeError, ["'Conv2d', 'w'", "in_channels/groups: 3 cannot be divided by groups = 2"],
         lambda: gc.Conv2d(2, 3, groups=2)(IMAGE)),
        (UsageError, ["3 channels and 4 outputs do not make 3 groups"],
         lambda: gc.Conv2d(4, 3, groups=3)(IMAGE)),
        (ShapeError, ["windows that span 10 elements do not fit"],
         lambda: gc.Conv2d(2, 10)(IMAGE)),
        (UsageError, ["padding_mode is one of zeros", "'mirror'"],
         lambda: gc.Conv2d(2, 3, padding=1, padding_mode="mirror")(IMAGE)),
        (UsageError, ["padding_mode='reflect' reaches 8 over an axis of 8"],
         lambda: gc.Conv2d(2, 3, padding=8, padding_mode="reflect")(IMAGE)),
        (ShapeError, ["kernel_size = (3,) has another number of elements"],
         lambda: gc.Conv2d(2, (3,))(IMAGE)),
        (UsageError, ["output_padding is less than stride or dilation"],
         lambda: gc.ConvTranspose2d(2, 3, output_padding=1)(IMAGE)),
        (UsageError, ["padding=9 leaves nothing"],
         lambda: gc.ConvTranspose2d(2, 3, padding=9)(IMAGE)),
        (ShapeError, ["the kernel takes 2 channels in 1 groups, got 3"],
         lambda: gc.conv2d(IMAGE, np.ones((4, 2, 3, 3)))),
        (ShapeError, ["conv2d: a kernel has 4 axes, got 3"],
         lambda: gc.conv2d(IMAGE, np.ones((4, 3, 3)))),
        (UsageError, ["max_pool2d: padding is at most half"],
         lambda: gc.max_pool2d(IMAGE, 2, padding=2)),
        (UsageError, ["max_pool2d: kernel_size"], lambda: gc.max_pool2d(IMAGE, 0)),
        (UsageError, ["avg_pool2d: divisor_override is not 0"],
         lambda: gc.avg_pool2d(IMAGE, 2, divisor_override=0)),
        (UsageError, ["max_pool1d: ceil_mode needs to know the sizes"],
         lambda: gc.max_pool1d(gc.observed("q", shape=(2, "n")), 2, ceil_mode=True)),
        (UsageError, ["adaptive_avg_pool1d: needs to know the sizes"],
         lambda: gc.adaptive_avg_pool1d(gc.observed("q", shape=(2, "n")), 2)),
        (UsageError, ["adaptive_max_pool2d: output_size"],
         lambda: gc.adaptive_max_pool2d(IMAGE, (2, 0))),
    ],
)  # fmt: skip
def test_refused(error, words, f):
    with pytest.raises(error) as caught:
        f()
    for word in words:
        assert word in str(caught.value)
