"""Figure 8 of the lecture: back-propagation through a functional module.

The module ``z_g = g(z_f, w)`` has two Jacobians, by its input and by its parameter; gradients are
row vectors, and each is the one that comes back to ``z_g``, times a Jacobian.
"""

import sys

import numpy as np

import graphc as gc


@gc.function
def module(z=gc.Input("f"), *, w=gc.Parameter("g f"), g):
    return np.tanh(w @ z)


@gc.cost
def rest(z):
    """Whatever the rest of the network makes of z."""
    return np.sum(z**2)


z_f = gc.latent("z_f", "d_f")
z_g = module(g="d_g", name="g")(z_f, output="z_g")
net = gc.Graph(rest(z_g, name="C"), name="figure_8")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_8.svg", magnify="g")


if __name__ == "__main__":
    draw(*sys.argv[1:])
