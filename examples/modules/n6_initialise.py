r"""
Advice: initialise so that the variance stays
=============================================

A layer should give its output the variance of its input. If it gives less, the signal dies on the
way through a deep network, and so do the gradients; if it gives more, they explode.
"""

import numpy as np
from matplotlib.figure import Figure

import graphc as gc

depth, width = 12, 64


def deep(init):
    """A deep network of ReLU layers with one way to start the weights."""
    x, y = gc.observed("x", shape=width), gc.observed("y", classes=10)
    z, states = x, []
    for k in range(depth):
        linear = gc.Linear(width, name=f"f{k}", init={"w": init, "b": "zeros"})
        z = gc.relu(linear(z), output=f"z{k}")
        states.append(z)
    C = gc.cross_entropy(gc.Linear(10, name="head")(z), y, name="C")
    return gc.Graph(C, *states, name="deep")


def small(rng, shape):
    return rng.normal(0, 0.05, shape)


def large(rng, shape):
    return rng.normal(0, 0.35, shape)


# %%
# For ReLU the weights' variance is 2 / (number of inputs): He et al., 2015. Half of the elements
# are set to 0, so the weights make up for it by a factor of 2.

ways = {"normal, 0.05": small, "he": "he", "normal, 0.35": large}
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(200, width)), rng.integers(0, 10, 200)
sizes, norms = {}, {}
for name, init in ways.items():
    program = gc.compile(deep(init))
    params = program.init_params(seed=0)
    states = program.forward(params, x=X)
    sizes[name] = [np.sqrt(np.mean(z**2)) for z in states]
    _, grads = program.loss_and_grad(params, x=X, y=Y)
    norms[name] = [np.linalg.norm(getattr(grads, f"f{k}_w")) for k in range(depth)]
    print(f"{name:13} output {sizes[name][-1]:10.3g}, gradient of the first {norms[name][0]:10.3g}")
assert (
    sizes["normal, 0.05"][-1] < 1e-5 < 0.2 < sizes["he"][-1] < 5 < 100 < sizes["normal, 0.35"][-1]
)

# %%
# The size of the states, layer by layer,

axes = Figure(figsize=(5, 3.2), layout="constrained").subplots()
for name, values in sizes.items():
    axes.plot(range(1, depth + 1), values, marker="o", ms=3, label=name)
axes.set(xlabel="layer", ylabel="root mean square of z", yscale="log")
axes.legend(frameon=False)
axes

# %%
# and how the middle one trains beside the small one: what does not reach the first layers cannot
# be learnt by them.

Z = (X[:, :10] * 2).argmax(axis=1)  # a class that the input tells
runs = {}
for name in ("normal, 0.05", "he"):
    trainer = gc.compile(deep(ways[name]), step=gc.sgd(lr=0.05))
    start = trainer.init_params(seed=0)
    runs[name] = gc.train(trainer, start, {"x": X, "y": Z}, batch_size=50, epochs=40)
assert runs["he"].history.epochs[-1] < 0.5 < 2.2 < runs["normal, 0.05"].history.epochs[-1]
gc.plot.losses(*runs.values(), labels=list(runs))
