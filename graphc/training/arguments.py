"""What training is asked for: numbers, data and files, checked before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import UsageError


def whole(name: str, value: Any, least: int) -> None:
    """Raise a UsageError unless a value is None or a whole number from `least` on."""
    if value is None:
        return
    fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not fits or value < least:
        raise UsageError(f"{name} is a whole number from {least} on, or None; got {value!r}")


def amount(name: str, value: Any) -> None:
    """Raise a UsageError unless a value is None or a number that is not negative."""
    if value is None:
        return
    if not isinstance(value, int | float | np.integer | np.floating) or not value >= 0:
        raise UsageError(f"{name} is a number from 0 on, got {value!r}")


def check_arguments(
    *,
    data: Any,
    validation: Any,
    callbacks: Any,
    checkpoint: Any,
    counts: Mapping[str, tuple[Any, int]],
    amounts: Mapping[str, Any],
) -> None:
    """Raise a UsageError for what no training can start with.

    Parameters
    ----------
    counts
        Whole numbers by name, each with the least that it can be; None is none.
    amounts
        Numbers by name that are not negative.
    """
    for name, (value, least) in counts.items():
        whole(name, value, least)
    for name, value in amounts.items():
        amount(name, value)
    if isinstance(data, str) or not (isinstance(data, Iterable) or callable(data)):
        raise UsageError(
            "data is a mapping from the names of inputs to arrays, or an iterable of such batches; "
            f"got {data!r}"
        )
    if validation is not None and not isinstance(validation, Mapping):
        raise UsageError(f"validation is a mapping from names to arrays, got {validation!r}")
    if not isinstance(callbacks, Sequence) or not all(callable(one) for one in callbacks):
        raise UsageError(f"callbacks is a list of functions of the run, got {callbacks!r}")
    if checkpoint is not None and not isinstance(checkpoint, str | os.PathLike):
        raise UsageError(f"checkpoint is the path of a file, got {checkpoint!r}")


def check_params(params: Any, fields: Sequence[str]) -> None:
    """Raise a UsageError unless there are as many parameters as the program has, in order."""
    named = ", ".join(fields)
    if isinstance(params, Mapping):
        raise UsageError("params is a dict, which has no order: write program.Params(**params)")
    if not isinstance(params, Sequence) or len(params) != len(fields):
        raise UsageError(f"params are those of the program ({named}), as program.init_params gives")
