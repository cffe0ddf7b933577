"""One object for equal things: the metaclass of nodes and of terms.

The key of an object is its class and its fields, interned fields by identity. So building an
object costs one dictionary look-up however large the structure below it is, equality is identity,
and common subexpressions merge as they are built.
"""

from __future__ import annotations

from threading import RLock
from typing import Any, ClassVar
from weakref import ref


class Held(ref[Any]):
    """A weak reference that knows under which key it stands."""

    __slots__ = ("key",)
    key: Any


class Interned(type):
    """Metaclass under which ``Class(*fields)`` returns the one object with these fields.

    Fields are numbers, strings, interned objects, or tuples of those. Numbers are told apart by
    type, so that ``1``, ``1.0`` and ``True`` stay three things.
    """

    # With a weakref.WeakValueDictionary two threads may get two objects.
    table: ClassVar[dict[Any, Held]] = {}

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _PLAIN.add(cls)

    def __call__(cls, *fields: Any) -> Any:
        """Return the object of this class with these fields, made on first use."""
        key = (cls, *[f if type(f) in _PLAIN else _key(f) for f in fields])
        held = Interned.table.get(key)
        if held is not None:
            found = held()
            if found is not None:
                return found
        made = super().__call__(*fields)
        mine = Held(made, _forget)
        mine.key = key
        while True:  # `setdefault` is one step for all threads: all get the first one's object
            held = Interned.table.setdefault(key, mine)
            found = held()
            if found is not None:
                return found
            _forget(held)


# Only entries of dead objects are removed, and only under the lock; so between the look and the
# removal nobody puts another object there. A collection that runs meanwhile may take it again.
_LOCK = RLock()


def _forget(held: Held, lock: Any = _LOCK, table: Any = Interned.table) -> None:
    # The defaults outlive the module's own names, which are gone when the interpreter ends.
    with lock:
        if table.get(held.key) is held:
            del table[held.key]


# Fields of these types are their own keys: whole numbers, text, and interned objects, which
# compare by identity. They are never equal to one of another type.
_PLAIN: set[type] = {int, str}


def _key(field: Any) -> Any:
    kind = type(field)
    if kind in _PLAIN:
        return field
    if kind is tuple:
        return field if _PLAIN.issuperset(map(type, field)) else tuple(map(_key, field))
    return (kind, repr(field)) if kind is float else (kind, field)
