"""Derivatives where there is none, beside JAX's and torch's: computed, and written to the docs.

``python -m tests.calculus.test_conventions`` writes docs/conventions.md anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import graphc as gc
from tests.numerics import value

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conventions.md"
OURS = SimpleNamespace(
    **vars(np) | {"relu": gc.relu, "norm": lambda x: np.sqrt(np.sum(x * x)), "median": np.median}
)
JAXS = SimpleNamespace(**vars(jnp) | {"relu": jax.nn.relu, "norm": jnp.linalg.norm})


@dataclass(frozen=True)
class Row:
    """A place where a derivative is a convention.

    Parameters
    ----------
    shown
        What the page calls it.
    f
        ``f(lib, x)``: a scalar of a vector, in the names that NumPy, JAX and torch share.
    at
        The vector.
    lecture
        The lecture's values, where it states any.
    """

    shown: str
    f: Callable[..., Any]
    at: tuple[float, ...]
    expected: tuple[float, ...]
    lecture: str = "–"


ROWS = (
    Row("`relu(x)` at 0", lambda lib, x: lib.relu(x).sum(), (0.0,), (0,), "1"),
    Row("`maximum(x, 0)` at 0", lambda lib, x: lib.maximum(x, 0 * x + 0).sum()
        if lib is not OURS else np.maximum(x, 0).sum(), (0.0,), (0,), "1"),
    Row("`maximum(a, b)` at a tie", lambda lib, x: lib.maximum(x[0], x[1]), (2.0, 2.0),
        (0.5, 0.5), "0, 1"),
    Row("`minimum(a, b)` at a tie", lambda lib, x: lib.minimum(x[0], x[1]), (2.0, 2.0),
        (0.5, 0.5)),
    Row("`max(x)` at a tie", lambda lib, x: lib.amax(x), (1.0, 2.0, 2.0), (0, 0.5, 0.5)),
    Row("`min(x)` at a tie", lambda lib, x: lib.amin(x), (1.0, 1.0, 2.0), (0.5, 0.5, 0)),
    Row("`abs(x)` at 0", lambda lib, x: lib.abs(x).sum(), (0.0,), (0,)),
    Row("`sign(x)` at 1", lambda lib, x: (lib.sign(x) * x).sum(), (1.0,), (1,)),
    Row("`clip(x, 0, 1)` at its bounds", lambda lib, x: lib.clip(x, 0.0, 1.0).sum(),
        (0.0, 1.0), (1, 1)),
    Row("`norm(x)` at 0", lambda lib, x: lib.norm(x), (0.0, 0.0), (0, 0)),
    Row("`sqrt(sum(x**2))` at 0", lambda lib, x: lib.sqrt((x**2).sum()), (0.0, 0.0), (0, 0)),
    Row("`sqrt(x)` at 0", lambda lib, x: lib.sqrt(x).sum(), (0.0,), (np.inf,)),
    Row("`where(x > 0, log(x), 0)` at 0", lambda lib, x: lib.where(x > 0, lib.log(x), 0 * x).sum(),
        (0.0,), (0,)),
    Row("`where(x > 0, sqrt(x), 0)` at 0",
        lambda lib, x: lib.where(x > 0, lib.sqrt(x), 0 * x).sum(), (0.0,), (0,)),
    Row("`where(x != 0, sin(x) / x, 1)` at 0",
        lambda lib, x: lib.where(x != 0, lib.sin(x) / x, 0 * x + 1).sum(), (0.0,), (0,)),
    Row("`x**2` at 0", lambda lib, x: (x**2).sum(), (0.0,), (0,)),
    Row("`x**0` at 0", lambda lib, x: (x**0).sum(), (0.0,), (0,)),
    Row("`a**b` at a = 0, b = 2", lambda lib, x: x[0] ** x[1], (0.0, 2.0), (0, 0)),
    Row("`prod(x)` with a zero", lambda lib, x: lib.prod(x), (0.0, 2.0, 3.0), (6, 0, 0)),
    Row("`log(1 + exp(x))` at 1000", lambda lib, x: lib.log(1 + lib.exp(x)).sum(), (1000.0,),
        (1,)),
    Row("`log(sum(exp(x)))` at 1000, 0", lambda lib, x: lib.log(lib.exp(x).sum()),
        (1000.0, 0.0), (1, 0)),
)  # fmt: skip


def ours(row):
    x = gc.observed("x", len(row.at))
    gradient = gc.grad(row.f(OURS, x), x)
    data = np.array(row.at)
    reference = value(gradient, {x: data})
    emitted = gc.compile_function([x], gradient)(data)
    np.testing.assert_array_equal(emitted, reference)
    return reference


def jaxs(row):
    return np.asarray(jax.grad(partial(row.f, JAXS))(jnp.array(row.at)))


def torchs(row, torch):
    lib = SimpleNamespace(**vars(torch) | {"norm": torch.linalg.norm})
    x = torch.tensor(row.at, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(row.f(lib, x), x)
    return found.numpy()


def spoken(array):
    return ", ".join(f"{number:.3g}" for number in np.ravel(array) + 0.0)


def page(torch):
    """The page of the docs, as it should be."""
    lines = [INTRODUCTION]
    for row in ROWS:
        cells = [spoken(ours(row)), spoken(jaxs(row)), spoken(torchs(row, torch)), row.lecture]
        lines.append(f"| {row.shown} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", REMARKS])


INTRODUCTION = """\
# Where a derivative is a convention

