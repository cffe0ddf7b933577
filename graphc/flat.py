"""A loss as a function of one flat vector, as optimisers of other libraries want it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from graphc.calculus.derived import jacobian, tangent
from graphc.calculus.reverse import gradient
from graphc.compile_function import CompiledFunction, function_of
from graphc.emit.model import Model
from graphc.emit.targets import target_named
from graphc.errors import CompileError
from graphc.ir.nodes import Node
from graphc.ir.program import Program
from graphc.language.graph import Graph
from graphc.ops.leaves import constant, new_input
from graphc.passes.pipeline import run
from graphc.stages import Batched, batched_program, chosen_costs, pipeline, stable_program
from graphc.types import TensorType, count


@dataclass(frozen=True)
class Objective:
    """A loss on fixed data, as a function of all parameters in one vector of float64.

    Attributes
    ----------
    x0 : ndarray, shape (n,)
        The parameters to start from, one after the other in order of declaration.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x, w = gc.observed("x", shape=2), gc.parameter("w", shape=2)
    >>> program = gc.compile(gc.Graph(gc.cost((w @ x - 1.0) ** 2, name="C"), name="fit"))
    >>> objective = program.as_scipy(program.init_params(), x=np.eye(2))
    >>> objective.fun(objective.x0)
    (1.0, array([-1., -1.]))
    """

    graph: Graph
    model: Model
    value: Callable[..., Any]
    loss_and_grad: Callable[..., Any]
    start: Any
    inputs: Mapping[str, Any]
    cost: str | None

    def __repr__(self) -> str:
        return f"<objective {self.model.name}: {len(self.x0)} numbers>"

    @property
    def x0(self) -> Any:
        """The parameters to start from."""
        return _flat(self.start)

    def params(self, x: Any) -> Any:
        """Return a vector as the program's parameters."""
        x = np.asarray(x)
        if x.shape != self.x0.shape:
            raise ValueError(f"the vector must have shape {self.x0.shape}, got {x.shape}")
        parts, at = [], 0
        for p in self.start:
            parts.append(x[at : at + p.size].reshape(p.shape).astype(self.model.dtype))
            at += p.size
        return type(self.start)(*parts)

    def loss(self, x: Any) -> float:
        """Return the loss alone, for methods that ask for no gradient."""
        return float(self.value(self.params(x), **self.inputs))

    def fun(self, x: Any) -> tuple[float, Any]:
        """Return the loss and its gradient, shape (n,): for ``jac=True``.

        Raises
        ------
        CompileError
            If the program was compiled with ``wrt=[]``, for its values alone.
        """
        if self.model.wrt is not None:
            raise CompileError("the program was compiled with wrt=[], so it has no gradient")
        loss, grads = self.loss_and_grad(self.params(x), **self.inputs)
        return float(loss), _flat(grads)

    def hessp(self, x: Any, v: Any) -> Any:
        """Return the product of the Hessian at `x` with `v`, shape (n,), without forming it."""
        return _flat(self._product(*self.params(x), *self.params(v), *self._given))

    def hess(self, x: Any) -> Any:
        """Return the Hessian, shape (n, n), column by column."""
        return np.stack([self.hessp(x, e) for e in np.eye(len(self.x0))], axis=1)

    def residuals(self, x: Any, name: str) -> Any:
        """Return the computed variable `name` of all samples as one vector."""
        values, *_ = self._residuals(name)(*self.params(x), *self._given)
        return values.astype(np.float64).ravel()

    def residuals_jacobian(self, x: Any, name: str) -> Any:
        """Return the Jacobian of :meth:`residuals`, shape (residuals, n)."""
        values, *blocks = self._residuals(name)(*self.params(x), *self._given)
        rows = values.size
        return np.hstack([block.astype(np.float64).reshape(rows, -1) for block in blocks])

    @cached_property
    def _given(self) -> tuple[Any, ...]:
        return tuple(self.inputs[f.name] for f in self.model.loss_fields)

    @cached_property
    def _batched(self) -> tuple[Batched, tuple[Node, ...]]:
        costs = chosen_costs(self.graph, self.cost)
        stable = stable_program(self.graph, costs, self.graph.parameters)
        batched, forward = batched_program(self.graph, stable, len(costs), self.model.batch)
        return batched, batched.program.outputs[forward:]

    @cached_property
    def _product(self) -> CompiledFunction:
        """The function of parameters, tangents and inputs that gives the gradients' tangents."""
        batched, wrt = self._batched
        assert batched.loss is not None
        grads = gradient([batched.loss], [constant(1.0)], wrt)
        along = [new_input(TensorType(node.shape)) for node in wrt]
        results = [tangent(g, wrt, along) for g in grads]
        return self._function(results, along)

    def _residuals(self, name: str) -> CompiledFunction:
        batched, wrt = self._batched
        found = [n for n, known in batched.program.names.items() if known == name]
        if not found:
            raise CompileError(f"graph '{self.graph.name}' has no variable '{name}'")
        return self._function([found[0], *(jacobian(found[0], node) for node in wrt)], ())

    def _function(self, results: Sequence[Node], extra: Sequence[Node]) -> CompiledFunction:
        batched, wrt = self._batched
        fields = {f.name: f for f in self.model.loss_fields}
        known = {batched.program.names[n]: n for n in batched.program.inputs}
        given = {name: known[name] for name in fields}
        names = {node: f"p{i}" for i, node in enumerate((*wrt, *extra))}
        names |= {node: f"x{i}" for i, node in enumerate(given.values())}
        classes = [None] * (len(wrt) + len(extra)) + [f.classes for f in fields.values()]
        program = Program((*wrt, *extra, *given.values()), tuple(results), names)
        return function_of(
            run(program, pipeline("fast", None)),
            classes,
            name="derivative",
            single=False,
            target=target_named("numpy"),
            dtype=self.model.dtype,
            style="fast",
        )


def objective(
    graph: Graph,
    model: Model,
    value: Callable[..., Any],
    loss_and_grad: Callable[..., Any],
    params: Any,
    inputs: Mapping[str, Any],
    cost: str | None,
) -> Objective:
    """Return the loss on some data as a function of a flat vector.

    Raises
    ------
    CompileError
        If an input is missing or unknown, or gradients are not by the parameters.
    """
    if model.wrt:
        raise CompileError("the program must be differentiated by its parameters, without wrt=")
    wrong = {f.name for f in model.loss_fields} ^ inputs.keys()
    if wrong:
        known = ", ".join(f.name for f in model.loss_fields) or "none"
        raise CompileError(f"'{sorted(wrong)[0]}' is missing or unknown; the inputs are {known}")
    start = type(params)(*(np.asarray(p) for p in params))
    for f, p in zip(model.parameters, start, strict=True):
        if len(f.shape) != p.ndim or any(
            isinstance(dim, int) and count(dim, {}) != n
            for dim, n in zip(f.shape, p.shape, strict=False)
        ):
            raise CompileError(f"'{f.name}' has shape {p.shape}, expected {f.shape}")
    return Objective(graph, model, value, loss_and_grad, start, dict(inputs), cost)


def _flat(arrays: Sequence[Any]) -> Any:
    if not len(arrays):
        return np.zeros(0)
    return np.concatenate([np.asarray(a, np.float64).ravel() for a in arrays])
