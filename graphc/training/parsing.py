"""Update rules as text, as the command line gives them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from graphc.errors import UsageError
from graphc.language.step import Rule
from graphc.training import rules

RULES: dict[str, Callable[..., Rule]] = {
    "sgd": rules.sgd,
    "adagrad": rules.adagrad,
    "adadelta": rules.adadelta,
    "rmsprop": rules.rmsprop,
    "adam": rules.adam,
    "adamw": rules.adamw,
    "adamax": rules.adamax,
    "langevin": rules.langevin,
}


def parse_rule(text: str) -> Rule:
    """Return the rule that a text names, ``adam(lr=0.001)``: a known name, numbers as options.

    Nothing is evaluated but literals.

    Raises
    ------
    UsageError
        If the text is not of that form, or names no rule.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        tree = None
    name, options = _call(tree)
    if name is None:
        raise UsageError(f"an update rule is written like adam(lr=0.001), not {text!r}")
    if name not in RULES:
        raise UsageError(f"there is no update rule '{name}'; there are {', '.join(RULES)}")
    try:
        return RULES[name](**options)
    except TypeError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{name} does not take these options: {error}") from None


def _call(tree: Any) -> tuple[str | None, dict[str, Any]]:
    if isinstance(tree, ast.Name):
        return tree.id, {}
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)) or tree.args:
        return None, {}
    options = {}
    for keyword in tree.keywords:
        try:
            options[keyword.arg or ""] = ast.literal_eval(keyword.value)
        except ValueError:
            return None, {}
    return (None, {}) if "" in options else (tree.func.id, options)
