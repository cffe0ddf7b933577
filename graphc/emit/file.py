"""The file under way: what its functions share, and what stands around their bodies."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphc.control.body import COTANGENT
from graphc.emit.dialect import Dialect
from graphc.emit.model import Field, Model
from graphc.emit.naming import Namer
from graphc.emit.statements import Writer
from graphc.emit.steps import Plan
from graphc.emit.tracing import Line
from graphc.errors import CompileError
from graphc.ir.nodes import Node
from graphc.ops.opaque import Foreign
from graphc.types import Dim, Dimension, named, names_in, shape_text

WIDTH = 100


class File:
    """One emitted file: the names, constants and helpers that its sections share."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.fast = model.style == "fast"
        users = [f.name for f in (*model.parameters, *model.inputs)]
        users += [model.function] if model.function is not None else []
        users += [n for n in model.program.names.values() if not n.startswith(COTANGENT)]
        self.names = Namer(users)
        self.sizes = self._sizes()
        self.names.taken |= {str(size) for size in self.sizes.values()}
        self.constants: dict[Node, str] = {}
        self.helpers: dict[str, str] = {}
        self.fixed: dict[str, str] = {}
        self.foreign: dict[str, Foreign] = {}
        self.arrays: dict[str, Any] = {}
        for name in ("params", "Params", "DTYPE", "np", model.target.alias, "float", "len"):
            self.names.own(name)
        self.lib = self.names.own(model.target.alias)
        self.params = self.names.own("params")
        self.origins = model.program.origins

    def _sizes(self) -> dict[str, Dim]:
        """Return how each named size is spelled; a user's variable keeps the bare name."""
        shapes = [f.shape for f in (*self.model.parameters, *self.model.inputs)]
        shapes += [node.shape for node in self.model.program.nodes()]
        found = {n for s in shapes for d in s if isinstance(d, Dimension) for n in names_in(d)}
        taken = self.names.taken
        return {n: named(f"_size_{n}" if n in taken else n) for n in sorted(found)}

    def dialect(self, namer: Namer | None = None) -> Dialect:
        """Return a dialect for one function, with local names of its own unless given."""
        return Dialect(
            self.model.target,
            self.fast,
            namer or self.names.copy(),
            self.sizes,
            self.constants,
            self.helpers,
            self.fixed,
            self.model.dtype == "float64",
            self.foreign,
            classes=frozenset(f.node for f in self.model.inputs if f.classes is not None),
            told=self.model.comments.constants,
        )

    def leaves(self, fields: Sequence[Field]) -> dict[Node, str]:
        """Return how inputs and parameters are spelled in a body."""
        own = {
            f.node: f.name if self.fast else f"{self.params}.{f.name}"
            for f in self.model.parameters
        }
        return {**own, **{f.node: f.name for f in fields}}

    def local_names(self) -> dict[Node, str]:
        """Return the users' names of computed nodes, as local variables are called."""
        own = set(self.names._own.values())
        return {
            node: f"{name}_" if name in own else name
            for node, name in self.model.program.names.items()
            if node.args
        }

    # Around a body.

    def opening(self, name: str, fields: Sequence[Field]) -> list[str]:
        """Print a public function down to its docstring."""
        lines = []
        if not self.model.target.needs_device:
            lines.append(f'@{self.lib}.errstate(all="ignore")')
        arguments = [*self.first_argument(True), *(f.name for f in fields)]
        line = f"def {name}({', '.join(arguments)}) -> {self._result_type(name)}:"
        if len(line) > WIDTH:
            inner = ",\n    ".join(arguments)
            line = f"def {name}(\n    {inner},\n) -> {self._result_type(name)}:"
        lines += line.split("\n")
        lines += indented(_docstring(self._summary(name, fields)))
        if self.model.target.needs_device:
            lines.append("    _need_gpu()")
        return lines

    def first_argument(self, typed: bool = False) -> list[str]:
        """Return the argument for the parameters; a plain function has none."""
        if self.model.function is not None:
            return []
        return [f"{self.params}: {self.names.own('Params')}" if typed else self.params]

    def _result_type(self, name: str) -> str:
        array = f"{self.lib}.ndarray"
        if self.model.function is not None:
            return array if self.model.single else self.names.own("tuple")
        number = array if self.model.target.needs_device else self.names.own("float")
        if name == "forward":
            return array if len(self.model.forward) == 1 else self.names.own("Outputs")
        grads = self.names.own("Params" if self.model.wrt is None else "Grads")
        return number if name in ("loss", "train_step") else f"tuple[{number}, {grads}]"

    def _summary(self, name: str, fields: Sequence[Field]) -> str:
        told = ", ".join(f"{f.name}: {_told(f)}" for f in fields)
        told = f"; {told}" if told else ""
        loss = "the average loss over P samples" if self.model.batch else "the loss"
        if name == "loss":
            return f"Return {loss}{told}."
        if name == "train_step":
            return f"Update params and state in place, return {loss} as it was{told}."
        if name == "loss_and_grad":
            return f"Return {loss} and its gradient{told}."
        if self.model.function is not None:
            told = told.removeprefix("; ")
            listed = " and ".join(shape_text(n.shape) for n in self.model.forward_nodes)
            what = "an array" if self.model.single else "a tuple of arrays"
            return f"Return {what} of shape {listed}" + (f", for {told}." if told else ".")
        shapes = [
            f"{n}, shape {shape_text(node.shape)}"
            for n, node in zip(self.model.forward, self.model.forward_nodes, strict=True)
        ]
        return f"Return {'; '.join(shapes)}{told}."

    def check_call(self, check: str, fields: Sequence[Field]) -> str:
        """Print the call of a check function, which hands the arguments back."""
        arguments = ", ".join([*self.first_argument(), *(f.name for f in fields)])
        single = "," if self.model.function is not None and len(fields) == 1 else ""
        return f"{arguments}{single} = {check}({arguments})" if arguments else f"{check}()"

    def size_lines(self, dialect: Dialect, given: Mapping[Node, str]) -> list[str]:
        """Print the lines that bind the named sizes that a body spelled."""
        lines = []
        for size in sorted(dialect.sized):
            places = (
                (text, axis)
                for node, text in given.items()
                for axis, dim in enumerate(node.shape)
                if dim == named(size)
            )
            text, axis = next(places, ("", 0))
            if not text:
                raise CompileError(
                    f"'{self.model.function or self.model.name}' needs the size {size}, which no "
                    "argument has; add a variable with such an axis to the inputs"
                )
            source = f"{self.names.own('len')}({text})" if axis == 0 else f"{text}.shape[{axis}]"
            lines.append(f"{self.sizes[size]} = {source}")
        return lines

    def scalar(self, text: str) -> str:
        """Spell a rank-0 result as callers get it."""
        return text if self.model.target.needs_device else f"{self.names.own('float')}({text})"

    def tuple_of(self, kind: str, values: Sequence[str]) -> list[str]:
        """Print a NamedTuple of values, over several lines if need be."""
        name = self.names.own(kind)
        line = f"{name}({', '.join(values)})"
        if len(line) <= WIDTH - 24:
            return [line]
        return [f"{name}(", *(f"    {value}," for value in values), ")"]

    def forward_result(self, values: Sequence[str]) -> list[str]:
        """Print the last lines of `forward`."""
        if self.model.function is not None and not self.model.single:
            return [f"return {', '.join(values)}{',' if len(values) == 1 else ''}"]
        if len(values) == 1:
            return [f"return {values[0]}"]
        first, *rest = self.tuple_of("Outputs", values)
        return [f"return {first}", *rest]

    def gradient_result(self, loss: str, writer: Writer) -> list[str]:
        """Print the last lines of `loss_and_grad`."""
        grads = [writer.result(g) for g in self.model.gradients]
        kind = "Params" if self.model.wrt is None else "Grads"
        first, *rest = self.tuple_of(kind, grads)
        return [f"return {self.scalar(loss)}, {first}", *rest]

    def comments(self, made: Plan) -> dict[Node, list[str]]:
        """Return what is said over the first statement of each block, forward and backward."""
        comments: dict[Node, list[str]] = {}
        said: tuple[int | str, bool] | None = None
        told = self.model.comments
        for step in made.steps:
            origin = self.model.program.origins.get(step.node)
            if origin is None or not origin.block:
                continue
            if origin.rule == "step":
                if said != (origin.block, True):
                    comments[step.node] = [f"{origin.block}: step"]
                said = (origin.block, True)
                continue
            backward = origin.rule != "forward"
            if (origin.use, backward) == said:
                continue
            said = (origin.use, backward)
            text = (told.backward if backward else told.forward).get(origin.use)
            if origin.use < 0:
                text = self.model.loss_formula.partition("  ")[0]  # without where P comes from
            text = text or f"{origin.block}: {'backward' if backward else 'forward'}"
            comments[step.node] = [part for line in text.split("\n") for part in _wrapped(line)]
        return comments


