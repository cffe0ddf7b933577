"""Figure 2 of the lecture: the average loss over a set of samples.

Once as the lecture draws it, a stack of copies of the model whose costs are averaged, and once as a
plate: a frame around what happens to one sample, with the shared parameter outside.
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
net = gc.Graph(distance(y, ybar, name="C"), name="figure_2")


def draw(folder="."):
    options = {"palette": "classic", "shapes": False}
    gc.render(net, f"{folder}/figure_2.svg", average="stack", **options)
    gc.render(net, f"{folder}/figure_2_plate.svg", average="plate", params="shared", **options)


if __name__ == "__main__":
    draw(*sys.argv[1:])
