"""NumPy's functions on variables: what `np.tanh(s)` or `np.sum(e, axis=0)` builds.

Importing the package fills the tables.
"""

from graphc.language.protocol import (
    arranging,
    linalg,
    products,
    reductions,
    scalars,
    shapes,
    sorting,
    statistics,
    tables,
    windows,
)

__all__ = [
    "arranging",
    "linalg",
    "products",
    "reductions",
    "scalars",
    "shapes",
    "sorting",
    "statistics",
    "tables",
    "windows",
]
