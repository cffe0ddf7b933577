r"""
Cross-entropy with softmax
==========================

Scores become probabilities by a softmax, and the cost is the surprise at the right class. Together
they are one cost, :math:`C = \log \sum_j e^{s_j} - s_y`, whose gradient is as simple as can be.
"""

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=2), gc.observed("y", classes=3)
head = gc.Linear(3, name="head")
s = head(x, output="s")
C = gc.cross_entropy(s, y, name="C")
net = gc.Graph(C, name="softmax_regression")
net

# %%
# The gradient by the scores: the probabilities, minus one for the right class.

gc.grad(C, s)

# %%
# Its second derivative is the covariance of the classes, which is positive semi-definite: the cost
# is convex in the scores, and here in the parameters, too.

gc.hessian(C, s)

# %%
# The same written as two modules, softmax and then minus the logarithm of an element, is the same
# cost with the same code.

p = gc.softmax(s, output="p")
two = gc.cost(-np.log(p[y]), name="C")
fused, apart = gc.compile(net), gc.compile(gc.Graph(two, name="softmax_regression"))
params = fused.init_params(seed=0)
rng = np.random.default_rng(0)
Y = rng.integers(0, 3, 300)
X = rng.normal(size=(300, 2)) + 1.2 * np.array([[0, 1], [-1, -1], [1, -1]])[Y]
for one, other in zip(
    fused.loss_and_grad(params, x=X, y=Y)[1],
    apart.loss_and_grad(apart.Params(*params), x=X, y=Y)[1],
):
    np.testing.assert_allclose(one, other, rtol=1e-12)

# %%
# Softmax regression by Newton's method: the cost is convex and has few parameters, so a handful of
# steps from zero will do. (A little damping: a constant added to all scores changes nothing.)

trainer = gc.compile(net, step=gc.newton(damping=1e-6))
start = trainer.Params(*(np.zeros_like(p) for p in params))
run = gc.train(trainer, start, {"x": X, "y": Y}, steps=8)
print("loss of each step:", *(f"{v:.6f}" for v in run.history.losses))
accuracy = np.mean(trainer.forward(run.params, x=X).argmax(axis=1) == Y)
print(f"accuracy {accuracy:.1%}")
_, gradient = fused.loss_and_grad(run.params, x=X, y=Y)
assert max(np.abs(g).max() for g in gradient) < 1e-5
gc.plot.regions(lambda p: trainer.forward(run.params, x=p), ((-4, 4), (-4, 4)), X, Y)
