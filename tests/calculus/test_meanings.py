"""What windows, joins, gathers and cumulative sums mean in index notation, beside code."""

import numpy as np
import pytest

from graphc.calculus import derived
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.index_notation import differentiate, element, free_indices
from graphc.ops.elementwise import elementwise
from graphc.ops.indexing import Gather
from graphc.ops.joining import Concatenation
from graphc.ops.reduction import reduction
from graphc.ops.windows import Fold, Frame, Windows
from tests.numerics import inputs_like, value

MEANINGS = {
    "windows": (lambda x: Windows((x,), (Frame(0, 2, 2, 2),)), (7,)),
    "fold": (lambda x: Fold((x,), (Frame(0, 3),), (5,)), (3, 3)),
    "join": (lambda x, y: Concatenation((x, y, x), 1), (2, 3), (2, 1)),
    "cumulative sum": (lambda x: reduction("cumsum", x, (0,)), (4,)),
    "gather": (
        lambda x, i, j: Gather((x, i, j), 0, 0),
        (3, 2),
        np.array([2, 0, 2]),
        np.array([1, 1, 0]),
    ),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_values_and_derivatives(name):
    f, *operands = MEANINGS[name]
    nodes, feed = inputs_like(operands)
    out = elementwise("square", f(*nodes))
    places = free_indices(out.shape)
    term = element(out, places, set(nodes))
    np.testing.assert_allclose(evaluate_term(term, feed, {}, places), value(out, feed), rtol=1e-12)
    x = nodes[0]
    own = free_indices(x.shape, [p.name for p in places])
    slope = differentiate(term, x, own)
    np.testing.assert_allclose(
        evaluate_term(slope, feed, {}, (*places, *own)),
        value(derived.jacobian(out, x), feed),
        rtol=1e-12,
    )
