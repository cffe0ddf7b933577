r"""
Full-batch gradient descent
===========================

The loss of a set is the average over its samples, and so is its gradient. Full-batch descent uses
all of them for every step:

.. math:: w \leftarrow w - \eta \, \frac{\partial L(S, w)}{\partial w}, \qquad
   L(S, w) = \frac{1}{P} \sum_p L(x[p], y[p], w)
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

x, y = gc.observed("x"), gc.observed("y")
w, b = gc.parameter("w"), gc.parameter("b")
cost = gc.cost((w * x + b - y) ** 2, name="C")
net = gc.Graph(cost, name="line")
net

# %%
# The gradient of one sample's loss.

gc.grad(cost, w)

# %%
# A line is fitted to 40 points. ``step=`` adds the update rule to the program, and
# :func:`graphc.train` without a batch size gives it all samples at once.

rng = np.random.default_rng(0)
X = rng.uniform(-1, 2, 40)
Y = 0.5 - 1.5 * X + 0.5 * rng.standard_normal(40)

program = gc.compile(net, step=gc.sgd(lr=0.2))
trace = gc.plot.Trace(program.init_params())
run = gc.train(program, program.init_params(), {"x": X, "y": Y}, steps=80, callbacks=[trace])

best = np.polyfit(X, Y, deg=1)
np.testing.assert_allclose(run.params, best, atol=1e-6)
print("descent:      ", np.array(run.params))
print("least squares:", best)

# %%
# The loss never rises, and the path is smooth: there is no chance in it.

assert all(np.diff(run.history.losses) <= 0)
objective = program.as_scipy(program.init_params(), x=X, y=Y)
left, right = gc.plot.panels(2)
gc.plot.contours(objective.loss, ((-2.4, 0.4), (-0.4, 1.5)), trace.path, log=True, ax=left)
left.set(xlabel="$w$", ylabel="$b$")
gc.plot.losses(run, log=True, ax=right)

# %%
# The rule alone, written in the language. This is all that ``gc.sgd`` is without its options.


@gc.update_rule
def descent(w, g, *, lr):
    return w - lr * g


own = gc.compile(net, step=descent(lr=0.2))
again = gc.train(own, own.init_params(), {"x": X, "y": Y}, steps=80)
np.testing.assert_allclose(again.params, run.params, rtol=1e-12)

# %%
# Loss, gradient and update are one function of the emitted file. The sums over the samples are in
# the gradient of the shared parameter, and nowhere else.

source = gc.compile(net, step=descent(lr=0.2), style="readable").source
print(source[source.index("def train_step") :].split("\n\n\n")[0])
