r"""
Add a block
===========

A block is a Python function on variables, with :func:`graphc.function` above it. Nobody writes its
gradient: it follows.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

# %%
# Parameters are keyword-only arguments whose default is a ``gc.Parameter``. A dimension is a number
# or a name, and equal names are equal; here the block learns a scale and a shift for each of n
# elements, after making their mean 0 and their variance 1.


@gc.function
def standardise(
    z=gc.Input("n"),
    *,
    scale=gc.Parameter("n", init="ones"),
    shift=gc.Parameter("n", init="zeros"),
    eps=1e-5,
):
    centred = z - np.mean(z)
    return scale * centred / np.sqrt(np.mean(centred**2) + eps) + shift


# %%
# Other keyword-only arguments, such as ``eps``, are options. A block with parameters is made first
# and called then; call it twice, and both uses share the parameters.

x, t = gc.observed("x", shape=6), gc.observed("t", shape=6)
norm = standardise(name="norm", eps=1e-6)
z = norm(x, output="z")
C = gc.mse(z, t, name="C")
net = gc.Graph(C, name="normalised")
net

# %%
# Its gradient, as code.

program = gc.compile(net, style="readable")
source = program.source
print(source[source.index("    # C: ∂L/∂z") : source.index("\n\ndef _forward")])

# %%
# Check it against PyTorch's ``LayerNorm``, or, as here, against central differences.

params = program.init_params(seed=0)
rng = np.random.default_rng(1)
X, T = rng.normal(2, 3, (8, 6)), rng.normal(size=(8, 6))
_, grads = program.loss_and_grad(params, x=X, t=T)
step = np.zeros(6)
step[2] = 1e-6
ahead = program.loss(params._replace(norm_scale=params.norm_scale + step), x=X, t=T)
behind = program.loss(params._replace(norm_scale=params.norm_scale - step), x=X, t=T)
np.testing.assert_allclose(grads.norm_scale[2], (ahead - behind) / 2e-6, rtol=1e-6)

# %%
# **A wrong shape is told where it is declared**, with the names that you gave.

try:
    norm(gc.observed("x_short", shape=4))
except gc.ShapeError as error:
    print(error)
else:
    raise AssertionError("the block has six scales")

# %%
# **A block of blocks** is made with :func:`graphc.block`: the blocks that its body makes are made
# once, and shared between its calls. The figure shows one block, or its inside.


@gc.block
def residual(z, *, hidden):
    inner, outer = gc.Linear(hidden, name="inner"), gc.Linear(6, name="outer")
    return z + outer(gc.relu(inner(z)))


first = residual(hidden=12, name="first")
deep = gc.Graph(first(z, output="out"), name="deep")
print([deep.name_of(v) for v in deep.parameters])
gc.render(deep, Path(tempfile.mkdtemp()) / "deep.svg", expand=True)
