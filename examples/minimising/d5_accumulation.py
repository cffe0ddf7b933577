r"""
Gradient accumulation
=====================

Where a large batch does not fit into memory, its gradient is summed up over several small ones, and
one step is taken for all. The mean over k batches of B samples is the mean over one of kB:

.. math:: \frac{1}{k} \sum_{j=1}^{k} \frac{\partial L(S_j, w)}{\partial w}
   = \frac{\partial L(S_1 \cup \dots \cup S_k, w)}{\partial w}
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=5), gc.observed("y")
z = gc.tanh(gc.Linear(16, name="f")(x, output="s"), output="z")
prediction = gc.Linear(1, name="g")(z)[0]
net = gc.Graph(gc.cost((prediction - y) ** 2, name="C"), name="regression")
net

# %%
# ``gc.accumulate`` makes of any update rule one that steps once in k calls. What the rule itself
# remembers, here Adam's two means and the number of its step, changes only then.

rng = np.random.default_rng(0)
X = rng.standard_normal((256, 5))
Y = np.sin(X[:, 0]) + 0.3 * X[:, 1] * X[:, 2]
data = {"x": X, "y": Y}

large = gc.compile(net, step=gc.adam(lr=0.01))
small = gc.compile(net, step=gc.accumulate(gc.adam(lr=0.01), steps=4))

# %%
# Four batches of 16 and one of 64 are the same step, to the last digits.

start = large.init_params(seed=0)
one = gc.train(large, start, data, batch_size=64, epochs=30)
four = gc.train(small, start, data, batch_size=16, epochs=30)
assert (one.step, four.step) == (30 * 4, 30 * 16)
for a, b in zip(one.params, four.params, strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
print(f"{one.step} steps of 64 samples, {four.step} calls with 16: the same parameters")

# %%
# Between the steps the parameters rest.

trace = gc.plot.Trace(start, names=["f_w"])
gc.train(small, start, data, batch_size=16, steps=32, callbacks=[trace])
moved = np.linalg.norm(np.diff(trace.path, axis=0), axis=1) > 0
assert moved.reshape(-1, 4).sum(axis=1).tolist() == [1] * 8
(axes,) = gc.plot.panels(1, size=(6.4, 2.8))
axes.step(np.arange(33), np.linalg.norm(trace.path - trace.path[0], axis=1), where="post")
axes.set(xlabel="call of train_step", ylabel="distance from the start")
axes

# %%
# The loss of every small batch is told as it comes; that of a large one is the mean of four.

means = np.mean(np.reshape(four.history.losses, (-1, 4)), axis=1)
np.testing.assert_allclose(means, one.history.losses, rtol=1e-9)

# %%
# In the emitted file the sum is a state beside those of Adam, and every call decides by its number
# whether it is the fourth.

program = gc.compile(net, step=gc.accumulate(gc.sgd(lr=0.1), steps=4), style="readable")
source = program.source
print(source[source.index("def train_step") :].split("\n\n\n")[0])
