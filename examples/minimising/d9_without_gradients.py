r"""
Holes, stairs and flats: methods of order zero
==============================================

Where a function is made of stairs its gradient is zero and says nothing. Methods of order zero
look at values alone: they try points near and far, and go where the values are lower.
"""

# sphinx_gallery_thumbnail_number = -1

import numpy as np

import graphc as gc

# %%
# A bowl, and what becomes of it in steps, with a flat rim and with a hole off its centre.


def bowl(w):
    return np.sum((w - np.array([1.0, 0.5])) ** 2, axis=-1)


def stairs(w):
    return np.floor(3 * bowl(w)) / 3


def flats(w):
    return np.minimum(stairs(w), 4.0)


def hole(w):
    deep = np.sum((w - np.array([-0.9, -0.4])) ** 2, axis=-1) < 0.2
    return np.where(deep, -1.0, flats(w))


w = gc.parameter("w", shape=2, init=np.array([-0.7, 2.0]))
net = gc.Graph(gc.cost(stairs(w), name="f"), name="stairs")
net

# %%
# The compiler does not return a gradient of zeros as if that were one. It says what cuts the path.

try:
    gc.compile(net)
except gc.DerivativeError as error:
    message = str(error)
assert "'floor' is piecewise constant" in message
print(message)

# %%
# ``gc.estimators`` tells what can be used instead, and why.

report = gc.estimators(net)
assert [name for name, _ in report[0].estimators] == ["straight-through", "zeroth order"]
report

# %%
# Compiled for its values alone, the graph is a function of one vector. :func:`graphc.minimize` has
# four methods for such functions; here the points that they look at are noted.

program = gc.compile(net, batch=False, wrt=[])
value = program.as_scipy(program.init_params()).loss
start = program.init_params().w


def search(f, method, **options):
    seen = []

    def noted(x):
        seen.append(x.copy())
        return float(f(x))

    return gc.minimize(noted, start, method, **options), np.array(seen)


budgets = {
    "descent": {"steps": 60, "lr": 0.1},
    "spsa": {"steps": 120, "a": 0.4, "c": 0.3},
    "es": {"steps": 25, "lr": 0.5, "sigma": 0.4, "population": 10},
    "nelder-mead": {"steps": 60, "initial_simplex": start + np.array([[0, 0], [1, 0], [0, -1]])},
}
found = {method: search(value, method, **options) for method, options in budgets.items()}
for method, (result, _) in found.items():
    print(f"{method:12} {result.fun:.3f} after {result.evaluations} evaluations")

# %%
# Descent by finite differences stays where it is, for the differences are zero. The others look
# further than a stair is wide, and reach the lowest one.

assert found["descent"][0].fun == value(start)
assert all(found[method][0].fun == 0 for method in ("spsa", "es", "nelder-mead"))
np.testing.assert_array_equal(gc.finite_differences(value, start), 0)

names = ("spsa", "es", "nelder-mead")
box = ((-2, 3), (-1.5, 2.8))
for axes, method in zip(panels := gc.plot.panels(3, size=(3.6, 3.2)), names, strict=True):
    gc.plot.contours(stairs, box, ax=axes)
    axes.scatter(*found[method][1].T, s=6, color=gc.plot.COLOURS[0], alpha=0.6)
    axes.scatter(*start, s=40, color="white", edgecolors=gc.plot.COLOURS[1], zorder=4)
    axes.scatter(*found[method][0].x, s=90, marker="*", color=gc.plot.COLOURS[1], zorder=4)
    axes.set(title=method)
panels[0]

# %%
# On a flat that is wider than the search looks, no value differs from another, and a search by
# small perturbations is lost. A wider one finds the edge.

start = np.array([-2.5, 2.5])
narrow, _ = search(flats, "es", steps=40, lr=0.5, sigma=0.1)
wide, seen = search(flats, "es", steps=60, lr=2.0, sigma=1.5, population=30)
assert narrow.fun == flats(start) > wide.fun == 0
print(f"sigma = 0.1: {narrow.fun}, sigma = 1.5: {wide.fun}")

# %%
# A hole is found by luck. The function in the large says nothing about where it is, so that only a
# search that looks everywhere sees it: here the best of random points.

points = np.random.default_rng(0).uniform((-3, -2), (3, 3), (400, 2))
lucky = points[np.argmin(hole(points))]
assert hole(lucky) == -1
left, right = gc.plot.panels(2)
gc.plot.contours(hole, ((-3, 3), (-2, 3)), ax=left)
left.scatter(*seen.T, s=5, color=gc.plot.COLOURS[0], alpha=0.5)
left.scatter(*wide.x, s=90, marker="*", color=gc.plot.COLOURS[0], zorder=4)
left.set(title=f"evolution strategy: {float(hole(wide.x)):.0f}")
gc.plot.contours(hole, ((-3, 3), (-2, 3)), ax=right)
right.scatter(*points.T, s=5, color=gc.plot.COLOURS[1], alpha=0.5)
right.scatter(*lucky, s=90, marker="*", color=gc.plot.COLOURS[1], zorder=4)
right.set(title=f"random points: {float(hole(lucky)):.0f}")
right

# %%
# What is paid: a gradient costs about as much as a few evaluations, whatever the number of
# parameters. Without it the number of evaluations grows with the parameters, so these methods are
# for few of them.

for n in (2, 4, 8, 16):
    result = gc.minimize(
        lambda x: float(x @ x), np.ones(n), "es", steps=400, lr=0.3, sigma=0.1, population=16
    )
    first = next(i for i, best in enumerate(result.history) if best < 0.1)
    print(f"{n:2} parameters: below 0.1 after {16 * (first + 1):4} evaluations")
