"""The lecture's block diagrams: each file of examples/figures draws what it says."""

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "figures"
SVG = "{http://www.w3.org/2000/svg}"
# What each figure must show: how many elements and edges of which kind.
SHOWN = {
    "figure_1": {"observed": 2, "computed": 1, "function": 1, "cost": 1, "forward": 4},
    "figure_2": {"observed": 8, "computed": 5, "function": 5, "cost": 4, "forward": 21},
    "figure_2_plate": {"plate": 1, "observed": 2, "parameter": 2, "function": 2, "cost": 1},
    "figure_4": {"observed": 2, "computed": 5, "function": 5, "cost": 1, "stub": 0},
    "figure_4_shapes": {"observed": 2, "computed": 5, "function": 5, "cost": 1, "stub": 3},
    "figure_5": {"observed": 3, "computed": 2, "function": 2, "composite": 0},
    "figure_5_open": {"observed": 3, "computed": 5, "function": 5, "composite": 1},
    "figure_6": {"latent": 1, "function": 1, "cost": 1, "returned": 4},
    "figure_6_mirror": {"cotangent": 2, "vjp": 2, "seed": 1, "backward": 4},
    "figure_7": {"latent": 1, "function": 3, "cost": 1, "returned": 10, "leaving": 3},
    "figure_7_mirror": {"cotangent": 4, "vjp": 4, "seed": 1, "leaving": 3, "backward": 10},
    "figure_8": {"latent": 1, "parameter": 2, "function": 1, "computed": 1, "returned": 3},
    "figure_9": {"function": 3, "vjp": 4, "cotangent": 4, "leaving": 3, "stub": 3},
    "figure_9_dark": {"function": 3, "vjp": 4, "cotangent": 4, "leaving": 3, "stub": 3},
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for path in sorted(FOLDER.glob("*.py")):
        runpy.run_path(str(path))["draw"](folder)
    return {path.stem: path for path in folder.iterdir()}


def test_the_figures_of_the_lecture_are_all_there(drawn):
    files = {path.stem for path in FOLDER.glob("*.py")}
    assert files == {f"figure_{k}" for k in (1, 2, 4, 5, 6, 7, 8, 9)}  # 3 is a plot
    assert set(drawn) == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_each_figure_shows_what_it_should(drawn, name):
    root = ElementTree.parse(drawn[name]).getroot()
    classes = [word for g in root.iter(f"{SVG}g") for word in (g.get("class") or "").split()]
    found = {kind: classes.count(f"gc-{kind}") for kind in SHOWN[name]}
    assert found == SHOWN[name]


def test_the_examples_draw_nothing_by_hand():
    for path in FOLDER.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"Element|Edge|positions|graphc\.render", text)
