"""What an emitted file says in words: its diagram in text, formulas over its blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.emit.model import Comments
from graphc.errors import DerivativeError, FormulaError
from graphc.ir.nodes import Node
from graphc.language.graph import Graph, Use
from graphc.language.tracing import Traced
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
    varies = varying(graph) if batch else set()
    told: dict[bool, list[str]] = {True: [], False: []}
    for use in costs:
        names = [graph.name_of(v) + ("[p]" if id(v) in varies else "") for v in use.inputs]
        told[id(use.outputs[0]) in varies].append(f"{use.name}({', '.join(names)})")
    each = " + ".join(told[True])
    average = [f"1/P Σ_p {_grouped(each)}"] if each else []
    line = " + ".join([*average, *told[False]])
    if not each:
        return f"L(w) = {line}"
    return f"L(S, w) = {line}        P = len({graph.name_of(first[0])})"


def varying(graph: Graph) -> set[int]:
    """Return the ids of the variables that vary from sample to sample."""
    found = {id(v) for v in graph.inputs if v.declaration.per_sample}
    for use in graph.uses:
        if any(id(v) in found for v in use.inputs):
            found.update(id(v) for v in use.outputs)
    return found


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
    lines = parts[:1]  # none, in a graph of declared variables alone
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
    from graphc.language.blockwise import block_formulas, constant_names

    forward: dict[int, str] = {}
    backward: dict[int, str] = {}
    varies = varying(graph) if batch else set()
    for number, block in enumerate(block_formulas(graph)):
        name = block.use.name
        told = _of_a_step(graph, block.use)
        told = told or [f.equation for f in block.forward if f is not None]
        if told:
            forward[number] = f"{name}: {',  '.join(told)}"
        sums = id(block.use.outputs[0]) in varies
        ordered = sorted(block.partials, key=lambda p: p.of_state)  # as the code: parameters first
        back = [text for p in ordered if (text := _step(p, block.use, sums, varies))]
        if back:
            backward[number] = f"{name}: {',  '.join(back)}"
    return Comments(forward, backward, constant_names(graph))


def _of_a_step(graph: Graph, use: Use) -> list[str]:
    """Return what each step of a loop does, as far as there are formulas: ``h ← tanh(w h + b)``."""
    from graphc.calculus import formulas

    block = use.call.block if use.call is not None else None
    if not isinstance(block, Traced) or block.function != "scan":
        return []
    names = {v.node: graph.name_of(v) for v in (*use.inputs, *use.parameters.values())}
    names |= {v.node: v.name or "x" for v in block.leaves}
    told = []
    seen: set[Node] = set()
    for variable, name in zip(block.results, block.step_names, strict=True):
        if variable.node in names or variable.node in seen:
            continue
        seen.add(variable.node)
        try:
            found = formulas.forward(variable.node, {**names, variable.node: "y"})
        except (FormulaError, DerivativeError):
            continue
        text = found.equation.partition(" = ")[2]
        if len(text) <= WIDTH:
            told.append(f"{name} ← {text}")
    return told


def _step(partial: Partial, use: Use, sums: bool, varies: set[int]) -> str | None:
    """Return one step of back-propagation in text.

    Where the block's results vary with the samples (`sums`), the cost is averaged over them, and
    what does not vary itself collects a sum.
    """
    formula = partial.backward
    if formula is None or partial.wrt.role == "observed":
        return None
    left, _, right = formula.equation.partition(" = ")
    # A row times a diagonal matrix is what the code does: a product element by element.
    pointwise = re.fullmatch(r"(∂\S+/∂\S+) diag\((.*)\)", right)
    if pointwise:
        right = f"{pointwise[1]} ⊙ {_grouped(pointwise[2])}"
    factors = []
    if use.kind == "cost":
        left = left.replace(f"∂{formula.above[0]}/", "∂L/", 1)
        factors += ["1/P"] if sums else []
    factors += ["Σ_p"] if sums and id(partial.wrt) not in varies else []
    return f"{left} = {' '.join([*factors, _grouped(right) if factors else right])}"


def _grouped(text: str) -> str:
    """Return text that a factor can stand before."""
    return f"({text})" if " + " in text or " − " in text else text
