"""Signs: what is certain not to be negative, whatever its operands are."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import Size, scalar_value
from graphc.ops.properties import has
from graphc.ops.reduction import Reduction
from graphc.ops.structural import Reshape

ALWAYS = frozenset(("square", "exp", "absolute", "sigmoid", "softplus", "relu", "cosh", "sqrt"))
KEEPS = frozenset(("add", "multiply", "divide", "maximum", "minimum", "reciprocal"))
UNIT = frozenset(("sigmoid", "softmax"))  # values from 0 to 1
SIGNED_UNIT = frozenset(("tanh", "sin", "cos"))  # values from −1 to 1
DEEPEST = 6


def nonnegative(node: Node, depth: int = 0) -> bool:
    """Return whether every element is certain to be 0 or more, or nan."""
    value = scalar_value(node)
    if value is not None:
        return value >= 0
    if isinstance(node, Size):
        return True
    if depth > DEEPEST:
        return False
    if not node.args:
        return has(node, "positive")
    if isinstance(node, Reduction) and node.function in ("softmax", "norm"):
        return True
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and is_shuffle(node)):
        return nonnegative(node.args[0], depth + 1)
    if isinstance(node, Contraction) or (isinstance(node, Elementwise) and node.function in KEEPS):
        return all(nonnegative(arg, depth + 1) for arg in node.args)
    if not isinstance(node, Elementwise):
        return False
    if node.function == "real":
        return node.args[0].kind == "boolean"
    if node.function == "subtract":
        return scalar_value(node.args[0]) == 1 and at_most_one(node.args[1], depth + 1)
    return node.function in ALWAYS


def certainly_positive(node: Node, depth: int = 0) -> bool:
    """Return whether every element is certain to be above 0, or nan; but for underflow."""
    value = scalar_value(node)
    if value is not None:
        return value > 0
    if isinstance(node, Size) or depth > DEEPEST:
        return isinstance(node, Size)
    if not node.args:
        return has(node, "positive")
    if isinstance(node, Reshape) or (isinstance(node, Contraction) and is_shuffle(node)):
        repeated = len(set(getattr(node, "output", ()))) < len(getattr(node, "output", ()))
        return not repeated and certainly_positive(node.args[0], depth + 1)
    if not isinstance(node, Elementwise):
        return False
    positive = [certainly_positive(arg, depth + 1) for arg in node.args]
    if node.function == "add":
        return any(positive) and all(nonnegative(arg, depth + 1) for arg in node.args)
    if node.function in ("multiply", "divide", "sqrt", "maximum", "minimum"):
        return all(positive)
    return node.function in ("exp", "cosh", "sigmoid", "softplus")


def at_most_one(node: Node, depth: int = 0) -> bool:
    """Return whether every element is certain to be 1 or less, or nan."""
    if isinstance(node, Reshape) and depth <= DEEPEST:
        return at_most_one(node.args[0], depth + 1)
    function = getattr(node, "function", "")
    if function == "square":
        return getattr(node.args[0], "function", "") in UNIT | SIGNED_UNIT
    return function in UNIT | SIGNED_UNIT
