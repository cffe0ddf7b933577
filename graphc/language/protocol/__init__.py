"""NumPy's functions on variables: what `np.tanh(s)` or `np.sum(e, axis=0)` builds.

Importing the package fills the tables.
"""

from graphc.language.protocol import linalg, products, reductions, scalars, shapes, tables, windows

__all__ = ["linalg", "products", "reductions", "scalars", "shapes", "tables", "windows"]
