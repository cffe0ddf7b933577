"""Where NumPy finds what its functions do on variables.

Families register their functions with :func:`implements`; NumPy finds them through
``__array_ufunc__`` and ``__array_function__``, Python's operators through ``OPERATORS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from graphc.errors import UsageError
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
_BY_ORDER = ("polygamma", "iv", "ive", "spherical_jn", "exprel")
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


def apply_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Variable:
    """Apply a ufunc, or the ``reduce`` of one that is a reduction."""
    if options.get("out") is not None:
        raise UsageError(f"{here()}: out= would assign into a variable; use the result instead")
    name = ufunc.__name__
    if method == "reduce" and name in ("add", "maximum", "minimum", "multiply"):
        reducer = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}[name]
        return OPERATORS[reducer](*inputs, **{"axis": 0, **options})
    if method != "__call__":
        raise UsageError(f"{here()}: np.{name}.{method} does not work on variables")
    if options:
        raise UsageError(f"{here()}: np.{name} on variables takes no {', '.join(options)}=")
    if name in ("matmul", "vecdot", "matvec", "vecmat"):
        return OPERATORS[name](*inputs)
    if name not in UFUNCS:
        why = REFUSED.get(name, "is none of the functions that work on graphc variables")
        raise UsageError(f"{here()}: the ufunc {name} {why}")
    return OPERATORS[UFUNCS[name]](*inputs)


REFUSED = {
    "nextafter": "has no meaning for real numbers; compute the bound with NumPy beforehand",
    "spacing": "has no meaning for real numbers; use np.finfo(dtype).eps * np.abs(x)",
    "frexp": "does not work on graphc variables; write n = np.floor(np.log2(np.abs(x))) + 1",
    "isnat": "is about dates, which graphc has none of",
    "bitwise_count": "does not work on graphc variables; there are &, |, ^, ~, << and >>",
    "loggamma": "is complex; use gammaln",
}


def apply_function(function: Any, args: Any, options: Any) -> Any:
    """Apply one of NumPy's other functions."""
    implementation = FUNCTIONS.get(function)
    if implementation is None:
        module = str(getattr(function, "__module__", "numpy")).replace("numpy", "np", 1)
        name = getattr(function, "__name__", function)
        raise UsageError(f"{here()}: {module}.{name} does not work on graphc variables")
    return implementation(*args, **options)


OPERATORS["ufunc"] = apply_ufunc


OPERATORS["function"] = apply_function


OPERATORS["getitem"] = index


def no_options(function: str, given: dict[str, Any]) -> None:
    """Refuse options of NumPy's that mean nothing on variables."""
    wrong = [
        name for name, value in given.items() if value is not None and value is not np._NoValue
    ]
    if wrong:
        raise UsageError(f"{here()}: np.{function} on variables takes no {', '.join(wrong)}=")


def as_number(node: Node) -> Node:
    """Return a node that can be summed: booleans count as integers."""
    if node.kind != "boolean":
        return node
    return elementwise("where", node, constant(1), constant(0))
