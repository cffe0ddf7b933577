"""Costs, as in ``torch.nn.functional``, for one sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.language.functions import Input, cost
from graphc.language.protocol.reductions import along
from graphc.language.variable import Variable


@cost
def cross_entropy(
    s: Any = Input("classes"),
    y: Any = Input("", kind="integer"),
) -> Any:
    """Return ``-log softmax(s)[y]`` for scores s of shape (classes,) and a class y."""
    return -along("log_softmax")(s, -1)[y]


@cost
def squared_error(z: Variable, y: Variable) -> Any:
    """Return ``sum((z - y)**2)``, the lecture's squared distance."""
    return np.sum(np.square(z - y))


@cost
def mse(z: Variable, y: Variable) -> Any:
    """Return ``mean((z - y)**2)``."""
    return np.mean(np.square(z - y))
