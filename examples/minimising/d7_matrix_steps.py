r"""
A matrix for a step size
========================

The step size may be a matrix. With a positive definite A the step
:math:`w \leftarrow w - A \, \nabla f(w)` still goes downhill, for
:math:`\nabla f^\top A \, \nabla f > 0`, but not where it is steepest. A good matrix makes round
what is narrow.
"""

# sphinx_gallery_thumbnail_number = 2

import numpy as np

import graphc as gc

# %%
# A narrow valley that lies askew.

H = np.array([[10.0, 7.0], [7.0, 6.0]])


def valley(w):
    return 0.5 * w @ H @ w


w = gc.parameter("w", shape=2, init=np.array([-1.5, 0.6]))
cost = gc.cost(valley(w), name="f")
net = gc.Graph(cost, name="valley")
net

# %%
# Four matrices: a multiple of the identity, which is plain descent; a diagonal; a full matrix; and
# the inverse of the Hessian, which is Newton's method and needs one step for a quadratic function.


def path(rule, steps):
    program = gc.compile(net, batch=False, step=rule)
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=steps, callbacks=[trace])
    return trace.path


A = np.array([[0.3, -0.3], [-0.3, 0.45]])
rules = {
    "plain": gc.sgd(lr=0.1),
    "diagonal": gc.scaled({"w": np.array([0.08, 0.15])}),
    "full": gc.scaled({"w": A}),
    "Newton": gc.newton(),
}
paths = {name: path(rule, 12) for name, rule in rules.items()}
np.testing.assert_allclose(paths["Newton"][1], 0, atol=1e-12)
gc.plot.contours(valley, ((-1.8, 1.8), (-1.8, 1.8)), *paths.values(), labels=list(paths), log=True)

# %%
# All first steps are downhill; only the first is steepest. The angle to the gradient tells.

slope = H @ paths["plain"][0]
for name, points in paths.items():
    step = points[1] - points[0]
    angle = np.degrees(np.arccos(-step @ slope / np.linalg.norm(step) / np.linalg.norm(slope)))
    assert valley(points[1]) < valley(points[0])
    assert angle < 90
    print(f"{name:8} {angle:5.1f}° from steepest, the loss falls to {valley(points[1]):.4f}")

# %%
# **Newton's method** solves a system with the Hessian at each step. Both are in the emitted file.

source = gc.compile(net, batch=False, step=gc.newton()).source
print(source[source.index("    # w: step") :].split("\n\n\n")[0])

# %%
# **Gauss-Newton** is for sums of squares: it takes :math:`J^\top J` for the Hessian, with J the
# Jacobian of the residuals, so that no second derivatives are needed. Here a decay is fitted.

x, y = gc.observed("x"), gc.observed("y")
a, b = gc.parameter("a", init=0.5), gc.parameter("b", init=0.2)


@gc.function
def residual(a, b, x, y):
    return a * np.exp(-b * x) - y


r = residual(a, b, x, y, output="r")
fit = gc.Graph(gc.cost(0.5 * r**2, name="C"), name="decay")
fit

# %%

rng = np.random.default_rng(0)
X = rng.uniform(0, 4, 50)
data = {"x": X, "y": 2 * np.exp(-1.1 * X) + 0.03 * rng.standard_normal(50)}


def losses(graph, rule, steps, data=data):
    program = gc.compile(graph, step=rule)
    return gc.train(program, program.init_params(), data, steps=steps)


runs = [losses(fit, gc.sgd(lr=0.5), 30), losses(fit, gc.gauss_newton("r", damping=1e-3), 30)]
least = runs[1].loss
above = [np.array(run.history.losses) - least for run in runs]
assert above[1][10] < 1e-8 < above[0][10]
print("Gauss-Newton:", np.array(runs[1].params).round(4), "after plain descent:",
      np.array(runs[0].params).round(4))  # fmt: skip

# %%
# **The natural gradient** takes the Fisher matrix, the mean of the products of the samples' own
# gradients, where the cost is the logarithm of a probability. It does not depend on the scale in
# which inputs are given: here one of them is a hundred times as large as the other.

u, k = gc.observed("u", shape=2), gc.observed("k", classes=2)
v = gc.parameter("v", shape=(2, 2), init="zeros")
logistic = gc.Graph(gc.cross_entropy(v @ u, k, name="C"), name="logistic")
classes = rng.integers(2, size=200)
points = rng.standard_normal((200, 2)) + np.stack([classes, 1.0 - classes], axis=1)
given = {"u": points * np.array([1.0, 100.0]), "k": classes}

plain = losses(logistic, gc.sgd(lr=2e-4), 30, given)
natural = losses(logistic, gc.natural_gradient(lr=0.5, damping=1e-3), 30, given)
assert natural.loss < plain.loss - 0.02

left, right = gc.plot.panels(2)
for i, (name, values) in enumerate(zip(("plain", "Gauss-Newton"), above, strict=True)):
    left.plot(values + 1e-16, color=gc.plot.COLOURS[i], label=name)
left.set(yscale="log", xlabel="step", ylabel="loss above the least", ylim=(1e-13, None))
left.legend()
gc.plot.losses(plain, natural, labels=["plain", "natural gradient"], ax=right)
right

# %%
# Matrices that are estimated on the way need no second derivatives and little memory. Adam's is a
# diagonal, from the squares of the gradients it has seen; L-BFGS, of SciPy, is a full one, from the
# last few steps.

from scipy.optimize import minimize  # noqa: E402

program = gc.compile(logistic)
objective = program.as_scipy(program.init_params(), **given)
found = minimize(objective.fun, objective.x0, jac=True, method="L-BFGS-B")
adam = losses(logistic, gc.adam(lr=0.1), 100, given)
print(f"least: {found.fun:.6f} by L-BFGS, after {found.nit} steps")
print(
    f"       {natural.loss:.6f} by 30 steps of the natural gradient, {adam.loss:.6f} by 100 of Adam"
)
np.testing.assert_allclose([natural.loss, adam.loss], found.fun, atol=1e-3)
