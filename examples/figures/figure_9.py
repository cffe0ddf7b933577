"""Figure 9 of the lecture: back-propagation through a graph of several stages.

``z[k+1] = f_k(z[k], w[k])``; each stage has two Jacobians, and the backward pass is a second
network that runs through the stages in the opposite order.
"""

import sys

import numpy as np

import graphc as gc


@gc.function
def stage(z=gc.Input("n"), *, w=gc.Parameter("m n"), m):
    return np.tanh(w @ z)


@gc.cost
def distance(y, z):
    return np.sum((y - z) ** 2)


z, y = gc.observed("x", 784), gc.observed("y", 10)
for k, width in enumerate((60, 40, 10), 1):
    z = stage(m=width, name=f"f{k}")(z, output=f"z{k}")
net = gc.Graph(distance(y, z, name="C"), name="figure_9")


def draw(folder="."):
    options = {"backward": "mirror", "params": "stub", "shapes": False}
    gc.render(net, f"{folder}/figure_9.svg", **options)
    gc.render(net, f"{folder}/figure_9_dark.svg", palette="dark", **options)


if __name__ == "__main__":
    draw(*sys.argv[1:])
