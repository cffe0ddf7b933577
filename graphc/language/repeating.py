"""Loops of unknown length in the language: ``while_loop``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.control import repetition as kind
from graphc.errors import KindError
from graphc.ir.nodes import Node
from graphc.language.loops import fitting_carry, promoted
from graphc.language.names import located_name
from graphc.language.source import here
from graphc.language.tracing import (
    Traced,
    adopt,
    argument_names,
    check_callable,
    leaf,
    trace,
)
from graphc.language.trees import check_structure, flatten, paths
from graphc.language.variable import SCOPE, Call, Variable, as_variable
from graphc.ops.several import items
from graphc.types import shape_text


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    *,
    name: str | None = None,
) -> Any:
    """Run `body_fun` while `cond_fun` holds, as in JAX: a loop, emitted as Python's ``while``.

    Where the condition differs between samples, the loop goes on while it holds for one of them,
    and samples that are done keep their values.

    There are values and tangents (`jvp`), but no gradients: nobody knows beforehand how many steps
    there would be to go back. With gradients, :func:`scan` goes over as many steps as there are at
    most, `np.where` keeping what is done, and :func:`fixed_point` nears a limit.

    Parameters
    ----------
    cond_fun
        ``cond_fun(value)``: a boolean without axes. It may use variables from around, as `body_fun`
        may.
    body_fun
        ``body_fun(value) -> value``, of the same structure, shapes and kinds.
    init_val
        The first value: a variable, a number, or structures of them. It is what is returned where
        the condition does not hold for it.
    name
        The name of the block.

    Returns
    -------
    value
        The first value for which the condition does not hold.

    Raises
    ------
    KindError, ShapeError, UsageError
        If the condition is no boolean, or the value changes its structure, a shape or a kind.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> n = gc.observed("n", kind="integer")
    >>> steps, _ = gc.while_loop(
    ...     lambda v: v[1] > 1,
    ...     lambda v: (v[0] + 1, np.where(v[1] % 2 == 0, v[1] // 2, 3 * v[1] + 1)),
    ...     (0, n),
    ... )
    >>> int(gc.compile_function([n], steps)(27))
    111
    """
    for function in (cond_fun, body_fun):
        check_callable(function, "while_loop")
    block = Traced("while_loop", None if name is None else located_name(name, "a block"))
    values, rebuild = flatten(init_val)
    starts = [as_variable(v) for v in values]
    names = paths(init_val, argument_names(body_fun, 1)[0])
    call = Call(block, tuple(starts), {}, SCOPE.current, here())
    nodes = [v.node for v in starts]
    while True:  # until the kinds of the carry fit
        leaves = [leaf(n, node.type) for n, node in zip(names, nodes, strict=True)]
        body = trace(call, body_fun, (rebuild(iter(leaves)),))
        check_structure(body.tree, init_val, "what the body of a while_loop returns")
        carry = fitting_carry(body, names, nodes, "a while_loop")
        if carry is not None:
            break
        nodes = promoted(nodes, body)
    test = trace(call, cond_fun, (rebuild(iter(leaves)),))
    condition = _condition(test.tree, test.nodes)
    adopt(call, [body, test])
    block.leaves, block.results = tuple(leaves), tuple(body.results)
    block.result_names = tuple(names)
    carries = {
        own.node: (start, after) for own, start, after in zip(leaves, nodes, carry, strict=True)
    }
    told = {**test.names, **body.names}
    node = kind.while_loop(test.outer | body.outer, carries, condition, told)
    results = tuple(Variable(n, call=call, operation="while_loop") for n in items(node))
    call.outputs = results
    return rebuild(iter(results))


def _condition(tree: Any, nodes: list[Node]) -> Node:
    """Return what a condition computes; an error if it is no boolean."""
    if len(nodes) != 1 or nodes[0].kind != "boolean" or nodes[0].shape:
        found = ", ".join(f"{n.kind} {shape_text(n.shape)}" for n in nodes) or repr(tree)
        raise KindError(
            f"{here()}: while_loop goes on by a boolean without axes, and its condition is {found}"
            "; see np.any and np.all"
        )
    return nodes[0]
