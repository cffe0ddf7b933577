"""Conditions in the language: ``cond`` and ``branch``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.control.choice import choice
from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
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
from graphc.ops.several import item
from graphc.types import shape_text


def cond(
    condition: Any,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    *operands: Any,
    name: str | None = None,
) -> Any:
    """Return ``true_function(*operands)`` where `condition` holds, else ``false_function``'s.

    Where the condition is the same for all samples, the emitted code branches, and computes one of
    the two. Where it differs, both are computed as far as a sample needs them, and selected. No nan
    or inf of the function that is not taken gets into a result or a derivative.

    Parameters
    ----------
    condition
        A boolean variable without axes.
    true_function, false_function
        Functions of the operands that return structures of one kind, with equal shapes. They may
        use variables, parameters and blocks from around.
    operands
        Variables, or structures of them.
    name
        The name of the block.

    Raises
    ------
    KindError, ShapeError, UsageError
        If the condition is no boolean, or the two functions return what does not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x = gc.observed("x")
    >>> root = gc.cond(x > 0, np.sqrt, lambda v: 0 * v, x)
    >>> float(gc.compile_function([x], gc.grad(root, x))(-1.0))
    0.0
    """
    for function in (true_function, false_function):
        check_callable(function, "cond")
    chosen = as_variable(condition)
    if chosen.kind != "boolean" or chosen.shape:
        raise KindError(
            f"{here()}: cond goes by a boolean without axes, got {chosen.kind} "
            f"{shape_text(chosen.shape)} from {chosen.describe()}; see np.where"
        )
    values, rebuild = flatten(operands)
    variables = [as_variable(v) for v in values]
    names = [
        n
        for own, arg in zip(argument_names(true_function, len(operands)), operands, strict=True)
        for n in paths(arg, own)
    ]
    leaves = [leaf(n, v.node.type) for n, v in zip(names, variables, strict=True)]
    block = Traced("cond", None if name is None else located_name(name, "a block"))
    call = Call(block, (chosen, *variables), {}, SCOPE.current, here())
    found = [trace(call, f, rebuild(iter(leaves))) for f in (true_function, false_function)]
    yes, no = _alike(*found)
    adopt(call, found)
    block.leaves, block.results = tuple(leaves), tuple(found[0].results)
    outer = {v.node: own.node for v, own in zip(leaves, variables, strict=True)}
    outer |= found[0].outer | found[1].outer
    node = choice(chosen.node, outer, (yes, no), found[1].names | found[0].names)
    results = [Variable(item(node, k), call=call, operation="cond") for k in range(len(yes))]
    call.outputs = tuple(results)
    return found[0].rebuild(iter(results))


def _alike(first: Trace, second: Trace) -> tuple[list[Node], list[Node]]:
    """Return the results of two functions; whole numbers are made real where the other's are."""
    check_structure(second.tree, first.tree, "what the second function of cond returns")
    pairs = []
    for a, b in zip(first.nodes, second.nodes, strict=True):
        if a.shape != b.shape:
            raise ShapeError(
                f"{here()}: the functions of cond return shapes {shape_text(a.shape)} "
                f"and {shape_text(b.shape)}; they must be equal"
            )
        if a.kind != b.kind:
            if "boolean" in (a.kind, b.kind):
                raise KindError(f"{here()}: the functions of cond return {a.kind} and {b.kind}")
            a, b = as_real(a), as_real(b)
        pairs.append((a, b))
    return [a for a, _ in pairs], [b for _, b in pairs]


def branch(index: Any, functions: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return ``functions[index](*operands)``; an index out of range counts as the nearest.

    Raises
    ------
    KindError, ShapeError, UsageError
        As for :func:`cond`; also if there is no function, or the index is no integer.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> k, x = gc.observed("k", kind="integer"), gc.observed("x")
    >>> y = gc.branch(k, [np.sin, np.cos, np.tanh], x)
    >>> float(gc.compile_function([k, x], y)(1, 0.0))
    1.0
    """
    chosen = as_variable(index)
    if not functions:
        raise UsageError(f"{here()}: branch needs a function")
    if chosen.kind != "integer" or chosen.shape:
        raise KindError(
            f"{here()}: branch goes by an integer without axes, got {chosen.kind} "
            f"{shape_text(chosen.shape)}"
        )
    return _switched(chosen, list(functions), 0, operands)


def _switched(
    index: Variable, functions: Sequence[Callable[..., Any]], first: int, operands: Any
) -> Any:
    if len(functions) == 1:
        return functions[0](*operands)
    half = len(functions) // 2
    left, right = functions[:half], functions[half:]
    return cond(
        index < first + half,
        lambda *args: _switched(index, left, first, args),
        lambda *args: _switched(index, right, first + half, args),
        *operands,
    )
