"""Loops: drop what nobody reads, run equal loops once, and take out of them what needs no loop.

What hangs on constants and slices alone is computed before the loop, for all steps at once; what
only results hang on, after it. A matrix product for every step becomes one for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.batching import batch_nodes, mark
from graphc.control.body import depending, replaced
from graphc.control.choice import Choice, choice_of
from graphc.control.fixed_point import FixedPoint, fixed_point
from graphc.control.loop import Loop, Scan, needed, taken_apart
from graphc.control.repetition import While, while_loop, while_of
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program, rebuilt, rewrite, users, with_args
from graphc.ops.contraction import (
    Contraction,
    broadcast_to,
    contract,
    extents_of,
    is_shuffle,
    transpose,
)
from graphc.ops.elementwise import Elementwise, elementwise
from graphc.ops.leaves import new_input
from graphc.ops.several import Bundle, Item, bundle, item, types_of
from graphc.ops.structural import reshape
from graphc.types import Shape

UNKNOWN = 64  # the size that a named dimension counts as


def loops(program: Program) -> Program:
    """Apply all that this file does."""
    if not any(isinstance(node, Scan | Choice | FixedPoint | While) for node in program.nodes()):
        return program
    program = trim(merge(trim(program)))
    program = _each(program, lambda node, _: _before(node))
    program = trim(program)
    program = _each(program, lambda node, _: _after(node))
    return trim(_laid(_steady(program)))


def trim(program: Program) -> Program:
    """Drop the results of loops that nothing reads, and the carries that nothing needs."""
    while True:
        smaller = _each(program, _trimmed)
        if smaller.outputs == program.outputs:
            return program
        program = smaller


def _each(program: Program, change: Callable[[Scan, set[int]], Node]) -> Program:
    """Return `program` with its loops as `change` makes them, given which results are read."""
    order = program.nodes()
    read: dict[Node, set[int]] = {}
    for node in order:
        if isinstance(node, Item):
            read.setdefault(node.args[0], set()).add(node.index)
    new: dict[Node, Node] = {}
    origins = dict(program.origins)
    for node in order:
        current = with_args(node, tuple(new[arg] for arg in node.args))
        if isinstance(current, Scan):
            current = change(current, read.get(node, set()))
        elif isinstance(current, Choice):
            current = _trimmed_choice(current, read.get(node, set()))
        elif isinstance(current, While):
            current = _trimmed_while(current, read.get(node, set()))
        elif isinstance(current, Item) and isinstance(current.args[0], Bundle):
            current = item(current.args[0], current.index)
        new[node] = current
        if node in origins:
            mark(current, origins[node], origins)
    return rebuilt(program, new, origins)


def _trimmed(node: Scan, read: set[int]) -> Node:
    """Return the loop with the results that are read, as a bundle of all."""
    loop = taken_apart(node)
    still = {leaf for leaf, (_, after) in loop.carries.items() if after is leaf}
    live = needed(node, read)
    if len(live) == len(types_of(node)) and not still:
        return node
    results: list[Node | None] = [None] * len(types_of(node))
    kept = Loop(loop.length, loop.reverse, names=loop.names, origins=loop.origins)
    kept.constants = loop.constants | {leaf: loop.carries[leaf][0] for leaf in still}
    kept.slices = loop.slices
    places: dict[int, int] = {}
    for k, (leaf, pair) in enumerate(loop.carries.items()):
        if leaf in still:
            results[k] = pair[0]
        elif k in live:
            places[k] = len(kept.carries)
            kept.carries[leaf] = pair
    for k, y in enumerate(loop.stacked, node.carries):
        if k in live:
            places[k] = kept.stack(y)
    if places:
        whole = kept.node()
        for k, place in places.items():
            results[k] = item(whole, place)
    return bundle(results, types_of(node))


def _trimmed_choice(node: Choice, read: set[int]) -> Node:
    """Return the choice with the results that are read, as a bundle of all."""
    kept = sorted(read)
    if len(kept) == len(types_of(node)):
        return node
    results: list[Node | None] = [None] * len(types_of(node))
    smaller = choice_of(node, kept)
    for place, k in enumerate(kept):
        results[k] = item(smaller, place)
    return bundle(results, types_of(node))


def _trimmed_while(node: While, read: set[int]) -> Node:
    """Return the loop with the carries that the condition and what is read need, as a bundle."""
    smaller, kept = while_of(node, sorted(read))
    if len(kept) == node.carries:
        return node
    results: list[Node | None] = [None] * node.carries
    for place, k in enumerate(kept):
        results[k] = item(smaller, place)
    return bundle(results, types_of(node))


def merge(program: Program) -> Program:
    """Let one loop do what two do, where the one computes all carries of the other."""
    while True:
        chosen = _pairs(program)
        if not chosen:
            return program
        program = _merged(program, chosen)


def _pairs(program: Program) -> list[tuple[Scan, Scan, dict[Node, Node]]]:
    """Return loops with those that take them in, and what their leaves are there.

    Neither may depend on the other, also not through loops that were merged before.
    """
    order = program.nodes()
    found = [node for node in order if isinstance(node, Scan)]
    bit: dict[Node, int] = {node: 1 << k for k, node in enumerate(found)}
    above: dict[Node, int] = {}
    for node in order:
        total = bit.get(node, 0)
        for arg in node.args:
            total |= above[arg]
        above[node] = total
    reach = {node: above[node] for node in found}
    chosen: list[tuple[Scan, Scan, dict[Node, Node]]] = []
    taken: set[Node] = set()
    for small in found:
        for large in found:
            if small is large or {small, large} & taken or small.carries == 0:
                continue
            if reach[small] & bit[large] or reach[large] & bit[small]:
                continue
            leaves = _embedded(small, large)
            if leaves is None:
                continue
            chosen.append((small, large, leaves))
            taken |= {small, large}
            both = bit[small] | bit[large]
            joined = reach[small] | reach[large]
            for node in found:
                if reach[node] & both:
                    reach[node] |= joined
            break
    return chosen


def _embedded(small: Scan, large: Scan) -> dict[Node, Node] | None:
    """Return what the leaves of `small` are in `large`, if that computes the same carries."""
    if (small.length, small.reverse) != (large.length, large.reverse):
        return None
    a, b = taken_apart(small), taken_apart(large)
    leaves: dict[Node, Node] = {}
    for ours, theirs in ((a.constants, b.constants), (a.slices, b.slices)):
        there = {outer: leaf for leaf, outer in theirs.items()}
        if not there.keys() >= set(ours.values()):
            return None
        leaves |= {leaf: there[outer] for leaf, outer in ours.items()}
    free = list(b.carries.items())
    for leaf, (start, _) in a.carries.items():
        match = next((c for c in free if c[1][0] is start and c[0].type == leaf.type), None)
        if match is None:
            return None
        free.remove(match)
        leaves[leaf] = match[0]
    new = replaced(a.nexts, leaves)
    same = all(new[after] is b.carries[leaves[leaf]][1] for leaf, (_, after) in a.carries.items())
    return leaves if same else None


def _merged(program: Program, chosen: Sequence[tuple[Scan, Scan, dict[Node, Node]]]) -> Program:
    """Return the program with the loops taken in, all at once."""
    at: dict[Node, tuple[Node, list[int]]] = {}  # a loop, and the places of its results there
    for small, large, leaves in chosen:
        loop, own = taken_apart(large), taken_apart(small)
        new = replaced(own.stacked, leaves)
        order = list(loop.carries)
        there = [order.index(leaves[leaf]) for leaf in own.carries]
        there += [loop.stack(new[y]) for y in own.stacked]
        loop.names = {**{new[n]: t for n, t in own.names.items() if n in new}, **loop.names}
        whole = loop.node()
        at[small] = whole, there
        at[large] = whole, list(range(len(types_of(large))))
    # Bottom up, with the operands of both: the whole is made of new operands when it is met.
    new_nodes: dict[Node, Node] = {}
    for node in _together(program, at):
        if node in at:
            continue
        if isinstance(node, Item) and node.args[0] in at:
            whole, there = at[node.args[0]]
            if whole not in new_nodes:
                new_nodes[whole] = with_args(whole, _args(whole, new_nodes))
            held = new_nodes[whole]
            new_nodes[node] = item(held, there[node.index])
        else:
            new_nodes[node] = with_args(node, _args(node, new_nodes))
    origins = dict(program.origins)
    for small, large, _ in chosen:  # what the forward pass computes belongs there
        known = [origins[n] for n in (small, large) if n in origins]
        known.sort(key=lambda origin: origin.rule != "forward")
        if known and at[large][0] in new_nodes:
            origins[new_nodes[at[large][0]]] = known[0]
    for node, origin in program.origins.items():
        if node in new_nodes:
            mark(new_nodes[node], origin, origins)
    return rebuilt(program, new_nodes, origins)


def _args(node: Node, new: dict[Node, Node]) -> tuple[Node, ...]:
    return tuple(new[arg] for arg in node.args)


def _together(program: Program, at: dict[Node, tuple[Node, list[int]]]) -> list[Node]:
    """Return the program's nodes in an order in which merged loops follow all their operands."""

    def visit(node: Node) -> Sequence[Node]:
        if isinstance(node, Item) and node.args[0] in at:
            return at[node.args[0]][0].args
        return node.args

    return topological(program.outputs, program.inputs, visit)


