r"""
The average loss over a set
===========================

Learning lowers the loss on average over a set S of samples,
:math:`L(S, w) = \frac{1}{P} \sum_p L(x[p], y[p], w)`. The samples differ from copy to copy of the
model, the parameters are the same.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=3), gc.observed("y")


@gc.function
def G(x=gc.Input("n"), *, w=gc.Parameter("n", init="normal")):
    return w @ x


prediction = G(name="G")(x, output="ybar")
net = gc.Graph(gc.cost((prediction - y) ** 2, name="C"), name="average")

# %%
# Drawn as a stack of copies, one for each sample.

folder = Path(tempfile.mkdtemp())
gc.render(net, folder / "stack.svg", average="stack")

# %%
# Drawn as a plate, as graphical models are.

gc.render(net, folder / "plate.svg", average="plate")

# %%
# ``gc.compile`` adds the sample axis P to what depends on the samples, and only to that. It does
# so before it differentiates: the gradient of a shared parameter is one matrix product over the
# samples, never one gradient for each.

program = gc.compile(net, style="readable")
source = program.source
print(source[source.index("def loss_and_grad") : source.index("def _forward")])

# %%
# The average is that of the samples' own losses and gradients.

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((50, 3)), rng.standard_normal(50)
params = program.init_params(seed=1)
loss, grads = program.loss_and_grad(params, x=X, y=Y)

single = gc.compile(net, batch=False)
each = [single.loss_and_grad(single.Params(*params), x=a, y=b) for a, b in zip(X, Y, strict=True)]
np.testing.assert_allclose(loss, np.mean([value for value, _ in each]))
np.testing.assert_allclose(grads.G_w, np.mean([g.G_w for _, g in each], axis=0))
print(f"average over {len(X)} samples: {loss:.6f}")
