"""Dimensions, tensor types and broadcasting.

A dimension is an ``int`` or a :class:`Dimension`, an integer polynomial in named sizes with
floor divisions as further atoms. It has a normal form of its own: equality of two dimensions is
equality of two tuples, which is what shape checks do all day long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import index
from typing import Literal, TypeAlias

from graphc.errors import ShapeError

Kind: TypeAlias = Literal["real", "integer", "boolean"]
Atom: TypeAlias = "str | FloorDivision"
Monomial: TypeAlias = tuple[Atom, ...]

KINDS: tuple[Kind, ...] = ("boolean", "integer", "real")  # in order of promotion


@dataclass(frozen=True, slots=True)
class FloorDivision:
    """The floor of a quotient that does not divide out: an atom of a dimension."""

    numerator: Dimension
    denominator: Dim

    def __str__(self) -> str:
        return f"({self.numerator})//{_factor(self.denominator)}"


@dataclass(frozen=True, slots=True)
class Dimension:
    """A named size, or an integer polynomial in named sizes.

    Parameters
    ----------
    terms
        Pairs of a monomial (a sorted tuple of atoms) and its nonzero coefficient, sorted.
    """

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: Dim) -> Dim:
        total = dict(self.terms)
        for monomial, coefficient in terms_of(other):
            total[monomial] = total.get(monomial, 0) + coefficient
        return _dimension(total)

    def __mul__(self, other: Dim) -> Dim:
        total: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in terms_of(other):
                monomial = tuple(sorted(left + right, key=str))
                total[monomial] = total.get(monomial, 0) + a * b
        return _dimension(total)

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + (-other)

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __floordiv__(self, other: Dim) -> Dim:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return floor_divide(other, self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            sign = " - " if coefficient < 0 else " + "
            factors = [str(atom) for atom in monomial]
            if abs(coefficient) != 1 or not factors:
                factors.insert(0, str(abs(coefficient)))
            if len(factors) > 1:  # 3*(n)//2 would be the half of 3*n
                factors = [f"({part})" if "//" in part else part for part in factors]
            text += (sign if text else sign.strip(" +")) + "*".join(factors)
        return text

    __repr__ = __str__


Dim: TypeAlias = int | Dimension
Shape: TypeAlias = tuple[Dim, ...]


def named(name: str) -> Dimension:
    """Return the size called `name`."""
    return Dimension((((name,), 1),))


def floor_divide(a: Dim, b: Dim) -> Dim:
    """Return ``a // b``, divided out where there is no remainder, whatever the sizes are.

    Raises
    ------
    ShapeError
        If `b` is 0.
    """
    if b == 0:
        raise ShapeError(f"the size {a} cannot be divided by 0")
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    quotient = _quotient(a, b)
    if quotient is not None:
        return quotient
    whole: Dim = 0
    if isinstance(b, int) and b > 0:  # (3*n + 5) // 2 is n + 2 + (n + 1) // 2, whatever n is
        whole = _dimension({monomial: c // b for monomial, c in terms_of(a)})
        a = a - whole * b
    if isinstance(a, int):
        return whole + a // b if isinstance(b, int) else _floor(Dimension((((), a),)), b)
    return whole + _floor(a, b)


def _floor(a: Dimension, b: Dim) -> Dim:
    return Dimension((((FloorDivision(a, b),), 1),))


def names_in(dim: Dim) -> set[str]:
    """Return the named sizes that `dim` is made of."""
    found: set[str] = set()
    for monomial, _ in terms_of(dim):
        for atom in monomial:
            if isinstance(atom, str):
                found.add(atom)
            else:
                found |= names_in(atom.numerator) | names_in(atom.denominator)
    return found


def evaluate(dim: Dim, sizes: Mapping[str, Dim]) -> Dim:
    """Return `dim` with the named sizes that `sizes` holds put in."""
    if isinstance(dim, int):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        product: Dim = coefficient
        for atom in monomial:
            if isinstance(atom, str):
                product = product * sizes.get(atom, named(atom))
            else:
                over = evaluate(atom.numerator, sizes), evaluate(atom.denominator, sizes)
                product = product * floor_divide(*over)
        total = total + product
    return total


def count(dim: Dim, sizes: Mapping[str, int]) -> int:
    """Return `dim` as an integer, all its named sizes known."""
    value = evaluate(dim, sizes)
    assert isinstance(value, int), f"the size {dim} is not known"
    return value


def size_of(shape: Sequence[Dim]) -> Dim:
    """Return the number of elements of an array of `shape`."""
    one: Dim = 1
    return reduce(lambda a, b: a * b, shape, one)


def terms_of(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    """Return the monomials of a dimension with their coefficients."""
    return dim.terms if isinstance(dim, Dimension) else ((((), dim),) if dim else ())


def _dimension(total: Mapping[Monomial, int]) -> Dim:
    kept = [(m, c) for m, c in total.items() if c]
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    # The constant last, as one writes it: n + 1.
    return Dimension(tuple(sorted(kept, key=lambda term: (not term[0], str(term[0])))))


def _quotient(a: Dim, b: Dim) -> Dim | None:
    """Return ``a / b`` as a polynomial, by long division; None where it leaves a remainder."""
    divisor, by = max(terms_of(b), key=_degree)
    total: Dim = 0
    rest = a
    while rest != 0:
        monomial, coefficient = max(terms_of(rest), key=_degree)
        atoms = list(monomial)
        for atom in divisor:
            if atom not in atoms:
                return None
            atoms.remove(atom)
        if coefficient % by:
            return None
        step = _dimension({tuple(atoms): coefficient // by})
        total = total + step
        rest = rest - step * b
    return total


def _degree(term: tuple[Monomial, int]) -> tuple[int, list[str]]:
    """Return where a term stands: an order that multiplication keeps."""
    return len(term[0]), [str(atom) for atom in term[0]]


def _factor(dim: Dim) -> str:
    text = str(dim)
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape and kind of a tensor; how many bits a number has is the target's business."""

    shape: Shape
    kind: Kind = "real"

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.kind} {shape_text(self.shape)}"