def _before(node: Scan) -> Node:
    """Compute before the loop what hangs on constants and slices alone."""
    node = _regrouped(node)
    loop = taken_apart(node)
    order = node.body.nodes()
    varying = depending(order, loop.carries)
    sliced = depending(order, loop.slices)
    ends = {arg for n in order if n in varying for arg in n.args} | set(loop.nexts)
    moved: dict[Node, Node] = {}
    wanted = {*ends, *loop.stacked}
    pending = [n for n in order if n in wanted]
    while pending:
        n = pending.pop()
        if n in moved or not n.args or n in varying:
            continue
        if is_shuffle(n):  # repeated numbers and views are no work
            pending.extend(n.args)
            continue
        moved[n] = new_input(n.type)
    if not moved:
        return node
    outside = replaced(list(moved), loop.constants)
    for n, leaf in moved.items():
        if n not in sliced:
            loop.constants[leaf] = outside[n]
            continue
        rows = {outside[s]: stack for s, stack in loop.slices.items() if s in outside}
        new, _, _ = batch_nodes([outside[n]], rows, loop.length)
        loop.slices[leaf] = new[outside[n]]
    return _with(loop, moved)


def _laid(program: Program) -> Program:
    """Compute the stacks that loops run along as they lie there, steps first.

    The products that they are sums of give them so at once; turned afterwards, a step's part would
    be pieces of memory far from each other.
    """
    order = program.nodes()
    counts = users(order)
    for node in program.outputs:
        counts[node] = counts.get(node, 0) + 1
    turned: dict[Node, Node] = {}
    for node in order:
        if isinstance(node, Scan):
            for arg in node.args[node.constants + node.carries :]:
                for end in _summed(arg, counts)[1]:
                    better = _turned(end, counts) if _turns(end) and end not in turned else None
                    if better is not None:
                        turned[end] = better
    return rewrite(program, turned.get) if turned else program


