"""One step of training, as variables: what update rules work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphc.emit.model import Slot, Updates
from graphc.errors import ShapeError, UsageError
from graphc.language.names import check_name
from graphc.language.variable import Variable, as_variable
from graphc.ops.elementwise import as_real
from graphc.ops.leaves import new_input
from graphc.types import TensorType, shape_text


class Rule(Protocol):
    """What turns gradients into new parameters."""

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters, and set the new states in `step`."""


@dataclass(eq=False)
class State:
    """What a rule remembers from one step to the next; see :func:`graphc.update_rule`.

    Parameters
    ----------
    init
        How it starts: ``"zeros"``, ``"ones"``, a number, or ``"parameter"`` for a copy of the
        parameter.
    """

    init: str | float = "zeros"

    def __post_init__(self) -> None:
        known = ("zeros", "ones", "parameter")
        if isinstance(self.init, bool) or not isinstance(self.init, int | float | str):
            raise UsageError(f"a state starts from a number or one of {', '.join(known)}")
        if isinstance(self.init, str) and self.init not in known:
            raise UsageError(f"a state starts from a number or one of {', '.join(known)}")


class Count:
    """Default of a rule's argument that stands for the number of the step, from 1 on."""


class Noise:
    """Default of a rule's argument that stands for standard normal noise, new in every step."""


class Loss:
    """Default of a rule's argument that stands for the loss, to be differentiated further."""


class Step:
    """The variables of one step.

    Attributes
    ----------
    names : tuple of str
        The parameters' names.
    parameters, gradients : tuple of Variable
        In the same order and of the same shapes.
    loss : Variable
        The loss over all samples, of which the parameters' gradients are.
    costs : dict of Variable
        Each cost by its name, for the single samples: shape ``(P,)``, or ``()`` without them.
    losses : dict of Variable
        Each cost by its name, over all samples.
    """

    def __init__(
        self,
        names: Sequence[str],
        parameters: Sequence[Variable],
        gradients: Sequence[Variable],
        loss: Variable,
        costs: Mapping[str, Variable],
        losses: Mapping[str, Variable],
        computed: Callable[[str], Variable],
    ) -> None:
        self.names = tuple(names)
        self.parameters = tuple(parameters)
        self.gradients = tuple(gradients)
        self.loss = loss
        self.costs = dict(costs)
        self.losses = dict(losses)
        self.computed = computed
        self._slots: dict[str, _Slot] = {}
        self._noise: list[tuple[str, Variable, str]] = []
        self._count: Variable | None = None
        self._again = False

    @property
    def count(self) -> Variable:
        """The number of the step, from 1 on, as a real number."""
        if self._count is None:
            before = self._counter()
            after = before + 1
            self.set(before, after)
            self._count = Variable(as_real(after.node), operands=(after,), operation="step")
        return self._count

    def _counter(self) -> Variable:
        """Return the number of the step before; the rules of one step share it."""
        held = self._slots.get("step")
        if held is not None:
            return held.variable
        return self._slot("step", (), "zeros", None, "integer")

    def state(self, name: str, init: str | float, of: int | None = None) -> Variable:
        """Return what is remembered under `name`: of one parameter, or a number of the whole.

        Parameters
        ----------
        name
            Unique among the states of one rule.
        init
            See :class:`State`.
        of
            The position of the parameter whose shape it has.
        """
        if of is None:
            return self._slot(name, (), init, None, "real")
        parameter = self.names[of]
        return self._slot(f"{parameter}_{name}", self.parameters[of].shape, init, parameter, "real")

    def noise(self, of: int) -> Variable:
        """Return standard normal noise of the shape of a parameter, new in every step."""
        self.count  # noqa: B018  the generator is made from the seed and the number of the step
        if not any(slot.name == "seed" for slot in self._slots.values()):
            self._slot("seed", (), "seed", None, "integer")
        parameter = self.names[of]
        variable = _leaf(self.parameters[of].shape, "real", f"{parameter}_noise")
        self._noise.append((f"{parameter}_noise", variable, parameter))
        return variable

    def remembered(self, name: str, of: int, change: Callable[[Variable], Variable]) -> Variable:
        """Return what the state `name` of a parameter is after `change`, which is kept."""
        before = self.state(name, "zeros", of)
        after = change(before)
        self.set(before, after)
        return after

    def set(self, state: Variable, value: Any) -> None:
        """Say what a state is after the step."""
        new = as_variable(value)
        if new.shape != state.shape:
            raise ShapeError(
                f"the state '{state.name}' has shape {shape_text(state.shape)}, but its new value "
                f"has {shape_text(new.shape)}"
            )
        for slot in self._slots.values():
            if slot.variable is state:
                slot.new = new
                return
        raise UsageError(f"{state.describe()} is not a state of this step")

    def within(self, gradients: Sequence[Variable], count: Variable | None = None) -> Step:
        """Return this step with other gradients, and the same states."""
        inner = self.of(range(len(self.names)), gradients, self.loss)
        inner._count = self._count if count is None else count
        return inner

    def of(self, places: Sequence[int], gradients: Sequence[Variable], loss: Variable) -> Step:
        """Return the step of some of the parameters, down another loss, with the same states."""
        inner = Step(
            [self.names[i] for i in places],
            [self.parameters[i] for i in places],
            gradients,
            loss,
            self.costs,
            self.losses,
            self.computed,
        )
        inner._slots, inner._noise, inner._again = self._slots, self._noise, self._again
        inner._count = self._count
        return inner

    def again(self) -> Step:
        """Return this step for a second run of a rule, which finds the states of the first."""
        inner = self.within(self.gradients)
        inner._again = True
        return inner

    @property
    def slots(self) -> tuple[_Slot, ...]:
        """All states made so far."""
        return tuple(self._slots.values())

    def updates(self, parameters: Sequence[Any]) -> Updates:
        """Return the step as what is emitted."""
        new = [as_variable(value) for value in parameters]
        if len(new) != len(self.names):
            raise UsageError(
                f"the update rule gives {len(new)} parameters, and there are {len(self.names)}"
            )
        for name, old, value in zip(self.names, self.parameters, new, strict=True):
            if value.shape != old.shape:
                raise ShapeError(
                    f"the update rule gives '{name}' the shape {shape_text(value.shape)}; it has "
                    f"{shape_text(old.shape)}"
                )
        slots = tuple(
            Slot(s.name, s.variable.node, s.init, s.parameter, s.value.node)
            for s in self._slots.values()
        )
        noise = tuple((name, v.node, parameter) for name, v, parameter in self._noise)
        return Updates(tuple(v.node for v in new), slots, noise)

    def _slot(
        self, name: str, shape: Any, init: str | float, parameter: str | None, kind: Any
    ) -> Variable:
        check_name(name, "a state")
        if name in self._slots and self._again:
            return self._slots[name].variable
        if name in self._slots:
            raise UsageError(
                f"two states are called '{name}'; chained rules need names of their own"
            )
        variable = _leaf(shape, kind, name)
        self._slots[name] = _Slot(name, variable, init, parameter)
        return variable


@dataclass(eq=False)
class _Slot:
    name: str
    variable: Variable
    init: str | float
    parameter: str | None
    new: Variable | None = None

    @property
    def value(self) -> Variable:
        """Its value after the step."""
        return self.variable if self.new is None else self.new


def _leaf(shape: Any, kind: Any, name: str) -> Variable:
    return Variable(new_input(TensorType(tuple(shape), kind)), name=name)
