r"""
Advice: normalise the inputs
============================

If one input is large and another small, or all lie far from 0, the cost is a narrow valley: one
step size cannot suit all directions. Subtract each input's mean and divide by its deviation.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=2), gc.observed("y")
w, b = gc.parameter("w", shape=2), gc.parameter("b")


@gc.function
def G(x, w, b):
    return w @ x + b


C = gc.squared_error(G(x, w, b, output="ybar"), y, name="C")
net = gc.Graph(C, name="linear")
net

# %%
# The data: a length in metres, and a temperature in kelvin.

rng = np.random.default_rng(0)
raw = np.stack([rng.uniform(0, 2, 200), rng.normal(290, 8, 200)], axis=1)
normalised = (raw - raw.mean(axis=0)) / raw.std(axis=0)
Y = 3 * raw[:, 0] + 0.1 * (raw[:, 1] - 290) + rng.normal(0, 0.1, 200)

# %%
# **Why**: the Hessian of the cost by the parameters. The largest step size that does not diverge is
# 2 / (largest eigenvalue), and the slowest direction shrinks as (smallest eigenvalue) × step size.

condition = {}
for name, X in {"raw": raw, "normalised": normalised}.items():
    program = gc.compile(net)
    objective = program.as_scipy(program.init_params(seed=0), x=X, y=Y)
    eigenvalues = np.linalg.eigvalsh(objective.hess(objective.x0))
    condition[name] = eigenvalues[-1] / eigenvalues[0]
    print(f"{name:10} eigenvalues {eigenvalues.round(4)}, condition {condition[name]:.3g}")
assert condition["raw"] > 1e5 > 2 > condition["normalised"]

# %%
# **Without and with.** Each with a step size of 0.9 / (largest eigenvalue).

runs = {}
for name, X in {"raw": raw, "normalised": normalised}.items():
    objective = gc.compile(net).as_scipy(gc.compile(net).init_params(seed=0), x=X, y=Y)
    largest = np.linalg.eigvalsh(objective.hess(objective.x0))[-1]
    trainer = gc.compile(net, step=gc.sgd(lr=0.9 / largest))
    runs[name] = gc.train(trainer, trainer.init_params(seed=0), {"x": X, "y": Y}, steps=100)
    print(f"{name:10} loss after 100 steps {runs[name].loss:.4f}")
assert runs["normalised"].loss < 0.011 < 0.3 < runs["raw"].loss
gc.plot.losses(*runs.values(), labels=list(runs), log=True)
