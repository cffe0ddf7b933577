"""The library as a whole: listed in the documentation, compared with torch, drawn as blocks."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc import blocks
from graphc.language.functions import Function

ROOT = Path(__file__).resolve().parents[2]


def test_every_block_is_public_and_documented():
    page = (ROOT / "docs" / "blocks.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert listed == set(blocks.__all__)
    for name in blocks.__all__:
        made = getattr(gc, name)
        assert isinstance(made, Function)
        assert made.__doc__


def test_every_block_has_a_line_in_the_table_of_operations():
    table = " ".join(
        case.name
        for module in ("activations", "costs", "layers", "convolutions", "recurrent", "resampling")
        for case in importlib.import_module(f"tests.operations.{module}").CASES
    )
    # Compared by batches, in test_costs.py and test_layers.py; logsumexp stands with reductions.
    elsewhere = {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "barlow_twins", "vicreg_variance",
                 "vicreg_covariance", "logsumexp", "logsigmoid"}  # fmt: skip
    missing = {n for n in blocks.__all__ if not re.search(rf"\bgc\.{n}\b", table)}
    assert missing == elsewhere


@pytest.mark.parametrize(
    "make",
    [
        lambda x: gc.MultiheadAttention(4, 2, name="block")(x, x, x),
        lambda x: gc.TransformerEncoderLayer(4, 2, 8, name="block")(x),
        lambda x: gc.LSTM(3, num_layers=2, bidirectional=True, name="block")(x)[0],
        lambda x: gc.Conv1d(3, 3, name="block")(x),
        lambda x: gc.LayerNorm(4, name="block")(x),
    ],
)
def test_a_block_is_drawn_as_one(make, tmp_path):
    x = gc.observed("x", shape=(5, 4))
    net = gc.Graph(gc.cost(np.sum(make(x)), name="C"), name="net")
    (block,) = [use for use in net.functions if use.name == "block"]
    assert block.inputs[0] is x
    path = tmp_path / "net.svg"
    gc.render(net, path)
    text = path.read_text()
    assert "block" in text
    assert not re.search(r"softmax|scan|linear1|einsum", text)
