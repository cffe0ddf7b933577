"""Expressions: how a node is spelled, given how its operands are.

A spelling is text with the precedence of its outermost operator, so that parentheses stand where
Python needs them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from graphc.emit.forms import host_scalars, is_fixed, is_mask
from graphc.emit.naming import Namer
from graphc.emit.targets import Target
from graphc.errors import CompileError
from graphc.ir.nodes import Node, topological
from graphc.ops.contraction import Contraction, Labels
from graphc.ops.elementwise import Elementwise
from graphc.ops.indexing import Gather, ScatterAdd
from graphc.ops.leaves import Constant, Iota, Size, constant, scalar_value
from graphc.ops.reduction import Reduction, kept
from graphc.ops.scalars import SCALARS
from graphc.ops.structural import Reshape, Slice, Span
from graphc.types import Dim, Dimension, Shape, evaluate, names_in, size_of

ATOM, POWER, UNARY, TIMES, PLUS, COMPARE = 20, 14, 13, 12, 11, 6
PRECEDENCE = {
    "+": PLUS,
    "-": PLUS,
    "*": TIMES,
    "/": TIMES,
    "//": TIMES,
    "%": TIMES,
    "@": TIMES,
    "**": POWER,
    ">": COMPARE,
    ">=": COMPARE,
    "<": COMPARE,
    "<=": COMPARE,
    "==": COMPARE,
    "!=": COMPARE,
}


@dataclass(frozen=True, slots=True)
class Spelled:
    """Source text and the precedence of its outermost operator."""

    text: str
    precedence: int = ATOM

    def within(self, precedence: int) -> str:
        """Return the text, in parentheses if it binds less tightly than `precedence`."""
        return self.text if self.precedence >= precedence else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What spelling depends on beside the node.

    Parameters
    ----------
    sizes
        How named sizes are spelled.
    constants
        The module-level names of constant arrays.
    helpers
        Helper functions that were spelled, name and source, to be carried in the file.
    fixed
        Module-level arrays of one number that fast code takes its operands from, name and source.
    sized
        The named sizes that were spelled, to be bound in the function's first lines.
    """

    target: Target
    fast: bool
    names: Namer
    sizes: Mapping[str, Dim]
    constants: dict[Node, str]
    helpers: dict[str, str]
    fixed: dict[str, str]
    sized: set[str] = field(default_factory=set)

    @property
    def lib(self) -> str:
        """The array module's name in the file."""
        return self.names.own(self.target.alias)

    @property
    def dtype(self) -> str:
        """The name of the file's dtype."""
        return self.names.own("DTYPE")

    def dim(self, dim: Dim) -> str:
        """Spell a size."""
        self.sized.update(names_in(dim))
        return str(evaluate(dim, self.sizes))

    def number(self, value: float) -> str:
        """Spell a number as an array without axes: ufuncs take it as it is, Python's convert."""
        name = "_" + repr(value).replace("-", "m").replace(".", "_").replace("+", "")
        name = name.removesuffix("_0")
        self.fixed[name] = f"{self.lib}.array({number(value, self).text}, {self.dtype})"
        return name

    def ones(self, size: int) -> str:
        """Spell a vector of ones."""
        name = f"_ones{size}"
        self.fixed[name] = f"{self.lib}.ones({size}, {self.dtype})"
        return name

    def factor(self, dim: Dim) -> Spelled:
        """Spell a size as an operand."""
        text = self.dim(dim)
        return Spelled(text, ATOM if text.isidentifier() or text.isdecimal() else PLUS)

    def shape(self, shape: Shape) -> str:
        """Spell a shape, as NumPy takes it."""
        inner = ", ".join(self.dim(dim) for dim in shape)
        return inner if len(shape) == 1 else f"({inner})"


Speller = Callable[[Node], Spelled]


def spell(node: Node, of: Speller, dialect: Dialect, alone: Callable[[Node], bool]) -> Spelled:
    """Spell a node whose operands `of` spells; `alone` says what has no name and one user."""
    match node:
        case Constant():
            return spell_constant(node, dialect)
        case Size():
            return dialect.factor(node.size)
        case Iota():
            return Spelled(f"{dialect.lib}.arange({dialect.dim(node.size)})")
        case Elementwise():
            return _elementwise(node, of, dialect)
        case Contraction():
            return _contraction(node, of, dialect)
        case Reduction():
            return _reduction(node, of, dialect)
        case Reshape():
            return _reshape(node, of, dialect, alone)
        case Slice():
            return Spelled(f"{of(node.args[0]).within(ATOM)}[{_spans(node, dialect)}]")
        case Gather():
            x = of(node.args[0]).within(ATOM)
            return Spelled(f"{x}[{places(node, of, dialect)}]")
    raise CompileError(f"{type(node).__name__} cannot be written as an expression")


