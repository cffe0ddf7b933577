"""What a row of the table of scalar functions is, and what the families write rows with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from graphc.errors import KindError
from graphc.ir.terms import Apply, Num, Term
from graphc.types import Kind, promote

Derivative: TypeAlias = Callable[..., Any]
KindRule: TypeAlias = Callable[..., Kind]
CUT: Literal[None] = None  # piecewise constant: the derivative is 0 wherever it exists


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar function.

    Parameters
    ----------
    name
        Its name in graphc and in the text form.
    derivatives
        One function per argument, from the arguments and the result ``y`` to a term; ``CUT``
        where the derivative is 0 wherever it exists.
    kind
        The kind of the result, from the kinds of the arguments.
    evaluate
        The reference value, in NumPy.
    ufunc
        NumPy's name of it, if it is one of its ufuncs.
    function
        NumPy's name of it, if it is one of its other functions.
    infix
        The operator that Python spells it with, if there is one.
    domain
        Bounds of each argument within which it is real and smooth; for tests.
    discrete
        The places of arguments that stay integers or booleans where the result is real.
    """

    name: str
    derivatives: tuple[Derivative | None, ...]
    kind: KindRule
    evaluate: Callable[..., Any]
    ufunc: str | None = None
    function: str | None = None
    infix: str | None = None
    domain: tuple[tuple[float, float], ...] = ()
    discrete: tuple[int, ...] = ()

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.derivatives)


SCALARS: dict[str, Scalar] = {}


def real(*_: Kind) -> Kind:
    """Real, whatever the arguments."""
    return "real"


def boolean(*_: Kind) -> Kind:
    """Boolean, whatever the arguments."""
    return "boolean"


def promoted(*kinds: Kind) -> Kind:
    """As NumPy promotes."""
    return promote(kinds)


def numeric(*kinds: Kind) -> Kind:
    """As NumPy promotes, but a number: booleans count as integers."""
    return promote((*kinds, "integer"))


def signed(*kinds: Kind) -> Kind:
    """As NumPy promotes; booleans alone have no negative."""
    if all(kind == "boolean" for kind in kinds):
        raise KindError("booleans have no signs; write np.logical_not, np.logical_xor, or 1 * x")
    return promote(kinds)


def bits(*kinds: Kind) -> Kind:
    """Integer or boolean."""
    if "real" in kinds:
        raise KindError("this takes integers or booleans, and has no meaning for real numbers")
    return promote(kinds)


def whole(*kinds: Kind) -> Kind:
    """Integer."""
    return numeric(bits(*kinds))


def divisible(*kinds: Kind) -> Kind:
    """Integer; booleans alone have no divisors."""
    if all(kind == "boolean" for kind in kinds):
        raise KindError("this takes integers; write 1 * x for the numbers 0 and 1")
    return bits(*kinds)


def branches(_: Kind, *kinds: Kind) -> Kind:
    """The kind of the two branches of a condition."""
    return promote(kinds)


def ordered(order: Kind, *_: Kind) -> Kind:
    """Real, for functions whose first argument is a whole number."""
    if order != "integer":
        raise KindError(f"the order is a whole number, not {order}")
    return "real"


def row(
    name: str,
    *derivatives: Derivative | None,
    kind: KindRule = real,
    evaluate: Callable[..., Any] | None = None,
    ufunc: str | None = None,
    function: str | None = None,
    infix: str | None = None,
    domain: tuple[tuple[float, float], ...] = (),
    discrete: tuple[int, ...] = (),
) -> None:
    """Add a row; a function that NumPy has under the same name needs no `evaluate`."""
    if evaluate is None:
        if function is None:
            ufunc = ufunc or name
        evaluate = getattr(np, ufunc or name)
    SCALARS[name] = Scalar(
        name, derivatives, kind, evaluate, ufunc, function, infix, domain, discrete
    )


def fn(name: str) -> Callable[..., Term]:
    """Return the term constructor of a function of the table."""
    return lambda *args: Apply(name, tuple(a if isinstance(a, Term) else Num(a) for a in args))


HALF = Num(Fraction(1, 2))
PI = Apply("pi", ())

ANY = (-3.0, 3.0)
POSITIVE = (0.1, 5.0)
INSIDE = (-0.9, 0.9)
