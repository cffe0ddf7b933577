"""Simplify: algebra that makes programs shorter and never larger.

Each rule looks at one node and the few below it; the rewrite driver applies them until none does.
"""

from __future__ import annotations

from graphc.control.override import Override
from graphc.ir.nodes import Node
from graphc.ir.program import Program, Rule, rewrite
from graphc.ops.contraction import (
    Contraction,
    broadcast_to,
    contract,
    extents_of,
    full,
    is_shuffle,
)
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.indexing import Gather, ScatterAdd
from graphc.ops.leaves import constant, scalar_value
from graphc.ops.reduction import Reduction
from graphc.ops.several import Bundle, Item, item
from graphc.ops.structural import Pad, Reshape, Slice, reshape
from graphc.ops.windows import Fold
from graphc.passes.declared import diagonal, met, orthogonal, positive, symmetric
from graphc.passes.diagonals import (
    is_diagonal,
    product_on_diagonal,
    shape_of_diagonal,
    sign_on_diagonal,
)
from graphc.passes.fold import folded
from graphc.passes.join import joined
from graphc.passes.merging import shuffles
from graphc.passes.windowed import lay_folded
from graphc.types import broadcast


def simplify(program: Program) -> Program:
    """Apply all rules of this file until none changes anything, and fold what becomes constant."""
    return rewrite(program, folded, simplified)


def simplified(node: Node) -> Node | None:
    """Return the node that takes another's place by the first rule that applies, if one does."""
    for rule in RULES.get(type(node), ()):
        better = rule(node)
        if better is not None:
            return better
    return None


def value_of(node: Node) -> float | int | bool | None:
    """Return the number that a node is everywhere, if it is one."""
    while isinstance(node, Contraction) and len(node.args) == 1 and is_shuffle(node):
        if len(set(node.output)) < len(node.output):
            return None  # zero off a diagonal
        node = node.args[0]
    return scalar_value(node)


def _call(node: Node, *functions: str) -> bool:
    return isinstance(node, Elementwise) and node.function in functions


def identities(node: Node) -> Node | None:
    """Drop ``x + 0``, ``x * 1``, ``x / 1``; take ``x * 0`` for 0."""
    if not (isinstance(node, Elementwise) and len(node.args) == 2 and node.kind == "real"):
        return None
    a, b = node.args
    va, vb = value_of(a), value_of(b)
    kept: Node | None = None
    match node.function:
        case "add":
            kept = b if va == 0 else a if vb == 0 else None
        case "subtract":
            if va == 0:
                kept = elementwise("negative", b)
            kept = a if vb == 0 else kept
        case "multiply":
            if va == 0 or vb == 0:
                return full(0.0, node.shape)
            kept = b if va == 1 else a if vb == 1 else None
            if va == -1 or vb == -1:
                kept = elementwise("negative", b if va == -1 else a)
        case "divide":
            if va == 0:
                return full(0.0, node.shape)
            kept = a if vb == 1 else None
        case "power":
            kept = a if vb == 1 else elementwise("square", a) if vb == 2 else None
    return None if kept is None else broadcast_to(kept, node.shape)


def signs(node: Node) -> Node | None:
    """Let minus signs meet and vanish."""
    if _call(node, "negative"):
        (x,) = node.args
        if _call(x, "negative"):
            return x.args[0]
        if _call(x, "subtract"):
            return elementwise("subtract", x.args[1], x.args[0])
        return None
    if _call(node, "add", "subtract") and node.kind == "real":
        a, b = node.args
        if _call(b, "negative"):
            flipped = "subtract" if _call(node, "add") else "add"
            return elementwise(flipped, a, b.args[0])
        if _call(node, "add") and _call(a, "negative"):
            return elementwise("subtract", b, a.args[0])
    if _call(node, "multiply", "divide"):
        function = node.function  # type: ignore[attr-defined]
        minus = [_call(arg, "negative") for arg in node.args]
        if any(minus):
            bare = [arg.args[0] if m else arg for arg, m in zip(node.args, minus, strict=True)]
            result = elementwise(function, *bare)
            return result if all(minus) else elementwise("negative", result)
    if isinstance(node, Contraction) and len(node.args) > 1:
        # A product of negated factors: negate the result, or what it is added to.
        for i, arg in enumerate(node.args):
            if _call(arg, "negative"):
                args = (*node.args[:i], arg.args[0], *node.args[i + 1 :])
                positive = contract(args, node.inputs, node.output, dict(node.extents))
                return elementwise("negative", positive)
    return None