def _turns(node: Node) -> bool:
    """Return whether a node moves the axes of what it is made of, and does nothing else."""
    if not is_shuffle(node):
        return False
    assert isinstance(node, Contraction)
    (labels,) = node.inputs
    return len(set(labels)) == len(labels) == len(node.output) and not node.extents


def _turned(node: Node, counts: Mapping[Node, int]) -> Node | None:
    """Return what moves axes as a sum of products that give them so, if it is such a sum."""
    assert isinstance(node, Contraction)
    (top,), (labels,) = node.args, node.inputs
    axes = [labels.index(x) for x in node.output]
    inside, ends = _summed(top, counts)
    products = [n for n in ends if isinstance(n, Contraction) and len(n.args) > 1]
    if not inside or not any(counts[n] == 1 and n.shape == top.shape for n in products):
        return None
    new = {n: _moved(n, axes, counts) for n in ends}
    for part in reversed(inside):  # a part that is used once follows its user
        assert isinstance(part, Elementwise)
        new[part] = elementwise(part.function, *(new[arg] for arg in part.args))
    return new[top]


def _summed(top: Node, counts: Mapping[Node, int]) -> tuple[list[Node], list[Node]]:
    """Return the scalar functions that nothing but `top` needs, and their operands."""
    inside: list[Node] = []
    ends: list[Node] = []
    pending = [top]
    while pending:
        part = pending.pop()
        alone = counts[part] == 1 and part.shape == top.shape
        if isinstance(part, Elementwise) and alone:
            inside.append(part)
            pending.extend(part.args)
        elif part not in ends:
            ends.append(part)
    return inside, ends