At a kink, a tie or a pole there is no derivative, and every library settles for something. What
graphc, JAX, PyTorch and the lecture give; a test computes these numbers and compares this page.

| gradient of | graphc | JAX | PyTorch | lecture |
|---|---|---|---|---|"""

REMARKS = """\
- **Ties are shared equally**: one half each for two arguments, equal parts for the elements of a
  `max` or `min`. `maximum(x, 0)` is recognised as relu, whose gradient at 0 is 0.
- **Norms at 0 have gradient 0**, and so have all further derivatives there. `sqrt(sum(x**2))` and
  `std` are recognised as norms. A bare `sqrt` at 0 keeps its infinite slope, for that is its limit.
- **Choices guard their poles.** In `where(x > 0, log(x), 0)` the derivative of the branch that is
  not taken is 0 times infinity. graphc moves the pole away where the branch is not taken, which
  changes no value; in JAX and PyTorch one has to write a second `where` inside by hand.
- **Naive spellings are recognised** before any derivative is taken: softplus, logsumexp, softmax,
  sigmoid, and compositions of them.
- **Piecewise constant functions** (`floor`, `sign`, `argmax`, comparisons, integers) have no
  derivative to speak of: where every path goes through one, it is an error that names it, and
  `allow_unused=True` gives zeros.
"""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.shown)
def test_convention(row):
    np.testing.assert_allclose(ours(row), row.expected)


def test_the_page_shows_what_is_computed(torch):
    assert PAGE.read_text(encoding="utf-8") == page(torch)


def test_second_derivatives_exist_where_gradients_are_conventions():
    x = gc.observed("x", 2)
    for f in (
        lambda x: np.sqrt(np.sum(x**2)),
        lambda x: np.sum(np.where(x > 0, np.log(x), 0)),
        lambda x: np.sum(np.where(x > 0, x**1.5, 0)),
        np.std,
    ):
        found = value(gc.hessian(f(x), x), {x: np.zeros(2)})
        assert np.isfinite(found).all()


def test_a_guard_changes_no_value():
    x, y = gc.observed("x", 5), gc.observed("y", 5)
    data = {x: np.array([-1.0, 0.0, 0.5, 2.0, np.inf]), y: np.array([0.0, 1.0, 2.0, 0.0, 3.0])}
    with np.errstate(all="ignore"):
        for expression, expected in [
            (np.where(x > 0, np.log(x), 7.0), np.where(data[x] > 0, np.log(data[x]), 7.0)),
            (np.where(y != 0, x / y, x), np.where(data[y] != 0, data[x] / data[y], data[x])),
            (np.where(x <= 0, y, np.sqrt(x) * y),
             np.where(data[x] <= 0, data[y], np.sqrt(data[x]) * data[y])),
        ]:  # fmt: skip
            compiled = gc.compile_function([x, y], expression)
            np.testing.assert_array_equal(compiled(*data.values()), expected)


if __name__ == "__main__":
    import torch as torch_

    PAGE.write_text(page(torch_), encoding="utf-8")
