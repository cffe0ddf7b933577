"""The passes in their order, with the verifier between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from graphc.errors import GraphcError
from graphc.ir.program import Program, closed, verify
from graphc.passes.dce import dce
from graphc.passes.expand import expand
from graphc.passes.fold import fold
from graphc.passes.lower import lower
from graphc.passes.products import products
from graphc.passes.simplify import simplify
from graphc.passes.sink import sink

Pass: TypeAlias = Callable[[Program], Program]

DEFAULT: tuple[Pass, ...] = (fold, simplify, expand, sink, fold, simplify, lower, dce)

# The fast style differs in how sums are written.
FAST: tuple[Pass, ...] = (*DEFAULT[:-1], products, dce)


def run(program: Program, passes: tuple[Pass, ...] = DEFAULT) -> Program:
    """Return the program after all passes.

    After each pass: the interface is what it was, and nothing is used that no caller fills. At
    the end, every node is checked.

    Raises
    ------
    GraphcError
        If a pass breaks the program: a fault of the pass.
    """
    for step in passes:
        before, program = program, closed(step(program))
        types = [node.type for node in before.outputs]
        if program.inputs != before.inputs or [n.type for n in program.outputs] != types:
            raise GraphcError(f"the pass {step.__name__} changed the program's interface")
    return verify(program)
