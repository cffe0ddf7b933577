"""How PyTorch's blocks start, for ``init="torch"``: from the sizes of a block, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from graphc.emit.initial import Normal, Uniform
from graphc.language.sizes import sizes_of


def by_fan_in(words: str) -> Callable[[Mapping[str, Any]], Uniform]:
    """Return ``±1/sqrt(n)``, n the product of sizes: ``kaiming_uniform_`` with ``a=sqrt(5)``.

    PyTorch starts linear, convolutional and recurrent blocks so, their biases included.
    """
    return lambda sizes: Uniform(math.prod(sizes_of(words, sizes)))


def of_projection(sizes: Mapping[str, Any]) -> Any:
    """Return how attention projects: ``xavier_uniform_`` of all three matrices, or of each.

    Where queries, keys and values have equal sizes, PyTorch holds them in one matrix.
    """
    width = sizes["embed_dim"]
    return Uniform(4 * width, 6) if sizes["kdim"] == sizes["vdim"] == width else "glorot"


def by_width(name: str) -> Callable[[Mapping[str, Any]], Normal]:
    """Return a normal start of variance 1/n, n being a size."""
    return lambda sizes: Normal(sizes[name])
