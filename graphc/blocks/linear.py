"""Linear blocks."""

from __future__ import annotations

from typing import Any

from graphc.language.functions import Input, Parameter, function


@function
def Linear(
    x: Any = Input("... in_features"),
    *,
    out_features: int,
    bias: bool = True,
    w: Any = Parameter("out_features in_features"),
    b: Any = Parameter("out_features", init="zeros", when="bias"),
) -> Any:
    """Return ``w x + b``: x of shape (..., in_features), the result (..., out_features).

    Weights start Glorot-uniform, the bias at zero.
    """
    s = w @ x if x.ndim == 1 else x @ w.T
    return s + b if bias else s
