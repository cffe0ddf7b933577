"""Derivatives of the user's own, and functions that graphc does not see into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.calculus.reverse import gradient
from graphc.control.body import body, replaced
from graphc.control.override import Override
from graphc.errors import GraphcError, KindError, ShapeError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.language.declare import parse_shape
from graphc.language.functions import cost
from graphc.language.names import located_name
from graphc.language.source import here
from graphc.language.tracing import (
    Trace,
    Traced,
    adopt,
    argument_names,
    check_callable,
    leaf,
    trace,
)
from graphc.language.trees import flatten, paths
from graphc.language.variable import SCOPE, Call, Variable, as_variable
from graphc.ops.contraction import full
from graphc.ops.leaves import new_input
from graphc.ops.opaque import Foreign, Opaque
from graphc.ops.several import item, items
from graphc.types import KINDS, TensorType, TupleType, shape_text


def custom_vjp(
    f: Callable[..., Any],
    bwd: Callable[[Any, Any], Any],
    fwd: Callable[..., tuple[Any, Any]] | None = None,
) -> Callable[..., Any]:
    """Return `f` with a derivative of its own.

    Parameters
    ----------
    f
        A function of variables.
    bwd
        ``bwd(residuals, g)``: a cotangent for each argument, as a tuple, or None for zeros, where
        `g` has the structure of the result. It must be linear in `g`.
    fwd
        ``fwd(*args) -> (result, residuals)``; without it, the residuals are the arguments.

    Notes
    -----
    Forward mode is the transpose of `bwd`. Second derivatives are those of what `bwd` computes, in
    which the results keep the derivative given here.

    Raises
    ------
    UsageError, ShapeError
        If `bwd` does not return one cotangent of the right shape for each argument.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> straight_through = gc.custom_vjp(np.round, lambda args, g: (g,))
    >>> x = gc.observed("x")
    >>> float(gc.compile_function([x], gc.grad(straight_through(x) ** 2, x))(1.4))
    2.0
    """
    for function in (f, bwd, *([] if fwd is None else [fwd])):
        check_callable(function, "custom_vjp")

    def overridden(*args: Any) -> Any:
        call = _Overridden("custom_vjp", f, args)
        found = call.traced(f if fwd is None else fwd)
        tree, residuals = (found.tree, call.leaves) if fwd is None else _pair(found, "fwd")
        count = len(flatten(tree)[0])
        results = found.nodes[:count]
        kept = found.nodes[count:] if fwd is not None else [v.node for v in call.variables_of_args]
        told = residuals if fwd is not None else call.arguments
        return call.finish(found, tree, results, kept, told, bwd)

    return overridden


def custom_jvp(
    f: Callable[..., Any], jvp: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, Any]]
) -> Callable[..., Any]:
    """Return `f` with a tangent of its own: ``jvp(primals, tangents) -> (result, tangent)``.

    Backward mode is the transpose of `jvp`, which must be linear in the tangents.

    Raises
    ------
    UsageError, ShapeError
        If `jvp` does not return a result and a tangent of its structure.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> double = gc.custom_jvp(np.sin, lambda x, t: (np.sin(x[0]), 2 * np.cos(x[0]) * t[0]))
    >>> x = gc.observed("x")
    >>> float(gc.compile_function([x], gc.grad(double(x), x))(0.0))
    2.0
    """
    check_callable(f, "custom_jvp")
    check_callable(jvp, "custom_jvp")

    def overridden(*args: Any) -> Any:
        call = _Overridden("custom_jvp", f, args)
        found = call.traced(f)
        kept = [v.node for v in call.variables_of_args]

        def bwd(primals: Any, g: Any) -> Any:
            return _transposed(jvp, primals, g, call)

        return call.finish(found, found.tree, found.nodes, kept, call.arguments, bwd)

    return overridden


def _transposed(jvp: Callable[..., Any], primals: Any, g: Any, call: _Overridden) -> Any:
    """Return the cotangents of all arguments, from the tangent rule."""
    values, rebuild = flatten(primals)
    tangents = [leaf(f"t{k}", TensorType(v.shape)) for k, v in enumerate(values)]
    found = jvp(primals, rebuild(iter(tangents)))
    if not (isinstance(found, tuple) and len(found) == 2):
        raise UsageError(f"{here()}: the rule of custom_jvp returns a pair: result and tangent")
    outs = [as_variable(v) for v in flatten(found[1])[0]]
    cotangents = [as_variable(v) for v in flatten(g)[0]]
    if [v.shape for v in outs] != [v.shape for v in cotangents]:
        listed = " and ".join(shape_text(v.shape) for v in outs)
        raise ShapeError(f"{here()}: the tangent of custom_jvp has shape {listed}")
    grads = gradient(
        [v.node for v in outs], [v.node for v in cotangents], [v.node for v in tangents]
    )
    left = {v.node for v in tangents} & set(topological(grads))
    if left:
        raise UsageError(f"{here()}: the tangent of custom_jvp is not linear in the tangents")
    made = [Variable(n, operands=(*outs, *cotangents)) for n in grads]
    return rebuild(iter(made))


def _pair(found: Trace, what: str) -> tuple[Any, Any]:
    if not (isinstance(found.tree, tuple) and len(found.tree) == 2):
        raise UsageError(f"{here()}: {what} of custom_vjp returns a pair: result and residuals")
    return found.tree


class _Overridden:
    """One call of a function with a derivative of its own."""

    def __init__(self, operation: str, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.operation = operation
        values, rebuild = flatten(args)
        self.variables_of_args = [as_variable(v) for v in values]
        names = [
            n
            for own, arg in zip(argument_names(f, len(args)), args, strict=True)
            for n in paths(arg, own)
        ]
        self.names = names
        self.leaves = [
            leaf(n, v.node.type) for n, v in zip(names, self.variables_of_args, strict=True)
        ]
        self.arguments = rebuild(iter(self.leaves))
        name = getattr(f, "__name__", operation)
        self.block = Traced(name if name.isidentifier() else operation)
        self.call = Call(self.block, tuple(self.variables_of_args), {}, SCOPE.current, here())
        self.traces: list[Trace] = []

    def traced(self, f: Callable[..., Any]) -> Trace:
        """Run the function on leaves that stand for the arguments."""
        found = trace(self.call, f, self.arguments)
        self.traces.append(found)
        return found

    def finish(
        self,
        found: Trace,
        tree: Any,
        results: Sequence[Node],
        kept: Sequence[Node],
        told: Any,
        bwd: Callable[[Any, Any], Any],
    ) -> Any:
        """Trace the rule, and return the results with it."""
        rebuild_result, rebuild_told = flatten(tree)[1], flatten(told)[1]
        residuals = [leaf(f"r{k}", n.type) for k, n in enumerate(kept)]
        cotangents = [leaf(f"g{k}", TensorType(n.shape)) for k, n in enumerate(results)]
        back = trace(
            self.call,
            lambda r, g: self._checked(bwd(r, g)),
            (rebuild_told(iter(residuals)), rebuild_result(iter(cotangents))),
        )
        self.traces.append(back)
        adopt(self.call, self.traces)
        self.block.leaves, self.block.results = tuple(self.leaves), tuple(found.results)
        # What the rule takes from around it comes along as residuals.
        outer = {n: new_input(n.type) for n in back.outer}
        ends = replaced(back.nodes, outer)
        real = [v.node for v, n in zip(cotangents, results, strict=True) if n.kind == "real"]
        inputs = (*(v.node for v in residuals), *outer.values(), *real)
        by = [k for k, v in enumerate(self.variables_of_args) if v.kind == "real"]
        rule = body(Program(inputs, tuple(ends[back.nodes[k]] for k in by)))
        own = {v.node: n.node for v, n in zip(self.leaves, self.variables_of_args, strict=True)}
        new = replaced([*results, *kept], own)
        args = (
            *(new[n] for n in results),
            *(new[n] for n in kept),
            *outer,
            *(v.node for v in self.variables_of_args),
        )
        node: Node = Override(args, rule, len(results), len(kept) + len(outer))
        made = [Variable(n, call=self.call, operation=self.operation) for n in items(node)]
        self.call.outputs = tuple(made)
        return rebuild_result(iter(made))

    def _checked(self, cotangents: Any) -> list[Variable]:
        """Return a cotangent for each leaf of the arguments; zeros for None."""
        given = cotangents if isinstance(cotangents, tuple) else (cotangents,)
        count = len(self.arguments)
        if len(given) != count:
            raise UsageError(
                f"{here()}: {self.operation}: the rule returns {len(given)} cotangents "
                f"for {count} arguments"
            )
        result: list[Variable] = []
        for own, argument in zip(given, self.arguments, strict=True):
            wanted = flatten(argument)[0]
            held = [None] * len(wanted) if own is None else flatten(own)[0]
            if len(held) != len(wanted):
                raise UsageError(f"{here()}: {self.operation}: a cotangent has another structure")
            for v, to in zip(held, wanted, strict=True):
                cotangent = Variable(full(0.0, to.shape)) if v is None else as_variable(v)
                if to.kind == "real" and cotangent.shape != to.shape:
                    raise ShapeError(
                        f"{here()}: {self.operation}: the cotangent of {to.describe()} has shape "
                        f"{shape_text(cotangent.shape)}, expected {shape_text(to.shape)}"
                    )
                result.append(cotangent)
        return result


def opaque(
    function: Callable[..., Any],
    shape: Any = (),
    kind: Any = "real",
    *,
    source: str | None = None,
    vjp: Callable[..., Any] | None = None,
    vjp_source: str | None = None,
    vectorized: bool = False,
    name: str | None = None,
) -> Callable[..., Any]:
    """Return a function of variables that calls a Python function on arrays.

    Parameters
    ----------
    function
        Takes arrays, and returns an array, or a tuple of arrays; it must not change them.
    shape
        The shape of its result for one sample; a list of shapes for a tuple.
    kind
        ``"real"``, ``"integer"`` or ``"boolean"``; a list for a tuple.
    source
        ``"module:function"``, from where an emitted file imports it; without it the program
        cannot be saved.
    vjp, vjp_source
        The derivative, a function likewise: of the arguments, the results, and the cotangents of
        real results it returns the cotangents of real arguments, several as a tuple.
    vectorized
        Whether the functions take all samples in one call, every argument with the sample axis in
        front. By default there is a call for each sample.
    name
        What messages and files call it.

    Raises
    ------
    UsageError, KindError, ShapeError
        If an option has no meaning.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> root = gc.opaque(np.sqrt, shape="n", vjp=lambda x, y, g: g / (2 * y))
    >>> x = gc.observed("x", shape="n")
    >>> gc.compile_function([x], gc.grad(root(x).sum(), x))(np.array([1.0, 4.0]))
    array([0.5 , 0.25])
    """
    check_callable(function, "opaque")
    told = located_name(name or _plain(getattr(function, "__name__", "")), "an opaque function")
    each = _results(shape, kind)
    derivative = None
    if vjp is not None:
        check_callable(vjp, "opaque, vjp")
        checked = _source(vjp_source)
        derivative = Foreign(vjp, f"{told}_vjp", checked, vectorized, str(here()))
    foreign = Foreign(function, told, _source(source), vectorized, str(here()), derivative)

    def called(*args: Any) -> Any:
        variables = tuple(as_variable(v) for v in args)
        if not variables:
            raise UsageError(f"{here()}: the opaque function '{told}' needs an argument")
        block = Traced(told)
        call = Call(block, variables, {}, SCOPE.current, here())
        node: Node = Opaque(tuple(v.node for v in variables), foreign, each, ())
        results = tuple(Variable(n, call=call, operation=told) for n in items(node))
        call.outputs = results
        return results if isinstance(shape, list) else results[0]

    return called


def blackbox(
    function: Callable[..., Any],
    *inputs: Any,
    name: str | None = None,
    source: str | None = None,
    vectorized: bool = False,
) -> Variable:
    """Return a cost whose value a Python function gives, and of which nothing else is known.

    It has no derivative: :func:`graphc.estimators` tells what can be used in its place, and
    ``gc.compile(..., wrt=[])`` compiles the value alone.

    Parameters
    ----------
    function
        Takes an array for each input, and returns a number; it must not change them.
    *inputs
        Variables.
    name
        The name of the cost.
    source, vectorized
        As those of :func:`opaque`.

    Raises
    ------
    UsageError
        If there is no function or no input.

    Examples
    --------
    >>> import graphc as gc
    >>> w = gc.parameter("w", shape=3, init="ones")
    >>> hidden = gc.blackbox(lambda w: w.max(), w, name="C")
    >>> [name for name, _ in gc.estimators(gc.Graph(hidden, name="unknown"))[0].estimators]
    ['REINFORCE', 'actor-critic', 'zeroth order']
    """
    check_callable(function, "blackbox")
    told = located_name(name or _plain(getattr(function, "__name__", "")), "a black box")
    if not inputs:
        raise UsageError(f"{here()}: the black box '{told}' needs an input")
    variables = tuple(as_variable(v) for v in inputs)
    foreign = Foreign(function, told, _source(source), vectorized, str(here()))
    call: Node = Opaque(tuple(v.node for v in variables), foreign, _results((), "real"), ())
    value = Variable(item(call, 0), operands=variables, operation=told)
    made: Variable = cost(value, name=name)
    return made


def _plain(name: str) -> str:
    return name if name.isidentifier() and not name.startswith("_") else "opaque"


def _results(shape: Any, kind: Any) -> TupleType:
    shapes = shape if isinstance(shape, list) else [shape]
    kinds = kind if isinstance(kind, list) else [kind] * len(shapes)
    if len(kinds) != len(shapes):
        raise UsageError(f"{here()}: opaque: {len(shapes)} shapes, but {len(kinds)} kinds")
    for one in kinds:
        if one not in KINDS:
            raise KindError(f"{here()}: opaque: a kind is one of {', '.join(KINDS)}, got {one!r}")
    try:
        types = [TensorType(parse_shape(s), k) for s, k in zip(shapes, kinds, strict=True)]
    except GraphcError as error:
        raise error.within(f"{here()}: opaque") from None
    return TupleType(tuple(types))


def _source(source: str | None) -> str | None:
    """Return a source, checked: it becomes an import statement of emitted files."""
    if source is None:
        return None
    module, colon, function = source.partition(":")
    parts = [*module.split("."), function]
    if not colon or not all(part.isidentifier() for part in parts):
        raise UsageError(f"{here()}: source is 'module:function', got {source!r}")
    return source
