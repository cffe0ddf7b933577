"""Choices that guard a pole: ``where(x > 0, log(x), 0)``.

The branch that is not taken has the value nan or inf there; its derivative is masked to 0, and
0 times inf is nan (JAX's "double where" problem). So the pole is moved away where the branch is
not taken: the value of the choice is the same, and its derivatives exist.
"""

from __future__ import annotations

from collections.abc import Callable

from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.signs import certainly_positive
from graphc.types import broadcast

DEEPEST = 6
# Which operand of a function has a pole, and a place without one.
POLES: dict[str, tuple[int, float]] = {
    "log": (0, 1.0),
    "log2": (0, 1.0),
    "log10": (0, 1.0),
    "log1p": (0, 1.0),
    "sqrt": (0, 1.0),
    "cbrt": (0, 1.0),
    "reciprocal": (0, 1.0),
    "divide": (1, 1.0),
    "power": (0, 1.0),
    "arcsin": (0, 0.0),
    "arccos": (0, 0.0),
    "arctanh": (0, 0.0),
    "arccosh": (0, 2.0),
    "logit": (0, 0.5),
}


def guarded_choice(node: Node) -> Node | None:
    """Move poles in the branches of a choice to where the other branch is taken."""
    if not (isinstance(node, Elementwise) and node.function == "where" and node.kind == "real"):
        return None
    condition, yes, no = node.args
    first = _guarded(yes, condition, lambda x, safe: elementwise("where", condition, x, safe), 0)
    second = _guarded(no, condition, lambda x, safe: elementwise("where", condition, safe, x), 0)
    if first is yes and second is no:
        return None
    return elementwise("where", condition, first, second)


def _guarded(node: Node, condition: Node, guard: Callable[[Node, Node], Node], depth: int) -> Node:
    """Return a branch with its poles moved; itself if it has none."""
    if not isinstance(node, Elementwise) or depth > DEEPEST or node.function == "where":
        return node
    args = [_guarded(arg, condition, guard, depth + 1) for arg in node.args]
    position, safe = POLES.get(node.function, (0, 0.0))
    if node.function in POLES and _has_pole(node, position, condition):
        args[position] = guard(args[position], constant(safe))
    if all(new is old for new, old in zip(args, node.args, strict=True)):
        return node
    return elementwise(node.function, *args)


def _has_pole(node: Elementwise, position: int, condition: Node) -> bool:
    x = node.args[position]
    if scalar_value(x) is not None or certainly_positive(x):
        return False
    if isinstance(x, Elementwise) and x.function == "where":
        return False  # guarded already, by us or by hand
    if node.function == "power":
        exponent = scalar_value(node.args[1])
        if exponent is not None and exponent >= 0 and float(exponent).is_integer():
            return False
    try:
        return broadcast(condition.shape, x.shape) == x.shape
    except ShapeError:
        return False
