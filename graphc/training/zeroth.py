"""Minimising without a gradient: only values of the function are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphc.errors import TrainingError, UsageError

Function = Callable[[Any], float]


@dataclass
class Found:
    """Where a search without gradients ended.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The best point seen.
    fun : float
        The value there.
    evaluations : int
        How often the function was asked for its value.
    history : list of float
        The best value after each step.
    """

    x: Any
    fun: float
    evaluations: int = 0
    history: list[float] = field(default_factory=list)


def finite_differences(f: Function, x: Any, step: float = 1e-5) -> Any:
    """Return the gradient by central differences, shape (n,): 2n evaluations.

    The error of a difference is about ``step²`` times the third derivative, and the rounding of
    `f` divided by `step`.

    Parameters
    ----------
    f
        A function of a vector that gives a number.
    x
        Where: an array of shape (n,).
    step
        How far to go to both sides, relative to elements that are larger than 1.
    """
    x = np.asarray(x, np.float64)
    result = np.empty_like(x)
    for i in range(x.size):
        h = step * max(1.0, abs(x[i]))
        ahead, behind = x.copy(), x.copy()
        ahead[i] += h
        behind[i] -= h
        result[i] = (f(ahead) - f(behind)) / (ahead[i] - behind[i])
    return result


def minimize(
    f: Function,
    x0: Any,
    method: str = "spsa",
    *,
    steps: int = 1000,
    seed: int = 0,
    **options: Any,
) -> Found:
    """Minimise a function of a vector by its values alone.

    Parameters
    ----------
    f
        From vectors of shape (n,) to numbers; ``program.as_scipy(...).loss`` is one.
    x0
        Where to start.
    method
        ``"descent"``: gradient descent by finite differences; options ``lr``, ``step``.
        ``"spsa"``: simultaneous perturbation, two evaluations a step (Spall, 1992); options
        ``a``, ``c``, ``A``, ``alpha``, ``gamma``.
        ``"es"``: an evolution strategy that moves along the mean of ranked, mirrored samples
        (Salimans et al., 2017); options ``lr``, ``sigma``, ``population``.
        ``"nelder-mead"``: the simplex method of SciPy, which must be installed; its options.
    steps
        At most so many steps.
    seed
        Of the perturbations.

    Raises
    ------
    UsageError
        If the method is unknown.
    TrainingError
        If a value is not finite where the search stands.
    """
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; one of {', '.join(METHODS)}")
    search = _Search(f, np.array(x0, np.float64).ravel())
    METHODS[method](search, steps, np.random.default_rng(seed), **options)
    return search.found


class _Search:
    """Counts evaluations and keeps the best point."""

    def __init__(self, f: Function, x: Any) -> None:
        self.f = f
        self.x = x
        self.found = Found(x.copy(), np.inf)
        if not np.isfinite(self.value(x)):
            raise TrainingError("the function is not finite where the search starts")

    def value(self, x: Any) -> float:
        """Return the function's value; what is not finite is worse than everything."""
        value = float(self.f(x))
        self.found.evaluations += 1
        if value < self.found.fun:
            self.found.x, self.found.fun = x.copy(), value
        return value if np.isfinite(value) else np.inf

    def step(self) -> None:
        """Note the end of a step."""
        self.found.history.append(self.found.fun)


def _descent(search: _Search, steps: int, rng: Any, lr: float = 0.1, step: float = 1e-5) -> None:
    for _ in range(steps):
        gradient = finite_differences(search.value, search.x, step)
        if not np.all(np.isfinite(gradient)):
            raise TrainingError("a difference is not finite; a smaller lr may help")
        search.x = search.x - lr * gradient
        search.value(search.x)
        search.step()


def _spsa(
    search: _Search,
    steps: int,
    rng: Any,
    a: float = 0.1,
    c: float = 0.1,
    A: float | None = None,
    alpha: float = 0.602,
    gamma: float = 0.101,
) -> None:
    """Spall's gains: ``a / (k + A)^alpha`` for the step, ``c / k^gamma`` for the perturbation."""
    offset = 0.1 * steps if A is None else A
    for k in range(1, steps + 1):
        size = c / k**gamma
        signs = rng.choice((-1.0, 1.0), search.x.size)
        plus, minus = search.value(search.x + size * signs), search.value(search.x - size * signs)
        if np.isfinite(plus) and np.isfinite(minus):
            search.x = search.x - a / (k + offset) ** alpha * (plus - minus) / (2 * size) * signs
        search.step()
    search.value(search.x)


def _evolution(
    search: _Search,
    steps: int,
    rng: Any,
    lr: float = 0.1,
    sigma: float = 0.1,
    population: int = 16,
) -> None:
    half = max(1, population // 2)
    for _ in range(steps):
        noise = rng.standard_normal((half, search.x.size))
        noise = np.concatenate([noise, -noise])
        values = np.array([search.value(search.x + sigma * e) for e in noise])
        # Ranks in place of values: no scale of the function, and no outlier, matters.
        ranks = np.empty(len(values))
        ranks[np.argsort(values)] = np.linspace(-0.5, 0.5, len(values))
        search.x = search.x - lr * (ranks @ noise) / (len(values) * sigma) * sigma
        search.step()
    search.value(search.x)


def _nelder_mead(search: _Search, steps: int, rng: Any, **options: Any) -> None:
    try:
        from scipy.optimize import minimize as scipy_minimize  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError("method 'nelder-mead' is SciPy's; pip install scipy") from error
    scipy_minimize(
        search.value,
        search.x,
        method="Nelder-Mead",
        callback=lambda _: search.step(),
        options={"maxiter": steps, "maxfev": 100 * steps, **options},
    )


METHODS: dict[str, Callable[..., None]] = {
    "descent": _descent,
    "spsa": _spsa,
    "es": _evolution,
    "nelder-mead": _nelder_mead,
}
