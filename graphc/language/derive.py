"""Derivatives as variables: used further, differentiated again, printed, compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.calculus import derived, reverse
from graphc.errors import DerivativeError, ShapeError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import rewrite_nodes
from graphc.language.declare import sources
from graphc.language.graph import resolved
from graphc.language.source import here
from graphc.language.variable import Derivation, Variable, as_variable, build
from graphc.ops.contraction import full
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.stable import stable_rules
from graphc.types import shape_text


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
    _check(cost, "grad")
    if cost.shape:
        raise ShapeError(f"{here()}: grad takes a scalar, got {_told(cost)}; see gc.jacobian")
    return _each(
        wrt,
        lambda x: _by(
            cost,
            x,
            allow_unused,
            "grad",
            lambda c, v: reverse.gradient([c], [constant(1.0)], [v])[0],
        ),
    )


def jacobian(y: Variable, x: Any, *, allow_unused: bool = False) -> Any:
    """Return the array of all derivatives, of shape ``(*y.shape, *x.shape)``.

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
    return _each(x, lambda v: _by(y, v, allow_unused, "jacobian", derived.jacobian))


def hessian(cost: Variable, wrt: Any, *, allow_unused: bool = False) -> Any:
    """Return the second derivatives of a scalar; of a list, a list of lists.

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


def vjp(y: Variable, x: Any, v: Any, *, allow_unused: bool = False) -> Any:
    """Return the product of a cotangent `v`, of the shape of `y`, with the Jacobian.

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
    _check(y, "vjp")
    cotangent = as_variable(v)
    _fits(cotangent, y, "the cotangent")

    def rule(output: Node, wrt: Node) -> Node:
        return reverse.gradient([output], [cotangent.node], [wrt])[0]

    return _each(x, lambda wrt: _by(y, wrt, allow_unused, "vjp", rule, (cotangent,)))


def jvp(y: Variable, x: Any, v: Any, *, allow_unused: bool = False) -> Variable:
    """Return the derivative of `y` along the tangents `v`: a variable of the shape of `y`.

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
        _check(variable, "jvp")
    tangents = [as_variable(t) for t in (v if isinstance(x, list | tuple) else [v])]
    if len(wrt) != len(tangents):
        raise UsageError(f"{here()}: {len(wrt)} variables, but {len(tangents)} tangents")
    for variable, t in zip(wrt, tangents, strict=True):
        _fits(t, variable, "the tangent")
    carried = [(a, b) for a, b in zip(wrt, tangents, strict=True) if _reachable(y, a, allow_unused)]
    operands = (y, *wrt, *tangents)
    if not carried:
        return Variable(full(0.0, y.shape), operands=operands, operation="jvp")
    nodes = _prepared([y, *(a for a, _ in carried)])
    node = derived.tangent(nodes[0], nodes[1:], [b.node for _, b in carried])
    return Variable(node, operands=operands, operation="jvp")


def hvp(cost: Variable, wrt: Variable, v: Any, *, allow_unused: bool = False) -> Variable:
    """Return the product of the Hessian with `v`, without forming the Hessian.

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
    return jvp(grad(cost, wrt, allow_unused=allow_unused), wrt, v, allow_unused=True)


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


def _check(given: Any, operation: str) -> None:
    if not isinstance(given, Variable):
        raise UsageError(
            f"{here()}: {operation} is taken of a variable by a variable, got a "
            f"{type(given).__name__}"
        )


def _each(wrt: Any, rule: Callable[[Variable], Variable]) -> Any:
    if isinstance(wrt, list | tuple):
        return [rule(v) for v in wrt]
    return rule(wrt)


def _by(
    y: Variable,
    x: Variable,
    allow_unused: bool,
    operation: str,
    rule: Callable[[Node, Node], Node],
    more: tuple[Variable, ...] = (),
) -> Variable:
    """Return the derivative of `y` by `x` that `rule` takes, once it is sure to exist."""
    _check(y, operation)
    _check(x, operation)
    derivation = Derivation(operation, y, x) if operation in ("grad", "jacobian") else None  # type: ignore[arg-type]
    operands = (y, x, *more)
    if not _reachable(y, x, allow_unused):
        shape = (*y.shape, *x.shape) if operation == "jacobian" else x.shape
        node = full(0.0, shape)
    else:
        output, wrt = _prepared([y, x])
        node = rule(output, wrt)
    return Variable(node, operands=operands, operation=operation, derivation=derivation)


