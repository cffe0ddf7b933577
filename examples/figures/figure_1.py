"""Figure 1 of the lecture: the parametrised model.

A model ``G`` predicts ``ybar`` from an input ``x``; a cost ``C`` measures the distance to ``y``.
The parameter ``w`` is implicit in the block.
"""

import sys

import numpy as np

import graphc as gc


@gc.function
def model(x=gc.Input("n"), *, w=gc.Parameter("m n"), m=10):
    return np.tanh(w @ x)


@gc.cost
def distance(y, ybar):
    return np.sum((y - ybar) ** 2)


x, y = gc.observed("x", 600), gc.observed("y", 10)
ybar = model(m=10, name="G")(x, output="ybar")
net = gc.Graph(distance(y, ybar, name="C"), name="figure_1")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_1.svg", palette="classic", shapes=False)


if __name__ == "__main__":
    draw(*sys.argv[1:])
