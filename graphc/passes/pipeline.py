"""The passes in their order, with the verifier between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from graphc.ir.nodes import Node
from graphc.ir.program import Program, verify
from graphc.passes.dce import dce
from graphc.passes.expand import expand
from graphc.passes.fold import fold
from graphc.passes.lower import lower
from graphc.passes.simplify import simplify
from graphc.passes.sink import sink

Pass: TypeAlias = Callable[[Program], Program]

DEFAULT: tuple[Pass, ...] = (fold, simplify, expand, sink, fold, simplify, lower, dce)


def run(program: Program, passes: tuple[Pass, ...] = DEFAULT) -> Program:
    """Return the program after all passes."""
    checked: set[Node] = set()
    verify(program, checked)
    for step in passes:
        program = verify(step(program), checked)
    return program
