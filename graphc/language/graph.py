"""Graphs: what is found by walking back from costs or variables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphc.calculus.names import Name, math_label, parameter_labels, told_apart
from graphc.errors import NamingError, UsageError
from graphc.ir.identity import Identity
from graphc.ir.nodes import Node
from graphc.ir.program import Origin, Program, rewrite_nodes
from graphc.language.declare import sources
from graphc.language.display import mimebundle
from graphc.language.names import located_name
from graphc.language.source import here
from graphc.language.tracing import Traced
from graphc.language.variable import Call, Variable, declared_at
from graphc.types import Dim

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class Use:
    """One function or cost of a graph, with the names that it and its variables have there.

    Parameters
    ----------
    name
        The block's name in the graph; a shared block has one name and several uses.
    inputs, outputs
        Variables of the graph.
    parameters
        The block's own parameters, by their short names.
    """

    name: str
    kind: str
    function: str
    label: str | None
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    parameters: dict[str, Variable]
    call: Call | None


class Graph(Identity):
    """The diagram of a model: variables, functions, costs.

    Parameters
    ----------
    *roots
        Costs or variables; everything that they depend on belongs to the graph.
    name
        An identifier: emitted files are called after it.

    Attributes
    ----------
    variables, parameters : tuple of Variable
        In order of declaration; parameters are trainable.
    functions, costs : tuple of Use
        In the order of the data; a cost that another is made of is among the functions.
    roots : tuple of Variable

    Raises
    ------
    NamingError
        If two variables, or two blocks, have the same name.
    UsageError
        If a root is no variable, or a variable made by :func:`graphc.computed` is not defined.
    """

    def __init__(self, *roots: Variable, name: str = "graph") -> None:
        if not roots or not all(isinstance(root, Variable) for root in roots):
            raise UsageError(f"{here()}: a graph is made of one or more costs or variables")
        self.name = located_name(name, "a graph")
        self.roots = roots
        order = walk(roots)
        self._names: dict[int, str] = {}
        uses = _name_uses(_within(_uses(order, roots), roots))
        self.functions = tuple(use for use in uses if use.kind == "function")
        self.costs = tuple(use for use in uses if use.kind == "cost")
        self._uses = uses
        found = _visible(order, roots)
        self.parameters = tuple(
            sorted({id(v): v for v in order if v.role == "parameter"}.values(), key=declared_at)
        )
        self.variables = tuple(v for v in found if v.role != "parameter")
        self._name_variables()

    @property
    def uses(self) -> tuple[Use, ...]:
        """Functions and costs together, in the order of the data."""
        return self._uses

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """What has to be given beside the parameters, in order of declaration."""
        given = [v for v in self.variables if v.role in ("observed", "latent")]
        return tuple(sorted(given, key=declared_at))

    @property
    def outputs(self) -> tuple[Variable, ...]:
        """What `forward` returns: the roots that are no costs, else what enters the costs."""
        plain = [v for v in self.roots if v.call is None or v.call.kind != "cost"]
        if plain:
            return tuple(plain)
        entering = [v for use in self.costs for v in use.inputs if _is_computed(v)]
        return tuple({id(v): v for v in entering}.values())

    def name_of(self, variable: Variable) -> str:
        """Return the name that a variable of this graph has."""
        name = self._names.get(id(variable))
        if name is None:
            raise NamingError(f"{variable.describe()} is not in graph '{self.name}'")
        return name

    @property
    def nx(self) -> networkx.MultiDiGraph[Any]:
        """The diagram as a networkx graph, made anew.

        Nodes are ``("variable", name)`` and ``("function", name, k)`` for the k-th use of a
        block; they hold ``kind``, ``label`` and the object itself. Edges hold ``port``, the
        position among the inputs or outputs.
        """
        import networkx

        graph: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph(name=self.name)
        for v in (*self.variables, *self.parameters):
            kind = "computed" if v.role == "expression" else v.role
            graph.add_node(("variable", self.name_of(v)), kind=kind, object=v)
        counts: dict[str, int] = {}
        for use in self.uses:
            at = ("function", use.name, counts.setdefault(use.name, 0))
            counts[use.name] += 1
            graph.add_node(at, kind=use.kind, label=use.label, object=use)
            for port, v in enumerate((*use.inputs, *use.parameters.values())):
                graph.add_edge(("variable", self.name_of(v)), at, port=port)
            for port, v in enumerate(use.outputs):
                graph.add_edge(at, ("variable", self.name_of(v)), port=port)
        return graph

    def program(self, extra: Sequence[Variable] = ()) -> Program:
        """Return the computation of one sample.

        Inputs are the graph's inputs, then its parameters; outputs its costs, then its outputs,
        then `extra`. Names and origins are filled in.
        """
        given = (*self.inputs, *self.parameters)
        costs = [use.outputs[0] for use in self.costs]
        wanted = [*costs, *self.outputs, *extra]
        values = resolved({v.node for v in wanted}, self.variables)
        names: dict[Node, str] = {}
        for v in (*given, *self.variables):
            names.setdefault(values.get(v.node, v.node), self.name_of(v))
        origins: dict[Node, Origin] = {}
        for number, use in enumerate(self.uses):
            fence = {values.get(v.node, v.node) for v in (*use.inputs, *use.parameters.values())}
            ends = [values.get(v.node, v.node) for v in use.outputs]
            _mark_block(ends, fence, Origin(use.name, number), origins)
        outputs = tuple(values.get(v.node, v.node) for v in wanted)
        return Program(tuple(v.node for v in given), outputs, names, origins)

    def _name_variables(self) -> None:
        counts: dict[str, int] = {}
        for call in _calls_inside(self._uses):
            if call.block.name:  # inside a loop a block keeps its name
                for short, v in call.parameters.items():
                    self._names.setdefault(id(v), f"{call.block.name}_{short}")
        for use in self._uses:
            counts[use.name] = counts.get(use.name, 0) + 1
            for short, v in use.parameters.items():
                self._names.setdefault(id(v), f"{use.name}_{short}")
            for port, v in enumerate(use.outputs):
                default = use.name if use.kind == "cost" else f"{use.name}_out"
                told = getattr(use.call.block, "result_names", ()) if use.call else ()
                if told:
                    default = f"{use.name}_{told[port]}"
                elif len(use.outputs) > 1:
                    default += str(port + 1)
                if counts[use.name] > 1:  # a shared block, used again
                    default += f"_{counts[use.name]}"
                self._names.setdefault(id(v), v.name or default)
        for v in (*self.variables, *self.parameters):
            self._names.setdefault(id(v), v.name or f"v{len(self._names)}")
        seen: dict[str, Variable] = {}
        for v in (*self.variables, *self.parameters):
            name = self._names[id(v)]
            if name in seen:
                raise NamingError(
                    f"graph '{self.name}': the name '{name}' occurs twice, "
                    f"at {seen[name].where} and at {v.where}"
                )
            seen[name] = v
        owned = {self._names[key]: owner for key, owner in self._owners().items()}
        labels = parameter_labels(owned, [name for name in seen if name not in owned])
        labels |= told_apart({name: labels.get(name, math_label(name)) for name in seen})
        for name, label in labels.items():
            self._names[id(seen[name])] = Name(name, label)

    def _owners(self) -> dict[int, tuple[str, str]]:
        """Return for each parameter of a block, by its id, that block's and its own short name."""
        owners: dict[int, tuple[str, str]] = {}
        for call in _calls_inside(self._uses):
            for short, v in call.parameters.items():
                if call.block.name:
                    owners.setdefault(id(v), call.owners.get(short, (call.block.name, short)))
        for use in self._uses:
            within = use.call.owners if use.call is not None else {}
            for short, v in use.parameters.items():
                owners.setdefault(id(v), within.get(short, (use.name, short)))
        shown = {id(v) for v in self.parameters}
        return {key: owner for key, owner in owners.items() if key in shown}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return mimebundle(self)

    def __repr__(self) -> str:
        return (
            f"<graph {self.name}: {len(self.variables)} variables, {len(self.functions)} "
            f"functions, {len(self.costs)} costs, {len(self.parameters)} parameters>"
        )


