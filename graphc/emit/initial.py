"""``Params`` and ``init_params`` of an emitted file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphc.emit.dialect import Dialect, number
from graphc.emit.model import Field, Model
from graphc.types import Dim, named, names_in, shape_text


@dataclass(frozen=True, slots=True)
class Uniform:
    """A start drawn uniformly from ``±sqrt(numerator / fan)``; the fan may be a named size."""

    fan: Dim
    numerator: int = 1


@dataclass(frozen=True, slots=True)
class Normal:
    """A start drawn from a normal distribution of variance ``1 / fan``; a row may be zeros."""

    fan: Dim = 1
    zero_row: int | None = None


LARGEST_LITERAL = 64  # elements of an array that stands in the file as text

RANDOM = {
    "glorot": '''def _glorot(rng, shape):
    """Uniform in ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010)."""
    field = {np}.prod(shape[2:])
    r = {np}.sqrt(6 / ((shape[0] + shape[min(1, {len}(shape) - 1)]) * field))
    return rng.uniform(-r, r, shape)
''',
    "uniform": '''def _uniform(rng, shape, numerator, fan):
    """Uniform in ±sqrt(numerator / fan): how PyTorch's blocks start."""
    r = {np}.sqrt(numerator / fan)
    return rng.uniform(-r, r, shape)
''',
    "normal_rows": '''def _normal_rows(rng, shape, zero_row):
    """Standard normal, but for one row of zeros."""
    drawn = rng.standard_normal(shape)
    drawn[zero_row] = 0
    return drawn
''',
    "he": '''def _he(rng, shape):
    """Normal with variance 2 / fan in (He et al., 2015)."""
    return rng.normal(0, {np}.sqrt(2 / {np}.prod(shape[1:] or shape)), shape)
''',
}


SHAPED = '''def _shaped(name, drawn, shape):
    """Return what a parameter starts from, as an array of its shape."""
    drawn = {np}.asarray(drawn)
    if drawn.shape != shape:
        raise ValueError(f"the init of {{name}} must give shape {{shape}}, got {{drawn.shape}}")
    return drawn
'''


def default_init(field: Field) -> Any:
    """Return how a parameter starts: as declared, else glorot for matrices, else zeros."""
    if field.init is not None:
        return field.init
    return "glorot" if len(field.shape) >= 2 else "zeros"


def named_tuple(name: str, fields: tuple[tuple[str, str], ...], doc: str, lib: str) -> list[str]:
    """Print a NamedTuple of arrays, the shape of each as a comment."""
    lines = [f"class {name}(NamedTuple):", f'    """{doc}"""', ""]
    lines += [f"    {field}: {lib}.ndarray  # {shape}" for field, shape in fields]
    return lines if fields else lines[:2]


def initial(model: Model, dialect: Dialect, arrays: dict[str, Any]) -> list[list[str]]:
    """Print ``init_params`` and the helpers that it needs; enter large arrays in `arrays`."""
    np_ = dialect.names.own("np")
    sizes = sorted({n for f in model.parameters for dim in f.shape for n in names_in(dim)})
    inits = [default_init(f) for f in model.parameters]
    helpers = [
        RANDOM[kind].format(np=np_, len=dialect.names.own("len")).rstrip().split("\n")
        for kind in RANDOM
        if kind in [_helper(i) for i in inits]
    ]
    # No variable of the user's is in sight here: sizes keep the names that users gave them.
    dialect = replace(dialect, sizes={n: named(n) for n in sizes})
    options = "".join(f", {n}" for n in sizes)
    star = ", *" if sizes else ""
    own = dialect.names.own
    params, rng, seed = own("Params"), own("rng"), own("seed")
    lines = [
        f"def init_params({seed}=0{star}{options}) -> {params}:",
        f'    """Return the parameters to start from; {_summary(inits)}."""',
    ]
    if dialect.target.needs_device:
        lines.append("    _need_gpu()")
    if any(callable(i) for i in inits):
        helpers.append(SHAPED.format(np=np_).rstrip().split("\n"))
    drawn = ("glorot", "he", "normal", "uniform", "normal_rows")
    random = any(callable(i) or _helper(i) in drawn for i in inits)
    if random:
        lines.append(f"    {rng} = {np_}.random.default_rng({seed})")
    if not model.parameters:
        return [[*lines, f"    return {params}()"]]
    lines.append(f"    return {params}(")
    for f, init in zip(model.parameters, inits, strict=True):
        lines.append(f"        {f.name}={_value(f, init, dialect, arrays)},")
    return [*helpers, [*lines, "    )"]]


def _helper(init: Any) -> str | None:
    """Return the name of the function that draws a start; None where nothing is drawn by name."""
    if isinstance(init, Normal):
        return "normal" if init.zero_row is None else "normal_rows"
    if isinstance(init, Uniform):
        return "uniform"
    return init if isinstance(init, str) else None


def _summary(inits: list[Any]) -> str:
    told = {
        "glorot": "Glorot-uniform",
        "he": "He-normal",
        "normal": "standard normal",
        "normal_rows": "standard normal",
        "uniform": "uniform as in PyTorch",
        "zeros": "zeros",
        "ones": "ones",
    }
    kinds = dict.fromkeys(_helper(i) or "given" for i in inits)
    return ", ".join(told.get(kind, "given values") for kind in kinds) or "there are none"


def _value(f: Field, init: Any, dialect: Dialect, arrays: dict[str, Any]) -> str:
    lib, dtype, np_ = dialect.lib, dialect.dtype, dialect.names.own("np")
    rng, shape = dialect.names.own("rng"), dialect.shape(f.shape)
    whole = shape if len(f.shape) != 1 else f"({shape},)"
    if isinstance(init, str) and init in ("zeros", "ones"):
        return f"{lib}.{init}({shape}, {dtype})"
    if isinstance(init, int | float | np.number):
        return f"{lib}.full({shape}, {number(float(init), dialect).text}, {dtype})"
    if isinstance(init, Uniform):
        fan = dialect.shape((init.fan,))
        drawn = f"_uniform({rng}, {whole}, {init.numerator}, {fan})"
    elif isinstance(init, Normal) and init.zero_row is not None:
        drawn = f"_normal_rows({rng}, {whole}, {init.zero_row})"
    elif isinstance(init, Normal):
        drawn = f"{rng}.normal(0, {np_}.sqrt(1 / {dialect.shape((init.fan,))}), {shape})"
    elif isinstance(init, str) and init == "normal":
        drawn = f"{rng}.standard_normal({shape})"
    elif isinstance(init, str):
        drawn = f"_{init}({rng}, {whole})" if f.shape else f"_{init}({rng}, (1,))[0]"
    elif callable(init):
        drawn = f'_shaped("{f.name}", _init_{f.name}({rng}, {whole}), {whole})'
    else:
        return f"{lib}.array({literal(init, f.name, dialect, arrays)}, {dtype})"
    if lib != np_:
        return f"{lib}.asarray({drawn}, {dtype})"
    return f"{drawn}.astype({dtype})"


def literal(value: Any, name: str, dialect: Dialect, arrays: dict[str, Any]) -> str:
    """Spell a small array as nested lists, a large one as an entry of the file beside."""
    array = np.asarray(value)
    if array.size <= LARGEST_LITERAL and np.all(np.isfinite(array)):
        return repr(array.tolist())
    arrays[name] = array
    return f'_ARRAYS["{name}"]'


def shape_of(f: Field) -> str:
    """Return a field's shape as a comment shows it."""
    return shape_text(f.shape)
