"""Functions of NumPy's that do not work on variables: why, and what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.language.protocol.tables import WHY

_LENGTH = (
    "has as many results as the numbers say, and shapes must be known; np.where(condition, a, b) "
    "keeps the shape"
)
_COMPLEX = (
    "gives complex numbers, and variables are real; keep real and imaginary parts apart, as "
    "products with np.cos and np.sin of constant angles"
)
_NUMBERS = (
    "takes numbers, and a variable has none before it is computed; call what gc.compile or "
    "gc.compile_function makes"
)
_WRITES = "writes into its argument; write {}, which makes a new variable"
_DTYPE = "asks for a dtype, which gc.compile(..., dtype=...) chooses; v.kind says what v holds"
_WHERE = {
    **dict.fromkeys(
        ("argwhere", "nonzero", "flatnonzero", "unique", "unique_all", "unique_counts", "union1d",
         "unique_inverse", "unique_values", "trim_zeros", "intersect1d", "setdiff1d", "setxor1d"),
        _LENGTH,
    ),
    **dict.fromkeys(
        ("array2string", "array_repr", "array_str", "save", "savetxt", "savez",
         "savez_compressed", "einsum_path"),
        _NUMBERS,
    ),
    **dict.fromkeys(
        ("can_cast", "common_type", "result_type", "min_scalar_type", "may_share_memory",
         "shares_memory"),
        _DTYPE,
    ),
    "put": _WRITES.format("gc.at_set(a, indices, values)"),
    "put_along_axis": _WRITES.format(
        "gc.at_set(a, key, values) with a key such as (np.arange(n)[:, None], indices)"
    ),
    "place": _WRITES.format("np.where(mask, values, a)"),
    "putmask": _WRITES.format("np.where(mask, values, a)"),
    "copyto": _WRITES.format("np.where(mask, values, a)"),
    "fill_diagonal": _WRITES.format("gc.at_set(a, np.diag_indices(n), values)"),
    "apply_along_axis": "calls its function with slices; write gc.vmap(f, in_axes=...)(a)",
    "apply_over_axes": "calls its function again and again; write a loop over the axes",
    "histogram2d": "does not work on variables; sum np.outer of what np.histogram compares",
    "histogramdd": "does not work on variables; sum np.outer of what np.histogram compares",
    "histogram_bin_edges": "finds edges from numbers; choose them, with np.linspace",
    "roots": "gives complex numbers, and variables are real; gc.root finds one root from a start",
    "polydiv": "drops zeros in front of the remainder, so its length depends on numbers; gc.opaque "
    "makes a block of it for a known length",
    "sort_complex": "is about complex numbers; write np.sort",
    "ravel_multi_index": "does not work on variables; write row * columns + column",
    "unravel_index": "does not work on variables; write index // columns and index % columns",
    "packbits": "is about bytes; there are &, |, ^, ~, << and >> of integers",
    "unpackbits": "is about bytes; there are &, |, ^, ~, << and >> of integers",
}  # fmt: skip


def _register(module: Any, why: dict[str, str]) -> None:
    for name, text in why.items():
        if hasattr(module, name):
            WHY[getattr(module, name)] = text


_register(np, _WHERE)
_register(
    np.linalg,
    dict.fromkeys(
        ("eig", "eigvals"),
        "gives complex numbers, and variables are real; np.linalg.eigh takes symmetric matrices, "
        "and np.linalg.svd all",
    ),
)
_register(np.fft, dict.fromkeys(np.fft.__all__, _COMPLEX))