def check_graph(given: Any, function: str) -> None:
    """Raise an error unless what is given to a function is a graph."""
    if not isinstance(given, Graph):
        raise UsageError(
            f"{here()}: {function} takes a graph, got a {type(given).__name__}; make one with "
            "gc.Graph(cost, name=...)"
        )


def resolved(nodes: Iterable[Node], variables: Iterable[Variable]) -> dict[Node, Node]:
    """Return what nodes become when later definitions are put in for their placeholders."""
    definitions = {v.node: v.definition.node for v in variables if v.definition is not None}
    if not definitions:
        return {}

    def rule(node: Node) -> Node | None:
        return definitions.get(node)

    # Definitions first, in the order of the data: each finds those below it done already.
    everything = [*definitions.values(), *nodes, *definitions, *(v.node for v in variables)]
    new, _ = rewrite_nodes(everything, (rule,))
    return new


def _mark_block(
    ends: Sequence[Node], fence: set[Node], origin: Origin, origins: dict[Node, Origin]
) -> None:
    """Enter the origin of the nodes between a block's inputs, which are the fence, and its ends."""
    pending = list(ends)
    while pending:
        node = pending.pop()
        if node not in fence and node not in origins:
            origins[node] = origin
            pending.extend(node.args)


def _is_computed(variable: Variable) -> bool:
    return variable.role in ("computed", "expression")


