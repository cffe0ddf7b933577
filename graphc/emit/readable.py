"""The readable style: `_forward` and `_cost` once, then the backward pass in the chain's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphc.emit.buffers import copies
from graphc.emit.checks import check_names
from graphc.emit.dialect import Spelled
from graphc.emit.file import File, gradient_order, indented
from graphc.emit.naming import Namer
from graphc.emit.plan import plan
from graphc.emit.statements import Writer, body
from graphc.ir.nodes import Node, topological
from graphc.ops.leaves import scalar_value
from graphc.ops.several import Item
from graphc.types import named


def readable(file: File) -> list[list[str]]:
    """Print the public functions and the stages that they share."""
    return _with_loss(file) if file.model.has_loss else [_forward_alone(file)]


def _forward_alone(file: File) -> list[str]:
    model = file.model
    fields = model.forward_fields
    dialect, given = file.dialect(), file.leaves(fields)
    made = plan(
        model.forward_nodes,
        given,
        file.local_names(),
        dialect.names,
        fast=False,
        origins=file.origins,
        returned=model.forward_nodes,
    )
    steps = body(made, dialect, file.comments(made))
    writer = Writer(made, dialect)
    result = file.forward_result([writer.result(n) for n in model.forward_nodes])
    check = check_names(model)[0]
    lines = [file.check_call(check, fields), *file.size_lines(dialect, given)]
    public = model.function or "forward"
    return [*file.opening(public, fields), *indented([*lines, *steps, *result])]


class _Stage:
    """A function of the file that others share: what it takes, computes and hands over."""

    def __init__(
        self,
        file: File,
        name: str,
        results: Sequence[Node],
        given: Mapping[Node, str],
        namer: Namer,
    ) -> None:
        self.name = name
        self.results = list(results)
        below = set(topological(self.results, given))
        self.given = {n: text for n, text in given.items() if n in below}
        dialect = file.dialect(namer)
        made = plan(
            self.results, given, file.local_names(), namer, fast=False, origins=file.origins
        )
        steps = body(made, dialect, file.comments(made))
        writer = Writer(made, dialect)
        self.names: dict[Node, str] = {}
        for node in self.results:
            own_name = made.names.get(node, "")
            if not own_name.isidentifier():
                own_name = namer.fresh("result")
                steps.append(f"{own_name} = {writer.spelled(node).text}")
            self.names[node] = own_name
        self.given |= _sized_by(dialect.sized, self.given, given)
        params = any(text.startswith(f"{file.params}.") for text in self.given.values())
        leaves = file.leaves(file.model.inputs)
        values = sorted(self.given, key=lambda n: n in leaves)  # computed ones first
        own = [self.given[n] for n in values if not self.given[n].startswith(f"{file.params}.")]
        self.arguments = ([file.params] if params else []) + list(dict.fromkeys(own))
        self.lines = [*file.size_lines(dialect, self.given), *steps]

    def call(self) -> str:
        """Spell the call."""
        return f"{self.name}({', '.join(self.arguments)})"

    def unpack(self, needed: set[Node] | None = None) -> str:
        """Print the statement that calls and names the results; `_` for what is not needed."""
        names = [self.names[n] if needed is None or n in needed else "_" for n in self.results]
        return f"{', '.join(names)} = {self.call()}"

    def pick(self, node: Node) -> str:
        """Spell one of the results, without naming the others."""
        if len(self.results) == 1:
            return self.call()
        at = self.results.index(node)
        return f"{self.call()}[{-1 if at == len(self.results) - 1 else at}]"

    def definition(self) -> list[str]:
        """Print the function."""
        result = ", ".join(self.names[n] for n in self.results)
        return [f"def {self.call()}:", *indented([*self.lines, f"return {result}"])]


def _sized_by(
    sizes: Iterable[str], used: Mapping[Node, str], given: Mapping[Node, str]
) -> dict[Node, str]:
    """Return what has to be handed over for its size alone: an axis may come merged with others."""
    more: dict[Node, str] = {}
    for size in sorted(sizes):
        if not any(named(size) in node.shape for node in (*used, *more)):
            found = next((node for node in given if named(size) in node.shape), None)
            more |= {} if found is None else {found: given[found]}
    return more


def _with_loss(file: File) -> list[list[str]]:
    model = file.model
    leaves = file.leaves(model.inputs)
    forward_nodes = [n for n in model.forward_nodes if n not in leaves]
    below_forward = set(topological(forward_nodes, leaves)) - leaves.keys()
    below_costs = set(topological(model.costs, leaves)) - below_forward - leaves.keys()
    everything = topological((model.loss_node, *model.gradients), leaves)
    below_forward |= _other_results(everything, below_forward)
    below_costs |= _other_results(everything, below_costs)
    order = {node: i for i, node in enumerate(topological((*forward_nodes, *everything), leaves))}
    # Outputs that need more than the loss does are no part of what the two share.
    shared = forward_nodes if model.shares_forward else []
    saved = _handed_over(everything, below_forward, shared, order)
    costs = _handed_over(
        [n for n in everything if n not in below_forward], below_costs, model.costs, order
    )
    costs.sort(key=lambda n: n not in model.costs)
    namer = file.names.copy()
    known = dict(leaves)
    stages: list[_Stage] = []
    for name, results in (("_forward", saved), ("_cost", costs)):
        if results:
            stages.append(_Stage(file, name, results, known, namer))
            # Of numbers that need no computing every function spells its own.
            known |= {n: text for n, text in stages[-1].names.items() if n.args}
    functions = []
    if model.forward:
        alone = not model.shares_forward
        functions.append(_forward_alone(file) if alone else _forward(file, stages, saved))
    functions += [_loss(file, stages, known), _backward(file, stages, known, namer)]
    return [*functions, *(stage.definition() for stage in stages)]


def _other_results(everything: Sequence[Node], stage: set[Node]) -> set[Node]:
    """Return the results of nodes of a stage that it does not use: they come with the others."""
    return {n for n in everything if isinstance(n, Item) and n.args[0] in stage}


def _handed_over(
    later: Sequence[Node], stage: set[Node], always: Sequence[Node], order: Mapping[Node, int]
) -> list[Node]:
    """Return the nodes of a stage that nodes outside it read, and those wanted always."""
    found = {n for n in always if n in stage}
    for node in later:
        if node not in stage:
            found.update(arg for arg in node.args if arg in stage and arg.args)
    return sorted(found, key=lambda n: (n in always, order.get(n, 0)))


def _forward(file: File, stages: Sequence[_Stage], saved: Sequence[Node]) -> list[str]:
    model = file.model
    fields = model.forward_fields
    lines = [file.check_call(check_names(model)[0], fields)]
    nodes = model.forward_nodes
    leaves = file.leaves(fields)
    # The caller owns what it gets: no view of an argument, and nothing twice.
    copied = copies(nodes, leaves)
    if len(nodes) == 1 and nodes[0] in saved:
        picked = stages[0].pick(nodes[0])
        result = [f"return {_own(file, nodes[0], picked) if nodes[0] in copied else picked}"]
    else:
        if saved:
            lines.append(stages[0].unpack(set(nodes)))
        values, seen = [], set()
        for node in nodes:
            text = leaves.get(node) or stages[0].names[node]
            values.append(_own(file, node, text) if node in copied or node in seen else text)
            seen.add(node)
        result = file.forward_result(values)
    return [*file.opening("forward", fields), *indented([*lines, *result])]


def _own(file: File, node: Node, text: str) -> str:
    """Spell an array of the caller's own; a fixed number is none yet."""
    if not node.shape and scalar_value(node) is not None:
        return f"{file.lib}.array({text}, {file.dialect().dtype_of(node)})"
    return f"{text}.copy()"


