"""What options of blocks may be, by the annotations of their declarations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import UsageError
from graphc.language.source import here
from graphc.language.variable import Variable


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


PLAIN: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("True or False", _is_bool),
    "int": ("an integer", lambda v: isinstance(v, int | np.integer) and not _is_bool(v)),
    "float": (
        "a number",
        lambda v: (
            isinstance(v, int | float | np.integer | np.floating | Variable) and not _is_bool(v)
        ),
    ),
    "str": ("text", lambda v: isinstance(v, str)),
    "None": ("None", lambda v: v is None),
}


def check_option(block: str, name: str, value: Any, annotation: Any) -> None:
    """Raise a UsageError where an option is not what its annotation says, as far as that is plain.

    Annotations of other types than truth values, numbers and text say nothing here.
    """
    parts = annotation.split(" | ") if isinstance(annotation, str) else ["?"]
    if not all(part in PLAIN for part in parts):
        return
    if not any(PLAIN[part][1](value) for part in parts):
        wanted = " or ".join(PLAIN[part][0] for part in parts)
        raise UsageError(f"{here()}: {block}: {name} is {wanted}, got {value!r}")
