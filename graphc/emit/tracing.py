"""Where the lines of an emitted file come from: line by line, the block, its use and the rule.

The printer hands its lines on as ``Line``, text that remembers the step it prints; whoever asks
gets the origins of everything that is computed in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.emit.steps import Plan, Step
from graphc.ir.nodes import Node
from graphc.ir.program import Origin


class Line(str):
    """A line of source that prints a step of a plan."""

    __slots__ = ("plan", "step")
    step: Step
    plan: Plan

    @classmethod
    def of(cls, text: str, step: Step, plan: Plan) -> Line:
        """Return text that remembers a step."""
        line = cls(text)
        line.step, line.plan = step, plan
        return line

    def moved(self, indent: str) -> Line:
        """Return the line further to the right."""
        return Line.of(indent + self, self.step, self.plan)


@dataclass(frozen=True, slots=True)
class Traced:
    """What is known of a line.

    Parameters
    ----------
    defines
        The variables that the line's step assigns, or that the comment stands over; a step with
        several results assigns several.
    origins
        Those of all that is computed in the line, the assigned result's first.
    """

    defines: tuple[str, ...]
    origins: tuple[Origin, ...]


def trace(lines: Mapping[int, Line], origins: Mapping[Node, Origin]) -> dict[int, Traced]:
    """Return what is known of each line that computes something, by its number from 1."""
    found = {}
    for number, line in lines.items():
        behind = [origins[node] for node in computed_in(line) if node in origins]
        defined = (name.strip() for name in line.step.name.split(","))
        names = tuple(name for name in defined if name not in ("", "_"))
        found[number] = Traced(names, tuple(dict.fromkeys(behind)))
    return found


def computed_in(line: Line) -> Iterator[Node]:
    """Yield the nodes that a line computes: its step's, and those that are spelled within."""
    pending, seen = [line.step.node], set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        pending += [arg for arg in reversed(node.args) if arg not in line.plan.names]


def numbered(sections: Sequence[Sequence[str]], between: int) -> dict[int, Line]:
    """Return the lines that print steps, by number, where so many empty lines part sections."""
    found: dict[int, Line] = {}
    number = 1
    for section in sections:
        for line in section:
            if isinstance(line, Line):
                found[number] = line
            number += 1 + line.count("\n")
        number += between
    return found
