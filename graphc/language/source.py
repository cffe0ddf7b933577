"""Where in the user's files something was written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_PACKAGE = str(Path(__file__).resolve().parent.parent) + "/"
_NUMPY = str(Path(np.__file__).resolve().parent) + "/"
_INSTALLED = str(Path(np.__file__).resolve().parent.parent)
# What may stand between graphc and the user's line: NumPy's functions call back, SciPy's too.
_BELOW = (_PACKAGE, _NUMPY, _INSTALLED + "/scipy/")
_LIBRARIES = (*_BELOW, _INSTALLED + "/torch/", _INSTALLED + "/jax/")


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the user's."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}"


def here() -> Source:
    """Return the innermost line on the stack that is neither graphc's nor NumPy's own.

    The ready-made blocks are graphc's files; a fault inside one is reported at the call.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_BELOW):
        frame = frame.f_back
    return Source(frame.f_code.co_filename, frame.f_lineno)


def called() -> tuple[str, str] | None:
    """Return package and name of a function outside of NumPy that the user's line called.

    None where it called graphc or NumPy, as far as Python tells: functions written in C leave no
    trace. A decorator hides the name, which is then empty.
    """
    frame = sys._getframe(1)
    found = None
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in ("graphc", "numpy"):
            name = frame.f_code.co_name
            found = (package, "" if name in ("wrapper", "wrapped", "inner") else name)
        frame = frame.f_back
    return found
