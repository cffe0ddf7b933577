"""A model as a page of formulas: Markdown that renders on a code host."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.calculus.formulas import Formula
from graphc.calculus.index_terms import walk
from graphc.calculus.names import math_label
from graphc.commentary import space
from graphc.emit.files import MARK
from graphc.emit.version import __version__
from graphc.ir.terms import Ref
from graphc.language.blockwise import BlockFormulas, Partial, block_formulas, constant_names
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.types import Shape, shape_text, size_of


def document(graph: Graph, figure: str | None = None) -> str:
    """Return the formulas of a graph as Markdown.

    For every block: what it computes; its Jacobians by state and by parameters, with their
    shapes; and its step of the backward recursion, cotangents as rows.

    Parameters
    ----------
    figure
        The file name of the diagram, to be shown at the top.
    """
    blocks = block_formulas(graph)
    parts = [f"<!-- {MARK} {__version__} -->", f"# {graph.name}", ""]
    if figure is not None:
        parts += [f"![The block diagram of {graph.name}]({figure})", ""]
    parts += [_INTRODUCTION, ""]
    parts += _variables(graph, blocks)
    parts += ["## Forward", ""]
    for block in blocks:
        parts += _forward(graph, block)
    if any(block.partials for block in blocks):
        parts += ["## Jacobians", ""]
        for block in blocks:
            parts += _jacobians(graph, block)
        parts += ["## Backward recursion", "", _RECURSION, "", _loss(graph), ""]
        for block in reversed(blocks):
            parts += _backward(graph, block)
    return "\n".join(parts).rstrip() + "\n"


_INTRODUCTION = (
    "All formulas are for one sample. Vectors are columns; a derivative of a vector by a vector "
    "is in numerator layout: entry $ij$ is the derivative of output $i$ by input $j$."
)
_RECURSION = (
    "From the cost back to the inputs. The derivative of the cost by a vector is a row, so each "
    "step multiplies a row by the block's Jacobian from the right. Where a variable enters "
    "several blocks, its derivative is the sum of what they contribute."
)


def _loss(graph: Graph) -> str:
    """Say what L stands for."""
    costs = ", ".join(f"`{use.name}`" for use in graph.costs)
    if not graph.costs:
        return "Here $L$ is any loss of what the graph returns, for one sample."
    if len(graph.costs) == 1:
        return f"Here $L$ is the loss of one sample, the cost {costs}."
    return f"Here $L$ is the loss of one sample, the sum of the costs {costs}."


def _variables(graph: Graph, blocks: Sequence[BlockFormulas]) -> list[str]:
    """Return the table of names: as the code has them, and as formulas write them."""
    rows = ["## Variables", "", "| name | in formulas | kind | space | numbers |",
            "|---|---|---|---|---:|"]  # fmt: skip
    for v in (*graph.variables, *graph.parameters):
        kind = "computed" if v.role == "expression" else v.role
        classes = v.declaration.classes
        where = f"{{0..{classes - 1}}}" if classes is not None else space(v.shape, v.kind)
        rows.append(_row(graph.name_of(v), kind, where, v.shape))
    shown = {part.tensor for block in blocks for formula in _formulas_of(block)
             for part in walk(formula.term) if isinstance(part, Ref)}  # fmt: skip
    for node, name in constant_names(graph).items():
        if node in shown:
            rows.append(_row(name, "constant", space(node.shape, node.kind), node.shape))
    return [*rows, ""]


def _row(name: str, kind: str, where: str, shape: Shape) -> str:
    return f"| `{name}` | $`{math_label(name)}`$ | {kind} | {where} | {size_of(shape)} |"


def _formulas_of(block: BlockFormulas) -> list[Formula]:
    found = [*block.forward, *(f for p in block.partials for f in (p.jacobian, p.backward))]
    return [formula for formula in found if formula is not None]


def _heading(graph: Graph, block: BlockFormulas) -> str:
    use = block.use
    ins = ", ".join(f"`{graph.name_of(v)}`" for v in use.inputs)
    outs = ", ".join(f"`{graph.name_of(v)}`" for v in use.outputs)
    what = "cost" if use.kind == "cost" else "function"
    made = f"from {ins} to {outs}" if use.kind != "cost" else f"of {ins}"
    return f"### `{use.name}`\n\nThe {what} `{use.function}`, {made}."


def _forward(graph: Graph, block: BlockFormulas) -> list[str]:
    lines = [_heading(graph, block), ""]
    for output, formula in zip(block.use.outputs, block.forward, strict=True):
        lines += _shown(formula, _shape_of(output))
    return lines


def _jacobians(graph: Graph, block: BlockFormulas) -> list[str]:
    if not block.partials:
        return []
    lines = [f"### Jacobians of `{block.use.name}`", ""]
    # A parameter that stands by itself is an argument of the block, but no state.
    for parameters, title in ((False, "By state"), (True, "By parameters")):
        chosen = [p for p in block.partials if (p.wrt.role == "parameter") is parameters]
        if chosen:
            lines += [f"{title}:", ""]
        for p in chosen:
            lines += _shown(p.jacobian, _jacobian_shape(p))
    return lines


def _backward(graph: Graph, block: BlockFormulas) -> list[str]:
    chosen: list[Partial] = [p for p in block.partials if p.wrt.role != "observed"]
    if not chosen:
        return []
    lines = [f"### Back through `{block.use.name}`", ""]
    for p in chosen:
        formula = p.backward
        lines += _shown(formula, formula.sizes if formula is not None else "")
    return lines


def _shown(formula: Formula | None, note: str) -> list[str]:
    if formula is None:
        return ["No closed formula; the emitted code computes it.", ""]
    lines = ["```math", formula.latex_equation, "```", ""]
    return [*lines, note.replace("×", " × ") + "\n"] if note else lines


def _shape_of(v: Variable) -> str:
    return f"Shape: {_dims(v.shape)}" if v.shape else ""


def _jacobian_shape(p: Partial) -> str:
    shape = (*p.output.shape, *p.wrt.shape)
    return f"Shape: {_dims(shape)}" if shape else ""


def _dims(shape: Shape) -> str:
    return "×".join(map(str, shape)) if shape else shape_text(())
