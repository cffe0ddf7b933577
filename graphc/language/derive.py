"""Derivatives as variables: used further, differentiated again, printed, compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.calculus import derived, reverse
from graphc.errors import ShapeError
from graphc.ir.nodes import Node
from graphc.language.reaching import check_variable, each, prepared, reachable, told
from graphc.language.source import here
from graphc.language.variable import Derivation, Variable, build
from graphc.ops.contraction import contract, full
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant


def grad(cost: Variable, wrt: Any, *, allow_unused: bool = False) -> Any:
    """Return the gradient of a scalar by a variable, or by each of a list.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    wrt
        A variable, or a list of them; the gradient has the shape of the variable.
    allow_unused
        Zeros, instead of an error, where the cost does not depend on the variable.

    Raises
    ------
    ShapeError
        If `cost` is no scalar.
    DerivativeError
        If there is no path, or a discrete value or integer function cuts every path.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> gc.grad((x * x).sum(), x)
    <expression grad: real (3,)>
    """
    check_variable(cost, "grad")
    if cost.shape:
        raise ShapeError(f"{here()}: grad takes a scalar, got {told(cost)}; see gc.jacobian")
    if isinstance(wrt, list | tuple) and all(_is_leaf(x) for x in wrt):
        return _gradients(cost, wrt, allow_unused)

    def rule(c: Node, x: Node) -> Node:
        return reverse.gradient([c], [constant(1.0)], [x])[0]

    return each(wrt, lambda x: by(cost, x, allow_unused, "grad", rule))


def _is_leaf(x: Any) -> bool:
    return isinstance(x, Variable) and not x.node.args and x.definition is None


def _gradients(cost: Variable, wrt: Sequence[Variable], allow_unused: bool) -> list[Variable]:
    """Return the gradients by leaves, none of which hides another: in one sweep."""
    found = [reachable(cost, x, allow_unused) for x in wrt]
    output, *leaves = prepared([cost, *wrt])
    nodes = reverse.gradient([output], [constant(1.0)], leaves)
    return [
        Variable(
            node if known else full(0.0, x.shape),
            operands=(cost, x),
            operation="grad",
            derivation=Derivation("grad", cost, x),
        )
        for node, x, known in zip(nodes, wrt, found, strict=True)
    ]


def jacobian(y: Variable, x: Any, *, allow_unused: bool = False) -> Any:
    """Return the array of all derivatives, of shape ``(*y.shape, *x.shape)``.

    Parameters
    ----------
    y
        What is differentiated: a variable of any shape, for one sample.
    x
        A variable, or a list of them: then so is the result.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    DerivativeError
        As for :func:`grad`.

    Examples
    --------
    >>> import graphc as gc
    >>> w, x = gc.parameter("w", shape=(2, 3)), gc.observed("x", shape=3)
    >>> gc.jacobian(w @ x, w).shape
    (2, 2, 3)
    """
    return each(x, lambda v: by(y, v, allow_unused, "jacobian", derived.jacobian))


def hessian(cost: Variable, wrt: Any, *, allow_unused: bool = False) -> Any:
    """Return the second derivatives of a scalar; of a list, a list of lists.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    wrt
        A variable, or a list of them: then the result is a list of lists.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError
        As for :func:`grad`.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> gc.hessian((x**3).sum(), x).shape
    (3, 3)
    """
    if isinstance(wrt, list | tuple):
        firsts = grad(cost, wrt, allow_unused=allow_unused)
        return [jacobian(g, list(wrt), allow_unused=True) for g in firsts]
    return jacobian(grad(cost, wrt, allow_unused=allow_unused), wrt, allow_unused=True)


def laplacian(cost: Variable, wrt: Any, *, allow_unused: bool = False) -> Any:
    """Return the trace of the Hessian of a scalar: the sum of its unmixed second derivatives.

    Where the Hessian has structure, only its diagonal is computed.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    wrt
        A variable, or a list of them: then so is the result.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError
        As for :func:`grad`.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> gc.laplacian((x**3).sum(), x)
    <expression laplacian: real ()>
    """

    def trace(x: Variable) -> Variable:
        second = hessian(cost, x, allow_unused=allow_unused)
        labels = tuple(range(x.ndim))
        return build("laplacian", lambda h: contract((h,), (labels + labels,), ()), [second])

    check_variable(cost, "laplacian")
    return each(wrt, trace)


def cotangents(cost: Variable, variables: Sequence[Variable]) -> dict[Variable, Variable]:
    """Return the gradients of a scalar by variables, some of which are computed from others.

    One sweep serves them all. Those that a path from a real leaf does not lead to are missing.
    """
    leaves = [v.node for v in variables if _is_leaf(v) and v.kind == "real"]
    inner = [v for v in variables if not _is_leaf(v)]
    output, *nodes = prepared([cost, *inner])
    found: dict[Node, Node] = {}
    reverse.sweep([output], [constant(1.0)], leaves, cotangents_of=found)
    return {
        v: Variable(found[node], operands=(cost, v), operation="grad")
        for v, node in zip(inner, nodes, strict=True)
        if node in found
    }


def stop_gradient(x: Variable) -> Variable:
    """Return the same value, through which no derivative passes.

    Examples
    --------
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=3)
    >>> gc.grad((gc.stop_gradient(x) * x).sum(), x).shape
    (3,)
    """
    return build("stop_gradient", lambda node: elementwise("stop_gradient", node), [x])


def by(
    y: Variable,
    x: Variable,
    allow_unused: bool,
    operation: str,
    rule: Callable[[Node, Node], Node],
    more: tuple[Variable, ...] = (),
) -> Variable:
    """Return the derivative of `y` by `x` that `rule` takes, once it is sure to exist."""
    check_variable(y, operation)
    check_variable(x, operation)
    derivation = Derivation(operation, y, x) if operation in ("grad", "jacobian") else None  # type: ignore[arg-type]
    operands = (y, x, *more)
    if not reachable(y, x, allow_unused):
        shape = (*y.shape, *x.shape) if operation == "jacobian" else x.shape
        node = full(0.0, shape)
    else:
        output, wrt = prepared([y, x])
        node = rule(output, wrt)
    return Variable(node, operands=operands, operation=operation, derivation=derivation)
