"""Functions that NumPy lacks, as source that an emitted file carries."""

from __future__ import annotations

from graphc.emit.dialect import Dialect
from graphc.errors import CompileError

# Functions that NumPy lacks: source (after formatting with the library's name) and accuracy.
HELPERS = {
    "sigmoid": '''def {name}(x):
    """1 / (1 + exp(-x)); exp only of what is not positive, so that it cannot overflow."""
    e = {lib}.exp(-{lib}.abs(x))
    return {lib}.where(x >= 0, 1, e) / (1 + e)
''',
    "softplus": '''def {name}(x):
    """log(1 + exp(x)); exp only of what is not positive, so that it cannot overflow."""
    return {lib}.maximum(x, 0) + {lib}.log1p({lib}.exp(-{lib}.abs(x)))
''',
    "log_sigmoid": '''def {name}(x):
    """log(1 / (1 + exp(-x))); exp only of what is not positive, so that it cannot overflow."""
    return {lib}.minimum(x, 0) - {lib}.log1p({lib}.exp(-{lib}.abs(x)))
''',
}


def helper(function: str, dialect: Dialect) -> str:
    """Return the name of a helper function; enter its source among those the file carries."""
    if function not in HELPERS:
        raise CompileError(f"'{function}' has no spelling for {dialect.target.title}")
    name = f"_{function}"
    dialect.helpers[name] = HELPERS[function].format(name=name, lib=dialect.lib)
    return name


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