def uncut(node: Node) -> Node | None:
    """Let values pass: derivatives have been taken, and stopped where they were to be."""
    return node.args[0] if _call(node, "stop_gradient") else None


def whole(node: Node) -> Node | None:
    """Let slices and pads that leave nothing out and add nothing turn axes, or vanish."""
    if not isinstance(node, Slice | Pad) or node.shape != node.args[0].shape:
        return None
    (x,) = node.args
    along = [(0, dim, 1) for dim in node.shape]
    against = [(dim - 1, dim, -1) for dim in node.shape]
    if any(span not in pair for span, *pair in zip(node.spans, along, against, strict=True)):
        return None
    if list(node.spans) == along:
        return x
    if isinstance(x, Slice) and x.spans == node.spans and x.args[0].shape == x.shape:
        return x.args[0]
    made: Node = Slice((x,), node.spans)
    return made if isinstance(node, Pad) else None


def single(node: Node) -> Node | None:
    """Along no axes, an extreme, a product or a sum of exponentials is the element itself."""
    if not isinstance(node, Reduction) or node.axes:
        return None
    (x,) = node.args
    if node.function == "norm":
        return elementwise("absolute", x)
    same = node.function in ("max", "min", "prod", "any", "all", "logsumexp")
    return x if same and x.type == node.type else None


def squares(node: Node) -> Node | None:
    """``x * x`` is a square."""
    if _call(node, "multiply") and node.args[0] is node.args[1] and node.kind == "real":
        return elementwise("square", node.args[0])
    return None


def doubles(node: Node) -> Node | None:
    """``x + x`` is ``2 x``, and ``−x − x`` is ``−2 x``."""
    if not _call(node, "add", "subtract") or node.kind != "real":
        return None
    a, b = node.args
    if _call(node, "add") and a is b:
        return elementwise("multiply", constant(2.0), a)
    if _call(node, "subtract") and _call(a, "negative") and a.args[0] is b:
        return elementwise("multiply", constant(-2.0), b)
    return None


def scalars(node: Node) -> Node | None:
    """Let factors of rank 0 meet: ``(x * a) * b`` is ``x * (a b)`` for constants a and b."""
    if not _call(node, "multiply"):
        return None
    a, b = node.args
    if scalar_value(a) is not None:
        a, b = b, a
    outer = scalar_value(b)
    if outer is None or not _call(a, "multiply"):
        return None
    for x, inner in (a.args, a.args[::-1]):
        if scalar_value(inner) is not None:
            return elementwise("multiply", x, elementwise("multiply", inner, b))
    return None


def repeated(node: Node) -> tuple[Node, tuple[int, ...]] | None:
    """Return operand and its axes in the result where `node` only repeats it along new axes."""
    if isinstance(node, Reshape) and not node.args[0].shape:
        return node.args[0], ()
    if not (isinstance(node, Contraction) and len(node.args) == 1):
        return None
    (labels,), output = node.inputs, node.output
    places = [output.index(label) for label in labels if label in output]
    plain = len(places) == len(labels) and len(set(output)) == len(output)
    if not plain or places != sorted(set(places)) or not node.extents:
        return None
    return node.args[0], tuple(places)


def broadcasts(node: Node) -> Node | None:
    """Leave repeating to the elementwise function, or do it after the function."""
    if not isinstance(node, Elementwise):
        return None
    lean: list[Node] = []
    for arg in node.args:
        found = repeated(arg)
        if found is None:
            lean.append(arg)
            continue
        inner, places = found
        first = places[0] if places else arg.type.rank
        shape = tuple(
            inner.shape[places.index(a)] if a in places else 1 for a in range(first, arg.type.rank)
        )
        lean.append(reshape(inner, shape))
    if all(a is b for a, b in zip(lean, node.args, strict=True)):
        return None
    result = elementwise(node.function, *lean)
    assert result.shape == broadcast(*(arg.shape for arg in lean))
    return broadcast_to(result, node.shape)


