"""Formulas of nodes: what they compute, and their derivatives, in index or matrix notation.

Functions here work on nodes. `names` gives the nodes that appear in a formula with a name: the
inputs of a block, its parameters, and its output, which is folded back into its own derivative.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Literal, TypeAlias

from graphc.calculus.constants import named_constants
from graphc.calculus.folding import fold, recognise
from graphc.calculus.formulas_sympy import sympy_matrix, sympy_term
from graphc.calculus.index_notation import differentiate, element, free_indices
from graphc.calculus.index_terms import Index, walk
from graphc.calculus.limits import limited
from graphc.calculus.matrix_factors import (
    LATEX_LETTERS,
    Part,
    equation_of,
    letters_of,
    part_of,
)
from graphc.calculus.matrix_notation import matrix_form
from graphc.calculus.matrix_printing import printed_matrix
from graphc.calculus.matrix_terms import Matrix, chain, tensor, transposed
from graphc.calculus.names import Name
from graphc.calculus.presenting import present, read_in_order
from graphc.calculus.printing import printed
from graphc.calculus.simplify_declared import declared
from graphc.calculus.simplify_sums import sum_over
from graphc.calculus.simplify_terms import replace, times
from graphc.calculus.styles import LATEX, TEXT, Style
from graphc.errors import FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.terms import Ref, Sum, Term
from graphc.ops.leaves import Constant, new_input
from graphc.ops.linalg import Linalg
from graphc.types import Shape, TensorType

Notation: TypeAlias = Literal["auto", "index", "matrix"]
Layout: TypeAlias = Literal["numerator", "row"]
Names: TypeAlias = Mapping[Node, str]


@dataclass(frozen=True)
class Formula:
    """The right-hand side of an equation, and what stands on its left.

    Parameters
    ----------
    term
        One element, in index notation, at the indices `free`.
    free
        The indices of the result's axes.
    names
        The names of the tensors that occur.
    above, below
        What the formula is: the tensor `above`, or its derivative by each tensor in `below`; each
        is a name with its indices.
    matrix
        The formula in matrix notation, if that is how it is shown.
    rows
        Tensors whose names stand for rows: cotangents.
    sizes
        The sizes in a product of a row and a Jacobian, ``[1×n] = [1×m][m×n]``.
    beside
        Equations that say what letters stand for: as text and LaTeX, with the names of tensors,
        and the matrix that they are about.
    """

    term: Term
    free: tuple[Index, ...]
    names: Names
    above: tuple[str, tuple[Index, ...]]
    below: tuple[tuple[str, tuple[Index, ...]], ...] = ()
    matrix: Matrix | None = None
    rows: tuple[Node, ...] = ()
    sizes: str = ""
    beside: tuple[tuple[tuple[str, str], Mapping[str, str], Formula | None], ...] = ()

    @property
    def notation(self) -> Literal["index", "matrix"]:
        """The notation in which the formula prints."""
        return "index" if self.matrix is None else "matrix"

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return tuple(index.extent for index in self.free)

    @cached_property
    def named(self) -> Names:
        """The names of all tensors that occur, those of constants included."""
        held = {part.tensor for part in walk(self.term) if isinstance(part, Ref)}
        constants = [t for t in held if isinstance(t, Constant) and t not in self.names]
        if not constants:
            return self.names
        taken = {*self.names.values(), self.above[0], *(name for name, _ in self.below)}
        # In the order of what they hold, then in that in which they are read.
        constants.sort(key=lambda t: (str(t.shape), t.kind, t.data))
        named = {**self.names, **named_constants(constants, taken)}
        if len(constants) > 1:
            shown = present(self.term, named)
            read = [part.tensor for part in read_in_order(shown) if isinstance(part, Ref)]
            own = [tensor for tensor in read if tensor in constants]
            named = {**self.names, **named_constants(own, taken)}
        return named

    @cached_property
    def presented(self) -> Term:
        """The term as it is shown: factors in order, bound indices named."""
        return present(self.term, self.named)

    @property
    def text(self) -> str:
        """The formula as a line of Unicode text."""
        return self._printed(TEXT)

    @property
    def latex(self) -> str:
        """The formula as LaTeX, without dollar signs."""
        return self._printed(LATEX)

    @property
    def equation(self) -> str:
        """The formula with its left-hand side, as a line of Unicode text."""
        return f"{self._left(TEXT)} = {self.text}"

    @property
    def latex_equation(self) -> str:
        """The formula with its left-hand side, as LaTeX."""
        return f"{self._left(LATEX)} = {self.latex}"

    @property
    def sympy(self) -> Any:
        """The formula as a SymPy expression, in the notation in which it prints."""
        if self.matrix is not None:
            # A cotangent is a column here, whatever stands for its transpose in print.
            return sympy_matrix(self.matrix, self.named)
        return sympy_term(self.presented, self.named)

    def _printed(self, style: Style) -> str:
        if self.matrix is not None:
            shown = printed_matrix(self.matrix, self.named, style, self.rows)
        else:
            shown = printed(self.presented, self.named, style)
        told = [self._told(style, *equation) for equation in self.beside]
        return shown + style.signs["where"] + style.signs[";"].join(told) if told else shown

    def _told(
        self,
        style: Style,
        texts: tuple[str, str],
        letters: Mapping[str, str],
        matrix: Formula | None,
    ) -> str:
        names = {letter: style.subscripted(name, "") for letter, name in letters.items()}
        whole = ""
        if matrix is not None:  # a constant is called the same in both
            both = {**self.named, **matrix.names}
            whole = dataclasses.replace(matrix, names=both)._printed(style)
        bracketed = whole if whole.isalnum() else style.brackets(whole)
        return texts[style is LATEX].format(A=whole, bracketed=bracketed, **names)

    def _left(self, style: Style) -> str:
        def part(name: str, indices: tuple[Index, ...]) -> str:
            single = all(len(index.name) == 1 for index in indices)
            letters = ("" if single else ",").join(index.name for index in indices)
            return style.subscripted(name, letters if self.notation == "index" else "")

        return style.derivative(part(*self.above), [part(*below) for below in self.below])


@limited
def forward(node: Node, names: Names, *, notation: Notation = "auto") -> Formula:
    """Return what `node` computes from the other nodes in `names`.

    Raises
    ------
    FormulaError
        If there is no formula in the notation asked for.
    """
    indices = free_indices(node.shape, names.values())
    term = element(node, indices, names.keys() - {node})
    left = _name(node, names), indices
    if part_of(node) is not None and isinstance(term, Ref):  # a letter is not what it is called
        names = {other: name for other, name in names.items() if other is not node}
    return _formula(term, indices, names, left, (), notation)


@limited
def jacobian(
    output: Node, wrt: Node, names: Names, *, notation: Notation = "auto",
    layout: Layout = "numerator", through: bool = True,
) -> Formula:  # fmt: skip
    """Return the derivative of every element of `output` by every element of `wrt`.

    Raises
    ------
    FormulaError
        If `output` does not depend on `wrt`, or only in a way that has no derivative, or if there
        is no formula in the notation asked for.
    """
    indices = free_indices((*output.shape, *wrt.shape), names.values())
    rows, columns = indices[: output.type.rank], indices[output.type.rank :]
    term = derivative(output, rows, ((wrt, columns),), names, through)
    left = (_name(output, names), rows), ((_name(wrt, names), columns),)
    return _formula(term, indices, names, *left, notation, turned=layout == "row")


def gradient(
    cost: Node, wrt: Node, names: Names, *, notation: Notation = "auto",
    layout: Layout = "numerator",
) -> Formula:  # fmt: skip
    """Return the derivative of a scalar, in the shape of `wrt`."""
    if cost.shape:
        raise FormulaError(f"a gradient is that of a scalar; this has the shape {cost.shape}")
    return jacobian(cost, wrt, names, notation=notation, layout=layout)


@limited
def hessian(
    cost: Node, one: Node, other: Node, names: Names, *, notation: Notation = "auto"
) -> Formula:
    """Return the derivative of a scalar by `one`, then by `other`."""
    indices = free_indices((*one.shape, *other.shape), names.values())
    first, second = indices[: one.type.rank], indices[one.type.rank :]
    term = derivative(cost, (), ((one, first), (other, second)), names)
    below = (_name(one, names), first), (_name(other, names), second)
    return _formula(term, indices, names, (_name(cost, names), ()), below, notation)


@limited
def backward(
    output: Node, wrt: Node, names: Names, *, cost: str = "c", notation: Notation = "auto",
    layout: Layout = "row", through: bool = True,
) -> Formula:  # fmt: skip
    """Return the cotangent of `wrt`, from that of `output`: one step of back-propagation.

    In matrix notation and rows, it is the row of the result times the Jacobian.

    Parameters
    ----------
    output, wrt
        The result of a block, and one of its inputs or parameters.
    names
        The names of the block's inputs, parameters and result.
    cost
        The name of the scalar that is differentiated.
    """
    cotangent = new_input(TensorType(output.shape))
    known = {**names, cotangent: f"∂{cost}/∂{_name(output, names)}"}
    indices = free_indices((*output.shape, *wrt.shape), known.values())
    rows, columns = indices[: output.type.rank], indices[output.type.rank :]
    local = derivative(output, rows, ((wrt, columns),), names, through)
    term = sum_over(rows, times(Ref(cotangent, rows), local))
    if not any(isinstance(part, Sum) for part in walk(term)):
        # Nothing is summed over the result's indices, so the first letters are to be had.
        first = free_indices(wrt.shape, known.values())
        term, columns = replace(term, dict(zip(columns, first, strict=True))), first
    left = (cost, ()), ((_name(wrt, names), columns),)
    vectors = output.type.rank == wrt.type.rank == 1
    turned = layout == "row" and wrt.type.rank == 1
    formula = _formula(term, columns, known, *left, notation, turned=turned)
    if formula.matrix is None or layout != "row":
        return formula
    if vectors:
        try:
            by = matrix_form(present(recognise(local), known), indices)
        except FormulaError:
            if notation == "matrix":
                raise
            return dataclasses.replace(formula, matrix=None)
        row = transposed(tensor(cotangent, output.shape))
        m, n = output.shape[0], wrt.shape[0]
        sizes = f"[1×{n}] = [1×{m}][{m}×{n}]"
        formula = dataclasses.replace(formula, matrix=chain(row, by), sizes=sizes)
    # A cotangent of a vector is a row; one of a matrix has the shape of the matrix.
    return dataclasses.replace(formula, rows=(cotangent,) if output.type.rank == 1 else ())


def derivative(
    output: Node,
    indices: tuple[Index, ...],
    wrt: Sequence[tuple[Node, tuple[Index, ...]]],
    names: Names,
    through: bool = True,
) -> Term:
    """Return the term of a derivative, of any order, by elements of the nodes in `wrt`.

    Named nodes between `output` and `wrt` are looked through, so that no path is lost, and get
    their names back in the result. Not with ``through=False``: then the derivative is partial,
    with all other named nodes fixed.
    """
    variables = [node for node, _ in wrt]
    order = topological((output,), variables)
    for node in variables:
        if node not in order:
            raise FormulaError(f"{_name(output, names)} does not depend on {_name(node, names)}")
    moving = _dependants(order, variables)
    fixed = names.keys() - (moving if through else {output})
    term = element(output, indices, fixed | set(variables))
    for node, at in wrt:
        term = differentiate(term, node, at, fixed | set(variables))
    for node in order:
        if node in moving and node in names and (through or node is output):
            own = free_indices(node.shape, ("", *(index.name for index in indices)))
            meaning = element(node, own, names.keys() - {node})
            term = fold(term, node, meaning, own)
            shares = recognise(meaning)
            if shares is not meaning:  # a softmax, which may be found only where all is one sum
                term = fold(recognise(term), node, shares, own)
    return term


def _dependants(order: Sequence[Node], variables: Sequence[Node]) -> set[Node]:
    """Return the nodes that depend on `variables`, without these."""
    found: set[Node] = set()
    for node in order:
        if node not in variables and any(a in found or a in variables for a in node.args):
            found.add(node)
    return found


def _formula(
    term: Term,
    free: tuple[Index, ...],
    names: Names,
    above: tuple[str, tuple[Index, ...]],
    below: tuple[tuple[str, tuple[Index, ...]], ...],
    notation: Notation,
    turned: bool = False,
) -> Formula:
    term = declared(recognise(term))
    names, beside = _lettered(term, names)
    formula = Formula(term, free, names, above, below, beside=beside)
    formula = _in_matrices(formula, notation)
    if formula.matrix is None or not turned:
        return formula
    return dataclasses.replace(formula, matrix=transposed(formula.matrix))


def _in_matrices(formula: Formula, notation: Notation) -> Formula:
    """Return a formula in matrix notation, where there is one and it is not asked for another."""
    if notation == "index":
        return formula
    try:
        columns = not (formula.below and formula.above[1])
        matrix = matrix_form(formula.presented, formula.free, columns)
    except FormulaError:
        if notation == "matrix":
            raise
        return formula
    return dataclasses.replace(formula, matrix=matrix)


def _lettered(term: Term, names: Names) -> tuple[Names, tuple[Any, ...]]:
    """Return the names with those of matrix functions' results, and the equations that say so."""
    pending, met = [term], dict[Node, Part]()
    matrices: dict[Node, Term] = {}
    while pending:
        for found in walk(pending.pop()):
            part = part_of(found.tensor) if isinstance(found, Ref) else None
            if part is None or found.tensor in met:  # type: ignore[attr-defined]
                continue
            met[found.tensor] = part  # type: ignore[attr-defined]
            met |= {n: p for n in letters_of(part).values() if (p := part_of(n)) is not None}
            if isinstance(part.of, Linalg) and part.of not in matrices:
                matrix = part.of.args[0]
                at = free_indices(matrix.shape, names.values())
                matrices[part.of] = element(matrix, at, names.keys())
                pending.append(matrices[part.of])
    if not met:
        return names, ()
    known = dict(names)
    loops: dict[Any, list[Any]] = {}
    for node, part in met.items():
        if part.told is not None and node not in names:
            letter, equations = part.told(names)
            if letter in known.values():
                raise FormulaError(
                    "two loops whose states have one name have no common formula; ask for that of "
                    "each, or name them differently"
                )
            known[node] = letter
            loops[part.of] = [((_plain(a), _plain(b)), {}, None) for a, b in equations]
        if node not in known:
            known[node] = _unique(part.letter, known.values())
    beside: dict[Any, Any] = {}
    for node, part in met.items():
        if part.told is not None:
            continue
        key, texts = equation_of(part)
        letters = {k: known[n] for k, n in letters_of(part).items()} | {part.letter: known[node]}
        about = None
        if isinstance(part.of, Linalg) and part.role != "gaps":
            at = free_indices(part.of.args[0].shape, names.values())
            about = Formula(declared(matrices[part.of]), at, known, ("", ()))
            about = _in_matrices(about, "auto")
        beside.setdefault(key, (texts, letters, about))
    said = [equation for equations in loops.values() for equation in equations]
    return known, (*beside.values(), *said)


def _plain(text: str) -> str:
    """Return a text that `format` leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def _unique(letter: str, taken: Collection[str]) -> str:
    """Return a name that no other tensor has."""
    tries = (f"{letter}{n}" for n in count(1))
    wish = letter if letter not in taken else next(n for n in tries if n not in taken)
    latex = LATEX_LETTERS.get(letter, letter)
    return Name(wish, latex if wish == letter else f"{latex}_{{{wish[1:]}}}")


def _name(node: Node, names: Names) -> str:
    """Return the name of a node, or a letter that names none."""
    letters = (letter for letter in ("f", "g", "h", "F", "G", "H") if letter not in names.values())
    return names.get(node) or next(letters, "result")
