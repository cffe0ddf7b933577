"""A process for each peer: libraries do not share a process, their threads and settings differ."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tests.benchmarks.peers import Data, Step
from tests.benchmarks.timing import calibrated, turn


class PeerError(Exception):
    """A peer is missing or failed; the message says so in a few words."""


class Worker:
    """A process that holds one peer. Use as a context manager."""

    def __init__(self, prepare: Callable[[Data], Step]) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(theirs, prepare), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._connection.close()

    def prepare(self, data: Data, seconds: float) -> list[np.ndarray]:
        """Prepare the step for these numbers and turns of `seconds`; return its results."""
        return self._ask(("prepare", data, seconds))

    def turn(self) -> float:
        """Take a turn: warm up, then return the mean seconds of a call."""
        return self._ask(("turn",))

    def _ask(self, message: tuple[Any, ...]) -> Any:
        try:
            self._connection.send(message)
            fault, answer = self._connection.recv()
        except (EOFError, OSError):
            raise PeerError("failed: its process ended") from None
        if fault:
            raise PeerError(fault)
        return answer


def _serve(connection: Connection, prepare: Callable[[Data], Step]) -> None:
    """Answer messages until the other side goes away; an answer is (fault, result)."""
    step, number = None, 0
    while True:
        try:
            what, *rest = connection.recv()
        except EOFError:
            return
        try:
            if what == "prepare":
                data, seconds = rest
                step = prepare(data)
                found = [np.array(a) for a in step.read(step.run())]
                number = calibrated(step.run, seconds)
                connection.send(("", found))
            else:
                connection.send(("", turn(step.run, number, warm=max(2, number // 4))))
        except Exception as error:
            connection.send((fault_text(error), None))


def fault_text(error: Exception) -> str:
    """Return in a few words why a peer cannot take part."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed"
    last = traceback.format_exception_only(error)[0].strip().splitlines()[0]
    return f"failed: {last[:100]}"
