"""The passes in their order, with the verifier between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from graphc.control.body import HOLDERS, on_bodies, verify_bodies
from graphc.errors import GraphcError
from graphc.ir.program import Program, verify
from graphc.passes.dce import dce
from graphc.passes.expand import expand
from graphc.passes.loops import loops
from graphc.passes.lower import lower
from graphc.passes.order import order
from graphc.passes.products import products
from graphc.passes.simplify import simplify
from graphc.passes.sink import sink
from graphc.passes.values import values

Pass: TypeAlias = Callable[[Program], Program]

DEFAULT: tuple[Pass, ...] = (simplify, loops, expand, sink, simplify, order, lower, values, dce)

# The fast style differs in how sums are written.
FAST: tuple[Pass, ...] = (*DEFAULT[:-1], products, dce)


def run(program: Program, passes: tuple[Pass, ...] = DEFAULT) -> Program:
    """Return the program after all passes, the bodies of its loops too.

    After each pass the interface is what it was. At the end, every node is checked; if one is
    wrong, the passes run again with the check after each, to name the one that broke it.

    Raises
    ------
    GraphcError
        If a pass breaks the program: a fault of the pass.
    """
    held = any(type(node) in HOLDERS for node in program.nodes())
    result = program
    for step in passes:
        before, result = result, step(result)
        _same_interface(before, result, step)
        result = on_bodies(result, step) if held else result
    try:
        return verify_bodies(verify(result))
    except GraphcError:
        for step in passes:
            program = on_bodies(step(program), step)
            _verified_after(program, step)
        raise


def _same_interface(before: Program, after: Program, step: Pass) -> None:
    types = [node.type for node in before.outputs]
    if after.inputs != before.inputs or [node.type for node in after.outputs] != types:
        raise GraphcError(f"the pass {step.__name__} changed the program's interface")


def _verified_after(program: Program, step: Pass) -> None:
    try:
        verify(program)
    except GraphcError as error:
        raise GraphcError(f"after the pass {step.__name__}: {error}") from error
