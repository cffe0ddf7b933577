"""In which order to multiply: the cheapest tree of pairwise products.

The search is exhaustive for few operands and greedy for many. It counts multiplications of matrix
products, and what is read and written, which is all that a product element by element costs. A
product of a tensor with its own mirror image, as in XᵀX, is made once and costs half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from graphc.types import Dim

Labels: TypeAlias = tuple[int, ...]
Tree: TypeAlias = "int | tuple[Tree, Tree]"
Operand: TypeAlias = tuple[object, Labels]  # what it is, for telling equal ones, and its labels

UNKNOWN = 64  # taken for a named size
TRAFFIC = 8  # what one element read or written costs, in multiplications of a matrix product
MOST = 6  # operands of an exhaustive search


def number_of(dim: Dim) -> int:
    """Return a size as a number to compare costs by."""
    return dim if isinstance(dim, int) else UNKNOWN


def extent(labels: set[int] | frozenset[int] | Labels, sizes: Mapping[int, int]) -> int:
    """Return the number of elements of a tensor with `labels`."""
    result = 1
    for label in labels:
        result *= sizes[label]
    return result


def cheapest(
    operands: Sequence[Operand], output: Sequence[int], sizes: Mapping[int, int]
) -> tuple[int, Tree]:
    """Return the cost of the cheapest order, and the order as a tree of positions."""
    trees: list[Tree] = list(range(len(operands)))
    known = list(operands)
    cost = 0
    while len(known) > MOST:
        cost += _merge_smallest(known, trees, output, sizes)
    found = _Search(known, output, sizes).best((1 << len(known)) - 1)
    return cost + found.cost, _substituted(found.tree, trees)


def _merge_smallest(
    known: list[Operand], trees: list[Tree], output: Sequence[int], sizes: Mapping[int, int]
) -> int:
    """Multiply the two operands whose product is smallest; return what that costs."""

    def result(pair: tuple[int, int]) -> tuple[int, int]:
        outside = set(output).union(*(ls for i, (_, ls) in enumerate(known) if i not in pair))
        touched = {*known[pair[0]][1], *known[pair[1]][1]}
        return extent(touched & outside, sizes), extent(touched, sizes)

    a, b = min(combinations(range(len(known)), 2), key=result)
    outside = set(output).union(*(ls for i, (_, ls) in enumerate(known) if i not in (a, b)))
    (one, left), (other, right) = known[a], known[b]
    made = tuple(dict.fromkeys(label for label in (*left, *right) if label in outside))
    cost = pair_cost(frozenset(left), frozenset(right), frozenset(made), sizes)
    known[a], trees[a] = ((one, other, left, right), made), (trees[a], trees[b])
    del known[b], trees[b]
    return cost


def _substituted(tree: Tree, trees: Sequence[Tree]) -> Tree:
    if isinstance(tree, int):
        return trees[tree]
    return _substituted(tree[0], trees), _substituted(tree[1], trees)


def pair_cost(
    left: frozenset[int],
    right: frozenset[int],
    output: frozenset[int],
    sizes: Mapping[int, int],
    mirrored: bool = False,
) -> int:
    """Return what the product of two tensors costs."""
    touched = left | right
    traffic = extent(left, sizes) + extent(right, sizes) + extent(output, sizes)
    if touched == output:
        return TRAFFIC * traffic
    work = extent(touched, sizes)
    batch = left & right & output
    if not (left - right) or not (right - left):
        if batch:  # a dot product for each place: multiplied, then summed
            return TRAFFIC * (traffic + 2 * work)
    elif mirrored and not batch:
        work //= 2
    return work + TRAFFIC * traffic


@dataclass(frozen=True, slots=True)
class _Found:
    """The best product of a subset; of equal cost, the one that mixes the axes least."""

    cost: int
    gaps: int
    tree: Tree


class _Search:
    """One search: subsets of the operands as bits."""

    def __init__(
        self, operands: Sequence[Operand], output: Sequence[int], sizes: Mapping[int, int]
    ) -> None:
        self.operands, self.output, self.sizes = operands, frozenset(output), sizes
        self.place = {label: place for place, label in enumerate(output)}
        self.known: dict[int, _Found] = {}

    def best(self, subset: int) -> _Found:
        """Return the best product of a subset."""
        found = self.known.get(subset)
        if found is None:
            found = self.known[subset] = self._best(subset)
        return found

    def _best(self, subset: int) -> _Found:
        if subset & (subset - 1) == 0:
            position = subset.bit_length() - 1
            own = frozenset(self.operands[position][1])
            summed = TRAFFIC * extent(own, self.sizes) if self.labels(subset) != own else 0
            return _Found(summed, 0, position)
        least: _Found | None = None
        output = self.labels(subset)
        gaps = self._gaps(output)
        lowest = subset & -subset
        part = (subset - 1) & subset
        while part:
            if part & lowest:  # each split once
                other = subset ^ part
                one, two = self.best(part), self.best(other)
                mirrored = self._mirrored(part, other)
                cost = one.cost + (0 if mirrored else two.cost)
                cost += pair_cost(
                    self.labels(part), self.labels(other), output, self.sizes, mirrored
                )
                mixed = one.gaps + two.gaps + gaps
                if least is None or (cost, mixed) < (least.cost, least.gaps):
                    least = _Found(cost, mixed, (one.tree, two.tree))
            part = (part - 1) & subset
        assert least is not None
        return least

    def _gaps(self, labels: frozenset[int]) -> int:
        """Return how many axes of the result lie between those of a part of it."""
        places = [self.place[label] for label in labels if label in self.place]
        return max(places) - min(places) + 1 - len(places) if places else 0

    def labels(self, subset: int) -> frozenset[int]:
        """Return the labels of the product of a subset: those that others or the result have."""
        inside: set[int] = set()
        outside = set(self.output)
        for position, (_, labels) in enumerate(self.operands):
            (inside if subset >> position & 1 else outside).update(labels)
        return frozenset(inside & outside)

    def _mirrored(self, one: int, other: int) -> bool:
        if one.bit_count() != other.bit_count():
            return False
        return self._form(one) == self._form(other)

    def _form(self, subset: int) -> tuple[object, ...]:
        """Return what a product is, whatever its labels are called."""
        names: dict[int, int] = {}
        parts = []
        for position, (what, labels) in enumerate(self.operands):
            if subset >> position & 1:
                named = tuple(names.setdefault(label, len(names)) for label in labels)
                parts.append((id(what), named))
        kept = self.labels(subset)
        return (tuple(parts), tuple(names[label] for label in names if label in kept))
