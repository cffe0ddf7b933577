r"""
Nearest neighbour: a discrete output
====================================

A model need not be smooth. The nearest neighbour keeps one prototype :math:`w_{k,\cdot}` for each
class and answers with the class of the closest one,
:math:`\bar y = \mathrm{argmin}_k \lVert x - w_{k,\cdot} \rVert^2`: an integer.
"""

import numpy as np

import graphc as gc

x = gc.observed("x", shape=2)


@gc.function
def distances(x=gc.Input("n"), *, w=gc.Parameter("k n", init="normal")):
    return np.sum((x - w) ** 2, axis=1)


@gc.function
def nearest(d):
    return np.argmin(d)


block = distances(k=3, name="prototypes")
d = block(x, output="d")
answer = nearest(d, output="ybar")
net = gc.Graph(answer, name="neighbour")
net

# %%
# A discrete variable is drawn with a double line. No derivative passes through it, and graphc says
# so, naming the block that cuts the path.

try:
    gc.jacobian(answer, x)
except gc.DerivativeError as error:
    print(error)

# %%
# The distances themselves are smooth; their Jacobians have the textbook form.

gc.jacobian(d, x)

# %%
# With a prototype in each of three clouds the plane falls into three cells.

program = gc.compile(net)
rng = np.random.default_rng(0)
centres = np.array([[0.0, 1.5], [-1.5, -1.0], [1.5, -1.0]])
labels = rng.integers(0, 3, 150)
points = centres[labels] + 0.6 * rng.standard_normal((150, 2))
params = program.Params(centres)
right = np.mean(program.forward(params, x=points) == labels)
print(f"{right:.0%} of the points lie in the cell of their class")
assert right > 0.9

gc.plot.regions(lambda p: program.forward(params, x=p), ((-3.5, 3.5), (-3.5, 3.5)), points, labels)
