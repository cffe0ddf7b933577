"""The value of a formula in SymPy's form, at one place: sums are axes of arrays."""

from functools import cache, reduce

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from graphc.ops.scalars import SCALARS

_OF_TWO = {"KroneckerDelta": lambda a, b: np.equal(a, b) * 1.0, "Mod": np.mod,
           "GreaterThan": np.greater_equal, "LessThan": np.less_equal,
           "StrictGreaterThan": np.greater, "StrictLessThan": np.less,
           "Equality": lambda a, b: np.isclose(a, b, rtol=1e-12, atol=0),
           "Unequality": lambda a, b: ~np.isclose(a, b, rtol=1e-12, atol=0)}  # fmt: skip
_OF_MANY = {"Add": np.add, "Mul": np.multiply, "Max": np.maximum, "Min": np.minimum,
            "And": np.logical_and, "Or": np.logical_or}  # fmt: skip

_REDUCED = {"Sum": np.sum, "Product": np.prod, "max": np.max, "min": np.min}


@cache
def _compiled(function, count):
    letters = sp.symbols(f"x:{count}")
    return sp.lambdify(letters, function(*letters), ["scipy", "numpy"])


def value_of(expression, arrays, places):
    """Return the value of an expression.

    Parameters
    ----------
    arrays
        The values of tensors, by name.
    places
        The values of indices, by name.
    """

    def of(part, at, depth):
        extreme = isinstance(part, AppliedUndef) and isinstance(part.args[-1], sp.Tuple)
        if isinstance(part, sp.Sum | sp.Product) or extreme:
            runs = [part.args[-1]] if extreme else list(part.limits)
            inner, deep = dict(at), depth
            for index, low, high in runs:
                size = int(high - low) + 1
                inner[index.name] = np.arange(size).reshape(size, *(1,) * deep)
                deep += 1
            shape = [int(high - low) + 1 for _, low, high in runs][::-1]
            body = np.asarray(of(part.args[0], inner, deep), float)
            body = body.reshape((1,) * (deep - body.ndim) + body.shape)
            whole = np.broadcast_to(body, (*shape, *body.shape[len(shape) :]))
            reduced = _REDUCED[type(part).__name__]
            return reduced(whole, axis=tuple(range(len(shape))))
        if isinstance(part, sp.Indexed):
            array = arrays[part.base.name]
            found = [np.asarray(of(i, at, depth)).astype(int) for i in part.indices]
            near = [np.clip(i, 0, n - 1) for i, n in zip(found, array.shape, strict=True)]
            inside = [i == n for i, n in zip(found, near, strict=True)]
            return np.where(reduce(np.logical_and, inside), array[tuple(near)], np.nan)
        if isinstance(part, sp.Symbol):
            return at[part.name] if part.name in at else arrays[part.name]
        if part in (sp.true, sp.false):
            return bool(part)
        if part.is_number and not part.has(AppliedUndef):
            return complex(part).real if part.is_finite is not False else float(part)
        if isinstance(part, sp.Piecewise):
            cases = [(of(e, at, depth), of(c, at, depth)) for e, c in part.args]
            return reduce(lambda other, case: np.where(case[1], case[0], other), cases[::-1], 0.0)
        args = [of(a, at, depth) for a in part.args]
        name = type(part).__name__
        if name in _OF_TWO:
            return _OF_TWO[name](*args)
        if name in _OF_MANY:
            return reduce(_OF_MANY[name], args)
        if isinstance(part, sp.floor):  # SymPy divides exactly: 7/3 + 2/3 is 3
            return np.floor(np.asarray(args[0], float) + 1e-9)
        if isinstance(part, sp.Pow):
            return np.power(np.asarray(args[0], float), args[1])
        if isinstance(part, AppliedUndef):
            if name in ("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "gcd", "lcm"):
                args = [np.asarray(a).astype(int) for a in args]
            return SCALARS[name].evaluate(*args)
        return _compiled(part.func, len(args))(*args)

    with np.errstate(all="ignore"):
        return of(expression, dict(places), 0)
