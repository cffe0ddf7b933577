"""
Forward pass, backward pass, and no cycles
==========================================

The forward pass computes the states in order, the backward pass the gradients in the reverse
order. Both need an order: a feed-forward network has no cycle.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=3), gc.observed("y", shape=2)
z = gc.tanh(gc.Linear(4, name="first")(x), output="z")
out = gc.Linear(2, name="second")(z, output="ybar")
net = gc.Graph(gc.squared_error(out, y, name="C"), name="passes")

# %%
# Three functions: ``forward`` for the states, ``loss``, and ``loss_and_grad`` for both passes.

program = gc.compile(net)
params = program.init_params(seed=0)
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((10, 3)), rng.standard_normal((10, 2))
prediction = program.forward(params, x=X)
loss, grads = program.loss_and_grad(params, x=X, y=Y)
np.testing.assert_allclose(loss, np.mean(np.sum((prediction - Y) ** 2, axis=1)))

# %%
# A gradient can be checked without trusting graphc: move every parameter a little.

for name, p, g in zip(params._fields, params, grads, strict=True):
    u = rng.standard_normal(p.shape)
    ahead = program.loss(params._replace(**{name: p + 1e-6 * u}), x=X, y=Y)
    behind = program.loss(params._replace(**{name: p - 1e-6 * u}), x=X, y=Y)
    difference = (ahead - behind) / 2e-6
    print(f"{name}: {np.sum(g * u):+.8f} by formula, {difference:+.8f} by differences")
    np.testing.assert_allclose(np.sum(g * u), difference, rtol=1e-6)

# %%
# A cycle is an error when it is closed, and the message names its blocks in order.


@gc.function
def a(h, x):
    return np.tanh(h + x)


@gc.function
def b(z):
    return 0.5 * z


u = gc.observed("u", shape=3)
h = gc.computed("h", shape=3)
after = b(a(h, u, output="z"), output="next")
try:
    h.define(after)
except gc.CycleError as error:
    print(error)
else:
    raise AssertionError("a cycle must be an error")

# %%
# A recurrent network has no cycle either: it is the same block at one time after the other.

state = gc.constant(np.zeros(3))
for t in range(3):
    state = b(a(state, u, output=f"z{t}"), output=f"h{t}")
gc.Graph(state, name="unrolled")
