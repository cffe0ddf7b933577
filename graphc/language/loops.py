"""Loops in the language: ``scan``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from graphc.control import scan as _rules  # noqa: F401  the rules of the kind
from graphc.control.loop import Loop
from graphc.errors import GraphcError, KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.declare import parse_shape
from graphc.language.names import located_name
from graphc.language.source import here
from graphc.language.tracing import (
    Trace,
    Traced,
    adopt,
    argument_names,
    check_callable,
    leaf,
    trace,
)
from graphc.language.trees import check_structure, flatten, paths
from graphc.language.variable import SCOPE, Call, Variable, as_variable
from graphc.ops.elementwise import as_real
from graphc.ops.leaves import Constant, constant
from graphc.ops.several import items
from graphc.types import Dim, TensorType, shape_text


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
    *,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Run `step` once for every slice of `xs`, handing a carry on: a loop, emitted as one.

    Parameters
    ----------
    step
        ``step(carry, x) -> (carry, y)``. It may use variables, parameters and blocks from around.
    init
        The first carry: a variable, or tuples, lists and dictionaries of variables. Every step
        must return one of the same structure, shapes and kinds.
    xs
        What is gone through along the first axis, in any structure; None for nothing.
    length
        The number of steps, an integer or the name of a dimension; needed where `xs` is None.
    reverse
        Whether to go from the last slice to the first; the results stay in the order of `xs`.
    name
        The name of the block.

    Returns
    -------
    carry, ys
        The last carry, and what the steps returned, stacked along a new first axis.

    Raises
    ------
    ShapeError, KindError, UsageError
        If lengths differ, or the carry changes its structure, a shape or a kind.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=("T", 3))
    >>> last, sums = gc.scan(lambda total, row: (total + row, total + row), x[0] * 0, x)
    >>> last.shape, sums.shape
    ((3,), (T, 3))
    """
    check_callable(step, "scan")
    block = Traced("scan", None if name is None else located_name(name, "a block"))
    starts, rebuild_carry = flatten(init)
    starts = [as_variable(v) for v in starts]
    rows = [as_variable(v) for v in flatten(xs)[0]]
    steps = _length(rows, length)
    call = Call(block, (*starts, *rows), {}, SCOPE.current, here())
    nodes = [v.node for v in starts]
    while True:  # until the kinds of the carry fit
        found = _traced(call, step, init, nodes, xs, rows)
        carry = fitting_carry(found, paths(init, argument_names(step, 1)[0]), nodes, "a scan")
        if carry is not None:
            break
        nodes = promoted(nodes, found)
    adopt(call, [found])
    block.leaves, block.results = found.leaves, tuple(found.results)
    block.step_names = _step_names(found, init, step)
    block.result_names = _result_names(block.step_names, len(nodes))
    block.steps, block.carries, block.reverse = steps, len(nodes), reverse
    loop = Loop(steps, reverse, names=found.names, constants=found.outer)
    leaves = [v.node for v in found.leaves]
    count = len(nodes)
    for own, start, after in zip(leaves, nodes, carry, strict=False):
        loop.carries[own] = (start, after)
    loop.slices = dict(zip(leaves[count:], [v.node for v in rows], strict=True))
    loop.stacked = found.nodes[count:]
    results = [Variable(n, call=call, operation="scan") for n in items(loop.node())]
    call.outputs = tuple(results)
    _, rebuild_stacks = flatten(found.tree[1])
    return rebuild_carry(iter(results[:count])), rebuild_stacks(iter(results[count:]))


def fori_loop(
    lower: int, upper: int, body: Callable[[Any, Any], Any], init: Any, *, name: str | None = None
) -> Any:
    """Run `body` for each integer from `lower` to `upper` − 1, as in JAX: a loop, emitted as one.

    Parameters
    ----------
    lower, upper
        Known numbers; how often a loop runs is known before it does.
    body
        ``body(i, value) -> value``, of the same structure, shapes and kinds.
    init
        The first value, in any structure.
    name
        The name of the block.

    Returns
    -------
    value
        The last value; `init` where there is no step.

    Raises
    ------
    UsageError
        If the bounds are not known numbers, and as for :func:`scan`.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> gc.fori_loop(0, 4, lambda i, v: v * x + i, x).shape
    (3,)
    """
    try:
        places = np.arange(index(lower), index(upper))
    except (TypeError, UsageError):
        raise UsageError(
            f"{here()}: the bounds of fori_loop are known integers; gc.scan goes over an axis of a "
            "named size"
        ) from None
    if not len(places):
        return init
    value, _ = scan(lambda value, i: (body(i, value), None), init, places, name=name)
    return value


