"""Docstrings in sections, completed by what declarations know."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from itertools import groupby

_HEADER = re.compile(r"^(\S[^\n]*)\n-{3,}$", re.MULTILINE)


def completed(
    text: str | None, parameters: Mapping[str, Sequence[str]], attributes: Mapping[str, str]
) -> str:
    r"""Return a docstring whose sections name all parameters and attributes.

    Parameters
    ----------
    text
        The docstring; what it says of a parameter stays.
    parameters, attributes
        What is known of each, in order.

    Examples
    --------
    >>> completed("Return x.", {"x": ["A number."]}, {}).split("\n")[-2:]
    ['x', '    A number.']
    """
    pieces = _HEADER.split(inspect.cleandoc(text or ""))
    head, titles, bodies = pieces[0].rstrip(), pieces[1::2], pieces[2::2]
    sections = dict(zip(titles, bodies, strict=True))
    given = described(sections.pop("Parameters", ""))
    entries = {name: given.pop(name, lines) for name, lines in parameters.items()} | given
    whole = [head]
    if entries:
        whole.append(_section("Parameters", entries))
    if attributes:
        whole.append(_section("Attributes", {name: [line] for name, line in attributes.items()}))
    whole += [f"{title}\n{'-' * len(title)}\n{body.strip()}" for title, body in sections.items()]
    return "\n\n".join(whole)


def described(body: str) -> dict[str, Sequence[str]]:
    """Return the descriptions in a section, by name; names that share one have it each."""
    found: dict[str, Sequence[str]] = {}
    current: list[str] = []
    for line in body.strip("\n").split("\n"):
        if line[:1].strip():
            current = []
            for name in line.split(","):
                found[name.strip().lstrip("*")] = current
        elif line.strip():
            current.append(line.strip())
    return found


def _section(title: str, entries: Mapping[str, Sequence[str]]) -> str:
    lines = [title, "-" * len(title)]
    for told, names in groupby(entries, key=lambda name: list(entries[name])):
        lines += [", ".join(names), *(f"    {line}" for line in told)]
    return "\n".join(lines)
