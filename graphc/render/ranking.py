"""Ranks: which elements stand level, counted along the flow.

An edge leads from a lower rank to a higher one, except for those *beside*: a parameter stands
level with the block it enters, and in a small model figure a cost stands level with the
variable it measures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.errors import RenderError
from graphc.render.diagram import Edge, Element

# A model figure (input, model, prediction, cost) is at most this many elements deep.
MODEL_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Network:
    """Elements and edges by positions: ``into[i]`` and ``out_of[i]`` are the edges at ``i``.

    All edges lead with the flow here: a backward edge has its ends exchanged, and carry edges are
    in no list. ``twin`` is the element that each element mirrors, or -1; what mirrors comes last.
    """

    elements: tuple[Element, ...]
    edges: tuple[Edge, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    into: tuple[tuple[int, ...], ...]
    out_of: tuple[tuple[int, ...], ...]
    twin: tuple[int, ...]

    def carries(self, e: int) -> bool:
        """Whether an edge leads back to the start of a loop, or mirrors one that does."""
        return is_carry(self.edges[e])

    def flipped(self, e: int) -> bool:
        """Whether an edge is drawn against the flow."""
        return self.edges[e].kind == "backward"

    def before(self, i: int) -> list[int]:
        """The elements from which edges enter ``i``."""
        return [self.source[e] for e in self.into[i]]

    def after(self, i: int) -> list[int]:
        """The elements that edges from ``i`` enter."""
        return [self.target[e] for e in self.out_of[i]]


@dataclass(frozen=True, slots=True)
class Ranks:
    """The rank of each element, and the edges that stay within a rank.

    ``depth`` and ``height`` are the lengths of the longest paths from an input and to a result:
    they tell the backbone of a graph from its side branches.
    """

    rank: tuple[int, ...]
    beside: frozenset[int]
    depth: tuple[int, ...]
    height: tuple[int, ...]


def read_network(elements: Sequence[Element], edges: Sequence[Edge]) -> Network:
    """Number the elements and index the edges at them."""
    index = {element.id: i for i, element in enumerate(elements)}
    ends = [(edge.source, edge.target) for edge in edges]
    ends = [
        (b, a) if edge.kind == "backward" else (a, b)
        for edge, (a, b) in zip(edges, ends, strict=True)
    ]
    source = tuple(index[a] for a, _ in ends)
    target = tuple(index[b] for _, b in ends)
    into: list[list[int]] = [[] for _ in index]
    out_of: list[list[int]] = [[] for _ in index]
    for e, (i, j) in enumerate(zip(source, target, strict=True)):
        if not is_carry(edges[e]):
            out_of[i].append(e)
            into[j].append(e)
    return Network(
        tuple(elements),
        tuple(edges),
        source,
        target,
        tuple(map(tuple, into)),
        tuple(map(tuple, out_of)),
        tuple(index[element.twin] if element.twin else -1 for element in elements),
    )


def is_carry(edge: Edge) -> bool:
    """Tell whether an edge leads back to the start of a loop, or mirrors one that does."""
    return edge.kind == "carry" or edge.carried


def front_of(network: Network) -> Network:
    """Return the network without what mirrors it."""
    count = sum(twin < 0 for twin in network.twin)
    if count == len(network.elements):
        return network
    edges = [e for e, i in enumerate(network.source) if i < count]
    return read_network(network.elements[:count], [network.edges[e] for e in edges])


def topological_order(network: Network) -> list[int]:
    """Order the elements so that edges lead forward.

    Raises
    ------
    RenderError
        If there is a cycle; the message names it.
    """
    missing = [len(edges) for edges in network.into]
    ready = deque(i for i, count in enumerate(missing) if not count)
    order = []
    while ready:
        i = ready.popleft()
        order.append(i)
        for j in network.after(i):
            missing[j] -= 1
            if not missing[j]:
                ready.append(j)
    if len(order) < len(missing):
        names = " -> ".join(repr(network.elements[i].id) for i in find_cycle(network, missing))
        raise RenderError(f"the diagram has a cycle: {names}")
    return order


def find_cycle(network: Network, missing: list[int]) -> list[int]:
    """Return a cycle among the elements that still miss a predecessor."""
    walk = [next(i for i, count in enumerate(missing) if count)]
    seen = {walk[0]: 0}
    while True:
        i = next(i for i in network.before(walk[-1]) if missing[i])
        if i in seen:
            return [i, *reversed(walk[seen[i] :])]
        seen[i] = len(walk)
        walk.append(i)


def longest_paths(network: Network, order: Iterable[int], backwards: bool) -> list[int]:
    """Return the length of the longest path that ends (or, backwards, starts) at each element."""
    length = [0] * len(network.elements)
    for i in order:
        for e in network.out_of[i] if backwards else network.into[i]:
            j = network.target[e] if backwards else network.source[e]
            # The label of an edge takes a rank of its own.
            length[i] = max(length[i], length[j] + (2 if network.edges[e].label else 1))
    return length


def is_model_figure(network: Network, deepest: int = MODEL_DEPTH) -> bool:
    """Tell whether the diagram is so shallow that it reads best from bottom to top."""
    depth = longest_paths(network, topological_order(network), backwards=False)
    shown = (d for d, element in zip(depth, network.elements, strict=True) if is_shape(element))
    return max(shown, default=0) < deepest


def is_shape(element: Element) -> bool:
    """Tell whether an element is more than a bare label or a port."""
    return element.kind not in ("output", "seed", "port")


def rank_elements(network: Network, model_figure: bool, not_beside: frozenset[int]) -> Ranks:
    """Rank by longest paths, inputs late, parameters and costs beside where that is clear.

    ``not_beside`` are parameters for which there was no room beside their users.
    """
    order = topological_order(network)
    depth = longest_paths(network, order, backwards=False)
    height = longest_paths(network, reversed(order), backwards=True)
    free = {i for i in order if is_free_parameter(network, i)}
    rank = list(depth)
    for i in free:  # a parameter pushes nobody on
        rank[i] = -1
    for i in order:
        if i not in free:
            rank[i] = max((rank[j] + span(network, e) for e, j in entering(network, i)), default=0)
            rank[i] = max(rank[i], 0)
    beside = level_costs(network, rank) if model_figure else set()
    bring_inputs_late(network, order, rank, free, beside, model_figure)
    beside |= place_parameters(network, rank, free - not_beside)
    for i in sorted(free & not_beside):
        rank[i] = min(rank[j] for j in network.after(i)) - 1
    place_ports(network, rank)
    lowest = min(rank, default=0)
    for i, element in enumerate(network.elements):
        if element.kind == "port" and not network.into[i]:
            depth[i] = -2  # what enters a frame counts less than what starts in it
    return Ranks(tuple(r - lowest for r in rank), frozenset(beside), tuple(depth), tuple(height))


def place_ports(network: Network, rank: list[int]) -> None:
    """Put the ports of a frame before and after everything in it."""
    inner = [r for r, element in zip(rank, network.elements, strict=True) if element.kind != "port"]
    first, last = min(inner, default=0) - 1, max(inner, default=0) + 1
    for i, element in enumerate(network.elements):
        if element.kind == "port":
            rank[i] = last if network.into[i] else first


def entering(network: Network, i: int) -> list[tuple[int, int]]:
    """Return the edges that enter an element, each with its source."""
    return [(e, network.source[e]) for e in network.into[i]]


def span(network: Network, edge: int) -> int:
    """Return how many ranks an edge needs at least."""
    return 2 if network.edges[edge].label else 1


def is_free_parameter(network: Network, i: int) -> bool:
    """Tell whether an element is a parameter that nothing computes and something uses."""
    parameter = network.elements[i].kind == "parameter"
    return parameter and not network.into[i] and bool(network.out_of[i])


def level_costs(network: Network, rank: list[int]) -> set[int]:
    """Put a cost level with the one computed variable it measures; return those edges."""
    beside: set[int] = set()
    for i, element in enumerate(network.elements):
        measured = [e for e, j in entering(network, i) if network.into[j]]
        onward = any(is_shape(network.elements[j]) for j in network.after(i))
        if element.kind != "cost" or onward or len(measured) != 1:
            continue
        variable = network.source[measured[0]]
        others = [rank[j] for e, j in entering(network, i) if e != measured[0]]
        lone = len(network.out_of[variable]) == 1 and len(network.into[i]) > 1
        if lone and max(others) < rank[variable]:
            rank[i] = rank[variable]
            beside.add(measured[0])
            for j in network.after(i):
                rank[j] = rank[i] + 1
    return beside


def bring_inputs_late(
    network: Network,
    order: list[int],
    rank: list[int],
    free: set[int],
    beside: set[int],
    model_figure: bool,
) -> None:
    """Move inputs, and what depends on nothing else, next to their first user.

    In a model figure, branches and the inputs of a levelled cost stay at the foot.
    """
    levelled = {network.target[e] for e in beside}
    loose: set[int] = set()
    for i in order:
        behind = network.before(i)
        lone = all(j in loose and len(network.out_of[j]) == 1 for j in behind)
        if i not in free and lone and network.elements[i].kind != "port":
            loose.add(i)
    for i in reversed(order):
        users = [j for j in network.after(i) if j not in free]
        if i not in loose or not users:
            continue
        if model_figure and (network.into[i] or levelled.intersection(users)):
            continue
        rank[i] = min(rank[network.target[e]] - span(network, e) for e in network.out_of[i])


def place_parameters(network: Network, rank: list[int], free: set[int]) -> set[int]:
    """Put parameters level with their one or two users; return those edges."""
    beside: set[int] = set()
    for i in sorted(free):
        users = set(network.after(i))
        ranks = {rank[j] for j in users}
        framed = any(network.elements[j].kind == "frame" for j in users)
        few = len(users) <= 2 and len(network.out_of[i]) == len(users)
        if len(ranks) == 1 and few and not framed:
            rank[i] = ranks.pop()
            beside.update(network.out_of[i])
        else:
            rank[i] = min(ranks) - 1
    return beside
