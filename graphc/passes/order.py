"""Order: take nests of products and sums apart, and multiply in the cheapest order.

``(X * d) @ (Y @ v)`` is one sum of products over labels, and so is a Hessian times a vector. Where
a factor is itself a sum, ``(A + B) @ v``, each term can be multiplied alone: that is what makes a
Hessian times a vector a Hessian-vector product. A weight that cannot be negative, as in XᵀDX, is
given in equal parts to both sides, for XᵀD½ times its own transpose costs half.

Results that are used more than once, or have names, stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphc.batching import mark
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program, rebuilt, users, with_args
from graphc.ops.contraction import Contraction, Labels, broadcast_to, contract, is_shuffle
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import as_number, constant
from graphc.ops.signs import nonnegative
from graphc.ops.structural import Reshape, match_axes, reshape
from graphc.passes.factoring import Factor, Product, product_of, replaced
from graphc.passes.ordering import TRAFFIC, Tree, cheapest, extent, number_of
from graphc.passes.simplify import simplify
from graphc.types import Dim

MOST_TERMS = 16  # tried for one contraction
CLEARLY = 0.99  # of the cost as written: less is worth another order


def order(program: Program) -> Program:
    """Bring every nest of products into the cheapest order that is found."""
    return _Ordering(program).done()


@dataclass(frozen=True, slots=True)
class _Group:
    """The product of the tensors that have the same labels, or its square root."""

    nodes: tuple[Node, ...]
    labels: tuple[int, ...]
    kept: tuple[tuple[int, ...], ...]  # the axes of each tensor that have labels
    root: bool = False

    @property
    def key(self) -> object:
        """What tells two groups apart but for their labels."""
        return (*map(id, self.nodes), self.kept, self.root)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A way to compute a contraction: a product in an order, or a sum of such."""

    cost: int
    product: Product | None = None
    groups: tuple[_Group, ...] = ()
    numbers: tuple[Node, ...] = ()  # factors of rank 0
    tree: Tree = 0
    terms: tuple[_Plan, ...] = ()


