r"""Folding: equal parts of a deep model, one after the other, are drawn once, :math:`\times N`.

A model is cut where a single edge leads on, and so is what is in an open block. Parts are equal if
they have the same elements and edges, but for the numbers in their labels and for what their blocks
are functions of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from graphc.render.diagram import Diagram, Edge, Group
from graphc.render.ranking import Network, rank_elements, read_network
from graphc.render.scopes import WHOLE, Trails, split

FEWEST = 3  # repetitions that are worth a frame
LONGEST = 24  # parts in what is repeated


@dataclass(frozen=True, slots=True)
class Part:
    """Elements between two cuts, in order, and the edges that lead in and on."""

    elements: tuple[int, ...]
    enters: int
    leaves: int


@dataclass(slots=True)
class Folded:
    """What folding changes.

    Parameters
    ----------
    dropped
        The elements and frames that are not drawn.
    moved
        For an edge of a scope that leaves the last repetition: what of the first one stands for
        what it starts at.
    groups
        The new frames, by the scope that they are in.
    """

    dropped: set[str]
    moved: dict[tuple[str, int], dict[str, str]]
    groups: dict[str, list[Group]]


def fold(diagram: Diagram) -> Diagram:
    """Return the diagram with frames around what is repeated, drawn once, in open blocks, too."""
    if not diagram.elements:
        return diagram
    scopes, trails = split(diagram)
    networks = {name: read_network(s.elements, s.edges) for name, s in scopes.items()}
    looks: dict[str, object] = {}
    for name, scope in scopes.items():  # inner ones first
        if scope.group is not None:
            everything = Part(tuple(range(len(scope.elements))), -1, -1)
            looks[name] = plain(scope.group.label), signature(networks[name], everything, looks)
    held = leaves_of(diagram)
    folded = Folded(set(), {}, {})
    for name in reversed(scopes):
        if name not in folded.dropped:
            fold_scope(name, networks[name], looks, held, folded)
    return rebuilt(diagram, trails, folded)


def leaves_of(diagram: Diagram) -> dict[str, list[str]]:
    """Return the elements in each frame and the frames in it, in order."""
    held: dict[str, list[str]] = {}
    for group in diagram.groups:
        held[group.id] = [part for m in group.members for part in (m, *held.get(m, ()))]
    return held


def fold_scope(
    name: str,
    network: Network,
    looks: Mapping[str, object],
    held: Mapping[str, list[str]],
    folded: Folded,
) -> None:
    """Find what repeats in one scope; not in the body of a loop, whose end leads back."""
    if any(map(network.carries, range(len(network.edges)))):
        return
    parts = cut(network)
    signatures = [signature(network, part, looks) for part in parts]
    groups: list[Group] = []

    def names(part: Part) -> list[str]:
        return [network.elements[i].id for i in part.elements]

    at = 0
    while at < len(parts):
        length, count = best_repeat(signatures, at)
        unit = parts[at : at + length]
        if count < FEWEST or not any(is_block(network, part) for part in unit):
            at += 1
            continue
        kept = [member for part in unit for member in names(part)]
        last = parts[at + (count - 1) * length : at + count * length]
        for part in parts[at + length : at + count * length]:
            folded.dropped.update(inner for m in names(part) for inner in (m, *held.get(m, ())))
        leaving = last[-1].leaves
        if leaving >= 0:
            place = last[-1].elements.index(network.source[leaving])
            gone, stays = names(last[-1])[place], names(unit[-1])[place]
            both = zip((gone, *held.get(gone, ())), (stays, *held.get(stays, ())), strict=True)
            folded.moved[name, leaving] = dict(both)
        number = len(groups) + sum(map(len, folded.groups.values()))
        hint = f"drawn once for {count} equal parts"
        groups.append(Group(f"repetition {number}", "plate", rf"\times {count}", tuple(kept), hint))
        at += length * count
    folded.groups[name] = groups


def rebuilt(diagram: Diagram, trails: Trails, folded: Folded) -> Diagram:
    """Return the diagram without what is repeated."""
    if not folded.dropped:
        return diagram
    labels = {element.id: element.label for element in diagram.elements}
    edges: list[Edge] = []
    for edge, trail in zip(diagram.edges, trails, strict=True):
        for step in trail:
            stands = folded.moved.get(step, {}).get(edge.source)
            if stands is not None:
                edge = replace(edge, source=stands, entering=labels[edge.source])
        if edge.source not in folded.dropped and edge.target not in folded.dropped:
            edges.append(edge)
    return replace(
        diagram,
        elements=tuple(v for v in diagram.elements if v.id not in folded.dropped),
        edges=tuple(edges),
        groups=tuple(regrouped(diagram, folded)),
        description=f"{diagram.description}; parts that repeat are drawn once",
    )


def regrouped(diagram: Diagram, folded: Folded) -> Iterator[Group]:
    """Iterate over the frames that stay and the new ones, inner ones first."""
    for group in diagram.groups:
        if group.id in folded.dropped:
            continue
        new = folded.groups.get(group.id, [])
        yield from new
        around = {member: one.id for one in new for member in one.members}
        members = (around.get(m, m) for m in group.members if m not in folded.dropped)
        yield replace(group, members=tuple(dict.fromkeys(members)))
    yield from folded.groups.get(WHOLE, [])


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


def plain(label: str) -> str:
    """Return a label without its numbers and arguments."""
    return re.sub(r"[0-9]+", "", label.split("(")[0])


def signature(network: Network, part: Part, frames: Mapping[str, object]) -> tuple[object, ...]:
    """Return what equal parts have in common; of a frame, what those have that are in it."""
    place = {i: k for k, i in enumerate(part.elements)}
    looks = []
    for i in part.elements:
        element = network.elements[i]
        own = plain(element.label), element.note, element.discrete, len(element.parameters)
        looks.append((element.kind, *own, frames.get(element.id)))
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
    """Tell whether a part holds a function, or a frame."""
    return any(network.elements[i].kind in ("function", "frame") for i in part.elements)
