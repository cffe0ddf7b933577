r"""
A traditional neural net
========================

Linear blocks, :math:`s_{k+1} = w_k z_k`, in turn with a nonlinear function of every element,
:math:`z_k = h(s_k)`.
"""

import numpy as np

import graphc as gc

x = gc.observed("x", shape=4)
z0 = x
s1 = gc.Linear(5, bias=False, name="w_0")(z0, output="s_1")
z1 = gc.tanh(s1, output="z_1")
s2 = gc.Linear(3, bias=False, name="w_1")(z1, output="s_2")
net = gc.Graph(s2, name="two_layers")
net

# %%
# The Jacobian of the whole is the product of the Jacobians of its blocks.

gc.jacobian(s2, x)

# %%
# Without the nonlinear function between them, two linear blocks are one: their product.

t1 = gc.Linear(5, bias=False, name="w_0")(x, output="t_1")
t2 = gc.Linear(3, bias=False, name="w_1")(t1, output="t_2")
collapsed = gc.compile(gc.Graph(t2, name="collapsed"))
params = collapsed.init_params(seed=0)
samples = np.random.default_rng(0).standard_normal((6, 4))
product = params.w_1_w @ params.w_0_w
np.testing.assert_allclose(collapsed.forward(params, x=samples), samples @ product.T)
print("two linear layers of shapes", params.w_0_w.shape, params.w_1_w.shape)
print("are one of shape", product.shape, "and of rank", np.linalg.matrix_rank(product))

# %%
# With it they are not: doubling the input no longer doubles the output.

program = gc.compile(net)
once, twice = program.forward(params, x=samples), program.forward(params, x=2 * samples)
assert not np.allclose(2 * once, twice)
