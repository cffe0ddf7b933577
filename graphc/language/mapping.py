"""Mapping in the language: ``vmap``, a function of one applied to many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.batching import batch_nodes
from graphc.control.body import replaced
from graphc.errors import GraphcError, ShapeError, UsageError
from graphc.ir.nodes import Node
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
from graphc.language.trees import flatten, paths
from graphc.language.variable import SCOPE, Call, Variable, as_variable
from graphc.ops.contraction import broadcast_to, transpose
from graphc.types import Dim, TensorType, normal_axis


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """Return `f`, a function of variables, for many of them at once, along an axis.

    Parameters
    ----------
    f
        A function of variables, or of tuples, lists and dictionaries of them.
    in_axes
        The axis of each argument to go along: one for all, or a tuple of one for each; an entry
        may be a structure like its argument. None: the argument is the same for all.
    out_axes
        Where the axis is in the results: one for all, or a structure like the result. None: the
        result is the same for all.

    Raises
    ------
    ShapeError
        If the axes have different sizes.
    UsageError
        If `in_axes` does not fit the arguments, no argument is gone along, or a result that
        `out_axes` says is the same for all is not.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> w, x = gc.parameter("w", shape=3), gc.observed("x", shape=("n", 3))
    >>> gc.vmap(lambda row: np.tanh(w @ row))(x).shape
    (n,)
    """
    check_callable(f, "vmap")

    def mapped(*args: Any) -> Any:
        return _mapped(f, in_axes, out_axes, args)

    return mapped


def _mapped(f: Callable[..., Any], in_axes: Any, out_axes: Any, args: tuple[Any, ...]) -> Any:
    values, rebuild = flatten(args)
    variables = [as_variable(v) for v in values]
    if isinstance(in_axes, tuple | list) and len(in_axes) != len(args):
        raise UsageError(f"{here()}: vmap of {len(args)} arguments, but in_axes has {len(in_axes)}")
    axes = _spread(tuple(in_axes) if isinstance(in_axes, list) else in_axes, args, "in_axes")
    size, moved = _moved(variables, axes)
    names = [
        n
        for name, arg in zip(argument_names(f, len(args)), args, strict=True)
        for n in paths(arg, name)
    ]
    leaves = [
        leaf(name, TensorType(n.shape[1:] if axis is not None else n.shape, n.kind))
        for name, n, axis in zip(names, moved, axes, strict=True)
    ]
    block = Traced("vmap")
    call = Call(block, tuple(variables), {}, SCOPE.current, here())
    found = trace(call, f, rebuild(iter(leaves)))
    adopt(call, [found])
    block.leaves, block.results = found.leaves, tuple(found.results)
    outs = _spread(out_axes, found.tree, "out_axes")
    nodes = _batched(found, moved, axes, outs, size)
    results = [Variable(node, call=call, operation="vmap") for node in nodes]
    call.outputs = tuple(results)
    return found.rebuild(iter(results))


def _spread(axes: Any, tree: Any, what: str) -> list[int | None]:
    """Return an axis for each leaf of a structure, from a structure that ends earlier perhaps."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(flatten(tree)[0])
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        return [a for key in tree for a in _spread(axes[key], tree[key], what)]
    several = isinstance(axes, tuple | list) and isinstance(tree, tuple | list)
    if several and len(axes) == len(tree):
        return [a for own, part in zip(axes, tree, strict=True) for a in _spread(own, part, what)]
    raise UsageError(f"{here()}: vmap, {what}: {axes!r} does not fit the structure it is for")


def _moved(variables: list[Variable], axes: list[int | None]) -> tuple[Dim, list[Node]]:
    """Return the size of the axis, and the arguments with the axis in front."""
    sizes: dict[Dim, Variable] = {}
    moved: list[Node] = []
    for v, axis in zip(variables, axes, strict=True):
        if axis is None:
            moved.append(v.node)
            continue
        try:
            at = normal_axis(axis, v.ndim)
        except GraphcError as error:
            raise error.within(f"{here()}: vmap along {v.describe()}") from None
        sizes.setdefault(v.shape[at], v)
        moved.append(transpose(v.node, (at, *(a for a in range(v.ndim) if a != at))))
    if not sizes:
        raise UsageError(f"{here()}: vmap goes along an axis of one argument at least")
    if len(sizes) > 1:
        told = " and ".join(f"{size} of {v.describe()}" for size, v in sizes.items())
        raise ShapeError(f"{here()}: vmap goes along axes of one size, got {told}")
    return next(iter(sizes)), moved


def _batched(
    found: Trace,
    moved: list[Node],
    axes: list[int | None],
    outs: list[int | None],
    size: Dim,
) -> list[Node]:
    leaves = [v.node for v in found.leaves]
    pairs = list(zip(leaves, moved, axes, strict=True))
    same = {leaf: node for leaf, node, axis in pairs if axis is None}
    nodes = replaced(found.nodes, same)
    ends = [nodes[n] for n in found.nodes]
    wide = {leaf: node for leaf, node, axis in pairs if axis is not None}
    new, varying, _ = batch_nodes(ends, wide, size)
    results = []
    for end, out in zip(ends, outs, strict=True):
        if out is None:
            if end in varying:
                raise UsageError(
                    f"{here()}: vmap, out_axes=None: this result is not the same for all"
                )
            results.append(new[end])
            continue
        stacked = new[end] if end in varying else broadcast_to(new[end], (size, *end.shape))
        at = normal_axis(out, stacked.type.rank)
        order = list(range(1, stacked.type.rank))
        results.append(transpose(stacked, (*order[:at], 0, *order[at:])))
    return results