def _moved(node: Node, axes: Sequence[int], counts: Mapping[Node, int]) -> Node:
    """Return a node with the axes moved that it has among as many as `axes` has."""
    if not node.shape:
        return node
    product = isinstance(node, Contraction) and len(node.args) > 1
    if product and counts[node] == 1 and node.type.rank == len(axes):
        assert isinstance(node, Contraction)
        output = tuple(node.output[a] for a in axes)
        return contract(node.args, node.inputs, output, extents_of(node))
    sizes = (*(1 for _ in axes[node.type.rank :]), *node.shape)
    held = [a for a in axes if sizes[a] != 1]
    if held == sorted(held):  # only axes that are repeated change places
        first = axes.index(held[0]) if held else len(axes)
        return reshape(node, tuple(sizes[a] for a in axes[first:]))
    return transpose(reshape(node, sizes), axes)


def _steady(program: Program) -> Program:
    """Compute before an iteration what hangs on none of its unknowns."""
    return rewrite(
        program, lambda node: _steadied(node) if isinstance(node, FixedPoint | While) else None
    )


def _steadied(node: FixedPoint | While) -> Node | None:
    held, first = node.body, node.constants
    order = held.nodes()
    varying = depending(order, held.inputs[first:])
    pending = [arg for n in order if n in varying for arg in n.args]
    moved: dict[Node, Node] = {}
    while pending:
        n = pending.pop()
        if n in varying or n in moved or not n.args:
            continue
        if is_shuffle(n):
            pending.extend(n.args)
        else:
            moved[n] = new_input(n.type)
    if not moved:
        return None
    constants = dict(zip(held.inputs, node.args[:first], strict=False))
    outside = replaced(list(moved), constants)
    new = replaced(held.outputs, moved)
    changing = {
        leaf: (start, new[out])
        for leaf, start, out in zip(
            held.inputs[first:], node.args[first:], held.outputs, strict=False
        )
    }
    constants |= {leaf: outside[n] for n, leaf in moved.items()}
    names = dict(held.names)
    if isinstance(node, While):
        return while_loop(constants, changing, new[held.outputs[-1]], names)
    return fixed_point(constants, changing, node.tolerance, node.iterations, names)


def _regrouped(node: Scan) -> Scan:
    """Return the loop with the terms of sums, and factors, that can leave it standing together."""
    loop = taken_apart(node)
    order = node.body.nodes()
    varying = depending(order, loop.carries)
    counts = users(order)
    for n in (*loop.nexts, *loop.stacked):
        counts[n] = counts.get(n, 0) + 1
    inner = {
        arg
        for n in order
        for arg in n.args
        if _joins(n) and _joins(arg) and _same_function(n, arg) and counts[arg] == 1
    }
    new: dict[Node, Node] = {leaf: leaf for leaf in node.body.inputs}
    for n in order:
        if n in new:
            continue
        parts = _parts(n, inner) if _joins(n) and n not in inner and n in varying else []
        free = [part for part in parts if part not in varying]
        if len(free) < 2 or len(free) == len(parts):
            new[n] = with_args(n, _args(n, new))
            continue
        rest = [part for part in parts if part in varying]
        function = n.function  # type: ignore[attr-defined]
        together = _folded(function, [new[part] for part in free])
        new[n] = _folded(function, [*(new[part] for part in rest), together])
    values = {n: after for n, after in new.items() if n is not after}
    made = _with(loop, values) if values else node
    assert isinstance(made, Scan)
    return made


