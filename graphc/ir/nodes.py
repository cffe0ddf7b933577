"""Tensor nodes: frozen data, interned.

The kinds themselves stand with their rules in :mod:`graphc.ops`; here is what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, cast

from graphc.ir.identity import Identity
from graphc.ir.interning import Interned
from graphc.types import Kind, Shape, TensorType

# The type rule of every kind; filled by `ops.rules.define` and needed when a node is made.
TYPE_RULES: dict[type[Node], Callable[[Any], TensorType]] = {}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Node(Identity, metaclass=Interned):
    """A tensor, as the result of one operation on other tensors.

    Parameters
    ----------
    args
        The operands. What else a kind needs follows as further fields.
    """

    args: tuple[Node, ...]
    type: TensorType = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", TYPE_RULES[self.__class__](self))

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return self.type.shape

    @property
    def kind(self) -> Kind:
        """The kind of the result's numbers."""
        return self.type.kind


def operands(node: Node) -> Sequence[Node]:
    """Return the operands in the order in which they stand."""
    return node.args


def topological(
    outputs: Iterable[Node],
    stop: Collection[Node] = (),
    visit: Callable[[Node], Sequence[Node]] = operands,
) -> list[Node]:
    """Return every node that `outputs` need, operands before users, in a fixed order.

    The walk goes depth first and left to right, without recursion. It does not look behind the
    nodes in `stop`, but lists them. `visit` gives a node's operands in the order to visit them.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    fence = stop if isinstance(stop, Mapping | Set) else set(stop)
    settle, see = order.append, seen.add  # of all there is to do, this is done most often
    for output in outputs:
        pending: list[Node | None] = [output]
        take, push = pending.pop, pending.extend
        while pending:
            node = take()
            if node is None:  # what follows has all its operands before it
                settle(cast(Node, take()))
            elif node not in seen:
                see(node)
                args = () if node in fence else node.args if visit is operands else visit(node)
                if args:
                    push((node, None))
                    push(args[::-1])
                else:
                    settle(node)
    return order
