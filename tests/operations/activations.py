"""Activations, against ``torch.nn.functional``."""

from functools import partial

import numpy as np

import graphc as gc
from tests.blocks.owning import owning
from tests.operations.case import Case

X = np.array([-7.3, -3.2, -1.3, -0.4, 0.2, 0.9, 2.1, 6.4])
M = np.linspace(-2.9, 3.1, 12).reshape(3, 4)
SLOPES = np.array([0.1, -0.3, 0.6])


def F(name):
    """A function of ``torch.nn.functional``, looked up when it is called."""

    def call(*arrays, **options):
        import torch

        return getattr(torch.nn.functional, name)(*arrays, **options)

    return call


def case(name, *arrays, torch_name=None, note="", renamed=(), tolerance=1e-10, **options):
    """One activation; `renamed` options are called otherwise in torch."""
    given = {dict(renamed).get(k, k): v for k, v in options.items()}
    told = ", ".join(f"{k}={v}" for k, v in options.items())
    return Case(
        f"gc.{name}" + (f" ({told})" if told else "") + note,
        "activations",
        partial(getattr(gc, name), **options),
        partial(F(torch_name or name), **given),
        arrays or (X,),
        second=True,
        framework="torch",
        tolerance=tolerance,
    )


def rows(function):
    """`function` of torch, which takes channels along the second axis, for one sample."""
    return lambda x, *rest: function(x[None], *rest)[0]


AXIS = (("axis", "dim"),)
CASES = [
    case("relu"),
    case("relu6"),
    case("leaky_relu"),
    case("leaky_relu", negative_slope=0.2),
    case("prelu", X, np.array([0.3])),
    Case(
        "gc.prelu (by channel)", "activations", gc.prelu, rows(F("prelu")), (M, SLOPES),
        second=True, framework="torch",
    ),
    Case(
        "gc.PReLU", "activations", owning(gc.PReLU, "slope"), F("prelu"), (X, np.array([0.3])),
        framework="torch",
    ),
    Case(
        "gc.PReLU (num_parameters=3)", "activations",
        owning(lambda: gc.PReLU(num_parameters=3), "slope"), rows(F("prelu")), (M, SLOPES),
        framework="torch",
    ),
    case("elu"),
    case("elu", alpha=0.7),
    case("selu"),
    case("celu"),
    # torch's derivatives of these two are computed with constants in single precision.
    Case("gc.celu (alpha=0.7)", "activations", partial(gc.celu, alpha=0.7),
         lambda x: F("relu")(x) - 0.7 * F("relu")(1 - (F("threshold")(-x, 0, 0) / -0.7).exp()),
         (X,), second=True, framework="torch"),
    case("gelu"),
    case("gelu", approximate="tanh"),
    case("silu"),
    case("mish"),
    case("tanh"),
    case("sigmoid"),
    case("softplus"),
    case("softplus", beta=1.7),
    case("softplus", beta=2.0, threshold=10.0),
    case("log_sigmoid", torch_name="logsigmoid"),
    case("softsign"),
    case("hardtanh"),
    case("hardtanh", min_val=-3.0, max_val=0.5),
    Case("gc.hardsigmoid", "activations", gc.hardsigmoid, lambda x: F("relu6")(x + 3) / 6, (X,),
         second=True, framework="torch"),
    case("hardswish"),
    case("tanhshrink"),
    case("softshrink"),
    case("softshrink", lambd=1.0),
    case("hardshrink"),
    case("hardshrink", lambd=1.0),
    case("threshold", threshold=0.5, value=-2.0),
    case("glu"),
    case("glu", M[:2], axis=0, renamed=AXIS),
    case("softmax", M, axis=-1, renamed=AXIS),
    case("softmax", M, axis=0, renamed=AXIS),
    case("softmin", M, axis=-1, renamed=AXIS),
    case("log_softmax", M, axis=0, renamed=AXIS),
]  # fmt: skip
