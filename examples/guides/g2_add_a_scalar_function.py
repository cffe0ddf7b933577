r"""
Add a scalar function
=====================

Elementwise functions come from a table of rows, each with its derivative. Most new ones need no new
row: they are written with those that are there.
"""

import numpy as np
import sympy

import graphc as gc

# %%
# **With NumPy.** A function of variables is all it takes.

x = gc.observed("x", shape=5)


@gc.function
def bent_identity(x):
    """(√(x² + 1) − 1)/2 + x"""
    return (np.sqrt(x**2 + 1) - 1) / 2 + x


z = bent_identity(x, output="z")
gc.jacobian(z, x)

# %%
# **From a formula.** :func:`graphc.elementwise` takes a SymPy expression, splits it into rows of
# the table, and applies it element by element.

t = sympy.Symbol("t", real=True)
wavelet = gc.elementwise((1 - t**2) * sympy.exp(-(t**2) / 2), t)
w = wavelet(x)
gc.grad(np.sum(w), x)

# %%
# It compiles as everything else does.

slope = gc.compile_function([x], gc.grad(np.sum(w), x), style="readable")
print(slope.source[slope.source.index("def f(") : slope.source.index("\n\ndef _check")])

points = np.linspace(-2, 2, 5)
exact = [float(sympy.diff(wavelet.expression, t).subs(t, p)) for p in points]
np.testing.assert_allclose(slope(points), exact, atol=1e-14)

# %%
# **With a derivative of your own**, for instance to pass a gradient through a step, or to write one
# that is stable where the automatic one is not: :func:`graphc.custom_vjp`.

rounded = gc.custom_vjp(np.rint, lambda args, g: (g,))  # back as if it were the identity
back = gc.compile_function([x], gc.grad(np.sum(rounded(x) ** 2), x))
np.testing.assert_allclose(back(np.array([0.2, 0.7, 1.1, -1.6, 3.0])), [0, 2, 2, -4, 6])

# %%
# **For contributors: a row of the table.** A function that cannot be written with the others, as
# erf cannot, is a row in ``graphc/ops/scalars/``: its name (NumPy's, where NumPy has it), its
# domain, and its derivative as a small function of input and output. The row is then known to the
# code, to the formulas and to the tests, which check it against SymPy and at hard points. This is
# one:
#
# .. code-block:: python
#
#    row("tanh", lambda x, y: 1 - y * y)
