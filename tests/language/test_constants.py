"""What becomes a constant, and what is refused: nothing is dropped, wrapped or guessed."""

import datetime
from fractions import Fraction

import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError, KindError, ShapeError, UsageError

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
REFUSED = {
    "rows of different lengths": ([[1, 2], [3]], "different lengths: pad them to one length"),
    "arrays of different lengths": ([np.zeros(2), np.zeros(3)], "different lengths"),
    "a mask": (MASKED, r"has no mask: write value\.filled\(0\.0\)"),
    "2**63": (2**63, r"integers have 64 bits.* write a real number, as 9223372036854775808\.0"),
    "unsigned": (np.array([1, 2**63], np.uint64), "integers have 64 bits"),
    "beyond 64 bits": ([1, -(2**64)], "integers have 64 bits, and -18446744073709551616"),
    "objects": (np.array([1.0, None]), r"not object \(NoneType\); write np\.asarray"),
    "fractions": ([Fraction(1, 3)], r"not object \(Fraction\)"),
    "integers as objects": (np.array([1, 2], object), "write np.asarray"),
    "none": (None, "not object"),
    "a dictionary": ({"a": 1}, r"not object \(dict\)"),
    "a generator": ((i for i in range(3)), r"not object \(generator\)"),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), "as numbers, such as days since a start"),
    "a date": (datetime.date(2020, 1, 1), r"not object \(date\)"),
    "durations": (np.timedelta64(3, "s"), r"such as value / np\.timedelta64"),
    "complex": (np.array([1j]), "the real and the imaginary part as two arrays"),
    "text": (["a", "b"], "text becomes numbers as classes"),
    "fields": (np.zeros(2, [("a", float)]), "one array for each field"),
}
TAKEN = {
    "no element masked": np.ma.array([1.0, 2.0]),
    "a range": range(2),
    "unsigned": np.array([1, 2], np.uint64),
    "half": np.array([1, 2], np.float16),
    "the largest integer": np.array([2**63 - 1, -(2**63)]),
    "another order of bytes": np.array([1.0, 2.0], ">f8"),
    "every other one": np.arange(4.0)[::2],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_constant(name):
    value, told = REFUSED[name]
    x = gc.observed("x", 2)
    for use in (gc.constant, lambda v: x + v, lambda v: gc.at_set(x, 0, v)):
        with pytest.raises((KindError, ShapeError), match=f"test_constants.py:.*{told}"):
            use(value)


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_parameter_starts_with(name):
    value, told = REFUSED[name]
    if name in ("2**63", "unsigned", "none"):  # real numbers as they are; the default
        return
    with pytest.raises(UsageError, match=f"parameter 'w': .*{told}"):
        gc.parameter("w", 2, init=value)


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_a_constant(name):
    value = TAKEN[name]
    made = gc.constant(value)
    got = gc.compile_function([], [made])()[0]
    np.testing.assert_array_equal(got, np.asarray(value))
    assert made.kind == ("real" if np.asarray(value).dtype.kind == "f" else "integer")


def test_integers_do_not_wrap_beside_real_numbers():
    x = gc.observed("x", 2)
    with pytest.raises(KindError, match="integers have 64 bits"):
        _ = x + 2**63
    assert gc.compile_function([x], x + 2.0**63)(np.zeros(2))[0] == 2.0**63


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (MASKED, "x is a masked array: fill it first"),
        ([[1.0], [1.0, 2.0]], "x is no array: "),
        (np.array([1j, 2j]), "x must hold real numbers, got complex128"),
        (np.array([None, 1.0]), "x must hold real numbers, got object"),
        (["a", "b"], "x must hold real numbers, got <U1"),
        (np.array(["2020-01-01"] * 2, "datetime64[D]"), "x must hold real numbers, got datetime64"),
    ],
)
def test_what_files_refuse(value, told, style):
    x = gc.observed("x", 2)
    f = gc.compile_function([x], 2 * x, style=style)
    with pytest.raises((TypeError, ValueError), match=told):
        f(value)
    np.testing.assert_array_equal(f(np.ma.array([1, 2])), [2, 4])


def test_files_refuse_integers_that_would_wrap():
    n = gc.observed("n", 2, kind="integer")
    f = gc.compile_function([n], n + 0)
    with pytest.raises(
        ValueError, match=r"n must hold integers below 2\*\*63, got 9223372036854775808"
    ):
        f(np.array([1, 2**63], np.uint64))
    np.testing.assert_array_equal(f(np.array([1, 2], np.uint64)), [1, 2])


def test_indices_of_other_kinds():
    x = gc.observed("x", 4)
    assert x[range(2)].shape == (2,)
    for key in (np.timedelta64(1, "s"), MASKED, [[0], [1, 2]], 1.0, "a", {1}):
        with pytest.raises(GraphcError, match=r"test_constants\.py"):
            _ = x[key]
