"""The gradient check at the end of an emitted file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.emit.domains import is_narrow
from graphc.emit.file import File
from graphc.emit.model import Field
from graphc.emit.noise import CALLS
from graphc.ir.nodes import Node, topological
from graphc.ir.program import Program
from graphc.ops.leaves import Input
from graphc.ops.properties import properties_of
from graphc.ops.ranges import InRange
from graphc.types import Dim, evaluate, names_in, shape_text

SAMPLES = 5


def example(file: File) -> list[list[str]]:
    """Print ``_example`` and what the file does when it is run."""
    model, own = file.model, file.names.own
    if not model.has_loss or not model.parameters or model.wrt is not None:
        return []
    fields = model.loss_fields
    dims = [d for f in (*model.parameters, *fields) for d in f.shape]
    sizes = sorted({n for d in dims for n in names_in(d)})
    values = {n: 3 + i if n != "P" else SAMPLES for i, n in enumerate(sizes)}
    ours = {n for f in model.parameters for d in f.shape for n in names_in(d)}
    start = ", ".join(f"{n}={values[n]}" for n in sizes if n in ours)
    dtype, np_ = own("DTYPE"), own("np")
    below = _below(model.program)
    lines = [
        "def _example(seed=1):",
        '    """Return parameters and random inputs, to check the gradient with."""',
        f"    rng = {own('np')}.random.default_rng(seed)",
        f"    params = {own('Params')}(*(p.astype({dtype}) for p in init_params({start})))",
        "    inputs = {",
        *(f'        "{f.name}": {_random(f, values, below, dtype, np_)},' for f in fields),
        "    }",
    ]
    narrow = is_narrow(model.program)
    if narrow:
        lines += _INSIDE.format().split("\n")
    lines.append("    return params, inputs")
    # Those of a device are made later, in the dtype that then holds.
    held = {} if model.target.needs_device else file.constants
    again = [f"{n} = {n}.astype({dtype})" for node, n in held.items() if node.kind == "real"]
    again += [f"{name} = {made}" for name, made in sorted(file.fixed.items())]
    main = _MAIN.format(
        lib=file.lib,
        DTYPE=dtype,
        Params=own("Params"),
        zip=own("zip"),
        abs=own("abs"),
        max=own("max"),
        print=own("print"),
        np=own("np"),
        real=f"    _REAL = {own('np')}.dtype({dtype})\n" if file.fast else "",
        constants="".join(f"    {line}\n" for line in again),
    )
    if not narrow:
        return [lines, main.rstrip().split("\n")]
    head, call, rest = main.partition("    _, gradient =")
    told = _UNDEFINED.format(print=own("print"), SystemExit=own("SystemExit"))
    names = {n: own(n) for n in ("all", "float", "ValueError", "ArithmeticError", "len")}
    helpers = _DEFINED.format(lib=file.lib, np=own("np"), DTYPE=dtype, **names).split("\n\n\n")
    return [
        *(helper.rstrip().split("\n") for helper in helpers),
        lines,
        (head + told + call + rest).rstrip().split("\n"),
    ]


def _below(program: Program) -> dict[Node, Dim]:
    """Return what the labels among the inputs, or taken from inputs, must be below."""
    found: dict[Node, Dim] = {}
    for node in program.nodes():
        if isinstance(node, InRange):
            for leaf in topological([node]):
                if isinstance(leaf, Input) and leaf.kind == "integer":
                    found.setdefault(leaf, node.size)
    return found


def _random(
    f: Field, values: Mapping[str, int], below: Mapping[Node, Dim], dtype: str, np_: str
) -> str:
    """Print random numbers for an input: of its kind, distribution and properties."""
    shape = shape_text(tuple(evaluate(d, values) for d in f.shape))
    if f.kind == "integer":
        top = f.classes or evaluate(below.get(f.node, 5), values)
        return f"rng.integers(0, {top}, {shape})"
    if f.kind == "boolean":
        return f"rng.random({shape}) < 0.5"
    promised = properties_of(f.node)
    if f.draws == "normal" or (f.draws is None and not promised):
        return f"rng.standard_normal({shape})" if f.shape else "rng.standard_normal()"
    if f.draws is not None:
        return CALLS[f.draws].format(rng="rng", shape=shape, dtype=dtype)
    return _promised(promised, shape, np_)


def _promised(promised: Sequence[str], shape: str, np_: str) -> str:
    """Print random numbers that have the declared properties."""
    drawn = f"rng.uniform(0.5, 2, {shape})" if "positive" in promised else ""
    drawn = drawn or f"rng.standard_normal({shape})"
    if "orthogonal" in promised:
        return f"{np_}.linalg.qr({drawn})[0]"
    if "diagonal" in promised:
        return f"{np_}.where({np_}.eye({shape}[-1]) == 1, {drawn}, 0)"
    if "symmetric" in promised:
        return f"sum(a + a.swapaxes(-1, -2) for a in [{drawn}])"
    return drawn


_DEFINED = '''def _defined(params, inputs):
    """Return whether loss and gradient are finite numbers there."""
    try:
        value, slopes = loss_and_grad(params, **inputs)
    except ({ValueError}, {ArithmeticError}):
        return False
    finite = {np}.isfinite({float}(value)), *({lib}.isfinite(g).all() for g in slopes)
    return {all}(finite)


def _between(rng, low, high, value):
    """Return random numbers in place of real ones; square matrices are positive definite."""
    value = {lib}.asarray(value)
    if value.dtype.kind != "f":
        return value
    drawn = rng.uniform(low, high, value.shape)
    if value.ndim > 1 and value.shape[-1] == value.shape[-2]:
        size = value.shape[-1]
        drawn = drawn + drawn.swapaxes(-1, -2) + 2 * size * {np}.eye(size)
    return {lib}.asarray(drawn, {DTYPE})
'''

_INSIDE = """    # Not every function is defined everywhere: look for numbers at which all are.
    for low, high, also in (0.2, 0.8, 0), (0.2, 0.8, 1), (1.2, 1.8, 0), (1.2, 1.8, 1):
        if _defined(params, inputs):
            break
        inputs = {{name: _between(rng, low, high, v) for name, v in inputs.items()}}
        if also:
            params = params._make(_between(rng, low, high, p) for p in params)"""

_UNDEFINED = """    if not _defined(point, inputs):
        {print}("no data found at which the loss is a finite number: the gradient is not checked")
        raise {SystemExit}
"""

_MAIN = """if __name__ == "__main__":
    {DTYPE} = {lib}.float64  # central differences need the digits
{real}{constants}    point, inputs = _example()
    _, gradient = loss_and_grad(point, **inputs)
    rng, step = {np}.random.default_rng(2), 1e-6
    for name, p, g in {zip}({Params}._fields, point, gradient):
        u = {lib}.asarray(rng.standard_normal(p.shape))
        plus = loss(point._replace(**{{name: p + step * u}}), **inputs)
        minus = loss(point._replace(**{{name: p - step * u}}), **inputs)
        numeric, symbolic = (plus - minus) / (2 * step), (g * u).sum()
        {print}(f"{{name}}: {{symbolic:.9f}} by formula, {{numeric:.9f}} by differences")
        assert {abs}(numeric - symbolic) <= 1e-6 * {max}(1, {abs}(numeric))
"""
