r"""
Advice: shuffle, and decrease the learning rate
===============================================

Stochastic descent takes each sample for a hint at the whole. Samples in a sorted order are a bad
hint; and with a constant step size the parameters never settle.
"""

import numpy as np
from matplotlib.figure import Figure

import graphc as gc

x, y = gc.observed("x", shape=2), gc.observed("y", classes=2)
s = gc.Linear(2, name="head")(x, output="s")
net = gc.Graph(gc.cross_entropy(s, y, name="C"), name="classifier")

rng = np.random.default_rng(0)
Y = np.repeat([0, 1], 200)  # sorted: first all of class 0, then all of class 1
X = rng.normal(size=(400, 2)) + 1.2 * np.where(Y[:, None] == 1, 1, -1) * [1, 0.5]
data = {"x": X, "y": Y}
program = gc.compile(net)


def trained(rule, epochs, seed):
    """Train from one start; the loss over all samples after every step."""
    trainer = gc.compile(net, step=rule)
    record = []

    def note(run):
        record.append(program.loss(program.Params(*run.params), **data))

    start = trainer.init_params(seed=0)
    gc.train(
        trainer,
        start,
        data,
        batch_size=5,
        epochs=epochs,
        seed=seed,
        callbacks=[note],
        progress=False,
    )
    return np.array(record)


# %%
# **Shuffle.** ``seed=None`` keeps the order of the data: the network learns that all is class 0,
# forgets it for class 1, and so on.

kept = trained(gc.sgd(lr=0.5), 4, None)
shuffled = trained(gc.sgd(lr=0.5), 4, 0)
last = {"kept order": kept[-80:].mean(), "shuffled": shuffled[-80:].mean()}
print("mean loss in the last epoch:", *(f"{name} {v:.3f}" for name, v in last.items()))
assert last["kept order"] > 1.2 * last["shuffled"]


def drawn(**curves):
    axes = Figure(figsize=(5, 3.2), layout="constrained").subplots()
    for name, values in curves.items():
        axes.plot(values, lw=1, label=name.replace("_", " "))
    axes.set(xlabel="step", ylabel="loss over all samples", yscale="log")
    axes.legend(frameon=False)
    return axes


drawn(kept_order=kept, shuffled=shuffled)

# %%
# **Decrease the learning rate.** With noisy gradients a constant rate ends in a cloud around the
# minimum, whose size grows with the rate. :func:`graphc.inverse_decay`, as 1/t, is the classical
# remedy (Robbins and Monro, 1951); schedules are part of the compiled step.

constant = trained(gc.sgd(lr=0.5), 12, 0)
decreasing = trained(gc.sgd(lr=gc.inverse_decay(0.5, 0.02)), 12, 0)
best = min(constant.min(), decreasing.min())
print(f"above the best, last epoch: constant {constant[-80:].mean() - best:.5f}, "
      f"decreasing {decreasing[-80:].mean() - best:.5f}")  # fmt: skip
assert decreasing[-80:].mean() - best < 0.5 * (constant[-80:].mean() - best)
drawn(constant=constant, decreasing=decreasing)
