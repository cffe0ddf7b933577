"""Matrix functions in formulas: their results have letters, and equations say what those are.

The factors of a matrix, its eigenvectors and its exponential are no terms in its elements. So a
formula calls them L, V or E, as textbooks do, and says beside it that L Lᵀ = A. The chain rule goes
on through them, by their differentials, which are stated in the same letters: a derivative of any
order is a formula again. Sources: Giles, "Collected matrix derivative results for forward and
reverse mode algorithmic differentiation" (2008); Murray, "Differentiation of the Cholesky
decomposition" (2016); Townsend, "Differentiating the singular value decomposition" (2016); Golub
and Pereyra (1973) for the pseudo-inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from graphc.calculus.index_terms import ZERO, unused
from graphc.calculus.recursive import Equation
from graphc.calculus.simplify_inverses import inverse
from graphc.calculus.simplify_numbers import number
from graphc.calculus.simplify_sums import sum_over
from graphc.calculus.simplify_terms import delta, minus, normal, plus, raised, times
from graphc.errors import FormulaError
from graphc.ir.nodes import Node
from graphc.ir.terms import Num, Ref, Term
from graphc.ops.contraction import is_shuffle
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Iota, constant
from graphc.ops.linalg import DIFFERENTIALS, Linalg, flipped, linalg
from graphc.ops.rules import Element, Indices
from graphc.ops.several import Item, item
from graphc.ops.structural import reshape
from graphc.types import Dim

# The results that have letters, and what tells what they are; `{}` stands for the matrix.
LETTERS = {
    "cholesky": ("L",),
    "eigh": ("λ", "V"),
    "svd": ("U", "σ", "V"),
    "qr": ("Q", "R"),
    "pinv": ("P",),
    "expm": ("E",),
}
SAME = {"eigvalsh": ("eigh", 0), "svdvals": ("svd", 1)}  # results of another function
Inner = Callable[[Term, Term], Term]


@dataclass(frozen=True)
class Part:
    """A tensor that a formula has a letter for.

    Parameters
    ----------
    letter
        The wish: ``"L"``.
    of
        The matrix function that it is a result of; None of what is the same for all matrices.
    role
        Which result it is, or ``"gaps"``, ``"half"``, ``"below"``.
    told
        Of a loop's result: from the names of tensors, its own and the equations of a step.
    """

    letter: str
    of: Node | None
    role: int | str
    told: Callable[[Mapping[Node, str]], tuple[str, list[Equation]]] | None = None


_parts: WeakKeyDictionary[Node, Part] = WeakKeyDictionary()


def part_of(node: Node) -> Part | None:
    """Return what a formula's letter for a tensor stands for; None if it has none."""
    return _parts.get(node)


def loop_element(node: Node, part: Part, indices: Indices) -> Term:
    """Return an element of a loop's result, which has a letter from now on."""
    _parts.setdefault(node, part)
    made: Term = Ref(node, tuple(indices))
    return made


def part_element(node: Node, indices: Indices) -> Term | None:
    """Return an element of a result that has a letter; None of any other tensor."""
    base, index = (node.args[0], node.index) if isinstance(node, Item) else (node, 0)
    if not isinstance(base, Linalg):
        return None
    if base.function in SAME:
        function, index = SAME[base.function]
        base = linalg(function, base.args[0])
        assert isinstance(base, Linalg)
    if base.function not in LETTERS:
        return None
    if base.function == "svd" and index == 2:  # NumPy's third result is Vᵀ
        *front, i, j = indices
        indices = (*front, j, i)
    made: Term = Ref(_result(base, index), tuple(indices))
    return made


def _result(base: Linalg, index: int) -> Node:
    letters = LETTERS[base.function]
    node = item(base, index) if len(letters) > 1 else base
    if base.function == "svd" and index == 2:
        node = flipped(node)
    _parts.setdefault(node, Part(letters[index], base, index))
    return node


def triangular_solution(node: Node, indices: Indices, operand: Element) -> Term | None:
    """Return an element of what solves a triangular system; None of any other tensor."""
    if not isinstance(node, Linalg) or node.function != "solve_triangular":
        return None
    lower, unit = node.options
    matrix, size = node.args[0], node.args[0].shape[-1]
    front = indices[: matrix.type.rank - 2]
    row, column, k = unused(size), unused(size), unused(size)
    body = normal(operand(0, (*front, row, column)))
    if unit or _is_lower(matrix) is not lower:
        inside = (row, column) if lower else (column, row)
        role, letter = ("below", "Λ") if unit else ("triangle", "Δ")
        node_ = _below(size) if unit else _triangle(size)
        _parts.setdefault(node_, Part(letter, None, role))
        body = times(Ref(node_, inside), body)
        body = plus(body, delta(row, column)) if unit else body
    place = (*indices[: len(front)], k, *indices[len(front) + 1 :])
    found = inverse(row, column, body, (indices[len(front)], k))
    return sum_over([k], times(found, normal(operand(1, place))))


