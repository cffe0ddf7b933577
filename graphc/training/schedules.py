"""Schedules: an option of an update rule as a function of the number of the step, from 1 on.

Each is an ordinary function of a variable, so users write their own as they write models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Any, TypeAlias

import numpy as np

Schedule: TypeAlias = Callable[[Any], Any]


def exponential_decay(start: float, factor: float, every: int = 1) -> Schedule:
    """Return ``start · factor**((t − 1) / every)``."""
    return lambda t: start * factor ** ((t - 1) / every)


def step_decay(start: float, factor: float, every: int) -> Schedule:
    """Return `start`, times `factor` after each `every` steps."""
    return lambda t: start * factor ** np.floor((t - 1) / every)


def piecewise_constant(start: float, changes: Mapping[int, float]) -> Schedule:
    """Return `start`, and from each step named in `changes` on the value given there."""

    def schedule(t: Any) -> Any:
        value: Any = start
        for step, later in sorted(changes.items()):
            value = np.where(t >= step, later, value)
        return value

    return schedule


def inverse_decay(start: float, rate: float) -> Schedule:
    """Return ``start / (1 + rate · (t − 1))``, the classical rate of stochastic approximation."""
    return lambda t: start / (1 + rate * (t - 1))


def cosine_decay(start: float, steps: int, end: float = 0.0) -> Schedule:
    """Return half a cosine from `start` to `end` over `steps` (Loshchilov and Hutter, 2017)."""

    def schedule(t: Any) -> Any:
        done = np.minimum((t - 1) / steps, 1.0)
        return end + (start - end) * 0.5 * (1 + np.cos(pi * done))

    return schedule


def warmup(steps: int, then: float | Schedule) -> Schedule:
    """Return what rises from near 0 over `steps`, and then follows a number or a schedule.

    The schedule counts from the end of the rise.
    """

    def schedule(t: Any) -> Any:
        target = then(np.maximum(t - steps, 1.0)) if callable(then) else then
        return np.minimum(t / steps, 1.0) * target

    return schedule
