"""How users write update rules: a function of one parameter and its gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, TypeAlias, overload

import numpy as np

from graphc.errors import UsageError
from graphc.language.step import Count, Loss, Noise, Rule, State, Step
from graphc.language.variable import Variable


class RuleFunction:
    """A rule before its options are given: call it with those that differ from the defaults."""

    def __init__(self, function: Callable[..., Any], joint: bool, gives: str) -> None:
        update_wrapper(self, function)
        self.function = function
        self.joint = joint
        self.gives = gives  # "parameters" or "gradients"
        self.signature = inspect.signature(function)
        self.marked: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        for p in self.signature.parameters.values():
            if p.kind is p.KEYWORD_ONLY:
                self._keyword(p)

    def _keyword(self, p: inspect.Parameter) -> None:
        if p.default is p.empty:
            self.options[p.name] = p.empty
        elif isinstance(p.default, State | Count | Noise | Loss):
            self.marked[p.name] = p.default
        else:
            self.options[p.name] = p.default

    def __call__(self, *unnamed: Any, **options: Any) -> Update:
        """Return the rule with these options.

        Raises
        ------
        UsageError
            If an option is unknown, or one without a default is missing.
        """
        if unnamed:
            name, first = self.function.__name__, next(iter(self.options), "option")
            raise UsageError(f"{name} takes its options by name: {name}({first}={unnamed[0]!r})")
        unknown = options.keys() - self.options.keys()
        if unknown:
            told, known = ", ".join(sorted(unknown)), ", ".join(self.options) or "none"
            raise UsageError(f"{self.function.__name__} has no option {told}; it has {known}")
        chosen = {**self.options, **options}
        missing = [name for name, value in chosen.items() if value is inspect.Parameter.empty]
        if missing:
            raise UsageError(f"{self.function.__name__} needs {', '.join(missing)}")
        for name, value in chosen.items():
            library = self.function.__module__.startswith("graphc.")
            check_option(self.function.__name__, name, value, library)
        return Update(self, chosen)


def check_option(rule: str, name: str, value: Any, library: bool) -> None:
    """Raise a UsageError where an option is no number; those of the library are not negative.

    What users write may have options of any sign.
    """
    if name == "betas":
        numbers = isinstance(value, tuple | list) and all(_is_share(beta) for beta in value)
        if not numbers or len(value) != 2:
            raise UsageError(f"{rule}: betas are two numbers in [0, 1), got {value!r}")
    elif value is None or isinstance(value, str | list | set | dict):
        raise UsageError(f"{rule}: {name} is a number or a schedule, got {value!r}")
    elif library and isinstance(value, int | float) and not value >= 0:
        raise UsageError(f"{rule}: {name} is not negative, got {value!r}")


def _is_share(value: Any) -> bool:
    """Return whether a value is in [0, 1), as far as that is known: a schedule may be."""
    return not isinstance(value, int | float) or 0 <= value < 1


@dataclass(frozen=True)
class Update:
    """A rule with its options."""

    rule: RuleFunction
    options: Mapping[str, Any]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.rule.function.__name__}({told})"

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters (of a gradient transform: the new gradients)."""
        options = {name: scheduled(value, step) for name, value in self.options.items()}
        marked = self.rule.marked
        whole: dict[str, Any] = dict(options)
        for name, mark in marked.items():
            if isinstance(mark, Count):
                whole[name] = step.count
            elif isinstance(mark, Loss):
                whole[name] = step.loss
        return self._jointly(step, whole) if self.rule.joint else self._each(step, whole)

    def _each(self, step: Step, options: Mapping[str, Any]) -> list[Variable]:
        result = []
        for i, (w, g) in enumerate(zip(step.parameters, step.gradients, strict=True)):
            own: dict[str, Any] = {}
            for name, mark in self.rule.marked.items():
                if isinstance(mark, State):
                    own[name] = step.state(name, mark.init, i)
                elif isinstance(mark, Noise):
                    own[name] = step.noise(i)
            given = self.rule.function(w, g, **options, **own)
            states = [own[n] for n, mark in self.rule.marked.items() if isinstance(mark, State)]
            result.append(self._kept(step, given, states))
        return result

    def _jointly(self, step: Step, options: Mapping[str, Any]) -> list[Variable]:
        own: dict[str, list[Variable]] = {}
        every = range(len(step.parameters))
        for name, mark in self.rule.marked.items():
            if isinstance(mark, State):
                own[name] = [step.state(name, mark.init, i) for i in every]
            elif isinstance(mark, Noise):
                own[name] = [step.noise(i) for i in every]
        given = self.rule.function(list(step.parameters), list(step.gradients), **options, **own)
        states = [own[n] for n, mark in self.rule.marked.items() if isinstance(mark, State)]
        if not states:
            return list(given)
        first, *rest = given
        if len(rest) != len(states):
            raise self._wrong(1 + len(states))
        for olds, news in zip(states, rest, strict=True):
            for old, new in zip(olds, news, strict=True):
                step.set(old, new)
        return list(first)

    def _kept(self, step: Step, given: Any, states: Sequence[Variable]) -> Variable:
        """Return the first of what a rule gives, and keep the rest as the new states."""
        results = given if isinstance(given, tuple) else (given,)
        if len(results) != 1 + len(states):
            raise self._wrong(1 + len(states))
        for old, new in zip(states, results[1:], strict=True):
            step.set(old, new)
        first: Variable = results[0]
        return first

    def _wrong(self, count: int) -> UsageError:
        name = self.rule.function.__name__
        return UsageError(
            f"the update rule {name} must return {count} values: the {self.rule.gives[:-1]}, then "
            "its states in the order of the signature"
        )


