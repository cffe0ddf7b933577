"""Options of one number per axis of space, and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage
from graphc.language.variable import Variable, build
from graphc.ops.structural import Pad
from graphc.types import shape_text

# How PyTorch and NumPy call what continues an array over its borders.
PADDINGS = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
Pads = tuple[tuple[int, int], ...]


def per_axis(value: Any, dims: int, block: str, name: str, least: int = 0) -> tuple[int, ...]:
    """Return one integer for each axis of space, of one for all or one for each."""
    several = isinstance(value, tuple | list)
    values = tuple(value) if several else (value,) * dims
    usage(
        len(values) == dims
        and all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values)
        and min(values) >= least,
        f"{block}: {name} is an integer of at least {least}, or one for each of {dims} axes, "
        f"got {value!r}",
    )
    return tuple(int(v) for v in values)


def check_space(x: Variable, dims: int, block: str) -> None:
    """Check that x has channels and `dims` axes of space, and no batch."""
    shapes(
        x.ndim == dims + 1,
        f"{block}: takes {dims + 1} axes, channels first and no batch, got {shape_text(x.shape)}",
    )


def padded(x: Variable, pads: Sequence[tuple[int, int]]) -> Variable:
    """Return x with zeros around its axes of space; nothing is made where there are none."""
    if not any(before or after for before, after in pads):
        return x

    def make(node: Any) -> Any:
        around = ((0, 0), *pads)
        spans = tuple((left, dim, 1) for (left, _), dim in zip(around, node.shape, strict=True))
        target = tuple(
            dim + left + right for (left, right), dim in zip(around, node.shape, strict=True)
        )
        return Pad((node,), spans, target)

    return build("pad", make, (x,))