def _is_lower(matrix: Node) -> bool | None:
    """Return whether a matrix is known to be lower triangular, or else upper; None if neither."""
    turned = False
    while is_shuffle(matrix) and flipped(matrix.args[0]) is matrix:
        (matrix,), turned = matrix.args, not turned
    if isinstance(matrix, Linalg) and matrix.function == "cholesky":
        return not turned
    base = matrix.args[0] if isinstance(matrix, Item) and matrix.index == 1 else None
    return turned if isinstance(base, Linalg) and base.function == "qr" else None


def part_derivative(term: Ref, part: Part, matrix: Inner, inner: Inner) -> Term:
    """Return the derivative of an element of what has a letter.

    Parameters
    ----------
    matrix, inner
        The matrix's element at row m and column n, ``matrix(m, n)``, and its derivative.

    Raises
    ------
    FormulaError
        If only an integral is known.
    """
    if part.of is None:
        return ZERO
    if not isinstance(part.of, Linalg):
        raise FormulaError(
            "the derivative of a loop has no formula but the recursion of its cotangents, which "
            "gc.derive(cost, v) lists"
        )
    function = part.of.function
    if function not in _RULES:
        raise FormulaError(
            f"'{function}' has no derivative in letters; its differential is "
            f"{DIFFERENTIALS[function]}"
        )
    *front, rows, columns = part.of.args[0].shape
    places = term.indices[: len(front)]
    d = _Differential(part.of, places, matrix, inner, rows, columns)
    return _RULES[function](d, part, term.indices[len(front) :])


class _Differential:
    """What the rules are written in: elements of the results, and sums over new indices."""

    def __init__(
        self,
        of: Linalg,
        front: Indices,
        matrix: Inner,
        inner: Inner,
        rows: Dim,
        columns: Dim,
    ) -> None:
        self.of, self.front, self.matrix, self.inner = of, front, matrix, inner
        self.m, self.n = unused(rows), unused(columns)
        self.rows, self.columns = rows, columns

    def __call__(self, index: int, *at: Term) -> Term:
        """Return an element of a result."""
        made: Term = Ref(_result(self.of, index), (*self.front, *at))
        return made

    def inverse(self, index: int, size: Dim, i: Term, j: Term) -> Term:
        """Return an element of the inverse of a result."""
        row, column = unused(size), unused(size)
        return inverse(row, column, self(index, row, column), (i, j))

    def fixed(self, node: Node, part: Part, *at: Term) -> Term:
        """Return an element of a tensor that the rule needs beside the results."""
        _parts.setdefault(node, part)
        front = self.front if part.of is not None else ()
        made: Term = Ref(node, (*front, *at))
        return made

    def moved(self, *factors: Term) -> Term:
        """Return the sum over the matrix's elements: how each moves, times `factors`."""
        return sum_over([self.m, self.n], times(*factors, self.inner(self.m, self.n)))

    def symmetric(self, *factors: Term) -> Term:
        """Return the same for a function that takes its matrix for a symmetric one."""
        one, other = self.inner(self.m, self.n), self.inner(self.n, self.m)
        both = one if one is other else times(number(0.5), plus(one, other))
        return sum_over([self.m, self.n], times(*factors, both))


def _half(size: Dim) -> Node:
    """Return 1 below the diagonal, a half on it, 0 above."""
    run = Iota((), size)
    column = reshape(run, (size, 1))
    on = elementwise("where", elementwise("equal", column, run), constant(0.5), constant(0.0))
    return elementwise("where", elementwise("greater", column, run), constant(1.0), on)


def _below(size: Dim) -> Node:
    """Return 1 below the diagonal, else 0."""
    run = Iota((), size)
    below = elementwise("greater", reshape(run, (size, 1)), run)
    return elementwise("where", below, constant(1.0), constant(0.0))


def _triangle(size: Dim) -> Node:
    """Return 1 on the diagonal and below, else 0."""
    run = Iota((), size)
    above = elementwise("greater", run, reshape(run, (size, 1)))
    return elementwise("where", above, constant(0.0), constant(1.0))


