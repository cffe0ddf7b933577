"""Files check their gradients at numbers at which their functions are defined."""

import numpy as np
import pytest

import graphc as gc


def log_input():
    x, w = gc.observed("x", shape=3), gc.parameter("w", 3)
    return gc.cost((np.log(x) * w + np.sqrt(x + w)).sum(), name="C")


def log_parameter():
    x, w = gc.observed("x", shape=3), gc.parameter("w", 3)
    return gc.cost((np.log(w) * x).sum(), name="C")


def between():
    x, w = gc.observed("x", shape=3), gc.parameter("w", 3)
    return gc.cost((np.arcsin(x) * w + gc.logit(x)).sum(), name="C")


def beyond():
    x, w = gc.observed("x", shape=3), gc.parameter("w", 3)
    return gc.cost((np.arccosh(x) * w).sum(), name="C")


def covariance():
    x, w = gc.observed("x", shape=(3, 3)), gc.parameter("w", 3)
    return gc.cost((np.linalg.cholesky(x) @ w).sum() ** 2, name="C")


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("declare", [log_input, log_parameter, between, beyond, covariance])
def test_data_lie_in_the_domain(declare, style, capsys):
    program = gc.compile(gc.Graph(declare()), style=style)
    exec(compile(program.source, "emitted", "exec"), {"__name__": "__main__"})
    assert "w: " in capsys.readouterr().out


def test_where_nothing_is_defined_the_file_says_so(capsys):
    x, w = gc.observed("x", shape=3), gc.parameter("w", 3)
    program = gc.compile(gc.Graph(gc.cost((np.log(-x * x - 1) * w).sum(), name="C")))
    with pytest.raises(SystemExit):
        exec(compile(program.source, "emitted", "exec"), {"__name__": "__main__"})
    assert "the gradient is not checked" in capsys.readouterr().out


def test_what_is_defined_everywhere_needs_no_search():
    x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
    z = gc.LayerNorm(3, name="n")(gc.Linear(3, name="a")(x)) ** 2
    program = gc.compile(gc.Graph(gc.cross_entropy(z, y, name="C")))
    assert "_defined" not in program.source