class _Ordering:
    """The pass, with what is known of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.counts = users(program.nodes())
        for node in program.outputs:
            self.counts[node] = self.counts.get(node, 0) + 1
        self.fixed = set(program.names)

    def done(self) -> Program:
        """Return the program in its new order."""
        plans: dict[Node, _Plan] = {}
        inside: set[Node] = set()  # of what is taken apart where it is used
        for node in reversed(self.program.nodes()):
            if isinstance(node, Contraction) and node not in inside and self._is_nest(node):
                plan = self._better(node)
                if plan is not None:
                    plans[node] = plan
                    inside |= self._taken_apart(node, plan)
        return simplify(self._rebuilt(plans)) if plans else self.program

    def _is_nest(self, node: Contraction) -> bool:
        return node.kind == "real" and (
            len(node.args) > 2 or any(self.opens(arg) or self._is_sum(arg) for arg in node.args)
        )

    def opens(self, node: Node) -> bool:
        """Return whether to take a node apart: a product that nobody else needs, or none at all."""
        if node.kind != "real":
            return False
        if isinstance(node, Reshape):
            (arg,) = node.args
            return self.opens(arg) and match_axes(arg.shape, node.shape) is not None
        if isinstance(node, Contraction) and is_shuffle(node):
            return bool(node.args[0].args or node.args[0].shape)  # else it is an identity matrix
        if isinstance(node, Elementwise) and node.function in ("multiply", "negative"):
            return self._is_own(node) or _is_outer(node)
        return isinstance(node, Contraction) and self._is_own(node)

    def _is_own(self, node: Node) -> bool:
        """Return whether a node is used once only, and nobody looks at it."""
        return self.counts.get(node, 0) == 1 and node not in self.fixed

    def _is_sum(self, node: Node) -> bool:
        return (
            isinstance(node, Elementwise)
            and node.function in ("add", "subtract")
            and self._is_own(node)
        )

    def _better(self, node: Contraction) -> _Plan | None:
        """Return a plan that costs clearly less than the contraction as it is written."""
        plan = self._best(product_of(node, self.opens), [MOST_TERMS])
        if plan.cost < CLEARLY * self._written(node, 0):
            return plan
        return None

    # Costs.

    def _best(self, product: Product, budget: list[int]) -> _Plan:
        """Return the best plan of a product: as one, or as a sum of those of its terms."""
        plan = _planned(product)
        sums = [factor for factor in product.factors if self._is_sum(factor.node)]
        cost = plan.cost + sum(self._written(factor.node, 0) for factor in sums)
        plan = replace(plan, cost=cost)
        for factor in sums:
            if budget[0] <= 0 or None in factor.labels:
                continue
            budget[0] -= 2
            parts = tuple(
                self._best(replaced(product, factor, arg, sign, self.opens), budget)
                for arg, sign in zip(factor.node.args, _signs(factor.node), strict=True)
            )
            added = 3 * TRAFFIC * _size(product.output, product.sizes)
            cost = sum(part.cost for part in parts) + added
            if cost < plan.cost:
                plan = _Plan(cost, terms=parts)
        return plan

    def _written(self, node: Node, depth: int) -> int:
        """Return what a nest costs as it is written."""
        if depth > 2 * MOST_TERMS or (depth and not self._is_own(node)):
            return 0
        if depth and not (self.opens(node) or self._is_sum(node)):
            return 0
        below = sum(self._written(arg, depth + 1) for arg in node.args)
        if isinstance(node, Contraction):
            return below + _planned(product_of(node, lambda _: False)).cost
        if isinstance(node, Reshape):
            return below
        touched = [node, *node.args]
        return below + TRAFFIC * sum(_elements(part) for part in touched)

    # Building.

    def _taken_apart(self, node: Node, plan: _Plan) -> set[Node]:
        """Return the nodes between a contraction and the factors of its plan."""
        leaves = _leaves(plan)
        return set(topological([node], leaves)) - leaves

    def _rebuilt(self, plans: Mapping[Node, _Plan]) -> Program:
        program, origins = self.program, dict(self.program.origins)
        below = {node: tuple(_ordered_leaves(plan)) for node, plan in plans.items()}
        done: dict[Node, Node] = {node: node for node in program.inputs}
        visit = lambda node: below.get(node, node.args)  # noqa: E731
        for node in topological(program.outputs, done, visit):
            if node in done:
                continue
            if node in plans:
                made = broadcast_to(_built(plans[node], done), node.shape)
            else:
                made = with_args(node, tuple(done[arg] for arg in node.args))
            done[node] = made
            if node in origins:
                mark(made, origins[node], origins)
        return rebuilt(program, done, origins)


def _is_outer(node: Elementwise) -> bool:
    """Return whether a product has more axes than its factors: cheaper made anew than kept."""
    return len(node.args) == 2 and all(_rank(arg) < _rank(node) for arg in node.args)


def _rank(node: Node) -> int:
    return sum(dim != 1 for dim in node.shape)


def _signs(node: Node) -> tuple[int, int]:
    return (1, -1) if getattr(node, "function", "") == "subtract" else (1, 1)


def _elements(node: Node) -> int:
    result = 1
    for dim in node.shape:
        result *= number_of(dim)
    return result


def _size(labels: tuple[int, ...], sizes: Mapping[int, Dim]) -> int:
    result = 1
    for label in labels:
        result *= number_of(sizes[label])
    return result


def _planned(product: Product) -> _Plan:
    """Return the cheapest order of one product."""
    numbers = [f.node for f in product.factors if all(x is None for x in f.labels)]
    groups = _groups(product)
    sizes = {label: number_of(dim) for label, dim in product.sizes.items()}
    forming = sum(
        TRAFFIC * (1 + len(g.nodes)) * extent(g.labels, sizes) for g in groups if len(g.nodes) > 1
    )
    variants = [groups]
    halved = _halved(groups)
    if halved is not None:
        variants.append(halved)
    held = frozenset().union(*(g.labels for g in groups))
    output = [label for label in dict.fromkeys(product.output) if label in held]
    best: _Plan | None = None
    for variant in variants:
        operands = [(g.key, g.labels) for g in variant]
        keys: dict[object, object] = {}  # one object for equal keys
        operands = [(keys.setdefault(key, key), labels) for key, labels in operands]
        cost, tree = cheapest(operands, output, sizes) if operands else (0, 0)
        if best is None or cost < best.cost:
            best = _Plan(cost, product, tuple(variant), tuple(numbers), tree)
    assert best is not None
    whole = 2 * TRAFFIC * _size(product.output, product.sizes)
    repeated = len(set(product.output)) < len(product.output)
    return replace(best, cost=best.cost + forming + (whole if repeated else 0))


def _groups(product: Product) -> list[_Group]:
    """Return the factors that have labels, vectors with the same label together."""
    found: dict[tuple[int, ...], list[Factor]] = {}
    for factor in product.factors:
        labels = tuple(dict.fromkeys(label for label in factor.labels if label is not None))
        if labels:
            found.setdefault(labels, []).append(factor)
    groups = []
    for labels, factors in found.items():
        # Vectors are multiplied beforehand; matrices wait for the search.
        if len(labels) < 2:
            groups.append(_group(factors, labels))
        else:
            groups.extend(_group([factor], labels) for factor in factors)
    first = {node: i for i, node in reversed([*enumerate(f.node for f in product.factors)])}
    groups.sort(key=lambda group: first[group.nodes[0]])  # mirror images in the same order
    return groups


def _group(factors: list[Factor], labels: tuple[int, ...]) -> _Group:
    """Return one group; an axis with a label that came before is read on the diagonal."""
    kept = tuple(
        tuple(-1 if label is None else labels.index(label) for label in factor.labels)
        for factor in factors
    )
    return _Group(tuple(f.node for f in factors), labels, kept)


def _halved(groups: list[_Group]) -> list[_Group] | None:
    """Return the groups with square roots twice for every vector that cannot be negative."""
    result: list[_Group] = []
    for group in groups:
        twice = len(group.labels) == 1 and _is_weight(group.nodes)
        result.extend([replace(group, root=True)] * 2 if twice else [group])
    return result if len(result) > len(groups) else None


def _is_weight(nodes: tuple[Node, ...]) -> bool:
    """Return whether a product cannot be negative: of such factors, and of pairs of equal ones."""
    single: set[Node] = set()
    for node in nodes:
        single ^= {node}
    return all(nonnegative(node) for node in single)


def _ordered_leaves(plan: _Plan) -> list[Node]:
    if plan.terms:
        return [leaf for term in plan.terms for leaf in _ordered_leaves(term)]
    return [*(node for group in plan.groups for node in group.nodes), *plan.numbers]


def _leaves(plan: _Plan) -> set[Node]:
    return set(_ordered_leaves(plan))


def _built(plan: _Plan, done: Mapping[Node, Node]) -> Node:
    """Return the nodes of a plan, in terms of what its factors have become."""
    if plan.terms:
        first, second = (_built(term, done) for term in plan.terms)
        return elementwise("add", first, second)
    product = plan.product
    assert product is not None
    held = frozenset().union(*(g.labels for g in plan.groups))
    number = _number(plan, held, done)
    if plan.groups:
        node, labels = _Building(plan, number, done).of(plan.tree, product.output)
    else:
        node, labels = constant(1.0) if number is None else number, ()
    result = contract((node,), (labels,), product.output, dict(product.sizes))
    return elementwise("negative", result) if product.sign < 0 else result


def _number(plan: _Plan, held: frozenset[int], done: Mapping[Node, Node]) -> Node | None:
    """Return the product of the factors of rank 0, and of the sizes of sums over nothing."""
    assert plan.product is not None
    parts = [reshape(done[node], ()) for node in plan.numbers]
    for label, dim in plan.product.sizes.items():
        if label not in held and label not in plan.product.output and dim != 1:
            parts.append(as_number(dim))
    result: Node | None = None
    for part in parts:
        result = part if result is None else elementwise("multiply", result, part)
    return result


class _Building:
    """The nodes of one product."""

    def __init__(self, plan: _Plan, number: Node | None, done: Mapping[Node, Node]) -> None:
        assert plan.product is not None
        self.groups = plan.groups
        self.tensors = [_formed(group, done) for group in plan.groups]
        self.number = number
        self.place = {label: i for i, label in enumerate(plan.product.output)}
        self.sizes = {label: number_of(dim) for label, dim in plan.product.sizes.items()}
        self.scaled = None if number is None else self._smallest(plan.tree, plan.product.output)

    def of(self, tree: Tree, outside: tuple[int, ...], summed: Labels = ()) -> tuple[Node, Labels]:
        """Return a product and its labels: those in `outside`, first those to be `summed` next."""
        if isinstance(tree, int):
            node, labels = self.tensors[tree], self.groups[tree].labels
            kept = tuple(label for label in labels if label in outside)
            node = contract((node,), (labels,), kept)
        else:
            parts = self._parts(tree, outside)
            first, second = (_labels(part, self.groups) & {*around} for part, around in parts)
            inner = tuple(sorted(first & second - {*outside}))
            (left, one), (right, two) = (self.of(*part, inner) for part in parts)

            # Summed labels in front, in both factors alike: then a product with its own mirror
            # image is one array and its transpose.
            def place(label: int) -> tuple[bool, bool, int]:
                return label not in summed, label in self.place, self.place.get(label, label)

            kept = tuple(sorted({*one, *two} & {*outside}, key=place))
            node = contract((left, right), (one, two), kept)
        if tree == self.scaled and self.number is not None:
            node, self.number = elementwise("multiply", node, self.number), None
        return node, kept

    def _parts(self, tree: Tree, outside: tuple[int, ...]) -> list[tuple[Tree, tuple[int, ...]]]:
        assert not isinstance(tree, int)
        one, two = tree
        first, second = _labels(one, self.groups), _labels(two, self.groups)
        return [(one, (*outside, *second)), (two, (*outside, *first))]

    def _smallest(self, tree: Tree, outside: tuple[int, ...]) -> Tree:
        """Return the smallest of the products to be scaled: none of two mirror images."""
        found: list[tuple[int, Tree]] = []
        pending: list[tuple[Tree, tuple[int, ...]]] = [(tree, outside)]
        while pending:
            part, around = pending.pop()
            found.append((extent(_labels(part, self.groups) & {*around}, self.sizes), part))
            if not isinstance(part, int) and self._keys(part[0]) != self._keys(part[1]):
                pending.extend(self._parts(part, around))
        return min(found, key=lambda pair: pair[0])[1]

    def _keys(self, tree: Tree) -> list[object]:
        if isinstance(tree, int):
            return [self.groups[tree].key]
        return [*self._keys(tree[0]), *self._keys(tree[1])]


def _labels(tree: Tree, groups: tuple[_Group, ...]) -> frozenset[int]:
    if isinstance(tree, int):
        return frozenset(groups[tree].labels)
    return _labels(tree[0], groups) | _labels(tree[1], groups)


def _formed(group: _Group, done: Mapping[Node, Node]) -> Node:
    """Return the product of a group's tensors, each with the group's labels for its axes."""
    result: Node | None = None
    for node, places in zip(group.nodes, group.kept, strict=True):
        axes = [axis for axis, place in enumerate(places) if place >= 0]
        lean = reshape(done[node], tuple(node.shape[axis] for axis in axes))
        order_ = tuple(range(len(group.labels)))
        part = contract((lean,), (tuple(places[axis] for axis in axes),), order_)
        result = part if result is None else elementwise("multiply", result, part)
    assert result is not None
    return elementwise("sqrt", result) if group.root else result
