"""Figure 4 of the lecture: a network of alternating linear and nonlinear blocks.

``s[k+1] = w[k] z[k]``, then ``z[k] = h(s[k])`` at every number alone.
"""

import sys

import numpy as np

import graphc as gc


@gc.function
def linear(z=gc.Input("n"), *, w=gc.Parameter("m n"), m):
    return w @ z


@gc.cost
def distance(y, s):
    return np.sum((y - s) ** 2)


z, y = gc.observed("x", 600), gc.observed("y", 10)
widths = (60, 40, 10)
for k, width in enumerate(widths):
    source = "x" if k == 0 else f"z_{k}"
    s = linear(m=width, name=f"linear{k}", label=rf"w_{k}\,{source}")(z, output=f"s{k + 1}")
    if k + 1 < len(widths):
        z = gc.relu(s, output=f"z{k + 1}", name=f"h{k + 1}", label=f"h(s_{k + 1})")
net = gc.Graph(distance(y, s, name="C"), name="figure_4")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_4.svg", palette="classic", shapes=False)
    gc.render(net, f"{folder}/figure_4_shapes.svg", params="stub")


if __name__ == "__main__":
    draw(*sys.argv[1:])