def _joins(node: Node) -> bool:
    known = isinstance(node, Elementwise) and node.function in ("add", "multiply")
    return known and node.kind == "real"


def _same_function(a: Node, b: Node) -> bool:
    return isinstance(a, Elementwise) and isinstance(b, Elementwise) and a.function == b.function


def _parts(node: Node, inner: set[Node]) -> list[Node]:
    """Return the terms or factors of `node`, those of terms in `inner` instead of these."""
    found: list[Node] = []
    pending = [node]
    while pending:
        part = pending.pop()
        if part is node or (part in inner and _same_function(part, node)):
            pending.extend(reversed(part.args))
        else:
            found.append(part)
    return found


def _folded(function: str, parts: Sequence[Node]) -> Node:
    result = parts[0]
    for part in parts[1:]:
        result = elementwise(function, result, part)
    return result


def _with(loop: Loop, values: dict[Node, Node]) -> Node:
    """Return the loop with nodes of its body replaced."""
    new = replaced([*loop.nexts, *loop.stacked], values)
    loop.carries = {k: (start, new[after]) for k, (start, after) in loop.carries.items()}
    stacked = [new[y] for y in loop.stacked]
    loop.stacked = stacked
    loop.names = {new.get(n, n): name for n, name in loop.names.items()}
    loop.origins = {new[n]: origin for n, origin in loop.origins.items() if n in new}
    return loop.node()


def _after(node: Scan) -> Node:
    """Compute after the loop what only its results hang on, where that saves work or memory."""
    loop = taken_apart(node)
    core = set(topological(loop.nexts)) | set(node.body.inputs)
    core |= {n for n in node.body.nodes() if isinstance(n, Item) and n.args[0] in core}
    inside = [y for y in loop.stacked if y in core and y not in loop.slices]
    held = set(inside)
    moved: dict[Node, list[Node]] = {}  # a result, and what must be stacked for it
    for y in dict.fromkeys(loop.stacked):
        if y in held:
            continue
        order = topological([y], core)
        ends = [n for n in order if n in core and n not in loop.constants]
        fresh = [n for n in ends if n not in held and n not in loop.slices]
        work = any(isinstance(n, Contraction) and len(n.args) > 1 for n in order if n not in core)
        if work or sum(_size(n.shape) for n in fresh) <= _size(y.shape):
            moved[y] = ends
            held |= set(fresh)
    if not moved:
        return node
    kept = Loop(loop.length, loop.reverse, loop.constants, loop.carries, loop.slices)
    kept.names, kept.origins = loop.names, loop.origins
    kept.stacked = [y for y in dict.fromkeys(loop.stacked) if y not in moved]
    for ends in moved.values():
        for n in ends:
            if n not in kept.slices:
                kept.stack(n)
    whole = kept.node() if kept.stacked or kept.carries else node
    results = [item(whole, k) for k in range(node.carries)]
    for y in loop.stacked:
        if y not in moved:
            results.append(item(whole, kept.stack(y)))
            continue
        rows = {
            n: kept.slices[n] if n in kept.slices else item(whole, kept.stack(n)) for n in moved[y]
        }
        results.append(_for_all_steps(y, rows, loop))
    return bundle(results, types_of(node))


def _for_all_steps(y: Node, rows: dict[Node, Node], loop: Loop) -> Node:
    """Return the results of a node of the body for all steps, from the stacks of what it needs."""
    leaves = {n: new_input(n.type) for n in rows}
    own = replaced([y], {**loop.constants, **leaves})[y]
    stacks = {leaves[n]: stack for n, stack in rows.items()}
    new, varying, _ = batch_nodes([own], stacks, loop.length)
    if own in varying:
        return new[own]
    return broadcast_to(new[own], (loop.length, *y.shape))


def _size(shape: Shape) -> int:
    size = 1
    for dim in shape:
        size *= dim if isinstance(dim, int) else UNKNOWN
    return size
