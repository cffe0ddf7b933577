"""The scalar functions: one table, by family.

A row states a function's derivatives in its inputs and its output ``y``, so that backward code
reuses what the forward pass computed. The same row serves code (the term becomes nodes) and
formulas (the term stays a term).
"""

from graphc.ops.scalars import arithmetic, piecewise, special, transcendental
from graphc.ops.scalars.table import CUT, SCALARS, Scalar

__all__ = ["CUT", "SCALARS", "Scalar", "arithmetic", "piecewise", "special", "transcendental"]
