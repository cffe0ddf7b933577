"""What a block says of the shape of a parameter: ``"out_channels in_channels/groups kernel[0]"``.

A word is a product of factors, with exact quotients; a factor is a number, a name, or an element
of a name that stands for several sizes. ``*name`` stands for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from graphc.errors import ShapeError
from graphc.types import Dim, floor_divide

_FACTOR = re.compile(r"([*/]?)(\d+|[A-Za-z_]\w*)(?:\[(\d+)\])?")


@cache
def names_of(shape: str) -> tuple[str, ...]:
    """Return the names that a shape is made of, in order."""
    found = (name for word in shape.split() for _, name, _ in _factors(word))
    return tuple(name for name in found if not name.isdigit())


def sizes_of(shape: str, sizes: Mapping[str, Any]) -> tuple[Dim, ...]:
    """Return a shape with all its names known.

    Raises
    ------
    ShapeError
        If a quotient leaves a remainder, or an option has too few elements.
    """
    result: list[Dim] = []
    for word in shape.split():
        if word.startswith("*"):
            several = sizes[word[1:]]
            result.extend(several if isinstance(several, tuple) else (several,))
        else:
            result.append(_product(word, sizes))
    return tuple(result)


def _product(word: str, sizes: Mapping[str, Any]) -> Dim:
    total: Dim = 1
    for sign, name, at in _factors(word):
        factor = _factor(name, at, sizes)
        if sign != "/":
            total = total * factor
            continue
        quotient = floor_divide(total, factor)
        if quotient * factor != total:
            raise ShapeError(f"{word}: {total} cannot be divided by {name} = {factor}")
        total = quotient
    return total


def _factor(name: str, at: str, sizes: Mapping[str, Any]) -> Dim:
    size = int(name) if name.isdigit() else sizes[name]
    if not isinstance(size, tuple):
        return size
    if not at or int(at) >= len(size):
        raise ShapeError(f"{name} = {size} has another number of elements than this block takes")
    found: Dim = size[int(at)]
    return found


@cache
def _factors(word: str) -> tuple[tuple[str, str, str], ...]:
    """Return the sign, the name and the position of each factor of a word."""
    matches = list(_FACTOR.finditer(word))
    if "".join(match[0] for match in matches) != word:
        raise ShapeError(f"{word!r} is no dimension of a parameter")
    return tuple((match[1], match[2], match[3] or "") for match in matches)
