"""Opaque calls: functions of the user's, of which graphc knows the types of the results alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import DerivativeError, FormulaError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, full
from graphc.ops.rules import Element, Indices, Sizes, define, derived
from graphc.ops.several import held_at, item, types_of
from graphc.ops.structural import concrete
from graphc.types import Dim, Shape, TensorType, TupleType, shape_text

DTYPES = {"real": float, "integer": np.int64, "boolean": bool}


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A function of the user's.

    Parameters
    ----------
    name
        As messages and files call it.
    source
        ``"module:function"``, from where a file can import it; None where it cannot.
    vectorized
        Whether it takes all samples at once, along a first axis.
    where
        The line of the declaration.
    vjp
        The function that gives cotangents: of arguments, results and cotangents of the results.
    """

    function: Callable[..., Any]
    name: str
    source: str | None
    vectorized: bool
    where: str
    vjp: Foreign | None = None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Opaque(Node):
    """A call. Operands and results have the leading axes `lead`, one call for each place there.

    Parameters
    ----------
    each
        The results of one call.
    """

    foreign: Foreign
    each: TupleType
    lead: Shape


def _type(node: Opaque) -> TupleType:
    for arg in node.args:
        if arg.shape[: len(node.lead)] != node.lead:
            raise ShapeError(f"{arg.type} lacks the leading axes {shape_text(node.lead)}")
    return TupleType(tuple(TensorType((*node.lead, *t.shape), t.kind) for t in node.each.items))


def _vjp(node: Opaque, i: int, g: Node) -> Node:
    """Call the function's derivative; for several operands it is one and the same call."""
    foreign = node.foreign
    if foreign.vjp is None:
        raise DerivativeError(
            f"the opaque function '{foreign.name}' ({foreign.where}) has no derivative: declare it "
            "with vjp=, cut the path with gc.stop_gradient, or see gc.estimators for what can be "
            "used without one"
        )
    results = [item(node, k) for k in range(len(node.each.items))]
    cotangents = []
    for k, type_ in enumerate(types_of(node)):
        held = held_at(g, k)
        if type_.kind == "real":
            cotangents.append(full(0.0, type_.shape) if held is None else held)
    real = [k for k, arg in enumerate(node.args) if arg.kind == "real"]
    depth = len(node.lead)
    each = TupleType(tuple(TensorType(node.args[k].shape[depth:]) for k in real))
    call: Node = Opaque((*node.args, *results, *cotangents), foreign.vjp, each, node.lead)
    return item(call, real.index(i))


def _batch(node: Opaque, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    wide = [
        arg if flag else broadcast_to(arg, (size, *arg.shape))
        for arg, flag in zip(args, batched, strict=True)
    ]
    made: Node = Opaque(tuple(wide), node.foreign, node.each, (size, *node.lead))
    return made


def _meaning(node: Opaque, indices: Indices, element: Element) -> Term:
    raise FormulaError(f"the opaque function '{node.foreign.name}' has no formula")


def _evaluate(node: Opaque, values: Sequence[Any], sizes: Sizes) -> Any:
    function, lead = node.foreign.function, concrete(node.lead, sizes)
    shapes = [concrete(t.shape, sizes) for t in types_of(node)]
    if node.foreign.vectorized or not lead:
        found = _several(function(*values))
        return tuple(
            np.asarray(v, DTYPES[t.kind]).reshape(s)
            for v, t, s in zip(found, node.each.items, shapes, strict=True)
        )
    results = [np.zeros(s, DTYPES[t.kind]) for s, t in zip(shapes, node.each.items, strict=True)]
    for at in np.ndindex(*lead):
        for result, value in zip(
            results, _several(function(*(v[at] for v in values))), strict=True
        ):
            result[at] = value
    return tuple(results)


def _several(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


define(
    Opaque,
    type=_type,
    cuts=lambda node, i: node.kind != "real" or node.args[i].kind != "real",
    vjp=_vjp,
    jvp=derived,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)
