"""Dead code: forget what is said of nodes that no output needs."""

from __future__ import annotations

from dataclasses import replace

from graphc.ir.program import Program


def dce(program: Program) -> Program:
    """Drop names and origins of nodes that are gone; the nodes themselves are gone already."""
    alive = set(program.nodes()) | set(program.inputs)
    return replace(
        program,
        names={node: name for node, name in program.names.items() if node in alive},
        origins={node: origin for node, origin in program.origins.items() if node in alive},
    )
