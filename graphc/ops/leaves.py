"""Leaves: inputs, constants, and what a size alone determines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count as counter
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from graphc.errors import GraphcError, KindError, ShapeError
from graphc.ir.nodes import Node
from graphc.ir.terms import Delta, Extent, Num, Ref, Term
from graphc.ops.rules import Element, Indices, Sizes, define
from graphc.types import Dim, Kind, TensorType, count

if TYPE_CHECKING:
    import numpy.typing as npt

_declarations = counter()
LARGEST = 2**63 - 1
_DTYPES: dict[Kind, str] = {"real": "<f8", "integer": "<i8", "boolean": "|b1"}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Input(Node):
    """A tensor given from outside; two declarations are two inputs, whatever they look like."""

    uid: int
    declared: TensorType
    properties: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Constant(Node):
    """A fixed array, held as bytes so that ``0.0`` and ``-0.0`` stay apart."""

    data: bytes
    declared: TensorType

    @property
    def value(self) -> npt.NDArray[Any]:
        """The array, read-only."""
        return np.frombuffer(self.data, _DTYPES[self.declared.kind]).reshape(
            [count(dim, {}) for dim in self.declared.shape]
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Iota(Node):
    """The integers 0 to `size` − 1."""

    size: Dim


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Size(Node):
    """A dimension, as a real number."""

    size: Dim


def new_input(type_: TensorType, properties: tuple[str, ...] = ()) -> Node:
    """Return an input that is not any other; see `ops.properties` for what may be declared."""
    made: Node = Input((), next(_declarations), type_, properties)
    return made


def constant(value: object) -> Node:
    """Return a fixed array as a node.

    Raises
    ------
    KindError
        If the value is not an array of real numbers, integers or booleans, or if an integer does
        not fit into 64 bits.
    ShapeError
        If rows are of different lengths.
    """
    array = plain_array(value, "a constant")
    kinds: dict[str, Kind] = {"f": "real", "i": "integer", "u": "integer", "b": "boolean"}
    kind = kinds[array.dtype.kind]
    if array.dtype == np.uint64 and array.size and array.max() > LARGEST:
        raise KindError(_too_large(array.max()))
    data = np.ascontiguousarray(array, _DTYPES[kind]).tobytes()
    made: Node = Constant((), data, TensorType(array.shape, kind))
    return made


def plain_array(value: object, told: str) -> npt.NDArray[Any]:
    """Return an array of numbers or booleans.

    Parameters
    ----------
    told
        What a message calls it.

    Raises
    ------
    KindError
        If it holds anything else, or if a mask would be lost.
    ShapeError
        If rows are of different lengths.
    """
    if hasattr(value, "filled") and np.any(getattr(value, "mask", False)):
        raise KindError(
            f"{told} has no mask: write value.filled(0.0), and the mask itself into np.where"
        )
    try:
        array = np.asarray(value)
    except GraphcError:
        raise
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise ShapeError(f"{told} is no array: {error}") from None
        raise ShapeError(
            f"the rows of {told} have different lengths: pad them to one length, or take one "
            "array for each"
        ) from None
    except OverflowError:
        raise KindError(_too_large(value)) from None
    if array.dtype.kind in "fiub":
        return array
    if isinstance(value, int):
        raise KindError(_too_large(value))
    hint = _HINTS.get(array.dtype.kind, "")
    if array.dtype.kind == "O":
        hint = _hint_of_objects(array)
    raise KindError(f"{told} holds real numbers, integers or booleans, not {array.dtype}{hint}")


_HINTS = {
    "c": "; write the real and the imaginary part as two arrays",
    "M": "; write times as numbers, such as days since a start",
    "m": "; write durations as numbers, such as value / np.timedelta64(1, 's')",
    "U": "; text becomes numbers as classes, one integer for each word",
    "S": "; text becomes numbers as classes, one integer for each word",
    "V": "; write one array for each field",
}


def _hint_of_objects(array: npt.NDArray[Any]) -> str:
    """Return what to write instead of an array of objects."""
    held = list(array.reshape(-1))
    large = [item for item in held if isinstance(item, int) and not -LARGEST <= item <= LARGEST]
    if large:
        return f"; {_too_large(large[0])}"
    others = [item for item in held if not isinstance(item, int | float)] or held
    kind = f" ({type(others[0]).__name__})" if others else ""
    return f"{kind}; write np.asarray(..., float) if they are numbers"


def _too_large(value: object) -> str:
    return f"integers have 64 bits, and {value} does not fit: write a real number, as {value}.0"


def scalar_value(node: Node) -> float | int | bool | None:
    """Return the value of a constant of rank 0, else None."""
    if isinstance(node, Constant) and not node.declared.shape:
        value: float | int | bool = node.value.item()
        return value
    return None


def as_number(dim: Dim) -> Node:
    """Return a dimension as a real number of rank 0."""
    if isinstance(dim, int):
        return constant(float(dim))
    made: Node = Size((), dim)
    return made


def _never(node: Node, *_: object) -> NoReturn:
    raise AssertionError(f"{type(node).__name__} has no operands")


def _no_cut(node: Node, i: int) -> bool:
    _never(node)


def _constant_meaning(node: Constant, indices: Indices, element: Element) -> Term:
    value = scalar_value(node) if not node.declared.shape else _repeated(node)
    if value is not None:
        return Num(value)
    return Delta(*indices) if _is_identity(node) else Ref(node, indices)


def is_spelled(node: Constant) -> bool:
    """Return whether formulas write a constant as what it is: a number, or I; others have names."""
    return not node.declared.shape or _repeated(node) is not None or _is_identity(node)


def _repeated(node: Constant) -> float | int | bool | None:
    """Return the one finite number that a constant repeats, if it does."""
    data = node.data
    first = data[: np.dtype(_DTYPES[node.declared.kind]).itemsize]
    if not data or data[-len(first) :] != first or data != first * (len(data) // len(first)):
        return None
    value: float | int | bool = node.value.flat[0].item()
    return value if isfinite(value) else None


def _is_identity(node: Constant) -> bool:
    """Return whether a constant is an identity matrix."""
    rows, *columns = node.declared.shape or (0,)
    if not rows or columns != [rows] or node.declared.kind == "boolean" or node.value[0, 0] != 1:
        return False
    return bool((node.value == np.eye(len(node.value))).all())


def _unset(node: Node, values: Sequence[Any], sizes: Sizes) -> NoReturn:
    raise AssertionError("an input has no value of its own")


_leaf: dict[str, Any] = {"cuts": _no_cut, "vjp": _never, "jvp": _never, "batch": _never}
define(
    Input,
    type=lambda node: node.declared,
    meaning=lambda node, indices, element: Ref(node, indices),
    evaluate=_unset,
    **_leaf,
)
define(
    Constant,
    type=lambda node: node.declared,
    meaning=_constant_meaning,
    evaluate=lambda node, values, sizes: node.value,
    **_leaf,
)
define(
    Iota,
    type=lambda node: TensorType((node.size,), "integer"),
    meaning=lambda node, indices, element: indices[0],
    evaluate=lambda node, values, sizes: np.arange(count(node.size, sizes)),
    **_leaf,
)
define(
    Size,
    type=lambda node: TensorType(()),
    meaning=lambda node, indices, element: Extent(node.size),
    evaluate=lambda node, values, sizes: np.float64(count(node.size, sizes)),
    **_leaf,
)
