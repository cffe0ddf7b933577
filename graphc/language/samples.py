"""Across samples: what a model, which stands for one sample, asks of all of them."""

from __future__ import annotations

from typing import Any, Literal

from graphc.language.variable import Variable, build
from graphc.ops import samples


def over_samples(f: Literal["mean", "sum", "all"], v: Any) -> Variable:
    """Return the mean or the sum of `v` over all samples, or all of them along a new first axis.

    The result is the same for every sample. Where there is one sample (``batch=False``,
    :func:`graphc.compile_function`), its mean and sum are `v` itself.

    Parameters
    ----------
    f
        ``"mean"``, ``"sum"``, or ``"all"``, whose first axis has the number of samples as size.
    v
        A variable, or a number: ``gc.over_samples("sum", 1.0)`` is the number of samples.

    Raises
    ------
    UsageError
        For another `f`.
    DerivativeError
        From a derivative that is taken through it inside a model, such as ``gc.grad``; those of
        a compiled graph go through.

    Examples
    --------
    >>> import numpy as np
    >>> import graphc as gc
    >>> x = gc.observed("x", shape=2)
    >>> centred = x - gc.over_samples("mean", x)
    >>> program = gc.compile(gc.Graph(centred))
    >>> program.forward(program.init_params(), x=np.array([[1.0, 2.0], [3.0, 6.0]]))
    array([[-1., -2.],
           [ 1.,  2.]])
    """
    return build("over_samples", lambda node: samples.over_samples(f, node), (v,))
