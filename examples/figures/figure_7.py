"""Figure 7 of the lecture: back-propagation through a weighted sum.

One state ``z`` goes into several sums, so the gradients of all of them come back to it, each times
its weight: ``dC/dz = sum of dC/ds[i] w[i]``.
"""

import sys

import graphc as gc


@gc.function
def times(z=gc.Input(""), *, w=gc.Parameter("")):
    return w * z


@gc.cost
def rest(s0, s1, s2):
    """Whatever the rest of the network makes of the sums."""
    return s0**2 + s1**2 + s2**2


z = gc.latent("z")
sums = [
    times(name=f"unit{i}", label=rf"w_{i}\,z")(z, output=f"s{i}")
    for i in range(3)
]  # fmt: skip
net = gc.Graph(rest(*sums, name="C"), name="figure_7")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_7.svg", backward="overlay")
    gc.render(net, f"{folder}/figure_7_mirror.svg", backward="mirror")


if __name__ == "__main__":
    draw(*sys.argv[1:])
