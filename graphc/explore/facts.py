"""What the page says: blocks, variables, formulas and lines, as plain data for its script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.calculus.formulas import Formula
from graphc.calculus.names import subscripted
from graphc.commentary import space
from graphc.compile import Compiled, compile
from graphc.errors import DerivativeError
from graphc.explore.counting import Cost, add, costs_of
from graphc.explore.matrix_costs import COSTS
from graphc.language.blockwise import BlockFormulas, Partial, block_formulas
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.types import Dim, size_of

DTYPE = "float32"
Facts = dict[str, Any]


class Formulas:
    """The formulas of a page, each distinct one once; facts refer to them by number."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = {}

    def add(self, formula: Formula | None) -> int | None:
        """Enter a formula and return its number; None where there is none."""
        if formula is None:
            return None
        key = formula.latex_equation, formula.equation
        return self.numbers.setdefault(key, len(self.numbers))

    @property
    def listed(self) -> list[tuple[str, str]]:
        """LaTeX and text of each."""
        return list(self.numbers)


def facts_of(graph: Graph) -> Facts:
    """Return everything that the page says of a graph, but the figure and the numbers."""
    program = compiled(graph)
    formulas = Formulas()
    costs = costs_of(program.program.nodes(), program.program.origins, np.dtype(DTYPE).itemsize)
    made = block_formulas(graph)
    blocks = [
        block_facts(graph, number, block, formulas, costs) for number, block in enumerate(made)
    ]
    variables = [variable_facts(graph, v) for v in (*graph.variables, *graph.parameters)]
    return {
        "name": graph.name,
        "dtype": DTYPE,
        "blocks": blocks,
        "variables": variables,
        "formulas": formulas.listed,
        "source": program.source.splitlines(),
        "lines": lines_of(program),
        "parameters": amount(total(v.shape for v in graph.parameters)),
        "costs": [number for number, use in enumerate(graph.uses) if use.kind == "cost"],
        "total": [
            cost_facts(added([cost for (_, way), cost in costs.items() if way is backward]))
            for backward in (False, True)
        ],
    }


def compiled(graph: Graph) -> Compiled:
    """Compile for reading; without gradients where a block has no derivative."""
    try:
        return compile(graph, style="readable", dtype=DTYPE, allow_unused=True)
    except DerivativeError:
        return compile(graph, style="readable", dtype=DTYPE, wrt=())


def block_facts(
    graph: Graph,
    number: int,
    block: BlockFormulas,
    formulas: Formulas,
    costs: Mapping[tuple[int, bool], Cost],
) -> Facts:
    """Return what is said of one use of a block."""
    use = block.use
    own = use.parameters.values()
    return {
        "id": f"function {use.name} {number}",
        "name": use.name,
        "function": use.function,
        "kind": use.kind,
        "inputs": [graph.name_of(v) for v in use.inputs],
        "outputs": [graph.name_of(v) for v in use.outputs],
        "parameters": [graph.name_of(v) for v in own],
        "count": amount(total(v.shape for v in own)),
        "forward": [formulas.add(formula) for formula in block.forward],
        "partials": [partial_facts(graph, p, formulas) for p in block.partials],
        "cost": [cost_facts(costs.get((number, way), Cost())) for way in (False, True)],
    }


def partial_facts(graph: Graph, p: Partial, formulas: Formulas) -> Facts:
    """Return what is said of a block's output by one of its inputs or parameters."""
    backward = p.wrt.role != "observed"
    return {
        "output": graph.name_of(p.output),
        "wrt": graph.name_of(p.wrt),
        "state": p.of_state,
        "shape": " × ".join(map(str, (*p.output.shape, *p.wrt.shape))),
        "jacobian": formulas.add(p.jacobian),
        "backward": formulas.add(p.backward) if backward else None,
        "needed": backward,
        "sizes": p.backward.sizes if backward and p.backward is not None else "",
    }


def variable_facts(graph: Graph, v: Variable) -> Facts:
    """Return what is said of a variable."""
    name = graph.name_of(v)
    classes = v.declaration.classes
    return {
        "id": f"variable {name}",
        "name": name,
        "label": v.declaration.label or subscripted(name, ""),
        "role": "computed" if v.role == "expression" else v.role,
        "kind": v.kind,
        "space": space(v.shape, v.kind) if classes is None else f"{{0..{classes - 1}}}",
        "shape": " × ".join(map(str, v.shape)) or "a number",
        "size": amount(size_of(v.shape)),
        "perSample": v.declaration.per_sample and v.role != "parameter",
    }


def lines_of(program: Compiled) -> Facts:
    """Return the defined names of each line that computes, and uses and rules, by its number.

    The use -1 is what adds up the costs.
    """
    return {
        str(number): [
            list(traced.defines),
            *[[origin.use, origin.rule] for origin in traced.origins],
        ]
        for number, traced in program.origins.items()
    }


def cost_facts(cost: Cost) -> Facts:
    """Return operations and bytes as text; a lower bound where not all could be counted.

    What counts in leading order only is marked, and its notes say how.
    """
    mark = "" if cost.complete else "≥\u2009"
    if cost.complete and cost.leading:
        mark = "≈\u2009"
    return {
        "operations": mark + amount(cost.operations),
        "bytes": amount(cost.bytes),
        "notes": [f"{function}: {COSTS[function].note}" for function in cost.leading],
    }


def added(costs: Sequence[Cost]) -> Cost:
    """Return the sum of costs."""
    result = Cost()
    for cost in costs:
        add(result, cost)
    return result


def total(shapes: Any) -> Dim:
    """Return how many numbers arrays of these shapes hold together."""
    result: Dim = 0
    for shape in shapes:
        result = result + size_of(shape)
    return result


def amount(dim: Dim) -> str:
    """Print a number of things, with thin spaces between thousands."""
    text = re.sub(r"\b([^\W\d]\w*)((?:\*\1\b)+)", _power, str(dim))
    text = re.sub(r"\(([^()+]*)\)//(\d+)", r"\1/\2", text)
    spaced = re.sub(r"\d{4,}", lambda m: f"{int(m[0]):,}".replace(",", "\u2009"), text)
    return spaced.replace("*", "\u2009")


def _power(found: re.Match[str]) -> str:
    return found[1] + str(1 + found[2].count("*")).translate(
        str.maketrans("123456789", "¹²³⁴⁵⁶⁷⁸⁹")
    )
