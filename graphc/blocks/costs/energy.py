"""Energy-based and contrastive costs.

The losses of energies are those of LeCun, Chopra, Hadsell, Ranzato and Huang (2006), "A Tutorial
on Energy-Based Learning", sections 2.2 and 5, table 1: `e` holds the energy of every answer, `y` is
the right one. The most offending answer is the wrong one of least energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import same_shape, usage, within
from graphc.blocks.distances import norm
from graphc.blocks.encoding import one_hot_of
from graphc.language.functions import Input, cost
from graphc.language.protocol.reductions import along
from graphc.language.protocol.scalars import scalar_function
from graphc.language.samples import over_samples
from graphc.language.variable import Variable


def _right(e: Variable, y: Variable) -> Any:
    """Return the energy of the right answer."""
    return e[_answer(e, y)]


def _answer(e: Variable, y: Variable) -> Variable:
    return within(y, e.shape[0], "energy", "y")


def _gap(e: Variable, y: Variable) -> Any:
    """Return how far the right answer lies above the most offending one."""
    return _right(e, y) - _offending(e, y)


def _offending(e: Variable, y: Variable) -> Any:
    return np.min(np.where(one_hot_of(_answer(e, y), e.shape[0]), np.inf, e))


@cost
def energy(e: Any = Input("answers"), y: Any = Input("", kind="integer")) -> Any:
    """Return the energy of the right answer: the loss that only pushes down."""
    return _right(e, y)


@cost
def energy_perceptron(e: Any = Input("answers"), y: Any = Input("", kind="integer")) -> Any:
    """Return ``e[y] - min(e)``: the generalised perceptron loss."""
    return _right(e, y) - np.min(e)


@cost
def energy_hinge(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, margin: float = 1.0
) -> Any:
    """Return ``max(0, margin + e[y] - e[offending])``."""
    return np.maximum(margin + _gap(e, y), 0)


@cost
def energy_log(e: Any = Input("answers"), y: Any = Input("", kind="integer")) -> Any:
    """Return ``log(1 + exp(e[y] - e[offending]))``: the soft hinge."""
    return scalar_function("softplus")(_gap(e, y))


@cost
def energy_lvq2(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, limit: float = 1.0
) -> Any:
    """Return ``min(limit, max(0, e[y] - e[offending]))``: learning vector quantisation 2."""
    return np.minimum(np.maximum(_gap(e, y), 0), limit)


@cost
def energy_mce(e: Any = Input("answers"), y: Any = Input("", kind="integer")) -> Any:
    """Return ``1 / (1 + exp(e[offending] - e[y]))``: the smooth count of errors (MCE)."""
    return scalar_function("sigmoid")(_gap(e, y))


@cost
def energy_square_square(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, margin: float = 1.0
) -> Any:
    """Return ``e[y]**2 + max(0, margin - e[offending])**2``."""
    return np.square(_right(e, y)) + np.square(np.maximum(margin - _offending(e, y), 0))


@cost
def energy_square_exponential(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, gamma: float = 1.0
) -> Any:
    """Return ``e[y]**2 + gamma exp(-e[offending])``."""
    return np.square(_right(e, y)) + gamma * np.exp(-_offending(e, y))


@cost
def energy_nll(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, beta: float = 1.0
) -> Any:
    """Return ``e[y] + log(sum(exp(-beta e))) / beta``: the negative log-likelihood, by beta."""
    usage(beta > 0, f"energy_nll: beta is positive, got {beta}")
    return _right(e, y) + along("logsumexp")(-beta * e, None) / beta


@cost
def energy_mee(
    e: Any = Input("answers"), y: Any = Input("", kind="integer"), *, beta: float = 1.0
) -> Any:
    """Return ``1 - exp(-beta e[y]) / sum(exp(-beta e))``: the minimum empirical error loss."""
    usage(beta > 0, f"energy_mee: beta is positive, got {beta}")
    return 1.0 - along("softmax")(-beta * e, -1)[_answer(e, y)]


@cost
def contrastive(
    a: Any = Input("n"), b: Any = Input("n"), y: Any = Input(""), *, margin: float = 1.0
) -> Any:
    """Return ``(1 - y) d**2 / 2 + y max(0, margin - d)**2 / 2`` with ``d = |a - b|``.

    y is 0 for a similar pair and 1 for a dissimilar one. Hadsell, Chopra and LeCun (2006),
    "Dimensionality reduction by learning an invariant mapping".
    """
    d = norm(a - b, 2, -1, "contrastive")
    apart = np.square(np.maximum(margin - d, 0))
    return 0.5 * ((1.0 - y) * np.sum(np.square(a - b)) + y * apart)


@cost
def info_nce(
    a: Any = Input("n"),
    b: Any = Input("n"),
    negatives: Any = Input("k n", optional=True),
    *,
    temperature: float = 0.1,
) -> Any:
    """Return ``-log(exp(a.b / t) / sum_q exp(a.b_q / t))``, t being the `temperature`.

    The sum runs over the `b` of all samples, or over `b` and the `negatives` where they are given.
    Vectors count by direction: they are divided by their lengths. van den Oord, Li and Vinyals
    (2018), "Representation learning with contrastive predictive coding".
    """
    usage(temperature > 0, f"info_nce: temperature is positive, got {temperature}")
    a, b = _direction(a), _direction(b)
    right = a @ b / temperature
    if negatives is None:
        return along("logsumexp")(over_samples("all", b) @ a / temperature, None) - right
    wrong = _direction(negatives) @ a / temperature
    return along("logsumexp")(np.concatenate([right.reshape(1), wrong]), None) - right


def _direction(x: Variable) -> Any:
    return x / np.maximum(norm(x, 2, -1, "info_nce"), 1e-12)[..., None]


@cost
def barlow_twins(
    a: Any = Input("n"), b: Any = Input("n"), *, lambd: float = 0.005, eps: float = 0.0
) -> Any:
    """Return ``sum_i (1 - C_ii)**2 + lambd sum_{i != j} C_ij**2``.

    C holds the correlations over samples; `eps` is added to the variances. Zbontar, Jing, Misra,
    LeCun and Deny (2021), "Barlow Twins".
    """
    same_shape("barlow_twins", a=a, b=b)
    u, v = _standard(a, eps), _standard(b, eps)
    correlation = over_samples("mean", u[:, None] * v)
    squares = np.square(correlation)
    diagonal = np.einsum("ii->i", correlation)
    off = np.sum(squares) - np.sum(np.square(diagonal))
    return np.sum(np.square(1.0 - diagonal)) + lambd * off


def _standard(x: Variable, eps: float) -> Any:
    centred = x - over_samples("mean", x)
    return centred / np.sqrt(over_samples("mean", np.square(centred)) + eps)


@cost
def vicreg_variance(z: Any = Input("n"), *, gamma: float = 1.0, eps: float = 1e-4) -> Any:
    """Return the mean over dimensions of ``max(0, gamma - sqrt(Var(z) + eps))``, over samples.

    With :func:`mse` for the invariance and :func:`vicreg_covariance`, this is VICReg: Bardes, Ponce
    and LeCun (2022). The variance is the unbiased one.
    """
    centred = z - over_samples("mean", z)
    variance = over_samples("sum", np.square(centred)) / (over_samples("sum", 1.0) - 1.0)
    return np.mean(np.maximum(gamma - np.sqrt(variance + eps), 0))


@cost
def vicreg_covariance(z: Any = Input("n")) -> Any:
    """Return ``sum_{i != j} Cov(z)_ij**2 / n``, the unbiased covariance over samples."""
    centred = z - over_samples("mean", z)
    total = over_samples("sum", centred[:, None] * centred)
    covariance = total / (over_samples("sum", 1.0) - 1.0)
    squares = np.square(covariance)
    return np.sum(np.mean(squares, axis=0)) - np.mean(np.einsum("ii->i", squares))
