"""The page of formulas: what it says in words, and that a code host can render it."""

import re

import pytest

import graphc as gc
from graphc.document import document


def network():
    x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
    w = gc.parameter("w_1", shape=(3, 4))
    s = gc.tanh(w @ x, output="s")
    return gc.cross_entropy(s, y, name="C"), gc.cost((w * w).sum(), name="decay")


def test_the_loss_of_the_recursion_is_named():
    """The recursion starts with the derivative of a cost and goes on with that of L."""
    fit, decay = network()
    assert "Here $L$ is the loss of one sample, the cost `C`." in document(gc.Graph(fit))
    both = document(gc.Graph(fit, decay))
    assert "Here $L$ is the loss of one sample, the sum of the costs `C`, `decay`." in both
    none = document(gc.Graph(gc.tanh(gc.observed("x"))))
    assert "Here $L$ is any loss of what the graph returns, for one sample." in none


def test_a_parameter_by_itself_is_no_state():
    """`w_1` is an argument of the cost `decay`, and a parameter all the same."""
    page = document(gc.Graph(*network()))
    jacobians = page[page.index("### Jacobians of `decay`") : page.index("## Backward")]
    assert "By parameters:" in jacobians
    assert "By state:" not in jacobians


@pytest.mark.parametrize("figure", [None, "net.svg"])
def test_formulas_stand_in_fences_and_braces_match(figure):
    """A code host renders what stands between fences; emphasis outside of them would eat _."""
    page = document(gc.Graph(*network(), name="my_net"), figure)
    formulas = re.findall(r"^```math\n(.*)\n```$", page, re.M)
    assert len(formulas) == page.count("```math") > 6
    for formula in formulas:
        assert formula.count(r"\left") == formula.count(r"\right")
        assert formula.count("{") == formula.count("}")
    prose = re.sub(r"```math.*?```|`[^`]*`|!\[.*?\]\(.*?\)|<!--.*?-->", "", page, flags=re.S)
    assert not re.search(r"\w_\w", prose.replace("# my_net", ""))
