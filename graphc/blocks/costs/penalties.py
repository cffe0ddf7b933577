"""Penalties on parameters or activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.language.functions import cost
from graphc.language.variable import Variable


@cost
def l1_penalty(*w: Variable, scale: float = 1.0) -> Any:
    """Return ``scale * sum(|w|)`` over all that is given: it drives small weights to 0."""
    return scale * sum(np.sum(np.abs(v)) for v in w)


@cost
def l2_penalty(*w: Variable, scale: float = 1.0) -> Any:
    """Return ``scale * sum(w**2)`` over all that is given: weight decay."""
    return scale * sum(np.sum(np.square(v)) for v in w)
