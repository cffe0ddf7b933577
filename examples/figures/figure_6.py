"""Figure 6 of the lecture: back-propagation through a nonlinear function.

``z = h(s)`` for one number: what comes back to ``s`` is what came back to ``z``, times ``h'(s)``.
"""

import sys

import graphc as gc


@gc.cost
def rest(z):
    """Whatever the rest of the network makes of z."""
    return (z - 1.0) ** 2


s = gc.latent("s")
z = gc.tanh(s, output="z", name="h", label="h(s)")
net = gc.Graph(rest(z, name="C"), name="figure_6")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_6.svg", backward="overlay", direction="LR")
    gc.render(net, f"{folder}/figure_6_mirror.svg", backward="mirror", direction="LR")


if __name__ == "__main__":
    draw(*sys.argv[1:])
