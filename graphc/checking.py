"""The gradient check of an emitted file, from outside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from graphc.emit.files import written_by_graphc
from graphc.errors import ModelError

SINGLE = re.compile(r"^(_?DTYPE = \w+\.)float32$", re.MULTILINE)
STEP = 1e-6  # of the central differences; about the cube root of the precision of float64


def check_file(path: Path, seed: int = 1) -> list[tuple[str, float, float]]:
    """Compare the gradient of an emitted file with central differences.

    Parameters
    ----------
    path
        A file that graphc wrote, with parameters and a loss.
    seed
        Of the random data and directions.

    Returns
    -------
    list of (str, float, float)
        For each parameter, the derivative along a random direction: by the file's gradient, and
        by differences of its loss.

    Raises
    ------
    ModelError
        If the file cannot be run, or has no gradient to check.
    """
    names = _emitted(path)
    lib = names["_example"].__globals__.get("cp") or np
    try:
        return _compare(names, lib, np.random.default_rng(seed), seed)
    except RuntimeError as error:
        raise ModelError(f"{path}: {error}") from None
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise ModelError(f"{path} cannot be checked on random data; it raises {told}") from error


def _emitted(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no file {path}")
    if not written_by_graphc(path):
        raise ModelError(f"{path} was not written by graphc, so it is not run")
    names: dict[str, Any] = {"__name__": "__graphc_check__", "__file__": str(path)}
    try:
        # Differences need the digits of float64, whatever the file computes in.
        source = SINGLE.sub(r"\1float64", path.read_text(encoding="utf-8"), count=1)
        exec(compile(source, str(path), "exec", dont_inherit=True), names)
    except (Exception, SystemExit) as error:
        raise ModelError(f"{path} raises {type(error).__name__}: {error}") from error
    missing = [n for n in ("_example", "loss", "loss_and_grad") if n not in names]
    if missing:
        raise ModelError(f"{path} has no gradient to check: it lacks {', '.join(missing)}")
    return names


def _compare(
    names: dict[str, Any], lib: Any, rng: np.random.Generator, seed: int
) -> list[tuple[str, float, float]]:
    params, inputs = names["_example"](seed)
    loss, grads = names["loss_and_grad"](params, **inputs)
    if not np.isfinite(float(loss)):
        raise ArithmeticError("the loss there is not a finite number")
    rows = []
    for field in params._fields:
        value, slope = getattr(params, field), getattr(grads, field)
        along = lib.asarray(rng.standard_normal(value.shape))
        plus = names["loss"](params._replace(**{field: value + STEP * along}), **inputs)
        minus = names["loss"](params._replace(**{field: value - STEP * along}), **inputs)
        numeric = float(plus - minus) / (2 * STEP)
        rows.append((field, float((slope * along).sum()), numeric))
    return rows
