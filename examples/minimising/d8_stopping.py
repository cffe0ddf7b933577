r"""
When to stop, and how fast to go
================================

Descent has no end of its own. It is stopped when the loss hardly changes, after so many iterations
or epochs, or when it no longer gets better on data that it has not seen. And the learning rate is
no parameter of the model: it is chosen by trying.
"""

# sphinx_gallery_thumbnail_number = 2

import numpy as np

import graphc as gc

x, y = gc.observed("x"), gc.observed("y")
powers = np.arange(12)
w = gc.parameter("w", shape=12)


@gc.function
def polynomial(x, w):
    return w @ np.cos(powers * np.arccos(x))


prediction = polynomial(x, w, output="ybar")
net = gc.Graph(gc.squared_error(prediction, y, name="C"), name="fit")
net

# %%
# Twenty noisy samples, and forty that are not trained on.


def sample(count, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, count)
    return {"x": x, "y": np.sin(3 * x) + 0.4 * rng.standard_normal(count)}


data, unseen = sample(20, 0), sample(40, 1)
program = gc.compile(net, step=gc.sgd(lr=0.2))
start = program.init_params()

# %%
# **An iteration limit**, **epochs**, and **a threshold**: the mean loss of an epoch has changed by
# less than this part of itself. The run says why it ended.

for stop in ({"steps": 50}, {"epochs": 50}, {"tolerance": 1e-4}):
    run = gc.train(program, start, data, batch_size=10 if "epochs" in stop else None, **stop)
    told = ", ".join(f"{name}={value}" for name, value in stop.items())
    print(f"{told:26} {run.reason:10} after {run.step:4} steps, loss {run.loss:.5f}")
    assert run.reason == next(iter(stop)).replace("tolerance", "converged")

# %%
# **Early stopping**: the loss on unseen samples falls, and then rises as the model learns the noise
# of those that it sees. With ``patience=`` the run stops when it has not fallen for so many epochs,
# and returns the best parameters.

long = gc.train(program, start, data, steps=2000, validation=unseen)
early = gc.train(program, start, data, epochs=2000, validation=unseen, patience=40)
assert early.reason == "stopped early"
best = int(np.argmin(early.history.validation))
np.testing.assert_allclose(program.loss(early.params, **unseen), min(early.history.validation))
assert program.loss(early.params, **unseen) < program.loss(long.params, **unseen)
print(f"stopped after {early.step} epochs; best after {best + 1}")

left, right = gc.plot.panels(2)
left.plot(long.history.losses, color=gc.plot.COLOURS[0], label="training")
left.plot(long.history.validation, color=gc.plot.COLOURS[0], ls="--", label="validation")
left.axvline(best, color=gc.plot.COLOURS[1], lw=1, label="best on validation")
left.set(xlabel="epoch", ylabel="loss", xscale="log", yscale="log")
left.legend()
grid = np.linspace(-1, 1, 200)
curves = gc.compile(gc.Graph(prediction, name="curve"))
right.scatter(data["x"], data["y"], s=18, color="black")
for i, run in enumerate((early, long)):
    right.plot(grid, curves.forward(run.params, x=grid), color=gc.plot.COLOURS[1 - i],
               label=("stopped early", "2000 epochs")[i])  # fmt: skip
right.set(xlabel="$x$", ylabel="$y$")
right.legend()
right

# %%
# **The learning rate** is a hyperparameter: one run for each candidate. Below the best one descent
# is slow, a little above it the loss explodes, and training says so instead of going on with nan.

rates = np.geomspace(0.003, 3, 13)
ends = []
for rate in rates:
    program = gc.compile(net, step=gc.sgd(lr=float(rate)))
    try:
        ends.append(gc.train(program, start, data, steps=60, divergence=100).loss)
    except gc.TrainingError as error:
        message = str(error)
        ends.append(np.nan)
assert "diverges" in message
print(message)

usable = np.isfinite(ends)
(axes,) = gc.plot.panels(1)
axes.plot(rates[usable], np.array(ends)[usable], "o-", color=gc.plot.COLOURS[0])
axes.axvspan(rates[usable].max(), rates.max(), color=gc.plot.COLOURS[1], alpha=0.15, lw=0)
axes.text(rates.max(), np.nanmax(ends), "diverges ", ha="right", va="top", color=gc.plot.COLOURS[1])
axes.set(xscale="log", yscale="log", xlabel=r"learning rate $\eta$", ylabel="loss after 60 steps")
axes

# %%
# For a quadratic loss the bound is known: 2 over the largest eigenvalue of the Hessian.

objective = gc.compile(net).as_scipy(start, **data)
bound = 2 / np.linalg.eigvalsh(objective.hess(objective.x0)).max()
print(f"bound: {bound:.3f}; largest rate that did not diverge: {rates[usable].max():.3f}")
assert rates[usable].max() < 1.1 * bound

# %%
# A rate that falls need not be chosen so well: fast at first, careful in the end. Schedules are
# functions of the number of the step, and become part of the emitted step.

program = gc.compile(net, step=gc.sgd(lr=gc.cosine_decay(0.3, steps=60)), style="readable")
run = gc.train(program, start, data, steps=60)
print(f"with a cosine from 0.3 to 0: {run.loss:.4f}")
source = program.source
print(source[source.index("    # w: step") :].split("\n\n\n")[0])
