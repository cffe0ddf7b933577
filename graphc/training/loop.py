"""The training loop: steps, epochs, validation, checkpoints, and when to stop."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from graphc.compile import Compiled
from graphc.emit.noise import noise_fields
from graphc.errors import TrainingError, UsageError
from graphc.training import checkpoint as files
from graphc.training.arguments import check_arguments, check_params
from graphc.training.batches import Batch, Source, source_of, with_noise
from graphc.training.diagnosis import first_not_finite


@dataclass
class History:
    """What a run has seen.

    Attributes
    ----------
    losses : list of float
        The loss of each step, over its batch and before its update.
    epochs : list of float
        The mean loss over the steps of each complete epoch.
    validation : list of float
        The validation loss after each complete epoch.
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@dataclass(repr=False)
class Run:
    """A training run, as it goes on and as it ended.

    Attributes
    ----------
    params, state
        As they are now; of a run that stopped early on validation, `params` are the best.
    step, epoch : int
        The number of steps and of complete epochs so far.
    history : History
    reason : str
        Why it ended: ``"epochs"``, ``"steps"``, ``"converged"``, ``"stopped early"`` or
        ``"callback"``; empty while it goes on.
    """

    params: Any
    state: Any
    step: int = 0
    epoch: int = 0
    history: History = field(default_factory=History)
    reason: str = ""
    best: Any = None

    def __repr__(self) -> str:
        ended = f", {self.reason}" if self.reason else ""
        return f"<run: {self.epoch} epochs, {self.step} steps, loss {self.loss:.6g}{ended}>"

    @property
    def loss(self) -> float:
        """The loss of the last step."""
        return self.history.losses[-1] if self.history.losses else math.nan


Callback = Callable[[Run], "bool | None"]


def train(
    program: Compiled,
    params: Any,
    data: Any,
    *,
    state: Any = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    seed: int | None = 0,
    tolerance: float | None = None,
    validation: Batch | None = None,
    patience: int | None = None,
    divergence: float = 1e8,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    checkpoint: Any = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
) -> Run:
    """Train with the update rule that a program was compiled with.

    Parameters
    ----------
    program
        From :func:`graphc.compile` with ``step=``.
    params
        Where to start; they are not changed, the run has copies.
    data
        Arrays by the names of the inputs, each with a leading sample axis; memory-mapped ones are
        read batch by batch. Or batches: an iterable of mappings, or a function of the number of
        the epoch that returns one. Noise (:func:`graphc.noise`) that it lacks is drawn anew in
        every step.
    state
        What the update rule remembers; by default that of a first step.
    batch_size
        Samples in a step: None for all (full batch), 1 for stochastic descent.
    epochs, steps
        At most so many passes over the data, and so many steps; one of the two is needed, unless
        there is a tolerance.
    seed
        Of the order of the samples and of all noise; None keeps the order of the data.
    tolerance
        Stop when the mean loss of an epoch has changed by less than this part of itself.
    validation
        Data whose loss is taken after every epoch.
    patience
        Stop when the validation loss has not fallen for so many epochs; the run's params are then
        the best.
    divergence
        Stop with an error when the loss is so many times as large as the first one, or 1.
    callbacks
        Called with the run after every step; one that returns True ends it.
    progress
        Whether to show a line that counts; by default where the output is a terminal.
    checkpoint
        A file to write after every epoch, or every `checkpoint_every` steps.
    resume
        Go on from the checkpoint if it exists: the same numbers, bit for bit, as without a pause.

    Returns
    -------
    Run

    Raises
    ------
    TrainingError
        If the loss is not finite, naming the step and the first block whose value is not, or
        diverges.
    UsageError
        If the arguments do not fit together.
    """
    _check(program, epochs, steps, tolerance, validation, patience, checkpoint, resume)
    check_params(params, program.Params._fields)
    check_arguments(
        data=data,
        validation=validation,
        callbacks=callbacks,
        checkpoint=checkpoint,
        counts={
            "batch_size": (batch_size, 1),
            "epochs": (epochs, 0),
            "steps": (steps, 0),
            "seed": (seed, 0),
            "patience": (patience, 0),
            "checkpoint_every": (checkpoint_every, 1),
        },
        amounts={"tolerance": tolerance, "divergence": divergence},
    )
    loop = _Loop(
        program,
        _started(program, params, state, seed),
        source_of(
            data,
            program.inputs_per_sample,
            [f.name for f in noise_fields(program.model)],
            batch_size,
            seed,
        ),
        tuple(callbacks),
        _Progress(sys.stderr if _shows(progress) else None, epochs, steps),
        _Saving(None if checkpoint is None else Path(checkpoint), checkpoint_every),
        most_epochs=math.inf if epochs is None else epochs,
        most_steps=math.inf if steps is None else steps,
        tolerance=tolerance,
        validation=validation,
        seed=seed,
        patience=patience,
        divergence=divergence,
    )
    return loop.go(resume)