@dataclass(frozen=True, slots=True)
class TupleType(TensorType):
    """The type of a node with several results.

    It has no shape, and the kind is real as soon as one result is: then a derivative may pass.
    """

    shape: Shape = field(default=(), init=False, repr=False)
    kind: Kind = field(default="real", init=False, repr=False)
    items: tuple[TensorType, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", promote(item.kind for item in self.items))

    def __str__(self) -> str:
        return "[" + ", ".join(str(item) for item in self.items) + "]"


def shape_text(shape: Sequence[Dim]) -> str:
    """Return a shape as Python prints a tuple, named sizes without quotes."""
    inner = ", ".join(str(dim) for dim in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def promote(kinds: Iterable[Kind]) -> Kind:
    """Return the kind that holds values of all `kinds`, as NumPy promotes."""
    return max(kinds, key=KINDS.index)


def broadcast(*shapes: Sequence[Dim]) -> Shape:
    """Return the common shape under NumPy's rules; a named size never broadcasts as 1.

    Raises
    ------
    ShapeError
        If two sizes differ and neither is the integer 1.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, rank - len(shape)):
            if result[axis] == 1 and isinstance(result[axis], int):
                result[axis] = dim
            elif dim != result[axis] and dim != 1:
                listed = " and ".join(shape_text(shape) for shape in shapes)
                raise ShapeError(f"shapes {listed} do not broadcast: {result[axis]} against {dim}")
    return tuple(result)


def normal_axis(axis: int, rank: int) -> int:
    """Return `axis` counted from the front."""
    try:
        axis = index(axis)
    except TypeError:
        raise ShapeError(f"an axis is a whole number, got {axis!r}") from None
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is out of range for an array with {rank} axes")
    return axis % rank


def normal_axes(axis: int | Iterable[int] | None, rank: int) -> tuple[int, ...]:
    """Return the axes that NumPy's `axis` argument names, sorted; ``None`` names all."""
    if axis is None:
        return tuple(range(rank))
    axes = tuple(axis) if isinstance(axis, Iterable) else (axis,)
    normal = tuple(sorted(normal_axis(a, rank) for a in axes))
    if len(set(normal)) < len(normal):
        raise ShapeError(f"axis {axes} names an axis twice")
    return normal
