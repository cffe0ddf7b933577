"""The numbers of samples: what every variable is, and the loss's gradient by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from graphc.compile import compile
from graphc.compile_function import compile_function
from graphc.errors import DerivativeError
from graphc.explore.given import Given, read_data
from graphc.explore.summaries import letters_of, summary
from graphc.ir.nodes import topological
from graphc.language.derive import cotangents, grad
from graphc.language.graph import Graph
from graphc.language.variable import Variable
from graphc.ops.samples import OverSamples
from graphc.types import size_of

MOST_SAMPLES = 64  # that a page holds,
MOST_LETTERS = 1_500_000  # that describe them, and
MOST_NUMBERS = 100_000_000  # that are computed for them, unless one sample needs more
Arrays = dict[str, Any]
Evaluated = Iterator[tuple[Arrays, Arrays]]  # values and gradients of one sample after the other


def values_of(graph: Graph, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of samples and of their average, by the names of the graph's variables.

    Parameters
    ----------
    data
        Arrays by the names of the inputs: of one sample, or with a leading axis of samples.
        Parameters may be among them; else they are as at the start.

    Returns
    -------
    dict
        ``samples``: of each its name, the title of its numbers, ``values`` and ``gradients``; the
        average comes last. ``shared``: the values that all have. ``note``: what to know of them.

    Raises
    ------
    UsageError
        As :func:`graphc.explore.given.read_data`.
    """
    given = read_data(graph, data)
    computed = [v for v in graph.variables if v.role in ("expression", "computed")]
    shown = min(given.samples or 1, room_for(graph, given, computed))
    across = given.samples is not None and reaches_across(computed)
    batch = min(given.samples or 1, MOST_SAMPLES) if across else shown
    shared = {name: a for name, a in given.arrays.items() if name not in given.varying}
    of_all: Arrays = {}
    if across:
        each, of_all = together(graph, given, computed, batch)
    else:
        each = one_by_one(graph, given, computed, batch)
    average, samples = Average(graph), []
    for p, (values, gradients) in enumerate(each):
        own = {name: a for name, a in values.items() if name not in shared}
        average.add(own, gradients)
        if p < shown:
            name = "the sample" if given.samples is None else f"sample {p}"
            samples.append(described(name, f"Numbers of {name}", own, gradients))
    if batch > 1:
        values, gradients = average.taken()
        name = f"of {batch} samples"
        samples.append(
            described(f"average {name}", f"Averages {name}", values, {**gradients, **of_all})
        )
    return {
        "samples": samples,
        "shared": {name: summary(a) for name, a in shared.items()},
        "note": note_of(given.samples or 1, shown, batch, across),
    }


def described(name: str, title: str, values: Arrays, gradients: Arrays) -> dict[str, Any]:
    """Return what the page holds of one sample."""
    return {
        "name": name,
        "title": title,
        "values": {name: summary(a) for name, a in values.items()},
        "gradients": {name: summary(a) for name, a in gradients.items()},
    }


def note_of(samples: int, shown: int, batch: int, across: bool) -> str:
    """Return what a reader has to know of the samples on the page."""
    told = []
    if shown < samples:
        which = f"first {shown} are" if shown > 1 else "first is"
        told.append(f"The data holds {samples} samples, of which the {which} on this page.")
    if across:
        told.append(f"Samples influence each other: the first {batch} are computed together.")
    return " ".join(told)


