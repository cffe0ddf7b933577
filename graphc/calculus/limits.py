"""How long a formula may take: so many terms are made for it, and no more.

The count is of terms, not of seconds, so that the same model prints the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

from graphc.errors import FormulaError

MOST_TERMS = 15_000  # sums and products made for one formula: a second or two

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)
Function = TypeVar("Function", bound=Callable[..., Any])


class LengthError(FormulaError):
    """A formula is longer than anybody reads, or takes longer to find than anybody waits."""


def spend() -> None:
    """Count one more term of the formula that is being made.

    Raises
    ------
    LengthError
        If there are too many.
    """
    left = _left.get()
    if left is not None:
        left[0] -= 1
        if left[0] < 0:
            raise LengthError(
                "the formula is too long to be worked out as one; write it in intermediate "
                "variables"
            )


def limited(function: Function) -> Function:
    """Return `function`, which makes a formula, with a limit to the terms that it makes."""

    @wraps(function)
    def made(*args: Any, **options: Any) -> Any:
        if _left.get() is not None:
            return function(*args, **options)
        token = _left.set([MOST_TERMS])
        try:
            return function(*args, **options)
        finally:
            _left.reset(token)

    return made  # type: ignore[return-value]
