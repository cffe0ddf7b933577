"""Names of the local variables of a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.control.body import COTANGENT
from graphc.control.fixed_point import FixedPoint
from graphc.control.loop import Scan
from graphc.control.repetition import While
from graphc.emit.forms import copies_elements, is_ones
from graphc.emit.naming import Namer
from graphc.emit.spell_reduction import is_mean, keeps_dims
from graphc.ir.nodes import Node
from graphc.ir.program import Origin
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd, ScatterSet
from graphc.ops.scalars import SCALARS
from graphc.ops.several import Item, types_of
from graphc.ops.structural import Reshape
from graphc.types import TupleType

COMMUTATIVE = ("add", "multiply")


def name_statements(
    statements: Sequence[Node],
    into: Mapping[Node, Node],
    given: Mapping[Node, str],
    user_names: Mapping[Node, str],
    namer: Namer,
    origins: Mapping[Node, Origin],
    picked: Sequence[Item],
) -> dict[Node, str]:
    """Name the statements; what is written over at once goes under its successor's name."""
    names = dict(given)
    results: dict[Node, list[Item]] = {}
    for part in picked:
        results.setdefault(part.args[0], []).append(part)
    heirs = {operand: node for node, operand in into.items() if augments(node, operand)}
    for node in statements:
        if node in names:
            continue
        if isinstance(node.type, TupleType):
            _name_results(node, results[node], names, user_names, namer)
            continue
        chain = [node]
        while chain[-1] not in user_names and chain[-1] in heirs:
            following = heirs[chain[-1]]
            if origins.get(following) != origins.get(chain[-1]):
                break  # another block, or the backward pass: a name of its own reads better
            chain.append(following)
        name = _named(chain[-1], user_names.get(chain[-1]), namer)
        for member in chain:
            names[member] = name
    return names


def _name_results(
    node: Node,
    picked: Sequence[Item],
    names: dict[Node, str],
    user_names: Mapping[Node, str],
    namer: Namer,
) -> None:
    """Name the results of one node that has several; ``_`` is one that nothing uses."""
    known = {part.index: part for part in picked}
    told = []
    for index in range(len(types_of(node))):
        part = known.get(index)
        if part is not None:
            names[part] = _named(part, user_names.get(part), namer)
        told.append("_" if part is None else names[part])
    names[node] = ", ".join(told) + ("," if len(told) == 1 else "")


def _named(node: Node, wish: str | None, namer: Namer) -> str:
    if wish is None:
        return namer.fresh(wish_of(node))
    # A cotangent's name is the emitter's wish, a variable's name is the user's.
    return namer.fresh(wish) if wish.startswith(COTANGENT) else wish


def augments(node: Node, operand: Node) -> bool:
    """Return whether a node that overwrites an operand is written ``a += b``."""
    if isinstance(node, ScatterAdd | ScatterSet):
        return True
    if not isinstance(node, Elementwise):
        return False
    first = node.args[0] is operand or (node.function in COMMUTATIVE and operand in node.args)
    return SCALARS[node.function].infix is not None and len(node.args) == 2 and first


def wish_of(node: Node) -> str:
    """Return a name that says what an unnamed node is."""
    if isinstance(node, Item):
        if isinstance(node.args[0], Scan):
            return _loop_wish(node.args[0], node.index)
        maker = node.args[0]
        if isinstance(node.args[0], FixedPoint | While):
            whole = node.args[0]
            leaf = whole.body.inputs[whole.constants + node.index]
            return dict(whole.body.names).get(leaf, "unknown")
        told = RESULTS.get(getattr(maker, "function", type(maker).__name__.lower()), ())
        return told[node.index] if node.index < len(told) else "result"
    if keeps_dims(node):
        node = node.args[0]
    if node.kind == "boolean":
        return "mask"
    if is_mean(node) is not None:
        return "mean"
    if isinstance(node, Contraction):
        terms = [arg for arg in node.args if not is_ones(arg)]
        if len(terms) == 1 and len(node.args) == 2:
            return "Z" if getattr(terms[0], "function", "") == "exp" else "total"
        if len(node.args) == 1 and len(node.output) < len(node.inputs[0]):
            inner = node.args[0]
            exponentials = isinstance(inner, Elementwise) and inner.function == "exp"
            return "Z" if exponentials else "total"
        if len(node.args) == 2:
            return "product"
        if len(set(node.output)) < len(node.output):
            return "identity"
        if not node.extents:
            return "turned"
        return "ones" if is_ones(node) else "filled"
    if isinstance(node, Reshape):
        return "columns" if copies_elements(node) else "t"
    function = getattr(node, "function", type(node).__name__.lower())
    return _WISHES.get(function, function)


def _loop_wish(loop: Scan, index: int) -> str:
    """Return a name for a result of a loop: the carry's, or that of what is stacked."""
    told = dict(loop.body.names)
    if index < loop.carries:
        return told.get(loop.body.inputs[loop.constants + index], "carry")
    of = loop.body.outputs[index]
    if of in loop.body.inputs and of in told:
        return f"{told[of]}_before"
    states = loop.body.inputs[loop.constants : loop.constants + loop.carries]
    after = dict(zip(loop.body.outputs, states, strict=False))
    name = told.get(of) or told.get(after.get(of, of))
    return f"{name}s" if name else "stack"


# What the results of a kind that has several are called, where the user does not name them.
RESULTS: dict[str, tuple[str, ...]] = {
    "slogdet": ("sign", "logdet"),
    "qr": ("q", "r"),
    "eigh": ("eigenvalues", "vectors"),
    "svd": ("u", "s", "vt"),
}

_WISHES = {
    "exp": "e",
    "real": "t",
    "max": "top",
    "min": "low",
    "subtract": "t",
    "add": "t",
    "multiply": "t",
    "divide": "t",
    "negative": "t",
    "square": "sq",
    "where": "t",
    "scatteradd": "t",
    "scatterset": "t",
    "concatenation": "joined",
    "slice": "part",
    "gather": "picked",
    "inrange": "labels",
    "pad": "padded",
    "fold": "folded",
    "sum": "total",
    "abs": "t",
    "solve": "solved",
    "solve_triangular": "solved",
    "cholesky": "factor",
    "inv": "inverse",
}
