"""Whether a program has functions that random numbers may lie outside of."""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ir.program import Program
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import Constant, Input, Iota, Size
from graphc.ops.linalg import Linalg
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import Pad, Reshape, Slice

# Their domains are for tests: all but single points are inside.
EVERYWHERE = {"divide", "ratio", "reciprocal", "remainder", "floor_divide", "fmod", "tan", "cbrt",
              "arctan2", "gamma", "spherical_jn"}  # fmt: skip
POSITIVE = {"exp", "exp2", "square", "absolute", "sigmoid", "softplus", "ndtr", "relu", "hypot"}
CLOSED = {"add", "multiply", "divide", "maximum", "minimum", "sqrt", "log1p", "reciprocal"}


def is_narrow(program: Program) -> bool:
    """Return whether a logarithm, a root or the like may not be defined at random numbers."""
    positive: set[Node] = set()
    for node in program.nodes():
        held = all(arg in positive for arg in node.args)
        if isinstance(node, Elementwise):
            row = SCALARS[node.function]
            if node.function == "power" and isinstance(node.args[1], Constant):
                exponent = node.args[1].value
                even, whole = (exponent % 2 == 0).all(), (exponent % 1 == 0).all()
                if not (whole or node.args[0] in positive):
                    return True
                if even or node.args[0] in positive:
                    positive.add(node)
            elif row.domain and node.function not in EVERYWHERE and not held:
                return True
            squared = node.function == "multiply" and node.args[0] is node.args[1]
            if node.function in POSITIVE or squared or (node.function in CLOSED and held):
                positive.add(node)
        elif isinstance(node, Input):
            if "positive" in node.properties:  # and drawn so
                positive.add(node)
        elif isinstance(node, Constant):
            if node.kind != "real" or (node.value >= 0).all():
                positive.add(node)
        elif isinstance(node, Size | Iota | Contraction | Reshape | Slice | Pad) and held:
            positive.add(node)
        elif isinstance(node, Linalg) and node.function == "cholesky":
            return True
    return False
