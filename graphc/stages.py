"""The stages from a graph to what is emitted, in order.

graph ─▶ stable spellings ─▶ sample axis, mean cost ─▶ backward ─▶ a step of training ─▶ passes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from graphc.batching import batch_nodes, mark
from graphc.calculus.reverse import reaches, sweep
from graphc.commentary import commentary, diagram_text, loss_formula
from graphc.control.body import COTANGENT
from graphc.emit.model import Comments, Field, Model, Updates, needed
from graphc.emit.targets import DTYPES, STYLES, Target, target_named
from graphc.emit.version import __version__
from graphc.errors import CompileError, DerivativeError
from graphc.ir.nodes import Node
from graphc.ir.program import Origin, Program, rewrite
from graphc.language.graph import Graph
from graphc.language.reaching import why_not
from graphc.language.step import Rule, Step
from graphc.language.variable import Variable
from graphc.ops.contraction import full, sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Size, constant, new_input
from graphc.ops.properties import properties_of
from graphc.ops.ranges import InRange
from graphc.ops.samples import SAMPLES, one_sample
from graphc.ops.stable import stable_rules
from graphc.passes.pipeline import DEFAULT, FAST, Pass, run
from graphc.types import TensorType


def model_of(
    graph: Graph,
    target: Target,
    dtype: str,
    style: str,
    batch: bool,
    wrt: Any,
    cost: str | None,
    allow_unused: bool,
    step: Rule | None,
    loop: bool,
    passes: tuple[Pass, ...],
) -> Model:
    """Run the stages from the graph to the model that is emitted."""
    targets = differentiated(graph, wrt)
    _check_step(graph, step, loop, targets)
    costs = chosen_costs(graph, cost)
    stable = stable_program(graph, costs, targets)
    batched, forward_count = batched_program(graph, stable, len(costs), batch)
    whole, names, updates = with_backward(
        graph, batched, forward_count, targets, costs, allow_unused, step
    )
    whole, classes = lift_labels(whole)
    finished = run(whole, passes)
    parameters = fields_of(graph, graph.parameters, batched.leaves)
    inputs = with_classes(fields_of(graph, graph.inputs, batched.leaves), classes)
    return Model(
        name=graph.name,
        target=target,
        dtype=dtype,
        style=style,
        version=__version__,
        batch=batch,
        parameters=parameters,
        inputs=needed(inputs, parameters, finished.outputs),
        program=finished,
        forward=tuple(graph.name_of(v) for v in graph.outputs),
        has_loss=bool(costs),
        wrt=None if wrt is None else names,
        diagram=diagram_text(graph),
        loss_formula=loss_formula(graph, costs, batch),
        comments=commentary(graph, batch) if style == "readable" else Comments(),
        cost_count=len(costs),
        updates=updates,
        loop=loop,
    )


def pipeline(style: str, passes: tuple[Pass, ...] | None) -> tuple[Pass, ...]:
    """Return the passes to run, those of the style unless given."""
    if passes is not None:
        if not isinstance(passes, tuple | list) or not all(callable(step) for step in passes):
            raise CompileError(
                f"passes is a tuple of functions from programs to programs, got {passes!r}"
            )
        return tuple(passes)
    return FAST if style == "fast" else DEFAULT


def checked_target(target: str, dtype: str, style: str) -> Target:
    """Return the target, once dtype and style are known to be right for it."""
    chosen = target_named(target)
    for what, value, known in (("dtype", dtype, DTYPES), ("style", style, STYLES)):
        if not isinstance(value, str) or value not in known:
            raise CompileError(f"unknown {what} {value!r}; one of {', '.join(map(repr, known))}")
    if style not in chosen.styles:
        raise CompileError(
            f"target '{target}' is emitted in style {' or '.join(map(repr, chosen.styles))}"
        )
    return chosen


def differentiated(graph: Graph, wrt: Any) -> tuple[Variable, ...]:
    """Return the variables to differentiate by."""
    if wrt is None:
        return graph.parameters
    if isinstance(wrt, Set):
        raise CompileError("wrt= takes a variable or a list of variables: a set has no order")
    chosen = tuple(wrt) if isinstance(wrt, Iterable) and not _single(wrt) else (wrt,)
    for v in chosen:
        if not isinstance(v, Variable):
            raise CompileError(f"wrt= takes a variable or a list of variables, got {v!r}")
    if len({id(v) for v in chosen}) < len(chosen):
        raise CompileError("wrt= names a variable twice")
    if not graph.costs:
        raise CompileError(
            f"graph '{graph.name}' has no cost, so there is nothing to differentiate"
        )
    for v in chosen:
        graph.name_of(v)
    return chosen


def _single(wrt: Any) -> bool:
    """Return whether this is one thing, though it can be iterated over."""
    return isinstance(wrt, Variable | str)


def chosen_costs(graph: Graph, cost: str | None) -> tuple[Any, ...]:
    """Return the costs that are summed up: all, or the one that is named."""
    if cost is None:
        return graph.costs
    chosen = tuple(use for use in graph.costs if use.name == cost)
    if not chosen:
        known = ", ".join(use.name for use in graph.costs) or "none"
        raise CompileError(f"graph '{graph.name}' has no cost '{cost}'; it has {known}")
    return chosen


def stable_program(graph: Graph, costs: Sequence[Any], targets: Sequence[Variable]) -> Program:
    """Return costs and outputs of one sample, naive spellings recognised."""
    program = graph.program(targets)
    every = len(graph.costs)
    chosen = [program.outputs[graph.costs.index(use)] for use in costs]
    outputs = (*chosen, *program.outputs[every:])
    stop = program.outputs[len(program.outputs) - len(targets) :] if targets else ()
    return rewrite(replace(program, outputs=outputs), *stable_rules(stop), stop=stop)


@dataclass(frozen=True, slots=True)
class Batched:
    """A program over samples: outputs are the model's, the loss if there is one, the targets."""

    program: Program
    leaves: Mapping[Node, Node]  # declared input to the one that the emitted file takes
    loss: Node | None
    costs: tuple[Node, ...]  # each per sample
    terms: tuple[Node, ...]  # each over all samples


