r"""
Functional modules and the vector chain rule
============================================

A module g after a module f: :math:`c = g(z_f)` has, by the chain rule in row vectors,
:math:`\frac{\partial c}{\partial z_f} = \frac{\partial c}{\partial z_g}\,\frac{\partial z_g}
{\partial z_f}`, of the shapes :math:`[1 \times d_f] = [1 \times d_g]\,[d_g \times d_f]`.
"""

import numpy as np

import graphc as gc

x = gc.observed("x", shape=5)


@gc.function
def f(x=gc.Input("n"), *, w=gc.Parameter("m n")):
    return np.tanh(w @ x)


@gc.function
def g(z=gc.Input("n"), *, v=gc.Parameter("m n")):
    return v @ z


z_f = f(m=3, name="f")(x, output="z_f")
z_g = g(m=2, name="g")(z_f, output="z_g")
c = gc.cost(np.sum(z_g**2), name="c")
net = gc.Graph(c, name="modules")
net

# %%
# graphc prints a gradient as the lecture does, with its shapes, if it is asked for rows.

print(gc.latex(gc.grad(c, z_f), layout="row"))

# %%
# The row that enters a module from behind is multiplied with the module's Jacobian, and leaves in
# front. Every product is one with a row: the cost of it grows with the size of the Jacobian, not
# with that of a product of two of them.

gc.grad(c, z_f)

# %%

gc.grad(c, x)

# %%
# The same numbers, from the matrices one by one.

rng = np.random.default_rng(0)
w, v, point = rng.standard_normal((3, 5)), rng.standard_normal((2, 3)), rng.standard_normal(5)
parameters = {p.shape: p for p in net.parameters}
given = [x, parameters[3, 5], parameters[2, 3]]
row_g, jac_g, row_f = gc.compile_function(
    given, [gc.grad(c, z_g), gc.jacobian(z_g, z_f), gc.grad(c, z_f)]
)(point, w, v)
print(row_g.shape, "·", jac_g.shape, "=", row_f.shape)
np.testing.assert_allclose(row_g @ jac_g, row_f)
