r"""Folding: equal parts of a deep model, one after the other, are drawn once, :math:`\times N`.

A model is cut where a single edge leads on. Parts are equal if they have the same elements and
edges, but for the numbers in their labels and for what their blocks are functions of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphc.render.diagram import Diagram, Edge, Group
from graphc.render.ranking import Network, rank_elements, read_network

FEWEST = 3  # repetitions that are worth a frame
LONGEST = 24  # parts in what is repeated


@dataclass(frozen=True, slots=True)
class Part:
    """Elements between two cuts, in order, and the edges that lead in and on."""

    elements: tuple[int, ...]
    enters: int
    leaves: int


def fold(diagram: Diagram) -> Diagram:
    """Return the diagram with frames around what is repeated, drawn once."""
    if diagram.groups or not diagram.elements:
        return diagram
    network = read_network(diagram.elements, diagram.edges)
    parts = cut(network)
    signatures = [signature(network, part) for part in parts]
    dropped: set[int] = set()
    moved: dict[int, int] = {}  # edges that leave a repetition, and the element they now leave
    groups: list[Group] = []
    at = 0
    while at < len(parts):
        length, count = best_repeat(signatures, at)
        unit = parts[at : at + length]
        if count >= FEWEST and any(is_block(network, part) for part in unit):
            kept = [i for part in unit for i in part.elements]
            last = parts[at + (count - 1) * length : at + count * length]
            every = parts[at + length : at + count * length]
            dropped.update(i for part in every for i in part.elements)
            leaving = last[-1].leaves
            if leaving >= 0:
                place = last[-1].elements.index(network.source[leaving])
                moved[leaving] = unit[-1].elements[place]
            members = tuple(diagram.elements[i].id for i in kept)
            hint = f"drawn once for {count} equal parts"
            groups.append(
                Group(f"repetition {len(groups)}", "plate", rf"\times {count}", members, hint)
            )
            at += length * count
        else:
            at += 1
    return rebuilt(diagram, network, dropped, moved, tuple(groups))


def rebuilt(
    diagram: Diagram,
    network: Network,
    dropped: set[int],
    moved: dict[int, int],
    groups: tuple[Group, ...],
) -> Diagram:
    """Return the diagram without what is repeated."""
    if not groups:
        return diagram
    edges: list[Edge] = []
    for e, edge in enumerate(diagram.edges):
        if e in moved:
            last = diagram.elements[network.source[e]].label
            edges.append(replace(edge, source=diagram.elements[moved[e]].id, entering=last))
        elif network.source[e] not in dropped and network.target[e] not in dropped:
            edges.append(edge)
    return replace(
        diagram,
        elements=tuple(v for i, v in enumerate(diagram.elements) if i not in dropped),
        edges=tuple(edges),
        groups=groups,
        description=f"{diagram.description}; parts that repeat are drawn once",
    )


def cut(network: Network) -> list[Part]:
    """Cut a model into parts, wherever one edge alone leads to the next rank."""
    ranks = rank_elements(network, model_figure=False, not_beside=frozenset())
    rank = ranks.rank
    depth = max(rank, default=0)
    crossing = [0] * (depth + 2)
    steps: dict[int, int] = {}
    for e, (i, j) in enumerate(zip(network.source, network.target, strict=True)):
        if not network.carries(e):
            crossing[rank[i]] += 1
            crossing[rank[j]] -= 1
            steps[rank[i]] = e
    by_rank: list[list[int]] = [[] for _ in range(depth + 1)]
    for i, r in enumerate(rank):
        by_rank[r].append(i)
    parts, here, enters, count = [], [], -1, 0
    for r in range(depth + 1):
        here += by_rank[r]
        count += crossing[r]
        if count == 1 and r in steps:
            parts.append(Part(tuple(here), enters, steps[r]))
            here, enters = [], steps[r]
    return [*parts, Part(tuple(here), enters, -1)]


def signature(network: Network, part: Part) -> tuple[object, ...]:
    """Return what equal parts have in common."""
    place = {i: k for k, i in enumerate(part.elements)}
    looks = []
    for i in part.elements:
        element = network.elements[i]
        name = re.sub(r"[0-9]+", "", element.label.split("(")[0])
        looks.append((element.kind, name, element.note, element.discrete, len(element.parameters)))
    lines = [
        (place[network.source[e]], k, network.edges[e].kind, network.edges[e].target_port)
        for i, k in place.items()
        for e in network.into[i]
        if network.source[e] in place
    ]
    ends = (
        place.get(network.target[part.enters], -1) if part.enters >= 0 else -1,
        place.get(network.source[part.leaves], -1) if part.leaves >= 0 else -1,
    )
    return (tuple(looks), tuple(lines), ends)


def best_repeat(signatures: Sequence[object], at: int) -> tuple[int, int]:
    """Return the number of parts in what is repeated from a place on, and how often it occurs."""
    best = (1, 1)
    for length in range(1, LONGEST + 1):
        unit = signatures[at : at + length]
        if len(unit) < length:
            break
        count, here = 1, at + length
        while signatures[here : here + length] == unit:
            count, here = count + 1, here + length
        if count >= FEWEST and length * count > best[0] * best[1]:
            best = (length, count)
    return best


def is_block(network: Network, part: Part) -> bool:
    """Tell whether a part holds a function."""
    return any(network.elements[i].kind == "function" for i in part.elements)
