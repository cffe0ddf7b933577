"""How large named sizes have to be, so that slices are as long as they were declared."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from graphc.ir.nodes import Node, topological
from graphc.ops.structural import Pad, Slice
from graphc.types import Dim, FloorDivision, evaluate, names_in, terms_of

HUGE = 1 << 40  # a size that no array has


def limits(nodes: Iterable[Node]) -> tuple[dict[str, int], tuple[Dim, ...]]:
    """Return what the slices of a computation ask of named sizes.

    ``x[-3:]`` is declared to have 3 elements; of an array of 2 NumPy would silently take 2.

    Returns
    -------
    least : dict of str to int
        By name, the least size that will do, where it is more than 0.
    others : tuple of Dim
        Sizes in several names that must not be negative.
    """
    least: dict[str, int] = {}
    others: dict[Dim, None] = {}
    for node in topological(tuple(nodes)):
        if not isinstance(node, Slice | Pad):
            continue
        for dim in (dim for span in node.spans for dim in _asked(*span) if may_be_negative(dim)):
            names = names_in(dim)
            low = least_size(dim) if len(names) == 1 else None
            if low is None:
                others[dim] = None
            elif low > 0:
                (name,) = names
                least[name] = max(low, least.get(name, 0))
    return dict(sorted(least.items())), tuple(sorted(others, key=str))


def _asked(first: Dim, length: Dim, step: int) -> tuple[Dim, ...]:
    """Return what must not be negative: the length, and the place of the foremost element."""
    if length == 0:
        return ()
    return length, first if step > 0 else first + step * (length - 1)


@cache
def may_be_negative(dim: Dim) -> bool:
    """Return whether some sizes, themselves not negative, could make `dim` negative."""
    return any(
        coefficient < 0
        or any(
            isinstance(atom, FloorDivision) and may_be_negative(atom.numerator) for atom in atoms
        )
        for atoms, coefficient in terms_of(dim)
    )


def least_size(dim: Dim) -> int | None:
    """Return the least value of its one name from which on `dim` is not negative, if there is one.

    Examples
    --------
    >>> from graphc.types import named
    >>> least_size(named("n") - 3), least_size((named("n") - 1) // 2 - 1)
    (3, 3)
    >>> least_size(4 - named("n")) is None
    True
    """
    (name,) = names_in(dim)

    def fits(size: int) -> bool:
        value = evaluate(dim, {name: size})
        return isinstance(value, int) and value >= 0

    if not fits(HUGE):
        return None
    low, high = -1, HUGE  # bisection: too small, large enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