def scheduled(option: Any, step: Step) -> Any:
    """Return an option's value in a step; a function is a schedule over the step's number."""
    return option(step.count) if callable(option) else option


Made: TypeAlias = Callable[[Callable[..., Any]], RuleFunction]


@overload
def update_rule(function: Callable[..., Any]) -> RuleFunction: ...
@overload
def update_rule(*, joint: bool) -> Made: ...
def update_rule(
    function: Callable[..., Any] | None = None, *, joint: bool = False
) -> RuleFunction | Made:
    """Make an update rule of a function written in the language.

    The function takes a parameter and its gradient, and returns the new parameter, followed by
    its new states. Keyword-only arguments are states (`gc.State`), the number of the step
    (`gc.Count()`), noise (`gc.Noise()`), the loss (`gc.Loss()`), or else options. An option may
    be given as a schedule: a function of the number of the step.

    Parameters
    ----------
    joint
        Whether the function takes and returns lists over all parameters.

    Examples
    --------
    >>> import graphc as gc
    >>> @gc.update_rule
    ... def heavy_ball(w, g, *, v=gc.State("zeros"), lr=0.1, momentum=0.9):
    ...     v = momentum * v + g
    ...     return w - lr * v, v
    >>> heavy_ball(lr=0.5)
    heavy_ball(lr=0.5, momentum=0.9)
    """
    if function is None:
        return lambda f: RuleFunction(f, joint, "parameters")
    return RuleFunction(function, joint, "parameters")


@overload
def gradient_transform(function: Callable[..., Any]) -> RuleFunction: ...
@overload
def gradient_transform(*, joint: bool) -> Made: ...
def gradient_transform(
    function: Callable[..., Any] | None = None, *, joint: bool = False
) -> RuleFunction | Made:
    """Make a function of a parameter and its gradient that returns another gradient.

    It is written as an update rule is, and stands before one in :func:`graphc.chain`; `joint` as
    there.
    """
    if function is None:
        return lambda f: RuleFunction(f, joint, "gradients")
    return RuleFunction(function, joint, "gradients")


@dataclass(frozen=True)
class Chain:
    """Gradient transforms, then an update rule."""

    transforms: tuple[Update, ...]
    rule: Rule

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        for transform in self.transforms:
            step = step.within(transform.apply(step))
        return self.rule.apply(step)


def chain(*rules: Any) -> Chain:
    """Return a rule that first changes the gradients, then updates.

    Parameters
    ----------
    *rules
        Gradient transforms such as :func:`graphc.clip_by_norm`, and last an update rule.

    Raises
    ------
    UsageError
        If the last is no update rule, or one of the others is.
    """
    *transforms, last = rules or (None,)
    for rule in transforms:
        if not (isinstance(rule, Update) and rule.rule.gives == "gradients"):
            raise UsageError(f"{rule!r} is no gradient transform; an update rule comes last")
    if not hasattr(last, "apply") or (isinstance(last, Update) and last.rule.gives == "gradients"):
        raise UsageError(f"{last!r} is no update rule, which chain needs at its end")
    return Chain(tuple(transforms), last)


@dataclass(frozen=True)
class Accumulate:
    """A rule that steps once in several calls, with the mean of their gradients."""

    rule: Rule
    steps: int

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        count: Any = step.count
        full = count % self.steps == 0
        sums = [step.state("sum", "zeros", i) for i in range(len(step.names))]
        means = [s + g * (1 / self.steps) for s, g in zip(sums, step.gradients, strict=True)]
        before = set(step.slots)
        inner: Any = np.ceil(count / self.steps)
        new: list[Any] = self.rule.apply(step.within(means, inner))
        for s, mean in zip(sums, means, strict=True):
            step.set(s, np.where(full, 0.0, mean))
        for slot in step.slots:
            if slot not in before and slot.new is not None:
                step.set(slot.variable, np.where(full, slot.new, slot.variable))
        kept: list[Any] = [np.where(full, a, w) for a, w in zip(new, step.parameters, strict=True)]
        return kept


def accumulate(rule: Rule, steps: int) -> Accumulate:
    """Return a rule that steps once in `steps` calls, with the mean of their gradients.

    What the rule itself remembers, its step number included, changes only then.
    """
    if not isinstance(steps, int) or steps < 1:
        raise UsageError(f"accumulate takes a number of steps of at least 1, got {steps!r}")
    return Accumulate(rule, steps)
