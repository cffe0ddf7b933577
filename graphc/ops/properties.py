"""What was declared of a tensor: a promise that simplification and formulas make use of.

``symmetric``, ``diagonal`` and ``orthogonal`` are said of the matrices on the last two axes,
``positive`` of every element. A constant needs no promise: its values tell.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.ir.nodes import Node
from graphc.ops.leaves import Constant, Input

if TYPE_CHECKING:
    import numpy.typing as npt

PROPERTIES = ("symmetric", "diagonal", "positive", "orthogonal")
LARGEST = 4096  # elements of a constant that is looked at
_ROUNDING = 1e-12


def properties_of(node: Node) -> tuple[str, ...]:
    """Return what was declared of an input."""
    return node.properties if isinstance(node, Input) else ()


def has(node: Node, name: str) -> bool:
    """Return whether a leaf is certain to have a property."""
    if isinstance(node, Input):
        declared = node.properties
        return name in declared or (name == "symmetric" and "diagonal" in declared)
    return isinstance(node, Constant) and _of_constant(node, name)


@lru_cache(maxsize=1024)
def _of_constant(node: Constant, name: str) -> bool:
    value = node.value
    return 0 < value.size <= LARGEST and fulfils(value, name)


def fulfils(value: npt.NDArray[Any], name: str) -> bool:
    """Return whether an array has a property; orthogonal up to rounding, the others exactly."""
    if name == "positive":
        return bool((value > 0).all())
    if value.ndim < 2 or value.shape[-1] != value.shape[-2]:
        return False
    turned = np.swapaxes(value, -1, -2)
    if name == "orthogonal":
        return bool(np.allclose(turned @ value, np.eye(value.shape[-1]), rtol=0, atol=_ROUNDING))
    other = turned if name == "symmetric" else value * np.eye(value.shape[-1])
    return bool((value == other).all())