def ones(node: Node) -> Node | None:
    """Drop operands of a product that are 1 everywhere, and take out other numbers."""
    if not isinstance(node, Contraction) or node.kind != "real":
        return None
    for i, arg in enumerate(node.args):
        value = scalar_value(arg)
        if value is None or (len(node.args) == 1 and (value in (0, 1) or is_diagonal(node))):
            continue
        args = (*node.args[:i], *node.args[i + 1 :]) or (constant(1.0),)
        inputs = (*node.inputs[:i], *node.inputs[i + 1 :]) or ((),)
        rest = contract(args, inputs, node.output, extents_of(node))
        plain = isinstance(rest, Contraction) and len(rest.args) == 1 and not rest.inputs[0]
        if plain and len(set(node.output)) == len(node.output):
            continue  # already a constant everywhere
        return rest if value == 1 else elementwise("multiply", rest, arg)
    return None


def scattered_into_zeros(node: Node) -> Node | None:
    """``x + scatter(0, i, u)`` adds into x; with minus signs likewise."""
    if not _call(node, "add", "subtract"):
        return None
    a, b = node.args
    if a.shape != b.shape:
        return None
    minus = _call(node, "subtract")
    if isinstance(b, ScatterAdd) and value_of(b.args[0]) == 0:
        update = elementwise("negative", b.args[-1]) if minus else b.args[-1]
        added: Node = ScatterAdd((a, *b.args[1:-1], update), b.axis, b.batch)
        return added
    if isinstance(a, ScatterAdd) and value_of(a.args[0]) == 0:
        base = elementwise("negative", b) if minus else b
        moved: Node = ScatterAdd((base, *a.args[1:]), a.axis, a.batch)
        return moved
    return None


def sum_of_scattered(node: Node) -> Node | None:
    """The sum of ``scatter(0, i, u)`` along its axis is that of u."""
    if not (isinstance(node, Contraction) and len(node.args) == 1):
        return None
    (scatter,), (labels,) = node.args, node.inputs
    if not isinstance(scatter, ScatterAdd) or value_of(scatter.args[0]) != 0:
        return None
    if len(scatter.args) > 3:
        return None
    along = labels[scatter.axis]
    if labels.count(along) > 1 or along in node.output:
        return None
    update, count = scatter.args[2], scatter.args[1].type.rank - scatter.batch
    fresh = 1 + max((*labels, *node.output))
    places = tuple(range(fresh, fresh + count))
    inputs = (*labels[: scatter.axis], *places, *labels[scatter.axis + 1 :])
    return contract((update,), (inputs,), node.output, extents_of(node))


def constant_reads(node: Node) -> Node | None:
    """What is read from, or reshaped of, a tensor that repeats one number repeats it too."""
    if not isinstance(node, Gather | Reshape):
        return None
    found = repeated(node.args[0])
    if found is None or found[0].shape:
        return None
    return broadcast_to(found[0], node.shape)


def zeros(node: Node) -> Node | None:
    """A product with zeros is zero; so is a reshape of zeros, or a function of them that is."""
    if node.kind != "real" or not isinstance(node, Contraction) or len(node.args) < 2:
        return None
    if any(value_of(arg) == 0 for arg in node.args):
        return full(0.0, node.shape)
    return None


def picked(node: Node) -> Node | None:
    """One of several results that were put together is what was put there.

    So is a value whose derivative the user gave: here all derivatives are taken.
    """
    if isinstance(node, Item) and isinstance(node.args[0], Override):
        return node.args[0].args[node.index]
    if isinstance(node, Item) and isinstance(node.args[0], Bundle):
        return item(node.args[0], node.index)
    return None


RULES: dict[type[Node], tuple[Rule, ...]] = {
    Reduction: (single,),
    Slice: (whole,),
    Pad: (whole,),
    Elementwise: (
        uncut,
        identities,
        signs,
        product_on_diagonal,
        sign_on_diagonal,
        scalars,
        squares,
        doubles,
        broadcasts,
        scattered_into_zeros,
        joined,
        positive,
    ),
    Contraction: (
        signs,
        zeros,
        shuffles,
        ones,
        sum_of_scattered,
        orthogonal,
        met,
        diagonal,
        symmetric,
    ),
    Gather: (constant_reads,),
    Reshape: (constant_reads, shape_of_diagonal),
    Item: (picked,),
    Fold: (lay_folded,),
}
