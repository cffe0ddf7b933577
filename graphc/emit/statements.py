"""Statements: a plan as lines of source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphc.control.fixed_point import PRECISION, FixedPoint
from graphc.control.loop import Scan
from graphc.emit.dialect import Dialect, Spelled, number, typed
from graphc.emit.expressions import spell
from graphc.emit.forms import is_broadcast, is_mask, is_ones, is_view
from graphc.emit.helpers import helper
from graphc.emit.spell_elementwise import quick_operands
from graphc.emit.spell_reduction import is_mean
from graphc.emit.spell_structural import pad_place, places
from graphc.emit.spell_windows import fold_lines
from graphc.emit.steps import (
    Along,
    BranchPlan,
    IterationPlan,
    LoopPlan,
    Plan,
    RepetitionPlan,
    Run,
    Step,
)
from graphc.emit.tracing import Line
from graphc.ir.nodes import Node
from graphc.ops.contraction import Contraction
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import ScatterAdd, ScatterSet
from graphc.ops.joining import Concatenation, starts
from graphc.ops.leaves import Constant, Size, scalar_value
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import Pad
from graphc.ops.windows import Fold

COMMUTATIVE = ("add", "multiply", "maximum", "minimum")


SETTLED = '''def _settled(new, old, tolerance):
    """Return whether no element changed by more than a part of 1 + the largest."""
    change = {lib}.max({lib}.abs(new - old){empty})
    return change <= tolerance * (1 + {lib}.max({lib}.abs(new){empty}))


_PRECISION = {lib}.finfo({dtype}).eps ** {digits}  # three quarters of the digits
'''


class Writer:
    """Prints the steps of one plan."""

    def __init__(self, plan: Plan, dialect: Dialect) -> None:
        self.plan = plan
        self.dialect = dialect

    def spelled(self, node: Node) -> Spelled:
        """Spell a node where it is used: its name, or the expression that it is."""
        name = self.plan.names.get(node)
        return Spelled(name) if name is not None else self.expression(node)

    def expression(self, node: Node) -> Spelled:
        """Spell what a node computes."""
        mean = None if self.dialect.fast else is_mean(node)
        if mean is not None and self.plan.uses.get(node.args[0], 0) == 1:
            return Spelled(f"{self.spelled(mean).within(20)}.mean()")
        return spell(node, self.spelled, self.dialect, self._alone)

    def _alone(self, node: Node) -> bool:
        return node not in self.plan.names and self.plan.uses.get(node, 0) == 1

    def result(self, node: Node) -> str:
        """Spell a node that is returned; the caller may keep it."""
        if not node.shape and scalar_value(node) is not None:
            return typed(node, self.spelled, self.dialect).text
        text = self.spelled(node)
        return f"{text.within(20)}.copy()" if node in self.plan.copied else text.text

    def lines(self, step: Step) -> list[str]:
        """Print a step."""
        node = step.node
        if step.loop is not None and isinstance(node, Scan):
            return self._loop(node, step.loop)
        if step.iteration is not None and isinstance(node, FixedPoint):
            return self._iteration(node, step.iteration)
        if step.repetition is not None:
            return self._repetition(step.repetition)
        if step.branches:
            return self._choice(node, step.branches)
        if isinstance(node, ScatterAdd | ScatterSet):
            return self._scatter(step, node)
        if isinstance(node, Pad):
            zeros = f"{self.dialect.lib}.zeros({self.dialect.shape(node.target)}"
            dtype = self.dialect.dtype_of(node)
            place = pad_place(node, self.dialect)
            return [
                f"{step.name} = {zeros}, {dtype})",
                f"{step.name}[{place}] = {self.spelled(node.args[0]).text}",
            ]
        if isinstance(node, Fold):
            return fold_lines(node, step.name, self.spelled, self.dialect)
        if step.slot is not None:
            return self._in_slot(step, node, step.slot)
        if isinstance(node, Contraction) and (step.into is not None or step.room is not None):
            a, b = (self.spelled(arg) for arg in node.args)
            into = step.room if step.into is None else self.plan.names[step.into]
            return [f"{step.name} = {a.within(20)}.dot({b.text}, {into})"]
        if self.dialect.fast and is_ones(node):
            # Filling is quicker than np.ones, which goes through a broadcast.
            size = self.dialect.shape(node.shape)
            made = f"{self.dialect.lib}.empty({size}, {self.dialect.dtype})"
            return [f"{step.name} = {made}", f"{step.name}.fill(1)"]
        if step.into is not None:
            return self._over(step, node)
        if not node.shape and scalar_value(node) is not None:  # that loops and branches read
            return [f"{step.name} = {self._first(node).text}"]
        return [f"{step.name} = {self.expression(node).text}"]

    def _loop(self, node: Scan, made: LoopPlan) -> list[str]:
        lib = self.dialect.lib
        inner = Writer(made.body, self.dialect)
        lines = []
        for name, start, written in made.starts:
            text = self._first(start)
            lines.append(f"{name} = {f'{text.within(20)}.copy()' if written else text.text}")
        for name, of in (*made.made, *made.stacks):
            shape = self.dialect.shape((node.length, *of.shape))
            lines.append(f"{name} = {lib}.empty({shape}, {self._numpy_dtype(of)})")
        for run in made.runs:
            lines += self._run(node, run)
        for inner_step in made.body.rooms:
            shape = self.dialect.shape(inner_step.node.shape)
            lines.append(f"{inner_step.room} = {lib}.empty({shape}, {self.dialect.dtype})")
        lines += self._loop_head(node, made)
        inside = [f"{local} = {text}" for local, text in made.bound]
        stores = [(f"{name}[{made.index}]", of) for name, of in made.stacks]
        inside += [f"{at} = {inner.spelled(n).text}" for at, n in stores if n in made.leaves]
        inside += body(made.body, self.dialect, {})
        inside += [f"{at} = {inner.spelled(n).text}" for at, n in stores if n not in made.leaves]
        if made.moves:
            names = ", ".join(name for name, _ in made.moves)
            inside.append(f"{names} = {', '.join(inner.spelled(n).text for _, n in made.moves)}")
        return [*lines, *(f"    {line}" for line in inside or ["pass"])]

    def _numpy_dtype(self, node: Node) -> str:
        return (
            f"{self.dialect.lib}.bool_" if node.kind == "boolean" else self.dialect.dtype_of(node)
        )

    def _first(self, node: Node) -> Spelled:
        """Spell what a carry starts with: an array or NumPy's number, as each later value is."""
        if node.kind != "real" and (scalar_value(node) is not None or isinstance(node, Size)):
            return Spelled(f"{self._numpy_dtype(node)}({self.expression(node).text})")
        return typed(node, self.spelled, self.dialect)

    def _run(self, node: Scan, run: Run) -> list[str]:
        """Print an array for a carry's values before and after each step, one step apart."""
        shape = self.dialect.shape((node.length + 1, *run.of.shape))
        first, early, late = ("-1", "1:", ":-1") if node.reverse else ("0", ":-1", "1:")
        return [
            f"{run.name} = {self.dialect.lib}.empty({shape}, {self.dialect.dtype})",
            f"{run.name}[{first}] = {self.spelled(run.start).text}",
            f"{run.carry} = {run.name}[{first}]",
            f"{run.before} = {run.name}[{early}]",
            f"{run.after} = {run.name}[{late}]",
        ]

    def _loop_head(self, node: Scan, made: LoopPlan) -> list[str]:
        """Print the line that counts steps, or that runs along stacks."""
        own = self.dialect.names.own
        steps = f"{own('range')}({self.dialect.dim(node.length)})"
        if not made.rows:
            steps = f"{own('reversed')}({steps})" if node.reverse else steps
            return [f"for {made.index} in {steps}:"]
        rows = [(row.variable, self._row(node, row)) for row in made.rows]
        if made.stacks:
            rows.insert(0, (made.index, steps))
        back = "[::-1]" if node.reverse else ""
        variables = ", ".join(variable for variable, _ in rows)
        texts = [f"{text}{back}" for _, text in rows]
        if len(rows) == 1:
            return [f"for {variables} in {texts[0]}:"]
        return [f"for {variables} in {own('zip')}(", *(f"    {text}," for text in texts), "):"]

    def _row(self, node: Scan, row: Along) -> str:
        shape = row.shape
        view = "" if shape is None else f".reshape({self.dialect.shape((node.length, *shape))})"
        return f"{row.stack}{view}{''.join(f'[{key}]' for key in row.keys)}"

    def _iteration(self, node: FixedPoint, made: IterationPlan) -> list[str]:
        lib, own = self.dialect.lib, self.dialect.names.own
        inner = Writer(made.body, self.dialect)
        told = f"no fixed point was reached in {node.iterations} iterations"
        lines = [f"{name} = {self._first(start).text}" for name, start in made.starts]
        tolerance = repr(node.tolerance) if node.tolerance else "_PRECISION"
        self.dialect.helpers["_settled"] = SETTLED.format(
            lib=lib,
            dtype=self.dialect.dtype,
            digits=PRECISION,
            empty="" if self.dialect.target.needs_device else ", initial=0",  # CuPy has no such
        )
        pairs = [(name, inner.spelled(n).text) for name, n in made.nexts]
        tests = [f"_settled({new}, {name}, {tolerance})" for name, new in pairs]
        moved = f"{', '.join(n for n, _ in pairs)} = {', '.join(new for _, new in pairs)}"
        inside = [str(line) for line in body(made.body, self.dialect, {})]
        inside += [f"{made.change} = {tests[0]}"]
        inside += [f"{made.change} = {made.change} and {test}" for test in tests[1:]]
        inside += [moved, f"if {made.change}:", "    break"]
        return [
            *lines,
            f"for _ in {own('range')}({node.iterations}):",
            *(f"    {line}" for line in inside),
            "else:",
            f'    raise {own("ArithmeticError")}("{told}")',
        ]

    def _repetition(self, made: RepetitionPlan) -> list[str]:
        test, inner = Writer(made.test, self.dialect), Writer(made.body, self.dialect)
        lines = [f"{name} = {self._first(start).text}" for name, start in made.starts]
        before = tuple(step for step in made.test.steps if step.node is not made.condition)
        spelled = test.spelled if len(before) == len(made.test.steps) else test.expression
        goes_on = spelled(made.condition)
        head = [f"while {goes_on.text}:"]
        if before:
            lines_before = body(replace(made.test, steps=before), self.dialect, {})
            head = ["while True:", *(f"    {line}" for line in lines_before)]
            head += [f"    if not {goes_on.within(20)}:", "        break"]
        inside = [str(line) for line in body(made.body, self.dialect, {})]
        if made.moves:
            names = ", ".join(name for name, _ in made.moves)
            inside.append(f"{names} = {', '.join(inner.spelled(n).text for _, n in made.moves)}")
        return [*lines, *head, *(f"    {line}" for line in inside or ["pass"])]

    def _choice(self, node: Node, branches: Sequence[BranchPlan]) -> list[str]:
        lines: list[str] = []
        for head, branch in zip(
            (f"if {self.spelled(node.args[0]).text}:", "else:"), branches, strict=True
        ):
            inner = Writer(branch.body, self.dialect)
            inside = [str(line) for line in body(branch.body, self.dialect, {})]
            inside += [f"{name} = {inner.result(n)}" for name, n in branch.results]
            lines += [head, *(f"    {line}" for line in inside or ["pass"])]
        return lines

    def _scatter(self, step: Step, node: ScatterAdd | ScatterSet) -> list[str]:
        base, *indices, update = node.args
        lines: list[str] = []
        text = self.spelled(base)
        fixed = isinstance(base, Constant) and base.shape
        if step.into is None and (fixed or base in self.plan.names or is_view(base)):
            lines.append(f"{step.name} = {text.within(20)}.copy()")
        elif text.text != step.name:
            lines.append(f"{step.name} = {text.text}")
        where = places(node, self.spelled, self.dialect)
        if isinstance(node, ScatterSet):
            return [*lines, f"{step.name}[{where}] = {self._put(update)}"]
        if node.batch == node.axis and indices[0].type.rank == node.batch:
            return [*lines, f"{step.name}[{where}] {self._added(update)}"]
        # Places may repeat; `+=` would add only once.
        if node.batch == 0:
            every = f"{self.dialect.names.own('slice')}(None)"
            where = places(node, self.spelled, self.dialect, every)
        if node.axis or len(indices) > 1:
            where = f"({where})"
        return [
            *lines,
            f"{self.dialect.lib}.add.at({step.name}, {where}, {self.spelled(update).text})",
        ]

    def _one(self, update: Node) -> Node:
        """Return the number that an update repeats, or the update."""
        if is_broadcast(update) and update not in self.plan.names and not update.args[0].shape:
            return update.args[0]
        return update

    def _put(self, update: Node) -> str:
        return self.spelled(self._one(update)).text

    def _added(self, update: Node) -> str:
        update = self._one(update)
        negative = isinstance(update, Elementwise) and update.function == "negative"
        if negative and update not in self.plan.names:
            return f"-= {self.spelled(update.args[0]).text}"
        value = scalar_value(update)
        if value is not None and value < 0:
            return f"-= {number(-value, self.dialect).text}"
        return f"+= {self.spelled(update).text}"

    def _in_slot(self, step: Step, node: Node, slot: str) -> list[str]:
        """Print a statement that computes its result in a part of a loop's stack."""
        if isinstance(node, Elementwise):
            return [self._in_place(step, node, slot)]
        named = "" if slot == step.name else f"{step.name} = "
        if isinstance(node, Contraction):
            a, b = (self.spelled(arg) for arg in node.args)
            if max(arg.type.rank for arg in node.args) <= 2:
                return [f"{named}{a.within(20)}.dot({b.text}, {slot})"]
            return [f"{named}{self.dialect.lib}.matmul({a.text}, {b.text}, {slot})"]
        assert isinstance(node, Concatenation)
        if not step.placed:
            parts = ", ".join(self.spelled(arg).text for arg in node.args)
            call = f"{self.dialect.lib}.concatenate(({parts}), {node.axis}, {slot})"
            return [f"{named}{call}"]
        ends = [self.dialect.dim(end) for end in starts(node)]
        lines = []
        for arg, first, stop in zip(node.args, ends, ends[1:], strict=False):
            if arg not in step.placed:
                key = ", ".join([":"] * node.axis + [f"{first}:{stop}"])
                lines.append(f"{slot}[{key}] = {self.spelled(arg).text}")
        return [*lines, f"{named}{slot}"] if named else lines

    def _over(self, step: Step, node: Node) -> list[str]:
        """Print a statement that writes over an operand, or over a view of a matrix product."""
        assert step.into is not None
        text = self.spelled(step.into).text
        if step.into in self.plan.names:
            return [self._in_place(step, node, text)]
        return [f"{step.name} = {text}", self._in_place(step, node, step.name)]

    def _in_place(self, step: Step, node: Node, own: str) -> str:
        assert isinstance(node, Elementwise)
        row = SCALARS[node.function]
        args = list(node.args)
        if len(args) == 2 and node.function in COMMUTATIVE and args[1] is step.into:
            args.reverse()
        operands = [Spelled(own) if arg is step.into else self._operand(arg, node) for arg in args]
        if row.infix and len(args) == 2 and args[0] is step.into and own == step.name:
            return f"{own} {row.infix}= {operands[1].text}"
        texts = [o.text for o in operands]
        if node.function == "relu":
            texts.append(self.dialect.number(0.0))
        # A positional out is faster than the keyword, but maximum and minimum do not take it.
        name = "maximum" if node.function == "relu" else row.ufunc
        out = f"out={own}" if name in ("maximum", "minimum") else own
        made = f"{self.dialect.lib}.{name}" if name else helper(node.function, self.dialect)
        call = f"{made}({', '.join([*texts, out])})"
        return call if own == step.name else f"{step.name} = {call}"

    def _operand(self, arg: Node, node: Elementwise) -> Spelled:
        if node.function == "multiply" and arg not in self.plan.names and is_mask(arg):
            return self.spelled(arg.args[0])
        return quick_operands(node, self.spelled, self.dialect)(arg)


def body(plan: Plan, dialect: Dialect, comments: Mapping[Node, Sequence[str]]) -> list[str]:
    """Print all steps, each comment before the first step of what it is about."""
    writer = Writer(plan, dialect)
    lines: list[str] = []
    for step in plan.steps:
        printed = [f"# {text}" for text in comments.get(step.node, ())] + writer.lines(step)
        lines.extend(Line.of(text, step, plan) for text in printed)
    return lines
