r"""The average loss over a set: what happens to one sample, in a plate or as a stack of copies.

:math:`\mathcal{L}(S, w) = \frac{1}{P} \sum_p L(x[p], y[p], w)`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from graphc.errors import RenderError
from graphc.language.graph import Graph
from graphc.render.diagram import Diagram, Edge, Element, Group

MEAN = "average over the samples"
TOTAL = "average loss"
PLATE = "plate over the samples"


@dataclass(frozen=True, slots=True)
class Averaged:
    """A diagram with its average; ``sampled`` are the elements that differ between samples."""

    diagram: Diagram
    sampled: frozenset[str]


def average_of(diagram: Diagram, graph: Graph, indexed: bool) -> Averaged:
    """Add the block that averages the costs, and the average loss.

    Parameters
    ----------
    indexed
        Write the index of the sample, ``[p]``, at the variables that differ between samples.

    Raises
    ------
    RenderError
        If no cost differs between samples.
    """
    given = {f"variable {graph.name_of(v)}" for v in graph.inputs if v.declaration.per_sample}
    sampled = closure(diagram, given)
    costs = [element for element in diagram.elements if element.kind == "cost"]
    averaged = [cost for cost in costs if cost.id in sampled]
    if not averaged:
        raise RenderError(
            f"average: {graph.name!r} has no cost that depends on a per-sample variable, so there "
            "is nothing to average over samples; leave average out"
        )
    trained = "w" if graph.parameters else ""
    label = rf"\mathcal{{L}}({', '.join(filter(None, ['S', trained]))})"
    mean = Element(
        MEAN,
        "function",
        r"\frac{1}{P} \sum_p",
        hint="the mean over all samples",
        jacobian=r"\dfrac{1}{P}",
    )
    total = Element(
        TOTAL, "computed", label, hint="the average loss over the set S", symbol=r"\mathcal{L}"
    )
    others = [cost for cost in costs if cost.id not in sampled]
    elements: list[Element] = [mean]
    edges = [Edge(cost.id, MEAN, target_port=k) for k, cost in enumerate(averaged)]
    last = MEAN
    if others:  # such as a penalty on the parameters: added once
        elements += [
            Element("mean loss", "computed", ""),
            Element("sum of costs", "function", "+", hint="the sum of all costs", jacobian="1"),
        ]
        edges += [Edge(MEAN, "mean loss"), Edge("mean loss", "sum of costs")]
        edges += [Edge(cost.id, "sum of costs", target_port=1 + k) for k, cost in enumerate(others)]
        last = "sum of costs"
    marked = [
        replace(element, label=f"{element.label}[p]")
        if indexed and element.id in sampled and is_variable(element) and element.label
        else element
        for element in diagram.elements
    ]
    return Averaged(
        replace(
            diagram,
            elements=(*marked, *elements, total),
            edges=(*diagram.edges, *edges, Edge(last, TOTAL)),
            description=f"{diagram.description}; averaged over the samples",
        ),
        sampled,
    )


def is_variable(element: Element) -> bool:
    """Tell whether an element is a variable."""
    return element.kind in ("observed", "latent", "computed")


def closure(diagram: Diagram, given: Collection[str]) -> frozenset[str]:
    """Return what depends on the given elements, themselves included."""
    after: dict[str, list[str]] = {}
    for edge in diagram.edges:
        after.setdefault(edge.source, []).append(edge.target)
    found: set[str] = set()
    pending = list(given)
    while pending:
        at = pending.pop()
        if at not in found:
            found.add(at)
            pending.extend(after.get(at, ()))
    return frozenset(found)


def with_plate(averaged: Averaged) -> Diagram:
    """Put a plate around everything that differs between samples."""
    diagram = averaged.diagram
    held = {member for group in diagram.groups for member in group.members}
    whole = set(averaged.sampled)
    for group in diagram.groups:  # inner ones first
        # Also one that holds something that all samples share, such as a loop's start at zero:
        # outside, it would stand both before and after what is in the plate.
        if any(member in whole for member in group.members):
            whole.add(group.id)
    members = [element.id for element in diagram.elements]
    members += [group.id for group in diagram.groups]
    plate = Group(
        PLATE,
        "plate",
        r"p = 0, \ldots, P - 1",
        tuple(member for member in members if member in whole and member not in held),
        hint="once for each sample p",
    )
    return replace(diagram, groups=(*diagram.groups, plate))
