"""Every operation of the language, one line each, against JAX, torch or SciPy in float64.

The modules beside this one list them in `CASES`. Values and first derivatives are compared as
emitted in both styles, second ones as emitted in the fast style.
"""

import importlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

HERE = Path(__file__).parent
MODULES = sorted(
    path.stem for path in HERE.glob("*.py") if path.stem not in ("case", "test_operations")
)
CASES = [
    case for name in MODULES for case in importlib.import_module(f"tests.operations.{name}").CASES
]


def identifier(case):
    return f"{case.group}: {case.name}"


def as_tuple(results):
    return tuple(results) if isinstance(results, list | tuple) else (results,)


class Subject:
    """A case in graphc: its variables, its results, and weights that make one number of them."""

    def __init__(self, case):
        self.case = case
        kinds = {"f": "real", "i": "integer", "b": "boolean"}
        self.inputs = [
            gc.observed(f"x{i}", shape=array.shape, kind=kinds[array.dtype.kind])
            for i, array in enumerate(case.arguments)
        ]
        self.outputs = as_tuple(case.build(*self.inputs))
        self.reals = [v for v in self.inputs if v.kind == "real"]
        rng = np.random.default_rng(len(case.name))
        self.weights = [rng.normal(size=v.shape) for v in self.outputs]
        self.tangents = [rng.normal(size=v.shape) for v in self.reals]

    def first(self):
        """The gradient of the weighted sum of the results."""
        total = sum(
            np.sum(v * w)
            for v, w in zip(self.outputs, self.weights, strict=True)
            if v.kind == "real"
        )
        return gc.grad(total, self.reals, allow_unused=True)

    def second(self):
        """The gradient of the gradient along the tangents."""
        along = sum(np.sum(g * t) for g, t in zip(self.first(), self.tangents, strict=True))
        return gc.grad(along, self.reals, allow_unused=True)

    def computed(self, outputs, style):
        """What an emitted file computes."""
        return gc.compile_function(self.inputs, list(outputs), style=style)(*self.case.arguments)

    def expected(self, order):
        """The oracle's results (order 0), their gradient, or that of the gradient."""
        return {"jax": in_jax, "torch": in_torch, "numpy": in_numpy}[self.case.framework](
            self, order
        )


def in_numpy(subject, order):
    assert order == 0, "NumPy and SciPy know values only: set differentiable=False"
    return [np.asarray(y) for y in as_tuple(subject.case.oracle(*subject.case.arguments))]


def in_jax(subject, order):
    jax = pytest.importorskip("jax")
    case = subject.case
    arrays = [jax.numpy.asarray(array) for array in case.arguments]
    if order == 0:
        return as_tuple(case.oracle(*arrays))
    places = [i for i, array in enumerate(case.arguments) if array.dtype.kind == "f"]

    def weighted(*reals):
        given = list(arrays)
        for i, array in zip(places, reals, strict=True):
            given[i] = array
        return sum(
            (y * w).sum()
            for y, w in zip(as_tuple(case.oracle(*given)), subject.weights, strict=True)
            if jax.numpy.issubdtype(y.dtype, jax.numpy.floating)
        )

    argnums = tuple(range(len(places)))
    first = jax.grad(weighted, argnums)
    reals = [arrays[i] for i in places]
    if order == 1:
        return first(*reals)
    along = lambda *x: sum(  # noqa: E731
        (g * t).sum() for g, t in zip(first(*x), subject.tangents, strict=True)
    )
    return jax.grad(along, argnums)(*reals)


def in_torch(subject, order):
    import torch  # there is one: the test took the fixture

    case = subject.case
    arrays = [
        torch.tensor(array, requires_grad=array.dtype.kind == "f") for array in case.arguments
    ]
    results = as_tuple(case.oracle(*arrays))
    if order == 0:
        return [y.detach().numpy() for y in results]
    reals = [array for array in arrays if array.requires_grad]

    def gradient(values, weights):
        total = sum(
            (y * torch.tensor(w)).sum()
            for y, w in zip(values, weights, strict=True)
            if y.is_floating_point()
        )
        if not total.requires_grad:
            return [torch.zeros_like(x) for x in reals]
        found = torch.autograd.grad(total, reals, create_graph=order == 2, allow_unused=True)
        return [torch.zeros_like(x) if g is None else g for x, g in zip(reals, found, strict=True)]

    grads = gradient(results, subject.weights)
    if order == 2:
        grads = gradient(grads, subject.tangents)
    return [g.detach().numpy() for g in grads]


def compare(got, expected, case, what):
    assert len(got) == len(expected), what
    for a, b in zip(got, map(np.asarray, expected), strict=True):
        assert np.shape(a) == b.shape, what
        scale = max(1.0, float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)))
        np.testing.assert_allclose(
            np.asarray(a, float),
            np.asarray(b, float),
            rtol=0,
            atol=case.tolerance * scale,
            err_msg=what,
        )


@pytest.mark.parametrize("case", CASES, ids=identifier)
def test_operation(case, request):
    if case.framework == "torch":
        request.getfixturevalue("torch")
    subject = Subject(case)
    expected = subject.expected(0)
    for v, y in zip(subject.outputs, expected, strict=True):
        kind = {"f": "real", "i": "integer", "u": "integer", "b": "boolean"}
        assert v.kind == kind[np.asarray(y).dtype.kind], "the kind of the result"
    if not case.differentiable:
        for style in ("readable", "fast"):
            compare(subject.computed(subject.outputs, style), expected, case, f"value, {style}")
        return
    first, count = subject.first(), len(expected)
    expected_first = subject.expected(1)
    for style in ("readable", "fast"):
        got = subject.computed([*subject.outputs, *first], style)
        compare(got[:count], expected, case, f"value, {style}")
        compare(got[count:], expected_first, case, f"first derivative, {style}")
    if case.second:
        got = subject.computed(subject.second(), "fast")
        compare(got, subject.expected(2), case, "second derivative")


def test_no_operation_stands_twice():
    repeated = [name for name, n in Counter(map(identifier, CASES)).items() if n > 1]
    assert not repeated


def test_the_table_is_counted(record_property):
    """The count is printed (``pytest -rP``) and recorded."""
    groups = Counter(case.group for case in CASES)
    print(f"{len(CASES)} operations:", ", ".join(f"{n} {group}" for group, n in groups.items()))
    record_property("operations", len(CASES))
    assert len(CASES) >= len(MODULES)
