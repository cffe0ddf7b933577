"""How long figures take, in processor time; `make bench-figures` measures them beside others."""

import gc
import time

import pytest

from graphc.render.layout import lay_out
from graphc.render.palettes import LIGHT
from graphc.render.svg import print_svg
from tests.benchmarks.figures import FAMILIES, main


def seconds(family, blocks):
    diagram = FAMILIES[family](blocks)
    start = time.process_time()
    print_svg(lay_out(diagram), LIGHT)
    return time.process_time() - start


@pytest.fixture(autouse=True)
def warm():
    seconds("chain", 3)  # the font is read once
    gc.collect()
    gc.freeze()  # what other tests left behind is not walked through over and over
    yield
    gc.unfreeze()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hundred_blocks_take_less_than_half_a_second(family):
    assert min(seconds(family, 100) for _ in range(3)) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_blocks_take_less_than_five_seconds_and_time_grows_almost_linearly(family):
    few, many = seconds(family, 250), seconds(family, 1000)
    assert many < 5.0
    assert many < 8 * few


def test_the_benchmark_prints_a_row_for_each_peer(capsys):
    main(["--sizes", "3", "--rounds", "1", "--only", "residual"])
    told = capsys.readouterr().out
    assert "graphc, built-in" in told
    assert "dot" in told
    assert "blocks" in told