def batched_program(graph: Graph, program: Program, costs: int, batch: bool) -> tuple[Batched, int]:
    """Add the sample axis, and the mean of the costs."""
    per_sample = {}
    if batch:
        for v in graph.inputs:
            if v.declaration.per_sample:
                type_ = TensorType((SAMPLES, *v.shape), v.node.kind)
                per_sample[v.node] = new_input(type_, properties_of(v.node))
    if per_sample:
        new, varying, origins = batch_nodes(program.outputs, per_sample, SAMPLES, program.origins)
    else:
        new, origins = one_sample(program.outputs, program.origins)
        varying = set()
    names: dict[Node, str] = {}
    for node, name in program.names.items():
        if node in new:
            names.setdefault(new[node], name)
    terms = []
    for node in program.outputs[:costs]:
        term = new[node]
        if node in varying:
            made: Node = Size((), SAMPLES)
            term = elementwise("divide", sum_axes(term, (0,)), made)
        if node in program.origins:
            mark(term, program.origins[node], origins)
        terms.append(term)
    loss: Node | None = None
    for term in terms:
        loss = term if loss is None else elementwise("add", loss, term)
    if loss is not None:
        mark(loss, Origin("loss", -1), origins)
    inputs = tuple(per_sample.get(node, node) for node in program.inputs)
    outputs = tuple(new[node] for node in program.outputs[costs:])
    batched = Program(inputs, outputs, names, origins)
    each = tuple(new[node] for node in program.outputs[:costs])
    return Batched(batched, per_sample, loss, each, tuple(terms)), len(graph.outputs)


def _check_step(graph: Graph, step: Rule | None, loop: bool, targets: Sequence[Variable]) -> None:
    if step is None:
        if loop:
            raise CompileError("a training loop needs an update rule; give step=gc.sgd(lr=0.1)")
        return
    if not callable(getattr(step, "apply", None)):
        raise CompileError(f"step takes an update rule, such as gc.sgd(lr=0.1); got {step!r}")
    if not graph.costs:
        raise CompileError(f"graph '{graph.name}' has no cost, so no step can lower it")
    for v in targets:
        if v.role != "parameter":
            raise CompileError(
                f"a step updates parameters; '{graph.name_of(v)}' is {v.role}, so it cannot be "
                "among wrt"
            )


def with_backward(
    graph: Graph,
    batched: Batched,
    forward_count: int,
    targets: Sequence[Variable],
    costs: Sequence[Any],
    allow_unused: bool,
    step: Rule | None,
) -> tuple[Program, tuple[str, ...], Updates | None]:
    """Add the backward pass and a step of training; also return the gradients' names."""
    program = batched.program
    updates: Updates | None = None
    forward = program.outputs[:forward_count]
    outputs: tuple[Node, ...] = forward
    names, origins = dict(program.names), dict(program.origins)
    told = tuple(graph.name_of(v) for v in targets)
    if batched.loss is not None:
        wrt = program.outputs[forward_count:]
        cotangents: dict[Node, Node] = {}
        found = sweep([batched.loss], [constant(1.0)], wrt, origins, cotangents)
        grads = []
        for v, node, g in zip(targets, wrt, found, strict=True):
            if g is None and not allow_unused:
                _explain(graph, batched.loss, node, v, costs, origins)
            grads.append(full(0.0, node.shape) if g is None else g)
        for node, g in cotangents.items():
            if node in names and node is not batched.loss:
                names.setdefault(g, COTANGENT + names[node])
        for name, g in zip(told, grads, strict=True):
            names.setdefault(g, COTANGENT + name)
        outputs = (*forward, batched.loss, *grads, *batched.costs)
        if step is not None:
            updates = _updates(graph, batched, costs, step, told, wrt, grads)
            _mark_step(updates, told, origins)
            outputs = (*outputs, *updates.nodes)
    names = {n: name for n, name in names.items() if n is not batched.loss}
    remembered = [] if updates is None else [slot.node for slot in updates.slots]
    drawn = [] if updates is None else [node for _, node, _ in updates.noise]
    inputs = (*program.inputs, *remembered, *drawn)
    return Program(inputs, outputs, names, origins), told, updates


