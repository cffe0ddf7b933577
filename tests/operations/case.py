"""One operation of the table: how graphc writes it, and who knows the right answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Case:
    """One line of the table of operations.

    Parameters
    ----------
    name
        As the documentation lists it: ``"np.arcsinh"``, ``"gc.erf"``; unique within `group`.
    group
        The family: ``"exponentials and logarithms"``, ``"reductions"``, ...
    build
        From variables to a variable, or to a tuple of them.
    oracle
        From arrays to the same results; a function of JAX or torch, or (values only) of NumPy or
        SciPy.
    arguments
        One array each; integers and booleans declare such variables. At kinks, where frameworks
        differ, stand tests of their own, not these.
    second
        Whether second derivatives are compared too.
    differentiable
        Whether there are derivatives to compare.
    note
        What the table says beside the name.
    framework
        Whose arrays `oracle` takes.
    tolerance
        The largest error, relative to the largest element.
    """

    name: str
    group: str
    build: Callable[..., Any]
    oracle: Callable[..., Any]
    arguments: tuple[np.ndarray, ...]
    second: bool = False
    differentiable: bool = True
    note: str = ""
    framework: Literal["jax", "torch", "numpy"] = "jax"
    tolerance: float = 1e-10
