"""Training: update rules as programs, estimators, loops."""

from graphc.language.step import Count, Loss, Noise, State
from graphc.training.games import Game, Player, game
from graphc.training.loop import History, Run, train
from graphc.training.rules import (
    adadelta,
    adagrad,
    adam,
    adamax,
    adamw,
    clip_by_norm,
    clip_by_value,
    decay,
    langevin,
    rmsprop,
    sgd,
)
from graphc.training.schedules import (
    cosine_decay,
    exponential_decay,
    inverse_decay,
    piecewise_constant,
    step_decay,
    warmup,
)
from graphc.training.update import accumulate, chain, gradient_transform, update_rule

__all__ = [
    "Count",
    "Game",
    "History",
    "Loss",
    "Noise",
    "Player",
    "Run",
    "State",
    "accumulate",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "chain",
    "clip_by_norm",
    "clip_by_value",
    "cosine_decay",
    "decay",
    "exponential_decay",
    "game",
    "gradient_transform",
    "inverse_decay",
    "langevin",
    "piecewise_constant",
    "rmsprop",
    "sgd",
    "step_decay",
    "train",
    "update_rule",
    "warmup",
]
