"""``draw_noise`` of an emitted file: the random inputs that were declared with `gc.noise`."""

from __future__ import annotations

from dataclasses import replace

from graphc.emit.dialect import Dialect
from graphc.emit.file import File
from graphc.emit.model import Field, Model
from graphc.types import named, names_in

# How NumPy's generator draws each distribution; in float32 uniform numbers stay below 1.
CALLS = {
    "normal": "{rng}.standard_normal({shape}, {dtype})",
    "uniform": "{rng}.random({shape}, {dtype})",
    "exponential": "{rng}.standard_exponential({shape}, {dtype})",
    "gumbel": "{rng}.gumbel(size={shape})",
}
TOLD = {
    "normal": "standard normal",
    "uniform": "uniform in [0, 1)",
    "exponential": "exponential of mean 1",
    "gumbel": "standard Gumbel",
}


def noise_fields(model: Model) -> tuple[Field, ...]:
    """Return the inputs that are drawn."""
    return tuple(f for f in model.inputs if f.draws is not None)


def noise_sizes(model: Model) -> list[str]:
    """Return the named sizes of the noise, without the number of samples."""
    names = {n for f in noise_fields(model) for dim in f.shape for n in names_in(dim)}
    return sorted(names - {"P"})


def draw_noise(file: File) -> list[list[str]]:
    """Print ``draw_noise``, if there is noise."""
    fields, own = noise_fields(file.model), file.names.own
    if not fields:
        return []
    sizes, rng = noise_sizes(file.model), own("rng")
    every = [*(["P"] if takes_samples(file.model) else []), *sizes]
    dialect = replace(file.dialect(), sizes={n: named(n) for n in every})
    told = ", ".join(f"{f.name} {TOLD[f.draws or '']}" for f in fields)
    many = " for P samples" if "P" in every else ""
    arguments = ", ".join(
        [rng, *every[: len(every) - len(sizes)], *(["*", *sizes] if sizes else [])]
    )
    return [
        [
            f"def draw_noise({arguments}) -> {own('dict')}:",
            f'    """Return noise{many} by name: {told}.',
            "",
            f"    `{rng}` is a generator of NumPy's, or the seed of one.",
            '    """',
            f"    {rng} = {own('np')}.random.default_rng({rng})",
            "    return {",
            *(f'        "{f.name}": {_drawn(f, dialect, rng)},' for f in fields),
            "    }",
        ]
    ]


def takes_samples(model: Model) -> bool:
    """Return whether the noise has a sample axis."""
    return any(f.shape[:1] == (named("P"),) for f in noise_fields(model))


def _drawn(f: Field, dialect: Dialect, rng: str) -> str:
    shape = dialect.shape(f.shape)
    drawn = CALLS[f.draws or ""].format(rng=rng, shape=shape, dtype=dialect.dtype)
    np_ = dialect.names.own("np")
    if dialect.lib != np_:
        return f"{dialect.lib}.asarray({drawn}, {dialect.dtype})"
    if f.draws == "gumbel" or not f.shape:
        return f"{np_}.asarray({drawn}, {dialect.dtype})"
    return drawn
