"""Figure 5 of the lecture: the weighted sum inside a linear block.

A unit adds up the states of the units before it, each times the weight of its connection:
``s[i] = sum of w[i, j] z[j] over the predecessors j``. The block is drawn closed, and opened.
"""

import sys

import graphc as gc


@gc.function
def times(z=gc.Input(""), *, w=gc.Parameter("")):
    """One connection: a state times its weight."""
    return w * z


@gc.function
def add(*terms):
    return sum(terms)


@gc.function
def unit(*states):
    """A unit: the weighted sum of the states of its predecessors."""
    weighted = [
        times(name=f"times{j}", label=rf"w_{{i{j}}}\,z_{j}")(z) for j, z in enumerate(states)
    ]
    return add(*weighted, name="sum", label=r"\sum_j")


states = [gc.observed(f"z{j}") for j in range(3)]
s = unit(*states, name="unit", label=r"\sum_j w_{ij}\,z_j", output="s_i")
z = gc.tanh(s, output="z_i", name="h", label="h(s_i)")
net = gc.Graph(z, name="figure_5")


def draw(folder="."):
    gc.render(net, f"{folder}/figure_5.svg", palette="classic", direction="LR")
    gc.render(net, f"{folder}/figure_5_open.svg", palette="classic", expand=["unit"])


if __name__ == "__main__":
    draw(*sys.argv[1:])
