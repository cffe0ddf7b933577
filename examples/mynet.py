"""The network of the lecture's code: an image, three linear blocks, two ReLUs, cross-entropy.

Build it with ``graphc build examples/mynet.py -o out/``.
"""

import numpy as np

import graphc as gc

image = gc.observed("image", shape=(3, 10, 20))
y = gc.observed("y", classes=10)


@gc.function
def flatten(x):
    """Return the numbers of an image as one vector."""
    return np.ravel(x)


x = flatten(image, name="flat", output="x")
s1 = gc.Linear(60, name="m0")(x, output="s1")
z1 = gc.relu(s1, output="z1")
s2 = gc.Linear(40, name="m1")(z1, output="s2")
z2 = gc.relu(s2, output="z2")
s3 = gc.Linear(10, name="m2")(z2, output="s3")
C = gc.cross_entropy(s3, y, name="C")

net = gc.Graph(C, name="mynet")