def _gaps(values: Node) -> Node:
    """Return 1 / (v_j − v_i), and 0 where i = j."""
    *front, size = values.shape
    run = Iota((), size)
    same = elementwise("equal", reshape(run, (size, 1)), run)
    gaps = elementwise(
        "subtract", reshape(values, (*front, 1, size)), reshape(values, (*front, size, 1))
    )
    safe = elementwise("where", same, constant(1.0), gaps)
    return elementwise("where", same, constant(0.0), elementwise("reciprocal", safe))


def _cholesky(d: _Differential, part: Part, at: Indices) -> Term:
    """DL = L Φ(L⁻¹ dA L⁻ᵀ)."""
    (i, j), n = at, d.rows
    k = unused(n)
    half = d.fixed(_half(n), Part("Φ", None, "half"), k, j)
    inner = d.symmetric(d(0, i, k), half, d.inverse(0, n, k, d.m), d.inverse(0, n, j, d.n))
    return sum_over([k], inner)


def _eigh(d: _Differential, part: Part, at: Indices) -> Term:
    """dλ_i = v_iᵀ dA v_i, and dV = V (F ⊙ Vᵀ dA V)."""
    if part.role == 0:
        (i,) = at
        return d.moved(d(1, d.m, i), d(1, d.n, i))
    i, j = at
    if part.role == "gaps":
        return _of_gaps(d, i, j, lambda k: d.moved(d(1, d.m, k), d(1, d.n, k)))
    k = unused(d.rows)
    gaps = _gaps_at(d, 0, k, j)
    return sum_over([k], d.symmetric(d(1, i, k), gaps, d(1, d.m, k), d(1, d.n, j)))


def _gaps_at(d: _Differential, values: int, i: Term, j: Term) -> Term:
    found = _result(d.of, values)
    if d.of.function == "svd":
        found = elementwise("square", found)
    return d.fixed(_gaps(found), Part("F", d.of, "gaps"), i, j)


def _of_gaps(d: _Differential, i: Term, j: Term, moved: Callable[[Term], Term]) -> Term:
    """D 1 / (v_j − v_i) = −(dv_j − dv_i) / (v_j − v_i)²."""
    gaps = _gaps_at(d, 0 if d.of.function == "eigh" else 1, i, j)
    return times(raised(gaps, Num(2)), plus(moved(i), minus(moved(j))))


def _svd(d: _Differential, part: Part, at: Indices) -> Term:
    """dσ_i = u_iᵀ dA v_i, and of U and V with F_ij = 1 / (σ_j² − σ_i²)."""

    def change(i: Term) -> Term:
        return d.moved(d(0, d.m, i), d(2, d.n, i))

    if part.role == 1:
        return change(at[0])
    i, j = at
    if part.role == "gaps":
        return _of_gaps(d, i, j, lambda k: times(Num(2), d(1, k), change(k)))
    k = unused(d(1, i).tensor.shape[-1])  # type: ignore[attr-defined]
    left, right = times(d(0, d.m, k), d(2, d.n, j)), times(d(0, d.m, j), d(2, d.n, k))
    own, other = (0, 2) if part.role == 0 else (2, 0)
    scaled = (d(1, j), d(1, k)) if part.role == 0 else (d(1, k), d(1, j))
    both = plus(times(left, scaled[0]), times(right, scaled[1]))
    inside = sum_over([k], d.moved(d(own, i, k), _gaps_at(d, 1, k, j), both))
    place, across = (d.m, d.n) if part.role == 0 else (d.n, d.m)
    if place.extent == k.extent:  # the vectors are all that there are
        return inside
    beside = plus(delta(i, place), minus(sum_over([k], times(d(own, i, k), d(own, place, k)))))
    return plus(inside, d.moved(beside, d(other, across, j), raised(d(1, j), Num(-1))))


def _qr(d: _Differential, part: Part, at: Indices) -> Term:
    """DR = (M − Ω) R and dQ = Q Ω + (I − Q Qᵀ) dA R⁻¹, with M and Ω as the differential says."""
    (i, j), n = at, d.columns
    k = unused(n)

    def m(row: Term, column: Term) -> Term:
        return d.moved(d(0, d.m, row), d.inverse(1, n, d.n, column))

    def below(row: Term, column: Term) -> Term:
        return d.fixed(_below(n), Part("Λ", None, "below"), row, column)

    def omega(row: Term, column: Term) -> Term:
        lower = times(below(row, column), m(row, column))
        return plus(lower, minus(times(below(column, row), m(column, row))))

    if part.role == 1:
        return sum_over([k], times(plus(m(i, k), minus(omega(i, k))), d(1, k, j)))
    turned = sum_over([k], times(d(0, i, k), omega(k, j)))
    if d.rows == d.columns:
        return turned
    beside = plus(delta(i, d.m), minus(sum_over([k], times(d(0, i, k), d(0, d.m, k)))))
    return plus(turned, d.moved(beside, d.inverse(1, n, d.n, j)))


