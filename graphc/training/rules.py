"""The update rules of the field, each a few lines of the language.

Names, options and their defaults are those of ``torch.optim`` where it has the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from graphc.errors import UsageError
from graphc.language.step import Count, Noise, State, Step
from graphc.language.variable import Variable
from graphc.training.update import (
    Update,
    check_option,
    gradient_transform,
    scheduled,
    update_rule,
)


def sgd(
    lr: Any = 1e-3,
    momentum: Any = 0.0,
    dampening: Any = 0.0,
    weight_decay: Any = 0.0,
    nesterov: bool = False,
) -> Update:
    """Return gradient descent, ``w ← w − lr · g``, or the same with momentum.

    With momentum (Polyak, 1964), ``v ← momentum · v + (1 − dampening) · g``, where ``v = g`` in
    the first step, and ``w ← w − lr · v``; with `nesterov` (1983) ``w ← w − lr · (g + momentum ·
    v)``.

    Raises
    ------
    UsageError
        If `nesterov` is asked for without momentum, or with dampening.
    """
    if _is(momentum, 0):
        if nesterov:
            raise UsageError("Nesterov's rule needs a momentum")
        return descent(lr=lr, weight_decay=weight_decay)
    if nesterov and not _is(dampening, 0):
        raise UsageError("Nesterov's rule takes no dampening")
    return heavy_ball(
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        weight_decay=weight_decay,
        nesterov=nesterov,
    )


@update_rule
def descent(w: Any, g: Any, *, lr: Any, weight_decay: Any) -> Any:
    """Gradient descent; see :func:`sgd`."""
    return w - lr * _decayed(w, g, weight_decay)


@update_rule
def heavy_ball(
    w: Any,
    g: Any,
    *,
    v: Any = State("zeros"),
    t: Any = Count(),
    lr: Any,
    momentum: Any,
    dampening: Any,
    weight_decay: Any,
    nesterov: bool,
) -> Any:
    """Gradient descent with momentum; see :func:`sgd`."""
    g = _decayed(w, g, weight_decay)
    if _is(dampening, 0):
        v = momentum * v + g
    else:
        v = np.where(t == 1, g, momentum * v + (1 - dampening) * g)
    return w - lr * (g + momentum * v if nesterov else v), v


@update_rule
def adagrad(
    w: Any,
    g: Any,
    *,
    s: Any = State("zeros"),
    t: Any = Count(),
    lr: Any = 0.01,
    lr_decay: Any = 0.0,
    weight_decay: Any = 0.0,
    eps: Any = 1e-10,
) -> Any:
    """AdaGrad (Duchi, Hazan and Singer, 2011): steps shrink with the sum of squared gradients."""
    g = _decayed(w, g, weight_decay)
    s = s + g * g
    rate = lr if _is(lr_decay, 0) else lr / (1 + (t - 1) * lr_decay)
    return w - rate * (g / (np.sqrt(s) + eps)), s


@update_rule
def adadelta(
    w: Any,
    g: Any,
    *,
    s: Any = State("zeros"),
    d: Any = State("zeros"),
    lr: Any = 1.0,
    rho: Any = 0.9,
    weight_decay: Any = 0.0,
    eps: Any = 1e-6,
) -> Any:
    """AdaDelta (Zeiler, 2012): steps as long as the steps before."""
    g = _decayed(w, g, weight_decay)
    s = _mean(g * g, rho, s)
    move = np.sqrt(d + eps) / np.sqrt(s + eps) * g
    return w - lr * move, s, _mean(move * move, rho, d)


@dataclass(frozen=True)
class RMSProp:
    """The rule of :func:`rmsprop`, which remembers only what its options need."""

    lr: Any
    alpha: Any
    eps: Any
    weight_decay: Any
    momentum: Any
    centered: bool

    def apply(self, step: Step) -> list[Variable]:
        """Return the new parameters."""
        lr, alpha, eps, weight_decay, momentum = (
            scheduled(option, step)
            for option in (self.lr, self.alpha, self.eps, self.weight_decay, self.momentum)
        )
        result = []
        for i, (w, g) in enumerate(zip(step.parameters, step.gradients, strict=True)):
            g = _decayed(w, g, weight_decay)
            s = step.remembered("s", i, partial(_mean, g * g, alpha))
            if self.centered:
                m = step.remembered("m", i, partial(_mean, g, alpha))
                s = s - m * m
            move = g / (np.sqrt(s) + eps)
            if not _is(momentum, 0):
                move = step.remembered("v", i, partial(_pushed, move, momentum))
            result.append(w - lr * move)
        return result


def rmsprop(
    lr: Any = 0.01,
    alpha: Any = 0.99,
    eps: Any = 1e-8,
    weight_decay: Any = 0.0,
    momentum: Any = 0.0,
    centered: bool = False,
) -> RMSProp:
    """Return RMSProp (Tieleman and Hinton, 2012): AdaGrad with a mean that forgets.

    `centered` takes the squares about the mean gradient (Graves, 2013).
    """
    given = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
    for name, value in {**given, "momentum": momentum}.items():
        check_option("rmsprop", name, value, library=True)
    return RMSProp(lr, alpha, eps, weight_decay, momentum, centered)


@update_rule
def adam(
    w: Any,
    g: Any,
    *,
    m: Any = State("zeros"),
    s: Any = State("zeros"),
    t: Any = Count(),
    lr: Any = 1e-3,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 0.0,
) -> Any:
    """Adam (Kingma and Ba, 2015): steps by the mean gradient over its root mean square."""
    return _adam(w, _decayed(w, g, weight_decay), m, s, t, lr, betas, eps)


@update_rule
def adamw(
    w: Any,
    g: Any,
    *,
    m: Any = State("zeros"),
    s: Any = State("zeros"),
    t: Any = Count(),
    lr: Any = 1e-3,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 1e-2,
) -> Any:
    """AdamW (Loshchilov and Hutter, 2019): Adam, with weight decay apart from the gradient."""
    return _adam(w * (1 - lr * weight_decay), g, m, s, t, lr, betas, eps)


@update_rule
def adamax(
    w: Any,
    g: Any,
    *,
    m: Any = State("zeros"),
    u: Any = State("zeros"),
    t: Any = Count(),
    lr: Any = 2e-3,
    betas: tuple[Any, Any] = (0.9, 0.999),
    eps: Any = 1e-8,
    weight_decay: Any = 0.0,
) -> Any:
    """AdaMax (Kingma and Ba, 2015): Adam with the largest gradient for the mean square."""
    g = _decayed(w, g, weight_decay)
    m = _mean(g, betas[0], m)
    u = np.maximum(betas[1] * u, np.absolute(g) + eps)
    return w - (lr / (1 - betas[0] ** t)) * (m / u), m, u


@update_rule
def langevin(
    w: Any,
    g: Any,
    *,
    noise: Any = Noise(),
    lr: Any = 1e-3,
    temperature: Any = 1.0,
) -> Any:
    """Langevin dynamics: gradient descent with noise, ``w − lr · g + √(2 · lr · T) · ε``.

    At a fixed temperature, and for small `lr`, the parameters come to be distributed as
    ``exp(−loss / T)``; a falling one, given as a schedule, anneals (Welling and Teh, 2011).
    """
    return w - lr * g + np.sqrt(2 * lr * temperature) * noise


@gradient_transform
def clip_by_value(w: Any, g: Any, *, limit: Any = 1.0) -> Any:
    """Limit each element of the gradients to ``−limit .. limit``."""
    return np.clip(g, -limit, limit)


@gradient_transform(joint=True)
def clip_by_norm(ws: Any, gs: Any, *, max_norm: Any = 1.0) -> Any:
    """Shorten the gradient of all parameters together to a norm of `max_norm` at most.

    As ``torch.nn.utils.clip_grad_norm_``, whose 1e-6 in the denominator it shares.
    """
    squares: list[Any] = [np.sum(g * g) for g in gs]
    norm = np.sqrt(sum(squares[1:], squares[0]))
    factor = np.minimum(max_norm / (norm + 1e-6), 1.0)
    return [g * factor for g in gs]


@gradient_transform
def decay(w: Any, g: Any, *, weight_decay: Any = 1e-4) -> Any:
    """Add ``weight_decay · w``, the gradient of ``weight_decay / 2 · ‖w‖²``."""
    return g + weight_decay * w


def _mean(value: Any, forget: Any, before: Any) -> Any:
    """Return a mean that forgets, with a new value taken in."""
    return forget * before + (1 - forget) * value


def _pushed(move: Any, momentum: Any, before: Any) -> Any:
    return momentum * before + move


def _adam(w: Any, g: Any, m: Any, s: Any, t: Any, lr: Any, betas: Any, eps: Any) -> Any:
    m = _mean(g, betas[0], m)
    s = _mean(g * g, betas[1], s)
    spread = np.sqrt(s) / np.sqrt(1 - betas[1] ** t) + eps
    return w - (lr / (1 - betas[0] ** t)) * (m / spread), m, s


def _decayed(w: Any, g: Any, weight_decay: Any) -> Any:
    return g if _is(weight_decay, 0) else g + weight_decay * w


def _is(option: Any, number: float) -> bool:
    """Return whether an option is a fixed number; a schedule's value is none."""
    return not isinstance(option, Variable) and option == number
