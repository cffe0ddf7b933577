"""The pages of the reference, made from ``graphc.__all__`` when the site is built."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graphc as gc

PLOT = ("losses", "curve", "contours", "regions", "norms", "histograms", "animate", "save")
CALLBACKS = ("Trace", "GradientNorms")


NO_ENTRIES = {"__version__", "plot"}  # a module: what it holds has entries of its own


@dataclass(frozen=True)
class Page:
    """One page: its title, a sentence, and the modules whose public names it holds."""

    file: str
    title: str
    text: str
    modules: tuple[str, ...]


PAGES = (
    Page(
        "declaring", "Declaring a model", "Variables, blocks of one's own, and the graph.",
        ("graphc.language.declare", "graphc.language.functions", "graphc.language.graph",
         "graphc.language.variable", "graphc.language.samples"),
    ),
    Page(
        "control", "Loops, branches and solvers",
        "Repetition, choice, equations solved by iteration, and derivatives of one's own.",
        ("graphc.language.loops", "graphc.language.mapping", "graphc.language.conditions",
         "graphc.language.solvers", "graphc.language.custom"),
    ),
    Page(
        "deriving", "Deriving", "Derivatives are variables: derived again, printed, compiled.",
        ("graphc.language.derive", "graphc.language.products"),
    ),
    Page(
        "formulas", "Formulas", "Derivatives as mathematics.",
        ("graphc.language.formula", "graphc.language.derivation"),
    ),
    Page(
        "compiling", "Compiling", "From a graph, or from any expressions, to source code.",
        ("graphc.compile", "graphc.compile_function", "graphc.flat"),
    ),
    Page(
        "drawing", "Drawing", "The block diagram as a file, and the interactive page.",
        ("graphc.render",),
    ),
    Page(
        "training", "Training",
        "Update rules, loops, games, and what to do without a gradient.",
        ("graphc.training", "graphc.language.step"),
    ),
    Page(
        "plotting", "Plotting", "Pictures of training; needs matplotlib (extra ``plot``).",
        ("graphc.plot",),
    ),
    Page(
        "blocks", "Blocks",
        "Ready-made blocks with parameters of their own, named and defined as in ``torch.nn``, for "
        "one sample.",
        ("graphc.blocks.linear", "graphc.blocks.convolution", "graphc.blocks.normalisation",
         "graphc.blocks.recurrent", "graphc.blocks.attention", "graphc.blocks.transformer"),
    ),
    Page(
        "costs", "Costs",
        "Scalar-valued functions to minimise, as in ``torch.nn.functional`` without the suffix "
        "``_loss``; costs of energy-based models; penalties.",
        ("graphc.blocks.costs",),
    ),
    Page(
        "functions", "Functions",
        "Activations, pooling, routing, weights from PyTorch, and other functions without "
        "parameters. NumPy's own functions work on variables as they are: see :doc:`/operations`.",
        ("graphc.blocks",),
    ),
    Page(
        "special", "Scalar and matrix functions", "What NumPy lacks, and updates of parts.",
        ("graphc.language",),
    ),
    Page("errors", "Errors", "What can be raised; every message says how to go on.",
         ("graphc.errors",)),
)  # fmt: skip


def by_page() -> dict[str, list[str]]:
    """Return the public names of each page, in the order of the pages.

    A name belongs to the page that knows the longest prefix of its module.
    """
    found: dict[str, list[str]] = {page.file: [] for page in PAGES}
    for name in sorted({*gc.__all__} - NO_ENTRIES, key=str.lower):
        found[_page_of(_module(name)).file].append(name)
    found["plotting"] = [f"plot.{name}" for name in (*PLOT, *CALLBACKS)]
    found["compiling"].append("flat.Objective")
    return found


def _module(name: str) -> str:
    module: str = inspect.unwrap(getattr(gc, name)).__module__
    return module


def _page_of(module: str) -> Page:
    known = {prefix: page for page in PAGES for prefix in page.modules}
    while module not in known:
        module, dot, _ = module.rpartition(".")
        if not dot:
            raise ValueError(f"no page of the reference takes names of {module}")
    return known[module]


def write(folder: Path) -> None:
    """Write the pages and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    names = by_page()
    for page in PAGES:
        (folder / f"{page.file}.rst").write_text(_text(page, names[page.file]), "utf-8")
    (folder / "index.rst").write_text(_index(names), "utf-8")


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _index(names: dict[str, list[str]]) -> str:
    entries = "\n".join(f"   {page.file}" for page in PAGES)
    parts = [
        _title("Reference"),
        "Everything public, as ``import graphc as gc`` gives it.\n",
        f".. toctree::\n   :hidden:\n\n{entries}\n",
    ]
    for page in PAGES:
        listed = ", ".join(f":{_role(n)}:`~graphc.{n}`" for n in names[page.file])
        parts.append(f":doc:`{page.title} <{page.file}>`\n   {listed}\n")
    return "\n".join(parts)


def _text(page: Page, names: list[str]) -> str:
    rows = "\n".join(f"   * - :{_role(n)}:`~graphc.{n}`\n     - {_summary(n)}" for n in names)
    table = f".. list-table::\n   :widths: 25 75\n   :class: summary\n\n{rows}\n"
    entries = [_entry(n) for n in names]
    head = [_title(page.title), ".. currentmodule:: graphc\n", f"{page.text}\n", table]
    return "\n".join([*head, *entries])


def object_of(name: str) -> Any:
    """Return what a public name, or one of ``graphc.plot``, stands for."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(f"graphc.{module}") if module else gc, last)


def _summary(name: str) -> str:
    paragraph = (inspect.getdoc(object_of(name)) or "").split("\n\n")[0]
    first = re.split(r"\. (?=[A-Z])", " ".join(paragraph.split()))[0]
    return first if first.endswith(".") else first + "."


def _role(name: str) -> str:
    given = object_of(name)
    if isinstance(given, type):
        return "exc" if issubclass(given, Exception) else "class"
    return "func"


def _entry(name: str) -> str:
    kind = {"exc": "autoexception", "class": "autoclass", "func": "autofunction"}[_role(name)]
    members = "   :members:\n" if kind == "autoclass" else ""
    return f".. {kind}:: graphc.{name}\n{members}"


NAMING = ("name", "label", "output", "init")  # options that all blocks or functions have


def signature(name: str, given: Any) -> str | None:
    """Return how a block or an update rule is called; None for what Python knows itself.

    Of an update rule, what it is called with is declared as defaults and not given in calls.
    """
    if not isinstance(given, gc.Function) and not hasattr(given, "gives"):
        return None  # Python may know none: exceptions have no signature
    shown = inspect.signature(given).parameters.values()
    if isinstance(given, gc.Function):
        kept = [p for p in shown if p.name not in NAMING]
    else:
        marks = (gc.State, gc.Count, gc.Noise, gc.Loss)
        kept = [p for p in shown if p.kind is p.KEYWORD_ONLY and not isinstance(p.default, marks)]
    kept = [p.replace(annotation=p.empty) for p in kept]
    return str(inspect.Signature(kept))
