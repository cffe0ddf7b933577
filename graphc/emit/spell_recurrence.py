"""Linear recurrences: a function that the file carries."""

from __future__ import annotations

from graphc.emit.dialect import Dialect, Spelled, Speller
from graphc.ops.recurrence import Recurrence

RECURRENCE = '''def _recurrence(a, b, axis):
    """Return y with y[t] = a[t] * y[t - 1] + b[t] along an axis, and y = b at its start.

    Step by step where steps are long, or where products of a may leave the range of numbers;
    else all steps at once, each adding what reaches it over 1, 2, 4, ... steps.
    """
    a, y = {lib}.moveaxis(a, axis, 0), {lib}.moveaxis(b, axis, 0).copy()
    if {len}(y) > 8 and y[0].size < 4096:
        digits = {lib}.abs({lib}.log2({lib}.abs({lib}.where(a[1:] == 0, 1, a[1:])))).sum(0)
        if {lib}.all(digits < 0.85 * {lib}.finfo(y.dtype).maxexp):
            step = 1
            while step < {len}(y):
                y[step:] += a[step:] * y[:-step]
                a = {lib}.concatenate([a[:step], a[step:] * a[:-step]])
                step *= 2
            return {lib}.moveaxis(y, 0, axis)
    for t in {range}(1, {len}(y)):
        y[t] += a[t] * y[t - 1]
    return {lib}.moveaxis(y, 0, axis)
'''


def spell_recurrence(node: Recurrence, of: Speller, dialect: Dialect) -> Spelled:
    """Spell a linear recurrence as a call of the function that the file carries."""
    own = dialect.names.own
    dialect.helpers["_recurrence"] = RECURRENCE.format(
        lib=dialect.lib, len=own("len"), range=own("range")
    )
    a, b = (of(arg).text for arg in node.args)
    return Spelled(f"_recurrence({a}, {b}, {node.axis})")
