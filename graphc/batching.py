"""The sample axis: a rewrite that turns a model of one sample into one of many.

It runs before differentiation. The other order gives the gradient of a shared parameter one axis
too many: a copy of the parameter for every sample, summed up at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin, with_args
from graphc.ops.rules import RULES
from graphc.ops.samples import SAMPLES, OverSamples
from graphc.types import Dim


def batch_nodes(
    outputs: Sequence[Node],
    batched: Mapping[Node, Node],
    size: Dim,
    origins: Mapping[Node, Origin] | None = None,
) -> tuple[dict[Node, Node], set[Node], dict[Node, Origin]]:
    """Give a leading axis of `size` to all that depends on certain leaves.

    Parameters
    ----------
    outputs
        The nodes wanted.
    batched
        For each leaf that varies along the new axis, the leaf that takes its place, of shape
        ``(size, *shape)``.

    Returns
    -------
    new, varying, origins
        What each node becomes; the old nodes whose result now has the axis; origins of the new.
    """
    new: dict[Node, Node] = {}
    varying: set[Node] = set()
    marked: dict[Node, Origin] = dict(origins or {})
    for node in topological(outputs, tuple(batched)):
        if node in batched:
            new[node] = batched[node]
            varying.add(node)
            continue
        args = tuple(new[arg] for arg in node.args)
        flags = [arg in varying for arg in node.args]
        shared = isinstance(node, OverSamples) and size == SAMPLES  # by all samples
        if shared or any(flags):
            new[node] = RULES[type(node)].batch(node, args, flags, size)
            if not shared:
                varying.add(node)
        else:
            new[node] = with_args(node, args)
        if node in marked:
            mark(new[node], marked[node], marked)
    return new, varying, marked


def mark(node: Node, origin: Origin, origins: dict[Node, Origin]) -> None:
    """Note the origin of `node` and of what was built below it."""
    pending: Iterable[Node] = [node]
    while pending:
        fresh = [n for n in pending if n not in origins]
        for n in fresh:
            origins[n] = origin
        pending = [arg for n in fresh for arg in n.args if arg.args]
