"""Gradients where back-propagation gives none: estimators, and which of them a graph admits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from graphc.blocks.activations import log_softmax
from graphc.blocks.checks import check_noise, same_shape, within
from graphc.calculus import reverse
from graphc.errors import ShapeError, UsageError
from graphc.ir.nodes import Node, topological
from graphc.language.derive import stop_gradient
from graphc.language.functions import function
from graphc.language.graph import Graph, check_graph
from graphc.language.reaching import first_cut
from graphc.language.variable import Variable
from graphc.ops.opaque import Opaque
from graphc.types import shape_text


@function
def straight_through(hard: Variable, soft: Variable) -> Any:
    """Return `hard`, with the derivative of `soft` in place of its own.

    Bengio, Léonard and Courville (2013), "Estimating or propagating gradients through stochastic
    neurons". The estimate is biased.

    Raises
    ------
    ShapeError
        If the two have different shapes.
    """
    if hard.shape != soft.shape:
        raise ShapeError(
            f"straight_through takes two of one shape, got {shape_text(hard.shape)} and "
            f"{shape_text(soft.shape)}"
        )
    return soft + stop_gradient(hard * 1.0 - soft)


@function
def categorical_sample(logits: Variable, noise: Variable) -> Any:
    """Return a class drawn with probabilities ``softmax(logits)``: the Gumbel-max trick.

    `noise`, of the shape of the logits, is standard Gumbel: ``gc.noise(name, shape, "gumbel")``.
    The class is an integer, so no derivative passes; see :func:`reinforce`.
    """
    same_shape("categorical_sample", logits=logits, noise=noise)
    check_noise(noise, "gumbel", "categorical_sample")
    return np.argmax(logits + noise, axis=-1)


@function
def categorical_log_prob(logits: Variable, y: Variable) -> Any:
    """Return the logarithm of the probability of class y, where ``softmax(logits)`` holds all."""
    return log_softmax(logits)[within(y, logits.shape[0], "categorical_log_prob", "y")]


@function
def normal_log_prob(x: Variable, mean: Variable, std: Variable) -> Any:
    """Return the logarithm of the density of x, independent normals, summed over all elements."""
    deviation = (x - mean) / std
    return -np.sum(0.5 * deviation**2 + np.log(std) + 0.5 * math.log(2 * math.pi))


@function
def reinforce(log_prob: Variable, cost: Variable, baseline: Any = 0.0) -> Any:
    """Return what has the score-function estimate of the gradient as its gradient.

    For an action a drawn with the probability π(a), whose cost is known as a number alone,
    ``(cost − baseline) · ∇ log π(a)`` is on average the gradient of the expected cost, for every
    baseline that does not depend on a (Williams, 1992). No derivative passes through `cost` or
    `baseline`.
    """
    advantage = cost - baseline
    return (stop_gradient(advantage) if isinstance(advantage, Variable) else advantage) * log_prob


def reward_to_go(rewards: Any, discount: float = 1.0, ends: Any = None) -> Any:
    """Return the discounted sum of the rewards from each time on, of the shape of `rewards`.

    Parameters
    ----------
    rewards
        Shape (T, ...): time first.
    discount
        Of a reward one step later.
    ends
        Booleans, shape (T, ...): whether an episode ends with that step, so that nothing later
        counts.
    """
    rewards = np.asarray(rewards, np.float64)
    if rewards.ndim == 0:
        raise UsageError("reward_to_go takes an array with time as its first axis")
    over = np.zeros(rewards.shape, bool) if ends is None else np.asarray(ends, bool)
    if over.shape != rewards.shape:
        raise UsageError(f"ends must have the shape of rewards, {rewards.shape}, got {over.shape}")
    result = np.empty_like(rewards)
    later = np.zeros(rewards.shape[1:])
    for t in reversed(range(len(rewards))):
        later = rewards[t] + discount * np.where(over[t], 0.0, later)
        result[t] = later
    return result


@dataclass(frozen=True)
class Admitted:
    """Which gradients of a cost by a parameter can be had.

    Attributes
    ----------
    cost, parameter : str
    exact : bool
        Whether back-propagation gives the whole gradient.
    estimators : tuple of (str, str)
        What can be used, and why or under which condition.
    """

    cost: str
    parameter: str
    exact: bool
    estimators: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = [
            fill(f"{name}: {why}", 84, initial_indent="  ", subsequent_indent="    ")
            for name, why in self.estimators
        ]
        return "\n".join([f"∂{self.cost}/∂{self.parameter}", *told])


class Report(tuple[Admitted, ...]):
    """All pairs of costs and parameters; prints as a page."""

    def __str__(self) -> str:
        return "\n".join(str(item) for item in self)


def estimators(graph: Graph) -> Report:
    """Return which gradient estimators a graph admits, and why.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> w, x = gc.parameter("w", shape=3), gc.observed("x", shape=3)
    >>> net = gc.Graph(gc.cost(np.floor(w @ x), name="C"), name="steps")
    >>> [name for name, _ in gc.estimators(net)[0].estimators]
    ['straight-through', 'zeroth order']
    """
    check_graph(graph, "estimators")
    program = graph.program(graph.parameters)
    costs = program.outputs[: len(graph.costs)]
    first = len(program.outputs) - len(graph.parameters)
    blocks = {node: origin.block for node, origin in program.origins.items()}
    found = []
    for use, cost in zip(graph.costs, costs, strict=True):
        for v, node in zip(graph.parameters, program.outputs[first:], strict=True):
            hidden = _without_derivative(cost, node)
            if hidden is not None:
                chosen = tuple(_around(hidden))
                found.append(Admitted(use.name, graph.name_of(v), False, chosen))
                continue
            every = [first_cut(cut, node) for cut in reverse.cuts([cost], node)]
            cuts = [cut for cut in every if not _on_purpose(cut.node)]
            reaches = reverse.reaches(cost, node)
            chosen = tuple(_chosen(cuts, reaches, blocks))
            exact = reaches and not cuts
            found.append(Admitted(use.name, graph.name_of(v), exact, chosen))
    return Report(found)


def _without_derivative(cost: Node, parameter: Node) -> Opaque | None:
    """Return the call without a derivative that is nearest to the cost, on a path between both."""
    order = topological([cost], (parameter,))
    depends = {parameter}
    for node in order:
        if any(arg in depends for arg in node.args):
            depends.add(node)
    reached = {cost}
    for node in reversed(order):
        if node not in reached or node not in depends or _on_purpose(node):
            continue
        if isinstance(node, Opaque) and node.foreign.vjp is None:
            return node
        reached.update(node.args)
    return None


def _around(hidden: Opaque) -> Iterator[tuple[str, str]]:
    place = f"'{hidden.foreign.name}'"
    yield _likelihood(place)
    yield (
        "actor-critic",
        f"{place} has no derivative; a block that learns its value has one (gc.mse of the block "
        "and the cost), and the parameter is trained through it",
    )
    yield _ZEROTH


def _likelihood(place: str) -> tuple[str, str]:
    return (
        "REINFORCE",
        f"if what enters {place} is drawn at random with a known probability: "
        "gc.reinforce(log_prob, cost), unbiased, with a large variance",
    )


_ZEROTH = (
    "zeroth order",
    "the value of the cost is enough: gc.minimize by finite differences, SPSA or an evolution "
    "strategy",
)


def _chosen(
    cuts: list[reverse.Cut], reaches: bool, blocks: dict[Node, str]
) -> Iterator[tuple[str, str]]:
    if reaches and not cuts:
        yield "back-propagation", "every block on the way has a derivative"
        return
    if not reaches and not cuts:
        yield "none is needed", "the cost does not depend on the parameter"
        return
    cut = cuts[0]
    function = getattr(cut.node, "function", type(cut.node).__name__.lower())
    place = f"'{function}'" + (f" in block '{blocks[cut.node]}'" if cut.node in blocks else "")
    if reaches:
        yield (
            "back-propagation",
            f"along some paths; what passes {place} is left out, so the gradient is biased",
        )
    what = "gives discrete values" if cut.node.kind != "real" else "is piecewise constant"
    yield (
        "straight-through",
        f"{place} {what}; gc.straight_through(hard, soft) puts the derivative of a smooth "
        "stand-in in its place, biased",
    )
    if cut.node.kind != "real":
        yield _likelihood(place)
    if function in ("argmax", "argmin"):
        yield (
            "reparameterisation",
            "gc.gumbel_softmax in place of a hard choice: a smooth sample with a derivative",
        )
    yield _ZEROTH


def _on_purpose(node: Node) -> bool:
    """Return whether a cut was asked for, by gc.stop_gradient."""
    return getattr(node, "function", "") == "stop_gradient"
