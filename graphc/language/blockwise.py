"""The formulas of every block of a graph: forward, two Jacobians, one step of back-propagation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from graphc.calculus import formulas
from graphc.calculus.constants import named_constants
from graphc.calculus.formulas import Formula, Notation
from graphc.calculus.presenting import length
from graphc.errors import DerivativeError, FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program, substitute, text
from graphc.language.graph import Graph, Use, resolved
from graphc.language.variable import Variable
from graphc.ops.contraction import Contraction
from graphc.ops.leaves import new_input

# The derivatives of a block of more products (a transformer's has eight) would fill pages, and
# take minutes to simplify.
MOST_PRODUCTS = 5
MOST_SYMBOLS = 500  # a gated cell's derivatives have 340, a transformer's layer has 3,000


@dataclass(frozen=True, slots=True)
class Partial:
    """What the formulas say of a block's output by one of its inputs or parameters.

    Parameters
    ----------
    backward
        The cotangent of `wrt` from that of the output; of a cost, whose output is where it all
        starts, the gradient itself.
    """

    output: Variable
    wrt: Variable
    of_state: bool
    jacobian: Formula | None
    backward: Formula | None


@dataclass(frozen=True, slots=True)
class BlockFormulas:
    """The formulas of one use of a block; None where there is no formula."""

    use: Use
    forward: tuple[Formula | None, ...]
    partials: tuple[Partial, ...]


def block_formulas(
    graph: Graph, notation: Notation = "auto", cost: str = "L"
) -> list[BlockFormulas]:
    """Return the formulas of every use in a graph, with the names that variables have there.

    Blocks of one structure share their derivation: a net of a thousand equal layers costs one.
    What was derived once is kept as long as the graph is: files, pages and notebooks ask again.
    """
    kept = _KEPT.setdefault(graph, {})
    if (notation, cost) not in kept:
        kept[notation, cost] = tuple(_derived(graph, notation, cost))
    return list(kept[notation, cost])


_KEPT: WeakKeyDictionary[Graph, dict[tuple[str, str], tuple[BlockFormulas, ...]]]
_KEPT = WeakKeyDictionary()


def _derived(graph: Graph, notation: Notation, cost: str) -> list[BlockFormulas]:
    """Derive the formulas of every use in a graph."""
    known: dict[tuple[str, ...], _Pattern] = {}
    result = []
    constants = constant_names(graph)
    for use, nodes, given in _blocks(graph):
        held = [n for n in topological(nodes[given:], set(nodes[:given])) if n in constants]
        names = [graph.name_of(v) for v in (*use.inputs, *use.parameters.values(), *use.outputs)]
        names += [constants[node] for node in held]
        program = Program(nodes[:given], nodes[given:])
        # The order of the names decides the order of factors, so it is part of the structure.
        key = (text(program), use.kind, *map(str, sorted(range(len(names)), key=names.__getitem__)))
        if key not in known:
            known[key] = _Pattern((*nodes, *held), tuple(names), use, notation, cost)
        result.append(known[key].named(use, tuple(names)))
    return result


def _blocks(graph: Graph) -> Iterator[tuple[Use, tuple[Node, ...], int]]:
    """Yield each use with the nodes of its inputs, parameters and outputs, and how many go in."""
    values = resolved([], graph.variables)
    for use in graph.uses:
        ports = (*use.inputs, *use.parameters.values(), *use.outputs)
        nodes = tuple(values.get(v.node, v.node) for v in ports)
        yield use, nodes, len(ports) - len(use.outputs)


def constant_names(graph: Graph) -> dict[Node, str]:
    """Return what formulas call the constants in the blocks of a graph; numbers have no names."""
    inside = [
        node
        for _, nodes, given in _blocks(graph)
        for node in topological(nodes[given:], set(nodes[:given]))
    ]
    taken = [graph.name_of(v) for v in (*graph.variables, *graph.parameters)]
    return named_constants(inside, taken)


# The names and the formula of each structure of expression.
Expressions = dict[tuple[str, ...], tuple[tuple[str, ...], Formula | None]]


def expression_formula(use: Use, names: Sequence[str], known: Expressions) -> Formula | None:
    """Return what a bare expression computes, in these names of its inputs and its output.

    `known` is added to: expressions of one structure share their derivation.
    """
    (output,) = use.outputs
    source = output.definition if output.definition is not None else output
    nodes = _cut((*(v.node for v in use.inputs), source.node), len(use.inputs))
    program = Program(nodes[:-1], nodes[-1:])
    key = (text(program), *map(str, sorted(range(len(names)), key=names.__getitem__)))
    if key not in known:
        named = dict(zip(reversed(nodes), reversed(names), strict=True))
        known[key] = tuple(names), _tried(partial(formulas.forward, nodes[-1], named))
    before, formula = known[key]
    return _renamed(formula, dict(zip(before, names, strict=True)))


class _Pattern:
    """The formulas of one structure of block, printed under any names."""

    def __init__(
        self,
        nodes: tuple[Node, ...],
        names: tuple[str, ...],
        use: Use,
        notation: Notation,
        cost: str,
    ) -> None:
        given = len(use.inputs) + len(use.parameters)
        nodes = _cut(nodes, given)
        self.names = names
        known = dict(zip(reversed(nodes), reversed(names), strict=True))
        outputs = nodes[given : given + len(use.outputs)]
        self.forward = [
            _tried(partial(formulas.forward, node, known, notation=notation)) for node in outputs
        ]
        simple = _products(outputs, nodes[:given]) <= MOST_PRODUCTS
        self.partials: dict[tuple[int, int], tuple[Formula | None, Formula | None]] = {}
        for o, output in enumerate(outputs):
            for w in range(given):
                if nodes[w].kind == "real" and output.kind == "real":
                    self.partials[o, w] = (
                        _derivatives(output, nodes[w], known, use.kind == "cost", notation, cost)
                        if simple
                        else (None, None)
                    )

    def named(self, use: Use, names: tuple[str, ...]) -> BlockFormulas:
        """Return the formulas under the names of another use."""
        ports = [*use.inputs, *use.parameters.values()]
        change = dict(zip(self.names, names, strict=True))
        partials = tuple(
            Partial(
                use.outputs[o],
                ports[w],
                w < len(use.inputs),
                _renamed(j, change),
                _renamed(b, change),
            )
            for (o, w), (j, b) in self.partials.items()
        )
        return BlockFormulas(use, tuple(_renamed(f, change) for f in self.forward), partials)


def _cut(nodes: tuple[Node, ...], given: int) -> tuple[Node, ...]:
    """Return a block's inputs, parameters and outputs, with nothing behind the inputs.

    One input may be computed from another, as where a skip joins: the block's Jacobian by the one
    leaves the other fixed.
    """
    fresh = {node: new_input(node.type) if node.args else node for node in nodes[:given]}
    return (*(fresh[node] for node in nodes[:given]), *substitute(nodes[given:], fresh))


def _products(outputs: Iterable[Node], fence: Iterable[Node]) -> int:
    """Return how many products of tensors stand between a block's inputs and its outputs."""
    inside = topological(outputs, set(fence))
    return sum(isinstance(node, Contraction) and len(node.args) > 1 for node in inside)


