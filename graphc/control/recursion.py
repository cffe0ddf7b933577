"""Loops in formulas: the recurrence of a step, and the recursion of its cotangents, as equations.

Back-propagation through time (Werbos, 1990) in the names of the loop: the cotangent of a carry
before a step is the sum, over what the step gives, of that one's cotangent times its Jacobian.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphc.calculus.formulas import Formula, backward, forward
from graphc.calculus.matrix_factors import Part, loop_element
from graphc.calculus.names import Name, math_label
from graphc.calculus.recursive import Equation
from graphc.control.loop import Scan
from graphc.errors import FormulaError
from graphc.ir.nodes import Node, topological
from graphc.ir.terms import Term
from graphc.ops.rules import Indices
from graphc.ops.several import item
from graphc.types import Dim

Names = Mapping[Node, str]


def at_time(name: str, time: str) -> Name:
    """Return the name that a tensor has at a step."""
    inside = time if time.isalnum() else f"({time})"
    return Name(f"{name}_{inside}", f"{{{_latex(name)}}}_{{{time.replace('−', '-')}}}")


class Recursion:
    """A loop's tensors under the names that they have in equations.

    Parameters
    ----------
    node
        The loop.
    names
        Of tensors outside.
    """

    def __init__(self, node: Scan, names: Names) -> None:
        self.node = node
        own, first, last = dict(node.body.names), node.constants, node.constants + node.carries
        leaves, outputs = node.body.inputs, node.body.outputs
        self.names: dict[Node, str] = {}
        # A loop in a loop counts its steps by another letter.
        told = " ".join(names.values())
        self.now = next((t for t in "tsr" if f"_{t}" not in told and f"_({t}" not in told), "q")
        self.before = f"{self.now}{'+' if node.reverse else '−'}1"
        for leaf, arg in zip(leaves[:first], node.args, strict=False):
            self.names[leaf] = _name(arg, own.get(leaf), names)
        self.carries = [_free(own.get(leaf, "h"), self.names) for leaf in leaves[first:last]]
        for leaf, name in zip(leaves[first:last], self.carries, strict=True):
            self.names[leaf] = at_time(name, self.before)
        for leaf, arg in zip(leaves[last:], node.args[last:], strict=True):
            self.names[leaf] = at_time(_name(arg, own.get(leaf), names), self.now)
        for after, name in zip(outputs, self.carries, strict=False):
            self.names.setdefault(after, at_time(name, self.now))
        self.stacks = [
            next((n for y, n in zip(outputs, self.carries, strict=False) if y is out), f"y{k}")
            for k, out in enumerate(outputs[node.carries :])
        ]
        for out, name in zip(outputs[node.carries :], self.stacks, strict=True):
            self.names.setdefault(out, at_time(name, self.now))
        self.outside = names

    def letter(self, result: int) -> Name:
        """Return the name of a result: the last value of a carry, or a stack."""
        if result >= self.node.carries:
            name = self.stacks[result - self.node.carries]
            return Name(f"{name}_(1…T)", f"{{{math_label(name)}}}_{{1 \\dots T}}")
        return at_time(self.carries[result], self._end(True))

    def _end(self, last: bool) -> str:
        length: Dim = self.node.length
        end = str(length) if str(length).isalnum() else "T"
        if self.node.reverse:
            return "1" if last else f"{end}+1"
        return end if last else "0"

    def forward(self) -> list[Equation]:
        """Return what a step computes, and where it starts."""
        node, found = self.node, list[Equation]()
        for out in dict.fromkeys(node.body.outputs):
            if out not in node.body.inputs:
                found.append(_equation(forward(out, self.names)))
        first = node.constants
        start = self._end(False)
        for name, arg in zip(self.carries, node.args[first:], strict=False):
            left, value = at_time(name, start), _name(arg, None, self.outside)
            found.append((f"{left} = {value}", f"{left.latex} = {_latex(value)}"))
        return found

    def backward(
        self, places: Sequence[int], cost: str, results: Sequence[int]
    ) -> tuple[Equation, list[Equation]]:
        """Return the cotangent of an operand that comes from some results, and its recursion.

        Raises
        ------
        FormulaError
            If nothing comes back to it, or a step has no formula.
        """
        node, outputs = self.node, self.node.body.outputs
        stacks = [k for k in results if k >= node.carries]
        nexts = outputs[: node.carries]
        ends = dict.fromkeys((*nexts, *(outputs[k] for k in stacks)))
        terms = [self._operand(place, cost, ends) for place in places]
        if not any(terms):
            raise FormulaError("nothing comes back")
        recursion, starts = list[Equation](), list[Equation]()
        for k, (name, leaf) in enumerate(
            zip(self.carries, node.body.inputs[node.constants :], strict=False)
        ):
            if leaf.kind != "real":
                continue
            found = self._cotangent(leaf, cost, ends)
            back = [] if found is None else [found]
            at_end = [self._given(k, cost)] if k in results else []
            for stack in stacks:  # what is stacked is the carry: its cotangent is added to it
                if outputs[stack] is nexts[k]:
                    direct = _as_name(_name(item(node, stack), None, self.outside))
                    back.insert(0, _cotangent_of(cost, at_time(direct, self.before)))
                    at_end.append(_cotangent_of(cost, at_time(direct, self._end(True))))
            before, last = (at_time(name, time) for time in (self.before, self._end(True)))
            recursion.append(_equal(_cotangent_of(cost, before), _sum(back)))
            starts.append(_equal(_cotangent_of(cost, last), _sum(at_end)))
        return _sum([term for term in terms if term is not None]), [*recursion, *starts]

    def _given(self, result: int, cost: str) -> Equation:
        """Return the cotangent of a result, as it is called outside."""
        told = _as_name(_name(item(self.node, result), None, self.outside))
        return ("1", "1") if told == cost else _cotangent_of(cost, told)

    def _operand(self, place: int, cost: str, ends: Iterable[Node]) -> Equation | None:
        """Return what comes back to one operand."""
        first, last = self.node.constants, self.node.constants + self.node.carries
        own = self._cotangent(self.node.body.inputs[place], cost, ends)
        if own is None:
            return None
        if place < first:
            return f"Σ_{self.now} {_term(own[0])}", rf"\sum_{self.now} {_term(own[1])}"
        if place < last:
            return _cotangent_of(cost, at_time(self.carries[place - first], self._end(False)))
        run = f"{self.now}=1"
        return f"({own[0]})_({run}…T)", rf"\left({own[1]}\right)_{{{run} \dots T}}"

    def _cotangent(self, leaf: Node, cost: str, ends: Iterable[Node]) -> Equation | None:
        """Return the sum of what the results of a step give back to one of its leaves."""
        parts: list[Formula] = []
        for out in ends:
            if out.kind == "real" and leaf.kind == "real" and leaf in topological([out]):
                parts.append(backward(out, leaf, self.names, cost=cost, through=False))
        if not parts:
            return None
        return _sum([(part.text, part.latex) for part in parts])


def _sum(terms: Sequence[Equation]) -> Equation:
    text, latex = (" + ".join(term[column] for term in terms) or "0" for column in (0, 1))
    return text.replace("+ −", "− "), latex.replace("+ -", "- ")


def _term(text: str) -> str:
    return f"({text})" if " + " in text else text


def _equation(formula: Formula) -> Equation:
    return formula.equation, formula.latex_equation


def _cotangent_of(cost: str, of: Name) -> Equation:
    return f"∂{cost}/∂{of}", rf"\frac{{\partial {math_label(cost)}}}{{\partial {of.latex}}}"


def _equal(left: Equation, right: Equation) -> Equation:
    return f"{left[0]} = {right[0]}", f"{left[1]} = {right[1]}"


def _name(node: Node, own: str | None, names: Names) -> str:
    """Return the name of a tensor outside, its formula in brackets, or its name in the loop."""
    if node in names:
        return names[node]
    try:
        formula = forward(node, names)
    except FormulaError:
        return own or "a"
    short = formula.text.isalnum()
    latex = formula.latex if short else rf"\left({formula.latex}\right)"
    return Name(formula.text if short else f"({formula.text})", latex)


def _as_name(name: str) -> Name:
    return name if isinstance(name, Name) else Name(name, math_label(name))


def _latex(name: str) -> str:
    return _as_name(name).latex


def _free(name: str, names: Names) -> str:
    taken: Sequence[str] = list(names.values())
    return name if name not in taken else Name(f"{name}ʹ", f"{_latex(name)}'")


def result_element(node: Scan, index: int, places: Indices) -> Term:
    """Return an element of a result, which the recurrence beside a formula says more of."""

    def told(names: Names) -> tuple[str, list[Equation]]:
        recursion = Recursion(node, names)
        return recursion.letter(index), recursion.forward()

    return loop_element(item(node, index), Part("h", node, index, told), places)
