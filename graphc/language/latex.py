"""What a variable is, as LaTeX, in parts where one formula would be too long: `gc.latex`."""

from __future__ import annotations

from graphc.calculus.derivations import definitions, stations_between
from graphc.calculus.formulas import Layout, Notation
from graphc.calculus.limits import LengthError
from graphc.errors import FormulaError
from graphc.ir.nodes import topological
from graphc.language.derivation import aligned_definitions, derive, free_name
from graphc.language.formula import formula_of, names_behind
from graphc.language.variable import Variable


def latex(
    v: Variable, notation: Notation = "auto", depth: int | None = 0, *, layout: Layout = "numerator"
) -> str:
    r"""Return what a variable is, as LaTeX; arguments as for :func:`formula`.

    What is too long for one formula is written in parts that have names: a gradient as the steps of
    the chain rule, as :func:`derive` lists them.

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
    try:
        return formula_of(v, notation, depth, layout=layout).latex
    except LengthError:
        derivation = v.derivation
        if derivation is None:
            return _in_parts(v)
        if derivation.rule != "grad":
            raise
        return derive(derivation.of, derivation.by).latex


def _in_parts(v: Variable) -> str:
    """Return the definitions of a variable's parts, and its own, as one aligned block."""
    names = dict(names_behind(v, 0, whole=True))
    order = topological([v.node])
    known = [node for node in order if node in names and node is not v.node]
    try:
        stations = stations_between(v.node, known, names)
    except FormulaError as error:
        raise error.within(v.describe()) from None
    names.setdefault(v.node, free_name("y", names.values()))
    for node in stations:
        names.setdefault(node, free_name("u", names.values(), first=1))
    return aligned_definitions(definitions(stations, names))
