"""The fast style: each function is straight-line code from its arguments to its results.

Buffers are written again inside a call as soon as nothing reads them any more. Arguments that
need no conversion are accepted by one expression; all others go through the full checks.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.emit.checks import Checks, check_names
from graphc.emit.dialect import Dialect
from graphc.emit.file import File, gradient_order, indented
from graphc.emit.model import Field
from graphc.emit.plan import plan
from graphc.emit.statements import Writer, body
from graphc.emit.steps import SAMPLES, Plan
from graphc.ir.nodes import Node


def fast(file: File, checks: Checks) -> list[list[str]]:
    """Print the public functions."""
    names = ["forward"] if file.model.forward else []
    names += ["loss", "loss_and_grad"] if file.model.has_loss else []
    functions = [_function(file, name) for name in names]
    return [*functions, *(_fits(file, checks, c) for c in dict.fromkeys(check_names(file.model)))]


def _function(file: File, name: str) -> list[str]:
    model = file.model
    forward = name == "forward"
    fields = model.forward_fields if forward else model.loss_fields
    wanted: Sequence[Node] = model.forward_nodes
    returned: Sequence[Node] = model.forward_nodes
    if not forward:
        grads = gradient_order(model) if name == "loss_and_grad" else []
        wanted = (model.loss_node, *grads)
        returned = model.gradients if grads else ()
    dialect = file.dialect()
    given = file.leaves(fields)
    made = plan(
        wanted,
        given,
        file.local_names(),
        dialect.names,
        fast=True,
        origins=file.origins,
        returned=returned,
    )
    writer = Writer(made, dialect)
    steps = body(made, dialect, file.comments(made))
    if forward:
        result = file.forward_result([writer.result(n) for n in model.forward_nodes])
    elif name == "loss":
        result = [f"return {file.scalar(writer.spelled(model.loss_node).text)}"]
    else:
        result = file.gradient_result(writer.spelled(model.loss_node).text, writer)
    check = check_names(model)[0 if forward else 1]
    rooms = room_lines(file, made, dialect)
    lines = [*accept(file, check, fields), *file.size_lines(dialect, given), *rooms]
    public = model.function or name
    return [*file.opening(public, fields), *indented([*lines, *steps, *result])]


ROOMS = '''def _rooms(P, *columns):
    """Memory for matrices of P rows, in one piece; None where fresh memory costs little.

    From 4 MiB on NumPy asks for huge pages, and the C library stops returning smaller pieces.
    """
    if P < 256:
        return (None,) * {len}(columns)
    room = {np}.empty({max}(P * {sum}(columns), 1 << 20), {dtype})
    rooms, start = [], 0
    for n in columns:
        rooms.append(room[start : start + P * n].reshape(P, n))
        start += P * n
    return rooms
'''


def room_lines(file: File, made: Plan, dialect: Dialect) -> list[str]:
    """Print the line that takes memory for the matrix products of a body."""
    rooms = made.rooms
    if not rooms:
        return []
    own = file.names.own
    file.helpers["_rooms"] = ROOMS.format(
        len=own("len"), np=file.lib, max=own("max"), sum=own("sum"), dtype=own("DTYPE")
    )
    columns = ", ".join(dialect.dim(step.node.shape[1]) for step in rooms)
    names = ", ".join(str(step.room) for step in rooms) + ("," if len(rooms) == 1 else "")
    return [f"{names} = _rooms({dialect.dim(SAMPLES)}, {columns})"]


def accept(file: File, check: str, fields: Sequence[Field]) -> list[str]:
    """Print the lines that accept fitting arguments at once and check all others."""
    full = file.check_call(check, fields)
    arguments = ", ".join([*file.first_argument(), *(f.name for f in fields)])
    lines = [f"if not {FITS[check]}({arguments}):", f"    {full}"]
    names = [f.name for f in file.model.parameters]
    if names:
        lines.append(f"{', '.join(names)}{',' if len(names) == 1 else ''} = {file.params}")
    return lines


def _fits(file: File, checks: Checks, check: str) -> list[str]:
    """Print the function that says whether a full check would change nothing."""
    model, params, own = file.model, file.params, file.names.own
    early, last = check_names(model)
    forward = check != last or not model.has_loss
    fields = model.forward_fields if forward else model.loss_fields
    arguments = ", ".join([*file.first_argument(), *(f.name for f in fields)])
    lines = [
        f"def {FITS[check]}({arguments}):",
        '    """Return whether arguments need no conversion and pass the checks."""',
    ]
    tests: list[str] = []
    if check == last != early and model.shares_forward:  # what `forward` takes is checked there
        asked = ", ".join([*file.first_argument(), *(f.name for f in model.forward_fields)])
        tests.append(f"{FITS[early]}({asked})")
        tests += checks.quick(check, fields, (*model.parameters, *model.forward_fields))
    else:
        if model.function is None:
            lines.append(f"    if {own('type')}({params}) is not {own('Params')}:")
            lines.append("        return False")
        names = [f.name for f in model.parameters]
        if names and not checks.tabled:
            lines.append(f"    {', '.join(names)}{',' if len(names) == 1 else ''} = {params}")
        tests += checks.quick(check, fields)
    if not tests:
        return [*lines, "    return True"]
    lines.append("    return (")
    for i, test in enumerate(tests):
        lines.append(f"        {'and ' if i else ''}{test}")
    return [*lines, "    )"]


FITS = {"_check": "_fits", "_check_forward": "_fits_forward"}
