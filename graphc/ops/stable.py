"""Naive spellings of stable functions, recognised before any derivative is taken.

A rescue after differentiation comes too late: the derivative of an overflow is not a number
whatever one does to it. Each rule looks at one node and the few below it.
"""

from __future__ import annotations

from collections.abc import Callable

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import scalar_value
from graphc.ops.reduction import Reduction, reduction
from graphc.ops.structural import Reshape, reshape


def is_call(node: Node, function: str) -> bool:
    """Return whether a node is a scalar function of that name."""
    return isinstance(node, Elementwise) and node.function == function


def log_of_exponentials(node: Node) -> Node | None:
    """``log(1 + exp(x))`` is softplus, ``log(sum(exp(x)))`` logsumexp, and so on."""
    if not is_call(node, "log"):
        return None
    (x,) = node.args
    if is_call(x, "add"):
        return _softplus(x)
    if is_call(x, "sigmoid"):
        return elementwise("log_sigmoid", x.args[0])
    if isinstance(x, Reduction) and x.function == "softmax":
        return reduction("log_softmax", x.args[0], x.axes)
    return _logsumexp(x)


def _softplus(x: Node) -> Node | None:
    for one, other in (x.args, x.args[::-1]):
        if scalar_value(one) == 1 and is_call(other, "exp"):
            return elementwise("softplus", other.args[0])
    return None


def _logsumexp(x: Node) -> Node | None:
    inner = x.args[0] if isinstance(x, Reshape) else x
    summed = _exponentials(inner)
    if summed is None:
        return None
    operand, axes = summed
    result = reduction("logsumexp", operand, axes)
    return reshape(result, x.shape)


def _exponentials(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Return x and the axes where `node` is the sum of exp(x) over axes."""
    if not (isinstance(node, Contraction) and len(node.args) == 1):
        return None
    (labels,), output = node.inputs, node.output
    kept = tuple(label for label in labels if label in output)
    plain = len(set(labels)) == len(labels) and kept == output
    if not plain or len(output) == len(labels) or not is_call(node.args[0], "exp"):
        return None
    axes = tuple(a for a, label in enumerate(labels) if label not in output)
    return node.args[0].args[0], axes


def log_one_plus(node: Node) -> Node | None:
    """``log1p(exp(x))`` is softplus."""
    if is_call(node, "log1p") and is_call(node.args[0], "exp"):
        return elementwise("softplus", node.args[0].args[0])
    return None


def quotient_of_exponentials(node: Node) -> Node | None:
    """``exp(x) / sum(exp(x))`` is softmax, ``1 / (1 + exp(-x))`` the sigmoid."""
    if not is_call(node, "divide"):
        return None
    top, bottom = node.args
    if is_call(top, "exp"):
        inner = bottom.args[0] if isinstance(bottom, Reshape) else bottom
        summed = _exponentials(inner)
        if summed is not None and summed[0] is top.args[0] and node.shape == top.shape:
            return reduction("softmax", summed[0], summed[1])
    if scalar_value(top) == 1 and is_call(bottom, "add"):
        for one, other in (bottom.args, bottom.args[::-1]):
            if scalar_value(one) == 1 and is_call(other, "exp"):
                return elementwise("sigmoid", _negated(other.args[0]))
    return None


def _negated(x: Node) -> Node:
    return x.args[0] if is_call(x, "negative") else elementwise("negative", x)


STABLE: tuple[Callable[[Node], Node | None], ...] = (
    log_of_exponentials,
    log_one_plus,
    quotient_of_exponentials,
)
