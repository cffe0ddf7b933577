"""Model files: Python that a user names on the command line and that declares graphs."""

from __future__ import annotations

import ast
import inspect
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphc.compile import Compiled
from graphc.errors import GraphcError, ModelError
from graphc.language.graph import Graph
from graphc.language.variable import Variable


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
            raise ModelError(
                f"{path} has no graph called '{name}'; {_holds(path, namespace, graphs)}"
            )
        return [graphs[name]]
    if not graphs:
        raise ModelError(f"{path} holds no graph; {_holds(path, namespace, graphs)}")
    return list({id(g): g for g in graphs.values()}.values())


def split(spec: str) -> tuple[Path, str]:
    """Return the file and the name in ``file.py:name``; the name may be missing."""
    file, colon, name = spec.rpartition(":")
    if colon and name.isidentifier():
        return Path(file), name
    return Path(spec), ""


def _run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no file {path}{_meant(path)}")
    root, module = _package(path)
    folders = dict.fromkeys((str(path.resolve().parent), str(root)))
    arguments = sys.argv
    sys.path[:0] = folders  # a model file may import its neighbours, as when it is run
    sys.argv = [str(path)]  # the command line is graphc's, not the file's
    try:
        if module is not None:
            return runpy.run_module(module, run_name="__graphc__")
        return runpy.run_path(str(path), run_name="__graphc__")
    except GraphcError:
        raise
    except (Exception, SystemExit) as error:
        where = _line_in(path, error)
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if "relative import with no known parent" in told:
            told += f"; {path.parent} is no package, for it has no __init__.py: leave out the dot"
        raise ModelError(f"{path}{where} raises {told}") from error
    finally:
        sys.argv = arguments
        for folder in folders:
            if folder in sys.path:
                sys.path.remove(folder)


def _package(path: Path) -> tuple[Path, str | None]:
    """Return the folder that a file is imported from, and its name if it is in a package."""
    root, names = path.resolve().parent, [path.stem]
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        names.insert(0, root.name)
        root = root.parent
    if len(names) == 1 or not path.stem.isidentifier():
        return path.resolve().parent, None
    known = sys.modules.get(names[0])
    homes = [Path(folder).resolve() for folder in getattr(known, "__path__", ())]
    if known is not None and root / names[0] not in homes:
        return root, None  # another package has the name already
    return root, ".".join(names)


def _meant(path: Path) -> str:
    if path.is_dir():
        return "; it is a folder: name a file in it"
    dotted = Path(*str(path).split(".")).with_suffix(".py")
    return f"; did you mean {dotted}?" if path.suffix != ".py" and dotted.is_file() else ""


def _line_in(path: Path, error: BaseException) -> str:
    """Return ``:line`` of the innermost frame that is in the model file."""
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if _is_file(trace.tb_frame.f_code.co_filename, path):
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    # The line of a syntax error, unless it is in a module that the file imports.
    if isinstance(error, SyntaxError) and error.filename and error.lineno is not None:
        line = f":{error.lineno}" if _is_file(error.filename, path) else line
    return line


def _is_file(name: str, path: Path) -> bool:
    return name in (str(path), str(path.resolve()))


def _holds(path: Path, namespace: dict[str, Any], graphs: dict[str, Graph]) -> str:
    """Return what a file holds in place of the graph that was asked for, and what to do."""
    if graphs:
        return "it holds " + ", ".join(graphs)
    held = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    names = [f"{name} ({type(value).__name__})" for name, value in held.items()]
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    told = f"it holds {listed}" if names else "it is empty"
    return f"{told}; {_way_out(path, held)}"


def _way_out(path: Path, held: dict[str, Any]) -> str:
    """Return what to write so that a file holds a graph."""
    for name, value in held.items():
        inside = list(value.items() if isinstance(value, dict) else _numbered(value))
        for key, item in inside:
            if isinstance(item, Graph):
                return f"give the graphs in {name} names of their own: net = {name}[{key!r}]"
        if isinstance(value, Compiled):
            return f"give the graph that was compiled a name of its own: net = {name}.graph"
    if _has_main(path):
        return 'make the graph outside of `if __name__ == "__main__":`, which is not run'
    costs = [n for n, v in held.items() if isinstance(v, Variable) and v.call is not None]
    costs = [n for n in costs if held[n].call.kind == "cost"]
    if costs:
        return f"make one with net = gc.Graph({', '.join(costs)}, name=...)"
    makers = [n for n, v in held.items() if inspect.isfunction(v) and not _needs_arguments(v)]
    if makers:
        return f"make one with gc.Graph(cost, name=...), or call what does: net = {makers[0]}()"
    return "make one with gc.Graph(cost, name=...)"


def _numbered(value: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list | tuple) else iter(())


def _needs_arguments(function: Any) -> bool:
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return any(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in required)


def _has_main(path: Path) -> bool:
    """Return whether a part of the file runs only when the file itself is run."""
    tests = [n.test for n in ast.parse(path.read_bytes()).body if isinstance(n, ast.If)]
    return any("__main__" in ast.unparse(test) for test in tests)
