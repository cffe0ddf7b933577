"""Equations in the language: fixed points, roots and minima, with implicit derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.control import fixed_point as kind
from graphc.errors import KindError, ShapeError, UsageError
from graphc.language.derive import grad, jacobian
from graphc.language.source import here
from graphc.language.tracing import Traced, adopt, argument_names, check_callable, leaf, trace
from graphc.language.trees import check_structure, flatten, paths
from graphc.language.variable import SCOPE, Call, Variable, as_variable
from graphc.ops.elementwise import as_real
from graphc.ops.several import items
from graphc.types import shape_text


def fixed_point(
    f: Callable[..., Any],
    z0: Any,
    *args: Any,
    tol: float | None = None,
    max_iterations: int = 1000,
) -> Any:
    """Return z with ``z = f(z, *args)``, found by applying `f` from `z0` on.

    The derivative is that of the equation, not of the iterations: nothing of them is kept, and the
    backward pass is a fixed point too. With samples, it is iterated until the last has settled.

    Parameters
    ----------
    f
        ``f(z, *args)``: the next z, of the same structure and shapes. It should contract, at the
        solution at least: then both passes converge.
    z0
        Where to start: a variable, a number, or structures of them. The result does not depend on
        it, as far as derivatives are concerned.
    args
        Handed on to `f`, which may use variables from around as well.
    tol
        How much a step may change, relative to 1 + the largest element; by default three quarters
        of the digits that a number has.
    max_iterations
        Where it is not settled after so many steps, in either pass, emitted code raises an
        ArithmeticError.

    Raises
    ------
    ShapeError, KindError, UsageError
        If `f` returns another structure or shape, or discrete values.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> a = gc.observed("a")
    >>> root = gc.fixed_point(lambda z: 0.5 * (z + a / z), 1.0)
    >>> z, slope = gc.compile_function([a], [root, gc.grad(root, a)])(4.0)
    >>> float(z), float(slope)
    (2.0, 0.25)
    """
    return _solved("fixed_point", f, z0, args, tol, max_iterations)


def root(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    tol: float | None = None,
    max_iterations: int = 100,
) -> Variable:
    """Return x with ``f(x, *args) = 0`` by Newton's method from `x0` on, for a number or a vector.

    The derivative is implicit, as for :func:`fixed_point`.

    Parameters
    ----------
    f
        ``f(x, *args)``, as many numbers as `x` has.
    x0
        Where to start: a number or a vector, of shape () or (n,).
    args
        Handed on to `f`, which may use variables from around as well.
    tol
        As for :func:`fixed_point`.
    max_iterations
        How many steps to take at most; emitted code raises an ArithmeticError after that.

    Raises
    ------
    ShapeError, KindError, UsageError
        If `f` does not return as many numbers as x has, or as for :func:`fixed_point`.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> a = gc.observed("a")
    >>> x = gc.root(lambda x: np.exp(x) - a, 0.0)
    >>> round(float(gc.compile_function([a], gc.grad(x, a))(2.0)), 6)
    0.5
    """

    def newton(x: Variable) -> Variable:
        y = as_variable(f(x, *args))
        if y.shape != x.shape or y.ndim > 1:
            raise ShapeError(
                f"{here()}: root is of a number, or a vector of equations for as many unknowns, "
                f"got shape {shape_text(y.shape)} for {shape_text(x.shape)}"
            )
        slope = jacobian(y, x)
        step = np.linalg.solve(slope, y) if y.shape else y / slope
        return x - step

    found: Variable = _solved("root", newton, x0, (), tol, max_iterations)
    return found


def argmin(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    tol: float | None = None,
    max_iterations: int = 100,
) -> Variable:
    """Return x with zero gradient of the scalar ``f(x, *args)``, by Newton's method from `x0` on.

    Of a convex function that is where it is smallest. The derivative is implicit.

    Parameters
    ----------
    f
        ``f(x, *args)``, a number.
    x0
        Where to start: a number or a vector, of shape () or (n,).
    args
        Handed on to `f`, which may use variables from around as well.
    tol
        As for :func:`fixed_point`.
    max_iterations
        How many steps to take at most; emitted code raises an ArithmeticError after that.

    Raises
    ------
    ShapeError, KindError, UsageError, DerivativeError
        If `f` does not return a number that depends on x, or as for :func:`root`.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> a = gc.observed("a", shape=2)
    >>> x = gc.argmin(lambda x: ((x - a) ** 2).sum() + (x**4).sum(), np.zeros(2))
    >>> gc.compile_function([a], x)(np.array([0.0, 3.0])).round(6)
    array([0., 1.])
    """
    return root(lambda x: grad(f(x, *args), x), x0, tol=tol, max_iterations=max_iterations)


def _solved(
    operation: str,
    f: Callable[..., Any],
    z0: Any,
    args: tuple[Any, ...],
    tol: float | None,
    max_iterations: int,
) -> Any:
    check_callable(f, operation)
    _check_options(operation, tol, max_iterations)
    values, rebuild = flatten(z0)
    starts = [as_variable(v) for v in values]
    if not starts or any(v.kind == "boolean" for v in starts):
        raise KindError(f"{here()}: {operation} starts from real numbers")
    nodes = [as_real(v.node) for v in starts]
    names = paths(z0, argument_names(f, 1)[0])
    leaves = [leaf(n, node.type) for n, node in zip(names, nodes, strict=True)]
    block = Traced(operation)
    call = Call(block, tuple(starts), {}, SCOPE.current, here())
    found = trace(call, lambda z: f(z, *args), (rebuild(iter(leaves)),))
    check_structure(found.tree, z0, f"what the function of {operation} returns")
    for name, own, start in zip(names, found.nodes, nodes, strict=True):
        if own.shape != start.shape or own.kind == "boolean":
            raise ShapeError(
                f"{here()}: {operation}: '{name}' starts with shape {shape_text(start.shape)}, "
                f"and the function returns {own.kind} {shape_text(own.shape)}"
            )
    adopt(call, [found])
    block.leaves, block.results = found.leaves, tuple(found.results)
    block.result_names = tuple(names)
    unknowns = {
        own.node: (start, as_real(after))
        for own, start, after in zip(leaves, nodes, found.nodes, strict=True)
    }
    node = kind.fixed_point(found.outer, unknowns, tol or 0.0, max_iterations, found.names)
    results = tuple(Variable(n, call=call, operation=operation) for n in items(node))
    call.outputs = results
    return rebuild(iter(results))


def _check_options(operation: str, tol: float | None, max_iterations: int) -> None:
    if tol is not None and not (isinstance(tol, float | int) and tol > 0):
        raise UsageError(f"{here()}: {operation}: tol is a positive number, got {tol!r}")
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, int):
        raise UsageError(f"{here()}: {operation}: max_iterations is a whole number")
    if max_iterations < 1:
        raise UsageError(f"{here()}: {operation}: max_iterations is 1 or more")
