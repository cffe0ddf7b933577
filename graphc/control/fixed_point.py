"""Fixed points: a body that is applied until its result stays what it is.

``FixedPoint(args, body, unknowns, tolerance, iterations)`` takes constants, then where the unknowns
start; the body gives the next unknowns. The result z = f(z, a) does not depend on the start. Its
derivative is that of the equation and not of the way there (implicit function theorem): for a
cotangent g, u = g + (∂f/∂z)ᵀ u is a fixed point of the same kind, and (∂f/∂a)ᵀ u the cotangent of
a. Nothing of the iterations is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.batching import batch_nodes
from graphc.calculus.reverse import carriers, sweep
from graphc.control.body import HOLDERS, Body, body, replaced
from graphc.errors import FormulaError, ShapeError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Input, new_input
from graphc.ops.rules import Element, Indices, Sizes, define, derived, evaluate
from graphc.ops.several import held_at, item, items
from graphc.types import Dim, TensorType, TupleType

PRECISION = 0.75  # of the digits of a number, by default


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class FixedPoint(Node):
    """The unknowns that a body gives back; see the module's text.

    Parameters
    ----------
    tolerance
        How much a step may change at most, relative to 1 + the largest element; 0 for what the
        numbers' precision allows.
    iterations
        How many steps there may be.
    """

    body: Body
    unknowns: int
    tolerance: float
    iterations: int

    @property
    def constants(self) -> int:
        """How many constants there are."""
        return len(self.args) - self.unknowns


HOLDERS.add(FixedPoint)


def fixed_point(
    constants: dict[Node, Node],
    unknowns: dict[Node, tuple[Node, Node]],
    tolerance: float,
    iterations: int,
    names: dict[Node, str],
) -> Node:
    """Return the node: of leaves of a body, what they stand for; where they start, what follows."""
    inner = {
        leaf: outer
        for leaf, outer in constants.items()
        if not outer.args and not isinstance(outer, Input)
    }
    ends = [after for _, after in unknowns.values()]
    new = replaced(ends, inner)
    outputs = tuple(new[n] for n in ends)
    used = set(topological(outputs))
    kept = {leaf: outer for leaf, outer in constants.items() if leaf in used and leaf not in inner}
    inputs = (*kept, *unknowns)
    told = {n: name for n, name in names.items() if n in used or n in unknowns}
    made: Node = FixedPoint(
        (*kept.values(), *(start for start, _ in unknowns.values())),
        body(Program(inputs, outputs, told)),
        len(unknowns),
        tolerance,
        iterations,
    )
    return made


def _type(node: FixedPoint) -> TupleType:
    for leaf, arg in zip(node.body.inputs, node.args, strict=True):
        if leaf.type != arg.type:
            raise ShapeError(f"a body takes {leaf.type}, got {arg.type}")
    unknowns = node.body.inputs[node.constants :]
    for leaf, after in zip(unknowns, node.body.outputs, strict=True):
        if leaf.type != after.type:
            raise ShapeError(f"an unknown starts as {leaf.type}, and a step makes it {after.type}")
    return TupleType(tuple(leaf.type for leaf in unknowns))


def _cuts(node: FixedPoint, i: int) -> bool:
    if i >= node.constants or node.args[i].kind != "real":
        return True
    return not _passes(node.body, i)


@lru_cache(maxsize=1024)
def _passes(held: Body, place: int) -> bool:
    found = carriers(held.nodes(), [held.inputs[place]])
    return any(out in found for out in held.outputs)


def _vjp(node: FixedPoint, i: int, g: Node) -> Node:
    found = _backward(node, g)[i]
    return full(0.0, node.args[i].shape) if found is None else found


@lru_cache(maxsize=64)
def _backward(node: FixedPoint, g: Node) -> tuple[Node | None, ...]:
    """Return the cotangents of the constants, from the solution of the adjoint equation."""
    held, first = node.body, node.constants
    leaves = held.inputs[first:]
    adjoint = {leaf: new_input(leaf.type) for leaf in leaves}
    given = {leaf: held_at(g, k) for k, leaf in enumerate(leaves)}
    sources = {leaf: new_input(leaf.type) for leaf, outer in given.items() if outer is not None}
    back = sweep(held.outputs, list(adjoint.values()), leaves)
    constants = dict(zip(held.inputs, (*node.args[:first], *items(node)), strict=True))
    constants |= {sources[leaf]: given[leaf] for leaf in sources}  # type: ignore[misc]
    unknowns = {}
    for leaf, pulled in zip(leaves, back, strict=True):
        terms = [n for n in (sources.get(leaf), pulled) if n is not None]
        after = full(0.0, leaf.shape) if not terms else terms[0]
        if len(terms) > 1:
            after = elementwise("add", *terms)
        unknowns[adjoint[leaf]] = (given[leaf] or full(0.0, leaf.shape), after)
    names = {adjoint[n]: f"d_{name}" for n, name in held.names if n in adjoint}
    solved = fixed_point(
        constants, unknowns, node.tolerance, node.iterations, {**dict(held.names), **names}
    )
    at = dict(zip(held.inputs, (*node.args[:first], *items(node)), strict=True))
    # The equation once more, outside, where the constants are what the derivative goes to.
    wrt = [leaf for leaf in held.inputs[:first] if leaf.kind == "real"]
    cotangents = [item(solved, k) for k in range(node.unknowns)]
    found = dict(zip(wrt, sweep(held.outputs, cotangents, wrt), strict=True))
    ends = [n for n in found.values() if n is not None]
    new = replaced(ends, at)
    return tuple(None if (n := found.get(leaf)) is None else new[n] for leaf in held.inputs[:first])


def _batch(node: FixedPoint, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    """Iterate for all samples at once, until the last of them stays what it is."""
    held, first = node.body, node.constants
    flags = [*batched[:first], *([True] * node.unknowns)]
    wide = {
        leaf: new_input(TensorType((size, *leaf.shape), leaf.kind))
        for leaf, flag in zip(held.inputs, flags, strict=True)
        if flag
    }
    new, varying, _ = batch_nodes(held.outputs, wide, size)
    constants = {
        wide.get(leaf, leaf): arg for leaf, arg in zip(held.inputs[:first], args, strict=False)
    }
    unknowns = {}
    for leaf, out, start, flag in zip(
        held.inputs[first:], held.outputs, args[first:], batched[first:], strict=True
    ):
        after = new[out] if out in varying else broadcast_to(new[out], (size, *out.shape))
        begin = start if flag else broadcast_to(start, (size, *start.shape))
        unknowns[wide[leaf]] = (begin, after)
    names = {wide.get(n, n): name for n, name in held.names if n in held.inputs}
    return fixed_point(constants, unknowns, node.tolerance, node.iterations, names)


def _meaning(node: FixedPoint, indices: Indices, element: Element) -> Term:
    raise FormulaError(
        "a fixed point z = g(z, w) has no formula; its derivative is (I − ∂g/∂z)⁻¹ ∂g/∂w; ask for "
        "the formulas of g"
    )


def _evaluate(node: FixedPoint, values: Sequence[Any], sizes: Sizes) -> Any:
    held, first = node.body, node.constants
    tolerance = node.tolerance or np.finfo(float).eps ** PRECISION
    state = [np.asarray(v, float) for v in values[first:]]
    for _ in range(node.iterations):
        given = dict(zip(held.inputs, (*values[:first], *state), strict=True))
        after = evaluate(held.outputs, given, sizes)
        still = [_settled(a, b, tolerance) for a, b in zip(after, state, strict=True)]
        state = after
        if all(still):
            return tuple(state)
    raise ArithmeticError(f"no fixed point was reached in {node.iterations} iterations")


def _settled(new: Any, old: Any, tolerance: float) -> bool:
    change = np.max(np.abs(new - old), initial=0.0)
    return bool(change <= tolerance * (1 + np.max(np.abs(new), initial=0.0)))


define(
    FixedPoint,
    type=_type,
    cuts=_cuts,
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
