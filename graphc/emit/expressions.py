"""Expressions: how a node is spelled, given how its operands are."""

from __future__ import annotations

from collections.abc import Callable

from graphc.emit.dialect import ATOM, Dialect, Spelled, Speller, spell_constant
from graphc.emit.spell_contraction import spell_contraction
from graphc.emit.spell_elementwise import spell_elementwise
from graphc.emit.spell_linalg import spell_linalg
from graphc.emit.spell_opaque import spell_opaque
from graphc.emit.spell_recurrence import spell_recurrence
from graphc.emit.spell_reduction import spell_reduction
from graphc.emit.spell_structural import (
    places,
    spell_concatenation,
    spell_labels,
    spell_reshape,
    spell_spans,
)
from graphc.emit.spell_windows import spell_windows
from graphc.errors import CompileError
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import Gather
from graphc.ops.joining import Concatenation
from graphc.ops.leaves import Constant, Iota, Size
from graphc.ops.linalg import Linalg
from graphc.ops.opaque import Opaque
from graphc.ops.ranges import InRange
from graphc.ops.recurrence import Recurrence
from graphc.ops.reduction import Reduction
from graphc.ops.structural import Reshape, Slice
from graphc.ops.windows import Windows


def spell(node: Node, of: Speller, dialect: Dialect, alone: Callable[[Node], bool]) -> Spelled:
    """Spell a node whose operands `of` spells; `alone` says what has no name and one user."""
    match node:
        case Constant():
            return spell_constant(node, dialect)
        case Size():
            return dialect.factor(node.size)
        case Iota():
            return Spelled(f"{dialect.lib}.arange({dialect.dim(node.size)})")
        case Elementwise():
            return spell_elementwise(node, of, dialect)
        case Contraction():
            return spell_contraction(node, of, dialect)
        case Reduction():
            return spell_reduction(node, of, dialect)
        case Reshape():
            return spell_reshape(node, of, dialect, alone)
        case Slice():
            return Spelled(f"{of(node.args[0]).within(ATOM)}[{spell_spans(node, dialect)}]")
        case Concatenation():
            return spell_concatenation(node, of, dialect)
        case Windows():
            return spell_windows(node, of, dialect)
        case Recurrence():
            return spell_recurrence(node, of, dialect)
        case Linalg():
            return spell_linalg(node, of, dialect)
        case Gather():
            x = of(node.args[0]).within(ATOM)
            return Spelled(f"{x}[{places(node, of, dialect)}]")
        case InRange():
            return spell_labels(node, of, dialect)
        case Opaque():
            return spell_opaque(node, of, dialect)
    raise CompileError(f"{type(node).__name__} cannot be written as an expression")
