"""Sliding windows, as views, and the loop that adds up what overlaps."""

from __future__ import annotations

from graphc.emit.dialect import Dialect, Spelled, Speller
from graphc.ops.contraction import is_shuffle
from graphc.ops.windows import Fold, Frame, Windows, windowed_shape


def spell_windows(node: Windows, of: Speller, dialect: Dialect) -> Spelled:
    """Spell windows as a view: neither strides nor dilation cost a copy."""
    sizes = [dialect.dim(frame.span) for frame in node.frames]
    axes = [str(frame.axis) for frame in node.frames]
    size, axis = (
        parts[0] if len(parts) == 1 else f"({', '.join(parts)})" for parts in (sizes, axes)
    )
    view = f"{dialect.lib}.lib.stride_tricks.sliding_window_view"
    image = of(node.args[0]).text
    if is_shuffle(node.args[0]):  # moved axes: written out once, not again for every place
        image = f"{dialect.lib}.ascontiguousarray({image})"
    text = f"{view}({image}, {size}, {axis})"
    steps = [1] * node.type.rank
    for i, frame in enumerate(node.frames, node.args[0].type.rank):
        steps[frame.axis], steps[i] = frame.stride, frame.dilation
    return Spelled(f"{text}{_key(steps)}")


def _key(steps: list[int]) -> str:
    """Spell an index that takes every so-and-so-many-th element of each axis."""
    while steps and steps[-1] == 1:
        steps.pop()
    keys = [":" if step == 1 else f"::{step}" for step in steps]
    return f"[{', '.join(keys)}]" if keys else ""


def fold_lines(node: Fold, name: str, of: Speller, dialect: Dialect) -> list[str]:
    """Print a loop over the places in a window: what stands there goes to one slice."""
    dtype = dialect.dtype_of(node)
    x = of(node.args[0]).text
    lines = []
    if not x.isidentifier():
        parts = dialect.names.fresh("parts")
        lines.append(f"{parts} = {x}")
        x = parts
    lines.append(f"{name} = {dialect.lib}.zeros({dialect.shape(node.target)}, {dtype})")
    counts = windowed_shape(node.target, node.frames)
    keys = [":"] * len(node.target)
    inner: list[str] = []
    for frame in node.frames:
        place = "0"
        if frame.size != 1:
            place = dialect.names.fresh("k")
            head = f"for {place} in {dialect.names.own('range')}({dialect.dim(frame.size)}):"
            lines.append("    " * sum(text != "0" for text in inner) + head)
        inner.append(place)
        keys[frame.axis] = _slice(frame, place, counts[frame.axis], dialect)
    while keys[-1] == ":" and len(keys) > 1:
        keys.pop()
    depth = sum(text != "0" for text in inner)
    added = f"{name}[{', '.join(keys)}] += {x}[..., {', '.join(inner)}]"
    return [*lines, "    " * depth + added]


def _slice(frame: Frame, place: str, count: object, dialect: Dialect) -> str:
    """Spell the elements that stand at `place` of their windows."""
    first = place if frame.dilation == 1 or place == "0" else f"{frame.dilation} * {place}"
    reach = dialect.dim((count - 1) * frame.stride + 1)  # type: ignore[operator]
    stop = reach if place == "0" else f"{first} + {reach}"
    step = f" : {frame.stride}" if frame.stride != 1 else ""
    return f": {stop}{step}" if place == "0" else f"{first} : {stop}{step}"
