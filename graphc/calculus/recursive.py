"""Which kinds have cotangents that are a recursion, and who writes it down.

Light, so that a kind can be entered without loading the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from graphc.ir.nodes import Node

Equation: TypeAlias = tuple[str, str]  # as text and as LaTeX
Recursive: TypeAlias = tuple[Equation, list[Equation]]  # a term, and the recursion it comes from

# From the results of a loop that are used, an operand, the names of tensors and that of the cost.
RECURSIONS: dict[
    type[Node], Callable[[Sequence[Node], Node, Mapping[Node, str], str], Recursive]
] = {}
