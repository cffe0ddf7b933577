r"""The backward pass in a diagram: as a second network, or along the edges of the first.

A cotangent :math:`\partial c / \partial z` is a row vector where `z` is a vector; a block takes
that of its output to that of its input by a product with its Jacobian. `c` is the sum of the costs,
or where they are averaged the average loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graphc.errors import RenderError
from graphc.render.average import PLATE, TOTAL
from graphc.render.diagram import Diagram, Edge, Element, Group
from graphc.render.labels import abridged

MOST_JACOBIANS = 2  # inputs that the label of one block names
VARIABLES = ("observed", "computed", "latent", "parameter")


@dataclass(frozen=True, slots=True)
class Active:
    """What takes part in the backward pass: ``edges`` carry a gradient back.

    ``inputs`` are the variables that a block passes gradients to, ``total`` is the symbol of what
    is differentiated and ``ends`` where it stands: the costs, or their average. In blocks that are
    ``summed``, those within a plate, the gradients by parameters are sums over the samples.
    """

    elements: Mapping[str, Element]
    edges: tuple[Edge, ...]
    inputs: Mapping[str, tuple[Element, ...]]
    outputs: Mapping[str, tuple[Element, ...]]
    total: str
    ends: tuple[Element, ...]
    summed: frozenset[str]


def find_active(diagram: Diagram) -> Active:
    """Return what lies on a path of real variables to a cost.

    An observed variable that enters costs alone is a target: no gradient by it is shown.

    Raises
    ------
    RenderError
        If there is no cost.
    """
    elements = {element.id: element for element in diagram.elements}
    costs = [element for element in diagram.elements if element.kind == "cost"]
    if not costs:
        raise RenderError(
            f"{diagram.name!r} has no cost, so there is no backward pass to draw; "
            "give the graph a cost, or leave backward out"
        )
    into: dict[str, list[Edge]] = {}
    for edge in diagram.edges:
        into.setdefault(edge.target, []).append(edge)
    found: dict[str, Element] = {}
    ends = [element for element in diagram.elements if element.id == TOTAL] or costs
    pending = list(reversed(ends))
    while pending:
        element = pending.pop()
        if element.id in found:
            continue
        found[element.id] = element
        for edge in into.get(element.id, ()):
            if edge.stopped:
                continue
            source = elements[edge.source]
            given = source.kind == "observed" and element.kind == "cost"  # a target
            if not source.discrete and not given:
                pending.append(source)
    edges = tuple(
        edge
        for edge in diagram.edges
        if edge.source in found and edge.target in found and not edge.stopped
    )
    inputs: dict[str, tuple[Element, ...]] = {}
    outputs: dict[str, tuple[Element, ...]] = {}
    for edge in edges:
        source, target = found[edge.source], found[edge.target]
        if edge.entering:
            source = replace(source, label=edge.entering)
        if target.kind not in VARIABLES and source not in inputs.get(target.id, ()):
            inputs[target.id] = (*inputs.get(target.id, ()), source)
        if source.kind not in VARIABLES:
            outputs[source.id] = (*outputs.get(source.id, ()), target)
    total = output_label(costs[0]) if len(costs) == 1 else "c"
    if ends is not costs:
        total = symbol_of(ends[0])
    return Active(found, edges, inputs, outputs, total, tuple(ends), held_by(diagram, PLATE))


def held_by(diagram: Diagram, group: str) -> frozenset[str]:
    """Return everything within a group, and within the groups in it."""
    found = {group}
    for outer in reversed(diagram.groups):  # inner ones come first
        if outer.id in found:
            found.update(outer.members)
    return frozenset(found)


def symbol_of(element: Element) -> str:
    """Return an element's name in a derivative."""
    return element.symbol or element.label


def output_label(cost: Element) -> str:
    """Return the scalar that leaves a cost: `C` gives `c`, and a long name itself."""
    symbol = symbol_of(cost)
    head, rest = symbol[:1], symbol[1:]
    return head.lower() + rest if not rest or rest.startswith("_") else r"\ell"


def partial(above: str, below: str) -> str:
    """Return a derivative as LaTeX."""
    return rf"\dfrac{{\partial\! {above}}}{{\partial\! {below}}}"


def jacobian_label(block: Element, inputs: tuple[Element, ...]) -> str:
    """Return the Jacobian of a block by its inputs as LaTeX."""
    if block.jacobian:
        return block.jacobian
    names = [symbol_of(v) for v in inputs]
    if not names:
        return ""
    if len(names) > MOST_JACOBIANS or not all(names):
        return rf"\{'nabla' if block.kind == 'cost' else 'partial'}\! {symbol_of(block)}"
    below = names[0] if len(names) == 1 else f"({','.join(names)})"
    return partial(symbol_of(block), below)


def leaving_label(block: Element, active: Active) -> str:
    """Return the gradients by a block's own parameters: of a lone one, with its product."""
    total, names = active.total, block.parameters
    if not names:
        return ""
    if len(names) > 1 or len(active.outputs.get(block.id, ())) != 1:
        return r",\;".join(abridged([partial(total, name) for name in names]))
    (output,) = active.outputs[block.id]
    product = partial(total, symbol_of(output)) + r"\," + partial(symbol_of(block), names[0])
    sum_ = r"\sum_p " if block.id in active.summed else ""
    return f"{partial(total, names[0])} = {sum_}{product}"


def row_space(element: Element) -> str:
    """Return the space of a cotangent: a row for a vector, else the shape of the variable."""
    if not element.sizes:
        return ""
    product = r" \times ".join(row_sizes(element))
    return rf"\mathbb{{R}}^{{{product}}}"