def _check(
    program: Compiled,
    epochs: int | None,
    steps: int | None,
    tolerance: float | None,
    validation: Any,
    patience: int | None,
    checkpoint: Any,
    resume: bool,
) -> None:
    if not isinstance(program, Compiled):
        raise UsageError("train takes a program: gc.compile(graph, step=gc.sgd(lr=0.1))")
    if program.model.updates is None:
        raise UsageError(
            "the program was compiled without an update rule; give gc.compile(..., "
            "step=gc.sgd(lr=0.1))"
        )
    if epochs is None and steps is None and tolerance is None:
        raise UsageError("say when to stop: epochs=, steps= or tolerance=")
    if patience is not None and validation is None:
        raise UsageError("patience is about the validation loss; give validation=")
    if resume and checkpoint is None:
        raise UsageError("resume goes on from a checkpoint; give checkpoint=")


def _started(program: Compiled, params: Any, state: Any, seed: int | None) -> Run:
    own = program.Params(*(np.array(p, program.model.dtype) for p in params))
    if state is None:
        return Run(own, program.init_state(own, seed or 0))
    return Run(own, type(state)(*(np.array(s) for s in state)))


@dataclass
class _Saving:
    """Where checkpoints go, and after how many steps; without a number, after each epoch."""

    path: Path | None
    every: int | None

    def after_step(self, run: Run, position: int) -> None:
        if self.path is not None and self.every is not None and run.step % self.every == 0:
            _save(run, self.path, position)

    def after_epoch(self, run: Run) -> None:
        if self.path is not None and self.every is None:
            _save(run, self.path, 0)


@dataclass
class _Loop:
    """A run together with what drives and ends it."""

    program: Compiled
    run: Run
    source: Source
    callbacks: tuple[Callback, ...]
    line: _Progress
    saving: _Saving
    most_epochs: float
    most_steps: float
    tolerance: float | None
    validation: Batch | None
    seed: int | None
    patience: int | None
    divergence: float

    def go(self, resume: bool) -> Run:
        """Go on to the end."""
        run, path = self.run, self.saving.path
        position = 0
        if resume and path is not None and path.exists():
            position = _resumed(run, path)
        while not run.reason:
            if run.epoch >= self.most_epochs:
                run.reason = "epochs"
            elif run.step >= self.most_steps:
                run.reason = "steps"
            else:
                before = run.epoch
                position = self._epoch(position)
                if run.epoch > before:
                    self._after_epoch()
                    self.saving.after_epoch(run)
        self.line.end(run)
        if run.reason == "stopped early":
            run.params = run.best
        return run

    def _epoch(self, position: int) -> int:
        """Go through an epoch from a position on; return where it stopped, 0 at its end."""
        run = self.run
        empty = True
        for batch in self.source.epoch(run.epoch, position):
            empty = False
            if run.step >= self.most_steps:
                return position
            run.history.losses.append(self._step(batch))
            run.step += 1
            position += 1
            self._no_divergence()
            self.line.show(run)
            self.saving.after_step(run, position)
            answers = [callback(run) for callback in self.callbacks]
            if True in answers:
                run.reason = "callback"
                return position
        if empty and position == 0:
            raise UsageError("the data holds no batches")
        done = run.history.losses[-position:]
        run.history.epochs.append(sum(done) / len(done))
        run.epoch += 1
        return 0

    def _step(self, batch: Batch) -> float:
        """Take a step; where the loss is not finite, say where that comes from."""
        run = self.run
        batch = self._with_noise(batch, run.step)
        try:
            return float(self.program.train_step(run.params, run.state, **batch))
        except FloatingPointError as error:
            where = first_not_finite(self.program, run.params, batch)
            raise TrainingError(
                f"in step {run.step + 1} the loss is not finite: {where}"
            ) from error

    def _with_noise(self, batch: Batch, step: int) -> Batch:
        """Return a batch with noise of its own for every step; that of validation is one."""
        seed = None if self.seed is None else (self.seed, step + 1)
        return with_noise(self.program, self.run.params, batch, seed)

    def _no_divergence(self) -> None:
        first, loss = self.run.history.losses[0], self.run.loss
        if abs(loss) > self.divergence * max(abs(first), 1.0):
            raise TrainingError(
                f"the loss diverges: {loss:.3g} in step {self.run.step}, {first:.3g} in the first; "
                "a smaller step size may help"
            )

    def _after_epoch(self) -> None:
        """Take the validation loss, and see whether that or the mean loss is reason to stop."""
        run, means = self.run, self.run.history.epochs
        if self.validation is not None:
            seen = run.history.validation
            batch = self._with_noise(self.validation, -1)
            seen.append(float(self.program.loss(run.params, **batch)))
            best = seen.index(min(seen))
            if best == len(seen) - 1:
                run.best = type(run.params)(*(np.array(p) for p in run.params))
            if self.patience is not None and len(seen) - 1 - best >= self.patience:
                run.reason = "stopped early"
        if self.tolerance is not None and len(means) > 1:
            change = abs(means[-1] - means[-2])
            if change <= self.tolerance * abs(means[-2]):
                run.reason = "converged"


