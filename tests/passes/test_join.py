"""Pieces that stand side by side are joined; others stay sums."""

import numpy as np
import pytest

import graphc as gc
from graphc.ops.elementwise import elementwise
from graphc.ops.joining import Concatenation
from graphc.ops.leaves import new_input
from graphc.ops.structural import Pad
from graphc.passes.join import joined
from graphc.types import TensorType, named
from tests.numerics import close, value

N = named("n")


def pieces(*spans, width=2, total=6):
    """Pieces of rows, each at a first row and so many long, added up in the order given."""
    nodes = [new_input(TensorType((length, width))) for _, length in spans]
    padded = [
        Pad((node,), ((first, length, 1), (0, width, 1)), (total, width))
        for node, (first, length) in zip(nodes, spans, strict=True)
    ]
    whole = padded[0]
    for part in padded[1:]:
        whole = elementwise("add", whole, part)
    return nodes, whole


@pytest.mark.parametrize("spans", [((0, 2), (2, 4)), ((3, 3), (0, 1), (1, 2))])
def test_pieces_that_fill_the_whole(spans):
    nodes, whole = pieces(*spans)
    found = joined(whole)
    assert isinstance(found, Concatenation)
    rng = np.random.default_rng(0)
    feed = {node: rng.normal(size=node.shape) for node in nodes}
    close(value(found, feed), value(whole, feed))


@pytest.mark.parametrize(
    "spans", [((0, 2), (3, 3)), ((0, 3), (2, 4)), ((0, 3), (0, 3)), ((0, 6), (0, 6)), ((0, 4),) * 2]
)
def test_pieces_with_gaps_and_overlaps_stay_a_sum(spans):
    assert joined(pieces(*spans)[1]) is None


def test_pieces_of_named_length():
    nodes, whole = pieces((0, N), (N, 2), total=N + 2)
    found = joined(whole)
    assert isinstance(found, Concatenation)
    feed = {nodes[0]: np.ones((3, 2)), nodes[1]: np.zeros((2, 2))}
    close(value(found, feed, n=3), value(whole, feed, n=3))


def test_the_cotangent_of_what_was_cut_up():
    x, y = gc.observed("x", shape=6), gc.observed("y", shape=2)
    c = (np.tanh(x[:2]) * y).sum() + np.sin(x[2:]).sum()
    source = gc.compile_function([x, y], gc.grad(c, x)).source
    assert "np.concatenate((" in source
    assert "np.zeros(" not in source
