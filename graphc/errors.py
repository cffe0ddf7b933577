"""Every exception that graphc raises on purpose.

An inner layer states the fault; the boundary that knows what the user wrote (the block, the
variable, the line) adds that once, with :meth:`GraphcError.within`.
"""

from __future__ import annotations

from typing import Self


class GraphcError(Exception):
    """Base of all errors that are the user's to mend; the message says how."""

    def within(self, context: str) -> Self:
        """Return the same error with what the user wrote named in front."""
        located = type(self)(f"{context}: {self}")
        located.__cause__ = self.__cause__
        return located


class ShapeError(GraphcError, ValueError):
    """Two shapes, or a shape and an operation, do not fit."""


class KindError(GraphcError, TypeError):
    """A real value stands where an integer or boolean is needed, or the other way round."""


class NamingError(GraphcError, ValueError):
    """A name cannot be used, or is used twice."""


class UsageError(GraphcError, TypeError):
    """A variable is used as if it were an array; the message says what to write instead."""


class CycleError(GraphcError, ValueError):
    """A variable depends on itself; the message names the blocks in order."""


class DerivativeError(GraphcError, ValueError):
    """A derivative does not exist, is cut, or has no rule."""


class FormulaError(GraphcError, ValueError):
    """There is no formula in the requested notation."""


class CompileError(GraphcError, ValueError):
    """A graph cannot be compiled as asked."""


class TrainingError(GraphcError, ArithmeticError):
    """A training run cannot go on; the message names the step."""


class OutputError(GraphcError, OSError):
    """A file cannot be written, or is not graphc's to overwrite."""


class RenderError(GraphcError, ValueError):
    """A diagram cannot be drawn as asked."""


class ModelError(GraphcError):
    """A model file cannot be loaded, or holds no graph."""
