"""What an emitted file says in words: its diagram in text, formulas over its blocks."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.emit.model import Comments
from graphc.language.graph import Graph, Use
from graphc.language.variable import Variable
from graphc.types import Shape

WIDTH = 92
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def diagram_text(graph: Graph) -> tuple[str, ...]:
    """Return the block diagram in text: one line for a chain, else a line for each block."""
    chain = _chain(graph)
    if chain is not None:
        return chain
    lines = []
    for use in graph.uses:
        ins = ", ".join(_variable(graph, v) for v in use.inputs)
        outs = ", ".join(graph.name_of(v) for v in use.outputs)
        lines.append(f"{ins} ─▶ {use.name}" + (f" ─▶ {outs}" if use.kind != "cost" else ""))
    return tuple(lines)


def loss_formula(graph: Graph, costs: Sequence[Use], batch: bool) -> str:
    """Return what the loss is, in text: the average of the costs over the samples."""
    if not costs:
        return ""
    first = [v for v in graph.inputs if v.declaration.per_sample]
    each = " + ".join(
        f"{use.name}({', '.join(_of_sample(graph, v, batch) for v in use.inputs)})" for use in costs
    )
    if not batch or not first:
        return f"L(w) = {each}"
    return f"L(S, w) = 1/P Σ_p {each}        P = len({graph.name_of(first[0])})"


def _of_sample(graph: Graph, variable: Variable, batch: bool) -> str:
    name = graph.name_of(variable)
    return f"{name}[p]" if batch else name


def _chain(graph: Graph) -> tuple[str, ...] | None:
    """Return the diagram of a chain that ends in a cost; wrapped."""
    uses = graph.uses
    previous = None
    parts: list[str] = []
    for use in uses:
        if len(use.outputs) != 1:
            return None
        through = [v for v in use.inputs if v is previous]
        others = [v for v in use.inputs if v is not previous]
        if previous is None:
            through, others = others[:1], others[1:]
        if len(through) != 1 or any(v.role == "expression" for v in others):
            return None
        if previous is None:
            parts.append(_variable(graph, through[0]))
        side = "".join(f" ◀─ {_variable(graph, v)}" for v in others)
        parts.append(f"{use.name}{side}")
        if use.kind != "cost":
            parts.append(graph.name_of(use.outputs[0]))
        previous = use.outputs[0]
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 4 > WIDTH:
            lines.append("   ")
        lines[-1] += f" ─▶ {part}"
    return tuple(lines)


def _variable(graph: Graph, variable: Variable) -> str:
    name = graph.name_of(variable)
    if variable.role not in ("observed", "latent"):
        return name
    if variable.declaration.classes is not None and not variable.shape:
        return f"{name} ∈ {{0..{variable.declaration.classes - 1}}}"
    return f"{name} ∈ {space(variable.shape, variable.kind)}"


def space(shape: Shape, kind: str = "real") -> str:
    """Return the space that values of a shape live in: ``ℝ⁶⁰⁰``."""
    field = {"real": "ℝ", "integer": "ℤ", "boolean": "{0,1}"}[kind]
    if not shape:
        return field
    text = "×".join(str(dim) for dim in shape)
    if text.isdecimal():
        return field + text.translate(_SUPERSCRIPTS)
    return f"{field}^{text}" if len(shape) == 1 else f"{field}^({text})"


def commentary(graph: Graph) -> Comments:
    """Return a line for each block, forward and backward."""
    forward = {use.name: _told(graph, use) for use in graph.uses}
    return Comments(forward, {})


def _told(graph: Graph, use: Use) -> str:
    outs = ", ".join(graph.name_of(v) for v in use.outputs)
    ins = ", ".join(graph.name_of(v) for v in use.inputs)
    return f"{use.name}: {outs} = {use.function}({ins})"
