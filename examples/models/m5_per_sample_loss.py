r"""
The loss of one sample
======================

A model and a cost together make a loss: a function of a sample and of the parameters,
:math:`L(x, y, w) = C(y, G(x, w))`. In graphc a model is declared for one sample, and everything
that is derived holds for one sample too.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=3), gc.observed("y", classes=2)
s = gc.Linear(2, name="G")(x, output="s")
loss = gc.cross_entropy(s, y, name="C")
net = gc.Graph(loss, name="classifier")
net

# %%
# The loss by the scores: the probabilities, less the one-hot answer.

gc.grad(loss, s)

# %%
# Compiled with ``batch=False`` the program takes one sample and no sample axis.

program = gc.compile(net, batch=False)
params = program.init_params(seed=0)
value, grads = program.loss_and_grad(params, x=np.array([1.0, 0.0, -1.0]), y=1)
print(f"L = {value:.4f}")
print(grads.G_w)

# %%
# A step against the gradient lowers the loss of this sample.

moved = program.Params(*(w - 0.1 * g for w, g in zip(params, grads, strict=True)))
after = program.loss(moved, x=np.array([1.0, 0.0, -1.0]), y=1)
print(f"L = {after:.4f}")
assert after < value