def _save(run: Run, path: Path, position: int) -> None:
    arrays = {f"params_{name}": value for name, value in _fields(run.params)}
    arrays |= {f"state_{name}": value for name, value in _fields(run.state)}
    if run.best is not None:
        arrays |= {f"best_{name}": value for name, value in _fields(run.best)}
    arrays["losses"] = np.array(run.history.losses)
    arrays["epochs"] = np.array(run.history.epochs)
    arrays["validation"] = np.array(run.history.validation)
    files.save(path, arrays, {"step": run.step, "epoch": run.epoch, "position": position})


def _resumed(run: Run, path: Path) -> int:
    """Set a run to where a checkpoint left it; return the position in the epoch."""
    arrays, facts = files.load(path)
    for prefix, values in (("params", run.params), ("state", run.state)):
        for name, value in _fields(values):
            held = arrays.get(f"{prefix}_{name}")
            if held is None or held.shape != value.shape or held.dtype != value.dtype:
                raise TrainingError(f"{path} is a checkpoint of another program: see '{name}'")
            value[...] = held
    if any(name.startswith("best_") for name in arrays):
        kept = [arrays[f"best_{name}"] for name, _ in _fields(run.params)]
        run.best = type(run.params)(*kept)
    run.step, run.epoch = int(facts["step"]), int(facts["epoch"])
    run.history = History(
        arrays["losses"].tolist(), arrays["epochs"].tolist(), arrays["validation"].tolist()
    )
    return int(facts["position"])


def _fields(values: Any) -> Iterator[tuple[str, Any]]:
    return zip(values._fields, values, strict=True)


def _shows(progress: bool | None) -> bool:
    return sys.stderr.isatty() if progress is None else progress


@dataclass
class _Progress:
    """A line on the terminal, written over in place."""

    out: TextIO | None
    epochs: int | None
    steps: int | None
    width: int = 0

    def show(self, run: Run) -> None:
        """Show how far the run is, in each of its first steps and then ever more rarely."""
        if self.out is None or run.step % max(1, run.step // 100):
            return
        of_steps = "" if self.steps is None else f"/{self.steps}"
        of_epochs = "" if self.epochs is None else f"/{self.epochs}"
        text = f"epoch {run.epoch + 1}{of_epochs}, step {run.step}{of_steps}, loss {run.loss:.6g}"
        if run.history.validation:
            text += f", validation {run.history.validation[-1]:.6g}"
        self.out.write("\r" + text.ljust(self.width))
        self.out.flush()
        self.width = len(text)

    def end(self, run: Run) -> None:
        """Close the line."""
        if self.out is not None:
            self.out.write(f"\n{run.reason} after {run.step} steps\n")
