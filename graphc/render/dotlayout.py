"""Places by Graphviz: `dot` ranks and orders the elements, everything else stays the same.

Graphviz knows no D and no arrow of this notation, so it gives coordinates alone: boxes of the
right sizes go in, places and the courses of edges come out; shapes, ports and routes are those of
the built-in layout. What users named never goes into Graphviz: elements are numbered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from graphc.errors import RenderError
from graphc.render.bodies import Body
from graphc.render.drawing import Point
from graphc.render.grid import Grid
from graphc.render.layers import measure_bodies, measure_elements, rank_positions
from graphc.render.ordering import Layers, build_layers
from graphc.render.ports import Places, assign_ports, straighten_inputs
from graphc.render.ranking import Network, Ranks, longest_paths, topological_order
from graphc.render.settings import Settings

INCH = 72.0
SNAP = 6.0  # Graphviz rounds: what is this close to straight is meant to be


@lru_cache(maxsize=1)
def has_dot() -> bool:
    """Tell whether the program `dot` can be run."""
    import graphviz

    try:
        graphviz.version()
    except (graphviz.ExecutableNotFound, OSError):
        return False
    return True


def run_dot(source: str) -> Any:
    """Return what `dot` makes of a graph.

    Raises
    ------
    RenderError
        If the program is not installed or fails.
    """
    import subprocess

    import graphviz

    try:
        text = graphviz.Source(source, engine="dot").pipe(format="json", encoding="utf-8")
    except graphviz.ExecutableNotFound:
        raise RenderError(
            "engine='dot' needs Graphviz, whose program `dot` is not on the path; install it, or "
            "leave engine out: the built-in layout needs no program"
        ) from None
    except subprocess.CalledProcessError as error:
        raise RenderError(f"`dot` could not lay the figure out: {error}") from None
    return json.loads(text)


def lay_out_by_dot(network: Network, horizontal: bool, settings: Settings) -> Grid:
    """Return the grid of a network with the ranks, the order and the places of `dot`."""
    sizes = measure_elements(network, frozenset(), {}, horizontal, settings.stubs, {})
    answer = run_dot(dot_source(network, sizes, settings))
    centres = [read_point(node["pos"]) for node in answer.get("objects", ())]
    levels = sorted({round(along) for along, _ in centres})
    rank = [min(range(len(levels)), key=lambda r: abs(levels[r] - along)) for along, _ in centres]
    order = topological_order(network)
    ranks = Ranks(
        tuple(rank),
        frozenset(),
        tuple(longest_paths(network, order, backwards=False)),
        tuple(longest_paths(network, reversed(order), backwards=True)),
    )
    layers = build_layers(network, ranks)
    across = [
        across - (body.after - body.before) / 2
        for (_, across), body in zip(centres, sizes, strict=True)
    ]
    across += [0.0] * (len(layers.rank) - len(across))
    for edge in answer.get("edges", ()):
        course = read_course(edge["pos"])
        for v in layers.lanes[int(edge["id"][1:])]:
            across[v] = across_at(course, levels[layers.rank[v]])
    layers.order = [[] for _ in levels]
    for v in sorted(range(len(across)), key=across.__getitem__):
        layers.order[layers.rank[v]].append(v)
    bodies = measure_bodies(network, ranks, layers, horizontal, settings.stubs, {})
    snap(layers, bodies, across, settings)
    leave, enter = assign_ports(network, ranks, layers, bodies, straight_steps(layers, across))
    places = Places(tuple(across), tuple(leave), tuple(enter))
    enter = list(straighten_inputs(network, ranks, layers, bodies, places))
    places = Places(tuple(across), tuple(leave), tuple(enter))
    middle, half = rank_positions(network, layers, bodies, places, settings)
    return Grid(network, ranks, layers, bodies, places, middle, half, horizontal)


def dot_source(network: Network, sizes: Sequence[Body], settings: Settings) -> str:
    """Return the graph in the language of `dot`, with the flow from top to bottom."""
    lines = [
        "digraph {",
        f"nodesep={settings.node_gap / INCH:.4f}; ranksep={settings.rank_gap / INCH:.4f};",
        'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];',
    ]
    for i, body in enumerate(sizes):
        width, height = (body.before + body.after) / INCH, 2 * body.along / INCH
        lines.append(f"n{i} [width={width:.4f}, height={height:.4f}];")
    for e, (i, j) in enumerate(zip(network.source, network.target, strict=True)):
        length = 2 if network.edges[e].label else 1
        lines.append(f"n{i} -> n{j} [id=e{e}, minlen={length}];")
    return "\n".join([*lines, "}"])


def read_point(text: str) -> Point:
    """Return a point of `dot`, whose y axis points up, as (along, across)."""
    x, y = text.rstrip("!").split(",")[:2]
    return -float(y), float(x)


def read_course(text: str) -> list[Point]:
    """Return points along the splines of an edge."""
    parts = [part for part in text.replace(";", " ").split() if part[0] not in "se"]
    controls = [read_point(part) for part in parts]
    course = controls[:1]
    for k in range(0, len(controls) - 3, 3):
        a, b, c, d = controls[k : k + 4]
        for n in range(1, 13):
            t = n / 12
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            course.append(
                (
                    sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                    sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
                )
            )
    return course


def across_at(course: Sequence[Point], along: float) -> float:
    """Return where an edge passes a level."""
    return min(course, key=lambda point: abs(point[0] - along))[1]


def snap(layers: Layers, bodies: Sequence[Body], across: list[float], settings: Settings) -> None:
    """Make straight what is nearly so, where there is room."""
    place = layers.position()
    for layer in layers.order:
        for v in layer:
            if len(layers.up[v]) != 1:
                continue
            (w,) = layers.up[v]
            near = abs(across[w] - across[v]) < SNAP and len(layers.down[w]) == 1
            if near and has_room(layers, bodies, across, w, across[v], place[w], settings):
                across[w] = across[v]


def has_room(
    layers: Layers,
    bodies: Sequence[Body],
    across: Sequence[float],
    v: int,
    goal: float,
    place: int,
    settings: Settings,
) -> bool:
    """Tell whether a vertex may move without coming too near to its neighbours."""
    layer = layers.order[layers.rank[v]]
    gap = settings.lane_gap / 2
    low, high = goal - bodies[v].before - gap, goal + bodies[v].after + gap
    before = all(across[w] + bodies[w].after < low for w in layer[place - 1 : place] if place)
    return before and all(across[w] - bodies[w].before > high for w in layer[place + 1 : place + 2])


def straight_steps(layers: Layers, across: Sequence[float]) -> list[int]:
    """Return for each vertex the one in the next rank straight above it, or -1."""
    above = [-1] * len(across)
    for v, neighbours in enumerate(layers.up):
        near = [w for w in neighbours if abs(across[w] - across[v]) < 0.5]
        if near:
            above[v] = near[0]
    return above
