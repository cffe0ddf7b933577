"""Join: the sum of pieces that are padded to stand side by side is the pieces joined.

The cotangent of what is cut into slices, such as the gates of an LSTM, comes as such a sum.
"""

from __future__ import annotations

from graphc.ir.nodes import Node
from graphc.ops.elementwise import Elementwise
from graphc.ops.joining import concatenate
from graphc.ops.structural import Pad
from graphc.types import Dim

MOST = 64  # pieces; the sum is looked through again for each of them


def joined(node: Node) -> Node | None:
    """Return the pieces joined, if they fill the whole along one axis and do not overlap."""
    if not (isinstance(node, Elementwise) and node.function == "add"):
        return None
    pieces: list[Pad] = []
    pending: list[Node] = list(node.args)
    while pending:
        part = pending.pop()
        if isinstance(part, Pad) and part.target == node.shape:
            pieces.append(part)
        elif isinstance(part, Elementwise) and part.function == "add":
            pending.extend(part.args)
        else:
            return None
        if len(pieces) > MOST:
            return None
    axes = {axis for piece in pieces for axis in _partial(piece)}
    if len(axes) != 1:
        return None
    (axis,) = axes
    by_start = {piece.spans[axis][0]: piece for piece in pieces}
    if len(by_start) < len(pieces) or any(piece.spans[axis][2] != 1 for piece in pieces):
        return None
    order: list[Node] = []
    at: Dim = 0
    while at in by_start:
        piece = by_start.pop(at)
        order.append(piece.args[0])
        if piece.spans[axis][1] == 0:
            return None
        at = at + piece.spans[axis][1]
    return concatenate(order, axis) if at == node.shape[axis] and not by_start else None


def _partial(piece: Pad) -> list[int]:
    """Return the axes along which a piece does not fill the whole."""
    return [
        axis
        for axis, (span, dim) in enumerate(zip(piece.spans, piece.target, strict=True))
        if span != (0, dim, 1)
    ]