def gradient_order(model: Model) -> list[Node]:
    """Return the gradients in the order of the chain rule: last blocks first.

    Within a block they keep the order of declaration.
    """
    groups: dict[object, list[Node]] = {}
    for node in reversed(model.gradients):
        origin = model.program.origins.get(node)
        groups.setdefault(origin.block if origin else None, []).append(node)
    return [node for group in groups.values() for node in reversed(group)]


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Return lines under a function's head; empty ones stay empty."""
    indent = "    " * depth
    return [
        line.moved(indent) if isinstance(line, Line) else f"{indent}{line}" if line else ""
        for line in lines
    ]


def _wrapped(line: str) -> list[str]:
    """Return a line of a comment, in several where it is long."""
    if len(line) <= WIDTH - 8:
        return [line]
    return textwrap.wrap(line, WIDTH - 8, subsequent_indent="    ")


def _docstring(text: str) -> list[str]:
    if len(text) + 10 <= WIDTH:
        return [f'"""{text}"""']
    first, _, rest = text.partition("; ")
    head = textwrap.wrap(f'"""{first}' + ("." if rest else ""), WIDTH - 4)
    tail = textwrap.wrap(f"Takes {rest}", WIDTH - 4) if rest else []
    return [*head, *([""] if tail else []), *tail, '"""']


def _told(f: Field) -> str:
    shape = shape_text(f.shape)
    if f.classes is not None:
        return f"{shape} integers in 0..{f.classes - 1}"
    return shape if f.kind == "real" else f"{shape} {f.kind}s"
