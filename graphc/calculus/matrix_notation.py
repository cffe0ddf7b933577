"""From index notation to matrix notation.

A product under sums is a network: indices are its points, vectors stand at a point, matrices join
two. Taking a bound index out of the network is an inner product, a matrix times a vector, a matrix
product or a trace; what is left stands at the free indices. Inverses and determinants are factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphc.calculus import matrix_terms as m
from graphc.calculus.index_terms import (
    TWO,
    ZERO,
    Index,
    LogSumExp,
    Softmax,
    base_and_exponent,
    extent_term,
    factors_of,
    free,
    nest_of,
    unused,
    walk,
)
from graphc.calculus.matrix_terms import Matrix
from graphc.calculus.presenting import with_indices
from graphc.errors import FormulaError
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
    Ref,
    Sum,
    Term,
)
from graphc.ops.properties import has

Axes = tuple[Index, ...]


def matrix_form(term: Term, axes: Axes, columns: bool = False) -> Matrix:
    """Return a presented term in matrix notation.

    Parameters
    ----------
    term
        One element of the result, as it is shown in index notation.
    axes
        The indices of the result's axes: none, that of a column, or those of rows and columns.
    columns
        Whether a matrix with a single column is read as a column: a value is, and no Jacobian.

    Raises
    ------
    FormulaError
        If there is no matrix notation for it.
    """
    if len(axes) > 2:
        raise FormulaError(f"there is no matrix notation for a result with {len(axes)} axes")
    if len(axes) == 2 and columns and axes[1].extent == 1:
        term, axes = with_indices(term, {axes[1]: ZERO}), axes[:1]
    return m.oriented(_read(term, axes))


@dataclass
class _Network:
    """A product, by the indices on which its factors depend."""

    scalars: list[Matrix] = field(default_factory=list)
    points: dict[Index, list[Matrix]] = field(default_factory=dict)
    edges: list[tuple[Index, Index, Matrix]] = field(default_factory=list)
    bound: list[Index] = field(default_factory=list)

    def at(self, index: Index) -> Matrix:
        """Return the product of the vectors at an index."""
        found = self.points.get(index)
        return m.hadamard(*found) if found else m.ones(index.extent)

    def degree(self, index: Index) -> int:
        """Return the number of matrices that an index joins."""
        return sum((one is index) + (other is index) for one, other, _ in self.edges)

    def ends_at(self, index: Index) -> bool:
        """Return whether nothing else is at a bound index."""
        return index in self.bound and index not in self.points and not self.degree(index)


def _read(term: Term, axes: Axes) -> Matrix:
    """Return a term as a tensor over `axes`, repeated along those on which it does not depend."""
    if term is ZERO and axes:
        return m.zero(tuple(axis.extent for axis in axes))
    if isinstance(term, Add):
        return m.add(*(_read(part, axes) for part in term.terms))
    nest = nest_of(term)
    parts = _distributed(nest[-1].body if nest else term, bool(nest))
    if parts is not None:
        return m.add(*(_read(_summed(nest, part), axes) for part in parts))
    network = _Network()
    _enter(term, network)
    while network.bound:
        _eliminate(network)
    return m.scaled(tuple(network.scalars), _assembled(network, axes))


def _summed(nest: Sequence[Sum], body: Term) -> Term:
    """Return a term under sums."""
    for part in reversed(nest):
        body = Sum(part.index, part.extent, body)
    return body


def _distributed(term: Term, under_sums: bool) -> list[Term] | None:
    """Multiply out a bracket, where there is one that is better read so.

    One whose terms differ in which of two indices they have: the derivative of a softmax is
    ``diag(z) − z zᵀ``, not ``diag(z) (I − 1 zᵀ)``. And one with more indices than a matrix has.
    """
    if isinstance(term, Add):
        return list(term.terms)
    factors = factors_of(term)
    for position, factor in enumerate(factors):
        rest = (*factors[:position], *factors[position + 1 :])
        nest = nest_of(factor)
        if nest and rest and isinstance(nest[-1].body, Mul):
            parts = _distributed(nest[-1].body, True)
            if parts is not None:
                return [_product(rest, _summed(nest, part)) for part in parts]
        if not isinstance(factor, Add) or not rest:
            continue
        indices = len(free(factor))
        if indices > 2 or (indices == 2 and not under_sums):
            even = all(free(part) == free(factor) for part in factor.terms)
            if indices == 2 and even and not any(isinstance(p, Delta) for p in walk(factor)):
                continue
            return [_product(rest, part) for part in factor.terms]
    return None


def _product(factors: tuple[Term, ...], last: Term) -> Term:
    parts = [f for f in (*factors, *factors_of(last)) if not isinstance(f, Num)]
    number: Num = Num(1)
    for factor in (*factors, *factors_of(last)):
        if isinstance(factor, Num):
            number = Num(number.value * factor.value)
    whole = (*((number,) if number is not Num(1) or not parts else ()), *parts)
    made: Term = Mul(whole) if len(whole) > 1 else whole[0]
    return made


def _enter(term: Term, network: _Network) -> None:
    """Enter the factors of a product, its sums opened."""
    for factor in _enter_kronecker(list(factors_of(term)), network):
        if isinstance(factor, Sum):
            assert isinstance(factor.index, Index)
            index = unused(factor.extent)
            network.bound.append(index)
            _enter(with_indices(factor.body, {factor.index: index}), network)
        else:
            _enter_factor(_selected(factor, network), network)


def _enter_kronecker(factors: list[Term], network: _Network) -> list[Term]:
    """Enter the Kronecker products among factors; return the other factors."""
    for one in factors:
        for other in factors:
            found = _kronecker(one, other)
            if found is None:
                continue
            axes, product = found
            if len(axes) == 1:
                network.points.setdefault(axes[0], []).append(product)
            else:
                network.edges.append((axes[0], axes[1], product))
            rest = [factor for factor in factors if factor is not one and factor is not other]
            return _enter_kronecker(rest, network)
    return factors


def _kronecker(one: Term, other: Term) -> tuple[Axes, Matrix] | None:
    """Return axes and product where the factors are A[i // m, j // n] and B[i % m, j % n]."""
    if not (isinstance(one, Ref) and isinstance(other, Ref)):
        return None
    dims = other.tensor.shape
    if not len(one.indices) == len(other.indices) == len(dims) or len(dims) not in (1, 2):
        return None
    axes: list[Index] = []
    for high, low, dim, outer in zip(
        one.indices, other.indices, dims, one.tensor.shape, strict=True
    ):
        match high, low:
            case Apply("floor_divide", (Index() as i, Num(m_))), Apply(
                "remainder", (j, Num(n_))
            ) if i is j and m_ == n_ == dim and i.extent == m_ * outer:
                axes.append(i)
            case _:
                return None
    parts = [m.tensor(part.tensor, part.tensor.shape) for part in (one, other)]
    return tuple(axes), m.kron(*parts)


def _selected(factor: Term, network: _Network) -> Term:
    """Return an element at given places as a product with one-hot columns."""
    if not isinstance(factor, Ref) or len(factor.indices) < 2:
        return factor
    indices = list(factor.indices)
    if _is_column(factor):
        indices.pop()
    for axis, place in enumerate(indices):
        if not isinstance(place, Index):
            dim = factor.tensor.shape[axis]
            indices[axis] = unused(dim)
            network.bound.append(indices[axis])  # type: ignore[arg-type]
            _enter_delta(indices[axis], place, network)  # type: ignore[arg-type]
    made: Term = Ref(factor.tensor, (*indices, *factor.indices[len(indices) :]))
    return made


def _is_column(part: Ref) -> bool:
    """Return whether an element is one of a matrix with a single column, which reads as such."""
    shape = part.tensor.shape
    return len(shape) == 2 and shape[1] == 1 and part.indices[1] is ZERO


def _enter_delta(index: Index, place: Term, network: _Network) -> None:
    if isinstance(place, Index):
        if place.extent != index.extent:
            raise FormulaError("a part of an identity matrix has no matrix notation")
        network.edges.append((index, place, m.identity(index.extent)))
        return
    axes = _axes(place)
    if not isinstance(place, Num | Ref) or len(axes) > 1:
        raise FormulaError("arithmetic of indices has no matrix notation")
    if isinstance(place, Ref) and not _is_whole(place, axes):
        raise FormulaError("an index that is a certain element has no matrix notation")
    shape = (*(a.extent for a in axes), index.extent)
    name = m.onehot(Ref(place.tensor, ()) if isinstance(place, Ref) else place, shape)
    if axes:
        network.edges.append((axes[0], index, name))
    else:
        network.points.setdefault(index, []).append(name)


def _is_whole(place: Ref, axes: Axes) -> bool:
    """Return whether an element runs over all of its tensor as `axes` do."""
    dims = tuple(axis.extent for axis in axes)
    return place.indices == axes and place.tensor.shape == dims


def _enter_factor(factor: Term, network: _Network) -> None:
    if isinstance(factor, Delta):
        left, right = factor.left, factor.right
        if not isinstance(left, Index):
            left, right = right, left
        if not isinstance(left, Index):
            raise FormulaError("an indicator of two elements has no matrix notation")
        _enter_delta(left, right, network)
        return
    axes = _axes(factor)
    if len(axes) > 2:
        raise FormulaError(f"a factor with {len(axes)} indices has no matrix notation")
    read = _factor(factor, axes)
    if not axes:
        network.scalars.append(read)
    elif len(axes) == 1:
        network.points.setdefault(axes[0], []).append(read)
    else:
        network.edges.append((axes[0], axes[1], read))


def _axes(term: Term) -> Axes:
    return tuple(sorted(free(term), key=lambda index: (len(index.name), index.name)))


def _factor(term: Term, axes: Axes) -> Matrix:
    """Return a factor that is no sum or product; here belong inverses and determinants."""
    base, exponent = base_and_exponent(term)
    if base is not term:
        if not isinstance(exponent, Num):
            raise FormulaError("a power with a tensor for its exponent has no matrix notation")
        return m.power(_read(base, axes), exponent)
    match term:
        case Num() | Extent():
            return m.scalar(term)
        case Add():
            return _read(term, axes)
        case Ref():
            return _element(term, axes)
        case Softmax(body, (index,), (Index() as at,)) if axes == (at,):
            return m.call("softmax", (at.extent,), _read(body, (index,)))
        case LogSumExp(body, (index,)) if not axes:
            return m.call("logsumexp", (), _read(body, (index,)))
        case Inverse(Index() as row, Index() as column, _, body, (Index() as i, Index() as j)):
            whole = m.inverse(_read(body, (row, column)))
            if i is j:
                return m.diagonal(whole)
            return whole if (i, j) == axes else m.transposed(whole)
        case Determinant(function, Index() as row, Index() as column, _, body) if not axes:
            return m.call(function, (), _read(body, (row, column)))
        case Best(function, index, _, body) if not axes and isinstance(index, Index):
            return m.call(function, (), _read(body, (index,)))
        case Apply(function, args):
            shape = tuple(index.extent for index in axes)
            return m.call(function, shape, *(_read(a, axes if free(a) else ()) for a in args))
    raise FormulaError(f"{type(term).__name__.lower()} has no matrix notation here")


def _element(term: Ref, axes: Axes) -> Matrix:
    node, indices = term.tensor, term.indices
    if _is_column(term) and indices[:1] == axes:
        return m.tensor(node, node.shape[:1])
    if len(node.shape) > 2:
        raise FormulaError(f"a tensor with {len(node.shape)} axes has no matrix notation")
    if not all(isinstance(index, Index) for index in indices):
        if axes:
            raise FormulaError("arithmetic of indices has no matrix notation")
        return m.scalar(term)
    for index, dim in zip(indices, node.shape, strict=True):
        if index.extent != dim:  # type: ignore[attr-defined]
            raise FormulaError("a part of a tensor has no matrix notation")
    whole = m.tensor(node, node.shape)
    if (
        len(indices) < 2
        or indices == axes
        or (has(node, "symmetric") and indices[0] is not indices[1])
    ):
        return whole
    return m.diagonal(whole) if indices[0] is indices[1] else m.transposed(whole)


def _eliminate(network: _Network) -> None:
    """Take the bound index out that joins the fewest matrices, the last among equals."""
    index = min(reversed(network.bound), key=network.degree)
    if network.degree(index) > 2:
        _merge_parallel(network)
        index = min(reversed(network.bound), key=network.degree)
    network.bound.remove(index)
    vector = network.at(index)
    edges = [_towards(edge, index) for edge in network.edges if index in edge[:2]]
    network.edges = [edge for edge in network.edges if index not in edge[:2]]
    held = network.points.pop(index, [])
    match edges:
        case []:
            network.scalars.append(_total(held, index))
        case [(other, matrix)]:
            squares = matrix.head == "power" and matrix.value is TWO and not held
            if squares and network.ends_at(other):
                network.bound.remove(other)
                network.scalars.append(m.norm(matrix.args[0]))
                return
            network.points.setdefault(other, []).append(m.chain(matrix, vector))
        case [(one, left), (other, right)]:
            between = (m.diag(vector),) if held else ()
            product = m.chain(left, *between, m.transposed(right))
            if one is not other:
                network.edges.append((one, other, product))
            elif network.ends_at(one):
                network.bound.remove(one)
                network.scalars.append(m.trace(product))
            else:
                network.points.setdefault(one, []).append(m.diagonal(product))
        case _:
            raise FormulaError("an index that more than two matrices share has no matrix notation")


def _merge_parallel(network: _Network) -> None:
    """Multiply matrices that join the same two indices element by element."""
    merged: dict[tuple[Index, Index], Matrix] = {}
    for one, other, matrix in network.edges:
        if (other, one) in merged:
            one, other, matrix = other, one, m.transposed(matrix)
        held = merged.get((one, other))
        merged[one, other] = matrix if held is None else m.hadamard(held, matrix)
    network.edges = [(one, other, matrix) for (one, other), matrix in merged.items()]


def _towards(edge: tuple[Index, Index, Matrix], index: Index) -> tuple[Index, Matrix]:
    """Return the other index of an edge, and its matrix from there to `index`."""
    one, other, matrix = edge
    return (one, matrix) if other is index else (other, m.transposed(matrix))


def _total(vectors: list[Matrix], index: Index) -> Matrix:
    """Return the sum of the elements of a product of columns."""
    if not vectors:
        return m.scalar(extent_term(index.extent))
    if len(vectors) == 1:
        (vector,) = vectors
        if vector.head == "power" and vector.value is TWO:
            return m.norm(vector.args[0])
        return m.inner(m.ones(index.extent), vector)
    return m.inner(m.hadamard(*vectors[:-1]), vectors[-1])


def _assembled(network: _Network, axes: Axes) -> Matrix:
    """Return what is left at the free indices."""
    if not axes:
        return m.scalar(Num(1))
    if len(axes) == 1:
        return network.at(axes[0])
    row, column = axes
    edges = [matrix if one is row else m.transposed(matrix) for one, _, matrix in network.edges]
    if not edges:
        return m.chain(network.at(row), m.transposed(network.at(column)))
    if len(edges) > 1 and any(edge.head == "identity" for edge in edges):
        raise FormulaError("the diagonal part of a matrix has no matrix notation")
    middle = m.hadamard(*edges)
    left = (m.diag(network.at(row)),) if row in network.points else ()
    right = (m.diag(network.at(column)),) if column in network.points else ()
    return m.chain(*left, middle, *right)
