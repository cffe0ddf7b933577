r"""
Weight sharing
==============

The same parameters may serve in several places. Their gradient is the sum of the gradients from all
of them: sharing is a duplicate module, in front of the parameters.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

# %%
# **Siamese networks**: one block, called twice, and a cost that compares what comes out. The shared
# parameters are drawn as one circle.

a, b = gc.observed("a", shape=4), gc.observed("b", shape=4)
encoder = gc.Linear(2, name="encoder")
za, zb = encoder(a, output="za"), encoder(b, output="zb")
C = gc.cost(np.sum((za - zb) ** 2), name="C")
siamese = gc.Graph(C, name="siamese")
gc.render(siamese, Path(tempfile.mkdtemp()) / "siamese.svg", params="shared")

# %%
# Two blocks of their own, set to the same values, show the rule: the gradients add up.

left, right = gc.Linear(2, name="left"), gc.Linear(2, name="right")
C2 = gc.cost(np.sum((left(a) - right(b)) ** 2), name="C")
apart = gc.Graph(C2, name="apart")
rng = np.random.default_rng(0)
A, B = rng.normal(size=(2, 10, 4))
shared, separate = gc.compile(siamese), gc.compile(apart)
params = shared.init_params(seed=0)
_, g = shared.loss_and_grad(params, a=A, b=B)
_, two = separate.loss_and_grad(separate.Params(*params, *params), a=A, b=B)
np.testing.assert_allclose(g.encoder_w, two.left_w + two.right_w, rtol=1e-12, atol=1e-14)
print(g.encoder_w.round(3), two.left_w.round(3) + two.right_w.round(3), sep="\n\n")

# %%
# **A convolution** is weight sharing too: one small kernel, at every place. Here a layer with a
# full matrix is built from the kernel, and is the same function with the same gradient.

x = gc.observed("x", shape=(1, 8))
kernel = gc.parameter("kernel", shape=(1, 1, 3), init="normal")
z = gc.conv1d(x, kernel, output="z")
conv = gc.Graph(gc.cost(np.sum(np.tanh(z) ** 2), name="C"), name="conv")

places = np.zeros((6, 8, 3))  # row i of the matrix holds the kernel from column i on
for i in range(6):
    for k in range(3):
        places[i, i + k, k] = 1.0


@gc.function
def banded(x, kernel):
    matrix = gc.constant(places) @ kernel[0, 0]
    return matrix @ x[0]


full = gc.Graph(gc.cost(np.sum(np.tanh(banded(x, kernel)) ** 2), name="C"), name="full")
X = rng.normal(size=(5, 1, 8))
one, other = gc.compile(conv), gc.compile(full)
params = one.init_params(seed=0)
for u, v in zip(
    one.loss_and_grad(params, x=X)[1], other.loss_and_grad(other.Params(*params), x=X)[1]
):
    np.testing.assert_allclose(u, v, rtol=1e-10)
full
