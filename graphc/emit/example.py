"""The gradient check at the end of an emitted file."""

from __future__ import annotations

from collections.abc import Mapping

from graphc.emit.file import File
from graphc.emit.model import Field
from graphc.types import evaluate, names_in, shape_text

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
    dtype = own("DTYPE")
    lines = [
        "def _example(seed=1):",
        '    """Return parameters and random inputs, to check the gradient with."""',
        f"    rng = {own('np')}.random.default_rng(seed)",
        f"    params = {own('Params')}(*(p.astype({dtype}) for p in init_params({start})))",
        "    inputs = {",
        *(f'        "{f.name}": {_random(f, values)},' for f in fields),
        "    }",
        "    return params, inputs",
    ]
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
    return [lines, main.rstrip().split("\n")]


def _random(f: Field, values: Mapping[str, int]) -> str:
    shape = shape_text(tuple(evaluate(d, values) for d in f.shape))
    if f.kind == "integer":
        return f"rng.integers(0, {f.classes or 5}, {shape})"
    if f.kind == "boolean":
        return f"rng.random({shape}) < 0.5"
    return f"rng.standard_normal({shape})" if f.shape else "rng.standard_normal()"


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
