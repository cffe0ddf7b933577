"""What the page shows of an array: all its numbers, or a picture of them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

MOST_SHOWN = 100  # numbers that are printed one by one
WIDEST = 128  # cells of a picture along each side
NOTHING, NOT_FINITE = 0, 255  # shades of cells
GAP = np.nan  # between matrices side by side
Summary = dict[str, Any]


def summary(array: Any) -> Summary:
    """Return what the page shows of an array: all its numbers, or a picture of them."""
    numbers = np.atleast_1d(np.asarray(array, dtype=np.float64))
    finite = numbers[np.isfinite(numbers)]
    made: Summary = {
        "shape": " × ".join(map(str, np.shape(array))) or "a number",
        "least": number(finite.min()) if finite.size else 0.0,
        "most": number(finite.max()) if finite.size else 0.0,
        "mean": number(mean(finite)) if finite.size else 0.0,
        "norm": number(norm(finite)),
    }
    if finite.size < numbers.size:
        made |= {"odd": numbers.size - finite.size, "count": numbers.size}
    if numbers.size <= MOST_SHOWN:
        rows = numbers.reshape(-1, numbers.shape[-1]) if numbers.size else numbers.reshape(0, 0)
        return {**made, "values": [[number(x) for x in row] for row in rows]}
    marked = np.where(np.isfinite(numbers), numbers, np.inf)
    flat = mosaic(marked) if numbers.ndim > 2 else np.atleast_2d(marked)
    cells, block = coarse(flat)
    most = np.abs(cells[np.isfinite(cells)]).max(initial=0.0)
    scaled = np.nan_to_num(cells / (most or 1.0), nan=0.0, posinf=1.0, neginf=-1.0)
    shades = (128 + np.round(126 * scaled)).astype(np.uint8)
    shades[np.isinf(cells)] = NOT_FINITE
    shades[np.isnan(cells)] = NOTHING
    data = base64.b64encode(shades.tobytes())
    made |= {"grid": list(cells.shape), "cells": data.decode(), "scale": number(most)}
    if numbers.ndim > 2:
        made["tiles"] = amount_of(numbers.shape[:-2])
    return {**made, "coarse": list(block)} if block != (1, 1) else made


def letters_of(size: int) -> int:
    """Return about how many letters a summary has in the page."""
    return 150 + (12 * size if size <= MOST_SHOWN else 4 * min(size, WIDEST**2) // 3)


def amount_of(shape: tuple[int, ...]) -> int:
    """Return how many elements an array of a shape has."""
    return int(np.prod(shape, dtype=int))


def mean(finite: Any) -> float:
    """Return the mean; of numbers so large that their sum is not, too."""
    most = np.abs(finite).max(initial=0.0) or 1.0
    return float((finite / most).mean() * most)


def norm(finite: Any) -> float:
    """Return the norm, scaled so that no square overflows."""
    most = np.abs(finite).max(initial=0.0) or 1.0
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(finite / most) * most)


def mosaic(stack: Any) -> Any:
    """Return a stack of matrices side by side, with a gap between them, about as wide as high."""
    rows, columns = stack.shape[-2:]
    parts = stack.reshape(-1, rows, columns)
    wide = min(len(parts), max(1, round(float(np.sqrt(len(parts) * (rows + 1) / (columns + 1))))))
    high = -(-len(parts) // wide)
    made = np.full((high * (rows + 1) - 1, wide * (columns + 1) - 1), GAP)
    for k, part in enumerate(parts):
        top, left = (k // wide) * (rows + 1), (k % wide) * (columns + 1)
        made[top : top + rows, left : left + columns] = part
    return made


def coarse(flat: Any) -> tuple[Any, tuple[int, int]]:
    """Return means over equal blocks, as many as a picture has pixels, and a block's sides.

    What is not a number is no part of a mean; a block of nothing else is not one either.
    """
    rows, columns = flat.shape
    if rows == 1 and columns > WIDEST:  # a long vector: in rows below each other
        return coarse(folded(flat))
    block = -(-rows // WIDEST), -(-columns // WIDEST)
    padded = np.full([-(-n // b) * b for n, b in zip(flat.shape, block, strict=True)], np.nan)
    padded[:rows, :columns] = flat
    parts = padded.reshape(padded.shape[0] // block[0], block[0], -1, block[1])
    counts = (~np.isnan(parts)).sum((1, 3), keepdims=True)
    means = np.nansum(parts / np.maximum(1, counts), (1, 3))
    return np.where(counts[:, 0, :, 0] > 0, means, np.nan), block


def folded(flat: Any) -> Any:
    """Return a vector as rows of equal length, filled up with nothing."""
    columns = min(WIDEST, int(np.ceil(np.sqrt(flat.size * 4))))
    rows = -(-flat.size // columns)
    filled = np.full(rows * columns, np.nan)
    filled[: flat.size] = flat.ravel()
    return filled.reshape(rows, columns)


def number(x: Any) -> Any:
    """Return a number with as many digits as the page prints; what is not finite as its name."""
    value = float(x)
    return float(f"{value:.6g}") if np.isfinite(value) else str(value)
