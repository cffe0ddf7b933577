"""Variables: what users hold in their hands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import local
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np

from graphc.errors import GraphcError, ShapeError, UsageError
from graphc.ir.identity import Identity
from graphc.ir.nodes import Node
from graphc.language.display import mimebundle
from graphc.language.source import Source, called, here
from graphc.ops.leaves import constant as constant_node
from graphc.suggestions import instead_of
from graphc.types import Dim, Shape, shape_text, size_of

Role: TypeAlias = Literal["observed", "parameter", "latent", "constant", "computed", "expression"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was said of a variable when it was declared.

    Parameters
    ----------
    init
        How a parameter starts; see :func:`graphc.parameter`.
    classes
        The number of values of a class label.
    draws
        The distribution of noise.
    """

    role: Role
    per_sample: bool = False
    label: str | None = None
    init: Any = None
    classes: int | None = None
    draws: str | None = None


@dataclass(frozen=True, slots=True)
class Derivation:
    """That a variable is a derivative, and of what: the formulas go their own way from here."""

    rule: Literal["grad", "jacobian"]
    of: Variable
    by: Variable


@dataclass(eq=False, slots=True)
class Call:
    """One use of a block: what went in and what came out.

    Parameters
    ----------
    block
        What was called; has a ``function`` name, a ``name`` or None, a ``kind``.
    inputs
        The arguments, then the variables that the body took from around it.
    parameters
        The block's own parameters by their short names.
    parent
        The call in whose body this one was made.
    blocks_made
        How many blocks its body has made so far.
    inside
        Of a loop: the calls that its step makes.
    owners
        For the parameters of blocks inside, by their short names here: the name of the innermost
        block, and their short names there.
    """

    block: Any
    inputs: tuple[Variable, ...]
    parameters: dict[str, Variable]
    parent: Call | None
    where: Source
    outputs: tuple[Variable, ...] = ()
    blocks_made: int = 0
    inside: tuple[Call, ...] = ()
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["function", "cost"]:
        """Whether this is a deterministic function or a cost."""
        kind: Literal["function", "cost"] = self.block.kind
        return kind

    def describe(self) -> str:
        """Return the block's name as a message names it."""
        return f"block '{self.block.name or self.block.function}'"


class Scope:
    """The call whose body runs; bodies nest, and each thread has its own."""

    def __init__(self) -> None:
        self._local = local()

    @property
    def current(self) -> Call | None:
        """The innermost call."""
        call: Call | None = getattr(self._local, "call", None)
        return call

    @current.setter
    def current(self, call: Call | None) -> None:
        self._local.call = call


SCOPE = Scope()


