"""Names in an emitted file: users keep theirs, the emitter's own give way."""

from __future__ import annotations

from collections.abc import Iterable
from keyword import kwlist


class Namer:
    """Hands out names that are not in use.

    Users' names never start with an underscore, so one in front of a name of the emitter's own
    always makes it free.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self._own: dict[str, str] = {}
        self._spelled: set[str] = set()
        self._next: dict[str, int] = {}

    def own(self, name: str) -> str:
        """Return how the emitter spells a name of its own: ``np``, or ``_np`` if a user has it."""
        if name not in self._own:
            self._own[name] = f"_{name}" if name in self.taken else name
            self._spelled.add(self._own[name])
        return self._own[name]

    @property
    def builtins(self) -> list[str]:
        """Return the builtins that had to give way to users' names, in order."""
        return sorted(n for n in self._own if n in _BUILTINS and self._own[n] != n)

    def fresh(self, wish: str) -> str:
        """Return `wish`, or `wish` with the first number that makes it free."""
        # From the last number that was given out: a thousand equal wishes stay cheap.
        number = self._next.get(wish, 1)
        name = wish if number == 1 else _numbered(wish, number)
        while name in self.taken or name in _REFUSED or name in self._spelled:
            number += 1
            name = _numbered(wish, number)
        self._next[wish] = number
        self.taken.add(name)
        return name

    def copy(self) -> Namer:
        """Return a namer for a scope inside this one."""
        inner = Namer(self.taken)
        inner._own, inner._spelled = self._own, self._spelled
        inner._next = dict(self._next)
        return inner


def _numbered(wish: str, number: int) -> str:
    return f"{wish}{'_' if wish[-1].isdigit() else ''}{number}"


_BUILTINS = (
    "float", "len", "int", "type", "zip", "abs", "max", "print", "sum", "range", "tuple", "slice",
    "ValueError", "TypeError", "FloatingPointError", "min", "enumerate", "reversed",
    "ArithmeticError", "bool", "isinstance", "dict", "hasattr",
)  # fmt: skip

# A stack of values called `a` would be called `as`.
_REFUSED = frozenset((*_BUILTINS, *kwlist))
