"""Games: several players, each of whom lowers a cost of its own by its own parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from graphc.errors import UsageError
from graphc.ir.nodes import Node
from graphc.ir.program import substitute
from graphc.language.derive import grad
from graphc.language.step import Rule, Step
from graphc.language.variable import Variable

Order: TypeAlias = Literal["simultaneous", "alternating", "extragradient"]
ORDERS = ("simultaneous", "alternating", "extragradient")


@dataclass(frozen=True)
class Player:
    """Who lowers the cost called `cost` by the parameters `wrt`, with an update rule.

    Parameters
    ----------
    cost
        The name of a cost of the graph.
    wrt
        Parameters, or the names that they have in the graph.
    rule
        An update rule.
    """

    cost: str
    wrt: Sequence[Variable | str]
    rule: Rule


@dataclass(frozen=True)
class Game:
    """The rule that :func:`game` returns."""

    players: tuple[Player, ...]
    order: Order

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        new: dict[int, Variable] = {}
        places = [_places(step, player) for player in self.players]
        _check_disjoint(step, self.players, places)
        at: dict[Node, Node] = {}
        if self.order == "extragradient":
            for player, own in zip(self.players, places, strict=True):
                ahead = player.rule.apply(_step(step, player, own, {}))
                new |= dict(zip(own, ahead, strict=True))
            at = {step.parameters[i].node: value.node for i, value in new.items()}
            step = step.again()
        for player, own in zip(self.players, places, strict=True):
            values = player.rule.apply(_step(step, player, own, at))
            new |= dict(zip(own, values, strict=True))
            if self.order == "alternating":
                at |= {step.parameters[i].node: new[i].node for i in own}
        return [new.get(i, w) for i, w in enumerate(step.parameters)]


def game(*players: Player, order: Order = "simultaneous") -> Game:
    """Return the update rule in which every player takes a step down its own cost.

    Parameters
    ----------
    *players
        See :class:`Player`; no parameter belongs to two of them.
    order
        ``"simultaneous"``: all at once; ``"alternating"``: each sees the steps of those before;
        ``"extragradient"``: each step follows the gradient where all would stand after a step
        (Korpelevich, 1976), which converges in bilinear games, where plain descent circles.

    Raises
    ------
    UsageError
        If there is no player, or the order is unknown.
    """
    if not players or not all(isinstance(player, Player) for player in players):
        raise UsageError("a game is made of players: gc.Player(cost, wrt, rule)")
    if order not in ORDERS:
        raise UsageError(f"unknown order {order!r}; one of {', '.join(ORDERS)}")
    return Game(players, order)


def _places(step: Step, player: Player) -> list[int]:
    """Return which of the step's parameters a player has."""
    nodes = [w.node for w in step.parameters]
    found = []
    for w in player.wrt:
        if isinstance(w, str) and w in step.names:
            found.append(step.names.index(w))
        elif isinstance(w, Variable) and w.node in nodes:
            found.append(nodes.index(w.node))
        else:
            told = w if isinstance(w, str) else w.describe()
            raise UsageError(
                f"the player of '{player.cost}' has no parameter {told}; there are "
                f"{', '.join(step.names)}"
            )
    return found


def _check_disjoint(step: Step, players: Sequence[Player], places: Sequence[list[int]]) -> None:
    owner: dict[int, str] = {}
    for player, own in zip(players, places, strict=True):
        if player.cost not in step.losses:
            known = ", ".join(step.losses)
            raise UsageError(f"there is no cost '{player.cost}' to play for; there are {known}")
        for i in own:
            if i in owner:
                raise UsageError(
                    f"'{step.names[i]}' belongs to the players of '{owner[i]}' and "
                    f"'{player.cost}'; no two may have the same parameter"
                )
            owner[i] = player.cost


def _step(step: Step, player: Player, own: Sequence[int], at: Mapping[Node, Node]) -> Step:
    """Return a player's step, with the gradient where the parameters are as `at` says."""
    loss = step.losses[player.cost]
    grads: list[Any] = [grad(loss, step.parameters[i]) for i in own]
    if at:
        nodes = substitute([g.node for g in grads], at)
        grads = [Variable(node, operands=(loss,)) for node in nodes]
    return step.of(own, grads, loss)
