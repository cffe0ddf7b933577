"""Reshapes, slices, and the places that gathers and pads speak of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.emit.dialect import ATOM, Dialect, Spelled, Speller
from graphc.emit.forms import host_scalars
from graphc.emit.spell_reduction import keeps_dims, reduces, spell_reduction, summed
from graphc.ir.nodes import Node, topological
from graphc.ops.contraction import Contraction, is_shuffle
from graphc.ops.indexing import Gather, ScatterAdd, ScatterSet
from graphc.ops.joining import Concatenation
from graphc.ops.leaves import Constant, Iota
from graphc.ops.ranges import InRange
from graphc.ops.reduction import Reduction
from graphc.ops.structural import Reshape, Slice, Span
from graphc.types import Dim, Shape

WITHIN = '''def _within(index, size):
    """Return an index that NumPy would take; CuPy wraps around what is out of range."""
    if index.size and (index.min() < -size or index.max() >= size):
        raise {error}(f"an index into {{size}} elements is out of range")
    return index
'''


LABELS = '''def _labels(index, size, told):
    """Return labels, all of which must be at least 0 and below a size; -1 is not the last."""
    if index.size and (index.min() < 0 or index.max() >= size):
        raise {error}(f"{{told}} must lie in 0..{{size - 1}}, got {{index.min()}}..{{index.max()}}")
    return index
'''


def spell_reshape(
    node: Reshape, of: Speller, dialect: Dialect, alone: Callable[[Node], bool]
) -> Spelled:
    """Spell a reshape: an index that adds and drops axes where that is all."""
    (arg,) = node.args
    if keeps_dims(node) and alone(arg):
        x, axes = of(arg.args[0]), reduces(arg)
        assert axes is not None
        if isinstance(arg, Reduction):
            return spell_reduction(arg, of, dialect, keepdims=True)
        rank = arg.args[0].type.rank
        return summed(x.within(ATOM), x.text, axes, rank, True, dialect)
    key = _unit_axes(arg.shape, node.target)
    if isinstance(arg, Slice) and alone(arg):
        return _sliced(arg, node.target, of, dialect) or _reshaped(node, of, dialect)
    if key is not None and arg.shape:
        return Spelled(f"{of(arg).within(ATOM)}[{', '.join(key)}]")
    return _reshaped(node, of, dialect)


def _reshaped(node: Reshape, of: Speller, dialect: Dialect) -> Spelled:
    (arg,) = node.args
    if not arg.shape:
        shape = dialect.shape(node.target)
        if arg in host_scalars(topological([arg])):  # a Python number brings no dtype with it
            return Spelled(f"{dialect.lib}.full({shape}, {of(arg).text}, {dialect.dtype})")
        return Spelled(f"{dialect.lib}.reshape({of(arg).text}, {shape})")
    sizes = [dialect.dim(dim) for dim in node.target]
    text = sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"
    return Spelled(f"{of(arg).within(ATOM)}.reshape({text})")


def _unit_axes(old: Shape, new: Shape) -> list[str] | None:
    """Return the key that inserts and drops axes of size 1, or None if more is to be done."""
    key: list[str] = []
    i = 0
    for dim in new:
        while i < len(old) and old[i] == 1 and dim != 1:
            key.append("0")
            i += 1
        if i < len(old) and old[i] == dim:
            key.append(":")
            i += 1
        elif dim == 1:
            key.append("None")
        else:
            return None
    if any(dim != 1 for dim in old[i:]):
        return None
    key += ["0"] * (len(old) - i)
    while key and key[-1] == ":" and len(key) > 1:
        key.pop()
    return key


def _sliced(node: Slice, target: Shape, of: Speller, dialect: Dialect) -> Spelled | None:
    """Spell a slice of which axes of one element are dropped: ``x[0, 1:]``."""
    rest = list(target)
    parts = []
    for span, dim in zip(node.spans, node.args[0].shape, strict=True):
        if rest and rest[0] == span[1]:
            rest.pop(0)
            parts.append(_span(span, dim, dialect))
        elif span[1] == 1:
            parts.append(dialect.dim(span[0]))
        else:
            return None
    if rest:
        return None
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return Spelled(f"{of(node.args[0]).within(ATOM)}[{', '.join(parts)}]")


def spell_concatenation(node: Concatenation, of: Speller, dialect: Dialect) -> Spelled:
    """Spell arrays one after the other."""
    inner = ", ".join(of(arg).text for arg in node.args)
    axis = f", axis={node.axis}" if node.axis else ""
    return Spelled(f"{dialect.lib}.concatenate(({inner}){axis})")


def spell_spans(node: Any, dialect: Dialect) -> str:
    """Spell the spans of a slice or a pad as an index."""
    shape = node.args[0].shape if isinstance(node, Slice) else node.target
    parts = [_span(span, dim, dialect) for span, dim in zip(node.spans, shape, strict=True)]
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _span(span: Span, dim: Dim, dialect: Dialect) -> str:
    first, length, step = span
    if (first, length, step) == (0, dim, 1):
        return ":"
    if length == (dim + abs(step) - 1) // abs(step) and first == (0 if step > 0 else dim - 1):
        return f"::{step}"
    last = first + (length - 1) * step + (1 if step > 0 else -1)
    start = "" if first == 0 and step > 0 else dialect.dim(first)
    open_end = last == dim if step > 0 else (isinstance(last, int) and last < 0)
    if length == 0:
        return "0:0"
    stop = "" if open_end else dialect.dim(last)
    return f"{start}:{stop}" + (f":{step}" if step != 1 else "")


def places(
    node: Gather | ScatterAdd | ScatterSet, of: Speller, dialect: Dialect, whole: str = ":"
) -> str:
    """Spell the index of what a gather reads, ``np.arange(P), y``."""
    indices = node.args[1:] if isinstance(node, Gather) else node.args[1:-1]
    own = [
        _checked(index, node.args[0].shape[node.axis + k], of(index).text, dialect)
        for k, index in enumerate(indices)
    ]
    if node.batch == 0:
        return ", ".join([whole] * node.axis + own)
    index = indices[0]
    keys = []
    for axis in range(node.batch):
        tail = "[:" + ", None" * (index.type.rank - axis - 1) + "]"
        run = f"{dialect.lib}.arange({dialect.dim(index.shape[axis])})"
        keys.append(run + (tail if tail != "[:]" else ""))
    return ", ".join([*keys, *own])


def _checked(index: Node, size: Dim, text: str, dialect: Dialect) -> str:
    """Spell an index; on a device, where what is out of range would wrap, through a check."""
    base = index
    while isinstance(base, Reshape | Slice) or (isinstance(base, Contraction) and is_shuffle(base)):
        base = base.args[0]
    known = isinstance(base, Constant | Iota | Reduction | InRange) or base in dialect.classes
    if known or not dialect.target.needs_device:
        return text
    dialect.helpers["_within"] = WITHIN.format(error=dialect.names.own("IndexError"))
    return f"_within({text}, {dialect.dim(size)})"


def spell_labels(node: InRange, of: Speller, dialect: Dialect) -> Spelled:
    """Spell integers through the check that they lie in their range."""
    dialect.helpers["_labels"] = LABELS.format(error=dialect.names.own("ValueError"))
    index = of(node.args[0]).text
    return Spelled(f'_labels({index}, {dialect.dim(node.size)}, "{node.told}")')


def pad_place(node: Any, dialect: Dialect) -> str:
    """Spell where a pad puts its operand."""
    return spell_spans(node, dialect)