def room_for(graph: Graph, given: Given, computed: Sequence[Variable]) -> int:
    """Return how many samples fit on the page, and at least one."""
    each = [v for v in graph.inputs if graph.name_of(v) in given.varying]
    differing = [*each, *computed, *computed, *graph.parameters]  # values and gradients
    sizes = [given.size(size_of(v.shape)) for v in differing]
    letters = sum(map(letters_of, sizes))
    return max(1, min(MOST_SAMPLES, MOST_LETTERS // letters, MOST_NUMBERS // max(1, sum(sizes))))


class Average:
    """The means of what every sample has: of real numbers, for a mean class is none."""

    def __init__(self, graph: Graph) -> None:
        self.real = {graph.name_of(v) for v in graph.variables if v.kind == "real"}
        self.count = 0
        self.sums: tuple[Arrays, Arrays] = ({}, {})

    def add(self, values: Arrays, gradients: Arrays) -> None:
        """Enter a sample."""
        self.count += 1
        real = {name: a for name, a in values.items() if name in self.real}
        with np.errstate(all="ignore"):
            for sums, new in zip(self.sums, (real, gradients), strict=True):
                for name, a in new.items():
                    sums[name] = a + sums[name] if name in sums else np.asarray(a, dtype=float)

    def taken(self) -> tuple[Arrays, Arrays]:
        """Return the means of the values and of the gradients."""
        values, gradients = (
            {name: a / self.count for name, a in sums.items()} for sums in self.sums
        )
        return values, gradients


# --- samples by themselves --------------------------------------------------------------------


def one_by_one(graph: Graph, given: Given, computed: Sequence[Variable], count: int) -> Evaluated:
    """Evaluate one sample after the other."""
    inputs = (*graph.inputs, *graph.parameters)
    names = [graph.name_of(v) for v in inputs]
    evaluate = compile_function(inputs, list(computed), dtype="float64") if computed else None
    gradients = gradients_by(graph, computed) if graph.costs else None
    for p in range(count):
        values = given.sample(p)
        arrays = [values[name] for name in names]
        results = evaluate(*arrays) if evaluate is not None else ()
        values |= {graph.name_of(v): a for v, a in zip(computed, results, strict=True)}
        yield values, gradients(values) if gradients is not None else {}


def gradients_by(graph: Graph, computed: Sequence[Variable]) -> Callable[[Arrays], Arrays]:
    """Return a function from a sample's values to the loss's gradients by all but its inputs."""
    inputs = (*graph.inputs, *graph.parameters)
    loss = total(graph)
    leaves, inner = trained(graph), [v for v in computed if v.kind == "real"]
    try:
        found = dict(zip(leaves, grad(loss, leaves, allow_unused=True), strict=True))
        found |= cotangents(loss, (*inputs, *inner))
        found |= {v: grad(loss, v, allow_unused=True) for v in inner if v not in found}
    except DerivativeError:  # a block without a derivative: the page shows the values alone
        found = {}
    if not found:
        return lambda values: {}
    slopes = compile_function(inputs, list(found.values()), dtype="float64")

    @cache
    def alone(v: Variable) -> Any:
        return compile_function(inputs, grad(loss, v, allow_unused=True), dtype="float64")

    def gradients(values: Arrays) -> Arrays:
        arrays = [values[graph.name_of(v)] for v in inputs]
        named = {graph.name_of(v): a for v, a in zip(found, slopes(*arrays), strict=True)}
        if all(np.isfinite(a).all() for a in values.values()):
            # What overflows on the way through all variables may not on the shortest way to one.
            for v in inner:
                if not np.isfinite(named[graph.name_of(v)]).all():
                    named[graph.name_of(v)] = alone(v)(*arrays)
        return named

    return gradients


def trained(graph: Graph) -> list[Variable]:
    """Return the leaves that have a gradient: parameters and latent variables."""
    leaves = (*graph.inputs, *graph.parameters)
    return [v for v in leaves if v.kind == "real" and v.role != "observed"]


def total(graph: Graph) -> Variable:
    """Return the sum of the costs of one sample."""
    costs = [use.outputs[0] for use in graph.costs]
    result = costs[0]
    for cost in costs[1:]:
        result = result + cost
    return result


# --- samples that influence each other ----------------------------------------------------------


def reaches_across(computed: Sequence[Variable]) -> bool:
    """Tell whether a variable of one sample depends on others."""
    return any(isinstance(node, OverSamples) for node in topological([v.node for v in computed]))


def together(
    graph: Graph, given: Given, computed: Sequence[Variable], count: int
) -> tuple[Evaluated, Arrays]:
    """Evaluate samples in one batch; return also the gradients by what they share.

    A sample's gradient is that of the sum of all costs, which without influence is that of its own.
    """
    costs = [use.outputs[0] for use in graph.costs]
    # A cost alone would be the batch's loss, not a number of each sample.
    outputs = [v + 0.0 if any(v is cost for cost in costs) else v for v in computed]
    whole = Graph(*costs, *outputs, name=graph.name)
    wrt = [*trained(graph), *(v for v in computed if v.kind == "real")] if costs else []
    try:
        program = compile(whole, dtype="float64", wrt=wrt, allow_unused=True)
    except DerivativeError:
        program, wrt = compile(whole, dtype="float64", wrt=()), []
    inputs = {
        whole.name_of(v): a[:count] if name in given.varying else a
        for v, name, a in (
            (v, graph.name_of(v), given.arrays[graph.name_of(v)]) for v in whole.inputs
        )
    }
    params = program.Params(*(given.arrays[graph.name_of(v)] for v in whole.parameters))
    results = program.forward(params, **inputs)
    values = dict(zip(computed, results if len(computed) > 1 else (results,), strict=True))
    slopes: dict[Variable, Any] = {}
    if wrt:
        _, found = program.loss_and_grad(params, **inputs)
        slopes = dict(zip(wrt, found, strict=True))
    of_all = {graph.name_of(v): a for v, a in slopes.items() if np.ndim(a) == len(v.shape)}

    def each() -> Evaluated:
        for p in range(count):
            own = {
                graph.name_of(v): a[p] if np.ndim(a) > len(v.shape) else a
                for v, a in values.items()
            }
            yield (
                {**given.sample(p), **own},
                {
                    graph.name_of(v): a[p] * count
                    for v, a in slopes.items()
                    if np.ndim(a) > len(v.shape)
                },
            )

    return each(), of_all
