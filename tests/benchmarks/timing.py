"""Timing: turns of several calls, in rounds that every peer takes part in."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = {"float32": 2e-4, "float64": 1e-10}
# Seconds before each turn: the threads of the peer before spin, OpenBLAS' for over 0.05 s.
PAUSE = 0.4


@dataclass(frozen=True)
class Measured:
    """What became of one peer: seconds for each round, or a note why there are none."""

    peer: str
    seconds: tuple[float, ...] = ()
    note: str = ""

    @property
    def median(self) -> float:
        """The median in seconds; NaN without any."""
        return float(np.median(self.seconds)) if self.seconds else float("nan")

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third quartile in seconds."""
        low, high = np.quantile(self.seconds, (0.25, 0.75))
        return float(low), float(high)


def calibrated(run: Callable[[], Any], seconds: float) -> int:
    """Return how many calls take about `seconds`; warms up on the way."""
    number = 1
    while (taken := turn(run, number)) * number < seconds / 2 and number < 1_000_000:
        number *= 2
    return max(1, round(seconds / taken))


def turn(run: Callable[[], Any], number: int, warm: int = 0) -> float:
    """Return the seconds that one call takes, as the mean of `number` calls after `warm` ones."""
    for _ in range(warm):
        run()
    start = time.perf_counter()
    for _ in range(number):
        run()
    return (time.perf_counter() - start) / number


def rounds(turns: Mapping[str, Callable[[], float]], count: int) -> dict[str, tuple[float, ...]]:
    """Take `count` rounds in which every peer has one turn, so that a drift hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(count):
        for name, one in turns.items():
            time.sleep(PAUSE)
            taken[name].append(one())
    return {name: tuple(seconds) for name, seconds in taken.items()}


def disagreement(
    found: Sequence[np.ndarray], expected: Sequence[np.ndarray], dtype: str
) -> str | None:
    """Say where a peer's numbers differ from the expected ones, or in dtype; None if nowhere.

    Differences are relative to the largest number of each array.
    """
    if len(found) != len(expected):
        return f"{len(found)} arrays, not {len(expected)}"
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        what = "the loss" if i == 0 else f"gradient {i}"
        if a.shape != b.shape:
            return f"{what} has shape {a.shape}, not {b.shape}"
        if i and a.dtype != dtype:
            return f"{what} is {a.dtype}, not {dtype}"
        error = float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
        if not error <= TOLERANCE[dtype]:
            return f"{what} is off by {error:.1e}"
    return None
