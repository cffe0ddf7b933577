"""What the ready-made blocks ask of their options and shapes, in words that say what to do."""

from __future__ import annotations

from typing import Any

from graphc.errors import KindError, ShapeError, UsageError
from graphc.language.source import here
from graphc.language.variable import Variable
from graphc.types import broadcast, shape_text

REDUCTIONS = ("mean", "sum", "none")


def usage(holds: Any, message: str) -> None:
    """Raise a UsageError with the user's line unless an option is as it must be."""
    if not holds:
        raise UsageError(f"{here()}: {message}")


def shapes(holds: Any, message: str) -> None:
    """Raise a ShapeError with the user's line unless shapes are as they must be."""
    if not holds:
        raise ShapeError(f"{here()}: {message}")


def chosen(option: Any, known: tuple[Any, ...], block: str, name: str) -> None:
    """Raise a UsageError unless an option is one of those known."""
    usage(
        any(option is k or (type(option) is type(k) and option == k) for k in known),
        f"{block}: {name} is one of {', '.join(map(repr, known))}, got {option!r}",
    )


def same_shape(block: str, **variables: Variable) -> None:
    """Raise a ShapeError unless all variables have the shape of the first."""
    first, *rest = variables.items()
    for name, variable in rest:
        shapes(
            variable.shape == first[1].shape,
            f"{block}: '{name}' has shape {shape_text(variable.shape)}, "
            f"but '{first[0]}' has {shape_text(first[1].shape)}"
            f"{_broadcast_hint(name, variable, *first)}",
        )


def _broadcast_hint(name: str, one: Variable, other_name: str, other: Variable) -> str:
    try:
        common = broadcast(one.shape, other.shape)
    except ShapeError:
        return ""
    small, large = (name, other_name) if common == other.shape else (other_name, name)
    return f"; if that is meant, write np.broadcast_to({small}, {large}.shape)"


def labels(variable: Variable, block: str, name: str) -> None:
    """Raise a KindError unless a variable holds integers."""
    if variable.kind != "integer":
        raise KindError(
            f"{here()}: {block}: '{name}' holds classes, which are integers, got "
            f"{variable.kind} values; declare it with classes=K or kind='integer'"
        )