def number(value: float | int | bool, dialect: Dialect) -> Spelled:
    """Spell a number; whole ones without a point, for arrays keep their own dtype beside it."""
    if isinstance(value, bool):
        return Spelled(repr(value))
    if value != value:
        return Spelled(f"{dialect.lib}.nan")
    if value in (float("inf"), float("-inf")):
        text = f"{dialect.lib}.inf"
        return Spelled(text) if value > 0 else Spelled(f"-{text}", UNARY)
    whole = value == int(value) and abs(value) < 1e6 and str(value) != "-0.0"
    text = str(int(value)) if whole else repr(value)
    return Spelled(text, UNARY if text.startswith("-") else ATOM)


def spell_constant(node: Constant, dialect: Dialect) -> Spelled:
    """Spell a number as it is, an array by its name in the file."""
    value = scalar_value(node)
    if value is not None:
        return number(value, dialect)
    name = dialect.constants.get(node)
    if name is None:
        name = dialect.constants[node] = f"_constant{len(dialect.constants)}"
    # What lives on a device is made at its first use, so that importing the file needs none.
    return Spelled(f"{name}()" if dialect.target.needs_device else name)


def typed(node: Node, of: Speller, dialect: Dialect) -> Spelled:
    """Spell an operand that must bring the file's dtype with it."""
    value = scalar_value(node)
    if value is None or node.kind != "real":
        return of(node)
    return Spelled(f"{dialect.dtype}({number(value, dialect).text})")


def quick_operands(node: Elementwise, of: Speller, dialect: Dialect) -> Speller:
    """Return a speller that gives fast code its numbers as arrays without axes."""
    if not dialect.fast or not node.shape or all(arg.kind != "real" for arg in node.args):
        return of

    def spelled(arg: Node) -> Spelled:
        value = scalar_value(arg)
        if value is None or isinstance(value, bool) or not isfinite(value):
            return of(arg)
        return Spelled(dialect.number(float(value)))

    return spelled


def _elementwise(node: Elementwise, of: Speller, dialect: Dialect) -> Spelled:
    of = quick_operands(node, of, dialect)
    function, args, lib = node.function, node.args, dialect.lib
    row = SCALARS[function]
    if function == "real":
        return Spelled(f"{of(args[0]).within(ATOM)}.astype({dialect.dtype})")
    if function == "where":
        c, a, b = args
        if scalar_value(a) is not None and scalar_value(b) is not None:
            branches = f"{typed(a, of, dialect).text}, {of(b).text}"
        else:
            branches = f"{of(a).text}, {of(b).text}"
        return Spelled(f"{lib}.where({of(c).text}, {branches})")
    if function == "negative":
        return Spelled(f"-{of(args[0]).within(UNARY)}", UNARY)
    if function == "square" and not dialect.fast:
        return Spelled(f"{of(args[0]).within(POWER + 1)}**2", POWER)
    if function == "reciprocal":
        return Spelled(
            f"{of(constant(1.0)).within(TIMES)} / {of(args[0]).within(TIMES + 1)}", TIMES
        )
    if function == "relu":
        return Spelled(f"{lib}.maximum({of(args[0]).text}, {of(constant(0.0)).text})")
    if function == "multiply":
        args = _masks(args)
    if row.infix is not None:
        precedence = PRECEDENCE[row.infix]
        # Right operands bind one tighter: a - (b - c); comparisons never chain; a power's base.
        left = of(args[0]).within(precedence + (row.infix == "**" or precedence == COMPARE))
        right = of(args[1]).within(precedence + (row.infix != "**"))
        tight = "" if row.infix == "**" else " "
        return Spelled(f"{left}{tight}{row.infix}{tight}{right}", precedence)
    inner = ", ".join(of(arg).text for arg in args)
    if row.ufunc is not None:
        return Spelled(f"{lib}.{row.ufunc}({inner})")
    return Spelled(f"{helper(function, dialect)}({inner})")


