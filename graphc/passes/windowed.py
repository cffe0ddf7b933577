"""How windows lie in memory where they are multiplied: channels first, samples last.

A convolution is a matrix product of weights with windows, which have to be written out for it. With
the samples last, whole rows of the image are copied (or, backward, added up) at once, whatever the
size of a window; with the samples first it would be a few elements at a time. All that follows
element by element keeps the layout, for arrays do, and the next convolution finds it ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction, Labels, contract, extents_of, transpose
from graphc.ops.structural import Pad
from graphc.ops.windows import Fold, Frame, Windows


def lay_windows(node: Node) -> Node | None:
    """Write a product with windows as one matrix times windows in columns."""
    if not isinstance(node, Contraction) or len(node.args) != 2 or node.extents:
        return None
    if not _distinct(*node.inputs, node.output):
        return None
    i = 0 if isinstance(node.args[0], Windows) else 1
    view, other = node.args[i], node.args[1 - i]
    labels, beside = node.inputs[i], node.inputs[1 - i]
    if not isinstance(view, Windows) or isinstance(other, Windows):
        return None
    rank = view.args[0].type.rank
    places, space = labels[rank:], tuple(labels[frame.axis] for frame in view.frames)
    summed = {x for x in labels if x in beside and x not in node.output}
    own = tuple(x for x in beside if x not in labels)
    lone = {x for x in (*labels, *own) if x not in summed and x not in node.output}
    inside, outside = set(places) <= summed, set(space) <= summed
    if lone or not summed or inside == outside or summed & set(space if inside else places):
        return None
    shared = tuple(x for x in labels if x in beside and x in node.output)
    if not {*places, *space}.isdisjoint(shared):  # other weights at each place are no matrix
        return None
    rest = [x for x in labels[:rank] if x not in space and x not in shared]
    channels = tuple(x for x in rest if (x in summed) == inside)
    samples = tuple(x for x in rest if x not in channels)
    order = (*shared, *channels, *places, *space, *samples)
    image = (*shared, *channels, *space, *samples)
    moved = _moved(view.args[0], [labels.index(x) for x in image])
    frames = _placed(view.frames, [image.index(labels[f.axis]) for f in view.frames])
    made: Node = Windows((moved,), frames)
    there = (*image, *places)
    columns = transpose(made, [there.index(x) for x in order])
    rows = (*shared, *own, *(x for x in order if x in summed))
    matrix = transpose(other, [beside.index(x) for x in rows])
    output = (*shared, *own, *(x for x in order if x not in summed and x not in shared))
    product = contract((matrix, columns), (rows, order), output)
    return transpose(product, [output.index(x) for x in node.output])


def lay_folded(node: Node) -> Node | None:
    """Form a product that is to be folded with its places in a window first, samples last.

    What stands at one place of all windows is then one block of memory, added in one go.
    """
    assert isinstance(node, Fold)
    (product,) = node.args
    if not isinstance(product, Contraction) or len(product.args) < 2:
        return None
    rank, output = len(node.target), product.output
    if not _distinct(output):
        return None
    framed = [frame.axis for frame in node.frames]
    space = {output[a] for a in framed}
    around = [set(labels) for labels in product.inputs if space & set(labels)]
    within = [set(labels) for labels in product.inputs if not space & set(labels)]
    rest = [a for a in range(rank) if a not in framed]
    late = [a for a in rest if not any(output[a] in held for held in within)]
    both = [a for a in rest if a not in late and any(output[a] in held for held in around)]
    early = [a for a in rest if a not in late and a not in both]
    image = [*both, *early, *framed, *late]
    order = [*both, *range(rank, len(output)), *early, *framed, *late]
    sizes = extents_of(product)
    first = contract(product.args, product.inputs, tuple(output[a] for a in order), sizes)
    there = [*image, *range(rank, len(output))]
    back = transpose(first, [order.index(a) for a in there])
    frames = _placed(node.frames, [image.index(a) for a in framed])
    made: Node = Fold((back,), frames, tuple(node.target[a] for a in image))
    return transpose(made, [image.index(a) for a in range(rank)])


def _distinct(*several: Labels) -> bool:
    return all(len(set(labels)) == len(labels) for labels in several)


def _placed(frames: Iterable[Frame], axes: Iterable[int]) -> tuple[Frame, ...]:
    return tuple(replace(f, axis=axis) for f, axis in zip(frames, axes, strict=True))


def _moved(x: Node, axes: Sequence[int]) -> Node:
    """Return `x` with its axes moved; a border is put around it after that."""
    if not isinstance(x, Pad):
        return transpose(x, axes)
    (inner,) = x.args
    spans, target = tuple(x.spans[a] for a in axes), tuple(x.target[a] for a in axes)
    made: Node = Pad((transpose(inner, axes),), spans, target)
    return made
