"""NumPy's functions on variables: what `np.tanh(s)` or `np.sum(e, axis=0)` builds.

Importing the package fills the tables.
"""

from graphc.language.protocol import (
    accumulating,
    arranging,
    counting,
    kinds,
    linalg,
    padding,
    polynomials,
    products,
    quantiles,
    reductions,
    refusals,
    scalars,
    scipy_ufuncs,
    sequences,
    shapes,
    sorting,
    statistics,
    tables,
    windows,
)

__all__ = [
    "accumulating",
    "arranging",
    "counting",
    "kinds",
    "linalg",
    "padding",
    "polynomials",
    "products",
    "quantiles",
    "reductions",
    "refusals",
    "scalars",
    "scipy_ufuncs",
    "sequences",
    "shapes",
    "sorting",
    "statistics",
    "tables",
    "windows",
]
