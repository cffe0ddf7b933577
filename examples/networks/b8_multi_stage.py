r"""
A graph of several stages
=========================

Stages follow each other, :math:`z_{k+1} = f_k(z_k, w_k)`. Each has two Jacobians, by its state and
by its parameters, and back-propagation is two recursions:

.. math::

   \frac{\partial C}{\partial z_k} = \frac{\partial C}{\partial z_{k+1}}
   \frac{\partial f_k(z_k, w_k)}{\partial z_k}

.. math::

   \frac{\partial C}{\partial w_k} = \frac{\partial C}{\partial z_{k+1}}
   \frac{\partial f_k(z_k, w_k)}{\partial w_k}
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc


@gc.function
def stage(z=gc.Input("n"), *, w=gc.Parameter("m n")):
    return np.tanh(w @ z)


STAGES = 3
z = [gc.observed("z_0", shape=4)]
blocks = [stage(m=4, name=f"f_{k}") for k in range(STAGES)]
for k, block in enumerate(blocks):
    z.append(block(z[-1], output=f"z_{k + 1}"))
C = gc.cost(np.sum(z[-1] ** 2), name="C")
net = gc.Graph(C, name="stages")

# %%
# The graph, with the pass backwards mirrored beside it.

gc.render(net, Path(tempfile.mkdtemp()) / "stages.svg", backward="mirror")

# %%
# The two Jacobians of a stage.

gc.jacobian(z[2], z[1])

# %%

gc.jacobian(z[2], blocks[1].w)

# %%
# The two recursions, in numbers.

given = [z[0], *(block.w for block in blocks)]
rng = np.random.default_rng(0)
arrays = [rng.standard_normal(4), *rng.standard_normal((STAGES, 4, 4))]
rows = gc.compile_function(given, [gc.grad(C, v) for v in z])(*arrays)
by_state = gc.compile_function(given, [gc.jacobian(z[k + 1], z[k]) for k in range(STAGES)])
by_weights = gc.compile_function(given, [gc.jacobian(z[k + 1], blocks[k].w) for k in range(STAGES)])
gradients = gc.compile_function(given, [gc.grad(C, block.w) for block in blocks])
for k, (a, b, g) in enumerate(
    zip(by_state(*arrays), by_weights(*arrays), gradients(*arrays), strict=True)
):
    np.testing.assert_allclose(rows[k], rows[k + 1] @ a)
    np.testing.assert_allclose(g, np.einsum("i,ijk->jk", rows[k + 1], b))
    print(f"stage {k}: ∂f/∂z {a.shape}, ∂f/∂w {b.shape}, ∂C/∂w {g.shape}")
