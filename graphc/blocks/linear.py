"""Linear blocks."""

from __future__ import annotations

from graphc.language.functions import Input, Parameter, function
from graphc.language.variable import Variable


@function
def Linear(  # noqa: N802
    x: Variable = Input("... in_features"),  # type: ignore[assignment]
    *,
    out_features: int,
    bias: bool = True,
    w: Variable = Parameter("out_features in_features"),  # type: ignore[assignment]
    b: Variable = Parameter("out_features", init="zeros", when="bias"),  # type: ignore[assignment]
) -> Variable:
    """Return ``w x + b``: x of shape (..., in_features), the result (..., out_features).

    Weights start Glorot-uniform, the bias at zero.
    """
    s = w @ x if x.ndim == 1 else x @ w.T
    return s + b if bias else s
