"""The one display hook: how notebooks show a variable or a graph.

Formulas and diagrams are made further down the house than the language stands, so
``graphc/__init__`` puts the functions in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Maps the name of a class ("Variable", "Graph") to a function from the object to a MIME bundle.
HOOKS: dict[str, Callable[[Any], dict[str, str]]] = {}


def mimebundle(shown: object) -> dict[str, str]:
    """Return what a notebook shows for an object; plain text where no hook is filled in."""
    bundle = {"text/plain": repr(shown)}
    hook = HOOKS.get(type(shown).__name__)
    return {**bundle, **hook(shown)} if hook else bundle
