"""What the front page shows: a model, two of its formulas, and the lines emitted for them.

Written anew whenever the site is built, so that the page cannot fall behind graphc.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc

# [model]
x = gc.observed("x", shape=600)
y = gc.observed("y", classes=10)


@gc.function
def layer(
    z=gc.Input("n"),
    *,
    w=gc.Parameter("m n"),
    b=gc.Parameter("m"),
):
    return np.tanh(w @ z + b)


f = layer(m=60, name="f")
z = f(x, output="z")
s = gc.Linear(10, name="head")(z, output="s")
C = gc.cross_entropy(s, y, name="C")
net = gc.Graph(C, name="mynet")
# [end]


def write(folder: Path) -> None:
    """Write the diagram, the formulas and the lines of code that the front page includes."""
    folder.mkdir(parents=True, exist_ok=True)
    gc.render(net, folder / "front.svg", direction="LR", force=True)
    (folder / "formulas.txt").write_text(_formulas(), encoding="utf-8")
    (folder / "backward.txt").write_text(_backward(), encoding="utf-8")


def _formulas() -> str:
    shown = [gc.grad(C, s), gc.jacobian(z, x), gc.jacobian(z, f.w)]
    return "\n".join(f".. math::\n\n   {_latex(v)}\n" for v in shown)


def _latex(variable: Any) -> str:
    text: str = variable._repr_mimebundle_()["text/latex"]
    return text.strip().strip("$").strip()


def _backward() -> str:
    source = gc.compile(net, dtype="float32", style="readable").source
    first = source.index("    # C: ∂L/∂s")
    last = source.index("    return float(C.mean()), Params(")
    return "\n".join(line.removeprefix("    ") for line in source[first:last].splitlines()) + "\n"
