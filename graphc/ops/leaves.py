"""Leaves: inputs, constants, and what a size alone determines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count as counter
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from graphc.errors import KindError
from graphc.ir.nodes import Node
from graphc.ir.terms import Extent, Num, Ref, Term
from graphc.ops.rules import Element, Indices, Sizes, define
from graphc.types import Dim, Kind, TensorType, count

if TYPE_CHECKING:
    import numpy.typing as npt

_declarations = counter()
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
        If the value is not an array of real numbers, integers or booleans.
    """
    array = np.asarray(value)
    kinds: dict[str, Kind] = {"f": "real", "i": "integer", "u": "integer", "b": "boolean"}
    kind = kinds.get(array.dtype.kind)
    if kind is None:
        raise KindError(f"a constant holds real numbers, integers or booleans, not {array.dtype}")
    data = np.ascontiguousarray(array, _DTYPES[kind]).tobytes()
    made: Node = Constant((), data, TensorType(array.shape, kind))
    return made


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
    value = scalar_value(node)
    return Ref(node, indices) if value is None else Num(value)


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
