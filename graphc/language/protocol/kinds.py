"""Kinds of numbers: astype, copies, and what is known of a variable before it is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import ShapeError, UsageError
from graphc.language.protocol.shapes import broadcast_variable
from graphc.language.protocol.tables import FUNCTIONS, F, as_number, implements, no_options
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable, as_variable, build
from graphc.ops.elementwise import as_real, elementwise
from graphc.types import Dim, Kind, Shape, normal_axes, size_of

# Narrower types would round or wrap around otherwise than what is emitted.
_KINDS: dict[str, Kind] = {
    "float64": "real",
    "float32": "real",
    "int64": "integer",
    "int32": "integer",
    "bool": "boolean",
}


def kind_of(dtype: Any) -> Kind:
    """Return the kind that a dtype of NumPy's stands for; its width is the program's.

    Raises
    ------
    UsageError
        If it stands for none.
    """
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in _KINDS:
        raise UsageError(
            f"{here()}: variables are float, int or bool, not {name}; how many bits numbers have "
            "is for gc.compile(..., dtype=...) to say"
        )
    return _KINDS[name]


def converted(value: Any, dtype: Any) -> Variable:
    """Return numbers as those of a dtype: real ones towards 0 where they become integers."""
    v = as_variable(value)
    kind = v.kind if dtype is None or dtype is np._NoValue else kind_of(dtype)
    if kind == v.kind:
        return v
    if kind == "boolean":
        return v != 0
    if kind == "real":
        return build("astype", as_real, (v,))
    if v.kind == "boolean":
        return build("astype", as_number, (v,))
    return build("astype", lambda x: elementwise("integer", x), (v,))


def real_from(value: Any, dtype: Any, function: str) -> Any:
    """Return numbers as they are where a dtype, if given, stands for real ones."""
    if dtype is not None and dtype is not np._NoValue and kind_of(dtype) != "real":
        raise UsageError(
            f"{here()}: np.{function} on variables gives real numbers; for others write "
            "v.astype(int) of the result"
        )
    return value


def summands(value: Any, dtype: Any) -> Variable:
    """Return numbers as those of a dtype, to be added up or multiplied."""
    if dtype is not None and dtype is not np._NoValue and kind_of(dtype) == "boolean":
        raise UsageError(f"{here()}: booleans are not summed; np.any and np.all combine them")
    return converted(value, dtype)


@implements(np.astype)
def astype(x: Any, dtype: Any, /, **rest: Any) -> Variable:
    """Return real numbers, integers or booleans; integers are rounded towards 0.

    A method of arrays takes more, which says how they lie in memory, and is ignored.
    """
    for name in ("copy", "device", "order", "casting", "subok"):
        rest.pop(name, None)
    no_options("astype", rest)
    return converted(x, dtype)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Variable:
    """Return the same: nothing is ever written into a variable."""
    return as_variable(a)


def like(value: Any, x: Variable) -> Variable:
    """Return a number as one of the kind of `x`, as assignment converts it."""
    number = as_variable(value)
    if x.kind == "real":
        return build("real", as_real, (number,))
    if number.kind == "real":
        raise UsageError(f"{here()}: {value!r} is no number of the kind {x.kind}")
    return number


# What is known before anything is computed. None of these is an operator.


def _known(*functions: Any) -> Callable[[F], F]:
    """Register what NumPy says of arrays without looking at their numbers."""

    def register(implementation: F) -> F:
        FUNCTIONS.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


@_known(np.shape)
def shape(a: Any) -> Shape:
    """Return the shape for one sample."""
    return as_variable(a).shape


@_known(np.ndim)
def ndim(a: Any) -> int:
    """Return the number of axes."""
    return as_variable(a).ndim


@_known(np.size)
def size(a: Any, axis: Any = None) -> Dim:
    """Return the number of elements, or how many there are along axes."""
    dims = as_variable(a).shape
    return size_of([dims[k] for k in normal_axes(axis, len(dims))])


@_known(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """Say that there are no complex numbers."""
    return True


@_known(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """Say that there are no complex numbers."""
    return False


@implements(np.isreal)
def isreal(x: Any) -> Variable:
    """Say of each element that it is real."""
    v = as_variable(x)
    return broadcast_variable(True, v.shape)


@implements(np.iscomplex)
def iscomplex(x: Any) -> Variable:
    """Say of no element that it is complex."""
    v = as_variable(x)
    return broadcast_variable(False, v.shape)


@implements(np.imag)
def imag(val: Any) -> Variable:
    """Return zeros: there are no complex numbers."""
    return OPERATORS["zeros_like"](val)


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Variable:
    """Return the angle of real numbers: 0, and π of negative ones."""
    v = as_variable(z)
    return OPERATORS["where"](v < 0, 180.0 if deg else np.pi, v * 0.0)


def _filled_like(name: str, value: float) -> Any:
    def like(a: Any, dtype: Any = None, order: Any = None, subok: Any = None, shape: Any = None,
             *, device: Any = None) -> Variable:  # fmt: skip
        return full_like(a, value, dtype, order, subok, shape, device=device)

    like.__name__ = name
    return like


@implements(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = None,
    subok: Any = None,
    shape: Any = None,
    *,
    device: Any = None,
) -> Variable:
    """Return an array of the same shape and kind, or of others, filled with one value."""
    no_options("full_like", {"device": device})
    x = converted(a, dtype)
    return broadcast_variable(like(fill_value, x), x.shape if shape is None else shape)


implements(np.zeros_like, np.empty_like)(_filled_like("zeros_like", 0))
implements(np.ones_like)(_filled_like("ones_like", 1))


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Variable:
    """Say whether two arrays have one shape and the same elements."""
    x, y = as_variable(a1), as_variable(a2)
    if x.shape != y.shape:
        return as_variable(False)
    same = x == y
    return OPERATORS["all"](same | ((x != x) & (y != y)) if equal_nan else same)


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> Variable:
    """Say whether two arrays have the same elements once broadcast."""
    x, y = as_variable(a1), as_variable(a2)
    try:
        return OPERATORS["all"](x == y)
    except ShapeError:
        return as_variable(False)


@implements(np.allclose)
def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Variable:
    """Say whether all elements agree up to ``atol + rtol * abs(b)``."""
    return OPERATORS["all"](OPERATORS["isclose"](a, b, rtol, atol, equal_nan))
