"""Training: update rules as programs, estimators, loops."""

from graphc.language.step import Count, Loss, Noise, State
from graphc.training.estimators import (
    Admitted,
    Report,
    categorical_log_prob,
    categorical_sample,
    estimators,
    normal_log_prob,
    reinforce,
    reward_to_go,
    straight_through,
)
from graphc.training.games import Game, Player, game
from graphc.training.glossary import document
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
from graphc.training.second_order import gauss_newton, natural_gradient, newton, scaled
from graphc.training.update import accumulate, chain, gradient_transform, update_rule
from graphc.training.zeroth import Found, finite_differences, minimize

__all__ = [
    "Admitted",
    "Count",
    "Found",
    "Game",
    "History",
    "Loss",
    "Noise",
    "Player",
    "Report",
    "Run",
    "State",
    "accumulate",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "categorical_log_prob",
    "categorical_sample",
    "chain",
    "clip_by_norm",
    "clip_by_value",
    "cosine_decay",
    "decay",
    "estimators",
    "exponential_decay",
    "finite_differences",
    "game",
    "gauss_newton",
    "gradient_transform",
    "inverse_decay",
    "langevin",
    "minimize",
    "natural_gradient",
    "newton",
    "normal_log_prob",
    "piecewise_constant",
    "reinforce",
    "reward_to_go",
    "rmsprop",
    "scaled",
    "sgd",
    "step_decay",
    "straight_through",
    "train",
    "update_rule",
    "warmup",
]

for _name in __all__:
    document(_name, globals()[_name])
