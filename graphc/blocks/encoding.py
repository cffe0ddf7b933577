"""Classes as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import known_classes, labels, usage, within
from graphc.language.functions import function
from graphc.language.variable import Variable, build
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Iota
from graphc.ops.structural import reshape
from graphc.types import Dim


def one_hot_of(y: Variable, classes: Dim, axis: int = -1) -> Variable:
    """Return the booleans that are true where y has the class of their place along `axis`."""

    def make(node: Any) -> Any:
        at = axis % (node.type.rank + 1)
        shape = (*node.shape[:at], 1, *node.shape[at:])
        places: Any = Iota((), classes)
        column = reshape(places, (classes, *(1,) * (node.type.rank - at)))
        return elementwise("equal", reshape(node, shape), column)

    return build("one_hot", make, (y,))


@function
def one_hot(y: Variable, num_classes: int | None = None) -> Any:
    """Return 1 at the class and 0 elsewhere, as integers, along a new last axis.

    `num_classes` may be left out where y was declared with ``classes=K``.
    """
    labels(y, "one_hot", "y")
    known = num_classes if num_classes is not None else known_classes(y)
    usage(
        known is not None,
        "one_hot: num_classes is needed, for the variable was not declared with classes=",
    )
    assert known is not None
    return np.where(one_hot_of(within(y, known, "one_hot", "y"), known), 1, 0)
