"""The rules for names: they become code, markup and file names."""

from __future__ import annotations

import keyword
import unicodedata

from graphc.errors import NamingError
from graphc.language.source import here

RESERVED = frozenset({"P"})  # the number of samples


def check_name(name: object, what: str) -> str:
    """Return `name` in its normal form (NFKC, as Python reads identifiers).

    Raises
    ------
    NamingError
        If it is not an identifier, is a keyword, starts with an underscore, or is ``P``.
    """
    if not isinstance(name, str):
        raise NamingError(f"the name of {what} must be a string, got {name!r}")
    normal = unicodedata.normalize("NFKC", name)
    if not normal.isidentifier():
        why = "is not an identifier: use letters, digits and underscores, a letter first"
    elif keyword.iskeyword(normal):
        why = "is a keyword of Python"
    elif normal.startswith("_"):
        why = "starts with an underscore, which is kept for what graphc adds"
    elif normal in RESERVED:
        why = "is kept for the number of samples"
    else:
        return normal
    raise NamingError(f"{what} cannot be called {name!r}: it {why}")


def located_name(name: object, what: str) -> str:
    """Return `name` as :func:`check_name` does; the error names the user's line."""
    try:
        return check_name(name, what)
    except NamingError as error:
        raise error.within(str(here())) from None
