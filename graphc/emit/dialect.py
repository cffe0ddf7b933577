"""Spellings and what they depend on: precedence, numbers, sizes, the file's own names.

A spelling is text with the precedence of its outermost operator, so that parentheses stand where
Python needs them and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from graphc.emit.naming import Namer
from graphc.emit.targets import Target
from graphc.ir.nodes import Node
from graphc.ops.leaves import Constant, scalar_value
from graphc.ops.opaque import Foreign
from graphc.types import Dim, Shape, evaluate, names_in

ATOM, POWER, UNARY, TIMES, PLUS, SHIFT, AND, XOR, OR, COMPARE = 20, 14, 13, 12, 11, 10, 9, 8, 7, 6


PRECEDENCE = {
    "+": PLUS,
    "-": PLUS,
    "*": TIMES,
    "/": TIMES,
    "//": TIMES,
    "%": TIMES,
    "@": TIMES,
    "**": POWER,
    "<<": SHIFT,
    ">>": SHIFT,
    "&": AND,
    "^": XOR,
    "|": OR,
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
    wide
        Whether real numbers are float64, in which the special functions are computed.
    foreign
        The users' functions that are called, by their names in the file.
    sized
        The named sizes that were spelled, to be bound in the function's first lines.
    classes
        The inputs of which the file checks that they are numbers of classes.
    told
        What the formulas in the file's comments call constant arrays.
    """

    target: Target
    fast: bool
    names: Namer
    sizes: Mapping[str, Dim]
    constants: dict[Node, str]
    helpers: dict[str, str]
    fixed: dict[str, str]
    wide: bool = True
    foreign: dict[str, Foreign] = field(default_factory=dict)
    sized: set[str] = field(default_factory=set)
    classes: frozenset[Node] = frozenset()
    told: Mapping[Node, str] = field(default_factory=dict)

    @property
    def lib(self) -> str:
        """The array module's name in the file."""
        return self.names.own(self.target.alias)

    @property
    def dtype(self) -> str:
        """The name of the file's dtype."""
        return self.names.own("DTYPE")

    def dtype_of(self, node: Node) -> str:
        """Spell the dtype of a new array of a node's kind."""
        if node.kind == "real":
            return self.dtype
        return self.names.own("bool") if node.kind == "boolean" else f"{self.lib}.int64"

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
        told = dialect.told.get(node, f"constant{len(dialect.constants)}")
        name = dialect.constants[node] = f"_{told}"
    # What lives on a device is made at its first use, so that importing the file needs none.
    return Spelled(f"{name}()" if dialect.target.needs_device else name)


def typed(node: Node, of: Speller, dialect: Dialect) -> Spelled:
    """Spell an operand that must bring the file's dtype with it."""
    value = scalar_value(node)
    if value is None or node.kind != "real":
        return of(node)
    return Spelled(f"{dialect.dtype}({number(value, dialect).text})")
