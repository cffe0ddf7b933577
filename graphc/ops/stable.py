"""Naive spellings of stable functions, recognised before any derivative is taken.

A rescue after differentiation comes too late: the derivative of an overflow is not a number
whatever one does to it. Each rule looks at one node and the few below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, broadcast_to, contract
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.guarded import guarded_choice
from graphc.ops.leaves import Size, constant, scalar_value
from graphc.ops.linalg import Linalg, flipped, linalg
from graphc.ops.reduction import Reduction, kept, reduction
from graphc.ops.several import items
from graphc.ops.signs import certainly_positive
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
        return _log_of_sum(x)
    if is_call(x, "subtract") and scalar_value(x.args[0]) == 1:
        return _log_of_rest(x.args[1])
    if is_call(x, "sigmoid"):
        return elementwise("log_sigmoid", x.args[0])
    if isinstance(x, Reduction) and x.function == "softmax":
        return reduction("log_softmax", x.args[0], x.axes)
    return _logsumexp(x)


def _log_of_sum(x: Node) -> Node | None:
    for one, other in (x.args, x.args[::-1]):
        if scalar_value(one) == 1 and other.kind == "real":
            return log_one_plus(elementwise("log1p", other)) or elementwise("log1p", other)
    if all(is_call(arg, "exp") for arg in x.args):
        return elementwise("logaddexp", *(arg.args[0] for arg in x.args))
    return None


def _log_of_rest(x: Node) -> Node | None:
    """Return ``log(1 - x)``; of a sigmoid it is the log-sigmoid of the other sign."""
    if x.kind != "real":
        return None
    if is_call(x, "sigmoid"):
        return elementwise("log_sigmoid", _negated(x.args[0]))
    return elementwise("log1p", _negated(x))


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
    """``log1p(exp(x))`` is softplus, ``log1p(-sigmoid(x))`` the log-sigmoid of the other sign."""
    if not is_call(node, "log1p"):
        return None
    (x,) = node.args
    if is_call(x, "exp"):
        return elementwise("softplus", x.args[0])
    if is_call(x, "negative") and is_call(x.args[0], "sigmoid"):
        return _log_of_rest(x.args[0])
    return None


def exponential_less_one(node: Node) -> Node | None:
    """``exp(x) - 1`` is expm1, whichever way it is written."""
    if not is_call(node, "add") and not is_call(node, "subtract"):
        return None
    a, b = node.args
    if is_call(node, "add"):
        for one, other in ((a, b), (b, a)):
            if scalar_value(one) == -1 and is_call(other, "exp"):
                return elementwise("expm1", other.args[0])
    elif scalar_value(b) == 1 and is_call(a, "exp"):
        return elementwise("expm1", a.args[0])
    elif scalar_value(a) == 1 and is_call(b, "exp"):
        return elementwise("negative", elementwise("expm1", b.args[0]))
    return None


def root_of_squares(node: Node) -> Node | None:
    """``sqrt(a**2 + b**2)`` is hypot, which neither overflows nor has a pole at 0."""
    if is_call(node, "sqrt"):
        (x,) = node.args
    elif is_call(node, "power") and scalar_value(node.args[1]) == 0.5:
        x = node.args[0]
    else:
        return None
    if not is_call(x, "add"):
        return None
    roots = [_root(arg) for arg in x.args]
    if roots[0] is None or roots[1] is None:
        return None
    return elementwise("hypot", *roots)  # type: ignore[arg-type]


def norm_of_squares(node: Node) -> Node | None:
    """``sqrt(sum(x**2))`` is the norm, whose derivative at 0 is 0; so is a root mean square."""
    if not is_call(node, "sqrt") and not (
        is_call(node, "power") and scalar_value(node.args[1]) == 0.5
    ):
        return None
    x, scale = node.args[0], None
    if is_call(x, "divide") and not x.args[1].shape and _is_divisor(x.args[1]):
        x, scale = x.args
    inner = x.args[0] if isinstance(x, Reshape) else x
    found = _sum_of_squares(inner)
    if found is None:
        return None
    norm = reshape(reduction("norm", *found), x.shape)
    if scale is not None:
        norm = elementwise("divide", norm, elementwise("sqrt", scale))
    return broadcast_to(norm, node.shape)


def _is_divisor(node: Node) -> bool:
    """Return whether a number is positive, or a named size less one, by which variances divide."""
    if certainly_positive(node):
        return True
    if not is_call(node, "subtract") or scalar_value(node.args[1]) is None:
        return False
    count = node.args[0].args[0] if is_call(node.args[0], "real") else node.args[0]
    return isinstance(count, Size)


def _sum_of_squares(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Return x and the axes where `node` is the sum of the squares of x over axes."""
    if not isinstance(node, Contraction):
        return None
    if len(node.args) == 2 and node.args[0] is node.args[1] and node.inputs[0] == node.inputs[1]:
        root: Node | None = node.args[0]
    else:
        root = _root(node.args[0]) if len(node.args) == 1 else None
    labels, output = node.inputs[0], node.output
    kept_ = tuple(label for label in labels if label in output)
    plain = len(set(labels)) == len(labels) and kept_ == output and len(output) < len(labels)
    if root is None or not plain or root.type.rank != len(labels) or node.kind != "real":
        return None
    return root, tuple(a for a, label in enumerate(labels) if label not in output)


