"""What the options of update rules mean: the same in all."""

from __future__ import annotations

import inspect
from typing import Any

from graphc.blocks.glossary import documented
from graphc.language.docstrings import completed
from graphc.language.functions import Function
from graphc.training.update import RuleFunction

OPTIONS = {
    "alpha": "How much the mean of squares remembers of each step before.",
    "betas": "How much the means of gradients and of squares remember of each step before.",
    "centered": "Whether squares are taken about the mean gradient.",
    "damping": "What is added to the diagonal of the Hessian.",
    "dampening": "The share of the gradient that does not enter the momentum.",
    "eps": "A small number that keeps divisors from 0.",
    "limit": "The largest absolute value of an element.",
    "lr": "The step size: a number or a schedule.",
    "lr_decay": "How fast the step size falls, as ``lr / (1 + lr_decay · t)``.",
    "max_norm": "The largest norm.",
    "momentum": "The share of the step before in each step.",
    "nesterov": "Whether the gradient is taken ahead, where the momentum leads.",
    "rho": "How much the means of squares remember of each step before.",
    "temperature": "How strong the noise is: a number or a schedule.",
    "weight_decay": "How strongly parameters are drawn to 0.",
}
RULES = ("rmsprop", "sgd")  # functions that choose among rules


def document(name: str, given: Any) -> None:
    """Complete the docstring of a rule, or of a block of this package."""
    if isinstance(given, Function):
        given.__doc__ = documented(given)
    elif isinstance(given, RuleFunction):
        given.__doc__ = _with_options(given.__doc__, list(given.options))
    elif name in RULES:
        given.__doc__ = _with_options(given.__doc__, list(inspect.signature(given).parameters))


def _with_options(text: str | None, options: list[str]) -> str:
    return completed(text, {name: [OPTIONS[name]] for name in options if name in OPTIONS}, {})
