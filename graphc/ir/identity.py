"""What stands for itself: two of it would be two things, so a copy of it is it."""

from __future__ import annotations

from typing import Any, NoReturn, Self, SupportsIndex

from graphc.errors import UsageError


class Identity:
    """A thing that is known by its identity; copying gives it back, and it cannot be pickled."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise UsageError(
            f"a {type(self).__name__.lower()} cannot be pickled, for in another process it would "
            "be another one: declare the model there, or pickle what gc.compile or "
            "gc.compile_function returns"
        )
