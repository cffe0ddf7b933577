"""Formulas in index notation: what a node means, and how that is differentiated.

This is the route to a derivative that has nothing in common with the reverse sweep: a node's
`meaning` is expanded into a term of its operands' elements, and the term is differentiated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from graphc.calculus.index_terms import (
    ZERO,
    Index,
    Position,
    unused,
    walk,
)
from graphc.calculus.limits import LengthError
from graphc.calculus.matrix_factors import (
    Part,
    part_derivative,
    part_element,
    part_of,
    triangular_solution,
)
from graphc.calculus.simplify_functions import call
from graphc.calculus.simplify_inverses import inverse, opened_matrix
from graphc.calculus.simplify_numbers import number
from graphc.calculus.simplify_sums import opened, sum_over, summed
from graphc.calculus.simplify_terms import delta, minus, normal, plus, raised, replace, times
from graphc.errors import FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.terms import (
    Add,
    Apply,
    Best,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Product,
    Ref,
    Sum,
    Symbol,
    Term,
)
from graphc.ops.elementwise import derivative
from graphc.ops.linalg import Linalg
from graphc.ops.rules import RULES, Indices
from graphc.ops.scalars import SCALARS
from graphc.types import Dim, TupleType

DEEPEST = 80  # operations on top of each other; a formula of more is no formula to read

LETTERS = "ijklmnpqrstuvw"


def free_indices(shape: Sequence[Dim], taken: Collection[str] = ()) -> tuple[Index, ...]:
    """Return an index for every axis of `shape`, named i, j, k, ... past the names `taken`."""
    names = index_names(taken)
    return tuple(Index(next(names), dim) for dim in shape)


def index_names(taken: Collection[str]) -> Iterator[str]:
    """Yield names for indices: single letters, then letters with numbers."""
    for name in (*LETTERS, *(f"{letter}{n}" for n in range(1, 100) for letter in "ijk")):
        if name not in taken:
            yield name


def element(node: Node, indices: Indices, stop: Collection[Node]) -> Term:
    """Return the term of one element of `node`, in the elements of the nodes in `stop`.

    Parameters
    ----------
    node
        The tensor.
    indices
        An index term per axis.
    stop
        The nodes that stay as they are. A set or a mapping, for it is asked often.

    Raises
    ------
    FormulaError
        If a node on the way has no index form, or the formula gets too deep to be one.
    """
    known: dict[tuple[Node, Indices], Term] = {}

    def at(current: Node, places: Indices, depth: int) -> Term:
        if current in stop:
            return Ref(current, places)
        found = known.get((current, places))
        if found is None:
            if depth > DEEPEST:
                raise LengthError(
                    f"the formula is more than {DEEPEST} operations deep; "
                    "write it in intermediate variables"
                )

            def operand(i: int, inner: Indices) -> Term:
                return at(current.args[i], _positions(current.args[i], inner), depth + 1)

            found = part_element(current, places) or triangular_solution(current, places, operand)
            if found is None:
                found = RULES[type(current)].meaning(current, places, operand)
            known[current, places] = found
        return found

    return normal(at(node, tuple(indices), 0))


def _positions(operand: Node, indices: Indices) -> Indices:
    """Note the range of integers that an operand is indexed with: it is the axis's."""
    if isinstance(operand.type, TupleType):
        return indices
    return tuple(
        Position(index.tensor, index.indices, dim) if type(index) is Ref else index
        for index, dim in zip(indices, operand.shape, strict=True)
    )


def differentiate(
    term: Term, wrt: Node, indices: Indices, stop: Collection[Node] = frozenset()
) -> Term:
    """Return the derivative of a simplified term by the element of `wrt` at `indices`.

    Where it goes on through a matrix function, the nodes in `stop` stay as they are.

    A piecewise constant function contributes nothing, as it does in code.

    Raises
    ------
    FormulaError
        If a term has no rule, or `term` depends on `wrt` only through functions that are
        piecewise constant.
    """
    cuts: list[str] = []
    result = _Derivation(wrt, tuple(indices), cuts, stop).of(term)
    if result is ZERO and cuts:
        raise FormulaError(
            f"the derivative vanishes wherever it exists: the dependence is only through {cuts[0]}"
        )
    return result


