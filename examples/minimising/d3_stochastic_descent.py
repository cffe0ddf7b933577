r"""
Stochastic gradient descent
===========================

One random sample gives a poor estimate of the gradient, but an unbiased one, and it costs P times
less. So each step follows the gradient of one sample's loss,
:math:`w \leftarrow w - \eta \, \partial L(x[p], y[p], w) / \partial w`, and the path is noisy.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x"), gc.observed("y")
w = gc.parameter("w", shape=2)
net = gc.Graph(gc.cost((w[0] + w[1] * x - y) ** 2, name="C"), name="line")
program = gc.compile(net, step=gc.sgd(lr=0.05))

rng = np.random.default_rng(0)
X = rng.uniform(-1, 2, 100)
Y = 0.5 - 1.5 * X + 0.5 * rng.standard_normal(100)
data = {"x": X, "y": Y}

# %%
# The estimate is unbiased: the mean of the samples' gradients is the gradient of the set.

params = program.init_params()
_, whole = program.loss_and_grad(params, **data)
single = [program.loss_and_grad(params, x=X[p : p + 1], y=Y[p : p + 1])[1].w for p in range(100)]
np.testing.assert_allclose(np.mean(single, axis=0), whole.w)
print("mean of 100 gradients:", np.mean(single, axis=0))
print("their spread:         ", np.std(single, axis=0))

# %%
# Three hundred steps of each. A step of stochastic descent looks at one sample, so that all of them
# together cost as much as three steps of full-batch descent.


def path(batch_size, rule=None, **options):
    program = gc.compile(net, step=rule or gc.sgd(lr=0.05))
    trace = gc.plot.Trace(program.init_params())
    gc.train(
        program, program.init_params(), data, batch_size=batch_size, callbacks=[trace], **options
    )
    return trace.path


stochastic, batch = path(1, steps=300), path(None, steps=300)
best = np.linalg.lstsq(np.stack([np.ones(100), X], axis=1), Y, rcond=None)[0]
np.testing.assert_allclose(batch[-1], best, atol=1e-3)
loss = program.as_scipy(params, **data).loss
bounds = ((-0.4, 1.3), (-2.1, 0.2))
gc.plot.contours(loss, bounds, stochastic, batch, labels=["stochastic", "full batch"], log=True)

# %%
# For the same work, three passes over the data, the noisy path is far ahead of the smooth one.

assert loss(stochastic[-1]) < loss(batch[3]) / 1.5
paid = np.arange(0, 301)
(axes,) = gc.plot.panels(1)
axes.plot(paid, [loss(p) for p in stochastic], color=gc.plot.COLOURS[0], label="stochastic")
axes.plot(100 * np.arange(4), [loss(p) for p in batch[:4]], "o-", color=gc.plot.COLOURS[1],
          label="full batch")  # fmt: skip
axes.set(xlabel="samples looked at", ylabel="loss of the set")
axes.legend()
axes

# %%
# Near the minimum the noise remains: with a fixed step size the path wanders about in a cloud. A
# step size that falls lets it settle (Robbins and Monro, 1951).

falling = gc.sgd(lr=gc.inverse_decay(0.1, 0.02))
wandering, settling = path(1, gc.sgd(lr=0.1), steps=4000), path(1, falling, steps=4000)


def spread(p):
    return np.sqrt(np.mean((p[2000:] - best) ** 2))


assert spread(settling) < spread(wandering) / 2
print(f"distance from the minimum: {spread(wandering):.3f} fixed, {spread(settling):.3f} falling")
gc.plot.contours(
    loss, ((0.2, 0.9), (-1.9, -1.1)), wandering[2000:], settling[2000:],
    labels=["fixed step size", "falling step size"],
)  # fmt: skip
