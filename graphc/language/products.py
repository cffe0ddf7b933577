"""Products with derivatives, none of which is formed: with tangents and with cotangents."""

from __future__ import annotations

from typing import Any

from graphc.calculus import derived, reverse
from graphc.errors import UsageError
from graphc.ir.nodes import Node
from graphc.language.derive import by, grad
from graphc.language.reaching import check_fits, check_variable, each, prepared, reachable
from graphc.language.source import here
from graphc.language.variable import Variable, as_variable
from graphc.ops.contraction import full


def vjp(y: Variable, x: Any, v: Any, *, allow_unused: bool = False) -> Any:
    """Return the product of a cotangent `v`, of the shape of `y`, with the Jacobian.

    Parameters
    ----------
    y
        What is differentiated: a variable of any shape, for one sample.
    x
        A variable, or a list of them: then so is the result.
    v
        The cotangent, of the shape of `y`.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError

    Examples
    --------
    >>> import graphc as gc
    >>> w, x = gc.parameter("w", shape=(2, 3)), gc.observed("x", shape=3)
    >>> gc.vjp(w @ x, x, gc.observed("v", shape=2)).shape
    (3,)
    """
    check_variable(y, "vjp")
    cotangent = as_variable(v)
    check_fits(cotangent, y, "the cotangent")

    def rule(output: Node, wrt: Node) -> Node:
        return reverse.gradient([output], [cotangent.node], [wrt])[0]

    return each(x, lambda wrt: by(y, wrt, allow_unused, "vjp", rule, (cotangent,)))


def jvp(y: Variable, x: Any, v: Any, *, allow_unused: bool = False) -> Variable:
    """Return the derivative of `y` along the tangents `v`: a variable of the shape of `y`.

    Parameters
    ----------
    y
        What is differentiated: a variable of any shape, for one sample.
    x
        A variable, or a list of them.
    v
        The tangent, of the shape of `x`; a list of tangents if `x` is a list.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError

    Examples
    --------
    >>> import graphc as gc
    >>> x, v = gc.observed("x", shape=3), gc.observed("v", shape=3)
    >>> gc.jvp((x * x).sum(), x, v)
    <expression jvp: real ()>
    """
    wrt = list(x) if isinstance(x, list | tuple) else [x]
    for variable in (y, *wrt):
        check_variable(variable, "jvp")
    tangents = [as_variable(t) for t in (v if isinstance(x, list | tuple) else [v])]
    if len(wrt) != len(tangents):
        raise UsageError(f"{here()}: {len(wrt)} variables, but {len(tangents)} tangents")
    for variable, t in zip(wrt, tangents, strict=True):
        check_fits(t, variable, "the tangent")
    carried = [(a, b) for a, b in zip(wrt, tangents, strict=True) if reachable(y, a, allow_unused)]
    operands = (y, *wrt, *tangents)
    if not carried:
        return Variable(full(0.0, y.shape), operands=operands, operation="jvp")
    nodes = prepared([y, *(a for a, _ in carried)])
    node = derived.tangent(nodes[0], nodes[1:], [b.node for _, b in carried])
    return Variable(node, operands=operands, operation="jvp")


def hvp(cost: Variable, wrt: Any, v: Any, *, allow_unused: bool = False) -> Any:
    """Return the product of the Hessian with `v`, without forming the Hessian.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    wrt
        A variable, or a list of them: then so is the result.
    v
        A tangent for each variable.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError

    Examples
    --------
    >>> import graphc as gc
    >>> x, v = gc.observed("x", shape=3), gc.observed("v", shape=3)
    >>> gc.hvp((x**3).sum(), x, v).shape
    (3,)
    """
    firsts = grad(cost, wrt, allow_unused=allow_unused)
    return each(firsts, lambda g: jvp(g, wrt, v, allow_unused=True))


def gnvp(cost: Variable, output: Variable, wrt: Any, v: Any, *, allow_unused: bool = False) -> Any:
    """Return the product of the generalised Gauss-Newton matrix with `v`, without forming it.

    The matrix is ``Jᵀ H J`` (Schraudolph 2002): J is the Jacobian of a model's `output` by the
    variables `wrt`, and H the Hessian of the cost by the output. It is the Hessian of the cost
    without the curvature of the model, and positive semidefinite where the cost is convex.

    Parameters
    ----------
    cost
        A scalar, for one sample.
    output
        What the model computes; the cost depends on `wrt` through it. What the cost has of `wrt`
        beside it does not count.
    wrt
        A variable, or a list of them: then so is the result.
    v
        A tangent for each variable.
    allow_unused
        Zeros, instead of an error, where there is no path or something cuts it.

    Raises
    ------
    ShapeError, DerivativeError

    Examples
    --------
    >>> import graphc as gc
    >>> w, x, v = gc.parameter("w", (2, 3)), gc.observed("x", 3), gc.observed("v", (2, 3))
    >>> z = gc.tanh(w @ x)
    >>> gc.gnvp((z**2).sum(), z, w, v).shape
    (2, 3)
    """
    along = jvp(output, wrt, v, allow_unused=allow_unused)
    curved = hvp(cost, output, along, allow_unused=allow_unused)
    return vjp(output, wrt, curved, allow_unused=allow_unused)