class _Derivation:
    """One derivative, with what is known of it."""

    def __init__(
        self, wrt: Node, indices: Indices, cuts: list[str], stop: Collection[Node]
    ) -> None:
        self.wrt, self.indices, self.cuts, self.stop = wrt, indices, cuts, {*stop, wrt}
        self.known: dict[Term, Term] = {}

    def of(self, term: Term) -> Term:
        found = self.known.get(term)
        if found is None:
            found = self.known[term] = self._of(term)
        return found

    def _of(self, term: Term) -> Term:
        match term:
            case Ref():
                return self._of_element(term)
            case Num() | Extent() | Symbol():
                return ZERO
            case Add(terms):
                return plus(*map(self.of, terms))
            case Mul(factors):
                return self._of_product(factors)
            case Apply():
                return self._of_call(term)
            case Sum():
                # The index keeps its own name while the sum is open: a sum inside the derivative
                # that has the same name stands beside it, never around it.
                index, body = opened(term)
                return summed(index, self.of(body))
            case Best():
                return self._of_extreme(term)
            case Product():
                index, body = opened(term)
                return summed(index, times(term, raised(body, number(-1)), self.of(body)))
            case Inverse():
                return self._of_inverse(term)
            case Determinant():
                return self._of_determinant(term)
            case Delta():
                if depends(term, self.wrt):
                    self.cuts.append("an index")
                return ZERO
        raise FormulaError(f"there is no derivative of {type(term).__name__} in index notation")

    def _of_element(self, term: Ref) -> Term:
        if any(depends(index, self.wrt) for index in term.indices):
            self.cuts.append("an index")
        part = part_of(term.tensor)
        if term.tensor is not self.wrt and part is not None and depends(term, self.wrt):
            return self._of_part(term, part)
        if term.tensor is not self.wrt:
            return ZERO
        return times(*map(delta, term.indices, self.indices))

    def _of_part(self, term: Ref, part: Part) -> Term:
        """Go on through a matrix function, to the matrix that it is of."""
        if not isinstance(part.of, Linalg):
            return part_derivative(term, part, _nowhere, _nowhere)
        matrix = part.of.args[0]
        front = term.indices[: matrix.type.rank - 2]

        def at(m: Term, n: Term) -> Term:
            return element(matrix, (*front, m, n), self.stop)

        return part_derivative(term, part, at, lambda m, n: self.of(at(m, n)))

    def _of_product(self, factors: Sequence[Term]) -> Term:
        parts = []
        for i, factor in enumerate(factors):
            inner = self.of(factor)
            if inner is not ZERO:
                parts.append(times(*factors[:i], inner, *factors[i + 1 :]))
        return plus(*parts)

    def _of_call(self, term: Apply) -> Term:
        parts = []
        for i, arg in enumerate(term.args):
            if not depends(arg, self.wrt):
                continue
            if SCALARS[term.function].derivatives[i] is None:
                self.cuts.append(term.function)
                continue
            inner = self.of(arg)
            if inner is not ZERO:
                outer = normal(derivative(term.function, i, term.args, term))
                parts.append(times(outer, inner))
        return plus(*parts)

    def _of_inverse(self, term: Inverse) -> Term:
        """∂A⁻¹ = −A⁻¹ (∂A) A⁻¹."""
        i, j = term.at
        row, column, body = opened_matrix(term)
        left = replace_place(term, (i, row))
        right = replace_place(term, (column, j))
        return minus(sum_over([row, column], times(left, self.of(body), right)))

    def _of_determinant(self, term: Determinant) -> Term:
        """∂ log |det A| = tr(A⁻¹ ∂A)."""
        row, column, body = opened_matrix(term)
        inner = self.of(body)
        if term.function == "signdet" and inner is not ZERO:
            self.cuts.append("the sign of a determinant")
        if term.function == "signdet" or inner is ZERO:
            return ZERO
        first, second = unused(term.extent), unused(term.extent)
        elements = replace(body, {row: first, column: second})
        trace = times(inverse(first, second, elements, (column, row)), inner)
        total = sum_over([row, column], trace)
        return times(term, total) if term.function == "det" else total

    def _of_extreme(self, term: Best) -> Term:
        """Share equally among the elements that attain the extreme."""
        indices: list[Index] = []
        body: Term = term
        while isinstance(body, Best) and body.function == term.function:
            index, body = opened(body)
            indices.append(index)
        hit = call("equal", body, term)
        return times(
            sum_over(indices, times(hit, self.of(body))), raised(sum_over(indices, hit), number(-1))
        )


def _nowhere(m: Term, n: Term) -> Term:
    """Stand for the elements of what is no matrix function's matrix."""
    raise AssertionError("not asked for")


def replace_place(term: Inverse, at: tuple[Term, Term]) -> Term:
    """Return another element of the same inverse."""
    row, column, body = opened_matrix(term)
    return inverse(row, column, body, at)


def depends(term: Term, node: Node) -> bool:
    """Return whether an element of `node` occurs in `term`."""
    return any(isinstance(part, Ref) and _hangs_on(part.tensor, node) for part in walk(term))


def _hangs_on(tensor: Node, node: Node) -> bool:
    """Return whether a tensor is a node, or a result of a matrix function of it."""
    return tensor is node or (part_of(tensor) is not None and node in topological([tensor]))
