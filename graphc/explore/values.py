"""The numbers of one sample: what every variable is, and the loss's gradient by it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from graphc.compile import compile
from graphc.compile_function import compile_function
from graphc.errors import DerivativeError, UsageError
from graphc.language.derive import cotangents, grad
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.types import Dimension, count, names_in, shape_text

MOST_SHOWN = 100  # numbers that are printed one by one
WIDEST = 128  # cells of a picture along each side
NOTHING, NOT_FINITE = 0, 255  # shades of cells
GAP = np.nan  # between matrices side by side
# Which of NumPy's kinds of numbers an array may hold, as emitted files have it.
KINDS = {
    "real": ("fiub", "real numbers"),
    "integer": ("iu", "integers"),
    "boolean": ("b", "booleans"),
}
Summary = dict[str, Any]


def values_of(graph: Graph, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of one sample, by the names of the graph's variables.

    Parameters
    ----------
    data
        Arrays by the names of the inputs: of one sample, or with a leading axis of samples, of
        which the first is taken. Parameters may be among them; else they are as at the start.

    Raises
    ------
    UsageError
        If a name is unknown or missing, an array has neither of its two shapes or not its kind of
        numbers, a class is out of range, or inputs hold different numbers of samples.
    """
    known_names(graph, data)
    same_samples(graph, data)
    sizes: dict[str, int] = {}
    given = {graph.name_of(v): chosen(graph, v, data, sizes) for v in graph.inputs}
    start = initial(graph, data, sizes)
    inputs = (*graph.inputs, *graph.parameters)
    computed = [v for v in graph.variables if v.role in ("expression", "computed")]
    arrays = [given[graph.name_of(v)] for v in graph.inputs]
    arrays += [start[graph.name_of(v)] for v in graph.parameters]
    results = compile_function(inputs, computed, dtype="float64")(*arrays) if computed else ()
    values = {graph.name_of(v): a for v, a in zip(inputs, arrays, strict=True)}
    values |= {graph.name_of(v): a for v, a in zip(computed, results, strict=True)}
    gradients = gradients_of(graph, values, computed) if graph.costs else {}
    batch = any(a.ndim > len(v.shape) for v, a in arrays_of(graph, data))
    return {
        "sample": "the first sample" if batch else "the sample",
        "values": {name: summary(a) for name, a in values.items()},
        "gradients": {name: summary(a) for name, a in gradients.items()},
    }


def gradients_of(
    graph: Graph, values: Mapping[str, Any], computed: Sequence[Variable]
) -> dict[str, Any]:
    """Return the loss's gradient by everything but what is observed, by name."""
    inputs = (*graph.inputs, *graph.parameters)
    arrays = [values[graph.name_of(v)] for v in inputs]
    loss = total(graph)
    leaves = [v for v in inputs if v.kind == "real" and v.role != "observed"]
    inner = [v for v in computed if v.kind == "real"]
    try:
        found = dict(zip(leaves, grad(loss, leaves, allow_unused=True), strict=True))
        found |= cotangents(loss, (*inputs, *inner))
        found |= {v: grad(loss, v, allow_unused=True) for v in inner if v not in found}
    except DerivativeError:  # a block without a derivative: the page shows the values alone
        return {}
    if not found:
        return {}
    slopes = compile_function(inputs, list(found.values()), dtype="float64")(*arrays)
    named = {graph.name_of(v): a for v, a in zip(found, slopes, strict=True)}
    if all(np.isfinite(a).all() for a in values.values()):
        # What overflows on the way through all variables may not on the shortest way to one.
        for v in inner:
            if not np.isfinite(named[graph.name_of(v)]).all():
                alone = compile_function(inputs, [grad(loss, v, allow_unused=True)])
                (named[graph.name_of(v)],) = alone(*arrays)
    return named


def arrays_of(graph: Graph, data: Mapping[str, Any]) -> list[tuple[Variable, Any]]:
    """Return the graph's inputs with what is given for them."""
    return [(v, np.asarray(data[graph.name_of(v)])) for v in graph.inputs]


def total(graph: Graph) -> Variable:
    """Return the sum of the costs of one sample."""
    costs = [use.outputs[0] for use in graph.costs]
    result = costs[0]
    for cost in costs[1:]:
        result = result + cost
    return result


