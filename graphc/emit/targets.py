"""What a target is: a record of how things are spelled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphc.errors import CompileError


@dataclass(frozen=True, slots=True)
class Target:
    """How an array library spells things.

    Parameters
    ----------
    name
        As users ask for it; ends the emitted file's name.
    title
        As prose names it.
    module, alias
        The module that the file imports, and under what name.
    scalar_result
        How a rank-0 result becomes what callers get: ``float({})`` or the array itself.
    needs_device
        Whether the file checks for a GPU before it computes.
    styles
        The styles in which it can be emitted.
    """

    name: str
    title: str
    module: str
    alias: str
    scalar_result: str
    needs_device: bool
    styles: tuple[str, ...]


NUMPY = Target("numpy", "NumPy", "numpy", "np", "float({})", False, ("readable", "fast"))
CUPY = replace(
    NUMPY,
    name="cupy",
    title="CuPy",
    module="cupy",
    alias="cp",
    scalar_result="{}",
    needs_device=True,
    styles=("readable",),
)
TARGETS = {target.name: target for target in (NUMPY, CUPY)}
STYLES = ("fast", "readable")
DTYPES = ("float32", "float64")


def target_named(name: str) -> Target:
    """Return a target.

    Raises
    ------
    CompileError
        If there is none of that name; the message lists those that there are.
    """
    if not isinstance(name, str) or name not in TARGETS:
        raise CompileError(f"unknown target {name!r}; the targets are {', '.join(TARGETS)}")
    return TARGETS[name]