class Variable(Identity):
    """A tensor of a model: declared, or computed from others.

    Arithmetic and NumPy's functions build further variables; nothing is computed. A variable
    stands for one sample.
    """

    __slots__ = (
        "__weakref__",
        "call",
        "declaration",
        "definition",
        "derivation",
        "name",
        "node",
        "operands",
        "operation",
        "scope",
        "where",
    )
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(
        self,
        node: Node,
        *,
        name: str | None = None,
        declaration: Declaration | None = None,
        operands: tuple[Variable, ...] = (),
        operation: str = "",
        call: Call | None = None,
        derivation: Derivation | None = None,
    ) -> None:
        self.node = node
        self.name = name
        self.declaration = declaration or Declaration("expression")
        self.operands = operands
        self.operation = operation
        self.call = call
        self.scope = SCOPE.current
        self.where = here()
        self.derivation = derivation
        self.definition: Variable | None = None

    @property
    def shape(self) -> Shape:
        """The shape for one sample: integers and named sizes."""
        return self.node.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.node.type.rank

    @property
    def kind(self) -> str:
        """``"real"``, ``"integer"`` or ``"boolean"``."""
        return self.node.kind

    @property
    def role(self) -> Role:
        """How it came to be: ``"observed"``, ``"parameter"``, ..., ``"expression"``."""
        return self.declaration.role

    @property
    def T(self) -> Variable:
        """The transpose."""
        return OPERATORS["transpose"](self)

    def define(self, expression: Variable) -> Variable:
        """Say what a variable made by :func:`graphc.computed` is; return it.

        Raises
        ------
        CycleError
            If the expression depends on this variable; the message names the blocks in order.
        ShapeError, KindError
            If shape or kind are not those that were declared.
        """
        return OPERATORS["define"](self, expression)

    def describe(self) -> str:
        """Return the variable as a message names it."""
        if self.name is not None:
            return f"'{self.name}'"
        if self.call is not None:
            return f"the output of {self.call.describe()}"
        return f"the result of '{self.operation}'" if self.operation else "an expression"

    def __repr__(self) -> str:
        named_call = self.call is not None and self.call.kind == "cost" and self.call.block.name
        name = self.name or named_call or self.operation or "expression"
        if self.call is not None and name == "expression":
            return f"<{self.describe()}: {self.kind} {shape_text(self.shape)}>"
        return f"<{self.role} {name}: {self.kind} {shape_text(self.shape)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return mimebundle(self)

    # Operators; the functions themselves stand in `protocol`, which fills the table.
    def __add__(self, other: Any) -> Variable:
        return OPERATORS["add"](self, other)

    def __radd__(self, other: Any) -> Variable:
        return OPERATORS["add"](other, self)

    def __sub__(self, other: Any) -> Variable:
        return OPERATORS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Variable:
        return OPERATORS["subtract"](other, self)

    def __mul__(self, other: Any) -> Variable:
        return OPERATORS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Variable:
        return OPERATORS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Variable:
        return OPERATORS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return OPERATORS["divide"](other, self)

    def __floordiv__(self, other: Any) -> Variable:
        return OPERATORS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Variable:
        return OPERATORS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Variable:
        return OPERATORS["remainder"](self, other)

    def __rmod__(self, other: Any) -> Variable:
        return OPERATORS["remainder"](other, self)

    def __pow__(self, other: Any) -> Variable:
        return OPERATORS["power"](self, other)

    def __rpow__(self, other: Any) -> Variable:
        return OPERATORS["power"](other, self)

    def __divmod__(self, other: Any) -> tuple[Variable, Variable]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Variable, Variable]:
        return other // self, other % self

    def __matmul__(self, other: Any) -> Variable:
        return OPERATORS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return OPERATORS["matmul"](other, self)

    def __neg__(self) -> Variable:
        return OPERATORS["negative"](self)

    def __pos__(self) -> Variable:
        return OPERATORS["positive"](self)

    def __round__(self, decimals: int = 0) -> Variable:
        return OPERATORS["round"](self, decimals)

    def __floor__(self) -> Variable:
        return OPERATORS["floor"](self)

    def __ceil__(self) -> Variable:
        return OPERATORS["ceil"](self)

    def __trunc__(self) -> Variable:
        return OPERATORS["trunc"](self)

    def __abs__(self) -> Variable:
        return OPERATORS["absolute"](self)

    def __lt__(self, other: Any) -> Variable:
        return OPERATORS["less"](self, other)

    def __le__(self, other: Any) -> Variable:
        return OPERATORS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Variable:
        return OPERATORS["greater"](self, other)

    def __ge__(self, other: Any) -> Variable:
        return OPERATORS["greater_equal"](self, other)

    def __eq__(self, other: Any) -> Variable:  # type: ignore[override]
        return OPERATORS["equal"](self, other)

    def __ne__(self, other: Any) -> Variable:  # type: ignore[override]
        return OPERATORS["not_equal"](self, other)

    def __and__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_and"](self, other)

    def __rand__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_and"](other, self)

    def __or__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_or"](self, other)

    def __ror__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_or"](other, self)

    def __xor__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_xor"](self, other)

    def __rxor__(self, other: Any) -> Variable:
        return OPERATORS["bitwise_xor"](other, self)

    def __lshift__(self, other: Any) -> Variable:
        return OPERATORS["left_shift"](self, other)

    def __rlshift__(self, other: Any) -> Variable:
        return OPERATORS["left_shift"](other, self)

    def __rshift__(self, other: Any) -> Variable:
        return OPERATORS["right_shift"](self, other)

    def __rrshift__(self, other: Any) -> Variable:
        return OPERATORS["right_shift"](other, self)

    def __invert__(self) -> Variable:
        return OPERATORS["invert"](self)

    def __getitem__(self, key: Any) -> Variable:
        return OPERATORS["getitem"](self, key)

    def sum(self, *args: Any, **options: Any) -> Variable:
        """Return :func:`numpy.sum` of this variable, with its options."""
        found: Variable = self._applied(np.sum, *args, **options)
        return found

    def mean(self, *args: Any, **options: Any) -> Variable:
        """Return :func:`numpy.mean` of this variable, with its options."""
        found: Variable = self._applied(np.mean, *args, **options)
        return found

    def max(self, *args: Any, **options: Any) -> Variable:
        """Return :func:`numpy.max` of this variable, with its options."""
        found: Variable = self._applied(np.max, *args, **options)
        return found

    def min(self, *args: Any, **options: Any) -> Variable:
        """Return :func:`numpy.min` of this variable, with its options."""
        found: Variable = self._applied(np.min, *args, **options)
        return found

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> Variable:
        """Return :func:`numpy.reshape` of this variable."""
        chosen = shape[0] if len(shape) == 1 else shape
        return OPERATORS["reshape"](self, chosen, order=order, copy=copy)

    def transpose(self, *axes: Any) -> Variable:
        """Return :func:`numpy.transpose` of this variable."""
        chosen = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return OPERATORS["transpose"](self, chosen or None)

    def dot(self, other: Any) -> Variable:
        """Return :func:`numpy.dot` of this variable and another."""
        return OPERATORS["dot"](self, other)

    def flatten(self, order: str = "C") -> Variable:
        """Return all elements as a vector."""
        return OPERATORS["ravel"](self, order)

    @property
    def mT(self) -> Variable:
        """The transposes of matrices in a stack: the last two axes exchanged."""
        return OPERATORS["matrix_transpose"](self)

    @property
    def real(self) -> Variable:
        """The variable itself: there are no complex numbers."""
        return self

    @property
    def imag(self) -> Variable:
        """Zeros: there are no complex numbers."""
        return OPERATORS["imag"](self)

    @property
    def size(self) -> Dim:
        """The number of elements for one sample."""
        return size_of(self.shape)

    def __getattr__(self, name: str) -> Any:
        # Methods that arrays have beside functions of the same name and arguments.
        if name in METHODS:
            return partial(self._applied, METHODS[name])
        raise AttributeError(_missing(name))

    def _applied(self, function: Any, *args: Any, **options: Any) -> Any:
        return function(self, *args, **options)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *METHODS})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return OPERATORS["ufunc"](ufunc, method, *inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return OPERATORS["function"](function, args, options)

    # What only an array can do.
    def __bool__(self) -> bool:
        self._refuse(
            "has no truth value before it is computed",
            "np.where(condition, a, b), np.maximum(a, b) or np.logical_and(a, b)",
        )

    def __float__(self) -> float:
        self._refuse(
            "has no number before it is computed",
            "gc.compile(...) or gc.compile_function([...], [...]) and call the result",
        )

    def __int__(self) -> int:
        return int(self.__float__())

    def __index__(self) -> int:
        return int(self.__float__())

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        library = called()
        if library is not None:
            package, function = library
            found = instead_of(function, FUNCTION_NAMES) if function else None
            hint = (
                f"write {found}"
                if found
                else (
                    "write np.linalg's, or gc.solve_triangular, gc.expm, gc.softmax, ..., "
                    "or make a block of it with gc.opaque"
                )
            )
            raise UsageError(
                f"{here()}: {function or 'this function'} of {package} takes arrays alone, got "
                f"{self.describe()}; {hint}"
            )
        self._refuse(
            "cannot be put into an array",
            "np.stack([...]) or np.concatenate([...]), or gc.compile(...) to compute its numbers,",
        )

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self._refuse(
            "cannot be assigned into", "np.where(condition, new, old), which makes a new variable"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise UsageError(f"{here()}: {self.describe()} is a scalar: it has no length")
        rows = self.shape[0]
        if not isinstance(rows, int):
            self._refuse(f"has {rows} rows, a size known only when it is called", "v.shape[0]")
        return rows

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def _refuse(self, why: str, instead: str) -> NoReturn:
        said = f"variable {self.describe()}" if self.name else self.describe()
        raise UsageError(f"{here()}: {said} {why}; write {instead} instead")


OPERATORS: dict[str, Callable[..., Variable]] = {}

# What users call, for hints: `graphc/__init__.py` fills it in.
FUNCTION_NAMES: list[str] = []

METHODS = {name: getattr(np, name) for name in (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip",
    "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "nonzero", "prod",
    "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "swapaxes", "take", "trace",
    "var",
)}  # fmt: skip

# What arrays and tensors of other libraries have, and what to write instead.
_INSTEAD = {
    "sort": "np.sort(v), which makes a new variable: nothing is sorted in place",
    "partition": "np.partition(v, kth), which makes a new variable",
    "fill": "np.full_like(v, value), which makes a new variable",
    "put": "gc.at_set(v, key, values), which makes a new variable",
    "resize": "np.resize(v, shape), which makes a new variable",
    "at": "gc.at_set(v, key, value) or gc.at_add(v, key, value)",
    "dtype": "v.kind; gc.compile(..., dtype=...) says how many bits numbers have",
    "flat": "v.ravel()",
    "itemsize": "gc.compile(..., dtype=...), which says how many bits numbers have",
    "nbytes": "v.size; gc.compile(..., dtype=...) says how many bits numbers have",
    "view": "v.reshape(...)",
    "unsqueeze": "np.expand_dims(v, axis), or v[None]",
    "permute": "v.transpose(...)",
    "detach": "gc.stop_gradient(v)",
    "numpy": "gc.compile(...) or gc.compile_function(...), which compute numbers",
    "cpu": "gc.compile(..., target=...), which chooses the device",
    "cuda": 'gc.compile(..., target="cupy")',
    "to": "gc.compile(..., target=..., dtype=...)",
    "float": "v.astype(float)",
    "double": "v.astype(float)",
    "long": "v.astype(int)",
    "int": "v.astype(int)",
    "bool": "v.astype(bool)",
    "backward": "prog.loss_and_grad(...) of a compiled graph, or gc.grad(cost, v)",
    "grad": "gc.grad(cost, v)",
    "requires_grad": "gc.parameter(...) for what is trained",
    "norm": "np.linalg.norm(v)",
    "softmax": "gc.softmax(v, axis)",
    "log_softmax": "gc.log_softmax(v, axis)",
    "logsumexp": "gc.logsumexp(v, axis)",
    "sigmoid": "gc.sigmoid(v)",
    "relu": "gc.relu(v)",
    "dim": "v.ndim",
    "t": "v.T",
    "mm": "v @ w",
    "matmul": "v @ w",
    "expand": "np.broadcast_to(v, shape)",
    "item": "gc.compile(...) or gc.compile_function(...), which compute numbers",
    "tolist": "gc.compile(...) or gc.compile_function(...), which compute numbers",
}


def _missing(name: str) -> str:
    """Return the sentence for an attribute that variables lack."""
    said = f"a variable has no attribute {name!r}"
    if name in _INSTEAD:
        return f"{said}; write {_INSTEAD[name]}"
    if name.startswith("_"):
        return said
    if callable(getattr(np, name, None)) and not isinstance(getattr(np, name), type):
        return f"{said}; write np.{name}(v)"
    from difflib import get_close_matches

    near = get_close_matches(name, [*METHODS, *vars(Variable)], 1)
    return f"{said}; did you mean {near[0]!r}?" if near else said


def as_variable(value: Any) -> Variable:
    """Return `value` as a variable: an array or number becomes a constant."""
    if isinstance(value, Variable):
        return value
    try:
        node = constant_node(value)
    except UsageError:
        raise
    except GraphcError as error:
        raise error.within(str(here())) from None
    return Variable(node, declaration=Declaration("constant"))


def build(
    operation: str, make: Callable[..., Node], operands: Sequence[Any], *rest: Any
) -> Variable:
    """Return the variable that `make` builds from the nodes of `operands`.

    Here a fault of the inner layers meets what the user wrote: the line, the block, the
    variables and their shapes.
    """
    variables = tuple(as_variable(value) for value in operands)
    try:
        node = make(*(v.node for v in variables), *rest)
    except GraphcError as error:
        listed = " and ".join(f"{v.describe()} {shape_text(v.shape)}" for v in variables)
        inside = f", in {SCOPE.current.describe()}" if SCOPE.current else ""
        raise error.within(f"{here()}: '{operation}' of {listed}{inside}") from None
    return Variable(node, operands=variables, operation=operation)


def check_same(got: Sequence[Dim], expected: Sequence[Dim], what: str) -> None:
    """Raise a ShapeError that names both shapes unless they are equal."""
    if tuple(got) != tuple(expected):
        raise ShapeError(f"{what} has shape {shape_text(got)}, expected {shape_text(expected)}")


def declared_at(variable: Variable) -> int:
    """Return the place of a variable in the order of declarations; -1 for what is computed."""
    uid: int = getattr(variable.node, "uid", -1)
    return uid
