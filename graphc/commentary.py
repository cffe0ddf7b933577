"""What an emitted file says in words: its diagram in text, formulas over its blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.emit.model import Comments
from graphc.language.graph import Graph, Use
from graphc.language.variable import Variable
from graphc.types import Shape

if TYPE_CHECKING:
    from graphc.language.blockwise import Partial

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


def commentary(graph: Graph, batch: bool) -> Comments:
    """Return the formulas that stand over each block's lines, forward and backward."""
    # Late, so that `import graphc` does not load the formulas.
    from graphc.language.blockwise import block_formulas

    forward: dict[str, str] = {}
    backward: dict[str, str] = {}
    for block in block_formulas(graph):
        name = block.use.name
        told = [f.equation for f in block.forward if f is not None]
        ahead = f"{name}: {',  '.join(told)}" if told else name
        ordered = sorted(block.partials, key=lambda p: p.of_state)  # as the code: parameters first
        back = [text for p in ordered if (text := _step(p, block.use, batch))]
        # A block that is used twice says what it does at each use.
        forward[name] = f"{forward[name]}\n{ahead}" if name in forward else ahead
        if back:
            line = f"{name}: {',  '.join(back)}"
            backward[name] = f"{line}\n{backward[name]}" if name in backward else line
    return Comments(forward, backward)


def _step(partial: Partial, use: Use, batch: bool) -> str | None:
    """Return one step of back-propagation in text; shared parameters sum over the samples."""
    formula = partial.backward
    if formula is None or partial.wrt.role == "observed":
        return None
    left, _, right = formula.equation.partition(" = ")
    if use.kind == "cost":
        left = left.replace(f"∂{formula.above[0]}/", "∂L/", 1)
        right = f"1/P {_grouped(right)}" if batch else right
    # A row times a diagonal matrix is what the code does: a product element by element.
    pointwise = re.fullmatch(r"(∂\S+/∂\S+) diag\((.*)\)", right)
    if pointwise:
        right = f"{pointwise[1]} ⊙ {_grouped(pointwise[2])}"
    shared = partial.wrt.role == "parameter"
    return f"{left} = Σ_p {_grouped(right)}" if batch and shared else f"{left} = {right}"


def _grouped(text: str) -> str:
    """Return text that a factor can stand before."""
    return f"({text})" if " + " in text or " − " in text else text
