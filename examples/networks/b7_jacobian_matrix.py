r"""
The Jacobian matrix
===================

The entry ij of a Jacobian is the derivative of output i by input j. For a module it is a matrix
with a row for each output and a column for each input; most are never formed, and a few are worth
looking at.
"""

import numpy as np

import graphc as gc

z = gc.observed("z", shape=4)

# %%
# A linear block: the weights themselves.

block = gc.Linear(3, name="linear")
gc.jacobian(block(z, output="s"), z)

# %%
# A function of each element: a diagonal matrix.

gc.jacobian(gc.sigmoid(z), z)

# %%
# Softmax: every output depends on every input, for they sum to one.

p = gc.softmax(z, output="p")
softmax_jacobian = gc.jacobian(p, z)
softmax_jacobian

# %%
# The derivative by the parameters has an axis more: output, and the two of the weights.

gc.jacobian(block(z, output="s"), block.w)

# %%
# As numbers, each column is the change of the outputs for a change of one input.

at = np.array([0.5, -1.0, 2.0, 0.0])
value, matrix = gc.compile_function([z], [p, softmax_jacobian])(at)
print(matrix.round(3))
np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-15)
function = gc.compile_function([z], p)
for j in range(4):
    step = 1e-6 * np.eye(4)[j]
    column = (function(at + step) - function(at - step)) / 2e-6
    np.testing.assert_allclose(matrix[:, j], column, atol=1e-9)
