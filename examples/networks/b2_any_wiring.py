r"""
A unit's weighted sum over its predecessors
===========================================

Layers are a habit, not a rule. In general a unit i sums over the units that lead to it,
:math:`s_i = \sum_{j \in \mathrm{UP}(i)} w_{ij} z_j`, and any wiring without a cycle will do.
"""

import numpy as np

import graphc as gc

# %%
# Six units. Units 0 and 1 are the inputs; the others have the predecessors that are listed.

UP = {2: (0, 1), 3: (1, 2), 4: (0, 2), 5: (2, 3, 4)}

z = {0: gc.observed("z0"), 1: gc.observed("z1")}
weights = {}
for i, predecessors in UP.items():
    s = 0.0
    for j in predecessors:
        weights[i, j] = gc.parameter(f"w{i}{j}", init="ones")
        s = s + weights[i, j] * z[j]

    @gc.function
    def unit(s):
        return np.tanh(s)

    z[i] = unit(s, output=f"z{i}")

net = gc.Graph(gc.cost(z[5] ** 2, name="C"), name="wiring")

# %%
# Back-propagation needs no layers either: it visits the units in the reverse of an order in which
# each comes after its predecessors.

program = gc.compile(net, style="readable", batch=False)
source = program.source
print(source[source.index("def loss_and_grad") : source.index("def _forward")])

# %%
# The same by hand, for the weight from unit 2 to unit 3: the derivative of the cost by
# :math:`s_3`, times :math:`z_2`.

params = program.init_params()._replace(w32=np.array(0.5))
loss, grads = program.loss_and_grad(params, z0=0.3, z1=-0.7)
units = {0: 0.3, 1: -0.7}
for i, predecessors in UP.items():
    units[i] = np.tanh(sum(getattr(params, f"w{i}{j}") * units[j] for j in predecessors))
d_s5 = 2 * units[5] * (1 - units[5] ** 2)
d_s3 = d_s5 * params.w53 * (1 - units[3] ** 2)
np.testing.assert_allclose(loss, units[5] ** 2)
np.testing.assert_allclose(grads.w32, d_s3 * units[2])
print("∂C/∂w32 =", float(grads.w32))
