"""Docstrings of everything public: a summary, every argument by name, and the shapes."""

import inspect
import re

import pytest

import graphc as gc
from graphc.language.docstrings import described
from graphc.language.functions import Function
from graphc.training.update import RuleFunction

# Users get these from functions, and make none; what they hold is told as attributes.
HANDED_OUT = {"Block", "Compiled", "CompiledFunction", "Function", "Game", "Report", "Variable"}
NAMES = [n for n in gc.__all__ if not (n.startswith("__") or inspect.ismodule(getattr(gc, n)))]
BLOCKS = [n for n in NAMES if isinstance(getattr(gc, n), Function)]
OTHERS = [n for n in NAMES if n not in BLOCKS]


def section(text, title):
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", text, re.S | re.M)
    return described(found[1]) if found else {}


def summary_of(name):
    text = inspect.getdoc(getattr(gc, name)) or ""
    first = text.partition("\n\n")[0].replace("\n", " ")
    return text, first


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_and_costs(name):
    f = getattr(gc, name)
    text, first = summary_of(name)
    assert first.endswith(".") and len(first) > 10, f"{name} has no summary"
    told = section(text, "Parameters")
    assert [*told][: len(f.inputs) + len(f.options)] == [*f.inputs, *f.options]
    for argument, lines in told.items():
        assert " ".join(lines).strip().endswith((".", ":", "``")), f"{name}: {argument}"
    owned = section(text, "Attributes")
    assert [*owned] == [*f.parameters]
    assert all(lines[0].startswith("Of shape `") for lines in owned.values())
    assert len(max(text.split("\n"), key=len)) <= 100


@pytest.mark.parametrize("name", BLOCKS)
def test_shapes_are_told(name):
    """An input of a declared shape has its sizes in the docstring; so the reader knows the axes."""
    f = getattr(gc, name)
    text = inspect.getdoc(f)
    for argument, spec in f.inputs.items():
        sizes = [word for word in spec.shape.split() if word != "..."]
        lines = " ".join(section(text, "Parameters")[argument]).lower()
        word = re.search(
            r"shape|\(|number|scores|class|channels|matrix|vector|label|step|as for|in a row", lines
        )
        assert word, f"{name}: the shape of {argument} ({sizes}) is not told: {lines}"


@pytest.mark.parametrize("name", OTHERS)
def test_functions_and_classes(name):
    given = getattr(gc, name)
    text, first = summary_of(name)
    assert first.rstrip().endswith((".", ":")) and len(first) > 10, f"{name} has no summary"
    if name in HANDED_OUT or (isinstance(given, type) and issubclass(given, BaseException)):
        return
    if isinstance(given, RuleFunction):
        arguments = list(given.options)
    else:
        arguments = list(inspect.signature(given).parameters)
    words = set(re.findall(r"\w+", text))
    assert [a for a in arguments if a not in words] == []


def test_every_public_name_is_covered():
    assert len(BLOCKS) > 150
    assert {*BLOCKS, *OTHERS} == {*NAMES}
