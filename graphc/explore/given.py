"""What a user hands the page: arrays of one sample or of several, checked against the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from graphc.compile import compile
from graphc.errors import UsageError
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.ops.samples import SAMPLES
from graphc.types import Dim, Dimension, count, names_in, shape_text

# Which of NumPy's kinds of numbers an array may hold, as emitted files have it.
KINDS = {
    "real": ("fiub", "real numbers"),
    "integer": ("iu", "integers"),
    "boolean": ("b", "booleans"),
}


@dataclass(frozen=True, slots=True)
class Given:
    """Inputs and parameters by their names.

    Parameters
    ----------
    arrays
        All of them.
    samples
        How many samples there are along first axes; None: one, without that axis.
    varying
        The names of the arrays that have that axis.
    sizes
        Those of named dimensions.
    """

    arrays: Mapping[str, Any]
    samples: int | None
    varying: frozenset[str]
    sizes: Mapping[str, int]

    def sample(self, p: int) -> dict[str, Any]:
        """Return the arrays of one sample."""
        return {name: a[p] if name in self.varying else a for name, a in self.arrays.items()}

    def size(self, dim: Dim) -> int:
        """Return a size as a number; 1 where that depends on what nobody has told."""
        known = sized(dim, {**self.sizes, str(SAMPLES): self.samples or 1})
        return known if isinstance(known, int) else 1


def read_data(graph: Graph, data: Mapping[str, Any]) -> Given:
    """Return inputs and parameters, those that the data lacks as training would start them.

    Raises
    ------
    UsageError
        If a name is unknown or missing, an array has neither of its two shapes or not its kind of
        numbers, a class is out of range, or inputs hold different numbers of samples.
    """
    known_names(graph, data)
    samples = number_of_samples(graph, data)
    sizes: dict[str, int] = {}
    arrays = {graph.name_of(v): checked(graph, v, data, sizes) for v in graph.inputs}
    varying = frozenset(
        graph.name_of(v) for v in graph.inputs if arrays[graph.name_of(v)].ndim > len(v.shape)
    )
    return Given({**arrays, **initial(graph, data, sizes)}, samples, varying, sizes)


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


def number_of_samples(graph: Graph, data: Mapping[str, Any]) -> int | None:
    """Return how many samples all inputs hold; None for one without an axis of samples."""
    counts: dict[str, int | None] = {}
    for v in graph.inputs:
        array = np.asarray(data[graph.name_of(v)])
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
    return next(iter(counts.values()), None)


def checked(graph: Graph, v: Variable, data: Mapping[str, Any], sizes: dict[str, int]) -> Any:
    """Return the array of an input or parameter, of all samples; enter the sizes that it tells."""
    name = graph.name_of(v)
    array = np.asarray(data[name])
    about = f"graph '{graph.name}': '{name}'"
    kinds, called = KINDS[v.kind]
    if array.dtype.kind not in kinds:
        raise UsageError(f"{about} must hold {called}, got {array.dtype}")
    per_sample = v.declaration.per_sample and v.role != "parameter"
    shape = array.shape
    if array.ndim == len(v.shape) + 1 and per_sample:
        if len(array) == 0:
            raise UsageError(f"{about} holds no samples")
        shape = shape[1:]
    known = dict(sizes)
    for dim, size in zip(v.shape, shape, strict=False):
        if isinstance(dim, Dimension) and names_in(dim) == {str(dim)}:
            sizes.setdefault(str(dim), size)
    expected = tuple(sized(dim, sizes) for dim in v.shape)
    if shape != expected:
        axis = ", with or without a leading axis of samples" if per_sample else ""
        named = {n: known[n] for dim in v.shape for n in sorted(dims_in(dim)) if n in known}
        where = f", where {', '.join(f'{n} is {size}' for n, size in named.items())}"
        raise UsageError(
            f"{about} must have shape {shape_text(v.shape)}{where if named else ''}{axis}; "
            f"got {array.shape}"
        )
    classes = v.declaration.classes
    if classes is not None and array.size and not (array.min() >= 0 and array.max() < classes):
        raise UsageError(
            f"{about} must hold classes from 0 to {classes - 1}, "
            f"got {array.min() if array.min() < 0 else array.max()}"
        )
    return array


def sized(dim: Dim, sizes: Mapping[str, int]) -> Dim:
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
        name: checked(graph, v, data, dict(sizes)) if name in data else start[name]
        for name, v in zip(names, graph.parameters, strict=True)
    }


def dims_in(dim: Dim) -> set[str]:
    """Return the names in a dimension."""
    return set() if isinstance(dim, int) else names_in(dim)