def _pinv(d: _Differential, part: Part, at: Indices) -> Term:
    """DP = P Pᵀ dAᵀ (I − A P) + (I − P A) dAᵀ Pᵀ P − P dA P."""
    i, j = at
    k, row = unused(d.columns), unused(d.rows)

    def outer(one: Term, other: Term) -> Term:
        return sum_over([row], times(d(0, one, row), d(0, other, row)))

    def inner(one: Term, other: Term) -> Term:
        return sum_over([k], times(d(0, k, one), d(0, k, other)))

    left = plus(delta(d.m, j), minus(sum_over([k], times(d.matrix(d.m, k), d(0, k, j)))))
    right = plus(delta(i, d.n), minus(sum_over([row], times(d(0, i, row), d.matrix(row, d.n)))))
    return plus(
        d.moved(outer(i, d.n), left),
        d.moved(right, inner(d.m, j)),
        minus(d.moved(d(0, i, d.m), d(0, d.n, j))),
    )


_RULES: dict[str, Callable[[_Differential, Part, Indices], Term]] = {
    "cholesky": _cholesky,
    "eigh": _eigh,
    "svd": _svd,
    "qr": _qr,
    "pinv": _pinv,
}


# What stands beside a formula, in text and in LaTeX; `{}` is the matrix.
EQUATIONS: dict[tuple[str, int | str], tuple[str, str]] = {
    ("cholesky", 0): ("{L} {L}ᵀ = {A}", "{L} {L}^\\top = {A}"),
    ("eigh", 0): ("{A} = {V} diag({λ}) {V}ᵀ", "{A} = {V} \\mathrm{{diag}}({λ}) {V}^\\top"),
    ("eigh", "gaps"): (
        "{F}_ij = 1 / ({λ}_j − {λ}_i), {F}_ii = 0",
        "{F}_{{ij}} = \\frac{{1}}{{{λ}_j - {λ}_i}},\\ {F}_{{ii}} = 0",
    ),
    ("svd", 0): ("{A} = {U} diag({σ}) {V}ᵀ", "{A} = {U} \\mathrm{{diag}}({σ}) {V}^\\top"),
    ("svd", "gaps"): (
        "{F}_ij = 1 / ({σ}_j² − {σ}_i²), {F}_ii = 0",
        "{F}_{{ij}} = \\frac{{1}}{{{σ}_j^2 - {σ}_i^2}},\\ {F}_{{ii}} = 0",
    ),
    ("qr", 0): ("{A} = {Q} {R}", "{A} = {Q} {R}"),
    ("pinv", 0): ("{P} = {bracketed}⁺", "{P} = {bracketed}^+"),
    ("expm", 0): ("{E} = exp({A})", "{E} = \\exp\\left({A}\\right)"),
    ("", "half"): (
        "{Φ}_ij = 1 below the diagonal, 1/2 on it, 0 above",
        "{Φ}_{{ij}} = 1, \\tfrac{{1}}{{2}}, 0 \\text{{ for }} i > j, i = j, i < j",
    ),
    ("", "triangle"): (
        "{Δ}_ij = 1 on the diagonal and below, else 0",
        "{Δ}_{{ij}} = 1 \\text{{ for }} i \\ge j, \\text{{ else }} 0",
    ),
    ("", "below"): (
        "{Λ}_ij = 1 below the diagonal, else 0",
        "{Λ}_{{ij}} = 1 \\text{{ for }} i > j, \\text{{ else }} 0",
    ),
}
LATEX_LETTERS = {"λ": "\\lambda", "σ": "\\sigma", "Φ": "\\Phi", "Λ": "\\Lambda", "Δ": "\\Delta"}


def equation_of(part: Part) -> tuple[tuple[Node | None, int | str], tuple[str, str]]:
    """Return what tells an equation from others, and the equation that says what a part is."""
    if not isinstance(part.of, Linalg):
        return (None, part.role), EQUATIONS["", part.role]
    role = 0 if isinstance(part.role, int) else part.role
    return (part.of, role), EQUATIONS[part.of.function, role]


def letters_of(part: Part) -> dict[str, Node]:
    """Return the tensors that a part's equation has letters for, besides itself."""
    if not isinstance(part.of, Linalg):
        return {}
    own = LETTERS[part.of.function]
    return {letter: _result(part.of, k) for k, letter in enumerate(own)}
