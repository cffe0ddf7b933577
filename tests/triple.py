"""A node kind with three results, for tests: sine, cosine, and the place of the largest element."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from graphc.emit import statements
from graphc.emit.dialect import Spelled
from graphc.ir.nodes import TYPE_RULES, Node
from graphc.ops.contraction import full
from graphc.ops.elementwise import elementwise
from graphc.ops.rules import RULES, define, derived, undefined
from graphc.ops.several import bundle, held_at, item, types_of
from graphc.types import TensorType, TupleType


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Triple(Node):
    axis: int = 0


def triple(x):
    return [item(Triple((x,), 0), k) for k in range(3)]


def _vjp(node, i, g):
    sine, cosine, _ = (item(node, k) for k in range(3))
    by_sine, by_cosine = held_at(g, 0), held_at(g, 1)
    result = full(0.0, sine.shape)
    if by_sine is not None:
        result = elementwise("add", result, elementwise("multiply", by_sine, cosine))
    if by_cosine is not None:
        result = elementwise("subtract", result, elementwise("multiply", by_cosine, sine))
    return result


def _type(node):
    (x,) = node.args
    at = x.shape[: node.axis] + x.shape[node.axis + 1 :]
    return TupleType((x.type, x.type, TensorType(at, "integer")))


def _evaluate(node, values, sizes):
    (x,) = values
    return np.sin(x), np.cos(x), np.argmax(x, axis=node.axis)


def _spell(node, of, dialect, alone, spell=statements.spell):
    if not isinstance(node, Triple):
        return spell(node, of, dialect, alone)
    x = of(node.args[0]).text
    lib = dialect.lib
    return Spelled(f"{lib}.sin({x}), {lib}.cos({x}), {lib}.argmax({x}, {node.axis})")


@contextmanager
def defined(monkeypatch, jvp=derived):
    """Let the kind have rules, and a spelling, inside the block."""
    define(
        Triple,
        type=_type,
        cuts=lambda node, i: False,
        vjp=_vjp,
        jvp=jvp,
        batch=lambda node, args, batched, size: Triple(tuple(args), node.axis + 1),
        meaning=undefined("has none"),
        evaluate=_evaluate,
    )
    monkeypatch.setattr(statements, "spell", _spell)
    try:
        yield
    finally:
        del RULES[Triple], TYPE_RULES[Triple]


def direct_jvp(node, tangents):
    """The tangent of all three by hand: the third has none."""
    (t,) = tangents
    sine, cosine, _ = (item(node, k) for k in range(3))
    moved = elementwise("multiply", t, cosine)
    other = elementwise("negative", elementwise("multiply", t, sine))
    return bundle([moved, other, None], types_of(node))
