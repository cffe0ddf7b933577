r"""
The parametrised model
======================

A model is a function of an input and of parameters, :math:`\bar y = G(x, w)`. The input varies
from sample to sample, the parameters are shared by all of them. In a block diagram the parameters
are implicit in the block, as weights are in a layer, or they are drawn as a variable of their own.
"""

import numpy as np

import graphc as gc

# %%
# A block with implicit parameters: they are keyword-only arguments with a shape.


@gc.function
def G(x=gc.Input("n"), *, w=gc.Parameter("m n", init="normal")):
    return np.tanh(w @ x)


x = gc.observed("x", shape=3)
model = G(m=2, name="G")
prediction = model(x, output="ybar")

# %%
# The diagram: shaded variables are observed, the rounded side of a block is its output.

net = gc.Graph(prediction, name="model")
net

# %%
# The same with the parameters drawn: here ``w`` is declared on its own and enters the block as x
# does.

w = gc.parameter("w", shape=(2, 3), init="normal")


@gc.function
def G_explicit(x, w):
    return np.tanh(w @ x)


explicit = gc.Graph(G_explicit(x, w, output="ybar"), name="explicit")
explicit

# %%
# Both are the same function of x and w, and compile to the same code.

program, other = gc.compile(net), gc.compile(explicit)
params = program.init_params(seed=0)
samples = np.random.default_rng(1).standard_normal((5, 3))
np.testing.assert_array_equal(
    program.forward(params, x=samples), other.forward(other.Params(params.G_w), x=samples)
)
print(program.forward(params, x=samples))

# %%
# The model's two Jacobians: by its input, and by its parameters.

gc.jacobian(prediction, x)

# %%

gc.jacobian(prediction, model.w)
