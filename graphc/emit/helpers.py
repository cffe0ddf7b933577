"""Functions that NumPy lacks, as source that an emitted file carries.

They are the functions of `graphc.ops.special` themselves: what the reference evaluates is what
files compute.
"""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from graphc.emit.dialect import Dialect
from graphc.errors import CompileError
from graphc.ops.special import bessel, elementary, erf, gamma

# Computed in the file's own dtype; all others in float64, to be rounded once.
NATIVE = frozenset({"ratio", "sigmoid", "softplus", "log_sigmoid"})


@dataclass(frozen=True, slots=True)
class Source:
    """A function or constant of the special functions: its text, and what else it names."""

    text: str
    uses: tuple[str, ...]


@cache
def sources() -> Mapping[str, Source]:
    """Return all functions and constants, by name; names are unique among the modules."""
    found: dict[str, Source] = {}
    for module in (elementary, erf, gamma, bessel):
        text = inspect.getsource(module)
        lines = text.splitlines()
        for statement in ast.parse(text).body:
            names = _defined(statement)
            if names:
                above = lines[statement.lineno - 2]
                start = statement.lineno - 1 - above.startswith("# ")
                body = "\n".join(lines[start : statement.end_lineno])
                read = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
                found[names] = Source(_untyped(body), tuple(sorted(read - {names})))
    return found


def _defined(statement: ast.stmt) -> str:
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return ""


def _untyped(text: str) -> str:
    return text.replace(": Any = None", "=None").replace(": Any", "").replace(" -> Any", "")


def helper(function: str, dialect: Dialect) -> str:
    """Return the name of a helper function; enter its source among those the file carries."""
    if function not in sources():
        raise CompileError(f"'{function}' has no spelling for {dialect.target.title}")
    pending = [function]
    while pending:
        name = pending.pop()
        if f"_{name}" in dialect.helpers or name not in sources():
            continue
        source = sources()[name]
        dialect.helpers[f"_{name}"] = _renamed(source.text, dialect) + "\n"
        pending.extend(source.uses)
    return f"_{function}"


BUILTINS = ("range", "abs", "enumerate", "len")


def _renamed(text: str, dialect: Dialect) -> str:
    """Return source with the file's names: an underscore in front, and its name of the library."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for before, token in reversed([(None, tokens[0]), *pairwise(tokens)]):
        if token.type != tokenize.NAME or (before is not None and before.string == "."):
            continue
        if token.string == "np":
            name = dialect.lib
        elif token.string in BUILTINS:
            name = dialect.names.own(token.string)
        elif token.string in sources():
            name = f"_{token.string}"
        else:
            continue
        (row, start), (_, end) = token.start, token.end
        lines[row - 1] = lines[row - 1][:start] + name + lines[row - 1][end:]
    return "".join(lines)


ROW_EXTREME = '''def {name}(x):
    """Return the {what} element of each row; many short rows are read quicker by columns."""
    return {lib}.{ufunc}.reduce(x.copy("F") if {len}(x) > 32 else x, 1)
'''


def row_extreme(function: str, dialect: Dialect) -> str:
    """Return the name of the helper for the extreme of each row; enter its source."""
    name = f"_row_{function}"
    what, ufunc = ("largest", "maximum") if function == "max" else ("smallest", "minimum")
    dialect.helpers[name] = ROW_EXTREME.format(
        name=name, what=what, ufunc=ufunc, lib=dialect.lib, len=dialect.names.own("len")
    )
    return name


NORM = '''def {name}(x, axis):
    """Return norms along axes; where squares leave the range of numbers, x is scaled first."""
    total = {lib}.square(x).sum(axis)
    if {lib}.all((total > {low}) & (total < {lib}.inf)):
        return {lib}.sqrt(total)
    top = {lib}.abs(x).max(axis, keepdims=True, initial=0)
    top = {lib}.where((top > 0) & (top < {lib}.inf), top, 1)
    return {lib}.sqrt({lib}.square(x / top).sum(axis)) * top.reshape(total.shape)
'''

# To look at the numbers would be to wait for the device: they are always scaled.
DEVICE_NORM = '''def {name}(x, axis):
    """Return norms along axes, scaled so that no square leaves the range of numbers."""
    if x.size == 0:
        return {lib}.square(x).sum(axis)
    top = {lib}.abs(x).max(axis, keepdims=True)
    top = {lib}.where((top > 0) & (top < {lib}.inf), top, 1)
    total = {lib}.square(x / top).sum(axis)
    return {lib}.sqrt(total) * top.reshape(total.shape)
'''

LENGTH = '''def {name}(x):
    """Return the norm of all elements."""
    flat = x.reshape(-1)
    total = flat.dot(flat)
    return {lib}.sqrt(total) if {low} < total < {lib}.inf else {norm}(x, None)
'''


def norm(whole: bool, dialect: Dialect) -> str:
    """Return the name of the helper for norms, of all elements or along axes; enter its source."""
    device = dialect.target.needs_device
    # Below this, squares that vanished might be missed.
    low = "1e-276" if dialect.wide else "1e-24"
    form = DEVICE_NORM if device else NORM
    dialect.helpers["_norm"] = form.format(name="_norm", lib=dialect.lib, low=low)
    if not whole or device:
        return "_norm"
    dialect.helpers["_length"] = LENGTH.format(
        name="_length", lib=dialect.lib, low=low, norm="_norm"
    )
    return "_length"
