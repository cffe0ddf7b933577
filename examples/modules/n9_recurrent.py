r"""
A recurrent net, unrolled in time and as a loop
===============================================

A recurrent net applies one block again and again: :math:`h_t = \tanh(w\,x_t + u\,h_{t-1} + b)`.
Unrolled in time it is a feed-forward network whose parameters are shared by all steps.
"""

import numpy as np

import graphc as gc

length, size = 6, 8


@gc.function
def cell(
    x=gc.Input("n"),
    h=gc.Input("m"),
    *,
    w=gc.Parameter("m n"),
    u=gc.Parameter("m m"),
    b=gc.Parameter("m", init="zeros"),
):
    return np.tanh(w @ x + u @ h + b)


# %%
# **Unrolled.** The block is made once and called at each time; the calls share its parameters.

xs = gc.observed("xs", shape=(length, 1))
y = gc.observed("y")
step = cell(m=size, name="cell")
h = gc.constant(np.zeros(size))
for t in range(length):
    h = step(xs[t], h, output=f"h{t}")
head = gc.Linear(1, name="head")
C = gc.squared_error(head(h, output="ybar")[0], y, name="C")
unrolled = gc.Graph(C, name="unrolled")
unrolled

# %%
# **As a loop**, by :func:`graphc.scan`: a step from carry and input to the next carry and an
# output. The figure shows one step, with the carry led back.

again = cell(m=size, name="cell")


def one_step(h, x):
    h = again(x, h, output="h")
    return h, h


last, _ = gc.scan(one_step, gc.constant(np.zeros(size)), xs)
head = gc.Linear(1, name="head")
C = gc.squared_error(head(last, output="ybar")[0], y, name="C")
looped = gc.Graph(C, name="looped")
looped

# %%
# Both have the same parameters, loss and gradient. Emitted, the loop is a ``for``, and its backward
# pass is a ``for`` that goes the other way: back-propagation through time.

long, short = gc.compile(unrolled), gc.compile(looped, style="readable")
params = long.init_params(seed=0)
rng = np.random.default_rng(0)
X = rng.normal(size=(20, length, 1))
Y = np.sum(X[:, :3, 0], axis=1)
loss, grads = long.loss_and_grad(params, xs=X, y=Y)
same_loss, same = short.loss_and_grad(short.Params(*params), xs=X, y=Y)
np.testing.assert_allclose(loss, same_loss, rtol=1e-12)
for name, g in zip(grads._fields, grads):
    np.testing.assert_allclose(g, getattr(same, name), rtol=1e-9, atol=1e-12)
lines = [line.strip() for line in short.source.splitlines()]
print(*(line for line in lines if line.startswith("for ")), sep="\n")

# %%
# It learns to remember the first three numbers of a sequence. A gradient through many steps may
# explode, so its norm is clipped.

rule = gc.chain(gc.clip_by_norm(max_norm=1.0), gc.adam(lr=0.01))
trainer = gc.compile(looped, step=rule)
X = rng.uniform(-1, 1, size=(400, length, 1))
Y = np.sum(X[:, :3, 0], axis=1) / 2
run = gc.train(trainer, trainer.init_params(seed=0), {"xs": X, "y": Y}, batch_size=40, epochs=60)
print(
    f"loss {run.history.epochs[0]:.3f} in the first epoch, {run.history.epochs[-1]:.5f} in the last"
)
assert run.history.epochs[-1] < 0.01
gc.plot.losses(run, log=True)
