r"""
Back-propagation through a nonlinear function
=============================================

If :math:`z = h(s)`, a small change ds of s changes z by :math:`dz = h'(s)\,ds`. Back-propagation
multiplies with the same factor, :math:`\frac{dC}{ds} = \frac{dC}{dz}\,h'(s)`.
"""

import numpy as np

import graphc as gc

s = gc.observed("s", shape=4)


@gc.function
def h(s):
    return np.tanh(s)


z = h(s, output="z")
C = gc.cost(np.sum(z**2), name="C")
gc.Graph(C, name="nonlinear")

# %%
# The local derivative, written with the output: the code reuses what the forward pass computed.

gc.jacobian(z, s)

# %%
# The step backwards.

gc.grad(C, s)

# %%
# **As perturbations.** The derivative along a direction ds is a Jacobian-vector product.

ds = gc.observed("ds", shape=4)
dz = gc.jvp(z, s, ds)
along = gc.compile_function([s, ds], [z, dz])
point, change = np.array([0.1, -0.4, 0.9, 2.0]), np.array([1.0, 2.0, -1.0, 0.5])
value, tangent = along(point, change)
step = 1e-6
np.testing.assert_allclose(
    (along(point + step * change, change)[0] - value) / step, tangent, rtol=1e-5
)
print("dz =", tangent.round(4))

# %%
# **As a gradient.** The vector-Jacobian product, for a cotangent dC/dz.

g = gc.observed("g", shape=4)
back = gc.compile_function([s, g], gc.vjp(z, s, g))
cotangent = np.array([0.3, 0.0, -2.0, 1.0])
np.testing.assert_allclose(back(point, cotangent), cotangent * (1 - np.tanh(point) ** 2))

# %%
# The two are transposes of each other: ⟨g, dz⟩ = ⟨ds, dC/ds⟩.

np.testing.assert_allclose(cotangent @ tangent, back(point, cotangent) @ change)
