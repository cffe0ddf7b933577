"""The record that every node kind fills, and what happens where one does not."""

from dataclasses import dataclass, fields

import pytest

from graphc.errors import DerivativeError
from graphc.ir.nodes import TYPE_RULES, Node
from graphc.ops.rules import RULES, Rules, define, undefined

NAMES = [f.name for f in fields(Rules)]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Kind(Node):
    pass


@pytest.mark.parametrize("missing", NAMES)
def test_a_missing_rule_fails(missing):
    rules = {name: lambda *_: None for name in NAMES if name != missing}
    with pytest.raises(TypeError, match=f"Kind must define exactly .* {missing}$"):
        define(Kind, **rules)
    assert Kind not in RULES
    assert Kind not in TYPE_RULES


def test_an_unknown_rule_fails():
    with pytest.raises(TypeError, match="colour"):
        define(Kind, **{name: lambda *_: None for name in NAMES}, colour=lambda *_: None)
    assert Kind not in RULES


def test_an_undefined_rule_says_why():
    rule = undefined("an opaque call has no index form")
    with pytest.raises(DerivativeError, match="kind: an opaque call has no index form"):
        rule(object.__new__(Kind), 1, 2)


def test_every_kind_has_all_rules():
    # By name: a dataclass with slots leaves the class behind that it was made of.
    mine = [kind for kind in Node.__subclasses__() if kind.__module__.startswith("graphc.")]
    kinds = {kind.__name__ for kind in mine}
    assert kinds == {kind.__name__ for kind in RULES}
    assert all(callable(getattr(rules, name)) for rules in RULES.values() for name in NAMES)
