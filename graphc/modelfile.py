"""Model files: Python that a user names on the command line and that declares graphs."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from graphc.errors import GraphcError, ModelError
from graphc.language.graph import Graph


def load_graphs(spec: str) -> list[Graph]:
    """Return the graphs of a model file.

    Parameters
    ----------
    spec
        ``file.py``, which holds one graph or several, or ``file.py:name`` for the one that the
        file calls `name`.

    Raises
    ------
    ModelError
        If there is no such file, running it raises, or it holds no graph; the message lists what
        it holds.
    """
    path, name = split(spec)
    namespace = _run(path)
    graphs = {n: v for n, v in namespace.items() if isinstance(v, Graph)}
    if name:
        if name not in graphs:
            raise ModelError(f"{path} has no graph called '{name}'; {_holds(namespace, graphs)}")
        return [graphs[name]]
    if not graphs:
        raise ModelError(f"{path} holds no graph; {_holds(namespace, graphs)}")
    return list({id(g): g for g in graphs.values()}.values())


def split(spec: str) -> tuple[Path, str]:
    """Return the file and the name in ``file.py:name``; the name may be missing."""
    file, colon, name = spec.rpartition(":")
    if colon and name.isidentifier():
        return Path(file), name
    return Path(spec), ""


def _run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    here = str(path.resolve().parent)
    sys.path.insert(0, here)  # a model file may import its neighbours, as when it is run
    try:
        return runpy.run_path(str(path), run_name="__graphc__")
    except GraphcError:
        raise
    except (Exception, SystemExit) as error:
        where = _line_in(path, error)
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ModelError(f"{path}{where} raises {told}") from error
    finally:
        if here in sys.path:
            sys.path.remove(here)


def _line_in(path: Path, error: BaseException) -> str:
    """Return ``:line`` of the innermost frame that is in the model file."""
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    # The line of a syntax error, unless it is in a module that the file imports.
    if isinstance(error, SyntaxError) and error.filename == str(path) and error.lineno is not None:
        line = f":{error.lineno}"
    return line


def _holds(namespace: dict[str, Any], graphs: dict[str, Graph]) -> str:
    if graphs:
        return "it holds " + ", ".join(graphs)
    names = [
        f"{name} ({type(value).__name__})"
        for name, value in namespace.items()
        if not name.startswith("_") and type(value).__name__ != "module"
    ]
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    made = "make one with gc.Graph(cost, name=...)"
    return f"it holds {listed}; {made}" if names else f"it is empty; {made}"
