r"""
The derivative graph is a graph
===============================

The backward pass is a network of its own: it runs the other way, and each block of it multiplies
with a Jacobian. It is made of the same things as the model, so it can be drawn, compiled, and
differentiated once more.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=3), gc.observed("y", classes=4)
w = gc.parameter("w", shape=(4, 3), init="normal")


@gc.function
def affine(x, w):
    return w @ x


s = affine(x, w, output="s")
z = gc.tanh(s, output="z")
C = gc.cross_entropy(z, y, name="C")
net = gc.Graph(C, name="model")
gc.render(net, Path(tempfile.mkdtemp()) / "mirror.svg", backward="mirror")

# %%
# **By hand, with blocks.** Each step backwards is a function of a gradient and of what the forward
# pass computed. This is the same derivative, declared as a model is.


@gc.function
def back_cost(z, y):
    return gc.softmax(z) - gc.one_hot(y, 4)


@gc.function
def back_tanh(g, z):
    return g * (1 - z**2)


@gc.function
def back_affine(g, x):
    return np.outer(g, x)


dz = back_cost(z, y, output="dC_dz")
ds = back_tanh(dz, z, output="dC_ds")
dw = back_affine(ds, x, output="dC_dw")
by_hand = gc.Graph(dw, name="derivative")
by_hand

# %%
# Its formula is that of the derivative which graphc finds,

gc.grad(C, w)

# %%
# and so are its numbers.

rng = np.random.default_rng(0)
values = [rng.normal(size=3), np.array(2), rng.normal(size=(4, 3))]
derived = gc.compile_function([x, y, w], gc.grad(C, w))
np.testing.assert_allclose(
    gc.compile_function([x, y, w], dw)(*values), derived(*values), rtol=1e-12
)

# %%
# **A derivative is a variable**, so it enters further blocks. Here a cost asks that the output
# change little where the input does (Drucker and LeCun's double back-propagation): its gradient
# goes through the derivative graph.

sensitivity = gc.grad(C, x)
penalty = gc.cost(np.sum(sensitivity**2), name="R")
smooth = gc.Graph(C, penalty, name="double_backprop")
program = gc.compile(smooth, batch=False)
params = program.Params(values[2])
_, grads = program.loss_and_grad(params, x=values[0], y=values[1])
u = rng.normal(size=(4, 3))
ahead = program.loss(program.Params(values[2] + 1e-6 * u), x=values[0], y=values[1])
behind = program.loss(program.Params(values[2] - 1e-6 * u), x=values[0], y=values[1])
np.testing.assert_allclose(np.sum(grads.w * u), (ahead - behind) / 2e-6, rtol=1e-6)
smooth