def walk(roots: Sequence[Variable], around: frozenset[int] = frozenset()) -> list[Variable]:
    """Return all variables that `roots` depend on, sources before users, without recursion.

    The walk ends before the variables with the ids in `around`.
    """
    order: list[Variable] = []
    seen: set[int] = set(around)
    for root in roots:
        pending = [(root, False)]
        while pending:
            variable, expanded = pending.pop()
            if expanded:
                order.append(variable)
            elif id(variable) not in seen:
                seen.add(id(variable))
                if variable.role == "computed" and variable.definition is None:
                    raise UsageError(
                        f"'{variable.name}' was declared at {variable.where} with gc.computed, "
                        f"but never defined; call {variable.name}.define(...)"
                    )
                pending.append((variable, True))
                pending.extend((s, False) for s in reversed(sources(variable)))
    return order


def inside(use: Use) -> tuple[Use, ...]:
    """Return the uses of blocks in the body of one, in the order of the data.

    There are none where the body is no more than one expression, or one block that is not made of
    others either. Their inputs are variables of the body, and those that went into the block
    itself.
    """
    if use.call is None:
        return ()
    around = frozenset(id(v) for v in (*use.call.inputs, *use.call.parameters.values()))
    roots = results_inside(use)
    order = walk(roots, around)
    if not any(v.call is not None for v in order):
        return ()
    uses = _uses(order, roots, around)
    return _name_uses(uses) if len(uses) > 1 or any(map(inside, uses)) else ()


@dataclass(frozen=True, slots=True)
class LoopBody:
    """One step of a loop: what it is given, what it returns, how often it runs.

    Parameters
    ----------
    leaves
        The carries, then a slice of each thing that the loop goes through.
    results
        The next carries, then what is stacked; `names` are what the step calls them.
    """

    leaves: tuple[Variable, ...]
    results: tuple[Variable, ...]
    names: tuple[str, ...]
    carries: int
    steps: Dim
    reverse: bool


def loop_of(use: Use) -> LoopBody | None:
    """Return the step of a loop; None for any other block."""
    block = use.call.block if use.call is not None else None
    if not isinstance(block, Traced) or block.steps is None:
        return None
    return LoopBody(
        block.leaves, block.results, block.step_names, block.carries, block.steps, block.reverse
    )


def inside_loop(use: Use) -> tuple[Use, ...]:
    """Return the uses of blocks in one step of a loop, in the order of the data."""
    body = loop_of(use)
    if body is None or use.call is None:
        return ()
    known = (*body.leaves, *use.call.inputs, *use.call.parameters.values())
    around = frozenset(id(v) for v in known)
    roots = [v for v in body.results if id(v) not in around]
    return _name_uses(_uses(walk(roots, around), roots, around)) if roots else ()


def results_inside(use: Use) -> tuple[Variable, ...]:
    """Return what the body of a block returns: for each of its outputs the variable inside."""
    if use.call is None or not all(v.operands for v in use.call.outputs):
        return ()
    return tuple(v.operands[0] for v in use.call.outputs)


def _is_raw(variable: Variable) -> bool:
    """Return whether a variable is a bare expression: neither declared nor a block's output."""
    return variable.role == "expression" and variable.call is None


