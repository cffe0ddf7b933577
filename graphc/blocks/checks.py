"""What the ready-made blocks ask of their options and shapes, in words that say what to do."""

from __future__ import annotations

from typing import Any

from graphc.errors import KindError, ShapeError, UsageError
from graphc.ir.nodes import Node
from graphc.language.source import here
from graphc.language.variable import Variable, build
from graphc.ops.ranges import in_range, least_bound
from graphc.types import Dim, broadcast, shape_text

REDUCTIONS = ("mean", "sum", "none")
NEAR = 50  # variables among which a label's declaration is looked for


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
    if _without_ones(one) == _without_ones(other):
        return f"; write {name}.reshape({other_name}.shape)"
    try:
        common = broadcast(one.shape, other.shape)
    except ShapeError:
        return ""
    if common not in (one.shape, other.shape):
        return ""
    small, large = (name, other_name) if common == other.shape else (other_name, name)
    return f"; if that is meant, write np.broadcast_to({small}, {large}.shape)"


def _without_ones(variable: Variable) -> tuple[Dim, ...]:
    return tuple(dim for dim in variable.shape if dim != 1)


def spreads(block: str, name: str, weight: Any, terms: Variable) -> None:
    """Raise a ShapeError unless a weight, if there is one, broadcasts to the shape of the terms."""
    if weight is None:
        return
    try:
        fits = broadcast(weight.shape, terms.shape) == terms.shape
    except ShapeError:
        fits = False
    shapes(
        fits,
        f"{block}: '{name}' has shape {shape_text(weight.shape)}, which does not broadcast to "
        f"{shape_text(terms.shape)}",
    )


def labels(variable: Variable, block: str, name: str) -> None:
    """Raise a KindError unless a variable holds integers."""
    if variable.kind != "integer":
        raise KindError(
            f"{here()}: {block}: '{name}' holds classes, which are integers, got "
            f"{variable.kind} values; declare it with classes=K or kind='integer'"
        )


def within(variable: Variable, size: Dim, block: str, name: str) -> Variable:
    """Return integers that are classes or rows: emitted files check that they lie in 0..size-1.

    NumPy takes -1 for the last. What is known to lie there is returned as it is.
    """
    labels(variable, block, name)
    classes = variable.declaration.classes
    shapes(
        classes is None or not isinstance(size, int) or classes <= size,
        f"{block}: {variable.describe()} goes from 0 to {(classes or 1) - 1}, but '{name}' must "
        f"lie in 0..{size - 1}",
    )
    known = _declared_classes(variable)

    def make(node: Node) -> Node:
        return in_range(node, size, f"{block}: {name}", known)

    checked = build(block, make, (variable,))
    return variable if checked.node is variable.node else checked


def known_classes(variable: Variable) -> Dim | None:
    """Return a number of classes that integers are known to be of, also if only taken from such."""
    return least_bound(variable.node, _declared_classes(variable))


def _declared_classes(variable: Variable) -> dict[Node, int]:
    """Return the declared labels that a variable is near to, and the numbers of their classes."""
    found: dict[Node, int] = {}
    near = [variable]
    for v in near:  # grows on the way
        if v.declaration.classes is not None:
            found[v.node] = v.declaration.classes
        if len(near) < NEAR:
            near.extend(v.operands)
    return found


def check_noise(noise: Variable, distribution: str, block: str) -> None:
    """Raise a UsageError where noise is declared to be of another distribution."""
    drawn = noise.declaration.draws
    usage(
        drawn in (None, distribution),
        f"{block}: the noise is {distribution}, but {noise.describe()} is declared {drawn}; write "
        f"gc.noise({noise.name!r}, shape, {distribution!r})",
    )
