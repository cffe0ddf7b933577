"""What constants are called in formulas: no two alike, and none as anything else is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from graphc.ir.nodes import Node
from graphc.ops.leaves import Constant, is_spelled


def named_constants(nodes: Iterable[Node], taken: Iterable[str]) -> dict[Node, str]:
    """Return names of the constants among `nodes`: ``c``, or ``c1``, ``c2``, ... in their order.

    Numbers and identity matrices have none: they are written as they are.

    Parameters
    ----------
    taken
        The names of all else.
    """
    found = [n for n in nodes if isinstance(n, Constant) and not is_spelled(n)]
    constants, held = list(dict.fromkeys(found)), set(taken)
    if len(constants) == 1 and "c" not in held:
        return {constants[0]: "c"}
    free = (name for name in (f"c{n}" for n in count(1)) if name not in held)
    return dict(zip(constants, free, strict=False))
