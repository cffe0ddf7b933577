"""Where the samples of a step come from: arrays, files larger than memory, iterables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from graphc.compile import Compiled
from graphc.emit.noise import noise_fields, noise_sizes, takes_samples
from graphc.errors import UsageError
from graphc.types import Dimension

Batch: TypeAlias = Mapping[str, Any]


class Source(Protocol):
    """What gives the batches of each epoch."""

    def epoch(self, number: int, start: int) -> Iterator[Batch]:
        """Return the batches of epoch `number` from position `start` on."""


@dataclass(frozen=True)
class Arrays:
    """Batches of rows of arrays, which may be memory-mapped: only the rows needed are read.

    Parameters
    ----------
    samples
        Arrays with a leading sample axis, all of the same length.
    shared
        What all samples share.
    batch_size
        Rows in a batch; the last one of an epoch holds what is left.
    seed
        Of the order of the rows, which is new in each epoch; None keeps the order.
    """

    samples: Mapping[str, Any]
    shared: Mapping[str, Any]
    batch_size: int
    seed: int | None

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(next(iter(self.samples.values()))) if self.samples else 1

    def epoch(self, number: int, start: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, whose order follows from the seed and its number."""
        order: Any = None
        if self.seed is not None and self.batch_size < self.count:
            order = np.random.default_rng([self.seed, number]).permutation(self.count)
        for first in range(start * self.batch_size, self.count, self.batch_size):
            rows: Any = slice(first, min(first + self.batch_size, self.count))
            if order is not None:
                # In the order of the file: a disk reads forwards quicker than to and fro.
                rows = np.sort(order[rows])
            yield {**{name: a[rows] for name, a in self.samples.items()}, **self.shared}


@dataclass(frozen=True)
class Stream:
    """Batches from an iterable, or from a function that returns one for each epoch."""

    batches: Iterable[Batch] | Callable[[int], Iterable[Batch]]

    def epoch(self, number: int, start: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, those before `start` passed over."""
        once = not callable(self.batches)
        source: Any = self.batches(number) if callable(self.batches) else self.batches
        if number > 0 and once and iter(source) is source:
            raise UsageError(
                "the data is an iterator, which can be gone through once; give a list, or a "
                "function of the number of the epoch that returns an iterable"
            )
        for position, batch in enumerate(source):
            if position >= start:
                yield batch


def source_of(
    data: Any,
    per_sample: Mapping[str, bool],
    drawn: Collection[str],
    batch_size: int | None,
    seed: int | None,
) -> Source:
    """Return where the batches come from.

    Parameters
    ----------
    data
        Arrays by the names of the inputs, or else batches: an iterable of mappings, or a function
        of the number of the epoch that returns one.
    per_sample
        For each input of the program, whether it has a sample axis.
    drawn
        The noise among them, which the data may leave out.
    batch_size
        None for all samples at once; with batches it means nothing.

    Raises
    ------
    UsageError
        If an input is missing or unknown, or the arrays differ in length.
    """
    if isinstance(data, tuple | np.ndarray):
        told = ", ".join(f"'{name}': ..." for name in per_sample)
        raise UsageError(f"data is a mapping from names to arrays: {{{told}}}")
    if not isinstance(data, Mapping):
        if batch_size is not None:
            raise UsageError("the data comes in batches already, so batch_size means nothing")
        return Stream(data)
    per_sample = {n: axis for n, axis in per_sample.items() if n in data or n not in drawn}
    wrong = per_sample.keys() ^ data.keys()
    if wrong:
        name = sorted(wrong)[0]
        told = "is missing from the data" if name in per_sample else "is no input of the program"
        raise UsageError(f"'{name}' {told}; the inputs are {', '.join(per_sample) or 'none'}")
    arrays = {name: _array(value) for name, value in data.items()}
    samples = {name: arrays[name] for name, axis in per_sample.items() if axis}
    lengths = {name: len(a) for name, a in samples.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"'{name}' {length}" for name, length in lengths.items())
        raise UsageError(f"the arrays hold different numbers of samples: {told}")
    shared = {name: arrays[name] for name, axis in per_sample.items() if not axis}
    count = next(iter(lengths.values()), 1)
    if count == 0:
        raise UsageError("the data holds no samples")
    return Arrays(samples, shared, min(batch_size or count, count), seed)


def _array(value: Any) -> Any:
    return value if hasattr(value, "__getitem__") and hasattr(value, "shape") else np.asarray(value)


def with_noise(program: Compiled, params: Any, batch: Batch, seed: Sequence[int] | None) -> Batch:
    """Return a batch with the noise that it lacks, drawn from the seed.

    Raises
    ------
    UsageError
        If nothing in the batch tells how many samples there are, or what a named size is.
    """
    lacking = [f for f in noise_fields(program.model) if f.name not in batch]
    if not lacking:
        return batch
    fields = [(f, np.shape(getattr(params, f.name))) for f in program.model.parameters]
    fields += [(f, np.shape(batch[f.name])) for f in program.model.inputs if f.name in batch]
    known = {
        str(dim): size
        for f, shape in fields
        for dim, size in zip(f.shape, shape, strict=False)
        if isinstance(dim, Dimension)
    }
    model = program.model
    wanted = [*(["P"] if takes_samples(model) else []), *noise_sizes(model)]
    for size in wanted:
        if size not in known:
            names = ", ".join(f.name for f in lacking)
            told = "how many samples there are" if size == "P" else f"the size {size}"
            raise UsageError(
                f"the data does not tell {told} to draw {names}: give them in the data"
            )
    samples = [known["P"]] if "P" in wanted else []
    rng = np.random.default_rng(None if seed is None else list(seed))
    sizes = {n: known[n] for n in noise_sizes(model)}
    drawn = program.draw_noise(rng, *samples, **sizes)
    return {**batch, **{f.name: drawn[f.name] for f in lacking}}
