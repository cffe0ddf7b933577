r"""
Corners and jumps
=================

Some functions have no derivative at a point, as ReLU at 0, some have one that is zero almost
everywhere, as a sign. Three ways out: a convention for the point, another function in place of the
derivative, or a smooth function in place of the whole.
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

# %%
# **A convention.** At a corner every slope between those of both sides is a subgradient. Which one
# is taken is written down for each function; these are graphc's.

x = gc.observed("x")
relu = gc.relu(x)
gc.grad(relu, x)

# %%

a, b = gc.observed("a"), gc.observed("b")
corners = {
    "relu(x) at 0": gc.compile_function([x], gc.grad(relu, x))(0.0),
    "abs(x) at 0": gc.compile_function([x], gc.grad(np.absolute(x), x))(0.0),
    "clip(x, 0, 1) at 1": gc.compile_function([x], gc.grad(np.clip(x, 0, 1), x))(1.0),
    "maximum(a, b) by a, at a = b": gc.compile_function(
        [a, b], gc.grad(np.maximum(a, b), a)
    )(2.0, 2.0),
}  # fmt: skip
for name, slope in corners.items():
    print(f"{name:30} {float(slope)}")
assert list(map(float, corners.values())) == [0, 0, 1, 0.5]

# %%
# Each lies between the slopes of both sides, which is what makes it a subgradient.

for body, at, slope in ((gc.relu, 0.0, 0.0), (np.absolute, 0.0, 0.0)):
    f = gc.compile_function([x], body(x))
    left, right = (f(at) - f(at - 1e-6)) / 1e-6, (f(at + 1e-6) - f(at)) / 1e-6
    assert left - 1e-9 <= slope <= right + 1e-9

# %%
# Descent on a function with a corner: with a fixed step size it goes to and fro about it, however
# long it runs, for the gradient does not get small. With a step size that falls it arrives.

w = gc.parameter("w", init=1.0)
net = gc.Graph(gc.cost(np.absolute(w) + 0.1 * w, name="f"), name="corner")


def path(rule):
    program = gc.compile(net, batch=False, step=rule)
    trace = gc.plot.Trace(program.init_params())
    gc.train(program, program.init_params(), {}, steps=200, callbacks=[trace])
    return trace.path[:, 0]


fixed, falling = path(gc.sgd(lr=0.15)), path(gc.sgd(lr=gc.inverse_decay(0.15, 0.1)))
assert np.ptp(fixed[100:]) > 0.1
assert np.ptp(falling[100:]) < 0.04
(axes,) = gc.plot.panels(1, size=(6, 3))
axes.plot(fixed, color=gc.plot.COLOURS[0], lw=0.8, label="fixed step size")
axes.plot(falling, color=gc.plot.COLOURS[1], lw=1.2, label="falling step size")
axes.set(xlabel="step", ylabel="$w$")
axes.legend()
axes

# %%
# **A smooth function in place of the whole.** Softplus approaches ReLU as its factor grows, a tanh
# approaches the sign. The smoother it is, the more there is to descend on, and the further it is
# from what was meant.

grid = np.linspace(-2, 2, 201)
left, right = gc.plot.panels(2, size=(4.4, 3.2))
for i, sharp in enumerate((1, 4, 16)):
    soft = gc.softplus(sharp * x) / sharp
    smooth = gc.compile_function([x], soft)
    slope = gc.compile_function([x], gc.grad(soft, x))
    left.plot(grid, [smooth(v) for v in grid], color=gc.plot.COLOURS[i], label=f"factor {sharp}")
    right.plot(grid, [slope(v) for v in grid], color=gc.plot.COLOURS[i])
    np.testing.assert_allclose(smooth(0.0), np.log(2) / sharp)
left.plot(grid, np.maximum(grid, 0), color="black", ls="--", lw=1, label="ReLU")
right.step(grid, grid > 0, color="black", ls="--", lw=1)
left.set(title="softplus", xlabel="$x$")
right.set(title="its derivative", xlabel="$x$")
left.legend()
left

# %%
# **Another function in place of the derivative.** A hidden layer of signs has no gradient, and the
# compiler says so.

u, k = gc.observed("u", shape=2), gc.observed("k", classes=2)
scores = gc.Linear(24, name="f")(u, output="s")


@gc.function
def signs(s):
    return np.sign(s)


def network(code, name):
    return gc.Graph(gc.cross_entropy(gc.Linear(2, name="g")(code), k, name="C"), name=name)


hard = network(signs(scores, output="z"), "hard")
hard

# %%

gc.estimators(hard)

# %%
# The straight-through estimator computes with the sign and takes the derivative of tanh. It is
# biased, but the layer below learns. Beside it the same net with a fixed layer below, which is all
# that is left to learn without an estimator.


@gc.function
def binary(s):
    return gc.straight_through(np.sign(s), np.tanh(s))


through = network(binary(scores, output="z"), "straight_through")
through

# %%

rng = np.random.default_rng(0)
U = rng.uniform(-1, 1, (400, 2))
K = (np.sum(U**2, axis=1) < 0.5).astype(int)
frozen = network(gc.stop_gradient(signs(scores)), "frozen")
runs, accuracy = [], []
for graph, rest in ((frozen, {"allow_unused": True}), (through, {})):
    program = gc.compile(graph, step=gc.adam(lr=0.02), **rest)
    start = program.init_params(seed=3)
    runs.append(gc.train(program, start, {"u": U, "k": K}, epochs=60, batch_size=40))
    logits = gc.compile(gc.Graph(graph.costs[0].inputs[0], name="scores"))
    accuracy.append(np.mean(logits.forward(runs[-1].params, u=U).argmax(axis=1) == K))
assert accuracy[1] > accuracy[0] + 0.02
print(f"accuracy with a fixed layer {accuracy[0]:.1%}, straight-through {accuracy[1]:.1%}")

box = ((-1, 1), (-1, 1))
left, right = gc.plot.panels(2)
for axes, run, name in zip((left, right), runs, ("fixed", "straight-through"), strict=True):
    predict = lambda p, run=run: logits.forward(run.params, u=p)  # noqa: E731
    gc.plot.regions(predict, box, U, K, ax=axes)
    axes.set(title=name)
right
