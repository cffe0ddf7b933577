"""Which block it was: the first value of a forward pass that is not finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.compile import Compiled, compile
from graphc.ir.nodes import Node
from graphc.language.graph import Graph
from graphc.training.batches import Batch


def first_not_finite(program: Compiled, params: Any, batch: Batch) -> str:
    """Return the sentence that names the first value that is not finite, and its block."""
    for name, value in zip(params._fields, params, strict=True):
        if not np.all(np.isfinite(value)):
            return (
                f"parameter '{name}' is not finite, so the gradient was not in the step before; "
                "a smaller step size, or clipping by the norm, may help"
            )
    for name, value in batch.items():
        array = np.asarray(value)
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            return f"the data for '{name}' is not finite"
    graph = program.graph
    named = {f.node: getattr(params, f.name) for f in program.model.parameters}
    for use in graph.uses:
        probe = Graph(*use.outputs, name="probe")
        if not np.isfinite(_total(program, probe, named, batch)):
            told = " and ".join(f"'{graph.name_of(v)}'" for v in use.outputs)
            return f"the first block whose value is not is '{use.name}', which gives {told}"
    return "every block's value is, but not their mean"


def _total(program: Compiled, probe: Graph, named: Mapping[Node, Any], batch: Batch) -> float:
    """Return the sum of the absolute values of what a graph computes, as the program would."""
    model = program.model
    made = compile(probe, dtype=model.dtype, batch=model.batch)
    own = made.Params(*(named[f.node] for f in made.model.parameters))
    inputs = {f.name: batch[f.name] for f in made.model.inputs}
    given = made.loss(own, **inputs) if probe.costs else made.forward(own, **inputs)
    values = given if isinstance(given, tuple) else (given,)
    return float(sum(np.sum(np.abs(np.asarray(value))) for value in values))