def _visible(walk: Sequence[Variable], roots: Sequence[Variable]) -> list[Variable]:
    """Return the variables that the diagram shows."""
    shown = {id(root) for root in roots}
    shadowed = {id(v.definition) for v in walk if v.definition is not None}
    for v in walk:
        if v.call is not None:
            shown.update(id(i) for i in v.call.inputs)
    return [
        v
        for v in walk
        if id(v) not in shadowed and v.role != "constant" and (not _is_raw(v) or id(v) in shown)
    ]


def _uses(
    walk: Sequence[Variable], roots: Sequence[Variable], around: frozenset[int] = frozenset()
) -> list[Use]:
    """Return the functions and costs in the order of the data; bare expressions become one."""
    visible = _visible(walk, roots)
    shown = {*(id(v) for v in visible), *around}
    alias = {id(v.definition): v for v in visible if v.definition is not None}
    uses: list[Use] = []
    done: set[int] = set()
    for v in visible:
        source = v.definition if v.definition is not None else v
        call = source.call
        if call is not None:
            if id(call) in done:
                continue
            done.add(id(call))
            outputs = tuple(alias.get(id(o), o) for o in call.outputs)
            block = call.block
            inputs = tuple(alias.get(id(i), i) for i in call.inputs if i.role != "constant")
            uses.append(
                Use(
                    block.name or "",
                    call.kind,
                    block.function,
                    block.label,
                    inputs,
                    outputs,
                    call.parameters,
                    call,
                )
            )
        elif _is_raw(source):
            inputs = tuple(_absorbed(source, shown, alias))
            name = source.operation or "expression"
            uses.append(Use("", "function", name, None, inputs, (v,), {}, None))
    return uses


def _absorbed(source: Variable, shown: set[int], alias: dict[int, Variable]) -> list[Variable]:
    """Return the visible variables that a bare expression is made of."""
    found: dict[int, Variable] = {}
    seen: set[int] = set()
    pending = list(reversed(source.operands))
    while pending:
        v = pending.pop()
        if id(v) in seen:
            continue
        seen.add(id(v))
        v = alias.get(id(v), v)
        if id(v) in shown or not _is_raw(v):
            if v.role != "constant":
                found[id(v)] = v
        else:
            pending.extend(reversed(v.operands))
    return list(found.values())


def _calls_inside(uses: Sequence[Use]) -> list[Call]:
    """Return the calls that the steps of loops make, and those of loops in them."""
    pending = [use.call for use in uses if use.call is not None]
    found: list[Call] = []
    while pending:
        inside = pending.pop().inside
        found += inside
        pending += inside
    return found


def _within(uses: Sequence[Use], roots: Sequence[Variable]) -> list[Use]:
    """Return the uses, the costs that others are made of as functions.

    A cost in an expression, as in ``gc.cost(a + 0.1 * b)``, has its part in that: it does not
    enter the loss a second time. One that is a root counts whatever else is made of it.
    """
    read = {id(v) for use in uses for v in use.inputs} - {id(root) for root in roots}
    inner = [use.kind == "cost" and id(use.outputs[0]) in read for use in uses]
    return [
        replace(use, kind="function") if is_inner else use
        for use, is_inner in zip(uses, inner, strict=True)
    ]


def _name_uses(uses: Sequence[Use]) -> tuple[Use, ...]:
    """Give every block a name: its own, or its function's with a counter."""
    counts: dict[str, int] = {}
    blocks: dict[str, Any] = {use.name: use.call.block for use in uses if use.name and use.call}
    called = [use.call for use in uses if use.name and use.call is not None]
    for call in (*called, *_calls_inside(uses)):
        name = call.block.name
        if name and blocks.setdefault(name, call.block) is not call.block:
            raise NamingError(f"the name '{name}' is given to two blocks")
    given: dict[int, str] = {}
    result = []
    for use in uses:
        key = id(use.call.block) if use.call is not None else id(use)
        name = use.name or given.get(key, "")
        while not name:
            counts[use.function] = counts.get(use.function, 0) + 1
            candidate = f"{use.function}{counts[use.function]}"
            name = candidate if candidate not in blocks else ""
        given[key] = name
        result.append(
            Use(
                name,
                use.kind,
                use.function,
                use.label,
                use.inputs,
                use.outputs,
                use.parameters,
                use.call,
            )
        )
    return tuple(result)
