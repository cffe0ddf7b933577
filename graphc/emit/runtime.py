"""Running emitted source in this process: the very text that a file would hold."""

from __future__ import annotations

import gc
import linecache
import tempfile
from collections import namedtuple
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from graphc.emit.files import write_arrays
from graphc.emit.frame import Emitted


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep Python's cycle collector from running.

    Many thousand nodes, of a program or of a syntax tree, make it look at all of them again and
    again, and it finds nothing: they form no cycles.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def load(emitted: Emitted, name: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Run emitted source and return its names; `more` are names that it takes from outside."""
    filename = f"<graphc {name} {abs(hash(emitted.source)):x}>"
    namespace: dict[str, Any] = {"__name__": name, **emitted.unsaved, **more}
    with paused_collector():
        code = compile(emitted.source, filename, "exec", dont_inherit=True)
    # Tracebacks and debuggers show the lines of the source, which is in no file.
    lines = emitted.source.splitlines(keepends=True)
    linecache.cache[filename] = (len(emitted.source), None, lines, filename)
    if not emitted.arrays:
        exec(code, namespace)
        return _with_pickled_tuples(namespace)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.py"
        write_arrays(path.with_suffix(".npz"), emitted.arrays)
        namespace["__file__"] = str(path)
        exec(code, namespace)
    return _with_pickled_tuples(namespace)


def _with_pickled_tuples(namespace: dict[str, Any]) -> dict[str, Any]:
    """Let parameters, states and outputs be pickled: no other process can import their classes."""
    for value in namespace.values():
        if isinstance(value, type) and issubclass(value, tuple):
            value.__reduce__ = _reduced  # type: ignore[method-assign, assignment]
    return namespace


def _reduced(held: Any) -> tuple[Any, ...]:
    return _unpickled, (type(held).__name__, held._fields, tuple(held))


def _unpickled(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return _tuple_class(name, fields)(*values)


@cache
def _tuple_class(name: str, fields: tuple[str, ...]) -> Any:
    made = namedtuple(name, fields)  # type: ignore[misc]
    made.__reduce__ = _reduced  # type: ignore[method-assign, assignment]
    return made
