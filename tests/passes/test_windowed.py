"""Where windows are multiplied, samples lie last, and the matrix of windows is written once."""

import numpy as np
import pytest

import graphc as gc
from graphc.language.protocol.windows import windows
from graphc.ops.structural import Reshape
from graphc.ops.windows import Fold, Windows
from graphc.types import named


def nodes_of(x, *blocks):
    v = x
    for block in blocks:
        v = block(v)
    program = gc.compile(gc.Graph(gc.cost((v * v).sum(), name="C")))
    return program, list(program.program.nodes())


@pytest.mark.parametrize("groups", [1, 2])
def test_samples_come_last_and_columns_are_shared(groups):
    x = gc.observed("x", shape=(4, 6, 5))
    first = gc.Conv2d(6, 3, padding=1, groups=groups, name="a")
    program, nodes = nodes_of(x, first, gc.tanh, gc.Conv2d(2, 3, groups=groups, name="b"))
    seen = [node for node in nodes if isinstance(node, Windows)]
    assert len(seen) == 2  # one for each convolution, for its value and the gradient alike
    for node in seen:
        assert node.shape[-3] == named("P")
    (folded,) = [node for node in nodes if isinstance(node, Fold)]
    assert folded.target[-1] == named("P")
    merged = [n for n in nodes if isinstance(n, Reshape) and n.shape[-1] != n.args[0].shape[-1]]
    columns = [n for n in merged if any(isinstance(a, Windows) for a in below(n))]
    assert len(columns) == 2
    assert "ascontiguousarray" in program.source  # the second image has no border


def below(node):
    """The nodes that only move axes below a reshape."""
    inner = node.args[0]
    return [inner, *inner.args]


def test_a_product_that_fits_as_it_stands_is_left():
    """Two rules once wrote it to and fro for ever."""
    x, g = gc.observed("x", shape=(1, 6)), gc.observed("g", shape=(1, 1, 5))
    seen = windows(x, size=2, axes=1)
    made = gc.compile_function([x, g], np.einsum("abn,anw->abw", g, seen))
    image, weights = np.arange(6.0)[None], np.linspace(0, 1, 5)[None, None]
    view = np.lib.stride_tricks.sliding_window_view(image, 2, axis=1)
    np.testing.assert_allclose(made(image, weights), np.einsum("abn,anw->abw", weights, view))


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_weights_of_their_own_at_each_place(style):
    """Summed over the places: what stands in each place of a window has its own sum."""
    x, w = gc.observed("x", shape=5), gc.observed("w", shape=(4, 2, 3))
    y = np.einsum("ik,iko->ko", np.lib.stride_tricks.sliding_window_view(x, 2), w)
    rng = np.random.default_rng(0)
    data, weights = rng.normal(size=5), rng.normal(size=(4, 2, 3))
    want = np.einsum("ik,iko->ko", np.lib.stride_tricks.sliding_window_view(data, 2), weights)
    np.testing.assert_allclose(gc.compile_function([x, w], y, style=style)(data, weights), want)
