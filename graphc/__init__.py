"""graphc: block diagrams to symbolic Jacobians, figures, and standalone gradient code.

Declare a model with variables, functions and costs; see the README and ``docs/`` for the guide.
"""

from typing import Any

from graphc import blocks as _blocks
from graphc import training as _training
from graphc.blocks import *
from graphc.blocks import torch_names as _torch_names
from graphc.blocks.from_torch import from_torch, to_torch
from graphc.compile import Compiled, compile
from graphc.compile_function import CompiledFunction, compile_function
from graphc.emit.version import __version__
from graphc.errors import (
    CompileError,
    CycleError,
    DerivativeError,
    FormulaError,
    GraphcError,
    KindError,
    NamingError,
    OutputError,
    RenderError,
    ShapeError,
    TrainingError,
    UsageError,
)
from graphc.language import special as _special
from graphc.language.conditions import branch, cond
from graphc.language.custom import blackbox, custom_jvp, custom_vjp, opaque
from graphc.language.declare import computed, constant, latent, noise, observed, parameter
from graphc.language.derive import grad, hessian, jacobian, laplacian, stop_gradient
from graphc.language.display import HOOKS
from graphc.language.functions import Block, Function, Input, Parameter, block, cost, function
from graphc.language.graph import Graph
from graphc.language.indexing import at_add, at_set
from graphc.language.loops import fori_loop, scan
from graphc.language.mapping import vmap
from graphc.language.products import gnvp, hvp, jvp, vjp
from graphc.language.protocol.linalg import expm, solve_triangular
from graphc.language.repeating import while_loop
from graphc.language.samples import over_samples
from graphc.language.solvers import argmin, fixed_point, root
from graphc.language.special import *
from graphc.language.variable import FUNCTION_NAMES, Variable
from graphc.render.files import PAGES, render
from graphc.training import *

__all__ = [
    "at_add",
    "at_set",
    "Block",
    "CompileError",
    "Compiled",
    "CompiledFunction",
    "CycleError",
    "DerivativeError",
    "FormulaError",
    "Function",
    "Graph",
    "GraphcError",
    "Input",
    "KindError",
    "NamingError",
    "OutputError",
    "Parameter",
    "RenderError",
    "ShapeError",
    "TrainingError",
    "UsageError",
    "Variable",
    "__version__",
    "blackbox",
    "block",
    "argmin",
    "branch",
    "compile",
    "compile_function",
    "computed",
    "cond",
    "constant",
    "cost",
    "custom_jvp",
    "custom_vjp",
    "derive",
    "elementwise",
    "expm",
    "fixed_point",
    "fori_loop",
    "formula",
    "from_torch",
    "function",
    "gnvp",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "laplacian",
    "latent",
    "latex",
    "noise",
    "observed",
    "opaque",
    "over_samples",
    "parameter",
    "plot",
    "render",
    "root",
    "scan",
    "solve_triangular",
    "stop_gradient",
    "to_torch",
    "vjp",
    "vmap",
    "while_loop",
    *_blocks.__all__,
    *_special.__all__,
    *_training.__all__,
]


def __getattr__(name: str) -> Any:
    # The formulas are half of graphc: loaded at first use, so that `import graphc` stays fast.
    if name == "formula":
        from graphc.language.formula import formula

        return formula
    if name == "latex":
        from graphc.language.latex import latex

        return latex
    if name == "derive":
        from graphc.language.derivation import derive

        return derive
    if name == "elementwise":
        from graphc.language.elementwise import elementwise

        return elementwise
    if name == "plot":
        import importlib

        return importlib.import_module("graphc.plot")
    message, instead = f"module 'graphc' has no attribute {name!r}", _torch_names.told(name)
    if instead is not None:
        message += f"; it is one of torch.nn: {instead}"
    elif not name.startswith("_"):
        from graphc.suggestions import instead_of

        found = instead_of(name, __all__)
        message += f"; write {found}" if found else "; dir(graphc) lists what there is"
    raise AttributeError(message, name=name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _show_variable(variable: Variable) -> dict[str, str]:
    from graphc.calculus.names import math_label
    from graphc.language.latex import shown_in_notebooks
    from graphc.render.model import space

    if variable.role in ("expression", "computed"):
        try:
            return {"text/latex": f"$\\displaystyle {shown_in_notebooks(variable)}$"}
        except FormulaError:
            pass
    declared = variable.declaration
    name = declared.label or math_label(variable.name or variable.role)
    where = space(variable.shape, variable.kind, declared.classes) or r"\mathbb{R}"
    return {"text/latex": rf"${name} \in {where}$"}


def _show_graph(graph: Graph) -> dict[str, str]:
    from graphc.render.files import content_of

    return {"image/svg+xml": str(content_of(graph, ".svg"))}


def _page(graph: Graph, palette: str, **options: Any) -> str:
    from graphc.explore.page import page_of

    return page_of(graph, palette, **options)


FUNCTION_NAMES.extend(__all__)
PAGES[".html"] = _page
HOOKS["Variable"] = _show_variable
HOOKS["Graph"] = _show_graph
