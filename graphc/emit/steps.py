"""What a plan consists of: statements in order, their names, the memory that they write into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from graphc.ir.nodes import Node
from graphc.types import Shape, named

SAMPLES = named("P")
Place: TypeAlias = Literal["function", "loop", "branch"]


@dataclass(frozen=True, slots=True)
class Step:
    """One node that becomes a statement.

    Parameters
    ----------
    name
        The variable that it is assigned to.
    into
        The operand whose buffer the result is written into, if any.
    room
        The variable of the memory that a matrix product writes into, where it is not `into`.
    slot
        The variable of the part of a loop's stack that the result is computed in.
    placed
        Of what is joined in a slot: the operands that were computed in their parts of it.
    loop
        Of a loop: how it is printed.
    branches
        Of a choice: the two ways.
    iteration
        Of a fixed point: its statements.
    repetition
        Of a loop of unknown length: its condition and its statements.
    """

    node: Node
    name: str
    into: Node | None = None
    room: str | None = None
    loop: LoopPlan | None = None
    branches: tuple[BranchPlan, ...] = ()
    iteration: IterationPlan | None = None
    repetition: RepetitionPlan | None = None
    slot: str | None = None
    placed: frozenset[Node] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """The body of a function.

    Parameters
    ----------
    steps
        Statements in order; one of a node with several results names them all: ``q, r``.
    uses
        How often each node is used in the body, results included.
    names
        The variable of each node that has one, given ones included.
    copied
        Results that must be copied before they are returned, because their memory is the
        caller's or another result's.
    """

    steps: tuple[Step, ...]
    uses: Mapping[Node, int]
    names: Mapping[Node, str]
    copied: frozenset[Node]

    @property
    def rooms(self) -> tuple[Step, ...]:
        """The steps that write into memory of their own, which one allocation provides."""
        return tuple(step for step in self.steps if step.room is not None)


@dataclass(frozen=True, slots=True)
class Along:
    """A variable of a fast loop that runs along a stack.

    Parameters
    ----------
    variable
        What it is called.
    stack
        The variable of the stack.
    shape
        What a step's part is reshaped to, if to anything.
    keys
        Which part of it is meant, as indices of the whole stack, one after the other.
    """

    variable: str
    stack: str
    shape: Shape | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A carry whose values before and after each step are one array, one step apart.

    Parameters
    ----------
    name
        The array's variable.
    before, after
        The variables of the stacks, where there are any.
    carry
        The carry's variable, and where it starts.
    of
        What the next step gets.
    """

    name: str
    before: str
    after: str
    carry: str
    start: Node
    of: Node


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """A loop: its variables and the statements of a step.

    Parameters
    ----------
    index
        The variable that counts the steps.
    starts
        The carries: the variable, where it starts, and whether steps write into its memory.
    bound
        Variables for slices that a step reads more than once, and how they are read.
    stacks
        The variables of what is stacked, and the node of the body of which it is made.
    moves
        The carries that are assigned at the end of a step, and what they get.
    leaves
        The leaves of the body: what is stacked of them is stacked before the step changes them.
    made
        The variables of further stacks, which steps write into, and the node of the body of each.
    runs
        Carries of which what they were before each step is stacked.
    rows
        In fast code, the variables that run along stacks.
    """

    index: str
    body: Plan
    starts: tuple[tuple[str, Node, bool], ...]
    bound: tuple[tuple[str, str], ...]
    stacks: tuple[tuple[str, Node], ...]
    moves: tuple[tuple[str, Node], ...]
    leaves: frozenset[Node]
    made: tuple[tuple[str, Node], ...] = ()
    runs: tuple[Run, ...] = ()
    rows: tuple[Along, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """One way of a choice: its statements, and the results that are assigned after them."""

    body: Plan
    results: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class IterationPlan:
    """A fixed point: where the unknowns start, the statements of a step, what follows.

    Parameters
    ----------
    change
        The variable that says whether nothing changes any more.
    """

    body: Plan
    starts: tuple[tuple[str, Node], ...]
    nexts: tuple[tuple[str, Node], ...]
    change: str


@dataclass(frozen=True, slots=True)
class RepetitionPlan:
    """A loop of unknown length: what decides, where the carries start, the statements of a step.

    Parameters
    ----------
    test, condition
        The statements before the decision, and what it goes by.
    moves
        The carries that change, and what they get at the end of a step.
    """

    test: Plan
    condition: Node
    body: Plan
    starts: tuple[tuple[str, Node], ...]
    moves: tuple[tuple[str, Node], ...]
