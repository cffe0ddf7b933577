"""Declaring variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np

from graphc.emit.initial import Normal, Uniform
from graphc.errors import CycleError, KindError, NamingError, ShapeError, UsageError
from graphc.language.names import check_name
from graphc.language.source import here
from graphc.language.variable import (
    OPERATORS,
    Declaration,
    Variable,
    as_variable,
    check_same,
)
from graphc.ops.leaves import LARGEST, new_input, plain_array
from graphc.ops.properties import PROPERTIES, fulfils
from graphc.types import Dim, Dimension, Kind, Shape, TensorType, named, shape_text

if TYPE_CHECKING:
    import numpy.typing as npt

Init: TypeAlias = (
    "str | npt.ArrayLike | Callable[[np.random.Generator, tuple[int, ...]], npt.ArrayLike] | None"
)
DISTRIBUTIONS = ("normal", "uniform", "exponential", "gumbel")
INITS = ("glorot", "he", "normal", "zeros", "ones")


def observed(
    name: str,
    shape: int | str | Iterable[int | str | Dimension] = (),
    *,
    kind: Kind = "real",
    classes: int | None = None,
    per_sample: bool = True,
    label: str | None = None,
    symmetric: bool = False,
    diagonal: bool = False,
    positive: bool = False,
    orthogonal: bool = False,
) -> Variable:
    """Return a variable that is given from outside: a shaded circle.

    Parameters
    ----------
    name
        An identifier; it becomes the argument of the emitted functions.
    shape
        The shape for one sample. A dimension is an integer or a name; equal names are equal
        sizes, and a named size never broadcasts as 1.
    kind
        ``"real"``, ``"integer"`` or ``"boolean"``.
    classes
        With K classes the variable is an integer in ``0..K-1``.
    per_sample
        False for what all samples share: a hyperparameter, a whole data set.
    label
        LaTeX for diagrams and formulas.
    symmetric, diagonal, orthogonal
        Promises about the square matrices on the last two axes, of which simplification and
        formulas make use: ``Aᵀ`` is A, ``QᵀQ`` is I. Emitted functions do not check them. A
        derivative by the variable is taken as if its elements were free.
    positive
        A promise that every element is greater than 0.

    Raises
    ------
    NamingError, ShapeError, KindError

    Examples
    --------
    >>> observed("x", shape=("n", 3))
    <observed x: real (n, 3)>
    """
    if classes is not None:
        whole = isinstance(classes, int | np.integer) and not isinstance(classes, bool)
        if not whole or not 1 <= classes <= LARGEST:
            raise KindError(f"{here()}: {name!r} needs at least one class, got {classes!r}")
        if kind == "boolean":
            raise KindError(f"{here()}: {name!r} has classes, which are integers, not booleans")
        classes = int(classes)
        kind = "integer"
    if kind not in get_args(Kind):
        raise KindError(f"{here()}: a kind is 'real', 'integer' or 'boolean', got {kind!r}")
    declaration = Declaration("observed", per_sample, label, classes=classes)
    promised = _promised(symmetric, diagonal, positive, orthogonal)
    return _declare(name, shape, kind, declaration, promised)


def noise(
    name: str,
    shape: int | str | Iterable[int | str | Dimension] = (),
    distribution: str = "normal",
    *,
    per_sample: bool = True,
    label: str | None = None,
) -> Variable:
    """Return an observed variable whose values are drawn: what dropout or sampling take.

    An emitted function stays a function of its arguments; the compiled program and its file have
    ``draw_noise(rng, P)``, which draws what was declared so, and :func:`graphc.train` draws it
    anew in every step.

    Parameters
    ----------
    name
        An identifier; it becomes the argument of the emitted functions.
    shape
        The shape for one sample, as for :func:`observed`.
    distribution
        ``"normal"`` (standard normal), ``"uniform"`` in [0, 1), ``"exponential"`` of mean 1, or
        ``"gumbel"`` (standard Gumbel).
    per_sample
        False for noise that all samples share.
    label
        LaTeX for diagrams and formulas.

    Raises
    ------
    NamingError, ShapeError, UsageError

    Examples
    --------
    >>> noise("eps", shape=3)
    <observed eps: real (3,)>
    """
    if distribution not in DISTRIBUTIONS:
        known = ", ".join(map(repr, DISTRIBUTIONS))
        raise UsageError(f"{here()}: the distribution of noise is {known}, got {distribution!r}")
    return _declare(
        name, shape, "real", Declaration("observed", per_sample, label, draws=distribution)
    )


def parameter(
    name: str,
    shape: int | str | Iterable[int | str | Dimension] = (),
    *,
    init: Init = None,
    label: str | None = None,
    symmetric: bool = False,
    diagonal: bool = False,
    positive: bool = False,
    orthogonal: bool = False,
) -> Variable:
    """Return a trainable variable, shared by all samples.

    Parameters
    ----------
    name
        An identifier: the field of ``Params`` in emitted files.
    shape
        Its shape, as for :func:`observed`: the same for all samples.
    init
        ``"glorot"`` (uniform in ±√(6 / (fan in + fan out)); Glorot and Bengio 2010), ``"he"``
        (normal with variance 2 / fan in; He et al. 2015), ``"normal"`` (standard normal),
        ``"zeros"``, ``"ones"``, an array, or a function ``(rng, shape) -> array``. By default
        glorot for two and more axes, else zeros.
    label
        LaTeX for diagrams and formulas.
    symmetric, diagonal, positive, orthogonal
        Promises, as for :func:`observed`. They bind whoever updates the parameter, and its start:
        an `init` that is known to break one is refused.

    Examples
    --------
    >>> parameter("w", shape=(10, 64))
    <parameter w: real (10, 64)>
    """
    promised = _promised(symmetric, diagonal, positive, orthogonal)
    declaration = Declaration("parameter", label=label, init=init)
    made = _declare(name, shape, "real", declaration, promised)
    check_init(init, made.shape, f"parameter '{made.name}'")
    for promise in promised:
        _check_start(made, init, promise)
    return made


def latent(
    name: str,
    shape: int | str | Iterable[int | str | Dimension] = (),
    *,
    per_sample: bool = True,
    label: str | None = None,
) -> Variable:
    """Return a variable that is neither observed nor trained: inferred by minimising a cost.

    Emitted functions take it like an input.

    Parameters
    ----------
    name
        An identifier; it becomes the argument of the emitted functions.
    shape
        The shape for one sample, as for :func:`observed`.
    per_sample
        False for what all samples share.
    label
        LaTeX for diagrams and formulas.

    Examples
    --------
    >>> latent("h", shape=3)
    <latent h: real (3,)>
    """
    return _declare(name, shape, "real", Declaration("latent", per_sample, label))


def constant(
    value: npt.ArrayLike,
    *,
    symmetric: bool = False,
    diagonal: bool = False,
    positive: bool = False,
    orthogonal: bool = False,
) -> Variable:
    """Return a fixed array as a variable.

    Parameters
    ----------
    value
        Numbers: an array of any shape, or what NumPy makes one of. Integers stay integers.
    symmetric, diagonal, positive, orthogonal
        What the array is expected to be. Simplification looks at the values themselves.

    Raises
    ------
    UsageError
        If the array is not what it is said to be.

    Examples
    --------
    >>> constant([1.0, 2.0])
    <constant expression: real (2,)>
    """
    if isinstance(value, Variable):
        raise UsageError(f"{here()}: {value.describe()} is no fixed array, so it is no constant")
    made = as_variable(value)
    for promise in _promised(symmetric, diagonal, positive, orthogonal):
        if not fulfils(np.asarray(value), promise):
            raise UsageError(f"{here()}: the constant is declared {promise}, but it is not")
    return made


def computed(
    name: str, shape: int | str | Iterable[int | str | Dimension] = (), *, kind: Kind = "real"
) -> Variable:
    """Return a variable that is declared before the block that produces it.

    Say later what it is with :meth:`Variable.define`.

    Parameters
    ----------
    name
        An identifier: what the variable is called in figures and files.
    shape
        The shape for one sample, as for :func:`observed`.
    kind
        ``"real"``, ``"integer"`` or ``"boolean"``.

    Examples
    --------
    >>> z = computed("z", shape=4)
    >>> _ = z.define(2 * observed("x", shape=4))
    """
    return _declare(name, shape, kind, Declaration("computed"))


def parse_shape(shape: Any) -> Shape:
    """Return a shape as users write it: integers, names, one of either, or several."""
    if isinstance(shape, bytes | Mapping | Set):
        raise ShapeError(f"a shape is a tuple of integers and names, got {shape!r}")
    several = isinstance(shape, Iterable) and not isinstance(shape, str)
    parts = tuple(shape) if several else (shape,)
    return tuple(_dimension(part) for part in parts)


def _dimension(part: Any) -> Dim:
    if isinstance(part, Dimension):
        return part
    if isinstance(part, str):
        return named(check_name(part, "a dimension"))
    if isinstance(part, bool) or not isinstance(part, int | np.integer):
        raise ShapeError(f"a dimension is an integer or a name, got {part!r}")
    if part < 0:
        raise ShapeError(f"a dimension is not negative, got {part}")
    if part > LARGEST:
        raise ShapeError(f"a dimension lies between 0 and 2**63 - 1, got {part}")
    return int(part)


def _declare(
    name: str,
    shape: Any,
    kind: Kind,
    declaration: Declaration,
    promised: tuple[str, ...] = (),
) -> Variable:
    check_flag(declaration.per_sample, "per_sample")
    if declaration.label is not None and not isinstance(declaration.label, str):
        raise UsageError(f"{here()}: label is LaTeX as text, got {declaration.label!r}")
    try:
        normal = check_name(name, "a variable")
        type_ = TensorType(parse_shape(shape), kind)
    except (NamingError, ShapeError) as error:
        raise error.within(str(here())) from None
    if promised and kind != "real":
        raise KindError(f"{here()}: {name!r} is {kind}; only real variables are {promised[0]}")
    square = type_.rank >= 2 and type_.shape[-1] == type_.shape[-2]
    for promise in promised:
        if promise != "positive" and not square:
            raise ShapeError(
                f"{here()}: {name!r} has shape {shape_text(type_.shape)}; "
                f"only square matrices are {promise}"
            )
    return Variable(new_input(type_, promised), name=normal, declaration=declaration)


def _promised(symmetric: bool, diagonal: bool, positive: bool, orthogonal: bool) -> tuple[str, ...]:
    flags = (symmetric, diagonal, positive, orthogonal)
    for flag, name in zip(flags, PROPERTIES, strict=True):
        check_flag(flag, name)
    return tuple(name for name, flag in zip(PROPERTIES, flags, strict=True) if flag)


def check_flag(flag: Any, name: str) -> None:
    """Raise a UsageError unless an option is true or false."""
    if not isinstance(flag, bool | np.bool_):
        raise UsageError(f"{here()}: {name} is True or False, got {flag!r}")


def check_init(init: Any, shape: Shape, told: str) -> None:
    """Raise an error if a parameter cannot start so: an array has its shape, or is one number."""
    if isinstance(init, str) and init not in INITS:
        raise UsageError(f"{here()}: {told}: init is one of {', '.join(INITS)}, got {init!r}")
    if init is None or isinstance(init, str | Uniform | Normal) or callable(init):
        return
    try:
        start = plain_array(init, "init")
    except (KindError, ShapeError) as error:
        raise UsageError(f"{here()}: {told}: {error}") from None
    fits = len(shape) == start.ndim and all(
        dim == size for dim, size in zip(shape, start.shape, strict=True) if isinstance(dim, int)
    )
    if not fits and start.ndim:
        raise ShapeError(
            f"{here()}: {told}: init has shape {shape_text(start.shape)}, "
            f"expected {shape_text(shape)} or one number"
        )


def _check_start(made: Variable, init: Init, promise: str) -> None:
    """Raise an error if a parameter is known to start as what it is declared not to be."""
    kept = {"zeros": ("symmetric", "diagonal"), "ones": ("symmetric", "positive")}
    if init is None:
        starts, fits = "as by default", made.ndim < 2 and promise != "positive"
    elif isinstance(init, str):
        starts, fits = f"with init={init!r}", promise in kept.get(init, ())
    elif callable(init):
        return
    else:
        starts, fits = "with the array given", fulfils(np.asarray(init, float), promise)
    if not fits:
        raise UsageError(
            f"{here()}: {made.describe()} is declared {promise}, but does not start so "
            f"{starts}; give init an array or a function"
        )


def define(variable: Variable, expression: Variable) -> Variable:
    """Say what a computed variable is; see :meth:`Variable.define`."""
    expression = as_variable(expression)
    if variable.role != "computed":
        raise UsageError(f"{here()}: only a variable made by gc.computed can be defined later")
    if variable.definition is not None:
        raise UsageError(f"{here()}: '{variable.name}' is already defined")
    if expression.kind != variable.kind:
        raise KindError(
            f"{here()}: '{variable.name}' is declared {variable.kind}, got {expression.kind}"
        )
    check_same(expression.shape, variable.shape, f"{here()}: the definition of '{variable.name}'")
    path = path_to(variable, expression)
    if path is not None:
        blocks = [v.call.describe() for v in path if v.call is not None]
        around = " → ".join([*blocks, blocks[0]]) if blocks else f"'{variable.name}' itself"
        raise CycleError(
            f"{here()}: '{variable.name}' would depend on itself through {around}; "
            "a graph has no cycles. For a recurrence, unroll it over the steps"
        )
    variable.definition = expression
    return variable


OPERATORS["define"] = define


def sources(variable: Variable) -> tuple[Variable, ...]:
    """Return the variables that one is computed from directly."""
    if variable.definition is not None:
        return (variable.definition,)
    if variable.call is not None:
        return (*variable.call.inputs, *variable.call.parameters.values())
    return variable.operands


def path_to(target: Variable, start: Variable) -> list[Variable] | None:
    """Return the variables from `target` to `start`, in the direction of the data, or None."""
    came_from: dict[int, Variable | None] = {id(start): None}
    pending = [start]
    while pending:
        current = pending.pop()
        if current is target:
            path = []
            step: Variable | None = current
            while step is not None:
                path.append(step)
                step = came_from[id(step)]
            return path
        for source in sources(current):
            if id(source) not in came_from:
                came_from[id(source)] = current
                pending.append(source)
    return None
