"""Derivations of gradients, to be read: `gc.derive`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from graphc.calculus.constants import named_constants
from graphc.calculus.derivations import (
    Definition,
    Step,
    definitions,
    inside,
    stations_between,
    steps,
)
from graphc.calculus.formulas import Formula
from graphc.calculus.names import math_label
from graphc.calculus.presenting import READABLE, length
from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import Node
from graphc.language.derive import grad
from graphc.language.formula import formula_of, names_behind
from graphc.language.reaching import check_variable, prepared, reachable, told
from graphc.language.source import here
from graphc.language.variable import Variable

NO_FORMULA = "no closed formula; the emitted code computes it"


@dataclass(frozen=True)
class Derivation:
    """A gradient, step by step; it prints as text, LaTeX and Markdown.

    Attributes
    ----------
    cost, wrt : str
        The names of what is derived and by what.
    definitions : tuple of Definition
        The intermediate variables that the steps go through.
    steps : tuple of Step
        The derivatives by them, from the cost back.
    result : Formula or None
        The gradient in one formula, in the shape of the variable; None where it would be too long
        to be read.
    """

    cost: str
    wrt: str
    definitions: tuple[Definition, ...]
    steps: tuple[Step, ...]
    result: Formula | None

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        lines = [f"∂{self.cost}/∂{self.wrt}, step by step", "", "Definitions:"]
        lines += [f"  {_defined(d)}" for d in self.definitions]
        lines += ["", "Chain rule:"]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"  {number}. {_text(step, self.cost)}    [{_rules(step)}]")
        if self.result is not None:
            lines += ["", f"Together: {self.result.equation}"]
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """The definitions, steps and result as one aligned block of LaTeX."""
        rows = list(map(_latex_row, self.definitions))
        for step in self.steps:
            rules = rf"\text{{{_escaped(_rules(step))}}}"
            rows.append(f"{_aligned(_latex(step, self.cost))} && {rules}")
        if self.result is not None:
            rows.append(_aligned(self.result.latex_equation))
        return _block(rows)

    @property
    def markdown(self) -> str:
        """The derivation as Markdown with formulas that code hosts and notebooks render."""
        lines = [f"**Derivative of `{self.cost}` by `{self.wrt}`**", "", "Definitions:", ""]
        for d in self.definitions:
            shown = f"$`{d.formula.latex_equation}`$" if d.formula else f"`{d.name}`: {NO_FORMULA}"
            lines.append(f"- {shown}")
        lines += ["", "Chain rule:", ""]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number}. {_rules(step)}: $`{_latex(step, self.cost)}`$")
        if self.result is not None:
            lines += ["", "Together:", "", "```math", self.result.latex_equation, "```"]
        return "\n".join(lines) + "\n"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_markdown_(self) -> str:
        return self.markdown


def derive(cost: Variable, wrt: Variable) -> Derivation:
    """Return the gradient of a scalar by a variable as a derivation: the chain rule step by step.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    wrt
        The variable to derive by.

    Raises
    ------
    ShapeError
        If `cost` is no scalar.
    DerivativeError
        As for :func:`grad`.
    FormulaError
        If there are more steps than anybody reads.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> A, x, b = gc.observed("A", (2, 3)), gc.observed("x", 3), gc.observed("b", 2)
    >>> print(gc.derive(np.sum((A @ x - b) ** 2), x))
    ∂c/∂x, step by step
    <BLANKLINE>
    Definitions:
      u1 = A x − b
      c = ‖u1‖²
    <BLANKLINE>
    Chain rule:
      1. ∂c/∂u1 = 2 u1ᵀ    [sum of squares]
      2. ∂c/∂x = ∂c/∂u1 A    [difference, product]
    <BLANKLINE>
    Together: ∂c/∂x = 2 Aᵀ (A x − b)
    """
    check_variable(cost, "derive")
    check_variable(wrt, "derive")
    if cost.shape:
        raise ShapeError(f"{here()}: derive takes a scalar, got {told(cost)}")
    reachable(cost, wrt, False)
    output, by = prepared([cost, wrt])
    names = dict(names_behind(cost, 0, whole=True, more=(wrt,)))
    try:
        stations = stations_between(output, [by], names)
    except FormulaError as error:
        raise error.within(f"{here()}: {cost.describe()}") from None
    names.setdefault(output, free_name("c", names.values()))
    constants = named_constants(inside(stations), names.values())
    names |= constants
    for node in stations:
        names.setdefault(node, free_name("u", names.values(), first=1))
    try:
        result: Formula | None = _with_names(formula_of(grad(cost, wrt)), names[output], constants)
        if result is not None and not is_readable(result):
            result = None
    except FormulaError:
        result = None
    return Derivation(
        names[output],
        names[by],
        tuple(definitions(stations, names)),
        tuple(steps(stations, names)),
        result,
    )


def aligned_definitions(found: Iterable[Definition]) -> str:
    """Return definitions as one aligned block of LaTeX."""
    return _block(map(_latex_row, found))


def _latex_row(d: Definition) -> str:
    if d.formula is None:
        return rf"{math_label(d.name)} &: \text{{{NO_FORMULA}}}"
    return _aligned(d.formula.latex_equation)


def _block(rows: Iterable[str]) -> str:
    inside = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def is_readable(formula: Formula) -> bool:
    """Return whether a formula is read in one piece; if not, its parts or steps are."""
    return length(formula.presented) <= READABLE


def free_name(letter: str, taken: object, first: int = 0) -> str:
    """Return a name that is not taken: the letter, or the letter with a number."""
    held = set(taken)  # type: ignore[call-overload]
    number = first
    while (name := f"{letter}{number or ''}") in held:
        number += 1
    return str(name)


def _with_names(formula: Formula, cost: str, constants: Mapping[Node, str]) -> Formula:
    return replace(formula, above=(cost, ()), names={**formula.names, **constants})


def _defined(d: Definition) -> str:
    return d.formula.equation if d.formula is not None else f"{d.name}: {NO_FORMULA}"


def _rules(step: Step) -> str:
    if len(step.rules) == 1:
        return step.rules[0]
    return f"sum of {len(step.rules)} paths: " + "; ".join(step.rules)


def _text(step: Step, cost: str) -> str:
    found = _paths(step, 0)
    if found is None:
        return f"by {step.name}: {NO_FORMULA}"
    values, recursion = found
    where = f", where {'; '.join(recursion)}" if recursion else ""
    formula = next((part for part in step.parts if part is not None), None)
    left = formula.equation.partition(" = ")[0] if formula else f"∂{cost}/∂{step.name}"
    return f"{left} = {' + '.join(values)}{where}".replace("+ −", "− ")


def _latex(step: Step, cost: str) -> str:
    found = _paths(step, 1)
    if found is None:
        return rf"\text{{by {_escaped(step.name)}: {NO_FORMULA}}}"
    values, recursion = found
    left = rf"\frac{{\partial {math_label(cost)}}}{{\partial {math_label(step.name)}}}"
    formula = next((part for part in step.parts if part is not None), None)
    left = formula.latex_equation.partition(" = ")[0] if formula else left
    where = rf", \quad \text{{where }} {', '.join(recursion)}" if recursion else ""
    return f"{left} = {' + '.join(values)}{where}".replace("+ -", "- ")


def _paths(step: Step, column: int) -> tuple[list[str], list[str]] | None:
    """Return what the paths of a step give, and the recursions behind; None if not all is known."""
    if step.recursions is None:
        return None
    values = [part.latex if column else part.text for part in step.parts if part is not None]
    values += [term[column] for term, _ in step.recursions]
    return values, [told[column] for _, equations in step.recursions for told in equations]


def _aligned(equation: str) -> str:
    return equation.replace(" = ", " &= ", 1)


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
