"""Costs of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.blocks.checks import shapes, usage, within
from graphc.blocks.costs.reducing import reduced
from graphc.language.functions import Input, cost
from graphc.language.loops import scan
from graphc.language.protocol.reductions import along, dimension_node
from graphc.language.variable import Variable
from graphc.ops.leaves import Iota

# The logarithm of a probability that counts as none: finite, so that its derivatives are.
NEVER = -1e30


@cost
def ctc(
    log_p: Any = Input("t classes"),
    y: Any = Input("s", kind="integer"),
    input_length: Any = Input("", kind="integer", optional=True),
    target_length: Any = Input("", kind="integer", optional=True),
    *,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return ``-log p(y)``, over all alignments of the labels y with the steps of `log_p`.

    Parameters
    ----------
    log_p
        Log-probabilities of the classes at each step, (T, classes): log_softmax of scores.
    y
        Labels, (S,), none of them `blank`.
    input_length, target_length
        How many steps and labels count, of a sample that is padded; by default all.
    reduction
        ``"mean"`` divides by the number of labels, ``"sum"`` does not.
    zero_infinity
        Whether the cost is 0, and not infinite, where the labels do not fit into the steps.

    Notes
    -----
    Graves, Fernandez, Gomez and Schmidhuber (2006), "Connectionist temporal classification": the
    forward variables of section 4.1, in logarithms, over the labels with blanks between them.
    """
    steps, classes = log_p.shape
    usage(
        blank >= 0 and (not isinstance(classes, int) or blank < classes),
        f"ctc: blank is one of the {classes} classes, got {blank}",
    )
    shapes(steps != 0, "ctc: there are no steps")
    y = within(y, classes, "ctc", "y")
    if input_length is not None:
        input_length = within(input_length, steps + 1, "ctc", "input_length")
    if target_length is not None:
        target_length = within(target_length, y.shape[0] + 1, "ctc", "target_length")
    size = 2 * y.shape[0] + 1
    place: Any = Variable(Iota((), size))
    is_label = place % 2 == 1
    if y.shape[0] == 0:
        labels: Any = np.where(is_label, blank, blank)
    else:
        labels = np.where(is_label, y[np.minimum(place // 2, y.shape[0] - 1)], blank)
    # A label may follow the one before it at once, where the two differ.
    skips = is_label & (place >= 2) & (labels != labels[np.maximum(place - 2, 0)])
    emitted = np.maximum(log_p[:, labels], NEVER)
    never = np.where(place < 2, 0.0, NEVER)

    def before(alpha: Any, by: int) -> Any:
        return np.where(place >= by, alpha[np.maximum(place - by, 0)], NEVER)

    def step(alpha: Any, now: Any) -> tuple[Any, Any]:
        t, row = now
        ways = [alpha, before(alpha, 1), np.where(skips, before(alpha, 2), NEVER)]
        new = along("logsumexp")(np.stack(ways), 0) + row
        return (new if input_length is None else np.where(t < input_length, new, alpha)), ()

    times: Any = Variable(Iota((), steps))
    first = emitted[0] + never
    alpha, _ = scan(step, first, (times[1:], emitted[1:]))
    count = y.shape[0] if target_length is None else target_length
    total = along("logsumexp")(_ends(alpha, count), None)
    impossible = total < 0.5 * NEVER
    result = np.where(impossible, 0.0 if zero_infinity else np.inf, -total)
    if reduction == "mean":
        length: Any = target_length
        if length is None:
            length = Variable(dimension_node(y.shape[0]))
        result = result / np.maximum(length, 1)
    return reduced(result, "none" if reduction == "none" else "sum", "ctc")


def _ends(alpha: Any, count: Any) -> Any:
    """Return the two places where an alignment of `count` labels may end."""
    if isinstance(count, int):
        return alpha[-2:] if count else alpha
    if not isinstance(count, Variable):
        return alpha[-2:]
    last = np.where(count > 0, alpha[np.maximum(2 * count - 1, 0)], NEVER)
    return np.stack([last, alpha[2 * count]])
