"""Pointwise functions and softmax, as in ``torch.nn.functional``, for one sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.language.functions import function
from graphc.language.protocol.reductions import along
from graphc.language.protocol.scalars import scalar_function
from graphc.language.variable import Variable


@function
def relu(z: Variable) -> Any:
    """Return ``max(z, 0)``; its derivative at 0 is 0."""
    return np.maximum(z, 0)


@function
def tanh(z: Variable) -> Any:
    """Return the hyperbolic tangent."""
    return np.tanh(z)


@function
def sigmoid(z: Variable) -> Any:
    """Return ``1 / (1 + exp(-z))``, without overflow for any z."""
    result: Variable = scalar_function("sigmoid")(z)
    return result


@function
def softplus(z: Variable) -> Any:
    """Return ``log(1 + exp(z))``, without overflow for any z."""
    return scalar_function("softplus")(z)


@function
def log_sigmoid(z: Variable) -> Any:
    """Return ``log(sigmoid(z))``, without overflow for any z."""
    return scalar_function("log_sigmoid")(z)


@function
def softmax(z: Variable, axis: Any = -1) -> Any:
    """Return ``exp(z) / sum(exp(z))`` along `axis`."""
    return along("softmax")(z, axis)


@function
def log_softmax(z: Variable, axis: Any = -1) -> Any:
    """Return ``z - logsumexp(z)`` along `axis`."""
    return along("log_softmax")(z, axis)


@function
def logsumexp(z: Variable, axis: Any = None, keepdims: bool = False) -> Any:
    """Return ``log(sum(exp(z)))`` over `axis`, by default over all."""
    return along("logsumexp")(z, axis, keepdims)
