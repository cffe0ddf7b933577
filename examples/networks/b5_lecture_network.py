"""
The network of the lecture's code
=================================

An image of 3 × 10 × 20 numbers is flattened to 600, and goes through three linear blocks with
ReLU between them: 600 → 60 → 40 → 10.
"""

import numpy as np

import graphc as gc

image, y = gc.observed("image", shape=(3, 10, 20)), gc.observed("y", classes=10)


@gc.function
def flat(image):
    return np.reshape(image, 600)


x = flat(image, output="x")
s1 = gc.Linear(60, name="m0")(x, output="s1")
z1 = gc.relu(s1, output="z1")
s2 = gc.Linear(40, name="m1")(z1, output="s2")
z2 = gc.relu(s2, output="z2")
s3 = gc.Linear(10, name="m2")(z2, output="s3")
net = gc.Graph(gc.cross_entropy(s3, y, name="C"), name="mynet")
net

# %%
# The emitted file, whole. It needs NumPy and nothing of graphc.

program = gc.compile(net, dtype="float32", style="readable")
print(program.source[: program.source.index("def _check_params")])

# %%
# It is the network that one would write by hand.

params = program.init_params(seed=0)
rng = np.random.default_rng(1)
images, labels = rng.standard_normal((4, 3, 10, 20)), rng.integers(0, 10, 4)
z = images.reshape(4, 600)
for w, b in ((params.m0_w, params.m0_b), (params.m1_w, params.m1_b)):
    z = np.maximum(z @ w.T + b, 0)
scores = z @ params.m2_w.T + params.m2_b
np.testing.assert_allclose(program.forward(params, image=images), scores, rtol=2e-4, atol=1e-4)
print(program.loss(params, image=images, y=labels))