def root_of_part(node: Node) -> Node | None:
    """``sqrt(where(c, x, 0))`` and ``sqrt(relu(x))`` take the root of 1 where they are 0.

    The slope of the root at 0 is infinite, and would not vanish under the mask of the choice.
    """
    if not is_call(node, "sqrt"):
        return None
    (x,) = node.args
    if is_call(x, "relu"):
        (inner,) = x.args
        inside = elementwise("logical_not", elementwise("less_equal", inner, constant(0.0)))
    elif is_call(x, "where") and scalar_value(x.args[2]) == 0:
        inside, inner, _ = x.args
    elif is_call(x, "where") and scalar_value(x.args[1]) == 0:
        inside, inner = elementwise("logical_not", x.args[0]), x.args[2]
    else:
        return None
    root = elementwise("sqrt", elementwise("where", inside, inner, constant(1.0)))
    return broadcast_to(elementwise("where", inside, root, constant(0.0)), node.shape)


def _root(x: Node) -> Node | None:
    """Return what `x` is the square of."""
    if x.kind != "real":
        return None
    if is_call(x, "square") or (is_call(x, "power") and scalar_value(x.args[1]) == 2):
        return x.args[0]
    return x.args[0] if is_call(x, "multiply") and x.args[0] is x.args[1] else None


def quotient_of_exponentials(node: Node) -> Node | None:
    """``exp(x) / sum(exp(x))`` is softmax, ``1 / (1 + exp(-x))`` the sigmoid."""
    if is_call(node, "reciprocal"):
        top, bottom = constant(1.0), node.args[0]
    elif is_call(node, "divide"):
        top, bottom = node.args
    else:
        return None
    if is_call(top, "exp"):
        inner = bottom.args[0] if isinstance(bottom, Reshape) else bottom
        summed = _exponentials(inner)
        if summed is not None and summed[0] is top.args[0]:
            # Each element must meet the sum that it is part of.
            missing = top.type.rank - bottom.type.rank
            if (1,) * missing + bottom.shape == kept(top.shape, summed[1]):
                return reduction("softmax", summed[0], summed[1])
    if scalar_value(top) == 1 and is_call(bottom, "add"):
        for one, other in (bottom.args, bottom.args[::-1]):
            if scalar_value(one) == 1 and is_call(other, "exp"):
                return elementwise("sigmoid", _negated(other.args[0]))
    if is_call(top, "exp") and is_call(bottom, "add"):
        for one, other in (bottom.args, bottom.args[::-1]):
            if scalar_value(one) == 1 and other is top:
                return elementwise("sigmoid", top.args[0])
    return None


def log_of_determinant(node: Node) -> Node | None:
    """``log(det(x))`` is the logarithm that slogdet gives, and that of the sign.

    The second is 0, or nan where the determinant is negative, as it should be; and neither
    overflows. ``log(abs(det(x)))`` is the first alone.
    """
    if not is_call(node, "log"):
        return None
    (x,) = node.args
    absolute = is_call(x, "absolute")
    inner = x.args[0] if absolute else x
    if not (isinstance(inner, Linalg) and inner.function == "det"):
        return None
    sign, log = items(linalg("slogdet", inner.args[0]))
    return log if absolute else elementwise("add", log, elementwise("log", sign))


def product_with_inverse(node: Node) -> Node | None:
    """``inv(a) @ b`` is ``solve(a, b)``, and ``b @ inv(a)`` solves the transposed system."""
    if not (isinstance(node, Contraction) and len(node.args) == 2 and len(node.output) in (1, 2)):
        return None
    for k in (0, 1):
        inverse, b = node.args[k], node.args[1 - k]
        if not (isinstance(inverse, Linalg) and inverse.function == "inv" and b is not inverse):
            continue
        pair, labels = node.inputs[k], node.inputs[1 - k]
        shared = set(pair) & set(labels)
        distinct = len(set(pair)) == len(pair) == 2 and len(set(labels)) == len(labels) <= 2
        if not distinct or len(shared) != 1 or shared & set(node.output):
            continue
        (summed,) = shared
        (kept,) = set(pair) - shared
        rest = tuple(label for label in labels if label != summed)
        if set(node.output) != {kept, *rest}:
            continue
        a = inverse.args[0] if pair[1] == summed else flipped(inverse.args[0])
        right = contract((b,), (labels,), (summed, *rest))
        return contract((linalg("solve", a, right),), ((kept, *rest),), node.output)
    return None


def _negated(x: Node) -> Node:
    return x.args[0] if is_call(x, "negative") else elementwise("negative", x)


STABLE: tuple[Callable[[Node], Node | None], ...] = (
    log_of_exponentials,
    log_one_plus,
    quotient_of_exponentials,
    log_of_determinant,
    product_with_inverse,
    exponential_less_one,
    root_of_squares,
    norm_of_squares,
    guarded_choice,
    root_of_part,
)


def stable_rules(keep: Iterable[Node]) -> tuple[Callable[[Node], Node | None], ...]:
    """Return the rules, for a rewrite in which the nodes of `keep` are to be derived by.

    A rule that would make such a node vanish from below its result does not apply: the
    derivative of ``log(1 + e)`` by ``e = exp(x)`` needs e.
    """
    fence = {node for node in keep if node.args}
    return tuple(_guarded(rule, fence) for rule in STABLE) if fence else STABLE


def _guarded(
    rule: Callable[[Node], Node | None], fence: set[Node]
) -> Callable[[Node], Node | None]:
    def apply(node: Node) -> Node | None:
        result = rule(node)
        if result is None or _near(node) & fence <= _near(result):
            return result
        return None

    return apply


def _near(node: Node, depth: int = 6) -> set[Node]:
    """Return the nodes below `node`, as deep as the rules of this file look and further."""
    found = level = set(node.args)
    for _ in range(depth):
        level = {arg for n in level for arg in n.args}
        found = found | level
    return found
