"""A step of training: `State`, `init_state` and `train_step`, which updates in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.emit.buffers import memory_of
from graphc.emit.checks import check_names
from graphc.emit.dialect import Dialect
from graphc.emit.fast import accept, room_lines
from graphc.emit.file import File, indented
from graphc.emit.initial import named_tuple
from graphc.emit.local_names import augments
from graphc.emit.model import Slot, Updates
from graphc.emit.plan import plan
from graphc.emit.statements import Writer, body
from graphc.emit.steps import Plan
from graphc.emit.tracing import Line
from graphc.ir.nodes import Node, topological
from graphc.ir.program import users
from graphc.ops.elementwise import Elementwise
from graphc.ops.scalars import SCALARS
from graphc.types import shape_text


def updates_of(file: File) -> Updates:
    """Return the step of training of a file that has one."""
    assert file.model.updates is not None
    return file.model.updates


def state_tuple(file: File) -> list[str]:
    """Print the class of what the update rule remembers."""
    slots = updates_of(file).slots
    fields = tuple((slot.name, shape_text(slot.node.shape)) for slot in slots)
    doc = "What the update rule remembers from one step to the next."
    return named_tuple(file.names.own("State"), fields, doc, file.lib)


def init_state(file: File) -> list[str]:
    """Print ``init_state``."""
    own, slots = file.names.own, updates_of(file).slots
    params, seed, state = own("params"), own("seed"), own("State")
    what = "; noise follows from the seed" if any(s.init == "seed" for s in slots) else ""
    lines = [
        f"def init_state({params}: {own('Params')}, {seed}=0) -> {state}:",
        f'    """Return what the update rule remembers before the first step{what}."""',
    ]
    if not slots:
        return [*lines, f"    return {state}()"]
    values = [f"        {slot.name}={_start(slot, file)}," for slot in slots]
    return [*lines, f"    return {state}(", *values, "    )"]


def _start(slot: Slot, file: File) -> str:
    own, lib = file.names.own, file.lib
    dtype = own("DTYPE") if slot.node.kind == "real" else f"{lib}.int64"
    like = f"{own('params')}.{slot.parameter}"
    shape = "()" if slot.parameter is None else f"{like}.shape"
    if slot.init == "seed":
        return f"{lib}.array({own('seed')}, {dtype})"
    if slot.init == "parameter":
        return f"{lib}.array({like}, {dtype})"
    if isinstance(slot.init, str):
        return f"{lib}.{slot.init}({shape}, {dtype})"
    return f"{lib}.full({shape}, {slot.init!r}, {dtype})"


CHECK = '''def _check_step({params}, {state}):
    """Raise an error unless params and state can be updated in place."""
    if {type}({params}) is not {Params} or {type}({state}) is not {State}:
        raise {TypeError}("train_step updates what init_params and init_state return")
    for name, array in {zip}({Params}._fields + {State}._fields, {params} + {state}):
        if {type}(array) is not {lib}.ndarray or not {writeable}:
            raise {TypeError}(f"{{name}} must be an array that can be written to")
        if array.dtype != {DTYPE} and array.dtype != {lib}.int64:
            raise {TypeError}(f"{{name}} must be of the file's dtype, got {{array.dtype}}")
'''


def check_step(file: File) -> list[str]:
    """Print the check of what is updated in place; no conversion can stand for it."""
    own = file.names.own
    names = ("params", "state", "type", "Params", "State", "zip", "DTYPE", "TypeError")
    text = CHECK.format(
        lib=file.lib,
        writeable="True" if file.model.target.needs_device else "array.flags.writeable",
        **{name: own(name) for name in names},
    )
    lines = text.rstrip().split("\n")
    like = [s for s in updates_of(file).slots if s.parameter is not None]
    for slot in like:
        array, parameter = f"{own('state')}.{slot.name}", f"{own('params')}.{slot.parameter}"
        lines.append(f"    if {array}.shape != {parameter}.shape:")
        lines.append(
            f'        raise {own("ValueError")}(f"{slot.name} must have the shape of '
            f'{slot.parameter}, {{{parameter}.shape}}, got {{{array}.shape}}")'
        )
    return lines


def train_step(file: File) -> list[str]:
    """Print ``train_step``."""
    model, namer = file.model, file.names.copy()
    updates = updates_of(file)
    given = {f.node: f.name for f in (*model.parameters, *model.loss_fields)}
    states = {slot.node: namer.fresh(slot.name) for slot in updates.slots}
    noise = {node: namer.fresh(name) for name, node, _ in updates.noise}
    given |= states | noise
    old = [*(f.node for f in model.updated), *states]
    moved = {a: b for a, b in zip(old, model.new_values, strict=True) if a is not b}
    grads = {} if file.fast else _gradients(file, moved, given)
    dialect = file.dialect(namer)
    result = namer.fresh("loss")
    lines = _first_lines(file, dialect, given, grads, moved, result)
    lines += _state_lines(file, states, noise)
    given |= grads
    names = file.local_names()
    for leaf, node in moved.items():
        if node.args and node not in given:
            names[node] = f"new_{given[leaf]}"
    loss = [model.loss_node] if file.fast else []
    made = plan(
        [*loss, *(n for n in moved.values() if n not in given)],
        given,
        names,
        namer,
        fast=file.fast,
        origins=file.origins,
        spelled_last=() if file.fast else _last(moved, given),
        donated=moved if file.fast else {},
    )
    steps = _guarded(file, body(made, dialect, file.comments(made)))
    writer = Writer(made, dialect)
    before, closing = _closing(moved, given, made, writer)
    text = writer.spelled(model.loss_node).text if file.fast else result
    rooms = room_lines(file, made, dialect)
    lines += [*file.size_lines(dialect, given), *rooms, *before, *steps, *closing]
    return [*_opening(file), *indented([*lines, f"return {file.scalar(text)}"])]


def _opening(file: File) -> list[str]:
    own = file.names.own
    typed = f"{own('params')}: {own('Params')}, {own('state')}: {own('State')}"
    lines = file.opening("train_step", file.model.loss_fields)
    head = f"{own('params')}: {own('Params')}"
    return [line.replace(head, typed, 1) for line in lines]


def _gradients(
    file: File, moved: Mapping[Node, Node], given: Mapping[Node, str]
) -> dict[Node, str]:
    """Return the gradients that the step reads, by the names of their variables."""
    pairs = zip((f.name for f in file.model.updated), file.model.gradients, strict=True)
    below = set(topological(moved.values(), (*given, *file.model.gradients)))
    return {g: f"d_{name}" for name, g in pairs if g in below and g.args and g not in given}


def _first_lines(
    file: File,
    dialect: Dialect,
    given: Mapping[Node, str],
    grads: dict[Node, str],
    moved: Mapping[Node, Node],
    loss: str,
) -> list[str]:
    """Print the checks and, where it is read, the gradient."""
    model, own = file.model, file.names.own
    params, fields = own("params"), file.model.loss_fields
    check = check_names(model)[1]
    lines = [f"_check_step({params}, {own('state')})"]
    if file.fast:
        return [*lines, *accept(file, check, fields)]
    reads = set(topological(moved.values(), (*given, *grads)))
    if any(f.node in reads for f in fields):
        lines.append(file.check_call(check, fields))
    arguments = ", ".join([params, *(f.name for f in fields)])
    held = dialect.names.fresh("grads")
    lines.append(f"{loss}, {held} = {own('loss_and_grad')}({arguments})")
    lines += _guard(file, loss)
    lines.append(_unpacked([f.name for f in model.parameters], params))
    for g, wish in grads.items():
        grads[g] = dialect.names.fresh(wish)
    if grads:
        taken = [grads.get(g, "_") for g in model.gradients]
        seen: set[str] = set()
        taken = ["_" if t in seen or seen.add(t) else t for t in taken]  # type: ignore[func-returns-value]
        lines.append(_unpacked(taken, held))
    return lines


def _guarded(file: File, lines: list[str]) -> list[str]:
    """Return the lines of a body with the guard behind the one that computes the loss."""
    for at, line in reversed(list(enumerate(lines))):  # its last line: a comment may lead
        if isinstance(line, Line) and line.step.node is file.model.loss_node:
            return [*lines[: at + 1], *_guard(file, line.step.name), *lines[at + 1 :]]
    return lines


def _guard(file: File, loss: str) -> list[str]:
    """Print what leaves everything as it was where the loss is not finite.

    A device is not waited for: there the caller looks at the loss.
    """
    if file.model.target.needs_device:
        return []
    error = file.names.own("FloatingPointError")
    return [
        f"if not {file.lib}.isfinite({loss}):",
        f'    raise {error}(f"the loss is {{{loss}}}; nothing was updated")',
    ]


def _unpacked(names: Sequence[str], source: str) -> str:
    return f"{', '.join(names)}{',' if len(names) == 1 else ''} = {source}"


def _state_lines(file: File, states: Mapping[Node, str], noise: Mapping[Node, str]) -> list[str]:
    """Print the lines that take the state apart, and those that draw noise."""
    own, updates = file.names.own, updates_of(file)
    lines = [_unpacked(list(states.values()), own("state"))] if states else []
    if not noise:
        return lines
    # A counter-based generator: the noise of a step depends on the seed and its number alone.
    by_name = {slot.name: states[slot.node] for slot in updates.slots}
    np_, int_, rng = own("np"), own("int"), own("rng")
    seed, step = f"{int_}({by_name['seed']})", f"{int_}({by_name['step']})"
    lines.append(
        f"{rng} = {np_}.random.Generator({np_}.random.Philox({seed}, counter=[0, 0, 0, {step}]))"
    )
    fields = {f.name: f.name for f in file.model.parameters}
    for _, node, parameter in updates.noise:
        drawn = f"{rng}.standard_normal({fields[parameter]}.shape)"
        if file.lib != np_:
            made = f"{file.lib}.asarray({drawn}, {own('DTYPE')})"
        else:
            made = f"{np_}.asarray({drawn}).astype({own('DTYPE')})"
        lines.append(f"{noise[node]} = {made}")
    return lines


def _last(moved: Mapping[Node, Node], given: Mapping[Node, str]) -> list[Node]:
    """Return the new values that may be spelled where they are assigned.

    Nothing that an earlier assignment has overwritten may occur there: only a value's own old
    one, and what is read more than once, which has a line of its own before.
    """
    order = topological(moved.values(), given)
    counts = users(order)
    named = {n for n in order if counts.get(n, 0) + (n in moved.values()) > 1}
    found = []
    for leaf, new in moved.items():
        if new in named or new in given:
            continue
        reads = set(topological([new], (*given, *named)))
        if not (reads & moved.keys()) - {leaf}:
            found.append(new)
    return found


def _closing(
    moved: Mapping[Node, Node], given: Mapping[Node, str], made: Plan, writer: Writer
) -> tuple[list[str], list[str]]:
    """Print the assignments of new values to the old arrays, and what must come before all."""
    into = {step.node: step.into for step in made.steps if step.into is not None}
    before, lines = [], []
    for leaf, new in moved.items():
        name = given[leaf]
        if leaf in memory_of(new, into):
            continue
        if new in moved:  # the old value of another, which may be overwritten by then
            held = writer.dialect.names.fresh(f"old_{given[new]}")
            before.append(f"{held} = {given[new]}.copy()")
            lines.append(f"{name}[...] = {held}")
        else:
            lines.append(_assigned(name, leaf, new, made, writer))
    return before, lines


def _assigned(name: str, leaf: Node, new: Node, made: Plan, writer: Writer) -> str:
    if new not in made.names and isinstance(new, Elementwise) and augments(new, leaf):
        row = SCALARS[new.function]
        other = new.args[1] if new.args[0] is leaf else new.args[0]
        return f"{name} {row.infix}= {writer.spelled(other).text}"
    return f"{name}[...] = {writer.spelled(new).text}"
