"""What is emitted: a finished program with everything that the file says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from graphc.control.body import bodies
from graphc.control.loop import Scan
from graphc.emit.targets import Target
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.ops.leaves import Size
from graphc.ops.ranges import InRange
from graphc.ops.structural import Pad, Slice
from graphc.types import Dimension, Kind, Shape, names_in

NOWHERE: Any = None  # the node of a field whose computation is in another process


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or an input of the emitted functions.

    Parameters
    ----------
    shape
        As callers give it, the sample axis ``P`` included.
    classes
        The number of classes of a label.
    init
        How a parameter starts.
    draws
        The distribution of noise.
    """

    name: str
    node: Node
    shape: Shape
    kind: Kind = "real"
    classes: int | None = None
    init: Any = None
    draws: str | None = None


def needed(
    inputs: Sequence[Field], parameters: Sequence[Field], nodes: Iterable[Node]
) -> tuple[Field, ...]:
    """Return the inputs that `nodes` read, and those of which they need a size and no more."""
    below = set(topological(nodes))
    found = {f for f in inputs if f.node in below}
    known = {dim for f in (*parameters, *found) for dim in f.shape}
    asked = {name for node in _with_bodies(below) for dim in _dims(node) for name in names_in(dim)}
    for f in inputs:
        fresh = set(f.shape) - known
        if any(isinstance(dim, Dimension) and str(dim) in asked for dim in fresh):
            found.add(f)
            known |= fresh
    return tuple(f for f in inputs if f in found)


def _with_bodies(nodes: Iterable[Node]) -> list[Node]:
    found = list(nodes)
    for node in found:  # grows on the way
        for held in bodies(node):
            found += held.nodes()
    return found


def _dims(node: Node) -> list[Dimension]:
    dims = (*node.shape, *((node.size,) if isinstance(node, Size | InRange) else ()))
    if isinstance(node, Slice | Pad):
        dims = (*dims, *(dim for first, length, _ in node.spans for dim in (first, length)))
    if isinstance(node, Scan):
        dims = (*dims, node.length)
    return [dim for dim in dims if isinstance(dim, Dimension)]


@dataclass(frozen=True, slots=True)
class Comments:
    """What the file says over the lines of each use of a block: forward, and backward.

    `constants` are the constant arrays with what these formulas call them.
    """

    forward: Mapping[int, str] = field(default_factory=dict)
    backward: Mapping[int, str] = field(default_factory=dict)
    constants: Mapping[Node, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """What an update rule remembers from one step to the next.

    Parameters
    ----------
    init
        How it starts: ``"zeros"``, ``"ones"``, ``"parameter"``, ``"seed"`` or a number.
    parameter
        The name of the parameter that it belongs to, and whose shape it has.
    new
        Its value after the step.
    """

    name: str
    node: Node
    init: str | float
    parameter: str | None
    new: Node


@dataclass(frozen=True, slots=True)
class Updates:
    """One step of training.

    Parameters
    ----------
    parameters
        The new values of the parameters that are updated, in their order.
    slots
        What is remembered.
    noise
        Name, node and parameter of each draw of standard normal noise.
    """

    parameters: tuple[Node, ...]
    slots: tuple[Slot, ...]
    noise: tuple[tuple[str, Node, str], ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The new values: of the parameters, then of what is remembered."""
        return (*self.parameters, *(slot.new for slot in self.slots))


@dataclass(frozen=True)
class Model:
    """A model ready for emission.

    Parameters
    ----------
    program
        Inputs; outputs are those of `forward`, then the loss if there is one, then the gradients,
        then each cost per sample, then the new values of a step of training.
    forward
        Names of what `forward` returns.
    wrt
        Names of the gradients; None where they are all parameters, in order.
    diagram
        The diagram in text, for the file's docstring.
    loss_formula
        What the loss is, in text.
    cost_count
        The number of costs.
    function
        The name of the one function of the file, which takes no parameters but plain arguments
        in order; None for a graph.
    updates
        A step of training, if there is one.
    loop
        Whether the file carries a training loop, and trains when it is run with ``--train``.
    single
        Whether that function returns an array and not a tuple.
    """

    name: str
    target: Target
    dtype: str
    style: str
    version: str
    batch: bool
    parameters: tuple[Field, ...]
    inputs: tuple[Field, ...]
    program: Program
    forward: tuple[str, ...]
    has_loss: bool
    wrt: tuple[str, ...] | None
    diagram: tuple[str, ...]
    loss_formula: str
    comments: Comments
    cost_count: int
    function: str | None = None
    single: bool = True
    updates: Updates | None = None
    loop: bool = False

    @property
    def forward_nodes(self) -> tuple[Node, ...]:
        """What `forward` returns."""
        return self.program.outputs[: len(self.forward)]

    @property
    def loss_node(self) -> Node:
        """The loss."""
        return self.program.outputs[len(self.forward)]

    @property
    def gradients(self) -> tuple[Node, ...]:
        """The gradients."""
        return self.program.outputs[len(self.forward) + 1 : self._first_cost]

    @property
    def costs(self) -> tuple[Node, ...]:
        """Each cost, per sample."""
        return self.program.outputs[self._first_cost : self._first_cost + self.cost_count]

    @property
    def updated(self) -> tuple[Field, ...]:
        """The parameters that a step of training changes."""
        return tuple(f for f in self.parameters if self.wrt is None or f.name in self.wrt)

    @property
    def new_values(self) -> tuple[Node, ...]:
        """The values after a step of training: of the parameters, then of what is remembered."""
        return self.program.outputs[self._first_cost + self.cost_count :]

    @cached_property
    def forward_fields(self) -> tuple[Field, ...]:
        """The inputs that `forward` needs; a plain function takes all, needed or not."""
        return self.inputs if self.function is not None else self._needed(self.forward_nodes)

    @cached_property
    def loss_fields(self) -> tuple[Field, ...]:
        """The inputs that the loss, a gradient or a step of training needs."""
        return self._needed((self.loss_node, *self.gradients, *self.new_values))

    @property
    def shares_forward(self) -> bool:
        """Whether the loss can start from `forward`: it has all inputs that `forward` needs."""
        return self.has_loss and set(self.forward_fields) <= set(self.loss_fields)

    def without_nodes(self) -> Model:
        """Return what another process can be told of the model: all but the computation."""
        told = {f.name: replace(f, node=NOWHERE, init=None) for f in self.inputs}
        made = replace(
            self,
            parameters=tuple(replace(f, node=NOWHERE, init=None) for f in self.parameters),
            inputs=tuple(told.values()),
            program=Program((), ()),
            updates=None if self.updates is None else Updates((), (), ()),
        )
        for which in ("forward_fields", "loss_fields"):
            fields = getattr(self, which) if which == "forward_fields" or self.has_loss else ()
            vars(made)[which] = tuple(told[f.name] for f in fields)
        return made

    def _needed(self, nodes: tuple[Node, ...]) -> tuple[Field, ...]:
        return needed(self.inputs, self.parameters, nodes)

    @property
    def _first_cost(self) -> int:
        return len(self.forward) + 1 + len(self.parameters if self.wrt is None else self.wrt)
