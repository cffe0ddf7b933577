"""Contractions: products of matrices, transposes, diagonals, broadcasts, sums."""

from __future__ import annotations

from graphc.emit.dialect import ATOM, TIMES, Dialect, Spelled, Speller
from graphc.emit.forms import is_fixed
from graphc.emit.spell_reduction import summed
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, Labels
from graphc.ops.leaves import scalar_value


def spell_contraction(node: Contraction, of: Speller, dialect: Dialect) -> Spelled:
    """Spell a contraction in the shortest form that NumPy has for it."""
    if len(node.args) == 2:
        a, b = node.args
        if dialect.fast and max(a.type.rank, b.type.rank) <= 2:
            return Spelled(f"{of(a).within(ATOM)}.dot({of(b).text})")
        return Spelled(f"{of(a).within(TIMES)} @ {of(b).within(TIMES + 1)}", TIMES)
    (arg,), (labels,) = node.args, node.inputs
    if len(set(node.output)) < len(node.output) and labels:
        return Spelled(f"{dialect.lib}.diag({of(arg).text})")
    if node.extents:
        return _repeated(node, arg, labels, of, dialect)
    x = of(arg).within(ATOM)
    if len(set(labels)) < len(labels):
        letters = "".join(map(_letter, labels)), "".join(map(_letter, node.output))
        return Spelled(f'{dialect.lib}.einsum("{letters[0]}->{letters[1]}", {of(arg).text})')
    if len(node.output) == len(labels):
        order = tuple(labels.index(label) for label in node.output)
        if order == tuple(reversed(range(len(order)))):
            return Spelled(f"{x}.T")
        return Spelled(f"{x}.transpose({', '.join(map(str, order))})")
    axes = tuple(a for a, label in enumerate(labels) if label not in node.output)
    return summed(x, of(arg).text, axes, arg.type.rank, False, dialect)


def _letter(label: int) -> str:
    return chr(ord("a") + label) if label < 26 else chr(ord("A") + label - 26)


def _repeated(
    node: Contraction, arg: Node, labels: Labels, of: Speller, dialect: Dialect
) -> Spelled:
    value = scalar_value(arg)
    lib, shape = dialect.lib, dialect.shape(node.shape)
    if len(set(node.output)) < len(node.output):
        return Spelled(f"{lib}.eye({dialect.dim(node.shape[0])}, dtype={dialect.dtype})")
    if is_fixed(node) and dialect.fast:
        return Spelled(dialect.ones(node.shape[0]))  # type: ignore[arg-type]
    if not labels:
        if value in (0, 1) and node.kind == "real":
            return Spelled(f"{lib}.{'ones' if value else 'zeros'}({shape}, {dialect.dtype})")
        dtype = f", {dialect.dtype}" if node.kind == "real" else ""
        return Spelled(f"{lib}.full({shape}, {of(arg).text}{dtype})")
    first = min(node.output.index(label) for label in labels)
    order = [label for label in node.output if label in labels]
    x = of(arg).within(ATOM)
    if tuple(order) != labels:
        axes = ", ".join(str(labels.index(label)) for label in order)
        x = f"{x}.transpose({axes})"
    keys = [":" if label in labels else "None" for label in node.output[first:]]
    key = f"[{', '.join(keys)}]" if "None" in keys else ""
    return Spelled(f"{lib}.broadcast_to({x}{key}, {shape})")