def known_names(graph: Graph, data: Mapping[str, Any]) -> None:
    """Check that the data names what the graph has, and all that it needs."""
    inputs = {graph.name_of(v): v for v in graph.inputs}
    parameters = {graph.name_of(v) for v in graph.parameters}
    wanted = ", ".join(f"'{name}' {shape_text(v.shape)}" for name, v in inputs.items()) or "none"
    for name in data:
        if name not in inputs and name not in parameters:
            near = get_close_matches(name, [*inputs, *parameters], 1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(
                f"graph '{graph.name}' has no input and no parameter '{name}', which the data "
                f"holds; its inputs are {wanted}.{meant}"
            )
    missing = [name for name in inputs if name not in data]
    if missing:
        given = ", ".join(sorted(data)) or "nothing"
        lacking = ", ".join(f"'{name}' {shape_text(inputs[name].shape)}" for name in missing)
        raise UsageError(f"graph '{graph.name}': the data lacks {lacking}; it holds {given}")


def same_samples(graph: Graph, data: Mapping[str, Any]) -> None:
    """Check that all inputs hold equally many samples, or all one without an axis of them."""
    counts: dict[str, int | None] = {}
    for v, array in arrays_of(graph, data):
        if v.declaration.per_sample and array.ndim - len(v.shape) in (0, 1):
            counts[graph.name_of(v)] = len(array) if array.ndim > len(v.shape) else None
    if len(set(counts.values())) > 1:
        (one, few), (other, many) = sorted(
            {n: name for name, n in counts.items()}.items(), key=lambda pair: pair[0] or -1
        )[:: len(set(counts.values())) - 1]
        has = "has no axis of samples" if one is None else f"holds {one} samples"
        raise UsageError(
            f"graph '{graph.name}': '{few}' {has}, '{many}' holds {other}; give all inputs the "
            "same number of samples, or one sample without that axis"
        )


def chosen(graph: Graph, v: Variable, data: Mapping[str, Any], sizes: dict[str, int]) -> Any:
    """Return the array of one sample for an input or parameter; enter the sizes that it tells."""
    name = graph.name_of(v)
    array = np.asarray(data[name])
    about = f"graph '{graph.name}': '{name}'"
    kinds, called = KINDS[v.kind]
    if array.dtype.kind not in kinds:
        raise UsageError(f"{about} must hold {called}, got {array.dtype}")
    per_sample = v.declaration.per_sample and v.role != "parameter"
    if array.ndim == len(v.shape) + 1 and per_sample:
        if len(array) == 0:
            raise UsageError(f"{about} holds no samples")
        array = array[0]
    known = dict(sizes)
    for dim, size in zip(v.shape, array.shape, strict=False):
        if isinstance(dim, Dimension) and names_in(dim) == {str(dim)}:
            sizes.setdefault(str(dim), size)
    expected = tuple(sized(dim, sizes) for dim in v.shape)
    if array.shape != expected:
        axis = ", with or without a leading axis of samples" if per_sample else ""
        named = {n: known[n] for dim in v.shape for n in sorted(dims_in(dim)) if n in known}
        where = f", where {', '.join(f'{n} is {size}' for n, size in named.items())}"
        raise UsageError(
            f"{about} must have shape {shape_text(v.shape)}{where if named else ''}{axis}; "
            f"got {np.shape(data[name])}"
        )
    classes = v.declaration.classes
    if classes is not None and array.size and not (array.min() >= 0 and array.max() < classes):
        raise UsageError(
            f"{about} must hold classes from 0 to {classes - 1}, "
            f"got {array.min() if array.min() < 0 else array.max()}"
        )
    return array


def sized(dim: Any, sizes: Mapping[str, int]) -> Any:
    """Return a dimension as a number where its names are known."""
    known = isinstance(dim, int) or names_in(dim) <= sizes.keys()
    return count(dim, dict(sizes)) if known else dim


def initial(graph: Graph, data: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return the parameters: those among the data, the others as training would start them."""
    names = [graph.name_of(v) for v in graph.parameters]
    start: dict[str, Any] = {}
    if any(name not in data for name in names):
        program = compile(graph, dtype="float64", wrt=())  # its start is all that is wanted
        needed = {n for v in graph.parameters for dim in v.shape for n in dims_in(dim)}
        start = program.init_params(0, **{n: sizes[n] for n in sorted(needed)})._asdict()
    return {
        name: chosen(graph, v, data, dict(sizes)) if name in data else start[name]
        for name, v in zip(names, graph.parameters, strict=True)
    }


def dims_in(dim: Any) -> set[str]:
    """Return the names in a dimension."""
    return set() if isinstance(dim, int) else names_in(dim)


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
