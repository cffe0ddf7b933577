"""Every ufunc of NumPy's, on every combination of kinds: NumPy's values and kinds, or a refusal."""

from itertools import product

import numpy as np
import pytest
import scipy.special

import graphc as gc
from graphc.errors import GraphcError, UsageError
from tests.numerics import value

DATA = {
    "real": np.array([-2.5, -1.0, -0.0, 0.3, 1.0, 2.0, 4.7]),
    "integer": np.array([-3, -1, 0, 1, 2, 3, 5]),
    "boolean": np.array([0, 1, 1, 0, 1, 0, 1], bool),
}
KIND = {"f": "real", "i": "integer", "u": "integer", "b": "boolean"}
REFUSED = ["nextafter", "spacing", "frexp", "isnat", "bitwise_count"]
PRODUCTS = {"matmul", "vecdot", "matvec", "vecmat"}  # tested with the products
# NumPy rounds the reciprocal of an integer to 0: refused, for nobody wants that.
OWN_REFUSALS = {("reciprocal", "integer"), ("reciprocal", "boolean")}
UFUNCS = {u.__name__: u for u in (getattr(np, n) for n in dir(np)) if isinstance(u, np.ufunc)}
SHIFTS = ("left_shift", "right_shift", "power")


def arguments(name, kinds):
    arrays = [np.roll(DATA[kind], 2 * i) for i, kind in enumerate(kinds)]
    if name in SHIFTS and kinds[1] == "integer":
        arrays[1] = abs(arrays[1])  # not defined, or refused by NumPy, for negative ones
    return arrays


def in_numpy(ufunc, arrays):
    """NumPy's results, small integers counted as integers; None where it refuses."""
    try:
        results = ufunc(*arrays)
    except (TypeError, ValueError):
        return None
    many = results if isinstance(results, tuple) else (results,)
    if any(y.dtype.itemsize < 8 and y.dtype != bool for y in many):  # of booleans: int8, float16
        results = ufunc(*[a.astype(np.int64) if a.dtype == bool else a for a in arrays])
        wide = results if isinstance(results, tuple) else (results,)
        return [
            w.astype(float) if y.dtype.kind == "f" else w for w, y in zip(wide, many, strict=True)
        ]
    return many


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", sorted(set(UFUNCS) - PRODUCTS - set(REFUSED)))
def test_kinds_and_values_are_numpys(name):
    ufunc = UFUNCS[name]
    for kinds in product(DATA, repeat=ufunc.nin):
        arrays = arguments(name, kinds)
        expected = in_numpy(ufunc, arrays)
        xs = [gc.observed(f"x{i}", shape=7, kind=kind) for i, kind in enumerate(kinds)]
        if expected is None or (name, *kinds) in OWN_REFUSALS:
            with pytest.raises(GraphcError):
                ufunc(*xs)
            continue
        made = ufunc(*xs)
        made = made if isinstance(made, tuple) else (made,)
        found = [value(list(made), dict(zip(xs, arrays, strict=True)))]
        if "real" not in kinds:
            found.append(gc.compile_function(xs, list(made), style="readable")(*arrays))
        for variable, exact, *numbers in zip(made, expected, *found, strict=True):
            assert variable.kind == KIND[exact.dtype.kind], kinds
            for got in numbers:
                assert np.asarray(got).dtype.kind == exact.dtype.kind, kinds
                np.testing.assert_allclose(got, exact, rtol=2e-15, err_msg=str(kinds))


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused_with_a_way_out(name):
    x = gc.observed("x", shape=3, kind="integer" if name == "bitwise_count" else "real")
    with pytest.raises(UsageError, match=name):
        UFUNCS[name](*[x] * UFUNCS[name].nin)


def test_scipy_ufuncs_build_the_nodes_of_graphc_s_own_names():
    x, y = gc.observed("x"), gc.observed("y")
    for name in gc.language.special.__all__:
        if name == "polygamma":
            continue  # no ufunc
        args = (x, y) if getattr(scipy.special, name).nin == 2 else (x,)
        theirs, ours = getattr(scipy.special, name)(*args), getattr(gc, name)(*args)
        assert theirs.node is ours.node, name


def test_what_scipy_has_beyond_is_refused():
    x = gc.observed("x")
    with pytest.raises(UsageError, match="gammaln"):
        scipy.special.loggamma(x)
    with pytest.raises(UsageError, match="zetac"):
        scipy.special.zetac(x)


@pytest.mark.parametrize("order", [-1, 1.5, "1", None])
def test_orders_are_whole_numbers(order):
    with pytest.raises(UsageError, match="whole number"):
        gc.polygamma(order, gc.observed("x"))


def test_wrong_numbers_of_arguments():
    x = gc.observed("x")
    with pytest.raises((UsageError, TypeError)):
        gc.erf(x, x)
