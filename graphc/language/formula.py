"""Formulas of variables: `gc.formula`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.calculus import formulas
from graphc.calculus.formulas import Formula, Layout, Notation
from graphc.calculus.limits import LengthError
from graphc.calculus.names import Name, math_label, parameter_labels, told_apart
from graphc.errors import FormulaError, UsageError
from graphc.ir.nodes import Node
from graphc.language.declare import sources
from graphc.language.source import here
from graphc.language.variable import Variable

PRODUCTS = ("vjp", "jvp")


def check_formula(v: Any, depth: Any) -> None:
    """Raise a UsageError unless a formula is asked of a variable, and a depth is a number."""
    if not isinstance(v, Variable):
        raise UsageError(f"{here()}: a formula is that of a variable, got {v!r}")
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 0):
        raise UsageError(f"{here()}: depth is a number of blocks, or None for all, got {depth!r}")


def formula(
    v: Variable, notation: Notation = "auto", depth: int | None = 0, *, layout: Layout = "numerator"
) -> Any:
    """Return what a variable is, as a SymPy expression.

    Parameters
    ----------
    v
        A variable: of a derivative the formula is the derivative's, of the output of a block
        what the block computes, of an expression the expression.
    notation
        ``"matrix"``; ``"index"``: with ``Indexed``, ``Sum`` and ``KroneckerDelta``, free indices
        i, j, k, ... in the order of the result's axes; ``"auto"``: matrix notation if every rank
        is two or less and there is one, else index notation.
    depth
        How many blocks further back to look than the block that computes the variable; None: down
        to what was declared.
    layout
        ``"row"`` prints a gradient as a row vector, as the lecture does.

    Raises
    ------
    FormulaError
        If there is no formula in the notation asked for, or one that would fill pages;
        :func:`latex` prints that in parts.

    Examples
    --------
    >>> import graphc as gc
    >>> w, x = gc.parameter("w", shape=(2, 3)), gc.observed("x", shape=3)
    >>> formula(gc.jacobian(w @ x, x)), formula(gc.jacobian(w @ x, w))
    (w, KroneckerDelta(i, j)*x[k])
    """
    check_formula(v, depth)
    try:
        found = formula_of(v, notation, depth, layout=layout)
        found.presented  # noqa: B018  which tells whether it is too long
    except LengthError as error:
        raise LengthError(f"{error}; gc.latex prints it in parts that have names") from None
    try:
        return found.sympy
    except FormulaError:
        if notation != "auto" or found.notation == "index":
            raise
    # SymPy's matrices have fewer functions than matrix notation in print.
    return formula_of(v, "index", depth, layout=layout).sympy


def formula_of(
    v: Variable, notation: Notation = "auto", depth: int | None = 0, *, layout: Layout = "numerator"
) -> Formula:
    """Return what a variable is, as graphc's own formula; it prints as text and LaTeX."""
    if notation not in ("auto", "index", "matrix"):
        raise UsageError(f"{here()}: notation is 'auto', 'index' or 'matrix', got {notation!r}")
    try:
        return _formula(v, notation, depth, layout)
    except FormulaError as error:
        raise error.within(f"{here()}: {v.describe()}") from None


def _formula(v: Variable, notation: Notation, depth: int | None, layout: Layout) -> Formula:
    derivation = v.derivation
    if derivation is None:
        whole = v.operation in PRODUCTS  # of Jacobians, which look through the blocks
        return formulas.forward(v.node, names_behind(v, depth, whole=whole), notation=notation)
    y, x = derivation.of, derivation.by
    inner = y.derivation
    if inner is not None and inner.rule == "grad" and inner.of.derivation is None:
        names = names_behind(inner.of, depth, whole=True, more=(inner.by, x))
        return formulas.hessian(inner.of.node, inner.by.node, x.node, names, notation=notation)
    names = names_behind(y, depth, whole=True, more=(x,))
    return formulas.jacobian(y.node, x.node, names, notation=notation, layout=layout)


def names_behind(
    variable: Variable, depth: int | None, *, whole: bool = False, more: Sequence[Variable] = ()
) -> dict[Node, str]:
    """Return the nodes behind a variable that a formula names, the variable's own included.

    Names are those that variables have outside any graph: a block's parameter is called
    ``<block>_<parameter>`` where the block has a name.

    Parameters
    ----------
    depth
        The number of blocks to look through before names are used; None: all.
    whole
        Name every block's result behind the variable, unless `depth` is None: a derivative looks
        through them, and gives them their names back.
    more
        Variables that have a name in any case.
    """
    names: dict[Node, str] = {}
    owners: dict[Node, tuple[str, str]] = {}
    for v in (*more, variable):
        if not is_anonymous(v) and v.role != "parameter":  # which may be called after its block
            _enter(v, _name(v), names)
    stops = {id(v) for v in more}
    seen: set[int] = set()
    pending = [(variable, -1)]  # with the number of blocks between it and the start
    while pending:
        v, passed = pending.pop()
        if id(v) in seen:
            continue
        seen.add(id(v))
        computed = not is_anonymous(v) and (v.call is not None or v.role == "computed")
        named_here = computed and depth is not None and passed >= 0
        beyond = named_here and depth is not None and passed >= depth
        if (v.role not in ("expression", "computed")) or (named_here and (whole or beyond)):
            _enter(v, _name(v), names)
        if id(v) in stops or v.role not in ("expression", "computed") or (beyond and not whole):
            continue
        further = (
            passed + 1 if passed < 0 or (v.call is not None and not is_anonymous(v)) else passed
        )
        if v.call is not None:
            block = v.call.block.name
            for short, parameter in v.call.parameters.items():
                _enter(parameter, f"{block}_{short}" if block else short, names)
                owners.setdefault(parameter.node, v.call.owners.get(short, (block or "", short)))
        pending.extend((source, further) for source in reversed(sources(v)))
    for v in more:  # what is derived by needs a name, one that no variable has
        _enter(v, _name(v), names)
    owned = {names[node]: owner for node, owner in owners.items() if node in names}
    labels = parameter_labels(owned, [name for name in names.values() if name not in owned])
    labels |= told_apart({name: labels.get(name, math_label(name)) for name in names.values()})
    return {node: Name(n, labels[n]) if n in labels else n for node, n in names.items()}


def is_anonymous(v: Variable) -> bool:
    """Return whether nobody named a variable, or the block that it is of.

    Blocks with parameters count as named by their functions, as costs do; a mere function, such as
    ``gc.softmax``, is one more operation, which formulas look through.
    """
    if v.name is not None:
        return False
    call = v.call
    return call is None or not (call.block.name or call.parameters or call.kind == "cost")


def _enter(v: Variable, name: str, names: dict[Node, str]) -> None:
    """Name a node unless it has a name; a name that is taken gets a number."""
    if v.node in names or v.role == "constant":
        return
    taken = set(names.values())
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}{number}"
    names[v.node] = unique


def _name(v: Variable) -> str:
    if v.name is not None:
        return v.name
    if v.call is not None:
        block = v.call.block.name or v.call.block.function
        return block if v.call.kind == "cost" else f"{block}_out"
    return "y"
