"""What a node kind has to say of itself: one record, every field required."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NoReturn, TypeAlias, TypeVar

import numpy as np

from graphc.errors import DerivativeError
from graphc.ir.nodes import TYPE_RULES, Node, topological
from graphc.ir.terms import Term
from graphc.types import Dim, TensorType

N = TypeVar("N", bound=Node)
Indices: TypeAlias = tuple[Term, ...]
Element: TypeAlias = Callable[[int, Indices], Term]
Sizes: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that graphc knows about a node kind.

    Parameters
    ----------
    type
        ``type(node)``: shape and kind of the result; raises ShapeError or KindError.
    cuts
        ``cuts(node, i)``: whether no derivative passes from the result to operand `i`, because
        one of the two is discrete or the function is piecewise constant.
    vjp
        ``vjp(node, i, g)``: the cotangent of operand `i`, for the cotangent `g` of the result.
        Linear in `g`. Asked only where nothing cuts. Of a kind with several results `g` is a
        bundle (:mod:`graphc.ops.several`).
    jvp
        ``jvp(node, tangents)``: the tangent of the result, ``None`` for zeros, for those of the
        operands, ``None`` where there is none or something cuts; one at least is not. `derived`
        where it is the transpose of the VJP, which is nearly everywhere.
    batch
        ``batch(node, args, batched, size)``: the node on operands of which those flagged carry a
        leading sample axis of `size`; at least one does, and so does the result, or every one
        of several.
    meaning
        ``meaning(node, indices, element)``: the term of the result's element at `indices`, where
        ``element(i, indices)`` is the term of an element of operand `i`.
    evaluate
        ``evaluate(node, values, sizes)``: the reference value, in NumPy, written for obviousness.
    """

    type: Callable[[Any], TensorType]
    cuts: Callable[[Any, int], bool]
    vjp: Callable[[Any, int, Node], Node]
    jvp: Callable[[Any, Sequence[Any]], Node | None]
    batch: Callable[[Any, Sequence[Node], Sequence[bool], Dim], Node]
    meaning: Callable[[Any, Indices, Element], Term]
    evaluate: Callable[[Any, Sequence[Any], Sizes], Any]


RULES: dict[type[Node], Rules] = {}


def define(kind: type[Node], **rules: Callable[..., Any]) -> None:
    """Register the rules of a node kind; a missing or unknown one is an error at import."""
    expected = {f.name for f in fields(Rules)}
    if rules.keys() != expected:
        wrong = ", ".join(sorted(rules.keys() ^ expected))
        raise TypeError(f"{kind.__name__} must define exactly the rules of Rules; check {wrong}")
    RULES[kind] = Rules(**rules)
    TYPE_RULES[kind] = rules["type"]


def derived(node: Node, tangents: Sequence[Node | None]) -> NoReturn:
    """Stand for the transpose of the VJP, which :mod:`graphc.calculus.derived` takes."""
    raise AssertionError("not called: the calculus transposes the VJP instead")


def undefined(why: str) -> Callable[..., NoReturn]:
    """Return a rule that says why there is none when it is used."""

    def rule(node: Node, *_: object) -> NoReturn:
        raise DerivativeError(f"{type(node).__name__.lower()}: {why}")

    return rule


def cuts_discrete(node: Node, i: int) -> bool:
    """Cut where the result or the operand is not real: the rule of most kinds."""
    return node.kind != "real" or node.args[i].kind != "real"


def evaluate(outputs: Sequence[Node], values: Mapping[Node, Any], sizes: Sizes) -> list[Any]:
    """Return the reference values of `outputs`, in float64, given those of the leaves."""
    known = dict(values)
    with np.errstate(all="ignore"):
        for node in topological(outputs, tuple(known)):
            if node not in known:
                operands = [known[arg] for arg in node.args]
                known[node] = RULES[type(node)].evaluate(node, operands, sizes)
    return [known[node] for node in outputs]
