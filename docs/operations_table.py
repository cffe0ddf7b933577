"""Writes ``docs/operations.md`` from the cases that the tests compare.

Run it from the root of the project when operations were added::

    PYTHONPATH=. python docs/operations_table.py
"""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "operations.md"
ORACLES = {"jax": "JAX", "torch": "PyTorch", "numpy": "NumPy, SciPy"}
HEAD = """# Supported operations

{count} cases of {names} operations in {groups} groups. Each line is a test: values and first
derivatives, as emitted in both styles, are compared in float64 with another library; where it says
so, second derivatives are too. A dash stands where there is no derivative to compare: the function
is piecewise constant, or the library knows values alone.

This page is written by `docs/operations_table.py` from `tests/operations`.
"""


def cases() -> list[Any]:
    """Return the cases of all tables, in the order of their files."""
    folder = ROOT / "tests" / "operations"
    names = sorted(p.stem for p in folder.glob("*.py"))
    modules = (
        importlib.import_module(f"tests.operations.{name}")
        for name in names
        if name not in ("case", "test_operations", "__init__")
    )
    return [case for module in modules for case in module.CASES]


def page() -> str:
    """Return the page as Markdown."""
    found = cases()
    groups = Counter(case.group for case in found)
    names = len({case.name.split(" ")[0] for case in found})
    parts = [HEAD.format(count=len(found), names=names, groups=len(groups))]
    for group in sorted(groups, key=str.lower):
        parts.append(f"## {group[:1].upper()}{group[1:]} ({groups[group]})\n")
        rows = [_row(case) for case in found if case.group == group]
        head = "| operation | compared with | derivatives |\n|---|---|---|\n"
        parts.append(head + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(case: Any) -> str:
    name = case.name.replace("|", "\\|")
    note = f" {case.note}".replace("|", "\\|") if case.note else ""
    orders = "first, second" if case.second else "first"
    return (
        f"| `{name}`{note} | {ORACLES[case.framework]} | {orders if case.differentiable else '–'} |"
    )


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    print(f"wrote {FILE}: {len(cases())} operations")
