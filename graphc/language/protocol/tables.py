"""Where NumPy finds what its functions do on variables.

Families register their functions with :func:`implements`; NumPy finds them through
``__array_ufunc__`` and ``__array_function__``, Python's operators through ``OPERATORS``.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, TypeVar

import numpy as np

from graphc.errors import GraphcError, UsageError
from graphc.ir.nodes import Node
from graphc.language.indexing import index
from graphc.language.source import here
from graphc.language.variable import OPERATORS, Variable
from graphc.ops.elementwise import elementwise
from graphc.ops.leaves import constant
from graphc.ops.scalars import SCALARS

F = TypeVar("F", bound=Callable[..., Any])


FUNCTIONS: dict[Any, Callable[..., Any]] = {}


# By name, so that SciPy's special functions are recognised without importing SciPy. Rows of whole
# order (iv, polygamma, exprel) stand for several ufuncs, or mean something else there.
_BY_ORDER = ("polygamma", "iv", "ive", "jv", "spherical_jn", "exprel")
_OWN = ("real", "pi", "relu", "softplus", "sigmoid", "log_sigmoid", "stop_gradient")
UFUNCS = {
    row.ufunc or name: name
    for name, row in SCALARS.items()
    if name not in (*_BY_ORDER, *_OWN) and row.function is None
} | {
    "abs": "absolute",
    "true_divide": "divide",
    "degrees": "rad2deg",
    "radians": "deg2rad",
    "mod": "remainder",
    "bitwise_not": "invert",
    "clip": "clip",
    "expit": "sigmoid",
    "log_expit": "log_sigmoid",
    "psi": "digamma",
    **{
        name: name
        for name in ("positive", "conjugate", "fabs", "float_power", "divmod", "modf", "round")
    },
    **{name: name for name in ("i0", "i0e", "i1", "i1e", "exprel")},
}


def implements(*functions: Any) -> Callable[[F], F]:
    """Register what a NumPy function does on variables."""

    def register(implementation: F) -> F:
        for function in functions:
            FUNCTIONS[function] = implementation
        OPERATORS.setdefault(implementation.__name__, implementation)
        return implementation

    return register


def apply_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """Apply a ufunc, or one of its methods."""
    name = ufunc.__name__
    given = {k: v for k, v in options.items() if _UFUNC_DEFAULTS.get(k, _ABSENT) is not v}
    if "out" in given:
        no_options(name, {"out": given["out"]})
    if method != "__call__":
        return UFUNC_METHODS[method](ufunc, *inputs, **given)
    dtype = given.pop("dtype", None)
    if dtype is not None:
        found = apply_ufunc(ufunc, method, *map(_as_real, inputs), **given)
        if dtype not in (float, np.float64, np.float32) or getattr(found, "kind", "") != "real":
            no_options(name, {"dtype": dtype})
        return found
    if name in ("matmul", "vecdot", "matvec", "vecmat"):
        return OPERATORS[name](*inputs, **given)
    no_options(name, given)
    if name in COMPOSED:
        return COMPOSED[name](*inputs)
    if name not in UFUNCS:
        why = REFUSED.get(name, f"does not work on graphc variables; {OTHERWISE}")
        raise UsageError(f"{here()}: the ufunc {name} {why}")
    return OPERATORS[UFUNCS[name]](*inputs)


_ABSENT = object()
_UFUNC_DEFAULTS: dict[str, Any] = {"where": True, "casting": "same_kind", "order": "K",
                                   "subok": True, "dtype": None, "signature": None}  # fmt: skip

# What the methods of ufuncs do, and ufuncs that are no rows of the scalar table.
UFUNC_METHODS: dict[str, Callable[..., Any]] = {}
COMPOSED: dict[str, Callable[..., Any]] = {}

OTHERWISE = "gc.opaque makes a block of any function of arrays, and vjp= gives its derivative"

REFUSED = {
    "nextafter": "has no meaning for real numbers; compute the bound with NumPy beforehand",
    "spacing": "has no meaning for real numbers; use np.finfo(dtype).eps * np.abs(x)",
    "frexp": "does not work on graphc variables; write n = np.floor(np.log2(np.abs(x))) + 1",
    "isnat": "is about dates, which graphc has none of",
    "bitwise_count": "does not work on graphc variables; there are &, |, ^, ~, << and >>",
    "loggamma": "is complex; use gammaln",
}

# Why a function of NumPy's does not work, and what to do.
WHY: dict[Any, str] = {}


def apply_function(function: Any, args: Any, options: Any) -> Any:
    """Apply one of NumPy's other functions."""
    implementation = FUNCTIONS.get(function)
    if implementation is None:
        why = WHY.get(function, f"does not work on graphc variables; {OTHERWISE}")
        raise UsageError(f"{here()}: {told(function)} {why}")
    if options:
        options = _chosen(function, implementation, options)
    try:
        return implementation(*args, **options)
    except TypeError as error:
        trace = error.__traceback__
        if isinstance(error, GraphcError) or trace is None or trace.tb_next is not None:
            raise
        # The arguments do not fit the implementation's: no line of it has run.
        raise UsageError(
            f"{here()}: {told(function)} on variables is called otherwise: "
            f"{signature(implementation)}"
        ) from None


