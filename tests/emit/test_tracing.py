"""The source map: every line that computes knows the block, the use and the rule it comes from."""

import re

import pytest

import graphc as gc
from tests.emit.models import MODELS


def siamese():
    x, y = gc.observed("x", shape=3), gc.observed("y", shape=3)
    twin = gc.Linear(2, name="twin")
    return gc.Graph(gc.mse(twin(x, output="a"), twin(y, output="b"), name="C"), name="siamese")


GRAPHS = {**MODELS, "siamese": siamese}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", GRAPHS)
def test_each_line_is_traced_to_a_use_that_exists(name, style):
    graph = GRAPHS[name]()
    program = gc.compile(graph, style=style, allow_unused=True)
    lines = program.source.splitlines()
    assert program.origins
    # Some steps need several lines, as a loop does, and some define several names.
    spelled: dict[tuple[str, ...], list[str]] = {}
    for number, traced in program.origins.items():
        spelled.setdefault(traced.defines, []).append(lines[number - 1].strip())
    for defined, those in spelled.items():
        code = [line for line in those if not line.startswith("#")]
        for one in defined:
            assert not code or any(re.search(rf"\b{one}\b", s) for s in code)
    for traced in program.origins.values():
        for origin in traced.origins:
            if origin.use >= 0:
                assert graph.uses[origin.use].name == origin.block
            else:
                assert origin.block == "loss"


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_lines_of_a_shared_block_are_told_apart_by_its_use(style):
    program = gc.compile(siamese(), style=style)
    forward = {
        traced.defines[0]: traced.origins[0].use
        for traced in program.origins.values()
        if traced.origins and traced.origins[0].rule == "forward"
    }
    assert (forward["a"], forward["b"]) == (0, 1)


def test_a_line_knows_what_is_spelled_within_it():
    s, y = gc.observed("x", shape=3) * gc.parameter("w", shape=3), gc.observed("y", classes=3)
    graph = gc.Graph(gc.cross_entropy(s, y, name="C"), name="both")
    program = gc.compile(graph, style="readable")
    lines = program.source.splitlines()
    (step,) = [n for n in program.origins if "(1 / P)" in lines[n - 1]]
    rules = [origin.rule for origin in program.origins[step].origins if origin.block == "C"]
    assert rules[0] == "∂/∂0"  # the division itself
    assert "forward" in rules  # the sum of the exponentials, read again


def test_backward_lines_definedtheir_rule():
    program = gc.compile(siamese(), style="readable")
    rules = {o.rule for traced in program.origins.values() for o in traced.origins}
    assert "forward" in rules
    assert any(rule.startswith("∂/∂") for rule in rules)


def test_what_is_no_step_is_not_traced():
    program = gc.compile(siamese())
    lines = program.source.splitlines()
    traced = {lines[number - 1].strip() for number in program.origins}
    assert not any(line.startswith(("def ", "return", "if ", '"""')) for line in traced)
