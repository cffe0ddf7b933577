"""Compiling: the stages, in order.

graph ─▶ stable spellings ─▶ sample axis, mean cost ─▶ backward ─▶ passes ─▶ source ─▶ program
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphc.batching import batch_nodes, mark
from graphc.calculus.reverse import reaches, sweep
from graphc.commentary import commentary, diagram_text, loss_formula
from graphc.emit.files import save_source
from graphc.emit.frame import Emitted, emit
from graphc.emit.model import Comments, Field, Model, Updates
from graphc.emit.naming import Namer
from graphc.emit.plan import COTANGENT
from graphc.emit.runtime import load, paused_collector
from graphc.emit.targets import DTYPES, STYLES, Target, target_named
from graphc.emit.tracing import Traced, trace
from graphc.emit.version import __version__
from graphc.errors import CompileError, DerivativeError
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Origin, Program, rewrite, rewrite_nodes
from graphc.language.graph import Graph, resolved, walk
from graphc.language.names import check_name
from graphc.language.reaching import why_not
from graphc.language.step import Rule, Step
from graphc.language.variable import Variable
from graphc.ops.contraction import full, sum_axes
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import Input, Size, constant, new_input
from graphc.ops.samples import SAMPLES, one_sample
from graphc.ops.stable import STABLE, stable_rules
from graphc.passes.pipeline import DEFAULT, FAST, Pass, run
from graphc.types import TensorType


@dataclass(frozen=True)
class Compiled:
    """A compiled graph: emitted source, loaded, with the functions that it defines.

    Attributes
    ----------
    source : str
        The file's text; what runs here is this text.
    program : Program
        The finished program that the source was printed from.
    """

    model: Model
    emitted: Emitted
    unsaved: Mapping[str, Any]
    _namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """The emitted file's text."""
        return self.emitted.source

    @property
    def program(self) -> Program:
        """The program that the source was printed from."""
        return self.model.program

    @property
    def origins(self) -> dict[int, Traced]:
        """The source map: block, use and rule of each line that computes, by number from 1."""
        return trace(self.emitted.lines, self.program.origins)

    @property
    def namespace(self) -> dict[str, Any]:
        """The names that the source defines; it is run at the first use."""
        if not self._namespace:
            name = f"{self.model.name}_{self.model.target.name}"
            self._namespace.update(load(self.emitted, name, self.unsaved))
        return self._namespace

    @property
    def Params(self) -> Any:
        """The NamedTuple of the parameters."""
        return self.namespace[self.emitted.params]

    # Positional-only, so that a model's own `params`, `seed` or `self` can be given by name.

    def init_params(self, /, *args: int, **dims: int) -> Any:
        """Return the parameters to start from: ``init_params(seed=0, **dims)``.

        Named sizes are given by keyword.
        """
        return self.namespace["init_params"](*args, **dims)

    def forward(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return what the graph was made of, or else what enters its costs."""
        return self.namespace["forward"](params, *args, **inputs)

    def loss(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return the average over the samples of the sum of the costs.

        Raises
        ------
        CompileError
            If the graph has no cost.
        """
        self._need_cost()
        return self.namespace["loss"](params, *args, **inputs)

    def loss_and_grad(self, params: Any, /, *args: Any, **inputs: Any) -> Any:
        """Return the loss and its gradient.

        Raises
        ------
        CompileError
            If the graph has no cost.
        """
        self._need_cost()
        return self.namespace["loss_and_grad"](params, *args, **inputs)

    def init_state(self, params: Any, /, seed: int = 0) -> Any:
        """Return what the update rule remembers before the first step.

        Raises
        ------
        CompileError
            If the graph was compiled without ``step=``.
        """
        self._need_step()
        return self.namespace["init_state"](params, seed)

    def train_step(self, params: Any, state: Any, /, *args: Any, **inputs: Any) -> Any:
        """Update `params` and `state` in place by one step, and return the loss before it.

        Raises
        ------
        CompileError
            If the graph was compiled without ``step=``.
        """
        self._need_step()
        return self.namespace["train_step"](params, state, *args, **inputs)

    def save(self, path: Any, force: bool = False) -> None:
        """Write the source to a file, at once or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written, or exists and was not written by graphc.
        CompileError
            If the source needs a function of the user's whose module it does not know.
        """
        if self.unsaved:
            names = ", ".join(sorted(self.unsaved))
            raise CompileError(
                f"graph '{self.model.name}' cannot be saved: the file would need the functions "
                f"behind {names}; give source='module:function' where they are declared"
            )
        save_source(path, self.emitted.source, self.emitted.arrays, force)

    def _need_cost(self) -> None:
        if not self.model.has_loss:
            raise CompileError(f"graph '{self.model.name}' has no cost, so there is no loss")

    def _need_step(self) -> None:
        if self.model.updates is None:
            raise CompileError(
                f"graph '{self.model.name}' was compiled without an update rule; give "
                "gc.compile(..., step=gc.sgd(lr=0.1))"
            )

    def __repr__(self) -> str:
        m = self.model
        return f"<compiled {m.name}: {m.target.name}, {m.dtype}, {m.style}>"


def compile(
    graph: Graph,
    *,
    target: str = "numpy",
    dtype: str = "float64",
    style: str = "fast",
    batch: bool = True,
    wrt: Sequence[Variable] | Variable | None = None,
    cost: str | None = None,
    allow_unused: bool = False,
    step: Rule | None = None,
    passes: tuple[Pass, ...] | None = None,
) -> Compiled:
    """Compile a graph to source code and load it.

    Parameters
    ----------
    graph
        The model, declared for one sample.
    target
        ``"numpy"`` or ``"cupy"``.
    dtype
        ``"float32"`` or ``"float64"``: of parameters, inputs and results.
    style
        ``"fast"``, or ``"readable"`` with a formula over each block.
    batch
        Whether inputs carry a leading sample axis P, and the loss is the mean over it.
    wrt
        The variables to differentiate by; by default all parameters.
    cost
        The name of the one cost to take, of several.
    allow_unused
        Zeros, instead of an error, for the gradient by what has no influence on the loss.
    step
        An update rule, such as ``gc.sgd(lr=0.1)``: the program then has ``init_state`` and
        ``train_step``.
    passes
        The passes to run instead of the default ones.

    Raises
    ------
    CompileError
        For an unknown target, dtype, style or cost; for a step without a cost, or one that would
        update what is no parameter.
    DerivativeError
        If the loss does not depend on a variable that it is to be differentiated by.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3)
    >>> net = gc.Graph(gc.cost((w @ x - 1.0) ** 2, name="C"), name="fit")
    >>> program = gc.compile(net)
    >>> loss, grads = program.loss_and_grad(program.init_params(), x=np.ones((5, 3)))
    >>> loss, grads.w.shape
    (1.0, (3,))
    """
    chosen = _checked(target, dtype, style)
    with paused_collector():
        model = _model(
            graph,
            chosen,
            dtype,
            style,
            batch,
            wrt,
            cost,
            allow_unused,
            step,
            _pipeline(style, passes),
        )
        return Compiled(model, emit(model), _unsaved(graph))


def _model(
    graph: Graph,
    target: Target,
    dtype: str,
    style: str,
    batch: bool,
    wrt: Any,
    cost: str | None,
    allow_unused: bool,
    step: Rule | None,
    passes: tuple[Pass, ...],
) -> Model:
    """Run the stages from the graph to the model that is emitted."""
    targets = _differentiated(graph, wrt)
    _check_step(graph, step, targets)
    costs = _costs(graph, cost)
    stable = _stable(graph, costs, targets)
    batched, forward_count = _batched(graph, stable, len(costs), batch)
    whole, names, updates = _with_backward(
        graph, batched, forward_count, targets, costs, allow_unused, step
    )
    finished = run(whole, passes)
    return Model(
        name=graph.name,
        target=target,
        dtype=dtype,
        style=style,
        version=__version__,
        batch=batch,
        parameters=_fields(graph, graph.parameters, batched.leaves),
        inputs=_needed(finished, _fields(graph, graph.inputs, batched.leaves)),
        program=finished,
        forward=tuple(graph.name_of(v) for v in graph.outputs),
        has_loss=bool(costs),
        wrt=None if wrt is None else names,
        diagram=diagram_text(graph),
        loss_formula=loss_formula(graph, costs, batch),
        comments=commentary(graph, batch) if style == "readable" else Comments(),
        cost_count=len(costs),
        updates=updates,
    )


def _pipeline(style: str, passes: tuple[Pass, ...] | None) -> tuple[Pass, ...]:
    if passes is not None:
        return passes
    return FAST if style == "fast" else DEFAULT


def _checked(target: str, dtype: str, style: str) -> Target:
    chosen = target_named(target)
    for what, value, known in (("dtype", dtype, DTYPES), ("style", style, STYLES)):
        if value not in known:
            raise CompileError(f"unknown {what} {value!r}; one of {', '.join(known)}")
    if style not in chosen.styles:
        raise CompileError(
            f"target '{target}' is emitted in style {' or '.join(map(repr, chosen.styles))}"
        )
    return chosen


def _differentiated(graph: Graph, wrt: Any) -> tuple[Variable, ...]:
    if wrt is None:
        return graph.parameters
    chosen = (wrt,) if isinstance(wrt, Variable) else tuple(wrt)
    if not graph.costs:
        raise CompileError(
            f"graph '{graph.name}' has no cost, so there is nothing to differentiate"
        )
    for v in chosen:
        graph.name_of(v)
    return chosen


def _costs(graph: Graph, cost: str | None) -> tuple[Any, ...]:
    if cost is None:
        return graph.costs
    chosen = tuple(use for use in graph.costs if use.name == cost)
    if not chosen:
        known = ", ".join(use.name for use in graph.costs) or "none"
        raise CompileError(f"graph '{graph.name}' has no cost '{cost}'; it has {known}")
    return chosen


def _stable(graph: Graph, costs: Sequence[Any], targets: Sequence[Variable]) -> Program:
    """Return costs and outputs of one sample, naive spellings recognised."""
    program = graph.program(targets)
    every = len(graph.costs)
    chosen = [program.outputs[graph.costs.index(use)] for use in costs]
    outputs = (*chosen, *program.outputs[every:])
    stop = program.outputs[len(program.outputs) - len(targets) :] if targets else ()
    return rewrite(replace(program, outputs=outputs), *stable_rules(stop), stop=stop)


@dataclass(frozen=True, slots=True)
class _Batched:
    """A program over samples: outputs are the model's, the loss if there is one, the targets."""

    program: Program
    leaves: Mapping[Node, Node]  # declared input to the one that the emitted file takes
    loss: Node | None
    costs: tuple[Node, ...]  # each per sample


def _batched(graph: Graph, program: Program, costs: int, batch: bool) -> tuple[_Batched, int]:
    """Add the sample axis, and the mean of the costs."""
    per_sample = {}
    if batch:
        for v in graph.inputs:
            if v.declaration.per_sample:
                type_ = TensorType((SAMPLES, *v.shape), v.node.kind)
                per_sample[v.node] = new_input(type_)
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
    return _Batched(batched, per_sample, loss, each), len(graph.outputs)


def _check_step(graph: Graph, step: Rule | None, targets: Sequence[Variable]) -> None:
    if step is None:
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


def _with_backward(
    graph: Graph,
    batched: _Batched,
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
            updates = _updates(graph, batched, step, told, wrt, grads)
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
    batched: _Batched,
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

    costs = batched.costs[0]
    for cost in batched.costs[1:]:
        costs = elementwise("add", costs, cost)
    context = Step(
        names,
        [Variable(node, name=name) for name, node in zip(names, wrt, strict=True)],
        [Variable(node, name=f"d_{name}") for name, node in zip(names, grads, strict=True)],
        Variable(loss, operation="loss"),
        Variable(costs, operation="costs"),
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


def _fields(
    graph: Graph, variables: Sequence[Variable], leaves: Mapping[Node, Node]
) -> tuple[Field, ...]:
    result = []
    for v in variables:
        node = leaves.get(v.node, v.node)
        declared = v.declaration
        result.append(
            Field(graph.name_of(v), node, node.shape, node.kind, declared.classes, declared.init)
        )
    return tuple(result)


def _needed(program: Program, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    below = set(topological(program.outputs))
    return tuple(f for f in fields if f.node in below)


def _unsaved(graph: Graph) -> dict[str, Callable[..., Any]]:
    """Return the functions of the user's that the source calls but cannot import."""
    return {
        f"_init_{graph.name_of(v)}": v.declaration.init
        for v in graph.parameters
        if callable(v.declaration.init) and not hasattr(v.declaration.init, "graphc_source")
    }


@dataclass(frozen=True)
class CompiledFunction:
    """Expressions compiled to one function; call it with arrays.

    Attributes
    ----------
    source : str
        The file's text; what runs here is this text.
    """

    model: Model
    emitted: Emitted
    _namespace: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """The emitted file's text."""
        return self.emitted.source

    def __call__(self, *arrays: Any) -> Any:
        """Return the outputs for arrays in the order of the inputs."""
        if not self._namespace:
            self._namespace.update(load(self.emitted, self.model.name, {}))
        return self._namespace[self.model.function](*arrays)  # type: ignore[index]

    def save(self, path: Any, force: bool = False) -> None:
        """Write the source to a file, at once or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written, or exists and was not written by graphc.
        """
        save_source(path, self.emitted.source, self.emitted.arrays, force)


def compile_function(
    inputs: Sequence[Variable],
    outputs: Variable | Sequence[Variable],
    *,
    name: str = "f",
    target: str = "numpy",
    dtype: str = "float64",
    style: str = "fast",
    passes: tuple[Pass, ...] | None = None,
) -> CompiledFunction:
    """Compile expressions to one function; no sample axis is added.

    Parameters
    ----------
    inputs
        The variables that the function takes, in this order.
    outputs
        A variable: the function returns an array. A list: it returns a tuple, also of one.
    name
        The function's name in the file.

    Raises
    ------
    CompileError
        If an output depends on a variable that is not among `inputs`, or as for :func:`compile`.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x = gc.observed("x", shape="n")
    >>> square = gc.compile_function([x], gc.grad((x * x).sum(), x))
    >>> square(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    chosen = _checked(target, dtype, style)
    checked = check_name(name, "a function")
    single = isinstance(outputs, Variable)
    wanted = (outputs,) if isinstance(outputs, Variable) else tuple(outputs)
    program = _function_program(tuple(inputs), wanted)
    finished = run(program, _pipeline(style, passes))
    classes = [v.declaration.classes for v in inputs]
    fields = tuple(
        Field(finished.names[node], node, node.shape, node.kind, known)
        for node, known in zip(program.inputs, classes, strict=True)
    )
    model = Model(
        name=checked,
        target=chosen,
        dtype=dtype,
        style=style,
        version=__version__,
        batch=False,
        parameters=(),
        inputs=fields,
        program=finished,
        forward=tuple(f"output{i}" for i in range(len(wanted))),
        has_loss=False,
        wrt=None,
        diagram=(),
        loss_formula="",
        comments=Comments(),
        cost_count=0,
        function=checked,
        single=single,
    )
    return CompiledFunction(model, emit(model))


def _function_program(inputs: tuple[Variable, ...], outputs: tuple[Variable, ...]) -> Program:
    """Return the program from `inputs`, which may be computed variables, to `outputs`."""
    given = [v.node for v in inputs]
    if len(set(given)) < len(given):
        raise CompileError("a variable occurs twice among the inputs")
    behind = [v for v in walk((*outputs, *inputs)) if v.node not in given]
    values = resolved([v.node for v in outputs], behind)
    wanted = [values.get(v.node, v.node) for v in outputs]
    leaves = [node if isinstance(node, Input) else new_input(node.type) for node in given]
    # First cut at the inputs, then recognise: an input stays one, whatever it is computed from.
    replaced = {node: leaf for node, leaf in zip(given, leaves, strict=True) if node is not leaf}
    cut, _ = rewrite_nodes(wanted, (replaced.get,))
    new, _ = rewrite_nodes([cut[node] for node in wanted], STABLE)
    single, _ = one_sample([new[cut[node]] for node in wanted])
    results = tuple(single[new[cut[node]]] for node in wanted)
    names: dict[Node, str] = {}
    namer = Namer(())
    for v, leaf in zip(inputs, leaves, strict=True):
        names[leaf] = namer.fresh(v.name or "x")
    for node in topological(results, leaves):
        if isinstance(node, Input) and node not in names:
            raise CompileError(
                f"the outputs depend on {_who(node, outputs)}, which is not among the inputs"
            )
    return Program(tuple(leaves), results, names)


def _who(node: Node, outputs: Sequence[Variable]) -> str:
    """Return the name of the variable of a free node."""
    for v in walk(outputs):
        if v.node is node:
            return v.describe()
    return "an input"
