r"""
Verify a gradient
=================

A gradient is easy to check and should be. Four ways, from the outside in; none of them has to trust
graphc.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=5), gc.observed("y", classes=3)
first = gc.Linear(4, name="first")
z = gc.softplus(first(x), output="z")
C = gc.cross_entropy(gc.Linear(3, name="second")(z, output="s"), y, name="C")
net = gc.Graph(C, name="checked")
program = gc.compile(net)

# %%
# **The file checks itself.** Started as a script, or by ``graphc check FILE``, it moves its
# parameters a little along random directions and compares.

file = Path(tempfile.mkdtemp()) / "checked.py"
program.save(file)
done = subprocess.run([sys.executable, file], capture_output=True, text=True)
print(done.stdout)
assert done.returncode == 0, done.stderr

# %%
# **Central differences on your own data**, in float64: with steps of :math:`10^{-6}`, about the
# cube root of the precision, eight digits agree.

params = program.init_params(seed=0)
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 5)), rng.integers(0, 3, 20)
_, grads = program.loss_and_grad(params, x=X, y=Y)


def moved(name, by):
    return params._replace(**{name: getattr(params, name) + by})


for name, g in zip(params._fields, grads):
    u = rng.normal(size=g.shape)
    ahead = program.loss(moved(name, 1e-6 * u), x=X, y=Y)
    behind = program.loss(moved(name, -1e-6 * u), x=X, y=Y)
    numeric = (ahead - behind) / 2e-6
    print(f"{name:9} {np.sum(g * u):+.9f}  {numeric:+.9f}")
    np.testing.assert_allclose(np.sum(g * u), numeric, rtol=1e-6)

# %%
# **The formula.** Every Jacobian has one, derived by another route than the code. SymPy can take it
# further: here the formula of ∂z/∂s1, evaluated and compared with the code.

s = gc.observed("s", shape=4)
slope = gc.jacobian(gc.softplus(s, output="z"), s)
slope

# %%

point = np.array([-1.0, 0.0, 0.5, 3.0])
code = gc.compile_function([s], slope)(point)
np.testing.assert_allclose(code, np.diag(1 / (1 + np.exp(-point))))

# %%
# **Step by step.** :func:`graphc.derive` writes the chain rule out, to be read.

print(gc.derive(C, first.w))

# %%
# **Another framework.** The emitted function takes and gives plain arrays, so that JAX or PyTorch
# can be asked the same question in a few lines; graphc's own tests do that for every operation.
#
# At a kink, frameworks differ: see :doc:`/conventions` before you suspect an error.
