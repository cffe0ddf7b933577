"""What a variable is, as LaTeX, in parts where one formula would be too long: `gc.latex`."""

from __future__ import annotations

from graphc.calculus.constants import named_constants
from graphc.calculus.derivations import definitions, inside, stations_between
from graphc.calculus.formulas import Layout, Notation
from graphc.calculus.limits import LengthError
from graphc.errors import FormulaError
from graphc.ir.nodes import topological
from graphc.language.derivation import aligned_definitions, derive, free_name, is_readable
from graphc.language.formula import check_formula, formula_of, is_anonymous, names_behind
from graphc.language.variable import Variable


def latex(
    v: Variable, notation: Notation = "auto", depth: int | None = 0, *, layout: Layout = "numerator"
) -> str:
    r"""Return what a variable is, as LaTeX; arguments as for :func:`formula`.

    What is too long to be read in one formula is written in parts that have names: a gradient as
    the steps of the chain rule, as :func:`derive` lists them.

    Parameters
    ----------
    v
        A variable.
    notation, depth, layout
        As for :func:`formula`.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> print(latex(gc.jacobian(gc.tanh(x, output="z"), x), notation="index"))
    \delta_{ij} \left(1 - z_{i}^{2}\right)
    """
    check_formula(v, depth)
    try:
        found = formula_of(v, notation, depth, layout=layout)
        shown = found.latex
    except LengthError:
        parts = _in_parts(v)
        if parts is None:
            raise
        return parts
    if is_readable(found):
        return shown
    return _in_parts(v) or shown


def shown_in_notebooks(v: Variable) -> str:
    """Return what a variable is as an equation, if it has a name; long ones in parts.

    Raises
    ------
    FormulaError
        If there is no formula.
    """
    try:
        found = formula_of(v)
        named = v.derivation is not None or not is_anonymous(v)
        shown = found.latex_equation if named else found.latex
    except LengthError:
        parts = _in_parts(v)
        if parts is None:
            raise
        return parts
    return shown if is_readable(found) else _in_parts(v) or shown


def _in_parts(v: Variable) -> str | None:
    """Return a value by definitions, a gradient in steps; None for other derivatives."""
    derivation = v.derivation
    try:
        if derivation is None:
            return _defined(v)
        return derive(derivation.of, derivation.by).latex if derivation.rule == "grad" else None
    except FormulaError:
        return None


def _defined(v: Variable) -> str:
    """Return the definitions of a variable's parts, and its own, as one aligned block."""
    names = dict(names_behind(v, 0, whole=True))
    order = topological([v.node])
    known = [node for node in order if node in names and node is not v.node]
    stations = stations_between(v.node, known, names)
    names.setdefault(v.node, free_name("y", names.values()))
    names |= named_constants(inside(stations), names.values())
    for node in stations:
        names.setdefault(node, free_name("u", names.values(), first=1))
    return aligned_definitions(definitions(stations, names))
