r"""
Use SciPy's optimisers
======================

``program.as_scipy`` gives the loss on some data as a function of one flat vector, with gradient,
Hessian products and residuals: what SciPy's methods ask for.
"""

import numpy as np
from scipy import optimize

import graphc as gc

# %%
# A curve :math:`a\,e^{-k t} + c` through noisy points.

t, y = gc.observed("t"), gc.observed("y")
a, k, c = (gc.parameter(n, init="ones") for n in ("a", "k", "c"))


@gc.function
def decay(t, a, k, c):
    return a * np.exp(-k * t) + c


z = decay(t, a, k, c, output="z")


@gc.function
def difference(z, y):
    return z - y


r = difference(z, y, output="r")
net = gc.Graph(gc.cost(r**2, name="C"), name="curve")
net

# %%

rng = np.random.default_rng(0)
T = np.linspace(0, 4, 60)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + rng.normal(0, 0.05, 60)
program = gc.compile(net)
objective = program.as_scipy(program.init_params(seed=0), t=T, y=Y)

# %%
# **L-BFGS** takes loss and gradient.

found = optimize.minimize(objective.fun, objective.x0, jac=True, method="L-BFGS-B")
print(objective.params(found.x), found.nfev, "evaluations")

# %%
# **Newton's method** takes Hessian products too, which are derived as the gradient is; no Hessian
# is formed.

newton = optimize.minimize(
    objective.fun, objective.x0, jac=True, hessp=objective.hessp, method="trust-ncg"
)
print(objective.params(newton.x), newton.nfev, "evaluations")
np.testing.assert_allclose(newton.x, found.x, atol=1e-3)

# %%
# **Least squares** takes the residuals of all samples, and their Jacobian.

squares = optimize.least_squares(
    objective.residuals, objective.x0, jac=objective.residuals_jacobian, args=("r",)
)
print(objective.params(squares.x), squares.nfev, "evaluations")
np.testing.assert_allclose(squares.x, newton.x, atol=1e-4)
np.testing.assert_allclose(squares.x, [2.5, 1.3, 0.5], atol=0.1)
