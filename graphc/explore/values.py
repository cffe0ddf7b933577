"""The numbers of one sample: what every variable is, and the loss's gradient by it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
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
        If an input is missing, or an array has neither of its two shapes.
    """
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


def chosen(graph: Graph, v: Variable, data: Mapping[str, Any], sizes: dict[str, int]) -> Any:
    """Return the array of one sample for an input, and enter the named sizes that it tells."""
    name = graph.name_of(v)
    if name not in data:
        given = ", ".join(sorted(data)) or "nothing"
        wanted = f"'{name}', {shape_text(v.shape)}"
        raise UsageError(f"graph '{graph.name}': the data lacks {wanted}; it holds {given}")
    array = np.asarray(data[name])
    if array.ndim == len(v.shape) + 1 and v.declaration.per_sample:
        if len(array) == 0:
            raise UsageError(f"graph '{graph.name}': '{name}' holds no samples")
        array = array[0]
    for dim, size in zip(v.shape, array.shape, strict=False):
        if isinstance(dim, Dimension) and names_in(dim) == {str(dim)}:
            sizes.setdefault(str(dim), size)
    expected = tuple(sized(dim, sizes) for dim in v.shape)
    if array.shape != expected:
        raise UsageError(
            f"graph '{graph.name}': '{name}' must have shape {shape_text(v.shape)}, with or "
            f"without a leading axis of samples; got {np.shape(data[name])}"
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
    return {name: np.asarray(data[name]) if name in data else start[name] for name in names}


def dims_in(dim: Any) -> set[str]:
    """Return the names in a dimension."""
    return set() if isinstance(dim, int) else names_in(dim)


def summary(array: Any) -> Summary:
    """Return what the page shows of an array: all its numbers, or a picture of them."""
    numbers = np.atleast_1d(np.asarray(array, dtype=np.float64))
    flat = numbers.reshape(-1, numbers.shape[-1]) if numbers.size else numbers.reshape(0, 0)
    made: Summary = {
        "shape": " × ".join(map(str, np.shape(array))) or "a number",
        "least": number(flat.min()) if flat.size else 0.0,
        "most": number(flat.max()) if flat.size else 0.0,
        "mean": number(flat.mean()) if flat.size else 0.0,
        "norm": number(np.linalg.norm(flat)),
    }
    if flat.size <= MOST_SHOWN:
        return {**made, "values": [[number(x) for x in row] for row in flat]}
    cells, block = coarse(flat)
    most = np.abs(cells[np.isfinite(cells)]).max(initial=0.0)
    scaled = np.nan_to_num(cells / (most or 1.0), nan=0.0, posinf=1.0, neginf=-1.0)
    data = base64.b64encode((128 + np.round(127 * scaled)).astype(np.uint8).tobytes())
    made |= {"grid": list(cells.shape), "cells": data.decode()}
    return {**made, "coarse": list(block)} if block != (1, 1) else made


def coarse(flat: Any) -> tuple[Any, tuple[int, int]]:
    """Return means over equal blocks, as many as a picture has pixels, and a block's sides."""
    rows, columns = flat.shape
    if rows == 1 and columns > WIDEST:  # a long vector: in rows below each other
        return coarse(folded(flat))
    block = -(-rows // WIDEST), -(-columns // WIDEST)
    padded = np.full([-(-n // b) * b for n, b in zip(flat.shape, block, strict=True)], np.nan)
    padded[:rows, :columns] = flat
    parts = padded.reshape(padded.shape[0] // block[0], block[0], -1, block[1])
    with np.errstate(all="ignore"):
        return np.nansum(parts, (1, 3)) / np.maximum(1, (~np.isnan(parts)).sum((1, 3))), block


def folded(flat: Any) -> Any:
    """Return a vector as rows of equal length, filled up with zeros."""
    columns = min(WIDEST, int(np.ceil(np.sqrt(flat.size * 4))))
    rows = -(-flat.size // columns)
    return np.pad(flat.ravel(), (0, rows * columns - flat.size)).reshape(rows, columns)


def number(x: Any) -> Any:
    """Return a number with as many digits as the page prints; what is not finite as its name."""
    value = float(x)
    return float(f"{value:.6g}") if np.isfinite(value) else str(value)