def _step_names(found: Trace, init: Any, step: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the carries, and of what a step has stacked."""
    carries = paths(init, argument_names(step, 1)[0])
    names = list(carries)
    stacked = zip(found.results[len(carries) :], paths(found.tree[1], "y"), strict=True)
    for variable, path in stacked:
        same = [c for c, own in zip(carries, found.results, strict=False) if own is variable]
        names.append(variable.name or (same[0] if same else path))
    return tuple(names)


def _result_names(names: Sequence[str], carries: int) -> tuple[str, ...]:
    """Return the names of the results: a stack has an s behind the name that it has in a step."""
    told: list[str] = []
    for k, name in enumerate(names):
        wish = name if k < carries else f"{name}s"
        told.append(f"{wish}{k}" if wish in told else wish)
    return tuple(told)


def _length(rows: Sequence[Variable], length: Any) -> Dim:
    """Return the number of steps."""
    try:
        given = None if length is None else parse_shape((length,))[0]
    except GraphcError as error:
        raise error.within(f"{here()}: scan, length") from None
    known: list[tuple[str, Dim]] = [] if given is None else [("length", given)]
    for row in rows:
        if not row.shape:
            raise ShapeError(f"{here()}: scan goes along the first axis; {row.describe()} has none")
        known.append((row.describe(), row.shape[0]))
    if not known:
        raise UsageError(f"{here()}: scan needs xs or length=, to know the number of steps")
    if len({size for _, size in known}) > 1:
        told = " and ".join(f"{size} of {what}" for what, size in known)
        raise ShapeError(f"{here()}: scan goes through stacks of one length, got {told}")
    return known[0][1]


def _traced(
    call: Call,
    step: Callable[..., Any],
    init: Any,
    starts: Sequence[Node],
    xs: Any,
    rows: Sequence[Variable],
) -> Trace:
    first, second = argument_names(step, 2)
    states = [leaf(n, s.type) for n, s in zip(paths(init, first), starts, strict=True)]
    slices = [
        leaf(n, TensorType(row.shape[1:], row.node.kind))
        for n, row in zip(paths(xs, second), rows, strict=True)
    ]
    arguments = (flatten(init)[1](iter(states)), flatten(xs)[1](iter(slices)))
    found = trace(call, step, arguments)
    if not (isinstance(found.tree, tuple) and len(found.tree) == 2):
        raise UsageError(f"{here()}: the step of a scan returns a pair: the next carry, and y")
    check_structure(found.tree[0], init, "the carry that the step of a scan returns")
    return found


def fitting_carry(
    found: Trace, names: Sequence[str], starts: Sequence[Node], operation: str
) -> list[Node] | None:
    """Return what the next step gets; None where the first one must get another kind."""
    after = found.nodes[: len(starts)]
    for name, own, start in zip(names, after, starts, strict=True):
        if own.shape != start.shape:
            raise ShapeError(
                f"{here()}: the carry '{name}' of {operation} starts with shape "
                f"{shape_text(start.shape)}, and its step returns {shape_text(own.shape)}"
            )
        kinds = {own.kind, start.kind}
        if "boolean" in kinds and len(kinds) > 1:
            raise KindError(
                f"{here()}: the carry '{name}' of {operation} starts {start.kind}, "
                f"and its step returns {own.kind} values"
            )
        if own.kind == "real" != start.kind:
            if not isinstance(start, Constant):
                raise KindError(
                    f"{here()}: the carry '{name}' of {operation} starts integer, and its "
                    "step returns real values; start with real ones, such as 1.0 * v"
                )
            return None
    return [
        as_real(own) if start.kind == "real" else own
        for own, start in zip(after, starts, strict=True)
    ]


def promoted(starts: Sequence[Node], found: Trace) -> list[Node]:
    """Return the first carries, whole numbers made real where the step returns real ones."""
    after = found.nodes[: len(starts)]
    return [
        _real(start) if own.kind == "real" else start
        for start, own in zip(starts, after, strict=True)
    ]


def _real(node: Node) -> Node:
    return constant(node.value * 1.0) if isinstance(node, Constant) else node