def _masks(args: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return the operands of a product, a mask as the booleans that it is."""
    a, b = args
    if is_mask(b) and not is_mask(a) and a.shape:
        return a, b.args[0]
    if is_mask(a) and not is_mask(b) and b.shape:
        return a.args[0], b
    return args


# Functions that NumPy lacks: source (after formatting with the library's name) and accuracy.
HELPERS = {
    "sigmoid": '''def {name}(x):
    """1 / (1 + exp(-x)); exp only of what is not positive, so that it cannot overflow."""
    e = {lib}.exp(-{lib}.abs(x))
    return {lib}.where(x >= 0, 1, e) / (1 + e)
''',
    "softplus": '''def {name}(x):
    """log(1 + exp(x)); exp only of what is not positive, so that it cannot overflow."""
    return {lib}.maximum(x, 0) + {lib}.log1p({lib}.exp(-{lib}.abs(x)))
''',
    "log_sigmoid": '''def {name}(x):
    """log(1 / (1 + exp(-x))); exp only of what is not positive, so that it cannot overflow."""
    return {lib}.minimum(x, 0) - {lib}.log1p({lib}.exp(-{lib}.abs(x)))
''',
}


def helper(function: str, dialect: Dialect) -> str:
    """Return the name of a helper function; enter its source among those the file carries."""
    if function not in HELPERS:
        raise CompileError(f"'{function}' has no spelling for {dialect.target.title}")
    name = f"_{function}"
    dialect.helpers[name] = HELPERS[function].format(name=name, lib=dialect.lib)
    return name


ROW_EXTREME = '''def {name}(x):
    """Return the {what} element of each row; many short rows are read quicker by columns."""
    return {lib}.{ufunc}.reduce(x.copy("F") if {len}(x) > 32 else x, 1)
'''


def row_extreme(function: str, dialect: Dialect) -> str:
    """Return the name of the helper for the extreme of each row; enter its source."""
    name = f"_row_{function}"
    what, ufunc = ("largest", "maximum") if function == "max" else ("smallest", "minimum")
    dialect.helpers[name] = ROW_EXTREME.format(
        name=name, what=what, ufunc=ufunc, lib=dialect.lib, len=dialect.names.own("len")
    )
    return name


def _contraction(node: Contraction, of: Speller, dialect: Dialect) -> Spelled:
    if len(node.args) == 2:
        a, b = node.args
        if dialect.fast and max(a.type.rank, b.type.rank) <= 2:
            return Spelled(f"{of(a).within(ATOM)}.dot({of(b).text})")
        return Spelled(f"{of(a).within(TIMES)} @ {of(b).within(TIMES + 1)}", TIMES)
    (arg,), (labels,) = node.args, node.inputs
    if len(set(node.output)) < len(node.output) and labels:
        return Spelled(f"{dialect.lib}.diag({of(arg).text})")
    if node.extents:
        return _repeated(node, arg, labels, of, dialect)
    x = of(arg).within(ATOM)
    if len(set(labels)) < len(labels):
        letters = "".join(map(_letter, labels)), "".join(map(_letter, node.output))
        return Spelled(f'{dialect.lib}.einsum("{letters[0]}->{letters[1]}", {of(arg).text})')
    if len(node.output) == len(labels):
        order = tuple(labels.index(label) for label in node.output)
        if order == tuple(reversed(range(len(order)))):
            return Spelled(f"{x}.T")
        return Spelled(f"{x}.transpose({', '.join(map(str, order))})")
    axes = tuple(a for a, label in enumerate(labels) if label not in node.output)
    return _summed(x, of(arg).text, axes, arg.type.rank, False, dialect)


def _summed(
    x: str, bare: str, axes: tuple[int, ...], rank: int, keepdims: bool, dialect: Dialect
) -> Spelled:
    return _along("sum", "add", x, bare, axes, rank, keepdims, dialect)


def _along(
    method: str,
    ufunc: str | None,
    x: str,
    bare: str,
    axes: tuple[int, ...],
    rank: int,
    keepdims: bool,
    dialect: Dialect,
) -> Spelled:
    """Spell a reduction: a method where it is read, the ufunc's own reduce where it is fast."""
    whole = len(axes) == rank
    axis = str(axes[0]) if len(axes) == 1 else str(axes)
    if dialect.fast and ufunc is not None and dialect.target.name == "numpy":
        keep = ", keepdims=True" if keepdims else ""
        over = "None" if whole and rank != 1 else axis
        return Spelled(f"{dialect.lib}.{ufunc}.reduce({bare}, {over}{keep})")
    options = [] if whole and not keepdims else [f"axis={axis}"]
    options += ["keepdims=True"] if keepdims else []
    return Spelled(f"{x}.{method}({', '.join(options)})")


def _letter(label: int) -> str:
    return chr(ord("a") + label) if label < 26 else chr(ord("A") + label - 26)


def _repeated(
    node: Contraction, arg: Node, labels: Labels, of: Speller, dialect: Dialect
) -> Spelled:
    value = scalar_value(arg)
    lib, shape = dialect.lib, dialect.shape(node.shape)
    if len(set(node.output)) < len(node.output):
        return Spelled(f"{lib}.eye({dialect.dim(node.shape[0])}, dtype={dialect.dtype})")
    if is_fixed(node) and dialect.fast:
        return Spelled(dialect.ones(node.shape[0]))  # type: ignore[arg-type]
    if not labels:
        if value in (0, 1) and node.kind == "real":
            return Spelled(f"{lib}.{'ones' if value else 'zeros'}({shape}, {dialect.dtype})")
        dtype = f", {dialect.dtype}" if node.kind == "real" else ""
        return Spelled(f"{lib}.full({shape}, {of(arg).text}{dtype})")
    first = min(node.output.index(label) for label in labels)
    order = [label for label in node.output if label in labels]
    x = of(arg).within(ATOM)
    if tuple(order) != labels:
        axes = ", ".join(str(labels.index(label)) for label in order)
        x = f"{x}.transpose({axes})"
    keys = [":" if label in labels else "None" for label in node.output[first:]]
    key = f"[{', '.join(keys)}]" if "None" in keys else ""
    return Spelled(f"{lib}.broadcast_to({x}{key}, {shape})")


METHODS: Mapping[str, str | None] = {
    "max": "maximum",
    "min": "minimum",
    "prod": "multiply",
    "any": "logical_or",
    "all": "logical_and",
    "argmax": None,
    "argmin": None,
}


def _reduction(node: Reduction, of: Speller, dialect: Dialect, keepdims: bool = False) -> Spelled:
    if node.function not in METHODS:
        raise CompileError(f"'{node.function}' is written in parts; the pass `expand` did not run")
    x = of(node.args[0])
    rank = node.args[0].type.rank
    if dialect.fast and node.function in ("max", "min") and rank == 2 and node.axes == (1,):
        call = f"{row_extreme(node.function, dialect)}({x.text})"
        return Spelled(f"{call}[:, None]" if keepdims else call)
    ufunc = METHODS[node.function]
    return _along(node.function, ufunc, x.within(ATOM), x.text, node.axes, rank, keepdims, dialect)


def reduces(node: Node) -> tuple[int, ...] | None:
    """Return the axes over which a node is a plain sum or reduction, else None."""
    if isinstance(node, Reduction) and node.function in METHODS:
        return node.axes if METHODS[node.function] else None
    if isinstance(node, Contraction) and len(node.args) == 1 and not node.extents:
        (labels,) = node.inputs
        rest = tuple(label for label in labels if label in node.output)
        if len(set(labels)) == len(labels) and rest == node.output != labels:
            return tuple(a for a, label in enumerate(labels) if label not in node.output)
    return None


def keeps_dims(node: Node) -> bool:
    """Return whether a node only puts the axes back that its operand reduced."""
    if not isinstance(node, Reshape):
        return False
    (inner,) = node.args
    axes = reduces(inner)
    return axes is not None and node.target == kept(inner.args[0].shape, axes)


def _reshape(
    node: Reshape, of: Speller, dialect: Dialect, alone: Callable[[Node], bool]
) -> Spelled:
    (arg,) = node.args
    if keeps_dims(node) and alone(arg):
        x, axes = of(arg.args[0]), reduces(arg)
        assert axes is not None
        if isinstance(arg, Reduction):
            return _reduction(arg, of, dialect, keepdims=True)
        rank = arg.args[0].type.rank
        return _summed(x.within(ATOM), x.text, axes, rank, True, dialect)
    key = _unit_axes(arg.shape, node.target)
    if isinstance(arg, Slice) and alone(arg):
        return _sliced(arg, node.target, of, dialect) or _reshaped(node, of, dialect)
    if key is not None and arg.shape:
        return Spelled(f"{of(arg).within(ATOM)}[{', '.join(key)}]")
    return _reshaped(node, of, dialect)


def _reshaped(node: Reshape, of: Speller, dialect: Dialect) -> Spelled:
    (arg,) = node.args
    if not arg.shape:
        shape = dialect.shape(node.target)
        if arg in host_scalars(topological([arg])):  # a Python number brings no dtype with it
            return Spelled(f"{dialect.lib}.full({shape}, {of(arg).text}, {dialect.dtype})")
        return Spelled(f"{dialect.lib}.reshape({of(arg).text}, {shape})")
    sizes = [dialect.dim(dim) for dim in node.target]
    text = sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"
    return Spelled(f"{of(arg).within(ATOM)}.reshape({text})")


def _unit_axes(old: Shape, new: Shape) -> list[str] | None:
    """Return the key that inserts and drops axes of size 1, or None if more is to be done."""
    key: list[str] = []
    i = 0
    for dim in new:
        while i < len(old) and old[i] == 1 and dim != 1:
            key.append("0")
            i += 1
        if i < len(old) and old[i] == dim:
            key.append(":")
            i += 1
        elif dim == 1:
            key.append("None")
        else:
            return None
    if any(dim != 1 for dim in old[i:]):
        return None
    key += ["0"] * (len(old) - i)
    while key and key[-1] == ":" and len(key) > 1:
        key.pop()
    return key


def _sliced(node: Slice, target: Shape, of: Speller, dialect: Dialect) -> Spelled | None:
    """Spell a slice of which axes of one element are dropped: ``x[0, 1:]``."""
    rest = list(target)
    parts = []
    for span, dim in zip(node.spans, node.args[0].shape, strict=True):
        if rest and rest[0] == span[1]:
            rest.pop(0)
            parts.append(_span(span, dim, dialect))
        elif span[1] == 1:
            parts.append(dialect.dim(span[0]))
        else:
            return None
    if rest:
        return None
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return Spelled(f"{of(node.args[0]).within(ATOM)}[{', '.join(parts)}]")


def _spans(node: Any, dialect: Dialect) -> str:
    shape = node.args[0].shape if isinstance(node, Slice) else node.target
    parts = [_span(span, dim, dialect) for span, dim in zip(node.spans, shape, strict=True)]
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _span(span: Span, dim: Dim, dialect: Dialect) -> str:
    first, length, step = span
    if (first, length, step) == (0, dim, 1):
        return ":"
    last = first + (length - 1) * step + (1 if step > 0 else -1)
    start = "" if first == 0 and step > 0 else dialect.dim(first)
    open_end = last == dim if step > 0 else (isinstance(last, int) and last < 0)
    if length == 0:
        return "0:0"
    stop = "" if open_end else dialect.dim(last)
    return f"{start}:{stop}" + (f":{step}" if step != 1 else "")


def places(node: Gather | ScatterAdd, of: Speller, dialect: Dialect) -> str:
    """Spell the index of what a gather reads, ``np.arange(P), y``."""
    index = node.args[1]
    if node.batch == 0:
        return ", ".join([":"] * node.axis + [of(index).text])
    keys = []
    for axis in range(node.batch):
        tail = "[:" + ", None" * (index.type.rank - axis - 1) + "]"
        run = f"{dialect.lib}.arange({dialect.dim(index.shape[axis])})"
        keys.append(run + (tail if tail != "[:]" else ""))
    return ", ".join([*keys, of(index).text])


def pad_place(node: Any, dialect: Dialect) -> str:
    """Spell where a pad puts its operand."""
    return _spans(node, dialect)


def is_mean(node: Node) -> Node | None:
    """Return x where a node is the mean over all of x."""
    if not (isinstance(node, Elementwise) and node.function == "divide"):
        return None
    top, bottom = node.args
    axes = reduces(top)
    if axes is None or not isinstance(top, Contraction) or top.shape:
        return None
    count = size_of(top.args[0].shape)
    known = scalar_value(bottom)
    same = bottom.size == count if isinstance(bottom, Size) else known == count
    return top.args[0] if same and not isinstance(known, Dimension) else None
