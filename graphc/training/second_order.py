"""Update rules whose step size is a matrix: scaled, Newton, Gauss-Newton, natural gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.derive import hessian, jacobian
from graphc.language.protocol.reductions import dimension_node
from graphc.language.step import Loss, Step
from graphc.language.variable import Variable
from graphc.training.update import scheduled, update_rule
from graphc.types import shape_text, size_of


@dataclass(frozen=True)
class Scaled:
    """The rule of :func:`scaled`."""

    by: Mapping[str, Any]
    lr: Any

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        unknown = self.by.keys() - set(step.names)
        if unknown:
            raise UsageError(
                f"there is no parameter '{sorted(unknown)[0]}' to scale the step of; there are "
                f"{', '.join(step.names)}"
            )
        lr = scheduled(self.lr, step)
        result = []
        for name, w, g in zip(step.names, step.parameters, step.gradients, strict=True):
            result.append(w - lr * (_times(name, self.by[name], g) if name in self.by else g))
        return result


def scaled(by: Mapping[str, Any], lr: Any = 1.0) -> Scaled:
    """Return gradient descent with a step size for each direction: ``w ← w − lr · A g``.

    Parameters
    ----------
    by
        For each parameter named, an array of its shape, which is the diagonal of A, or a matrix A
        over its elements in row-major order, shape (n, n). Parameters not named are not scaled.
    lr
        A factor of all steps.
    """
    return Scaled({name: np.asarray(a, np.float64) for name, a in by.items()}, lr)


def _times(name: str, a: Any, g: Any) -> Any:
    if a.shape == g.shape:
        return a * g
    n = size_of(g.shape)
    if a.shape != (n, n):
        raise ShapeError(
            f"the step of '{name}' is scaled by an array of its shape {shape_text(g.shape)} or a "
            f"matrix of shape ({n}, {n}), got {a.shape}"
        )
    return (a @ g.reshape(n)).reshape(g.shape)


@update_rule(joint=True)
def newton(ws: Any, gs: Any, *, loss: Any = Loss(), lr: Any = 1.0, damping: Any = 0.0) -> Any:
    """Newton's method over all parameters together: ``w ← w − lr · (H + damping · I)⁻¹ g``.

    H is the Hessian of the loss, which costs memory and time of the square and the cube of the
    number of parameters.
    """
    blocks = hessian(loss, list(ws), allow_unused=True)
    return _moved(ws, _solved(_blocked(blocks, ws), _flat(gs), damping), lr)


@dataclass(frozen=True)
class GaussNewton:
    """The rule of :func:`gauss_newton`."""

    residual: str
    lr: Any
    damping: Any

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        lr, damping = scheduled(self.lr, step), scheduled(self.damping, step)
        r: Any = step.computed(self.residual)
        j = _jacobian(r, step.parameters)
        descent = _solved(j.T @ j, j.T @ r.reshape(size_of(r.shape)), damping)
        return _moved(step.parameters, descent, lr)


def gauss_newton(residual: str, lr: Any = 1.0, damping: Any = 0.0) -> GaussNewton:
    """Return the Gauss-Newton method: ``w ← w − lr · (JᵀJ + damping · I)⁻¹ Jᵀr``.

    Parameters
    ----------
    residual
        The name of the variable whose squares are summed in the loss, up to a factor; J is its
        Jacobian over all samples.
    damping
        With a positive one it is the method of Levenberg (1944) and Marquardt (1963).
    """
    return GaussNewton(residual, lr, damping)


@dataclass(frozen=True)
class Natural:
    """The rule of :func:`natural_gradient`."""

    cost: str | None
    lr: Any
    damping: Any

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        name = self.cost if self.cost is not None else next(iter(step.costs))
        if name not in step.costs:
            raise UsageError(f"there is no cost '{name}'; there are {', '.join(step.costs)}")
        lr, damping = scheduled(self.lr, step), scheduled(self.damping, step)
        scores = _jacobian(step.costs[name].reshape(-1), step.parameters)
        fisher = scores.T @ scores / _count(step.costs[name])
        descent = _solved(fisher, _flat(step.gradients), damping)
        return _moved(step.parameters, descent, lr)


def natural_gradient(cost: str | None = None, lr: Any = 1.0, damping: Any = 1e-3) -> Natural:
    """Return natural gradient descent (Amari, 1998): ``w ← w − lr · (F + damping · I)⁻¹ g``.

    F is the empirical Fisher matrix, the mean of ``∇c ∇cᵀ`` over the samples, where the cost c is
    the negative logarithm of a probability.

    Parameters
    ----------
    cost
        Its name; by default the first one.
    """
    return Natural(cost, lr, damping)


def _jacobian(y: Any, ws: Sequence[Variable]) -> Any:
    """Return the Jacobian of all of `y` by all parameters, as one matrix."""
    rows = size_of(y.shape)
    blocks = jacobian(y, list(ws), allow_unused=True)
    parts = [b.reshape((rows, size_of(w.shape))) for b, w in zip(blocks, ws, strict=True)]
    return np.concatenate(parts, axis=1)


def _blocked(blocks: Any, ws: Sequence[Variable]) -> Any:
    sizes = [size_of(w.shape) for w in ws]
    rows = [
        np.concatenate([b.reshape((m, n)) for b, n in zip(row, sizes, strict=True)], axis=1)
        for row, m in zip(blocks, sizes, strict=True)
    ]
    return np.concatenate(rows, axis=0)


def _flat(gs: Sequence[Any]) -> Any:
    return np.concatenate([g.reshape(size_of(g.shape)) for g in gs])


def _solved(matrix: Any, vector: Any, damping: Any) -> Any:
    fixed = not isinstance(damping, Variable)
    if not (fixed and damping == 0):
        matrix = matrix + damping * np.eye(_whole(matrix))
    return np.linalg.solve(matrix, vector)


def _whole(matrix: Any) -> int:
    n = matrix.shape[0]
    if not isinstance(n, int):
        raise UsageError(f"a matrix step needs parameters of known sizes, and there are {n}")
    return n


def _count(costs: Variable) -> Variable:
    """Return the number of samples as a number."""
    return Variable(dimension_node(size_of(costs.shape)), operation="count")


def _moved(ws: Sequence[Any], descent: Any, lr: Any) -> list[Variable]:
    result: list[Any] = []
    at: Any = 0
    for w in ws:
        n = size_of(w.shape)
        result.append(w - lr * descent[at : at + n].reshape(w.shape))
        at = at + n
    return result
