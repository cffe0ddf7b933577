r"""
The linear model
================

The simplest parametrised model weighs its inputs and sums them, :math:`\bar y = \sum_i w_i x_i`.
How far it is from the answer y is told by a cost, here the squared distance,
:math:`C(y, \bar y) = \lVert y - \bar y \rVert^2`.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=4), gc.observed("y")


@gc.function
def G(x=gc.Input("n"), *, w=gc.Parameter("n", init="normal")):
    return w @ x


prediction = G(name="G")(x, output="ybar")
cost = gc.squared_error(prediction, y, name="C")
net = gc.Graph(cost, name="linear")
net

# %%
# The gradient of the cost by the weights: the error, times the input.

(w,) = net.parameters
gc.grad(cost, w)

# %%
# The compiled program averages the cost over samples. The backward pass reads as the formula
# does: the error of each sample times its input, summed up.

program = gc.compile(net, style="readable")
source = program.source
print(source[source.index("def loss_and_grad") : source.index("def _forward")])

# %%
# For a linear model the best weights are known, so that descent can be compared with them.

rng = np.random.default_rng(0)
X = rng.standard_normal((100, 4))
Y = X @ np.array([2.0, -1.0, 0.5, 0.0]) + 0.1 * rng.standard_normal(100)
best = np.linalg.lstsq(X, Y, rcond=None)[0]

descending = gc.compile(net, step=gc.sgd(lr=0.1))
run = gc.train(descending, descending.init_params(), {"x": X, "y": Y}, steps=200)
np.testing.assert_allclose(run.params.G_w, best, atol=1e-8)
print("descent:", run.params.G_w.round(4))
print("exact:  ", best.round(4))