def row_sizes(v: Element) -> tuple[str, ...]:
    """Return the shape of a cotangent: a row for a vector or a number."""
    sizes = v.sizes or ()
    return ("1", *(sizes or ("1",))) if len(sizes) < 2 else sizes


def jacobian_space(outputs: tuple[Element, ...], inputs: tuple[Element, ...]) -> str:
    """Return the shape of a Jacobian with one output and one input."""
    if len(outputs) != 1 or len(inputs) != 1 or not outputs[0].sizes or not inputs[0].sizes:
        return ""
    return r" \times ".join((*outputs[0].sizes, *inputs[0].sizes))


# --- the second network -----------------------------------------------------------------------


def mirror(diagram: Diagram) -> Diagram:
    """Return the diagram with its backward pass as a second network beside it.

    Raises
    ------
    RenderError
        If there is no cost.
    """
    active = find_active(diagram)
    costs = [element for element in active.ends if element.kind == "cost"]
    outputs, edges = outputs_of(costs), [Edge(cost.id, output_id(cost)) for cost in costs]
    tops = outputs or active.ends  # the seed 1 stands where the scalar that is differentiated does
    seeds = [
        Element(f"seed of {top.id}", "seed", "1", hint="∂c/∂c = 1", twin=top.id) for top in tops
    ]
    back = [
        mirrored(element, active)
        for element in diagram.elements
        if element.id in active.elements and element not in tops
    ]
    twins = {element.twin: element.id for element in (*back, *seeds)}
    backward = [
        Edge(
            twins[edge.target],
            twins[edge.source],
            "backward",
            edge.source_port,
            edge.target_port,
            carried=edge.kind == "carry",
        )
        for edge in (*active.edges, *edges)
    ]
    return replace(
        diagram,
        elements=(*diagram.elements, *outputs, *back, *seeds),
        edges=(*diagram.edges, *edges, *backward),
        description=f"{diagram.description}; beside it the backward pass",
        groups=(*diagram.groups, *mirrored_groups(diagram.groups, twins)),
    )


def mirrored_groups(groups: Sequence[Group], twins: Mapping[str, str]) -> list[Group]:
    """Return the frames of the backward pass, around what mirrors the members of each group."""
    known = dict(twins)
    found = []
    for group in groups:
        members = tuple(known[member] for member in group.members if member in known)
        if members:
            known[group.id] = f"backward {group.id}"
            hint = f"the backward pass of {group.hint or group.id}"
            found.append(Group(known[group.id], group.kind, group.label, members, hint, group.id))
    return found


def output_id(cost: Element) -> str:
    """Return the id of what leaves a cost."""
    return f"output of {cost.id}"


def outputs_of(costs: Sequence[Element]) -> list[Element]:
    """Return the scalars that leave the costs; numbered, where names do not tell them apart."""
    labels = [output_label(cost) for cost in costs]
    if len(set(labels)) < len(labels):
        labels = [f"c_{{{k}}}" for k in range(1, len(costs) + 1)]
    return [
        Element(output_id(cost), "output", label, hint=f"the value of {cost.id}")
        for cost, label in zip(costs, labels, strict=True)
    ]


def backward_id(element: Element) -> str:
    """Return the id of what mirrors an element."""
    return f"backward {element.id}"


def mirrored(element: Element, active: Active) -> Element:
    """Return the element of the backward pass: a cotangent, or a product with a Jacobian."""
    if element.kind in VARIABLES:
        name = symbol_of(element)
        return Element(
            backward_id(element),
            "cotangent",
            partial(active.total, name) if name else "",
            note=row_space(element),
            hint=f"the gradient by {element.hint or element.id}",
            twin=element.id,
        )
    inputs = active.inputs.get(element.id, ())
    jacobian = jacobian_label(element, inputs)
    dot = "" if element.kind == "cost" or not jacobian else r"\cdot\,"
    return Element(
        backward_id(element),
        "vjp",
        dot + jacobian or r"\cdot",
        note=jacobian_space(active.outputs.get(element.id, ()), inputs),
        leaving=leaving_label(element, active),
        hint=f"the backward pass of {element.hint or element.id}",
        twin=element.id,
    )


# --- along the edges --------------------------------------------------------------------------


def overlay(diagram: Diagram) -> Diagram:
    """Return the diagram with cotangents and Jacobians as labels, gradients along the edges.

    Raises
    ------
    RenderError
        If there is no cost.
    """
    active = find_active(diagram)
    carrying = set(active.edges)
    costs = [element for element in active.ends if element.kind == "cost"]
    elements = [
        labelled(element, active) if element.id in active.elements else element
        for element in diagram.elements
    ]
    edges = [replace(edge, returned=True) if edge in carrying else edge for edge in diagram.edges]
    return replace(
        diagram,
        elements=(*elements, *(replace(output, gradient="1") for output in outputs_of(costs))),
        edges=(*edges, *(Edge(cost.id, output_id(cost), returned=True) for cost in costs)),
        description=f"{diagram.description}; gradients return along the edges",
    )


def labelled(element: Element, active: Active) -> Element:
    """Return the element with its cotangent or its Jacobian beside it."""
    if element in active.ends and element.kind != "cost":
        return replace(element, gradient="1")
    if element.kind in VARIABLES:
        name = symbol_of(element)
        return replace(element, gradient=partial(active.total, name) if name else "")
    jacobians = [jacobian_label(element, active.inputs.get(element.id, ()))]
    jacobians += [partial(symbol_of(element), name) for name in element.parameters[:1]]
    slopes = [partial(active.total, name) for name in element.parameters]
    gradients = r",\;".join(abridged(slopes))
    return replace(element, gradient=r",\;".join(filter(None, jacobians)), leaving=gradients)
