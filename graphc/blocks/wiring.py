"""The modules of the lecture that route what flows: add, duplicate, switch, max; and flatten."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from graphc.blocks.checks import usage, within
from graphc.errors import KindError
from graphc.language.functions import function
from graphc.language.source import here
from graphc.language.variable import Variable


@function
def add(*z: Any) -> Any:
    """Return the sum of the inputs; backward, each gets the gradient of the sum."""
    return reduce(np.add, z)


@function
def duplicate(z: Variable, copies: int = 2) -> Any:
    """Return the input several times; backward, the gradients of the copies add up."""
    usage(copies >= 1, f"duplicate: copies is at least 1, got {copies}")
    return (z,) * copies


@function
def maximum(*z: Any) -> Any:
    """Return the largest input, element by element; backward, that one gets the gradient.

    Where two tie, each gets half. (The lecture's module gives all of it to the second.)
    """
    return reduce(np.maximum, z)


@function
def switch(selector: Variable, *z: Variable) -> Any:
    """Return the input that `selector` names; backward, that one gets the gradient.

    The selector is an integer, counting the inputs from 0, or a boolean, false for the first.
    """
    usage(len(z) > 1, "switch: give the selector, then at least two inputs")
    usage(isinstance(selector, Variable), "switch: the selector is one variable, not several")
    if selector.kind == "boolean":
        usage(len(z) == 2, f"switch: a boolean chooses between 2 inputs, got {len(z)}")
        return np.where(selector, z[1], z[0])
    if selector.kind != "integer":
        raise KindError(f"{here()}: switch: the selector is an integer or a boolean, not real")
    classes = selector.declaration.classes
    usage(
        classes is None or classes == len(z),
        f"switch: the selector has {classes} classes for {len(z)} inputs",
    )
    selector = within(selector, len(z), "switch", "selector")
    chosen = z[-1]
    for k in reversed(range(len(z) - 1)):
        chosen = np.where(selector == k, z[k], chosen)  # type: ignore[assignment]
    return chosen


@function
def flatten(z: Variable, start_axis: int = 0, end_axis: int = -1) -> Any:
    """Return z with the axes from `start_axis` to `end_axis` as one, by default all."""
    if not z.ndim:
        return z.reshape(1)
    first, last = start_axis % z.ndim, end_axis % z.ndim
    usage(first <= last, f"flatten: start_axis {start_axis} comes after end_axis {end_axis}")
    return z.reshape((*z.shape[:first], -1, *z.shape[last + 1 :]))