def told(function: Any) -> str:
    """Return a function of NumPy's as users write it."""
    module = str(getattr(function, "__module__", "numpy")).replace("numpy", "np", 1)
    return f"{module}.{getattr(function, '__name__', function)}"


def _chosen(function: Any, implementation: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that say something: what NumPy does without them anyway is left out."""
    known = signature(implementation).parameters
    given = {k: v for k, v in options.items() if k in known or not _is_default(function, k, v)}
    rest = [p for p in known.values() if p.kind is Parameter.VAR_KEYWORD]
    if not rest:
        no_options(getattr(function, "__name__", ""),
                   {k: v for k, v in given.items() if k not in known})  # fmt: skip
        given = {k: v for k, v in given.items() if k in known}
    return given


def _is_default(function: Any, name: str, value: Any) -> bool:
    try:
        default = signature(function).parameters[name].default
    except (ValueError, KeyError):  # some functions do not tell
        default = _UFUNC_DEFAULTS.get(name, _ABSENT)
    plain = isinstance(value, bool | int | float | str)
    return value is default or (plain and type(value) is type(default) and value == default)


OPERATORS["ufunc"] = apply_ufunc


OPERATORS["function"] = apply_function


OPERATORS["getitem"] = index


_HINTS = {
    "out": "use the result: nothing is written into variables",
    "dtype": "v.astype(float), v.astype(int) and v.astype(bool) make others of numbers, and "
    "gc.compile(..., dtype=...) says how many bits they have",
    "where": "write np.where(condition, a, b), which chooses between values",
    "casting": "numbers are promoted as NumPy does by default",
    "order": "variables do not lie in memory yet",
    "subok": "variables have no subclasses",
    "copy": "nothing is written into variables, so none needs a copy",
    "device": "gc.compile(..., target=...) chooses the device",
    "weights": "repeat elements or sort them with np.argsort and sum their weights",
    "axes": "move the axes first, with np.moveaxis",
    "hermitian": "write np.linalg.eigh of symmetric matrices",
}


def no_options(function: str, given: dict[str, Any]) -> None:
    """Refuse options of NumPy's that mean nothing on variables, and say what to do instead."""
    wrong = [
        name for name, value in given.items() if value is not None and value is not np._NoValue
    ]
    if wrong:
        hints = [_HINTS[name] for name in wrong if name in _HINTS]
        hint = f"; {hints[0]}" if hints else ""
        raise UsageError(f"{here()}: np.{function} on variables takes no {', '.join(wrong)}={hint}")


def _as_real(value: Any) -> Variable:
    return OPERATORS["astype"](value, float)


def as_number(node: Node) -> Node:
    """Return a node that can be summed: booleans count as integers."""
    if node.kind != "boolean":
        return node
    return elementwise("where", node, constant(1), constant(0))
