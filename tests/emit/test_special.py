"""Helpers that emitted files carry: the numbers of the reference, in both dtypes and styles."""

import ast

import numpy as np
import pytest

import graphc as gc
from graphc.ops.scalars import SCALARS
from tests.operations.scalars import CASES

FLAT = [
    case
    for case in CASES
    if case.group in ("error functions", "gamma family", "entropies", "Bessel functions")
    or case.name in ("scipy.special.exprel", "scipy.special.cosm1", "scipy.special.logit")
]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("case", FLAT, ids=lambda case: case.name)
def test_float32_is_the_float64_result_rounded(case, style):
    """Whatever is computed in float64 inside loses nothing but the last rounding."""
    xs = [gc.observed(f"x{i}", shape=a.shape) for i, a in enumerate(case.arguments)]
    made = case.build(*xs)
    narrow = [a.astype(np.float32) for a in case.arguments]
    single = gc.compile_function(xs, made, dtype="float32", style=style)(*narrow)
    double = gc.compile_function(xs, made, dtype="float64", style=style)(
        *[a.astype(np.float64) for a in narrow]
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1.2e-7)


def test_a_file_carries_what_its_helpers_need_and_no_more():
    x = gc.observed("x", shape=3)
    source = gc.compile_function([x], gc.erf(x)).source
    for name in ("_erf", "_gauss", "_erfcx_positive", "_polynomial", "_wide"):
        assert f"def {name}(" in source
    assert "_ERFCX = (" in source
    assert "_gammaln" not in source
    assert "scipy" not in source.split('"""', 2)[2]
    assert "Any" not in source


def test_names_of_users_stay_theirs():
    np_, range_ = gc.observed("np", shape=3), gc.observed("range", shape=3)
    f = gc.compile_function([np_, range_], gc.ndtri(np_) + gc.exprel(range_), name="abs")
    got = f(np.array([0.2, 0.5, 0.7]), np.array([0.0, 1.0, -2.0]))
    np.testing.assert_allclose(
        got, SCALARS["ndtri"].evaluate([0.2, 0.5, 0.7]) + SCALARS["exprel"].evaluate(0, [0, 1, -2])
    )


def test_scalars_and_empty_arrays():
    s, e = gc.observed("s"), gc.observed("e", shape=(0, 2))
    for function in (gc.erf, gc.gammaln, gc.i0, gc.log_ndtr, gc.exprel, gc.logit):
        got = gc.compile_function([s], function(s))(0.3)
        assert np.shape(got) == ()
        assert gc.compile_function([e], function(e))(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("name", ["erf", "gammaln", "digamma", "i1", "ndtri", "log_ndtr", "logit"])
def test_cupy_files_call_what_cupy_has(name):
    cupy = pytest.importorskip("cupy")
    x = gc.observed("x", shape=3)
    made = getattr(gc, name)(x)
    f = gc.compile_function([x], gc.grad(made.sum(), x), target="cupy", style="readable")
    used = {
        node.attr
        for node in ast.walk(ast.parse(f.source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "cp"
    }
    assert used
    assert not [attribute for attribute in used if not hasattr(cupy, attribute)]
