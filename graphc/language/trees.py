"""Structures of variables: tuples, lists and dictionaries, in any depth, ``None`` for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from graphc.errors import UsageError
from graphc.language.source import here

Rebuild: TypeAlias = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """Return the leaves of a structure, and the function that builds it from others."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves)


def _flatten(tree: Any, leaves: list[Any]) -> Rebuild:
    if tree is None:
        return lambda leaf: None
    if isinstance(tree, dict):
        keys = list(tree)
        parts = [_flatten(tree[key], leaves) for key in keys]
        return lambda leaf: {key: part(leaf) for key, part in zip(keys, parts, strict=True)}
    if isinstance(tree, tuple | list):
        kind = type(tree)
        inner = [_flatten(part, leaves) for part in tree]
        if hasattr(tree, "_fields"):  # a named tuple takes its fields one by one
            return lambda leaf: kind(*[part(leaf) for part in inner])
        return lambda leaf: kind([part(leaf) for part in inner])
    leaves.append(tree)
    return next


def structure(tree: Any) -> str:
    """Return the structure in words, a star for each leaf: ``(*, [*, *])``."""
    leaves, rebuild = flatten(tree)
    return repr(rebuild(iter([_STAR] * len(leaves))))


class _Star:
    def __repr__(self) -> str:
        return "*"


_STAR = _Star()


def check_structure(got: Any, expected: Any, what: str) -> None:
    """Raise a UsageError unless two structures are the same."""
    found, wanted = structure(got), structure(expected)
    if found != wanted:
        raise UsageError(f"{here()}: {what} has the structure {found}, expected {wanted}")


def paths(tree: Any, name: str) -> list[str]:
    """Return a name for each leaf: its key, its field, or `name` and a number."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [n for key in tree for n in paths(tree[key], str(key))]
    if isinstance(tree, tuple | list):
        fields = getattr(tree, "_fields", [f"{name}{i}" for i in range(len(tree))])
        return [n for field, part in zip(fields, tree, strict=True) for n in paths(part, field)]
    return [name]
