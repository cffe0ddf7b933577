r"""
Back-propagation through a weighted sum
=======================================

A value z that enters several sums :math:`s_i` with the weights :math:`w_i` influences the cost
through all of them, so its gradient is a sum, :math:`\frac{dC}{dz} = \sum_i \frac{dC}{ds_i} w_i`.
"""

import numpy as np

import graphc as gc

z = gc.observed("z", shape=3)
block = gc.Linear(2, bias=False, name="m")
s = block(z, output="s")
C = gc.cost(np.sum(np.tanh(s)), name="C")
net = gc.Graph(C, name="weighted_sum")
net

# %%
# Forwards the weights multiply from the left; backwards it is the transpose.

gc.jacobian(s, z)

# %%

gc.grad(C, z)

# %%
# The weights' own gradient is an outer product: the gradient of the sum, times what it weighs.

gc.grad(C, block.w)

# %%
# As perturbations: if z changes by dz, each sum changes by :math:`ds_i = \sum_j w_{ij}\,dz_j`, and
# the cost by the sum of what it is to each of them.

dz = gc.observed("dz", shape=3)
rng = np.random.default_rng(0)
w, point, change = rng.standard_normal((2, 3)), rng.standard_normal(3), rng.standard_normal(3)
moves = gc.compile_function([z, block.w, dz], [gc.jvp(s, z, dz), gc.jvp(C, z, dz)])
ds, dC = moves(point, w, change)
np.testing.assert_allclose(ds, w @ change)
gradient = gc.compile_function([z, block.w], gc.grad(C, z))(point, w)
np.testing.assert_allclose(dC, gradient @ change)
by_hand = (1 - np.tanh(w @ point) ** 2) @ w
np.testing.assert_allclose(gradient, by_hand)
print("dC/dz =", gradient.round(4))