def _derivatives(
    output: Node, wrt: Node, names: Mapping[Node, str], is_cost: bool, notation: Notation, cost: str
) -> tuple[Formula | None, Formula | None]:
    jacobian = _tried(lambda: formulas.jacobian(output, wrt, names, notation=notation))
    if is_cost:
        return jacobian, jacobian
    return jacobian, _tried(
        lambda: formulas.backward(output, wrt, names, cost=cost, notation=notation)
    )


def _tried(make: Callable[[], Formula]) -> Formula | None:
    """Return a formula, or None where there is none: what cannot be derived is left out."""
    try:
        made = make()
    except (FormulaError, DerivativeError):
        return None
    # One that would fill pages is none.
    return made if made.matrix is not None or length(made.term) <= MOST_SYMBOLS else None


def _renamed(formula: Formula | None, change: Mapping[str, str]) -> Formula | None:
    if formula is None or all(old == new for old, new in change.items()):
        return formula

    def name(text_: str) -> str:
        if text_.startswith("∂"):
            head, _, tail = text_.rpartition("/∂")
            return f"{head}/∂{change.get(tail, tail)}"
        return change.get(text_, text_)

    def side(part: tuple[str, Any]) -> tuple[str, Any]:
        return name(part[0]), part[1]

    changed = replace(
        formula,
        names={node: name(old) for node, old in formula.names.items()},
        above=side(formula.above),
        below=tuple(side(part) for part in formula.below),
    )
    # The names keep their order, so the term is presented the same way: not worked out again.
    vars(changed)["presented"] = formula.presented
    return changed
