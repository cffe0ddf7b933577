"""Sums and reductions along axes."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.emit.dialect import ATOM, Dialect, Spelled, Speller
from graphc.emit.helpers import norm, row_extreme
from graphc.errors import CompileError
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.leaves import Size, scalar_value
from graphc.ops.reduction import Reduction, kept
from graphc.ops.structural import Reshape
from graphc.types import Dimension, size_of


def summed(
    x: str, bare: str, axes: tuple[int, ...], rank: int, keepdims: bool, dialect: Dialect
) -> Spelled:
    """Spell a sum of `x`, which stands as `bare` where nothing can bind to it."""
    return along("sum", "add", x, bare, axes, rank, keepdims, dialect)


def along(
    method: str,
    ufunc: str | None,
    x: str,
    bare: str,
    axes: tuple[int, ...],
    rank: int,
    keepdims: bool,
    dialect: Dialect,
) -> Spelled:
    """Spell a reduction: a method where it is read, the ufunc's own reduce where it is fast."""
    whole = len(axes) == rank
    axis = str(axes[0]) if len(axes) == 1 else str(axes)
    if dialect.fast and ufunc is not None and dialect.target.name == "numpy":
        keep = ", keepdims=True" if keepdims else ""
        over = "None" if whole and rank != 1 else axis
        return Spelled(f"{dialect.lib}.{ufunc}.reduce({bare}, {over}{keep})")
    options = [] if whole and not keepdims else [f"axis={axis}"]
    options += ["keepdims=True"] if keepdims else []
    return Spelled(f"{x}.{method}({', '.join(options)})")


METHODS: Mapping[str, str | None] = {
    "max": "maximum",
    "min": "minimum",
    "prod": "multiply",
    "any": "logical_or",
    "all": "logical_and",
    "argmax": None,
    "argmin": None,
    "cumsum": None,
    "cumprod": None,
    "argsort": None,
}


def spell_reduction(
    node: Reduction, of: Speller, dialect: Dialect, keepdims: bool = False
) -> Spelled:
    """Spell a reduction along axes."""
    if node.function == "norm":
        return _spell_norm(node, of, dialect)
    if node.function not in METHODS:
        raise CompileError(f"'{node.function}' is written in parts; the pass `expand` did not run")
    x = of(node.args[0])
    rank = node.args[0].type.rank
    if dialect.fast and node.function in ("max", "min") and rank == 2 and node.axes == (1,):
        call = f"{row_extreme(node.function, dialect)}({x.text})"
        return Spelled(f"{call}[:, None]" if keepdims else call)
    if node.function == "argsort":
        # CuPy sorts stably and knows no other way.
        stable = "" if dialect.target.name == "cupy" else ', kind="stable"'
        return Spelled(f"{x.within(ATOM)}.argsort({node.axes[0]}{stable})")
    ufunc = METHODS[node.function]
    return along(node.function, ufunc, x.within(ATOM), x.text, node.axes, rank, keepdims, dialect)


def _spell_norm(node: Reduction, of: Speller, dialect: Dialect) -> Spelled:
    (x,) = node.args
    whole = len(node.axes) == x.type.rank
    name, text = norm(whole, dialect), of(x).text
    if name == "_length":
        return Spelled(f"{name}({text})")
    axis = str(node.axes[0]) if len(node.axes) == 1 else str(node.axes)
    return Spelled(f"{name}({text}, {axis})")


def reduces(node: Node) -> tuple[int, ...] | None:
    """Return the axes over which a node is a plain sum or reduction, else None."""
    if isinstance(node, Reduction) and node.function in METHODS:
        return node.axes if METHODS[node.function] else None
    if isinstance(node, Contraction) and len(node.args) == 1 and not node.extents:
        (labels,) = node.inputs
        rest = tuple(label for label in labels if label in node.output)
        if len(set(labels)) == len(labels) and rest == node.output != labels:
            return tuple(a for a, label in enumerate(labels) if label not in node.output)
    return None


def keeps_dims(node: Node) -> bool:
    """Return whether a node only puts the axes back that its operand reduced."""
    if not isinstance(node, Reshape):
        return False
    (inner,) = node.args
    axes = reduces(inner)
    return axes is not None and node.target == kept(inner.args[0].shape, axes)


def is_mean(node: Node) -> Node | None:
    """Return x where a node is the mean over all of x."""
    if not (isinstance(node, Elementwise) and node.function == "divide"):
        return None
    top, bottom = node.args
    axes = reduces(top)
    if axes is None or not isinstance(top, Contraction) or top.shape:
        return None
    count = size_of(top.args[0].shape)
    known = scalar_value(bottom)
    same = bottom.size == count if isinstance(bottom, Size) else known == count
    return top.args[0] if same and not isinstance(known, Dimension) else None
