"""Factoring: what is multiplied and then summed, taken apart into its factors.

A contraction of contractions and of multiplications is one sum of products over labels. Written
so, the order of the products is free to be chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, Labels, extents_of
from graphc.ops.elementwise import Elementwise
from graphc.ops.structural import Reshape, match_axes
from graphc.types import Dim

MOST_FACTORS = 16
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Factor:
    """A tensor in a product, with labels for its axes; axes of size 1 may have None."""

    node: Node
    labels: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A sum of products over all labels that `output` lacks, times `sign`.

    Parameters
    ----------
    output
        The labels of the result's axes; they may repeat.
    sizes
        The size of every label.
    """

    factors: tuple[Factor, ...]
    output: Labels
    sizes: dict[int, Dim]
    sign: int = 1


def product_of(node: Node, opens: Callable[[Node], bool]) -> Product:
    """Return a contraction as a product of factors that `opens` refuses to take apart."""
    return _Opening(opens).of(node)


def replaced(
    product: Product, factor: Factor, by: Node, sign: int, opens: Callable[[Node], bool]
) -> Product:
    """Return a product with `by`, which broadcasts to a factor, in its place."""
    opening = _Opening(opens)
    for label, size in product.sizes.items():
        opening.parents[label] = label
        opening.sizes[label] = size
    opening.next = 1 + max(product.sizes, default=0)
    opening.sign = product.sign * sign
    for held in product.factors:
        if held is factor:
            opening.enter(by, _aligned(by, held))
        else:
            opening.factors.append((held.node, list(held.labels)))
    return opening.finished(list(product.output))


class _Opening:
    """Labels on their way to their final names: a diagonal makes two the same."""

    def __init__(self, opens: Callable[[Node], bool]) -> None:
        self.opens = opens
        self.parents: dict[int, int] = {}
        self.sizes: dict[int, Dim] = {}
        self.factors: list[tuple[Node, list[int | None]]] = []
        self.sign = 1
        self.next = 0
        self.depth = 0

    def of(self, node: Node) -> Product:
        output = [self.fresh(dim) for dim in node.shape]
        self.enter(node, list(output), root=True)
        return self.finished(output)

    def finished(self, output: list[int]) -> Product:
        factors = tuple(
            Factor(node, tuple(None if x is None else self.find(x) for x in labels))
            for node, labels in self.factors
        )
        sizes = {self.find(label): size for label, size in self.sizes.items()}
        return Product(factors, tuple(map(self.find, output)), sizes, self.sign)

    def fresh(self, dim: Dim) -> int:
        label = self.next
        self.next += 1
        self.parents[label] = label
        self.sizes[label] = dim
        return label

    def find(self, label: int) -> int:
        while self.parents[label] != label:
            label = self.parents[label]
        return label

    def equate(self, one: int, other: int) -> None:
        one, other = self.find(one), self.find(other)
        if one != other:
            self.parents[max(one, other)] = min(one, other)

    def enter(self, node: Node, labels: list[int | None], root: bool = False) -> None:
        """Enter a tensor with labels for its axes, taken apart as far as it goes."""
        room = len(self.factors) < MOST_FACTORS and self.depth < DEEPEST
        self.depth += 1
        if not ((root or (room and self.opens(node))) and self._opened(node, labels)):
            self.factors.append((node, labels))
        self.depth -= 1

    def _opened(self, node: Node, labels: list[int | None]) -> bool:
        """Enter the factors of a product; return whether it is one."""
        if isinstance(node, Contraction) and None not in labels:
            self._contraction(node, labels)  # type: ignore[arg-type]
        elif isinstance(node, Elementwise) and node.function == "multiply":
            for arg in node.args:
                self.enter(arg, _aligned(arg, Factor(node, tuple(labels))))
        elif isinstance(node, Elementwise) and node.function == "negative":
            self.sign = -self.sign
            self.enter(node.args[0], labels)
        else:
            return isinstance(node, Reshape) and self._reshape(node, labels)
        return True

    def _contraction(self, node: Contraction, labels: list[int]) -> None:
        own: dict[int, int] = {}
        for inner, outer in zip(node.output, labels, strict=True):
            if inner in own:
                self.equate(own[inner], outer)
            else:
                own[inner] = outer
        for inner, dim in extents_of(node).items():
            if inner not in own:
                own[inner] = self.fresh(dim)
        for arg, inside in zip(node.args, node.inputs, strict=True):
            self.enter(arg, [own[label] for label in inside])

    def _reshape(self, node: Reshape, labels: list[int | None]) -> bool:
        """Look through a reshape that gives or takes axes of size 1."""
        matched = match_axes(node.args[0].shape, node.target)
        if matched is None:
            return False
        # An axis of size 1 that has a label of another size cannot be there: it has None.
        self.enter(node.args[0], [None if new is None else labels[new] for new in matched])
        return True


def _aligned(node: Node, whole: Factor) -> list[int | None]:
    """Return labels for the axes of what broadcasts to a factor; None where it is repeated."""
    missing = len(whole.labels) - node.type.rank
    return [
        None if dim == 1 and full != 1 else label
        for dim, full, label in zip(
            node.shape, whole.node.shape[missing:], whole.labels[missing:], strict=True
        )
    ]