def _mark_step(updates: Updates, names: Sequence[str], origins: dict[Node, Origin]) -> None:
    """Enter the parameter whose step each new node belongs to."""
    for slot in updates.slots:
        if slot.parameter is not None:
            mark(slot.new, Origin(slot.parameter, rule="step"), origins)
    for name, node in zip(names, updates.parameters, strict=True):
        mark(node, Origin(name, rule="step"), origins)


def _updates(
    graph: Graph,
    batched: Batched,
    costs: Sequence[Any],
    rule: Rule,
    names: Sequence[str],
    wrt: Sequence[Node],
    grads: Sequence[Node],
) -> Updates:
    """Run an update rule on the parameters, the gradients and the loss."""
    loss = batched.loss
    assert loss is not None
    known = {name: node for node, name in batched.program.names.items()}

    def computed(name: str) -> Variable:
        if name not in known:
            raise CompileError(f"graph '{graph.name}' has no variable '{name}'")
        return Variable(known[name], name=name)

    called = [use.name for use in costs]
    context = Step(
        names,
        [Variable(node, name=name) for name, node in zip(names, wrt, strict=True)],
        [Variable(node, name=f"d_{name}") for name, node in zip(names, grads, strict=True)],
        Variable(loss, operation="loss"),
        {name: Variable(node, name=name) for name, node in zip(called, batched.costs, strict=True)},
        {name: Variable(node, name=name) for name, node in zip(called, batched.terms, strict=True)},
        computed,
    )
    return context.updates(rule.apply(context))


def _explain(
    graph: Graph,
    loss: Node,
    wrt: Node,
    variable: Variable,
    costs: Sequence[Any],
    origins: Mapping[Node, Origin],
) -> None:
    """Raise the error that names the cost, the variable, and the block that cuts the path."""
    named_costs = " + ".join(f"'{use.name}'" for use in costs)
    blocks = {node: origin.block for node, origin in origins.items()}
    assert not reaches(loss, wrt)
    told = f"{variable.role} '{graph.name_of(variable)}'"
    raise DerivativeError(
        f"graph '{graph.name}': {why_not(loss, wrt, f'cost {named_costs}', told, blocks)}"
    )


def lift_labels(program: Program) -> tuple[Program, dict[Node, int]]:
    """Return a program that leaves the range of labels among its inputs to the checks of arguments.

    Also the number of classes of each such input.
    """
    given = set(program.inputs)
    found: dict[Node, int] = {}

    def rule(node: Node) -> Node | None:
        if not isinstance(node, InRange) or not isinstance(node.size, int):
            return None
        (index,) = node.args
        if index not in given or not node.size:
            return None
        found[index] = min(node.size, found.get(index, node.size))
        return index

    return rewrite(program, rule) if _has_labels(program) else program, found


def _has_labels(program: Program) -> bool:
    return any(isinstance(node, InRange) for node in program.nodes())


def with_classes(fields: Sequence[Field], classes: Mapping[Node, int]) -> tuple[Field, ...]:
    """Return inputs with the numbers of classes that their uses ask for."""
    return tuple(
        replace(f, classes=min(classes[f.node], f.classes or classes[f.node]))
        if f.node in classes
        else f
        for f in fields
    )


def fields_of(
    graph: Graph, variables: Sequence[Variable], leaves: Mapping[Node, Node]
) -> tuple[Field, ...]:
    """Return parameters or inputs as the emitted functions take them."""
    result = []
    for v in variables:
        node = leaves.get(v.node, v.node)
        declared = v.declaration
        result.append(
            Field(
                graph.name_of(v),
                node,
                node.shape,
                node.kind,
                declared.classes,
                declared.init,
                declared.draws,
            )
        )
    return tuple(result)


def unsaved_functions(graph: Graph) -> dict[str, Callable[..., Any]]:
    """Return the functions of the user's that the source calls but cannot import."""
    return {
        f"_init_{graph.name_of(v)}": v.declaration.init
        for v in graph.parameters
        if callable(v.declaration.init) and not hasattr(v.declaration.init, "graphc_source")
    }
