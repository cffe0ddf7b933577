"""One block, magnified: what enters and leaves it, and its Jacobians."""

from __future__ import annotations

from dataclasses import replace

from graphc.errors import RenderError
from graphc.render.backward import Active, find_active, partial, row_sizes, symbol_of
from graphc.render.diagram import Diagram, Element


def magnify(diagram: Diagram, block_id: str) -> Diagram:
    r"""Return one block with what enters and leaves it, and both its Jacobians.

    Beside each input stands the gradient by it as a product with a Jacobian, with the shapes of
    all three: :math:`\partial c / \partial z_f = \partial c / \partial z_g \cdot \partial z_g /
    \partial z_f`, :math:`[1 \times d_f] = [1 \times d_g][d_g \times d_f]`.

    Raises
    ------
    RenderError
        If there is no cost, or no gradient passes the block.
    """
    active = find_active(diagram)
    inputs, outputs = active.inputs.get(block_id, ()), active.outputs.get(block_id, ())
    if not inputs or not outputs:
        raise RenderError(
            f"magnify: no gradient passes {block_id!r}, so there is no Jacobian to show"
        )
    edges = [edge for edge in diagram.edges if block_id in (edge.source, edge.target)]
    near = {end for edge in edges for end in (edge.source, edge.target)}
    elements = [element for element in diagram.elements if element.id in near]
    equations = {v.id: chain_rule(v, outputs, active) for v in inputs}
    rows = {v.id: (partial(active.total, symbol_of(v)), bracket(row_sizes(v))) for v in outputs}
    shown = []
    for element in elements:
        gradient, note = {**equations, **rows}.get(element.id, ("", element.note))
        shown.append(replace(element, gradient=gradient, note=note))
    carrying = set(active.edges)
    (block,) = (element for element in elements if element.id == block_id)
    return Diagram(
        diagram.name,
        tuple(shown),
        tuple(replace(edge, returned=edge in carrying) for edge in edges),
        f"the block {block.hint or block.id} with its Jacobians",
    )


def chain_rule(v: Element, outputs: tuple[Element, ...], active: Active) -> tuple[str, str]:
    """Return the gradient by an input as a sum of products, and the shapes in it."""
    terms, sizes = [], []
    for output in outputs:
        jacobian = partial(symbol_of(output), symbol_of(v))
        terms.append(rf"{partial(active.total, symbol_of(output))}\,{jacobian}")
        both = (*(output.sizes or ()), *(v.sizes or ()))
        sizes.append(bracket(row_sizes(output)) + bracket(both))
    gradient = f"{partial(active.total, symbol_of(v))} = {' + '.join(terms)}"
    return gradient, f"{bracket(row_sizes(v))} = {' + '.join(sizes)}" if all(sizes) else ""


def bracket(sizes: tuple[str, ...]) -> str:
    """Return a shape in brackets."""
    return "[" + r" \times ".join(sizes) + "]"
