"""The backward pass beside the forward pass: the same ranks and the same orders, once more."""

from __future__ import annotations

from graphc.render.ordering import Layers, build_layers
from graphc.render.ranking import Network, Ranks


def mirror_layers(network: Network, ranks: Ranks, layers: Layers) -> tuple[Ranks, Layers]:
    """Extend the ranks and layers of the forward pass to what mirrors it, on its far side."""
    twin_edge = find_twin_edges(network)
    all_ranks = extend_ranks(network, ranks, twin_edge)
    both = build_layers(network, all_ranks)
    own: dict[int, int] = {i: i for i in range(layers.elements)}
    mirrored: dict[int, list[int]] = {}
    for e, lanes in enumerate(layers.lanes):
        own.update(zip(lanes, both.lanes[e], strict=True))
    for i in range(layers.elements, both.elements):
        mirrored.setdefault(network.twin[i], []).append(i)
    for e, front in twin_edge.items():
        for old, new in zip(layers.lanes[front], both.lanes[e], strict=True):
            known = mirrored.setdefault(old, [])
            if new not in known:
                known.append(new)
    both.order = [
        [own[v] for v in layer] + [w for v in layer for w in mirrored.get(v, ())]
        for layer in layers.order
    ]
    return all_ranks, both


def find_twin_edges(network: Network) -> dict[int, int]:
    """Return for each edge of the backward pass the edge that it mirrors."""

    def key(e: int, i: int, j: int) -> tuple[int, int, int, int]:
        return i, j, network.edges[e].source_port, network.edges[e].target_port

    front: dict[tuple[int, int, int, int], int] = {}
    found: dict[int, int] = {}
    for e, (i, j) in enumerate(zip(network.source, network.target, strict=True)):
        if network.twin[i] < 0:
            front[key(e, i, j)] = e
        else:
            found[e] = front[key(e, network.twin[i], network.twin[j])]
    return found


def extend_ranks(network: Network, ranks: Ranks, twin_edge: dict[int, int]) -> Ranks:
    """Put every mirroring element level with what it mirrors."""
    origin = [i if twin < 0 else twin for i, twin in enumerate(network.twin)]
    beside = {e for e, front in twin_edge.items() if front in ranks.beside}
    return Ranks(
        tuple(ranks.rank[i] for i in origin),
        ranks.beside | beside,
        tuple(ranks.depth[i] for i in origin),
        tuple(ranks.height[i] for i in origin),
    )
