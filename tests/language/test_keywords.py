"""Every keyword of NumPy's functions on variables: it works as in NumPy, or is refused clearly."""

import inspect
import warnings

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError
from graphc.language.protocol.tables import FUNCTIONS, UFUNCS
from tests.numerics import value

RNG = np.random.default_rng(4)
LOWER = np.tril(RNG.normal(size=(3, 3))) + np.diag([1.0, 2.0, 3.0])
SQUARE = LOWER @ LOWER.T + np.triu(RNG.normal(size=(3, 3)), 1)
VECTOR, COUNTS = np.array([-0.2, 0.5, 1.5]), np.array([2, 0, 1])
MASK = SQUARE > 0
for _array in (SQUARE, VECTOR, COUNTS, MASK):
    _array.setflags(write=False)

FORMS = [
    (SQUARE,), (VECTOR,), (SQUARE, SQUARE), (VECTOR, VECTOR), (SQUARE, 1), ([SQUARE, SQUARE],),
    (COUNTS, COUNTS), (COUNTS, VECTOR, 4), (COUNTS,), (SQUARE, VECTOR), (VECTOR, VECTOR, VECTOR),
    (SQUARE, 0, 1), (COUNTS, [COUNTS] * 3), ("ij->ji", SQUARE), (SQUARE, (9,)),
    (SQUARE, (2, 3, 3)), (SQUARE, (2, 2)), (SQUARE, 0.3), (SQUARE, COUNTS[None], 1),
    (SQUARE, 1, 5.0), ([True, False, True], SQUARE), (SQUARE[..., None],), (SQUARE[..., None], 1),
    (SQUARE, float), (SQUARE, [SQUARE > 0], [1.0, 2.0]), ([MASK], [SQUARE]),
    (SQUARE, [-9.0, 0.0, 9.0]),
]  # fmt: skip

TRIED = {
    "axis": (0, -1, None, (0,)),
    "axes": (None, (1, 0), (0, 1)),
    "dtype": (float, int, bool, "float32", complex, "datetime64[s]"),
    "out": (np.zeros((3, 3)),),
    "where": (MASK, True, False),
    "casting": ("unsafe", "same_kind"),
    "order": ("C", "F", "K", "A"),
    "subok": (True, False),
    "keepdims": (True, False),
    "initial": (2.0, 0),
    "mode": ("clip", "wrap", "same", "edge", "complete"),
    "copy": (True, False, None),
    "method": ("lower", "weibull", "nonsense"),
    "kind": ("stable", "quicksort"),
    "side": ("left", "right"),
    "like": (None,),
    "device": ("cpu", None),
    "optimize": (True, False, "greedy"),
    "weights": (SQUARE**2, VECTOR**2),
    "shape": ((2, 2), 4),
}


def tried(name, default):
    """Values to try of a keyword."""
    if name in TRIED:
        return TRIED[name]
    if isinstance(default, bool):
        return (True, False)
    if isinstance(default, int):
        return (0, 1, -1, 2)
    if isinstance(default, str):
        return (default, "nonsense")
    return (None, 1, 2.5, VECTOR)


def on_variables(call, forms):
    """What a call gives on variables in place of the arrays, computed."""
    feed = {}

    def variable(array):
        if isinstance(array, list) and any(isinstance(one, np.ndarray) for one in array):
            return [variable(one) for one in array]
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fib":
            return array
        kind = {"f": "real", "i": "integer", "b": "boolean"}[array.dtype.kind]
        made = gc.observed("x", shape=array.shape, kind=kind)
        feed[made] = array
        return made

    found = call(*[variable(form) for form in forms])
    parts = found if isinstance(found, list | tuple) else [found]
    return [value(v, feed) if isinstance(v, gc.Variable) else v for v in parts]


def positional_form(function):
    for form in FORMS:
        try:
            expected = function(*form)
            on_variables(function, form)
        except Exception:  # another form, then
            continue
        return form, expected
    return None, None


FUNCTIONS_OF_NUMPY = sorted(
    {f for f in FUNCTIONS if not isinstance(f, np.ufunc)}
    | {getattr(np, name) for name in UFUNCS if isinstance(getattr(np, name, None), np.ufunc)},
    key=lambda f: f"{f.__module__ if not isinstance(f, np.ufunc) else 'np'}.{f.__name__}",
)

# What NumPy leaves unsaid, or graphc documents to do otherwise.
APART = {"empty_like", "lstsq", "partition", "argpartition", "broadcast_arrays"}


def agree(got, expected, what):
    parts = expected if isinstance(expected, list | tuple) else [expected]
    assert len(got) == len(parts), what
    for a, b in zip(got, parts, strict=True):
        np.testing.assert_allclose(
            np.asarray(a, float), np.asarray(b, float), rtol=1e-6, atol=1e-6, err_msg=what
        )


def keywords(function, taken):
    """The keywords of a function beside its first arguments, and what to try of each."""
    if isinstance(function, np.ufunc):
        names = ["out", "where", "casting", "order", "dtype", "subok", "axis", "keepdims"]
        return [(name, one) for name in names for one in TRIED[name]]
    parameters = list(inspect.signature(function).parameters.values())[taken:]
    return [
        (p.name, one)
        for p in parameters
        if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
        for one in tried(p.name, p.default)
    ]


@pytest.mark.parametrize("function", FUNCTIONS_OF_NUMPY, ids=lambda f: f.__name__)
def test_keywords(function):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        form, _ = positional_form(function)
        assert form is not None, "no call of it is known to work"
        for name, one in keywords(function, len(form)):
            try:
                given = np.copy(one) if name == "out" else one
                expected = function(*form, **{name: given})
            except Exception:  # NumPy refuses it too
                continue
            try:
                got = on_variables(lambda *a, o={name: one}: function(*a, **o), form)
            except GraphcError as error:
                assert len(str(error)) > 40, str(error)
                continue
            if function.__name__ not in APART:
                agree(got, expected, f"{name}={one!r}")
