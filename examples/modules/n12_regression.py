r"""
Regression
==========

A network of one input and one output learns a curve, :math:`y = x^3`, from noisy points. Where
there are points, networks agree; where there are none, they go on as their nonlinearity does:
straight with ReLU, level with tanh.
"""

# sphinx_gallery_thumbnail_number = 2
import numpy as np
from matplotlib.figure import Figure

import graphc as gc

rng = np.random.default_rng(0)
X = np.linspace(-1, 1, 100)[:, None]
Y = X[:, 0] ** 3 + rng.normal(0, 0.05, 100)


def network(activation, name):
    x, y = gc.observed("x", shape=1), gc.observed("y")
    first = gc.Linear(20, name="first", init={"w": "normal", "b": "normal"})
    z = x if activation is None else activation(first(x, output="s"), output="z")
    prediction = gc.Linear(1, name="second")(z)[0]
    return gc.Graph(gc.squared_error(prediction, y, name="C"), name=name)


net = network(gc.tanh, "regression")
net

# %%
# **No nonlinearity**: the best straight line. **ReLU, tanh**: five starts each, for the spread
# between them is what the data leave open.

runs, errors = {}, {}
for name, activation in {"linear": None, "ReLU": gc.relu, "tanh": gc.tanh}.items():
    trainer = gc.compile(network(activation, "regression"), step=gc.adam(lr=0.02))
    runs[name] = []
    for seed in range(1 if activation is None else 5):
        start = trainer.init_params(seed=seed)
        run = gc.train(trainer, start, {"x": X, "y": Y}, steps=600)
        runs[name].append((trainer, run.params))
        errors[name] = max(errors.get(name, 0), run.loss)
    print(f"{name:6} mean squared error {errors[name]:.4f} at most")
assert errors["linear"] > 0.01 > 0.004 > max(errors["ReLU"], errors["tanh"])

# %%
# What each has learnt, and how it goes on outside.

grid = np.linspace(-2, 2, 200)[:, None]
spread = {}
figure = Figure(figsize=(9, 3.2), layout="constrained")
panels = figure.subplots(1, 3, sharey=True)
for axes, (name, learnt) in zip(panels, runs.items()):
    curves = np.array([trainer.forward(params, x=grid) for trainer, params in learnt])
    spread[name] = curves.std(axis=0)
    axes.plot(grid, curves.T, color="#1f5fbf", lw=1.2, alpha=0.7)
    axes.plot(grid, grid**3, color="#868e96", lw=1, ls="--")
    axes.scatter(X, Y, s=5, color="#d9480f", zorder=3)
    axes.set(title=name, xlabel="x", ylim=(-4, 4))
panels[0].set_ylabel("y")
panels[0]

# %%
# Between the points the networks agree, outside they do not.

inside = np.abs(grid[:, 0]) <= 1
for name in ("ReLU", "tanh"):
    within, beyond = spread[name][inside].mean(), spread[name][~inside].mean()
    print(f"{name}: spread {within:.3f} inside, {beyond:.3f} outside")
    assert beyond > 3 * within
