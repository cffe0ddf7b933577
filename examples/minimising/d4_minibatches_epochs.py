r"""
Mini-batches and epochs
=======================

Between one sample and all of them lies the mini-batch: the set is split at random into parts of B
samples, and each part gives a step. One pass through all parts is an epoch, of P / B iterations.
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=2), gc.observed("y", classes=2)
hidden = gc.tanh(gc.Linear(8, name="f")(x, output="s"), output="z")
net = gc.Graph(gc.cross_entropy(gc.Linear(2, name="g")(hidden), y, name="C"), name="moons")
net

# %%
# Two classes that no line separates, 240 samples.

rng = np.random.default_rng(0)
angle = np.pi * rng.random(240)
Y = np.repeat([0, 1], 120)
X = np.stack([np.cos(angle) + Y, np.where(Y, 0.5 - np.sin(angle), np.sin(angle))], axis=1)
X = X - X.mean(axis=0) + 0.12 * rng.standard_normal(X.shape)
data = {"x": X, "y": Y}

# %%
# The number of iterations is that of the samples over the size of a batch, times the epochs. The
# last batch of an epoch holds what is left.

program = gc.compile(net, step=gc.sgd(lr=0.1))
start = program.init_params(seed=1)
for size in (240, 60, 32, 1):
    run = gc.train(program, start, data, batch_size=size, epochs=2)
    assert run.step == 2 * int(np.ceil(240 / size))
    print(f"{size:3} samples in a batch: {run.step:3} iterations in {run.epoch} epochs")

# %%
# Every epoch goes through all samples once, in an order of its own; the seed fixes all orders.
# A batch is what ``train_step`` takes, so a loop of one's own is short.

params = start._replace(**{name: value.copy() for name, value in start._asdict().items()})
state = program.init_state(params)
for epoch in range(2):
    order = np.random.default_rng([0, epoch]).permutation(240)
    for first in range(0, 240, 32):
        rows = np.sort(order[first : first + 32])
        program.train_step(params, state, x=X[rows], y=Y[rows])

run = gc.train(program, start, data, batch_size=32, epochs=2, seed=0)
np.testing.assert_array_equal(run.params.f_w, params.f_w)

# %%
# A larger batch makes the gradient less noisy, but only by the square root of its size.

_, whole = program.loss_and_grad(start, **data)


def noise(size, draws=300):
    off = []
    for _ in range(draws):
        rows = rng.choice(240, size)
        _, grads = program.loss_and_grad(start, x=X[rows], y=Y[rows])
        off.append(np.sum((grads.f_w - whole.f_w) ** 2))
    return np.sqrt(np.mean(off))


sizes = np.array([1, 4, 16, 64])
spread = np.array([noise(size) for size in sizes])
np.testing.assert_allclose(spread * np.sqrt(sizes), spread[0], rtol=0.15)
for size, value in zip(sizes, spread, strict=True):
    print(f"batches of {size:2}: {value:.4f}, times the root of the size {value * size**0.5:.3f}")

# %%
# Forty epochs with each size of batch, at the same learning rate: small batches take more steps
# for the same number of samples looked at, and learn faster; their loss is noisier.

sizes = (240, 60, 12, 2)
runs = [gc.train(program, start, data, batch_size=size, epochs=40) for size in sizes]
ends = [run.history.epochs[-1] for run in runs]
assert ends == sorted(ends, reverse=True)
left, right = gc.plot.panels(2)
for i, (size, run) in enumerate(zip(sizes, runs, strict=True)):
    colour = gc.plot.COLOURS[i]
    left.plot(np.arange(1, 41), run.history.epochs, color=colour, label=f"B = {size}")
    right.plot(run.history.losses[:150], color=colour, lw=0.9)
left.set(xlabel="epoch", ylabel="mean loss of the epoch", yscale="log")
right.set(xlabel="iteration", ylabel="loss of the batch", yscale="log")
left.legend()
left

# %%
# What the batches of 2 have learnt.

best = runs[3].params
scores = gc.compile(gc.Graph(gc.softmax(net.costs[0].inputs[0], output="p"), name="predict"))
accuracy = np.mean(scores.forward(best, x=X).argmax(axis=1) == Y)
assert accuracy > 0.97
print(f"accuracy: {accuracy:.1%}")
gc.plot.regions(lambda p: scores.forward(best, x=p), ((-2.2, 2.2), (-1.4, 1.4)), X, Y)
