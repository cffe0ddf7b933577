"""Across samples: the one kind of node that reaches beyond the sample that a model stands for.

Before the sample axis exists, the node stands for a reduction over it. Batching resolves it
(:mod:`graphc.batching`), and where there is one sample, :func:`one_sample` does; no program that
is emitted holds one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from graphc.errors import DerivativeError, FormulaError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin, attributes
from graphc.ir.terms import Term
from graphc.ops.contraction import broadcast_to, sum_axes, transpose
from graphc.ops.elementwise import as_real, elementwise
from graphc.ops.leaves import Size, constant
from graphc.ops.rules import Element, Indices, Sizes, define
from graphc.ops.structural import reshape
from graphc.types import Dim, Dimension, TensorType, evaluate, named

SAMPLES: Dim = named("P")
OVER = ("mean", "sum", "all")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class OverSamples(Node):
    """The mean, the sum or the stack of what the operand is in every sample; all share it."""

    function: str


def over_samples(function: str, x: Node) -> Node:
    """Return ``"mean"`` or ``"sum"`` of `x` over all samples, or ``"all"`` along a first axis."""
    if function not in OVER:
        raise UsageError(f"over samples one takes {', '.join(map(repr, OVER))}, not {function!r}")
    if function != "all" and x.kind == "boolean":
        x = elementwise("where", x, constant(1), constant(0))
    made: Node = OverSamples((as_real(x) if function == "mean" else x,), function)
    return made


def _type(node: OverSamples) -> TensorType:
    (x,) = node.args
    return TensorType((SAMPLES, *x.shape), x.kind) if node.function == "all" else x.type


def _no_derivative(node: OverSamples, *_: object) -> NoReturn:
    raise DerivativeError(
        "gc.over_samples: a derivative inside a model is one of one sample, and this one would "
        "need all of them. Compile the graph: its gradients are taken across samples; or cut "
        "the path with gc.stop_gradient"
    )


def _batch(node: OverSamples, args: Sequence[Node], batched: Sequence[bool], size: Dim) -> Node:
    (x,), (varies,) = args, batched
    if size != SAMPLES:  # another axis, such as the rows of a Jacobian: carried along
        made: Node = OverSamples((x,), node.function)
        if node.function != "all":
            return made
        return transpose(made, (1, 0, *range(2, made.type.rank)))
    if not varies:
        return _shared(node.function, x)
    if node.function == "all":
        return x
    total = sum_axes(x, (0,))
    return total if node.function == "sum" else elementwise("divide", total, _count())


def _shared(function: str, x: Node) -> Node:
    """Return the result where `x` is the same in every sample."""
    if function == "mean":
        return x
    if function == "all":
        return broadcast_to(x, (SAMPLES, *x.shape))
    return elementwise("multiply", as_real(x), _count())


def _count() -> Node:
    made: Node = Size((), SAMPLES)
    return made


def _meaning(node: OverSamples, indices: Indices, element: Element) -> Term:
    raise FormulaError("what reaches across samples has no index form: that is of one sample")


def _evaluate(node: OverSamples, values: Sequence[Any], sizes: Sizes) -> Any:
    return values[0][None] if node.function == "all" else values[0]


define(
    OverSamples,
    type=_type,
    cuts=lambda node, i: node.kind != "real",
    vjp=_no_derivative,
    jvp=_no_derivative,
    batch=_batch,
    meaning=_meaning,
    evaluate=_evaluate,
)


def one_sample(
    outputs: Sequence[Node], origins: Mapping[Node, Origin] | None = None
) -> tuple[dict[Node, Node], dict[Node, Origin]]:
    """Return what every node below `outputs` is where there is one sample, and their origins."""
    new: dict[Node, Node] = {}
    marked = dict(origins or {})
    for node in topological(outputs):
        args = tuple(new[arg] for arg in node.args)
        if isinstance(node, OverSamples):
            (x,) = args
            new[node] = reshape(x, (1, *x.shape)) if node.function == "all" else x
        else:
            held = tuple(_of_one(value) for value in attributes(node))
            same = args == node.args and held == attributes(node)
            new[node] = node if same else type(node)(args, *held)
        if node in marked:
            marked.setdefault(new[node], marked[node])
    return new, marked


def _of_one(value: Any) -> Any:
    """Return an attribute of a node with 1 for the number of samples."""
    if isinstance(value, Dimension):
        return evaluate(value, {"P": 1})
    if type(value) is tuple:
        return tuple(_of_one(part) for part in value)
    return value