def _loss(file: File, stages: Sequence[_Stage], known: Mapping[Node, str]) -> list[str]:
    model = file.model
    fields = model.loss_fields
    lines = [file.check_call(check_names(model)[1], fields)]
    dialect = file.dialect()
    made = plan(
        [model.loss_node],
        known,
        {},
        dialect.names,
        fast=False,
        origins=file.origins,
        spelled_last=(model.loss_node,),
    )
    steps = body(made, dialect, {})
    loss = Writer(made, dialect).spelled(model.loss_node)
    sizes = file.size_lines(dialect, file.leaves(fields))
    reads = set(topological([model.loss_node], known))
    for i, stage in enumerate(stages):
        last = i == len(stages) - 1
        needed = reads | {n for later in stages[i + 1 :] for n in later.given}
        if set(stage.results) & needed or last:
            lines.append(stage.unpack(needed))
    lines += [*sizes, *steps, f"return {file.scalar(loss.text)}"]
    return [*file.opening("loss", fields), *indented(lines)]


def _backward(
    file: File, stages: Sequence[_Stage], known: Mapping[Node, str], namer: Namer
) -> list[str]:
    model = file.model
    fields = model.loss_fields
    lines = [file.check_call(check_names(model)[1], fields)]
    grads = gradient_order(model)
    reads = set(topological([model.loss_node, *grads], known))
    for i, stage in enumerate(stages):
        later = {n for follower in stages[i + 1 :] for n in follower.given}
        lines.append(stage.unpack(reads | later))
    dialect = file.dialect(namer.copy())
    made = plan(
        [model.loss_node, *grads],
        known,
        _without(file.local_names(), known),
        dialect.names,
        fast=False,
        origins=file.origins,
        returned=model.gradients,
        spelled_last=(model.loss_node,),
    )
    steps = body(made, dialect, file.comments(made))
    writer = Writer(made, dialect)
    loss: Spelled = writer.spelled(model.loss_node)
    result = file.gradient_result(loss.text, writer)
    sizes = file.size_lines(dialect, {**file.leaves(fields), **known})
    lines += [*sizes, *([""] if steps else []), *steps, *result]
    return [*file.opening("loss_and_grad", fields), *indented(lines)]


def _without(names: Mapping[Node, str], known: Mapping[Node, str]) -> dict[Node, str]:
    return {node: name for node, name in names.items() if node not in known}