def _prepared(variables: Sequence[Variable]) -> list[Node]:
    """Return nodes with later definitions put in and naive spellings made stable.

    The first is what is derived, the others by what: they stay what they are, so that a path
    to them is not recognised away.
    """
    nodes = _defined(variables)
    new, _ = rewrite_nodes(nodes, stable_rules(nodes[1:]), stop=nodes[1:])
    return [new[nodes[0]], *nodes[1:]]


def _defined(variables: Sequence[Variable]) -> list[Node]:
    placeholders = _placeholders(variables)
    values = resolved([v.node for v in variables], placeholders)
    return [values.get(v.node, v.node) for v in variables]


def _placeholders(variables: Sequence[Variable]) -> list[Variable]:
    order: list[Variable] = []
    seen: set[int] = set()
    pending = [(v, False) for v in reversed(variables)]
    while pending:
        v, expanded = pending.pop()
        if expanded:
            if v.definition is not None:
                order.append(v)
        elif id(v) not in seen:
            seen.add(id(v))
            pending.append((v, True))
            pending.extend((s, False) for s in sources(v))
    return order


def _reachable(y: Variable, x: Variable, allow_unused: bool) -> bool:
    """Return whether a derivative passes from `y` to `x`; raise unless zeros are allowed."""
    output, wrt = _defined([y, x])
    if reverse.reaches(output, wrt):
        return True
    if allow_unused:
        return False
    raise DerivativeError(f"{here()}: {why_not(output, wrt, _told(y), _told(x), _blocks(y))}")


def why_not(
    output: Node, wrt: Node, told_output: str, told_wrt: str, blocks: dict[Node, str]
) -> str:
    """Return the sentence that says why no derivative passes from `output` to `wrt`."""
    found = reverse.cuts([output], wrt)
    if not found:
        return (
            f"{told_output} does not depend on {told_wrt}; "
            "allow_unused=True gives zeros instead of this error"
        )
    cut = _first_cut(found[0], wrt)
    block = blocks.get(cut.node)
    place = f"in block '{block}', " if block else ""
    function = getattr(cut.node, "function", type(cut.node).__name__.lower())
    if cut.operand is wrt and wrt.kind != "real":
        what = f"{told_wrt} is {wrt.kind}, "
        if cut.node is wrt or function == "real":
            what += "and discrete values have no derivative"
        else:
            what += f"and {place}'{function}' takes {wrt.kind} values"
    elif cut.node.kind != "real":
        what = f"{place}'{function}' gives {cut.node.kind} values"
    else:
        what = f"{place}'{function}' is piecewise constant"
    return (
        f"no derivative passes from {told_output} to {told_wrt}: {what}, which cuts the path; "
        "allow_unused=True gives zeros instead of this error"
    )


def _first_cut(cut: reverse.Cut, wrt: Node) -> reverse.Cut:
    """Follow discrete values down to what made them so: a function of real ones, or `wrt`."""
    while cut.operand.kind != "real" and cut.operand is not wrt:
        cut = reverse.cuts([cut.operand], wrt)[0]
    return cut


def _blocks(y: Variable) -> dict[Node, str]:
    """Return the block of each node behind `y`, as far as blocks were named or called."""
    blocks: dict[Node, str] = {}
    seen: set[int] = set()
    pending = [y]
    while pending:
        v = pending.pop()
        if id(v) in seen:
            continue
        seen.add(id(v))
        if v.call is not None:
            fence = [i.node for i in (*v.call.inputs, *v.call.parameters.values())]
            for node in topological([v.node], fence):
                if node not in fence:
                    blocks.setdefault(node, v.call.block.name or v.call.block.function)
        pending.extend(sources(v))
    return blocks


def _fits(tangent: Variable, variable: Variable, what: str) -> None:
    if tangent.shape != variable.shape:
        raise ShapeError(
            f"{here()}: {what} has shape {shape_text(tangent.shape)}, "
            f"but {variable.describe()} has {shape_text(variable.shape)}"
        )


def _told(variable: Variable) -> str:
    return f"{variable.describe()} of shape {shape_text(variable.shape)}"
